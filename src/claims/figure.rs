//! A number as a company states it, and the arithmetic that keeps apart what was said and what rounding allows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claims::bands::Rounding;
use crate::fact::Interval;

/// How far an open end ("at least 3") is followed. Beyond it nothing would change, and JSON knows no infinity.
const OPEN_END: f64 = 1000.0;

/// What "about 3" leaves open on each side.
const ABOUT: f64 = 0.10;

/// How a number was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// `3`.
    Exact,
    /// `~3`, `about 3`, `约 3`.
    About,
    /// `2-3`.
    Range,
    /// `at least 3`, `>3`, `3+`, `超过 3`.
    AtLeast,
    /// `at most 3`, `<3`, `不超过 3`.
    AtMost,
}

/// A number as stated, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// How it was stated.
    pub kind: FigureKind,
    /// The number; of a range the lower end.
    pub low: f64,
    /// The number; of a range the upper end.
    pub high: f64,
    /// Half of the last stated digit, as a share of the number: 0.5 ÷ 34 for `34`.
    pub half_digit: f64,
}

impl Figure {
    /// A number stated as it is, its digits taken for exact.
    pub fn exact(number: f64) -> Self {
        Self { kind: FigureKind::Exact, low: number, high: number, half_digit: 0.0 }
    }

    /// One number for it: the number itself, or the middle of a range.
    pub fn point(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// Whether one end was left open.
    pub fn is_open(self) -> bool {
        matches!(self.kind, FigureKind::AtLeast | FigureKind::AtMost)
    }

    /// What was said, taken at its word.
    pub fn said(self) -> Interval {
        match self.kind {
            FigureKind::AtLeast => Interval { low: self.low, high: self.high * OPEN_END },
            FigureKind::AtMost => Interval { low: self.low / OPEN_END, high: self.high },
            FigureKind::Exact | FigureKind::About | FigureKind::Range => Interval { low: self.low, high: self.high },
        }
    }

    /// What may have been rounded to what was said.
    pub fn reach(self, rounding: &Rounding) -> Interval {
        let share = self.half_digit.min(rounding.at_most).max(rounding.always);
        let share = if self.kind == FigureKind::About { share.max(ABOUT) } else { share };
        let said = self.said();
        Interval { low: said.low * (1.0 - share), high: said.high * (1.0 + share) }
    }
}

/// A positive quantity of a check: what follows from the words, and what follows if they were rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Amount {
    /// From the figures at their word.
    pub(crate) said: Interval,
    /// From all that may have been rounded to them; never narrower.
    pub(crate) reach: Interval,
}

impl Amount {
    /// A constant.
    pub(crate) fn exactly(value: f64) -> Self {
        Self::of(Interval::exactly(value))
    }

    /// A range that nothing was rounded to.
    pub(crate) fn of(range: Interval) -> Self {
        Self { said: range, reach: range }
    }

    /// The product of two quantities.
    pub(crate) fn times(self, other: Self) -> Self {
        Self { said: product(self.said, other.said), reach: product(self.reach, other.reach) }
    }

    /// The quotient of two quantities.
    pub(crate) fn over(self, other: Self) -> Self {
        Self { said: quotient(self.said, other.said), reach: quotient(self.reach, other.reach) }
    }
}

/// The product of two ranges of positive numbers.
fn product(one: Interval, other: Interval) -> Interval {
    Interval::new(one.low * other.low, one.high * other.high)
}

/// The quotient of two ranges of positive numbers.
fn quotient(one: Interval, other: Interval) -> Interval {
    Interval::new(one.low / other.high, one.high / other.low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounding() -> Rounding {
        Rounding { always: 0.05, at_most: 0.10, name: 0.25, sources: Vec::new() }
    }

    #[test]
    fn rounding_reaches_half_a_digit_within_bounds() {
        // 34: half a digit is 1.5 %, so the 5 % that are always allowed; 3: 16.7 %, so the bound of 10 %; 8: 6.25 %.
        for (number, half_digit, low, high) in
            [(34.0, 0.5 / 34.0, 32.3, 35.7), (3.0, 0.5 / 3.0, 2.7, 3.3), (8.0, 0.0625, 7.5, 8.5)]
        {
            let reach = Figure { half_digit, ..Figure::exact(number) }.reach(&rounding());
            assert!((reach.low - low).abs() < 1e-9 && (reach.high - high).abs() < 1e-9, "{reach:?}");
        }
    }

    #[test]
    fn open_ends_are_open_and_finite() {
        let figure = |kind| Figure { kind, ..Figure::exact(3.0) };
        assert_eq!(figure(FigureKind::AtLeast).said(), Interval { low: 3.0, high: 3000.0 });
        assert_eq!(figure(FigureKind::AtMost).said(), Interval { low: 0.003, high: 3.0 });
        assert_eq!(figure(FigureKind::About).said(), Interval::exactly(3.0));
        let about = figure(FigureKind::About).reach(&rounding());
        assert!((about.low - 2.7).abs() < 1e-9 && (about.high - 3.3).abs() < 1e-9);
    }
}
