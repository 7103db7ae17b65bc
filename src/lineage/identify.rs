//! Which catalogue entries a model is built like: ranked by how much all that is known speaks for each, ties told as ties.
//!
//! Form is names, shapes and configuration. A match says that a model is built like an entry, never that it has the entry's
//! weights; and no match says only that nothing in the catalogue is built like it. The score and its assumptions:
//! `likelihood`.

use std::collections::BTreeSet;

use crate::blueprint::{Blueprint, compare_blueprints};
use crate::catalog::{Catalog, Entry, SCHEME};
use crate::fact::{Closeness, Difference, Form, FormRelation, Identification, Match, NameOrigin};
use crate::lineage::Model;
use crate::lineage::likelihood::{Background, Beside, Scored, StatedNames, Traits, score};
use crate::lineage::present::{Held, held};
use crate::lineage::unexamined::{not_examined, unexamined};

/// Two entries whose scores are nearer than this are not told apart: a factor of two.
const TIE: f64 = 1.0;

/// How near a stated size must be to that of an entry: one in a hundred, since files hold buffers and odd element types.
const BYTES_APART: f64 = 0.01;

/// The share of an entry's tensors from which the rest of a model counts as put beside it.
const WHOLE: f64 = 0.995;

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

/// Asks the hub that a model lies on where it comes from, and puts that into an answer; of files on this machine nothing is
/// asked. A hub that does not answer is told in `unexamined`.
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

/// Whether an entry is worth a line: all that is known speaks for it, and another size of its design is made of the same
/// parts. What shares a few words and sizes with an entry is no relative.
fn is_like(scored: &Scored) -> bool {
    scored.bits() > 0.0 && (!scored.is_other_size() || scored.groups_apart == 0)
}

impl Known<'_> {
    /// What is known of it in the way in which the subject is known.
    fn traits(&self, subject: &Traits) -> &Traits {
        if subject.is_by_names { &self.by_config } else { &self.by_shapes }
    }

    /// The order of those that nothing else tells apart; one without a date comes last.
    fn order(&self) -> (&str, &str) {
        (self.entry.released().map_or("9999", |it| it.date.as_str()), self.entry.id())
    }
}

/// Ranks of sorted scores: what is within a bit of the first of a group is not told apart from it.
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

    /// Whether an entry with this model's vocabulary is of that size; none where its depth is another.
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
        score: Some(scored.told()),
        present: Some(held.present),
        additions: held.additions,
        missing: held.missing,
    }
}

/// How near the shapes of a match are.
fn closeness(form: &Form, held: &Held, subject: &Traits, entry: &Traits) -> Closeness {
    let by_form = closeness_of_form(form);
    if by_form != Closeness::OtherDimensions && form.relation != FormRelation::Different {
        return by_form;
    }
    let is_whole = held.missing.is_empty() && held.present.values.is_some_and(|it| it >= WHOLE);
    if is_whole && subject.size("layers") == entry.size("layers") {
        return Closeness::Additions;
    }
    if held.is_same_layer && subject.size("layers") != entry.size("layers") && has_same_sizes(subject, entry) {
        return Closeness::OtherDepth;
    }
    Closeness::OtherDimensions
}

/// Whether all sizes that both sides have are equal but for the depth.
fn has_same_sizes(subject: &Traits, entry: &Traits) -> bool {
    subject.sizes().all(|(name, size)| name == "layers" || entry.size(name).is_none_or(|it| it == size))
}

fn closeness_of_form(form: &Form) -> Closeness {
    let is_vocabulary = |it: &&Difference| it.item == "vocab" && matches!(it.kind.as_str(), "dimension" | "vocabulary");
    let (vocabulary, others): (Vec<_>, Vec<_>) =
        form.differences.iter().filter(|it| is_of_shape(it)).partition(is_vocabulary);
    let is_padded = || form.normalised.iter().any(|it| it.kind == "vocabulary-padding");
    match (others.is_empty(), vocabulary.first()) {
        (false, _) => Closeness::OtherDimensions,
        (true, Some(difference)) if difference.kind == "dimension" => Closeness::OtherVocabulary,
        (true, Some(_)) => Closeness::PaddedVocabulary,
        (true, None) if is_padded() => Closeness::PaddedVocabulary,
        (true, None) if form.same_dimensions => Closeness::SameShapes,
        (true, None) => Closeness::OtherDimensions,
    }
}

