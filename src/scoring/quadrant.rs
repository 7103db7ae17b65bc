//! Where a model is on the chart: how much is somebody else's, and how much substance and path there is.

use crate::case::{Case, Subject};
use crate::evidence::{Basis, Bearing, ModelFacts, Order, SubjectEvidence};
use crate::fact::{FormRelation, Interval, Message};
use crate::scoring::Quadrant;
use crate::scoring::situation::{SCALE, Situation, pillar_of};

/// The axis of the decision table that says nothing about substance or path.
const DISCLOSURE: &str = "disclosure";

// The ordinal scale of `Quadrant::borrowed`.
const NOTHING: f64 = 0.0;
const BLUEPRINT: f64 = 1.0;
const COMPONENTS: f64 = 2.0;
const TRAINED_FURTHER: f64 = 3.0;
const COPIED: f64 = 4.0;

/// The mark of one model.
pub(crate) fn quadrant(
    situation: &Situation<'_>,
    case: &Case,
    model: &ModelFacts,
    measured: Option<&SubjectEvidence>,
) -> Quadrant {
    let (borrowed, borrowed_because) = borrowed(case.subject(&model.id), model, measured);
    let axes = situation.rubric.axes.means.iter().filter(|(id, _)| id.as_str() != DISCLOSURE);
    let axes: Vec<_> = axes.map(|it| it.1).collect();
    let derived = &situation.rubric.axes.derived_criterion;
    let takes =
        |it: &crate::rubric::Criterion| it.id != *derived && axes.iter().any(|axis| axis.takes(&it.id, pillar_of(it)));
    Quadrant { borrowed, substance: situation.mean(takes).unwrap_or(SCALE), borrowed_because }
}

fn borrowed(
    subject: Option<&Subject>,
    model: &ModelFacts,
    measured: Option<&SubjectEvidence>,
) -> (Interval, Vec<Message>) {
    let mut because = Vec::new();
    let declared = subject.iter().flat_map(|it| &it.declared_parents).find(|it| it.part == "architecture");
    because.extend(subject.zip(measured).and_then(|(subject, it)| shared_form(subject, model, it)));
    because.extend(declared.map(|it| Message::new("borrowed.declared_blueprint").with("model", it.model.as_str())));
    let shared = if because.is_empty() { NOTHING } else { BLUEPRINT };
    let steps: Vec<f64> = model.whose.levels.iter().map(|level| step(model, *level, shared)).collect();
    let low = steps.iter().copied().fold(COPIED, f64::min);
    let high = steps.iter().copied().fold(shared, f64::max);
    because.push(Message::new(match (model.whose.closed, model.whose.may_be_at_most(2)) {
        (true, true) => "borrowed.weights_derived",
        (true, false) => "borrowed.weights_own",
        (false, _) if model.whose.basis == Basis::Reported => "borrowed.weights_reported",
        (false, _) if model.whose.examined == 0 => "borrowed.weights_unexamined",
        (false, _) => "borrowed.weights_open",
    }));
    (Interval { low, high }, because)
}

/// Where a level of "whose weights" is on the scale.
fn step(model: &ModelFacts, level: u8, shared: f64) -> f64 {
    let is_part = |it: &crate::evidence::Relation| {
        !it.own && it.bearing == Bearing::ClearButPart && it.order != Order::SubjectEarlier
    };
    match level {
        0 => COPIED,
        1 | 2 => TRAINED_FURTHER,
        _ if model.relations.iter().any(is_part) => COMPONENTS,
        _ => shared,
    }
}

/// The closest blueprint, where it is shared at all.
fn shared_form(subject: &Subject, model: &ModelFacts, measured: &SubjectEvidence) -> Option<Message> {
    let closest = measured.comparisons.iter().min_by_key(|it| it.form.relation)?;
    (!matches!(closest.form.relation, FormRelation::Undetermined | FormRelation::Different)).then(|| {
        let known = model.relations.iter().find(|it| it.location == closest.reference.location);
        let reference = known.map_or(closest.reference.name.as_str(), |it| it.reference.as_str());
        let relation = serde_json::to_value(closest.form.relation).ok();
        let relation = relation.as_ref().and_then(|it| it.as_str()).unwrap_or_default().replace(' ', "_");
        Message::new("borrowed.blueprint_shared")
            .with("subject", subject.name.clone())
            .with("reference", reference)
            .with("relation", Message::new(format!("form.{relation}")))
    })
}
