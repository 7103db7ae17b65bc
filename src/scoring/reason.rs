//! Three reasons to believe and three to worry: whatever lies farthest from the middle, by weight.

use crate::case::Level;
use crate::claims::{Check, Outcome};
use crate::evidence::{Bearing, Evidence, ModelFacts, Order, Relation, SubjectEvidence};
use crate::fact::{Argument, Comparison, Message, Text, Truth, WeightsRelation};
use crate::rubric::Effect;
use crate::scoring::reading::REFUSED;
use crate::scoring::situation::Situation;
use crate::scoring::{CriterionScore, GateOutcome, MESSAGE_KEYS, ModelVerdict, Reason};

/// So many of each kind are given.
const LISTED: usize = 4;

/// The middle of the scale, where a criterion speaks neither for nor against.
const MIDDLE: f64 = 2.0;

/// Nearer to the middle than this a criterion is no reason for anything.
const CLEAR_OF_MIDDLE: f64 = 0.5;

/// The highest anchor that says what is seen without naming the level below it.
const HIGHEST_ANCHOR: u8 = 3;

// How much findings weigh beside criteria, in points of weight times levels from the middle: the heaviest criterion of
// a rubric of 100 seldom exceeds 20.
const VETO_OR_HOLD: f64 = 100.0;
const CAP: f64 = 60.0;
const WAIVED: f64 = 30.0;
/// Whose weights they are outweighs every answer, and comes after a veto alone.
const MEASURED: f64 = 95.0;
/// Of which models it was put together comes next.
const MERGED: f64 = 94.0;
const REARRANGED: f64 = 93.0;
const IMPOSSIBLE: f64 = 90.0;
const RELATED: f64 = 80.0;
const PART: f64 = 50.0;
const IMPLAUSIBLE: f64 = 40.0;
const AGREES: f64 = 45.0;
const CLEAR: f64 = 44.0;
const ASK: f64 = 6.0;
const NORMAL: f64 = 5.0;

/// Reasons with their weight: above zero to believe, below zero to worry.
#[derive(Debug)]
pub(crate) struct Reasons(Vec<(f64, Reason)>);

impl Reasons {
    pub(crate) fn of(
        situation: &Situation<'_>,
        criteria: &[CriterionScore],
        gates: &[GateOutcome],
        (evidence, flagship): (&Evidence, &ModelFacts),
        models: &[ModelVerdict],
    ) -> Self {
        let derived = &situation.rubric.axes.derived_criterion;
        let mut reasons: Vec<(f64, Reason)> = Vec::new();
        reasons.extend(gates.iter().filter_map(of_gate));
        reasons.extend(flagship.checks.iter().filter_map(of_check));
        for (facts, model) in evidence.models.iter().zip(models) {
            let measured = evidence.subjects.iter().find(|it| it.id == facts.id);
            reasons.extend(of_weights(facts, &model.name, measured, derived));
        }
        reasons.extend(criteria.iter().filter(|it| it.id != *derived).filter_map(of_criterion));
        Self(reasons)
    }

    /// Strongest first.
    pub(crate) fn believe(&self) -> Vec<Reason> {
        self.strongest(|weight| weight)
    }

    /// Gravest first.
    pub(crate) fn worry(&self) -> Vec<Reason> {
        self.strongest(|weight| -weight)
    }

    fn strongest(&self, direction: impl Fn(f64) -> f64) -> Vec<Reason> {
        let mut reasons: Vec<_> = self.0.iter().filter(|(weight, _)| direction(*weight) > 0.0).collect();
        // The sort is stable: equals keep the order gates, checks, weights, criteria.
        reasons.sort_by(|(one, _), (other, _)| direction(*other).total_cmp(&direction(*one)));
        reasons.into_iter().take(LISTED).map(|(_, reason)| reason.clone()).collect()
    }
}

/// A gate that is tripped. One that is open says what is not known, which is no reason to worry about anybody.
fn of_gate(gate: &GateOutcome) -> Option<(f64, Reason)> {
    if gate.tripped != Truth::Yes {
        return None;
    }
    let (weight, key) = match (&gate.effect, &gate.waived) {
        (Effect::Stamp(_), _) => return None,
        (_, Some(_)) => (WAIVED, "reason.gate_waived"),
        (Effect::Veto(_) | Effect::Hold(_), None) => (VETO_OR_HOLD, "reason.gate_tripped"),
        (Effect::Cap(_), None) => (CAP, "reason.gate_tripped"),
    };
    let text = Message::new(key).with("gate", gate.name.clone()).with("meaning", gate.meaning.clone());
    let rests_on = std::iter::once(gate.id.clone()).chain(gate.rests_on.clone()).collect();
    Some((-weight, Reason { text, rests_on }))
}

