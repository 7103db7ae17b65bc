//! What can go wrong with a source, a location, or a file that is written.

use std::io;
use std::path::{Path, PathBuf};

use crate::bytes::{grouped, shown};

/// Why bytes could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is there.
    #[error("{} does not exist", shown_path(path))]
    Missing {
        /// As it was given.
        path: PathBuf,
    },
    /// A symbolic link whose target is not there.
    #[error("{} is a link to {}, which does not exist", shown_path(path), shown_path(target))]
    DanglingLink {
        /// As it was given.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// It is there, and is a folder, a pipe, a device or a socket.
    #[error("{} is {kind}, not a file", shown_path(path))]
    NotAFile {
        /// As it was given.
        path: PathBuf,
        /// `a folder`, `a named pipe`, ….
        kind: &'static str,
    },
    /// The operating system refused.
    #[error("could not {doing} {}: {}", shown_path(path), reason(source))]
    Io {
        /// `open`, `read`, `write`, ….
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The file lost its end between opening and reading.
    #[error(
        "{} became shorter while it was read: it had {} bytes when it was opened, and ended before byte {}",
        shown_path(path), grouped(*length), grouped(*end)
    )]
    Shrunk {
        /// The file.
        path: PathBuf,
        /// Its length when it was opened.
        length: u64,
        /// End of the range that could not be read.
        end: u64,
    },
    /// The file is another one than when its header was read.
    #[error(
        "{} changed while it was read: it had {} bytes, and now has {}",
        shown(name), grouped(*before), grouped(*now)
    )]
    Changed {
        /// The source.
        name: String,
        /// Its length when its header was read.
        before: u64,
        /// Its length when it was opened again.
        now: u64,
    },
    /// A folder with more entries than the limit.
    #[error("{} has more than {} entries", shown_path(path), grouped(*limit as u64))]
    TooManyEntries {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A range outside of the source was asked for.
    #[error(
        "bytes {} to {} of {} were asked for, but it has {}",
        grouped(*start), grouped(*end), shown(name), grouped(*length)
    )]
    Beyond {
        /// The source.
        name: String,
        /// First byte of the range.
        start: u64,
        /// First byte after the range.
        end: u64,
        /// Length of the source.
        length: u64,
    },
    /// Longer than the limit for its kind.
    #[error("{} is {} bytes long, and the limit is {}", shown(name), grouped(*length), grouped(*limit))]
    TooLong {
        /// The file, or the part of it.
        name: String,
        /// Its length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// There is not enough memory for a range.
    #[error("there is not enough memory to read {} bytes of {}", grouped(*length), shown(name))]
    OutOfMemory {
        /// The source.
        name: String,
        /// Bytes that were asked for.
        length: u64,
    },
    /// More than the run may read.
    #[error(
        "{name}: {} more bytes would pass the limit of {}; {} were read so far",
        grouped(*wanted), grouped(*limit), grouped(*read)
    )]
    OverBudget {
        /// What was to be read, as it is shown.
        name: String,
        /// How many bytes of it.
        wanted: u64,
        /// How many were read before.
        read: u64,
        /// How many may be read in all.
        limit: u64,
    },
    /// Something far away could not be read.
    #[error("{message}")]
    Remote {
        /// The address, what was found, what was expected.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The text does not name a model that this version can reach.
    #[error("{} {why}", shown(given))]
    Location {
        /// As it was given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
        /// What to write instead.
        hint: String,
    },
}

impl Error {
    /// An error of the operating system, with what was being done.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => match path.read_link() {
                Ok(target) => Self::DanglingLink { path, target },
                Err(_) => Self::Missing { path },
            },
            _ => Self::Io { doing, path, source },
        }
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { path } => Some(missing_hint(path)),
            Self::DanglingLink { .. } => {
                Some("copy what the link stands for; a cache that was moved or pruned leaves such links".into())
            }
            Self::NotAFile { kind: "a folder", .. } => Some("name a file inside it".into()),
            Self::NotAFile { .. } => Some("copy its contents to a file, and name that file".into()),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("check the permissions of the file and of the folders above it".into())
            }
            Self::TooManyEntries { .. } => Some("name the folder of one model".into()),
            Self::Shrunk { .. } | Self::Changed { .. } => {
                Some("wait until the download or copy has finished, and run again".into())
            }
            Self::Location { hint, .. } => Some(hint.clone()),
            Self::OverBudget { .. } => Some("raise `--max-bytes`, or leave it out to read without a limit".into()),
            Self::Remote { hint, .. } => hint.clone(),
            Self::TooLong { .. } => Some("no ordinary file of this kind is so long; look at what it is".into()),
            Self::Io { .. } | Self::Beyond { .. } | Self::OutOfMemory { .. } => None,
        }
    }
}

/// A path as an error shows it.
pub(crate) fn shown_path(path: &Path) -> String {
    shown(path.to_string_lossy())
}

/// `ORG/NAME` is how everybody writes a model; without `catalog:` it is a path, and not there.
fn missing_hint(path: &Path) -> String {
    let given = path.to_string_lossy();
    let mut parts = given.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(org), Some(name), None) if !org.is_empty() && !name.is_empty() && !org.starts_with('.') => {
            let (entry, hub) = (shown(format!("catalog:{given}")), shown(format!("hf:{given}")));
            format!("check the path; a catalogue entry is written {entry}, a model on Hugging Face {hub}")
        }
        _ => "check the path".into(),
    }
}

/// The system's reason, in lower case and without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_name_that_is_no_path_leads_to_the_catalogue() {
        let error = Error::Missing { path: "01-ai/Yi-34B".into() };
        assert_eq!(error.to_string(), "`01-ai/Yi-34B` does not exist");
        assert_eq!(
            error.hint().unwrap(),
            "check the path; a catalogue entry is written `catalog:01-ai/Yi-34B`, a model on Hugging Face `hf:01-ai/Yi-34B`"
        );
        let error = Error::Missing { path: "/models/yi/x".into() };
        assert_eq!(error.hint().unwrap(), "check the path");
    }

    #[test]
    fn the_system_speaks_in_our_tone() {
        let error = Error::io("open", Path::new("x"), io::Error::from_raw_os_error(13));
        assert_eq!(error.to_string(), "could not open `x`: permission denied");
    }
}
