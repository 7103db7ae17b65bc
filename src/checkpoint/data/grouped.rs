//! Matrices whose rows are packed one behind the other, with scales by group of columns: what MLX, compressed-tensors,
//! torchao and the programs of NVIDIA and AMD for four-bit floats write. A number is `scale * (packed - zero)`, or
//! `scale * packed + bias`.

use std::ops::Range;

use crate::checkpoint::data::packed::{crossing, groups_in_order, mask};
use crate::checkpoint::data::small::{E2M1, E4M3, E8M0};
use crate::checkpoint::data::store::Store;
use crate::checkpoint::view::View;
use crate::checkpoint::{Error, Tensor};

/// A packed matrix, all of whose parts fit together; rows of further dimensions are counted through.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grouped {
    pub(super) words: usize,
    pub(super) row: Row,
    pub(super) rows: u64,
    pub(super) columns: u64,
    /// How many scales a row has; none where one stands for all of the matrix.
    pub(super) groups: u64,
    pub(super) scales: Side,
    pub(super) zero: Zero,
    /// A single number for all of the matrix, and whether it divides.
    pub(super) overall: Option<(usize, bool)>,
    /// Which group each column is in, where they do not follow each other.
    pub(super) order: Option<usize>,
}

/// How the numbers of a row are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) bytes: u64,
    pub(super) bits: u64,
    pub(super) numbers: Numbers,
    /// Whether no number goes over the end of a word of 32 bits.
    pub(super) is_in_words: bool,
}

/// What bits stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numbers {
    /// Whole numbers from zero.
    Whole,
    /// Whole numbers with a sign.
    Signed,
    /// Floats of four bits.
    E2m1,
    /// Floats of eight bits.
    E4m3,
}

/// Numbers beside a matrix, some a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Side {
    pub(super) tensor: usize,
    /// Whether they are stored `[groups, rows]`.
    pub(super) is_turned: bool,
    /// What bytes stand for that are stored under the name of whole numbers.
    pub(super) bytes: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bytes {
    E4m3,
    E8m0,
}

/// What is taken off a packed number, or added behind the scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Zero {
    /// The same for all.
    Fixed(u32),
    /// Added behind the scale.
    Behind(Side),
    /// Taken off before the scale; packed along the rows in words, as many a word as bits allow.
    InWords(usize),
}

