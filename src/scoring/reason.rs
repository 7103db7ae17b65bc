//! Three reasons to believe and three to worry: whatever lies farthest from the middle, by weight.

use std::collections::BTreeSet;

use crate::case::Level;
use crate::claims::Outcome;
use crate::evidence::{Evidence, SubjectEvidence};
use crate::fact::{Argument, Comparison, Message, RELATED, Truth, Value, WeightsRelation};
use crate::rubric::Effect;
use crate::scoring::reading::REFUSED;
use crate::scoring::situation::Situation;
use crate::scoring::{CriterionScore, GateOutcome, MESSAGE_KEYS, Reason};

/// So many of each kind are told.
const TOLD: usize = 3;

/// The middle of the scale, where a criterion speaks neither for nor against.
const MIDDLE: f64 = 2.0;

/// Nearer to the middle than this a criterion is no reason for anything.
const TELLING: f64 = 0.5;

// How much gates and checks weigh beside criteria, in points of weight times levels from the middle: the heaviest
// criterion of a rubric of 100 seldom exceeds 20.
const VETO_OR_HOLD: f64 = 100.0;
const CAP: f64 = 60.0;
const WAIVED: f64 = 30.0;
const OPEN_GATE: f64 = 15.0;
/// Whose weights they are outweighs every answer, and stands behind a veto alone.
const MEASURED: f64 = 95.0;
/// What was done to hide it stands right behind.
const DISGUISED: f64 = 94.0;
/// Of whose models it was put together says more than that it is related to one of them.
const MERGED: f64 = 93.0;
const MEASURED_PART: f64 = 50.0;

/// Bodies that are related, by derivation or by a start in common.
const MEASURED_RELATED: f64 = 80.0;
const IMPOSSIBLE: f64 = 90.0;
const IMPLAUSIBLE: f64 = 40.0;
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
        evidence: &Evidence,
    ) -> Self {
        let derived = &situation.rubric.axes.derived_criterion;
        let mut reasons: Vec<(f64, Reason)> = Vec::new();
        reasons.extend(gates.iter().filter_map(of_gate));
        reasons.extend(evidence.checks.iter().filter_map(of_check));
        let comparisons = evidence.subjects.iter().flat_map(|it| &it.comparisons);
        reasons.extend(of_related(comparisons.clone(), derived));
        reasons.extend(of_weights(evidence, comparisons, derived).into_iter().flatten());
        reasons.extend(evidence.subjects.iter().filter_map(|it| of_merge(it, derived)));
        reasons.extend(criteria.iter().filter_map(|it| of_criterion(it, it.id == *derived)));
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
        // The sort is stable: equals keep the order gates, checks, criteria.
        reasons.sort_by(|(one, _), (other, _)| direction(*other).total_cmp(&direction(*one)));
        reasons.into_iter().take(TOLD).map(|(_, reason)| reason.clone()).collect()
    }
}

fn of_gate(gate: &GateOutcome) -> Option<(f64, Reason)> {
    let weight = match (&gate.effect, gate.tripped, &gate.waived) {
        (Effect::Stamp(_), _, _) | (_, Truth::No, _) => return None,
        (_, Truth::Yes, Some(_)) => WAIVED,
        (_, Truth::Maybe, Some(_)) => return None,
        (Effect::Veto(_) | Effect::Hold(_), Truth::Yes, None) => VETO_OR_HOLD,
        (Effect::Cap(_) | Effect::CriterionCap { .. }, Truth::Yes, None) => CAP,
        (_, Truth::Maybe, None) => OPEN_GATE,
    };
    let key = match (gate.tripped, &gate.waived) {
        (_, Some(_)) => "reason.gate_waived",
        (Truth::Yes, None) => "reason.gate_tripped",
        (_, None) => "reason.gate_open",
    };
    let text = Message::new(key).with("gate", gate.name.clone()).with("meaning", gate.meaning.clone());
    let rests_on = std::iter::once(gate.id.clone()).chain(gate.rests_on.clone()).collect();
    Some((-weight, Reason { text, rests_on }))
}

/// What was measured on weights and what hid it, where it is the relation that the case rests on and not a model of the company's own.
fn of_weights<'a>(
    evidence: &Evidence,
    mut comparisons: impl Iterator<Item = &'a Comparison>,
    criterion: &str,
) -> Option<Vec<(f64, Reason)>> {
    let fact = evidence.facts.get("weights.relation")?;
    let Value::Word(word) = &fact.value else { return None };
    let found = comparisons.find(|it| it.weights.relation.word() == word && fact.seen_in.contains(&it.pair()))?;
    let (weight, term) = match found.weights.relation {
        WeightsRelation::Identical => (MEASURED, "weights.identical"),
        WeightsRelation::Derived => (MEASURED, "weights.derived"),
        WeightsRelation::ComponentDerived => (MEASURED_PART, "weights.component_derived"),
        _ => return None,
    };
    let text = Message::new("reason.weights_measured")
        .with("subject", found.subject.name.as_str())
        .with("reference", found.reference.name.as_str())
        .with("relation", Message::new(term));
    let rests_on = vec![criterion.to_owned()];
    let disguised = of_disguises(found).map(|text| (-DISGUISED, Reason { text, rests_on: rests_on.clone() }));
    Some(std::iter::once((-weight, Reason { text, rests_on })).chain(disguised).collect())
}

