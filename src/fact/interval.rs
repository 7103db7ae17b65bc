//! Closed intervals and three-valued truth: how something half known takes part in arithmetic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All values from `low` to `high`, both included.
///
/// An unknown criterion level is `[0, 4]`, never 0 and never left out.
///
/// ```
/// use unshell::fact::{Interval, Truth};
///
/// let unknown = Interval::new(0.0, 4.0);
/// assert_eq!(unknown.at_least(2.0), Truth::Maybe);
/// let mean = Interval::weighted_mean([(1.0, unknown), (3.0, Interval::exactly(4.0))]);
/// assert_eq!(mean, Some(Interval::new(3.0, 4.0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The smallest value it can have.
    pub low: f64,
    /// The largest value it can have.
    pub high: f64,
}

impl Interval {
    /// The interval between two values, in either order.
    pub fn new(one: f64, other: f64) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    /// A value that is known exactly.
    pub fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// How much is not known.
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The value in the middle.
    pub fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// Whether all of it is at or below `bound`, none of it is, or it cannot be told.
    pub fn at_most(self, bound: f64) -> Truth {
        Truth::of(self.high <= bound, self.low > bound)
    }

    /// Whether all of it is at or above `bound`, none of it is, or it cannot be told.
    pub fn at_least(self, bound: f64) -> Truth {
        Truth::of(self.low >= bound, self.high < bound)
    }

    /// Whether all of it is below `bound`, none of it is, or it cannot be told.
    pub fn below(self, bound: f64) -> Truth {
        !self.at_least(bound)
    }

    /// The weighted mean of intervals; `None` where the weights add up to nothing.
    pub fn weighted_mean(parts: impl IntoIterator<Item = (f64, Self)>) -> Option<Self> {
        let (mut low, mut high, mut total) = (0.0, 0.0, 0.0);
        for (weight, part) in parts {
            low += weight * part.low;
            high += weight * part.high;
            total += weight;
        }
        (total > 0.0).then(|| Self { low: low / total, high: high / total })
    }
}

/// Yes, no, or not to be told from what is known (Kleene's strong three-valued logic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It does not hold, whatever the unknowns turn out to be.
    No,
    /// It depends on what is not known.
    Maybe,
    /// It holds, whatever the unknowns turn out to be.
    Yes,
}

impl Truth {
    fn of(surely: bool, surely_not: bool) -> Self {
        match (surely, surely_not) {
            (true, _) => Self::Yes,
            (false, true) => Self::No,
            (false, false) => Self::Maybe,
        }
    }

    /// Holds where all of them hold; `Yes` for none.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().min().unwrap_or(Self::Yes)
    }

    /// Holds where any of them holds; `No` for none.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().max().unwrap_or(Self::No)
    }
}

impl From<bool> for Truth {
    fn from(it: bool) -> Self {
        if it { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_inside_an_interval_cannot_be_told() {
        let unknown = Interval::new(0.0, 4.0);
        assert_eq!(unknown.at_most(2.0), Truth::Maybe);
        assert_eq!(Interval::exactly(2.0).at_most(2.0), Truth::Yes);
        assert_eq!(Interval::new(3.0, 4.0).at_most(2.0), Truth::No);
        assert_eq!(Interval::exactly(2.0).below(2.0), Truth::No);
    }

    #[test]
    fn kleene_tables() {
        assert_eq!(Truth::all([Truth::Yes, Truth::Maybe]), Truth::Maybe);
        assert_eq!(Truth::all([Truth::No, Truth::Maybe]), Truth::No);
        assert_eq!(Truth::any([Truth::Yes, Truth::Maybe]), Truth::Yes);
        assert_eq!(!Truth::Maybe, Truth::Maybe);
    }
}
