//! A feed-forward block, read tile by tile.

use crate::linalg::duplicates::{groups, sketched};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, norm};
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::{TILE, spread};
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::view::Net;

/// A feed-forward block whose units are read on demand: each of its matrices as `[units, stream]`, in one set of
/// coordinates.
pub(crate) struct Block<'a> {
    net: &'a Net<'a>,
    layer: &'a Layer,
    ffn: &'a FeedForward,
    stream: &'a Stream,
    /// The map that the other side is carried along by.
    other: Option<&'a Stream>,
}

impl<'a> Block<'a> {
    /// A block, carried along by a map of the stream; none where it is not complete or does not fit together.
    pub(crate) fn of(net: &'a Net<'a>, layer: &'a Layer, ffn: &'a FeedForward, stream: &'a Stream) -> Option<Self> {
        let (up, down) = (ffn.up.as_ref()?, ffn.down.as_ref()?);
        let fits = up.inputs() == net.hidden && down.outputs() == net.hidden && up.outputs() == down.inputs();
        let gate_fits = ffn.gate.as_ref().is_none_or(|it| (it.outputs(), it.inputs()) == (up.outputs(), up.inputs()));
        (fits && gate_fits).then_some(Self { net, layer, ffn, stream, other: None })
    }

    /// The same without what a map of the other side's stream leaves out.
    pub(crate) fn within(self, other: &'a Stream) -> Self {
        Self { other: other.has_outside().then_some(other), ..self }
    }

    /// Rows in the coordinates of the comparison.
    fn carried(&self, rows: Matrix) -> Matrix {
        let rows = self.stream.apply(rows);
        match self.other {
            Some(other) => other.within(rows),
            None => rows,
        }
    }

    pub(crate) fn units(&self) -> usize {
        self.ffn.units()
    }

    /// Units of the whole block, of which these may be some.
    pub(crate) fn width(&self) -> usize {
        self.ffn.width
    }

    /// A unit's number in the whole block.
    pub(crate) fn number(&self, unit: usize) -> usize {
        self.ffn.number(unit)
    }

    /// Rows in the coordinates that these had before they were carried along; none where there is nothing to go back
    /// to, or where the map would show in them.
    pub(crate) fn back(&self, rows: &Matrix) -> Option<Matrix> {
        self.stream.is_compact_rotation().then(|| self.stream.back(rows, self.net.hidden))
    }

    pub(crate) fn has_gate(&self) -> bool {
        self.ffn.gate.is_some()
    }

    /// Rows of the gate, norm gains folded in; none for a block without one.
    pub(crate) fn gates(&self, units: &[usize]) -> Result<Option<Matrix>, Error> {
        let norm = self.layer.ffn_norm.as_ref();
        let rows = self.ffn.gate.as_ref().map(|it| self.net.folded_rows(it, units, norm)).transpose()?;
        Ok(rows.map(|it| self.carried(it)))
    }

    pub(crate) fn ups(&self, units: &[usize]) -> Result<Matrix, Error> {
        let Some(up) = &self.ffn.up else { return Ok(Matrix::default()) };
        Ok(self.carried(self.net.folded_rows(up, units, self.layer.ffn_norm.as_ref())?))
    }

    /// What units write into the stream.
    pub(crate) fn downs(&self, units: &[usize]) -> Result<Matrix, Error> {
        let Some(down) = &self.ffn.down else { return Ok(Matrix::default()) };
        Ok(self.carried(self.net.visible(down.load_columns(self.net.numbers, units)?)))
    }

    /// What units look for, what that is multiplied with where there are gates, and what they write.
    pub(crate) fn rows(&self, units: &[usize]) -> Result<(Matrix, Option<Matrix>, Matrix), Error> {
        let (ups, downs) = (self.ups(units)?, self.downs(units)?);
        Ok(match self.gates(units)? {
            Some(gates) => (gates, Some(ups), downs),
            None => (ups, None, downs),
        })
    }

    /// At most so many units, those that do the most: by the lengths of their gate, of what it is multiplied with and
    /// of what they write, so that units which were added and write nothing are not among them. In the order of their
    /// numbers.
    pub(crate) fn largest(&self, most: usize) -> Result<Vec<usize>, Error> {
        let mut lengths = Vec::with_capacity(self.units());
        for tile in self.tiles().filter(|_| self.units() > most) {
            let (keys, ups, downs) = self.rows(&tile.collect::<Vec<_>>())?;
            let size = |it: usize| ups.as_ref().map_or(1.0, |ups| norm(ups.row(it))) * norm(downs.row(it));
            lengths.extend(keys.iter().enumerate().map(|(at, key)| norm(key) * size(at)));
        }
        let mut units: Vec<usize> = (0..self.units()).collect();
        if units.len() > most {
            units.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]));
            units.truncate(most);
            units.sort_unstable();
        }
        Ok(units)
    }

    /// The coin of each unit by its number: the number of the first unit of those that it is a copy of.
    pub(crate) fn coins(&self) -> Result<BTreeMap<usize, usize>, Error> {
        let mut kinds = [Matrix::default(), Matrix::default()];
        for tile in self.tiles() {
            let units: Vec<usize> = tile.collect();
            for (all, rows) in kinds.iter_mut().zip([self.ups(&units)?, self.downs(&units)?]) {
                all.append(sketched(rows));
            }
        }
        let number = |it: usize| self.ffn.number(it);
        Ok(groups(kinds.into()).into_iter().enumerate().map(|(unit, first)| (number(unit), number(first))).collect())
    }

    /// What units are matched by.
    pub(crate) fn keys(&self, units: &[usize]) -> Result<Matrix, Error> {
        Ok(match self.gates(units)? {
            Some(gate) => gate.unit_rows(),
            None => self.ups(units)?.unit_rows(),
        })
    }

    /// What they are matched by a second time, without regard to sign.
    pub(crate) fn second_keys(&self, units: &[usize]) -> Result<Matrix, Error> {
        Ok(if self.has_gate() { self.ups(units)?.unit_rows() } else { self.downs(units)?.unit_rows() })
    }

    /// The units in as many runs as keep one of them below the size of a tile.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (units, most) = (self.units(), tile(self.net.hidden));
        (0..units).step_by(most).map(move |it| it..(it + most).min(units))
    }
}

/// Bytes that a look at a block of each of two models holds, at most: of each its three projections, or a tile of each,
/// with what they were read from; and the products of two tiles by two kinds of rows.
pub(crate) fn block_bytes(subject: &Net<'_>, reference: &Net<'_>) -> usize {
    let units = |net: &Net<'_>| {
        let units = net.layers.iter().flat_map(|it| &it.ffns).map(FeedForward::units).max().unwrap_or(0);
        units.min(tile(net.hidden))
    };
    let (ours, theirs) = (units(subject), units(reference));
    let rows = ours.saturating_mul(subject.hidden).saturating_add(theirs.saturating_mul(reference.hidden));
    (6 * size_of::<f32>()).saturating_mul(rows).saturating_add(2 * size_of::<f32>() * ours * theirs)
}

/// Units of a tile: few enough for the products of two tiles to be no larger than two of them.
fn tile(hidden: usize) -> usize {
    (TILE / hidden.max(1).saturating_mul(size_of::<f32>())).clamp(16, 4_096)
}

/// At most so many units of a block, evenly spread.
pub(crate) fn some_units(ffn: &FeedForward, most: usize) -> FeedForward {
    if ffn.units() <= most { ffn.clone() } else { ffn.some(&spread(ffn.units(), most)) }
}
