//! What can be said of a model, and of a model against a reference: inspect, compare, identify.
//!
//! Names and shapes say how a model is built; whose weights it has, [`compare_with_weights`] alone says. What was not
//! looked at is part of every answer.

mod adapters;
mod closeness;
mod compare;
mod fingerprint;
mod identify;
mod inspect;
mod likelihood;
mod look;
mod merge;
mod near;
mod present;
mod tokens;
mod towers;
mod unexamined;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blueprint::Blueprint;
use crate::bytes;
use crate::bytes::{Location, Place, Repository};
use crate::catalog::{Catalog, Entry, SCHEME};
use crate::checkpoint;
use crate::checkpoint::{Checkpoint, Data};
use crate::disclosure::{self, Header};
use crate::fact::{Cost, DocumentFacts, FileFacts, Finding, Mention, ModelName, Origin, SelfDescription, Statement};
use crate::remote::{Found, Reach};
use crate::weights::{Fingerprint, Unreadable};

pub use compare::{compare, compare_with_weights};
pub use fingerprint::{ENDING, Kept, fingerprint, fingerprint_of_rows, library, look_up};
pub use identify::{ask_origins, identify};
pub use inspect::{disclose, inspect};
pub use look::Look;
pub use merge::{Mixture, compare_with_all, mixture};
pub use near::{MOST_NEAR, NearBy, NearModel, NearQuestion, near};

/// A model as far as it can be described without reading its data.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name, where it is, and where its description comes from.
    pub name: ModelName,
    /// What it is built like.
    pub blueprint: Blueprint,
    /// File format; none for a catalogue entry.
    pub format: Option<String>,
    /// The files that were read; none for a catalogue entry.
    pub files: Vec<FileFacts>,
    /// Size of all tensor data in bytes; none for a catalogue entry, and where the weights are not there.
    pub data_bytes: Option<u64>,
    /// What an index without weights states as that size.
    pub stated_bytes: Option<u64>,
    /// Names of models that its files state: what a configuration says it was loaded from, what a GGUF header says it
    /// is.
    pub stated_names: Vec<String>,
    /// What its files alone already tell.
    pub findings: Vec<Finding>,
    /// Bytes read from its files.
    pub bytes_read: u64,
    /// What the writer of its files put beside the tensors.
    metadata: BTreeMap<String, String>,
    /// Where its files are; none for a catalogue entry and for a fingerprint.
    place: Option<Arc<dyn Place>>,
    /// What was kept of it, where that is all there is.
    fingerprint: Option<Arc<Fingerprint>>,
}

/// Why a model cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The location cannot be read as one.
    #[error(transparent)]
    Location(#[from] bytes::Error),
    /// Its files cannot be described.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// The catalogue has no entry of that name.
    #[error("the catalogue has no entry `{name}`")]
    UnknownEntry {
        /// The name as it was given.
        name: String,
        /// Names that may have been meant, likeliest first.
        likely: Vec<String>,
    },
    /// The entry has facts but no blueprint.
    #[error("the catalogue entry `{name}` has no blueprint, so nothing can be compared with it: {reason}")]
    NoBlueprint {
        /// The entry.
        name: String,
        /// Why it has none.
        reason: String,
    },
    /// A catalogue entry has no files.
    #[error("the catalogue entry `{name}` has no files, so nothing that its maker says of it can be read")]
    NoFiles {
        /// The entry.
        name: String,
    },
    /// The model has no weights of which anything could be kept.
    #[error("{name} holds no weights of a model that a fingerprint could keep")]
    NoWeights {
        /// The model.
        name: String,
    },
    /// A file says that it is a fingerprint and cannot be used.
    #[error("{}: {reason}", path.display())]
    Fingerprint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: Unreadable,
    },
    /// A library cannot be listed.
    #[error("the library {} cannot be read: {source}", path.display())]
    Library {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// What the reader can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Location(error) => error.hint(),
            Self::Checkpoint(error) => error.hint(),
            Self::UnknownEntry { likely, .. } if likely.is_empty() => {
                Some("`unshell catalog list` lists all of them".into())
            }
            Self::UnknownEntry { likely, .. } => {
                let names: Vec<String> = likely.iter().map(|it| format!("`{SCHEME}{it}`")).collect();
                Some(format!("did you mean {}?", names.join(" or ")))
            }
            Self::NoFiles { .. } => Some("name the model's folder or its repository, as `hf:ORG/NAME`".into()),
            Self::NoWeights { .. } => Some("name a folder or file with the model's weights".into()),
            Self::Fingerprint { reason: Unreadable::Changed { .. }, .. } => {
                Some("take it anew with `unshell catalog add`, or ask whoever sent it for the file again".into())
            }
            Self::Fingerprint { .. } => Some("take it anew with `unshell catalog add`".into()),
            Self::Library { .. } => Some("`unshell catalog add MODEL` makes a library".into()),
            Self::NoBlueprint { .. } => {
                Some(format!("`unshell catalog show {SCHEME}ORG/NAME` tells what is known of it"))
            }
        }
    }
}

impl Model {
    /// Opens what `location` names: a path, taken from `base` unless it is absolute, something that `reach` reaches, or
    /// `catalog:ORG/NAME`.
    pub fn open(location: &str, base: &Path, catalog: &Catalog, reach: &Reach) -> Result<Self, Error> {
        let parsed = Location::parse(location)?;
        if let Location::Catalog(name) = &parsed {
            return Self::from_catalog(location, name, catalog);
        }
        let of_hub = match &parsed {
            Location::Hub(repository) => Some(repository_name(repository)),
            Location::Path(_) | Location::Web(_) | Location::Catalog(_) => None,
        };
        match reach.find(parsed, base)? {
            Some(found) => Self::from_place(location, of_hub, &found),
            None => Err(Error::UnknownEntry { name: location.to_owned(), likely: Vec::new() }),
        }
    }

