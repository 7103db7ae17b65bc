//! Probabilities too small for a floating-point number, as their base-10 logarithm.
//!
//! References: W. Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58 (1963); W. Feller,
//! "An Introduction to Probability Theory and Its Applications" I, section VII.1, for the tail of the normal law.

use std::f64::consts::{LN_10, PI};

/// Upper bound of `P(sum of s_i c_i >= sum)` for independent fair signs `s_i`, where `squares` is the sum of `c_i²`.
///
/// Exact in the sense that it holds for every number of terms: Hoeffding's inequality. 0 for a sum that is not positive.
pub(crate) fn random_signs(sum: f64, squares: f64) -> f64 {
    if sum <= 0.0 || squares <= 0.0 { 0.0 } else { -(sum * sum / (2.0 * squares)) / LN_10 }
}

/// Upper bound of the probability that `groups` independent uniformly random permutations have `count` points or more in
/// all at which they agree with maps that were given beforehand.
///
/// Each set of `k` prescribed points has probability at most `(n - k)! / n!`, so that the expected number of such sets is
/// at most `1 / k!` for one permutation and `groups^k / k!` for all; Markov's inequality does the rest.
pub(crate) fn agreeing_points(count: usize, groups: usize) -> f64 {
    if count == 0 || groups == 0 {
        return 0.0;
    }
    let factorial: f64 = (1..=count).map(|it| (it as f64).log10()).sum();
    (count as f64 * (groups as f64).log10() - factorial).min(0.0)
}

/// `P(Z >= z)` of a standard normal `Z`.
pub(crate) fn normal(z: f64) -> f64 {
    if z < 5.0 {
        return (0.5 * complementary_error(z / std::f64::consts::SQRT_2)).log10();
    }
    // 1 - 1/z² + 3/z⁴ - 15/z⁶ is right to 1e-4 from here on, whatever z.
    let w = 1.0 / (z * z);
    let series = 1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w));
    (-0.5 * z * z - z.ln() - 0.5 * (2.0 * PI).ln() + series.ln()) / LN_10
}

/// `erfc`, to 1.2e-7: W. Cody's form as in Numerical Recipes, section 6.2.
fn complementary_error(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let value = t * (-x * x + sum).exp();
    if x >= 0.0 { value } else { 2.0 - value }
}

/// The smallest of several probabilities, paid for by their number.
pub(crate) fn smallest_of(log10_p: f64, count: usize) -> f64 {
    (log10_p + (count.max(1) as f64).log10()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_tail_is_right_near_and_far() {
        for (z, expected) in [
            (0.0, -std::f64::consts::LOG10_2),
            (1.959_964, -1.602_06),
            (6.0, -9.005_86),
            (37.0, -299.242_3),
            (38.6, -325.5259),
        ] {
            assert!((normal(z) - expected).abs() < 2e-3, "{z} {}", normal(z));
        }
        assert!(normal(1e6).is_finite());
        assert!((normal(4.999_999) - normal(5.0)).abs() < 1e-3);
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
