//! What must hold for every case.

use proptest::prelude::*;

use crate::rubric::Rubric;
use crate::scoring::decide;
use crate::scoring::tests::draft::{Draft, open, settled};
use crate::scoring::{Scorecard, Strength};

const CRITERIA: [&str; 18] =
    ["R1", "R2", "R3", "R4", "D1", "D2", "D3", "D4", "T2", "T3", "T4", "T5", "A1", "A2", "A3", "C1", "C2", "C3"];

/// One answer: a level with its evidence, or none. Most cases have to be known well enough for a verdict.
fn answer() -> impl Strategy<Value = (String, Vec<&'static str>)> {
    let grades = prop::sample::subsequence(vec!["A1", "B1", "C1", "C2", "D1", "E1"], 0..=2);
    prop_oneof![
        8 => (0..=4u8, grades).prop_map(|(level, grades)| (level.to_string(), grades)),
        3 => (1..=4u8).prop_map(|level| (level.to_string(), vec!["A1"])),
        1 => prop::sample::select(vec!["unknown", "not_observable"]).prop_map(|it| (it.to_owned(), Vec::new())),
        1 => Just(("refused".to_owned(), vec!["D1"])),
    ]
}

/// A reader's answers around a level of their own, so that verdicts of every kind come out.
fn answers() -> impl Strategy<Value = Vec<(String, Vec<&'static str>)>> {
    let around = (0..=4u8, prop::collection::vec((-1..=1i8, answer(), any::<bool>()), CRITERIA.len()));
    around.prop_map(|(middle, all)| {
        let one = |(off, other, is_other): (i8, (String, Vec<&'static str>), bool)| {
            let level = (middle as i8 + off).clamp(0, 4);
            if is_other { other } else { (level.to_string(), vec!["B1"]) }
        };
        all.into_iter().map(one).collect()
    })
}

fn line(idx: usize, (level, grades): &(String, Vec<&'static str>)) -> String {
    let evidence: String = grades.iter().map(|it| format!(" {it}")).collect();
    format!("{} {level}{evidence}", CRITERIA[idx])
}

fn facts() -> impl Strategy<Value = (usize, &'static str, &'static str)> {
    let disclosed = prop::sample::select(vec!["", "at_release", "when_asked", "after_exposure", "silent", "denied"]);
    (0..4usize, prop::sample::select(vec!["none", "shown", "hearsay"]), disclosed)
}

type Lines = Vec<(String, Vec<&'static str>)>;

fn draft(one: &Lines, other: &Lines, (whose, claim, disclosed): (usize, &str, &str)) -> Draft {
    let mut draft = Draft::new().whose([settled(&[3]), settled(&[1]), open(), settled(&[0, 1, 2])][whose].clone());
    draft = draft.word("claim.from_scratch", claim);
    if !disclosed.is_empty() {
        draft = draft.word("disclosed.weights", disclosed);
    }
    for (analyst, lines) in [("chen", one), ("li", other)] {
        let all: Vec<String> = lines.iter().enumerate().map(|(idx, it)| line(idx, it)).collect();
        draft = draft.answers(analyst, &all.join("; "));
    }
    draft
}

/// Ranks of the verdicts that came out at all; "undetermined" by the table is below every rank.
fn ranks(rubric: &Rubric, card: &Scorecard) -> Vec<i16> {
    card.verdict.possible.iter().map(|it| decide::rank(rubric, &it.id).map_or(-1, i16::from)).collect()
}

fn definite(rubric: &Rubric, card: &Scorecard) -> Option<u8> {
    card.verdict.strength.and_then(|_| decide::rank(rubric, &card.verdict.id))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// No answer raises a verdict above what the facts allow.
    #[test]
    fn answers_never_make_weights_ones_own(
        one in answers(),
        whose in 1..4usize,
        claim in prop::sample::select(vec!["none", "shown"]),
    ) {
        let draft = draft(&one, &one, (whose, claim, "")).both("T1 4 A1");
        prop_assert_ne!(draft.verdict(), "independent");
    }

    /// A higher level never takes a better verdict away, and never lets a worse one in.
    #[test]
    fn raising_a_level_never_harms(one in answers(), facts in facts(), idx in 0..CRITERIA.len(), level in 0..=3u8) {
        let with = |level: u8| draft(&one, &one, facts).both(&line(idx, &(level.to_string(), vec!["A1"])));
        let (before, after) = (with(level).score(), with(level + 1).score());
        prop_assume!(!before.verdict.possible.is_empty() && !after.verdict.possible.is_empty());
        let rubric = &with(level).rubric;
        let (before, after) = (ranks(rubric, &before), ranks(rubric, &after));
        prop_assert!(after.iter().max() >= before.iter().max() && after.iter().min() >= before.iter().min());
    }

    /// Evidence that is added to an answer never widens it.
    #[test]
    fn further_evidence_never_widens(
        one in answers(),
        idx in 0..CRITERIA.len(),
        level in 0..=4u8,
        more in prop::sample::select(vec!["A2", "B2", "C2", "D2", "E2"]),
    ) {
        let with = |grades: Vec<&'static str>| {
            draft(&one, &one, (0, "none", "")).both(&line(idx, &(level.to_string(), grades))).criterion(CRITERIA[idx])
        };
        let (before, after) = (with(vec!["D1"]), with(vec!["D1", more]));
        let (before, after) = (before.interval.unwrap(), after.interval.unwrap());
        prop_assert!(after.low >= before.low && after.high <= before.high, "{before:?} {after:?}");
    }

    /// An answer that is left out never raises a definite verdict, nor makes an open case definite and better.
    #[test]
    fn leaving_an_answer_out_never_helps(
        one in answers(),
        other in answers(),
        facts in facts(),
        idx in 0..CRITERIA.len(),
        both in any::<bool>(),
    ) {
        let whole = draft(&one, &other, facts);
        let mut short = whole.clone();
        for (reader, answers) in &mut short.case.answers {
            if both || reader == "li" {
                answers.answers.remove(CRITERIA[idx]);
            }
        }
        let (before, after) = (whole.score(), short.score());
        let rubric = &whole.rubric;
        match (definite(rubric, &before), definite(rubric, &after)) {
            (Some(before), Some(after)) => prop_assert!(after <= before, "{before} {after}"),
            (None, Some(after)) => {
                let best = ranks(rubric, &before).into_iter().max();
                prop_assert!(before.verdict.possible.is_empty() || best >= Some(i16::from(after)));
                prop_assert!(["open", "gate", "table"].contains(&before.verdict.decided_by.as_str()));
                let worst = ranks(rubric, &before).into_iter().min();
                let is_worst = worst == Some(i16::from(after));
                prop_assert!(is_worst || before.verdict.possible.is_empty(), "{worst:?} {after}");
            }
            _ => {}
        }
    }

    /// Weaker evidence never makes fewer verdicts possible.
    #[test]
    fn weaker_evidence_rules_nothing_out(
        one in answers(),
        facts in facts(),
        idx in 0..CRITERIA.len(),
        level in 0..=4u8,
    ) {
        let with = |grade: &'static str| {
            let answer = line(idx, &(level.to_string(), vec![grade]));
            draft(&one, &one, facts).both(&answer).score()
        };
        let (strong, weak) = (with("A1"), with("D1"));
        prop_assume!(!strong.verdict.possible.is_empty() && !weak.verdict.possible.is_empty());
        for verdict in strong.verdict.possible.iter().filter(|it| it.highest > 5) {
            prop_assert!(weak.verdict.possible.iter().any(|it| it.id == verdict.id), "{}", verdict.id);
        }
    }

    /// The same case gives the same bytes, and shares are shares.
    #[test]
    fn a_scorecard_is_whole(one in answers(), other in answers(), facts in facts()) {
        let draft = draft(&one, &other, facts);
        let card = draft.score();
        prop_assert_eq!(crate::scoring::store::render(&card), crate::scoring::store::render(&draft.score()));
        for possible in &card.verdict.possible {
            prop_assert!(possible.lowest <= possible.highest && possible.highest <= 100 && possible.highest >= 1);
        }
        let floor = match card.verdict.strength {
            Some(Strength::Definite) => 90,
            Some(Strength::Likely) => 75,
            None => 0,
        };
        let reached = card.verdict.possible.iter().find(|it| it.id == card.verdict.id);
        prop_assert!(card.verdict.strength.is_none() || reached.is_some_and(|it| it.lowest >= floor));
    }
}
