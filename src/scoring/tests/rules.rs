//! Every rule of scoring, each with the smallest case that shows it.

use crate::fact::Text;
use crate::fact::{Interval, Truth, Value};
use crate::rubric::{Band, Condition, Effect, Gate, Grade};
use crate::scoring::tests::draft::Draft;

#[track_caller]
fn check_level(lines: &str, criterion: &str, expected: (f64, f64), covered: bool) {
    let score = Draft::new().answers("chen", lines).criterion(criterion);
    let interval = score.interval.unwrap();
    assert_eq!((interval.low, interval.high, score.covered), (expected.0, expected.1, covered), "{score:#?}");
}

#[test]
fn a_level_is_as_wide_as_its_evidence_is_weak() {
    check_level("R1 2 A1", "R1", (2.0, 2.0), true);
    check_level("R1 2 B1", "R1", (1.875, 2.125), true);
    check_level("R1 2 C1", "R1", (1.75, 2.25), true);
    check_level("R1 4 A1", "R1", (4.0, 4.0), true);
    check_level("R1 0 C1", "R1", (0.0, 0.25), true);
}

#[test]
fn a_grade_caps_the_level_and_the_range() {
    check_level("R1 4 C1", "R1", (2.75, 3.0), true);
    check_level("R1 4 D1", "R1", (1.75, 2.0), true);
    check_level("R1 4 E1", "R1", (0.5, 1.0), true);
    check_level("R1 4", "R1", (0.5, 1.0), true);
    // The best grade counts.
    check_level("R1 4 E1 C1", "R1", (2.75, 3.0), true);
}

#[test]
fn a_criterion_may_need_more_than_the_grade_asks() {
    check_level("D1 3 C1", "D1", (1.75, 2.0), true);
    check_level("D1 3 B1", "D1", (2.875, 3.0), true);
    check_level("D1 4 B1", "D1", (2.875, 3.0), true);
    check_level("D1 4 A1", "D1", (4.0, 4.0), true);
}

#[test]
fn evidence_of_another_kind_or_altered_does_not_count() {
    check_level("R1 4 MA", "R1", (0.5, 1.0), true);
    let mut draft = Draft::new().answers("chen", "R1 4 A1");
    let entry = draft.case.ledger.get_mut("A1").unwrap();
    entry.sha256 = Some("00".to_owned());
    entry.actual_sha256 = Some("01".to_owned());
    let score = draft.criterion("R1");
    assert_eq!(score.level, Some(1));
    assert!(score.adjustments.iter().any(|it| it.key == "ignored.altered"));
}

#[test]
fn an_accusation_needs_its_evidence() {
    // A capped level would read "somebody else's weights", so weak evidence leaves it unknown.
    check_level("T1 4 MC", "T1", (0.0, 4.0), false);
    check_level("T1 1 MC", "T1", (0.0, 4.0), false);
    check_level("T1 1", "T1", (0.0, 4.0), false);
    check_level("T1 1 MB", "T1", (0.875, 1.125), true);
    check_level("T1 2 MB", "T1", (1.875, 2.0), true);
    check_level("T1 3 MA", "T1", (3.0, 3.0), true);
    check_level("A1 0 C1", "A1", (0.0, 4.0), false);
    check_level("A1 0 B1", "A1", (0.0, 0.125), true);
}

#[test]
fn not_knowing_has_four_forms() {
    check_level("R1 unknown", "R1", (0.0, 4.0), false);
    check_level("R1 refused", "R1", (0.0, 1.0), true);
    check_level("R1 not_observable", "R1", (0.0, 4.0), false);
    check_level("R1 not_applicable", "R1", (0.0, 4.0), false);
    check_level("", "R1", (0.0, 4.0), false);
}

#[test]
fn two_readers_leave_a_criterion_out_of_the_weights() {
    let draft = Draft::answered().both("D2 not_applicable");
    assert_eq!(draft.criterion("D2").interval, None);
    // D1 alone is the pillar then.
    let card = draft.score();
    assert_eq!(card.pillars[1].score, Some(Interval::new(1.75, 2.0)));
    assert!((card.coverage - 84.0 / 90.0).abs() < 1e-9);
}