    fn from_place(location: &str, of_hub: Option<String>, found: &Found) -> Result<Self, Error> {
        let checkpoint = Checkpoint::from_place(&*found.place)?;
        if let Some(kept) = Self::from_fingerprint(location, &checkpoint, &found.place) {
            return kept;
        }
        let outline = checkpoint.outline.as_ref();
        let data_bytes = outline.is_none().then(|| checkpoint.data_bytes());
        let stated_bytes = outline.and_then(|it| it.stated_bytes);
        let stated_names = stated_names(&checkpoint);
        let name = ModelName {
            name: of_hub.unwrap_or_else(|| checkpoint.name.clone()),
            location: location.to_owned(),
            origin: Origin::Checkpoint,
            revision: found.commit.clone(),
        };
        Ok(Self {
            name,
            blueprint: Blueprint::from_checkpoint(&checkpoint),
            format: Some(checkpoint.format).filter(|it| !it.is_empty()),
            files: checkpoint.files,
            data_bytes,
            stated_bytes,
            stated_names,
            findings: checkpoint.findings,
            bytes_read: checkpoint.bytes_read,
            metadata: checkpoint.metadata,
            place: Some(Arc::clone(&found.place)),
            fingerprint: None,
        })
    }

    fn from_catalog(location: &str, name: &str, catalog: &Catalog) -> Result<Self, Error> {
        let entry = catalog.find(name).ok_or_else(|| Error::UnknownEntry {
            name: name.to_owned(),
            likely: catalog.suggest(name).into_iter().map(str::to_owned).collect(),
        })?;
        let blueprint = entry.blueprint().cloned().ok_or_else(|| Error::NoBlueprint {
            name: name.to_owned(),
            reason: entry.no_blueprint().unwrap_or("names or shapes are not sourced").to_owned(),
        })?;
        Ok(Self {
            name: ModelName {
                name: name.to_owned(),
                location: location.to_owned(),
                origin: Origin::Catalog,
                revision: None,
            },
            blueprint,
            format: None,
            files: Vec::new(),
            data_bytes: None,
            stated_bytes: None,
            stated_names: Vec::new(),
            findings: entry_findings(entry),
            bytes_read: 0,
            metadata: BTreeMap::new(),
            place: None,
            fingerprint: None,
        })
    }

    /// What its card, notices and configurations say; none for a catalogue entry and a fingerprint.
    pub fn disclosure(&self) -> Option<SelfDescription> {
        let place = self.place.as_ref().filter(|_| self.name.origin == Origin::Checkpoint)?;
        let file = self.files.iter().find(|it| it.name.ends_with(".gguf"));
        let file =
            file.map(|it| DocumentFacts { name: it.name.clone(), bytes: it.bytes, sha256: it.read_sha256.clone() });
        let header = file.as_ref().map(|file| Header { file, metadata: &self.metadata });
        Some(disclosure::read(&**place, &self.name, header.as_ref()))
    }

    /// Which of these names are in its card or a notice, where readers see them.
    pub fn names_in_card(&self, names: &BTreeSet<String>) -> Vec<Mention> {
        let place = self.place.as_ref().filter(|_| self.name.origin == Origin::Checkpoint);
        place.map(|it| disclosure::named_in(&**it, names)).unwrap_or_default()
    }

    /// Its numbers; none for a catalogue entry, and where only an index is there.
    fn data(&self) -> Result<Option<Data>, checkpoint::Error> {
        if !self.has_weights() {
            return Ok(None);
        }
        self.place.clone().map(Data::from_place).transpose()
    }

    /// Whether its weights could be read, if anything read weights.
    fn has_weights(&self) -> bool {
        matches!(self.name.origin, Origin::Checkpoint | Origin::Fingerprint) && !self.blueprint.is_by_names()
    }

    /// Whether its files are behind an address.
    pub fn is_far(&self) -> bool {
        self.place.as_ref().is_some_and(|it| it.local().is_none())
    }

    fn cost(&self) -> Cost {
        Cost { bytes_read: self.bytes_read, seconds: None }
    }
}

/// What the form at the head of a model's card says; nothing where it has no card.
pub fn card_head(model: &Model) -> Vec<Statement> {
    model.place.as_deref().map(disclosure::card_head).unwrap_or_default()
}

/// A repository for tables: `ORG/NAME`, with the file where one is named.
fn repository_name(repository: &Repository) -> String {
    match &repository.file {
        Some(file) => format!("{}/{file}", repository.name),
        None => repository.name.clone(),
    }
}

/// Keys of a header under which writers put the name of a model.
const NAMES: [&str; 6] = [
    "general.name",
    "general.basename",
    "general.base_model.0.name",
    "general.base_model.0.repo_url",
    "general.source.repo_url",
    "general.source.url",
];

/// Names of models that files state.
fn stated_names(checkpoint: &Checkpoint) -> Vec<String> {
    let config = checkpoint.config.as_ref().and_then(|it| it.get("_name_or_path")?.as_str());
    let header = NAMES.iter().filter_map(|it| checkpoint.metadata.get(*it)).map(String::as_str);
    config.into_iter().chain(header).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// What the catalogue itself warns of.
fn entry_findings(entry: &Entry) -> Vec<Finding> {
    let notes = entry.notes().into_iter().map(|it| Finding {
        code: "catalogue-note".into(),
        file: None,
        item: Some(format!("{SCHEME}{}", entry.id())),
        detail: it.to_owned(),
    });
    notes.collect()
}
