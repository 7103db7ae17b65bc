//! Pairs of which one side is an adapter: which model it was trained on, and no comparison of weights, which it has
//! none of.

use crate::blueprint::Blueprint;
use crate::checkpoint::{Data, Error};
use crate::fact::{RuleId, Weights, WeightsRelation};
use crate::lineage::Model;
use crate::weights::{Factors, Finite, Net, Symmetries, relate_adapter, relate_adapters};

/// Architectures in which dimensions `i` and `i + n/2` of a head are one rotary pair, all of them rotated.
const ROTARY_HALVES: &[&str] = &[
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "granite",
    "llama",
    "mistral",
    "mixtral",
    "olmo",
    "olmo2",
    "phi3",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
    "starcoder2",
];

/// One side of a comparison.
type Side<'a> = (&'a Model, &'a Data, &'a Finite<'a>);

/// What the weights say where one side is an adapter, or both are; none for two models.
pub(super) fn relate(
    subject: Side<'_>,
    reference: Side<'_>,
    nets: &(Net<'_>, Net<'_>),
    references: usize,
) -> Result<Option<Weights>, Error> {
    match (is_adapter(subject.1), is_adapter(reference.1)) {
        (false, false) => Ok(None),
        (true, true) => Ok(Some(relate_adapters())),
        (true, false) => against(subject, reference.0, &nets.1, references).map(Some),
        (false, true) => against(reference, subject.0, &nets.0, references).map(Some),
    }
}

fn against(adapter: Side<'_>, model: &Model, net: &Net<'_>, references: usize) -> Result<Weights, Error> {
    let tensors = adapter.1.values().iter().map(|it| (it.name.as_str(), it.shape.as_slice()));
    relate_adapter(&Factors::new(tensors, adapter.2), net, symmetries(&model.blueprint), references)
}

/// An adapter and a fingerprint, which keeps nothing that the test of adapters looks at.
pub(super) fn against_fingerprint() -> Weights {
    let reason = "the subject is an adapter, and a fingerprint holds no attention and too few units to test it \
                  against; compare it with the model's own files";
    Weights {
        relation: WeightsRelation::Undetermined,
        rule: Some(RuleId::AdapterUnfit),
        reasons: vec![reason.to_owned()],
        ..Weights::default()
    }
}

fn symmetries(blueprint: &Blueprint) -> Symmetries {
    let family = blueprint.config().get("model_type").and_then(|it| it.as_str()).unwrap_or_default();
    let is_shift = |role: &String| role.contains("norm") && role.ends_with(".bias");
    let has_means = blueprint.placed().iter().any(|it| it.roles.iter().any(is_shift));
    Symmetries { has_rotary_halves: ROTARY_HALVES.contains(&family), has_means }
}

fn is_adapter(data: &Data) -> bool {
    data.checkpoint().adapter.is_some()
}

/// What an answer on an adapter leaves open; none for a model.
pub(super) fn note(data: &Data) -> Option<String> {
    let adapter = data.checkpoint().adapter.as_ref()?;
    let named = adapter.base.as_ref().map_or_else(String::new, |it| {
        format!("; its author names the base {}, which is a claim", crate::bytes::shown(it))
    });
    Some(format!(
        "it is an adapter, which holds changes and no weights of a model: only whether it was trained on the other \
         side was tested; merge it into its base to compare weights{named}"
    ))
}