/// The same, where no shape was there to be seen: `same` only where nothing that is known contradicts it.
fn closeness_by_names(held: &Held, scored: &Scored, subject: &Traits, entry: &Traits) -> Closeness {
    let has_head = |it: &Traits| it.roles.contains("output");
    let lone_heads = usize::from(has_head(entry) && !has_head(subject));
    let is_there = held.missing.len() <= lone_heads && subject.size("hidden").is_some();
    if !is_there || scored.sizes_apart > 0 || scored.has_other_bytes || scored.is_fused_otherwise {
        Closeness::OtherDimensions
    } else if !held.additions.is_empty() && (has_head(entry) || !has_head(subject) || held.additions.len() > 1) {
        Closeness::Additions
    } else if subject.size("layers") != entry.size("layers") {
        Closeness::OtherDepth
    } else if scored.fields_apart > 0 || scored.is_called_another && subject.vocabulary == entry.vocabulary {
        Closeness::StatedOtherConfiguration
    } else if subject.vocabulary == entry.vocabulary {
        Closeness::Stated
    } else {
        Closeness::StatedOtherVocabulary
    }
}

/// Whether a difference is one of names and shapes; element types and set-aside components are not.
fn is_of_shape(difference: &Difference) -> bool {
    matches!(
        difference.kind.as_str(),
        "dimension" | "vocabulary" | "shape" | "layers" | "only-in-subject" | "only-in-reference"
    )
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
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::blueprint::{Config, SMALL_LLAMA, Template};

    fn looking() -> &'static Looking<'static> {
        static LOOKING: LazyLock<Looking<'static>> = LazyLock::new(|| Looking::new(Catalog::builtin()));
        &LOOKING
    }

    fn rank(blueprint: &Blueprint) -> Vec<Match> {
        looking().rank(blueprint, &StatedNames::default(), None)
    }

    fn ranked(id: &str) -> Vec<Match> {
        rank(Catalog::builtin().find(id).unwrap().blueprint().unwrap())
    }

    /// What is wrong with the answer for an entry, if anything.
    fn mistaken(entry: &Entry) -> Option<String> {
        let reference = format!("{SCHEME}{}", entry.id());
        let matches = ranked(entry.id());
        let own = matches.iter().find(|it| it.reference == reference);
        let is_first = own.is_some_and(|it| {
            it.rank == 1 && it.relation == FormRelation::Identical && it.closeness == Closeness::SameShapes
        });
        (!is_first).then(|| format!("{reference}: {own:?}, first {:?}", matches.first()))
    }

    /// Ids at rank 1 by score alone.
    fn first(blueprint: &Blueprint) -> BTreeSet<&'static str> {
        let subject = Traits::of(blueprint);
        let scored = looking().scored(&subject, &StatedNames::default(), None);
        let ranks = ranks(&scored);
        scored.iter().zip(ranks).filter(|it| it.1 == 1).map(|it| it.0.0.entry.id()).collect()
    }

    /// Runs over all blueprints on as many threads as there are.
    fn over_all<T: Send>(look: impl Fn(&'static Entry) -> Vec<T> + Sync) -> Vec<T> {
        let built: Vec<_> = Catalog::builtin().entries().iter().filter(|it| it.design().is_some()).collect();
        std::thread::scope(|scope| {
            let halves = built.chunks(built.len().div_ceil(2));
            let running: Vec<_> =
                halves.map(|half| scope.spawn(|| half.iter().flat_map(|it| look(it)).collect::<Vec<T>>())).collect();
            running.into_iter().flat_map(|it| it.join().unwrap()).collect()
        })
    }

    #[test]
    fn every_blueprint_ranks_itself_first() {
        let wrong = over_all(|it| mistaken(it).into_iter().collect());
        assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    }

    /// A change that companies make, by a number that stands for chance.
    type Change = fn(&mut Vec<Template>, &mut serde_json::Map<String, serde_json::Value>, u64);

    const CHANGES: [(&str, Change); 5] = [
        ("vocabulary", |templates, config, chance| rows(templates, config, |it| it / 2 + chance % (it * 2))),
        ("padding", |templates, config, chance| {
            let to = [64, 128, 256, 512][(chance % 4) as usize];
            rows(templates, config, |it| (it + 1 + chance % 40).next_multiple_of(to));
        }),
        ("prefix", |templates, _, chance| {
            let prefix = ["base_model.model.", "language_model.", "llm.", "our.own."][(chance % 4) as usize];
            templates.iter_mut().for_each(|it| it.name = format!("{prefix}{}", it.name));
        }),
        ("head", |templates, config, _| {
            templates.retain(|it| !HEADS.contains(&it.name.as_str()));
            config.insert("tie_word_embeddings".into(), true.into());
        }),
        ("layers", |templates, config, _| {
            let last = templates.iter().filter_map(|it| it.layers.last().map(|it| *it.end())).max().unwrap();
            let keep = last + 1 - (last + 1).div_ceil(10);
            for it in templates.iter_mut().filter(|it| !it.layers.is_empty()) {
                let kept = it.layers.iter().filter(|it| *it.start() < keep);
                it.layers = kept.map(|it| *it.start()..=(*it.end()).min(keep - 1)).collect();
                if it.layers.is_empty() {
                    it.shape.clear();
                }
            }
            templates.retain(|it| !it.shape.is_empty() || !it.layers.is_empty());
            config.insert("num_hidden_layers".into(), keep.into());
        }),
    ];

    const HEADS: [&str; 6] = [
        "lm_head.weight",
        "embed_out.weight",
        "output.weight",
        "head.weight",
        "transformer.output_layer.weight",
        "lm_head.bias",
    ];

    fn rows(
        templates: &mut [Template],
        config: &mut serde_json::Map<String, serde_json::Value>,
        of: impl Fn(u64) -> u64,
    ) {
        let vocabulary = templates.iter().find(|it| is_table(&it.name)).map(|it| it.shape[0]).unwrap();
        for it in templates.iter_mut().filter(|it| it.shape.first() == Some(&vocabulary) && it.layers.is_empty()) {
            it.shape[0] = of(vocabulary);
        }
        config.insert("vocab_size".into(), of(vocabulary).into());
    }

    fn is_table(name: &str) -> bool {
        ["embed", "wte", "tok_embeddings"].iter().any(|it| name.contains(it)) && !name.contains("norm")
    }

    /// Every blueprint under every change, with its configuration and without.
    #[test]
    fn changed_blueprints_rank_themselves_or_their_twins_first() {
        let outcomes = over_all(|entry| {
            let blueprint = entry.blueprint().unwrap();
            let (same, padded) = Catalog::builtin().twins(entry.id());
            let twins: BTreeSet<&str> = same.into_iter().chain(padded).chain([entry.id()]).collect();
            let seed = entry.id().bytes().fold(17_u64, |sum, it| sum.wrapping_mul(1_000_003) ^ u64::from(it)) >> 8;
            let mut outcomes = Vec::new();
            for (kind, change) in CHANGES {
                for with_config in [true, false] {
                    let mut templates = blueprint.templates().to_vec();
                    let mut config: serde_json::Map<_, _> = blueprint.config().fields().clone().into_iter().collect();
                    change(&mut templates, &mut config, seed);
                    let config = if with_config { Config::from_fields(config) } else { Config::from_fields([]) };
                    let first = first(&Blueprint::from_templates(templates, config));
                    let kind = if with_config { kind.to_owned() } else { format!("{kind}, no configuration") };
                    outcomes.push((kind, !first.is_disjoint(&twins), entry.id(), first));
                }
            }
            outcomes
        });
        let kinds: BTreeSet<&String> = outcomes.iter().map(|it| &it.0).collect();
        assert_eq!((kinds.len(), outcomes.len()), (10, 272 * 10));
        for kind in kinds {
            let of_kind: Vec<_> = outcomes.iter().filter(|it| it.0 == *kind).collect();
            let wrong: Vec<_> = of_kind.iter().filter(|it| !it.1).map(|it| format!("{} -> {:?}", it.2, it.3)).collect();
            assert!(wrong.len() * 20 <= of_kind.len(), "{kind}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
        }
    }

    fn best(matches: &[Match], rank: u64) -> BTreeSet<&str> {
        matches.iter().filter(|it| it.rank == rank).filter_map(|it| it.reference.strip_prefix(SCHEME)).collect()
    }

    #[test]
    fn ties_are_told_as_ties() {
        let plain = Blueprint::from_templates(
            Catalog::builtin().find("meta-llama/Llama-2-7b-hf").unwrap().blueprint().unwrap().templates().to_vec(),
            Config::from_fields([]),
        );
        let matches = rank(&plain);
        let twins = ["huggyllama/llama-7b", "meta-llama/Llama-2-7b-hf", "openlm-research/open_llama_7b"];
        assert_eq!(best(&matches, 1), BTreeSet::from(twins), "{:#?}", &matches[..4]);
        assert!(matches[..3].iter().all(|it| it.tied_with.len() == 2));
        assert_eq!(outcome(&matches), "tied entries");
        assert_eq!(matches[3].rank, 4);
    }

    #[test]
    fn the_same_design_in_other_dimensions_comes_before_a_similar_one() {
        let matches = ranked("moonshotai/Kimi-K2-Instruct");
        assert!(best(&matches, 1).contains("moonshotai/Kimi-K2-Instruct"));
        let other = matches.iter().find(|it| it.reference.ends_with("skt/A.X-K1")).unwrap();
        assert_eq!(other.closeness, Closeness::OtherDimensions);
        assert!(matches.iter().all(|it| !it.reference.ends_with("DeepSeek-V2")), "{matches:#?}");
    }

    #[test]
    fn another_name_ranks_after_the_own() {
        let matches = ranked("01-ai/Yi-34B@2023-11");
        assert_eq!(best(&matches, 1), BTreeSet::from(["01-ai/Yi-34B@2023-11"]));
        assert_eq!(outcome(&matches), "one entry");
        let after: BTreeSet<&str> = matches[1..3].iter().filter_map(|it| it.reference.strip_prefix(SCHEME)).collect();
        assert_eq!(after, BTreeSet::from(["01-ai/Yi-34B", "01-ai/Yi-1.5-34B"]));
        assert_eq!(matches[1].relation, FormRelation::SameUpToRenaming);
        assert_eq!(matches[1].closeness, Closeness::SameShapes);
        assert!(matches[3..].iter().all(|it| it.closeness == Closeness::OtherDimensions), "{:?}", matches[3]);
    }

    /// What is put beside a model does not hide it: DeepSeek-V3.2 is V3 with five tensors more in each layer.
    #[test]
    fn additions_are_told_apart() {
        let matches = ranked("deepseek-ai/DeepSeek-V3.2");
        let parent = matches.iter().find(|it| it.reference == "catalog:deepseek-ai/DeepSeek-V3").unwrap();
        assert_eq!(parent.closeness, Closeness::Additions);
        let present = parent.present.unwrap();
        assert_eq!((present.tensors, present.values), (1.0, Some(1.0)));
        assert_eq!((parent.additions.len(), parent.missing.len()), (5, 0), "{:?}", parent.additions);
        assert!(parent.additions.iter().all(|it| it.contains("indexer")));
    }

    /// Qwen-72B and Qwen1.5-110B state the same sizes and have other names, other biases and other weights.
    #[test]
    fn same_is_said_only_where_nothing_contradicts_it() {
        let entry = Catalog::builtin().find("Qwen/Qwen-72B").unwrap();
        let blueprint = entry.blueprint().unwrap();
        let names: Vec<String> = blueprint.placed().into_iter().map(|it| it.name).collect();
        let by_names = Blueprint::from_names(names.iter().map(String::as_str), blueprint.config().clone());
        let bytes = entry.design().unwrap().parameters * 2;
        let matches = looking().rank(&by_names, &StatedNames::default(), Some(bytes));
        assert_eq!(best(&matches, 1), BTreeSet::from(["Qwen/Qwen-72B"]));
        assert_eq!(matches[0].closeness, Closeness::Stated);
        let other = matches.iter().find(|it| it.reference.ends_with("Qwen1.5-110B"));
        assert!(other.is_none_or(|it| it.closeness == Closeness::OtherDimensions), "{other:#?}");
    }

    /// Every pair of a twin set is found as what the catalogue says it is.
    #[test]
    fn the_twins_of_the_catalogue_are_found() {
        let catalog = Catalog::builtin();
        for entry in catalog.entries().iter().filter(|it| it.design().is_some()) {
            let (same, padded) = catalog.twins(entry.id());
            let form = |id: &str| {
                let twin = catalog.find(id).unwrap();
                closeness_of_form(&compare_blueprints(entry.blueprint().unwrap(), twin.blueprint().unwrap()))
            };
            for id in same {
                assert_eq!(form(id), Closeness::SameShapes, "{} {id}", entry.id());
            }
            for id in padded {
                let found = form(id);
                let is_vocabulary = matches!(found, Closeness::PaddedVocabulary | Closeness::OtherVocabulary);
                assert!(is_vocabulary, "{} {id} {found:?}", entry.id());
            }
        }
    }

    fn tensors(list: &[(&str, &[u64])], config: serde_json::Value) -> Blueprint {
        let mut all = Vec::new();
        for (name, shape) in list {
            let layers = if name.contains("{i}") { 4 } else { 1 };
            all.extend((0..layers).map(|layer: u32| (name.replace("{i}", &layer.to_string()), *shape)));
        }
        Blueprint::from_tensors(all.iter().map(|(name, shape)| (name.as_str(), "F32", *shape)), Config::new(&config))
    }

    /// A sentence encoder is in no catalogue of language models, and gets no nearest one for consolation.
    #[test]
    fn bert_has_no_entry() {
        let bert = tensors(
            &[
                ("embeddings.word_embeddings.weight", &[30522, 384]),
                ("embeddings.position_embeddings.weight", &[512, 384]),
                ("embeddings.token_type_embeddings.weight", &[2, 384]),
                ("embeddings.LayerNorm.weight", &[384]),
                ("embeddings.LayerNorm.bias", &[384]),
                ("encoder.layer.{i}.attention.self.query.weight", &[384, 384]),
                ("encoder.layer.{i}.attention.self.query.bias", &[384]),
                ("encoder.layer.{i}.attention.self.key.weight", &[384, 384]),
                ("encoder.layer.{i}.attention.self.key.bias", &[384]),
                ("encoder.layer.{i}.attention.self.value.weight", &[384, 384]),
                ("encoder.layer.{i}.attention.self.value.bias", &[384]),
                ("encoder.layer.{i}.attention.output.dense.weight", &[384, 384]),
                ("encoder.layer.{i}.attention.output.dense.bias", &[384]),
                ("encoder.layer.{i}.attention.output.LayerNorm.weight", &[384]),
                ("encoder.layer.{i}.attention.output.LayerNorm.bias", &[384]),
                ("encoder.layer.{i}.intermediate.dense.weight", &[1536, 384]),
                ("encoder.layer.{i}.intermediate.dense.bias", &[1536]),
                ("encoder.layer.{i}.output.dense.weight", &[384, 1536]),
                ("encoder.layer.{i}.output.dense.bias", &[384]),
                ("encoder.layer.{i}.output.LayerNorm.weight", &[384]),
                ("encoder.layer.{i}.output.LayerNorm.bias", &[384]),
                ("pooler.dense.weight", &[384, 384]),
                ("pooler.dense.bias", &[384]),
            ],
            serde_json::json!({"model_type": "bert", "hidden_size": 384, "num_attention_heads": 12}),
        );
        let matches = rank(&bert);
        assert_eq!(outcome(&matches), "no entry", "{matches:?}");
    }

    /// Fused and turned, its matrices are those of GPT-2; its norms lie after the blocks.
    #[test]
    fn an_encoder_is_no_decoder() {
        let mut list: Vec<(String, Vec<u64>)> = vec![
            ("distilbert.embeddings.word_embeddings.weight".into(), vec![30522, 768]),
            ("distilbert.embeddings.position_embeddings.weight".into(), vec![512, 768]),
            ("distilbert.embeddings.LayerNorm.weight".into(), vec![768]),
            ("distilbert.embeddings.LayerNorm.bias".into(), vec![768]),
        ];
        for (name, rows, columns) in [
            ("attention.q_lin", 768, Some(768)),
            ("attention.k_lin", 768, Some(768)),
            ("attention.v_lin", 768, Some(768)),
            ("attention.out_lin", 768, Some(768)),
            ("sa_layer_norm", 768, None),
            ("ffn.lin1", 3072, Some(768)),
            ("ffn.lin2", 768, Some(3072)),
            ("output_layer_norm", 768, None),
        ] {
            let name = format!("distilbert.transformer.layer.{{i}}.{name}");
            list.push((format!("{name}.weight"), [Some(rows), columns].into_iter().flatten().collect()));
            list.push((format!("{name}.bias"), vec![rows]));
        }
        let list: Vec<(&str, &[u64])> = list.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
        let matches = rank(&tensors(&list, serde_json::json!({"model_type": "distilbert"})));
        assert_eq!(outcome(&matches), "no entry", "{:?}", matches.first());
    }

    #[test]
    fn a_small_llama_is_of_the_family_only() {
        let config = serde_json::json!({
            "model_type": "llama", "architectures": ["LlamaForCausalLM"],
            "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
        });
        let matches = rank(&tensors(SMALL_LLAMA, config));
        assert_eq!(outcome(&matches), "family only");
        assert!(matches.iter().all(|it| it.closeness == Closeness::OtherDimensions && !it.same_dimensions));
        let nearest = Catalog::builtin().find(&matches[0].reference).unwrap().design().unwrap();
        assert!(nearest.templates.iter().any(|it| it.name == "model.layers.{i}.mlp.gate_proj.weight"));
    }
}
