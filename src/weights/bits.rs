//! How near the numbers of two models are in their bits, where they stand.
//!
//! **Statistics.** Of sampled rows of every matrix, in the layers that answer each other: the share of numbers whose bfloat16
//! patterns are the same or neighbours, and the mean share of bits in which the patterns differ (the bit distance).
//!
//! **Null.** A row of the one is as near to its own answer as to the next row of the same matrix: what unrelated numbers of
//! one scale have in common. The share above that, in standard deviations of a share of so many numbers, is taken as normal,
//! so that its p-value is calibrated; numbers of one row are not wholly independent of each other.
//!
//! **What it cannot tell.** It says nothing once coordinates, units or scales were changed, and is not looked at then. Rows that
//! happen to be all alike (zeros of pruning) are near to any other.
//!
//! Reference: Z. Wang et al., "`ZipLLM`", NSDI 2026, for the bit distance of bfloat16 words as a measure of kinship.

use crate::chance;
use crate::checkpoint::Error;
use crate::fact::{PKind, Statistic};
use crate::weights::measure::Measured;
use crate::weights::net::Net;
use crate::weights::relation::{LEVEL, rounded};
use crate::weights::slot::Slot;
use crate::weights::stream::Stream;

/// So many rows of a matrix are looked at, evenly chosen, and the next row of each.
const ROWS: usize = 8;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    numbers: u64,
    near: u64,
    near_next: u64,
    bits: u64,
}

impl Counts {
    fn look(&mut self, ours: &[f32], theirs: &[f32], next: &[f32]) {
        for ((one, other), next) in ours.iter().zip(theirs).zip(next) {
            self.numbers += 1;
            self.near += u64::from(are_near(*one, *other));
            self.near_next += u64::from(are_near(*one, *next));
            self.bits += u64::from((word(*one) ^ word(*other)).count_ones());
        }
    }

    /// How far the share stands above that of the next row.
    fn standing(&self) -> f64 {
        let count = self.numbers.max(1) as f64;
        let (own, next) = (self.near as f64 / count, self.near_next as f64 / count);
        let usual = next.max(1.0 / count);
        (own - next) / (2.0 * usual * (1.0 - usual).max(1.0 / count) / count).sqrt()
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

/// Both statistics; none for models in other coordinates.
pub(crate) fn statistics(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured) -> Result<Vec<Statistic>, Error> {
    if measured.stream != Stream::Same || subject.is_fingerprint() || reference.is_fingerprint() {
        return Ok(Vec::new());
    }
    let mut counts = Counts::default();
    for answer in &measured.answers {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        for (ours, theirs) in one.matrices().into_iter().zip(other.matrices()) {
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                rows(&mut counts, (subject, ours), (reference, theirs))?;
            }
        }
    }
    if counts.numbers == 0 {
        return Ok(Vec::new());
    }
    let (count, log10_p) = (counts.numbers as f64, chance::normal(counts.standing()));
    let statistic = |id: &str, value: f64, log10_p: Option<f64>, p_kind, null: &str, speaks_for| Statistic {
        id: id.to_owned(),
        component: "all matrices, in place".to_owned(),
        value: rounded(value),
        samples: counts.numbers,
        log10_p: log10_p.map(rounded),
        p_kind,
        null: null.to_owned(),
        speaks_for,
    };
    let found = log10_p <= LEVEL;
    let near = "unrelated models: a number is as near to its answer as to the next row's";
    let bits = "unrelated numbers of one scale differ in about a third of their bits";
    Ok(vec![
        statistic("near-numbers", counts.near as f64 / count, Some(log10_p), PKind::Calibrated, near, found),
        statistic("bit-distance", counts.bits as f64 / count / 16.0, None, PKind::Heuristic, bits, found),
    ])
}

fn rows(counts: &mut Counts, ours: (&Net<'_>, &Slot), theirs: (&Net<'_>, &Slot)) -> Result<(), Error> {
    let (rows, cols) = (ours.1.outputs(), ours.1.inputs());
    if rows < 2 || (rows, cols) != (theirs.1.outputs(), theirs.1.inputs()) {
        return Ok(());
    }
    let count = rows.min(ROWS);
    let chosen: Vec<usize> = (0..count).map(|it| it * rows / count).collect();
    let next: Vec<usize> = chosen.iter().map(|it| (it + 1) % rows).collect();
    let one = ours.1.load_rows(ours.0.numbers, &chosen)?;
    let other = theirs.1.load_rows(theirs.0.numbers, &chosen)?;
    let beside = theirs.1.load_rows(theirs.0.numbers, &next)?;
    for row in 0..count {
        counts.look(one.row(row), other.row(row), beside.row(row));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::random::Random;

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
