//! Which catalogue entries a model is built like: ranked by how much all that is known speaks for each, ties reported
//! as ties.
//!
//! Form is names, shapes and configuration. A match says that a model is built like an entry, never that it has the
//! entry's weights; and no match says only that nothing in the catalogue is built like it. The score and its
//! assumptions:
//! `likelihood`.

use std::collections::BTreeSet;

use crate::blueprint::{Blueprint, compare_blueprints};
use crate::catalog::{Catalog, Entry, SCHEME};
use crate::fact::{Closeness, Identification, Match, NameOrigin};
use crate::lineage::Model;
use crate::lineage::closeness::{closeness, closeness_by_names};
use crate::lineage::likelihood::{Background, Beside, Scored, StatedNames, Traits, score};
use crate::lineage::present::held;
use crate::lineage::unexamined::{not_examined, unexamined};

/// Two entries whose scores are nearer than this are not distinguished: a factor of two.
const TIE: f64 = 1.0;

/// How near a stated size must be to that of an entry: one in a hundred, since files hold buffers and odd element
/// types.
const BYTES_APART: f64 = 0.01;

/// Looks a model up; lists at most `limit` matches, but always says how many there are.
pub fn identify(model: &Model, catalog: &Catalog, limit: usize) -> Identification {
    let looking = Looking::new(catalog);
    let names = StatedNames::look_up(&model.stated_names, catalog);
    let mut matches = looking.rank(&model.blueprint, &names, model.stated_bytes);
    let matched = matches.len() as u64;
    let outcome = if matches.is_empty() && says_too_little(&model.blueprint) {
        "undetermined".to_owned()
    } else {
        outcome(&matches).to_owned()
    };
    let families = families(&matches, catalog);
    matches.truncate(limit);
    Identification {
        schema: "unshell/identify/1".to_owned(),
        model: model.name.clone(),
        outcome,
        matches,
        matched,
        families,
        origins: Vec::new(),
        fingerprints: Vec::new(),
        catalog: catalog.reach(),
        unexamined: unexamined(model, None),
        cost: model.cost(),
    }
}

/// Asks the hub that a model lies on where it comes from, and puts that into an answer; of files on this machine
/// nothing is asked. A hub that does not answer is reported in `unexamined`.
pub fn ask_origins(answer: &mut Identification, model: &Model, catalog: &Catalog) {
    let Some(place) = model.place.as_deref().filter(|it| it.local().is_none()) else { return };
    match place.origins() {
        Ok(found) => answer.origins.extend(found.into_iter().map(|it| NameOrigin {
            entry: catalog.find(&it.name).map(reference),
            name: it.name,
            how: it.how.to_owned(),
            said_of: it.said_of,
        })),
        Err(error) => answer.unexamined.push(not_examined("names", "hub-silent", &error.to_string())),
    }
}

/// How many houses have an entry of this form: whose design it is counts once, however many models it has.
fn families(matches: &[Match], catalog: &Catalog) -> u64 {
    let is_same = |it: &&Match| !matches!(it.closeness, Closeness::OtherDimensions | Closeness::OtherDepth);
    let houses: BTreeSet<&str> =
        matches.iter().filter(is_same).filter_map(|it| catalog.find(&it.reference)).map(Entry::lineage).collect();
    houses.len() as u64
}

/// Whether names are all that is known of a model, and some of them say nothing.
fn says_too_little(blueprint: &Blueprint) -> bool {
    blueprint.is_by_names() && blueprint.seen_parts().iter().any(|it| it.roles.is_empty())
}

/// All entries that can be compared, as shapes show them and as their configurations state them.
pub(super) struct Looking<'a> {
    entries: Vec<Known<'a>>,
    by_shapes: Background,
    by_config: Background,
}

/// One entry.
struct Known<'a> {
    entry: &'a Entry,
    blueprint: &'a Blueprint,
    by_shapes: Traits,
    by_config: Traits,
}

