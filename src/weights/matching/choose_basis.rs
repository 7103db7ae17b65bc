//! Chooses the map between two streams.

use crate::checkpoint::Error;
use crate::weights::align::layers::{self, Sketched};
use crate::weights::align::search::{Fit, SETTLED, candidates};
use crate::weights::align::token_rows::{self, Side};
use crate::weights::align::unit_graph::matched_gates;
use crate::weights::matching::matched::Tried;
use crate::weights::matching::units;
use crate::weights::model::basis::Stream;
use crate::weights::model::block::{Block, some_units};
use crate::weights::model::budget::Budget;
use crate::weights::model::view::Net;

/// A held-out cosine of embeddings from which on a map is taken at its word.
const SURE_FIT: f64 = 0.5;

/// Every map that was tried with its fit, the one that was chosen, and why no rotation was looked for.
type Aligned = (Vec<Tried>, Stream, Option<f64>);

/// Chooses the map between the streams. Every source of one is asked until one carries its held-out rows nearly whole:
/// a map that carries half of them is what models of like text learn alike, and ends no search. Of maps that carry them
/// clearly the best is taken, the simplest where they are about as good; else the one by which gates match best.
pub(crate) fn align(
    subject: &Net<'_>,
    reference: &Net<'_>,
    rows: &[Vec<(usize, usize)>; 2],
    budget: &Budget,
    sketched: &Sketched,
) -> Result<Aligned, Error> {
    let (mut tried, mut fits, mut distances): (Vec<Tried>, Vec<Fit>, Option<f64>) = (Vec::new(), Vec::new(), None);
    for what in ["embeddings", "head", "hidden units"] {
        let halves = match what {
            "embeddings" => token_rows::halves(Side::embedding(subject), Side::embedding(reference), &rows[0])?,
            "head" => token_rows::halves(Side::head(subject), Side::head(reference), &rows[1])?,
            _ => matched_gates(subject, reference)?,
        };
        let Some(halves) = halves else { continue };
        let found = candidates(halves, budget.rotated);
        let told = |it: &Fit| Tried { rows: what, word: it.stream.word(), held_out: it.held_out };
        tried.extend(found.fits.iter().map(told));
        fits.extend(found.fits);
        distances = distances.or(found.distances);
        if fits.iter().any(|it| it.held_out >= SETTLED) {
            break;
        }
    }
    // Token rows that are narrower than the stream show maps of another width.
    fits.retain(|it| it.stream.width(reference.hidden) == Some(subject.hidden));
    if fits.is_empty() && subject.hidden == reference.hidden {
        fits.push(Fit { stream: Stream::Same, held_out: 0.0 });
    }
    let best = fits.iter().map(|it| it.held_out).fold(0.0, f64::max);
    if best >= SURE_FIT
        && let Some(at) = fits.iter().position(|it| it.held_out >= best - 0.1)
    {
        return Ok((tried, fits.swap_remove(at).stream, None));
    }
    let mut chosen: Option<(f64, Stream)> = None;
    for fit in fits {
        let score = gate_score(subject, reference, &fit.stream, budget, sketched)?;
        if chosen.as_ref().is_none_or(|it| score > it.0) {
            chosen = Some((score, fit.stream));
        }
    }
    Ok((tried, chosen.map_or(Stream::Same, |it| it.1), distances))
}

/// How well the gates of the first and the middle layer match, without a look at what stands behind them. Where not all
/// layers may be looked at, layers are taken in their own order.
pub(super) fn gate_score(
    subject: &Net<'_>,
    reference: &Net<'_>,
    stream: &Stream,
    budget: &Budget,
    sketched: &Sketched,
) -> Result<f64, Error> {
    let is_small = subject.layers.len().max(reference.layers.len()) <= budget.layers;
    let answers = if is_small {
        layers::find(subject, reference, stream, sketched)?
    } else {
        layers::in_order(subject, reference)
    };
    let mut score = 0.0;
    for answer in answers.iter().step_by((answers.len() / 2).max(1)).take(2) {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let (Some(ours), Some(theirs)) = (one.ffns.first(), other.ffns.first()) else { continue };
        let theirs = some_units(theirs, budget.units);
        let ours = Block::of(subject, one, ours, &Stream::Same).map(|it| it.within(stream));
        let blocks = (ours, Block::of(reference, other, &theirs, stream));
        if let (Some(ours), Some(theirs)) = blocks {
            score += units::gate_score(&ours, &theirs)?;
        }
    }
    Ok(score)
}
