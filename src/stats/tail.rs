//! Probabilities too small for a floating-point number, as their base-10 logarithm.
//!
//! References: W. Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58 (1963). For the
//! normal tail, relative error below 1e-12 for |z| up to 1e6: the continued fraction of Laplace (Abramowitz and Stegun
//! 26.2.14) far out, the series of 26.2.11 near 0.

use std::f64::consts::{LN_10, PI};

/// From here on the continued fraction is used; it converges the faster the farther out.
const FAR: f64 = 2.5;
/// Terms of the continued fraction: at `FAR` 120 are enough for full precision.
const TERMS: u32 = 160;

/// Logarithm to base 10 of the chance of a normal value above `z`.
pub fn normal(z: f64) -> f64 {
    ln_normal(z) / LN_10
}

fn ln_normal(z: f64) -> f64 {
    if z > FAR {
        let fraction = (1..=TERMS).rev().fold(z, |below, term| z + f64::from(term) / below);
        return ln_density(z) - fraction.ln();
    }
    if z < -FAR {
        return (-ln_normal(-z).exp()).ln_1p();
    }
    (0.5 - centre(z)).ln()
}

fn ln_density(z: f64) -> f64 {
    -0.5 * z * z - 0.5 * (2.0 * PI).ln()
}

/// The chance of a value between 0 and `z`.
fn centre(z: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term.abs() > sum.abs() * f64::EPSILON * 0.25 {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum * ln_density(z).exp()
}

/// Upper bound of `P(sum of s_i c_i >= sum)` for independent fair signs `s_i`, where `squares` is the sum of `c_i²`.
///
/// Exact in the sense that it holds for every number of terms: Hoeffding's inequality. 0 for a sum that is not
/// positive.
pub fn random_signs(sum: f64, squares: f64) -> f64 {
    if sum <= 0.0 || squares <= 0.0 { 0.0 } else { -(sum * sum / (2.0 * squares)) / LN_10 }
}

/// Upper bound of the probability that `groups` independent uniformly random permutations have `count` points or more
/// in all at which they agree with maps that were given beforehand.
///
/// Each set of `k` prescribed points has probability at most `(n - k)! / n!`, so that the expected number of such sets
/// is at most `1 / k!` for one permutation and `groups^k / k!` for all; Markov's inequality does the rest.
pub fn agreeing_points(count: usize, groups: usize) -> f64 {
    if count == 0 || groups == 0 {
        return 0.0;
    }
    let factorial: f64 = (1..=count).map(|it| (it as f64).log10()).sum();
    (count as f64 * (groups as f64).log10() - factorial).min(0.0)
}

/// Upper bound of the probability that `count` or more of `of` independent events happen, each with a probability of at
/// most
/// `10^log10_each`: the expected number of sets of so many that all happen, `(e n q / k)^k` or less.
pub fn so_many(count: usize, of: usize, log10_each: f64) -> f64 {
    if count == 0 || log10_each >= 0.0 {
        return 0.0;
    }
    let share = (std::f64::consts::E * of as f64 / count as f64).log10();
    (count as f64 * (share + log10_each)).min(0.0)
}

/// The smallest of several probabilities, paid for by their number.
pub fn smallest_of(log10_p: f64, count: usize) -> f64 {
    (log10_p + (count.max(1) as f64).log10()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from 40 digits of `erfc`.
    #[track_caller]
    fn check(z: f64, log10: f64) {
        let got = normal(z);
        assert!((got - log10).abs() <= 1e-10 * log10.abs().max(1.0), "{z}: {got}, expected {log10}");
    }

    #[test]
    fn known_values_come_out() {
        check(0.0, 0.5_f64.log10());
        check(1.0, (0.158_655_253_931_457_05_f64).log10());
        check(-1.0, (0.841_344_746_068_542_9_f64).log10());
        check(3.0, (0.001_349_898_031_630_094_6_f64).log10());
        check(-4.0, (0.999_968_328_758_166_9_f64).log10());
        check(6.0, (9.865_876_450_376_946e-10_f64).log10());
        check(38.0, -315.539_789_703_962_5);
    }

    #[test]
    fn it_falls_without_a_step_and_stays_finite() {
        let steps: Vec<f64> = (-600..4_000).map(|it| normal(f64::from(it) / 100.0)).collect();
        assert!(steps.is_sorted_by(|one, next| one > next));
        assert!(normal(1e6).is_finite());
    }

    #[test]
    fn bounds_are_bounds() {
        assert!((random_signs(10.0, 10.0) + 5.0 / LN_10).abs() < 1e-12);
        assert_eq!(random_signs(-1.0, 1.0), 0.0);
        assert!((agreeing_points(5, 1) + 120_f64.log10()).abs() < 1e-12);
        assert_eq!(agreeing_points(1, 8), 0.0);
        assert!(agreeing_points(100_000, 80).is_finite());
    }
}
