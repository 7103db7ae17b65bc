//! What would change the verdict: the smallest changes of one criterion, then of two, found by really deciding again.

use crate::rubric::Rubric;
use crate::scoring::decide::{self, Decision, Waived};
use crate::scoring::draws::Draws;
use crate::scoring::situation::{Situation, Standing};
use crate::scoring::{Change, Flip};

/// So many are told for each direction.
const TOLD: usize = 3;

/// One change and its size.
#[derive(Clone, Copy, Debug)]
struct Move {
    criterion: usize,
    level: u8,
    /// Levels from what is known now; nothing where the level is possible already.
    distance: f64,
}

/// A change that was tried, and where it leads.
#[derive(Clone, Debug)]
struct Found {
    direction: &'static str,
    moves: Vec<Move>,
    to: String,
    hours: f64,
}

/// Samples that a change is tried on: enough to see that three quarters of them agree.
const SAMPLES: usize = 400;

/// The smallest changes of one criterion, then of two, that lead to another verdict. What is measured does not move.
pub(crate) fn flips(
    situation: &Situation<'_>,
    waived: &Waived,
    decision: &Decision,
    draws: &Draws,
    is_measured: &dyn Fn(usize) -> bool,
) -> Vec<Flip> {
    let draws = &draws.first(SAMPLES);
    let moves: Vec<Move> = moves(situation).into_iter().filter(|it| !is_measured(it.criterion)).collect();
    let tried = moves.iter().filter_map(|it| attempt(situation, waived, decision, &[*it], draws));
    let singles = smallest(tried.collect());
    let directions = ["up", "down", "settle"];
    let mut flips = Vec::new();
    let needs_pairs = |direction| !singles.iter().any(|it: &Found| it.direction == direction);
    let pairs = if directions.into_iter().filter(|it| is_wanted(situation.rubric, decision, it)).any(needs_pairs) {
        smallest(pairs(situation, waived, decision, &moves, draws))
    } else {
        Vec::new()
    };
    for direction in directions {
        let of = |found: &[Found]| {
            found.iter().filter(|it| it.direction == direction).take(TOLD).cloned().collect::<Vec<_>>()
        };
        let found = if needs_pairs(direction) { of(&pairs) } else { of(&singles) };
        flips.extend(found.into_iter().map(|it| told(situation.rubric, it)));
    }
    flips
}

/// Whether a verdict can go that way at all.
fn is_wanted(rubric: &Rubric, decision: &Decision, direction: &str) -> bool {
    let ranks = rubric.verdicts.iter().filter_map(|it| it.rank);
    match (decide::rank(rubric, &decision.verdict), direction) {
        (None, "settle") => true,
        (Some(now), "up") => ranks.max().is_some_and(|best| best > now),
        (Some(now), "down") => ranks.min().is_some_and(|worst| worst < now),
        _ => false,
    }
}

/// Every criterion brought to every level that would be news.
fn moves(situation: &Situation<'_>) -> Vec<Move> {
    let standings = situation.standings.iter().enumerate();
    let applicable = standings.filter_map(|(idx, standing)| Some((idx, standing.interval?)));
    let moves = applicable.flat_map(|(criterion, interval)| {
        (0..=4).filter(move |level| interval.width() > 0.0 || interval.low != f64::from(*level)).map(move |level| {
            let at = f64::from(level);
            let distance = (interval.low - at).max(at - interval.high).max(0.0);
            Move { criterion, level, distance }
        })
    });
    moves.collect()
}

/// Two changes together: each criterion at its lowest and highest level, since a mean moves most by those.
fn pairs(situation: &Situation<'_>, waived: &Waived, decision: &Decision, moves: &[Move], draws: &Draws) -> Vec<Found> {
    let ends: Vec<&Move> = moves.iter().filter(|it| it.level == 0 || it.level == 4).collect();
    let mut found = Vec::new();
    for (idx, one) in ends.iter().enumerate() {
        for other in ends.iter().skip(idx + 1).filter(|it| it.criterion != one.criterion && it.level == one.level) {
            found.extend(attempt(situation, waived, decision, &[**one, **other], draws));
        }
    }
    found
}

fn attempt(
    situation: &Situation<'_>,
    waived: &Waived,
    decision: &Decision,
    moves: &[Move],
    draws: &Draws,
) -> Option<Found> {
    let changed = moves.iter().fold(situation.clone(), |it, step| it.with(step.criterion, Standing::at(step.level)));
    let to = decide::decide(&changed, waived, draws).verdict;
    let rubric = situation.rubric;
    let direction = match (decide::rank(rubric, &decision.verdict), decide::rank(rubric, &to)) {
        (None, Some(_)) => "settle",
        (Some(now), Some(then)) if then > now => "up",
        (Some(now), Some(then)) if then < now => "down",
        // A verdict that is lost and not replaced is no direction.
        _ => return None,
    };
    let hours = moves.iter().filter_map(|it| rubric.criteria.get(it.criterion)).map(|it| it.hours).sum();
    Some(Found { direction, moves: moves.to_vec(), to, hours })
}

/// The smallest for each set of criteria and each verdict, smallest first.
fn smallest(mut found: Vec<Found>) -> Vec<Found> {
    let size = |it: &Found| it.moves.iter().map(|step| step.distance).sum::<f64>();
    let place = |it: &Found| it.moves.iter().map(|step| (step.criterion, step.level)).collect::<Vec<_>>();
    found.sort_by(|one, other| {
        let by_size = size(one).total_cmp(&size(other));
        by_size.then(one.hours.total_cmp(&other.hours)).then_with(|| place(one).cmp(&place(other)))
    });
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        let criteria = |it: &Found| it.moves.iter().map(|step| step.criterion).collect::<Vec<_>>();
        let is_known = kept.iter().any(|it| criteria(it) == criteria(&candidate) && it.to == candidate.to);
        if !is_known {
            kept.push(candidate);
        }
    }
    kept
}

fn told(rubric: &Rubric, found: Found) -> Flip {
    let changes = found.moves.iter().filter_map(|step| {
        let criterion = rubric.criteria.get(step.criterion)?;
        let anchor = criterion.levels.get(usize::from(step.level)).cloned().unwrap_or_default();
        Some(Change { criterion: criterion.id.clone(), level: step.level, anchor })
    });
    Flip {
        direction: found.direction.to_owned(),
        changes: changes.collect(),
        name: decide::verdict(rubric, &found.to).map(|it| it.name.clone()).unwrap_or_default(),
        to: found.to,
        hours: found.hours,
    }
}
