//! What is left when the reference is taken away from the subject, where both have the same coordinates and units.
//!
//! **Statistics.** Share of numbers that did not change at all; size of the change against the reference; its kurtosis
//! (3 for a normal law); its participation rank `(tr DDᵀ)² / ‖DDᵀ‖²` against `m n / (m + n)`, which is what independent
//! numbers give; its algebraic rank, by pivoted Cholesky of `DDᵀ` down to 1e-7 of the largest pivot.
//!
//! **What they cannot tell.** Whether a change is good. Noise of the same kurtosis may have been learned; a low rank
//! may be a merged adapter or a single fact edited in. Fine-tuning and continued pretraining differ in degree alone.
//!
//! Reference: V. Marchenko and L. Pastur, Math. USSR Sb. 1 (1967), for the spectrum of independent numbers.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, dot, norm};
use crate::weights::model::budget::spread;
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::provenance::rounding::Rounding;

/// The change of one kind of projection over all layers that answer each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Delta {
    pub(crate) numbers: u64,
    pub(crate) unchanged: u64,
    /// Zeros of the subject where the reference has none.
    pub(crate) zeroed: u64,
    /// Numbers that were neither zeroed nor changed.
    pub(crate) kept_or_zeroed: u64,
    squares: f64,
    fourths: f64,
    reference: f64,
    rank_share: f64,
    pub(crate) rank: usize,
    layers: usize,
    /// What rounding to the type that the subject is stored as explains.
    pub(crate) rounding: Rounding,
}

impl Delta {
    /// Whether it changed, and rounding explains all of it.
    pub(crate) fn is_rounded(&self) -> bool {
        self.unchanged < self.numbers && self.rounding.explains()
    }

    pub(crate) fn unchanged_share(&self) -> f64 {
        self.unchanged as f64 / self.numbers.max(1) as f64
    }

    /// Size of the change against that of the reference.
    pub(crate) fn size(&self) -> f64 {
        if self.reference > 0.0 { (self.squares / self.reference).sqrt() } else { 0.0 }
    }

    pub(crate) fn kurtosis(&self) -> f64 {
        let mean_square = self.squares / self.numbers.max(1) as f64;
        if mean_square > 0.0 { self.fourths / self.numbers as f64 / (mean_square * mean_square) } else { 0.0 }
    }

    /// Participation rank over that of independent numbers.
    pub(crate) fn rank_share(&self) -> f64 {
        self.rank_share / self.layers.max(1) as f64
    }

    fn add(&mut self, subject: &Matrix, reference: &Matrix) {
        let mut change = Matrix::new(subject.rows, subject.cols, Vec::with_capacity(subject.data.len()));
        change.data.iter_mut().zip(&subject.data).zip(&reference.data).for_each(|((to, a), b)| *to = a - b);
        for ((one, other), change) in subject.data.iter().zip(&reference.data).zip(&change.data) {
            let square = f64::from(*change) * f64::from(*change);
            self.numbers += 1;
            self.unchanged += u64::from(one == other);
            self.zeroed += u64::from(*one == 0.0 && *other != 0.0);
            self.kept_or_zeroed += u64::from(one == other || *one == 0.0);
            self.squares += square;
            self.fourths += square * square;
        }
        self.reference += norm(&reference.data).powi(2);
        if self.squares > 0.0 && norm(&change.data) > 0.0 {
            let narrow = if change.rows > change.cols { change.transposed() } else { change };
            let gram = narrow.times_transposed(&narrow);
            let trace: f64 = (0..gram.rows).map(|it| f64::from(gram.row(it)[it])).sum();
            let (m, n) = (narrow.rows as f64, narrow.cols as f64);
            self.rank_share += trace * trace / dot(&gram.data, &gram.data) / (m * n / (m + n));
            self.rank = self.rank.max(rank(&gram, (trace * 1e-6).max(rounding(subject))));
            self.layers += 1;
        }
    }
}

/// What rounding to the precision that numbers are kept in may add to a pivot: four times the squares of the longest
/// row or column, by the largest relative error.
fn rounding(subject: &Matrix) -> f64 {
    let has_empty = |bits: u32| subject.data.iter().all(|it| it.to_bits() & bits == 0);
    let step = match () {
        () if has_empty(0xffff) => 2.0_f64.powi(-9),
        () if has_empty(0x1fff) => 2.0_f64.powi(-12),
        () => 2.0_f64.powi(-25),
    };
    let longest = |matrix: &Matrix| matrix.iter().map(|row| dot(row, row)).fold(0.0, f64::max);
    4.0 * step * step * longest(subject).max(longest(&subject.transposed()))
}

