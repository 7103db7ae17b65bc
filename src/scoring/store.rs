//! `out/scorecard.json` as bytes. Scoring touches no files; who calls it writes them.

use serde_json::Value;

use crate::bytes;
use crate::scoring::{SCORECARD_SCHEMA, Scorecard};

/// Where it stands inside the case folder.
pub const PATH: &str = "out/scorecard.json";

/// Why bytes are no scorecard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON, or not the JSON of a scorecard.
    #[error("`{name}` is no scorecard: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the reader stumbled over.
        reason: String,
    },
    /// It is not as the program wrote it.
    #[error("`{name}` was changed after it was written: its digest does not fit its contents")]
    Altered {
        /// The file.
        name: String,
    },
    /// JSON of something else, or of another version.
    #[error("`{name}` has schema `{found}`, and this program reads `{SCORECARD_SCHEMA}`")]
    OtherSchema {
        /// The file.
        name: String,
        /// The schema that it states.
        found: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some("make it again with `unshell score CASE`".to_owned())
    }
}

/// The bytes of the file: the same for the same scorecard, with a line feed at the end.
pub fn render(scorecard: &Scorecard) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(scorecard).expect("our own types have string keys");
    bytes.push(b'\n');
    bytes
}

/// A scorecard from the bytes of the file `name`.
pub fn parse(contents: &[u8], name: &str) -> Result<Scorecard, Error> {
    let unreadable = |error: serde_json::Error| Error::Unreadable { name: name.to_owned(), reason: error.to_string() };
    let value: Value = serde_json::from_slice(contents).map_err(unreadable)?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or("no schema");
    if found != SCORECARD_SCHEMA {
        return Err(Error::OtherSchema { name: name.to_owned(), found: found.to_owned() });
    }
    let card: Scorecard = serde_json::from_value(value).map_err(unreadable)?;
    if card.digest != bytes::sha256_unsealed(contents, &card.digest) {
        return Err(Error::Altered { name: name.to_owned() });
    }
    Ok(card)
}

/// The scorecard with its digest.
pub fn sealed(scorecard: Scorecard) -> Scorecard {
    let unsealed = Scorecard { digest: String::new(), ..scorecard };
    Scorecard { digest: bytes::sha256(&render(&unsealed)), ..unsealed }
}
