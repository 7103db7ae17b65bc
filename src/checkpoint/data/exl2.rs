//! Matrices as ExLlamaV2 packs them: inputs in an order of their own, in groups of different numbers of bits; a group
//! has one highest scale and for each output a share of it in four bits.

use std::ops::Range;

use crate::checkpoint::data::packed::{crossing, mask};
use crate::checkpoint::data::store::Store;
use crate::checkpoint::view::View;
use crate::checkpoint::{Error, Tensor};

/// The tensors of a matrix, by their numbers or themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) words: T,
    pub(super) scale: T,
    pub(super) highest: T,
    pub(super) groups: T,
    pub(super) order: T,
}

/// A packed matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exl2 {
    parts: Parts<usize>,
    /// Rows of words.
    words: u64,
    out: u64,
    inputs: u64,
    groups: u64,
}

/// One group of inputs: the first row of words, the first input as stored, how many there are, and their bits.
struct Group {
    word: u64,
    first: u64,
    length: u64,
    bits: u64,
}

/// Groups of one matrix: an input has 32 or more of its kind.
const MOST_GROUPS: u64 = 1 << 16;

impl Exl2 {
    /// The matrix of these parts, or why it cannot be decoded.
    pub(super) fn new(shape: &[u64], tensors: Parts<&Tensor>, parts: Parts<usize>) -> Result<Self, String> {
        let Parts { words, scale, highest, groups, order } = tensors;
        let all = [(words, "I32"), (scale, "I32"), (highest, "F16"), (groups, "I16"), (order, "I32")];
        if let Some((it, _)) = all.iter().find(|it| it.0.view.is_some()) {
            return Err(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        if let Some((it, dtype)) = all[..4].iter().find(|(it, dtype)| it.dtype.to_string() != *dtype) {
            return Err(format!("its part {} is {}, expected {dtype}", it.name, it.dtype));
        }
        let of_order = order.dtype.to_string();
        if !["I32", "I16"].contains(&of_order.as_str()) {
            return Err(format!("its part {} is {of_order}, expected I32 or I16", order.name));
        }
        let fitting = || {
            let [out, inputs] = *shape.as_array::<2>()?;
            let ([rows, _], [of_scale, shares], [count]) =
                (words.shape.as_slice(), scale.shape.as_slice(), highest.shape.as_slice())
            else {
                return None;
            };
            let fits = of_scale == count
                && groups.elements() == count.checked_mul(2)?
                && shares.checked_mul(8)? >= out
                && (1..=MOST_GROUPS).contains(count);
            fits.then_some(Self { parts, words: *rows, out, inputs, groups: *count })
        };
        fitting().ok_or_else(|| {
            let shapes = [words, scale, highest, groups].map(|it| format!("{:?}", it.shape));
            format!("its parts {} do not fit together", shapes.join(", "))
        })
    }

    /// Whole rows of the plain matrix, each an output.
    pub(super) fn rows(&self, store: &Store, rows: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.parts.words)?.name;
        let broken = || store.unreadable(name, "its groups do not fit to its words");
        let groups = self.groups_of(store)?.ok_or_else(broken)?;
        let places = self.places(store)?.ok_or_else(broken)?;
        let highest = store.floats(self.parts.highest, 0..self.groups)?;
        let view = View::transposed([self.out, self.words]);
        let words = store.words_by(
            self.parts.words,
            &view,
            rows.start.saturating_mul(self.words)..rows.end.saturating_mul(self.words),
        )?;
        let shares = self.shares(store)?;
        let mut numbers = Vec::new();
        for row in rows.clone() {
            let line =
                usize::try_from(row.saturating_sub(rows.start).saturating_mul(self.words)).map_err(|_| broken())?;
            let of_row = words.get(line..).unwrap_or_default();
            let stored = self.stored(&groups, &highest, &shares, row, of_row).ok_or_else(broken)?;
            for place in &places {
                numbers.push(*stored.get(*place).ok_or_else(broken)?);
            }
        }
        Ok(numbers)
    }

    /// The numbers of an output, in the order in which its inputs are stored.
    fn stored(&self, groups: &[Group], highest: &[f32], shares: &[u32], row: u64, words: &[u32]) -> Option<Vec<f32>> {
        let across = self.shares_across(shares)?;
        let mut numbers = Vec::with_capacity(usize::try_from(self.inputs).ok()?);
        for ((at, group), highest) in (0_u64..).zip(groups).zip(highest) {
            let word = shares.get(usize::try_from(at.checked_mul(across)?.checked_add(row / 8)?).ok()?)?;
            let share = word.checked_shr(u32::try_from(row % 8).ok()?.checked_mul(4)?)? & 15;
            let share = (share as f32) + 1.0;
            let scale = share * share * (highest / 256.0);
            let middle = (mask(group.bits) / 2) as f32 + 1.0;
            for input in 0..group.length {
                let of = |word: u64| words.get(usize::try_from(group.word.checked_add(word)?).ok()?).copied();
                let quant = crossing(input.checked_mul(group.bits)?, group.bits, of)?;
                numbers.push(scale * (quant as f32 - middle));
            }
        }
        Some(numbers)
    }

    fn shares_across(&self, shares: &[u32]) -> Option<u64> {
        (shares.len() as u64).checked_div(self.groups)
    }

    fn shares(&self, store: &Store) -> Result<Vec<u32>, Error> {
        let count = store.tensor(self.parts.scale)?.elements();
        store.words_by(self.parts.scale, &View::strided(&[count], &[1]), 0..count)
    }

    /// The groups as pairs of bits and first row of words; all inputs must be in one, and all words there.
    fn groups_of(&self, store: &Store) -> Result<Option<Vec<Group>>, Error> {
        let pairs = store.floats(self.parts.groups, 0..self.groups.saturating_mul(2))?;
        Ok(self.grouped(&pairs))
    }

    fn grouped(&self, pairs: &[f32]) -> Option<Vec<Group>> {
        // Stored with a sign, and rows of words may be more than that reaches.
        #[expect(clippy::cast_possible_truncation, reason = "it was a number of 16 bits")]
        let unsigned = |it: f32| u64::from((it as i32 as i16).cast_unsigned());
        let pairs: Vec<(u64, u64)> =
            pairs.as_chunks::<2>().0.iter().map(|[bits, word]| (unsigned(*bits), unsigned(*word))).collect();
        let mut first = 0_u64;
        let mut groups = Vec::with_capacity(pairs.len());
        for (at, (bits, word)) in pairs.iter().enumerate() {
            let next = pairs.get(at.saturating_add(1)).map(|it| it.1);
            let length = match next {
                Some(next) => next.checked_sub(*word)?.checked_mul(32)?.checked_div(*bits)?,
                None => self.inputs.checked_sub(first)?,
            };
            let held = self.words.checked_sub(*word)?.checked_mul(32)?;
            let fits = (2..=8).contains(bits) && length.checked_mul(*bits)? <= held;
            if !fits {
                return None;
            }
            groups.push(Group { word: *word, first, length, bits: *bits });
            first = first.checked_add(length).filter(|it| *it <= self.inputs)?;
        }
        let last = groups.last()?;
        (last.first.checked_add(last.length) == Some(self.inputs)).then_some(groups)
    }

    /// Where each input stands among the stored ones.
    fn places(&self, store: &Store) -> Result<Option<Vec<usize>>, Error> {
        let tensor = store.tensor(self.parts.order)?;
        let is_short = tensor.dtype.to_string() == "I16";
        let places: Vec<u64> = if is_short {
            let bytes = store.bytes(self.parts.order, 0..self.inputs.saturating_mul(2))?;
            bytes.as_chunks().0.iter().map(|it| u64::from(u16::from_le_bytes(*it))).collect()
        } else {
            let view = View::strided(&[self.inputs], &[1]);
            store.words_by(self.parts.order, &view, 0..self.inputs)?.into_iter().map(u64::from).collect()
        };
        let inside = |it: u64| usize::try_from(it).ok().filter(|_| it < self.inputs);
        Ok(places.into_iter().map(inside).collect())
    }
}
