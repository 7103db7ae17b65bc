//! What no answer overrides: weights that were measured, and a parent that the company itself names.

use crate::case::{Case, DeclaredParent};
use crate::fact::{Facts, Interval, Message, Value};
use crate::rubric::{Axes, Grade, Rubric};

/// Levels that the derived criterion is held to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pin {
    /// The levels.
    pub(crate) interval: Interval,
    /// Why.
    pub(crate) because: Message,
    /// Grade of what it rests on.
    pub(crate) grade: Option<Grade>,
    /// Evidence ids it rests on.
    pub(crate) evidence: Vec<String>,
}

/// What is measured or admitted about whose weights they are; none where neither is.
///
/// Only a finding that the weights are somebody else's pins: that none was found says little beyond the references.
pub(crate) fn derived(rubric: &Rubric, case: &Case, facts: &Facts) -> Option<Pin> {
    measured(&rubric.axes, facts).or_else(|| declared(rubric, case))
}

fn measured(axes: &Axes, facts: &Facts) -> Option<Pin> {
    let Value::Word(relation) = &facts.get("weights.relation")?.value else { return None };
    let high = match relation.as_str() {
        "identical" => 0.0,
        "derived" => f64::from(axes.derived_at_most),
        _ => return None,
    };
    let because = Message::new("pinned.measured").with("relation", relation.as_str());
    Some(Pin { interval: Interval::new(0.0, high), because, grade: Some(Grade::A), evidence: Vec::new() })
}

/// Nobody says of itself that its weights are another's unless they are. But it has to be the company that says so: a
/// rumour entered as a declaration must not accuse, so the evidence must be good enough for the level by itself.
fn declared(rubric: &Rubric, case: &Case) -> Option<Pin> {
    let axes = &rubric.axes;
    let criterion = rubric.criteria.iter().find(|it| it.id == axes.derived_criterion)?;
    let needed = criterion.needs.get(&axes.derived_at_most).copied().unwrap_or(Grade::E);
    let parents = case.subjects.iter().flat_map(|it| &it.declared_parents).filter(|it| it.part == "weights");
    let (parent, grade) = parents.filter_map(|it| Some((it, best_grade(it, case)?))).find(|(_, it)| *it <= needed)?;
    let because = Message::new("pinned.declared").with("model", parent.model.as_str());
    let interval = Interval::new(0.0, f64::from(axes.derived_at_most));
    Some(Pin { interval, because, grade: Some(grade), evidence: parent.evidence.clone() })
}

fn best_grade(parent: &DeclaredParent, case: &Case) -> Option<Grade> {
    let entries = parent.evidence.iter().filter_map(|id| case.ledger.get(id));
    entries.filter(|it| !it.is_altered()).map(|it| it.grade).min()
}
