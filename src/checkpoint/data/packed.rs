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
    /// How many bits a number takes; in GPTQ's words one may go over the end of a word.
    bits: u64,
    rows: u64,
    columns: u64,
    groups: u64,
}

/// The tensors of a packed matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) words: T,
    /// Without them the middle of the range is zero.
    pub(super) zeros: Option<T>,
    pub(super) scales: T,
    /// Which group each input is in, where they do not follow each other.
    pub(super) order: Option<T>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Packing {
    /// Along the inputs. Zero points are stored less one in the first version of the format.
    Gptq { added: u32 },
    /// Along the outputs, those of a word in an order of their own.
    Awq,
}

/// Where AWQ puts the first, second, … of the outputs in a word, by the number of bits.
const AWQ_ORDER: &[(u64, &[u64])] = &[(4, &[0, 4, 1, 5, 2, 6, 3, 7]), (8, &[0, 2, 1, 3])];

impl Packed {
    /// A matrix of this shape, or why it cannot be decoded.
    pub(super) fn new(
        shape: &[u64],
        tensors: Parts<&Tensor>,
        parts: Parts<usize>,
        is_second_version: bool,
    ) -> Result<Self, String> {
        let all = [Some(tensors.words), tensors.zeros, Some(tensors.scales), tensors.order];
        if let Some(it) = all.into_iter().flatten().find(|it| it.view.is_some()) {
            return Err(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        let words = [Some(tensors.words), tensors.zeros, tensors.order];
        if let Some(it) = words.into_iter().flatten().find(|it| it.dtype.to_string() != "I32") {
            return Err(format!("its part {} is {}, expected I32", it.name, it.dtype));
        }
        Self::fitting(shape, tensors, parts, is_second_version).ok_or_else(|| {
            let zeros = tensors.zeros.map_or_else(|| "none".to_owned(), |it| format!("{:?}", it.shape));
            let (words, scales) = (&tensors.words.shape, &tensors.scales.shape);
            format!("its packed words {words:?}, zero points {zeros} and scales {scales:?} do not fit together")
        })
    }

    fn fitting(shape: &[u64], it: Parts<&Tensor>, parts: Parts<usize>, is_second_version: bool) -> Option<Self> {
        let [rows, columns] = *shape.as_array::<2>()?;
        let [groups, out] = *it.scales.shape.as_array::<2>()?;
        let [first, second] = *it.words.shape.as_array::<2>()?;
        let (packing, numbers, words) = if second == out {
            (Packing::Gptq { added: u32::from(!is_second_version) }, columns, first)
        } else {
            (Packing::Awq, rows, second)
        };
        let bits = words.checked_mul(32)?.checked_div(numbers)?;
        let in_words = |numbers: u64| numbers.checked_mul(bits)?.checked_div(32);
        let is_filled = |numbers: u64| numbers.checked_mul(bits).is_some_and(|it| it.is_multiple_of(32) && it > 0);
        let fits_words = match packing {
            Packing::Gptq { .. } => (2..=8).contains(&bits) && [in_words(columns)?, rows] == [first, second],
            Packing::Awq => AWQ_ORDER.iter().any(|it| it.0 == bits) && [columns, in_words(rows)?] == [first, second],
        };
        let fits_zeros = match it.zeros {
            Some(zeros) => is_filled(rows) && zeros.shape == [groups, in_words(rows)?],
            None => matches!(packing, Packing::Gptq { .. }),
        };
        let fits_order = match it.order {
            Some(order) => order.shape == [columns] && groups > 0,
            None => groups > 0 && columns.is_multiple_of(groups),
        };
        let fits = fits_words && is_filled(numbers) && fits_zeros && fits_order && out == rows;
        fits.then_some(Self { parts, packing, bits, rows, columns, groups })
    }

    /// Whole rows.
    pub(super) fn rows(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.parts.words)?.name;
        let broken = || store.unreadable(name, "its packed parts do not fit together");
        let group_of = self.group_of(store)?;
        let band = self.band(store, rows.clone())?;
        let mut numbers = Vec::with_capacity(band.scales.len());
        for row in rows {
            let scales = band.scales_of(row, self.groups).ok_or_else(broken)?;
            let zeros = self.zeros_of(&band, row).ok_or_else(broken)?;
            for (column, group) in (0..self.columns).zip(&group_of) {
                let (scale, zero) = scales.get(*group).zip(zeros.get(*group)).ok_or_else(broken)?;
                let quant = self.quant(&band, row, column).ok_or_else(broken)?;
                numbers.push(scale * (small(quant) - zero));
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
        groups_in_order(store, order, self.columns, self.groups)
    }

    /// What is needed of all parts for some rows.
    fn band(&self, store: &Store, rows: Range<u64>) -> Result<Band, Error> {
        let of_groups = |first: u64, last: u64| first.saturating_mul(self.groups)..last.saturating_mul(self.groups);
        let turned = |rows: u64, columns: u64| View::transposed([rows, columns]);
        let word_at = |numbers: u64| numbers.saturating_mul(self.bits).checked_div(32).unwrap_or_default();
        let words = word_at(self.rows);
        let (first, last) = (word_at(rows.start), rows.end.saturating_mul(self.bits).div_ceil(32));
        let scales =
            store.floats_by(self.parts.scales, &turned(self.rows, self.groups), of_groups(rows.start, rows.end))?;
        let zeros = match self.parts.zeros {
            Some(zeros) => Some(store.words_by(zeros, &turned(words, self.groups), of_groups(first, last))?),
            None => None,
        };
        let (view, from, length) = match self.packing {
            Packing::Gptq { .. } => {
                let length = word_at(self.columns);
                (turned(self.rows, length), rows.start..rows.end, length)
            }
            Packing::Awq => (turned(words, self.columns), first..last, self.columns),
        };
        let range = from.start.saturating_mul(length)..from.end.saturating_mul(length);
        let words = store.words_by(self.parts.words, &view, range)?;
        Ok(Band { scales, zeros, words, start: rows.start, first })
    }

    /// Zero points of a row, one a group.
    fn zeros_of(&self, band: &Band, row: u64) -> Option<Vec<f32>> {
        let Some(zeros) = &band.zeros else {
            let middle = small(1_u32.checked_shl(u32::try_from(self.bits.checked_sub(1)?).ok()?)?);
            return Some(vec![middle; usize::try_from(self.groups).ok()?]);
        };
        let added = if let Packing::Gptq { added } = self.packing { added } else { 0 };
        let mask = mask(self.bits);
        let zero = |group: u64| {
            let place = self.place(row, band.first)?;
            let at = |word: u64| usize::try_from(word.checked_mul(self.groups)?.checked_add(group)?).ok();
            let stored = crossing(place, self.bits, |word| zeros.get(at(word)?).copied())?;
            // One more than the highest zero point is zero again, as in the programs that compute with it.
            Some(small(stored.wrapping_add(added) & mask))
        };
        (0..self.groups).map(zero).collect()
    }

    /// Where the number of an output begins among words along the outputs, of which `first` is the first that is held.
    fn place(&self, row: u64, first: u64) -> Option<u64> {
        let row = match self.packing {
            Packing::Gptq { .. } => row,
            Packing::Awq => {
                let order = AWQ_ORDER.iter().find(|it| it.0 == self.bits)?.1;
                let each = order.len() as u64;
                let at = usize::try_from(row.checked_rem(each)?).ok()?;
                row.checked_div(each)?.checked_mul(each)?.checked_add(*order.get(at)?)?
            }
        };
        row.checked_mul(self.bits)?.checked_sub(first.checked_mul(32)?)
    }

    fn quant(&self, band: &Band, row: u64, column: u64) -> Option<u32> {
        let word = |line: u64, length: u64, at: u64| {
            band.words.get(usize::try_from(line.checked_mul(length)?.checked_add(at)?).ok()?).copied()
        };
        match self.packing {
            Packing::Gptq { .. } => {
                let (line, length) =
                    (row.checked_sub(band.start)?, self.columns.checked_mul(self.bits)?.checked_div(32)?);
                crossing(column.checked_mul(self.bits)?, self.bits, |at| word(line, length, at))
            }
            Packing::Awq => crossing(self.place(row, band.first)?, self.bits, |at| word(at, self.columns, column)),
        }
    }
}

/// The group of each input, of a tensor that says it input by input.
pub(super) fn groups_in_order(store: &Store, order: usize, columns: u64, groups: u64) -> Result<Vec<usize>, Error> {
    let words = store.words_by(order, &View::strided(&[columns], &[1]), 0..columns)?;
    let name = || store.tensor(order).map(|it| it.name.clone()).unwrap_or_default();
    let inside = |word: u32| usize::try_from(word).ok().filter(|_| u64::from(word) < groups);
    let outside = |word: &u32| {
        let found = word.cast_signed();
        store.unreadable(&name(), &format!("it names group {found}, and there are {groups}"))
    };
    words.iter().map(|word| inside(*word).ok_or_else(|| outside(word))).collect()
}

/// The number of so many bits that begins at a bit of a row of words, whose lowest bits come first; it may go over
/// the end of a word.
pub(super) fn crossing(place: u64, bits: u64, word: impl Fn(u64) -> Option<u32>) -> Option<u32> {
    let (at, shift) = (place / 32, u32::try_from(place % 32).ok()?);
    let low = word(at)?.checked_shr(shift)?;
    let held = 32_u32.checked_sub(shift)?;
    let high = if u64::from(held) < bits { word(at.checked_add(1)?)?.checked_shl(held)? } else { 0 };
    Some((low | high) & mask(bits))
}

/// So many bits set.
pub(super) fn mask(bits: u64) -> u32 {
    u32::try_from(bits).ok().and_then(|bits| 1_u32.checked_shl(bits)).unwrap_or_default().wrapping_sub(1)
}

/// Parts of a packed matrix for some rows.
struct Band {
    scales: Vec<f32>,
    zeros: Option<Vec<u32>>,
    words: Vec<u32>,
    /// The first row, and the first word along the rows.
    start: u64,
    first: u64,
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
        let tensors = Parts { words: &words, zeros: Some(&zeros), scales: &scales, order: order.as_ref() };
        let places = Parts { words: 0, zeros: Some(1), scales: 2, order: order.as_ref().map(|_| 3) };
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
    fn numbers_of_any_bits_fill_their_words() {
        for (bits, words, zeros) in [(2, 2, 1), (3, 3, 0), (5, 5, 0), (6, 6, 3), (8, 8, 4)] {
            let zeros = [2_u64, zeros];
            let expected = if zeros[1] == 0 { "do not fit together".to_owned() } else { format!("{bits} bits") };
            check(&[16, 32], [&[words, 16], &zeros, &[2, 16]], None, &expected);
        }
        check(&[32, 32], [&[3, 32], &[2, 3], &[2, 32]], None, "3 bits");
        check(&[32, 32], [&[32, 8], &[2, 8], &[2, 32]], None, "8 bits");
        check(&[32, 32], [&[32, 2], &[2, 2], &[2, 32]], None, "do not fit together");
    }

    #[test]
    fn parts_of_another_type_or_order_are_refused_by_name() {
        let words = tensor("w", "I32", &[4, 16]);
        let (zeros, scales) = (tensor("z", "F32", &[2, 2]), tensor("s", "F16", &[2, 16]));
        let turned = Tensor { view: Some(View::transposed([2, 16])), ..scales.clone() };
        let places = Parts { words: 0, zeros: Some(1), scales: 2, order: None };
        let why = |zeros: &Tensor, scales: &Tensor| {
            let parts = Parts { words: &words, zeros: Some(zeros), scales, order: None };
            Packed::new(&[16, 32], parts, places, false).unwrap_err()
        };
        assert_eq!(why(&zeros, &scales), "its part z is F32, expected I32");
        assert_eq!(why(&words, &turned), "its part s is stored as a view, which this version does not unpack");
    }
}
