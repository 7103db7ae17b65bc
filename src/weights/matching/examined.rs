//! How much of each part of the subject was looked at, and in which coordinates.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Examined;
use crate::weights::matching::matched::Measured;
use crate::weights::model::sizes::PARTS;
use crate::weights::model::view::Net;

/// Of every part that the subject has; a share of 0 says that nothing of it was compared.
pub(crate) fn examined(subject: &Net<'_>, measured: &Measured) -> BTreeMap<&'static str, Examined> {
    let used = subject.used();
    let index =
        |answer: &usize| measured.answers.get(*answer).and_then(|it| subject.layers.get(it.subject)).map(|it| it.index);
    let of_blocks: BTreeSet<u32> = measured.blocks.iter().filter_map(|it| index(&it.answer)).collect();
    let of_heads: BTreeSet<u32> = measured.head_columns.iter().filter_map(|it| index(&it.0)).collect();
    let all: BTreeSet<u32> = subject.layers.iter().map(|it| it.index).collect();
    let rows = |count: usize| count as f64 / subject.tokens().unwrap_or(0).max(1) as f64;
    let here = measured.stream.word();
    let look = |part: &'static str| {
        let none = BTreeSet::new();
        let (share, layers, word) = match part {
            "embeddings" => (rows(measured.embedding.count), &none, here),
            "head" => (rows(measured.head.count), &none, here),
            "feed-forward" => {
                (subject.sizes.share(part, &used, &of_blocks) * experts_seen(subject, measured), &of_blocks, here)
            }
            "attention" => (subject.sizes.share(part, &used, &of_heads), &of_heads, here),
            "norms" if measured.gains.count > 0 => (subject.sizes.share(part, &used, &all), &all, "same coordinates"),
            _ => (0.0, &none, ""),
        };
        let coordinates = if share > 0.0 { word.to_owned() } else { String::new() };
        Examined { share: (share * 1e4).round() / 1e4, layers: written(layers), coordinates }
    };
    PARTS.into_iter().filter(|it| subject.sizes.has(it)).map(|part| (part, look(part))).collect()
}

/// The share of experts that were compared, in the layers that were.
fn experts_seen(subject: &Net<'_>, measured: &Measured) -> f64 {
    let layers: BTreeSet<usize> = measured.blocks.iter().map(|it| it.answer).collect();
    let of = |answer: &usize| {
        measured.answers.get(*answer).and_then(|it| subject.layers.get(it.subject)).map(|it| it.ffns.len())
    };
    let all: usize = layers.iter().filter_map(of).sum();
    measured.blocks.len() as f64 / all.max(1) as f64
}

/// Layers as a person writes them: `0-2, 5`.
fn written(layers: &BTreeSet<u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for layer in layers {
        match runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(*layer) => run.1 = *layer,
            _ => runs.push((*layer, *layer)),
        }
    }
    let words = runs.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    words.collect::<Vec<_>>().join(", ")
}
