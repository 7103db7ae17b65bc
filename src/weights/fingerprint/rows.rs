//! Holds a model against a fingerprint of rows alone: first at the places of the kept rows, then wherever their gates
//! lead.
//!
//! **Statistic.** Signs of the cosines of up projections (of value rows, where units have no gates): of the unit with
//! the same number in the same layer; and of the unit whose gate is most like the kept one, in the layer whose gates
//! are most like it.
//!
//! **Null.** Independent initialisation, symmetric about zero: turning the sign of a unit's up and down projection is
//! an equally likely course of training, so that each sign is a fair coin whatever the gates say. The p-value is exact
//! (Hoeffding's bound) and corrected for tests and references by the rules that decide.
//!
//! **Limitations.** Nothing on the rows that were not kept: a match convicts, and silence clears the kept rows alone,
//! so no power is stated. Rotated streams are not undone, and of a mixture's experts the first are looked at.

use std::ops::Range;

use crate::checkpoint::Error;
use crate::fact::{EffortSpent, RuleId, Weights, WeightsRelation};
use crate::linalg::matrix::{Matrix, cosine};
use crate::stats::levels::LEVEL;
use crate::stats::sign_test::RandomSign;
use crate::weights::align::search::candidates;
use crate::weights::align::token_rows::{self, Side};
use crate::weights::decision::rules::decide;
use crate::weights::fingerprint::Fingerprint;
use crate::weights::matching::duplicate_layers::like_layers;
use crate::weights::matching::matched::{BlockPair, Measured};
use crate::weights::matching::measure::gains_in_place;
use crate::weights::matching::norm_weights;
use crate::weights::matching::symmetry::{Following, Symmetry};
use crate::weights::matching::units::Units;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::spread;
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::{Effort, Plan, Watch};

/// Kept layers whose units are looked for at other places.
const LAYERS: usize = 4;

/// Units of a layer of the subject that are read at once.
const TILE: usize = 2_048;

/// Blocks of a layer of the subject that are searched.
const EXPERTS: usize = 8;

/// A widest stream that no rotation is looked for in: a few hundred tokens show none.
const NO_ROTATION: usize = 0;

/// Shared tokens from which on a map between streams is looked for.
const ENOUGH_TOKENS: usize = 32;

/// A held-out cosine of token rows from which on a map is taken at its word.
const SURE_FIT: f64 = 0.5;

/// Says how a subject's weights relate to what a fingerprint of rows keeps. `tokens` are ids of the subject with rows
/// of the fingerprint. A quick look stays at the places of the kept rows; a further one looks for them elsewhere.
///
/// # Errors
/// A file of the subject that cannot be read.
pub fn relate_rows(
    subject: &Net<'_>,
    kept: &Fingerprint,
    tokens: Option<&[(u32, u32)]>,
    plan: Plan,
    watch: &dyn Watch,
) -> Result<Weights, Error> {
    let reference = kept.net();
    let pair = Pair { subject, reference: &reference, kept, tokens: tokens.unwrap_or_default() };
    let in_place = pair.in_place()?;
    let found = decide(&in_place, plan.references)?;
    let is_related = in_place.place_signs.log10_p().min(in_place.value_signs.log10_p()) <= LEVEL
        && !matches!(found.relation, WeightsRelation::Independent | WeightsRelation::Unexamined);
    if is_related {
        return Ok(pair.answer(
            found,
            plan,
            Effort::Quick,
            in_place.place_signs.count() + in_place.value_signs.count(),
        ));
    }
    if plan.effort == Effort::Quick && !plan.goes_on {
        let open = Weights { relation: WeightsRelation::Undetermined, rule: Some(RuleId::QuickLook), ..found };
        return Ok(pair.answer(open, plan, Effort::Quick, in_place.place_signs.count()));
    }
    watch.tell("looking for kept rows", 0, 1);
    let elsewhere = pair.elsewhere(in_place)?;
    let units = elsewhere.unit_signs.count();
    Ok(pair.answer(decide(&elsewhere, plan.references)?, plan, Effort::Standard, units))
}

/// A subject, and what was kept of a reference.
struct Pair<'a> {
    subject: &'a Net<'a>,
    reference: &'a Net<'a>,
    kept: &'a Fingerprint,
    tokens: &'a [(u32, u32)],
}

