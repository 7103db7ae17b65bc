//! What each step leaves behind, for every example: the evidence and the scorecard, kept as snapshots.
//!
//! A failing snapshot says which half changed. Read the diff, then `INSTA_UPDATE=always cargo test stages`.

use std::path::{Path, PathBuf};

use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::{evidence, rubric, scoring};

#[test]
fn every_example_leaves_the_same_evidence_and_scorecard() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/stages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| examples().iter().for_each(|it| check(it)));
}

fn check(folder: &Path) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let case = Case::read_with_models(folder).unwrap_or_else(|problems| panic!("\n{problems}"));
    let found = evidence::collect(&case, Catalog::builtin(), &unshell::remote::Reach::local(), &[]).unwrap();
    let written = evidence::store::render(&found);
    insta::assert_snapshot!(format!("{name}.evidence"), text(&written));

    // Scored from the file, as `score` does: what was written is what was found.
    let read = evidence::store::parse(&written, Path::new("evidence.json")).unwrap();
    assert_eq!(read, found, "{name}: evidence.json does not come back as it was");
    let rubric = rubric::find(&case.rubric, folder).unwrap();
    let card = scoring::score(&rubric, &case, &read);
    let written = scoring::store::render(&card);
    insta::assert_snapshot!(format!("{name}.scorecard"), text(&written));
    assert_eq!(scoring::store::parse(&written, "scorecard.json").unwrap(), card, "{name}: scorecard.json");
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn examples() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("examples").unwrap().map(|it| it.unwrap().path()).collect();
    // Numbers read from weights have tests of their own (`weights`, `examples`).
    folders.retain(|it| it.join("case.yaml").is_file() && !it.join("models").is_dir());
    folders.sort();
    assert!(folders.len() >= 2, "the examples are gone");
    folders
}
