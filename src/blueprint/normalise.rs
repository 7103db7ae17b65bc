//! Evens out what differs between files of one model: buffers, marks of quantisation, stacked experts, prefixes, and
//! the components beside the language model. Everything it does is noted.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::buffer;
use crate::blueprint::config::Config;
use crate::blueprint::part::{Component, Part, Variant};
use crate::blueprint::quantisation::{self, Stored};
use crate::blueprint::stacks::{Stacks, list_of, separate};
use crate::blueprint::template::{Template, ranges, written};

/// Something that was evened out on one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Note {
    /// Stable kebab-case kind.
    pub(crate) kind: &'static str,
    /// The template or prefix it was done to.
    pub(crate) item: String,
}

impl Note {
    pub(crate) fn new(kind: &'static str, item: impl Into<String>) -> Self {
        Self { kind, item: item.into() }
    }
}

/// Words at the head of a name that only say which wrapper class held the model.
const PREFIXES: &[&str] = &[
    "transformer",
    "model",
    "language_model",
    "llm",
    "base_model",
    "module",
    "backbone",
    "gpt_neox",
    "bert",
    "roberta",
    "electra",
    "distilbert",
    "text_model",
    "thinker",
    "_orig_mod",
    "lm",
];

/// Words that name a tower or a bridge between towers. `vison` is how one published model spells it.
const TOWERS: &[&str] = &[
    "vision_tower",
    "vision_model",
    "visual",
    "vit",
    "vpm",
    "apm",
    "vison",
    "vision",
    "vision_encoder",
    "audio_tower",
    "audio_encoder",
    "image_encoder",
    "image_newline",
    "resampler",
    "projector",
    "multi_modal_projector",
    "mm_projector",
    "projection",
    "connector",
    "aligner",
    "merger",
    "perceiver",
    "speech_encoder",
    "talker",
    "token2wav",
];

/// Words that llama.cpp puts in front of the tensors of a projector's file: vision, audio and the bridge.
const PROJECTOR: &[&str] = &["v", "a", "mm"];

/// What follows them, so that a model whose names begin with such a letter is no projector.
const OF_PROJECTOR: &[&str] =
    &["blk", "patch_embd", "position_embd", "class_embd", "pre_ln", "post_ln", "conv1d", "resampler", "0", "2"];

/// Words of layers that predict further tokens.
pub(crate) const PREDICTION: &[&str] = &["mtp", "mtp_layers", "mtp_block", "nextn"];

/// Words that only a layer predicting further tokens has, where it stands in the list of the model's own layers.
pub(crate) const PREDICTION_MODULES: &[&str] = &["eh_proj", "enorm", "hnorm", "shared_head"];

/// The parts of a model, what was done to get them, and its lists of layers beside the language model's.
pub(crate) fn parts(templates: &[Template], stored: &[Stored], config: &Config) -> (Vec<Part>, Vec<Note>, Stacks) {
    let mut notes = Vec::new();
    let templates = quantisation::without_companions(templates, stored, &mut notes);
    let (buffers, templates): (Vec<Template>, Vec<Template>) = templates.into_iter().partition(buffer::is_buffer);
    notes.extend(buffers.into_iter().map(|it| Note::new("buffer", it.name)));
    let templates = split_prediction(templates);
    let experts = expert_count(&templates, config);
    let mut parts: Vec<Part> = Vec::new();
    for (template, is_prediction) in &templates {
        let part = part_of(template, *is_prediction, experts, &mut notes);
        match parts.iter_mut().find(|it| it.name == part.name && it.component == part.component) {
            Some(same) => {
                same.variants.extend(part.variants);
                same.stored.extend(part.stored);
                same.dtypes.extend(part.dtypes);
            }
            None => parts.push(part),
        }
    }
    for part in &mut parts {
        part.variants = sorted(std::mem::take(&mut part.variants));
        part.stored = sorted(std::mem::take(&mut part.stored));
    }
    find_prediction_lists(&mut parts);
    let stacks = separate(&mut parts, config);
    strip_prefixes(&mut parts);
    notes.sort();
    notes.dedup();
    (parts, notes, stacks)
}

