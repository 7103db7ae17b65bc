//! What a library holds, model by model, beside the fingerprints themselves.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bytes::{self, limits};
use crate::library::Error;

/// The name of its file.
pub const MANIFEST: &str = "library.json";

/// The format's name and version.
const SCHEMA: &str = "unshell/library/1";

/// What a library holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `unshell/library/1`.
    pub schema: String,
    /// Says at which places units are kept.
    pub salt: String,
    /// Every model, by its location.
    pub models: BTreeMap<String, Entry>,
}

/// One model of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What became of it.
    pub state: State,
    /// Its fingerprint's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The commit that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The license that its card names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Why it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a model of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its fingerprint is here.
    Kept,
    /// The hub asks for terms to be accepted first, or for a token.
    Gated,
    /// It could not be read.
    Failed,
}

impl Manifest {
    /// One of an empty library. Where no salt is given, one is drawn: nobody can know which rows are kept and change
    /// those alone.
    pub fn new(salt: Option<String>) -> Self {
        let drawn = || {
            let of = || std::collections::hash_map::RandomState::new().build_hasher().finish();
            format!("{:016x}{:016x}", of(), of())
        };
        Self { schema: SCHEMA.to_owned(), salt: salt.unwrap_or_else(drawn), models: BTreeMap::new() }
    }

    /// That of a folder; `None` if there is none yet.
    ///
    /// # Errors
    /// A file that is no manifest, or of another version.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let wrong = |reason: String| Error::Archive { name: path.display().to_string(), reason };
        let bytes = bytes::read_whole(&path, limits::INDEX)?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|it| wrong(format!("it is no manifest: {it}")))?;
        if manifest.schema == SCHEMA {
            Ok(Some(manifest))
        } else {
            let found: String = manifest.schema.chars().take(64).collect();
            Err(wrong(format!("it is of format {found}, and this program reads {SCHEMA}")))
        }
    }

    /// Writes it; the old one stays as it was on any error.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(self).expect("plain fields");
        text.push('\n');
        Ok(bytes::replace(&folder.join(MANIFEST), text.as_bytes())?)
    }
}
