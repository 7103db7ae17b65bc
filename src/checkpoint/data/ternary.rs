//! Matrices of three values in two bits, as the programs for BitNet write them: row `i` of a byte's four stands `i`
//! times the number of stored rows further down.

use std::ops::Range;

use crate::checkpoint::data::store::Store;
use crate::checkpoint::{Error, Tensor};

/// A matrix and the one scale beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ternary {
    pub(super) bytes: usize,
    pub(super) scale: usize,
    /// Stored rows, a quarter of all.
    pub(super) rows: u64,
    pub(super) columns: u64,
    /// Whether numbers are divided by the scale.
    pub(super) divides: bool,
}

impl Ternary {
    /// Why it cannot be read, if it cannot.
    pub(super) fn unreadable(bytes: &Tensor, scale: &Tensor) -> Option<String> {
        let viewed = [bytes, scale].into_iter().find(|it| it.view.is_some());
        viewed.map(|it| format!("its part {} is stored as a view, which this version does not unpack", it.name))
    }

    /// Whole rows.
    pub(super) fn rows(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let scale = store.floats(self.scale, 0..1)?.first().copied().unwrap_or(1.0);
        let scale = if self.divides { 1.0 / scale } else { scale };
        let mut numbers = Vec::new();
        let mut row = rows.start;
        while row < rows.end && self.rows > 0 {
            let (part, stored) =
                (row.checked_div(self.rows).unwrap_or_default(), row.checked_rem(self.rows).unwrap_or_default());
            let count = rows.end.saturating_sub(row).min(self.rows.saturating_sub(stored));
            let place = stored.saturating_mul(self.columns)..stored.saturating_add(count).saturating_mul(self.columns);
            let bytes = store.bytes(self.bytes, place)?;
            let shift = u32::try_from(part.saturating_mul(2)).unwrap_or_default().min(6);
            numbers.extend(bytes.iter().map(|it| (f32::from(it.wrapping_shr(shift) & 3) - 1.0) * scale));
            row = row.saturating_add(count);
        }
        Ok(numbers)
    }
}
