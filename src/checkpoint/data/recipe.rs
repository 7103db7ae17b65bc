//! How the numbers of one entry are made from what is stored.

use std::ops::Range;

use crate::checkpoint::data::store::Store;
use crate::checkpoint::data::{Values, decode};
use crate::checkpoint::{Checkpoint, Error};

/// From which tensors, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recipe {
    /// One tensor as it is, by its number in the checkpoint.
    Plain(usize),
}

/// Everything that can be read, sorted by name.
pub(super) fn values(checkpoint: &Checkpoint) -> Vec<Values> {
    let plain = |(index, it): (usize, &crate::checkpoint::Tensor)| Values {
        name: it.name.clone(),
        shape: it.shape.clone(),
        unreadable: decode::unreadable(&it.dtype),
        recipe: Recipe::Plain(index),
    };
    checkpoint.tensors.iter().enumerate().map(plain).collect()
}

impl Recipe {
    /// The elements of a range that is known to be inside.
    pub(super) fn read(&self, store: &Store, _values: &Values, range: Range<u64>) -> Result<Vec<f32>, Error> {
        match self {
            Self::Plain(index) => store.floats(*index, range),
        }
    }
}
