//! What to ask next: what rules out most verdicts for its hours, then what closes most of the range.

use crate::scoring::Question;
use crate::scoring::decide::{self, Decision, Waived};
use crate::scoring::draws::Draws;
use crate::scoring::situation::{SCALE, Situation, Standing, even};

/// So many are listed.
const LISTED: usize = 10;

/// Samples that an answer is tried on.
const SAMPLES: usize = 400;

/// A verdict that comes out less often is not counted as possible.
const POSSIBLE: f64 = 0.01;

pub(crate) fn questions(
    situation: &Situation<'_>,
    waived: &Waived,
    decision: &Decision,
    draws: &Draws,
) -> Vec<Question> {
    let draws = &draws.first(SAMPLES);
    let total: f64 =
        situation.criteria().filter(|(_, it)| it.interval.is_some()).map(|(criterion, _)| criterion.weight).sum();
    let open = situation.criteria().enumerate().filter_map(|(idx, (criterion, standing))| {
        let width = standing.interval?.width();
        (width > 0.0).then(|| Question {
            criterion: criterion.id.clone(),
            question: criterion.question.clone(),
            ask_for: criterion.ask_for.clone(),
            hours: criterion.hours,
            rules_out: rules_out(situation, waived, decision, draws, idx),
            narrows: if total > 0.0 { even(criterion.weight / total * width) } else { 0.0 },
        })
    });
    let mut questions: Vec<Question> = open.collect();
    questions.sort_by(|one, other| {
        let by_verdicts = per_hour(other, other.rules_out as f64).total_cmp(&per_hour(one, one.rules_out as f64));
        let by_range = per_hour(other, other.narrows).total_cmp(&per_hour(one, one.narrows));
        by_verdicts.then(by_range).then_with(|| one.criterion.cmp(&other.criterion))
    });
    questions.truncate(LISTED);
    questions
}

/// An answer that costs nothing is still read in a quarter of an hour.
fn per_hour(question: &Question, gain: f64) -> f64 {
    gain / question.hours.max(0.25)
}

/// How many of the possible verdicts the best answer would rule out, among answers that are still possible.
fn rules_out(situation: &Situation<'_>, waived: &Waived, decision: &Decision, draws: &Draws, idx: usize) -> u64 {
    let interval = situation.standings.get(idx).and_then(|it| it.interval).unwrap_or(SCALE);
    let still_possible = |level: &u8| (interval.low..=interval.high).contains(&f64::from(*level));
    let before: Vec<&str> = possible(decision);
    let remaining = (0..=4).filter(still_possible).map(|level| {
        let answered = decide::decide(&situation.with(idx, Standing::at(level)), waived, draws);
        let after = possible(&answered);
        before.iter().filter(|it| after.contains(it)).count()
    });
    let least = remaining.min().unwrap_or(before.len());
    u64::try_from(before.len() - least).unwrap_or(u64::MAX)
}

fn possible(decision: &Decision) -> Vec<&str> {
    decision.possible.iter().filter(|it| it.highest >= POSSIBLE).map(|it| it.verdict.as_str()).collect()
}
