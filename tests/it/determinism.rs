//! The same case gives the same bytes, twice in a row and with one thread or two.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn two_runs_and_one_or_two_threads_write_the_same_bytes() {
    let first = run("1");
    assert_eq!(first.len(), if cfg!(feature = "pdf") { 6 } else { 4 }, "{:?}", first.keys());
    for threads in ["1", "2"] {
        for (name, bytes) in run(threads) {
            assert!(first[&name] == bytes, "`{name}` differs with {threads} threads");
        }
    }
}

/// The files that `run` leaves in `out/` of a fresh copy of the Yi-34B case.
fn run(threads: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("yi-34b");
    copy(Path::new("examples/yi-34b"), &case);
    let done = Command::new(env!("CARGO_BIN_EXE_unshell"))
        .args(["run", "--no-system-fonts"])
        .arg(&case)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let files = fs::read_dir(case.join("out")).unwrap().map(|it| it.unwrap());
    files.map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|it| it.unwrap()) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "out" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
