//! Where the case stands on the chart: how much is somebody else's, and how much substance and path there is.

use crate::case::Case;
use crate::evidence::Evidence;
use crate::fact::{FormRelation, Interval, Message, Truth, Value};
use crate::scoring::Quadrant;
use crate::scoring::situation::{SCALE, Situation};

/// The axis of the decision table that says nothing about substance or path.
const DISCLOSURE: &str = "disclosure";

// The ordinal scale of `Quadrant::borrowed`.
const BLUEPRINT: f64 = 1.0;
const COMPONENTS: f64 = 2.0;
const TRAINED_FURTHER: f64 = 3.0;
const COPIED: f64 = 4.0;

pub(crate) fn quadrant(situation: &Situation<'_>, case: &Case, evidence: &Evidence) -> Quadrant {
    let (borrowed, borrowed_because) = borrowed(situation, case, evidence);
    let means = situation.rubric.axes.means.iter().filter(|(id, _)| id.as_str() != DISCLOSURE);
    let pillars: Vec<String> = means.flat_map(|(_, axis)| axis.pillars.clone()).collect();
    Quadrant { borrowed, substance: situation.axis_mean(&pillars).unwrap_or(SCALE), borrowed_because }
}

fn borrowed(situation: &Situation<'_>, case: &Case, evidence: &Evidence) -> (Interval, Vec<Message>) {
    let mut range = SCALE;
    let mut because = Vec::new();
    if let Some(message) = shared_form(evidence) {
        range.low = BLUEPRINT;
        because.push(message);
    }
    for parent in case.subjects.iter().flat_map(|it| &it.declared_parents).filter(|it| it.part == "architecture") {
        range.low = BLUEPRINT;
        because.push(Message::new("borrowed.declared_blueprint").with("model", parent.model.as_str()));
    }
    let unexamined = Value::Word("unexamined".to_owned());
    if evidence.facts.get("weights.relation").is_none_or(|it| it.value == unexamined || is_unknown(&it.value)) {
        because.push(Message::new("borrowed.weights_unexamined"));
    }
    match situation.derived() {
        Truth::Yes => {
            range.low = TRAINED_FURTHER;
            let level = situation.interval(&situation.rubric.axes.derived_criterion).unwrap_or(SCALE);
            if level.high < 1.0 {
                range.low = COPIED;
            } else if level.low >= 1.0 {
                range.high = TRAINED_FURTHER;
            }
            because.push(Message::new("borrowed.weights_derived"));
        }
        Truth::No => {
            range.high = COMPONENTS;
            because.push(Message::new("borrowed.weights_own"));
        }
        Truth::Maybe => {}
    }
    (range, because)
}

fn is_unknown(value: &Value) -> bool {
    matches!(value, Value::Unknown(_))
}

/// The closest blueprint, where it is shared at all.
fn shared_form(evidence: &Evidence) -> Option<Message> {
    let comparisons = evidence.subjects.iter().flat_map(|it| &it.comparisons);
    let closest = comparisons.min_by_key(|it| it.form.relation)?;
    (!matches!(closest.form.relation, FormRelation::Undetermined | FormRelation::Different)).then(|| {
        let relation = serde_json::to_value(closest.form.relation).ok();
        let relation = relation.as_ref().and_then(|it| it.as_str()).unwrap_or_default().replace(' ', "_");
        Message::new("borrowed.blueprint_shared")
            .with("subject", closest.subject.name.as_str())
            .with("reference", closest.reference.name.as_str())
            .with("relation", Message::new(format!("form.{relation}")))
    })
}
