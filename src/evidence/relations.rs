//! What a comparison of weights says about whose they are.

use crate::case::{Reference, Subject};
use crate::evidence::{Bearing, Order, Relation};
use crate::fact::{Comparison, FingerprintMatch, Message, Origin, StepId, Weights, WeightsRelation};

/// Share of the layers of which units have to be compared before "no derivation found" settles anything.
const LAYERS_READ: f64 = 0.9;

/// A smaller mean cosine between matched units would have been found: a change of 1.3 times the weights' own size, more
/// than long continued training is on record for.
const POWER: f64 = 0.6;

/// Steps after which nothing of the other's training is new: copies.
const COPYING: &[StepId] = &[StepId::Cast, StepId::Quantized, StepId::NoiseAdded, StepId::LayersReordered];

/// Steps that cut or rearrange, and are copies unless something was trained afterwards.
const CUTTING: &[StepId] = &[StepId::LayersDropped, StepId::WidthPruned, StepId::UnitsPruned, StepId::MagnitudePruned];

/// Steps that grow a model out of another.
const GROWING: &[StepId] = &[StepId::LayersDuplicated, StepId::LayersAdded, StepId::MoeUpcycled];

/// Steps of training.
const TUNING: &[StepId] =
    &[StepId::FineTuned, StepId::LoraMerged, StepId::EmbeddingReplaced, StepId::VocabularyExtended];

/// Long training.
const CONTINUING: &[StepId] = &[StepId::ContinuedPretraining];

/// The facts of one comparison; who was first is for others to say.
pub(crate) fn relation(comparison: &Comparison, reference: &Reference, order: (Order, Message)) -> Relation {
    let weights = &comparison.weights;
    let is_fingerprint = [&comparison.subject, &comparison.reference].iter().any(|it| it.origin == Origin::Fingerprint);
    let bearing = match bearing(weights) {
        Bearing::Clear | Bearing::ClearButPart if is_fingerprint => Bearing::Open,
        other => other,
    };
    Relation {
        reference: reference.name.clone().unwrap_or_else(|| comparison.reference.name.clone()),
        location: reference.location.clone(),
        own: reference.own,
        sibling: None,
        same_authors: false,
        has_weights: comparison.reference.origin != Origin::Catalog,
        fingerprint: is_fingerprint,
        near: Vec::new(),
        access: None,
        relation: weights.relation,
        bearing,
        levels: if bearing == Bearing::Derived { levels(weights) } else { Vec::new() },
        order: order.0,
        order_because: order.1,
        log10_p: weights.log10_p,
        p_kind: weights.p_kind,
        power: weights.power.as_ref().map(|it| it.least_cosine),
        layers_read: layers_read(weights),
        effort: weights.effort.as_ref().map(|it| it.used.clone()),
    }
}

/// The same for another model of the case.
pub(crate) fn to_sibling(comparison: &Comparison, other: &Subject, order: (Order, Message)) -> Relation {
    let reference = Reference {
        location: other.location.clone().unwrap_or_default(),
        name: Some(other.id.clone()),
        published: None,
        authors: Vec::new(),
        own: true,
    };
    Relation { sibling: Some(other.id.clone()), ..relation(comparison, &reference, order) }
}

/// The same for a fingerprint of a library: a match counts, and where nothing was found that is so of the kept rows
/// alone.
pub(crate) fn to_fingerprint(found: &FingerprintMatch, order: (Order, Message)) -> Relation {
    let (bearing, levels) = match found.relation {
        WeightsRelation::Unexamined => (Bearing::Unexamined, Vec::new()),
        WeightsRelation::Identical => (Bearing::Derived, vec![0]),
        WeightsRelation::Derived => (Bearing::Derived, vec![0, 1, 2]),
        WeightsRelation::ComponentDerived
        | WeightsRelation::SharedInit
        | WeightsRelation::Undetermined
        | WeightsRelation::Independent => (Bearing::Open, Vec::new()),
    };
    Relation {
        relation: found.relation,
        bearing,
        levels,
        has_weights: true,
        fingerprint: true,
        log10_p: found.log10_p,
        p_kind: found.p_kind,
        ..unseen(&found.reference.name, &found.reference.location, order)
    }
}

/// A known model of which nothing is at hand.
pub(crate) fn unseen(name: &str, location: &str, order: (Order, Message)) -> Relation {
    Relation {
        reference: name.to_owned(),
        location: location.to_owned(),
        own: false,
        sibling: None,
        same_authors: false,
        has_weights: false,
        fingerprint: false,
        near: Vec::new(),
        access: None,
        relation: WeightsRelation::Unexamined,
        bearing: Bearing::Unexamined,
        levels: Vec::new(),
        order: order.0,
        order_because: order.1,
        log10_p: None,
        p_kind: None,
        power: None,
        layers_read: None,
        effort: None,
    }
}

