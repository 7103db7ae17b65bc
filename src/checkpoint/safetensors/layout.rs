//! Whether the tensors of a header fit together and fill the file: no overlap, no gap, nothing behind the last one.

use crate::checkpoint::placement::{self, Piece, Space};
use crate::checkpoint::safetensors::header::WrittenTensor;
use crate::checkpoint::safetensors::problem::Problem;
use crate::checkpoint::{Dtype, Tensor};

/// Turns what is written into tensors, if every rule holds. The data begins at byte `start` of the file and has
/// `length` bytes.
pub(crate) fn check(mut written: Vec<WrittenTensor>, start: u64, length: u64) -> Result<Vec<Tensor>, Problem> {
    no_name_twice(&mut written)?;
    written.sort_by(|one, other| (one.begin, one.end, &one.name).cmp(&(other.begin, other.end, &other.name)));
    let dtypes = written.iter().map(size_fits).collect::<Result<Vec<_>, _>>()?;
    fill_the_file(&written, length)?;
    let tensors = written.into_iter().zip(dtypes).map(|(it, dtype)| Tensor {
        name: it.name,
        dtype,
        shape: it.shape,
        file: 0,
        data: start.saturating_add(it.begin)..start.saturating_add(it.end),
        view: None,
    });
    Ok(tensors.collect())
}

fn no_name_twice(written: &mut [WrittenTensor]) -> Result<(), Problem> {
    written.sort_by(|one, other| one.name.cmp(&other.name));
    let twice = written.iter().zip(written.iter().skip(1)).find(|(one, next)| one.name == next.name);
    twice.map_or(Ok(()), |(one, _)| Err(Problem::TensorTwice { tensor: one.name.clone() }))
}

/// The element type, once the data is as long as shape and type say. An unknown type may have any length.
fn size_fits(it: &WrittenTensor) -> Result<Dtype, Problem> {
    let tensor = || it.name.clone();
    let Some(found) = it.end.checked_sub(it.begin) else {
        return Err(Problem::Reversed { tensor: tensor(), begin: it.begin, end: it.end });
    };
    let dtype = Dtype::named(&it.dtype);
    let overflow = || Problem::Overflow { tensor: tensor(), shape: it.shape.clone() };
    let elements = it.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size)).ok_or_else(overflow)?;
    let Some(element_bits) = dtype.bits() else { return Ok(dtype) };
    let bits = elements.checked_mul(element_bits).ok_or_else(overflow)?;
    if !bits.is_multiple_of(8) {
        return Err(Problem::PartOfAByte { tensor: tensor(), dtype: dtype.to_string(), elements, bits });
    }
    let expected = bits / 8;
    if found != expected {
        let (dtype, shape) = (dtype.to_string(), it.shape.clone());
        return Err(Problem::WrongSize { tensor: tensor(), dtype, shape, found, expected });
    }
    Ok(dtype)
}

/// Sorted by offsets, each tensor begins where the one before it ended, and the last one ends with the file.
fn fill_the_file(written: &[WrittenTensor], length: u64) -> Result<(), Problem> {
    let pieces = written.iter().map(|it| Piece { name: &it.name, data: it.begin..it.end });
    let end = placement::follow(pieces, Space { length, alignment: 1 })?;
    if end < length { Err(Problem::Trailing { end, length }) } else { Ok(()) }
}
