//! Rubric, evidence and answers in, a scorecard out. Pure: no files, no clock, no network, no threads.
//!
//! Gates and the decision table decide; the score only orders and explains. Whatever is not known takes part as the range
//! of what it may be, so a verdict stands only where every way of filling in the unknowns leads to it.

use std::collections::BTreeSet;

use crate::case::{Case, InputFile, Waiver};
use crate::evidence::{self, Evidence};
use crate::fact::Interval;
use crate::rubric::{Effect, Gate, Rubric};

mod decide;
mod describe;
mod flip;
mod pin;
mod quadrant;
mod question;
mod reading;
mod reason;
mod scorecard;
mod situation;
pub mod store;
#[cfg(test)]
mod tests;

use crate::scoring::decide::Waived;
use crate::scoring::situation::{Situation, Standing};

pub use scorecard::*;

/// Version of the scorecard's format.
pub const SCORECARD_SCHEMA: &str = "unshell/scorecard/1";

/// Every sentence and term of this room.
pub const MESSAGE_KEYS: &[&str] = &[
    "borrowed.blueprint_shared",
    "borrowed.declared_blueprint",
    "borrowed.weights_derived",
    "borrowed.weights_own",
    "borrowed.weights_unexamined",
    "cap.gate",
    "cap.gate_open",
    "cap.grade",
    "declared.own_model",
    "declared.weak_evidence",
    "form.different",
    "form.fused_or_split_projections",
    "form.identical",
    "form.same_family",
    "form.same_up_to_renaming",
    "ignored.altered",
    "ignored.kind",
    "left_out.not_applicable",
    "lowered.refused",
    "merge.dare",
    "merge.interleaved",
    "merge.linear",
    "merge.linear-or-slerp",
    "merge.slerp",
    "merge.ties",
    "pinned.declared",
    "pinned.measured",
    "reason.check_ask",
    "reason.check_implausible",
    "reason.check_impossible",
    "reason.check_normal",
    "reason.criterion",
    "reason.disguised",
    "reason.gate_open",
    "reason.gate_tripped",
    "reason.gate_waived",
    "reason.merged",
    "reason.refused",
    "reason.weights_measured",
    "reason.weights_open",
    "reason.weights_related",
    "weak.no_evidence",
    "weights.component_derived",
    "weights.derived",
    "weights.identical",
    "widened.grade",
    "widened.not_applicable_alone",
    "widened.not_observable",
    "widened.readers_differ",
    "widened.refused",
    "widened.unanswered",
    "widened.unknown",
    "widened.weak_evidence",
];

/// Judges a case. Cannot fail: what is missing becomes a range, and the scorecard says so.
pub fn score(rubric: &Rubric, case: &Case, evidence: &Evidence) -> Scorecard {
    let waived: Waived =
        case.waivers.iter().filter(|it| is_in_force(rubric, case, it)).map(|it| it.gate.clone()).collect();
    let pin = pin::derived(rubric, case, &evidence.facts);
    let read = |criterion: &_| {
        let pin = pin.as_ref().filter(|_| is_derived_criterion(rubric, criterion));
        reading::read(rubric, case, criterion, pin)
    };
    let mut criteria: Vec<CriterionScore> = rubric.criteria.iter().map(read).collect();
    for criterion in criteria.iter_mut().filter(|it| it.id == rubric.axes.derived_criterion) {
        criterion.adjustments.extend(pin::dismissed(rubric, case));
    }
    let answered = Situation {
        rubric,
        facts: &evidence.facts,
        analysts: describe::analysts_who_answered(case),
        standings: criteria.iter().map(standing).collect(),
    };
    let (situation, capped) = decide::cap_criteria(&answered, &waived);
    describe::note_caps(&mut criteria, &situation, &capped);
    let decision = decide::decide(&situation, &waived);
    let gates = describe::gates(&answered, &situation, case, &waived);
    let reasons = reason::Reasons::of(&situation, &criteria, &gates, evidence);
    Scorecard {
        schema: SCORECARD_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        case: case.id.clone(),
        title: case.title.clone(),
        company: case.company.clone(),
        recipient: case.recipient.clone(),
        date: case.date,
        valid_until: case.valid_until,
        languages: case.languages.clone(),
        stamp: stamp(rubric, &situation, &waived),
        rubric: describe::rubric_used(rubric),
        verdict: describe::verdict_reached(&situation, &decision),
        score: situation.mean(|_| true).unwrap_or(Interval::new(0.0, 4.0)),
        coverage: situation.coverage(None),
        confidence: describe::confidence(&situation, case, &criteria),
        pillars: describe::pillars(&situation, &criteria),
        axes: describe::axes(&situation),
        gates,
        decision_table: describe::decision_table(&situation),
        quadrant: quadrant::quadrant(&situation, case, evidence),
        believe: reasons.believe(),
        worry: reasons.worry(),
        flips: flip::flips(&situation, &waived, &decision),
        questions: question::questions(&situation, &waived, &decision),
        subjects: describe::subjects(case, evidence),
        catalog: evidence.catalog.clone(),
        claims: case.claims.clone(),
        checks: evidence.checks.clone(),
        ledger: case.ledger.values().cloned().collect(),
        analysts: describe::analysts(case),
        disagreements: describe::disagreements(&situation, &criteria),
        reply: case.reply.clone(),
        facts: facts_looked_at(rubric, evidence),
        unexamined: evidence.unexamined.clone(),
        inputs: inputs(case, evidence),
        criteria,
    }
}

fn is_derived_criterion(rubric: &Rubric, criterion: &crate::rubric::Criterion) -> bool {
    criterion.id == rubric.axes.derived_criterion
}

fn standing(criterion: &CriterionScore) -> Standing {
    Standing { interval: criterion.interval, covered: criterion.covered }
}

/// A waiver counts while it lasts, signed by somebody, for a gate that may be waived.
fn is_in_force(rubric: &Rubric, case: &Case, waiver: &Waiver) -> bool {
    let is_waivable = rubric.gates.iter().any(|it| it.id == waiver.gate && it.waivable);
    is_waivable && !waiver.approver.trim().is_empty() && waiver.expires >= case.date
}

/// The stamp of the first stamp gate that surely trips, or `final`.
fn stamp(rubric: &Rubric, situation: &Situation<'_>, waived: &Waived) -> String {
    let tripped = |gate: &&Gate| !waived.contains(&gate.id) && situation.truth(&gate.when) == crate::fact::Truth::Yes;
    let stamps = rubric.gates.iter().filter(tripped).filter_map(|gate| match &gate.effect {
        Effect::Stamp(stamp) => Some(stamp.clone()),
        Effect::Veto(_) | Effect::Hold(_) | Effect::Cap(_) | Effect::CriterionCap { .. } => None,
    });
    stamps.into_iter().next().unwrap_or_else(|| "final".to_owned())
}

fn facts_looked_at(rubric: &Rubric, evidence: &Evidence) -> crate::fact::Facts {
    let mut keys = BTreeSet::new();
    rubric.gates.iter().for_each(|gate| describe::fact_keys(&gate.when, &mut keys));
    evidence
        .facts
        .iter()
        .filter(|(key, _)| keys.contains(key.as_str()))
        .map(|(key, it)| (key.clone(), it.clone()))
        .collect()
}

/// The case's files and `evidence.json`; the rubric's hash stands with the rubric.
fn inputs(case: &Case, evidence: &Evidence) -> Vec<InputFile> {
    let mut inputs = case.inputs.clone();
    inputs.push(evidence::store::as_input(evidence));
    inputs.sort();
    inputs.dedup();
    inputs
}