#[test]
fn a_case_to_which_nothing_applies_is_a_case_of_which_nothing_is_known() {
    let all = ["R1", "D1", "D2", "T1", "T2", "A1"].map(|it| format!("{it} not_applicable")).join("; ");
    let card = Draft::answered().both(&all).score();
    assert_eq!((card.coverage, card.confidence.share, card.confidence.word.as_str()), (0.0, 0.0, "low"));
    assert_eq!(card.verdict.deciding.as_deref(), Some("G-COVER"));
    assert!(card.pillars.iter().all(|it| it.score.is_none() && it.coverage == 1.0));
}

#[test]
fn readers_who_differ_make_a_range_and_a_line_in_the_list() {
    let draft = Draft::answered().answers("li", "R1 1 C1");
    let score = draft.criterion("R1");
    assert_eq!(score.interval, Some(Interval::new(0.75, 3.0)));
    assert_eq!((score.answered, score.level), (None, None));
    let card = draft.score();
    assert_eq!(card.disagreements.len(), 1);
    assert_eq!(card.disagreements[0].levels, Interval::new(1.0, 3.0));
}

#[test]
fn evidence_of_one_reader_buys_nothing_for_another() {
    let draft = Draft::new().answers("chen", "R1 2 B1").answers("li", "R1 4");
    let half = 0.125;
    assert_eq!(draft.criterion("R1").interval, Some(Interval::new(1.0 - 4.0 * half, 2.0 + half)));
}

#[test]
fn a_small_difference_is_listed_where_a_gate_hangs_on_it() {
    let near = Draft::answered().both("A1 2 C1").answers("li", "A1 3 C1");
    assert!(near.score().disagreements.is_empty());
    let at_the_gate = Draft::answered().both("A1 1 B1").answers("li", "A1 0 B1");
    assert_eq!(at_the_gate.score().disagreements[0].criterion, "A1");
}

#[test]
fn an_answer_stands_beside_one_that_is_none() {
    let draft = Draft::answered().answers("li", "R1 unknown");
    assert_eq!(draft.criterion("R1").interval, Some(Interval::new(2.75, 3.0)));
}

#[test]
fn confidence_is_strong_evidence_of_two_origins() {
    let share = |evidence: &str| {
        let card = Draft::new().answers("chen", &format!("R1 2 {evidence}")).score();
        (card.confidence.share, card.confidence.word)
    };
    assert_eq!(share("A1 B2"), (0.2, "low".to_owned()));
    assert_eq!(share("A1 B1").0, 0.0);
    assert_eq!(share("A1 C2").0, 0.0);
    let mut stale = Draft::new().answers("chen", "R1 2 A1 B2");
    stale.case.ledger.get_mut("B2").unwrap().expires = stale.case.date.pred_opt().unwrap();
    assert_eq!(stale.score().confidence.share, 0.0);
    stale.case.ledger.get_mut("B2").unwrap().expires = stale.case.date;
    assert_eq!(stale.score().confidence.share, 0.2);
    assert_eq!(stale.score().confidence.origins, 2);
}

#[test]
fn gates_over_facts_know_what_is_not_known() {
    let vetoed = |draft: Draft| draft.gate("G-MISREP").tripped;
    let derived = Draft::answered().both("T1 1 MB; A1 1 B1");
    assert_eq!(vetoed(derived.clone()), Truth::Maybe);
    assert_eq!(vetoed(derived.clone().fact("claim.from_scratch", Value::Yes(true))), Truth::Yes);
    assert_eq!(vetoed(derived.clone().fact("claim.from_scratch", Value::Yes(false))), Truth::No);
    assert_eq!(vetoed(derived.word("claim.from_scratch", "yes")), Truth::No);
    let unknown = Draft::answered().both("A1 1 B1").fact("claim.from_scratch", Value::Yes(true));
    assert_eq!(vetoed(unknown), Truth::Maybe);
    let disclosed = Draft::answered().both("T1 1 MB").fact("claim.from_scratch", Value::Yes(true));
    assert_eq!(vetoed(disclosed), Truth::No);
}

