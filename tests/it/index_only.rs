//! What companies send first: a configuration and an index, and no weights.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use unshell::catalog::Catalog;
use unshell::fact::{Closeness, FormRelation};
use unshell::lineage::{Look, Model, compare_with_weights, identify, inspect};
use unshell::remote::Reach;

/// Writes the index and the configuration of a catalogue entry into a folder.
fn folder_of(id: &str, folder: &Path) {
    let blueprint = Catalog::builtin().find(id).unwrap().blueprint().unwrap();
    let names = blueprint.placed().into_iter().map(|it| (it.name, json!("model-00001-of-00002.safetensors")));
    let map: serde_json::Map<String, Value> = names.collect();
    let bytes = 2 * blueprint.parameters().unwrap();
    let index = json!({"metadata": {"total_size": bytes}, "weight_map": map});
    fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
    let fields = blueprint.config().facts().into_iter();
    let config: serde_json::Map<String, Value> =
        fields.map(|it| (it.field, serde_json::from_str(&it.value).unwrap())).collect();
    fs::write(folder.join("config.json"), Value::from(config).to_string()).unwrap();
}

fn open(location: &str) -> Model {
    Model::open(location, Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
}

fn index_of(id: &str) -> (tempfile::TempDir, Model) {
    let folder = tempfile::tempdir().unwrap();
    folder_of(id, folder.path());
    let model = open(folder.path().to_str().unwrap());
    (folder, model)
}

#[test]
fn an_index_is_described_by_names_and_configuration_and_says_so() {
    let (_folder, model) = index_of("01-ai/Yi-34B@2023-11");
    let found = inspect(&model);
    assert_eq!((found.parameters, found.data_bytes, found.stated_bytes), (None, None, Some(68_777_834_496)));
    assert_eq!((found.tensors, found.format.as_deref()), (543, None));
    let size = |name: &str| found.dimensions.iter().find(|it| it.name == name).map(|it| it.size);
    assert_eq!(["layers", "hidden", "ffn", "vocab"].map(size), [Some(60), Some(7168), Some(20480), Some(64000)]);
    assert!(found.dtypes.is_empty() && found.templates.iter().all(|it| it.shape.is_none()));
    let query = found.templates.iter().find(|it| it.role == "attention.query").unwrap();
    assert_eq!(query.count, 60);
    assert_eq!(found.findings.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["index-only"]);
    let why = |what: &str| found.unexamined.iter().find(|it| it.what == what).map(|it| it.why.as_str());
    assert_eq!(["shapes", "weights"].map(why), [Some("index-only"); 2]);
}

/// The Yi question before any weight was sent: its names are Llama's but for two.
#[test]
fn an_index_is_held_against_a_reference_by_names() {
    let (_folder, model) = index_of("01-ai/Yi-34B@2023-11");
    let catalog = Catalog::builtin();
    let against =
        |id: &str| compare_with_weights(&model, &open(&format!("catalog:{id}")), catalog, &Look::default()).unwrap();
    let llama = against("meta-llama/Llama-2-70b-hf");
    assert_eq!((llama.form.relation, llama.form.same_dimensions), (FormRelation::SameFamily, false));
    assert_eq!(llama.form.renames.len(), 2);
    let differs: Vec<&str> = llama.form.differences.iter().map(|it| it.item.as_str()).collect();
    assert_eq!(differs, ["ffn", "heads", "hidden", "layers", "vocab"]);
    assert!(llama.unexamined.iter().any(|it| it.what == "shapes" && it.why == "index-only"));
    assert!(llama.unexamined.iter().any(|it| it.what == "weights"));
    assert_eq!(against("openai-community/gpt2").form.relation, FormRelation::Different);
}

#[test]
fn an_index_is_identified_by_what_it_states() {
    let catalog = Catalog::builtin();
    for id in
        ["01-ai/Yi-34B@2023-11", "meta-llama/Llama-2-70b-hf", "openai-community/gpt2", "mistralai/Mixtral-8x7B-v0.1"]
    {
        let (_folder, model) = index_of(id);
        let found = identify(&model, catalog, 10);
        let own = found.matches.iter().find(|it| it.reference == format!("catalog:{id}"));
        let own = own.unwrap_or_else(|| panic!("{id}: {:?}", found.matches));
        assert_eq!(
            (own.rank, own.closeness, own.relation),
            (1, Closeness::Stated, FormRelation::SameFamily),
            "{:#?}",
            found.matches
        );
        assert!(["one entry", "tied entries"].contains(&found.outcome.as_str()), "{id}: {}", found.outcome);
    }
}

#[test]
fn names_that_nobody_knows_leave_everything_open() {
    let folder = tempfile::tempdir().unwrap();
    let names = (0..4).flat_map(|layer| ["alef", "bet", "gimel"].map(|it| format!("stack.{layer}.{it}.weight")));
    let map: serde_json::Map<String, Value> = names.map(|it| (it, json!("a.safetensors"))).collect();
    fs::write(folder.path().join("model.safetensors.index.json"), json!({"weight_map": map}).to_string()).unwrap();
    let model = open(folder.path().to_str().unwrap());
    let catalog = Catalog::builtin();
    assert_eq!(identify(&model, catalog, 10).outcome, "undetermined");
    let reference = open("catalog:meta-llama/Llama-2-70b-hf");
    assert_eq!(
        compare_with_weights(&model, &reference, catalog, &Look::default()).unwrap().form.relation,
        FormRelation::Undetermined
    );
}

/// Two sides without weights and with tokenizers: the vocabularies are still compared.
#[test]
fn tokenizers_beside_an_index_are_compared() {
    let (folder, _) = index_of("01-ai/Yi-34B@2023-11");
    let tokens: serde_json::Map<String, Value> = (0..200).map(|it| (format!("t{it}"), json!(it))).collect();
    let tokenizer = json!({"model": {"type": "BPE", "vocab": tokens, "merges": []}});
    fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let model = open(folder.path().to_str().unwrap());
    let found = compare_with_weights(&model, &model, Catalog::builtin(), &Look::default()).unwrap();
    assert!(found.tokenizer.is_some(), "{:?}", found.unexamined);
    assert!(!found.unexamined.iter().any(|it| it.what == "tokenizer"));
}

#[test]
fn the_commands_say_what_an_index_cannot_tell() {
    let (folder, _) = index_of("01-ai/Yi-34B@2023-11");
    let path = folder.path().to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_unshell")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let inspected = run(&["inspect", path]);
    for words in ["543 tensors by name; how many parameters is not known", "an index without weights", "not known"] {
        assert!(inspected.contains(words), "{words}\n{inspected}");
    }
    let compared = run(&["compare", path, "catalog:meta-llama/Llama-2-70b-hf"]);
    assert!(compared.contains("shapes: ") && compared.contains("same family"), "{compared}");
    let identified = run(&["identify", path]);
    assert!(identified.contains("no shape was there to be seen"), "{identified}");
}
