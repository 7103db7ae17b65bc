//! A library of known models' weights: built over a hub that is this machine, broken off and gone on with, carried as
//! one file, and what a match and a miss say.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use unshell::case::{Case, Reference};
use unshell::catalog::Catalog;
use unshell::evidence::{Bearing, Evidence, collect};
use unshell::fact::WeightsRelation;
use unshell::library::{Manifest, State, Wish, build_one, export, import};
use unshell::lineage::{self, Look, Model, compare_with_weights, fingerprint, fingerprint_of_rows};
use unshell::remote::{Reach, Settings};
use unshell::weights::{About, Fingerprint, Finite, Net, Rows, relate_rows};

use crate::fingerprints::{a_thousand_pairs, rows};
use crate::loopback::{COMMIT, Content, Reply, Server};
use crate::weights::{Tiny, excess, p_values};

const FAMILY: &str = "tests/families/small";

/// Members that are folders of safetensors files.
const MEMBERS: [&str; 8] =
    ["base_a", "base_b", "base_c", "base_other_data", "base_same_init", "ft_code", "ft_legal", "cpt_long"];

type Files = BTreeMap<String, Content>;

/// A hub of several repositories, of which some are gated.
fn hub(latency: Duration, models: BTreeMap<String, Files>, gated: &'static [&'static str]) -> Server {
    Server::start(latency, move |seen, _| {
        if let Some(name) = seen.path.strip_prefix("/api/models/").and_then(|it| it.split("/revision/").next()) {
            let Some(files) = models.get(name) else { return Reply::of(404, "").with("X-Error-Code", "RepoNotFound") };
            let siblings: Vec<_> = files.keys().map(|it| serde_json::json!({ "rfilename": it })).collect();
            return Reply::of(200, serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string());
        }
        let parts = seen.path.trim_start_matches('/').split_once(&format!("/resolve/{COMMIT}/"));
        match parts.and_then(|(name, file)| Some((name, file, models.get(name)?.get(file)?))) {
            Some((name, _, _)) if gated.contains(&name) => Reply::of(401, "").with("X-Error-Code", "GatedRepo"),
            Some((name, file, content)) => content.reply(seen, &format!("\"{name}-{file}\"")),
            None => Reply::of(404, "").with("X-Error-Code", "EntryNotFound"),
        }
    })
}

fn of_family(name: &str) -> Files {
    let files = std::fs::read_dir(format!("{FAMILY}/{name}")).unwrap().map(Result::unwrap);
    let mut files: Files =
        files.map(|it| (it.file_name().into_string().unwrap(), std::fs::read(it.path()).unwrap().into())).collect();
    files.insert("README.md".into(), b"---\nlicense: apache-2.0\n---\n# A model\n".to_vec().into());
    files
}

fn open(location: &str, reach: &Reach) -> Model {
    Model::open(location, Path::new(""), Catalog::builtin(), reach).unwrap()
}

fn member(name: &str) -> Model {
    open(&format!("{FAMILY}/{name}"), &Reach::local())
}

