//! A model as the tests see it: every matrix by what it does, `[out, in]`, whatever its name and its storage.

use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::orders::{Ordering, Orders};
use crate::weights::model::roles::{Settled, Turned, settled, turned};
use crate::weights::model::sizes::Sizes;
use crate::weights::model::tensors::Numbers;
use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::{Blueprint, Heads, Placed};
use crate::checkpoint::Error;
use crate::linalg::matrix::Matrix;
use crate::weights::model::projection::Slot;

/// A tensor that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its layer, if it is in one.
    pub(crate) layer: Option<u32>,
    pub(crate) elements: u64,
    pub(crate) is_matrix: bool,
}

/// A model.
#[derive(Clone)]
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
    /// Tensors that can be read and that no test of this net looks at, with their number of elements: of towers, which
    /// are nets of their own, of roles that are unknown here, buffers of positions.
    pub(crate) others: BTreeMap<String, u64>,
    /// Roles that could not be told apart, and tensors that cannot be read.
    pub(crate) left_out: Vec<String>,
    /// How many parameters each part has, those that cannot be read included.
    pub(crate) sizes: Sizes,
    /// Matrices in layers that no test of units or heads looks at, by what they are called there.
    pub(crate) unheld: BTreeMap<Place, Slot>,
    /// The orders in which its file has rows.
    pub(crate) orders: Orders,
    /// What is added to its norm weights: one where they are stored less one.
    pub(crate) norm_offset: f32,
    /// Whether the configuration says that norm weights are stored less one.
    pub(crate) has_norms_about_zero: bool,
    /// Whether norms take the mean of the stream away, so that nobody sees the direction in which all coordinates are
    /// one.
    pub(crate) is_centred: bool,
    /// Matrices that hold nothing but zeros or no finite number, with their number of elements: they count for nothing.
    pub(crate) empty: BTreeMap<String, u64>,
    /// Every tensor that can be read.
    pub(crate) tensors: BTreeMap<String, Kept>,
    lengths: BTreeMap<String, u64>,
}

