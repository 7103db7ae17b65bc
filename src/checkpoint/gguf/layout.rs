//! Whether the tensors of a header fit together and into the file: aligned, no overlap, no gap beyond the alignment.

use crate::checkpoint::gguf::header::WrittenTensor;
use crate::checkpoint::gguf::problem::Problem;
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
    let mut tensors = Vec::with_capacity(placed.len());
    let (mut end, mut before) = (0_u64, String::new());
    for ((it, size), next) in placed.into_iter().zip(next) {
        follows(&it, end, &before, data.alignment)?;
        // The size of an unknown type is what there is up to the next tensor.
        end = match size {
            Some(size) => it.begin.checked_add(size).ok_or_else(|| overflow(&it))?,
            None => next.max(it.begin),
        };
        if end > data.length {
            return Err(Problem::BeyondFile { tensor: it.name, end, length: data.length });
        }
        before.clone_from(&it.name);
        let data = data.start.saturating_add(it.begin)..data.start.saturating_add(end);
        tensors.push(Tensor { name: it.name, dtype: it.dtype, shape: it.shape, file: 0, data, view: None });
    }
    Ok((tensors, data.length.saturating_sub(aligned(end, data.alignment))))
}

/// The next multiple of a power of two.
pub(crate) fn aligned(at: u64, alignment: u64) -> u64 {
    at.checked_next_multiple_of(alignment).unwrap_or(u64::MAX)
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

/// Each tensor begins where the one before it ended, at the next multiple of the alignment.
fn follows(it: &WrittenTensor, end: u64, before: &str, alignment: u64) -> Result<(), Problem> {
    let (tensor, begin) = (it.name.clone(), it.begin);
    if !begin.is_multiple_of(alignment) {
        return Err(Problem::Unaligned { tensor, begin, alignment });
    }
    if begin < end {
        return Err(Problem::Overlap { tensor, begin, other: before.to_owned(), end });
    }
    if begin > aligned(end, alignment) {
        return Err(Problem::Gap { tensor, begin, end });
    }
    Ok(())
}

fn overflow(it: &WrittenTensor) -> Problem {
    Problem::Overflow { tensor: it.name.clone(), shape: it.shape.clone() }
}