impl Pair<'_> {
    /// What is at the places of the kept rows.
    fn in_place(&self) -> Result<Measured, Error> {
        let (subject, reference) = (self.subject, self.reference);
        let mut measured = Measured { has_gate: true, crowd: (subject.hidden, 2), ..Measured::default() };
        if subject.hidden != reference.hidden || subject.hidden == 0 {
            return Ok(measured);
        }
        let count = subject.layers.len().min(reference.layers.len());
        let groups = like_layers(reference, &(0..count).collect::<Vec<_>>())?;
        for (at, group) in groups.iter().copied().enumerate().take(count) {
            self.units_in_place(at, group, &mut measured)?;
            self.values_in_place(at, group, &mut measured.value_signs)?;
        }
        let rows: Vec<(usize, usize)> = self.tokens.iter().map(|it| (it.0 as usize, it.1 as usize)).collect();
        measured.gains = gains_in_place(subject, reference)?;
        measured.kept_gains = measured.gains.clone();
        measured.embedding = token_rows::in_place(subject, reference, &rows)?;
        measured.shared_tokens = Some(rows.len());
        measured.groups = groups;
        Ok(measured)
    }

    /// The ups of a layer's kept units, and of the subject's units of the same numbers.
    fn units_in_place(&self, at: usize, group: usize, measured: &mut Measured) -> Result<(), Error> {
        let (one, other) = (&self.subject.layers[at], &self.reference.layers[at]);
        for (theirs, kept) in other.ffns.iter().zip(&self.kept.about.layers[at].blocks) {
            let number = kept.number.unwrap_or(0) as usize;
            let Some(ours) = one.ffns.get(number).filter(|it| it.width == theirs.width && is_readable(it)) else {
                continue;
            };
            let rows: Vec<usize> = (0..theirs.units()).collect();
            let numbers: Vec<usize> = rows.iter().map(|it| theirs.number(*it)).collect();
            let ((gates, ups), (their_gates, their_ups)) = (
                gates_and_ups(self.subject, one, ours, &numbers)?,
                gates_and_ups(self.reference, other, theirs, &rows)?,
            );
            for (row, unit) in numbers.iter().enumerate() {
                let coin = (group, number, *unit);
                let follows =
                    |gates: &Matrix, ups: &Matrix| Following { up: cosine(gates.row(row), ups.row(row)), down: 0.0 };
                measured.place_signs.add(coin, cosine(ups.row(row), their_ups.row(row)));
                measured.symmetry[0].add(coin, follows(&gates, &ups));
                measured.symmetry[1].add(coin, follows(&their_gates, &their_ups));
            }
        }
        Ok(())
    }

    /// The kept value rows of a layer whose units have no gates.
    fn values_in_place(&self, at: usize, group: usize, signs: &mut RandomSign) -> Result<(), Error> {
        let kept = &self.kept.about.layers[at].values;
        let (one, other) = (&self.subject.layers[at], &self.reference.layers[at]);
        let (Some(ours), Some(theirs)) = (&one.value, &other.value) else { return Ok(()) };
        let numbers: Vec<usize> = kept.iter().map(|it| *it as usize).filter(|it| *it < ours.outputs()).collect();
        if numbers.len() != kept.len() || ours.is_turned() || ours.inputs() != theirs.inputs() {
            return Ok(());
        }
        let rows: Vec<usize> = (0..numbers.len()).collect();
        let values = self.subject.folded_rows(ours, &numbers, one.attention_norm.as_ref())?;
        let their_values = self.reference.folded_rows(theirs, &rows, other.attention_norm.as_ref())?;
        for (row, number) in numbers.into_iter().enumerate() {
            signs.add((group, 0, number), cosine(values.row(row), their_values.row(row)));
        }
        Ok(())
    }

    /// The rows of the subject that the gates of the kept units match.
    fn elsewhere(&self, in_place: Measured) -> Result<Measured, Error> {
        let stream = self.stream()?;
        let mut measured = Measured { symmetry: <[Symmetry; 2]>::default(), stream, ..in_place };
        if measured.stream.width(self.reference.hidden) != Some(self.subject.hidden) {
            return Ok(measured);
        }
        let with_units: Vec<usize> =
            (0..self.reference.layers.len()).filter(|it| !self.reference.layers[*it].ffns.is_empty()).collect();
        let chosen: Vec<usize> = spread(with_units.len(), LAYERS).into_iter().map(|it| with_units[it]).collect();
        let sought = self.sought(&chosen, &measured.stream)?;
        let best = self.search(&sought)?;
        for (block, found) in sought.iter().zip(best) {
            self.take(block, found, &mut measured)?;
        }
        measured.crowd = (
            self.subject.hidden,
            self.kept.about.layers.iter().flat_map(|it| &it.blocks).map(|it| it.width as usize).max().unwrap_or(2),
        );
        measured.kept_gains = norm_weights::compare(self.subject, self.reference, &measured.answers, &measured.stream)?;
        Ok(measured)
    }

    /// The map between the streams that token rows show; none is sought where few tokens are shared.
    fn stream(&self) -> Result<Stream, Error> {
        let rows: Vec<(usize, usize)> = self.tokens.iter().map(|it| (it.0 as usize, it.1 as usize)).collect();
        if rows.len() < ENOUGH_TOKENS {
            return Ok(Stream::Same);
        }
        let halves = token_rows::halves(Side::embedding(self.subject), Side::embedding(self.reference), &rows)?;
        let fits = halves.map(|it| candidates(it, NO_ROTATION).fits).unwrap_or_default();
        let sure = fits.into_iter().filter(|it| it.held_out >= SURE_FIT);
        let best = sure.max_by(|one, other| one.held_out.total_cmp(&other.held_out));
        Ok(best.map_or(Stream::Same, |it| it.stream))
    }

    /// The kept gates and ups of some layers, in the subject's coordinates.
    fn sought(&self, layers: &[usize], stream: &Stream) -> Result<Vec<Sought>, Error> {
        let mut all = Vec::new();
        for at in layers {
            let layer = &self.reference.layers[*at];
            for (block, ffn) in layer.ffns.iter().enumerate() {
                let rows: Vec<usize> = (0..ffn.units()).collect();
                let (gates, ups) = gates_and_ups(self.reference, layer, ffn, &rows)?;
                let numbers = rows.iter().map(|it| ffn.number(*it)).collect();
                let (gates, ups) = (stream.apply(gates).unit_rows(), stream.apply(ups));
                all.push(Sought { layer: *at, block, numbers, gates, ups });
            }
        }
        Ok(all)
    }

    /// For each block that is sought: the block of the subject whose gates are most like its own, and the unit for each
    /// of its.
    fn search(&self, sought: &[Sought]) -> Result<Vec<Option<Best>>, Error> {
        let mut best: Vec<Option<Best>> = sought.iter().map(|_| None).collect();
        for (at, layer) in self.subject.layers.iter().enumerate() {
            for (expert, ffn) in layer.ffns.iter().enumerate().filter(|it| is_readable(it.1)).take(EXPERTS) {
                let found = self.nearest(at, ffn, sought)?;
                for (best, units) in best.iter_mut().zip(found) {
                    let new = Best { layer: at, expert, units };
                    if best.as_ref().is_none_or(|it| new.score() > it.score()) {
                        *best = Some(new);
                    }
                }
            }
        }
        Ok(best)
    }

    /// The unit of one block of the subject that is nearest to each gate, with its cosine.
    fn nearest(&self, at: usize, ffn: &FeedForward, sought: &[Sought]) -> Result<Vec<Vec<(usize, f64)>>, Error> {
        let layer = &self.subject.layers[at];
        let mut nearest: Vec<Vec<(usize, f64)>> =
            sought.iter().map(|it| vec![(0, f64::NEG_INFINITY); it.gates.rows]).collect();
        let Some(gate) = &ffn.gate else { return Ok(nearest) };
        for tile in tiles(ffn.units()) {
            let units: Vec<usize> = tile.clone().collect();
            let gates = self.subject.folded_rows(gate, &units, layer.ffn_norm.as_ref())?.unit_rows();
            for (sought, nearest) in sought.iter().zip(&mut nearest) {
                let products = sought.gates.times_transposed(&gates);
                for (row, best) in products.iter().zip(nearest.iter_mut()) {
                    if let Some((unit, value)) = best_of(row).filter(|it| f64::from(it.1) > best.1) {
                        *best = (tile.start + unit, f64::from(value));
                    }
                }
            }
        }
        Ok(nearest)
    }

    /// Takes the up projections of matched units.
    fn take(&self, sought: &Sought, found: Option<Best>, measured: &mut Measured) -> Result<(), Error> {
        let Some(found) = found else { return Ok(()) };
        let layer = &self.subject.layers[found.layer];
        let units: Vec<usize> = found.units.iter().map(|it| it.0).collect();
        let (gates, ups) = gates_and_ups(self.subject, layer, &layer.ffns[found.expert], &units)?;
        let group = measured.groups.get(sought.layer).copied().unwrap_or(sought.layer);
        let mut said = Units { possible: units.len(), ..Units::default() };
        for (row, unit) in units.iter().enumerate() {
            let coin = (group, sought.block, sought.numbers[row]);
            let up = cosine(ups.row(row), sought.ups.row(row));
            measured.unit_signs.add(coin, up);
            measured.symmetry[0].add(coin, Following { up: cosine(gates.row(row), ups.row(row)), down: 0.0 });
            measured.symmetry[1]
                .add(coin, Following { up: cosine(sought.gates.row(row), sought.ups.row(row)), down: 0.0 });
            said.pairs.push((*unit, sought.numbers[row]));
            said.signs.insert(sought.numbers[row], up);
            said.gate_cosine += found.units[row].1;
            said.up_cosine += up.abs();
        }
        let answer = Answer { subject: found.layer, reference: sought.layer, similarity: found.score(), margin: 0.0 };
        let at = measured.answers.len();
        measured.answers.push(answer);
        measured.blocks.push(BlockPair {
            answer: at,
            subject_expert: found.expert,
            reference_expert: sought.block,
            units: said,
        });
        Ok(())
    }

    /// An answer without a power, and with what it rests on.
    fn answer(&self, weights: Weights, plan: Plan, used: Effort, rows: usize) -> Weights {
        let mut weights = weights;
        weights.power = None;
        weights.reasons.push(format!(
            "{} rows of the reference were kept, and {rows} of them compared: a match is one of the whole, and silence \
             clears these rows alone",
            self.kept.kept_rows()
        ));
        weights.effort = Some(EffortSpent {
            asked: plan.effort.word().to_owned(),
            used: used.word().to_owned(),
            detail: match used {
                Effort::Quick => "kept rows at their places".to_owned(),
                _ => "kept rows at their places, and some wherever their gates lead".to_owned(),
            },
            layers_compared: 0,
            layers: self.subject.layers.len() as u64,
        });
        weights
    }
}