#[test]
fn conditions_follow_kleene() {
    let draft = Draft::answered();
    let truth = |when: Condition| {
        let mut draft = draft.clone();
        let effect = Effect::Stamp("seen".to_owned());
        let (name, meaning) = (Text::plain("x"), Text::plain("x"));
        draft.rubric.gates.push(Gate { id: "G-X".to_owned(), name, meaning, effect, when, waivable: false });
        draft.gate("G-X").tripped
    };
    let yes = || Condition::LevelAtMost { criterion: "D1".to_owned(), level: 2 };
    let no = || Condition::LevelAtMost { criterion: "R1".to_owned(), level: 1 };
    let maybe = || Condition::LevelAtMost { criterion: "T1".to_owned(), level: 2 };
    for (all, any, one, other) in [
        (Truth::Yes, Truth::Yes, yes as fn() -> Condition, yes as fn() -> Condition),
        (Truth::Maybe, Truth::Yes, yes, maybe),
        (Truth::No, Truth::Yes, yes, no),
        (Truth::Maybe, Truth::Maybe, maybe, maybe),
        (Truth::No, Truth::Maybe, maybe, no),
        (Truth::No, Truth::No, no, no),
    ] {
        assert_eq!(truth(Condition::All(vec![one(), other()])), all);
        assert_eq!(truth(Condition::Any(vec![one(), other()])), any);
    }
    assert_eq!(truth(Condition::Not(Box::new(maybe()))), Truth::Maybe);
    assert_eq!(truth(Condition::Not(Box::new(yes()))), Truth::No);
    assert_eq!(truth(Condition::All(vec![])), Truth::Yes);
    assert_eq!(truth(Condition::Any(vec![])), Truth::No);
}

#[test]
fn a_verdict_that_does_not_hang_on_the_weights_stands() {
    let card = Draft::answered().score();
    assert_eq!(card.verdict.id, "transitional");
    assert_eq!(card.verdict.decided_by, "table");
    assert_eq!(card.verdict.deciding.as_deref(), Some("3, 5"));
    assert_eq!(card.verdict.because, None);
    assert_eq!(card.verdict.holds_whatever_the_weights, Some(true));
    assert_eq!(card.axes[0].holds, Some(Truth::Maybe));
    let decides: Vec<_> = card.decision_table.iter().map(|it| it.decides).collect();
    assert_eq!(decides, [Truth::No, Truth::No, Truth::Maybe, Truth::No, Truth::Maybe, Truth::No]);
}

#[test]
fn a_verdict_that_hangs_on_the_weights_stays_open() {
    let card = Draft::answered().both("R1 1 C1").score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.decided_by.as_str()), ("undetermined", "open"));
    let possible: Vec<_> = card.verdict.possible.iter().map(|it| (it.id.as_str(), it.rows.clone())).collect();
    assert_eq!(possible, [("disclosed_wrapper", vec![2]), ("transitional", vec![5])]);
    assert_eq!(card.verdict.holds_whatever_the_weights, Some(false));
}

#[test]
fn an_open_veto_keeps_a_verdict_open() {
    let draft = Draft::answered().both("A1 1 B1").fact("claim.from_scratch", Value::Yes(true));
    let card = draft.score();
    assert_eq!(card.verdict.decided_by, "open");
    let possible: Vec<_> = card.verdict.possible.iter().map(|it| (it.id.as_str(), it.gates.clone())).collect();
    assert_eq!(possible, [("undisclosed_wrapper", vec!["G-MISREP".to_owned()]), ("transitional", vec![])]);
}

#[test]
fn a_sure_veto_decides_over_everything() {
    let draft = Draft::answered().both("T1 1 MB; A1 1 B1; R1 4 A1; D1 4 A1; D2 4 A1; T2 4 A1");
    assert_eq!(draft.verdict(), "undetermined");
    let draft = draft.fact("claim.from_scratch", Value::Yes(true));
    let card = draft.score();
    assert_eq!(card.verdict.id, "undisclosed_wrapper");
    assert_eq!((card.verdict.decided_by.as_str(), card.verdict.deciding.as_deref()), ("gate", Some("G-MISREP")));
    assert_eq!(card.verdict.because, Some(Text::new([("en", "Derived and sold as from scratch.")])));
    assert_eq!(card.verdict.holds_whatever_the_weights, None);
}

#[test]
fn a_hold_decides_while_too_little_is_known() {
    let card = Draft::new().answers("chen", "R1 3 C1; A1 3 C1").score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.deciding.as_deref()), ("undetermined", Some("G-COVER")));
    assert_eq!(card.coverage, 0.4);
    let held = Draft::answered().word("claims.worst", "impossible").score();
    assert_eq!(held.verdict.deciding.as_deref(), Some("G-ARITH"));
}

