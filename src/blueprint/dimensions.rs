//! The named dimensions of a model, from its shapes first and its configuration second.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::config::Config;
use crate::blueprint::matching::place;
use crate::blueprint::part::{Component, Part};
use crate::blueprint::roles::hidden_size;

/// Sizes by name. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dimensions {
    sizes: BTreeMap<&'static str, u64>,
}

/// The order in which dimensions are told.
pub(crate) const ORDER: &[&str] = &[
    "layers",
    "hidden",
    "heads",
    "kv_heads",
    "head_dim",
    "query_width",
    "key_value_width",
    "ffn",
    "vocab",
    "positions",
    "segments",
    "experts",
    "expert_ffn",
    "shared_ffn",
    "query_rank",
    "kv_rank",
    "rope_head_dim",
    "nope_head_dim",
    "value_head_dim",
    "inner",
    "state",
    "dt_rank",
    "conv_kernel",
    "prediction_layers",
];

/// Dimensions and the fields of a configuration that state them.
const STATED: &[(&str, &str)] = &[
    ("hidden", "hidden_size"),
    ("heads", "num_attention_heads"),
    ("kv_heads", "num_key_value_heads"),
    ("head_dim", "head_dim"),
    ("ffn", "intermediate_size"),
    ("vocab", "vocab_size"),
    ("expert_ffn", "moe_intermediate_size"),
];

impl Dimensions {
    /// Recovers what shapes and configuration tell.
    pub(crate) fn of(parts: &[Part], config: &Config) -> Self {
        let mut found = Self::default();
        let language: Vec<&Part> = parts.iter().filter(|it| it.component == Component::Language).collect();
        found.set("layers", layer_count(&language));
        found.set("prediction_layers", prediction_layers(parts));
        found.set("hidden", hidden_size(parts, config));
        found.set("vocab", first_size(&language, "token_embedding"));
        found.set("positions", first_size(&language, "position_embedding"));
        found.set("segments", first_size(&language, "segment_embedding"));
        found.feed_forward(&language);
        found.attention(&language, config);
        found.latent(&language, config);
        found.state_space(&language);
        found
    }

    /// What the names show, and else what the configuration states.
    pub(crate) fn stated(parts: &[Part], config: &Config) -> Self {
        let mut found = Self::default();
        let is_block = |it: &&Part| it.component == Component::Language && it.is_layered();
        let language: Vec<&Part> = parts.iter().filter(is_block).collect();
        found.set("layers", deepest(&language));
        found.set("prediction_layers", prediction_layers(parts));
        for (dimension, field) in STATED {
            found.set(dimension, config.number(field));
        }
        let counted =
            language.iter().filter(|it| it.has_experts()).map(|it| it.count() / it.layer_count().max(1)).max();
        found.set("experts", counted.or_else(|| config.number("num_experts")));
        found
    }

