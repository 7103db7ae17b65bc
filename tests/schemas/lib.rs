//! Our files against our JSON Schemas, by somebody else's validator: wide enough for every good file, narrow enough for
//! the usual mistakes. Whether `schemas/` is fresh is asked by `tests/it/schemas.rs`.
//!
//! `cargo build && cargo test -p unshell-schemas`: it needs the program, and says so where there is none.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A path in the source tree.
fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The program that was built into the same target folder.
fn unshell(arguments: &[&str]) {
    let this = std::env::current_exe().unwrap();
    let program =
        this.parent().and_then(Path::parent).unwrap().join("unshell").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not there: run `cargo build` first", program.display());
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(at(&format!("schemas/{name}.schema.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file a person writes, with the schema it is written against.
fn written_files() -> Vec<(PathBuf, &'static str)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(at("rubrics")).unwrap().map(|it| it.unwrap().path()) {
        if entry.extension().is_some_and(|it| it == "yaml") {
            files.push((entry, "rubric"));
        }
    }
    for folder in fs::read_dir(at("examples")).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_dir()) {
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
        let expected = at(&format!("schemas/{name}.schema.json"));
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
    let text = fs::read_to_string(at(path)).unwrap();
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
