//! Fingerprints: what is kept of a reference, so that a model can be held against it without its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blueprint::{Blueprint, Config};
use crate::bytes::{Place, limits, sha256};
use crate::checkpoint;
use crate::checkpoint::{Checkpoint, Data};
use crate::fact::{FingerprintMatch, Identification, ModelName, Origin, Unexamined, Weights, WeightsRelation};
use crate::lineage::towers::Towers;
use crate::lineage::unexamined::{not_examined, not_read};
use crate::lineage::{Error, Look, Model, adapters};
use crate::tokenizer::{Vocabulary, learned};
use crate::weights::{
    About, Effort, Fingerprint, Finite, Net, Plan, Room, Rows, Unreadable, Watch, relate, relate_rows, with_towers,
};

/// A vocabulary of more bytes than this is left out of a fingerprint of rows, whose tokens are then known by their ids.
const VOCABULARY: u64 = 12_000_000;

/// Files that a vocabulary may be read from.
const VOCABULARIES: [&str; 6] =
    ["tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "tiktoken.model", "qwen.tiktoken"];

/// Takes the fingerprint of a model, with what could not be kept.
///
/// # Errors
/// A model without weights, or a file of it that cannot be read.
pub fn fingerprint(model: &Model) -> Result<(Fingerprint, Vec<Unexamined>), Error> {
    taken(model, |net, tokens, about| Fingerprint::take(net, &model.blueprint, tokens, about, Room::of(net.hidden())))
}

/// Takes one of rows alone, at places that a salt says: what a server gives in ranges. `license` is what its card
/// names.
///
/// # Errors
/// A model without weights, or a file of it that cannot be read.
pub fn fingerprint_of_rows(
    model: &Model,
    salt: &str,
    license: Option<String>,
) -> Result<(Fingerprint, Vec<Unexamined>), Error> {
    let parameters = model.blueprint.parameters().unwrap_or(0);
    let rows = Rows::of(parameters, model.data_bytes.unwrap_or(0), salt);
    taken(model, |net, tokens, about| {
        Fingerprint::take_rows(net, &model.blueprint, tokens, About { license: license.clone(), ..about }, &rows)
    })
}

/// Ids of tokens with their texts.
type Texts = Option<Vec<(u32, Vec<u8>)>>;

fn taken(
    model: &Model,
    take: impl Fn(&Net<'_>, Texts, About) -> Result<Fingerprint, checkpoint::Error>,
) -> Result<(Fingerprint, Vec<Unexamined>), Error> {
    let none = || Error::NoWeights { name: model.name.name.clone() };
    let data = model.data()?.ok_or_else(none)?;
    if data.checkpoint().adapter.is_some() {
        return Err(none());
    }
    let finite = Finite::new(&data);
    let net = Net::new(&model.blueprint, &finite);
    let (tokens, mut unexamined) = match vocabulary(model) {
        Ok(vocabulary) => (Some(chosen(&vocabulary)), Vec::new()),
        Err(why) => (None, why.into_iter().collect()),
    };
    let name = &model.name;
    let about = About::named(&name.name, &name.location, name.revision.clone(), model.data_bytes);
    let taken = take(&net, tokens, about)?;
    if taken.kept_rows() == 0 {
        return Err(none());
    }
    unexamined.extend(not_read(model, &data, &finite, &net));
    Ok((taken, unexamined))
}

/// The vocabulary of a model; of one at an address only where it is small, since the rest of a fingerprint is.
fn vocabulary(model: &Model) -> Result<Vocabulary, Option<Unexamined>> {
    let far = model.place.as_deref().filter(|it| it.local().is_none());
    let length = |place: &dyn Place, name: &str| place.open(name).map(|it| it.len()).unwrap_or(0);
    let there = |place: &&dyn Place| {
        VOCABULARIES.iter().filter(|it| place.holds(it)).map(|it| length(*place, it)).max().unwrap_or(0)
    };
    match far.as_ref().map(there).filter(|it| *it > VOCABULARY) {
        Some(bytes) => {
            let detail = format!("a vocabulary of {bytes} bytes was not fetched: tokens are known by their ids alone");
            Err(Some(not_examined("tokenizer", "fingerprint", &detail)))
        }
        None => Tokens::of(model).0,
    }
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
    } else if kept.is_rows() {
        relate_rows(net, kept, Some(&shared), plan, watch)?
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
        "{} is a fingerprint: attention, single numbers and most units and tokens are not in it, and a rotated stream \
         shows only where it keeps more tokens than the stream has dimensions; compare with the model's own files to \
         have all of it",
        kept.about.name
    );
    let left_out = not_examined("weights", "fingerprint", &left_out);
    Ok((weights, why.into_iter().chain([left_out]).collect()))
}

/// What weights say of a fingerprint and a model whose files are at hand: the tests have no side, and what is reported
/// of the way from the one to the other is left out, since it would be the way back.
///
/// # Errors
/// A file of the model that cannot be read.
pub(super) fn held_back(
    kept: &Fingerprint,
    reference: &Model,
    data: &Data,
    plan: Plan,
    watch: &dyn Watch,
) -> Result<(Weights, Vec<Unexamined>), checkpoint::Error> {
    let finite = Finite::new(data);
    let net = Net::new(&reference.blueprint, &finite);
    let tokens = Tokens::of(reference);
    let sides = (reference, data, &finite, &net);
    let towers = Towers::beside(&reference.blueprint);
    let (weights, mut unexamined) = held(sides, &towers, &tokens, kept, plan, watch)?;
    let weights = Weights {
        recipe: Vec::new(),
        disguises: Vec::new(),
        layer_map: Vec::new(),
        expert_map: Vec::new(),
        kept_units: Vec::new(),
        token_map: None,
        novelty: None,
        power: None,
        ..weights
    };
    unexamined.push(not_examined(
        "weights",
        "fingerprint",
        &format!("{} is the subject and a fingerprint: how it came from the reference is not told", kept.about.name),
    ));
    unexamined.extend(not_read(reference, data, &finite, &net));
    Ok((weights, unexamined))
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
            stated_names: Vec::new(),
            findings: Vec::new(),
            bytes_read: kept.bytes,
            metadata: std::collections::BTreeMap::new(),
            place: None,
            fingerprint: Some(Arc::new(kept)),
        }
    }
}

