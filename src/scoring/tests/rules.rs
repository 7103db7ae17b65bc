//! Every rule of scoring, each with the smallest case that shows it.

use crate::evidence::Basis;
use crate::fact::{Interval, Truth, Unknown, Value};
use crate::scoring::Strength;
use crate::scoring::tests::draft::{Draft, day, open, settled};

#[track_caller]
fn check_level(lines: &str, criterion: &str, expected: (f64, f64), covered: bool) {
    let score = Draft::new().answers("chen", lines).criterion(criterion);
    let interval = score.interval.unwrap();
    assert_eq!((interval.low, interval.high, score.covered), (expected.0, expected.1, covered), "{score:#?}");
}

#[test]
fn a_level_runs_from_what_is_proven_to_what_was_answered() {
    check_level("R2 2 A1", "R2", (2.0, 2.0), true);
    check_level("R2 4 C1", "R2", (3.0, 4.0), true);
    check_level("R2 4 D1", "R2", (2.0, 4.0), true);
    // The best grade counts.
    check_level("R2 4 E1 C1", "R2", (3.0, 4.0), true);
    // An assertion rules nothing out, and is no coverage.
    check_level("R2 4 E1", "R2", (1.0, 4.0), false);
    check_level("R2 0 C1", "R2", (0.0, 0.0), true);
}

#[test]
fn no_evidence_is_no_answer() {
    check_level("R2 4", "R2", (0.0, 4.0), false);
    check_level("R2 0", "R2", (0.0, 4.0), false);
}

#[test]
fn a_criterion_may_need_more_than_the_grade_asks() {
    check_level("D2 3 C1", "D2", (2.0, 3.0), true);
    check_level("D2 3 B1", "D2", (3.0, 3.0), true);
    check_level("D2 4 B1", "D2", (3.0, 4.0), true);
    check_level("D2 4 A1", "D2", (4.0, 4.0), true);
}

#[test]
fn an_accusation_needs_its_evidence() {
    check_level("A1 0 C1", "A1", (0.0, 4.0), false);
    check_level("A1 0 B1", "A1", (0.0, 0.0), true);
    // A 4 that is not proven counts as a 3.
    check_level("A1 4 C1", "A1", (3.0, 3.0), true);
    check_level("A1 4 A1", "A1", (4.0, 4.0), true);
}

#[test]
fn altered_evidence_and_other_kinds_do_not_count() {
    let mut draft = Draft::new().answers("chen", "R2 4 A1");
    let entry = draft.case.ledger.get_mut("A1-R2").unwrap();
    (entry.sha256, entry.actual_sha256) = (Some("00".to_owned()), Some("01".to_owned()));
    let score = draft.criterion("R2");
    assert_eq!(score.interval, Some(Interval::new(0.0, 4.0)));
    assert!(score.adjustments.iter().any(|it| it.key == "ignored.altered"));
}

#[test]
fn a_refusal_counts_with_its_letter() {
    check_level("R2 refused", "R2", (0.0, 4.0), false);
    check_level("R2 refused D1", "R2", (0.0, 1.0), false);
    check_level("A2 refused D1", "A2", (0.0, 4.0), false);
}

#[test]
fn readers_who_differ_make_a_range_and_a_line_in_the_list() {
    let draft = Draft::all(3, "B").answers("li", "R2 1 B1");
    let score = draft.criterion("R2");
    assert_eq!((score.interval, score.level), (Some(Interval::new(1.0, 3.0)), None));
    assert_eq!(draft.score().disagreements[0].criterion, "R2");
}

#[test]
fn a_weaker_reading_that_agrees_undoes_nothing() {
    let draft = Draft::all(3, "B").answers("li", "D2 3 D1; A1 3 E1");
    assert_eq!(draft.criterion("D2").interval, Some(Interval::exactly(3.0)));
    assert_eq!(draft.criterion("A1").interval, Some(Interval::exactly(3.0)));
    // It buys nothing either.
    let higher = Draft::all(3, "B").answers("li", "D2 4 D1");
    assert_eq!(higher.criterion("D2").interval, Some(Interval::new(3.0, 4.0)));
}

#[test]
fn what_one_of_two_readers_left_open_raises_nothing() {
    let draft = Draft::all(3, "B").answers("li", "D2 unknown");
    assert_eq!(draft.criterion("D2").interval, Some(Interval::new(0.0, 3.0)));
}

