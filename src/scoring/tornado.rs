//! How much each criterion moves the share of the verdict: its lowest share with the criterion at the lower end of what
//! it may be, and at the upper.

use crate::scoring::Swing;
use crate::scoring::decide::{self, Decision, Waived};
use crate::scoring::draws::Draws;
use crate::scoring::situation::{SCALE, Situation, Standing};

/// Samples that an end is tried on.
const SAMPLES: usize = 2_000;

/// So many are listed.
const LISTED: usize = 10;

/// The criteria that move the verdict most. What is measured does not move; a reading moves by a level, an open
/// criterion over its whole range.
pub(crate) fn tornado(
    situation: &Situation<'_>,
    waived: &Waived,
    decision: &Decision,
    draws: &Draws,
    is_measured: &dyn Fn(usize) -> bool,
) -> Vec<Swing> {
    let Some(verdict) = leading(decision) else { return Vec::new() };
    let draws = &draws.first(SAMPLES);
    let share = |idx: usize, level: u8| {
        let found = decide::decide(&situation.with(idx, Standing::at(level)), waived, draws);
        let possible = found.possible.iter().find(|it| it.verdict == verdict);
        percent(possible.map_or(0.0, |it| it.lowest))
    };
    let movable = (0..situation.standings.len()).filter(|it| !is_measured(*it));
    let swings = movable.filter_map(|idx| {
        let standing = situation.standings[idx];
        let (low, high) = ends(standing)?;
        let criterion = situation.rubric.criteria[idx].id.clone();
        Some(Swing {
            criterion,
            verdict: verdict.clone(),
            at_low: (low, share(idx, low)),
            at_high: (high, share(idx, high)),
        })
    });
    let mut swings: Vec<Swing> = swings.filter(|it| it.at_low.1 != it.at_high.1).collect();
    let width = |it: &Swing| it.at_low.1.abs_diff(it.at_high.1);
    swings.sort_by(|one, other| width(other).cmp(&width(one)).then_with(|| one.criterion.cmp(&other.criterion)));
    swings.truncate(LISTED);
    swings
}

/// The verdict that was reached, or the one with the largest share where none was.
fn leading(decision: &Decision) -> Option<String> {
    let best = decision
        .possible
        .iter()
        .max_by(|one, other| one.lowest.total_cmp(&other.lowest).then(one.highest.total_cmp(&other.highest)))?;
    let reached = decision.possible.iter().find(|it| it.verdict == decision.verdict && decision.strength.is_some());
    Some(reached.unwrap_or(best).verdict.clone())
}

/// A level down and up for what was read; the range for what is open.
fn ends(standing: Standing) -> Option<(u8, u8)> {
    let interval = standing.interval?;
    let reading = if standing.readings > 0 { 1.0 } else { 0.0 };
    let low = (interval.low - reading).clamp(SCALE.low, SCALE.high);
    let high = (interval.high + reading).clamp(SCALE.low, SCALE.high);
    Some((low as u8, high as u8))
}

/// A share in whole percent; what comes out at all is at least 1, what does not come out always at most 99.
pub(crate) fn percent(share: f64) -> u8 {
    match share {
        it if it <= 0.0 => 0,
        it if it >= 1.0 => 100,
        it => (it * 100.0).round().clamp(1.0, 99.0) as u8,
    }
}
