//! The verdict: gates decide on facts, the table on means, in every world of facts and at both ends of what is known.
//!
//! Facts get no probability: the verdict has to hold in every world. How levels were read, what criteria weigh and
//! where cut-offs lie do: the verdict is the one that comes out in enough of the samples, counted where it comes out
//! least.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Truth;
use crate::rubric::{Band, Effect, Gate, Rubric, Verdict};
use crate::scoring::Strength;
use crate::scoring::draws::Draws;
use crate::scoring::shares::{Histogram, band_of, lower_end};
use crate::scoring::situation::{End, Situation, World, even};

/// Ids of the gates that are waived.
pub(crate) type Waived = BTreeSet<String>;

/// What gates and table say together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// Id of the verdict.
    pub(crate) verdict: String,
    /// How much it holds against what is not certain; none where nothing is decided.
    pub(crate) strength: Option<Strength>,
    /// What decided.
    pub(crate) by: By,
    /// Verdicts that came out at all, worst first; none where a gate holds the verdict.
    pub(crate) possible: Vec<Possible>,
    /// Rows of the table that came out at all, with the smallest and largest share of each.
    pub(crate) rows: BTreeMap<usize, (f64, f64)>,
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

/// A verdict that came out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Possible {
    pub(crate) verdict: String,
    /// Its share in the world and at the end where it comes out least.
    pub(crate) lowest: f64,
    /// And most.
    pub(crate) highest: f64,
    /// Rows that lead to it without a gate, from 0.
    pub(crate) rows: BTreeSet<usize>,
    /// Gates that lead to it.
    pub(crate) gates: BTreeSet<String>,
    /// The gate that leads to it more often than the rows do, if one does.
    pub(crate) mostly: Option<String>,
}

/// Evaluates gates and table.
pub(crate) fn decide(situation: &Situation<'_>, waived: &Waived, draws: &Draws) -> Decision {
    if let Some((gate, verdict, is_hold)) = overriding(situation, waived) {
        let gates = BTreeSet::from([gate.clone()]);
        let only = Possible {
            verdict: verdict.clone(),
            lowest: 1.0,
            highest: 1.0,
            rows: BTreeSet::new(),
            gates,
            mostly: Some(gate.clone()),
        };
        let possible = if is_hold { Vec::new() } else { vec![only] };
        let strength = (!is_hold).then_some(Strength::Definite);
        return Decision { verdict, strength, by: By::Gate(gate), possible, rows: BTreeMap::new() };
    }
    let (possible, rows) = Tally::of(situation, waived, &Histogram::of(situation, draws)).finish(situation.rubric);
    let robustness = &situation.rubric.robustness;
    let holds = |it: &&Possible| lower_end(it.lowest, draws.samples) >= robustness.likely;
    let Some(found) = possible.iter().find(holds).cloned() else {
        return Decision { verdict: undetermined(situation.rubric), strength: None, by: By::Open, possible, rows };
    };
    let is_ranked = rank(situation.rubric, &found.verdict).is_some();
    let is_definite = lower_end(found.lowest, draws.samples) >= robustness.definite;
    let strength = if is_definite { Strength::Definite } else { Strength::Likely };
    Decision { verdict: found.verdict.clone(), strength: is_ranked.then_some(strength), by: found.by(), possible, rows }
}

impl Possible {
    fn by(&self) -> By {
        match &self.mostly {
            Some(gate) => By::Gate(gate.clone()),
            None => By::Rows(self.rows.iter().copied().collect()),
        }
    }
}

/// The first gate that overrides the table in every world: its id, its verdict, and whether it only holds. A veto does
/// so only where no veto before it may trip: both verdicts remain then.
fn overriding(situation: &Situation<'_>, waived: &Waived) -> Option<(String, String, bool)> {
    let mut is_open = false;
    for gate in in_force(situation.rubric, waived) {
        let found = |verdict: &String, is_hold| Some((gate.id.clone(), verdict.clone(), is_hold));
        match (&gate.effect, situation.truth(&gate.when)) {
            (Effect::Hold(verdict), Truth::Yes) => return found(verdict, true),
            (Effect::Veto(_), Truth::Yes) if is_open => return None,
            (Effect::Veto(verdict), Truth::Yes) => return found(verdict, false),
            (Effect::Veto(_), Truth::Maybe) => is_open = true,
            _ => {}
        }
    }
    None
}

fn in_force<'a>(rubric: &'a Rubric, waived: &Waived) -> impl Iterator<Item = &'a Gate> {
    rubric.gates.iter().filter(|it| !waived.contains(&it.id))
}

/// What led to one verdict so far.
#[derive(Default)]
struct Led {
    /// Its share in each world and at each end where it came out.
    shares: Vec<f64>,
    rows: BTreeSet<usize>,
    /// Shares that came from gates, added up over worlds and ends.
    gates: BTreeMap<String, f64>,
    /// Shares that came from rows, added up likewise.
    by_rows: f64,
}

/// Shares while they are added up, world by world and end by end.
#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<String, Led>,
    rows: BTreeMap<usize, Vec<f64>>,
    cells: usize,
}

