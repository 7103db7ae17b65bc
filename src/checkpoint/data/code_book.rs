//! Matrices of four bits that stand for the sixteen values of a code book, as bitsandbytes writes them: one number
//! behind the other, whatever the rows, the upper half of a byte first; so many numbers in a row share the highest
//! value. These highest values may be packed in the same way once more.

use std::ops::Range;

use serde_json::Value;

use crate::checkpoint::data::store::Store;
use crate::checkpoint::{Error, Tensor, stated};

/// A matrix and what stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CodeBook {
    pub(super) words: usize,
    pub(super) highest: usize,
    pub(super) book: usize,
    /// The state that says how many numbers share a value.
    pub(super) state: usize,
    /// The highest value and the code book of the highest values, where they are packed themselves.
    pub(super) nested: Option<(usize, usize)>,
}

/// How many numbers share a highest value.
struct Blocks {
    size: u64,
    nested_size: u64,
    offset: f32,
}

impl CodeBook {
    /// Why parts cannot be read together, if they cannot.
    pub(super) fn unreadable(
        elements: u64,
        words: &Tensor,
        book: &Tensor,
        highest: &Tensor,
        is_nested: bool,
    ) -> Option<String> {
        if let Some(it) = [words, book, highest].into_iter().find(|it| it.view.is_some()) {
            return Some(format!("its part {} is stored as a view, which this version does not unpack", it.name));
        }
        if words.bytes() != elements.div_ceil(2) {
            let (found, expected) = (words.bytes(), elements.div_ceil(2));
            return Some(format!("its part {} has {found} bytes, expected {expected}", words.name));
        }
        if book.elements() != 16 || book.dtype.to_string() != "F32" {
            return Some(format!(
                "its code book {} is {} of {}, expected F32 of 16",
                book.name,
                book.dtype,
                book.elements()
            ));
        }
        let dtype = if is_nested { "U8" } else { "F32" };
        let wrong = highest.dtype.to_string() != dtype;
        wrong.then(|| format!("its part {} is {}, expected {dtype}", highest.name, highest.dtype))
    }

    /// The elements of a range.
    pub(super) fn read(&self, store: &Store, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let name = &store.tensor(self.words)?.name;
        let broken = || store.unreadable(name, "its packed parts do not fit together");
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let blocks = self.blocks(store)?;
        let book = store.floats(self.book, 0..16)?;
        let block = |at: u64| at.checked_div(blocks.size);
        let (first, last) = (block(range.start), block(range.end.saturating_sub(1)));
        let (first, last) = first.zip(last).ok_or_else(broken)?;
        let highest = self.highest(store, &blocks, first..last.saturating_add(1))?;
        let start = range.start / 2;
        let bytes = store.bytes(self.words, start..range.end.div_ceil(2))?;
        let number = |at: u64| {
            let byte = bytes.get(usize::try_from((at / 2).checked_sub(start)?).ok()?)?;
            let place = if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 };
            let highest = highest.get(usize::try_from(block(at)?.checked_sub(first)?).ok()?)?;
            Some(book.get(usize::from(place))? * highest)
        };
        range.map(|at| number(at).ok_or_else(broken)).collect()
    }

    fn blocks(&self, store: &Store) -> Result<Blocks, Error> {
        let tensor = store.tensor(self.state)?;
        let text = store.bytes(self.state, 0..tensor.bytes().min(crate::bytes::limits::STATED_SHAPE))?;
        let state = stated::state(&text).ok_or_else(|| store.unreadable(&tensor.name, "it is no JSON"))?;
        let number = |key: &str| state.get(key).and_then(Value::as_u64).filter(|it| *it > 0);
        let offset = state.get("nested_offset").and_then(Value::as_f64).unwrap_or_default();
        let size = number("blocksize").ok_or_else(|| store.unreadable(&tensor.name, "it states no `blocksize`"))?;
        #[expect(clippy::cast_possible_truncation, reason = "it was a number of 32 bits before it was written down")]
        Ok(Blocks { size, nested_size: number("nested_blocksize").unwrap_or(256), offset: offset as f32 })
    }

    /// The highest values of some blocks.
    fn highest(&self, store: &Store, blocks: &Blocks, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let Some((of_highest, book)) = self.nested else { return store.floats(self.highest, range) };
        let name = &store.tensor(self.highest)?.name;
        let broken = || store.unreadable(name, "its parts do not fit together");
        let stored = store.bytes(self.highest, range.clone())?;
        let book_size = store.tensor(book)?.elements().min(256);
        let book = store.floats(book, 0..book_size)?;
        let block = |at: u64| at.checked_div(blocks.nested_size);
        let (first, last) = block(range.start).zip(block(range.end.saturating_sub(1))).ok_or_else(broken)?;
        let scales = store.floats(of_highest, first..last.saturating_add(1))?;
        let number = |(at, byte): (u64, &u8)| {
            let scale = scales.get(usize::try_from(block(at)?.checked_sub(first)?).ok()?)?;
            Some(book.get(usize::from(*byte))? * scale + blocks.offset)
        };
        range.zip(&stored).map(|it| number(it).ok_or_else(broken)).collect()
    }
}
