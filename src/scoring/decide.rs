//! The verdict: gates and the decision table, evaluated on everything that is still possible.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{Interval, Truth};
use crate::rubric::{Band, Effect, Gate, Rubric, Verdict};
use crate::scoring::situation::Situation;

/// Ids of the gates that are waived.
pub(crate) type Waived = BTreeSet<String>;

/// What gates and table say together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// Id of the verdict.
    pub(crate) verdict: String,
    /// What decided.
    pub(crate) by: By,
    /// Verdicts that remain possible, with how each could come about; worst first.
    pub(crate) possible: Vec<Possible>,
}

/// What a verdict came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum By {
    /// These rows of the table (from 0), all with one verdict.
    Rows(Vec<usize>),
    /// A gate.
    Gate(String),
    /// Nothing: several verdicts remain.
    Open,
}

/// A verdict that remains possible.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Possible {
    pub(crate) verdict: String,
    /// Rows that lead to it without a gate, from 0.
    pub(crate) rows: BTreeSet<usize>,
    /// Gates that would lead to it.
    pub(crate) gates: BTreeSet<String>,
}

/// Evaluates gates and table.
pub(crate) fn decide(situation: &Situation<'_>, waived: &Waived) -> Decision {
    let possible = possible(situation, waived);
    if let Some((gate, verdict)) = overriding(situation, waived) {
        return Decision { verdict, by: By::Gate(gate), possible };
    }
    match possible.as_slice() {
        [only] => Decision { verdict: only.verdict.clone(), by: only.by(), possible },
        _ => Decision { verdict: undetermined(situation.rubric), by: By::Open, possible },
    }
}

impl Possible {
    fn by(&self) -> By {
        match self.gates.first() {
            Some(gate) if self.rows.is_empty() => By::Gate(gate.clone()),
            _ => By::Rows(self.rows.iter().copied().collect()),
        }
    }
}

/// The first gate that overrides the table, whatever the unknowns turn out to be.
fn overriding(situation: &Situation<'_>, waived: &Waived) -> Option<(String, String)> {
    in_force(situation.rubric, waived).find_map(|gate| match &gate.effect {
        Effect::Veto(verdict) | Effect::Hold(verdict) if situation.truth(&gate.when) == Truth::Yes => {
            Some((gate.id.clone(), verdict.clone()))
        }
        Effect::Veto(_) | Effect::Hold(_) | Effect::Cap(_) | Effect::CriterionCap { .. } | Effect::Stamp(_) => None,
    })
}

fn in_force<'a>(rubric: &'a Rubric, waived: &Waived) -> impl Iterator<Item = &'a Gate> {
    rubric.gates.iter().filter(|it| !waived.contains(&it.id))
}

/// Every verdict that some way of filling in the unknowns leads to.
fn possible(situation: &Situation<'_>, waived: &Waived) -> Vec<Possible> {
    let mut found: BTreeMap<String, Possible> = BTreeMap::new();
    let holds = open_holds(situation, waived);
    for (derived, world) in situation.worlds() {
        for row in first_matches(&world, derived) {
            let verdict = match row {
                Some(row) => world.rubric.decision_table[row].then.clone(),
                None => undetermined(world.rubric),
            };
            for (verdict, gate) in limited(&world, waived, &holds, verdict) {
                let slot = found.entry(verdict.clone());
                let slot = slot.or_insert(Possible { verdict, rows: BTreeSet::default(), gates: BTreeSet::default() });
                match gate {
                    Some(gate) => slot.gates.extend([gate]),
                    None => slot.rows.extend(row),
                }
            }
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|it| (rank(situation.rubric, &it.verdict).unwrap_or(u8::MAX), it.verdict.clone()));
    found
}

/// The rows that may be the first to match in one world, from 0; `None` where no row does.
pub(crate) fn first_matches(world: &Situation<'_>, derived: bool) -> BTreeSet<Option<usize>> {
    let means = world.rubric.axes.means.iter();
    let axes: Vec<(&str, Vec<Band>)> =
        means.map(|(id, axis)| (id.as_str(), world.bands(world.axis_mean(&axis.pillars)))).collect();
    let combinations: usize = axes.iter().map(|(_, bands)| bands.len()).product();
    (0..combinations).map(|number| first_match(world.rubric, derived, &combination(&axes, number))).collect()
}

/// One band for each axis: the combination with this number, the first axis counting fastest.
fn combination<'a>(axes: &[(&'a str, Vec<Band>)], number: usize) -> Vec<(&'a str, Band)> {
    let mut rest = number;
    let pick = |(id, bands): &(&'a str, Vec<Band>)| {
        let band = bands[rest % bands.len()];
        rest /= bands.len();
        (*id, band)
    };
    axes.iter().map(pick).collect()
}

