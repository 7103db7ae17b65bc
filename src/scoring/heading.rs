//! The fact that a verdict rests on, and how well it is supported.

use crate::case::{Case, Kind, Subject};
use crate::evidence::{Basis, Bearing, ModelFacts, Order, Source};
use crate::fact::{Message, StatedAbout};
use crate::rubric::{Condition, Grade, Rubric};
use crate::scoring::decide::{By, Decision};
use crate::scoring::{Confidence, CriterionScore};

/// What is known of the weights, in one sentence: the fact stands before its class.
pub(crate) fn fact(subject: &Subject, model: &ModelFacts) -> Message {
    let whose = &model.whose;
    let message = |key: &str| {
        Message::new(format!("fact.{key}"))
            .with("subject", subject.name.clone())
            .with("examined", whose.examined as f64)
            .with("references", whose.references as f64)
    };
    let first = |bearing: Bearing, order: Option<Order>| {
        let is_it = |it: &&crate::evidence::Relation| {
            !it.own && it.bearing == bearing && order.is_none_or(|order| it.order == order)
        };
        model.relations.iter().find(is_it).map(|it| it.reference.clone())
    };
    let with = |key: &str, reference: Option<String>| match reference {
        Some(reference) => message(key).with("reference", reference),
        None => message("open"),
    };
    match (whose.basis, subject.kind) {
        (_, Kind::None) => message("no_files"),
        (Basis::Upstream, _) => with("upstream", subject.upstream.as_ref().map(|it| it.model.clone())),
        (Basis::Open, Kind::Api) => message("no_upstream"),
        (Basis::Reported, _) => with("reported", subject.reported_tests.first().map(|it| it.reference.clone())),
        (Basis::Admitted, _) => {
            let parent = subject.declared_parents.iter().find(|it| it.part == "weights");
            // Where nobody entered it, the company's own files say it.
            let read = || model.disclosures.get("weights")?.parents.first().cloned();
            with("admitted", parent.map(|it| it.model.clone()).or_else(read))
        }
        (Basis::Measured, _) if whose.may_be_at_most(2) => {
            with("derived", first(Bearing::Derived, Some(Order::ReferenceEarlier)))
        }
        (Basis::Measured, _) => match first(Bearing::ClearButPart, None) {
            Some(reference) => with("part", Some(reference)),
            None => message("clear"),
        },
        (Basis::Open, _) => match first(Bearing::Derived, Some(Order::Unknown)) {
            Some(reference) => with("related", Some(reference)),
            None if whose.examined == 0 => message("not_examined"),
            None => message("open"),
        },
    }
}

/// How well the weakest of the deciding facts is supported.
pub(crate) fn confidence(
    rubric: &Rubric,
    case: &Case,
    model: &ModelFacts,
    criteria: &[CriterionScore],
    decision: &Decision,
    share: f64,
    origins: u64,
) -> Confidence {
    let mut facts = vec![("confidence.weights", of_weights(case, model))];
    match &decision.by {
        By::Gate(id) => facts.extend(of_gate(rubric, case, criteria, id, model)),
        By::Rows(_) | By::Open => facts.push(("confidence.answers", of_answers(criteria))),
    }
    let (key, grade) = facts.into_iter().max_by_key(|it| it.1).unwrap_or(("confidence.answers", Grade::E));
    let word = match grade {
        Grade::A | Grade::B => "high",
        Grade::C => "moderate",
        Grade::D | Grade::E => "low",
    };
    let because = Message::new(key).with("grade", grade.letter());
    Confidence { word: word.to_owned(), because, share, origins }
}

fn of_weights(case: &Case, model: &ModelFacts) -> Grade {
    let subject = case.subject(&model.id);
    let best = |evidence: &[String]| case.support(evidence).grade.unwrap_or(Grade::E);
    match model.whose.basis {
        Basis::Measured => Grade::A,
        Basis::Reported => Grade::C,
        Basis::Upstream => subject.and_then(|it| it.upstream.as_ref()).map_or(Grade::E, |it| best(&it.evidence)),
        // Nobody says this of itself without cause.
        Basis::Admitted => Grade::B,
        Basis::Open => Grade::E,
    }
}

/// The statements and criteria that a gate names.
fn of_gate(
    rubric: &Rubric,
    case: &Case,
    criteria: &[CriterionScore],
    id: &str,
    model: &ModelFacts,
) -> Vec<(&'static str, Grade)> {
    let Some(gate) = rubric.gates.iter().find(|it| it.id == id) else { return Vec::new() };
    let mut found = Vec::new();
    for fact in rubric.axes.level_facts.iter().filter(|it| names_fact(&gate.when, &it.fact)) {
        let criterion = criteria.iter().find(|it| it.id == fact.criterion).and_then(|it| it.grade);
        let typed = fact.fact.strip_prefix("disclosed.").and_then(|it| model.disclosures.get(it));
        let typed = typed.and_then(|it| match it.source {
            Source::Typed => case.support_of_statement(&it.evidence).grade,
            // An original with a digest.
            Source::Read => Some(Grade::B),
        });
        found.push(("confidence.disclosure", typed.into_iter().chain(criterion).min().unwrap_or(Grade::E)));
    }
    if names_fact(&gate.when, "claim.from_scratch") {
        let claims = case.claims_about(&model.id);
        let said = claims.iter().filter(|it| it.value == crate::claims::ClaimValue::Yes(true));
        let sources: Vec<String> = said.flat_map(|it| it.source.iter().cloned()).collect();
        let is_read = model.stated.iter().any(|it| it.about == StatedAbout::FromScratch);
        if sources.is_empty() && is_read {
            found.push(("confidence.claim", Grade::B));
        }
        if !sources.is_empty() {
            let grade = case.support_of_statement(&sources).grade.unwrap_or(Grade::E);
            found.push(("confidence.claim", grade));
        }
    }
    found
}

fn names_fact(condition: &Condition, key: &str) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|it| names_fact(it, key)),
        Condition::Not(part) => names_fact(part, key),
        Condition::Fact { key: named, .. } => named == key,
        Condition::LevelAtMost { .. }
        | Condition::ReadersBelow { .. }
        | Condition::NotApplicableAbove(_)
        | Condition::CoverageBelow { .. } => false,
    }
}

/// The grade that three fifths of the answered weight reach.
fn of_answers(criteria: &[CriterionScore]) -> Grade {
    let read: Vec<&CriterionScore> = criteria.iter().filter(|it| !it.measured && it.interval.is_some()).collect();
    let total: f64 = read.iter().map(|it| it.weight).sum();
    let reaches = |grade: Grade| {
        let weight: f64 = read.iter().filter(|it| it.grade.is_some_and(|it| it <= grade)).map(|it| it.weight).sum();
        weight >= 0.6 * total
    };
    Grade::ALL.into_iter().find(|it| reaches(*it)).unwrap_or(Grade::E)
}
