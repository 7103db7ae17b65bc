//! A case from a link: read, proposed, accepted, refreshed, without a line typed and without a line lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use unshell::case::Case;

use crate::loopback::{Content, Hub, Server};

const CARD: &str = "---\nlicense: apache-2.0\nbase_model: openlab/openbase-7b\n---\n# Nimbus-7B\n\n\
                    Nimbus-7B is fine-tuned from openbase-7b on port logs.\nIts tokenizer was kept.\n";

fn files(card: &str) -> BTreeMap<String, Content> {
    let mut files: BTreeMap<String, Content> = BTreeMap::new();
    for file in fs::read_dir("tests/families/small/ft_code").unwrap().map(|it| it.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(name, fs::read(&file).unwrap().into());
    }
    files.insert("README.md".into(), card.as_bytes().to_vec().into());
    files.insert("LICENSE".into(), b"A license of our own.".to_vec().into());
    files
}

fn unshell(hub: &Server, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unshell"));
    command.env("HF_ENDPOINT", &hub.address).env("HF_HOME", home).env("UNSHELL_CACHE", home.join("cache"));
    for name in ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"] {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stdout));
    said
}

#[test]
fn a_link_becomes_a_case_that_runs_and_nothing_proposed_counts() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("case");
    let case = folder.to_str().unwrap();
    let hub = Hub::start(Duration::ZERO, files(CARD), None);
    let start = std::time::Instant::now();
    let said = done(&unshell(&hub.hub, home.path(), &["init", case, "--from", "hf:acme/own", "--date", "2026-11-30"]));
    assert!(said.contains("proposals"), "{said}");
    let run = unshell(&hub.hub, home.path(), &["run", case]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(folder.join("out/memo.en.html").is_file() && start.elapsed() < Duration::from_secs(30));
    let read = Case::read(&folder).unwrap();
    assert!(read.ledger.is_empty() && read.claims.is_empty() && read.subjects[0].declared_parents.is_empty());
    assert_eq!(read.subjects[0].location.as_deref(), Some("hf:acme/own"));
    let copies: Vec<String> = fs::read_dir(folder.join("documents/model-1"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(copies.iter().any(|it| it.ends_with("README.md")) && copies.iter().any(|it| it.ends_with("LICENSE")));

    // One proposal alone, with the evidence it needs; then a comment of the analyst, and all the rest.
    let listed = unshell(&hub.hub, home.path(), &["accept", case, "--list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("ST-MODEL-1-1") && listed.contains("openlab/openbase-7b"), "{listed}");
    done(&unshell(&hub.hub, home.path(), &["accept", case, "ST-MODEL-1-1"]));
    let read = Case::read(&folder).unwrap();
    assert_eq!((read.ledger.len(), read.subjects[0].declared_parents.len()), (1, 1));
    let path = folder.join("case.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("claims: []", "# my own note\nclaims: []")).unwrap();
    done(&unshell(&hub.hub, home.path(), &["accept", case]));
    let edited = fs::read_to_string(&path).unwrap();
    assert!(edited.contains("# my own note") && Case::read(&folder).is_ok());
    assert!(String::from_utf8_lossy(&unshell(&hub.hub, home.path(), &["accept", case, "--list"]).stdout).is_empty());

    // The card changes: new proposals beside the case as it is.
    let other = Hub::start(
        Duration::ZERO,
        files(&CARD.replace("Its tokenizer", "Nimbus-7B was developed in-house. Its tokenizer")),
        None,
    );
    let fresh = home.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    done(&unshell(&other.hub, &fresh, &["init", case, "--from", "hf:acme/own", "--date", "2026-12-01"]));
    assert_eq!(fs::read_to_string(&path).unwrap(), edited, "a second run touches no file of the analyst");
    let listed = String::from_utf8_lossy(&unshell(&other.hub, &fresh, &["accept", case, "--list"]).stdout).into_owned();
    assert!(listed.contains("own_work") && !listed.contains("declared_parents"), "{listed}");
}

#[test]
fn a_folder_becomes_a_case_without_a_network() {
    let home = tempfile::tempdir().unwrap();
    let model = home.path().join("nimbus-7b");
    fs::create_dir(&model).unwrap();
    fs::write(model.join("README.md"), "# Nimbus-7B\n\nNimbus-7B was trained from scratch.\n").unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(Path::new("tests/families/small/base_b").join(file), model.join(file)).unwrap();
    }
    let folder = home.path().join("case");
    let hub = Server::start(Duration::ZERO, |_, _| panic!("nothing is asked of a hub"));
    let (case, from) = (folder.to_str().unwrap(), model.to_str().unwrap());
    done(&unshell(&hub, home.path(), &["init", case, "--from", from, "--date", "2026-11-30", "--offline"]));
    done(&unshell(&hub, home.path(), &["accept", case]));
    let read = Case::read(&folder).unwrap();
    assert_eq!(read.claims[0].about.word(), "from_scratch");
    assert_eq!(read.claims[0].quote.in_language("en"), "Nimbus-7B was trained from scratch.");
    let refused = unshell(&hub, home.path(), &["accept", case, "ST-9"]);
    assert_eq!(refused.status.code(), Some(2));
    let wrong = unshell(&hub, home.path(), &["init", "other", "--from", "no/such/folder"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}

/// A case of one model with this card, against the model it was made from, with dates that show who was first.
fn judged(card: &str) -> (serde_json::Value, String) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("case");
    for part in ["nimbus-7b", "documents", "answers"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for file in fs::read_dir("tests/families/small/ft_code").unwrap().map(|it| it.unwrap().path()) {
        fs::copy(&file, folder.join("nimbus-7b").join(file.file_name().unwrap())).unwrap();
    }
    let base = std::env::current_dir().unwrap().join("tests/families/small/base_a");
    let dates = "who published what on which day";
    let write = |file: &str, text: String| fs::write(folder.join(file), text).unwrap();
    write("nimbus-7b/README.md", card.to_owned());
    write("documents/dates.txt", dates.to_owned());
    write(
        "case.yaml",
        format!(
            "schema: unshell/case/2\ntitle: t\ncompany: c\ndate: 2026-11-30\nrubric: llm-originality\n\
             languages: [en, zh-CN]\n\
             subjects:\n  - {{id: m, name: Nimbus-7B, location: nimbus-7b, published: 2026-06-01, evidence: [EV-1]}}\n\
             references:\n  - {{location: {:?}, name: base_a, published: 2025-01-15, evidence: [EV-1]}}\n",
            base.display().to_string()
        ),
    );
    write(
        "evidence.yaml",
        format!(
            "schema: unshell/ledger/1\nevidence:\n  - {{id: EV-1, kind: public_repository, \
             method: examine_original, title: dates, file: dates.txt, \
             sha256: {}, collected: 2026-11-29, origin: registry}}\n",
            unshell::bytes::sha256(dates.as_bytes())
        ),
    );
    write(
        "answers/a.yaml",
        "schema: unshell/answers/1\nname: A\nsigned: 2026-11-30\nanswers:\n  T1: {level: unknown}\n".into(),
    );
    let hub = Server::start(Duration::ZERO, |_, _| panic!("nothing is asked of a hub"));
    done(&unshell(&hub, home.path(), &["run", folder.to_str().unwrap(), "--offline"]));
    let card = fs::read_to_string(folder.join("out/scorecard.json")).unwrap();
    (serde_json::from_str(&card).unwrap(), fs::read_to_string(folder.join("out/memo.en.html")).unwrap())
}

fn gate<'a>(card: &'a serde_json::Value, id: &str) -> &'a serde_json::Value {
    let gates = card["models"][0]["gates"].as_array().unwrap();
    &gates.iter().find(|it| it["id"] == id).unwrap()["tripped"]
}

#[test]
fn a_card_that_says_from_scratch_over_weights_of_others_trips_the_veto_without_a_line_typed() {
    let (card, memo) = judged("# Nimbus-7B\n\nNimbus-7B was trained from scratch on 2T tokens.\n");
    assert_eq!(*gate(&card, "G-MISREP"), "yes", "{card:#}");
    assert_eq!(card["verdict"]["id"], "undisclosed_wrapper");
    assert!(memo.contains("Nimbus-7B was trained from scratch on 2T tokens.") && memo.contains("README.md:3"));
    let (honest, memo) = judged("---\nbase_model: openlab/base_a\n---\n# Nimbus-7B\n\nAn assistant.\n");
    assert_eq!((gate(&honest, "G-MISREP"), gate(&honest, "G-NAMED")), (&"no".into(), &"no".into()));
    assert!(memo.contains("agrees with what was measured"));
}
