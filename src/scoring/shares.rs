//! How often each combination of bands comes out, at each end of what is known.

use crate::rubric::{Band, Rubric};
use crate::scoring::draws::Draws;
use crate::scoring::situation::{End, SCALE, Situation, pillar_of};

/// Number of bands of an axis.
const BANDS: [Band; 3] = [Band::Low, Band::Medium, Band::High];

/// How often each combination of bands came out of the draws, at the lower and at the upper end.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    /// Counts by combination, the first axis counting fastest; lower end, upper end.
    counts: [Vec<u32>; 2],
    samples: usize,
}

impl Histogram {
    /// The bands that means fall into, sample by sample.
    pub(crate) fn of(situation: &Situation<'_>, draws: &Draws) -> Self {
        let axes = axes(situation.rubric);
        let combinations = BANDS.len().pow(u32::try_from(axes.len()).unwrap_or(0));
        let counts = End::BOTH.map(|end| {
            let levels = levels(situation, end);
            let mut counts = vec![0_u32; combinations];
            for sample in 0..draws.samples {
                counts[combination(&axes, &levels, draws, sample)] += 1;
            }
            counts
        });
        Self { counts, samples: draws.samples }
    }

    /// Combinations that came out at one end, with the share of each.
    pub(crate) fn shares(&self, end: End) -> impl Iterator<Item = (usize, f64)> {
        let counts = &self.counts[if end == End::Low { 0 } else { 1 }];
        let samples = self.samples.max(1) as f64;
        counts.iter().enumerate().filter(|(_, it)| **it > 0).map(move |(idx, it)| (idx, f64::from(*it) / samples))
    }
}

/// The criteria of each axis, by position.
fn axes(rubric: &Rubric) -> Vec<Vec<usize>> {
    let takes = |axis: &crate::rubric::AxisMean| {
        let criteria = rubric.criteria.iter().enumerate();
        let taken =
            criteria.filter(|(_, it)| it.id != rubric.axes.derived_criterion && axis.takes(&it.id, pillar_of(it)));
        taken.map(|it| it.0).collect()
    };
    rubric.axes.means.values().map(takes).collect()
}

/// The level of each criterion at one end, and by how many readers it was read; none where it does not apply.
fn levels(situation: &Situation<'_>, end: End) -> Vec<Option<(f64, u8)>> {
    situation.standings.iter().map(|it| it.interval.map(|interval| (end.of(interval), it.readings))).collect()
}

/// What is read in place of a level: the mean of what its readers read, each off by itself.
fn read(level: f64, readings: u8, shifts: [i8; 2]) -> f64 {
    let by = |shift: i8| (level + f64::from(shift)).clamp(SCALE.low, SCALE.high);
    match readings {
        0 => level,
        1 => by(shifts[0]),
        _ => f64::midpoint(by(shifts[0]), by(shifts[1])),
    }
}

fn combination(axes: &[Vec<usize>], levels: &[Option<(f64, u8)>], draws: &Draws, sample: usize) -> usize {
    let (weights, shifts, cuts) = (draws.weights(sample), draws.shifts(sample), draws.cuts(sample));
    let mut number = 0;
    let mut place = 1;
    for axis in axes {
        let (mut sum, mut total) = (0.0, 0.0);
        for idx in axis {
            let Some((level, readings)) = levels[*idx] else { continue };
            sum += weights[*idx] * read(level, readings, shifts[*idx]);
            total += weights[*idx];
        }
        // An axis of which nothing applies is in the middle: it speaks neither way.
        let mean = if total > 0.0 { sum / total } else { 2.0 };
        number += place * usize::from(band(mean, cuts));
        place *= BANDS.len();
    }
    number
}

fn band(mean: f64, (low, high): (f64, f64)) -> u8 {
    u8::from(mean >= low) + u8::from(mean >= high)
}

/// The band of one axis in a combination.
pub(crate) fn band_of(combination: usize, axis: usize) -> Band {
    BANDS[combination / BANDS.len().pow(u32::try_from(axis).unwrap_or(0)) % BANDS.len()]
}

/// The lower end of a share that was estimated from so many samples: Wilson's interval at 95 %.
pub(crate) fn lower_end(share: f64, samples: usize) -> f64 {
    let (n, z) = (samples.max(1) as f64, 1.959_964);
    let middle = share + z * z / (2.0 * n);
    let half = z * libm::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    ((middle - half) / (1.0 + z * z / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known values: Wilson's interval for 90 of 100, and for all of 20,000.
    #[test]
    fn the_lower_end_is_wilsons() {
        assert!((lower_end(0.9, 100) - 0.8256).abs() < 1e-4, "{}", lower_end(0.9, 100));
        assert!(lower_end(1.0, 20_000) > 0.999 && lower_end(0.0, 100) == 0.0);
    }

    #[test]
    fn a_combination_holds_one_band_for_each_axis() {
        assert_eq!((band_of(5, 0), band_of(5, 1), band_of(5, 2)), (Band::High, Band::Medium, Band::Low));
    }
}
