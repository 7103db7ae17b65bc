//! The rules of the format, each as the error that a file gets which breaks it.

use crate::bytes::{grouped, limits, shown};
use crate::checkpoint::Refusal;

/// A broken rule. Offsets into a pickle are bytes from its first one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("its zip archive: {why}")]
    Archive { why: String },
    #[error("its entry {}: {why}", shown(entry))]
    Entry { entry: String, why: String },
    #[error("its entry {} {why}", shown(entry))]
    Hostile { entry: String, why: String },
    #[error("its pickle ends in the middle of `{opcode}` (byte {})", grouped(*at))]
    Truncated { at: u64, opcode: &'static str },
    #[error("its pickle at byte {}, `{opcode}`: found {found}, expected {expected}", grouped(*at))]
    Pickle { at: u64, opcode: &'static str, found: String, expected: String },
    #[error("its pickle at byte {}: the opcode 0x{opcode:02x} is none of protocols 2 to 5", grouped(*at))]
    UnknownOpcode { at: u64, opcode: u8 },
    #[error("its pickle at byte {}: more than {} {what}", grouped(*at), grouped(*limit as u64))]
    Limit { at: u64, what: &'static str, limit: usize },
    #[error("tensor {} {why}", shown(tensor))]
    Tensor { tensor: String, why: String },
    #[error("what it describes is nested more than {} levels deep, or refers to itself", limits::PICKLE_DEPTH)]
    Depth,
    #[error(
        "what it describes unfolds to more than {} values, as it names some again and again",
        grouped(limits::PICKLE_VALUES as u64)
    )]
    Repetition,
    #[error("it describes more than {} tensors", grouped(limits::TENSORS as u64))]
    TooManyTensors,
    #[error("its storages: {why}")]
    Storages { why: String },
    #[error("its storages: {why}")]
    Cut { why: String },
    #[error("{problem}; loading it would use {paths} before it comes to that, and none of it was run")]
    AfterCalls { problem: Box<Self>, paths: String },
}

const CUT: &str = "the download may have been cut off; compare its size with the publisher's";
const HOSTILE: &str = "no released model needs this; do not load the file, and ask how it was made";
const REWRITE: &str = "`torch.save` writes no such file; ask how it was made, or for safetensors";

impl Problem {
    /// Whether more bytes might mend it.
    pub(crate) fn is_truncated(&self) -> bool {
        match self {
            Self::Truncated { .. } => true,
            Self::AfterCalls { problem, .. } => problem.is_truncated(),
            _ => false,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Truncated { .. } | Self::Cut { .. } => CUT,
            Self::Hostile { .. }
            | Self::AfterCalls { .. }
            | Self::UnknownOpcode { .. }
            | Self::Limit { .. }
            | Self::Depth
            | Self::Repetition
            | Self::TooManyTensors => HOSTILE,
            Self::Archive { .. }
            | Self::Entry { .. }
            | Self::Pickle { .. }
            | Self::Tensor { .. }
            | Self::Storages { .. } => REWRITE,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Broken { message: problem.to_string(), hint: Some(problem.hint().to_owned()) }
    }
}