impl Grouped {
    /// Why parts cannot be read together, if they cannot; `tensors` are all of them.
    pub(super) fn unreadable(&self, words: &Tensor, beside: &[(&Tensor, u64)]) -> Option<String> {
        let viewed = std::iter::once(words).chain(beside.iter().map(|it| it.0)).find(|it| it.view.is_some());
        if let Some(it) = viewed {
            return Some(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        let expected = self.rows.checked_mul(self.row.bytes);
        if expected != Some(words.bytes()) || self.columns == 0 || self.groups == 0 {
            let found = words.bytes();
            return Some(format!(
                "its part {} has {found} bytes, expected {} rows of {}",
                words.name, self.rows, self.row.bytes
            ));
        }
        let held = if self.row.is_in_words {
            self.row.bytes.checked_div(4)?.checked_mul(32_u64.checked_div(self.row.bits)?)
        } else {
            self.row.bytes.checked_mul(8)?.checked_div(self.row.bits)
        };
        if held? < self.columns {
            return Some(format!(
                "a row of its part {} holds {} numbers, expected {}",
                words.name, held?, self.columns
            ));
        }
        let wrong = beside.iter().find(|(it, elements)| it.elements() != *elements);
        wrong.map(|(it, elements)| {
            format!("its part {} has the shape {:?}, expected {elements} numbers", it.name, it.shape)
        })
    }

    /// Whole rows.
    pub(super) fn rows(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.words)?.name;
        let broken = || store.unreadable(name, "its packed parts do not fit together");
        let place = rows.start.saturating_mul(self.row.bytes)..rows.end.saturating_mul(self.row.bytes);
        let bytes = store.bytes(self.words, place)?;
        let (scales, zeros) = (self.side(store, self.scales, &rows)?, self.zeros(store, &rows)?);
        let overall = self.overall(store)?;
        let group_of = self.group_of(store)?;
        let row_bytes = usize::try_from(self.row.bytes).map_err(|_| broken())?;
        let mut numbers = Vec::new();
        for (at, row) in bytes.chunks(row_bytes.max(1)).enumerate() {
            let of_row = self.of_row(&scales, at).zip(self.of_row(&zeros, at)).ok_or_else(broken)?;
            for (column, group) in (0..self.columns).zip(&group_of) {
                let (scale, zero) = of_row.0.get(*group).zip(of_row.1.get(*group)).ok_or_else(broken)?;
                let number = self.row.number(row, column).ok_or_else(broken)?;
                let scale = scale * overall;
                numbers.push(if self.is_behind() { scale * number + zero } else { scale * (number - zero) });
            }
        }
        Ok(numbers)
    }

    fn is_behind(&self) -> bool {
        matches!(self.zero, Zero::Behind(_))
    }

    fn overall(&self, store: &Store) -> Result<f32, Error> {
        let Some((tensor, divides)) = self.overall else { return Ok(1.0) };
        let number = store.floats(tensor, 0..1)?.first().copied().unwrap_or(1.0);
        Ok(if divides { 1.0 / number } else { number })
    }

    /// The group of each column.
    fn group_of(&self, store: &Store) -> Result<Vec<usize>, Error> {
        if let Some(order) = self.order {
            return groups_in_order(store, order, self.columns, self.groups);
        }
        let length = self.columns.div_ceil(self.groups.max(1)).max(1);
        Ok((0..self.columns)
            .map(|it| usize::try_from(it.checked_div(length).unwrap_or_default()).unwrap_or_default())
            .collect())
    }

    fn of_row<'a>(&self, all: &'a [f32], at: usize) -> Option<&'a [f32]> {
        let groups = usize::try_from(self.groups).ok()?;
        if all.len() == groups && groups == 1 {
            return Some(all);
        }
        all.get(at.checked_mul(groups)?..)?.get(..groups)
    }

    /// The numbers beside some rows, one a group; a single one where it stands for all of the matrix.
    fn side(&self, store: &Store, side: Side, rows: &Range<u64>) -> Result<Vec<f32>, Error> {
        let held = store.tensor(side.tensor)?.elements();
        let range =
            if held == 1 { 0..1 } else { rows.start.saturating_mul(self.groups)..rows.end.saturating_mul(self.groups) };
        if side.is_turned && held > 1 {
            return store.floats_by(side.tensor, &View::transposed([self.rows, self.groups]), range);
        }
        let Some(bytes) = side.bytes else { return store.floats(side.tensor, range) };
        let table = match bytes {
            Bytes::E4m3 => &E4M3,
            Bytes::E8m0 => &E8M0,
        };
        let stored = store.bytes(side.tensor, range)?;
        Ok(stored.iter().map(|it| table.get(usize::from(*it)).copied().unwrap_or_default()).collect())
    }

    fn zeros(&self, store: &Store, rows: &Range<u64>) -> Result<Vec<f32>, Error> {
        match self.zero {
            Zero::Behind(side) => self.side(store, side, rows),
            Zero::Fixed(zero) => {
                let count = rows.end.saturating_sub(rows.start).saturating_mul(self.groups);
                Ok(vec![zero as f32; usize::try_from(count).unwrap_or_default()])
            }
            Zero::InWords(tensor) => self.zeros_in_words(store, tensor, rows),
        }
    }

    /// Of words `[rows / n, groups]`, each with the zero points of n rows.
    fn zeros_in_words(&self, store: &Store, tensor: usize, rows: &Range<u64>) -> Result<Vec<f32>, Error> {
        let each = 32_u64.checked_div(self.row.bits).unwrap_or(1).max(1);
        let (first, last) = (rows.start.checked_div(each).unwrap_or_default(), rows.end.div_ceil(each));
        let view = View::strided(&[self.rows.div_ceil(each), self.groups], &[self.groups, 1]);
        let range = first.saturating_mul(self.groups)..last.saturating_mul(self.groups);
        let words = store.words_by(tensor, &view, range)?;
        let zero = |row: u64, group: u64| {
            let line = row.checked_div(each)?.checked_sub(first)?;
            let word = words.get(usize::try_from(line.checked_mul(self.groups)?.checked_add(group)?).ok()?)?;
            let shift = u32::try_from(row.checked_rem(each)?.checked_mul(self.row.bits)?).ok()?;
            Some((word.checked_shr(shift)? & mask(self.row.bits)) as f32)
        };
        let all = rows.clone().flat_map(|row| (0..self.groups).map(move |group| (row, group)));
        let found: Option<Vec<f32>> = all.map(|(row, group)| zero(row, group)).collect();
        let name = &store.tensor(tensor)?.name;
        found.ok_or_else(|| store.unreadable(name, "it has fewer zero points than rows"))
    }
}

