//! Kendall's tau: whether two rankings put the same things in the same order.
//!
//! *What it measures*: the share of pairs that stand in the same order, less those that do not.
//!
//! *Null*: one ranking is a random permutation of the other. The number of pairs in the wrong order is then the number
//! of inversions of a random permutation, whose distribution is known exactly; it is used up to [`EXACT`] things, and
//! its normal limit with a correction for continuity above.
//!
//! *Assumes*: no ties; that things are exchangeable under the null.
//!
//! *What it cannot tell*: merges learned apart on ordinary text are ordered by how often pairs occur, and so agree far
//! beyond this null. A small p says that the orders are not random, not that one was taken from the other; that is for
//! the size of tau and the common prefix.
//!
//! References: Kendall 1938; Knight 1966 (O(n log n)); Knuth, The Art of Computer Programming 5.1.1 (inversions).

use crate::fact::RankAgreement;
use crate::stats::tail;

/// Up to so many things the null is counted out. The chance of no inversion at all among 100 is 1e-158.
const EXACT: usize = 100;

/// Tau of a sequence of distinct ranks against their sorted order; none below two.
pub(crate) fn against_sorted(ranks: &[u32]) -> Option<RankAgreement> {
    if ranks.len() < 2 {
        return None;
    }
    let n = ranks.len() as f64;
    let inversions = inversions(ranks);
    let pairs = n * (n - 1.0) / 2.0;
    let tau = 1.0 - 2.0 * inversions as f64 / pairs;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 72.0).sqrt();
    let z = (pairs / 2.0 - inversions as f64) / deviation;
    let is_exact = ranks.len() <= EXACT;
    let log10_p = if is_exact {
        exact_log10_p(ranks.len(), inversions)
    } else {
        tail::normal((pairs / 2.0 - inversions as f64 - 0.5) / deviation)
    };
    let p_kind = if is_exact { "exact" } else { "asymptotic" }.to_owned();
    Some(RankAgreement { tau: rounded(tau, 6), z: rounded(z, 3), log10_p: rounded(log10_p, 3), p_kind })
}

/// Rounded, so that the last bits of a platform's logarithm never show; 0 is never negative.
pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale + 0.0
}

/// Pairs in the wrong order, counted while the ranks are merged from runs of 1, 2, 4, ….
fn inversions(ranks: &[u32]) -> u64 {
    let (mut from, mut into) = (ranks.to_vec(), Vec::with_capacity(ranks.len()));
    let (mut width, mut count) = (1_usize, 0_u64);
    while width < ranks.len() {
        into.clear();
        for run in from.chunks(width.saturating_mul(2)) {
            let (left, right) = run.split_at(width.min(run.len()));
            count = count.saturating_add(merge(left, right, &mut into));
        }
        std::mem::swap(&mut from, &mut into);
        width = width.saturating_mul(2);
    }
    count
}

/// Merges two sorted runs; each value of the right one jumps over what is left of the left one.
fn merge(mut left: &[u32], mut right: &[u32], into: &mut Vec<u32>) -> u64 {
    let mut count = 0_u64;
    while let (Some((one, after_one)), Some((other, after_other))) = (left.split_first(), right.split_first()) {
        if one <= other {
            into.push(*one);
            left = after_one;
        } else {
            into.push(*other);
            right = after_other;
            count = count.saturating_add(left.len() as u64);
        }
    }
    into.extend_from_slice(left);
    into.extend_from_slice(right);
    count
}

/// The chance of at most so many inversions. With each thing more, 0 to n-1 inversions are added with equal chances.
fn exact_log10_p(n: usize, inversions: u64) -> f64 {
    let most = n.saturating_mul(n.saturating_sub(1)) / 2;
    let upto = usize::try_from(inversions).unwrap_or(most).min(most);
    let mut chances = vec![0.0; upto.saturating_add(1)];
    if let Some(none) = chances.first_mut() {
        *none = 1.0;
    }
    for size in 2..=n {
        let before = chances.clone();
        let mut window = 0.0;
        for (at, chance) in chances.iter_mut().enumerate() {
            window += before.get(at).copied().unwrap_or(0.0);
            window -= at.checked_sub(size).and_then(|it| before.get(it)).copied().unwrap_or(0.0);
            *chance = window / size as f64;
        }
    }
    chances.iter().sum::<f64>().min(1.0).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(ranks: &[u32]) -> u64 {
        let after = |at: usize| ranks[at + 1..].iter().filter(|it| **it < ranks[at]).count() as u64;
        (0..ranks.len()).map(after).sum()
    }

    /// Deterministic and without a pattern: a linear congruential generator's order.
    fn shuffled(n: u32, seed: u64) -> Vec<u32> {
        let mut state = seed;
        let mut keyed: Vec<(u64, u32)> = (0..n)
            .map(|it| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11, it)
            })
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, it)| it).collect()
    }

    #[test]
    fn inversions_are_counted_as_the_slow_way_does() {
        for n in [0, 1, 2, 3, 7, 8, 100, 255] {
            let ranks = shuffled(n, u64::from(n) + 1);
            assert_eq!(inversions(&ranks), slow(&ranks), "{n}");
        }
    }

    #[test]
    fn small_lists_have_the_exact_chance() {
        let p = |ranks: &[u32]| against_sorted(ranks).unwrap();
        assert_eq!(p(&[0, 1, 2]).log10_p, rounded((1.0_f64 / 6.0).log10(), 3));
        assert_eq!(p(&[0, 2, 1]).log10_p, rounded((3.0_f64 / 6.0).log10(), 3));
        assert_eq!((p(&[2, 1, 0]).tau, p(&[2, 1, 0]).log10_p), (-1.0, 0.0));
        assert_eq!(p(&[0, 1, 2]).tau, 1.0);
        assert!(against_sorted(&[1]).is_none());
    }

    #[test]
    fn both_nulls_agree_where_they_meet() {
        let ranks = shuffled(100, 5);
        let (pairs, deviation) = (4950.0, (100.0 * 99.0 * 205.0_f64 / 72.0).sqrt());
        let count = inversions(&ranks);
        let normal = tail::normal((pairs / 2.0 - count as f64 - 0.5) / deviation);
        assert!((exact_log10_p(100, count) - normal).abs() < 0.02);
    }

    /// Under the null the p-values are uniform: a tenth of them below a tenth, and so on.
    #[test]
    fn the_null_is_uniform() {
        for n in [30, 200] {
            let mut below = [0_u32; 10];
            for seed in 0..2_000 {
                let p = 10_f64.powf(against_sorted(&shuffled(n, seed * 7_919 + 13)).unwrap().log10_p);
                below[((p * 10.0) as usize).min(9)] += 1;
            }
            assert!(below.iter().all(|it| (140..=260).contains(it)), "{n}: {below:?}");
        }
    }

    #[test]
    fn long_lists_stay_finite() {
        let all: Vec<u32> = (0..50_000).collect();
        let same = against_sorted(&all).unwrap();
        assert_eq!((same.tau, same.p_kind.as_str()), (1.0, "asymptotic"));
        assert!(same.log10_p < -20_000.0 && same.log10_p.is_finite());
    }
}
