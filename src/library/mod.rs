//! A library of known models' weights: what is kept of each, made from a list, and carried from one desk to another as
//! one file.
//!
//! A folder with one fingerprint a model and `library.json`, which says of every model of the list whether it is kept,
//! gated or failed, under what license and from which commit. Work that was broken off goes on where it stood: what is
//! kept and whole is not made again, and the same list, salt and commits give the same bytes.

mod archive;
mod build;
mod list;
mod manifest;
mod signature;

pub use archive::{Contents, Header, export, import, read_header};
pub use build::{Built, build_one, is_kept, license_of};
pub use list::{Wish, from_catalog, from_text};
pub use manifest::{Entry, MANIFEST, Manifest, State};
pub use signature::{PrivateKey, PublicKey, Signature};

use std::path::PathBuf;

use crate::bytes;
use crate::lineage;

/// Why a library cannot be made, read or taken in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    Bytes(#[from] bytes::Error),
    /// A model cannot be described or read.
    #[error(transparent)]
    Model(#[from] lineage::Error),
    /// A line of a list names no model.
    #[error("{}, line {line}: {reason}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A library's own file is not what it should be.
    #[error("{name}: {reason}")]
    Archive {
        /// The file.
        name: String,
        /// What is wrong: found and expected.
        reason: String,
    },
    /// A key cannot be used.
    #[error("{name}: {reason}")]
    Key {
        /// The file, or what was given.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// What the reader can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bytes(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::List { .. } => {
                let hint = "write one model a line, as `hf:ORG/NAME`, `ms:ORG/NAME` or a path; `#` begins a remark";
                Some(hint.into())
            }
            Self::Archive { .. } => {
                Some("ask whoever sent it for the file again, with its digest; nothing was taken from this one".into())
            }
            Self::Key { .. } => Some(
                "a private key is a PKCS#8 file as `openssl genpkey -algorithm ed25519 -outform DER` writes it; a \
                 public key is 64 hexadecimal digits"
                    .into(),
            ),
        }
    }
}
