//! The JSON Schemas that editors use: fresh, wide enough for every good file, narrow enough for the usual mistakes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn unshell(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unshell")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(format!("schemas/{name}.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_files_are_what_the_program_prints() {
    let listed: Vec<Value> = serde_json::from_str(&unshell(&["schema", "--json"])).unwrap();
    let files = fs::read_dir("schemas").unwrap().count();
    assert_eq!(files, listed.len(), "`schemas/` has a file too many or too few");
    for name in listed.iter().map(|it| it["name"].as_str().unwrap()) {
        let file = fs::read_to_string(format!("schemas/{name}.schema.json")).unwrap();
        let is_fresh = file.replace('\r', "") == unshell(&["schema", name]);
        assert!(is_fresh, "schemas/{name}.schema.json is stale: run `cargo run -- schema --write schemas`");
    }
}

/// Every file a person writes, with the schema it is written against.
fn written_files() -> Vec<(PathBuf, &'static str)> {
    let mut files = Vec::new();
    for entry in fs::read_dir("rubrics").unwrap().map(|it| it.unwrap().path()) {
        if entry.extension().is_some_and(|it| it == "yaml") {
            files.push((entry, "rubric"));
        }
    }
    for folder in fs::read_dir("examples").unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_dir()) {
        files.push((folder.join("case.yaml"), "case"));
        files.push((folder.join("evidence.yaml"), "ledger"));
        files.extend(fs::read_dir(folder.join("answers")).unwrap().map(|it| (it.unwrap().path(), "answers")));
    }
    files
}

#[test]
fn good_files_pass_and_name_their_schema() {
    let files = written_files();
    assert!(files.len() >= 9, "the files are gone");
    for (path, name) in files {
        let value = yaml(&path);
        let errors: Vec<String> =
            schema(name).iter_errors(&value).map(|it| format!("{}: {it}", it.instance_path)).collect();
        assert!(errors.is_empty(), "{}:\n{}", path.display(), errors.join("\n"));
        let text = fs::read_to_string(&path).unwrap();
        let head = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=");
        let named = path.parent().unwrap().join(head.unwrap_or_else(|| panic!("{} names no schema", path.display())));
        let expected = Path::new("schemas").join(format!("{name}.schema.json"));
        assert_eq!(named.canonicalize().ok(), expected.canonicalize().ok(), "{} names another schema", path.display());
    }
}

#[test]
fn a_started_case_passes_the_schemas_beside_it() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("acme");
    unshell(&["init", folder.to_str().unwrap(), "--date", "2025-01-15"]);
    for file in ["case.yaml", "evidence.yaml", "answers/analyst.yaml"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let named = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
        let path = folder.join(file).parent().unwrap().join(named);
        let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(jsonschema::is_valid(&schema, &yaml(&folder.join(file))), "{file}");
    }
}

/// Changes a good file in one place; its schema has to notice.
#[track_caller]
fn check_refused(path: &str, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{path} has no `{from}`");
    let value: Value = serde_yaml::from_str(&text.replacen(from, to, 1)).unwrap();
    assert!(!schema(name).is_valid(&value), "`{to}` in {path} is taken for good");
}

#[test]
fn usual_mistakes_are_refused() {
    let answers = "examples/yi-34b/answers/reader-a.yaml";
    check_refused(answers, "answers", "level: 1", "level: 5");
    check_refused(answers, "answers", "level: 1", "level: three");
    check_refused(answers, "answers", "level: 1", "levle: 1");
    check_refused(answers, "answers", "schema: unshell/answers/1", "schema: unshell/case/1");
    let case = "examples/yi-34b/case.yaml";
    check_refused(case, "case", "about: parameters", "about: size");
    check_refused(case, "case", "rubric:", "rubrik:");
    let ledger = "examples/yi-34b/evidence.yaml";
    check_refused(ledger, "ledger", "against_interest: true", "against_interest: perhaps");
    check_refused(ledger, "ledger", "origin:", "orign:");
    check_refused(
        "rubrics/llm-originality.yaml",
        "rubric",
        "effect: {veto: undisclosed_wrapper}",
        "effect: {vetoes: x}",
    );
    check_refused("rubrics/llm-originality.yaml", "rubric", "grade: A", "grade: F");
}

/// An editor shows these texts while somebody types.
#[test]
fn every_key_that_a_person_writes_is_described() {
    for name in ["rubric", "case", "answers", "ledger"] {
        let schema: Value = serde_json::from_str(&unshell(&["schema", name])).unwrap();
        let definitions = schema["$defs"].as_object().unwrap();
        for object in definitions.values().chain([&schema]) {
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                let is_variant =
                    object["required"].as_array().is_some_and(|it| it.len() == 1) && object["description"].is_string();
                assert!(
                    property["description"].is_string() || is_variant,
                    "`{key}` in the schema `{name}` has no description"
                );
            }
        }
    }
}
