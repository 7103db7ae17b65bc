//! Attention heads of two layers in the same coordinates.
//!
//! Two statistics. Value dimensions carry a sign that changes nothing, exactly as hidden units do: `(row of V, columns of O)`
//! may be turned together, so that their cosines, dimension by dimension, are a random-sign test. It is silent where the
//! basis between value and output was changed; then the product `O V` of a head, which no such change touches, is compared
//! with that of every other head of the reference, and how far the matched head stands above those is a calibrated z.
//!
//! References: Y. Zheng et al., `HuRef`, `NeurIPS` 2024, for invariant products (broken by norm gains that are not folded first);
//! the null of the sign test is in [`random_sign`](crate::weights::random_sign).

use crate::checkpoint::Error;
use crate::weights::effort::spread;
use crate::weights::matrix::{Matrix, cosine, dot};
use crate::weights::net::{Layer, Net};
use crate::weights::stream::Stream;
use crate::weights::units::Sums;

/// The projections of one layer, norm gains folded in.
pub(crate) struct Attention {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    /// Turned round: a row is what one dimension of one head writes.
    output: Matrix,
    heads: usize,
    kv_heads: usize,
    dim: usize,
}

impl Attention {
    /// Loads them; none where they are not all there or do not fit together.
    pub(crate) fn load(net: &Net<'_>, layer: &Layer) -> Result<Option<Self>, Error> {
        let all = (&layer.query, &layer.key, &layer.value, &layer.output);
        let (Some(query), Some(key), Some(value), Some(output)) = all else { return Ok(None) };
        let norm = layer.attention_norm.as_ref();
        let (heads, kv_heads, dim) = (net.heads, net.kv_heads, net.head_dim);
        let fits = query.outputs() == heads * dim
            && key.outputs() == kv_heads * dim
            && value.outputs() == kv_heads * dim
            && output.inputs() == heads * dim
            && kv_heads > 0
            && heads.is_multiple_of(kv_heads);
        if !fits || [query, key, value].iter().any(|it| it.inputs() != net.hidden) || output.outputs() != net.hidden {
            return Ok(None);
        }
        let (query, key, value) = (net.folded(query, norm)?, net.folded(key, norm)?, net.folded(value, norm)?);
        let output = output.load(net.numbers)?.transposed();
        Ok(Some(Self { query, key, value, output, heads, kv_heads, dim }))
    }

    /// The same, carried along by a map of the stream.
    pub(crate) fn mapped(self, stream: &Stream) -> Self {
        Self {
            query: stream.apply(self.query),
            key: stream.apply(self.key),
            value: stream.apply(self.value),
            output: stream.apply(self.output),
            ..self
        }
    }

    fn head(&self, matrix: &Matrix, head: usize) -> Matrix {
        matrix.gather(&(head * self.dim..(head + 1) * self.dim).collect::<Vec<_>>())
    }

    fn group(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads)
    }
}

/// What two layers' heads say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heads {
    /// Cosines of value dimensions, by position, where both sides have the same heads.
    pub(crate) signs: Vec<f64>,
    /// Heads of the subject, each with the reference's head that looks for the most alike, by `QᵀK`.
    pub(crate) matched: Vec<(usize, usize)>,
    /// How far `OV` of matched heads stands above `OV` of other heads.
    pub(crate) z: f64,
    /// Of `OV` products of matched heads.
    pub(crate) products: Sums,
    /// Of `QᵀK` products of matched heads.
    pub(crate) looks: Sums,
    /// Of query and key as they stand.
    pub(crate) plain: Sums,
}