/// A fingerprint of a library as its header has it; its numbers are read when they are needed, so that a library of any
/// size takes no memory.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The model that it is of.
    pub name: ModelName,
    /// Where it is.
    pub path: PathBuf,
    /// Size of its file.
    pub bytes: u64,
    /// Parameters of its model.
    pub parameters: Option<u64>,
    /// The license that the model's card names.
    pub license: Option<String>,
    /// `unshell-fingerprint/1` or `/2`.
    pub format: String,
    /// SHA-256 of its numbers.
    pub sha256: String,
    /// Size of the stream, and units of the widest block.
    pub sizes: (u64, u64),
}

impl Kept {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// A file that is no fingerprint.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let unusable = |reason| Error::Fingerprint { path: path.to_owned(), reason };
        let unread = |error: std::io::Error| unusable(Unreadable::Other(error.to_string()));
        let mut file = std::fs::File::open(path).map_err(unread)?;
        let bytes = file.metadata().map_err(unread)?.len();
        let about = Fingerprint::describe(&mut file).map_err(unusable)?;
        let width = about.layers.iter().flat_map(|it| &it.blocks).map(|it| it.width).max().unwrap_or(0);
        let sizes = (about.hidden, width);
        let config = Config::from_fields(about.config.iter().map(|(name, value)| (name.clone(), value.clone())));
        let parameters = Blueprint::from_templates(about.templates.clone(), config).parameters();
        let name = ModelName {
            name: about.name,
            location: path.to_string_lossy().into_owned(),
            origin: Origin::Fingerprint,
            revision: about.revision,
        };
        let (license, format, sha256) = (about.license, about.format, about.sha256);
        Ok(Self { name, path: path.to_owned(), bytes, parameters, license, format, sha256, sizes })
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// A file that cannot be read, or was changed.
    pub fn read(&self) -> Result<Fingerprint, Error> {
        let unusable = |reason| Error::Fingerprint { path: self.path.clone(), reason };
        let bytes = crate::bytes::read_whole(&self.path, limits::FINGERPRINT)
            .map_err(|it| unusable(Unreadable::Other(it.to_string())))?;
        Fingerprint::from_bytes(&bytes).map_err(unusable)
    }
}

/// Every fingerprint of a library, in the order of their file names; and files that are none, with the reason.
///
/// # Errors
/// A folder that cannot be listed.
pub fn library(folder: &Path) -> Result<(Vec<Kept>, Vec<Error>), Error> {
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
    let (mut kept, mut errors) = (Vec::new(), Vec::new());
    for path in names {
        match Kept::of_file(&path) {
            Ok(it) => kept.push(it),
            Err(error) => errors.push(error),
        }
    }
    Ok((kept, errors))
}

/// The ending of a fingerprint's file.
pub const ENDING: &str = "fingerprint";

/// So many fingerprints are looked at further than at the places of their rows: those that are likeliest by sizes and
/// by what their places show.
const NEAREST: usize = 5;

