//! Matrices whose elements are multiplied by scales that stand in a tensor beside them: one for all, one for each row,
//! or one for each block of rows and columns, as the FP8 files of DeepSeek have them; and MXFP4, whose scales are
//! powers of two.

use std::ops::Range;

use crate::checkpoint::data::small::{E8M0, e2m1_pairs};
use crate::checkpoint::data::store::Store;
use crate::checkpoint::{Error, Tensor};

/// A matrix and its scales.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaled {
    weight: usize,
    scale: usize,
    /// What is subtracted before, in the shape of the scales.
    zero: Option<usize>,
    /// What a scale is multiplied by; bitsandbytes stores the highest value instead of the scale.
    factor: f32,
    columns: u64,
    /// How many rows and columns share a scale, and how many scales a row of blocks has.
    block: [u64; 2],
    across: u64,
}

impl Scaled {
    /// The matrix `weight` with the scales `scale`, by their numbers; or why it cannot be decoded.
    pub(super) fn new(
        (weight, scale): (&Tensor, &Tensor),
        places: [usize; 2],
        zero: Option<(usize, &Tensor)>,
        stated_block: Option<[u64; 2]>,
        factor: f32,
    ) -> Result<Self, String> {
        let wrong = || {
            format!(
                "its scales {} have the shape {:?}, which does not fit to {:?}",
                scale.name, scale.shape, weight.shape
            )
        };
        if let Some((_, zero)) = zero.filter(|(_, zero)| zero.shape != scale.shape) {
            return Err(format!(
                "its zero points {} have the shape {:?}, and its scales {:?}",
                zero.name, zero.shape, scale.shape
            ));
        }
        let [rows, columns] = *weight.shape.as_array::<2>().ok_or_else(wrong)?;
        let (block, across) = match scale.shape.as_slice() {
            [] | [1] | [1, 1] => ([rows.max(1), columns.max(1)], 1),
            [one] | [one, 1] if *one == rows => ([1, columns.max(1)], 1),
            [down, across] => (block_of([rows, columns], [*down, *across], stated_block).ok_or_else(wrong)?, *across),
            _ => return Err(wrong()),
        };
        let [weight, scale] = places;
        let zero = zero.map(|it| it.0);
        Ok(Self { weight, scale, zero, factor, columns, block, across })
    }

    /// The elements of a range.
    pub(super) fn read(&self, store: &Store, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let mut numbers = store.floats(self.weight, range.clone())?;
        let name = &store.tensor(self.weight)?.name;
        let outside = || store.unreadable(name, "its scales do not fit to it");
        if numbers.is_empty() {
            return Ok(numbers);
        }
        let line = |at: u64| at.checked_div(self.columns)?.checked_div(self.block[0]);
        let first = line(range.start).ok_or_else(outside)?;
        let last = line(range.end.saturating_sub(1)).ok_or_else(outside)?.saturating_add(1);
        let beside = first.saturating_mul(self.across)..last.saturating_mul(self.across);
        let scales = store.floats(self.scale, beside.clone())?;
        let zeros = self.zero.map(|zero| store.floats(zero, beside)).transpose()?;
        let pairs: Vec<_> = match zeros {
            Some(zeros) => scales.into_iter().zip(zeros).collect(),
            None => scales.into_iter().map(|scale| (scale, 0.0)).collect(),
        };
        self.scale(range.start, &mut numbers, first, &pairs).ok_or_else(outside)?;
        Ok(numbers)
    }

    /// Takes the zero point off runs that share one, and multiplies them by their scale; `first` is the row of blocks
    /// that the scales begin with.
    fn scale(&self, start: u64, numbers: &mut [f32], first: u64, scales: &[(f32, f32)]) -> Option<()> {
        let (mut at, mut rest) = (start, numbers);
        while !rest.is_empty() {
            let (row, column) = (at.checked_div(self.columns)?, at.checked_rem(self.columns)?);
            let block = column.checked_div(self.block[1])?;
            let line = row.checked_div(self.block[0])?.checked_sub(first)?;
            let (scale, zero) =
                scales.get(usize::try_from(line.checked_mul(self.across)?.checked_add(block)?).ok()?)?;
            let end = block.checked_add(1)?.checked_mul(self.block[1])?.min(self.columns);
            let run = usize::try_from(end.checked_sub(column)?).ok()?.min(rest.len());
            let (here, behind) = std::mem::take(&mut rest).split_at_mut_checked(run)?;
            here.iter_mut().for_each(|it| *it = (*it - zero) * (scale * self.factor));
            (at, rest) = (at.checked_add(run as u64)?, behind);
        }
        Some(())
    }
}

/// The block that a configuration states, the usual one of 128, or one that divides the matrix; whichever fits.
fn block_of(matrix: [u64; 2], scales: [u64; 2], stated: Option<[u64; 2]>) -> Option<[u64; 2]> {
    let fits = |block: &[u64; 2]| {
        let counts = [0, 1].map(|it: usize| {
            let (size, block) = (matrix.get(it).copied()?, block.get(it).copied().filter(|it| *it > 0)?);
            Some(size.div_ceil(block))
        });
        counts == scales.map(Some)
    };
    let even = [matrix[0].checked_div(scales[0])?, matrix[1].checked_div(scales[1])?];
    let divides = [even[0].checked_mul(scales[0])?, even[1].checked_mul(scales[1])?] == matrix;
    stated.into_iter().chain([[128, 128]]).chain(divides.then_some(even)).find(fits)
}

