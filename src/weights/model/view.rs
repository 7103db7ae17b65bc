//! A model as the tests see it: every matrix by what it does, `[out, in]`, whatever its name and its storage.

use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::roles::{Settled, lies_turned, only, settled, turned};
use crate::weights::model::sizes::Sizes;
use crate::weights::model::tensors::Numbers;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::blueprint::{Blueprint, Placed};
use crate::checkpoint::Error;
use crate::linalg::matrix::Matrix;
use crate::weights::model::projection::Slot;

/// A model.
pub struct Net<'a> {
    pub(crate) numbers: &'a dyn Numbers,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) embedding: Option<Slot>,
    pub(crate) head: Option<Slot>,
    /// Rows of the whole embedding, where only some of them are at hand.
    pub(crate) vocabulary: Option<usize>,
    pub(crate) final_norm: Option<String>,
    pub(crate) layers: Vec<Layer>,
    /// What was kept of every layer's gate, where the model is a fingerprint and no gate is at hand.
    pub(crate) sketches: Option<Vec<Option<Matrix>>>,
    /// Tensors that can be read and that no test of this net looks at, with their number of elements: of towers, which are nets
    /// of their own, of roles that are unknown here, buffers of positions.
    pub(crate) others: BTreeMap<String, u64>,
    /// Roles that could not be told apart, and tensors that cannot be read.
    pub(crate) left_out: Vec<String>,
    /// How many parameters each part has, those that cannot be read included.
    pub(crate) sizes: Sizes,
    /// Matrices in layers that no test of units or heads looks at, by what they are called there.
    pub(crate) unheld: BTreeMap<Place, Slot>,
    lengths: BTreeMap<String, u64>,
}

/// Where a matrix stands whatever the prefix of its name: its role, or its name within the layer; its layer; its expert.
pub(crate) type Place = (String, u32, Option<u32>);

impl<'a> Net<'a> {
    /// A stream of a width, and nothing in it yet.
    pub(crate) fn empty(numbers: &'a dyn Numbers, hidden: usize) -> Self {
        Self {
            numbers,
            hidden,
            heads: 0,
            kv_heads: 0,
            head_dim: 0,
            embedding: None,
            head: None,
            vocabulary: None,
            final_norm: None,
            layers: Vec::new(),
            sketches: None,
            others: BTreeMap::new(),
            left_out: Vec::new(),
            sizes: Sizes::default(),
            unheld: BTreeMap::new(),
            lengths: BTreeMap::new(),
        }
    }

    /// Says how long a vector is.
    pub(crate) fn know_length(&mut self, name: &str, length: u64) {
        self.lengths.insert(name.to_owned(), length);
    }

    /// Whether most of it is left out, so that nothing can be said on single numbers.
    pub(crate) fn is_fingerprint(&self) -> bool {
        self.sketches.is_some()
    }

    /// Rows of the embedding.
    pub(crate) fn tokens(&self) -> Option<usize> {
        self.vocabulary.or(self.embedding.as_ref().map(Slot::outputs))
    }