fn layers_read(weights: &Weights) -> Option<f64> {
    let effort = weights.effort.as_ref()?;
    (effort.layers > 0).then(|| effort.layers_compared as f64 / effort.layers as f64)
}

fn bearing(weights: &Weights) -> Bearing {
    let is_read = layers_read(weights).is_some_and(|it| it >= LAYERS_READ);
    let has_power = weights.power.as_ref().is_some_and(|it| it.least_cosine <= POWER);
    match weights.relation {
        WeightsRelation::Unexamined => Bearing::Unexamined,
        WeightsRelation::Identical | WeightsRelation::Derived => Bearing::Derived,
        WeightsRelation::Independent if is_read && has_power => Bearing::Clear,
        WeightsRelation::ComponentDerived if is_read && has_power && is_body_independent(weights) => {
            Bearing::ClearButPart
        }
        WeightsRelation::Independent
        | WeightsRelation::ComponentDerived
        | WeightsRelation::SharedInit
        | WeightsRelation::Undetermined => Bearing::Open,
    }
}

/// Feed-forward blocks or experts, the body of a model, were compared and nothing was found.
fn is_body_independent(weights: &Weights) -> bool {
    let body = weights.components.iter().filter(|it| ["feed-forward", "experts"].contains(&it.component.as_str()));
    let relations: Vec<WeightsRelation> = body.map(|it| it.relation).collect();
    !relations.is_empty() && relations.iter().all(|it| *it == WeightsRelation::Independent)
}

/// Levels of "whose weights" that a derivation means, by its recipe; all three where no step is known.
fn levels(weights: &Weights) -> Vec<u8> {
    if weights.relation == WeightsRelation::Identical {
        return vec![0];
    }
    let has = |steps: &[StepId]| weights.recipe.iter().any(|it| steps.contains(&it.step));
    let level = match () {
        () if has(CONTINUING) || has(GROWING) => 2,
        () if has(CUTTING) && has(TUNING) => 2,
        () if has(TUNING) => 1,
        () if has(CUTTING) || has(COPYING) => 0,
        () => return vec![0, 1, 2],
    };
    vec![level]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{EffortSpent, Power, RecipeStep};

    fn weights(relation: WeightsRelation, steps: &[StepId]) -> Weights {
        let step = |it: &StepId| RecipeStep {
            step: *it,
            certainty: "measured".to_owned(),
            parameters: std::collections::BTreeMap::new(),
            detail: String::new(),
        };
        Weights { relation, recipe: steps.iter().map(step).collect(), ..Weights::default() }
    }

    #[track_caller]
    fn check_levels(steps: &[StepId], expected: &[u8]) {
        assert_eq!(levels(&weights(WeightsRelation::Derived, steps)), expected, "{steps:?}");
    }

    #[test]
    fn a_recipe_gives_the_level() {
        check_levels(&[StepId::Cast], &[0]);
        check_levels(&[StepId::FineTuned], &[1]);
        check_levels(&[StepId::Cast, StepId::FineTuned], &[1]);
        check_levels(&[StepId::ContinuedPretraining, StepId::VocabularyExtended], &[2]);
        check_levels(&[StepId::LayersDropped], &[0]);
        check_levels(&[StepId::LayersDropped, StepId::FineTuned], &[2]);
        check_levels(&[StepId::MoeUpcycled], &[2]);
        check_levels(&[], &[0, 1, 2]);
        assert_eq!(levels(&weights(WeightsRelation::Identical, &[StepId::FineTuned])), [0]);
    }

    #[track_caller]
    fn check_bearing(compared: u64, least_cosine: f64, expected: Bearing) {
        let effort = EffortSpent {
            asked: "standard".to_owned(),
            used: "standard".to_owned(),
            detail: String::new(),
            layers_compared: compared,
            layers: 10,
        };
        let power = Power { least_cosine, units: 100, detail: String::new() };
        let weights =
            Weights { effort: Some(effort), power: Some(power), ..weights(WeightsRelation::Independent, &[]) };
        assert_eq!(bearing(&weights), expected, "{compared} of 10 layers at {least_cosine}");
    }

    #[test]
    fn nothing_found_settles_only_what_was_read_with_power() {
        check_bearing(10, 0.5, Bearing::Clear);
        check_bearing(9, 0.6, Bearing::Clear);
        check_bearing(8, 0.5, Bearing::Open);
        check_bearing(10, 0.7, Bearing::Open);
    }
}