/// Two files may list one shape in two element types, or the layers in another order; neither makes another part.
fn sorted(variants: Vec<Variant>) -> Vec<Variant> {
    let mut by_shape: BTreeMap<(Vec<u64>, String), (BTreeSet<u32>, Variant)> = BTreeMap::new();
    for variant in variants {
        let key = (variant.shape.clone(), written(&variant.experts));
        let slot = by_shape.entry(key).or_insert_with(|| (BTreeSet::new(), variant.clone()));
        slot.0.extend(variant.layers.iter().cloned().flatten());
    }
    let joined = by_shape.into_values().map(|(layers, variant)| Variant { layers: ranges(&layers), ..variant });
    let mut variants: Vec<Variant> = joined.collect();
    variants.sort_by_key(|it| it.layers.first().map(|range| *range.start()));
    variants
}

fn part_of(template: &Template, is_prediction: bool, experts: Option<u64>, notes: &mut Vec<Note>) -> Part {
    let mut part = Part::new(template);
    part.component = if is_prediction { Component::Prediction } else { component(&template.name) };
    if let Some((count, shape)) = unstacked(template, experts) {
        notes.push(Note::new("stacked-experts", template.name.clone()));
        part.variants[0].experts = vec![0..=count - 1];
        part.variants[0].shape = shape;
    }
    part
}

/// Words at the front of a name that say what it belongs to.
fn heads(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').take(3).take_while(|it| *it != "{i}")
}

/// How much of a name leads into a tower: up to its last word for one, and the point behind it.
pub(crate) fn tower_prefix(name: &str) -> usize {
    let mut end = 0;
    let of_projector = projector(name);
    let ends = heads(name).map(|it| {
        end += it.len() + 1;
        (it, end)
    });
    let is_tower =
        |it: &(&str, usize)| TOWERS.contains(&it.0) || of_projector.is_some_and(|word| it.1 == word.len() + 1);
    ends.filter(is_tower).last().map_or(0, |it| it.1.min(name.len()))
}

/// The word for a part of a projector that a name begins with.
fn projector(name: &str) -> Option<&str> {
    let mut words = name.split(['.', '/']);
    let (first, second) = (words.next()?, words.next()?);
    (PROJECTOR.contains(&first) && OF_PROJECTOR.contains(&second)).then_some(first)
}

/// What a name belongs to.
pub(crate) fn component(name: &str) -> Component {
    let heads: Vec<&str> = heads(name).collect();
    let tower = projector(name).or_else(|| heads.iter().copied().find(|it| TOWERS.contains(it)));
    match tower {
        Some(tower) => Component::Tower(tower.to_owned()),
        None if heads.iter().any(|it| PREDICTION.contains(it)) => Component::Prediction,
        None => Component::Language,
    }
}

/// Takes the layers that predict further tokens out of the list of the model's own layers.
fn split_prediction(templates: Vec<Template>) -> Vec<(Template, bool)> {
    let is_sign = |it: &&Template| it.name.split('.').any(|word| PREDICTION_MODULES.contains(&word));
    let predicting: BTreeSet<u32> =
        templates.iter().filter(is_sign).flat_map(|it| it.layers.iter().cloned().flatten()).collect();
    let mut split = Vec::with_capacity(templates.len());
    for template in templates {
        let layers: BTreeSet<u32> = template.layers.iter().cloned().flatten().collect();
        let inside: BTreeSet<u32> = layers.intersection(&predicting).copied().collect();
        let outside: BTreeSet<u32> = layers.difference(&predicting).copied().collect();
        if !inside.is_empty() && !outside.is_empty() {
            split.push((Template { layers: ranges(&outside), ..template.clone() }, false));
        }
        let is_prediction = !inside.is_empty();
        let layers = if is_prediction { ranges(&inside) } else { template.layers.clone() };
        split.push((Template { layers, ..template }, is_prediction));
    }
    split
}

/// A short list of layers of its own that joins two streams into one (`[n, 2 n]`) predicts further tokens, whatever its
/// name.
fn find_prediction_lists(parts: &mut [Part]) {
    let mut lists: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    for part in parts.iter().filter(|it| it.component == Component::Language && it.is_layered()) {
        let list = lists.entry(list_of(part).to_owned()).or_default();
        list.0 = list.0.max(part.layer_count());
        list.1 |= matches!(part.shape(), [rows, columns] if rows.checked_mul(2) == Some(*columns));
    }
    let deepest = lists.values().map(|it| it.0).max().unwrap_or_default();
    for part in parts.iter_mut().filter(|it| it.component == Component::Language && it.is_layered()) {
        let is_short = |(layers, joins): &(u64, bool)| *joins && layers.saturating_mul(4) <= deepest;
        if lists.get(list_of(part)).is_some_and(is_short) {
            part.component = Component::Prediction;
        }
    }
}