    /// Puts the matrices of a model in their places.
    pub fn new(blueprint: &Blueprint, numbers: &'a dyn Numbers) -> Self {
        let size = |name: &str| blueprint.dimension(name).unwrap_or(0) as usize;
        let placed = blueprint.placed();
        let elements =
            |it: &Placed| it.shape.iter().copied().fold(it.stacked.map_or(1, u64::from), u64::saturating_mul);
        let all: BTreeMap<String, u64> = placed.iter().map(|it| (it.name.clone(), elements(it))).collect();
        let placed: Vec<Placed> = placed.into_iter().filter(|it| it.tower.is_none()).collect();
        let mut net = Self::empty(numbers, size("hidden"));
        (net.heads, net.kv_heads, net.head_dim) = (size("heads"), size("kv_heads"), size("head_dim"));
        let in_layers: Vec<(Place, Slot)> =
            placed.iter().filter_map(|it| Some((place_of(it)?, Slot::of(it, false)?))).collect();
        net.sizes = Sizes::of(&placed, blueprint.unread_in_layers());
        let is_turned = lies_turned(&placed, net.hidden as u64);
        let mut layers: BTreeMap<u32, (Layer, BTreeMap<u32, FeedForward>)> = BTreeMap::new();
        let family = blueprint.config().get("model_type").and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        for it in settled(placed) {
            if !numbers.has(&it.placed.name) {
                net.left_out.push(it.placed.name.clone());
                continue;
            }
            match it.placed.layer {
                Some(layer) => {
                    let place = layers.entry(layer).or_default();
                    net.place(place, &it, is_turned, &family);
                }
                None => net.place_outside(&it),
            }
        }
        net.layers = layers
            .into_iter()
            .map(|(index, (layer, ffns))| Layer {
                index,
                ffns: ffns.into_values().map(FeedForward::whole).collect(),
                ..layer
            })
            .filter(|it| it.query.is_some() || !it.ffns.is_empty())
            .collect();
        let known = net.used();
        net.unheld =
            in_layers.into_iter().filter(|it| !known.contains(it.1.name()) && numbers.has(it.1.name())).collect();
        net.others = all.into_iter().filter(|it| !known.contains(&it.0) && numbers.has(&it.0)).collect();
        net
    }

    /// The share of the parameters in its layers that can be read and that a test of this net looks at.
    pub(crate) fn read_share(&self) -> f64 {
        if self.is_fingerprint() {
            return 1.0;
        }
        self.sizes.share_in_layers(&self.used())
    }

    /// The tensors that have a place in which a test looks at them.
    pub(crate) fn used(&self) -> BTreeSet<String> {
        let mut slots: Vec<&Slot> = self.embedding.iter().chain(&self.head).collect();
        let mut names: BTreeSet<String> = self.final_norm.iter().cloned().collect();
        for layer in &self.layers {
            slots.extend(layer.matrices().into_iter().flatten());
            names.extend(layer.attention_norm.iter().chain(&layer.ffn_norm).chain(layer.biases.values()).cloned());
        }
        names.extend(slots.into_iter().map(|it| it.name().to_owned()));
        names
    }

    fn place_outside(&mut self, it: &Settled) {
        let rows = it.placed.shape.first().copied().unwrap_or(0);
        match it.role.as_str() {
            "token_embedding" => self.embedding = Slot::of(&it.placed, false),
            "output" => self.head = Slot::of(&it.placed, false),
            "output_norm" => {
                self.lengths.insert(it.placed.name.clone(), rows);
                self.final_norm = Some(it.placed.name.clone());
            }
            _ => {}
        }
    }

    fn place(
        &mut self,
        (layer, ffns): &mut (Layer, BTreeMap<u32, FeedForward>),
        it: &Settled,
        is_turned: bool,
        family: &str,
    ) {
        let name = it.placed.name.clone();
        if it.role.ends_with("norm") || it.role.ends_with(".bias") {
            self.lengths.insert(name.clone(), it.placed.shape.first().copied().unwrap_or(0));
        }
        let slot = || Slot::of(&it.placed, turned(&it.placed, &it.role, self.hidden as u64, is_turned));
        let expert = it.placed.expert.map_or(0, |it| it + 1);
        match it.role.as_str() {
            "attention.query" => layer.query = slot(),
            "attention.key" => layer.key = slot(),
            "attention.value" => layer.value = slot(),
            "attention.output" => layer.output = slot(),
            "attention.query_key_value" => {
                if let Some(fused) = slot() {
                    let parts = self.unfused(&fused, &name, family);
                    [layer.query, layer.key, layer.value] = parts.map(|rows| Some(fused.part(rows)));
                }
            }
            "attention.norm" => layer.attention_norm = Some(name),
            "ffn.norm" => layer.ffn_norm = Some(name),
            "ffn.gate" | "expert.ffn.gate" => ffns.entry(expert).or_default().gate = slot(),
            "ffn.up" | "expert.ffn.up" => ffns.entry(expert).or_default().up = slot(),
            "ffn.down" | "expert.ffn.down" => ffns.entry(expert).or_default().down = slot(),
            "ffn.gate_up" | "expert.ffn.gate_up" => {
                if let Some(fused) = slot() {
                    let (all, half) = (fused.outputs() as u64, fused.outputs() as u64 / 2);
                    let ffn = ffns.entry(expert).or_default();
                    (ffn.gate, ffn.up) = (Some(fused.part(only(0..half))), Some(fused.part(only(half..all))));
                }
            }
            "router" => layer.router = slot(),
            role if role.ends_with(".bias") && !role.contains("norm") => {
                layer.biases.insert(role.to_owned(), name);
            }
            _ => {}
        }
    }

