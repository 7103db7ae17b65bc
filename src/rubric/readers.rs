//! The rate at which one reader reads a level exactly, from criteria that two readers read independently.
//!
//! **Model.** A reader is exact with rate `r` and otherwise one level off, up or down alike, independently of the other
//! reader. Two readers then agree with probability `a = r² + (1 - r)² / 2`.
//!
//! **Estimate.** From the share `a` of pairs that agree, `r = (1 + √(6a - 2)) / 3`; none below `a = 1/3`, the least
//! that two readers of this model reach. The interval is Wilson's at 95 % for `a`, carried through.
//!
//! **Limitations.** Readers who share a prejudice agree more often than they are right. Pairs of one case are not
//! wholly independent of each other.
//!
//! Reference: E. B. Wilson, JASA 22 (1927), for the interval.

use serde::Serialize;

/// Fewer pairs than this do not replace the shipped figure.
pub const MIN_PAIRS: u64 = 200;

/// Pairs of readings of one criterion by two readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// All.
    pub count: u64,
    /// Those with the same level.
    pub exact: u64,
    /// Those at most one level apart, the same level included.
    pub within_one: u64,
}

/// A rate with its interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Estimate.
    pub rate: f64,
    /// Lower end; null where readers of this model could not agree so little.
    pub low: Option<f64>,
    /// Upper end.
    pub high: f64,
}

impl Pairs {
    /// Adds two levels of one criterion.
    pub fn add(&mut self, one: u8, other: u8) {
        self.count += 1;
        self.exact += u64::from(one == other);
        self.within_one += u64::from(one.abs_diff(other) <= 1);
    }

    /// The rate of one reader; none without pairs, or where they agree in less than one third.
    pub fn rate(self) -> Option<Rate> {
        if self.count == 0 {
            return None;
        }
        let (count, share) = (self.count as f64, self.exact as f64 / self.count as f64);
        const Z: f64 = 1.959_963_985;
        let center = (share + Z * Z / (2.0 * count)) / (1.0 + Z * Z / count);
        let margin = Z / (1.0 + Z * Z / count) * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        let (low, high) = (rate_of(center - margin), rate_of(center + margin)?);
        Some(Rate { rate: rate_of(share)?, low, high })
    }
}

/// The rate of one reader from the share of agreement between two.
fn rate_of(agreement: f64) -> Option<f64> {
    let root = 6.0 * agreement - 2.0;
    (root >= 0.0).then(|| ((1.0 + root.sqrt()) / 3.0).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(count: u64, exact: u64) -> Pairs {
        Pairs { count, exact, within_one: count }
    }

    /// Known value: readers of rate 0.8 agree in 0.64 + 0.02 of cases.
    #[test]
    fn the_rate_is_the_one_that_readers_have() {
        let rate = pairs(10_000, 6_600).rate().unwrap();
        assert!((rate.rate - 0.8).abs() < 1e-9 && rate.low.unwrap() < 0.8 && rate.high > 0.8, "{rate:?}");
        assert_eq!(pairs(300, 300).rate().unwrap().rate, 1.0);
    }

    #[test]
    fn readers_who_agree_by_chance_have_no_rate() {
        assert_eq!(pairs(0, 0).rate(), None);
        assert_eq!(pairs(300, 60).rate(), None);
        let least = pairs(30, 10).rate().unwrap();
        assert!(least.low.is_none() && (least.rate - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn levels_are_compared() {
        let mut found = Pairs::default();
        [(2, 2), (2, 3), (0, 4)].into_iter().for_each(|(one, other)| found.add(one, other));
        assert_eq!(found, Pairs { count: 3, exact: 1, within_one: 2 });
    }
}