fn build(server: &Server, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unshell"));
    command.env("HF_ENDPOINT", &server.address).env("HF_HOME", home).env("UNSHELL_CACHE", home.join("cache"));
    for name in ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "UNSHELL_LIBRARY"] {
        command.env_remove(name);
    }
    command.args(["library", "build"]).args(arguments).arg("--library").arg(home.join("library"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Every file of a folder with its bytes; parts that a kill leaves are none of the library's.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let named = files.map(|it| (it.file_name().unwrap().to_str().unwrap().to_owned(), it));
    named.filter(|it| !it.0.starts_with(".unshell-")).map(|(name, it)| (name, std::fs::read(it).unwrap())).collect()
}

#[test]
fn a_library_that_was_killed_three_times_is_the_same() {
    let models: BTreeMap<String, Files> =
        (0..40).map(|it| (format!("org/model-{it:02}"), of_family(MEMBERS[it % MEMBERS.len()]))).collect();
    let server = hub(Duration::from_millis(2), models.clone(), &["org/model-07"]);
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let list = homes[0].path().join("list.txt");
    let lines: Vec<String> = models.keys().map(|it| format!("hf:{it}")).collect();
    std::fs::write(&list, lines.join("\n")).unwrap();
    let arguments = [list.to_str().unwrap(), "--salt", "a salt"];
    let whole = build(&server, homes[0].path(), &arguments).output().unwrap();
    let said = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(whole.status.code() == Some(0) && said.contains("39 of 40 models are kept"), "{said}");
    assert!(said.contains("hf:org/model-07") && said.contains("gated: accept its terms"), "{said}");
    for milliseconds in [40, 120, 260] {
        let mut running = build(&server, homes[1].path(), &arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    let resumed = build(&server, homes[1].path(), &arguments).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", String::from_utf8_lossy(&resumed.stderr));
    let (one, other) = (contents(&homes[0].path().join("library")), contents(&homes[1].path().join("library")));
    assert_eq!(one.len(), 40, "39 fingerprints and a manifest");
    assert!(one == other, "{:?} {:?}", one.keys(), other.keys());
    let manifest = Manifest::read(&homes[1].path().join("library")).unwrap().unwrap();
    let entry = &manifest.models["hf:org/model-00"];
    assert_eq!((entry.license.as_deref(), entry.revision.as_deref()), (Some("apache-2.0"), Some(COMMIT)));
    assert_eq!(manifest.models["hf:org/model-07"].state, State::Gated);
    // What is whole is not fetched again.
    let before = server.seen().len();
    build(&server, homes[1].path(), &arguments).output().unwrap();
    assert!(server.seen().len() <= before + 5, "{} requests", server.seen().len() - before);
}

/// Llama-2-7B's shapes in bfloat16, with data that is not stored.
fn seven_b() -> Files {
    let mut tensors: Vec<(String, Vec<u64>)> = vec![("model.embed_tokens.weight".into(), vec![32_000, 4_096])];
    for layer in 0..32 {
        for (name, shape) in [
            ("input_layernorm", vec![4_096]),
            ("mlp.down_proj", vec![4_096, 11_008]),
            ("mlp.gate_proj", vec![11_008, 4_096]),
            ("mlp.up_proj", vec![11_008, 4_096]),
            ("post_attention_layernorm", vec![4_096]),
            ("self_attn.k_proj", vec![4_096, 4_096]),
            ("self_attn.o_proj", vec![4_096, 4_096]),
            ("self_attn.q_proj", vec![4_096, 4_096]),
            ("self_attn.v_proj", vec![4_096, 4_096]),
        ] {
            tensors.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    tensors.extend([("model.norm.weight".into(), vec![4_096]), ("lm_head.weight".into(), vec![32_000, 4_096])]);
    let mut header = serde_json::Map::new();
    let mut at = 0;
    for (name, shape) in &tensors {
        let end = at + 2 * shape.iter().product::<u64>();
        header.insert(name.clone(), serde_json::json!({ "dtype": "BF16", "shape": shape, "data_offsets": [at, end] }));
        at = end;
    }
    let text = serde_json::Value::Object(header).to_string();
    let head = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let file = Content { length: head.len() as u64 + at, head };
    let config = r#"{"model_type":"llama","hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32}"#;
    BTreeMap::from([("model.safetensors".into(), file), ("config.json".into(), config.as_bytes().to_vec().into())])
}

#[test]
fn a_7b_shaped_model_costs_less_than_50_mb() {
    let server = hub(Duration::ZERO, BTreeMap::from([("org/seven".to_owned(), seven_b())]), &[]);
    let reach = Reach::new(Settings { hugging_face: server.address.clone(), ..Settings::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wish = Wish { location: "hf:org/seven".into(), gated: None };
    let manifest = Manifest::new(Some("a salt".into()));
    let built = build_one(folder.path(), &wish, &manifest, Catalog::builtin(), &reach).unwrap();
    assert_eq!(built.entry.state, State::Kept, "{built:?}");
    let traffic = reach.traffic();
    assert!(traffic.bytes <= 50_000_000, "{traffic:?}");
    let kept = Fingerprint::from_bytes(&std::fs::read(folder.path().join(built.entry.file.unwrap())).unwrap()).unwrap();
    assert!(kept.is_rows() && kept.kept_rows() >= 32 * 32, "{}", kept.kept_rows());
}

#[test]
fn a_changed_or_foreign_library_is_refused_and_nothing_is_taken_of_it() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    let mut manifest = Manifest::new(Some("a salt".into()));
    for name in ["base_a", "base_b"] {
        let wish = Wish { location: format!("{FAMILY}/{name}"), gated: None };
        let built = build_one(&from, &wish, &manifest, Catalog::builtin(), &Reach::local()).unwrap();
        assert_eq!(built.entry.state, State::Kept);
        manifest.models.insert(wish.location, built.entry);
    }
    manifest.write(&from).unwrap();
    let key = home.path().join("key");
    std::fs::write(&key, Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap()).unwrap();
    let key = unshell::library::PrivateKey::read(&key).unwrap();
    let file = home.path().join("library.unshell");
    let header = export(&from, &file, Some(&key)).unwrap();
    let public = unshell::library::PublicKey::parse(&header.signature.as_ref().unwrap().key).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let taken = |bytes: &[u8], digest: Option<&str>, key: Option<&unshell::library::PublicKey>| {
        import("library", &to, digest, key, || Ok(bytes)).map_err(|it| it.to_string())
    };
    for at in [0, 20, 300, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(taken(&changed, None, None).is_err(), "a changed byte at {at} was not seen");
    }
    assert!(taken(&bytes[..bytes.len() - 1], None, None).is_err());
    assert!(taken(&[&bytes[..], b"x"].concat(), None, None).unwrap_err().contains("bytes after its last part"));
    assert!(taken(&bytes, Some(&"0".repeat(64)), None).unwrap_err().contains("expected `000"));
    let other = unshell::library::PublicKey::parse(&"1".repeat(64)).unwrap();
    assert!(taken(&bytes, None, Some(&other)).unwrap_err().contains("is signed by the key"));
    assert!(!to.exists(), "something was written");
    let contents_taken = taken(&bytes, Some(&header.digest), Some(&public)).unwrap();
    assert_eq!((contents_taken.header.parts.len(), contents_taken.new), (2, 2));
    assert!(contents(&from) == contents(&to));
    // Unsigned where a signature is asked for.
    export(&from, &file, None).unwrap();
    let unsigned = std::fs::read(&file).unwrap();
    assert!(taken(&unsigned, None, Some(&public)).unwrap_err().contains("is not signed"));
}

#[test]
fn a_library_is_pulled_from_an_address() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("from");
    std::fs::create_dir(&from).unwrap();
    let mut manifest = Manifest::new(Some("a salt".into()));
    let wish = Wish { location: format!("{FAMILY}/base_a"), gated: None };
    let built = build_one(&from, &wish, &manifest, Catalog::builtin(), &Reach::local()).unwrap();
    manifest.models.insert(wish.location, built.entry);
    manifest.write(&from).unwrap();
    let file = home.path().join("one.unshell");
    let header = export(&from, &file, None).unwrap();
    let content: Content = std::fs::read(&file).unwrap().into();
    let server = Server::start(Duration::ZERO, move |seen, _| match seen.path.as_str() {
        "/one.unshell" => content.reply(seen, "\"one\""),
        _ => Reply::of(404, ""),
    });
    let pull = |digest: &str| {
        let address = format!("{}/one.unshell", server.address);
        let library = home.path().join("to");
        let mut command = Command::new(env!("CARGO_BIN_EXE_unshell"));
        command.args(["library", "pull", &address, "--digest", digest, "--library", library.to_str().unwrap()]);
        command.env("UNSHELL_CACHE", home.path().join("cache")).output().unwrap()
    };
    let refused = pull(&"0".repeat(64));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("its digest is") && said.contains("hint: "), "{said}");
    let taken = pull(&header.digest);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));
    assert!(contents(&from) == contents(&home.path().join("to")));
}

fn rows_of(model: &Tiny) -> Fingerprint {
    let finite = Finite::new(&model.numbers);
    let net = Net::new(&model.blueprint, &finite);
    let rows = Rows { bytes: 60_000, width: 2, tokens: 64, salt: "a salt".into() };
    Fingerprint::take_rows(&net, &model.blueprint, None, About::named("null", "null", None, None), &rows).unwrap()
}

#[test]
fn a_thousand_pairs_against_kept_rows_hold_the_null() {
    let answers = a_thousand_pairs(rows_of, |net, it, plan| relate_rows(net, it, Some(&rows(it)), plan, &()).unwrap());
    let accused = |it: &&unshell::fact::Weights| {
        !matches!(it.relation, WeightsRelation::Independent | WeightsRelation::Undetermined)
    };
    assert_eq!(answers.iter().filter(accused).count(), 0);
    assert!(answers.iter().all(|it| it.power.is_none()), "silence on some rows has no power");
    for component in ["feed-forward", "feed-forward, in place"] {
        let p = p_values(&answers, "random-sign", component);
        assert!(p.len() > 1_000, "{component}: {}", p.len());
        assert!(excess(p.clone()) <= 1.52 / (p.len() as f64).sqrt(), "{component}: {}", excess(p));
    }
}

/// What the files say a fingerprint of rows says too, or it leaves it open; it never says more.
#[test]
fn kept_rows_accuse_nobody_whom_the_files_would_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base_a.fingerprint");
    std::fs::write(&file, fingerprint_of_rows(&member("base_a"), "a salt", None).unwrap().0.to_bytes()).unwrap();
    let kept = open(file.to_str().unwrap(), &Reach::local());
    let relation = |name: &str| {
        compare_with_weights(&member(name), &kept, Catalog::builtin(), &Look::default()).unwrap().weights.relation
    };
    for name in ["ft_code", "ft_legal", "cast_f16", "noise_10", "obf_perm"] {
        assert_eq!(relation(name), WeightsRelation::Derived, "{name}");
    }
    for name in ["base_b", "base_c", "base_other_data"] {
        assert!(
            matches!(relation(name), WeightsRelation::Independent | WeightsRelation::Undetermined),
            "{name}: {:?}",
            relation(name)
        );
    }
    assert_ne!(relation("base_same_init"), WeightsRelation::Derived);
}

/// Made at a closed company under witness: its weights never leave, and are compared with the files of known models.
#[test]
fn a_fingerprint_is_compared_as_a_subject() {
    let folder = tempfile::tempdir().unwrap();
    for (name, is_rows) in [("first", false), ("rows", true)] {
        let taken = |model: &Model| match is_rows {
            true => fingerprint_of_rows(model, "a salt", None).unwrap().0,
            false => fingerprint(model).unwrap().0,
        };
        let file = folder.path().join(format!("{name}.fingerprint"));
        std::fs::write(&file, taken(&member("ft_code")).to_bytes()).unwrap();
        let subject = open(file.to_str().unwrap(), &Reach::local());
        let compared = |reference: &str| {
            let reference = member(reference);
            compare_with_weights(&subject, &reference, Catalog::builtin(), &Look::default()).unwrap()
        };
        let found = compared("base_a");
        assert_eq!(found.weights.relation, WeightsRelation::Derived, "{name}");
        assert!(found.weights.recipe.is_empty() && found.weights.power.is_none());
        assert!(found.unexamined.iter().any(|it| it.detail.contains("how it came from the reference is not told")));
        let other = compared("base_b").weights.relation;
        assert!(matches!(other, WeightsRelation::Independent | WeightsRelation::Undetermined), "{name}: {other:?}");
    }
}

/// A case of one small model, with the references given and a library.
fn evidence(subject: &str, references: &[&str], library: &[&str]) -> Evidence {
    let mut case = Case::read(Path::new("examples/yi-34b")).unwrap();
    let place = |name: &str| std::env::current_dir().unwrap().join(FAMILY).join(name).to_str().unwrap().to_owned();
    case.subjects[0].location = Some(place(subject));
    case.subjects[0].declared_parents.clear();
    case.references = references
        .iter()
        .map(|it| Reference { location: place(it), name: None, published: None, authors: Vec::new(), own: false })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    for name in library {
        let kept = fingerprint_of_rows(&member(name), "a salt", None).unwrap().0;
        std::fs::write(folder.path().join(format!("{name}.fingerprint")), kept.to_bytes()).unwrap();
    }
    let (kept, unusable) = lineage::library(folder.path()).unwrap();
    assert!(unusable.is_empty());
    collect(&case, Catalog::builtin(), &Reach::local(), &kept).unwrap()
}

#[test]
fn a_match_in_the_library_convicts_and_a_miss_clears_nobody() {
    let found = evidence("ft_code", &["base_b"], &["base_a", "base_c"]);
    let relation = found.models[0].relations.iter().find(|it| it.reference == "base_a").expect("it is a relation");
    assert!(relation.fingerprint && relation.bearing == Bearing::Derived, "{relation:?}");
    assert!(!found.models[0].relations.iter().any(|it| it.reference == "base_c"), "a miss is none");
    let fingerprints = &found.subjects[0].identification.fingerprints;
    assert_eq!(fingerprints.len(), 2);
    let missed = evidence("base_c", &[], &["base_a", "base_b"]);
    let whose = &missed.models[0].whose;
    assert!(!whose.closed && whose.examined == 0 && whose.levels == [0, 1, 2, 3, 4], "{whose:?}");
    // The files themselves clear it.
    let cleared = evidence("base_c", &["base_b"], &["base_a"]);
    assert!(cleared.models[0].whose.closed && cleared.models[0].whose.levels == [3], "{:?}", cleared.models[0].whose);
}

/// Renamed, copied from another, which is made from a third: each link is the hub's word, a circle ends, and what was
/// asked once is known without a network.
#[test]
fn names_are_followed_as_far_as_the_hub_tells() {
    let about = |id: &str, tags: &[&str]| serde_json::json!({ "id": id, "tags": tags }).to_string();
    let server = Server::start(Duration::ZERO, move |seen, _| {
        let body = match seen.path.as_str() {
            "/api/models/old/name/revision/main" => {
                serde_json::json!({ "sha": COMMIT, "siblings": [{ "rfilename": "config.json" }] }).to_string()
            }
            "/api/models/old/name" => about("new/name", &["base_model:finetune:mid/model", "license:mit"]),
            "/api/models/new/name" => about("new/name", &["base_model:../../x"]),
            "/api/models/mid/model" => {
                about("mid/model", &["base_model:meta-llama/Llama-2-7b-hf", "base_model:old/name"])
            }
            "/api/models/mid/model/commits/main" => {
                serde_json::json!([{ "title": "Update README" }, { "title": "Duplicate from orig/repo" }]).to_string()
            }
            "/api/models/orig/repo" => "[\"no object\"]".to_owned(),
            _ => return Reply::of(404, "").with("X-Error-Code", "RepoNotFound"),
        };
        Reply::of(200, body)
    });
    let home = tempfile::tempdir().unwrap();
    let settings = |offline: bool| Settings {
        offline,
        hugging_face: server.address.clone(),
        cache: Some(home.path().to_owned()),
        ..Settings::default()
    };
    let names = |offline: bool| {
        let reach = Reach::new(settings(offline)).unwrap();
        let location = unshell::bytes::Location::parse("hf:old/name").unwrap();
        let place = reach.find(location, Path::new("")).unwrap().unwrap().place;
        let origins = place.origins().unwrap();
        origins.into_iter().map(|it| format!("{} {} of {}", it.name, it.how, it.said_of)).collect::<Vec<_>>()
    };
    let expected = [
        "new/name renamed of old/name",
        "mid/model base model of old/name",
        "meta-llama/Llama-2-7b-hf base model of mid/model",
        "old/name base model of mid/model",
        "orig/repo duplicated of mid/model",
    ];
    assert_eq!(names(false), expected);
    let before = server.seen().len();
    assert_eq!(names(true), expected);
    assert_eq!(server.seen().len(), before, "a network was asked");
}
