//! Makes the fingerprint of one model of a list.

use std::path::Path;

use crate::bytes::{self, sha256, sha256_of_file};
use crate::catalog::Catalog;
use crate::fact::StatedAbout;
use crate::library::{Entry, Error, Manifest, State, Wish};
use crate::lineage::{self, ENDING, Model, fingerprint_of_rows};
use crate::remote::Reach;

/// What was made of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// As the manifest has it.
    pub entry: Entry,
    /// Size of the fingerprint.
    pub bytes: u64,
}

/// Whether a model is kept already, and its file is what was written.
pub fn is_kept(folder: &Path, entry: Option<&Entry>) -> bool {
    let Some(Entry { state: State::Kept, file: Some(file), sha256: Some(digest), .. }) = entry else { return false };
    sha256_of_file(&folder.join(file)).is_ok_and(|it| it == *digest)
}

/// Fetches what a fingerprint of rows needs of one model and writes it into the folder. A model that cannot be had is
/// an entry too: gated, or failed with the reason.
///
/// # Errors
/// A folder that cannot be written.
pub fn build_one(
    folder: &Path,
    wish: &Wish,
    manifest: &Manifest,
    catalog: &Catalog,
    reach: &Reach,
) -> Result<Built, Error> {
    if let Some(source) = &wish.gated {
        return Ok(without(State::Gated, None, format!("the catalogue says that it is gated: {source}")));
    }
    let opened = Model::open(&wish.location, Path::new("."), catalog, reach).map_err(Error::from);
    let model = match opened {
        Ok(model) => model,
        Err(error) => return Ok(failed(&error, None)),
    };
    let license = license_of(&model);
    let revision = model.name.revision.clone();
    let kept = match fingerprint_of_rows(&model, &manifest.salt, license.clone()) {
        Ok((kept, _)) => kept,
        Err(error) => return Ok(failed(&Error::from(error), revision)),
    };
    let file = format!("{}.{ENDING}", file_name(&wish.location));
    let contents = kept.to_bytes();
    bytes::replace(&folder.join(&file), &contents)?;
    let entry = Entry {
        state: State::Kept,
        file: Some(file),
        sha256: Some(sha256(&contents)),
        revision,
        license,
        reason: None,
    };
    Ok(Built { entry, bytes: contents.len() as u64 })
}

/// The license that a model's card names in its front matter.
pub fn license_of(model: &Model) -> Option<String> {
    let said = lineage::card_head(model).into_iter();
    said.filter(|it| it.about == StatedAbout::License).find_map(|it| it.values.into_iter().next())
}

fn failed(error: &Error, revision: Option<String>) -> Built {
    let said = error.to_string();
    // A hub names the reason so, and a server that does not asks for a token.
    let is_gated =
        ["gatedrepo", "may not be read: the server answered"].iter().any(|it| said.to_lowercase().contains(it));
    without(if is_gated { State::Gated } else { State::Failed }, revision, said)
}

fn without(state: State, revision: Option<String>, reason: String) -> Built {
    let entry = Entry { state, file: None, sha256: None, revision, license: None, reason: Some(reason) };
    Built { entry, bytes: 0 }
}

/// A name that is a plain file name on every system: no two locations of a list share one.
fn file_name(location: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() || "-_.".contains(it) { it } else { '_' };
    let name = location.strip_prefix("hf:").unwrap_or(location);
    let text: String = name.replace('/', "--").chars().map(plain).collect();
    let text: String = text.trim_start_matches('.').chars().take(120).collect();
    format!("{text}-{}", sha256(location.as_bytes()).get(..8).unwrap_or_default())
}