    /// The size of a dimension.
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.sizes.get(name).copied()
    }

    /// All of them, in the order they are told. Widths are told only where heads are not known.
    pub(crate) fn told(&self) -> Vec<(&'static str, u64)> {
        let is_width = |name: &str| matches!(name, "query_width" | "key_value_width");
        let is_told = |name: &str| !is_width(name) || self.get("heads").is_none();
        ORDER.iter().filter(|it| is_told(it)).filter_map(|it| Some((*it, self.get(it)?))).collect()
    }

    fn set(&mut self, name: &'static str, size: Option<u64>) {
        if let Some(size) = size.filter(|it| *it > 0) {
            self.sizes.insert(name, size);
        }
    }

    fn feed_forward(&mut self, parts: &[&Part]) {
        let hidden = self.get("hidden");
        self.set("ffn", width(parts, "ffn", hidden));
        self.set("expert_ffn", width(parts, "expert.ffn", hidden));
        self.set("shared_ffn", width(parts, "shared_expert", hidden));
        let counted = parts.iter().filter(|it| it.has_experts()).map(|it| it.count() / it.layer_count().max(1)).max();
        let rows = find(parts, "router").and_then(|it| it.shape().first().copied());
        self.set("experts", counted.or(rows));
    }

    fn attention(&mut self, parts: &[&Part], config: &Config) {
        let hidden = self.get("hidden");
        let fused = other_size(parts, "attention.query_key_value", hidden);
        let output = other_size(parts, "attention.output", hidden);
        // A gate beside each query doubles the query projection, not what the output takes.
        let is_gated = |it: &u64| it.checked_div(2) == output && output.is_some() && Some(*it) != output;
        let query = other_size(parts, "attention.query", hidden).filter(|it| !is_gated(it)).or(output);
        let key = other_size(parts, "attention.key", hidden);
        let left = fused.zip(query).and_then(|(fused, query)| fused.checked_sub(query));
        self.set("query_width", query);
        self.set("key_value_width", key.or(left.filter(|it| it % 2 == 0).map(|it| it / 2)));
        let stated = config.number("num_attention_heads");
        let norm = find(parts, "attention.query_norm").and_then(|it| it.shape().last().copied());
        let by_heads = query.zip(stated).filter(|(width, heads)| *heads > 0 && width % heads == 0);
        let head_dim = by_heads.map(|(width, heads)| width / heads);
        let head_dim = head_dim.or_else(|| config.number("head_dim")).or(norm.filter(|it| Some(*it) != query));
        if self.get("query_width").is_none() && fused.is_none() {
            return; // State-space models state heads that no tensor has.
        }
        self.set("head_dim", head_dim);
        self.set("heads", share(query, head_dim));
        self.set("kv_heads", share(self.get("key_value_width"), head_dim));
    }

    /// Multi-head latent attention.
    fn latent(&mut self, parts: &[&Part], config: &Config) {
        let Some(down) = other_size(parts, "attention.key_value_down", self.get("hidden")) else { return };
        let rank = find(parts, "attention.key_value_down_norm").and_then(|it| it.shape().first().copied());
        let rope = rank.and_then(|it| down.checked_sub(it));
        self.set("kv_rank", rank);
        self.set("rope_head_dim", rope);
        self.set("query_rank", find(parts, "attention.query_down_norm").and_then(|it| it.shape().first().copied()));
        let Some(heads) = config.number("num_attention_heads").filter(|it| *it > 0) else { return };
        self.sizes.remove("kv_heads");
        self.set("heads", Some(heads));
        let value = share(other_size(parts, "attention.output", self.get("hidden")), Some(heads));
        let up = find(parts, "attention.key_value_up").and_then(|it| share(it.shape().first().copied(), Some(heads)));
        self.set("value_head_dim", value);
        self.set("nope_head_dim", up.zip(value).and_then(|(up, value)| up.checked_sub(value)));
        self.set("head_dim", self.get("nope_head_dim").zip(rope).and_then(|(nope, rope)| nope.checked_add(rope)));
    }

    fn state_space(&mut self, parts: &[&Part]) {
        let sizes = |role: &str| find(parts, role).map(|it| it.shape().to_vec()).unwrap_or_default();
        if let [inner, state] = *sizes("ssm.a") {
            self.set("inner", Some(inner));
            self.set("state", Some(state));
        }
        if let [_, rank] = *sizes("ssm.dt") {
            self.set("dt_rank", Some(rank));
        }
        self.set("conv_kernel", sizes("ssm.conv").get(2).copied());
    }
}

/// The layers of the deepest list, of those that have matrices of their own: an embedding or a head numbered like a
/// layer is none.
fn layer_count(parts: &[&Part]) -> Option<u64> {
    let is_block =
        |it: &&&Part| it.is_layered() && it.is_matrix() && !it.role.is("token_embedding") && !it.role.is("output");
    let blocks: Vec<&Part> = parts.iter().filter(is_block).copied().collect();
    deepest(&blocks)
}

/// The length of the longest list of layers.
fn deepest(parts: &[&Part]) -> Option<u64> {
    let mut lists: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for part in parts {
        lists.entry(list_of(part)).or_default().extend(place(part));
    }
    lists.into_values().map(|it| it.len() as u64).max()
}

/// The name up to its layer index.
fn list_of(part: &Part) -> &str {
    part.name.split("{i}").next().unwrap_or_default()
}

fn prediction_layers(parts: &[Part]) -> Option<u64> {
    let prediction = parts.iter().filter(|it| it.component == Component::Prediction);
    prediction.map(Part::layer_count).max()
}

fn find<'a>(parts: &[&'a Part], role: &str) -> Option<&'a Part> {
    parts.iter().find(|it| it.role.is(role)).or_else(|| parts.iter().find(|it| it.role.may_be(role))).copied()
}

fn first_size(parts: &[&Part], role: &str) -> Option<u64> {
    let part = find(parts, role).filter(|it| it.shape().len() == 2)?;
    part.shape().first().copied()
}

/// Of a matrix between the stream and something, the something; the stream's size where it is square.
fn other_size(parts: &[&Part], role: &str, hidden: Option<u64>) -> Option<u64> {
    match (find(parts, role)?.shape(), hidden) {
        ([one, other], Some(hidden)) if *other == hidden => Some(*one),
        ([one, other], Some(hidden)) if *one == hidden => Some(*other),
        _ => None,
    }
}

fn width(parts: &[&Part], scope: &str, hidden: Option<u64>) -> Option<u64> {
    let other = |word: &str| other_size(parts, &format!("{scope}.{word}"), hidden);
    other("down").or_else(|| other("up")).or_else(|| other("gate_up").map(|it| it / 2))
}

fn share(total: Option<u64>, part: Option<u64>) -> Option<u64> {
    let (total, part) = total.zip(part)?;
    total.checked_rem(part).filter(|it| *it == 0).map(|_| total / part)
}
