//! What must hold for every case.

use proptest::prelude::*;

use crate::fact::{Text, Truth};
use crate::rubric::{Condition, Effect, Gate};
use crate::scoring::Scorecard;
use crate::scoring::decide;
use crate::scoring::tests::draft::Draft;

const CRITERIA: [&str; 6] = ["R1", "D1", "D2", "T1", "T2", "A1"];

/// Answers of one reader: a level with its evidence, or none.
fn answers() -> impl Strategy<Value = Vec<(usize, String)>> {
    let level = prop_oneof![
        3 => (0..=4u8, prop::sample::subsequence(vec!["A", "B", "C", "D", "E"], 0..=2))
            .prop_map(|(level, grades)| (level.to_string(), grades)),
        1 => prop::sample::select(vec!["unknown", "refused", "not_observable"])
            .prop_map(|word| (word.to_owned(), Vec::new())),
    ];
    prop::collection::vec(level, CRITERIA.len()).prop_map(|levels| {
        let lines = levels.into_iter().enumerate().map(|(idx, (level, grades))| (idx, line(idx, &level, &grades)));
        lines.collect()
    })
}

fn line(idx: usize, level: &str, grades: &[&str]) -> String {
    let is_weights = CRITERIA[idx] == "T1";
    let evidence = grades.iter().map(|it| if is_weights { format!(" M{it}") } else { format!(" {it}1") });
    format!("{} {level}{}", CRITERIA[idx], evidence.collect::<String>())
}

fn draft(one: &[(usize, String)], other: &[(usize, String)]) -> Draft {
    let mut draft = Draft::new();
    for (analyst, lines) in [("chen", one), ("li", other)] {
        for (_, line) in lines {
            draft = draft.answers(analyst, line);
        }
    }
    draft
}

fn possible(card: &Scorecard) -> Vec<&str> {
    card.verdict.possible.iter().map(|it| it.id.as_str()).collect()
}

/// `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: 3 * usual.cases / 16, failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    /// An answer in the place of "unknown" rules verdicts out and never in, and never makes a mean wider.
    #[test]
    fn knowing_more_never_widens(lines in answers(), idx in 0..CRITERIA.len(), level in 0..=4u8) {
        let unknown = draft(&lines, &lines).both(&format!("{} unknown", CRITERIA[idx]));
        let known = unknown.clone().both(&line(idx, &level.to_string(), &["A"]));
        let (before, after) = (unknown.score(), known.score());
        prop_assert!(possible(&after).iter().all(|it| possible(&before).contains(it)));
        prop_assert!(after.score.low >= before.score.low - 1e-9 && after.score.high <= before.score.high + 1e-9);
        prop_assert!(after.coverage >= before.coverage);
        prop_assert!(after.confidence.share >= before.confidence.share);
        for (before, after) in before.gates.iter().zip(&after.gates) {
            let is_counted = matches!(before.id.as_str(), "G-COVER" | "G-TWO");
            prop_assert!(is_counted || before.tripped == Truth::Maybe || before.tripped == after.tripped);
        }
    }

    /// Better evidence for the same answer never takes back what was proven.
    #[test]
    fn better_evidence_never_proves_less(lines in answers(), idx in 0..CRITERIA.len(), level in 0..=4u8) {
        let mut lowest: f64 = 0.0;
        for grades in [&["E"][..], &["E", "D"], &["D", "C"], &["C", "B"], &["B", "A"]] {
            let draft = draft(&lines, &lines).both(&line(idx, &level.to_string(), grades));
            let low = draft.criterion(CRITERIA[idx]).interval.unwrap().low;
            prop_assert!(low >= lowest, "{grades:?}: {low} after {lowest}");
            lowest = low;
        }
    }

    /// What is not known takes part as a range, so the mean it would have at any level lies inside.
    #[test]
    fn unknown_never_scores_as_zero(lines in answers(), idx in 0..CRITERIA.len()) {
        let unknown = draft(&lines, &lines).both(&format!("{} unknown", CRITERIA[idx])).score();
        let proven = draft(&lines, &lines).both(&line(idx, "4", &["A"])).score();
        prop_assert!((unknown.score.high - proven.score.high).abs() < 1e-9);
        prop_assert!(unknown.score.high > unknown.score.low);
    }

    /// A further gate never makes a verdict better, and never brings back one that was ruled out for a worse one.
    #[test]
    fn a_further_gate_never_improves_the_verdict(one in answers(), other in answers(), level in 0..=4u8, cap in 0..3usize) {
        let plain = draft(&one, &other);
        let mut stricter = plain.clone();
        let to = stricter.rubric.verdicts[cap].id.clone();
        stricter.rubric.gates.push(Gate {
            id: "G-MORE".to_owned(),
            name: Text::plain("more"),
            meaning: Text::plain("more"),
            effect: Effect::Cap(to),
            when: Condition::LevelAtMost { criterion: "R1".to_owned(), level },
            waivable: false,
        });
        let (before, after) = (plain.score(), stricter.score());
        let rank = |card: &Scorecard| decide::rank(&plain.rubric, &card.verdict.id);
        if let (Some(before), Some(after)) = (rank(&before), rank(&after)) {
            prop_assert!(after <= before);
        }
        let best = |card: &Scorecard| possible(card).iter().filter_map(|it| decide::rank(&plain.rubric, it)).max();
        prop_assert!(best(&after) <= best(&before));
    }

    /// The same case gives the same bytes, and every part points at things that exist.
    #[test]
    fn a_scorecard_is_whole(one in answers(), other in answers()) {
        let draft = draft(&one, &other);
        let card = draft.score();
        prop_assert_eq!(crate::scoring::store::render(&card), crate::scoring::store::render(&draft.score()));
        prop_assert!(card.verdict.possible.iter().all(|it| !it.rows.is_empty() || !it.gates.is_empty()));
        prop_assert!(card.score.low <= card.score.high && card.score.low >= 0.0 && card.score.high <= 4.0);
        prop_assert!((0.0..=1.0).contains(&card.coverage) && (0.0..=1.0).contains(&card.confidence.share));
        let is_single = card.verdict.possible.len() == 1;
        prop_assert_eq!(card.verdict.decided_by == "open", !is_single && card.verdict.deciding.is_none());
        for criterion in &card.criteria {
            let interval = criterion.interval.unwrap();
            prop_assert!(interval.low >= 0.0 && interval.high <= 4.0 && interval.low <= interval.high);
            prop_assert!(criterion.covered || interval.width() == 4.0);
        }
    }
}
