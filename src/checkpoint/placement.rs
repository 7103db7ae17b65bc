//! Whether the data of tensors lies in a file as it must: one piece beside the other, none of it beyond the end.
//!
//! Every format asks here. What a rule is worth differs between them: safetensors allows no gap at all, GGUF one up to
//! its alignment, an archive any.

use std::ops::Range;

use crate::bytes::{grouped, shown};
use crate::checkpoint::Refusal;

/// What owns some data, and where that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) name: &'a str,
    pub(crate) data: Range<u64>,
}

/// Where pieces must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    /// Bytes that there are.
    pub(crate) length: u64,
    /// Each piece begins at the next multiple of this behind the one before it.
    pub(crate) alignment: u64,
}

/// A piece where it must not be. Offsets are bytes from the start of the data.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misplaced {
    #[error(
        "tensor {} begins at byte {} of the data, inside tensor {}, which ends at byte {}",
        shown(tensor), grouped(*begin), shown(other), grouped(*end)
    )]
    Overlap { tensor: String, begin: u64, other: String, end: u64 },
    #[error(
        "tensor {} begins at byte {} of the data, and what is before it ends at byte {}: {} bytes belong to no tensor",
        shown(tensor), grouped(*begin), grouped(*end), grouped(begin.saturating_sub(*end))
    )]
    Gap { tensor: String, begin: u64, end: u64 },
    #[error(
        "tensor {} ends at byte {} of the data, and the file has {}",
        shown(tensor), grouped(*end), grouped(*length)
    )]
    BeyondFile { tensor: String, end: u64, length: u64 },
}

impl Misplaced {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Overlap { .. } => "tensors that share data must be stored once; ask for a file that was written anew",
            Self::Gap { .. } => "bytes that no tensor owns can hide another file; ask how this one was made",
            Self::BeyondFile { .. } => "the download may have been cut off; compare its size with the publisher's",
        }
    }
}

impl From<Misplaced> for Refusal {
    fn from(misplaced: Misplaced) -> Self {
        Self::Broken { message: misplaced.to_string(), hint: Some(misplaced.hint().to_owned()) }
    }
}

/// Whether pieces, in the order of their places, follow each other without overlap and gap; gives where the last one
/// ends.
pub(crate) fn follow<'a>(pieces: impl IntoIterator<Item = Piece<'a>>, space: Space) -> Result<u64, Misplaced> {
    let (mut end, mut before) = (0, "");
    for Piece { name, data } in pieces {
        let tensor = || name.to_owned();
        if data.start < end {
            return Err(Misplaced::Overlap { tensor: tensor(), begin: data.start, other: before.to_owned(), end });
        }
        if data.start > aligned(end, space.alignment) {
            return Err(Misplaced::Gap { tensor: tensor(), begin: data.start, end });
        }
        if data.end > space.length {
            return Err(Misplaced::BeyondFile { tensor: tensor(), end: data.end, length: space.length });
        }
        (end, before) = (data.end, name);
    }
    Ok(end)
}

/// The first two pieces that share some of their data, in the order of their places; an empty one shares nothing.
pub(crate) fn first_overlap<'a>(pieces: impl IntoIterator<Item = Piece<'a>>) -> Option<(Piece<'a>, Piece<'a>)> {
    let mut pieces: Vec<Piece<'a>> = pieces.into_iter().filter(|it| it.data.start < it.data.end).collect();
    pieces.sort_by(|one, other| {
        (one.data.start, one.data.end, one.name).cmp(&(other.data.start, other.data.end, other.name))
    });
    let at = pieces.iter().zip(pieces.iter().skip(1)).position(|(one, next)| next.data.start < one.data.end)?;
    let mut found = pieces.into_iter().skip(at);
    Some((found.next()?, found.next()?))
}

/// Where so many bytes from a start end; none where that is beyond `length`.
pub(crate) fn end(start: u64, bytes: u64, length: u64) -> Option<u64> {
    start.checked_add(bytes).filter(|end| *end <= length)
}

/// The next multiple of an alignment.
pub(crate) fn aligned(at: u64, alignment: u64) -> u64 {
    at.checked_next_multiple_of(alignment).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, data: Range<u64>) -> Piece<'_> {
        Piece { name, data }
    }

    #[track_caller]
    fn check(pieces: &[(&str, Range<u64>)], alignment: u64, expected: Result<u64, &str>) {
        let pieces = pieces.iter().map(|(name, data)| piece(name, data.clone()));
        let found = follow(pieces, Space { length: 100, alignment }).map_err(|it| it.to_string());
        assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected);
    }

    #[test]
    fn pieces_follow_each_other_to_the_end() {
        check(&[], 1, Ok(0));
        check(&[("a", 0..8), ("b", 8..8), ("c", 8..100)], 1, Ok(100));
        check(&[("a", 0..8), ("b", 32..40)], 32, Ok(40));
    }

    #[test]
    fn overlap_gap_and_end_are_told_apart() {
        check(
            &[("a", 0..8), ("b", 7..9)],
            1,
            Err("tensor `b` begins at byte 7 of the data, inside tensor `a`, which ends at byte 8"),
        );
        check(
            &[("a", 0..8), ("b", 9..10)],
            1,
            Err(
                "tensor `b` begins at byte 9 of the data, and what is before it ends at byte 8: 1 bytes belong to no tensor",
            ),
        );
        check(
            &[("a", 0..8), ("b", 64..72)],
            32,
            Err(
                "tensor `b` begins at byte 64 of the data, and what is before it ends at byte 8: 56 bytes belong to no tensor",
            ),
        );
        check(&[("a", 0..101)], 1, Err("tensor `a` ends at byte 101 of the data, and the file has 100"));
    }

    #[test]
    fn pieces_in_any_order_and_with_gaps_overlap_or_do_not() {
        let names = |pieces: Vec<Piece<'static>>| first_overlap(pieces).map(|(one, next)| (one.name, next.name));
        assert_eq!(names(vec![piece("b", 50..60), piece("a", 0..50), piece("e", 20..20)]), None);
        assert_eq!(names(vec![piece("c", 90..95), piece("b", 10..12), piece("a", 0..11)]), Some(("a", "b")));
        assert_eq!(names(vec![piece("wide", 0..100), piece("x", 10..11), piece("y", 20..21)]), Some(("wide", "x")));
        assert_eq!((end(8, 2, 10), end(8, 3, 10), end(u64::MAX, 1, u64::MAX)), (Some(10), None, None));
    }
}