/// How many experts a layer has, where a router or the configuration says so.
fn expert_count(templates: &[(Template, bool)], config: &Config) -> Option<u64> {
    let is_router = |it: &&(Template, bool)| {
        let words: Vec<&str> = it.0.name.split('.').collect();
        it.0.shape.len() == 2
            && !words.contains(&"experts")
            && words.iter().any(|it| matches!(*it, "router" | "gate" | "ffn_gate_inp"))
    };
    let stated = config.number("num_experts").or_else(|| config.number("moe_num_experts"));
    stated.or_else(|| templates.iter().find(is_router).map(|it| it.0.shape[0]))
}

/// The number of experts stacked in one tensor, and the shape of one of them.
fn unstacked(template: &Template, experts: Option<u64>) -> Option<(u32, Vec<u64>)> {
    if template.layers.is_empty() || !template.experts.is_empty() {
        return None;
    }
    let is_named = template.name.split('.').any(|it| it == "experts" || it.ends_with("_exps"));
    match (template.shape.as_slice(), experts) {
        ([count, rest @ ..], stated)
            if rest.len() == 2 && rest.iter().all(|it| *it > 1) && (is_named || stated == Some(*count)) =>
        {
            Some((small(*count)?, rest.to_vec()))
        }
        ([count, rest], Some(stated)) if is_named && *count == stated => Some((small(*count)?, vec![*rest])),
        // DBRX stacks along the rows.
        ([rows, columns], Some(stated)) if is_named && stated > 0 && rows % stated == 0 => {
            Some((small(stated)?, vec![rows / stated, *columns]))
        }
        _ => None,
    }
}

/// A number of experts; a file that claims more than a few thousand is not stacking experts.
fn small(count: u64) -> Option<u32> {
    u32::try_from(count).ok().filter(|it| (1..=65_536).contains(it))
}

/// Sets `plain`, first by known words, then by a word that all of the language model's names share.
fn strip_prefixes(parts: &mut [Part]) {
    let heads: BTreeSet<String> = parts.iter().flat_map(|it| it.name.split('.').take(3)).map(str::to_owned).collect();
    let has_both_stacks = heads.contains("encoder") && heads.contains("decoder");
    for part in parts.iter_mut() {
        // PEFT keeps a weight that it changes one level further down.
        part.plain = part.plain.replace(".base_layer.", ".").replace(".original_module.", ".");
        let is_prefix = |it: &str| PREFIXES.contains(&it) || !has_both_stacks && matches!(it, "encoder" | "decoder");
        while let Some((head, rest)) = part.plain.split_once('.')
            && is_prefix(head)
            && rest.contains('.')
        {
            part.plain = rest.to_owned();
        }
    }
    while let Some(shared) = shared_head(parts) {
        for part in parts.iter_mut().filter(|it| it.component == Component::Language) {
            if let Some(rest) = part.plain.strip_prefix(shared.as_str()) {
                part.plain = rest.to_owned();
            }
        }
    }
}

/// A first word, with its dot, that all names but at most two share (heads often stand outside the wrapper).
fn shared_head(parts: &[Part]) -> Option<String> {
    let names: Vec<&str> =
        parts.iter().filter(|it| it.component == Component::Language).map(|it| it.plain.as_str()).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for head in names.iter().filter_map(|it| it.split_once('.')).map(|it| it.0) {
        *counts.entry(head).or_default() += 1;
    }
    let (head, count) = counts.into_iter().max_by_key(|it| it.1)?;
    let head = format!("{head}.");
    let is_list =
        head.contains('{') || names.iter().any(|it| it.strip_prefix(&head).is_some_and(|rest| rest.starts_with('{')));
    let has_outside = names.iter().any(|it| it.starts_with(&head) && !it.contains("{i}"));
    (count >= 4 && count + 2 >= names.len() && !is_list && has_outside).then_some(head)
}
