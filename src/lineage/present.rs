//! How much of a catalogue entry is there in a model, and what either has besides.

use std::collections::BTreeMap;

use crate::blueprint::{Region, SeenPart};
use crate::fact::Present;
use crate::lineage::likelihood::split;

/// What of an entry a model holds.
#[derive(Debug)]
pub(crate) struct Held {
    /// As shares of the entry.
    pub(crate) present: Present,
    /// What only the model has.
    pub(crate) additions: Vec<String>,
    /// What only the entry has.
    pub(crate) missing: Vec<String>,
    /// Whether what is in the layers of either has its answer in the same shape.
    pub(crate) is_same_layer: bool,
}

/// Parts of the language model by what they do; of no known role by their name.
type ByRole<'a> = BTreeMap<String, Vec<&'a SeenPart>>;

/// Holds the language model of an entry against a model, part by part.
pub(crate) fn held(subject: &[SeenPart], entry: &[SeenPart]) -> Held {
    let (ours, theirs) = (by_role(subject), by_role(entry));
    let has_shapes = [subject, entry].iter().all(|it| it.iter().any(|part| !part.shape.is_empty()));
    let mut sums = Sums::default();
    let mut missing = Vec::new();
    for part in language(entry) {
        let share = answered(part, &ours);
        sums.add(part, share);
        if share == 0.0 {
            missing.push(described(part));
        }
        sums.is_same_layer &= part.layers == 0 || share > 0.0;
    }
    let is_lone = |it: &&SeenPart| !keys(it).iter().any(|key| theirs.contains_key(key));
    let additions: Vec<String> = language(subject).filter(is_lone).map(described).collect();
    let is_layered = |it: &String| it.contains("{i}");
    Held {
        present: sums.present(has_shapes),
        is_same_layer: sums.is_same_layer && !additions.iter().any(is_layered),
        additions,
        missing,
    }
}

#[derive(Debug)]
struct Sums {
    tensors: [f64; 2],
    values: [f64; 2],
    is_same_layer: bool,
}

impl Default for Sums {
    fn default() -> Self {
        Self { tensors: [0.0; 2], values: [0.0; 2], is_same_layer: true }
    }
}

impl Sums {
    fn add(&mut self, part: &SeenPart, share: f64) {
        for (sums, size) in [(&mut self.tensors, part.count as f64), (&mut self.values, part.elements as f64)] {
            sums[0] += size * share;
            sums[1] += size;
        }
    }

    fn present(&self, has_shapes: bool) -> Present {
        let share = |[there, all]: [f64; 2]| if all > 0.0 { (there / all * 10_000.0).floor() / 10_000.0 } else { 0.0 };
        Present { tensors: share(self.tensors), values: has_shapes.then(|| share(self.values)) }
    }
}

fn language(parts: &[SeenPart]) -> impl Iterator<Item = &SeenPart> {
    parts.iter().filter(|it| it.region == Region::Language)
}

fn by_role(parts: &[SeenPart]) -> ByRole<'_> {
    let mut by_role: ByRole<'_> = BTreeMap::new();
    for part in language(parts) {
        for key in keys(part) {
            by_role.entry(key).or_default().push(part);
        }
    }
    by_role
}

/// What a part does: each of the roles that it may have or, where it is fused, that it represents; else its name.
fn keys(part: &SeenPart) -> Vec<String> {
    match part.roles.as_slice() {
        [] => vec![format!("? {}", part.plain)],
        roles => roles.iter().flat_map(|it| split(it)).map(str::to_owned).collect(),
    }
}

/// Which share of a part of the entry the model holds.
fn answered(part: &SeenPart, ours: &ByRole<'_>) -> f64 {
    let best = |key: &String| {
        let answers = ours.get(key).into_iter().flatten();
        answers.map(|it| shared(it, part)).fold(0.0, f64::max)
    };
    let shares = keys(part).iter().map(best).collect::<Vec<f64>>();
    let is_fused = part.roles.len() == 1 && shares.len() > 1;
    let is_whole = shares.iter().all(|it| *it == 1.0);
    match is_fused && !is_whole {
        true => shares.iter().sum::<f64>().min(1.0),
        false => shares.into_iter().fold(0.0, f64::max),
    }
}

/// Which share of a part another holds: none where it does other work or has another shape.
fn shared(ours: &SeenPart, theirs: &SeenPart) -> f64 {
    let of_layers = |ours: u64, theirs: u64| (ours.min(theirs) as f64 / theirs.max(1) as f64).min(1.0);
    let layers = if theirs.layers == 0 { 1.0 } else { of_layers(ours.layers, theirs.layers) };
    let experts = of_layers(ours.experts(), theirs.experts());
    match (ours.shape.as_slice(), theirs.shape.as_slice()) {
        ([], _) | (_, []) => layers * experts,
        (one, other) if one == other || one.iter().rev().eq(other) => layers * experts,
        // Rows of a vocabulary, and projections that one side fuses: what the shorter holds of the longer.
        ([one, width], [other, same]) if width == same && is_of_rows(ours, theirs) => of_layers(*one, *other) * layers,
        ([one], [other]) if is_of_rows(ours, theirs) => of_layers(*one, *other) * layers,
        _ => 0.0,
    }
}

fn is_of_rows(ours: &SeenPart, theirs: &SeenPart) -> bool {
    let is_vocabulary = |it: &SeenPart| it.roles.iter().any(|it| matches!(it.as_str(), "token_embedding" | "output"));
    is_vocabulary(ours) && is_vocabulary(theirs) || ours.roles != theirs.roles
}

fn described(part: &SeenPart) -> String {
    let sizes: Vec<String> = part.shape.iter().map(u64::to_string).collect();
    if sizes.is_empty() { part.name.clone() } else { format!("{} [{}]", part.name, sizes.join(", ")) }
}
