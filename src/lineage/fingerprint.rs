//! Fingerprints: what is kept of a reference, so that a model can be held against it without its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::bytes::{Place, limits, sha256};
use crate::catalog::Catalog;
use crate::checkpoint::{self, Checkpoint};
use crate::fact::{FingerprintMatch, Identification, ModelName, Origin, Unexamined, WeightsRelation as It};
use crate::lineage::compare::not_read;
use crate::lineage::{Error, Look, Model, compare_with_weights, not_examined};
use crate::tokenizer::{Vocabulary, learned};
use crate::weights::{About, Fingerprint, Finite, Net, Room};

/// The key by which a safetensors file says that it is a fingerprint.
const KEY: &str = "unshell";

/// Takes the fingerprint of a model, with what could not be kept.
///
/// # Errors
/// A model without weights, or a file of it that cannot be read.
pub fn fingerprint(model: &Model) -> Result<(Fingerprint, Vec<Unexamined>), Error> {
    let Some(data) = model.data()? else { return Err(Error::NoWeights { name: model.name.name.clone() }) };
    if data.checkpoint().adapter.is_some() {
        return Err(Error::NoWeights { name: model.name.name.clone() });
    }
    let finite = Finite::new(&data);
    let net = Net::new(&model.blueprint, &finite);
    let vocabulary = model.place.as_deref().map(Vocabulary::read);
    let (tokens, mut unexamined) = match vocabulary {
        Some(Ok(vocabulary)) => (Some(chosen(&vocabulary)), Vec::new()),
        Some(Err(why)) => (None, vec![why]),
        None => (None, Vec::new()),
    };
    let name = &model.name;
    let about = About::named(&name.name, &name.location, name.revision.clone(), model.data_bytes);
    let taken = Fingerprint::take(&net, &model.blueprint, tokens, about, Room::of(net.hidden()))?;
    if taken.about.layers.iter().all(|it| it.blocks.is_empty()) {
        return Err(Error::NoWeights { name: model.name.name.clone() });
    }
    unexamined.extend(not_read(model, &data, &finite, &net));
    Ok((taken, unexamined))
}

/// Learned tokens in the order of the digests of their texts: of any two vocabularies, the ones both keep are many.
fn chosen(vocabulary: &Vocabulary) -> Vec<(u32, Vec<u8>)> {
    let mut tokens: Vec<(String, u32, &[u8])> =
        learned(vocabulary).into_iter().map(|(text, id)| (sha256(text), id, text)).collect();
    tokens.sort_unstable();
    tokens.into_iter().map(|(_, id, text)| (id, text.to_vec())).collect()
}

/// The ids of a subject's tokens with the rows of a fingerprint that are the same token. Where either side has no
/// vocabulary, the same ids are taken to be the same tokens, and the reason is told.
pub(super) fn shared_rows(subject: &Model, kept: &Fingerprint) -> (Vec<(u32, u32)>, Option<Unexamined>, u64) {
    let by_id = || kept.about.token_ids.iter().copied().zip(0..).collect();
    let Some(texts) = kept.tokens() else {
        let detail = format!("the fingerprint of {} has no token texts: rows were paired by id", kept.about.name);
        return (by_id(), Some(not_examined("tokenizer", "fingerprint", &detail)), 0);
    };
    match subject.place.as_deref().map(Vocabulary::read) {
        Some(Ok(vocabulary)) => {
            let ids: BTreeMap<&[u8], u32> = learned(&vocabulary).into_iter().collect();
            let mut pairs: Vec<(u32, u32)> =
                texts.iter().filter_map(|(text, row)| Some((*ids.get(text.as_slice())?, *row))).collect();
            pairs.sort_unstable();
            let detail =
                "a fingerprint keeps some tokens and no vocabulary, so vocabularies were not held against each other";
            (pairs, Some(not_examined("tokenizer", "fingerprint", detail)), vocabulary.bytes_read)
        }
        Some(Err(why)) => (by_id(), Some(why), 0),
        None => (by_id(), None, 0),
    }
}

impl Model {
    /// Whether a described file is a fingerprint, and if so, the model that it stands for.
    pub(super) fn from_fingerprint(
        location: &str,
        checkpoint: &Checkpoint,
        place: &Arc<dyn Place>,
    ) -> Option<Result<Self, Error>> {
        let file = place.single().filter(|_| checkpoint.metadata.contains_key(KEY))?.to_owned();
        let read = || -> Result<Self, Error> {
            let bytes = place.read_whole(&file, limits::FINGERPRINT).map_err(checkpoint::Error::from)?;
            let kept = Fingerprint::from_bytes(&bytes)
                .map_err(|reason| Error::Fingerprint { path: place.path().to_owned(), reason })?;
            Ok(Self::standing_for(location, kept))
        };
        Some(read())
    }

