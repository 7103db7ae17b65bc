//! Why a checkpoint cannot be described.

use std::path::{Path, PathBuf};

use crate::bytes::{self, grouped, shown};
use crate::checkpoint::Refusal;

/// Why a checkpoint cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read at all.
    #[error(transparent)]
    Bytes(#[from] bytes::Error),
    /// A file breaks a rule of its format.
    #[error("{}: {message}", path_of(file))]
    Broken {
        /// The file.
        file: PathBuf,
        /// Which rule, where, found and expected.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A file is not a weights file of a format that is read.
    #[error("{} is {what}", path_of(file))]
    WrongKind {
        /// The file.
        file: PathBuf,
        /// What it is, with its article.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A folder without any weights file.
    #[error("{} has no weights: {found}", path_of(folder))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// What there is instead.
        found: String,
        /// What to do.
        hint: String,
    },
    /// Files that the index or the numbering names are not there.
    #[error("{} lacks {} of {} weights files that {by} names: {}", path_of(folder), missing.len(), of, list(missing))]
    MissingFiles {
        /// The folder.
        folder: PathBuf,
        /// Their names.
        missing: Vec<String>,
        /// How many there should be.
        of: usize,
        /// What names them.
        by: String,
    },
    /// One name in two files.
    #[error("{}: tensor {} is in two files, {} and {}", path_of(folder), shown(tensor), shown(first), shown(second))]
    TwoHolders {
        /// The folder.
        folder: PathBuf,
        /// The tensor.
        tensor: String,
        /// The file that comes first by name.
        first: String,
        /// The other one.
        second: String,
    },
    /// A model that was cut up for several devices.
    #[error(
        "{} holds the shares of several devices: {} and {} have shares of the same tensors",
        path_of(folder),
        shown(first),
        shown(second)
    )]
    Ranks {
        /// The folder.
        folder: PathBuf,
        /// The file that comes first by name.
        first: String,
        /// Another one.
        second: String,
        /// What puts them together.
        hint: String,
    },
    /// A tensor whose numbers cannot be had.
    #[error("{}: tensor {} cannot be read: {why}", path_of(path), shown(tensor))]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// One clause.
        why: String,
    },
    /// More of something than the limit.
    #[error("{} has more than {} {what}", path_of(path), grouped(*limit as u64))]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bytes(error) => error.hint(),
            Self::Broken { hint, .. } => hint.clone(),
            Self::WrongKind { hint, .. } | Self::NoWeights { hint, .. } | Self::Ranks { hint, .. } => {
                Some(hint.clone())
            }
            Self::MissingFiles { .. } => {
                Some("download them into the folder; a model is described only when all of it is there".into())
            }
            Self::TwoHolders { folder, first, .. } => Some(format!(
                "a folder may hold two sets of weights; keep one, or name a single file, such as {}",
                shown(folder.join(first).to_string_lossy())
            )),
            Self::Unreadable { .. } => None,
            Self::TooMany { .. } => Some("name the folder of one model".into()),
        }
    }

    /// A refusal, with the file it is about.
    pub(crate) fn of(file: &Path, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Bytes(error) => Self::Bytes(error),
            Refusal::Broken { message, hint } => Self::Broken { file: file.to_owned(), message, hint },
        }
    }
}

/// Some names, and how many more.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut out = names.iter().take(SHOWN).map(shown).collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        out.push_str(&format!(" and {} more", grouped(more as u64)));
    }
    out
}

fn path_of(path: &Path) -> String {
    shown(path.to_string_lossy())
}