#[test]
fn a_cap_lowers_and_never_lifts() {
    let capped = Draft::answered().both("A1 0 B1").fact("claim.from_scratch", Value::Yes(false));
    let card = capped.score();
    assert_eq!(card.verdict.id, "disclosed_wrapper");
    assert_eq!((card.verdict.decided_by.as_str(), card.verdict.deciding.as_deref()), ("gate", Some("G-LICENCE")));
    let worse = capped.both("T1 0 MA").fact("claim.from_scratch", Value::Yes(true));
    assert_eq!(worse.verdict(), "undisclosed_wrapper");
}

#[test]
fn a_waiver_counts_while_it_lasts_and_is_signed() {
    let draft = Draft::answered().both("A1 0 B1").fact("claim.from_scratch", Value::Yes(false));
    let waived = draft.clone().waive("G-LICENCE", "Zhao", "2026-11-23");
    assert_eq!(waived.verdict(), "transitional");
    let gate = waived.gate("G-LICENCE");
    assert_eq!((gate.tripped, gate.waived.is_some()), (Truth::Yes, true));
    assert_eq!(draft.clone().waive("G-LICENCE", "Zhao", "2026-11-22").verdict(), "disclosed_wrapper");
    assert_eq!(draft.clone().waive("G-LICENCE", " ", "2027-01-01").verdict(), "disclosed_wrapper");
    // This one may not be waived at all.
    let held = draft.word("claims.worst", "impossible").waive("G-ARITH", "Zhao", "2027-01-01");
    assert_eq!(held.verdict(), "undetermined");
    assert!(held.gate("G-ARITH").waived.is_none());
}

#[test]
fn a_gate_caps_a_criterion_before_the_table() {
    let capped = Draft::answered().word("claims.worst", "implausible").criterion("D2");
    assert_eq!((capped.interval, capped.level), (Some(Interval::exactly(1.0)), Some(1)));
    assert!(capped.adjustments.iter().any(|it| it.key == "cap.gate"));
    let mut open = Draft::answered();
    open.evidence.facts.remove("claims.worst");
    let open = open.criterion("D2");
    assert_eq!(open.interval, Some(Interval::new(1.0, 2.25)));
    assert!(open.adjustments.iter().any(|it| it.key == "cap.gate_open"));
}

#[test]
fn one_reader_makes_a_draft() {
    assert_eq!(Draft::answered().score().stamp, "final");
    let mut single = Draft::answered();
    single.case.answers.remove("li");
    assert_eq!(single.score().stamp, "draft");
    // Somebody who only says "unknown" is no reader.
    assert_eq!(single.answers("li", "R1 unknown").score().stamp, "draft");
}

#[test]
fn measured_weights_stand_against_any_answer() {
    let answered = Draft::answered().both("T1 4 MA");
    assert_eq!(answered.criterion("T1").interval, Some(Interval::exactly(4.0)));
    let derived = answered.word("weights.relation", "derived");
    assert_eq!(derived.criterion("T1").interval, Some(Interval::new(0.0, 2.0)));
    let copied = Draft::answered().word("weights.relation", "identical").criterion("T1");
    assert_eq!((copied.interval, copied.covered), (Some(Interval::exactly(0.0)), true));
    // An answer that agrees is finer than the measurement.
    let agreeing = Draft::answered().both("T1 2 MB").word("weights.relation", "derived").criterion("T1");
    assert_eq!(agreeing.interval, Some(Interval::new(1.875, 2.0)));
}

#[test]
fn a_parent_that_the_company_names_counts_as_said() {
    let declared = Draft::answered().declare("weights", &["MB"]).criterion("T1");
    assert_eq!((declared.interval, declared.covered), (Some(Interval::new(0.0, 2.0)), true));
    assert_eq!(declared.evidence, ["MB"]);
    // A rumour that somebody entered as a declaration accuses nobody.
    let rumour = Draft::answered().declare("weights", &["MC"]).criterion("T1");
    assert_eq!((rumour.interval, rumour.covered), (Some(Interval::new(0.0, 4.0)), false));
    let blueprint = Draft::answered().declare("architecture", &["MB"]);
    assert_eq!(blueprint.criterion("T1").interval, Some(Interval::new(0.0, 4.0)));
    assert_eq!(blueprint.score().quadrant.borrowed, Interval::new(1.0, 4.0));
}

