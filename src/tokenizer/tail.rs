//! The upper tail of the normal distribution, as a logarithm, so that it never becomes 0.
//!
//! References: the continued fraction of Laplace (Abramowitz and Stegun 26.2.14) far out; the series of 26.2.11 near 0.
//! Relative error of the tail below 1e-12 for |z| up to 1e6.

use std::f64::consts::{LN_10, PI};

/// From here on the continued fraction is used; it converges the faster the farther out.
const FAR: f64 = 2.5;
/// Terms of the continued fraction: at `FAR` 120 are enough for full precision.
const TERMS: u32 = 160;

/// Logarithm to base 10 of the chance of a normal value above `z`.
pub(crate) fn log10_upper(z: f64) -> f64 {
    ln_upper(z) / LN_10
}

fn ln_upper(z: f64) -> f64 {
    if z > FAR {
        let fraction = (1..=TERMS).rev().fold(z, |below, term| z + f64::from(term) / below);
        return ln_density(z) - fraction.ln();
    }
    if z < -FAR {
        return (-ln_upper(-z).exp()).ln_1p();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from 40 digits of `erfc`.
    #[track_caller]
    fn check(z: f64, log10: f64) {
        let got = log10_upper(z);
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
        let steps: Vec<f64> = (-600..4_000).map(|it| log10_upper(f64::from(it) / 100.0)).collect();
        assert!(steps.is_sorted_by(|one, next| one > next));
        assert!(log10_upper(1e6).is_finite());
    }
}
