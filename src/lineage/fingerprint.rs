//! Fingerprints: what is kept of a reference, so that a model can be held against it without its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::bytes::{Place, limits, sha256};
use crate::catalog::Catalog;
use crate::checkpoint;
use crate::checkpoint::{Checkpoint, Data};
use crate::fact::{FingerprintMatch, Identification, ModelName, Origin, Unexamined, Weights};
use crate::lineage::towers::Towers;
use crate::lineage::unexamined::{not_examined, not_read};
use crate::lineage::{Error, Look, Model, adapters};
use crate::tokenizer::{Vocabulary, learned};
use crate::weights::{About, Fingerprint, Finite, Net, Plan, Room, Unreadable, Watch, relate, with_towers};

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
    let (tokens, mut unexamined) = match Tokens::of(model).0 {
        Ok(vocabulary) => (Some(chosen(&vocabulary)), Vec::new()),
        Err(why) => (None, why.into_iter().collect()),
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

/// The vocabulary of a subject, read once for however many fingerprints; or why it has none.
pub(super) struct Tokens(Result<Vocabulary, Option<Unexamined>>);

impl Tokens {
    pub(super) fn of(subject: &Model) -> Self {
        match subject.place.as_deref().map(Vocabulary::read) {
            Some(read) => Self(read.map_err(Some)),
            None => Self(Err(None)),
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.0.as_ref().map_or(0, |it| it.bytes_read)
    }

    /// The ids of the subject's tokens with the rows of a fingerprint that are the same token. Where either side has no
    /// vocabulary, the same ids are taken to be the same tokens, and the reason is told.
    fn shared_rows(&self, kept: &Fingerprint) -> (Vec<(u32, u32)>, Option<Unexamined>) {
        let by_id = || kept.about.token_ids.iter().copied().zip(0..).collect();
        let told = |detail: &str| Some(not_examined("tokenizer", "fingerprint", detail));
        match (kept.tokens(), &self.0) {
            (None, _) => (
                by_id(),
                told(&format!("the fingerprint of {} has no token texts: rows were paired by id", kept.about.name)),
            ),
            (Some(_), Err(why)) => (by_id(), why.clone()),
            (Some(texts), Ok(vocabulary)) => {
                let ids: BTreeMap<&[u8], u32> = learned(vocabulary).into_iter().collect();
                let mut pairs: Vec<(u32, u32)> =
                    texts.iter().filter_map(|(text, row)| Some((*ids.get(text.as_slice())?, *row))).collect();
                pairs.sort_unstable();
                let detail = "a fingerprint keeps some tokens and no vocabulary, so vocabularies were not compared";
                (pairs, told(detail))
            }
        }
    }
}

/// What weights say of a model and a fingerprint, and what is not in one.
///
/// # Errors
/// A file of the model that cannot be read.
pub(super) fn held(
    (subject, data, finite, net): (&Model, &Data, &Finite<'_>, &Net<'_>),
    towers: &Towers,
    tokens: &Tokens,
    kept: &Fingerprint,
    plan: Plan,
    watch: &dyn Watch,
) -> Result<(Weights, Vec<Unexamined>), checkpoint::Error> {
    let (shared, why) = tokens.shared_rows(kept);
    let weights = if data.checkpoint().adapter.is_some() {
        adapters::against_fingerprint()
    } else {
        // Each list of layers is one more chance to find something.
        let plan = Plan { references: plan.references.saturating_mul(1 + towers.comparisons()), ..plan };
        let held = (Some(shared.as_slice()), plan, watch);
        let theirs = kept.net();
        let weights = relate(net, &theirs, held.0, plan, watch)?;
        let beside = towers.relate((finite, finite), &theirs, held)?;
        with_towers(weights, subject.blueprint.main_list(), beside)
    };
    let left_out = format!(
        "{} is a fingerprint: attention, single numbers and most units and tokens are not in it, and a rotated stream shows \
         only where it keeps more tokens than the stream has dimensions; compare with the model's own files to have all of it",
        kept.about.name
    );
    let left_out = not_examined("weights", "fingerprint", &left_out);
    Ok((weights, why.into_iter().chain([left_out]).collect()))
}

impl Model {
    /// Whether a described file is a fingerprint, and if so, the model that it stands for.
    pub(super) fn from_fingerprint(
        location: &str,
        checkpoint: &Checkpoint,
        place: &Arc<dyn Place>,
    ) -> Option<Result<Self, Error>> {
        let file = place.single().filter(|_| checkpoint.metadata.contains_key(Fingerprint::KEY))?.to_owned();
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
            metadata: std::collections::BTreeMap::new(),
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

fn no_fingerprint() -> Unreadable {
    Unreadable::Other("its metadata does not say that it is one".to_owned())
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
    look: &Look<'_>,
) -> Result<(), checkpoint::Error> {
    let Some(data) = model.data()?.filter(|_| !library.is_empty()) else { return Ok(()) };
    let finite = Finite::new(&data);
    let net = Net::new(&model.blueprint, &finite);
    let (tokens, towers) = (Tokens::of(model), Towers::beside(&model.blueprint));
    answer.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    for (at, reference) in library.iter().enumerate() {
        let Some(kept) = &reference.fingerprint else { continue };
        look.watch.tell("fingerprints", at, library.len());
        let plan = Plan { references: library.len(), ..look.plan(model, reference) };
        let sides = (model, &data, &finite, &net);
        let (weights, unexamined) = held(sides, &towers, &tokens, kept, plan, look.watch)?;
        // Much the same is said of every fingerprint.
        let new: Vec<_> = unexamined.into_iter().filter(|it| !answer.unexamined.contains(it)).collect();
        answer.unexamined.extend(new);
        answer.fingerprints.push(FingerprintMatch {
            reference: reference.name.clone(),
            relation: weights.relation,
            log10_p: weights.log10_p,
            p_kind: weights.p_kind,
            rule: weights.rule,
            reasons: weights.reasons,
        });
    }
    // No test of adapters was run: what one leaves open is said by the answer itself.
    answer.unexamined.extend(not_read(model, &data, &finite, &net).into_iter().filter(|it| it.why != "adapter"));
    let read = data.bytes_read().saturating_add(tokens.bytes_read());
    answer.cost.bytes_read = answer.cost.bytes_read.saturating_add(read);
    answer.fingerprints.sort_by(|a, b| {
        let p = |it: &FingerprintMatch| it.log10_p.unwrap_or(0.0);
        let by_name = || a.reference.name.cmp(&b.reference.name);
        b.relation.closeness().cmp(&a.relation.closeness()).then(p(a).total_cmp(&p(b))).then_with(by_name)
    });
    Ok(())
}
