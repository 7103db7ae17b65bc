//! Whole numbers as protobuf writes them, each in as many bytes as it needs. ONNX has them in small tensors.
//!
//! Where the nth number begins, nothing but reading tells: the data is gone over from its start.

use std::ops::Range;

use ::safetensors::Dtype as Known;

use crate::checkpoint::data::decode;
use crate::checkpoint::data::store::Store;
use crate::checkpoint::{Dtype, Error, Tensor};

/// How many bytes are read at once.
const STEP: u64 = 256 << 10;
/// The longest varint.
const LONGEST: usize = 10;

impl Store {
    /// Elements of a range of a tensor whose elements are varints of a known type.
    pub(super) fn varints(&self, tensor: &Tensor, known: Known, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let wrong = |why: &str| self.unreadable(&tensor.name, why);
        let mut reader = Varints { wanted: range.clone(), known, seen: 0, numbers: Vec::new(), value: 0, length: 0 };
        let mut at = tensor.data.start;
        while at < tensor.data.end && reader.seen < range.end {
            let next = at.saturating_add(STEP).min(tensor.data.end);
            let bytes = self.files.read(tensor.file, at..next)?;
            bytes.iter().try_for_each(|byte| reader.take(*byte)).map_err(wrong)?;
            at = next;
        }
        let count = range.end.saturating_sub(range.start);
        if reader.numbers.len() as u64 != count {
            return Err(wrong("its data has fewer numbers than its shape"));
        }
        if at == tensor.data.end && (reader.length > 0 || reader.seen > tensor.elements()) {
            return Err(wrong("its data has more numbers than its shape, or ends in the middle of one"));
        }
        Ok(reader.numbers)
    }
}

/// Varints that are gone over.
struct Varints {
    wanted: Range<u64>,
    known: Known,
    /// How many are complete.
    seen: u64,
    numbers: Vec<f32>,
    /// The one that is being read, and how many bytes of it were.
    value: u64,
    length: usize,
}

impl Varints {
    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        let shift = u32::try_from(self.length.saturating_mul(7)).unwrap_or(u32::MAX);
        self.value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
        self.length = self.length.saturating_add(1);
        if byte & 0x80 != 0 {
            return if self.length < LONGEST { Ok(()) } else { Err("one of its numbers is longer than any varint") };
        }
        if self.wanted.contains(&self.seen) {
            self.numbers.push(number(self.known, self.value).ok_or("one of its numbers does not fit its type")?);
        }
        (self.seen, self.value, self.length) = (self.seen.saturating_add(1), 0, 0);
        Ok(())
    }
}

/// A number by the bytes that its type stores of it; none where it has more.
fn number(known: Known, value: u64) -> Option<f32> {
    let size = known.bitsize().checked_div(8).filter(|it| (1..=8).contains(it))?;
    let bytes = value.to_le_bytes();
    let (kept, rest) = bytes.split_at_checked(size)?;
    let is_signed = matches!(known, Known::I8 | Known::I16 | Known::I32 | Known::I64);
    let is_negative = is_signed && kept.last().is_some_and(|it| it & 0x80 != 0);
    let extension = if is_negative { 0xff } else { 0 };
    if rest.iter().any(|it| *it != extension) {
        return None;
    }
    let mut number = [0.0];
    decode::decoder(&Dtype::Known(known))?.decode(kept, &mut number);
    Some(number[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_length_of_their_type() {
        let negative = |it: i64| it.cast_unsigned();
        assert_eq!(number(Known::I32, 300), Some(300.0));
        assert_eq!(number(Known::I32, negative(-5)), Some(-5.0));
        assert_eq!(number(Known::I8, negative(-128)), Some(-128.0));
        assert_eq!(number(Known::I8, 128), None);
        assert_eq!(number(Known::U8, 255), Some(255.0));
        assert_eq!(number(Known::U8, 256), None);
        assert_eq!(number(Known::F16, 0x3c00), Some(1.0));
        assert_eq!(number(Known::BF16, 0x1_3f80), None);
        assert_eq!(number(Known::I64, negative(-3)), Some(-3.0));
        assert_eq!(number(Known::U64, u64::MAX), Some(18_446_744_073_709_551_616.0));
    }
}
