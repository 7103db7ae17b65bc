//! Bytes of one element type, as `f32`.
//!
//! Numbers that `f32` cannot hold are rounded to the nearest one it can: 64-bit floats, and whole numbers beyond 2^24.

use std::ops::Range;

use ::safetensors::Dtype as Known;

use crate::checkpoint::data::run::Run;
use crate::checkpoint::data::{blocks, lattices, small, superblocks};
use crate::checkpoint::{Dtype, Tensor};

/// How one element type is turned into numbers.
#[derive(Clone, Copy)]
pub(super) struct Decoder {
    /// How many numbers are stored together; 1 for most types.
    numbers: u64,
    /// In how many bytes.
    bytes: u64,
    run: Run,
}

/// Why numbers of this type cannot be read, if they cannot.
pub(super) fn unreadable(dtype: &Dtype) -> Option<String> {
    let is_readable = match dtype {
        Dtype::Varints(known) => plain(*known).is_some(),
        Dtype::Known(_) | Dtype::Block(_) | Dtype::Unknown { .. } => decoder(dtype).is_some(),
    };
    (!is_readable).then(|| format!("its element type {dtype} cannot be decoded by this version"))
}

/// The decoder of a type; none where nobody knows how, or this version does not.
pub(super) fn decoder(dtype: &Dtype) -> Option<Decoder> {
    let (numbers, bytes, run) = match dtype {
        Dtype::Known(known) => plain(*known)?,
        Dtype::Block(block) => {
            let run = blocks::decoder(block.name).or_else(|| superblocks::decoder(block.name));
            (block.numbers, block.bytes, run.or_else(|| lattices::decoder(block.name))?)
        }
        // Elements of no fixed length have no place of their own: `varints` reads them.
        Dtype::Varints(_) | Dtype::Unknown { .. } => return None,
    };
    Some(Decoder { numbers, bytes, run })
}

/// The decoder of a plain type.
fn plain(known: Known) -> Option<(u64, u64, Run)> {
    Some(match known {
        Known::F64 => (1, 8, |from, to| each(from, to, |it| rounded(f64::from_le_bytes(it)))),
        Known::F32 => (1, 4, |from, to| each(from, to, f32::from_le_bytes)),
        Known::F16 => (1, 2, |from, to| each(from, to, |it| small::f16(u16::from_le_bytes(it)))),
        Known::BF16 => (1, 2, bf16),
        Known::F8_E4M3 => (1, 1, |from, to| by_table(from, to, &small::E4M3)),
        Known::F8_E5M2 => (1, 1, |from, to| by_table(from, to, &small::E5M2)),
        Known::F8_E4M3FNUZ => (1, 1, |from, to| by_table(from, to, &small::E4M3FNUZ)),
        Known::F8_E5M2FNUZ => (1, 1, |from, to| by_table(from, to, &small::E5M2FNUZ)),
        Known::F8_E8M0 => (1, 1, |from, to| by_table(from, to, &small::E8M0)),
        Known::F4 => (2, 1, small::e2m1_pairs),
        Known::BOOL => (1, 1, |from, to| each(from, to, |[it]: [u8; 1]| f32::from(u8::from(it != 0)))),
        Known::U8 => (1, 1, |from, to| each(from, to, |[it]: [u8; 1]| f32::from(it))),
        Known::I8 => (1, 1, |from, to| each(from, to, |it| f32::from(i8::from_le_bytes(it)))),
        Known::U16 => (1, 2, |from, to| each(from, to, |it| f32::from(u16::from_le_bytes(it)))),
        Known::I16 => (1, 2, |from, to| each(from, to, |it| f32::from(i16::from_le_bytes(it)))),
        Known::U32 => (1, 4, |from, to| each(from, to, |it| u32::from_le_bytes(it) as f32)),
        Known::I32 => (1, 4, |from, to| each(from, to, |it| i32::from_le_bytes(it) as f32)),
        Known::U64 => (1, 8, |from, to| each(from, to, |it| u64::from_le_bytes(it) as f32)),
        Known::I64 => (1, 8, |from, to| each(from, to, |it| i64::from_le_bytes(it) as f32)),
        // Complex numbers are no weights, and nothing says in which order numbers of 6 bits are packed.
        _ => return None,
    })
}

impl Decoder {
    /// Where whole units that hold a range of a tensor's stored elements lie in its file, and how many numbers in front
    /// of the range they hold. None where the range is not inside the tensor.
    pub(super) fn place(&self, tensor: &Tensor, elements: &Range<u64>) -> Option<(Range<u64>, u64)> {
        let first = elements.start.checked_div(self.numbers)?;
        let last = elements.end.checked_next_multiple_of(self.numbers)?.checked_div(self.numbers)?;
        let start = tensor.data.start.checked_add(first.checked_mul(self.bytes)?)?;
        let end = tensor.data.start.checked_add(last.checked_mul(self.bytes)?)?;
        let before = elements.start.checked_sub(first.checked_mul(self.numbers)?)?;
        (end <= tensor.data.end && start <= end).then_some((start..end, before))
    }

    /// How many numbers so many bytes hold.
    pub(super) fn numbers_in(&self, bytes: usize) -> usize {
        let units = u64::try_from(bytes).ok().and_then(|it| it.checked_div(self.bytes));
        units.and_then(|it| usize::try_from(it.checked_mul(self.numbers)?).ok()).unwrap_or_default()
    }