/// What was measured on the weights of one model.
fn of_weights(
    facts: &ModelFacts,
    name: &Text,
    measured: Option<&SubjectEvidence>,
    criterion: &str,
) -> Vec<(f64, Reason)> {
    let mut found = Vec::new();
    let mut add = |weight: f64, text: Message| {
        found.push((weight, Reason { text: text.with("subject", name.clone()), rests_on: vec![criterion.to_owned()] }));
    };
    let others = || facts.relations.iter().filter(|it| !it.own);
    let agrees = others().find(|it| it.bearing == Bearing::Derived && is_declared(facts, it));
    if let Some(relation) = agrees {
        add(AGREES, Message::new("reason.declared_agrees").with("reference", relation.reference.as_str()));
    }
    let derived = others().find(|it| it.bearing == Bearing::Derived && it.order == Order::ReferenceEarlier);
    if let Some(relation) = derived {
        let term =
            if relation.relation == WeightsRelation::Identical { "weights.identical" } else { "weights.derived" };
        let text = Message::new("reason.weights_measured").with("relation", Message::new(term));
        add(-MEASURED, text.with("reference", relation.reference.as_str()));
        if let Some(count) = rearrangements(measured, relation) {
            add(-REARRANGED, Message::new("reason.rearranged").with("count", count as f64));
        }
    }
    if let Some(relation) = others().find(|it| it.bearing == Bearing::Derived && it.order == Order::Unknown) {
        add(-RELATED, Message::new("reason.order_unknown").with("reference", relation.reference.as_str()));
    }
    if let Some(relation) = others().find(|it| it.bearing == Bearing::ClearButPart) {
        add(-PART, Message::new("reason.part").with("reference", relation.reference.as_str()));
    }
    if facts.whose.closed && !facts.whose.may_be_at_most(2) {
        let numbers = [facts.whose.examined as f64, facts.whose.references as f64];
        add(CLEAR, Message::new("reason.none_found").with("examined", numbers[0]).with("references", numbers[1]));
    }
    if let Some(text) = measured.and_then(|it| of_merge(it, facts)) {
        add(-MERGED, text);
    }
    found
}

/// Whether the company names this reference as the source of the weights, and did not wait to be caught.
fn is_declared(facts: &ModelFacts, relation: &Relation) -> bool {
    let Some(disclosure) = facts.disclosures.get("weights") else { return false };
    let is_late = |it: &String| it == "denied";
    relation.order == Order::ReferenceEarlier
        && relation.order_because.key == "order.admitted"
        && !disclosure.values.iter().any(is_late)
}

/// How many changes that leave the function as it is stand between a model and its reference.
fn rearrangements(measured: Option<&SubjectEvidence>, relation: &Relation) -> Option<usize> {
    let is_it = |it: &&Comparison| it.reference.location == relation.location;
    let count = measured?.comparisons.iter().find(is_it)?.weights.disguises.len();
    (count > 0).then_some(count)
}

/// That a model was put together from several models, none of them the company's own.
fn of_merge(measured: &SubjectEvidence, facts: &ModelFacts) -> Option<Message> {
    let merge = measured.merge.as_ref().filter(|it| it.is_found())?;
    let kind = format!("merge.{}", merge.kind);
    let kind = MESSAGE_KEYS.iter().find(|it| **it == kind)?;
    let name = |location: &str| {
        let known = facts.relations.iter().find(|it| it.location == location);
        Argument::from(known.map_or(location, |it| it.reference.as_str()))
    };
    let references = Argument::List(merge.parents().into_iter().map(name).collect());
    Some(Message::new("reason.merged").with("kind", Message::new(*kind)).with("references", references))
}

/// A check that had to assume anything, or whose range leaves the normal band, praises nobody.
fn of_check(check: &Check) -> Option<(f64, Reason)> {
    let weight = match check.outcome {
        Outcome::NotComputable => return None,
        Outcome::Normal if check.assumed => return None,
        Outcome::Normal => NORMAL,
        Outcome::Ask => -ASK,
        Outcome::Implausible => -IMPLAUSIBLE,
        Outcome::Impossible => -IMPOSSIBLE,
    };
    let text = Message::new(format!("reason.check_{}", check.outcome.word()))
        .with("check", Message::new(format!("check.{}", check.id)));
    let rests_on = std::iter::once(check.id.clone()).chain(check.rests_on.clone()).collect();
    Some((weight, Reason { text, rests_on }))
}

fn of_criterion(criterion: &CriterionScore) -> Option<(f64, Reason)> {
    let interval = criterion.interval?;
    let rests_on = std::iter::once(criterion.id.clone()).chain(criterion.evidence.clone()).collect();
    let about = |key: &str| {
        Message::new(key).with("criterion", criterion.id.as_str()).with("question", criterion.question.clone())
    };
    let is_refused = criterion.readers.iter().any(|it| it.level == Level::Refused);
    if !criterion.covered {
        // Silence says nothing about the company; a refusal in writing does.
        let weight = criterion.weight * (REFUSED.middle() - MIDDLE);
        return is_refused.then(|| (weight, Reason { text: about("reason.refused"), rests_on }));
    }
    let from_middle = criterion.level.map_or(interval.middle(), f64::from) - MIDDLE;
    let weight = criterion.weight * from_middle;
    if from_middle.abs() < CLEAR_OF_MIDDLE {
        return None;
    }
    let level = criterion.level.unwrap_or_else(|| nearest_level(interval.middle()));
    let anchor = criterion.levels.get(usize::from(level.min(HIGHEST_ANCHOR))).cloned().unwrap_or_default();
    let text = about("reason.criterion").with("level", f64::from(level)).with("anchor", anchor);
    Some((weight, Reason { text, rests_on }))
}

/// The level of which the anchor is given for a range.
fn nearest_level(middle: f64) -> u8 {
    (0..=4)
        .min_by(|one, other| (f64::from(*one) - middle).abs().total_cmp(&(f64::from(*other) - middle).abs()))
        .unwrap_or(0)
}
