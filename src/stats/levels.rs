//! The levels of decisions, and how figures are rounded.

/// The level of a decision: one in a million, after paying for every test of the same kind.
pub(crate) const LEVEL: f64 = -6.0;

/// A calibrated statistic must go further, since its law is only approximate.
pub(crate) const ASYMPTOTIC_LEVEL: f64 = -12.0;

/// Four significant digits: what a reader can use, and the same on every machine.
pub(crate) fn rounded(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return 0.0;
    }
    let digits = 3 - number.abs().log10().floor() as i32;
    format!("{number:.*}", digits.clamp(0, 12) as usize).parse().unwrap_or(number)
}
