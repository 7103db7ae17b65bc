//! The examples reach the verdict they are there to show, and every piece of their evidence is put to use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use unshell::case::{Case, Level};
use unshell::claims::{self, Bands, Outcome};
use unshell::evidence::{EVIDENCE_SCHEMA, Evidence};
use unshell::fact::{CatalogReach, Fact, Facts, Truth, Unknown, Value};
use unshell::rubric;
use unshell::scoring::{Scorecard, score};

fn case(name: &str) -> Case {
    Case::read(&Path::new("examples").join(name)).unwrap_or_else(|problems| panic!("\n{problems}"))
}

/// Judged on claims and answers alone, as where no model file can be reached: the verdicts must not hang on form.
fn judged(case: &Case) -> Scorecard {
    let rubric = rubric::find(&case.rubric, &case.folder).unwrap();
    let facts = [
        ("claim.from_scratch", Value::Yes(true)),
        ("claims.worst", Value::Word("normal".to_owned())),
        ("ledger.tampered", Value::Yes(false)),
        ("weights.relation", Value::Unknown(Unknown::Unexamined)),
    ];
    let evidence = Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        date: case.date,
        inputs: case.inputs.clone(),
        subjects: Vec::new(),
        checks: claims::check_all(&case.claims, &claims::Counted::default(), &Bands::shipped()),
        facts: Facts::from(facts.map(|(key, value)| (key.to_owned(), Fact { value, seen_in: Vec::new() }))),
        catalog: CatalogReach { size: 0, entries: 0, newest: String::new(), newest_date: String::new() },
        unexamined: Vec::new(),
    };
    score(&rubric, case, &evidence)
}

fn gates(scorecard: &Scorecard) -> BTreeMap<&str, Truth> {
    scorecard.gates.iter().map(|it| (it.id.as_str(), it.tripped)).collect()
}

fn outcomes(scorecard: &Scorecard) -> Vec<(&str, Outcome)> {
    scorecard.checks.iter().map(|it| (it.id.as_str(), it.outcome)).collect()
}

#[test]
fn yi_34b_in_march_2024_is_on_the_way_whoever_the_weights_belong_to() {
    let scorecard = judged(&case("yi-34b"));
    assert_eq!(scorecard.verdict.id, "transitional");
    assert_eq!(scorecard.verdict.decided_by, "table");
    assert_eq!(scorecard.verdict.holds_whatever_the_weights, Some(true));
    assert!(gates(&scorecard).values().all(|it| *it == Truth::No), "{:?}", gates(&scorecard));
    assert_eq!(scorecard.stamp, "final");
    let normal = ["compute", "calendar", "data_yield"].map(|it| (it, Outcome::Normal));
    assert_eq!(outcomes(&scorecard), normal);
    let weights = scorecard.criteria.iter().find(|it| it.id == "T1").unwrap();
    assert_eq!((weights.covered, weights.answered), (false, Some(Level::Unknown)), "nothing was measured");
    assert_eq!(scorecard.confidence.word, "low", "nothing rests on originals");
}

#[test]
fn yi_34b_on_the_day_is_held_for_want_of_answers() {
    let scorecard = judged(&case("yi-34b-day-one"));
    assert_eq!(scorecard.verdict.id, "undetermined");
    assert_eq!(scorecard.verdict.deciding.as_deref(), Some("G-COVER"));
    let tripped: Vec<&str> =
        gates(&scorecard).into_iter().filter(|(_, it)| *it == Truth::Yes).map(|(id, _)| id).collect();
    assert_eq!(tripped, ["G-COVER"]);
    assert!(scorecard.questions.iter().any(|it| it.criterion == "T1"), "the weights are asked for");
    assert!(scorecard.verdict.possible.len() > 1, "silence convicts nobody and clears nobody");
}

#[test]
fn every_piece_of_evidence_is_cited_and_counts() {
    for name in ["yi-34b", "yi-34b-day-one"] {
        let case = case(name);
        let answered = case.answers.values().flat_map(|it| it.answers.values()).flat_map(|it| &it.evidence);
        let claimed = case.claims.iter().flat_map(|it| &it.source);
        let declared = case.subjects.iter().flat_map(|it| &it.declared_parents).flat_map(|it| &it.evidence);
        let cited: BTreeSet<&String> = answered.chain(claimed).chain(declared).collect();
        assert_eq!(cited, case.ledger.keys().collect(), "{name}");
        for criterion in judged(&case).criteria {
            let notes: Vec<&str> = criterion.adjustments.iter().map(|it| it.key.as_str()).collect();
            let is_wasted = |it: &&str| it.starts_with("ignored.") || it.starts_with("weak.") || it.starts_with("cap.");
            assert!(!notes.iter().any(is_wasted), "{name} {}: {notes:?}", criterion.id);
        }
    }
}

#[test]
fn nothing_is_known_before_it_was_published() {
    for name in ["yi-34b", "yi-34b-day-one"] {
        let case = case(name);
        for entry in case.ledger.values() {
            assert!(entry.published.is_none_or(|it| it <= case.date), "{name} {}", entry.id);
            assert!(entry.url.is_some(), "{name} {}: a public record has an address", entry.id);
        }
        assert!(case.claims.iter().all(|it| it.date <= case.date), "{name}");
    }
}
