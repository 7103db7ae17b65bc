//! Which catalogue entries have the form of a model: ranked, with ties told as ties.
//!
//! Form is names and shapes. A match says that a model is built like an entry, never that it has the entry's weights; and
//! no match says only that nothing in the catalogue is built like it.

use std::collections::BTreeSet;

use crate::blueprint::{Blueprint, compare_blueprints};
use crate::catalog::{Catalog, Entry, SCHEME};
use crate::fact::{Closeness, Difference, DimensionPair, Form, FormRelation, Identification, Match};
use crate::lineage::Model;
use crate::lineage::unexamined::unexamined;

/// Looks a model up; lists at most `limit` matches, but always says how many there are.
pub fn identify(model: &Model, catalog: &Catalog, limit: usize) -> Identification {
    let mut matches = rank(&model.blueprint, catalog);
    let matched = matches.len() as u64;
    let outcome = if matches.is_empty() && says_too_little(&model.blueprint, catalog) {
        "undetermined".to_owned()
    } else {
        outcome(&matches).to_owned()
    };
    matches.truncate(limit);
    Identification {
        schema: "unshell/identify/1".to_owned(),
        model: model.name.clone(),
        outcome,
        matches,
        matched,
        fingerprints: Vec::new(),
        catalog: catalog.reach(),
        unexamined: unexamined(model, None),
        cost: model.cost(),
    }
}

/// Whether names are all that is known of a model, and leave it open for some entry whether it is built alike.
fn says_too_little(blueprint: &Blueprint, catalog: &Catalog) -> bool {
    let is_open = |it: &Blueprint| compare_blueprints(blueprint, it).relation == FormRelation::Undetermined;
    blueprint.is_by_names() && catalog.entries().iter().filter_map(Entry::blueprint).any(is_open)
}

/// One entry that matches, with what it is ranked by.
struct Candidate<'a> {
    entry: &'a Entry,
    form: Form,
    closeness: Closeness,
    /// What is left between the two: renames, projections fused or split, and differences of names and shapes.
    differences: u64,
    /// How far the dimensions are apart, in thousandths summed over all of them.
    distance: u64,
}

/// All entries that match a blueprint by form, best first.
fn rank(subject: &Blueprint, catalog: &Catalog) -> Vec<Match> {
    let mut candidates = candidates(subject, catalog);
    // Among ties the nearest vocabulary comes first, then the older release, then the name; their rank stays the same.
    candidates.sort_by_cached_key(|it| (it.standing(), it.distance, it.date().to_owned(), it.entry.id().to_owned()));
    let mut matches: Vec<Match> = Vec::with_capacity(candidates.len());
    for (idx, candidate) in candidates.iter().enumerate() {
        let standing = candidate.standing();
        let first = candidates.partition_point(|it| it.standing() < standing);
        let end = candidates.partition_point(|it| it.standing() <= standing);
        let others = (first..end).filter(|it| *it != idx).map(|it| candidates[it].reference());
        matches.push(candidate.matched(first as u64 + 1, others.collect()));
    }
    matches
}

/// The entries that match, in no order of worth.
///
/// Entries with one set of names are built alike, so where the first of them is different the others are too, and are not
/// compared. One that has a matrix of the subject's size is compared in any case, for shapes may tell what names hide.
fn candidates<'a>(subject: &Blueprint, catalog: &'a Catalog) -> Vec<Candidate<'a>> {
    let sizes = matrix_sizes(subject);
    let mut different: BTreeSet<Vec<&str>> = BTreeSet::new();
    let mut candidates = Vec::new();
    for entry in catalog.entries() {
        let Some(reference) = entry.blueprint() else { continue };
        let names: Vec<&str> = reference.templates().iter().map(|it| it.name.as_str()).collect();
        if different.contains(&names) && matrix_sizes(reference).is_disjoint(&sizes) {
            continue;
        }
        match Candidate::new(subject, entry, reference) {
            Some(candidate) => candidates.push(candidate),
            None => drop(different.insert(names)),
        }
    }
    candidates
}

