//! Do the signs of pairs agree: a random-sign test for what shows two dimensions at a time.
//!
//! **Statistic.** Two sets of second moments over the same dimensions are multiplied entry by entry, `a_ij`, the
//! diagonal left out; `T` is the sum of all `a_ij`, blocks of dimensions that never meet added up.
//!
//! **Null.** One of the two models was initialised independently of the other. Turning the sign of a dimension
//! changes no output and keeps the law of every symmetric initialisation and every course of training (see
//! `random_sign`), so that the entries are `s_i s_j |..|` with independent
//! fair coins `s`, given all sizes. Taken one dimension after the other, `c_i = a_i1 + … + a_i(i-1)` then has a fair
//! sign given everything before it, and a size that is known by then.
//!
//! **p-value.** `Π exp(λ c_i) / cosh(λ |c_i|)` has the mean 1 under the null for every `λ` that the signs have no
//! part in; so has a weighted mean over several `λ`, here powers of two of the one that is best where a decision
//! begins, by the size of all entries, which no sign changes. By Markov's inequality its inverse bounds the p-value:
//! finite-sample, one-sided, never too small.
//!
//! **What it cannot tell.** A shared start from derivation: both leave signs in common. It is silent where dimensions
//! were re-ordered or mixed. Fewer dimensions than some forty say nothing, whatever they show.
//!
//! References: J. Ville, "Étude critique de la notion de collectif", 1939; V. de la Peña, T. Lai, Q. Shao,
//! "Self-Normalized Processes", Springer 2009, chapter 11, for mixtures over `λ`.

use std::f64::consts::LN_10;

use crate::linalg::matrix::Matrix;

/// The `λ` that is tried first is the best one where the evidence just reaches this p-value, should every size be the
/// same.
const FIRST: f64 = 1e-6;

/// How many powers of two of it are tried; each has half the weight of the one before.
const POWERS: i32 = 12;

/// Entries of pairs of dimensions, by the dimension that comes later.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pairs {
    rows: Vec<Vec<f64>>,
}

impl Pairs {
    /// The products of two symmetric matrices, entry by entry; nothing where their sizes differ.
    pub(crate) fn of(one: &Matrix, other: &Matrix) -> Self {
        if one.rows != other.rows || one.cols != other.cols || one.rows != one.cols {
            return Self::default();
        }
        let row = |it: usize| {
            let products = one.row(it).iter().zip(other.row(it)).take(it);
            products.map(|(a, b)| f64::from(*a) * f64::from(*b)).collect()
        };
        Self { rows: (0..one.rows).map(row).collect() }
    }

    /// The same where dimension `i` and dimension `i + n/2` share a coin, as the two of a rotary pair do.
    pub(crate) fn of_rotary(one: &Matrix, other: &Matrix) -> Self {
        let half = one.rows / 2;
        if half == 0 || one.rows != 2 * half || (one.rows, one.cols) != (other.rows, other.cols) {
            return Self::default();
        }
        let entry = |row: usize, col: usize| f64::from(one.row(row)[col]) * f64::from(other.row(row)[col]);
        let four = |row: usize, col: usize| {
            entry(row, col) + entry(row + half, col + half) + entry(row, col + half) + entry(row + half, col)
        };
        Self { rows: (0..half).map(|row| (0..row).map(|col| four(row, col)).collect()).collect() }
    }

    /// Adds entries over the same coins.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.rows.is_empty() {
            self.rows.clone_from(&other.rows);
            return;
        }
        for (row, others) in self.rows.iter_mut().zip(&other.rows) {
            row.iter_mut().zip(others).for_each(|(it, other)| *it += other);
        }
    }

    /// Scaled to a sum of squares of one, which no sign changes, so that large blocks do not drown small ones.
    pub(crate) fn normalised(mut self) -> Self {
        let size = self.squares().sqrt();
        if size > 0.0 {
            self.rows.iter_mut().flatten().for_each(|it| *it /= size);
        }
        self
    }

    /// Number of coins.
    pub(crate) fn coins(&self) -> usize {
        self.rows.len()
    }

    /// Sum of all entries.
    pub(crate) fn sum(&self) -> f64 {
        self.rows.iter().flatten().sum()
    }

    /// Sum of their squares: the variance of the sum under the null.
    pub(crate) fn squares(&self) -> f64 {
        self.rows.iter().flatten().map(|it| it * it).sum()
    }
}

/// The sum of all entries in its own standard deviations under the null.
pub(crate) fn standing<'a>(blocks: impl Iterator<Item = &'a Pairs>) -> f64 {
    let (sum, squares) = blocks.fold((0.0, 0.0), |all, it| (all.0 + it.sum(), all.1 + it.squares()));
    if squares > 0.0 { sum / squares.sqrt() } else { 0.0 }
}

