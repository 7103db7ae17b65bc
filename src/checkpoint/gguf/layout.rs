//! Whether the tensors of a header fit together and into the file: aligned, no overlap, no gap beyond the alignment.

use crate::checkpoint::gguf::header::WrittenTensor;
use crate::checkpoint::gguf::problem::Problem;
use crate::checkpoint::placement::{self, Piece, Space, aligned};
use crate::checkpoint::{Dtype, Tensor};

/// Where the data is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data {
    /// From the start of the file.
    pub(crate) start: u64,
    pub(crate) length: u64,
    /// A power of two.
    pub(crate) alignment: u64,
}

/// The tensors, and how many bytes stand behind the last one, its padding apart.
pub(crate) fn check(mut written: Vec<WrittenTensor>, data: Data) -> Result<(Vec<Tensor>, u64), Problem> {
    no_name_twice(&mut written)?;
    let sizes = written.iter().map(size).collect::<Result<Vec<_>, _>>()?;
    let mut placed: Vec<(WrittenTensor, Option<u64>)> = written.into_iter().zip(sizes).collect();
    placed.sort_by(|(one, size), (other, other_size)| (one.begin, size).cmp(&(other.begin, other_size)));
    let next: Vec<u64> = placed.iter().skip(1).map(|(it, _)| it.begin).chain([data.length]).collect();
    let mut ends = Vec::with_capacity(placed.len());
    for ((it, size), next) in placed.iter().zip(next) {
        aligned_begin(it, data.alignment)?;
        // The size of an unknown type is what there is up to the next tensor.
        ends.push(match size {
            // An end beyond 64 bits is beyond any file, too.
            Some(size) => it.begin.saturating_add(*size),
            None => next.max(it.begin),
        });
    }
    let pieces = placed.iter().zip(&ends).map(|((it, _), end)| Piece { name: &it.name, data: it.begin..*end });
    let end = placement::follow(pieces, Space { length: data.length, alignment: data.alignment })?;
    let tensors = placed.into_iter().zip(ends).map(|((it, _), end)| {
        let data = data.start.saturating_add(it.begin)..data.start.saturating_add(end);
        Tensor { name: it.name, dtype: it.dtype, shape: it.shape, file: 0, data, view: None }
    });
    Ok((tensors.collect(), data.length.saturating_sub(aligned(end, data.alignment))))
}

fn no_name_twice(written: &mut [WrittenTensor]) -> Result<(), Problem> {
    written.sort_by(|one, other| one.name.cmp(&other.name));
    let twice = written.iter().zip(written.iter().skip(1)).find(|(one, next)| one.name == next.name);
    twice.map_or(Ok(()), |(one, _)| Err(Problem::TensorTwice { tensor: one.name.clone() }))
}

/// Bytes of a tensor's data, where its type has a size. Blocks do not go beyond the end of a row.
fn size(it: &WrittenTensor) -> Result<Option<u64>, Problem> {
    let elements = it.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
    let elements = elements.ok_or_else(|| overflow(it))?;
    let row = it.shape.last().copied().unwrap_or(1);
    if let Dtype::Block(block) = &it.dtype
        && !row.is_multiple_of(block.numbers)
    {
        let (tensor, dtype) = (it.name.clone(), it.dtype.to_string());
        return Err(Problem::PartOfABlock { tensor, dtype, row, numbers: block.numbers });
    }
    if it.dtype.is_unknown() {
        return Ok(None);
    }
    it.dtype.bytes(elements).map(Some).ok_or_else(|| overflow(it))
}

fn aligned_begin(it: &WrittenTensor, alignment: u64) -> Result<(), Problem> {
    if it.begin.is_multiple_of(alignment) {
        return Ok(());
    }
    Err(Problem::Unaligned { tensor: it.name.clone(), begin: it.begin, alignment })
}

fn overflow(it: &WrittenTensor) -> Problem {
    Problem::Overflow { tensor: it.name.clone(), shape: it.shape.clone() }
}
