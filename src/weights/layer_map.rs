//! Which layer of the reference each layer of the subject comes from.
//!
//! A layer is sketched by what its gate does to a few random directions of the stream, `x -> Gᵀ G x`: no order, sign or
//! number of hidden units shows in it, and it costs one pass. Layers that answer each other have like sketches. The map
//! only proposes; [`random_sign`](crate::weights::random_sign) tests what it proposes, with signs the sketch cannot see.

use crate::checkpoint::Error;
use crate::weights::matrix::{Matrix, dot, norm};
use crate::weights::net::{Layer, Net};
use crate::weights::random::Random;
use crate::weights::stream::Stream;

/// How many directions a sketch takes.
const PROBES: usize = 16;

/// The best answer of each subject layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Position in the subject's list of layers.
    pub(crate) subject: usize,
    /// Position in the reference's list.
    pub(crate) reference: usize,
    /// Correlation of the two sketches.
    pub(crate) similarity: f64,
    /// How far it stands above the other layers of the reference, in their standard deviations.
    pub(crate) margin: f64,
}

/// Finds the best answer of every subject layer that has a feed-forward block.
pub(crate) fn find(subject: &Net<'_>, reference: &Net<'_>, stream: &Stream) -> Result<Vec<Answer>, Error> {
    let mut random = Random::new(0x6c61_7965_7273);
    let probes = Matrix::new(PROBES, subject.hidden, (0..PROBES * subject.hidden).map(|_| random.sign()).collect());
    let back = stream.back(&probes, reference.hidden);
    let theirs = sketches(reference, &back, |it| stream.apply(&it), &probes)?;
    let ours = sketches(subject, &probes, |it| it, &probes)?;
    let mut answers = Vec::new();
    for (row, sketch) in ours.iter().enumerate() {
        let Some(sketch) = sketch else { continue };
        let scores: Vec<(usize, f64)> =
            theirs.iter().enumerate().filter_map(|(col, it)| Some((col, dot(sketch, it.as_ref()?)))).collect();
        let Some((best, similarity)) = scores.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        let others: Vec<f64> = scores.iter().filter(|it| it.0 != best).map(|it| it.1).collect();
        answers.push(Answer { subject: row, reference: best, similarity, margin: margin(similarity, &others) });
    }
    Ok(answers)
}

fn margin(best: f64, others: &[f64]) -> f64 {
    if others.len() < 2 {
        return 0.0;
    }
    let mean = others.iter().sum::<f64>() / others.len() as f64;
    let spread = (others.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (others.len() - 1) as f64).sqrt();
    if spread > 0.0 { (best - mean) / spread } else { 0.0 }
}

/// One sketch a layer, of length one; none where it has no feed-forward block.
fn sketches(
    net: &Net<'_>,
    probes: &Matrix,
    apply: impl Fn(Matrix) -> Matrix,
    directions: &Matrix,
) -> Result<Vec<Option<Vec<f32>>>, Error> {
    net.layers.iter().map(|layer| sketch(net, layer, probes, &apply, directions)).collect()
}

fn sketch(
    net: &Net<'_>,
    layer: &Layer,
    probes: &Matrix,
    apply: &impl Fn(Matrix) -> Matrix,
    directions: &Matrix,
) -> Result<Option<Vec<f32>>, Error> {
    let Some(key) = layer.ffns.first().and_then(|it| it.key()) else { return Ok(None) };
    let gate = net.folded(key, layer.ffn_norm.as_ref())?;
    if gate.cols != probes.cols {
        return Ok(None);
    }
    let mut answer = apply(probes.times_transposed(&gate).times(&gate));
    let cols = answer.cols.max(1);
    for (row, direction) in answer.data.chunks_exact_mut(cols).zip(directions.iter()) {
        let along = (dot(row, direction) / dot(direction, direction).max(f64::MIN_POSITIVE)) as f32;
        row.iter_mut().zip(direction).for_each(|(it, x)| *it -= along * x);
        let length = norm(row).max(f64::MIN_POSITIVE) * (PROBES as f64).sqrt();
        row.iter_mut().for_each(|it| *it = (f64::from(*it) / length) as f32);
    }
    Ok(Some(answer.data))
}