fn first_match(rubric: &Rubric, derived: bool, combination: &[(&str, Band)]) -> Option<usize> {
    let allows = |allowed: &BTreeMap<String, Vec<Band>>| {
        combination.iter().all(|(axis, band)| allowed.get(*axis).is_none_or(|it| it.contains(band)))
    };
    rubric.decision_table.iter().position(|row| row.derived.is_none_or(|it| it == derived) && allows(&row.bands))
}

/// What caps and vetoes make of a verdict of the table: a gate that cannot be told leaves both possible.
fn limited(
    world: &Situation<'_>,
    waived: &Waived,
    holds: &[(&Gate, &String)],
    verdict: String,
) -> BTreeSet<(String, Option<String>)> {
    let mut outcomes = BTreeSet::from([(verdict, None)]);
    for gate in in_force(world.rubric, waived) {
        let Effect::Cap(cap) = &gate.effect else { continue };
        let capped = |(verdict, by): &(String, Option<String>)| {
            let is_better = rank(world.rubric, verdict) > rank(world.rubric, cap);
            if is_better { (cap.clone(), Some(gate.id.clone())) } else { (verdict.clone(), by.clone()) }
        };
        apply(world.truth(&gate.when), outcomes.iter().map(capped).collect(), &mut outcomes);
    }
    for gate in in_force(world.rubric, waived) {
        let Effect::Veto(veto) = &gate.effect else { continue };
        apply(world.truth(&gate.when), BTreeSet::from([(veto.clone(), Some(gate.id.clone()))]), &mut outcomes);
    }
    for (gate, hold) in holds {
        apply(world.truth(&gate.when), BTreeSet::from([((*hold).clone(), Some(gate.id.clone()))]), &mut outcomes);
    }
    outcomes
}

/// Holds of which it cannot be told whether they trip. One that surely trips leaves open what the table would say.
fn open_holds<'a>(situation: &Situation<'a>, waived: &Waived) -> Vec<(&'a Gate, &'a String)> {
    let open = in_force(situation.rubric, waived).filter_map(|gate| match &gate.effect {
        Effect::Hold(verdict) if situation.truth(&gate.when) == Truth::Maybe => Some((gate, verdict)),
        _ => None,
    });
    open.collect()
}

fn apply<T: Ord>(tripped: Truth, changed: BTreeSet<T>, outcomes: &mut BTreeSet<T>) {
    match tripped {
        Truth::Yes => *outcomes = changed,
        Truth::Maybe => outcomes.extend(changed),
        Truth::No => {}
    }
}

/// Lowers criteria whose level a gate caps; where the gate cannot be told, only the lower end goes down.
///
/// Gives the gates that did something, by position of the criterion.
pub(crate) fn cap_criteria<'a>(
    situation: &Situation<'a>,
    waived: &Waived,
) -> (Situation<'a>, Vec<(usize, String, u8, Truth)>) {
    let mut capped = situation.clone();
    let mut done = Vec::new();
    for gate in in_force(situation.rubric, waived) {
        let Effect::CriterionCap { criterion, level } = &gate.effect else { continue };
        let Some(idx) = situation.position(criterion) else { continue };
        let tripped = situation.truth(&gate.when);
        let standing = capped.standings[idx];
        let Some(interval) = standing.interval else { continue };
        let bound = f64::from(*level);
        let lowered = match tripped {
            Truth::Yes => Interval { low: interval.low.min(bound), high: interval.high.min(bound) },
            Truth::Maybe => Interval { low: interval.low.min(bound), high: interval.high },
            Truth::No => interval,
        };
        if lowered != interval {
            capped.standings[idx].interval = Some(lowered);
            done.push((idx, gate.id.clone(), *level, tripped));
        }
    }
    (capped, done)
}

/// The verdict that means "not to be told".
pub(crate) fn undetermined(rubric: &Rubric) -> String {
    let verdict = rubric.verdicts.iter().find(|it| it.rank.is_none());
    verdict.map_or_else(|| "undetermined".to_owned(), |it| it.id.clone())
}

/// Rank of a verdict, worst is 0; none for "not to be told", which no cap reaches.
pub(crate) fn rank(rubric: &Rubric, id: &str) -> Option<u8> {
    verdict(rubric, id).and_then(|it| it.rank)
}

pub(crate) fn verdict<'a>(rubric: &'a Rubric, id: &str) -> Option<&'a Verdict> {
    rubric.verdicts.iter().find(|it| it.id == id)
}
