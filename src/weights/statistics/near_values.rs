//! How near the numbers of two models are in their bits, where they stand.
//!
//! **Statistics.** Of sampled rows of every matrix, in the layers that answer each other: the share of numbers whose
//! bfloat16 patterns are the same or neighbours, and the mean share of bits in which the patterns differ (the bit
//! distance).
//!
//! **Null.** A row of the one is as near to its own answer as to the next row of the same matrix: what unrelated
//! numbers of one scale have in common. Of all numbers that are near to either, half are near to the answer; how far it
//! is above half, in standard deviations of so many throws of a coin, is taken as normal, so that its p-value is
//! calibrated; numbers of one row are not wholly independent of each other.
//!
//! **What it cannot tell.** It says nothing once coordinates, units or scales were changed. Rows that
//! happen to be all alike (zeros of pruning) are near to any other.
//!
//! Reference: Z. Wang et al., "`ZipLLM`", NSDI 2026, for the bit distance of bfloat16 words as a measure of kinship.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::LEVEL;
use crate::stats::tail;
use crate::weights::statistics::{Compared, Definition, Family, Observation, PLACE, Role, Support, Test};

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::NearValues, StatisticId::BitDistance], role: Role::Supports, observe };

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    Ok(compared.rows.as_ref().map_or_else(Vec::new, |it| it.1.observations()))
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    numbers: u64,
    near: u64,
    near_next: u64,
    bits: u64,
}

impl Counts {
    pub(crate) fn look(&mut self, ours: &[f32], theirs: &[f32], next: &[f32]) {
        for ((one, other), next) in ours.iter().zip(theirs).zip(next) {
            self.numbers += 1;
            self.near += u64::from(are_near(*one, *other));
            self.near_next += u64::from(are_near(*one, *next));
            self.bits += u64::from((word(*one) ^ word(*other)).count_ones());
        }
    }

    /// How far the share stands above that of the next row.
    fn standing(&self) -> f64 {
        let (own, next) = (self.near as f64, self.near_next as f64);
        if own + next > 0.0 { (own - next) / (own + next).sqrt() } else { 0.0 }
    }
}

/// The bfloat16 pattern, rounded to nearest, ties to even.
fn word(number: f32) -> u16 {
    let bits = number.to_bits();
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// Whether the patterns are the same or neighbours on the line of numbers.
fn are_near(one: f32, other: f32) -> bool {
    let place = |word: u16| if word & 0x8000 == 0 { i32::from(word) } else { -i32::from(word & 0x7fff) };
    (place(word(one)) - place(word(other))).abs() <= 1
}

impl Counts {
    /// Both statistics: bits that differ have no law of their own, and say what near values say.
    fn observations(&self) -> Vec<Observation> {
        let count = self.numbers as f64;
        let test =
            Test { log10_p: tail::normal(self.standing()), family: Family::References, level: LEVEL, is_large: true };
        let observation = |id, value, kind, null: &str, support| Observation {
            id,
            component: PLACE.to_owned(),
            value,
            samples: usize::try_from(self.numbers).unwrap_or(usize::MAX),
            kind,
            null: null.to_owned(),
            support,
        };
        let near = "unrelated models: a number is as near to its answer as to the next row's";
        let bits = "unrelated numbers of one scale differ in about a third of their bits";
        let (share, distance) = (self.near as f64 / count, self.bits as f64 / count / 16.0);
        vec![
            observation(StatisticId::NearValues, share, PKind::Asymptotic, near, Support::Test(test)),
            observation(StatisticId::BitDistance, distance, PKind::Heuristic, bits, Support::Filter(test)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    #[test]
    fn neighbours_are_near_across_zero_and_across_powers_of_two() {
        assert!(are_near(1.0, 1.0) && are_near(1.0, 1.007_8) && are_near(0.998, 1.0) && are_near(0.0, -0.0));
        assert!(!are_near(1.0, 1.02) && !are_near(1.0, -1.0));
    }

    #[test]
    fn unrelated_numbers_stand_at_nothing_and_rounded_ones_far_above() {
        let mut random = Random::new(41);
        let mut drawn = || -> Vec<f32> { (0..20_000).map(|_| random.normal()).collect() };
        let (base, other, next) = (drawn(), drawn(), drawn());
        let mut unrelated = Counts::default();
        unrelated.look(&base, &other, &next);
        assert!(unrelated.standing().abs() < 4.0, "{unrelated:?} {}", unrelated.standing());
        let tuned: Vec<f32> = base.iter().map(|it| it * 1.002).collect();
        let mut related = Counts::default();
        related.look(&tuned, &base, &next);
        assert!(related.standing() > 50.0 && related.bits < unrelated.bits / 2, "{related:?} {unrelated:?}");
    }
}
