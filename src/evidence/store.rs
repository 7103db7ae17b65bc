//! `out/evidence.json`: written whole or not at all, and read back only if this program understands it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bytes;
use crate::case::{Case, InputFile};
use crate::evidence::{EVIDENCE_SCHEMA, Error, Evidence};

/// Where it stands inside the case folder.
pub const PATH: &str = "out/evidence.json";

/// Measurements of a case seldom take more than a few megabytes; a hundred subjects would not fill this.
const LIMIT: u64 = 256 << 20;

/// The bytes of the file: the same for the same evidence, with a line feed at the end.
pub fn render(evidence: &Evidence) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(evidence).expect("our own types have string keys");
    bytes.push(b'\n');
    bytes
}

/// The evidence with its digest.
pub fn sealed(evidence: Evidence) -> Evidence {
    let unsealed = Evidence { digest: String::new(), ..evidence };
    Evidence { digest: bytes::sha256(&render(&unsealed)), ..unsealed }
}

/// The file as an input of what is made from it.
pub fn as_input(evidence: &Evidence) -> InputFile {
    let rendered = render(evidence);
    InputFile {
        path: PATH.to_owned(),
        bytes: u64::try_from(rendered.len()).unwrap_or(u64::MAX),
        sha256: bytes::sha256(&rendered),
    }
}

/// Writes the evidence of a case; gives the path.
pub fn write(folder: &Path, evidence: &Evidence) -> Result<PathBuf, Error> {
    let path = folder.join(PATH);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|source| Error::Folder { path: parent.to_owned(), source })?;
    }
    bytes::replace(&path, &render(evidence))?;
    Ok(path)
}

/// Reads the evidence of a case.
pub fn read(folder: &Path) -> Result<Evidence, Error> {
    let path = folder.join(PATH);
    if !path.exists() {
        return Err(Error::NotCollected { path });
    }
    let contents = bytes::read_whole(&path, LIMIT)?;
    parse(&contents, &path)
}

/// Evidence from the bytes of a file.
pub fn parse(contents: &[u8], path: &Path) -> Result<Evidence, Error> {
    let unreadable = |error: serde_json::Error| Error::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let value: Value = serde_json::from_slice(contents).map_err(unreadable)?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or("no schema");
    if found != EVIDENCE_SCHEMA {
        return Err(Error::OtherSchema { path: path.to_owned(), found: found.to_owned() });
    }
    let evidence: Evidence = serde_json::from_value(value).map_err(unreadable)?;
    if evidence.digest != bytes::sha256_unsealed(contents, &evidence.digest) {
        return Err(Error::Altered { path: path.to_owned() });
    }
    Ok(evidence)
}

/// Reads the evidence of a case, and refuses it where the case's files have changed since.
pub fn read_current(case: &Case) -> Result<Evidence, Error> {
    let evidence = read(&case.folder)?;
    match changed(&evidence.inputs, &case.inputs) {
        changed if changed.is_empty() && evidence.date == case.date => Ok(evidence),
        changed => Err(Error::Stale { path: case.folder.join(PATH), changed }),
    }
}

/// Files that are new, gone, or have other contents; in the order of their paths.
fn changed(then: &[InputFile], now: &[InputFile]) -> Vec<String> {
    let differs = |one: &&InputFile, others: &[InputFile]| !others.contains(one);
    let mut paths: Vec<String> = then
        .iter()
        .filter(|it| differs(it, now))
        .chain(now.iter().filter(|it| differs(it, then)))
        .map(|it| it.path.clone())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    /// The digest of what is made from a file holds for the file only if numbers come back as they were written.
    #[test]
    fn a_number_that_is_read_is_written_as_it_was() {
        for text in ["-50.734697328043204", "0.1", "-156.11453179965338"] {
            let number: f64 = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&number).unwrap(), text);
        }
        for step in 1..100_000_u32 {
            let number = -f64::from(step).sqrt() * std::f64::consts::PI / 7.0;
            let text = serde_json::to_string(&number).unwrap();
            let again: f64 = serde_json::from_str(&text).unwrap();
            assert_eq!(number.to_bits(), again.to_bits(), "{text}");
        }
    }
}