impl<'a> Looking<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        let known = |entry: &'a Entry| {
            let blueprint = entry.blueprint()?;
            let (by_shapes, by_config) = (Traits::of(blueprint), Traits::as_indexed(blueprint));
            Some(Known { entry, blueprint, by_shapes, by_config })
        };
        let entries: Vec<Known<'_>> = catalog.entries().iter().filter_map(known).collect();
        let by_shapes = Background::of(entries.iter().map(|it| (it.entry.lineage(), &it.by_shapes)));
        let by_config = Background::of(entries.iter().map(|it| (it.entry.lineage(), &it.by_config)));
        Self { entries, by_shapes, by_config }
    }

    /// All entries that a model is like, best first.
    fn rank(&self, blueprint: &Blueprint, names: &StatedNames, bytes: Option<u64>) -> Vec<Match> {
        let subject = Traits::of(blueprint);
        let scored = self.scored(&subject, names, bytes.and_then(|it| Bytes::new(it, &subject, blueprint)).as_ref());
        let ranks = ranks(&scored);
        let tied = |idx: usize| {
            let others = (0..ranks.len()).filter(|it| *it != idx && ranks[*it] == ranks[idx]);
            others.map(|it| reference(scored[it].0.entry)).collect()
        };
        let tied: Vec<Vec<String>> = (0..ranks.len()).map(tied).collect();
        let matches = scored.into_iter().zip(tied).zip(ranks);
        matches.map(|(((known, scored), tied), rank)| matched(blueprint, &subject, known, scored, rank, tied)).collect()
    }

    /// The entries that a model is like with their scores, likeliest first; of equal ones the older release first.
    fn scored(&self, subject: &Traits, names: &StatedNames, bytes: Option<&Bytes>) -> Vec<(&Known<'a>, Scored)> {
        let bytes = bytes.filter(|_| subject.is_by_names);
        let share = bytes.map_or(0.0, |it| self.share(it));
        let background = if subject.is_by_names { &self.by_config } else { &self.by_shapes };
        let look = |known: &Known<'a>| {
            let beside = Beside {
                named: names.of(known.entry.id()),
                bytes_agree: bytes.and_then(|it| it.agrees(known)),
                bytes_background: share,
                entry_predicts: known.entry.prediction_layers().is_some(),
            };
            score(subject, known.traits(subject), &beside, background)
        };
        let scored = self.entries.iter().map(|it| (it, look(it)));
        let mut scored: Vec<(&Known<'_>, Scored)> = scored.filter(|it| is_like(&it.1)).collect();
        scored.sort_by(|(left, ours), (right, theirs)| {
            let by_bits = theirs.bits().total_cmp(&ours.bits());
            by_bits.then_with(|| left.order().cmp(&right.order()))
        });
        scored
    }

    /// Every entry that can be compared, with its traits and its bits.
    pub(super) fn all(&self, subject: &Traits, names: &StatedNames) -> Vec<(&'a Entry, &Traits, f64)> {
        let background = if subject.is_by_names { &self.by_config } else { &self.by_shapes };
        let look = |known: &Known<'a>| {
            let beside = Beside {
                named: names.of(known.entry.id()),
                entry_predicts: known.entry.prediction_layers().is_some(),
                ..Beside::default()
            };
            score(subject, known.traits(subject), &beside, background).bits()
        };
        self.entries.iter().map(|it| (it.entry, it.traits(subject), look(it))).collect()
    }

    /// The share of houses that have an entry of a stated size.
    fn share(&self, bytes: &Bytes) -> f64 {
        let house = |it: &&Known<'_>| it.entry.lineage().to_owned();
        let all: BTreeSet<String> = self.entries.iter().map(|it| house(&it)).collect();
        let having: BTreeSet<String> =
            self.entries.iter().filter(|it| bytes.agrees(it) == Some(true)).map(|it| house(&it)).collect();
        (having.len() as f64 + 0.5) / (all.len() as f64 + 1.0)
    }
}

/// Whether an entry is worth a line: all that is known speaks for it, and another size of its design is made of the
/// same parts. What shares a few words and sizes with an entry is no relative.
fn is_like(scored: &Scored) -> bool {
    scored.bits() > 0.0 && (!scored.is_other_size() || scored.groups_apart == 0)
}