/// Compares at most so many heads of a layer with all heads of another.
pub(crate) fn compare(subject: &Attention, reference: &Attention, most: usize) -> Heads {
    let mut heads = Heads::default();
    let same_shape =
        subject.dim == reference.dim && subject.heads == reference.heads && subject.kv_heads == reference.kv_heads;
    if same_shape {
        heads.signs = value_signs(subject, reference);
        for (a, b) in
            subject.query.iter().zip(reference.query.iter()).chain(subject.key.iter().zip(reference.key.iter()))
        {
            heads.plain.rows(a, b, 1.0);
        }
    }
    let ours: Vec<(usize, Head)> =
        spread(subject.heads, most).into_iter().map(|it| (it, Head::of(subject, it))).collect();
    let theirs: Vec<Head> = (0..reference.heads).map(|it| Head::of(reference, it)).collect();
    let mut written = Matrix::new(ours.len(), theirs.len(), Vec::new());
    for (row, (head, one)) in ours.iter().enumerate() {
        let looks: Vec<f64> = theirs.iter().map(|it| product(&one.query, &one.key, &it.query, &it.key)).collect();
        let alike = |it: usize| looks[it] / (one.looks * theirs[it].looks).max(f64::MIN_POSITIVE).sqrt();
        let best = (0..theirs.len()).max_by(|a, b| alike(*a).total_cmp(&alike(*b))).unwrap_or(0);
        heads.matched.push((*head, best));
        heads.looks.add(looks[best], one.looks, theirs[best].looks);
        for (col, it) in theirs.iter().enumerate() {
            let both = product(&one.output, &one.value, &it.output, &it.value);
            written.data[row * theirs.len() + col] =
                (both / (one.writes * it.writes).max(f64::MIN_POSITIVE).sqrt()) as f32;
            if col == best {
                heads.products.add(both, one.writes, it.writes);
            }
        }
    }
    heads.z = standing(&written, &heads.matched.iter().map(|it| it.1).collect::<Vec<_>>());
    heads
}

struct Head {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    output: Matrix,
    /// Squared sizes of `QᵀK` and of `OV`.
    looks: f64,
    writes: f64,
}

impl Head {
    fn of(all: &Attention, head: usize) -> Self {
        let group = all.group(head);
        let (query, key) = (all.head(&all.query, head), all.head(&all.key, group));
        let (value, output) = (all.head(&all.value, group), all.head(&all.output, head));
        let (looks, writes) = (product(&query, &key, &query, &key), product(&output, &value, &output, &value));
        Self { query, key, value, output, looks, writes }
    }
}

/// Inner product of `aᵀ b` and `cᵀ d`, without making either: the sum of `(a cᵀ) ∘ (b dᵀ)`.
fn product(a: &Matrix, b: &Matrix, c: &Matrix, d: &Matrix) -> f64 {
    let (left, right) = (a.times_transposed(c), b.times_transposed(d));
    dot(&left.data, &right.data)
}

fn value_signs(subject: &Attention, reference: &Attention) -> Vec<f64> {
    let queries = subject.heads / subject.kv_heads;
    let sign = |row: usize| {
        let (group, within) = (row / subject.dim, row % subject.dim);
        let written = (0..queries).map(|it| {
            let at = (group * queries + it) * subject.dim + within;
            cosine(subject.output.row(at), reference.output.row(at))
        });
        cosine(subject.value.row(row), reference.value.row(row)) + written.sum::<f64>() / queries as f64
    };
    (0..subject.value.rows).map(sign).collect()
}

/// The matched entries' mean, in standard deviations of the mean of as many entries of the others.
fn standing(scores: &Matrix, matched: &[usize]) -> f64 {
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for (row, numbers) in scores.iter().enumerate() {
        for (col, number) in numbers.iter().enumerate() {
            if matched.get(row) == Some(&col) {
                chosen.push(f64::from(*number));
            } else {
                others.push(f64::from(*number));
            }
        }
    }
    if others.len() < 6 || chosen.is_empty() {
        return 0.0;
    }
    let mean = |it: &[f64]| it.iter().sum::<f64>() / it.len() as f64;
    let centre = mean(&others);
    let spread = (others.iter().map(|it| (it - centre).powi(2)).sum::<f64>() / (others.len() - 1) as f64).sqrt();
    if spread > 0.0 { (mean(&chosen) - centre) / spread * (chosen.len() as f64).sqrt() } else { 0.0 }
}
