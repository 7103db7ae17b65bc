//! Models with a tower beside the language model: each part has an origin of its own.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use unshell::catalog::Catalog;
use unshell::checkpoint::Data;
use unshell::fact::{Weights, WeightsRelation};
use unshell::lineage::{Look, Model, compare_with_weights};
use unshell::remote::Reach;

/// What a published model calls the language model, and what it calls its vision tower.
const LLAVA: [&str; 2] = ["language_model.", "vision_tower.vision_model."];
const OTHER: [&str; 2] = ["model.language_model.", "model.visual."];

/// Writes a model of a language model and a tower, both from the null ensemble, under names of this style.
fn write(folder: &Path, style: [&str; 2], language: &str, tower: &str) {
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (prefix, part) in style.iter().zip([language, tower]) {
        let data = Data::open(Path::new(&format!("tests/families/nulls/{part}.safetensors"))).unwrap();
        for values in data.values() {
            let numbers = data.read(values, 0..values.elements()).unwrap();
            let shape = values.shape.iter().map(|it| usize::try_from(*it).unwrap()).collect();
            let bytes = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
            tensors.insert(format!("{prefix}{}", values.name.trim_start_matches("model.")), (shape, bytes));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, (shape, bytes))| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let file = safetensors::serialize(views, None).unwrap();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
    let own = std::fs::read_to_string("tests/families/nulls/config.json").unwrap();
    let own: serde_json::Value = serde_json::from_str(&own).unwrap();
    let config = serde_json::json!({"model_type": "two_towers", "text_config": own, "vision_config": own});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// What is said of a subject of one style and a reference of another.
fn relation(subject: [&str; 2], reference: [&str; 2]) -> Weights {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, style, parts: [&str; 2]| {
        let path = folder.path().join(name);
        write(&path, style, parts[0], parts[1]);
        Model::open(path.to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
    };
    let (ours, theirs) = (open("subject", OTHER, subject), open("reference", LLAVA, reference));
    compare_with_weights(&ours, &theirs, Catalog::builtin(), &Look::default()).unwrap().weights
}

#[track_caller]
fn check(subject: [&str; 2], reference: [&str; 2], whole: WeightsRelation, tower: WeightsRelation) {
    let weights = relation(subject, reference);
    let part = weights.components.iter().find(|it| it.component == "visual");
    assert_eq!((weights.relation, part.map(|it| it.relation)), (whole, Some(tower)), "{:#?}", weights.reasons);
    assert!(weights.statistics.iter().any(|it| it.component == "visual: feed-forward"));
}

#[test]
fn a_tower_that_was_taken_over_is_a_part_and_does_not_make_the_language_model_derived() {
    use WeightsRelation::{Derived, Independent};
    check(["null-000", "child-003"], ["null-001", "null-003"], Independent, Derived);
    check(["child-002", "null-004"], ["null-002", "null-005"], Derived, Independent);
    check(["child-002", "child-003"], ["null-002", "null-003"], Derived, Derived);
    check(["null-000", "null-004"], ["null-001", "null-005"], Independent, Independent);
}