impl Row {
    /// Number `column` of a row.
    fn number(&self, row: &[u8], column: u64) -> Option<f32> {
        let place = if self.is_in_words {
            let each = 32_u64.checked_div(self.bits)?;
            let (word, at) = (column.checked_div(each)?, column.checked_rem(each)?);
            word.checked_mul(32)?.checked_add(at.checked_mul(self.bits)?)?
        } else {
            column.checked_mul(self.bits)?
        };
        let bits = crossing(place, self.bits, |word| self.word(row, word))?;
        let eight = usize::try_from(bits).ok()?;
        Some(match self.numbers {
            Numbers::Whole => bits as f32,
            Numbers::Signed => signed(bits, self.bits),
            Numbers::E2m1 => E2M1.get(eight).copied()?,
            Numbers::E4m3 => E4M3.get(eight).copied()?,
        })
    }

    /// Word `at` of a row; behind its end are zeros, where the row is no whole number of words.
    fn word(&self, row: &[u8], at: u64) -> Option<u32> {
        let start = usize::try_from(at.checked_mul(4)?).ok()?;
        let rest = row.get(start..)?;
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(rest) {
            *to = *from;
        }
        (!rest.is_empty()).then(|| u32::from_le_bytes(word))
    }
}

/// The lowest bits as a whole number whose highest bit is the sign.
fn signed(number: u32, bits: u64) -> f32 {
    let high = mask(bits).wrapping_add(1) / 2;
    if number >= high { number as f32 - (mask(bits) as f32 + 1.0) } else { number as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bits: u64, numbers: Numbers, is_in_words: bool) -> Row {
        Row { bytes: 12, bits, numbers, is_in_words }
    }

    #[test]
    fn numbers_cross_words_or_leave_their_ends_empty() {
        let bytes: Vec<u8> = (0..12).map(|it| 0x11_u8.wrapping_mul(it + 1)).collect();
        let of = |row: Row| (0..).map_while(|it| row.number(&bytes, it)).collect::<Vec<_>>();
        assert_eq!(of(row(4, Numbers::Whole, false))[..4], [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(of(row(3, Numbers::Whole, false)).len(), 32);
        assert_eq!(of(row(3, Numbers::Whole, true)).len(), 30);
        // Number 10 of three bits begins in the last two bits of the first word.
        let first = u32::from_le_bytes([0x11, 0x22, 0x33, 0x44]);
        assert_eq!(of(row(3, Numbers::Whole, false))[10], ((first >> 30) | (0x55 & 1) << 2) as f32);
        assert_eq!(of(row(4, Numbers::E2m1, false))[..3], [0.5, 0.5, 1.0]);
    }

    #[test]
    fn signs_stand_in_the_highest_bit() {
        assert_eq!([0, 7, 8, 15].map(|it| signed(it, 4)), [0.0, 7.0, -8.0, -1.0]);
        assert_eq!([127, 128, 255].map(|it| signed(it, 8)), [127.0, -128.0, -1.0]);
    }
}
