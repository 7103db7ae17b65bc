//! Evidence of the example cases: what is stated, and what is refused when it is read back.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::{Case, Dated, DeclaredParent, Disclosed, Kind, Period, Reference, Upstream};
use crate::catalog::Catalog;
use crate::evidence::{Basis, Bearing, ConditionKind, Error, Evidence, NearBy, Whose, collect, store};
use crate::fact::{Unknown, Value};
use crate::remote::Reach;
use crate::rubric::{FactValues, GATE_FACTS, Grade};

fn example(name: &str) -> Case {
    Case::read(&Path::new("examples").join(name)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn evidence(case: &Case) -> Evidence {
    collect(case, Catalog::builtin(), &Reach::local(), &[]).unwrap()
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
    let model = &evidence.models[0];
    let value = |key: &str| model.facts[key].value.clone();
    assert_eq!(value("form.closest"), Value::Word("same up to renaming".to_owned()));
    assert_eq!(value("weights.relation"), Value::Unknown(Unknown::Unexamined));
    assert!(!model.whose.closed && model.whose.examined == 0 && model.whose.levels == [0, 1, 2, 3, 4]);
    assert_eq!(evidence.facts["ledger.tampered"].value, Value::Yes(false));
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
            let facts = [&evidence.facts, &evidence.models[0].facts];
            let stated = facts.into_iter().find_map(|it| it.get(fact.key)).map(|it| &it.value);
            let fits = match (stated, fact.values) {
                (Some(Value::Unknown(_)), _) | (Some(Value::Yes(_)), FactValues::YesOrNo) => true,
                (Some(Value::Word(word)), FactValues::Words(words)) => words.contains(&word.as_str()),
                (Some(Value::Word(_)), FactValues::AnyWord) => true,
                _ => false,
            };
            assert!(fits, "`{}` is {stated:?}", fact.key);
        }
    }
}

/// A case that holds one small model against others.
fn case_of_family(subject: &str, references: &[&str]) -> Case {
    let mut case = example("yi-34b");
    case.subjects[0].location = Some(place(subject));
    case.subjects[0].declared_parents.clear();
    case.references = references.iter().map(|it| reference(&place(it))).collect();
    case
}

fn reference(location: &str) -> Reference {
    Reference { location: location.to_owned(), name: None, published: None, authors: Vec::new(), own: false }
}

/// Dates of a subject and of its first reference, shown on evidence of grade B or not.
fn dated(mut case: Case, subject: &str, first: &str, is_shown: bool) -> Case {
    let mut entry = case.ledger.values().next().unwrap().clone();
    let grade = if is_shown { Grade::B } else { Grade::C };
    (entry.id, entry.grade, entry.method) = ("DATES".to_owned(), grade, "examine_original".to_owned());
    (entry.sha256, entry.actual_sha256) = (None, None);
    case.ledger.insert("DATES".to_owned(), entry);
    let dated = |text: &str| Some(Dated { period: Period::parse(text).unwrap(), evidence: vec!["DATES".to_owned()] });
    case.subjects[0].published = dated(subject);
    case.references[0].published = dated(first);
    case
}

fn whose(case: &Case) -> Whose {
    evidence(case).models.remove(0).whose
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
    assert_eq!(&evidence.models[0].facts["weights.relation"].value, expected, "{subject} against {reference}");
    assert!(!String::from_utf8(store::render(&evidence)).unwrap().contains("\"seconds\""));
}