/// The sizes of the matrices inside the layers, whichever way round they are stored.
fn matrix_sizes(blueprint: &Blueprint) -> BTreeSet<Vec<u64>> {
    let matrices = blueprint.templates().iter().filter(|it| !it.layers.is_empty() && it.shape.len() > 1);
    let sorted = matrices.map(|it| {
        let mut sizes = it.shape.clone();
        sizes.sort_unstable();
        sizes
    });
    sorted.collect()
}

impl<'a> Candidate<'a> {
    fn new(subject: &Blueprint, entry: &'a Entry, reference: &Blueprint) -> Option<Self> {
        let form = compare_blueprints(subject, reference);
        if matches!(form.relation, FormRelation::Different | FormRelation::Undetermined) {
            return None;
        }
        let closeness = if subject.is_by_names() { closeness_by_names(&form) } else { closeness(&form) };
        // Dimensions and layer numbers are no difference in how the two are built; `distance` has the former.
        let counts = |it: &&Difference| is_of_shape(it) && !matches!(it.kind.as_str(), "dimension" | "layers");
        let left = form.differences.iter().filter(counts).count() + form.renames.len() + form.projections.len();
        Some(Self { entry, closeness, differences: left as u64, distance: distance(&form.dimensions), form })
    }

    /// What decides the rank: form alone, and the dimensions only where they are others than the entry's.
    fn standing(&self) -> (Closeness, FormRelation, u64, u64) {
        match self.closeness {
            // The relation then only says whether there are renames too, which `differences` counts.
            Closeness::OtherDimensions => (self.closeness, FormRelation::SameFamily, self.differences, self.distance),
            // A vocabulary of another size makes the relation `same family`; otherwise it would be `identical`.
            Closeness::OtherVocabulary => (self.closeness, FormRelation::SameFamily, self.differences, 0),
            _ => (self.closeness, self.form.relation, self.differences, 0),
        }
    }

    fn date(&self) -> &str {
        // One without a date comes last.
        self.entry.released().map_or("9999", |it| it.date.as_str())
    }

    fn reference(&self) -> String {
        format!("{SCHEME}{}", self.entry.id())
    }

    fn matched(&self, rank: u64, tied_with: Vec<String>) -> Match {
        Match {
            reference: self.reference(),
            relation: self.form.relation,
            same_dimensions: self.form.same_dimensions,
            closeness: self.closeness,
            rank,
            tied_with,
            release_date: self.entry.released().map(|it| it.date.clone()),
            differences: self.form.differences.len() as u64,
        }
    }
}