    /// In how many bytes whole units of so many numbers are stored; at least one.
    pub(super) fn bytes_of(&self, numbers: usize) -> usize {
        let units = u64::try_from(numbers).ok().and_then(|it| it.checked_div(self.numbers));
        units.and_then(|it| usize::try_from(it.checked_mul(self.bytes)?).ok()).unwrap_or_default().max(1)
    }

    /// Decodes whole units; `to` has as many places as they hold numbers.
    pub(super) fn decode(&self, from: &[u8], to: &mut [f32]) {
        (self.run)(from, to);
    }
}

/// One number after the other. Nothing is unrolled by hand: a plain loop is what compilers turn into wide instructions.
#[inline(always)]
fn each<const N: usize>(from: &[u8], to: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    for (from, to) in from.as_chunks().0.iter().zip(to) {
        *to = number(*from);
    }
}

fn by_table(from: &[u8], to: &mut [f32], table: &[f32; 256]) {
    each(from, to, |[it]: [u8; 1]| table.get(usize::from(it)).copied().unwrap_or_default());
}

/// The upper half of an `f32` each, with wider instructions where the processor has them.
fn bf16(from: &[u8], to: &mut [f32]) {
    pulp::Arch::new().dispatch(Bf16 { from, to });
}

/// The same as work that is compiled once for each kind of instructions; a closure would not be.
struct Bf16<'a> {
    from: &'a [u8],
    to: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Bf16<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        each(self.from, self.to, |it| f32::from_bits(u32::from(u16::from_le_bytes(it)) << 16));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest number that fits is what is wanted")]
fn rounded(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dtype: &str, bytes: &[u8], expected: &[f32]) {
        let decoder = decoder(&Dtype::named(dtype)).unwrap();
        let mut found = vec![0.0; decoder.numbers_in(bytes.len())];
        decoder.decode(bytes, &mut found);
        let bits = |numbers: &[f32]| numbers.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(expected), "{dtype}: {found:?}, expected {expected:?}");
    }

    #[test]
    fn each_type_gives_its_numbers() {
        check("F64", &1.5_f64.to_le_bytes(), &[1.5]);
        check("F64", &0.1_f64.to_le_bytes(), &[0.1]);
        check("F32", &(-2.5_f32).to_le_bytes(), &[-2.5]);
        check(
            "F16",
            &[0x00, 0x3c, 0x01, 0x00, 0xff, 0x7b, 0x00, 0xfc],
            &[1.0, 2.0_f32.powi(-24), 65504.0, -f32::INFINITY],
        );
        check("BF16", &[0x80, 0x3f, 0x00, 0xc0], &[1.0, -2.0]);
        check("BOOL", &[0, 1, 7], &[0.0, 1.0, 1.0]);
        check("U8", &[0, 255], &[0.0, 255.0]);
        check("I8", &[0x80, 127], &[-128.0, 127.0]);
        check("U16", &[0xff, 0xff], &[65535.0]);
        check("I16", &[0x00, 0x80], &[-32768.0]);
        check("U32", &[0xff; 4], &[4_294_967_296.0]);
        check("I32", &[0xff; 4], &[-1.0]);
        check("U64", &[0xff; 8], &[18_446_744_073_709_551_616.0]);
        check("I64", &(-3_i64).to_le_bytes(), &[-3.0]);
        check("F4", &[0x10, 0xf7], &[0.0, 0.5, 6.0, -6.0]);
        check("F8_E8M0", &[127, 130, 0], &[1.0, 8.0, 2.0_f32.powi(-127)]);
    }

    #[test]
    fn lanes_and_what_is_left_of_them_are_read_alike() {
        let bytes: Vec<u8> = (0..37_u16).flat_map(|it| (0x3f80 + it).to_le_bytes()).collect();
        let expected: Vec<f32> = (0..37_u32).map(|it| f32::from_bits((0x3f80 + it) << 16)).collect();
        check("BF16", &bytes, &expected);
    }

    #[test]
    fn a_range_inside_blocks_is_rounded_out_to_whole_ones() {
        let dtype = Dtype::of_ggml(2);
        let tensor =
            Tensor { name: "a".into(), dtype: dtype.clone(), shape: vec![3, 32], file: 0, data: 100..154, view: None };
        let decoder = decoder(&dtype).unwrap();
        assert_eq!(decoder.place(&tensor, &(33..40)), Some((118..136, 1)));
        assert_eq!(decoder.place(&tensor, &(0..96)), Some((100..154, 0)));
        assert_eq!(decoder.place(&tensor, &(31..33)), Some((100..136, 31)));
        assert_eq!(decoder.place(&tensor, &(32..32)), Some((118..118, 0)));
        assert_eq!(decoder.place(&tensor, &(90..97)), None);
        assert_eq!(decoder.place(&tensor, &(0..u64::MAX)), None);
    }

    #[test]
    fn what_cannot_be_decoded_says_its_name() {
        for name in ["C64", "F6_E2M3", "U4"] {
            let why = unreadable(&Dtype::named(name)).unwrap();
            assert!(why.contains(name), "{why}");
        }
        assert!(unreadable(&Dtype::of_ggml(9)).unwrap().contains("Q8_1"));
        assert!([14, 16, 29].iter().all(|it| unreadable(&Dtype::of_ggml(*it)).is_none()));
    }
}