    /// The rows of query, key and value in one fused projection: side by side, head by head (GPT-NeoX, BLOOM, Falcon), or
    /// by groups of heads (InternLM2).
    fn unfused(&self, fused: &Slot, name: &str, family: &str) -> [Vec<Range<u64>>; 3] {
        let (heads, kv, dim) = (self.heads as u64, self.kv_heads as u64, self.head_dim as u64);
        let all = fused.outputs() as u64;
        let is_by_head = ["gpt_neox", "bloom", "falcon", "RefinedWeb", "RefinedWebModel"].contains(&family);
        if (is_by_head || name.contains("wqkv")) && kv > 0 && heads.is_multiple_of(kv) && (heads + 2 * kv) * dim == all
        {
            let queries = heads / kv;
            let group = (queries + 2) * dim;
            let rows =
                |start: u64, length: u64| (0..kv).map(|it| it * group + start..it * group + start + length).collect();
            return [rows(0, queries * dim), rows(queries * dim, dim), rows((queries + 1) * dim, dim)];
        }
        let query = if (heads + 2 * kv) * dim == all { heads * dim } else { all / 3 };
        let key = (all - query) / 2;
        [only(0..query), only(query..query + key), only(query + key..all)]
    }

    /// Dimensions of the stream.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Tensors that can be read and that no test of this net looks at, with their number of elements.
    pub fn others(&self) -> &BTreeMap<String, u64> {
        &self.others
    }

    /// Tensors that have a place and cannot be read.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// A vector by the name of its tensor.
    pub(crate) fn vector(&self, name: Option<&String>) -> Result<Option<Vec<f32>>, Error> {
        let Some(name) = name else { return Ok(None) };
        let length = self.lengths.get(name).copied().unwrap_or(0);
        self.numbers.read(name, 0..length).map(Some)
    }

    /// A projection that reads the stream behind a norm, with the gain of the norm folded in.
    pub(crate) fn folded(&self, slot: &Slot, norm: Option<&String>) -> Result<Matrix, Error> {
        self.with_gain(slot.load(self.numbers)?, norm)
    }

    /// Some of its rows.
    pub(crate) fn folded_rows(&self, slot: &Slot, rows: &[usize], norm: Option<&String>) -> Result<Matrix, Error> {
        self.with_gain(slot.load_rows(self.numbers, rows)?, norm)
    }

    fn with_gain(&self, mut matrix: Matrix, norm: Option<&String>) -> Result<Matrix, Error> {
        if let Some(gain) = self.vector(norm)?.filter(|it| it.len() == matrix.cols) {
            matrix.scale_columns(&gain);
        }
        Ok(matrix)
    }
}

fn place_of(placed: &Placed) -> Option<Place> {
    let layer = placed.layer?;
    let within = placed.name.split_once(&format!(".{layer}.")).map_or(placed.name.as_str(), |it| it.1);
    let role = placed.roles.first().filter(|_| placed.roles.len() == 1);
    Some((role.cloned().unwrap_or_else(|| within.to_owned()), layer, placed.expert))
}