/// How many pivots of a positive semi-definite matrix stand above rounding.
fn rank(gram: &Matrix, least: f64) -> usize {
    let size = gram.rows;
    let mut left: Vec<f64> = (0..size).map(|it| f64::from(gram.row(it)[it])).collect();
    let mut factors: Vec<Vec<f64>> = Vec::new();
    while factors.len() < size {
        let Some((pivot, largest)) = left.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        if largest <= least {
            break;
        }
        let root = largest.sqrt();
        let column = (0..size).map(|row| {
            let before: f64 = factors.iter().map(|it| it[row] * it[pivot]).sum();
            (f64::from(gram.row(row)[pivot]) - before) / root
        });
        let column: Vec<f64> = column.collect();
        left.iter_mut().zip(&column).for_each(|(it, factor)| *it -= factor * factor);
        left[pivot] = f64::NEG_INFINITY;
        factors.push(column);
    }
    factors.len()
}

/// The change of every kind of projection, on at most so many rows of each; only for models in the same coordinates,
/// with their units in place.
pub(crate) fn measure(
    subject: &Net<'_>,
    reference: &Net<'_>,
    answers: &[Answer],
    rows: usize,
) -> Result<BTreeMap<&'static str, Delta>, Error> {
    let mut deltas: BTreeMap<&'static str, Delta> = BTreeMap::new();
    for answer in answers {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let norms = [(&one.attention_norm, &other.attention_norm), (&one.ffn_norm, &other.ffn_norm)];
        let mut pairs: Vec<Kind<'_>> = vec![
            ("query", &one.query, &other.query, Some(0)),
            ("key", &one.key, &other.key, Some(0)),
            ("value", &one.value, &other.value, Some(0)),
            ("output", &one.output, &other.output, None),
        ];
        if let ([ours], [theirs]) = (&one.ffns[..], &other.ffns[..]) {
            pairs.push(("gate", &ours.gate, &theirs.gate, Some(1)));
            pairs.push(("up", &ours.up, &theirs.up, Some(1)));
            pairs.push(("down", &ours.down, &theirs.down, None));
        }
        for (kind, ours, theirs, norm) in pairs {
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            if (ours.outputs(), ours.inputs()) != (theirs.outputs(), theirs.inputs()) {
                continue;
            }
            let norm = norm.and_then(|it| norms[it].0.as_ref().zip(norms[it].1.as_ref()));
            let rows = spread(ours.outputs(), rows);
            deltas.entry(kind).or_default().add_rows((subject, ours), (reference, theirs), &rows, norm)?;
        }
    }
    Ok(deltas)
}

/// A kind of projection on both sides, and which of the layer's norms precedes it.
type Kind<'a> = (&'static str, &'a Option<Slot>, &'a Option<Slot>, Option<usize>);

/// A change of less than this, norm weights folded in, is that of multiplying and dividing.
const REFOLDED: f64 = 1e-4;

