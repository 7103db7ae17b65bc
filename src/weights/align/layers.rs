//! Which layer of the reference each layer of the subject comes from.
//!
//! A layer is sketched by what its gate does to a few random directions of the stream, `x -> Gᵀ G x`: no order, sign or
//! number of hidden units shows in it, and it costs one pass. Layers that answer each other have like sketches. The map
//! only proposes; [`random_sign`](crate::weights::statistics::random_sign) tests what it proposes, with signs the
//! sketch cannot see.

use crate::weights::model::layer_pair::Answer;
use std::sync::OnceLock;

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, dot, norm};
use crate::linalg::random::Random;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::of_each;
use crate::weights::model::layer::Layer;
use crate::weights::model::view::Net;

/// How many directions a sketch takes.
pub(crate) const PROBES: usize = 16;

/// Units of a layer that are read at once.
const UNITS: usize = 4_096;

/// The sketches of a subject, which are made once for all maps that are tried.
#[derive(Default)]
pub(crate) struct Sketched(OnceLock<Vec<Option<Matrix>>>);

impl Sketched {
    fn of(&self, subject: &Net<'_>, directions: &Matrix) -> Result<Vec<Option<Matrix>>, Error> {
        if let Some(made) = self.0.get() {
            return Ok(made.clone());
        }
        let made = sketches(subject, directions)?;
        Ok(self.0.get_or_init(|| made).clone())
    }
}

/// Finds the best answer of every subject layer that has a feed-forward block.
pub(crate) fn find(
    subject: &Net<'_>,
    reference: &Net<'_>,
    stream: &Stream,
    sketched: &Sketched,
) -> Result<Vec<Answer>, Error> {
    let (ours, theirs, directions) = match &reference.sketches {
        // A fingerprint was sketched in its own coordinates, before anything was known of a subject.
        Some(kept) => {
            let directions = stream.apply(probes(reference.hidden));
            (sketches(subject, &directions)?, kept.clone(), directions)
        }
        None => {
            let directions = stream.within(probes(subject.hidden));
            let back = stream.back(&directions, reference.hidden);
            let ours = if stream.has_outside() {
                let within = |it: Option<Matrix>| it.map(|it| stream.within(it));
                sketches(subject, &directions)?.into_iter().map(within).collect()
            } else {
                sketched.of(subject, &directions)?
            };
            (ours, sketches(reference, &back)?, directions)
        }
    };
    let theirs = standard(turned(theirs, stream), &directions);
    let ours = standard(ours, &directions);
    if !reference.is_fingerprint() {
        let answers = ours.iter().enumerate().filter_map(|(at, it)| Some((at, nearest(it.as_ref()?, &theirs)?)));
        let answer = |(subject, (reference, similarity, margin))| Answer { subject, reference, similarity, margin };
        return Ok(answers.map(answer).collect());
    }
    // Few of a fingerprint's layers have units at hand, and each of those looks for its answer.
    let at_hand = theirs.iter().enumerate().filter(|it| !reference.layers[it.0].ffns.is_empty());
    let answers = at_hand.filter_map(|(at, it)| Some((at, nearest(it.as_ref()?, &ours)?)));
    let answer = |(reference, (subject, similarity, margin))| Answer { subject, reference, similarity, margin };
    Ok(answers.map(answer).collect())
}

/// The sketch that is most alike: its place, how alike it is, and how far it stands above the others.
fn nearest(sketch: &[f32], others: &[Option<Vec<f32>>]) -> Option<(usize, f64, f64)> {
    let scores: Vec<(usize, f64)> =
        others.iter().enumerate().filter_map(|(at, it)| Some((at, dot(sketch, it.as_ref()?)))).collect();
    let (best, similarity) = scores.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let others: Vec<f64> = scores.iter().filter(|it| it.0 != best).map(|it| it.1).collect();
    Some((best, similarity, margin(similarity, &others)))
}

/// Every layer taken to answer the one of its own number: a guess, which costs nothing and is tested like any other
/// map.
pub(crate) fn in_order(subject: &Net<'_>, reference: &Net<'_>) -> Vec<Answer> {
    let count = subject.layers.len().min(reference.layers.len());
    let layers = (0..count).filter(|it| !reference.layers[*it].ffns.is_empty() && !subject.layers[*it].ffns.is_empty());
    layers.map(|it| Answer { subject: it, reference: it, similarity: 0.0, margin: 0.0 }).collect()
}

/// The directions that layers are sketched by, for a stream of this width.
pub(crate) fn probes(hidden: usize) -> Matrix {
    let mut random = Random::new(0x6c61_7965_7273);
    Matrix::new(PROBES, hidden, (0..PROBES * hidden).map(|_| random.sign()).collect())
}

/// What every layer's gate does to some directions, `[directions, stream]`; none where a layer has no feed-forward
/// block.
pub(crate) fn sketches(net: &Net<'_>, probes: &Matrix) -> Result<Vec<Option<Matrix>>, Error> {
    let bytes = net.hidden.saturating_mul(3 * UNITS * size_of::<f32>());
    of_each(&net.layers, bytes, |layer| sketch(net, layer, probes))
}

fn sketch(net: &Net<'_>, layer: &Layer, probes: &Matrix) -> Result<Option<Matrix>, Error> {
    let Some(key) = layer.ffns.first().and_then(|it| it.key()) else { return Ok(None) };
    if key.inputs() != probes.cols {
        return Ok(None);
    }
    let mut sum = Matrix::new(probes.rows, probes.cols, Vec::new());
    for from in (0..key.outputs()).step_by(UNITS) {
        let units: Vec<usize> = (from..(from + UNITS).min(key.outputs())).collect();
        let gate = net.folded_rows(key, &units, layer.ffn_norm.as_ref())?;
        let part = probes.times_transposed(&gate).times(&gate);
        sum.data.iter_mut().zip(&part.data).for_each(|(to, it)| *to += it);
    }
    Ok(Some(sum))
}

fn turned(sketches: Vec<Option<Matrix>>, stream: &Stream) -> Vec<Option<Matrix>> {
    sketches.into_iter().map(|it| it.map(|it| stream.apply(it))).collect()
}

/// Sketches without what points along their own direction, each of length one.
fn standard(sketches: Vec<Option<Matrix>>, directions: &Matrix) -> Vec<Option<Vec<f32>>> {
    let one = |mut sketch: Matrix| {
        let cols = sketch.cols.max(1);
        for (row, direction) in sketch.data.chunks_exact_mut(cols).zip(directions.iter()) {
            let along = (dot(row, direction) / dot(direction, direction).max(f64::MIN_POSITIVE)) as f32;
            row.iter_mut().zip(direction).for_each(|(it, x)| *it -= along * x);
            let length = norm(row).max(f64::MIN_POSITIVE) * (PROBES as f64).sqrt();
            row.iter_mut().for_each(|it| *it = (f64::from(*it) / length) as f32);
        }
        sketch.data
    };
    sketches.into_iter().map(|it| it.map(one)).collect()
}

fn margin(best: f64, others: &[f64]) -> f64 {
    if others.len() < 2 {
        return 0.0;
    }
    let mean = others.iter().sum::<f64>() / others.len() as f64;
    let spread = (others.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (others.len() - 1) as f64).sqrt();
    if spread > 0.0 { (best - mean) / spread } else { 0.0 }
}
