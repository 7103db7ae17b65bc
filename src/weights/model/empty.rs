//! Matrices that hold nothing: zeros of a download that never arrived, of a save that lost them, or no finite number.
//!
//! A few numbers of each matrix are read, and all of them where those are nothing. A matrix that was made empty on
//! purpose, such as the outputs of layers that were added as identities, is one too: it has no direction that could be
//! compared. Vectors of zeros are usual (biases, norms about zero) and are left as they are.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::weights::model::tensors::is_nothing;
use crate::weights::model::view::{Kept, Net};

/// Numbers that are looked at first, from the middle of a tensor.
const FIRST: u64 = 64;

/// Numbers that are read at once.
const PIECE: u64 = 1 << 20;

/// In a model of more matrices than these, so many of them are looked at, evenly spread.
const MOST: usize = 8_192;

/// The matrices of a model that hold nothing, with their number of elements.
pub(crate) fn empty(net: &Net<'_>) -> Result<BTreeMap<String, u64>, Error> {
    let matrices: Vec<(&String, &Kept)> = net.tensors.iter().filter(|it| it.1.is_matrix && it.1.elements > 0).collect();
    let step = matrices.len().div_ceil(MOST).max(1);
    let mut found = BTreeMap::new();
    for (name, kept) in matrices.into_iter().step_by(step) {
        if is_empty(net, name, kept.elements)? {
            found.insert(name.clone(), kept.elements);
        }
    }
    Ok(found)
}

fn is_empty(net: &Net<'_>, name: &str, elements: u64) -> Result<bool, Error> {
    let holds_nothing = |from: u64, to: u64| -> Result<bool, Error> {
        let numbers = net.numbers.read(name, from..to)?;
        Ok(numbers.iter().all(|it| *it == 0.0 || is_nothing(*it)))
    };
    let middle = elements / 2;
    if !holds_nothing(middle, middle.saturating_add(FIRST).min(elements))? {
        return Ok(false);
    }
    let mut from = 0;
    while from < elements {
        let to = from.saturating_add(PIECE).min(elements);
        if !holds_nothing(from, to)? {
            return Ok(false);
        }
        from = to;
    }
    Ok(true)
}
