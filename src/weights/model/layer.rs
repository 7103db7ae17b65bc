//! One layer of a model by what its matrices do.

use std::collections::BTreeMap;

use crate::weights::model::projection::Slot;

/// One feed-forward block, or one expert.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FeedForward {
    pub(crate) gate: Option<Slot>,
    pub(crate) up: Option<Slot>,
    pub(crate) down: Option<Slot>,
    /// Gate and up projection in one, from which both were taken.
    pub(crate) fused: Option<Slot>,
    /// Units of the whole block, of which these may be some.
    pub(crate) width: usize,
    /// Which units these are; none where they are all of them.
    pub(crate) chosen: Option<Vec<usize>>,
}

impl FeedForward {
    /// Units of the block that are at hand.
    pub(crate) fn units(&self) -> usize {
        self.key().map_or(0, Slot::outputs)
    }

    /// A unit's number in the whole block.
    pub(crate) fn number(&self, unit: usize) -> usize {
        self.chosen.as_ref().map_or(unit, |it| it.get(unit).copied().unwrap_or(unit))
    }

    /// The same block with these of its units alone.
    pub(crate) fn some(&self, units: &[usize]) -> Self {
        Self {
            gate: self.gate.as_ref().map(|it| it.some_rows(units)),
            up: self.up.as_ref().map(|it| it.some_rows(units)),
            down: self.down.as_ref().map(|it| it.some_columns(units)),
            fused: None,
            width: self.width,
            chosen: Some(units.iter().map(|it| self.number(*it)).collect()),
        }
    }

    /// What units are matched by: the gate, where there is one.
    pub(crate) fn key(&self) -> Option<&Slot> {
        self.gate.as_ref().or(self.up.as_ref())
    }
}

/// One layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer {
    pub(crate) index: u32,
    pub(crate) query: Option<Slot>,
    pub(crate) key: Option<Slot>,
    pub(crate) value: Option<Slot>,
    pub(crate) output: Option<Slot>,
    /// Query and key projection as they are stored.
    pub(crate) stored: [Option<Slot>; 2],
    /// Query, key and value projection in one, from which all three were taken.
    pub(crate) fused: Option<Slot>,
    pub(crate) attention_norm: Option<String>,
    pub(crate) ffn_norm: Option<String>,
    /// One for a dense layer, one an expert for a mixture.
    pub(crate) ffns: Vec<FeedForward>,
    pub(crate) router: Option<Slot>,
    /// Biases, by role.
    pub(crate) biases: BTreeMap<String, String>,
}

impl Layer {
    /// Every matrix, in the same order for all layers of one shape.
    pub(crate) fn matrices(&self) -> Vec<Option<&Slot>> {
        let own = [&self.query, &self.key, &self.value, &self.output, &self.router];
        let blocks = self.ffns.iter().flat_map(|it| [&it.gate, &it.up, &it.down]);
        own.into_iter().chain(blocks).map(Option::as_ref).collect()
    }
}
