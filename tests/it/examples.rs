//! The examples reach the verdict they are there to show, and every piece of their evidence is put to use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use unshell::case::{Case, Disclosed};
use unshell::catalog::Catalog;
use unshell::claims::Outcome;
use unshell::evidence::{ConditionKind, Order, collect};
use unshell::fact::{Truth, WeightsRelation};
use unshell::remote::Reach;
use unshell::rubric;
use unshell::scoring::{Condition, Scorecard, Strength, score};

const EXAMPLES: [&str; 3] = ["nightjar", "yi-34b", "yi-34b-day-one"];

fn case(name: &str) -> Case {
    read(&Path::new("examples").join(name))
}

fn read(folder: &Path) -> Case {
    Case::read_with_models(folder).unwrap_or_else(|problems| panic!("\n{problems}"))
}

/// Collected and scored, as `run` does it.
fn judged(case: &Case) -> Scorecard {
    let evidence = collect(case, Catalog::builtin(), &Reach::local(), &[]).unwrap();
    let rubric = rubric::find(&case.rubric, &case.folder).unwrap();
    score(&rubric, case, &evidence)
}

fn tripped(scorecard: &Scorecard) -> Vec<&str> {
    scorecard.gates.iter().filter(|it| it.tripped == Truth::Yes).map(|it| it.id.as_str()).collect()
}

/// The fact of a branch, the verdict it leads to, and how firm.
type Branch<'a> = (&'a str, &'a str, Option<Strength>);

/// What kind of condition it is, and its branches.
fn branches(condition: &Condition) -> (ConditionKind, Vec<Branch<'_>>) {
    let all = condition.branches.iter().map(|it| (it.fact.key.as_str(), it.verdict.as_str(), it.strength));
    (condition.kind, all.collect())
}

fn shares(scorecard: &Scorecard) -> BTreeMap<&str, (u8, u8)> {
    scorecard.verdict.possible.iter().map(|it| (it.id.as_str(), (it.lowest, it.highest))).collect()
}

#[test]
fn yi_34b_in_march_2024_depends_on_one_test() {
    let scorecard = judged(&case("yi-34b"));
    assert_eq!((scorecard.verdict.id.as_str(), scorecard.verdict.decided_by.as_str()), ("undetermined", "open"));
    assert_eq!(scorecard.verdict.strength, None);
    let [condition] = scorecard.verdict.conditions.as_slice() else { panic!("one condition") };
    assert_eq!(
        branches(condition),
        (
            ConditionKind::Test,
            vec![
                ("branch.independent", "transitional", Some(Strength::Likely)),
                ("branch.derived", "undisclosed_wrapper", Some(Strength::Definite)),
            ]
        )
    );
    assert_eq!((condition.hours, condition.references.len()), (3.0, 4));
    // The lower shares, as the README states them: "on the way" wherever the table does not see the path as low.
    let shares = shares(&scorecard);
    assert_eq!(shares["undisclosed_wrapper"], (0, 100));
    assert_eq!((shares["transitional"].1, shares["undetermined"].1), (94, 21));
    assert!(tripped(&scorecard).is_empty(), "{:?}", tripped(&scorecard));
    assert_eq!(scorecard.stamp, "final");
    let outcomes: Vec<(&str, Outcome)> = scorecard.checks.iter().map(|it| (it.id.as_str(), it.outcome)).collect();
    for check in ["compute", "calendar", "data_yield"] {
        assert!(outcomes.contains(&(check, Outcome::Normal)), "{outcomes:?}");
    }
    let weights = scorecard.criteria.iter().find(|it| it.id == "T1").unwrap();
    assert!(!weights.covered && !weights.measured, "nothing was measured");
    assert_eq!(scorecard.confidence.word, "low", "nothing rests on originals");
}

#[test]
fn yi_34b_on_the_day_is_held_and_asks_for_the_test_first() {
    let scorecard = judged(&case("yi-34b-day-one"));
    assert_eq!(scorecard.verdict.id, "undetermined");
    assert_eq!(scorecard.verdict.deciding.as_deref(), Some("G-COVER"));
    assert!(scorecard.verdict.possible.is_empty(), "no shares are printed for a held case");
    assert_eq!(scorecard.questions.first().map(|it| it.criterion.as_str()), Some("T1"));
    assert_eq!(scorecard.verdict.conditions.first().map(|it| it.kind), Some(ConditionKind::Test));
}

