//! Bytes of one element type, as `f32`.

use std::ops::Range;

use ::safetensors::Dtype as Known;

use crate::checkpoint::{Dtype, Tensor};

/// Why numbers of this type cannot be read, if they cannot.
pub(super) fn unreadable(dtype: &Dtype) -> Option<String> {
    decode(dtype, &[]).is_none().then(|| format!("its element type {dtype} cannot be decoded"))
}

/// Where a range of elements lies in the file.
pub(super) fn place(tensor: &Tensor, elements: &Range<u64>) -> Option<Range<u64>> {
    if elements.end > tensor.elements() || elements.start > elements.end {
        return None;
    }
    let start = tensor.data.start.checked_add(tensor.dtype.bytes(elements.start)?)?;
    let end = tensor.data.start.checked_add(tensor.dtype.bytes(elements.end)?)?;
    (end <= tensor.data.end).then_some(start..end)
}

/// The numbers; none where the type is not known.
pub(super) fn decode(dtype: &Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    match dtype {
        Dtype::Known(Known::F32) => Some(each(bytes, f32::from_le_bytes)),
        Dtype::Known(Known::BF16) => {
            Some(each(bytes, |it: [u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(it)) << 16)))
        }
        _ => None,
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|it| number(*it)).collect()
}