/// How near the shapes of a match are.
fn closeness(form: &Form) -> Closeness {
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

/// The same, where no shape was there to be seen.
fn closeness_by_names(form: &Form) -> Closeness {
    let is_same = !form.differences.iter().any(is_of_shape);
    if is_same { Closeness::Stated } else { Closeness::OtherDimensions }
}

/// Whether a difference is one of names and shapes; element types and set-aside components are not.
fn is_of_shape(difference: &Difference) -> bool {
    matches!(
        difference.kind.as_str(),
        "dimension" | "vocabulary" | "shape" | "layers" | "only-in-subject" | "only-in-reference"
    )
}

/// How far dimensions are apart: the sum over those both sides have of the difference in thousandths of the larger one.
fn distance(dimensions: &[DimensionPair]) -> u64 {
    let apart = |it: &DimensionPair| {
        let (one, other) = (it.subject?, it.reference?);
        one.abs_diff(other).saturating_mul(1000).checked_div(one.max(other))
    };
    dimensions.iter().filter_map(apart).sum()
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
    use super::*;
    use crate::blueprint::{Config, SMALL_LLAMA};

    fn ranked(id: &str) -> Vec<Match> {
        let catalog = Catalog::builtin();
        rank(catalog.find(id).unwrap().blueprint().unwrap(), catalog)
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

    #[test]
    fn every_blueprint_ranks_itself_or_its_twins_first() {
        let built: Vec<_> = Catalog::builtin().entries().iter().filter(|it| it.design().is_some()).collect();
        assert_eq!(built.len(), 272);
        let wrong: Vec<String> = std::thread::scope(|scope| {
            let halves = built.chunks(built.len().div_ceil(2));
            let running: Vec<_> =
                halves.map(|half| scope.spawn(|| half.iter().filter_map(|it| mistaken(it)).collect())).collect();
            running.into_iter().flat_map(|it| -> Vec<String> { it.join().unwrap() }).collect()
        });
        assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    }

    fn best(matches: &[Match], rank: u64) -> BTreeSet<&str> {
        matches.iter().filter(|it| it.rank == rank).filter_map(|it| it.reference.strip_prefix(SCHEME)).collect()
    }

    #[test]
    fn ties_are_told_as_ties() {
        let matches = ranked("meta-llama/Llama-2-7b-hf");
        let twins = ["huggyllama/llama-7b", "meta-llama/Llama-2-7b-hf", "openlm-research/open_llama_7b"];
        assert_eq!(best(&matches, 1), BTreeSet::from(twins));
        assert!(matches[..3].iter().all(|it| it.tied_with.len() == 2));
        assert_eq!(outcome(&matches), "tied entries");
        assert_eq!(matches[3].rank, 4);
    }

    #[test]
    fn the_same_design_in_other_dimensions_comes_before_a_similar_one() {
        let matches = ranked("moonshotai/Kimi-K2-Instruct");
        let family = best(&matches, 1);
        assert!(family.contains("moonshotai/Kimi-K2-Instruct") && family.iter().all(|it| it.contains("/Kimi-K2")));
        let place = |id: &str| matches.iter().position(|it| it.reference.ends_with(id)).unwrap();
        assert!(place("DeepSeek-V3") < place("DeepSeek-V2"), "{matches:?}");
        assert_eq!(matches[place("DeepSeek-V3")].closeness, Closeness::OtherDimensions);
    }

    #[test]
    fn another_name_ranks_after_the_own() {
        let matches = ranked("01-ai/Yi-34B@2023-11");
        assert_eq!(best(&matches, 1), BTreeSet::from(["01-ai/Yi-34B@2023-11"]));
        assert_eq!(outcome(&matches), "one entry");
        assert_eq!(best(&matches, 2), BTreeSet::from(["01-ai/Yi-34B", "01-ai/Yi-1.5-34B"]));
        assert_eq!(matches[1].relation, FormRelation::SameUpToRenaming);
        assert_eq!(matches[1].closeness, Closeness::SameShapes);
        assert!(matches[3..].iter().all(|it| it.closeness == Closeness::OtherDimensions), "{:?}", matches[3]);
    }

    /// Every pair of a twin set is found as what the catalogue says it is.
    #[test]
    fn the_twins_of_the_catalogue_are_found() {
        let catalog = Catalog::builtin();
        for entry in catalog.entries().iter().filter(|it| it.design().is_some()) {
            let (same, padded) = catalog.twins(entry.id());
            let subject = entry.blueprint().unwrap();
            let form = |id: &str| {
                let twin = catalog.find(id).unwrap();
                Candidate::new(subject, twin, twin.blueprint().unwrap()).unwrap().closeness
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
        let matches = rank(&bert, Catalog::builtin());
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
        let matches = rank(&tensors(&list, serde_json::json!({"model_type": "distilbert"})), Catalog::builtin());
        assert_eq!(outcome(&matches), "no entry", "{:?}", matches.first());
    }

    #[test]
    fn a_small_llama_is_of_the_family_only() {
        let small = tensors(
            SMALL_LLAMA,
            serde_json::json!({"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}),
        );
        let matches = rank(&small, Catalog::builtin());
        assert_eq!(outcome(&matches), "family only");
        assert!(matches.iter().all(|it| it.closeness == Closeness::OtherDimensions && !it.same_dimensions));
        let nearest = Catalog::builtin().find(&matches[0].reference).unwrap().design().unwrap();
        assert!(nearest.templates.iter().any(|it| it.name == "model.layers.{i}.mlp.gate_proj.weight"));
    }
}