#[test]
fn who_was_first_decides_on_nightjar() {
    let dated = judged(&case("nightjar"));
    let verdict = &dated.verdict;
    assert_eq!(
        (verdict.id.as_str(), verdict.deciding.as_deref(), verdict.strength),
        ("undisclosed_wrapper", Some("G-MISREP"), Some(Strength::Definite))
    );
    let relations: Vec<_> =
        dated.models[0].relations.iter().map(|it| (it.reference.as_str(), it.relation, it.order)).collect();
    assert_eq!(
        relations,
        [
            ("Openbrook", WeightsRelation::Derived, Order::ReferenceEarlier),
            ("Millpond", WeightsRelation::Independent, Order::ReferenceEarlier),
        ]
    );

    // As the README says it: without the days of release.
    let undated = tempfile::tempdir().unwrap();
    copy(Path::new("examples/nightjar"), undated.path());
    let text = fs::read_to_string("examples/nightjar/case.yaml").unwrap();
    let kept: Vec<&str> = text.lines().filter(|it| !it.starts_with("    published:")).collect();
    assert_eq!(text.lines().count() - kept.len(), 3, "three models have a day of release");
    fs::write(undated.path().join("case.yaml"), kept.join("\n")).unwrap();
    let undated = judged(&read(undated.path()));
    assert_eq!(undated.verdict.id, "undetermined");
    let [condition] = undated.verdict.conditions.as_slice() else { panic!("one condition") };
    assert_eq!(
        branches(condition),
        (
            ConditionKind::Order,
            vec![
                ("branch.subject_earlier", "transitional", Some(Strength::Definite)),
                ("branch.reference_earlier", "undisclosed_wrapper", Some(Strength::Definite)),
            ]
        )
    );
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|it| it.file_name() != "out") {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_piece_of_evidence_is_cited_and_counts() {
    for name in EXAMPLES {
        let case = case(name);
        let answered = case.answers.values().flat_map(|it| it.answers.values()).flat_map(|it| &it.evidence);
        let claimed = case.claims.iter().flat_map(|it| &it.source);
        let declared = case.subjects.iter().flat_map(|it| &it.declared_parents).flat_map(|it| &it.evidence);
        let dated = case.subjects.iter().filter_map(|it| it.published.as_ref());
        let dated = dated.chain(case.references.iter().filter_map(|it| it.published.as_ref()));
        let cited: BTreeSet<&String> =
            answered.chain(claimed).chain(declared).chain(dated.flat_map(|it| &it.evidence)).collect();
        assert_eq!(cited, case.ledger.keys().collect(), "{name}");
        for criterion in judged(&case).criteria {
            let notes: Vec<&str> = criterion.adjustments.iter().map(|it| it.key.as_str()).collect();
            let is_wasted = |it: &&str| it.starts_with("ignored.") || it.starts_with("weak.") || it.starts_with("cap.");
            assert!(!notes.iter().any(is_wasted), "{name} {}: {notes:?}", criterion.id);
        }
    }
}

/// In the present form, with days and sources for everything that a verdict may hang on.
#[test]
fn every_example_is_as_the_guide_asks() {
    for name in EXAMPLES {
        let folder = Path::new("examples").join(name);
        let text = fs::read_to_string(folder.join("case.yaml")).unwrap();
        assert!(text.contains("schema: unshell/case/2"), "{name}");
        let case = case(name);
        for subject in &case.subjects {
            let published = subject.published.as_ref().expect("a day of release");
            assert!(case.support(&published.evidence).shows(), "{name} {}", subject.id);
            for parent in &subject.declared_parents {
                assert!(parent.when.is_some() && parent.date.is_some(), "{name}: {parent:?}");
            }
        }
        assert!(case.references.iter().all(|it| it.name.is_some()), "{name}");
        assert!(case.claims.iter().all(|it| it.subject.is_some()), "{name}");
        let bytes: u64 = size(&folder);
        assert!(bytes < 420_000, "{name}: {bytes} bytes ship inside the program");
    }
    let denied = case("yi-34b");
    let weights = denied.subjects[0].declared_parents.iter().find(|it| it.part == "weights").unwrap();
    assert_eq!(weights.when, Some(Disclosed::Denied));
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|it| it.file_name() != "out");
    entries.map(|it| if it.path().is_dir() { size(&it.path()) } else { it.metadata().unwrap().len() }).sum()
}

#[test]
fn nothing_is_known_before_it_was_published() {
    for name in EXAMPLES {
        let case = case(name);
        for entry in case.ledger.values() {
            assert!(entry.published.is_none_or(|it| it <= case.date), "{name} {}", entry.id);
            let is_public = !["examine_original", "company_document", "interview"].contains(&entry.method.as_str());
            assert!(!is_public || entry.url.is_some(), "{name} {}: a public record has an address", entry.id);
        }
        assert!(case.claims.iter().all(|it| it.date <= case.date), "{name}");
    }
}