#[test]
fn own_work_takes_measured_weights() {
    let own = Draft::all(3, "B");
    let card = own.score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.strength), ("independent", Some(Strength::Definite)));
    assert_eq!(card.verdict.decided_by, "table");
    assert_eq!(own.clone().whose(settled(&[1])).verdict(), "transitional");
    let unknown = own.whose(open()).score();
    assert_eq!((unknown.verdict.id.as_str(), unknown.verdict.strength), ("undetermined", None));
    let branches: Vec<_> = unknown.verdict.conditions[0].branches.iter().map(|it| it.verdict.as_str()).collect();
    assert_eq!(branches, ["independent", "transitional"]);
}

#[test]
fn an_answer_lowers_whose_the_weights_are_and_raises_nothing() {
    assert_eq!(
        Draft::all(4, "A").both("T1 4 A1").whose(open()).criterion("T1").interval,
        Some(Interval::new(0.0, 4.0))
    );
    assert_eq!(Draft::all(4, "A").both("T1 4 A1").whose(settled(&[1])).criterion("T1").level, Some(1));
    let answered = Draft::all(3, "B").whose(open()).both("T1 1 B1").criterion("T1");
    assert_eq!((answered.interval, answered.covered), (Some(Interval::new(0.0, 1.0)), true));
    // What was measured is not undone by opinion, however good the evidence for it.
    let measured = Draft::all(3, "B").both("T1 1 B1").criterion("T1");
    assert_eq!((measured.level, measured.covered), (Some(3), true));
    assert_eq!(Draft::all(3, "B").both("T1 0 A1").both("A1 1 B1").verdict(), "independent");
    // Not on evidence that accuses nobody.
    assert_eq!(Draft::all(3, "B").both("T1 1 C1").criterion("T1").level, Some(3));
}

#[test]
fn a_test_that_others_published_makes_a_verdict_likely_at_most() {
    let reported = crate::evidence::Whose { basis: Basis::Reported, closed: false, ..settled(&[3]) };
    let reported = crate::evidence::Whose { conditions: open().conditions, ..reported };
    let card = Draft::all(3, "B").whose(reported).score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.strength), ("independent", Some(Strength::Likely)));
    assert_eq!(card.verdict.conditions.len(), 1);
}

#[test]
fn derived_weights_are_judged_by_what_was_said_of_them() {
    let derived = || Draft::all(3, "B").whose(settled(&[1]));
    let check = |draft: Draft, verdict: &str| assert_eq!(draft.verdict(), verdict);
    check(derived(), "transitional");
    check(derived().word("disclosed.weights", "when_asked"), "transitional");
    check(derived().word("disclosed.weights", "after_exposure"), "disclosed_wrapper");
    check(derived().word("disclosed.weights", "silent"), "unattributed");
    check(derived().word("disclosed.weights", "denied"), "undisclosed_wrapper");
    check(derived().both("A1 1 B1"), "unattributed");
    check(derived().both("A1 1 B1").word("claim.from_scratch", "shown"), "undisclosed_wrapper");
    check(derived().both("A1 1 B1").word("claim.own_work", "shown"), "undisclosed_wrapper");
    check(derived().both("A1 2 B1").word("claim.from_scratch", "shown"), "undisclosed_wrapper");
    check(derived().both("A1 2 B1").word("claim.own_work", "shown"), "disclosed_wrapper");
    // Named in time, a claim of own work is an exaggeration and no false statement on the weights.
    check(derived().word("claim.from_scratch", "shown"), "transitional");
    // None of it says anything of weights that are nobody else's.
    check(Draft::all(3, "B").word("claim.from_scratch", "shown").word("disclosed.weights", "silent"), "independent");
}

#[test]
fn hearsay_trips_nothing_and_weak_evidence_leaves_open() {
    let silent = Draft::all(3, "B").whose(settled(&[1])).both("A1 1 B1");
    assert_eq!(silent.clone().word("claim.from_scratch", "hearsay").verdict(), "unattributed");
    let mut weak = silent;
    let fact = weak.evidence.models[0].facts.get_mut("claim.from_scratch").unwrap();
    fact.value = Value::Unknown(Unknown::Unexamined);
    let card = weak.score();
    let possible: Vec<_> = card.verdict.possible.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((card.verdict.id.as_str(), possible), ("undetermined", vec!["undisclosed_wrapper", "unattributed"]));
}

