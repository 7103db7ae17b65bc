//! Gives every part its role: the name hints, the shapes check, and where names say nothing the shapes decide alone.

use std::collections::BTreeMap;

use crate::blueprint::config::Config;
use crate::blueprint::infer;
use crate::blueprint::naming;
use crate::blueprint::normalise::Note;
use crate::blueprint::part::{Component, Part};
use crate::blueprint::role::Role;

/// Gives roles to all parts of the language model and of its prediction layers; notes names that the shapes contradict.
pub(crate) fn assign(parts: &mut [Part], config: &Config, notes: &mut Vec<Note>) {
    let siblings = naming::siblings(parts.iter().filter(|it| !is_tower(it)).map(|it| it.plain.as_str()));
    for part in parts.iter_mut().filter(|it| !is_tower(it)) {
        if let Some(hint) = naming::hint(part, &siblings) {
            part.role = Role::named(hint);
        }
    }
    let Some(hidden) = hidden_size(parts, config) else { return };
    let latent = latent_width(parts, hidden);
    for part in parts.iter_mut().filter(|it| it.component == Component::Language) {
        let of_expert = part.role.only().is_some_and(|it| it.starts_with("expert.ffn."));
        let width = latent.filter(|_| of_expert).unwrap_or(hidden);
        if part.role.only().is_some_and(|it| !fits(it, part, width)) {
            contradict(part, notes);
        }
    }
    refine_fused_gates(parts);
    withdraw_contradictions(parts, hidden, notes);
    infer::fill(parts, hidden, config);
    for part in parts.iter_mut().filter(|it| it.component == Component::Prediction && !it.role.is_unknown()) {
        part.role = Role::named(format!("prediction.{}", part.role));
    }
}

/// In how many dimensions the experts work, where that is not those of the stream.
fn latent_width(parts: &[Part], hidden: u64) -> Option<u64> {
    let down = parts.iter().find(|it| it.role.is("expert.latent_down"))?;
    down.shape().iter().copied().find(|it| *it != hidden)
}

fn is_tower(part: &Part) -> bool {
    matches!(part.component, Component::Tower(_))
}

fn contradict(part: &mut Part, notes: &mut Vec<Note>) {
    notes.push(Note::new("name-contradicts-shape", part.name.clone()));
    part.role = Role::default();
}

/// The width of the residual stream: what the configuration says, if any tensor has it, else the commonest size of the
/// matrices in the layers.
pub(crate) fn hidden_size(parts: &[Part], config: &Config) -> Option<u64> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let is_adapter = |it: &Part| it.role.names().iter().any(|name| name.starts_with("adapter."));
    let layered = parts.iter().filter(|it| it.component == Component::Language && it.is_layered());
    for part in layered.filter(|it| !is_adapter(it)) {
        let mut sizes = part.shape().to_vec();
        sizes.sort_unstable();
        sizes.dedup(); // A square matrix is one witness, not two.
        for size in sizes.into_iter().filter(|it| *it > 1) {
            *counts.entry(size).or_default() += 1;
        }
    }
    let stated = config.number("hidden_size").filter(|it| counts.contains_key(it));
    let commonest = || counts.iter().max_by_key(|(size, count)| (**count, std::cmp::Reverse(**size)));
    stated.or_else(|| commonest().map(|(size, _)| *size))
}

/// Whether a shape can be what the name says.
fn fits(role: &str, part: &Part, hidden: u64) -> bool {
    let shape: Vec<u64> = part.shape().iter().copied().filter(|it| *it > 1).collect();
    let touches_stream = shape.contains(&hidden);
    if role == "shared_expert.router" {
        return touches_stream;
    }
    let base = role.strip_prefix("expert.").or_else(|| role.strip_prefix("shared_expert.")).unwrap_or(role);
    match base {
        "attention.query"
        | "attention.key"
        | "attention.value"
        | "attention.query_key_value"
        | "attention.output"
        | "attention.query_down"
        | "attention.key_value_down"
        | "ffn.gate"
        | "ffn.up"
        | "ffn.down"
        | "ffn.gate_up"
        | "gate"
        | "up"
        | "down"
        | "router" => shape.len() == 2 && touches_stream,
        // OPT-350m embeds in fewer dimensions than its layers have.
        "token_embedding" | "output" | "position_embedding" => shape.len() == 2,
        "attention.norm" | "ffn.norm" | "attention.post_norm" | "ffn.post_norm" | "output_norm" | "mixer.norm" => {
            shape.len() == 1 && touches_stream
        }
        _ if base.ends_with(".bias") => shape.len() <= 1,
        _ => true,
    }
}

/// `ChatGLM` calls a fused gate and up projection what others call a plain up projection: it has twice the rows that
/// the down projection takes.
fn refine_fused_gates(parts: &mut [Part]) {
    for scope in ["ffn", "expert.ffn", "shared_expert"] {
        let (up, down) = (format!("{scope}.up"), format!("{scope}.down"));
        let has_gate = parts.iter().any(|it| it.role.is(&format!("{scope}.gate")));
        let Some(width) = width_of(parts, &down) else { continue };
        for part in parts.iter_mut().filter(|it| it.role.is(&up) && !has_gate) {
            let is_double = part.shape().iter().any(|it| Some(*it) == width.checked_mul(2));
            if is_double && !part.shape().contains(&width) {
                part.role = Role::named(format!("{scope}.gate_up"));
            }
        }
    }
}

/// The size of a down projection that is not the larger share of the stream: `[hidden, width]`.
fn width_of(parts: &[Part], down: &str) -> Option<u64> {
    let part = parts.iter().find(|it| it.role.is(down) && it.shape().len() == 2)?;
    part.shape().last().copied()
}

/// Takes back names of one feed-forward block, or of one attention block, that its shapes cannot have: a down
/// projection lies across the other two, and a key is as wide as the value.
fn withdraw_contradictions(parts: &mut [Part], hidden: u64, notes: &mut Vec<Note>) {
    for scope in ["ffn", "expert.ffn", "shared_expert"] {
        let names = ["gate", "up", "down"].map(|it| format!("{scope}.{it}"));
        let shapes = names.clone().map(|it| only_shape(parts, &it));
        if let [Some(gate), Some(up), Some(_)] = shapes
            && gate != up
        {
            withdraw(parts, &names, notes);
        }
    }
    let names = ["query", "key", "value", "output"].map(|it| format!("attention.{it}"));
    let shapes = names.clone().map(|it| only_shape(parts, &it));
    if let [Some(query), Some(key), Some(value), Some(_)] = shapes {
        let width = |it: &[u64]| if it[0] == hidden { it[1] } else { it[0] };
        if width(&key) > width(&query) || width(&key) != width(&value) && width(&value) > width(&query) {
            withdraw(parts, &names, notes);
        }
    }
}

/// The shape of the one part that has a role; none where several parts or several shapes share it.
fn only_shape(parts: &[Part], role: &str) -> Option<Vec<u64>> {
    let mut having = parts.iter().filter(|it| it.component == Component::Language && it.role.is(role));
    let (part, another) = (having.next()?, having.next());
    let is_plain = another.is_none() && part.variants.len() == 1 && part.shape().len() == 2;
    is_plain.then(|| part.shape().to_vec())
}

fn withdraw(parts: &mut [Part], roles: &[String], notes: &mut Vec<Note>) {
    for part in parts.iter_mut().filter(|it| roles.iter().any(|role| it.role.is(role))) {
        contradict(part, notes);
    }
}
