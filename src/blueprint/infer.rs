//! Roles from shapes alone, for parts whose names say nothing.
//!
//! What symmetry hides stays open: of four square attention matrices nothing in a header says which is the query. Such
//! parts get all the roles they may have.

use crate::blueprint::config::Config;
use crate::blueprint::part::{Component, Part};
use crate::blueprint::role::Role;

/// Gives roles to the parts of the language model that have none yet, as far as shapes and the roles of the others go.
pub(crate) fn fill(parts: &mut [Part], hidden: u64, config: &Config) {
    if parts.iter().any(|it| is_open(it) && it.is_layered()) {
        let heads = stated_width(config).filter(|it| config.number("intermediate_size") != Some(*it));
        feed_forward(parts, hidden, Place::Layer, heads);
        feed_forward(parts, hidden, Place::Expert, None);
        router(parts, hidden);
        attention(parts, hidden, config);
        layer_norms(parts, hidden);
    }
    outside(parts, hidden);
}

/// How wide all heads are together, where the configuration says so.
fn stated_width(config: &Config) -> Option<u64> {
    config.number("num_attention_heads")?.checked_mul(config.number("head_dim")?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Layer,
    Expert,
}

fn is_open(part: &Part) -> bool {
    part.component == Component::Language && part.role.is_unknown()
}

fn is_at(part: &Part, place: Place) -> bool {
    part.is_layered() && part.has_experts() == (place == Place::Expert)
}

fn has_role(parts: &[Part], role: &str) -> bool {
    parts.iter().any(|it| it.role.may_be(role))
}

/// The open parts of one shape.
fn open_with(parts: &[Part], place: Place, shape: &[u64]) -> Vec<usize> {
    let fits = |it: &Part| is_open(it) && is_at(it, place) && it.variants.len() == 1 && it.shape() == shape;
    (0..parts.len()).filter(|idx| fits(&parts[*idx])).collect()
}

fn give(parts: &mut [Part], which: &[usize], roles: &[&str]) {
    for idx in which {
        parts[*idx].role = Role::one_of(roles);
    }
}

/// The widths x of open matrices `[x, hidden]` or `[hidden, x]`, widest first.
fn widths(parts: &[Part], hidden: u64, place: Place) -> Vec<u64> {
    let open = parts.iter().filter(|it| is_open(it) && is_at(it, place));
    let mut widths: Vec<u64> = open
        .filter_map(|it| match it.shape() {
            [width, last] if *last == hidden => Some(*width),
            [first, width] if *first == hidden => Some(*width),
            _ => None,
        })
        .filter(|it| *it != hidden)
        .collect();
    widths.sort_unstable_by(|one, other| other.cmp(one));
    widths.dedup();
    widths
}

/// The widest pair of `[x, hidden]` and `[hidden, x]` is the feed-forward block, gated where one side has two.
fn feed_forward(parts: &mut [Part], hidden: u64, place: Place, heads: Option<u64>) {
    let scope = if place == Place::Layer { "ffn" } else { "expert.ffn" };
    let name = |it: &str| format!("{scope}.{it}");
    let (gate, up, down, both) = (name("gate"), name("up"), name("down"), name("gate_up"));
    if has_role(parts, &down) {
        return;
    }
    for width in widths(parts, hidden, place).into_iter().filter(|it| Some(*it) != heads) {
        let tall = open_with(parts, place, &[width, hidden]);
        let flat = open_with(parts, place, &[hidden, width]);
        let doubled = width.checked_mul(2).map(|it| open_with(parts, place, &[it, hidden])).unwrap_or_default();
        match (tall.len(), flat.len(), doubled.len()) {
            (2, 1, _) => {
                give(parts, &tall, &[&gate, &up]);
                give(parts, &flat, &[&down]);
            }
            // Weights stored input first lie the other way.
            (1, 2, _) => {
                give(parts, &flat, &[&gate, &up]);
                give(parts, &tall, &[&down]);
            }
            (1, 1, _) if lies_input_first(parts, &[tall[0], flat[0]]) => {
                give(parts, &flat, &[&up]);
                give(parts, &tall, &[&down]);
            }
            (1, 1, _) => {
                give(parts, &tall, &[&up]);
                give(parts, &flat, &[&down]);
            }
            (0, 1, 1) => {
                give(parts, &doubled, &[&both]);
                give(parts, &flat, &[&down]);
            }
            _ => continue,
        }
        return;
    }
}

/// Whether these matrices, none of them square, are stored with the input first: a bias beside one is as long as its
/// output.
fn lies_input_first(parts: &[Part], matrices: &[usize]) -> bool {
    let length = |idx: &usize| {
        let bias = format!("{}.bias", parts[*idx].name.strip_suffix(".weight")?);
        parts.iter().find(|it| it.name == bias).and_then(|it| it.shape().first().copied())
    };
    let is_turned = |idx: &usize| length(idx).is_some_and(|it| parts[*idx].shape().get(1) == Some(&it));
    matrices.iter().all(is_turned)
}

/// A matrix with one row for each expert.
fn router(parts: &mut [Part], hidden: u64) {
    let experts = parts.iter().filter(|it| it.has_experts()).map(|it| it.count() / it.layer_count().max(1)).max();
    if let Some(experts) = experts
        && !has_role(parts, "router")
        && experts != hidden
    {
        let found = open_with(parts, Place::Layer, &[experts, hidden]);
        if found.len() == 1 {
            give(parts, &found, &["router"]);
        }
    }
}

/// What is left in each layer between the stream and a narrower or equal width.
fn attention(parts: &mut [Part], hidden: u64, config: &Config) {
    const PLAIN: [&str; 4] = ["attention.query", "attention.key", "attention.value", "attention.output"];
    if PLAIN.iter().chain(&["attention.query_key_value"]).any(|it| has_role(parts, it)) {
        return;
    }
    let squares = open_with(parts, Place::Layer, &[hidden, hidden]);
    let narrow: Vec<u64> = widths(parts, hidden, Place::Layer);
    let stated = stated_width(config).filter(|it| *it != hidden);
    if stated.is_some() {
        return wide_heads(parts, stated.as_slice(), hidden);
    }
    let tall = |parts: &[Part], width| open_with(parts, Place::Layer, &[width, hidden]);
    match squares.len() {
        4 => give(parts, &squares, &PLAIN),
        2 => {
            give(parts, &squares, &["attention.query", "attention.output"]);
            give_pair(parts, &narrow, hidden);
        }
        1 => {
            give(parts, &squares, &["attention.output"]);
            let fused: Vec<usize> = narrow.iter().filter(|it| **it > hidden).flat_map(|it| tall(parts, *it)).collect();
            if fused.len() == 1 {
                give(parts, &fused, &["attention.query_key_value"]);
            }
        }
        0 => wide_heads(parts, &narrow, hidden),
        _ => {}
    }
}

/// Two matrices of one smaller width are key and value.
fn give_pair(parts: &mut [Part], widths: &[u64], hidden: u64) {
    for width in widths {
        let found = open_with(parts, Place::Layer, &[*width, hidden]);
        if found.len() == 2 {
            give(parts, &found, &["attention.key", "attention.value"]);
            return;
        }
    }
}

/// Heads that are together wider or narrower than the stream: the output lies across the others.
fn wide_heads(parts: &mut [Part], candidates: &[u64], hidden: u64) {
    for width in candidates {
        let flat = open_with(parts, Place::Layer, &[hidden, *width]);
        let tall = open_with(parts, Place::Layer, &[*width, hidden]);
        match (flat.len(), tall.len()) {
            (1, 3) => give(parts, &tall, &["attention.query", "attention.key", "attention.value"]),
            (1, 1) => {
                give(parts, &tall, &["attention.query"]);
                give_pair(parts, &widths(parts, hidden, Place::Layer), hidden);
            }
            _ => continue,
        }
        give(parts, &flat, &["attention.output"]);
        return;
    }
}

/// Two gains a layer are the norms before the two blocks; nothing says which is which.
fn layer_norms(parts: &mut [Part], hidden: u64) {
    let found = open_with(parts, Place::Layer, &[hidden]);
    if found.len() == 2 && !has_role(parts, "attention.norm") && !has_role(parts, "ffn.norm") {
        give(parts, &found, &["attention.norm", "ffn.norm"]);
    }
}

/// Outside the layers: the largest matrix, or the largest two, hold the vocabulary.
fn outside(parts: &mut [Part], hidden: u64) {
    let is_outside = |it: &Part| is_open(it) && !it.is_layered();
    let tables = |parts: &[Part]| -> Vec<usize> {
        (0..parts.len())
            .filter(|idx| is_outside(&parts[*idx]) && matches!(parts[*idx].shape(), [_, last] if *last == hidden))
            .collect()
    };
    let found = tables(parts);
    let rows = found.iter().map(|idx| parts[*idx].shape()[0]).max();
    let largest: Vec<usize> = found.into_iter().filter(|idx| Some(parts[*idx].shape()[0]) == rows).collect();
    match (largest.len(), has_role(parts, "token_embedding"), has_role(parts, "output")) {
        (2, false, false) => give(parts, &largest, &["token_embedding", "output"]),
        (1, false, _) => give(parts, &largest, &["token_embedding"]),
        (1, true, false)
            if parts.iter().any(|it| it.role.is("token_embedding") && it.shape().first() == rows.as_ref()) =>
        {
            give(parts, &largest, &["output"]);
        }
        _ => {}
    }
    let gains: Vec<usize> =
        (0..parts.len()).filter(|idx| is_outside(&parts[*idx]) && parts[*idx].shape() == [hidden]).collect();
    if gains.len() == 1 && !has_role(parts, "output_norm") {
        give(parts, &gains, &["output_norm"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Blueprint, Config};

    /// Roles of the two matrices of a block whose names say nothing, with biases of these lengths beside them.
    fn roles(wide: u64, narrow: u64) -> Vec<(String, String)> {
        let config = Config::new(&serde_json::json!({"hidden_size": 64}));
        let mut shapes: Vec<(String, Vec<u64>)> = vec![("model.tok_embeddings.weight".to_owned(), vec![512, 64])];
        for layer in 0..4 {
            let mut add =
                |name: &str, shape: &[u64]| shapes.push((format!("model.blocks.{layer}.ff.{name}"), shape.to_vec()));
            add("one.weight", &[256, 64]);
            add("one.bias", &[wide]);
            add("two.weight", &[64, 256]);
            add("two.bias", &[narrow]);
        }
        let shapes = shapes.iter().map(|(name, shape)| (name.as_str(), "F32", shape.as_slice()));
        let blueprint = Blueprint::from_tensors(shapes, config);
        let placed = blueprint.placed().into_iter().filter(|it| it.layer == Some(0) && it.shape.len() == 2);
        placed.map(|it| (it.name, it.roles.join(" "))).collect()
    }

    #[test]
    fn a_bias_tells_which_way_a_matrix_lies() {
        let named = |one: &str, two: &str| {
            vec![
                ("model.blocks.0.ff.one.weight".to_owned(), one.to_owned()),
                ("model.blocks.0.ff.two.weight".to_owned(), two.to_owned()),
            ]
        };
        assert_eq!(roles(256, 64), named("ffn.up", "ffn.down"));
        assert_eq!(roles(64, 256), named("ffn.down", "ffn.up"));
    }
}
