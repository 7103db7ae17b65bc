//! Permutation statistics: ranks through the normal quantile, and the null distribution of their products.
//!
//! References: W. Hoeffding, "A combinatorial central limit theorem", Ann. Math. Stat. 22 (1951); B. van der Waerden,
//! Indag. Math. 14 (1952).

use crate::linalg::matrix::{Matrix, dot};
use crate::stats::tail;

/// The sum of products of scores, with its variance when the dimensions of one side are re-ordered, all rows alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Permuted {
    /// Numbers of each side.
    pub(crate) numbers: usize,
    sum: f64,
    variance: f64,
    sizes: f64,
}

impl Permuted {
    /// Adds rows whose dimensions are re-ordered by themselves; too few dimensions have no law.
    pub(crate) fn add(&mut self, ours: &[Vec<f32>], theirs: &[Vec<f32>]) {
        let dimensions = ours.first().map_or(0, Vec::len);
        if dimensions < 8 {
            return;
        }
        let matrix = |rows: &[Vec<f32>]| Matrix::new(rows.len(), dimensions, rows.concat());
        let (a, b) = (matrix(ours), matrix(theirs));
        self.numbers += a.data.len();
        self.sum += ours.iter().zip(theirs).map(|(a, b)| dot(a, b)).sum::<f64>();
        self.sizes += (dot(&a.data, &a.data) * dot(&b.data, &b.data)).sqrt();
        let (gram_a, gram_b) = (a.times_transposed(&a), b.times_transposed(&b));
        self.variance += dot(&gram_a.data, &gram_b.data) / (dimensions - 1) as f64;
    }

    /// Standard deviations above what re-ordered dimensions give.
    pub(crate) fn z(&self) -> f64 {
        if self.variance > 0.0 { self.sum / self.variance.sqrt() } else { 0.0 }
    }

    pub(crate) fn log10_p(&self) -> f64 {
        if self.numbers > 0 { tail::normal(self.z()) } else { 0.0 }
    }

    /// Of the scores of both sides.
    pub(crate) fn correlation(&self) -> f64 {
        if self.sizes > 0.0 { self.sum / self.sizes } else { 0.0 }
    }
}

#[cfg(test)]
fn standing(ours: &[Vec<f32>], theirs: &[Vec<f32>]) -> f64 {
    let mut permuted = Permuted::default();
    permuted.add(ours, theirs);
    permuted.z()
}

/// Ranks through the normal quantile; equal numbers share their mean score. They add up to 0.
pub(crate) fn scores(numbers: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut scores = vec![0.0; numbers.len()];
    let mut start = 0;
    while start < order.len() {
        let equal = order[start..].iter().take_while(|it| numbers[**it] == numbers[order[start]]).count();
        let equal = equal.max(1); // what is no number equals nothing, not even itself
        let mean: f64 = (start..start + equal).map(|it| quantile((it as f64 + 0.5) / order.len() as f64)).sum();
        order[start..start + equal].iter().for_each(|it| scores[*it] = (mean / equal as f64) as f32);
        start += equal;
    }
    scores
}

/// The normal quantile, to 4.5e-4: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.2.23.
fn quantile(p: f64) -> f64 {
    let t = (-2.0 * p.min(1.0 - p).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let size = t - above / below;
    if p < 0.5 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    /// Outlying dimensions that all layers share are what a naive sum over layers trips over.
    #[test]
    fn unrelated_gains_with_shared_outliers_stand_at_nothing() {
        let mut random = Random::new(3);
        let mut drawn = || {
            let common: Vec<f32> = (0..64).map(|_| random.normal()).collect();
            let layer =
                |random: &mut Random| scores(&common.iter().map(|it| it + 0.3 * random.normal()).collect::<Vec<_>>());
            (0..8).map(|_| layer(&mut random)).collect::<Vec<_>>()
        };
        let z: Vec<f64> = (0..2_000).map(|_| standing(&drawn(), &drawn())).collect();
        let above = |level: f64| z.iter().filter(|it| **it > level).count();
        assert!(above(1.645) < 140 && above(2.326) < 35 && above(4.0) == 0, "{} {}", above(1.645), above(2.326));
    }

    /// What is no number equals nothing, and is given a score all the same.
    #[test]
    fn numbers_that_are_none_have_an_end() {
        let scores = scores(&[f32::NAN, 1.0, 2.0, f32::NAN, 1.0]);
        assert!(scores.iter().all(|it| it.is_finite()) && scores[1] == scores[4], "{scores:?}");
    }

    #[test]
    fn a_model_stands_far_above_chance_against_itself() {
        let mut random = Random::new(4);
        let rows: Vec<Vec<f32>> =
            (0..6).map(|_| scores(&(0..64).map(|_| random.normal()).collect::<Vec<_>>())).collect();
        assert!(standing(&rows, &rows) > 10.0);
    }
}
