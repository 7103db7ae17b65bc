//! A tensor-name template: one name that stands for the same tensor in many layers and experts.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// One tensor name with the layer index lifted out as `{i}` and the expert index as `{j}`.
///
/// A template stands for every combination of its layers and its experts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The name, e.g. `model.layers.{i}.mlp.experts.{j}.up_proj.weight`.
    pub name: String,
    /// Shape of each tensor, in file order.
    pub shape: Vec<u64>,
    /// The layers that have it, ascending; empty for a tensor outside the layers.
    pub layers: Vec<RangeInclusive<u32>>,
    /// The experts that have it, ascending; empty for a tensor outside the experts.
    pub experts: Vec<RangeInclusive<u32>>,
    /// Element type as the file names it; none for a catalogue entry.
    pub dtype: Option<String>,
}

impl Template {
    /// How many tensors it stands for.
    pub fn count(&self) -> u64 {
        length(&self.layers).max(1).saturating_mul(length(&self.experts).max(1))
    }

    /// Elements of one tensor; saturates, so a hostile shape cannot wrap around.
    pub fn elements(&self) -> u64 {
        self.shape.iter().fold(1, |product, size| product.saturating_mul(*size))
    }

    /// Elements of all the tensors it stands for.
    pub fn total_elements(&self) -> u64 {
        self.count().saturating_mul(self.elements())
    }
}

/// How many indices ranges hold; ranges of a template never overlap.
pub(crate) fn length(ranges: &[RangeInclusive<u32>]) -> u64 {
    ranges.iter().map(|it| u64::from(*it.end()).saturating_sub(u64::from(*it.start())) + 1).sum()
}

/// Indices as the fewest ascending ranges.
pub(crate) fn ranges(indices: &BTreeSet<u32>) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for idx in indices {
        match ranges.last_mut() {
            Some(last) if last.end().checked_add(1) == Some(*idx) => *last = *last.start()..=*idx,
            _ => ranges.push(*idx..=*idx),
        }
    }
    ranges
}

/// Ranges as a person writes them: `0-2, 5`.
pub(crate) fn written(ranges: &[RangeInclusive<u32>]) -> String {
    let words = ranges
        .iter()
        .map(|it| if it.start() == it.end() { it.start().to_string() } else { format!("{}-{}", it.start(), it.end()) });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_become_ranges_and_words() {
        let ranges = ranges(&BTreeSet::from([0, 1, 2, 5, 7, 8]));
        assert_eq!(ranges, [0..=2, 5..=5, 7..=8]);
        assert_eq!(length(&ranges), 6);
        assert_eq!(written(&ranges), "0-2, 5, 7-8");
    }

    #[test]
    fn a_hostile_shape_saturates() {
        let template = Template {
            name: "w".into(),
            shape: vec![u64::MAX, 3],
            layers: vec![0..=u32::MAX],
            experts: vec![],
            dtype: None,
        };
        assert_eq!(template.total_elements(), u64::MAX);
    }
}