#[test]
fn floors_bar_own_work_whatever_the_means() {
    for line in ["A3 0 B1", "T2 1 B1", "D1 0 B1"] {
        assert_eq!(Draft::all(4, "A").both(line).verdict(), "transitional", "{line}");
    }
    let part = Draft::all(4, "A").yes("borrowed.distinctive").both("A1 1 B1");
    let card = part.score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.deciding.as_deref()), ("transitional", Some("G-PART")));
}

#[test]
fn holds_come_before_everything_that_rests_on_means() {
    let held = |draft: Draft, gate: &str| {
        let card = draft.score();
        assert_eq!((card.verdict.id.as_str(), card.verdict.deciding.as_deref()), ("undetermined", Some(gate)));
        assert!(card.verdict.possible.is_empty() && card.flips.is_empty() && card.tornado.is_empty());
    };
    held(Draft::all(4, "A").word("claims.worst", "impossible"), "G-ARITH");
    held(Draft::all(4, "A").yes("counted.contradicted"), "G-COUNT");
    held(Draft::all(4, "A").word("model.kind", "none"), "G-KIND");
    held(Draft::all(4, "A").word("weights.title", "open").whose(settled(&[1])), "G-TITLE");
    held(Draft::all(4, "E"), "G-COVER");
    held(Draft::new().answers("chen", "R1 3 B1"), "G-COVER");
    let left_out = "R1 not_applicable; R2 not_applicable; R3 not_applicable";
    held(Draft::all(4, "A").both(left_out), "G-APPLIES");
}

#[test]
fn altered_files_come_before_a_veto() {
    let mut draft = Draft::all(3, "B").whose(settled(&[0])).word("disclosed.weights", "denied");
    assert_eq!(draft.verdict(), "undisclosed_wrapper");
    draft.evidence.facts.get_mut("ledger.tampered").unwrap().value = Value::Yes(true);
    assert_eq!(draft.score().verdict.deciding.as_deref(), Some("G-TAMPER"));
}

#[test]
fn own_weights_ask_for_a_path_where_substance_is_medium() {
    let pathless = "R1 1 B1; R2 1 B1; R3 1 B1; C1 1 B1; C2 1 B1; C3 1 A1";
    assert_eq!(Draft::all(2, "B").verdict(), "transitional");
    let card = Draft::all(2, "B").both(pathless).score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.decided_by.as_str()), ("undetermined", "table"));
    // What industry users lose on a swap is substance and no path.
    assert_eq!(Draft::all(2, "B").both(pathless).both("R4 4 B1").verdict(), "undetermined");
}

#[test]
fn a_final_memo_takes_two_readers_who_answered() {
    assert_eq!(Draft::all(3, "B").score().stamp, "final");
    let mut single = Draft::all(3, "B");
    single.case.answers.remove("li");
    assert_eq!(single.score().stamp, "draft");
    assert_eq!(single.clone().answers("li", "C2 not_observable").score().stamp, "draft");
    // All that a gate asks for has to be among it; whose the weights are is measured.
    assert_eq!(Draft::all(3, "B").answers("li", "A3 unknown").score().stamp, "draft");
}

#[test]
fn a_waiver_is_in_force_or_said_to_be_what_it_is() {
    let breach = || Draft::all(4, "A").both("A2 0 B1");
    assert_eq!(breach().verdict(), "transitional");
    let state = |draft: Draft| {
        let card = draft.score();
        (card.verdict.id, card.waivers[0].state.clone(), card.valid_until_waiver)
    };
    let expect = |verdict: &str, state: &str, until: Option<&str>| {
        (verdict.to_owned(), state.to_owned(), until.map(str::to_owned))
    };
    let in_force = breach().waive("G-LICENCE", "Zhao", "2026-11-23");
    assert_eq!(in_force.score().valid_until, Some(day("2026-11-23")));
    assert_eq!(state(in_force), expect("independent", "in_force", Some("G-LICENCE")));
    assert_eq!(state(breach().waive("G-LICENCE", "Zhao", "2026-11-22")), expect("transitional", "expired", None));
    assert_eq!(state(breach().waive("G-LICENCE", " ", "2027-01-01")), expect("transitional", "unsigned", None));
    assert_eq!(state(breach().waive("G-LICENCE", "Chen", "2027-01-01")), expect("transitional", "self_approved", None));
    let unused = Draft::all(4, "A").waive("G-LICENCE", "Zhao", "2027-01-01");
    assert!(unused.gate("G-LICENCE").waived.is_none());
    assert_eq!(state(unused), expect("independent", "unused", None));
}

