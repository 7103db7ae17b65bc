//! How much of a derived model answers nothing in its reference.
//!
//! **What counts.** The numbers of all matrices; vectors (gains, biases) are left out, being few. New are: all matrices
//! of a layer that answers no layer of the reference; an expert that answers no block of it, and the router of a
//! mixture made from a model that has none; the rows, in the embedding and in a head of its own, of tokens that the
//! reference lacks, and all of these rows where the rows that are shared keep a cosine below 0.5, so that they were
//! replaced.
//!
//! **What it cannot tell.** A part that was trained on counts as the reference's, however far it was trained: retention
//! says how far. Projections of attention go with their layer. A share of none is what a mere fine-tune has.

use crate::fact::{LayerSource, Novelty};
use crate::stats::levels::rounded;
use crate::weights::align::token_rows::Tokens;
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Cosine of shared token rows below which they are taken to be replaced.
const REPLACED: f64 = 0.5;

/// Where tensors that no test of the language model looks at (towers, projectors) hold more than this, nothing is said
/// of the whole.
const SMALL: f64 = 0.01;

/// Measures. `parameters` is null where other tensors hold more than a hundredth of the numbers, where not every layer
/// or expert was looked at, and where the vocabularies differ in size and nothing tells which tokens are shared.
pub(crate) fn measure(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured, map: &[LayerSource]) -> Novelty {
    let new = map.iter().filter(|it| it.reference.is_none()).count();
    let rows = subject.embedding.as_ref().or(subject.head.as_ref()).map_or(0, Slot::outputs);
    let vocabulary = measured.shared_tokens.map(|shared| 1.0 - (shared as f64 / rows.max(1) as f64).min(1.0));
    Novelty {
        layers: rounded(new as f64 / map.len().max(1) as f64),
        vocabulary: vocabulary.map(rounded),
        parameters: parameters(subject, reference, measured, map, vocabulary).map(rounded),
    }
}

fn parameters(
    subject: &Net<'_>,
    reference: &Net<'_>,
    measured: &Measured,
    map: &[LayerSource],
    vocabulary: Option<f64>,
) -> Option<f64> {
    if map.len() < subject.layers.iter().filter(|it| !it.ffns.is_empty()).count() {
        return None;
    }
    let (mut all, mut new) = (0.0, 0.0);
    let others: f64 = subject.others.values().map(|it| *it as f64).sum();
    for (at, layer) in subject.layers.iter().enumerate() {
        let numbers = matrices(layer);
        all += numbers;
        let is_new = map.iter().find(|it| it.subject == layer.index).is_some_and(|it| it.reference.is_none());
        new += if is_new { numbers } else { new_experts(layer, at, reference, measured)? };
    }
    let ends = [
        (&subject.embedding, &reference.embedding, &measured.embedding),
        (&subject.head, &reference.head, &measured.head),
    ];
    for (ours, theirs, rows) in ends {
        let Some(ours) = ours else { continue };
        all += numbers(ours);
        new += numbers(ours) * new_rows(ours, theirs.as_ref().or(reference.embedding.as_ref())?, rows, vocabulary)?;
    }
    (all > 0.0 && others <= SMALL * (all + others)).then(|| new / all)
}

/// Which share of token rows is new.
fn new_rows(ours: &Slot, theirs: &Slot, rows: &Tokens, vocabulary: Option<f64>) -> Option<f64> {
    match vocabulary {
        _ if rows.count > 0 && rows.cosine < REPLACED => Some(1.0),
        Some(share) => Some(share),
        None if ours.outputs() == theirs.outputs() => Some(0.0),
        None => None,
    }
}

/// Numbers of the experts of a layer that answer nothing, and of a router that the reference has none of; none where
/// not every expert was looked at.
fn new_experts(layer: &Layer, at: usize, reference: &Net<'_>, measured: &Measured) -> Option<f64> {
    if layer.ffns.len() < 2 {
        return Some(0.0);
    }
    let blocks: Vec<_> = measured.blocks.iter().filter(|it| measured.answers[it.answer].subject == at).collect();
    let is_new = |expert: usize| {
        let block = blocks.iter().find(|it| it.subject_expert == expert)?;
        Some((block.units.agreeing as f64) < AGREEING_SHARE * block.units.possible as f64)
    };
    let mut new = 0.0;
    for (expert, ffn) in layer.ffns.iter().enumerate() {
        if is_new(expert)? {
            new += [&ffn.gate, &ffn.up, &ffn.down].into_iter().flatten().map(numbers).sum::<f64>();
        }
    }
    let has_router = reference.layers.iter().any(|it| it.router.is_some());
    Some(new + if has_router { 0.0 } else { layer.router.as_ref().map_or(0.0, numbers) })
}

fn matrices(layer: &Layer) -> f64 {
    layer.matrices().into_iter().flatten().map(numbers).sum()
}

fn numbers(slot: &Slot) -> f64 {
    slot.outputs() as f64 * slot.inputs() as f64
}
