//! What all rows of a projection have in common, and is taken away before signs are tested.
//!
//! **Statistic.** `n |m|²`, where `m` is the mean of `n` rows of length one: 1 in the mean where rows are drawn with
//! fair signs in `d` dimensions, with a standard deviation of `√(2 / d)`.
//!
//! **What it decides.** Numbers with a mean that is not zero, as a cut to whole numbers leaves or an asymmetric start
//! has, give all rows one direction in common, in every model made so; signs of rows that are matched between two such
//! models are no fair coins. Where the rows of *both* models stand more than six deviations above 1, each model's own
//! direction is taken out of its rows. One model whose rows are fair is enough for the test to be exact, and nothing is
//! taken away then.
//!
//! **Limitations.** Several directions in common: only the mean one is looked for.

use crate::linalg::matrix::{Matrix, cosine, dot, norm};

/// Standard deviations above what fair signs give.
const ABOVE: f64 = 6.0;

/// The direction that some rows have in common; `None` if fair signs explain it.
pub(crate) fn direction(rows: &Matrix) -> Option<Vec<f32>> {
    let count = rows.rows as f64;
    let mut mean = vec![0.0_f64; rows.cols];
    for row in rows.iter() {
        let length = norm(row).max(f64::MIN_POSITIVE);
        mean.iter_mut().zip(row).for_each(|(to, it)| *to += f64::from(*it) / length);
    }
    let square = mean.iter().map(|it| it * it).sum::<f64>();
    let least = 1.0 + ABOVE * (2.0 / rows.cols.max(1) as f64).sqrt();
    (count > 1.0 && square / count >= least).then(|| {
        let length = square.sqrt();
        mean.iter().map(|it| (it / length) as f32).collect()
    })
}

/// Rows without a direction.
fn without(mut rows: Matrix, direction: &[f32]) -> Matrix {
    if direction.len() != rows.cols {
        return rows;
    }
    for row in rows.data.chunks_exact_mut(direction.len().max(1)) {
        let along = dot(row, direction) as f32;
        row.iter_mut().zip(direction).for_each(|(it, x)| *it -= along * x);
    }
    rows
}

/// The directions of both sides, where both have one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pair(Option<(Vec<f32>, Vec<f32>)>);

impl Pair {
    pub(crate) fn of(ours: Option<Vec<f32>>, theirs: Option<Vec<f32>>) -> Self {
        Self(ours.zip(theirs))
    }

    /// Rows of both sides without the direction of their own.
    pub(crate) fn taken_out(&self, ours: Matrix, theirs: Matrix) -> (Matrix, Matrix) {
        match &self.0 {
            Some((one, other)) => (without(ours, one), without(theirs, other)),
            None => (ours, theirs),
        }
    }

    /// Cosine of two rows without the direction of their own side.
    pub(crate) fn cosine(&self, ours: &[f32], theirs: &[f32]) -> f64 {
        let row = |row: &[f32]| Matrix { rows: 1, cols: row.len(), data: row.to_vec() };
        match &self.0 {
            Some((one, other)) => cosine(&without(row(ours), one).data, &without(row(theirs), other).data),
            None => cosine(ours, theirs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    #[test]
    fn a_mean_is_found_and_fair_rows_have_none() {
        for seed in 0..200 {
            assert_eq!(direction(&drawn(200, 32, seed)), None, "{seed}");
        }
        let mut shifted = drawn(200, 32, 7);
        shifted.data.iter_mut().for_each(|it| *it += 0.3);
        let found = direction(&shifted).unwrap();
        let left = without(shifted, &found);
        assert_eq!(direction(&left), None);
    }
}