#[test]
fn a_parent_that_is_said_to_be_named_needs_evidence_of_it() {
    for (evidence, key) in [("MC", "declared.weak_evidence"), ("E1", "declared.weak_evidence")] {
        let weak = Draft::answered().declare("weights", &[evidence]).criterion("T1");
        assert_eq!((weak.interval, weak.covered), (Some(Interval::new(0.0, 4.0)), false), "{evidence}");
        assert!(weak.adjustments.iter().any(|it| it.key == key), "{:?}", weak.adjustments);
    }
    let mut altered = Draft::answered().declare("weights", &["MB"]);
    let entry = altered.case.ledger.get_mut("MB").unwrap();
    (entry.sha256, entry.actual_sha256) = (Some("a".repeat(64)), Some("b".repeat(64)));
    assert_eq!(altered.criterion("T1").interval, Some(Interval::new(0.0, 4.0)));
    // A second one that is shown counts all the same.
    let both = Draft::answered().declare("weights", &["MC"]).declare("weights", &["MB"]).criterion("T1");
    assert_eq!((both.interval, both.grade), (Some(Interval::new(0.0, 2.0)), Some(Grade::B)));
}

#[test]
fn a_model_made_from_another_of_the_company_has_its_own_weights() {
    let mut draft = Draft::answered().declare("weights", &["MB"]);
    let mut base = draft.case.subjects[0].clone();
    (base.id, base.name) = ("acme-base".to_owned(), Text::plain("Llama"));
    base.declared_parents.clear();
    draft.case.subjects.push(base);
    let own = draft.criterion("T1");
    assert_eq!((own.interval, own.covered), (Some(Interval::new(0.0, 4.0)), false));
    assert!(own.adjustments.iter().any(|it| it.key == "declared.own_model"), "{:?}", own.adjustments);
}

#[test]
fn declining_to_show_is_no_proof_of_a_reproach() {
    let draft = Draft::answered().both("T1 refused; A1 refused").fact("claim.from_scratch", Value::Yes(true));
    for id in ["T1", "A1"] {
        let score = draft.criterion(id);
        assert_eq!((score.interval, score.covered), (Some(Interval::new(0.0, 4.0)), false), "{id}");
        assert!(score.adjustments.iter().any(|it| it.key == "widened.refused"));
    }
    let card = draft.score();
    assert_eq!((card.axes[0].holds, card.verdict.id.as_str()), (Some(Truth::Maybe), "undetermined"));
    assert!(card.worry.iter().any(|it| it.text.key == "reason.refused"), "{:?}", card.worry);
    assert!(card.believe.iter().all(|it| it.text.key != "reason.refused"));
    // What one reader was refused and the other measured is measured.
    let measured = Draft::answered().both("T1 refused").answers("li", "T1 4 MA").score();
    assert!(measured.believe.iter().all(|it| it.text.key != "reason.refused"), "{:?}", measured.believe);
}

#[test]
fn an_open_hold_keeps_a_verdict_open() {
    let mut draft = Draft::answered();
    draft.evidence.facts.remove("claims.worst");
    let card = draft.score();
    assert_eq!((card.verdict.id.as_str(), card.verdict.decided_by.as_str()), ("undetermined", "open"));
    assert!(card.verdict.possible.iter().any(|it| it.gates == ["G-ARITH"]), "{:?}", card.verdict.possible);
}

#[test]
fn means_on_a_bound_belong_to_the_band_above() {
    let draft = Draft::answered().both("R1 4 A1; A1 4 A1; D1 2 A1; D2 1 A1; T1 0 MA; T2 1 A1");
    // (20 * 2 + 10 * 1 + 24 * 1) / 54 is 74/54; T1 is an axis of its own.
    let bands = |draft: &Draft| draft.score().axes.into_iter().find(|it| it.id == "substance").unwrap().bands;
    assert_eq!(bands(&draft), [Band::Low]);
    let mut on_the_bound = draft;
    on_the_bound.rubric.axes.low_below = (74.0_f64 / 54.0 * 1e9).round() / 1e9;
    assert_eq!(bands(&on_the_bound), [Band::Medium]);
}

#[test]
fn whose_weights_they_are_moves_the_pillar_and_no_other_axis() {
    let scores = |lines: &str| {
        let card = Draft::answered().both(lines).score();
        let axis = card.axes.iter().find(|it| it.id == "substance").unwrap().score;
        let pillar = card.pillars.iter().find(|it| it.id == "T").unwrap().score;
        (axis, pillar)
    };
    let (copied, own) = (scores("T1 0 MA"), scores("T1 4 MA"));
    assert_eq!(copied.0, own.0);
    assert_ne!(copied.1, own.1);
}

