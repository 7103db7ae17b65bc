//! Matrices as HQQ packs them: cut into groups along their elements, the groups one below the other, and rows that
//! lie a share of all rows apart in one byte or word, the first one highest.

use std::ops::Range;

use crate::checkpoint::data::store::Store;
use crate::checkpoint::view::View;
use crate::checkpoint::{Error, Tensor};

/// The tensors of a matrix, by their numbers or themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) words: T,
    pub(super) scale: T,
    pub(super) zero: T,
}

/// A packed matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hqq {
    parts: Parts<usize>,
    packing: Packing,
    /// Rows of the cut matrix before packing, and its columns.
    rows: u64,
    columns: u64,
    /// How many rows are stored.
    stored: u64,
    /// Whether a group is a row of the cut matrix; otherwise it is a column.
    is_by_rows: bool,
}

/// How many numbers are in a byte or word, of how many bits each.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Packing {
    each: u64,
    bits: u32,
    is_words: bool,
}

const BYTES: &[Packing] = &[
    Packing { each: 1, bits: 8, is_words: false },
    Packing { each: 2, bits: 4, is_words: false },
    Packing { each: 4, bits: 2, is_words: false },
    Packing { each: 8, bits: 1, is_words: false },
];
const WORDS: &[Packing] =
    &[Packing { each: 10, bits: 3, is_words: true }, Packing { each: 8, bits: 4, is_words: true }];

impl Hqq {
    /// The matrix of these parts, or why it cannot be decoded.
    pub(super) fn new(shape: &[u64], tensors: Parts<&Tensor>, parts: Parts<usize>) -> Result<Self, String> {
        let Parts { words, scale, zero } = tensors;
        if let Some(it) = [words, scale, zero].into_iter().find(|it| it.view.is_some()) {
            return Err(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        let packings = match words.dtype.to_string().as_str() {
            "U8" => BYTES,
            "I32" => WORDS,
            other => return Err(format!("its part {} is {other}, expected U8 or I32", words.name)),
        };
        let elements = shape.iter().try_fold(1_u64, |product, it| product.checked_mul(*it));
        let fitting = |packing: &Packing| {
            let [stored, columns] = *words.shape.as_array::<2>()?;
            let rows = elements?.checked_div(columns).filter(|it| it.checked_mul(columns) == elements)?;
            // Words may have room for more rows than there are.
            let fits = rows.div_ceil(packing.each) == stored && (packing.is_words || rows.is_multiple_of(packing.each));
            let is_by_rows = [scale, zero].iter().all(|it| it.elements() == rows && it.shape.last() == Some(&1));
            let is_by_columns = [scale, zero].iter().all(|it| it.elements() == columns && it.shape.first() == Some(&1));
            let packing = *packing;
            (fits && (is_by_rows || is_by_columns)).then_some(Self {
                parts,
                packing,
                rows,
                columns,
                stored,
                is_by_rows,
            })
        };
        packings.iter().find_map(fitting).ok_or_else(|| {
            let shapes = [words, scale, zero].map(|it| format!("{:?}", it.shape));
            format!("its parts {} do not fit to {shape:?}", shapes.join(", "))
        })
    }

    /// The elements of a range, counted row by row over the plain matrix.
    pub(super) fn read(&self, store: &Store, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.parts.words)?.name;
        let broken = || store.unreadable(name, "its packed parts do not fit together");
        let at_once = AT_ONCE.checked_div(self.columns).unwrap_or(1).max(1);
        let row_of = |at: u64| at.checked_div(self.columns).ok_or_else(broken);
        let (mut numbers, mut at) = (Vec::new(), range.start);
        while at < range.end {
            let row = row_of(at)?;
            // Rows of one part are stored one behind the other.
            let part_end =
                row.checked_div(self.stored).ok_or_else(broken)?.saturating_add(1).saturating_mul(self.stored);
            let last = range.end.div_ceil(self.columns).min(row.saturating_add(at_once)).min(part_end);
            let (start, end) = (row.saturating_mul(self.columns), range.end.min(last.saturating_mul(self.columns)));
            let whole = self.rows_of(store, row..last)?;
            let place = |it: u64| usize::try_from(it.saturating_sub(start)).unwrap_or(usize::MAX);
            numbers.extend_from_slice(whole.get(place(at)..place(end)).ok_or_else(broken)?);
            at = end;
        }
        Ok(numbers)
    }

    /// Some rows of the cut matrix, of one part of those that share bytes.
    fn rows_of(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let beside = |tensor: usize| store.floats(tensor, if self.is_by_rows { rows.clone() } else { 0..self.columns });
        let (scales, zeros) = (beside(self.parts.scale)?, beside(self.parts.zero)?);
        let (part, line) = (
            rows.start.checked_div(self.stored).unwrap_or_default(),
            rows.start.checked_rem(self.stored).unwrap_or_default(),
        );
        let count = rows.end.saturating_sub(rows.start);
        let place = line.saturating_mul(self.columns)..line.saturating_add(count).saturating_mul(self.columns);
        let stored: Vec<u32> = if self.packing.is_words {
            store.words_by(
                self.parts.words,
                &View::strided(&[self.stored.saturating_mul(self.columns)], &[1]),
                place,
            )?
        } else {
            store.bytes(self.parts.words, place)?.into_iter().map(u32::from).collect()
        };
        let behind = self.packing.each.saturating_sub(1).saturating_sub(part);
        let shift = u32::try_from(behind).unwrap_or_default().saturating_mul(self.packing.bits);
        let mask = 1_u32.wrapping_shl(self.packing.bits).wrapping_sub(1);
        let columns = usize::try_from(self.columns).unwrap_or(usize::MAX).max(1);
        let mut numbers = Vec::with_capacity(stored.len());
        for (row, words) in stored.chunks(columns).enumerate() {
            for (column, word) in words.iter().enumerate() {
                let at = if self.is_by_rows { row } else { column };
                let (scale, zero) =
                    (scales.get(at).copied().unwrap_or(f32::NAN), zeros.get(at).copied().unwrap_or(f32::NAN));
                numbers.push(((word.wrapping_shr(shift) & mask) as f32 - zero) * scale);
            }
        }
        Ok(numbers)
    }
}

/// How many numbers are unpacked at once.
const AT_ONCE: u64 = 1 << 18;