/// Base-10 logarithm of the bound of the p-value over blocks whose coins are independent of each other.
pub(crate) fn log10_p<'a>(blocks: impl Iterator<Item = &'a Pairs> + Clone) -> f64 {
    let squares: f64 = blocks.clone().map(Pairs::squares).sum();
    if squares <= 0.0 {
        return 0.0;
    }
    let first = (-2.0 * FIRST.ln()).sqrt() / squares.sqrt();
    let steps: Vec<f64> = blocks.flat_map(|it| &it.rows).map(|row| row.iter().sum()).collect();
    let evidence = |power: i32| {
        let lambda = first * 2.0_f64.powi(power);
        steps.iter().map(|it| lambda * it - ln_cosh(lambda * it)).sum::<f64>() - f64::from(power + 1) * 2.0_f64.ln()
    };
    let all: Vec<f64> = (0..POWERS).map(evidence).collect();
    let best = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = best + all.iter().map(|it| (it - best).exp()).sum::<f64>().ln();
    (-mean / LN_10).min(0.0)
}

fn ln_cosh(x: f64) -> f64 {
    let size = x.abs();
    size + (-2.0 * size).exp().ln_1p() - 2.0_f64.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    fn moments(rows: usize, columns: usize, random: &mut Random) -> Matrix {
        let drawn = Matrix::new(rows, columns, (0..rows * columns).map(|_| random.normal()).collect());
        drawn.times_transposed(&drawn)
    }

    fn turned(matrix: &Matrix, signs: &[f32]) -> Matrix {
        let entry = |(at, it): (usize, &f32)| it * signs[at / matrix.cols] * signs[at % matrix.cols];
        Matrix { data: matrix.data.iter().enumerate().map(entry).collect(), ..*matrix }
    }

    /// The bound holds for fair coins, also where a few entries are far larger than all others.
    #[test]
    fn fair_coins_are_never_called_unfair() {
        let mut random = Random::new(21);
        let mut below = [0_usize; 3];
        for run in 0..10_000 {
            let blocks: Vec<Pairs> = (0..3)
                .map(|_| {
                    let (one, mut other) = (moments(10, 4, &mut random), moments(10, 4, &mut random));
                    if run % 2 == 0 {
                        other.data.iter_mut().step_by(7).for_each(|it| *it *= 20.0);
                    }
                    let signs: Vec<f32> = (0..10).map(|_| random.sign()).collect();
                    Pairs::of(&turned(&one, &signs), &other).normalised()
                })
                .collect();
            let log10_p = log10_p(blocks.iter());
            below.iter_mut().zip([-1.0, -2.0, -3.0]).for_each(|(it, level)| *it += usize::from(log10_p <= level));
        }
        assert!(below[0] <= 1000 && below[1] <= 100 && below[2] <= 10, "{below:?}");
        assert!(below[0] > 0, "the test never said anything: {below:?}");
    }

    /// Moments against themselves are found, and no longer once half of the signs are turned.
    #[test]
    fn shared_moments_are_found_until_signs_are_turned() {
        let mut random = Random::new(22);
        let moments = moments(60, 8, &mut random);
        let found = log10_p([Pairs::of(&moments, &moments)].iter());
        assert!(found < -12.0, "{found}");
        let signs: Vec<f32> = (0..60).map(|_| random.sign()).collect();
        let hidden = log10_p([Pairs::of(&turned(&moments, &signs), &moments)].iter());
        assert!(hidden > -2.0, "{hidden}");
    }

    #[test]
    fn the_two_of_a_rotary_pair_share_a_coin() {
        let mut random = Random::new(23);
        let (one, other) = (moments(8, 3, &mut random), moments(8, 3, &mut random));
        let pairs = Pairs::of_rotary(&one, &other);
        assert_eq!(pairs.coins(), 4);
        // Turning both of a pair turns every entry of its coin and leaves all others.
        let signs = [1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0];
        let turned = Pairs::of_rotary(&turned(&one, &signs), &other);
        for (row, (before, after)) in pairs.rows.iter().zip(&turned.rows).enumerate() {
            for (col, (before, after)) in before.iter().zip(after).enumerate() {
                let sign = if row == 1 || col == 1 { -1.0 } else { 1.0 };
                assert!((before * sign - after).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn nothing_says_nothing_and_much_stays_finite() {
        assert_eq!(log10_p([Pairs::default()].iter()), 0.0);
        let all = Matrix::new(400, 400, vec![1.0; 160_000]);
        let found = log10_p([Pairs::of(&all, &all)].iter());
        assert!(found.is_finite() && found < -80.0 && found > -400.0 * 2.0_f64.log10(), "{found}");
    }
}