#[test]
fn independent_takes_measured_weights_and_disclosure() {
    let own = "R1 3 A1; D1 3 A1; D2 3 A1; T1 4 MA; T2 3 A1; A1 3 A1";
    assert_eq!(Draft::answered().both(own).verdict(), "independent");
    assert_eq!(Draft::answered().both(own).both("T1 2 MB").verdict(), "transitional");
    assert_eq!(Draft::answered().both(own).both("A1 1 B1").verdict(), "transitional");
    assert_eq!(Draft::answered().both(own).both("D1 0 A1; D2 0 A1; T2 0 A1").verdict(), "undetermined");
}

#[test]
fn flips_really_flip() {
    let draft = Draft::answered();
    let card = draft.score();
    assert!(card.flips.iter().any(|it| it.direction == "down"));
    assert!(card.flips.iter().any(|it| it.direction == "up"));
    for flip in &card.flips {
        assert!((1..=2).contains(&flip.changes.len()));
        let lines: Vec<_> = flip
            .changes
            .iter()
            .map(|it| {
                let evidence = if it.criterion == "T1" { "MA" } else { "A1" };
                format!("{} {} {evidence}", it.criterion, it.level)
            })
            .collect();
        assert_eq!(draft.clone().both(&lines.join("; ")).verdict(), flip.to, "{flip:?}");
        assert_ne!(flip.to, card.verdict.id);
    }
}

#[test]
fn an_open_verdict_says_what_would_settle_it() {
    let card = Draft::answered().both("R1 1 C1").score();
    assert!(card.flips.iter().all(|it| it.direction == "settle"));
    assert!(card.flips.iter().any(|it| it.changes.len() == 1 && it.changes[0].criterion == "T1"));
    assert_eq!(card.questions[0].criterion, "T1");
    assert_eq!(card.questions[0].rules_out, 1);
}

#[test]
fn reasons_are_the_heaviest_and_say_what_they_rest_on() {
    let card = Draft::answered().both("R1 4 A1; A1 0 B1").fact("claim.from_scratch", Value::Yes(false)).score();
    assert_eq!(card.believe[0].rests_on[0], "R1");
    assert_eq!(card.worry[0].rests_on[0], "G-LICENCE");
    assert!(card.worry.iter().any(|it| it.text.key == "reason.weights_open"));
    assert!(card.believe.len() <= 3 && card.worry.len() <= 3);
}

#[test]
fn a_scorecard_survives_its_file() {
    let card = Draft::answered().score();
    let bytes = crate::scoring::store::render(&card);
    assert_eq!(crate::scoring::store::parse(&bytes, "scorecard.json").unwrap(), card);
    let other = String::from_utf8(bytes).unwrap().replace("unshell/scorecard/1", "unshell/scorecard/2");
    let error = crate::scoring::store::parse(other.as_bytes(), "scorecard.json").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`scorecard.json` has schema `unshell/scorecard/2`, and this program reads `unshell/scorecard/1`"
    );
}

#[test]
fn a_small_scorecard() {
    let mut card = Draft::answered().score();
    card.tool_version = "test".to_owned();
    card.rubric.sha256 = "of the rubric".to_owned();
    card.inputs.clear();
    insta::assert_json_snapshot!(card);
}

/// Every key that the sources of this room state is listed, and every listed one is stated somewhere.
#[test]
fn every_sentence_is_listed() {
    use crate::scoring::MESSAGE_KEYS;
    let sources = [
        include_str!("../describe.rs"),
        include_str!("../pin.rs"),
        include_str!("../quadrant.rs"),
        include_str!("../reading.rs"),
        include_str!("../reason.rs"),
    ];
    assert!(MESSAGE_KEYS.is_sorted());
    let made_of_words = ["form.", "merge.", "reason.check_"];
    for key in MESSAGE_KEYS.iter().filter(|it| !made_of_words.iter().any(|start| it.starts_with(start))) {
        assert!(sources.iter().any(|it| it.contains(&format!("\"{key}\""))), "nobody states `{key}`");
    }
    for source in sources {
        for quoted in source.split('"').skip(1).step_by(2).filter(|it| it.contains('.') && !it.contains([' ', '{'])) {
            assert!(MESSAGE_KEYS.contains(&quoted) || quoted == "weights.relation", "`{quoted}` is not listed");
        }
    }
}
