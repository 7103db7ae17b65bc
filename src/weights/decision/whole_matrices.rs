//! Matrices that no other test has a place for, whole and where they stand: state-space blocks, latent attention,
//! attention whose heads cannot be cut, roles that are not known.
//!
//! The statistic is that of [`row_cosines`](crate::weights::statistics::row_cosines), with its null and its limits: the
//! least re-ordering makes it silent, and a shared start is not distinguished from derivation. So what it finds is
//! "related", and what it does not find is nothing.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::fact::{ComponentRelation, Examined, RuleId, Statistic, Weights, WeightsRelation};
use crate::stats::levels::ASYMPTOTIC_LEVEL;
use crate::weights::decision::correction::Correction;
use crate::weights::matching::matched::Measured;
use crate::weights::model::projection::Slot;
use crate::weights::model::sizes::{OTHERS, part_of};
use crate::weights::model::view::{Net, Place};
use crate::weights::statistics::row_cosines::Cosines;
use crate::weights::statistics::sampled_rows::rows;

/// The least mean cosine of rows that is reported as a relation.
const ALIKE: f64 = 0.3;

/// Matrices with fewer rows or columns may hold what every program starts with, such as the steps of a state space.
const LEAST: usize = 16;

/// Adds what they say: a statistic and a part, and where the body could not be tested otherwise, that both are related.
pub(crate) fn describe(
    subject: &Net<'_>,
    reference: &Net<'_>,
    measured: &Measured,
    correction: &Correction,
    weights: &mut Weights,
) -> Result<(), Error> {
    if subject.hidden != reference.hidden || subject.is_fingerprint() || reference.is_fingerprint() {
        return Ok(());
    }
    let ours = unheld(subject, measured);
    let theirs = unheld(reference, measured);
    for part in ["attention", OTHERS] {
        let (mut cosines, mut seen) = (Cosines::default(), 0_u64);
        for (place, slot) in ours.iter().filter(|it| part_of(&it.0.0, true) == Some(part)) {
            let Some(other) = theirs.get(place) else { continue };
            seen = seen.saturating_add((slot.outputs() as u64).saturating_mul(slot.inputs() as u64));
            rows((subject, slot), (reference, other), |own, answer, next| cosines.look(own, answer, next))?;
        }
        if !cosines.is_empty() {
            let statistic = correction.reported(cosines.observation(&format!("{part}, in place")), true);
            let share = seen as f64 / subject.sizes.elements(part).max(1) as f64;
            say(weights, part, statistic, (share * 1e4).round() / 1e4);
        }
    }
    Ok(())
}

/// What no other test looked at, by its place. Attention is among it where no heads were compared.
fn unheld<'a>(net: &'a Net<'_>, measured: &Measured) -> BTreeMap<Place, &'a Slot> {
    let mut found: BTreeMap<Place, &Slot> = net.unheld.iter().map(|it| (it.0.clone(), it.1)).collect();
    if measured.head_z.is_empty() {
        for layer in &net.layers {
            let all =
                [("query", &layer.query), ("key", &layer.key), ("value", &layer.value), ("output", &layer.output)];
            for (word, slot) in all.into_iter().filter_map(|it| Some((it.0, it.1.as_ref()?))) {
                found.insert((format!("attention.{word}"), layer.index, None), slot);
            }
        }
    }
    found.retain(|_, it| it.outputs() >= LEAST && it.inputs() >= LEAST);
    found
}

fn say(weights: &mut Weights, part: &str, statistic: Statistic, share: f64) {
    let speaks = statistic.log10_p.is_some_and(|it| it <= ASYMPTOTIC_LEVEL) && statistic.value >= ALIKE;
    let examined = Examined { share, layers: String::new(), coordinates: "same coordinates, index-aligned".to_owned() };
    let found = weights.components.iter_mut().find(|it| it.component == part);
    if let Some(part) = found.filter(|it| it.relation == WeightsRelation::Unexamined) {
        *part = ComponentRelation {
            component: part.component.clone(),
            relation: WeightsRelation::Undetermined,
            log10_p: statistic.log10_p,
            p_kind: Some(statistic.p_kind),
            cosine: Some(statistic.value),
            examined: Some(examined),
        };
    }
    if speaks && weights.rule == Some(RuleId::TooLittle) {
        weights.rule = Some(RuleId::InitializationOrDerived);
        (weights.log10_p, weights.p_kind) = (statistic.log10_p, Some(statistic.p_kind));
    }
    let said = if speaks {
        "agree as those of related models do"
    } else {
        "do not agree, and the least re-ordering would do that"
    };
    weights.reasons.push(format!(
        "{part}: no units or heads could be matched, so its matrices were compared whole and row by row at their \
         places; they {said} (mean cosine {:.2})",
        statistic.value
    ));
    weights.statistics.push(statistic);
}
