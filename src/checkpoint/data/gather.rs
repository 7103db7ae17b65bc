//! Reads the elements of a view in the order of its shape, in few reads where they lie close together.

use std::ops::Range;

use crate::checkpoint::Error;
use crate::checkpoint::view::{Step, View};

/// The longest stretch of stored elements that is read at once.
const STRETCH: u64 = 1 << 20;
/// A stretch that is read at once however few of its elements are wanted.
const SHORT: u64 = 2_048;
/// How many elements may be read for one that is wanted.
const WASTE: u64 = 4;

/// One dimension of a piece of a view: how many, how far apart stored, and how far apart wanted.
#[derive(Clone, Copy)]
struct Part {
    size: u64,
    stride: u64,
    place: u64,
}

/// The elements `range` of a view, counted in the order of its shape; `fetch` reads stored ones. None where the range
/// is not inside the view, or a number does not fit.
pub(super) fn gather<T: Copy>(
    view: &View,
    range: Range<u64>,
    to: &mut [T],
    fetch: &dyn Fn(Range<u64>) -> Result<Vec<T>, Error>,
) -> Option<Result<(), Error>> {
    let mut boxes = Vec::new();
    if range.start < range.end {
        boxes_of(&view.steps, range, 0, &mut boxes)?;
    }
    let mut rest = to;
    for (base, steps) in boxes {
        let parts = parts(&steps)?;
        let count = parts.iter().try_fold(1_u64, |product, it| product.checked_mul(it.size))?;
        let (here, behind) = std::mem::take(&mut rest).split_at_mut_checked(usize::try_from(count).ok()?)?;
        rest = behind;
        if let Err(error) = read(base, &parts, here, fetch)? {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}

/// Cuts a range into boxes: a piece of a row, whole rows, a piece of a row, and so in each dimension.
fn boxes_of(steps: &[Step], range: Range<u64>, base: u64, boxes: &mut Vec<(u64, Vec<Step>)>) -> Option<()> {
    let Some((step, inner)) = steps.split_first() else {
        boxes.push((base, Vec::new()));
        return Some(());
    };
    let row = inner.iter().try_fold(1_u64, |product, it| product.checked_mul(it.size))?;
    let at = |index: u64| base.checked_add(index.checked_mul(step.stride)?);
    let mut start = range.start;
    while start < range.end {
        let (index, before) = (start.checked_div(row)?, start.checked_rem(row)?);
        let whole = range.end.checked_sub(start)?.checked_div(row)?;
        if before == 0 && whole > 0 {
            let rows = Step { size: whole, stride: step.stride };
            boxes.push((at(index)?, [&[rows], inner].concat()));
            start = start.checked_add(whole.checked_mul(row)?)?;
        } else {
            let row_start = index.checked_mul(row)?;
            let end = range.end.min(row_start.checked_add(row)?);
            boxes_of(inner, before..end.checked_sub(row_start)?, at(index)?, boxes)?;
            start = end;
        }
    }
    Some(())
}

/// The dimensions of a box with their places in the result, where they stand one behind the other.
fn parts(steps: &[Step]) -> Option<Vec<Part>> {
    let mut place = 1_u64;
    let mut parts = Vec::with_capacity(steps.len());
    for it in steps.iter().rev().filter(|it| it.size != 1) {
        parts.push(Part { size: it.size, stride: it.stride, place });
        place = place.checked_mul(it.size)?;
    }
    parts.reverse();
    Some(parts)
}

fn read<T: Copy>(
    base: u64,
    parts: &[Part],
    to: &mut [T],
    fetch: &dyn Fn(Range<u64>) -> Result<Vec<T>, Error>,
) -> Option<Result<(), Error>> {
    let distance = |it: &Part| it.size.saturating_sub(1).checked_mul(it.stride);
    let span = parts.iter().try_fold(1_u64, |span, it| span.checked_add(distance(it)?))?;
    let wanted = parts.iter().try_fold(1_u64, |product, it| product.checked_mul(it.size))?;
    if span <= SHORT || (span <= STRETCH && span / WASTE <= wanted) {
        let stored = match fetch(base..base.checked_add(span)?) {
            Ok(stored) => stored,
            Err(error) => return Some(Err(error)),
        };
        return scatter(parts, &stored, to).map(Ok);
    }
    // Too far apart for one read: halve the dimension that reaches farthest.
    let (at, farthest) = parts.iter().enumerate().max_by_key(|(_, it)| distance(it))?;
    let half = farthest.size / 2;
    let halves = [
        (base, half, 0),
        (base.checked_add(half.checked_mul(farthest.stride)?)?, farthest.size.checked_sub(half)?, half),
    ];
    for (base, size, before) in halves {
        let mut parts = parts.to_vec();
        parts.get_mut(at)?.size = size;
        let start = usize::try_from(before.checked_mul(farthest.place)?).ok()?;
        if let Err(error) = read(base, &parts, to.get_mut(start..)?, fetch)? {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}

/// Puts stored elements where they are wanted.
fn scatter<T: Copy>(parts: &[Part], stored: &[T], to: &mut [T]) -> Option<()> {
    let Some((part, inner)) = parts.split_first() else {
        *to.first_mut()? = *stored.first()?;
        return Some(());
    };
    let (size, stride, place) =
        (usize::try_from(part.size).ok()?, usize::try_from(part.stride).ok()?, usize::try_from(part.place).ok()?);
    if inner.is_empty() && stride == 1 && place == 1 {
        to.get_mut(..size)?.copy_from_slice(stored.get(..size)?);
        return Some(());
    }
    for index in 0..size {
        let from = stored.get(index.checked_mul(stride)?..)?;
        scatter(inner, from, to.get_mut(index.checked_mul(place)?..)?)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every range of a view of the numbers 0, 1, 2, …, against the elements that its strides say.
    #[track_caller]
    fn check(shape: &[u64], strides: &[u64]) {
        let view = View::strided(shape, strides);
        let total: u64 = shape.iter().product();
        let expected: Vec<u64> = (0..total)
            .map(|mut index| {
                let mut at = 0;
                for (size, stride) in shape.iter().zip(strides).rev() {
                    at += index % size * stride;
                    index /= size;
                }
                at
            })
            .collect();
        for start in 0..=total {
            for end in start..=total {
                let mut found = vec![0; (end - start) as usize];
                gather(&view, start..end, &mut found, &|range| Ok(range.collect())).unwrap().unwrap();
                assert_eq!(found, expected[start as usize..end as usize], "{start}..{end}");
            }
        }
    }

    #[test]
    fn any_range_of_any_view_is_read_in_the_order_of_its_shape() {
        check(&[3, 4], &[4, 1]);
        check(&[3, 4], &[1, 3]);
        check(&[2, 3, 2], &[1, 2, 6]);
        check(&[2, 2, 3], &[20, 3, 1]);
        check(&[2, 3], &[0, 5]);
        check(&[4], &[3]);
        check(&[], &[]);
        check(&[2, 3], &[100_000, 30_000]);
        check(&[2, 2, 2, 3], &[12, 3, 6, 1]);
    }

    #[test]
    fn elements_that_are_far_apart_are_read_one_by_one() {
        let read = std::cell::RefCell::new(Vec::new());
        let mut found = [0; 3];
        let fetch = |range: Range<u64>| {
            read.borrow_mut().push(range.clone());
            Ok(range.collect())
        };
        gather(&View::strided(&[3, 2], &[1 << 30, 1]), 1..4, &mut found, &fetch).unwrap().unwrap();
        assert_eq!(found, [1, 1 << 30, (1 << 30) + 1]);
        assert!(read.borrow().iter().all(|it| it.end - it.start <= SHORT), "{read:?}");
    }
}