impl Delta {
    /// Adds some rows of a projection: as they are stored, or where the change is smaller so, with the weights of the
    /// norm in front of it folded in, which may have been rewritten and made up for.
    fn add_rows(
        &mut self,
        ours: (&Net<'_>, &Slot),
        theirs: (&Net<'_>, &Slot),
        rows: &[usize],
        norm: Option<(&String, &String)>,
    ) -> Result<(), Error> {
        let stored = |(net, slot): (&Net<'_>, &Slot)| net.numbers.stored(slot.name()).unwrap_or_default();
        let types = (stored(ours), stored(theirs));
        let (one, other) = both(ours.1.load_rows(ours.0.numbers, rows)?, theirs.1.load_rows(theirs.0.numbers, rows)?);
        let plain = apart(&one, &other);
        if let Some(norm) = norm.filter(|_| plain > 0.0) {
            let (one, other) = both(
                ours.0.folded_rows(ours.1, rows, Some(norm.0))?,
                theirs.0.folded_rows(theirs.1, rows, Some(norm.1))?,
            );
            let folded = apart(&one, &other);
            if folded * 2.0 < plain {
                // What is left is that of multiplying and dividing, and nothing was changed.
                let one = if folded < REFOLDED { other.clone() } else { one };
                self.add(&one, &other);
                self.rounding.know_nothing();
                return Ok(());
            }
        }
        self.add(&one, &other);
        self.rounding.add((&one, &types.0), (&other, &types.1));
        Ok(())
    }
}

/// Size of the change against that of the reference.
fn apart(one: &Matrix, other: &Matrix) -> f64 {
    let change = one.data.iter().zip(&other.data).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
    (change / dot(&other.data, &other.data).max(f64::MIN_POSITIVE)).sqrt()
}

/// Rows that hold anything on both sides: zeros of a whole row never arrived, and were not changed to zero.
fn both(ours: Matrix, theirs: Matrix) -> (Matrix, Matrix) {
    let holds = |matrix: &Matrix, row: usize| matrix.row(row).iter().any(|it| *it != 0.0);
    let kept: Vec<usize> = (0..ours.rows).filter(|it| holds(&ours, *it) && holds(&theirs, *it)).collect();
    if kept.len() == ours.rows { (ours, theirs) } else { (ours.gather(&kept), theirs.gather(&kept)) }
}

/// Bits of a lattice that the numbers of a matrix lie on, and how many share one scale; none where they lie on none
/// that is known: symmetric 8 bits by row or by 32, and 4 bits by 32.
pub(crate) fn lattice(matrix: &Matrix) -> Option<(u32, usize)> {
    let rows: Vec<&[f32]> = matrix.iter().take(8).collect();
    // Zeros lie on every lattice, and tell nothing of one.
    if !rows.iter().any(|row| row.iter().any(|it| *it != 0.0)) {
        return None;
    }
    let lies = |group: usize, levels: &[f64]| {
        rows.iter()
            .all(|row| row.chunks_exact(group).all(|numbers| levels.iter().any(|level| lies_on(numbers, *level))))
    };
    let narrow = matrix.cols >= 32;
    match () {
        () if narrow && lies(32, &[7.0, 8.0]) => Some((4, 32)),
        () if narrow && lies(32, &[127.0, 128.0]) => Some((8, 32)),
        () if matrix.cols >= 16 && lies(matrix.cols, &[127.0, 128.0]) => Some((8, matrix.cols)),
        () => None,
    }
}

fn lies_on(numbers: &[f32], levels: f64) -> bool {
    let largest = numbers.iter().map(|it| f64::from(it.abs())).fold(0.0, f64::max);
    largest == 0.0
        || numbers.iter().all(|it| {
            let place = f64::from(*it) / largest * levels;
            (place - place.round()).abs() < 2e-3
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    fn sum(one: &Matrix, other: &Matrix) -> Matrix {
        Matrix::new(one.rows, one.cols, one.data.iter().zip(&other.data).map(|(a, b)| a + b).collect())
    }

    #[test]
    fn a_low_rank_change_is_told_from_noise() {
        let base = drawn(48, 64, 1);
        let low = drawn(48, 4, 2).times(&drawn(4, 64, 3));
        let mut adapter = Delta::default();
        adapter.add(&sum(&base, &low), &base);
        assert!(adapter.rank == 4 && adapter.rank_share() < 0.3, "{adapter:?}");
        let mut noise = Delta::default();
        noise.add(&sum(&base, &drawn(48, 64, 4)), &base);
        assert!(noise.rank == 48 && (noise.rank_share() - 1.0).abs() < 0.1, "{noise:?}");
        assert!((noise.kurtosis() - 3.0).abs() < 0.4, "{}", noise.kurtosis());
    }

    #[test]
    fn lattices_are_seen_and_normal_numbers_lie_on_none() {
        let base = drawn(16, 64, 5);
        let rounded = |group: usize, levels: f32| {
            let mut out = base.clone();
            for numbers in out.data.chunks_exact_mut(group) {
                let scale = numbers.iter().fold(0.0_f32, |a, b| a.max(b.abs())) / levels;
                numbers.iter_mut().for_each(|it| *it = (*it / scale).round() * scale);
            }
            out
        };
        assert_eq!(lattice(&base), None);
        assert_eq!(lattice(&rounded(32, 7.0)), Some((4, 32)));
        assert_eq!(lattice(&rounded(64, 127.0)), Some((8, 64)));
    }
}
