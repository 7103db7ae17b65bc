//! What every source file keeps: the width that `.rustfmt.toml` asks for, and variables that CONTRIBUTING.md explains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Characters of a line, as in `.rustfmt.toml`, which does not look into comments and text.
const WIDTH: usize = 120;

#[test]
fn comments_and_code_are_within_the_width() {
    assert!(fs::read_to_string(".rustfmt.toml").unwrap().contains(&format!("max_width = {WIDTH}\n")));
    let mut wrong = Vec::new();
    for path in
        files(&["src", "tests", "benches", "fuzz"]).into_iter().filter(|it| it.extension() == Some("rs".as_ref()))
    {
        for (number, _) in fs::read_to_string(&path).unwrap().lines().enumerate().filter(|it| is_too_wide(it.1)) {
            wrong.push(format!("{}:{}", path.display(), number + 1));
        }
    }
    assert!(wrong.is_empty(), "more than {WIDTH} characters in a line:\n{}", wrong.join("\n"));
}

/// A text that is alone in its line may stay in one piece, so that it can be searched for.
fn is_too_wide(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches("#[error(").trim_start_matches(['b', 'r', '#']);
    let is_text =
        text.starts_with('"') && text.trim_end_matches([']', ')', '}', ',', ';', '.', '?', '#']).ends_with('"');
    line.chars().count() > WIDTH && !(is_text && text.matches("\", ").count() == 0)
}

#[test]
fn a_line_is_measured_in_characters_and_only_a_lone_text_may_be_wider() {
    let long = "字".repeat(WIDTH);
    assert!(!is_too_wide(&long));
    assert!(is_too_wide(&format!("// {long}")));
    assert!(is_too_wide(&format!("let text = \"{long}\";")));
    assert!(is_too_wide(&format!("#[error(\"{long}\", name(text))]")));
    assert!(!is_too_wide(&format!("    #[error(\"{long}\")]")));
    assert!(!is_too_wide(&format!("    \"{long}\",")));
}

/// Whoever runs the tests finds each switch in one place.
#[test]
fn every_variable_of_the_tests_is_explained_to_contributors() {
    let mut used = BTreeSet::new();
    for path in files(&["tests", "fuzz", ".ci", "benches"]) {
        used.extend(fs::read_to_string(&path).map_or_else(|_| BTreeSet::new(), |text| variables(&text)));
    }
    let explained = variables(&fs::read_to_string("CONTRIBUTING.md").unwrap());
    assert!(used.len() > 5, "{used:?}");
    assert_eq!(used, explained, "what is used in tests, fuzz and .ci, and what CONTRIBUTING.md explains");
}

/// Names that begin as ours do.
fn variables(text: &str) -> BTreeSet<String> {
    let is_part = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
    let words = text.split(|it: char| !is_part(it));
    words.filter(|it| it.len() > PREFIX.len() && it.starts_with(PREFIX)).map(str::to_owned).collect()
}

const PREFIX: &str = concat!("UNSHELL", "_");

/// Every file below these folders, but for what builds and fuzzing leave there.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = left.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
            let is_made = ["target", "corpus", "artifacts", "coverage"]
                .iter()
                .any(|it| path.ends_with(Path::new("fuzz").join(it)));
            match path.is_dir() {
                true if !is_made => left.push(path),
                false => found.push(path),
                true => {}
            }
        }
    }
    found
}
