//! The rules of the format, each as the error that a file gets which breaks it.

use crate::bytes::{grouped, limits, shown};
use crate::checkpoint::Refusal;
use crate::checkpoint::placement::Misplaced;

/// A broken rule. Offsets are bytes from the start of the data, as in the header.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the length of its header is 0")]
    EmptyHeader,
    #[error("its header claims {} bytes, and the limit is {}", grouped(*claimed), grouped(limits::HEADER))]
    HeaderTooLong { claimed: u64 },
    #[error("its header claims {} bytes, and only {} follow", grouped(*claimed), grouped(*left))]
    HeaderBeyondFile { claimed: u64, left: u64 },
    #[error("its header is not text in UTF-8 (byte {} of the header)", grouped(*at as u64))]
    NotText { at: usize },
    #[error("its header is not valid JSON{}: {why}", at_tensor(tensor.as_deref()))]
    NotJson { tensor: Option<String>, why: String },
    #[error("its header is not a JSON object; it begins with {}", shown(found))]
    NotAnObject { found: String },
    #[error("`__metadata__`: {why}")]
    MetadataLimit { why: String },
    #[error("`__metadata__` stands in the header twice")]
    MetadataTwice,
    #[error("its header names more than {} tensors", grouped(limits::TENSORS as u64))]
    TooManyTensors,
    #[error("a tensor has the empty name")]
    NoName,
    #[error(
        "the name of tensor {} is longer than the limit of {} bytes",
        shown(tensor), grouped(limits::TENSOR_NAME as u64)
    )]
    NameTooLong { tensor: String },
    #[error("tensor {} stands in the header twice", shown(tensor))]
    TensorTwice { tensor: String },
    #[error("tensor {} is described by {found}, expected an object", shown(tensor))]
    NoDescription { tensor: String, found: String },
    #[error("the description of tensor {}: {why}", shown(tensor))]
    DescriptionLimit { tensor: String, why: String },
    #[error("tensor {} has the field {} twice", shown(tensor), shown(field))]
    FieldTwice { tensor: String, field: String },
    #[error("tensor {} has no `{field}`", shown(tensor))]
    FieldMissing { tensor: String, field: &'static str },
    #[error("tensor {}: `{field}` is {found}, expected {expected}", shown(tensor))]
    FieldWrong { tensor: String, field: &'static str, found: String, expected: &'static str },
    #[error("tensor {} has {rank} dimensions, and the limit is {}", shown(tensor), limits::RANK)]
    RankTooHigh { tensor: String, rank: usize },
    #[error(
        "tensor {} ends at byte {} of the data, before it begins at byte {}",
        shown(tensor), grouped(*end), grouped(*begin)
    )]
    Reversed { tensor: String, begin: u64, end: u64 },
    #[error("tensor {} has the shape {shape:?}, whose size does not fit into 64 bits", shown(tensor))]
    Overflow { tensor: String, shape: Vec<u64> },
    #[error(
        "tensor {} has {} elements of {dtype}, which is {} bits and no whole number of bytes",
        shown(tensor), grouped(*elements), grouped(*bits)
    )]
    PartOfAByte { tensor: String, dtype: String, elements: u64, bits: u64 },
    #[error(
        "tensor {} has {} bytes of data, expected {} for {dtype} {shape:?}",
        shown(tensor), grouped(*found), grouped(*expected)
    )]
    WrongSize { tensor: String, dtype: String, shape: Vec<u64>, found: u64, expected: u64 },
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    #[error(
        "its tensors end at byte {} of the data, and the file has {}: {} bytes belong to no tensor",
        grouped(*end), grouped(*length), grouped(length.saturating_sub(*end))
    )]
    Trailing { end: u64, length: u64 },
}

const CUT: &str = "the download may have been cut off; compare its size with the publisher's";
const HIDDEN: &str = "bytes that no tensor owns can hide another file; ask how this one was made";
const NOT_SAFETENSORS: &str = "the file is damaged, or is no safetensors file whatever its name says";
const HOSTILE: &str = "no released model needs this; do not load the file, and ask how it was made";
const REWRITE: &str = "the usual library writes no such file; ask how it was made, or for one that was written anew";

impl Problem {
    fn hint(&self) -> &'static str {
        match self {
            Self::HeaderBeyondFile { .. } => CUT,
            Self::EmptyHeader | Self::NotText { .. } | Self::NotJson { .. } | Self::NotAnObject { .. } => {
                NOT_SAFETENSORS
            }
            Self::HeaderTooLong { .. }
            | Self::MetadataLimit { .. }
            | Self::TooManyTensors
            | Self::NameTooLong { .. }
            | Self::DescriptionLimit { .. }
            | Self::RankTooHigh { .. }
            | Self::Overflow { .. } => HOSTILE,
            Self::Trailing { .. } => HIDDEN,
            Self::TensorTwice { .. } | Self::MetadataTwice | Self::FieldTwice { .. } => {
                "programs disagree on which of the two counts; ask for a file that was written anew"
            }
            Self::Misplaced(it) => it.hint(),
            Self::NoName
            | Self::NoDescription { .. }
            | Self::FieldMissing { .. }
            | Self::FieldWrong { .. }
            | Self::Reversed { .. }
            | Self::PartOfAByte { .. }
            | Self::WrongSize { .. } => REWRITE,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Broken { message: problem.to_string(), hint: Some(problem.hint().to_owned()) }
    }
}

fn at_tensor(tensor: Option<&str>) -> String {
    tensor.map(|tensor| format!(" at tensor {}", shown(tensor))).unwrap_or_default()
}
