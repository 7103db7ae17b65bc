//! The JSON Schemas that editors use are fresh and describe every key. `tests/schemas` validates files with them.

use std::fs;
use std::process::Command;

use serde_json::Value;

fn unshell(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unshell")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
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