/// Where a matrix stands whatever the prefix of its name: its role, or its name within the layer; its layer; its
/// expert.
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
            orders: Orders::default(),
            norm_offset: 0.0,
            has_norms_about_zero: false,
            is_centred: false,
            empty: BTreeMap::new(),
            tensors: BTreeMap::new(),
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
        let kept = |it: &Placed| Kept { layer: it.layer, elements: elements(it), is_matrix: it.shape.len() > 1 };
        let tensors = placed.iter().map(|it| (it.name.clone(), kept(it)));
        let tensors: BTreeMap<String, Kept> = tensors.filter(|it| numbers.has(&it.0)).collect();
        let placed: Vec<Placed> = placed.into_iter().filter(|it| it.tower.is_none()).collect();
        let mut net = Self::empty(numbers, size("hidden"));
        (net.heads, net.kv_heads, net.head_dim) = (size("heads"), size("kv_heads"), size("head_dim"));
        let in_layers: Vec<(Place, Slot)> =
            placed.iter().filter_map(|it| Some((place_of(it)?, Slot::of(it, false)?))).collect();
        net.sizes = Sizes::of(&placed, blueprint.unread_in_layers());
        let is_turned = Turned::of(&placed, net.hidden as u64);
        let mut layers: BTreeMap<u32, (Layer, BTreeMap<u32, FeedForward>)> = BTreeMap::new();
        // LayerNorm has a bias, or no parameters at all; a norm that only divides by the size keeps the mean.
        let has_norm = |end: &str| placed.iter().any(|it| it.roles.iter().any(|role| role.ends_with(end)));
        net.is_centred = has_norm("norm.bias") || !has_norm("norm");
        for it in settled(placed) {
            if !numbers.has(&it.placed.name) {
                net.left_out.push(it.placed.name.clone());
                continue;
            }
            match it.placed.layer {
                Some(layer) => {
                    let place = layers.entry(layer).or_default();
                    net.place(place, &it, is_turned);
                }
                None => net.place_outside(&it),
            }
        }
        net.layers = layers
            .into_iter()
            .map(|(index, (layer, ffns))| Layer { index, ffns: ffns.into_values().collect(), ..layer })
            .collect();
        let about_zero = blueprint.conventions("ffn.norm").into_iter();
        net.has_norms_about_zero = about_zero.into_iter().any(|it| it.is_stated);
        net.order(Orders::stated(blueprint));
        net.layers.retain(|it| it.query.is_some() || !it.ffns.is_empty());
        net.tensors = tensors;
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
            "token_embedding" => self.embedding = self.token_rows(&it.placed),
            "output" => self.head = self.token_rows(&it.placed),
            "output_norm" => {
                self.lengths.insert(it.placed.name.clone(), rows);
                self.final_norm = Some(it.placed.name.clone());
            }
            _ => {}
        }
    }

    /// Puts the rows of all projections into the canonical order, out of these.
    pub(crate) fn order(&mut self, orders: Orders) {
        let heads = Heads { queries: self.heads as u64, keys: self.kv_heads as u64, size: self.head_dim as u64 };
        let mut ordering = Ordering::new(orders, heads);
        self.layers.iter_mut().for_each(|it| ordering.apply(it));
        for ffn in self.layers.iter_mut().flat_map(|it| &mut it.ffns).filter(|it| it.chosen.is_none()) {
            ffn.width = ffn.units();
        }
        self.orders = orders;
    }

    /// Takes matrices out that hold nothing, so that no test looks at them.
    pub(crate) fn take_out(&mut self, empty: BTreeMap<String, u64>) {
        let drop = |slot: &mut Option<Slot>| {
            if slot.as_ref().is_some_and(|it| empty.contains_key(it.name())) {
                *slot = None;
            }
        };
        drop(&mut self.embedding);
        drop(&mut self.head);
        for layer in &mut self.layers {
            let Layer { query, key, value, output, stored: [stored_query, stored_key], fused, router, .. } = layer;
            [query, key, value, output, stored_query, stored_key, fused, router].into_iter().for_each(drop);
            for FeedForward { gate, up, down, fused, .. } in &mut layer.ffns {
                // A block without its gate is no block without gates. What writes nothing shows no direction by itself.
                let had = [gate.is_some(), up.is_some()];
                [&mut *gate, &mut *up, fused].into_iter().for_each(drop);
                if had != [gate.is_some(), up.is_some()] {
                    (*gate, *up, *down, *fused) = (None, None, None, None);
                }
            }
            layer.ffns.retain(|it| it.key().is_some());
        }
        self.layers.retain(|it| it.query.is_some() || !it.ffns.is_empty());
        self.empty = empty;
    }

    /// Rows of tokens, also where they are columns.
    fn token_rows(&self, placed: &Placed) -> Option<Slot> {
        let [rows, cols] = placed.shape[..] else { return None };
        Slot::of(placed, rows == self.hidden as u64 && cols != rows)
    }

    fn place(&mut self, (layer, ffns): &mut (Layer, BTreeMap<u32, FeedForward>), it: &Settled, is_turned: Turned) {
        let name = it.placed.name.clone();
        if it.role.ends_with("norm") || it.role.ends_with(".bias") {
            self.lengths.insert(name.clone(), it.placed.shape.first().copied().unwrap_or(0));
        }
        let slot = || Slot::of(&it.placed, turned(&it.placed, &it.role, self.hidden as u64, is_turned));
        let expert = it.placed.expert.map_or(0, |it| it + 1);
        match it.role.as_str() {
            "attention.query" => layer.stored[0] = slot(),
            "attention.key" => layer.stored[1] = slot(),
            "attention.value" => layer.value = slot(),
            "attention.output" => layer.output = slot(),
            "attention.query_key_value" => layer.fused = slot(),
            "attention.norm" => layer.attention_norm = Some(name),
            "ffn.norm" => layer.ffn_norm = Some(name),
            "ffn.gate" | "expert.ffn.gate" => ffns.entry(expert).or_default().gate = slot(),
            "ffn.up" | "expert.ffn.up" => ffns.entry(expert).or_default().up = slot(),
            "ffn.down" | "expert.ffn.down" => ffns.entry(expert).or_default().down = slot(),
            "ffn.gate_up" | "expert.ffn.gate_up" => ffns.entry(expert).or_default().fused = slot(),
            "router" => layer.router = slot(),
            role if role.ends_with(".bias") && !role.contains("norm") => {
                layer.biases.insert(role.to_owned(), name);
            }
            _ => {}
        }
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
        if let Some(gain) = self.norm(norm)?.filter(|it| it.len() == matrix.cols) {
            matrix.scale_columns(&gain);
        }
        Ok(self.visible(matrix))
    }

    /// Rows of the stream without what the model's norms take away before anything reads it.
    pub(crate) fn visible(&self, mut rows: Matrix) -> Matrix {
        if self.is_centred && rows.cols == self.hidden {
            for row in rows.data.chunks_exact_mut(self.hidden.max(1)) {
                let mean = row.iter().map(|it| f64::from(*it)).sum::<f64>() / self.hidden as f64;
                row.iter_mut().for_each(|it| *it -= mean as f32);
            }
        }
        rows
    }

    /// The weights of a norm as they multiply, by the name of its tensor.
    pub(crate) fn norm(&self, name: Option<&String>) -> Result<Option<Vec<f32>>, Error> {
        let mut weights = self.vector(name)?;
        weights.iter_mut().flatten().for_each(|it| *it += self.norm_offset);
        Ok(weights)
    }
}

fn place_of(placed: &Placed) -> Option<Place> {
    let layer = placed.layer?;
    let within = placed.name.split_once(&format!(".{layer}.")).map_or(placed.name.as_str(), |it| it.1);
    let role = placed.roles.first().filter(|_| placed.roles.len() == 1);
    Some((role.cloned().unwrap_or_else(|| within.to_owned()), layer, placed.expert))
}
