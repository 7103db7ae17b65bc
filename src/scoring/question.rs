//! What to ask next: whatever rules out most verdicts, then whatever closes most of the range for its hours.

use crate::scoring::Question;
use crate::scoring::decide::{self, Decision, Waived};
use crate::scoring::situation::{SCALE, Situation, Standing, even};

/// So many are told.
const TOLD: usize = 10;

pub(crate) fn questions(situation: &Situation<'_>, waived: &Waived, decision: &Decision) -> Vec<Question> {
    let total: f64 =
        situation.criteria().filter(|(_, it)| it.interval.is_some()).map(|(criterion, _)| criterion.weight).sum();
    let open = situation.criteria().enumerate().filter_map(|(idx, (criterion, standing))| {
        let width = standing.interval?.width();
        (width > 0.0).then(|| Question {
            criterion: criterion.id.clone(),
            question: criterion.question.clone(),
            ask_for: criterion.ask_for.clone(),
            hours: criterion.hours,
            rules_out: rules_out(situation, waived, decision, idx),
            narrows: if total > 0.0 { even(criterion.weight / total * width) } else { 0.0 },
        })
    });
    let mut questions: Vec<Question> = open.collect();
    questions.sort_by(|one, other| {
        let by_verdicts = other.rules_out.cmp(&one.rules_out);
        by_verdicts.then(per_hour(other).total_cmp(&per_hour(one))).then_with(|| one.criterion.cmp(&other.criterion))
    });
    questions.truncate(TOLD);
    questions
}

/// An answer that costs nothing is still read in a quarter of an hour.
fn per_hour(question: &Question) -> f64 {
    question.narrows / question.hours.max(0.25)
}

/// How many of the possible verdicts the most telling answer would rule out, among answers that are still possible.
fn rules_out(situation: &Situation<'_>, waived: &Waived, decision: &Decision, idx: usize) -> u64 {
    let interval = situation.standings.get(idx).and_then(|it| it.interval).unwrap_or(SCALE);
    let still_possible = |level: &u8| (interval.low..=interval.high).contains(&f64::from(*level));
    let remaining = (0..=4).filter(still_possible).map(|level| {
        let (answered, _) = decide::cap_criteria(&situation.with(idx, Standing::at(level)), waived);
        let possible = decide::decide(&answered, waived).possible;
        decision.possible.iter().filter(|it| possible.iter().any(|left| left.verdict == it.verdict)).count()
    });
    let least = remaining.min().unwrap_or(decision.possible.len());
    u64::try_from(decision.possible.len() - least).unwrap_or(u64::MAX)
}