/// Blocks of 32 numbers of four bits, and an exponent for each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PowerScaled {
    pub(super) blocks: usize,
    pub(super) scales: usize,
}

/// Numbers in a block, and the bytes they take.
const NUMBERS: u64 = 32;
const BYTES: u64 = 16;

impl PowerScaled {
    /// Why the two cannot be read together, if they cannot.
    pub(super) fn unreadable(blocks: &Tensor, scales: &Tensor) -> Option<String> {
        let bytes = [blocks, scales].iter().all(|it| it.dtype.to_string() == "U8" && it.view.is_none());
        let fits = blocks.shape.split_last().is_some_and(|(last, front)| *last == BYTES && front == scales.shape);
        let why = || format!("its blocks {:?} and scales {:?} do not fit together", blocks.shape, scales.shape);
        (!(bytes && fits)).then(why)
    }

    /// The elements of a range.
    pub(super) fn read(&self, store: &Store, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let (first, last) = (range.start / NUMBERS, range.end.div_ceil(NUMBERS));
        let blocks = store.bytes(self.blocks, first.saturating_mul(BYTES)..last.saturating_mul(BYTES))?;
        let scales = store.bytes(self.scales, first..last)?;
        let mut numbers = vec![0.0; blocks.len().saturating_mul(2)];
        e2m1_pairs(&blocks, &mut numbers);
        for (numbers, scale) in numbers.chunks_mut(32).zip(&*scales) {
            let scale = E8M0.get(usize::from(*scale)).copied().unwrap_or_default();
            numbers.iter_mut().for_each(|it| *it *= scale);
        }
        let cut = |at: u64| usize::try_from(at.saturating_sub(first.saturating_mul(NUMBERS))).unwrap_or(usize::MAX);
        numbers.truncate(cut(range.end));
        numbers.drain(..cut(range.start).min(numbers.len()));
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Dtype;

    fn tensor(name: &str, dtype: &str, shape: &[u64]) -> Tensor {
        let dtype = Dtype::named(dtype);
        Tensor { name: name.into(), dtype, shape: shape.to_vec(), file: 0, data: 0..0, view: None }
    }

    /// The block that shares a scale, or why weight and scales are refused.
    #[track_caller]
    fn check(
        weight: &[u64],
        scale: &[u64],
        zero: Option<&[u64]>,
        stated: Option<[u64; 2]>,
        expected: Result<[u64; 2], &str>,
    ) {
        let (weight, scale) = (tensor("w", "I8", weight), tensor("s", "F32", scale));
        let zero = zero.map(|it| tensor("z", "I8", it));
        let zero = zero.as_ref().map(|it| (2, it));
        let found = Scaled::new((&weight, &scale), [0, 1], zero, stated, 1.0).map(|it| it.block);
        assert_eq!(found.as_ref().map_err(String::as_str), expected.as_ref().map_err(|it| *it));
    }

    #[test]
    fn scales_go_with_one_block_of_the_matrix_or_are_refused() {
        check(&[4, 6], &[], None, None, Ok([4, 6]));
        check(&[4, 6], &[4], None, None, Ok([1, 6]));
        check(&[4, 6], &[4, 1], None, None, Ok([1, 6]));
        check(&[4, 6], &[1, 6], None, None, Ok([4, 1]));
        check(&[4, 6], &[2, 3], None, None, Ok([2, 2]));
        check(&[4, 6], &[2, 2], None, Some([3, 4]), Ok([3, 4]));
        check(&[4, 6], &[2, 2], None, Some([0, 0]), Ok([2, 3]));
        check(&[4, 6], &[3], None, None, Err("its scales s have the shape [3], which does not fit to [4, 6]"));
        check(&[4, 6], &[3, 5], None, None, Err("its scales s have the shape [3, 5], which does not fit to [4, 6]"));
        check(&[4, 6], &[0, 6], None, None, Err("its scales s have the shape [0, 6], which does not fit to [4, 6]"));
        check(&[24], &[], None, None, Err("its scales s have the shape [], which does not fit to [24]"));
        check(
            &[4, 6],
            &[1, 1, 4],
            None,
            None,
            Err("its scales s have the shape [1, 1, 4], which does not fit to [4, 6]"),
        );
    }

    #[test]
    fn zero_points_stand_where_the_scales_do() {
        check(&[4, 6], &[4, 1], Some(&[4, 1]), None, Ok([1, 6]));
        check(&[4, 6], &[4, 1], Some(&[4]), None, Err("its zero points z have the shape [4], and its scales [4, 1]"));
        check(&[4, 6], &[4, 1], Some(&[]), None, Err("its zero points z have the shape [], and its scales [4, 1]"));
    }

    #[test]
    fn blocks_of_four_bits_need_an_exponent_each() {
        let why = |blocks: (&str, &[u64]), scales: (&str, &[u64])| {
            PowerScaled::unreadable(&tensor("b", blocks.0, blocks.1), &tensor("s", scales.0, scales.1))
        };
        assert_eq!(why(("U8", &[2, 3, 16]), ("U8", &[2, 3])), None);
        for (blocks, scales) in [
            (("U8", &[2, 3, 16][..]), ("U8", &[2, 4][..])),
            (("U8", &[2, 3, 8]), ("U8", &[2, 3])),
            (("I8", &[2, 3, 16]), ("U8", &[2, 3])),
            (("U8", &[]), ("U8", &[])),
        ] {
            assert!(why(blocks, scales).unwrap().ends_with("do not fit together"), "{blocks:?} {scales:?}");
        }
    }
}
