//! Case folders: the examples read, broken ones give all their mistakes at once, and reading writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::evidence::collect;
use unshell::remote::Reach;
use unshell::rubric;
use unshell::scoring::{Scorecard, score};

fn judged(case: &Case) -> Scorecard {
    let evidence = collect(case, Catalog::builtin(), &Reach::local(), &[]).unwrap();
    let rubric = rubric::find(&case.rubric, &case.folder).unwrap();
    score(&rubric, case, &evidence)
}

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
    assert!(count >= 3, "the examples are gone");
}

/// Every folder of `tests/broken/` gives exactly the problems of its snapshot; a good one gives its grades.
#[test]
fn broken_folders_give_all_their_mistakes_at_once() {
    let mut names: Vec<String> =
        fs::read_dir("tests/broken").unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 24, "the broken folders are gone");
    for name in names {
        let folder = Path::new("tests/broken").join(&name);
        let before = files(&folder);
        let found = match Case::read(&folder) {
            Ok(case) => described(&case),
            // Windows writes the same paths with another separator.
            Err(problems) => problems.to_string().replace('\\', "/"),
        };
        assert_eq!(before, files(&folder), "reading `{name}` writes nothing");
        insta::with_settings!({snapshot_path => "../snapshots/broken", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(name, found);
        });
    }
}

fn described(case: &Case) -> String {
    let grades = case.ledger.values().map(|it| {
        let tampered = it.actual_sha256 != it.sha256;
        format!("{}: {:?} by {}; tampered: {tampered}\n", it.id, it.grade, it.graded_by.join(", "))
    });
    let inputs = case.inputs.iter().map(|it| format!("{}: {} bytes\n", it.path, it.bytes));
    grades.chain(inputs).collect()
}

#[test]
fn folders_without_a_case_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let tell = |path: &Path| {
        let problems = Case::read(path).unwrap_err().to_string();
        problems.replace(&folder.path().display().to_string(), "FOLDER").replace('\\', "/")
    };
    assert_eq!(
        tell(&folder.path().join("nowhere")),
        "FOLDER/nowhere: there is no such case folder\nhint: `unshell init FOLDER/nowhere` starts one"
    );
    assert_eq!(
        tell(folder.path()),
        "FOLDER/answers: nobody has answered: there is no `answers/<analyst>.yaml`\n\
         hint: `unshell init` writes one with every criterion as `unknown`, to fill in\n\
         FOLDER/case.yaml: there is no `case.yaml`\n\
         hint: `unshell init` starts a case folder with this file; is `FOLDER` the right folder?\n\
         FOLDER/evidence.yaml: there is no `evidence.yaml`\n\
         hint: a ledger without entries is `schema: unshell/ledger/1` and `evidence: []`"
    );
    assert!(files(folder.path()).is_empty(), "reading writes nothing");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(tell(&file).starts_with("FOLDER/file: this is a file, expected a case folder"));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        Path::new("examples/yi-34b/case.yaml").canonicalize().unwrap(),
        folder.path().join("case.yaml"),
    )
    .unwrap();
    let problems = Case::read(folder.path()).unwrap_err().to_string();
    assert!(problems.contains("`case.yaml` is a link that leads out of the case folder"), "{problems}");
}

#[test]
fn a_model_that_is_not_there_is_a_mistake_only_where_models_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files(Path::new("examples/yi-34b")) {
        let path = folder.path().join(path.strip_prefix("examples/yi-34b").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let case = fs::read_to_string(folder.path().join("case.yaml")).unwrap();
    fs::write(folder.path().join("case.yaml"), case.replace("catalog:01-ai/Yi-34B@2023-11", "models/yi")).unwrap();
    assert!(Case::read(folder.path()).is_ok());
    let problems = Case::read_with_models(folder.path()).unwrap_err().to_string();
    assert!(problems.contains("`subjects[yi-34b].location`: there is no model at `models/yi`"), "{problems}");
}

/// The program, run as a user runs it: exit code, and what it says on stderr.
fn unshell(arguments: &[&str]) -> (Option<i32>, String) {
    unshell_in(Path::new("."), arguments)
}

/// The same in a folder.
fn unshell_in(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let program =
        std::process::Command::new(env!("CARGO_BIN_EXE_unshell")).current_dir(folder).args(arguments).output();
    let output = program.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_case_that_was_started_is_valid_as_it_stands_and_never_overwritten() {
    for language in ["en", "zh-CN"] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("acme");
        let path = folder.to_str().unwrap();
        let (code, said) = unshell(&["init", path, "--language", language, "--date", "2025-01-15"]);
        assert_eq!(code, Some(0), "{said}");
        let case = Case::read_with_models(&folder).unwrap_or_else(|problems| panic!("\n{problems}"));
        assert_eq!(case.answers["analyst"].answers.len(), 19);
        // Nothing is known yet, and nothing is said against anybody.
        let scorecard = judged(&case);
        assert_eq!((scorecard.verdict.id.as_str(), scorecard.stamp.as_str()), ("undetermined", "draft"));
        assert_eq!(scorecard.verdict.deciding.as_deref(), Some("G-COVER"));
        assert_eq!(case.date.to_string(), "2025-01-15");
        // A committee reads the memo in either language.
        for text in [&case.title, &case.subjects[0].name, &case.answers["analyst"].name] {
            let [english, chinese] = ["en", "zh-CN"].map(|it| text.get(it).expect("it is said in both languages"));
            assert!(english.is_ascii() && !chinese.is_ascii() && !english.contains("acme"), "{text:?}");
        }
        let before = files(&folder);
        for arguments in [vec!["init", path], vec!["init", path, "--language", "fr"]] {
            assert_eq!(unshell(&arguments).0, Some(2));
        }
        assert_eq!(before, files(&folder));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[test]
fn a_case_that_would_not_be_valid_is_not_started() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("acme");
    let (code, said) = unshell(&["init", folder.to_str().unwrap(), "--model", "catalog:nobody/nothing"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("the catalogue has no `nobody/nothing`") && said.contains("acme/case.yaml"), "{said}");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn a_path_is_taken_from_where_it_was_typed() {
    let here = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        let target = here.path().join("models/x").join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(Path::new("tests/families/small/base_a").join(file), target).unwrap();
    }
    let house = fs::read_to_string("rubrics/llm-originality.yaml").unwrap();
    fs::write(here.path().join("house.yaml"), house.replace("\nid: llm-originality\n", "\nid: house\n")).unwrap();
    let arguments = ["init", "cases/acme", "--model", "models/x", "--rubric", "house.yaml", "--date", "2025-01-15"];
    let (code, said) = unshell_in(here.path(), &arguments);
    assert_eq!(code, Some(0), "{said}");
    let folder = here.path().join("cases/acme");
    let text = fs::read_to_string(folder.join("case.yaml")).unwrap();
    assert!(text.contains("location: \"../../models/x\"") && text.contains("rubric: \"./house.yaml\""), "{text}");
    let case = Case::read_with_models(&folder).unwrap_or_else(|problems| panic!("\n{problems}"));
    assert_eq!(judged(&case).rubric.id, "house");

    let (code, said) = unshell_in(here.path(), &["init", "cases/other", "--model", "models/y"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("`--model models/y`") && said.contains("taken from the current folder"), "{said}");
    assert!(!here.path().join("cases/other").exists());
}
