//! Checkpoints that hold more than one list of layers, and names under wrappers: what is beside a model changes
//! nothing of what is said of it, and a foreign list is a part and does not make the language model derived.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use unshell::catalog::Catalog;
use unshell::checkpoint::Data;
use unshell::fact::{RuleId, Weights, WeightsRelation as It};
use unshell::lineage::{Look, Model, compare_with_weights};
use unshell::remote::Reach;

const FAMILY: &str = "tests/families/small";

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn read(member: &str) -> Tensors {
    let data = Data::open(Path::new(&format!("{FAMILY}/{member}"))).unwrap();
    let tensor = |it: &unshell::checkpoint::Values| {
        let shape = it.shape.iter().map(|it| usize::try_from(*it).unwrap()).collect();
        (it.name.clone(), (shape, data.read(it, 0..it.elements()).unwrap()))
    };
    data.values().iter().map(tensor).collect()
}

/// Writes a model with the configuration and the tokenizer of a member.
fn write(folder: &Path, tensors: &Tensors, like: &str, fields: &[(&str, serde_json::Value)]) {
    std::fs::create_dir_all(folder).unwrap();
    let bytes: BTreeMap<&String, Vec<u8>> =
        tensors.iter().map(|it| (it.0, it.1.1.iter().flat_map(|it| it.to_le_bytes()).collect())).collect();
    let views =
        tensors.iter().map(|it| (it.0.clone(), TensorView::new(Dtype::F32, it.1.0.clone(), &bytes[it.0]).unwrap()));
    std::fs::write(folder.join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    let config = std::fs::read_to_string(format!("{FAMILY}/{like}/config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    for (field, value) in fields {
        config[*field] = value.clone();
    }
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    std::fs::copy(format!("{FAMILY}/{like}/tokenizer.json"), folder.join("tokenizer.json")).unwrap();
}

fn open(path: &Path) -> Model {
    Model::open(path.to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
}

fn compared(subject: &Path, reference: &Path) -> Weights {
    compare_with_weights(&open(subject), &open(reference), Catalog::builtin(), &Look::default()).unwrap().weights
}

fn member(name: &str) -> PathBuf {
    PathBuf::from(format!("{FAMILY}/{name}"))
}

/// Numbers that are nobody's, as large as weights are.
fn noise(seed: &mut u64, count: usize) -> Vec<f32> {
    let mut uniform = || {
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| (uniform() + uniform() + uniform() + uniform()) * 0.17).collect()
}

/// What is put beside a model, or in front of its names.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Every layer again, as noise, in a list of this name.
    List(&'static str),
    /// The whole model again, as noise, under this prefix.
    Whole(&'static str),
    /// Noise of the shapes of the first layer, inside every layer, under this word.
    Inside(&'static str),
    /// A prefix of every name.
    Prefix(&'static str),
}

const CHANGES: &[Change] = &[
    Change::List("model.reserve_layers."),
    Change::List("aa.blocks."),
    Change::Whole("zz_second."),
    Change::Inside("spare"),
    Change::Prefix("0.auto_model."),
    Change::Prefix("module_list.0."),
    Change::Prefix("base_model.model."),
    Change::Prefix("_orig_mod.module.wrapped."),
];

fn changed(tensors: &Tensors, change: Change) -> Tensors {
    let mut seed = 17;
    let layered = |name: &str| -> Option<(String, String)> {
        let words: Vec<&str> = name.split('.').collect();
        let at = words.iter().position(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some((words[at].to_owned(), words[at + 1..].join(".")))
    };
    let mut all = tensors.clone();
    for (name, (shape, numbers)) in tensors {
        let again = match change {
            Change::List(list) => layered(name).map(|(layer, rest)| format!("{list}{layer}.{rest}")),
            Change::Whole(prefix) => Some(format!("{prefix}{name}")),
            Change::Inside(word) => layered(name).filter(|_| shape.len() == 2).map(|(layer, rest)| {
                let list = &name[..name.len() - layer.len() - rest.len() - 1];
                format!("{list}{layer}.{word}.{rest}")
            }),
            Change::Prefix(prefix) => {
                let it = all.remove(name).unwrap();
                all.insert(format!("{prefix}{name}"), it);
                None
            }
        };
        if let Some(again) = again {
            all.insert(again, (shape.clone(), noise(&mut seed, numbers.len())));
        }
    }
    all
}

/// Members of the family that are models by themselves, with their numbers in tensors of usual names.
fn members() -> Vec<String> {
    let folders = std::fs::read_dir(FAMILY).unwrap().map(|it| it.unwrap());
    let mut names: Vec<String> = folders
        .filter(|it| it.path().join("config.json").exists() && it.path().join("tokenizer.json").exists())
        .map(|it| it.file_name().into_string().unwrap())
        .filter(|it| !["gguf", "lora_adapter", "experts", "moe"].iter().any(|word| it.contains(word)))
        .collect();
    names.sort();
    names
}

/// What is put beside a model's own tensors, or before their names, changes no relation of it.
#[test]
fn what_stands_beside_a_model_changes_no_relation() {
    let members = members();
    let references = ["base_a", "base_b", "ft_code"];
    let all: Vec<(&String, &str, Change)> = members
        .iter()
        .flat_map(|it| references.iter().flat_map(move |other| CHANGES.iter().map(move |change| (it, *other, *change))))
        .collect();
    let is_full = std::env::var_os("UNSHELL_FULL").is_some();
    // Of a normal run few: all members, references and changes have their turn.
    let chosen: Vec<_> = all.iter().step_by(if is_full { 2 } else { 19 }).collect();
    assert!(chosen.len() >= if is_full { 400 } else { 40 }, "{}", chosen.len());
    let folder = tempfile::tempdir().unwrap();
    let mut plain: BTreeMap<(&str, &str), It> = BTreeMap::new();
    for (at, (name, reference, change)) in chosen.into_iter().enumerate() {
        let path = folder.path().join(at.to_string());
        write(&path, &changed(&read(name), *change), name, &[]);
        let expected =
            *plain.entry((name, reference)).or_insert_with(|| compared(&member(name), &member(reference)).relation);
        let found = compared(&path, &member(reference));
        std::fs::remove_dir_all(&path).unwrap();
        // A model with more beside it has every number of the other and is not the same as it.
        let is_kept = found.relation == expected || expected == It::Identical && found.relation == It::Derived;
        assert!(
            is_kept,
            "{name} {reference} {change:?}: {:?} and not {expected:?} {:#?}",
            found.relation, found.reasons
        );
    }
}

/// A language model and another list of layers, from two members.
fn joined(language: (&str, &str), beside: (&str, &str), with_ends: bool) -> Tensors {
    let mut all = Tensors::new();
    for (name, tensor) in read(language.0) {
        all.insert(format!("{}{name}", language.1), tensor);
    }
    for (name, tensor) in read(beside.0).into_iter().filter(|it| with_ends || it.0.contains(".layers.")) {
        all.insert(format!("{}{name}", beside.1), tensor);
    }
    all
}

#[test]
fn a_foreign_list_of_layers_is_a_part() {
    let folder = tempfile::tempdir().unwrap();
    for (at, (own, foreign, with_ends)) in [
        ("llm.", "tts.", false),
        ("language_model.", "talker.", false),
        ("zz.", "voicebox.", false),
        ("lm.", "draft.", true),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(at.to_string());
        write(&path, &joined(("base_b", own), ("base_a", foreign), with_ends), "base_b", &[]);
        let part = compared(&path, &member("base_a"));
        assert_eq!((part.relation, part.rule), (It::ComponentDerived, Some(RuleId::StackOnly)), "{foreign}");
        assert!(part.recipe.is_empty() && part.disguises.is_empty(), "{:#?}", part.recipe);
        let own = compared(&path, &member("base_b"));
        assert!(matches!(own.relation, It::Derived | It::Identical), "{foreign} {:#?}", own.reasons);
        let neither = compared(&path, &member("base_c"));
        assert_eq!(neither.relation, It::Independent, "{foreign} {:#?}", neither.reasons);
        // A model that is somebody's talker is kin to it, whoever took from whom.
        let back = compared(&member("base_a"), &path);
        assert!(matches!(back.relation, It::Derived | It::Identical), "{foreign} {:#?}", back.reasons);
    }
}

/// Where nothing says which list is the language model, the closest is the answer: noise in the usual list clears
/// nobody.
#[test]
fn of_two_lists_that_may_be_the_language_model_the_closest_is_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let copy = read("base_a");
    let mut seed = 5;
    let mut both = Tensors::new();
    for (name, (shape, numbers)) in copy {
        if name.contains(".layers.") {
            both.insert(name.clone(), (shape.clone(), noise(&mut seed, numbers.len())));
            both.insert(name.replace(".layers.", ".blocks."), (shape, numbers));
        } else {
            both.insert(name, (shape, numbers));
        }
    }
    write(folder.path(), &both, "base_a", &[]);
    let found = compared(folder.path(), &member("base_a"));
    assert_eq!(found.relation, It::Derived, "{:#?}", found.reasons);
    assert!(found.reasons.iter().any(|it| it.contains("model.blocks")), "{:#?}", found.reasons);
    assert_eq!(compared(folder.path(), &member("base_b")).relation, It::Independent);
}

/// Of a body in formats that nobody reads nothing is said, whatever its embeddings are.
#[test]
fn a_body_that_is_not_there_is_not_called_clean() {
    let folder = tempfile::tempdir().unwrap();
    let mut few = read("base_a");
    few.retain(|name, _| !name.contains("mlp") || name.contains(".layers.0."));
    few.retain(|name, _| !name.contains("gate") || !name.contains("mlp"));
    write(folder.path(), &few, "base_a", &[]);
    let found = compared(folder.path(), &member("base_a"));
    assert_ne!(found.relation, It::Independent);
    let mut ends = read("base_a");
    ends.retain(|name, _| !name.contains("_proj"));
    write(&folder.path().join("ends"), &ends, "base_a", &[]);
    let found = compared(&folder.path().join("ends"), &member("base_a"));
    assert_eq!((found.relation, found.rule), (It::Undetermined, Some(RuleId::TooLittle)), "{:#?}", found.reasons);
    let power = found.power.unwrap();
    assert!(power.units == 0 && power.detail.contains("no hidden unit was compared"), "{}", power.detail);
}

/// Attention is compared, or it is said that it was not; head sizes that nothing states are tried.
#[test]
fn attention_never_drops_out() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &read("ft_code"),
        "ft_code",
        &[
            ("num_attention_heads", serde_json::Value::Null),
            ("num_key_value_heads", serde_json::Value::Null),
            ("head_dim", serde_json::Value::Null),
        ],
    );
    let found = compared(folder.path(), &member("base_a"));
    let attention = found.components.iter().find(|it| it.component == "attention").unwrap();
    assert_eq!(attention.relation, It::Derived, "{:#?}", found.components);
    assert!(attention.examined.as_ref().is_some_and(|it| it.share > 0.99), "{attention:?}");
}
