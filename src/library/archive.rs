//! A library as one file: a line that says what it is, a header in JSON with the digest of every part, and the parts.
//!
//! Nothing of it is believed: sizes are checked against limits and against the file before anything is read, every
//! part against its digest, the whole against the digest that was expected, and nothing is written before all of that
//! holds.

use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bytes::{self, limits, sha256};
use crate::library::{Entry, Error, Manifest, PrivateKey, PublicKey, Signature, State};
use crate::lineage::ENDING;
use crate::weights::Fingerprint;

/// The first line.
const MAGIC: &[u8] = b"unshell-library/1\n";

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The library's salt.
    pub salt: String,
    /// SHA-256 over the name, size, digest, location, commit and license of every part, in their order.
    pub digest: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// The fingerprints, in the order in which their bytes follow.
    pub parts: Vec<Part>,
}

/// One fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name of its file.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Where its model was read.
    pub location: String,
    /// The commit that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The license that its card names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// What was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What the archive says of itself.
    pub header: Header,
    /// How many were new.
    pub new: usize,
}

impl Header {
    fn digest_of(salt: &str, parts: &[Part]) -> String {
        let text = serde_json::to_vec(&(salt, parts)).expect("plain fields");
        sha256(&text)
    }
}

/// Writes the library of a folder as one file.
///
/// # Errors
/// A folder without a library, a fingerprint that was changed, a file that cannot be written.
pub fn export(folder: &Path, to: &Path, key: Option<&PrivateKey>) -> Result<Header, Error> {
    let wrong = |reason: &str| Error::Archive { name: folder.display().to_string(), reason: reason.to_owned() };
    let manifest = Manifest::read(folder)?.ok_or_else(|| wrong("it holds no library that was built or taken in"))?;
    let mut parts = Vec::new();
    for (location, entry) in &manifest.models {
        let (Some(file), Some(digest)) = (&entry.file, &entry.sha256) else { continue };
        let bytes = bytes::read_whole(&folder.join(file), limits::FINGERPRINT)?;
        if sha256(&bytes) != *digest {
            return Err(wrong(&format!("`{file}` was changed since it was written")));
        }
        parts.push(Part {
            file: file.clone(),
            bytes: bytes.len() as u64,
            sha256: digest.clone(),
            location: location.clone(),
            revision: entry.revision.clone(),
            license: entry.license.clone(),
        });
    }
    if parts.is_empty() {
        return Err(wrong("it holds no fingerprint"));
    }
    let digest = Header::digest_of(&manifest.salt, &parts);
    let signature = key.map(|it| it.sign(&digest));
    let header = Header { salt: manifest.salt, digest, signature, parts };
    write(folder, to, &header)?;
    Ok(header)
}

/// Writes into a file beside the place and renames it.
fn write(folder: &Path, to: &Path, header: &Header) -> Result<(), Error> {
    let failed = |it: std::io::Error| Error::Archive {
        name: to.display().to_string(),
        reason: format!("it cannot be written: {it}"),
    };
    let beside = to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".unshell-").suffix(".part").tempfile_in(beside).map_err(failed)?;
    let text = serde_json::to_vec(header).expect("plain fields");
    for bytes in [MAGIC, &(text.len() as u64).to_le_bytes(), &text] {
        file.write_all(bytes).map_err(failed)?;
    }
    for part in &header.parts {
        let bytes = bytes::read_whole(&folder.join(&part.file), limits::FINGERPRINT)?;
        file.write_all(&bytes).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(to).map_err(|it| failed(it.error))?;
    Ok(())
}

/// Reads what an archive says of itself, and checks it: names that lead nowhere else, sizes within limits, its own
/// digest, the digest and the key that were expected.
///
/// # Errors
/// Anything that does not hold, with found and expected.
pub fn read_header(
    name: &str,
    source: &mut dyn Read,
    digest: Option<&str>,
    key: Option<&PublicKey>,
) -> Result<Header, Error> {
    let wrong = |reason: String| Error::Archive { name: name.to_owned(), reason };
    let cut = |it: std::io::Error| wrong(format!("it ends too early: {it}"));
    let mut magic = [0_u8; MAGIC.len()];
    source.read_exact(&mut magic).map_err(cut)?;
    if magic != *MAGIC {
        return Err(wrong("it is no library of this program, or of another version".to_owned()));
    }
    let mut length = [0_u8; 8];
    source.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    if length > limits::INDEX {
        return Err(wrong(format!("its header is {length} bytes long, at most {} are taken", limits::INDEX)));
    }
    let mut text = Vec::new();
    Read::take(&mut *source, length).read_to_end(&mut text).map_err(cut)?;
    let header: Header = serde_json::from_slice(&text).map_err(|it| wrong(format!("its header is damaged: {it}")))?;
    header.check(digest, key).map_err(wrong)?;
    Ok(header)
}

