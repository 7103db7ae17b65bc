//! Evidence of the example cases: what is stated, and what is refused when it is read back.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::{Case, Subject};
use crate::catalog::Catalog;
use crate::evidence::{Error, Evidence, collect, store};
use crate::fact::{Unknown, Value};
use crate::remote::Reach;
use crate::rubric::{FactValues, GATE_FACTS};

fn example(name: &str) -> Case {
    Case::read(&Path::new("examples").join(name)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn evidence(case: &Case) -> Evidence {
    collect(case, Catalog::builtin(), &Reach::local()).unwrap()
}

fn written(case: &Case) -> (tempfile::TempDir, Case, Evidence) {
    let folder = tempfile::tempdir().unwrap();
    let case = Case { folder: folder.path().to_owned(), ..case.clone() };
    let evidence = evidence(&case);
    store::write(folder.path(), &evidence).unwrap();
    (folder, case, evidence)
}

#[test]
fn yi_is_llama_up_to_renaming_and_nothing_is_said_of_its_weights() {
    let case = example("yi-34b");
    let evidence = evidence(&case);
    let value = |key: &str| evidence.facts[key].value.clone();
    assert_eq!(value("form.closest"), Value::Word("same up to renaming".to_owned()));
    assert_eq!(value("weights.relation"), Value::Unknown(Unknown::Unexamined));
    assert_eq!(value("claims.worst"), Value::Word("normal".to_owned()));
    assert_eq!(value("claim.from_scratch"), Value::Yes(true));
    assert_eq!(value("claim.parameters"), Value::Number(3.4e10));
    assert_eq!(value("claim.gpu_hours"), Value::Unknown(Unknown::NotAsked));
    assert_eq!(value("ledger.tampered"), Value::Yes(false));
    assert!(evidence.unexamined.iter().any(|it| it.what == "weights" && it.why == "catalogue-entry"));
    for comparison in &evidence.subjects[0].comparisons {
        let renames: Vec<_> =
            comparison.form.renames.iter().map(|it| (it.subject.as_str(), it.reference.as_str())).collect();
        assert_eq!(renames.len(), 2, "{renames:?}");
        assert!(renames.iter().any(|it| it.0.contains("ln1") && it.1.contains("input_layernorm")));
        assert!(renames.iter().any(|it| it.0.contains("ln2") && it.1.contains("post_attention_layernorm")));
    }
}

#[test]
fn every_fact_that_a_gate_may_name_is_stated_with_a_value_of_its_list() {
    for name in ["yi-34b", "yi-34b-day-one"] {
        let evidence = evidence(&example(name));
        for fact in GATE_FACTS {
            let stated = &evidence.facts[fact.key].value;
            let fits = match (stated, fact.values) {
                (Value::Unknown(_), _) | (Value::Yes(_), FactValues::YesOrNo) => true,
                (Value::Word(word), FactValues::Words(words)) => words.contains(&word.as_str()),
                (Value::Word(_), FactValues::AnyWord) => true,
                _ => false,
            };
            assert!(fits, "`{}` is {stated:?}", fact.key);
        }
    }
}

/// A case that holds one small model against others.
fn case_of_family(subject: &str, references: &[&str]) -> Case {
    let mut case = example("yi-34b");
    case.subjects[0].location = place(subject);
    case.references = references.iter().map(|it| place(it)).collect();
    case
}

fn place(name: &str) -> String {
    let path = std::env::current_dir().unwrap().join("tests/families/small").join(name);
    path.to_str().unwrap().to_owned()
}

fn of_family(subject: &str, references: &[&str]) -> Evidence {
    evidence(&case_of_family(subject, references))
}

/// Every further reference is another chance of a false accusation.
#[test]
fn p_values_pay_for_the_references_of_a_case() {
    let log10_p = |references: &[&str]| {
        let comparison = of_family("ft_code", references).subjects.remove(0).comparisons.remove(0);
        comparison.weights.log10_p.unwrap()
    };
    let (one, two) = (log10_p(&["base_a"]), log10_p(&["base_a", "base_b"]));
    assert!(one < -20.0 && (two - one - 2.0_f64.log10()).abs() < 1e-3, "{one} {two}");
}

/// The relation by weights of one small model to another, as a case finds it.
#[track_caller]
fn check_weights(subject: &str, reference: &str, expected: &Value) {
    let evidence = of_family(subject, &[reference]);
    assert_eq!(&evidence.facts["weights.relation"].value, expected, "{subject} against {reference}");
    assert!(!String::from_utf8(store::render(&evidence)).unwrap().contains("\"seconds\""));
}

#[test]
fn references_with_files_are_compared_by_weights() {
    check_weights("renamed", "base_a", &Value::Word("derived".to_owned()));
    check_weights("base_b", "base_a", &Value::Word("independent".to_owned()));
    // What the case puts forward as its own is nobody else's.
    check_weights("base_a", "base_a", &Value::Unknown(Unknown::Unexamined));
}

/// The parts of a merge come out of a case as they come out of `compare`, at the cost of reading them.
#[test]
fn a_subject_is_taken_apart_into_its_references() {
    let subject = of_family("merge_linear", &["ft_code", "ft_legal"]).subjects.remove(0);
    let merge = subject.merge.unwrap();
    assert_eq!((merge.kind.as_str(), merge.certainty.as_str(), subject.no_merge), ("linear", "measured", None));
    for (found, (name, truth)) in merge.coefficients.iter().zip([("ft_code", 0.6), ("ft_legal", 0.4)]) {
        assert!(found.reference == place(name) && (found.value - truth).abs() < 0.01, "{merge:#?}");
    }
    let [read, alone] = [["ft_code", "ft_legal"], ["ft_code", "base_b"]]
        .map(|it| of_family("merge_linear", &it).subjects[0].comparisons[0].cost.bytes_read);
    assert!(read > alone, "{read} {alone}");
}

/// One parent is no merge, and references of another shape cannot be mixed: the second is told, the first is nothing to
/// tell.
#[test]
fn what_cannot_be_a_merge_is_none() {
    let alone = of_family("ft_code", &["base_a", "base_b"]).subjects.remove(0);
    assert_eq!((alone.merge, alone.no_merge), (None, None));
    let other = of_family("depth_up", &["base_a", "ft_code"]).subjects.remove(0);
    assert!(other.merge.is_none() && other.no_merge.unwrap().contains("not all of one shape"));
}

/// A company may mix models of its own: these are nobody else's.
#[test]
fn models_of_the_company_are_no_parts_of_a_merge() {
    let mut case = case_of_family("merge_linear", &["ft_code", "ft_legal", "merge_linear"]);
    case.subjects.push(Subject { id: "own".to_owned(), location: place("ft_code"), ..case.subjects[0].clone() });
    let [merged, own] = evidence(&case).subjects.try_into().unwrap();
    assert_eq!((merged.merge, merged.no_merge), (None, None), "one of two references is the company's own");
    assert_eq!((own.merge, own.no_merge), (None, None), "only `ft_legal` is somebody else's");
}

#[test]
fn an_altered_file_of_the_ledger_is_a_fact() {
    let mut case = example("yi-34b");
    let entry = case.ledger.values_mut().next().unwrap();
    entry.sha256 = Some("00".to_owned());
    entry.actual_sha256 = Some("01".to_owned());
    let id = entry.id.clone();
    let fact = evidence(&case).facts["ledger.tampered"].clone();
    assert_eq!((fact.value, fact.seen_in), (Value::Yes(true), vec![id]));
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    let case = example("yi-34b");
    let bytes = store::render(&evidence(&case));
    assert_eq!(bytes, store::render(&evidence(&case)));
    assert!(!String::from_utf8(bytes).unwrap().contains("\"seconds\""));
}

#[test]
fn evidence_survives_its_file() {
    let (folder, case, evidence) = written(&example("yi-34b"));
    assert!(store::read_current(&case).unwrap() == evidence, "numbers must come back as they were");
    let bytes = std::fs::read(folder.path().join(store::PATH)).unwrap();
    assert_eq!(crate::bytes::sha256(&bytes), store::as_input(&evidence).sha256);
    let left: Vec<_> = std::fs::read_dir(folder.path().join("out")).unwrap().collect();
    assert_eq!(left.len(), 1, "only the file itself is left behind");
}

#[test]
fn every_model_that_cannot_be_described_is_told() {
    let mut case = example("yi-34b");
    case.references = vec!["catalog:nobody/nothing".to_owned(), "no/such/folder".to_owned()];
    let error = collect(&case, Catalog::builtin(), &Reach::local()).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("nobody/nothing") && told.contains("no/such/folder"), "{told}");
}

#[track_caller]
fn check_refused(result: Result<Evidence, Error>, message: &str, hint: &str) {
    let error = result.unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
}

#[test]
fn evidence_of_other_files_or_another_program_is_refused() {
    let nowhere = tempfile::tempdir().unwrap();
    check_refused(store::read(nowhere.path()), "does not exist", "unshell collect");

    let (folder, mut case, _) = written(&example("yi-34b"));
    let path = folder.path().join(store::PATH);
    case.inputs[0].sha256 = "0".repeat(64);
    let changed = case.inputs[0].path.clone();
    check_refused(store::read_current(&case), &format!("out of date: `{changed}` changed"), "unshell collect");

    let whole = std::fs::read_to_string(&path).unwrap();
    for (replaced, by, message) in [
        ("unshell/evidence/1", "unshell/evidence/2", "has schema `unshell/evidence/2`"),
        ("unshell/evidence/1", "unshell/compare/1", "has schema `unshell/compare/1`"),
        ("\"checks\"", "\"chequers\"", "missing field `checks`"),
    ] {
        std::fs::write(&path, whole.replacen(replaced, by, 1)).unwrap();
        check_refused(store::read(folder.path()), message, "unshell collect");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    check_refused(store::read(folder.path()), "is no evidence of this program", "unshell collect");
    std::fs::write(&path, "[]").unwrap();
    check_refused(store::read(folder.path()), "no schema", "unshell collect");
}

#[test]
fn facts_are_sorted_and_say_what_they_were_seen_in() {
    let facts = evidence(&example("yi-34b")).facts;
    let claimed: BTreeMap<_, _> = facts.iter().filter(|(_, it)| matches!(it.value, Value::Number(_))).collect();
    assert!(claimed.values().all(|it| !it.seen_in.is_empty()), "{claimed:?}");
}