/// Holds a model against every fingerprint, with p-values corrected for their number. Each is
/// looked at in its place first; the few that are nearest by size are then looked for at other places too. Related ones
/// come first, the surest first. A model without weights is compared with none.
///
/// Gives the fingerprints that could not be used, each with the reason; they are among what was not examined too.
///
/// # Errors
/// A file of the model that cannot be read.
pub fn look_up(
    answer: &mut Identification,
    model: &Model,
    library: &[Kept],
    look: &Look<'_>,
) -> Result<Vec<Error>, Error> {
    let Some(data) = model.data()?.filter(|_| !library.is_empty()) else { return Ok(Vec::new()) };
    let finite = Finite::new(&data);
    let net = Net::new(&model.blueprint, &finite);
    let (tokens, towers) = (Tokens::of(model), Towers::beside(&model.blueprint));
    let looking = LookingUp {
        sides: (model, &data, &finite, &net),
        towers: &towers,
        tokens: &tokens,
        references: library.len().max(look.references),
        look,
    };
    answer.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    let (mut found, unusable) = looking.in_place(library, answer)?;
    looking.elsewhere(model, &mut found, answer)?;
    answer.fingerprints.extend(found.into_iter().map(|it| it.1));
    // No test of adapters was run: what one leaves open is said by the answer itself.
    answer.unexamined.extend(not_read(model, &data, &finite, &net).into_iter().filter(|it| it.why != "adapter"));
    let read = data.bytes_read().saturating_add(tokens.bytes_read());
    answer.cost.bytes_read = answer.cost.bytes_read.saturating_add(read);
    answer.fingerprints.sort_by(|a, b| {
        let p = |it: &FingerprintMatch| it.log10_p.unwrap_or(0.0);
        let by_name = || a.reference.name.cmp(&b.reference.name);
        b.relation.closeness().cmp(&a.relation.closeness()).then(p(a).total_cmp(&p(b))).then_with(by_name)
    });
    Ok(unusable)
}

/// A fingerprint of a library with what was found.
type Found<'k> = (&'k Kept, FingerprintMatch);

/// A model that is compared with a library.
struct LookingUp<'a> {
    sides: (&'a Model, &'a Data, &'a Finite<'a>, &'a Net<'a>),
    towers: &'a Towers,
    tokens: &'a Tokens,
    references: usize,
    look: &'a Look<'a>,
}

impl LookingUp<'_> {
    /// Every fingerprint at the places of its rows, one in memory at a time.
    fn in_place<'k>(
        &self,
        library: &'k [Kept],
        answer: &mut Identification,
    ) -> Result<(Vec<Found<'k>>, Vec<Error>), Error> {
        let (mut all, mut unusable) = (Vec::new(), Vec::new());
        for (at, kept) in library.iter().enumerate() {
            self.look.watch.tell("fingerprints", at, library.len());
            match kept.read() {
                Ok(fingerprint) => all.push((kept, self.one(kept, &fingerprint, Effort::Quick, answer)?)),
                Err(error) => {
                    let why = not_examined("weights", "fingerprint-unusable", &error.to_string());
                    answer.unexamined.push(why);
                    unusable.push(error);
                }
            }
        }
        Ok((all, unusable))
    }

    /// Those that are nearest and not decided, at other places too.
    fn elsewhere(&self, model: &Model, found: &mut [Found<'_>], answer: &mut Identification) -> Result<(), Error> {
        let size = |name: &str| model.blueprint.dimension(name).unwrap_or(0);
        let (hidden, width) = (size("hidden"), size("ffn").max(size("expert_ffn")));
        let mut open: Vec<usize> =
            (0..found.len()).filter(|it| found[*it].1.relation == WeightsRelation::Undetermined).collect();
        let key = |at: &usize| {
            let (kept, found) = &found[*at];
            let apart = u8::from(kept.sizes.0 != hidden) + u8::from(kept.sizes.1 != width);
            (apart, found.log10_p.unwrap_or(0.0), kept.path.clone())
        };
        open.sort_by(|one, other| {
            let (one, other) = (key(one), key(other));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)).then_with(|| one.2.cmp(&other.2))
        });
        for (at, idx) in open.iter().take(NEAREST).enumerate() {
            self.look.watch.tell("nearest fingerprints", at, open.len().min(NEAREST));
            let kept = found[*idx].0;
            found[*idx].1 = self.one(kept, &kept.read()?, Effort::Standard, answer)?;
        }
        if open.len() > NEAREST {
            let detail = format!(
                "{} of {} fingerprints were compared at the places of their rows alone: units that were moved \
                 there would not be seen",
                open.len() - NEAREST,
                found.len()
            );
            answer.unexamined.push(not_examined("weights", "fingerprints-in-place", &detail));
        }
        Ok(())
    }

    fn one(
        &self,
        kept: &Kept,
        fingerprint: &Fingerprint,
        effort: Effort,
        answer: &mut Identification,
    ) -> Result<FingerprintMatch, Error> {
        let plan = Plan { effort, goes_on: false, references: self.references };
        let (weights, unexamined) = held(self.sides, self.towers, self.tokens, fingerprint, plan, self.look.watch)?;
        // Much the same is said of every fingerprint.
        let new: Vec<_> = unexamined.into_iter().filter(|it| !answer.unexamined.contains(it)).collect();
        answer.unexamined.extend(new);
        Ok(FingerprintMatch {
            reference: kept.name.clone(),
            relation: weights.relation,
            log10_p: weights.log10_p,
            p_kind: weights.p_kind,
            rule: weights.rule,
            reasons: weights.reasons,
        })
    }
}