impl Tally {
    fn of(situation: &Situation<'_>, waived: &Waived, histogram: &Histogram) -> Self {
        let mut tally = Self::default();
        for world in situation.worlds() {
            for end in End::BOTH {
                tally.add(situation, waived, histogram, &world, end);
            }
        }
        tally
    }

    fn add(&mut self, situation: &Situation<'_>, waived: &Waived, histogram: &Histogram, world: &World, end: End) {
        let tripped = |gate: &&Gate| situation.truth_in(&gate.when, world, end) == Truth::Yes;
        let gates: Vec<&Gate> = in_force(situation.rubric, waived).filter(tripped).collect();
        self.cells += 1;
        let mut cell: BTreeMap<String, f64> = BTreeMap::new();
        let mut rows: BTreeMap<usize, f64> = BTreeMap::new();
        for (combination, share) in histogram.shares(end) {
            let row = first_match(situation.rubric, world.derived, combination);
            let (verdict, gate) = limited(situation.rubric, &gates, row);
            *cell.entry(verdict.clone()).or_default() += share;
            let led = self.verdicts.entry(verdict).or_default();
            match (gate, row) {
                (Some(gate), _) => *led.gates.entry(gate).or_default() += share,
                (None, Some(row)) => {
                    led.rows.insert(row);
                    led.by_rows += share;
                    *rows.entry(row).or_default() += share;
                }
                (None, None) => {}
            }
        }
        for (verdict, share) in cell {
            self.verdicts.entry(verdict).or_default().shares.push(share);
        }
        for (row, share) in rows {
            self.rows.entry(row).or_default().push(share);
        }
    }

    fn finish(self, rubric: &Rubric) -> (Vec<Possible>, BTreeMap<usize, (f64, f64)>) {
        let cells = self.cells;
        let ends = |shares: &[f64]| {
            let lowest = if shares.len() < cells { 0.0 } else { shares.iter().copied().fold(1.0, f64::min) };
            (even(lowest), even(shares.iter().copied().fold(0.0, f64::max).min(1.0)))
        };
        let possible = self.verdicts.into_iter().map(|(verdict, led)| {
            let (lowest, highest) = ends(&led.shares);
            let most = led.gates.iter().max_by(|one, other| one.1.total_cmp(other.1));
            let mostly = most.filter(|(_, share)| **share > led.by_rows).map(|(gate, _)| gate.clone());
            Possible { verdict, lowest, highest, rows: led.rows, gates: led.gates.into_keys().collect(), mostly }
        });
        let mut possible: Vec<_> = possible.collect();
        possible.sort_by_key(|it| (rank(rubric, &it.verdict).unwrap_or(u8::MAX), it.verdict.clone()));
        (possible, self.rows.into_iter().map(|(row, shares)| (row, ends(&shares))).collect())
    }
}

/// The row that decides a combination of bands, from 0; none where no row does.
fn first_match(rubric: &Rubric, derived: bool, combination: usize) -> Option<usize> {
    let bands: Vec<(&str, Band)> =
        rubric.axes.means.keys().enumerate().map(|(axis, id)| (id.as_str(), band_of(combination, axis))).collect();
    rubric.decision_table.iter().position(|row| {
        row.derived.is_none_or(|it| it == derived)
            && bands.iter().all(|(axis, band)| row.bands.get(*axis).is_none_or(|it| it.contains(band)))
    })
}

/// What the gates that trip make of a row: the first veto or hold, else the table's verdict under all caps.
fn limited(rubric: &Rubric, tripped: &[&Gate], row: Option<usize>) -> (String, Option<String>) {
    let first = tripped.iter().find_map(|gate| match &gate.effect {
        Effect::Veto(verdict) | Effect::Hold(verdict) => Some((verdict.clone(), Some(gate.id.clone()))),
        Effect::Cap(_) | Effect::Stamp(_) => None,
    });
    if let Some(found) = first {
        return found;
    }
    let verdict = row.map_or_else(|| undetermined(rubric), |it| rubric.decision_table[it].then.clone());
    tripped.iter().fold((verdict, None), |(verdict, by), gate| match &gate.effect {
        Effect::Cap(cap) if rank(rubric, &verdict) > rank(rubric, cap) => (cap.clone(), Some(gate.id.clone())),
        _ => (verdict, by),
    })
}

/// The verdict that means "not decided".
pub(crate) fn undetermined(rubric: &Rubric) -> String {
    let verdict = rubric.verdicts.iter().find(|it| it.rank.is_none());
    verdict.map_or_else(|| "undetermined".to_owned(), |it| it.id.clone())
}

/// Rank of a verdict, worst is 0; none for "not decided", which no cap reaches.
pub(crate) fn rank(rubric: &Rubric, id: &str) -> Option<u8> {
    verdict(rubric, id).and_then(|it| it.rank)
}

pub(crate) fn verdict<'a>(rubric: &'a Rubric, id: &str) -> Option<&'a Verdict> {
    rubric.verdicts.iter().find(|it| it.id == id)
}