#[test]
fn the_company_is_not_more_than_a_class_above_the_worst_model_it_sells() {
    let company = |sold: bool, levels: &[u8]| {
        let draft = Draft::all(4, "A").with_model("law", sold, settled(levels));
        let card = draft.score();
        (card.verdict.id, card.models.iter().map(|it| it.verdict.id.clone()).collect::<Vec<_>>())
    };
    assert_eq!(company(true, &[1]), ("independent".to_owned(), vec!["independent".into(), "transitional".into()]));
    let mut silent = Draft::all(4, "A").with_model("law", true, settled(&[1]));
    let disclosed = "disclosed.weights".to_owned();
    silent.evidence.models[1].facts.get_mut(&disclosed).unwrap().value = Value::Word("silent".to_owned());
    let card = silent.score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.decided_by.as_str()), ("disclosed_wrapper", "sold_model"));
    assert_eq!(card.verdict.deciding.as_deref(), Some("law"));
    // The flagship's own verdict stays what it is.
    assert_eq!(card.models[0].verdict.id, "independent");
    silent.evidence.models[1].sold = false;
    assert_eq!(silent.verdict(), "independent");
}

#[test]
fn what_is_measured_does_not_flip() {
    let card = Draft::all(3, "B").score();
    assert!(card.flips.iter().all(|it| it.changes.iter().all(|it| it.criterion != "T1")), "{:?}", card.flips);
    assert!(card.tornado.iter().all(|it| it.criterion != "T1"));
    assert!(card.flips.iter().any(|it| it.direction == "down"));
}

#[test]
fn gates_follow_what_is_not_known() {
    let derived = Draft::all(3, "B").whose(settled(&[1]));
    assert_eq!(derived.gate("G-NAMED").tripped, Truth::No);
    assert_eq!(derived.clone().both("A1 unknown").gate("G-NAMED").tripped, Truth::Maybe);
    assert_eq!(derived.both("A1 1 B1").gate("G-NAMED").tripped, Truth::Yes);
    assert_eq!(Draft::all(3, "B").whose(open()).both("A1 1 B1").gate("G-NAMED").tripped, Truth::Maybe);
}

#[test]
fn a_changed_rubric_is_named() {
    let mut draft = Draft::all(3, "B");
    assert_eq!(draft.score().rubric.changed_from, None);
    draft.rubric.sha256 = "0".repeat(64);
    assert!(draft.score().rubric.changed_from.is_some());
}

#[test]
fn a_scorecard_survives_its_file_and_no_edit() {
    use crate::scoring::store;
    let card = Draft::all(3, "B").score();
    let bytes = store::render(&card);
    assert_eq!(store::parse(&bytes, "scorecard.json").unwrap(), card);
    let text = String::from_utf8(bytes).unwrap();
    let edited = text.replacen("\"independent\"", "\"transitional\"", 1);
    let error = store::parse(edited.as_bytes(), "scorecard.json").unwrap_err();
    assert!(error.to_string().contains("was changed after it was written"), "{error}");
    let other = text.replace("unshell/scorecard/2", "unshell/scorecard/1");
    let error = store::parse(other.as_bytes(), "scorecard.json").unwrap_err();
    assert!(error.to_string().contains("has schema `unshell/scorecard/1`"), "{error}");
}

/// Every key that the sources of this room state is listed, and every listed one is stated somewhere.
#[test]
fn every_sentence_is_listed() {
    use crate::scoring::MESSAGE_KEYS;
    let sources = [
        include_str!("../condition.rs"),
        include_str!("../describe.rs"),
        include_str!("../heading.rs"),
        include_str!("../quadrant.rs"),
        include_str!("../reading.rs"),
        include_str!("../reason.rs"),
    ];
    assert!(MESSAGE_KEYS.is_sorted());
    let made_of_words = ["branch.", "fact.", "form.", "merge.", "reason.check_"];
    for key in MESSAGE_KEYS.iter().filter(|it| !made_of_words.iter().any(|start| it.starts_with(start))) {
        assert!(sources.iter().any(|it| it.contains(&format!("\"{key}\""))), "nobody states `{key}`");
    }
}