impl Header {
    fn check(&self, digest: Option<&str>, key: Option<&PublicKey>) -> Result<(), String> {
        if self.parts.len() > limits::FOLDER_ENTRIES {
            return Err(format!("it holds more than {} fingerprints", limits::FOLDER_ENTRIES));
        }
        for part in &self.parts {
            if !is_plain(&part.file) {
                return Err(format!(
                    "it names the file {}, which is no plain name of a fingerprint",
                    bytes::shown(&part.file)
                ));
            }
            if part.bytes > limits::FINGERPRINT {
                return Err(format!(
                    "`{}` is {} bytes long, at most {} are taken",
                    part.file,
                    part.bytes,
                    limits::FINGERPRINT
                ));
            }
        }
        let found = Self::digest_of(&self.salt, &self.parts);
        if found != self.digest {
            return Err(format!(
                "its header was changed: its digest is {found}, and it says {}",
                bytes::shown(&self.digest)
            ));
        }
        if let Some(expected) = digest.filter(|it| !it.trim().eq_ignore_ascii_case(&found)) {
            return Err(format!("its digest is {found}, expected {}", bytes::shown(expected)));
        }
        match (&self.signature, key) {
            (Some(signature), key) => signature.check(&found, key),
            (None, Some(_)) => Err("it is not signed, and a key was given".to_owned()),
            (None, None) => Ok(()),
        }
    }
}

/// A name that can lead nowhere else, on any system.
fn is_plain(name: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    name.len() <= 255 && !name.starts_with('.') && name.ends_with(&format!(".{ENDING}")) && name.chars().all(is_letter)
}

/// Takes an archive into a folder: `source` gives it from its beginning each time it is called, once to check all of
/// it and once to write it. Models that are there already are replaced by those of the archive.
///
/// # Errors
/// Anything that does not hold, before anything is written; a folder that cannot be written.
pub fn import<R: Read>(
    name: &str,
    folder: &Path,
    digest: Option<&str>,
    key: Option<&PublicKey>,
    source: impl Fn() -> Result<R, Error>,
) -> Result<Contents, Error> {
    let header = pass(name, &mut source()?, digest, key, &mut |_, bytes| {
        Fingerprint::from_bytes(bytes)
            .map(|_| ())
            .map_err(|it| Error::Archive { name: name.to_owned(), reason: it.to_string() })
    })?;
    std::fs::create_dir_all(folder).map_err(|it| Error::Archive {
        name: folder.display().to_string(),
        reason: format!("it cannot be made: {it}"),
    })?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_else(|| Manifest::new(Some(header.salt.clone())));
    let mut new = 0;
    pass(name, &mut source()?, Some(&header.digest), key, &mut |part, bytes| {
        bytes::replace(&folder.join(&part.file), bytes)?;
        new += usize::from(!manifest.models.contains_key(&part.location));
        manifest.models.insert(part.location.clone(), entry(part));
        Ok(())
    })?;
    manifest.write(folder)?;
    Ok(Contents { header, new })
}

fn entry(part: &Part) -> Entry {
    Entry {
        state: State::Kept,
        file: Some(part.file.clone()),
        sha256: Some(part.sha256.clone()),
        revision: part.revision.clone(),
        license: part.license.clone(),
        reason: None,
    }
}

/// What is done with each part.
type Each<'a> = dyn FnMut(&Part, &[u8]) -> Result<(), Error> + 'a;

/// Goes over all parts, one in memory at a time, each after its digest was checked.
fn pass(
    name: &str,
    source: &mut impl Read,
    digest: Option<&str>,
    key: Option<&PublicKey>,
    each: &mut Each<'_>,
) -> Result<Header, Error> {
    let wrong = |reason: String| Error::Archive { name: name.to_owned(), reason };
    let header = read_header(name, source, digest, key)?;
    for part in &header.parts {
        let mut bytes = Vec::new();
        source.take(part.bytes).read_to_end(&mut bytes).map_err(|it| wrong(format!("it cannot be read: {it}")))?;
        if bytes.len() as u64 != part.bytes {
            return Err(wrong(format!("`{}` ends after {} of {} bytes", part.file, bytes.len(), part.bytes)));
        }
        let found = sha256(&bytes);
        if found != part.sha256 {
            return Err(wrong(format!(
                "`{}` was changed: its SHA-256 is {found}, expected {}",
                part.file, part.sha256
            )));
        }
        each(part, &bytes)?;
    }
    let mut more = [0_u8; 1];
    match source.read(&mut more) {
        Ok(0) => Ok(header),
        _ => Err(wrong("there are bytes after its last part".to_owned())),
    }
}
