//! Maps below the level of layers: which expert, which hidden units and which token rows answer which.
//!
//! They state what the alignment found and test nothing by themselves: an expert's source is named where at least a
//! tenth of its units have a partner there, the same share from which a layer's source is; a kept unit is one whose
//! gate and partner are each other's nearest; a token row is matched by the text of the token, never by its numbers.
//! Where an effort looked at a sample of units, no list of kept ones is given: `deep` looks at all.

use std::collections::BTreeSet;

use crate::fact::{ExpertSource, KeptUnits, TokenMap, Weights};
use crate::stats::levels::rounded;
use crate::weights::matching::matched::{AGREEING_SHARE, BlockPair, Measured};
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::provenance::novelty;

/// At most so many runs are listed.
const RUNS: usize = 2_048;

/// Adds all maps, where there is a relation at all.
pub(crate) fn describe(
    subject: &Net<'_>,
    reference: &Net<'_>,
    shared: Option<&[(u32, u32)]>,
    measured: &Measured,
    weights: &mut Weights,
) {
    // What a fingerprint did not keep is not new.
    if weights.layer_map.is_empty() || reference.is_fingerprint() {
        return;
    }
    weights.expert_map = experts(subject, reference, measured);
    weights.kept_units = kept_units(subject, reference, measured);
    let rows = |net: &Net<'_>| net.embedding.as_ref().or(net.head.as_ref()).map_or(0, Slot::outputs);
    weights.token_map = shared.filter(|it| !it.is_empty()).map(|it| tokens(it, (rows(subject), rows(reference))));
    weights.novelty = Some(novelty::measure(subject, reference, measured, &weights.layer_map));
}

/// The source of every expert, where either side is a mixture.
pub(crate) fn experts(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured) -> Vec<ExpertSource> {
    let is_mixture = |net: &Net<'_>| net.layers.iter().any(|it| it.ffns.len() > 1);
    if !is_mixture(subject) && !is_mixture(reference) {
        return Vec::new();
    }
    let source = |block: &BlockPair| {
        let (answer, units) = (&measured.answers[block.answer], &block.units);
        let share = units.agreeing as f64 / units.possible.max(1) as f64;
        let is_found = share >= AGREEING_SHARE;
        ExpertSource {
            layer: subject.layers[answer.subject].index,
            expert: block.subject_expert as u32,
            reference_layer: is_found.then(|| reference.layers[answer.reference].index),
            reference_expert: is_found.then_some(block.reference_expert as u32),
            units: rounded(share),
            cosine: rounded(units.gate_cosine / units.pairs.len().max(1) as f64),
        }
    };
    measured.blocks.iter().map(source).collect()
}

/// The kept units of every block that is narrower than the one it answers.
pub(crate) fn kept_units(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured) -> Vec<KeptUnits> {
    let narrower = measured.blocks.iter().filter_map(|block| {
        let answer = &measured.answers[block.answer];
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let (ours, of) = (one.ffns.get(block.subject_expert)?.width, other.ffns.get(block.reference_expert)?.width);
        let is_whole = block.units.possible == ours.min(of);
        let is_found = is_whole && block.units.agreeing as f64 >= AGREEING_SHARE * block.units.possible as f64;
        let units: BTreeSet<u64> = block.units.pairs.iter().map(|it| it.1 as u64).collect();
        (ours < of && is_found).then(|| KeptUnits {
            subject: one.index,
            expert: block.subject_expert as u32,
            reference: other.index,
            of: of as u64,
            count: units.len() as u64,
            kept: runs(units.into_iter()),
        })
    });
    narrower.collect()
}

/// Ascending numbers as runs of first and length.
fn runs(numbers: impl Iterator<Item = u64>) -> Vec<[u64; 2]> {
    let mut runs: Vec<[u64; 2]> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some([first, length]) if *first + *length == number => *length += 1,
            _ => runs.push([number, 1]),
        }
    }
    runs
}

/// The map of token rows; `shared` are ids of the same token, subject first, `rows` the rows of both sides' matrices.
pub(crate) fn tokens(shared: &[(u32, u32)], rows: (usize, usize)) -> TokenMap {
    let inside = |it: &&(u32, u32)| (it.0 as usize) < rows.0 && (it.1 as usize) < rows.1;
    let mut pairs: Vec<(u64, u64)> =
        shared.iter().filter(inside).map(|it| (u64::from(it.0), u64::from(it.1))).collect();
    pairs.sort_unstable();
    let mut runs: Vec<[u64; 3]> = Vec::new();
    for (ours, theirs) in &pairs {
        match runs.last_mut() {
            Some([one, other, length]) if *one + *length == *ours && *other + *length == *theirs => *length += 1,
            _ => runs.push([*ours, *theirs, 1]),
        }
    }
    let left_off = runs.len().saturating_sub(RUNS) as u64;
    runs.truncate(RUNS);
    let kept = pairs.len();
    TokenMap {
        kept: kept as u64,
        new: rows.0.saturating_sub(kept) as u64,
        dropped: rows.1.saturating_sub(kept) as u64,
        moved: pairs.iter().filter(|it| it.0 != it.1).count() as u64,
        runs,
        runs_left_off: left_off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_as_long_as_they_can_be() {
        assert_eq!(runs([0, 1, 2, 5, 7, 8].into_iter()), [[0, 3], [5, 1], [7, 2]]);
        assert_eq!(runs(std::iter::empty()), Vec::<[u64; 2]>::new());
    }

    #[test]
    fn an_extended_vocabulary_is_one_run_and_new_rows() {
        let shared: Vec<(u32, u32)> = (0..100).map(|it| (it, it)).collect();
        let map = tokens(&shared, (120, 100));
        assert_eq!((map.kept, map.new, map.dropped, map.moved), (100, 20, 0, 0));
        assert_eq!(map.runs, [[0, 0, 100]]);
    }

    #[test]
    fn a_trimmed_and_shifted_vocabulary_keeps_its_runs_in_order() {
        let shared = [(0, 0), (3, 10), (1, 1), (2, 9), (4, 11), (200, 3)];
        let map = tokens(&shared, (5, 20));
        assert_eq!((map.kept, map.new, map.dropped, map.moved), (5, 0, 15, 3));
        assert_eq!(map.runs, [[0, 0, 2], [2, 9, 3]]);
    }

    #[test]
    fn a_shuffled_vocabulary_is_cut_short_and_says_so() {
        let shared: Vec<(u32, u32)> = (0..5_000).map(|it| (it, 4_999 - it)).collect();
        let map = tokens(&shared, (5_000, 5_000));
        assert_eq!((map.runs.len(), map.runs_left_off, map.kept), (2_048, 2_952, 5_000));
    }
}
