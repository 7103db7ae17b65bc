//! Norm gains: seed-free numbers, since every model starts them at one.
//!
//! **Statistic.** Per layer, the gains' normal scores (ranks through the normal quantile, so that a few outlying
//! dimensions do not decide) are correlated; the sum over layers is compared with its law when the dimensions of one
//! model are re-ordered, all layers alike: mean 0 and variance `Σ (a_l·a_m)(b_l·b_m) / (n - 1)`.
//!
//! **Null.** Independent training; then no dimension of one model is tied to one of the other. The tail is the normal
//! one (the combinatorial central limit theorem), so the p-value is calibrated and not exact. Raw cosines of gains are
//! never used: they are 0.96 and more for unrelated models.
//!
//! **What it cannot tell.** Models whose gains were folded into the next layer have none. Models that share an
//! embedding share their coordinates, and then gains may agree a little without any other weight in common.
//!
//! References: W. Hoeffding, "A combinatorial central limit theorem", Ann. Math. Stat. 22 (1951); B. van der Waerden,
//! Indag. Math. 14 (1952).

use crate::bytes::in_order;
use crate::checkpoint::Error;
use crate::linalg::regression::Sums;
use crate::stats::permutation::{Permuted, scores};
use crate::stats::tail;
use crate::weights::model::basis::Stream;
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::tensors::is_nothing;
use crate::weights::model::view::Net;

/// So many vectors are read at once, where there are many.
const AT_ONCE: usize = 16;
const MANY: usize = 48;

/// What the gains of mapped layers say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gains {
    /// Norms compared.
    pub(crate) count: usize,
    /// Dimensions of each.
    pub(crate) dimensions: usize,
    /// Standard deviations above what re-ordered dimensions give.
    pub(crate) z: f64,
    /// Correlation of their scores, which no outlying number decides.
    pub(crate) agreement: f64,
    /// Of the gains less their mean and against it, over all norms.
    pub(crate) sums: Sums,
    /// Whether one side has nothing but ones, as after folding, and the other has not.
    pub(crate) is_folded: bool,
}

impl Gains {
    pub(crate) fn log10_p(&self) -> f64 {
        if self.count > 0 { tail::normal(self.z) } else { 0.0 }
    }
}

/// Compares the gains of layers that answer each other. The final norm belongs to the head and is left out.
pub(crate) fn compare(
    subject: &Net<'_>,
    reference: &Net<'_>,
    answers: &[Answer],
    stream: &Stream,
) -> Result<Gains, Error> {
    let mut gains = Gains::default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut pairs: Vec<(Option<&String>, Option<&String>)> = Vec::new();
    for answer in answers {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        pairs.push((one.attention_norm.as_ref(), other.attention_norm.as_ref()));
        pairs.push((one.ffn_norm.as_ref(), other.ffn_norm.as_ref()));
    }
    // Small reads that may each have a long way.
    let at_once = if pairs.len() >= MANY { AT_ONCE } else { 1 };
    let both = |(one, other): &(Option<&String>, Option<&String>)| -> Result<_, Error> {
        Ok((subject.norm(*one)?, reference.norm(*other)?))
    };
    let read = in_order(&pairs, at_once, both)?;
    for pair in read {
        let (Some(a), Some(b)) = pair else { continue };
        if a.len() != subject.hidden || b.len() != reference.hidden {
            continue;
        }
        let (flat_a, flat_b) = (is_flat(&a), is_flat(&b));
        gains.is_folded |= flat_a != flat_b;
        if flat_a || flat_b {
            continue;
        }
        let Some(b) = carried(&b, stream) else { continue };
        let (a, b): (Vec<f32>, Vec<f32>) = a.into_iter().zip(b).filter(|(_, b)| !b.is_nan()).unzip();
        let (centred_a, centred_b) = (centred(&a), centred(&b));
        gains.sums.rows(&centred_a, &centred_b, 1.0);
        let are_missing: Vec<bool> = a.iter().zip(&b).map(|(a, b)| is_nothing(*a) || is_nothing(*b)).collect();
        ours.push(without(scores(&a), &are_missing));
        theirs.push(without(scores(&b), &are_missing));
    }
    gains.count = ours.len();
    gains.dimensions = ours.first().map_or(0, Vec::len);
    let mut permuted = Permuted::default();
    permuted.add(&ours, &theirs);
    (gains.z, gains.agreement) = (permuted.z(), permuted.correlation());
    Ok(gains)
}

/// The reference's gains in the subject's order, whatever signs the coordinates have; none for a rotation.
fn carried(gains: &[f32], stream: &Stream) -> Option<Vec<f32>> {
    match stream {
        Stream::Same => Some(gains.to_vec()),
        Stream::Signed { source } => Some(source.iter().map(|it| it.map_or(f32::NAN, |(col, _)| gains[col])).collect()),
        Stream::Rotated(_) => None,
    }
}

/// Scores in the middle for what is no number on either side: where two files have none says nothing of their training.
fn without(mut scores: Vec<f32>, are_missing: &[bool]) -> Vec<f32> {
    scores.iter_mut().zip(are_missing).filter(|it| *it.1).for_each(|it| *it.0 = 0.0);
    scores
}

/// Whether all numbers are one number.
pub(crate) fn is_flat(gains: &[f32]) -> bool {
    gains.iter().all(|it| (it - gains[0]).abs() <= 1e-6 * gains[0].abs())
}

/// Less their mean, and against it where it is what they have in common: all gains of a norm may be multiplied and the
/// next weights divided, which changes nothing.
fn centred(numbers: &[f32]) -> Vec<f32> {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().map(|it| f64::from(*it)).sum::<f64>() / count;
    let spread = (numbers.iter().map(|it| (f64::from(*it) - mean).powi(2)).sum::<f64>() / count).sqrt();
    let size = if mean.abs() > spread { mean } else { 1.0 };
    numbers.iter().map(|it| ((f64::from(*it) - mean) / size) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gains may be multiplied and what reads behind them divided; gains around zero are offsets from one, and left
    /// alone.
    #[test]
    fn what_all_gains_are_multiplied_by_is_taken_off() {
        let gains = [0.9, 1.1, 1.3, 0.7];
        let tripled = gains.map(|it| 3.0 * it);
        centred(&gains).iter().zip(centred(&tripled)).for_each(|(one, other)| assert!((one - other).abs() < 1e-6));
        assert_eq!(centred(&[0.5, -0.5, 0.25, -0.25]), [0.5, -0.5, 0.25, -0.25]);
    }
}
