//! Matrices of whole numbers packed into words of 32 bits, as GPTQ and AWQ write them: groups of inputs share a scale
//! and a zero point, and a number is `scale * (packed - zero)`.

use std::ops::Range;

use crate::checkpoint::data::store::Store;
use crate::checkpoint::view::View;
use crate::checkpoint::{Error, Tensor};

/// A packed matrix, all of whose parts fit together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed {
    /// Numbers of the tensors.
    pub(super) parts: Parts<usize>,
    packing: Packing,
    /// How many bits a number takes; a divisor of 32.
    bits: u32,
    rows: u64,
    columns: u64,
    groups: u64,
}

/// The tensors of a packed matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) words: T,
    pub(super) zeros: T,
    pub(super) scales: T,
    /// Which group each input is in, where they do not follow each other.
    pub(super) order: Option<T>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Packing {
    /// Along the inputs. Zero points are stored less one in the first version of the format.
    Gptq { added: u32 },
    /// Along the outputs, eight of them in an order of their own.
    Awq,
}

/// Where AWQ puts the first, second, … of eight outputs in a word.
const AWQ_ORDER: [u32; 8] = [0, 4, 1, 5, 2, 6, 3, 7];

impl Packed {
    /// A matrix of this shape, or why it cannot be decoded.
    pub(super) fn new(
        shape: &[u64],
        tensors: Parts<&Tensor>,
        parts: Parts<usize>,
        is_second_version: bool,
    ) -> Result<Self, String> {
        let all = [Some(tensors.words), Some(tensors.zeros), Some(tensors.scales), tensors.order];
        if let Some(it) = all.into_iter().flatten().find(|it| it.view.is_some()) {
            return Err(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        let words = [Some(tensors.words), Some(tensors.zeros), tensors.order];
        if let Some(it) = words.into_iter().flatten().find(|it| it.dtype.to_string() != "I32") {
            return Err(format!("its part {} is {}, expected I32", it.name, it.dtype));
        }
        Self::fitting(shape, tensors, parts, is_second_version).ok_or_else(|| {
            let shapes = (&tensors.words.shape, &tensors.zeros.shape, &tensors.scales.shape);
            format!(
                "its packed words {:?}, zero points {:?} and scales {:?} do not fit together",
                shapes.0, shapes.1, shapes.2
            )
        })
    }

    fn fitting(shape: &[u64], it: Parts<&Tensor>, parts: Parts<usize>, is_second_version: bool) -> Option<Self> {
        let [rows, columns] = *shape.as_array::<2>()?;
        let [groups, out] = *it.scales.shape.as_array::<2>()?;
        let [first, second] = *it.words.shape.as_array::<2>()?;
        let (packing, packed) = if second == out {
            (Packing::Gptq { added: u32::from(!is_second_version) }, columns.checked_div(first)?)
        } else {
            (Packing::Awq, rows.checked_div(second)?)
        };
        let bits = 32_u64.checked_div(packed)?;
        let expected = match packing {
            Packing::Gptq { .. } => [first.checked_mul(packed)?, rows],
            Packing::Awq => [second.checked_mul(packed)?, first],
        };
        let found = match packing {
            Packing::Gptq { .. } => [columns, second],
            Packing::Awq => [rows, columns],
        };
        let zeros = [groups, rows.checked_div(packed)?];
        let fits = matches!(bits, 2 | 4 | 8)
            && (bits == 4 || packing != Packing::Awq)
            && expected == found
            && out == rows
            && rows.is_multiple_of(packed)
            && it.zeros.shape == zeros
            && it.order.map_or(groups > 0 && columns.is_multiple_of(groups), |order| order.shape == [columns]);
        let bits = u32::try_from(bits).ok()?;
        fits.then_some(Self { parts, packing, bits, rows, columns, groups })
    }

    /// Whole rows.
    pub(super) fn rows(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.parts.words)?.name;
        let broken = || store.unreadable(name, "its packed parts do not fit together");
        let group_of = self.group_of(store)?;
        let band = self.band(store, rows.clone())?;
        let count = usize::try_from(self.columns).map_err(|_| broken())?;
        let mut numbers = Vec::with_capacity(band.scales.len());
        for row in rows {
            let scales = band.scales_of(row, self.groups).ok_or_else(broken)?;
            let zeros = self.zeros_of(&band, row).ok_or_else(broken)?;
            for column in 0..count {
                let group = *group_of.get(column).ok_or_else(broken)?;
                let (scale, zero) = scales.get(group).zip(zeros.get(group)).ok_or_else(broken)?;
                let quant = self.quant(&band, row, column).ok_or_else(broken)?;
                numbers.push(scale * (quant - zero));
            }
        }
        Ok(numbers)
    }

    /// The group of each input.
    fn group_of(&self, store: &Store) -> Result<Vec<usize>, Error> {
        let Some(order) = self.parts.order else {
            let length = self.columns.checked_div(self.groups).unwrap_or(1);
            let group =
                |column: u64| usize::try_from(column.checked_div(length).unwrap_or_default()).unwrap_or_default();
            return Ok((0..self.columns).map(group).collect());
        };
        let words = store.words_by(order, &View::strided(&[self.columns], &[1]), 0..self.columns)?;
        let name = || store.tensor(order).map(|it| it.name.clone()).unwrap_or_default();
        let inside = |word: u32| usize::try_from(word).ok().filter(|_| u64::from(word) < self.groups);
        let outside = |word: &u32| {
            let (found, groups) = (word.cast_signed(), self.groups);
            store.unreadable(&name(), &format!("it names group {found}, and there are {groups}"))
        };
        words.iter().map(|word| inside(*word).ok_or_else(|| outside(word))).collect()
    }

    /// What is needed of all parts for some rows.
    fn band(&self, store: &Store, rows: Range<u64>) -> Result<Band, Error> {
        let of_groups = |first: u64, last: u64| first.saturating_mul(self.groups)..last.saturating_mul(self.groups);
        let turned = |rows: u64, columns: u64| View::transposed([rows, columns]);
        let packed = u64::from(32_u32.checked_div(self.bits).unwrap_or(1));
        let words = self.rows.checked_div(packed).unwrap_or_default();
        let (first, last) = (rows.start.checked_div(packed).unwrap_or_default(), rows.end.div_ceil(packed));
        let scales =
            store.floats_by(self.parts.scales, &turned(self.rows, self.groups), of_groups(rows.start, rows.end))?;
        let zeros = store.words_by(self.parts.zeros, &turned(words, self.groups), of_groups(first, last))?;
        let (view, from, length) = match self.packing {
            Packing::Gptq { .. } => {
                let length = self.columns.checked_div(packed).unwrap_or_default();
                (turned(self.rows, length), rows.start..rows.end, length)
            }
            Packing::Awq => (turned(words, self.columns), first..last, self.columns),
        };
        let range = from.start.saturating_mul(length)..from.end.saturating_mul(length);
        let words = store.words_by(self.parts.words, &view, range)?;
        Ok(Band { scales, zeros, words, start: rows.start, first, packed })
    }

    /// Zero points of a row, one a group.
    fn zeros_of(&self, band: &Band, row: u64) -> Option<Vec<f32>> {
        let start = row.checked_div(band.packed)?.checked_sub(band.first)?.checked_mul(self.groups)?;
        let words = part(&band.zeros, start, self.groups)?;
        let place = u32::try_from(row.checked_rem(band.packed)?).ok()?;
        let added = if let Packing::Gptq { added } = self.packing { added } else { 0 };
        // One more than the highest zero point is zero again, as in the programs that compute with it.
        Some(words.iter().map(|word| small(self.pick(*word, place).wrapping_add(added) & self.mask())).collect())
    }

    fn quant(&self, band: &Band, row: u64, column: usize) -> Option<f32> {
        let column = u64::try_from(column).ok()?;
        let (line, length, at, place) = match self.packing {
            Packing::Gptq { .. } => {
                let length = self.columns.checked_div(band.packed)?;
                (
                    row.checked_sub(band.start)?,
                    length,
                    column.checked_div(band.packed)?,
                    column.checked_rem(band.packed)?,
                )
            }
            Packing::Awq => {
                let line = row.checked_div(band.packed)?.checked_sub(band.first)?;
                (line, self.columns, column, row.checked_rem(band.packed)?)
            }
        };
        let index = usize::try_from(line.checked_mul(length)?.checked_add(at)?).ok()?;
        Some(small(self.pick(*band.words.get(index)?, u32::try_from(place).ok()?)))
    }

    /// The number at a place of a word.
    fn pick(&self, word: u32, place: u32) -> u32 {
        let place = match self.packing {
            Packing::Gptq { .. } => place,
            Packing::Awq => AWQ_ORDER.get(usize::try_from(place).unwrap_or_default()).copied().unwrap_or_default(),
        };
        word.wrapping_shr(place.wrapping_mul(self.bits)) & self.mask()
    }

    fn mask(&self) -> u32 {
        1_u32.wrapping_shl(self.bits).wrapping_sub(1)
    }
}

/// Parts of a packed matrix for some rows.
struct Band {
    scales: Vec<f32>,
    zeros: Vec<u32>,
    words: Vec<u32>,
    /// The first row, and the first word along the rows.
    start: u64,
    first: u64,
    /// How many numbers stand in a word.
    packed: u64,
}

impl Band {
    fn scales_of(&self, row: u64, groups: u64) -> Option<&[f32]> {
        part(&self.scales, row.checked_sub(self.start)?.checked_mul(groups)?, groups)
    }
}

fn part<T>(all: &[T], start: u64, length: u64) -> Option<&[T]> {
    all.get(usize::try_from(start).ok()?..)?.get(..usize::try_from(length).ok()?)
}

/// At most eight bits.
fn small(number: u32) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Dtype;

