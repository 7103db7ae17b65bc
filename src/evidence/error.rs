//! Why evidence could not be collected, kept or read back.

use std::io;
use std::path::PathBuf;

use crate::bytes;
use crate::evidence::EVIDENCE_SCHEMA;
use crate::lineage;

/// Why evidence could not be collected, kept or read back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Bytes(#[from] bytes::Error),
    /// Models that cannot be described.
    #[error("{}", told(.0))]
    Models(Vec<ModelError>),
    /// The folder for results could not be made.
    #[error("could not make the folder `{}`: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing was collected yet.
    #[error("`{}` does not exist", path.display())]
    NotCollected {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Not JSON, or not the JSON of evidence.
    #[error("`{}` is no evidence of this program: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the reader stumbled over.
        reason: String,
    },
    /// JSON of something else, or of another version.
    #[error("`{}` has schema `{found}`, and this program reads `{EVIDENCE_SCHEMA}`", path.display())]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// The schema that it states.
        found: String,
    },
    /// It is not as the program wrote it.
    #[error("`{}` was changed after it was written: its digest does not fit its contents", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// The case's files are not those the evidence was collected from.
    #[error("`{}` is out of date: {} since it was collected", path.display(), what_changed(changed))]
    Stale {
        /// The file.
        path: PathBuf,
        /// Paths inside the case folder; empty where only the date is another.
        changed: Vec<String>,
    },
}

/// A model that a case names and that cannot be described.
#[derive(Debug, thiserror::Error)]
#[error("model `{location}`: {reason}")]
pub struct ModelError {
    /// As the case names it.
    pub location: String,
    /// Why.
    #[source]
    pub reason: lineage::Error,
}

fn told(models: &[ModelError]) -> String {
    models.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn what_changed(changed: &[String]) -> String {
    match changed {
        [] => "the date of the case changed".to_owned(),
        [only] => format!("`{only}` changed"),
        [first, rest @ ..] => format!("`{first}` and {} more changed", rest.len()),
    }
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bytes(error) => error.hint(),
            Self::Models(models) => models.iter().find_map(|it| it.reason.hint()),
            Self::Folder { .. } => Some("check that you may write into the case folder".to_owned()),
            Self::NotCollected { .. } => Some("collect it first: `unshell collect CASE`".to_owned()),
            Self::Unreadable { .. } | Self::OtherSchema { .. } | Self::Altered { .. } | Self::Stale { .. } => {
                Some("collect it again: `unshell collect CASE`".to_owned())
            }
        }
    }
}