#[test]
fn references_with_files_are_compared_by_weights() {
    check_weights("renamed", "base_a", &Value::Word("derived".to_owned()));
    check_weights("base_b", "base_a", &Value::Word("independent".to_owned()));
    // Equal bytes at another place are identical: a digest shows equality, never ownership.
    check_weights("base_a", "base_a", &Value::Word("identical".to_owned()));
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

/// A company may mix models of its own: what is published at its own place is nobody else's.
#[test]
fn models_of_the_company_are_no_parts_of_a_merge() {
    let mut case = case_of_family("merge_linear", &["ft_code", "ft_legal"]);
    case.references[0].own = true;
    let merged = evidence(&case).subjects.remove(0);
    assert_eq!((merged.merge, merged.no_merge), (None, None), "one of two references is the company's own");
}

#[test]
fn a_derivation_has_no_direction_until_the_order_is_known() {
    let case = || case_of_family("ft_code", &["base_a"]);
    let undated = whose(&case());
    assert_eq!(
        (undated.closed, undated.levels, undated.conditions[0].kind),
        (false, vec![1, 3, 4], ConditionKind::Order)
    );
    let facts: Vec<_> = undated.conditions[0].branches.iter().map(|it| it.fact.as_str()).collect();
    assert_eq!(facts, ["subject_earlier", "reference_earlier"]);
    let first = whose(&dated(case(), "2026-06-01", "2025-01-15", true));
    assert_eq!((first.closed, first.levels), (true, vec![1]));
    // A later copy says nothing of where the original is from.
    let later = whose(&dated(case(), "2025-01-15", "2026-06-01", true));
    assert_eq!((later.closed, later.levels, later.conditions.is_empty()), (false, vec![0, 1, 2, 3, 4], true));
    for (subject, first) in [("2026-06-01", "2025-01-15"), ("2026", "2026-03-01")] {
        let open = whose(&dated(case(), subject, first, subject == "2026"));
        assert!(!open.closed && open.conditions[0].kind == ConditionKind::Order, "{subject} {first}");
    }
}

#[test]
fn an_earlier_run_opens_the_order_again() {
    let mut case = dated(case_of_family("ft_code", &["base_a"]), "2026-06-01", "2025-01-15", true);
    let trained = Dated { period: Period::parse("2024-11").unwrap(), evidence: vec!["DATES".to_owned()] };
    case.subjects[0].trained = Some(trained);
    assert!(!whose(&case).closed);
}

#[test]
fn no_derivation_takes_a_reference_that_was_read() {
    let found = whose(&case_of_family("base_b", &["base_a"]));
    assert_eq!((found.closed, found.levels, found.examined, found.references), (true, vec![3], 1, 1));
    let none = whose(&case_of_family("base_b", &[]));
    assert_eq!((none.closed, none.levels), (false, vec![0, 1, 2, 3, 4]));
    // A shared start beside a clear relation stays open.
    let open = whose(&case_of_family("base_same_init", &["base_a", "base_b"]));
    assert!(!open.closed && open.conditions[0].kind == ConditionKind::Test, "{open:?}");
}

#[test]
fn an_admission_lowers_and_names_the_order() {
    let admit = |subject: &str, model: &str, when: Option<Disclosed>| {
        let mut case = case_of_family(subject, &["base_a"]);
        let evidence = vec![case.ledger.keys().next().unwrap().clone()];
        let parent = DeclaredParent { model: model.to_owned(), part: "weights".to_owned(), when, date: None, evidence };
        case.subjects[0].declared_parents.push(parent);
        whose(&case)
    };
    let named = admit("ft_code", "Base-A", None);
    assert_eq!((named.closed, named.levels, named.basis), (true, vec![1], Basis::Measured));
    let other = admit("base_b", "Something-7B", None);
    assert_eq!((other.closed, other.levels, other.basis), (true, vec![0, 1, 2], Basis::Admitted));
    let denied = admit("ft_code", "Base-A", Some(Disclosed::Denied));
    assert!(!denied.closed, "a denial is no admission");
}

#[test]
fn a_model_of_the_company_has_the_levels_of_its_weakest_ancestor() {
    let mut case = case_of_family("ft_code", &["base_b"]);
    let mut base = case.subjects[0].clone();
    (base.id, base.location, base.flagship) = ("base".to_owned(), Some(place("base_a")), false);
    case.subjects.push(base);
    let models = evidence(&case).models;
    let [tuned, base] = models.as_slice() else { panic!("{models:?}") };
    assert_eq!((base.whose.closed, base.whose.levels.as_slice()), (true, &[3][..]));
    assert_eq!((tuned.whose.closed, tuned.whose.levels.as_slice()), (true, &[3][..]));
    assert!(tuned.relations.iter().any(|it| it.sibling.as_deref() == Some("base") && it.bearing == Bearing::Derived));
}

#[test]
fn an_interface_is_what_it_is_shown_to_be_served_from() {
    let interface = |ids: usize| {
        let mut case = case_of_family("base_b", &[]);
        let evidence: Vec<String> = case.ledger.keys().take(ids).cloned().collect();
        for (idx, id) in evidence.iter().enumerate() {
            let entry = case.ledger.get_mut(id).unwrap();
            (entry.grade, entry.origin) = (Grade::C, format!("origin {idx}"));
        }
        (case.subjects[0].kind, case.subjects[0].location) = (Kind::Api, None);
        case.subjects[0].upstream = Some(Upstream { model: "GPT-4".to_owned(), evidence });
        whose(&case)
    };
    assert_eq!((interface(2).closed, interface(2).levels), (true, vec![0]));
    assert_eq!((interface(1).closed, interface(1).levels), (false, vec![0, 1, 2, 3, 4]));
}

#[test]
fn files_are_known_by_their_digests() {
    let evidence = of_family("base_b", &["base_a"]);
    let files = &evidence.models[0].files;
    let weights = files.iter().find(|it| it.name.ends_with(".safetensors")).unwrap();
    let bytes = std::fs::read(Path::new(&place("base_b")).join(&weights.name)).unwrap();
    assert_eq!(weights.sha256.as_deref(), Some(crate::bytes::sha256(&bytes).as_str()));
    assert!(weights.read_bytes < weights.bytes, "the header was read to describe it");
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
    case.references = vec![reference("catalog:nobody/nothing"), reference("no/such/folder")];
    let error = collect(&case, Catalog::builtin(), &Reach::local(), &[]).unwrap_err();
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
        ("unshell/evidence/2", "unshell/evidence/1", "has schema `unshell/evidence/1`"),
        ("unshell/evidence/2", "unshell/compare/1", "has schema `unshell/compare/1`"),
        ("\"models\"", "\"modules\"", "missing field `models`"),
        ("\"closed\": false", "\"closed\": true", "was changed after it was written"),
    ] {
        assert!(whole.contains(replaced), "{replaced}");
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
    let facts = evidence(&example("yi-34b")).models.remove(0).facts;
    let claimed: BTreeMap<_, _> = facts.iter().filter(|(_, it)| matches!(it.value, Value::Number(_))).collect();
    assert!(claimed.values().all(|it| !it.seen_in.is_empty()), "{claimed:?}");
}

/// A small model with a card beside it.
fn with_card(member: &str, card: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(place(member)).unwrap().map(|it| it.unwrap().path()) {
        std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    std::fs::write(folder.path().join("README.md"), card).unwrap();
    folder
}

/// What is known of a model with a card, against references with dates that show who was first.
fn carded(member: &str, card: &str, references: &[&str]) -> (Case, Evidence) {
    let folder = with_card(member, card);
    let mut case = dated(case_of_family(member, references), "2026-06-01", "2025-01-15", true);
    case.subjects[0].location = Some(folder.path().to_str().unwrap().to_owned());
    case.claims.clear();
    let evidence = evidence(&case);
    (case, evidence)
}

fn fact(evidence: &Evidence, key: &str) -> Value {
    evidence.models[0].facts[key].value.clone()
}

fn word(text: &str) -> Value {
    Value::Word(text.to_owned())
}

const FROM_SCRATCH: &str = "# Nimbus-7B\n\nNimbus-7B was trained from scratch on 2T tokens.\n";

#[test]
fn a_hidden_parent_beside_a_card_that_says_from_scratch_trips_the_veto_with_quote_and_date() {
    let (case, evidence) = carded("ft_code", FROM_SCRATCH, &["base_a"]);
    assert_eq!(fact(&evidence, "claim.from_scratch"), word("shown"));
    assert_eq!(fact(&evidence, "disclosed.weights"), word("silent"));
    assert_eq!(evidence.models[0].facts["claim.from_scratch"].seen_in, ["README.md:3"]);
    let model = &evidence.models[0];
    let stated = &model.stated[0];
    assert_eq!((stated.quote.as_str(), stated.line), ("Nimbus-7B was trained from scratch on 2T tokens.", Some(3)));
    assert_eq!(stated.sha256, crate::bytes::sha256(FROM_SCRATCH.as_bytes()));
    let disclosure = &model.disclosures["weights"];
    assert_eq!((disclosure.source, disclosure.date), (crate::evidence::Source::Read, Some(case.date)));
}

#[test]
fn an_honest_card_trips_nothing_and_lowers_the_level() {
    let honest = "---\nbase_model: acme/base_a\n---\n# Nimbus-7B\n\nAn assistant.\n";
    let (_, found) = carded("ft_code", honest, &["base_a"]);
    assert_eq!(fact(&found, "claim.from_scratch"), word("none"));
    assert_eq!(found.models[0].disclosures["weights"].parents, ["acme/base_a"]);
    assert_eq!((found.models[0].whose.closed, found.models[0].whose.levels.as_slice()), (true, &[1][..]));
    // What a card says in a comment is said to nobody.
    let hidden = format!("{FROM_SCRATCH}\n<!-- fine-tuned from acme/base_a -->\n");
    assert_eq!(fact(&carded("ft_code", &hidden, &["base_a"]).1, "disclosed.weights"), word("silent"));
    // A company's earlier model is none of another.
    let own = "# Nimbus-7B-Chat\n\nNimbus-7B-Chat is fine-tuned from Nimbus-7B.\n";
    assert!(carded("base_b", own, &["base_a"]).1.models[0].disclosures.is_empty());
}

#[test]
fn a_wrong_parent_is_told_as_such() {
    let wrong = "---\nbase_model: acme/base_b\n---\n# Nimbus-7B\n\nAn assistant.\n";
    let (_, found) = carded("ft_code", wrong, &["base_a", "base_b"]);
    let disclosure = &found.models[0].disclosures["weights"];
    assert_eq!(
        (disclosure.values.as_slice(), disclosure.parents.as_slice()),
        (&["silent".to_owned()][..], &["acme/base_b".to_owned()][..])
    );
    // One that was not examined may be kin to the one that was found.
    let other = "---\nbase_model: acme/unknown-7b\n---\n# Nimbus-7B\n\nAn assistant.\n";
    assert!(carded("ft_code", other, &["base_a"]).1.models[0].disclosures["weights"].values.len() > 1);
}

/// The same where an analyst entered the name: it clears nothing that it does not name.
#[test]
fn an_entered_parent_that_is_another_is_no_disclosure_of_the_measured_one() {
    let values = |parent: &str, references: &[&str]| {
        let mut case = dated(case_of_family("ft_code", references), "2026-06-01", "2025-01-15", true);
        let named = DeclaredParent {
            model: parent.to_owned(),
            part: "weights".to_owned(),
            when: Some(Disclosed::AtRelease),
            date: None,
            evidence: vec!["DATES".to_owned()],
        };
        case.subjects[0].declared_parents = vec![named];
        evidence(&case).models[0].disclosures["weights"].values.clone()
    };
    assert_eq!(values("acme/base_a", &["base_a", "base_b"]), ["at_release"]);
    assert_eq!(values("acme/base_b", &["base_a", "base_b"]), ["silent"]);
    assert_eq!(values("acme/unknown-7b", &["base_a"]), ["at_release", "silent"]);
}

#[test]
fn silence_is_not_assumed_where_the_source_may_be_named() {
    let open = |card: &str| {
        let (_, found) = carded("ft_code", card, &["base_a"]);
        found.models[0].disclosures.get("weights").map(|it| it.values.clone())
    };
    // No card, a mention, a sentence that nobody understood, and "based on".
    assert_eq!(open("---\nlicense: mit\n---\n"), None);
    assert_eq!(open("# Nimbus-7B\n\nThanks to the base_a-7B team.\n"), None);
    assert_eq!(open("# Nimbus-7B\n\nFrom scratch? Ask base_a for it.\n"), None);
    assert!(open("# Nimbus-7B\n\nNimbus-7B is based on base_a-7B.\n").unwrap().len() > 1);
    // An independent model has nothing to be silent about.
    assert!(carded("base_b", FROM_SCRATCH, &["base_a"]).1.models[0].disclosures.is_empty());
}

#[test]
fn a_denial_of_the_measured_source_is_on_record() {
    let card = "# Nimbus-7B\n\nNimbus-7B is not derived from base_a-7B.\n";
    let rename = |mut case: Case| {
        case.references[0].name = Some("base_a-7B".to_owned());
        case
    };
    let folder = with_card("ft_code", card);
    let mut case = rename(dated(case_of_family("ft_code", &["base_a"]), "2026-06-01", "2025-01-15", true));
    case.subjects[0].location = Some(folder.path().to_str().unwrap().to_owned());
    case.claims.clear();
    assert_eq!(fact(&evidence(&case), "disclosed.weights"), word("denied"));
    // Of an independent model the denial is true, and no record of anything.
    case.subjects[0].location = Some(with_card("base_b", card).keep().to_str().unwrap().to_owned());
    assert_eq!(fact(&evidence(&case), "disclosed.weights"), Value::Unknown(Unknown::NotAsked));
}

/// A known model that the files of a subject name, or that has its sizes, is near: it keeps the weights open unless it
/// was tested, is the company's own, came later, or is out of everybody's reach.
#[test]
fn near_models_keep_weights_open_until_they_are_tested() {
    let mut case = case_of_family("base_b", &["base_a"]);
    let cleared = evidence(&case);
    assert!(cleared.models[0].whose.closed && cleared.subjects[0].near.is_empty());
    // The same model with a configuration that names Llama-2.
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(place("base_b")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let config = folder.path().join("config.json");
    let mut fields: serde_json::Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    fields["_name_or_path"] = "meta-llama/Llama-2-7b-hf".into();
    std::fs::write(&config, fields.to_string()).unwrap();
    case.subjects[0].location = Some(folder.path().to_str().unwrap().to_owned());
    let open = evidence(&case);
    let relation = open.models[0].relations.iter().find(|it| it.reference == "meta-llama/Llama-2-7b-hf").unwrap();
    assert!(relation.is_untested_near() && relation.near == [NearBy::Name], "{relation:?}");
    let whose = &open.models[0].whose;
    assert!(!whose.closed && whose.because.iter().any(|it| it.key == "whose.near"), "{whose:?}");
    assert!(whose.conditions.iter().any(|it| it.references == ["meta-llama/Llama-2-7b-hf"]), "{whose:?}");
    // The company's own, by account.
    let own = Case { owners: vec!["hf:meta-llama".to_owned()], ..case.clone() };
    assert!(evidence(&own).models[0].whose.closed);
    // Published before it was: a day that is shown.
    let earlier = dated(case.clone(), "2023-01", "2022", true);
    assert!(evidence(&earlier).models[0].whose.closed, "{:?}", evidence(&earlier).subjects[0].near);
    // A day that only the company says makes nobody older.
    let told = dated(case, "2023-01", "2022", false);
    assert!(!evidence(&told).models[0].whose.closed);
}

/// What nobody can test keeps nothing open, and is said.
#[test]
fn near_models_out_of_reach_are_said_and_keep_nothing_open() {
    use crate::catalog::AccessState;
    let found = evidence(&case_of_family("base_b", &["base_a"]));
    let case = case_of_family("base_b", &["base_a"]);
    let mut relations = found.models[0].relations.clone();
    let unknown = (crate::evidence::Order::Unknown, crate::fact::Message::new("order.no_date"));
    let mut near = crate::evidence::relations::unseen("acme/lost", "catalog:acme/lost", unknown);
    (near.near, near.access) = (vec![NearBy::Sizes], Some(AccessState::Withdrawn));
    relations.push(near.clone());
    let whose = crate::evidence::whose::whose(&case, &case.subjects[0], &relations);
    assert!(whose.closed && whose.because.iter().any(|it| it.key == "whose.out_of_reach"), "{whose:?}");
    // Gated is no reason: it costs a click.
    for access in [Some(AccessState::Gated), Some(AccessState::Open), None] {
        *relations.last_mut().unwrap() = crate::evidence::Relation { access, ..near.clone() };
        assert!(!crate::evidence::whose::whose(&case, &case.subjects[0], &relations).closed, "{access:?}");
    }
}
