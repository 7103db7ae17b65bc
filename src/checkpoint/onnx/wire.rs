//! Walks over the fields of a protobuf message in a file of gigabytes, and reads none of the data in it.

use std::ops::Range;

use crate::bytes::{Cursor, Hasher, Source, grouped, limits, varint};
use crate::checkpoint::Refusal;
use crate::checkpoint::onnx::broken;

/// How much is read at once while walking.
const WINDOW: u64 = 8 << 10;
/// The longest head of a field: its tag, and a number or a length.
const FIELD_HEAD: u64 = 20;

/// A field: its number, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) value: Value,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    /// Where in the file its bytes are.
    Bytes(Range<u64>),
    /// Four or eight bytes.
    Fixed,
}

/// A file that is walked over, and what was read of it.
pub(super) struct Walk<'a> {
    source: &'a dyn Source,
    window: Vec<u8>,
    start: u64,
    /// How many bytes were taken, and their digest.
    pub(super) taken: u64,
    pub(super) hasher: Hasher,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { source, window: Vec::new(), start: 0, taken: 0, hasher: Hasher::default() }
    }

    /// The field at a place of a message that ends at `end`; moves the place behind it. None at the end.
    pub(super) fn field(&mut self, at: &mut u64, end: u64) -> Result<Option<Field>, Refusal> {
        if *at >= end {
            return Ok(None);
        }
        let head = self.peek(*at..end.min(at.saturating_add(FIELD_HEAD)))?;
        let cut = || broken(format!("its protobuf field at byte {} is cut off or broken", grouped(*at)));
        let (field, next) = field(&head, *at, end).ok_or_else(cut)?;
        let read = head.len().min(usize::try_from(next.0.saturating_sub(*at)).unwrap_or(usize::MAX));
        self.take(head.get(..read).unwrap_or_default())?;
        *at = next.1;
        Ok(Some(field))
    }

    /// Goes once more over what was taken already; it does not count again.
    pub(super) fn again<T>(&mut self, go: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.taken, self.hasher.clone());
        let result = go(self);
        (self.taken, self.hasher) = before;
        result
    }

    /// Bytes of a field that may have at most `limit` of them.
    pub(super) fn bytes(&mut self, range: Range<u64>, limit: u64, what: &str) -> Result<Vec<u8>, Refusal> {
        let length = range.end.saturating_sub(range.start);
        if length > limit {
            let (length, limit) = (grouped(length), grouped(limit));
            return Err(broken(format!("{what} has {length} bytes, and the limit is {limit}")));
        }
        let bytes = self.peek(range)?;
        self.take(&bytes)?;
        Ok(bytes)
    }

    /// A text of at most `limit` bytes.
    pub(super) fn text(&mut self, range: Range<u64>, limit: u64, what: &str) -> Result<String, Refusal> {
        let bytes = self.bytes(range, limit, what)?;
        String::from_utf8(bytes).map_err(|_| broken(format!("{what} is not text in UTF-8")))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.hasher.update(bytes);
        self.taken = self.taken.saturating_add(bytes.len() as u64);
        if self.taken > limits::ONNX_HEADER {
            let limit = grouped(limits::ONNX_HEADER);
            return Err(broken(format!("its graph without the data has more than {limit} bytes")));
        }
        Ok(())
    }

    fn peek(&mut self, range: Range<u64>) -> Result<Vec<u8>, Refusal> {
        if let Some(found) = self.in_window(&range) {
            return Ok(found);
        }
        let end = range.end.max(range.start.saturating_add(WINDOW)).min(self.source.len());
        self.window = self.source.read_at(range.start..end)?.into_owned();
        self.start = range.start;
        self.in_window(&range).ok_or_else(|| broken("a field reaches beyond its end".into()))
    }

    fn in_window(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        let place = |at: u64| usize::try_from(at.checked_sub(self.start)?).ok();
        Some(self.window.get(place(range.start)?..place(range.end)?)?.to_vec())
    }
}

/// The field whose head begins at `at`, where its head ends, and where the next one begins.
fn field(head: &[u8], at: u64, end: u64) -> Option<(Field, (u64, u64))> {
    let mut cursor = Cursor::new(head);
    let tag = varint(&mut cursor)?;
    let number = Some(tag >> 3).filter(|it| *it > 0)?;
    let mut length = 0;
    let value = match tag & 7 {
        0 => Value::Number(varint(&mut cursor)?),
        1 => {
            length = 8;
            Value::Fixed
        }
        5 => {
            length = 4;
            Value::Fixed
        }
        2 => {
            length = varint(&mut cursor)?;
            Value::Bytes(0..0)
        }
        _ => return None,
    };
    let start = at.checked_add(head.len().checked_sub(cursor.rest().len())? as u64)?;
    let next = start.checked_add(length).filter(|next| *next <= end)?;
    let value = if matches!(value, Value::Bytes(_)) { Value::Bytes(start..next) } else { value };
    Some((Field { number, value }, (start, next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Memory;

    #[test]
    fn fields_are_found_and_their_data_is_not_read() {
        let mut file = vec![0x08, 0x07, 0x12, 0xa0, 0x9c, 0x01];
        file.resize(6 + 20_000, 7);
        file.extend([0x1d, 0, 0, 0, 0]);
        let source = Memory::new(file);
        let mut walk = Walk::new(&source);
        let (mut at, end) = (0, source.len());
        let mut fields = Vec::new();
        while let Some(field) = walk.field(&mut at, end).unwrap() {
            fields.push((field.number, field.value));
        }
        assert_eq!(fields, [(1, Value::Number(7)), (2, Value::Bytes(6..20_006)), (3, Value::Fixed)]);
        assert_eq!(walk.taken, 2 + 4 + 1);
    }

    #[test]
    fn fields_that_reach_beyond_their_message_are_refused() {
        for bytes in [
            &[0x12, 9, 1][..],
            &[0x09, 1],
            &[0x0b],
            &[0x00, 1],
            &[0x80; 30],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            let source = Memory::new(bytes.to_vec());
            let refusal = Walk::new(&source).field(&mut 0, source.len()).unwrap_err();
            assert!(matches!(&refusal, Refusal::Broken { message, .. } if message.contains("byte 0")), "{refusal:?}");
        }
    }
}
