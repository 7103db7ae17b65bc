//! What no answer overrides: weights that were measured, and a parent that the company itself names.

use crate::case::{Case, DeclaredParent, LedgerEntry, Subject};
use crate::fact::{Facts, Interval, Message, Value};
use crate::rubric::{Axes, Criterion, Grade, Rubric};

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

/// Why declared parents of the weights do not count, one message for each that does not.
pub(crate) fn dismissed(rubric: &Rubric, case: &Case) -> Vec<Message> {
    let why = |parent: &DeclaredParent| {
        let message = |key: &str| Message::new(key).with("model", parent.model.as_str());
        match () {
            () if is_own(case, parent) => Some(message("declared.own_model")),
            () if admission(rubric, case, parent).is_none() => Some(message("declared.weak_evidence")),
            () => None,
        }
    };
    parents_of_weights(case).filter_map(why).collect()
}

fn measured(axes: &Axes, facts: &Facts) -> Option<Pin> {
    let Value::Word(relation) = &facts.get("weights.relation")?.value else { return None };
    let (high, term) = match relation.as_str() {
        "identical" => (0.0, "weights.identical"),
        "derived" => (f64::from(axes.derived_at_most), "weights.derived"),
        _ => return None,
    };
    let because = Message::new("pinned.measured").with("relation", Message::new(term));
    Some(Pin { interval: Interval::new(0.0, high), because, grade: Some(Grade::A), evidence: Vec::new() })
}

/// Nobody says of itself that its weights are another's unless they are. That it says so needs the evidence that an
/// answer of the same level would need.
fn declared(rubric: &Rubric, case: &Case) -> Option<Pin> {
    let counts = |parent: &DeclaredParent| !is_own(case, parent) && admission(rubric, case, parent).is_some();
    let parent = parents_of_weights(case).find(|it| counts(it))?;
    let because = Message::new("pinned.declared").with("model", parent.model.as_str());
    let interval = Interval::new(0.0, f64::from(rubric.axes.derived_at_most));
    let grade = admission(rubric, case, parent);
    Some(Pin { interval, because, grade, evidence: parent.evidence.clone() })
}

fn parents_of_weights(case: &Case) -> impl Iterator<Item = &DeclaredParent> {
    case.subjects.iter().flat_map(|it| &it.declared_parents).filter(|it| it.part == "weights")
}

/// Whether the parent is another model of this case: what the company put forward as its own is nobody else's.
fn is_own(case: &Case, parent: &DeclaredParent) -> bool {
    let is_called = |it: &Subject| {
        let mut names = it.name.languages().filter_map(|language| it.name.get(language));
        it.id == parent.model || it.location == parent.model || names.any(|name| name == parent.model)
    };
    case.subjects.iter().any(|it| !it.declared_parents.contains(parent) && is_called(it))
}

/// The best grade among the unaltered evidence that the company says so, where it suffices.
fn admission(rubric: &Rubric, case: &Case, parent: &DeclaredParent) -> Option<Grade> {
    let level = rubric.axes.derived_at_most;
    let criterion = rubric.criteria.iter().find(|it| it.id == rubric.axes.derived_criterion)?;
    let entries = parent.evidence.iter().filter_map(|id| case.ledger.get(id));
    let intact = entries.filter(|it: &&LedgerEntry| !it.is_altered()).map(|it| it.grade);
    intact.min().filter(|grade| suffices(rubric, criterion, *grade, level))
}

fn suffices(rubric: &Rubric, criterion: &Criterion, grade: Grade, level: u8) -> bool {
    let cap = rubric.evidence.grades.get(&grade).map_or(0, |it| it.cap);
    level <= cap && criterion.needs.get(&level).is_none_or(|weakest| grade <= *weakest)
}