impl Known<'_> {
    /// What is known of it in the way in which the subject is known.
    fn traits(&self, subject: &Traits) -> &Traits {
        if subject.is_by_names { &self.by_config } else { &self.by_shapes }
    }

    /// The order of those that nothing else distinguishes; one without a date comes last.
    fn order(&self) -> (&str, &str) {
        (self.entry.released().map_or("9999", |it| it.date.as_str()), self.entry.id())
    }
}

/// Ranks of sorted scores: what is within a bit of the first of a group is not distinguished from it.
fn ranks(scored: &[(&Known<'_>, Scored)]) -> Vec<u64> {
    let mut firsts: Vec<usize> = Vec::with_capacity(scored.len());
    for (idx, (_, own)) in scored.iter().enumerate() {
        let first = firsts.last().copied().filter(|it| scored[*it].1.bits() - own.bits() < TIE);
        firsts.push(first.unwrap_or(idx));
    }
    firsts.into_iter().map(|it| it as u64 + 1).collect()
}

fn reference(entry: &Entry) -> String {
    format!("{SCHEME}{}", entry.id())
}

/// The size of all data that an index states.
struct Bytes {
    stated: u64,
    vocabulary: Option<u64>,
    layers: Option<u64>,
}

/// Bytes of a value: a list says which of them only where a configuration is beside it, and that is often wrong.
const WIDTHS: [f64; 3] = [1.0, 2.0, 4.0];

impl Bytes {
    /// None for a quantized model: how large that is says nothing without its scheme.
    fn new(stated: u64, subject: &Traits, blueprint: &Blueprint) -> Option<Self> {
        let is_plain = blueprint.config().get("quantization_config").is_none();
        is_plain.then(|| Self { stated, vocabulary: subject.vocabulary, layers: subject.size("layers") })
    }

    /// Whether an entry with this model's vocabulary is of that size; `None` if its depth is another.
    fn agrees(&self, known: &Known<'_>) -> Option<bool> {
        let design = known.entry.design()?;
        if self.layers.is_none() || self.layers != known.by_config.size("layers") {
            return None;
        }
        let rows =
            |role: &str| known.by_shapes.parts.iter().filter(|it| it.roles == [role]).map(|it| it.elements).sum();
        let (embedding, head): (u64, u64) = (rows("token_embedding"), rows("output"));
        let body = design.parameters.saturating_sub(embedding).saturating_sub(head);
        let scale =
            self.vocabulary.zip(known.by_shapes.vocabulary).map_or(1.0, |(ours, theirs)| ours as f64 / theirs as f64);
        let of_text = body as f64 + (embedding + head) as f64 * scale;
        let prediction = known.entry.prediction_layers().map_or(0, |it| it.parameters);
        let sizes = [of_text, of_text + prediction as f64];
        let is_near = |size: f64| (size - self.stated as f64).abs() <= BYTES_APART * self.stated as f64;
        Some(WIDTHS.iter().any(|width| sizes.iter().any(|it| is_near(it * width))))
    }
}

/// One entry that a model is like, with everything that is said of it.
fn matched(
    blueprint: &Blueprint,
    subject: &Traits,
    known: &Known<'_>,
    scored: Scored,
    rank: u64,
    tied_with: Vec<String>,
) -> Match {
    let form = compare_blueprints(blueprint, known.blueprint);
    let entry = known.traits(subject);
    let held = held(&subject.parts, &entry.parts);
    let closeness = match subject.is_by_names {
        true => closeness_by_names(&held, &scored, subject, entry),
        false => closeness(&form, &held, subject, entry),
    };
    Match {
        reference: reference(known.entry),
        relation: form.relation,
        same_dimensions: form.same_dimensions,
        closeness,
        rank,
        tied_with,
        release_date: known.entry.released().map(|it| it.date.clone()),
        differences: form.differences.len() as u64,
        score: Some(scored.into_score()),
        present: Some(held.present),
        additions: held.additions,
        missing: held.missing,
    }
}

fn outcome(matches: &[Match]) -> &'static str {
    match matches.first() {
        None => "no entry",
        Some(first) if first.closeness == Closeness::OtherDimensions => "family only",
        Some(first) if first.tied_with.is_empty() => "one entry",
        Some(_) => "tied entries",
    }
}

#[cfg(test)]
mod tests;