    fn tensor(name: &str, dtype: &str, shape: &[u64]) -> Tensor {
        let dtype = Dtype::named(dtype);
        Tensor { name: name.into(), dtype, shape: shape.to_vec(), file: 0, data: 0..0, view: None }
    }

    /// The words, zero points, scales and order of a matrix of these shapes, or why they are refused.
    #[track_caller]
    fn check(shape: &[u64], [words, zeros, scales]: [&[u64]; 3], order: Option<&[u64]>, expected: &str) {
        let parts = [("w", "I32", words), ("z", "I32", zeros), ("s", "F16", scales)];
        let [words, zeros, scales] = parts.map(|(name, dtype, shape)| tensor(name, dtype, shape));
        let order = order.map(|it| tensor("g", "I32", it));
        let tensors = Parts { words: &words, zeros: &zeros, scales: &scales, order: order.as_ref() };
        let places = Parts { words: 0, zeros: 1, scales: 2, order: order.as_ref().map(|_| 3) };
        let found = Packed::new(shape, tensors, places, false).map(|it| format!("{} bits", it.bits));
        let found = found.unwrap_or_else(|why| why);
        assert!(found.contains(expected), "found {found}, expected {expected}");
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        const REFUSED: &str = "do not fit together";
        check(&[16, 32], [&[4, 16], &[2, 2], &[2, 16]], None, "4 bits");
        check(&[16, 32], [&[4, 16], &[2, 2], &[2, 16]], Some(&[32]), "4 bits");
        check(&[16, 32], [&[4, 16], &[2, 2], &[2, 16]], Some(&[31]), REFUSED);
        check(&[16, 32], [&[4, 16], &[3, 2], &[2, 16]], None, REFUSED);
        check(&[16, 32], [&[4, 16], &[2, 3], &[2, 16]], None, REFUSED);
        check(&[16, 32], [&[5, 16], &[2, 2], &[2, 16]], None, REFUSED);
        check(&[16, 32], [&[4, 16], &[5, 2], &[5, 16]], None, REFUSED);
        check(&[16, 32], [&[0, 16], &[2, 2], &[2, 16]], None, REFUSED);
        check(&[16, 32], [&[4, 16], &[0, 2], &[0, 16]], None, REFUSED);
        check(&[16, 32], [&[32, 0], &[2, 2], &[2, 16]], None, REFUSED);
        check(&[u64::MAX, u64::MAX], [&[u64::MAX, u64::MAX], &[1, 1], &[1, u64::MAX]], None, REFUSED);
        check(&[16, 32, 1], [&[4, 16], &[2, 2], &[2, 16]], None, REFUSED);
        check(&[16, 32], [&[4, 16], &[2, 2], &[16]], None, REFUSED);
    }

    #[test]
    fn parts_of_another_type_or_order_are_refused_by_name() {
        let words = tensor("w", "I32", &[4, 16]);
        let (zeros, scales) = (tensor("z", "F32", &[2, 2]), tensor("s", "F16", &[2, 16]));
        let turned = Tensor { view: Some(View::transposed([2, 16])), ..scales.clone() };
        let places = Parts { words: 0, zeros: 1, scales: 2, order: None };
        let why = |zeros: &Tensor, scales: &Tensor| {
            Packed::new(&[16, 32], Parts { words: &words, zeros, scales, order: None }, places, false).unwrap_err()
        };
        assert_eq!(why(&zeros, &scales), "its part z is F32, expected I32");
        assert_eq!(why(&words, &turned), "its part s is stored as a view, which this version does not unpack");
    }
}