    fn standing_for(location: &str, kept: Fingerprint) -> Self {
        Self {
            name: ModelName {
                name: kept.about.name.clone(),
                location: location.to_owned(),
                origin: Origin::Fingerprint,
                revision: kept.about.revision.clone(),
            },
            blueprint: kept.blueprint(),
            format: None,
            files: Vec::new(),
            data_bytes: kept.about.data_bytes,
            stated_bytes: None,
            findings: Vec::new(),
            bytes_read: kept.bytes,
            place: None,
            fingerprint: Some(Arc::new(kept)),
        }
    }
}

/// Every fingerprint of a library, in the order of their file names; and files that are none, with the reason.
///
/// # Errors
/// A folder that cannot be listed.
pub fn library(folder: &Path, catalog: &Catalog) -> Result<(Vec<Model>, Vec<Error>), Error> {
    let mut names = Vec::new();
    let unreadable = |source| Error::Library { path: folder.to_owned(), source: Arc::new(source) };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|it| it == ENDING) {
            names.push(path);
        }
        if names.len() > limits::FOLDER_ENTRIES {
            return Err(unreadable(std::io::Error::other("it holds more fingerprints than are taken")));
        }
    }
    names.sort();
    let (mut models, mut errors) = (Vec::new(), Vec::new());
    for path in names {
        let reach = crate::remote::Reach::local();
        match Model::open(&path.to_string_lossy(), Path::new("."), catalog, &reach) {
            Ok(model) if model.fingerprint.is_some() => models.push(model),
            Ok(_) => errors.push(Error::Fingerprint { path, reason: no_fingerprint() }),
            Err(error) => errors.push(error),
        }
    }
    Ok((models, errors))
}

fn no_fingerprint() -> crate::weights::Unreadable {
    crate::weights::Unreadable::Other("its metadata does not say that it is one".to_owned())
}

/// The ending of a fingerprint's file.
pub const ENDING: &str = "fingerprint";

/// Holds a model against every fingerprint, and pays for their number: a p-value is multiplied by how many were tried.
/// Related ones come first, the surest first. A model without weights is held against none.
///
/// # Errors
/// A file of the model that cannot be read.
pub fn look_up(
    answer: &mut Identification,
    model: &Model,
    library: &[Model],
    catalog: &Catalog,
    look: &Look<'_>,
) -> Result<(), checkpoint::Error> {
    if library.is_empty() || model.data()?.is_none() {
        return Ok(());
    }
    let mut found = against(answer, model, library, catalog, look)?;
    found.sort_by(|a, b| {
        let p = |it: &FingerprintMatch| it.log10_p.unwrap_or(0.0);
        rank(a.relation)
            .cmp(&rank(b.relation))
            .then(p(a).total_cmp(&p(b)))
            .then_with(|| a.reference.name.cmp(&b.reference.name))
    });
    answer.fingerprints = found;
    let detail = format!(
        "weights were held against {} fingerprints, which keep a part of each reference; nothing else was compared",
        library.len()
    );
    answer.unexamined.retain(|it| !(it.what == "weights" && it.why == "by-form"));
    answer.unexamined.push(not_examined("weights", "fingerprint", &detail));
    Ok(())
}

fn against(
    answer: &mut Identification,
    model: &Model,
    library: &[Model],
    catalog: &Catalog,
    look: &Look<'_>,
) -> Result<Vec<FingerprintMatch>, checkpoint::Error> {
    let look = Look { references: library.len(), ..*look };
    let mut found = Vec::new();
    for (at, reference) in library.iter().enumerate() {
        look.watch.tell("fingerprints", at, library.len());
        let mut comparison = compare_with_weights(model, reference, catalog, &look)?;
        // The same is said of the model by every comparison.
        let new = comparison.unexamined.drain(..).filter(|it| !answer.unexamined.contains(it)).collect::<Vec<_>>();
        answer.unexamined.extend(new);
        answer.cost.bytes_read = answer.cost.bytes_read.saturating_add(comparison.cost.bytes_read);
        found.push(FingerprintMatch {
            reference: reference.name.clone(),
            relation: comparison.weights.relation,
            log10_p: comparison.weights.log10_p,
            p_kind: comparison.weights.p_kind,
            rule: comparison.weights.rule,
            reasons: comparison.weights.reasons,
        });
    }
    Ok(found)
}

fn rank(relation: It) -> u8 {
    match relation {
        It::Identical => 0,
        It::Derived => 1,
        It::ComponentDerived => 2,
        It::SharedInit => 3,
        It::Undetermined => 4,
        It::Independent => 5,
        It::Unexamined => 6,
    }
}