/// What is looked for: units of one block of the reference.
struct Sought {
    layer: usize,
    block: usize,
    numbers: Vec<usize>,
    /// `[units, stream]`, each row of length one.
    gates: Matrix,
    /// `[units, stream]`.
    ups: Matrix,
}

/// Where it was found.
struct Best {
    layer: usize,
    expert: usize,
    /// The nearest unit of each, and how near its gate is.
    units: Vec<(usize, f64)>,
}

impl Best {
    fn score(&self) -> f64 {
        self.units.iter().map(|it| it.1).sum::<f64>() / self.units.len().max(1) as f64
    }
}

fn best_of(row: &[f32]) -> Option<(usize, f32)> {
    row.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))
}

fn tiles(units: usize) -> impl Iterator<Item = Range<usize>> {
    (0..units).step_by(TILE).map(move |it| it..(it + TILE).min(units))
}

/// Whether gates and ups are both there and lie row by row.
fn is_readable(ffn: &FeedForward) -> bool {
    [&ffn.gate, &ffn.up].into_iter().all(|it| it.as_ref().is_some_and(|it| !it.is_turned()))
}

/// Rows of gate and up with the gain of the norm before them.
fn gates_and_ups(net: &Net<'_>, layer: &Layer, ffn: &FeedForward, units: &[usize]) -> Result<(Matrix, Matrix), Error> {
    let read = |slot: &Option<Slot>| match slot {
        Some(slot) => net.folded_rows(slot, units, layer.ffn_norm.as_ref()),
        None => Ok(Matrix::new(units.len(), net.hidden, vec![0.0; units.len() * net.hidden])),
    };
    Ok((read(&ffn.gate)?, read(&ffn.up)?))
}