/// That a subject was put together from several models, none of them the company's own.
fn of_merge(subject: &SubjectEvidence, criterion: &str) -> Option<(f64, Reason)> {
    let merge = subject.merge.as_ref().filter(|it| it.is_found())?;
    let kind = format!("merge.{}", merge.kind);
    let kind = MESSAGE_KEYS.iter().find(|it| **it == kind)?;
    let name = |location: &str| {
        let known = subject.comparisons.iter().find(|it| it.reference.location == location);
        Argument::from(known.map_or(location, |it| it.reference.name.as_str()))
    };
    let text = Message::new("reason.merged")
        .with("subject", subject.inspection.model.name.as_str())
        .with("kind", Message::new(*kind))
        .with("references", Argument::List(merge.parents().into_iter().map(name).collect()));
    Some((-MERGED, Reason { text, rests_on: vec![criterion.to_owned()] }))
}

/// Bodies that are related, whatever made them so: a model of the company's own is no such reference.
fn of_related<'a>(comparisons: impl Iterator<Item = &'a Comparison> + Clone, criterion: &str) -> Option<(f64, Reason)> {
    let own: BTreeSet<&str> = comparisons.clone().map(|it| it.subject.location.as_str()).collect();
    let mut others = comparisons.filter(|it| !own.contains(it.reference.location.as_str()));
    let found = others.find(|it| it.weights.rule.as_deref() == Some(RELATED))?;
    let text = Message::new("reason.weights_related")
        .with("subject", found.subject.name.as_str())
        .with("reference", found.reference.name.as_str());
    Some((-MEASURED_RELATED, Reason { text, rests_on: vec![criterion.to_owned()] }))
}

/// Changes that no training makes and that hide where weights come from.
fn of_disguises(found: &Comparison) -> Option<Message> {
    let count = found.weights.disguises.len();
    (count > 0).then(|| {
        Message::new("reason.disguised").with("subject", found.subject.name.as_str()).with("count", count as f64)
    })
}

fn of_check(check: &crate::claims::Check) -> Option<(f64, Reason)> {
    let weight = match check.outcome {
        Outcome::NotComputable => return None,
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

fn of_criterion(criterion: &CriterionScore, is_derived: bool) -> Option<(f64, Reason)> {
    let interval = criterion.interval?;
    let rests_on = std::iter::once(criterion.id.clone()).chain(criterion.evidence.clone()).collect();
    let about = |key: &str| {
        Message::new(key).with("criterion", criterion.id.as_str()).with("question", criterion.question.clone())
    };
    let is_refused = criterion.readers.iter().any(|it| it.level == Level::Refused);
    if !criterion.covered && is_refused {
        return Some((
            criterion.weight * (REFUSED.middle() - MIDDLE),
            Reason { text: about("reason.refused"), rests_on },
        ));
    }
    if !criterion.covered {
        // Silence says nothing about the company, except that the one question nothing makes up for is open.
        let reason = Reason { text: about("reason.weights_open"), rests_on };
        return is_derived.then_some((-criterion.weight * MIDDLE, reason));
    }
    let from_middle = criterion.level.map_or(interval.middle(), f64::from) - MIDDLE;
    let weight = criterion.weight * from_middle;
    // What another reader found to be good is no refusal.
    if is_refused && weight <= 0.0 {
        return Some((weight, Reason { text: about("reason.refused"), rests_on }));
    }
    if from_middle.abs() < TELLING {
        return None;
    }
    let level = criterion.level.unwrap_or_else(|| nearest_level(interval.middle()));
    let anchor = criterion.levels.get(usize::from(level)).cloned().unwrap_or_default();
    let text = about("reason.criterion").with("level", f64::from(level)).with("anchor", anchor);
    Some((weight, Reason { text, rests_on }))
}

/// The level of which the anchor is told for a range.
fn nearest_level(middle: f64) -> u8 {
    (0..=4)
        .min_by(|one, other| (f64::from(*one) - middle).abs().total_cmp(&(f64::from(*other) - middle).abs()))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{CatalogReach, ConfigAgreement, Cost, Form, FormRelation, ModelName, Origin, Weights};

    fn comparison(subject: &str, reference: &str, rule: &str) -> Comparison {
        let named = |name: &str| ModelName {
            name: name.to_owned(),
            location: name.to_owned(),
            origin: Origin::Checkpoint,
            revision: None,
        };
        Comparison {
            schema: String::new(),
            subject: named(subject),
            reference: named(reference),
            form: Form {
                relation: FormRelation::Identical,
                same_dimensions: true,
                renames: Vec::new(),
                projections: Vec::new(),
                dimensions: Vec::new(),
                differences: Vec::new(),
                normalised: Vec::new(),
            },
            config: ConfigAgreement::default(),
            weights: Weights {
                relation: WeightsRelation::Undetermined,
                rule: Some(rule.to_owned()),
                ..Weights::default()
            },
            tokenizer: None,
            unexamined: Vec::new(),
            catalog: CatalogReach { size: 0, entries: 0, newest: String::new(), newest_date: String::new() },
            cost: Cost::default(),
        }
    }

    /// Page 1 names a relation that leaves the verdict open, and no relation of the company's own models.
    #[test]
    fn bodies_that_are_related_are_a_reason_to_worry() {
        let told = |all: &[Comparison]| of_related(all.iter(), "T1").map(|it| it.1.text);
        let related = comparison("acme", "llama", RELATED);
        let text = told(&[comparison("acme", "qwen", "nothing-found"), related]).unwrap();
        assert_eq!(text.key, "reason.weights_related");
        assert_eq!(told(&[comparison("acme", "qwen", "too-little")]), None);
        assert_eq!(told(&[comparison("acme", "acme-2", RELATED), comparison("acme-2", "qwen", "nothing-found")]), None);
    }
}
