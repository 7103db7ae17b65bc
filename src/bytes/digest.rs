//! SHA-256, in lower-case hex.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::bytes::{Error, File, Source as _};

/// How much of a file is held in memory while it is hashed.
const STEP: u64 = 1 << 20;

/// SHA-256 of these bytes, as 64 lower-case hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of bytes that come piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them, as 64 lower-case hex digits.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// SHA-256 of a whole regular file, however long, as 64 lower-case hex digits.
pub fn sha256_of_file(path: &Path) -> Result<String, Error> {
    let file = File::open(path)?;
    let mut hasher = Hasher::default();
    let mut at = 0;
    while at < file.len() {
        let end = at.saturating_add(STEP).min(file.len());
        hasher.update(&file.read_at(at..end)?);
        at = end;
    }
    Ok(hasher.finish())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
        out
    })
}

/// The bytes that hexadecimal digits represent; `None` if they are no such digits, two a byte.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// The digest of a JSON text without the digest that it states of itself under `digest`: what it should state.
pub fn sha256_unsealed(contents: &[u8], stated: &str) -> String {
    let text = String::from_utf8_lossy(contents);
    sha256(text.replacen(&format!("\"digest\": \"{stated}\""), "\"digest\": \"\"", 1).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_text_has_the_published_digest() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_file_is_hashed_in_steps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let bytes = vec![7; 3 * 1024 * 1024 + 5];
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(sha256_of_file(&path).unwrap(), sha256(&bytes));
    }
}
