//! Case folders: the examples read, broken ones give all their mistakes at once, and reading writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use unshell::case::Case;

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(self::files(&entry.path()));
        } else {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

#[test]
fn every_example_reads() {
    let mut count = 0;
    for entry in fs::read_dir("examples").unwrap().map(Result::unwrap).filter(|it| it.path().is_dir()) {
        let before = files(&entry.path());
        let case = Case::read(&entry.path()).unwrap_or_else(|problems| panic!("\n{problems}"));
        assert_eq!(case.id, entry.file_name().to_string_lossy());
        assert!(case.inputs.iter().any(|it| it.path == "evidence.yaml" && it.sha256.len() == 64));
        assert!(case.inputs.is_sorted());
        assert_eq!(before, files(&entry.path()), "reading writes nothing");
        count += 1;
    }
    assert!(count >= 2, "the examples are gone");
}
