//! The rules of the format, each as the error that a file gets which breaks it.

use crate::bytes::{grouped, limits, shown};
use crate::checkpoint::Refusal;
use crate::checkpoint::placement::Misplaced;

/// A broken rule. Offsets of tensors are bytes from the start of the data, as in the header; `item` is a key or a
/// tensor with its kind, as it is printed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is GGUF version {found}, and versions 2 and 3 are read")]
    Version { found: u32 },
    #[error("it is a GGUF file with the bytes of its numbers reversed (big-endian)")]
    BigEndian,
    #[error(
        "its header ends in {item}: {} bytes expected at byte {}, and the file has {} more",
        grouped(*wanted), grouped(*at), grouped(*left)
    )]
    Cut { item: String, at: u64, wanted: u64, left: u64 },
    #[error("its header is longer than the limit of {} bytes; that is reached in {item}", grouped(limits::GGUF_HEADER))]
    HeaderTooLong { item: String },
    #[error("its header claims {} {what}, and the limit is {}", grouped(*found), grouped(*limit))]
    TooMany { what: &'static str, found: u64, limit: u64 },
    #[error(
        "its header claims {} {what}, for which the {} bytes of the file cannot be enough",
        grouped(*found), grouped(*length)
    )]
    MoreThanFits { what: &'static str, found: u64, length: u64 },
    #[error("{item}: a text claims {} bytes, and the limit is {}", grouped(*length), grouped(*limit))]
    TextTooLong { item: String, length: u64, limit: u64 },
    #[error("{item}: the text is not UTF-8")]
    NotText { item: String },
    #[error("{item}: the type of its value is number {found}, expected 0 to 12")]
    ValueType { item: String, found: u32 },
    #[error("{item}: a value of yes or no is {found}, expected 0 or 1")]
    NotABool { item: String, found: u8 },
    #[error("{item}: an array claims {} elements, and the limit is {}", grouped(*length), grouped(limits::GGUF_ARRAY))]
    ArrayTooLong { item: String, length: u64 },
    #[error("{item}: an array claims {} elements, and the limit is {}", grouped(*length), grouped(*limit))]
    ListTooLong { item: String, length: u64, limit: u64 },
    #[error("{item}: the type of its value is number {found}, expected 9 for an array")]
    NotAnArray { item: String, found: u32 },
    #[error("{item}: the type of its elements is number {found}, expected {expected}")]
    ElementType { item: String, found: u32, expected: &'static str },
    #[error("{item}: arrays are nested more than {} deep", limits::GGUF_DEPTH)]
    TooDeep { item: String },
    #[error("key {} stands in the header twice", shown(key))]
    KeyTwice { key: String },
    #[error("{item} has the empty name")]
    NoName { item: String },
    #[error("key {} is {found}, expected {expected}", shown(key))]
    KeyWrong { key: &'static str, found: String, expected: String },
    #[error("tensor {} stands in the header twice", shown(tensor))]
    TensorTwice { tensor: String },
    #[error("tensor {} has {} dimensions, and the limit is {}", shown(tensor), grouped(*rank), limits::RANK)]
    RankTooHigh { tensor: String, rank: u64 },
    #[error("tensor {} has the shape {shape:?}, whose size does not fit into 64 bits", shown(tensor))]
    Overflow { tensor: String, shape: Vec<u64> },
    #[error("tensor {} has rows of {} numbers, and {dtype} stores {numbers} at once", shown(tensor), grouped(*row))]
    PartOfABlock { tensor: String, dtype: String, row: u64, numbers: u64 },
    #[error(
        "tensor {} begins at byte {} of the data, which is no multiple of the alignment of {alignment}",
        shown(tensor), grouped(*begin)
    )]
    Unaligned { tensor: String, begin: u64, alignment: u64 },
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
}

const CUT: &str = "the download may have been cut off; compare its size with the publisher's";
const HOSTILE: &str = "no released model needs this; do not load the file, and ask how it was made";
const REWRITE: &str = "the usual writers make no such file; ask how it was made, or for one that was written anew";

impl Problem {
    fn hint(&self) -> &'static str {
        match self {
            Self::Version { found: 1 } => {
                "version 1 was in use for some weeks of 2023; convert it with today's llama.cpp"
            }
            Self::Version { .. } => "the file is damaged, or newer than this program; ask for version 3",
            Self::BigEndian => "ask for the little-endian file, which is the one for usual machines",
            Self::Cut { .. } | Self::MoreThanFits { .. } => CUT,
            Self::HeaderTooLong { .. }
            | Self::TooMany { .. }
            | Self::TextTooLong { .. }
            | Self::ArrayTooLong { .. }
            | Self::ListTooLong { .. }
            | Self::TooDeep { .. }
            | Self::RankTooHigh { .. }
            | Self::Overflow { .. } => HOSTILE,
            Self::KeyTwice { .. } | Self::TensorTwice { .. } => {
                "programs disagree on which of the two counts; ask for a file that was written anew"
            }
            Self::Misplaced(it) => it.hint(),
            Self::NotText { .. }
            | Self::ValueType { .. }
            | Self::NotAnArray { .. }
            | Self::ElementType { .. }
            | Self::NotABool { .. }
            | Self::NoName { .. }
            | Self::KeyWrong { .. }
            | Self::PartOfABlock { .. }
            | Self::Unaligned { .. } => REWRITE,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Broken { message: problem.to_string(), hint: Some(problem.hint().to_owned()) }
    }
}
