//! Rubric, evidence and answers in, a scorecard out. Pure: no files, no clock, no network, no threads.
//!
//! Gates decide on facts and the decision table on means, in every world of facts that is possible and at both ends of
//! what is known; how levels were read, what criteria weigh and where cut-offs lie is sampled. The score only orders
//! and explains.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, InputFile, Waiver};
use crate::evidence::{self, Evidence, ModelFacts};
use crate::fact::{Facts, Interval, Truth};
use crate::rubric::{Effect, Gate, Rubric};

mod company;
mod condition;
mod decide;
mod describe;
mod draws;
mod flip;
mod heading;
mod quadrant;
mod question;
mod reading;
mod reason;
mod scorecard;
mod shares;
mod situation;
pub mod store;
#[cfg(test)]
mod tests;
mod tornado;

use crate::scoring::decide::{Decision, Waived};
use crate::scoring::draws::Draws;
use crate::scoring::situation::{ReaderShare, Situation, Standing};

pub use scorecard::*;

/// Version of the scorecard's format.
pub const SCORECARD_SCHEMA: &str = "unshell/scorecard/2";

/// Every sentence and term of this room.
pub const MESSAGE_KEYS: &[&str] = &[
    "borrowed.blueprint_shared",
    "borrowed.declared_blueprint",
    "borrowed.weights_derived",
    "borrowed.weights_open",
    "borrowed.weights_own",
    "borrowed.weights_reported",
    "borrowed.weights_unexamined",
    "branch.derived",
    "branch.independent",
    "branch.reference_earlier",
    "branch.subject_earlier",
    "cap.grade",
    "confidence.answers",
    "confidence.claim",
    "confidence.disclosure",
    "confidence.weights",
    "fact.admitted",
    "fact.clear",
    "fact.derived",
    "fact.no_files",
    "fact.no_upstream",
    "fact.not_examined",
    "fact.open",
    "fact.part",
    "fact.related",
    "fact.reported",
    "fact.upstream",
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
    "reason.check_ask",
    "reason.check_implausible",
    "reason.check_impossible",
    "reason.check_normal",
    "reason.criterion",
    "reason.declared_agrees",
    "reason.gate_tripped",
    "reason.gate_waived",
    "reason.merged",
    "reason.none_found",
    "reason.order_unknown",
    "reason.part",
    "reason.rearranged",
    "reason.refused",
    "reason.weights_measured",
    "weak.no_evidence",
    "weights.derived",
    "weights.identical",
    "whose.answer_not_used",
    "whose.answered",
    "widened.left_open",
    "widened.not_applicable_alone",
    "widened.not_observable",
    "widened.readers_differ",
    "widened.refused",
    "widened.refused_without_letter",
    "widened.unanswered",
    "widened.unknown",
    "widened.weak_evidence",
];

/// Judges a case. Cannot fail: what is missing becomes a range, and the scorecard says so.
pub fn score(rubric: &Rubric, case: &Case, evidence: &Evidence) -> Scorecard {
    score_with(rubric, case, evidence, rubric.robustness.samples as usize)
}

/// The same with another number of samples, for tests that judge many cases.
pub(crate) fn score_with(rubric: &Rubric, case: &Case, evidence: &Evidence, samples: usize) -> Scorecard {
    let waived: Waived =
        case.waivers.iter().filter(|it| is_in_force(rubric, case, it)).map(|it| it.gate.clone()).collect();
    let judging = Judging { rubric, case, evidence, waived, draws: Draws::new(rubric, samples) };
    let judged: Vec<Judged<'_>> = evidence.models.iter().map(|it| judging.model(it)).collect();
    let models: Vec<ModelVerdict> = judged.iter().map(|it| judging.verdict_on(it)).collect();
    let flagship = judged.iter().find(|it| it.facts.flagship).or(judged.first());
    let flagship = flagship.expect("a valid case names at least one model");
    store::sealed(judging.scorecard(flagship, models))
}

/// What all models of a case are judged by.
struct Judging<'a> {
    rubric: &'a Rubric,
    case: &'a Case,
    evidence: &'a Evidence,
    waived: Waived,
    draws: Draws,
}

/// One model, judged.
struct Judged<'a> {
    facts: &'a ModelFacts,
    criteria: Vec<CriterionScore>,
    situation: Situation<'a>,
    decision: Decision,
}

impl<'a> Judging<'a> {
    fn model(&self, facts: &'a ModelFacts) -> Judged<'a>
    where
        Self: 'a,
    {
        let rubric = self.rubric;
        let read = |criterion: &crate::rubric::Criterion| {
            let whose = (criterion.id == rubric.axes.derived_criterion).then_some(&facts.whose);
            reading::read(rubric, self.case, criterion, &facts.id, whose)
        };
        let criteria: Vec<CriterionScore> = rubric.criteria.iter().map(read).collect();
        let situation = self.situation(facts, &criteria);
        let decision = decide::decide(&situation, &self.waived, &self.draws);
        Judged { facts, criteria, situation, decision }
    }

    fn situation(&self, model: &ModelFacts, criteria: &[CriterionScore]) -> Situation<'a> {
        let mut facts: Facts = self.evidence.facts.clone();
        facts.extend(model.facts.iter().map(|(key, it)| (key.clone(), it.clone())));
        let partial = model.disclosures.iter().filter(|(_, it)| it.values.len() > 1);
        Situation {
            rubric: self.rubric,
            facts,
            readers: self.readers(model, criteria),
            standings: criteria.iter().map(standing).collect(),
            levels: levels(self.rubric, model, criteria),
            partial: partial.map(|(part, it)| (format!("disclosed.{part}"), it.values.clone())).collect(),
        }
    }

    /// How much each reader answered; what is measured needs no answer.
    fn readers(&self, model: &ModelFacts, criteria: &[CriterionScore]) -> Vec<ReaderShare> {
        let is_measured = |id: &str| criteria.iter().any(|it| it.id == id && it.measured);
        let analysts = describe::analysts(self.rubric, self.case, &model.id, &is_measured);
        let asked: Vec<&str> =
            self.rubric.criteria.iter().map(|it| it.id.as_str()).filter(|it| self.rubric.is_asked(it)).collect();
        let has_all = |analyst: &str| {
            let answers = self.case.answers.get(analyst);
            let answered = |id: &str| {
                answers.and_then(|it| it.on(&model.id, id)).is_some_and(|it| it.level != crate::case::Level::Unknown)
            };
            asked.iter().all(|id| *id == self.rubric.axes.derived_criterion || answered(id))
        };
        analysts.iter().map(|it| ReaderShare { share: it.share, has_all_asked: has_all(&it.id) }).collect()
    }

    fn verdict_on(&self, judged: &Judged<'_>) -> ModelVerdict {
        let facts = judged.facts;
        let subject = self.case.subject(&facts.id).expect("models are those of the case");
        let mut verdict =
            describe::verdict_reached(&judged.situation, &judged.decision, &facts.whose, heading::fact(subject, facts));
        verdict.conditions = condition::conditions(
            &judged.situation,
            &self.waived,
            &judged.decision,
            &self.draws,
            (self.case, self.evidence, facts),
        );
        let measured = self.evidence.subjects.iter().find(|it| it.id == facts.id);
        let per_model = |it: &&CriterionScore| self.rubric.criterion(&it.id).is_some_and(|it| it.per_model);
        ModelVerdict {
            id: facts.id.clone(),
            name: subject.name.clone(),
            kind: facts.kind,
            sold: facts.sold,
            flagship: facts.flagship,
            verdict,
            whose: facts.whose.clone(),
            relations: facts.relations.clone(),
            disclosures: facts.disclosures.clone(),
            stated: facts.stated.clone(),
            files: facts.files.clone(),
            criteria: judged.criteria.iter().filter(per_model).cloned().collect(),
            gates: describe::gates(&judged.situation, self.case, &self.waived),
            checks: facts.checks.clone(),
            quadrant: quadrant::quadrant(&judged.situation, self.case, facts, measured),
        }
    }

    /// What would change the verdict, and what moves it most; nothing of it for a case that a gate holds.
    fn sensitivity(&self, flagship: &Judged<'_>) -> (Vec<Flip>, Vec<Swing>) {
        let Judged { criteria, situation, decision, .. } = flagship;
        if decision.possible.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let is_measured = |idx: usize| criteria.get(idx).is_some_and(|it| it.measured);
        let flips = flip::flips(situation, &self.waived, decision, &self.draws, &is_measured);
        (flips, tornado::tornado(situation, &self.waived, decision, &self.draws, &is_measured))
    }

    fn confidence(&self, flagship: &Judged<'_>) -> Confidence {
        let Judged { facts, criteria, situation, decision } = flagship;
        let share = situation.share(None, |idx, _| criteria.get(idx).is_some_and(|it| it.confident));
        let origins = describe::origins(self.case, criteria);
        heading::confidence(self.rubric, self.case, facts, criteria, decision, share, origins)
    }

    fn scorecard(&self, flagship: &Judged<'_>, models: Vec<ModelVerdict>) -> Scorecard {
        let Self { rubric, case, evidence, waived, draws } = self;
        let Judged { facts, criteria, situation, decision } = flagship;
        let gates = describe::gates(situation, case, waived);
        let waivers = describe::waivers(rubric, case, &gates);
        let reasons = reason::Reasons::of(situation, criteria, &gates, (evidence, facts), &models);
        let (valid_until, valid_until_waiver) = valid_until(case, &waivers);
        let (flips, tornado) = self.sensitivity(flagship);
        let is_measured = |id: &str| criteria.iter().any(|it| it.id == id && it.measured);
        Scorecard {
            schema: SCORECARD_SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: String::new(),
            case: case.id.clone(),
            title: case.title.clone(),
            company: case.company.clone(),
            recipient: case.recipient.clone(),
            date: case.date,
            valid_until,
            valid_until_waiver,
            languages: case.languages.clone(),
            stamp: stamp(rubric, situation, waived),
            rubric: describe::rubric_used(rubric),
            score: situation.mean(|_| true).unwrap_or(Interval::new(0.0, 4.0)),
            coverage: situation.coverage(None),
            confidence: self.confidence(flagship),
            pillars: describe::pillars(situation, criteria),
            axes: describe::axes(situation),
            decision_table: describe::decision_table(rubric, decision),
            quadrant: models.iter().find(|it| it.id == facts.id).expect("it is one of them").quadrant.clone(),
            believe: reasons.believe(),
            worry: reasons.worry(),
            flips,
            tornado,
            questions: question::questions(situation, waived, decision, draws),
            subjects: describe::subjects(case, evidence),
            catalog: evidence.catalog.clone(),
            claims: case.claims.clone(),
            checks: facts.checks.clone(),
            ledger: case.ledger.values().cloned().collect(),
            analysts: describe::analysts(rubric, case, &facts.id, &is_measured),
            disagreements: describe::disagreements(situation, criteria),
            reply: case.reply.clone(),
            facts: facts_looked_at(rubric, &situation.facts),
            unexamined: evidence.unexamined.clone(),
            inputs: inputs(case, evidence),
            criteria: criteria.clone(),
            verdict: company::verdict_on_company(rubric, &models).expect("one model is the flagship"),
            gates,
            waivers,
            models,
        }
    }
}

/// The levels of "whose weights", as an admission in the answers may have lowered them.
fn levels(rubric: &Rubric, model: &ModelFacts, criteria: &[CriterionScore]) -> Vec<u8> {
    let criterion = criteria.iter().find(|it| it.id == rubric.axes.derived_criterion);
    let Some(interval) = criterion.and_then(|it| it.interval) else { return model.whose.levels.clone() };
    let is_inside = |it: &u8| interval.low <= f64::from(*it) && f64::from(*it) <= interval.high;
    let kept: Vec<u8> = model.whose.levels.iter().copied().filter(is_inside).collect();
    if kept.is_empty() { (0..=4).filter(is_inside).collect() } else { kept }
}

fn standing(criterion: &CriterionScore) -> Standing {
    Standing {
        interval: criterion.interval,
        covered: criterion.covered,
        readings: criterion.readings,
        unproven: criterion.unproven.iter().fold(0, |bits, level| bits | 1 << level),
    }
}

/// A waiver counts while it lasts, signed by somebody who is no reader of the case, for a gate that may be waived.
fn is_in_force(rubric: &Rubric, case: &Case, waiver: &Waiver) -> bool {
    let is_waivable = rubric.gates.iter().any(|it| it.id == waiver.gate && it.waivable);
    let is_reader = case.answers.values().any(|it| describe::is_name_of(&it.name, &waiver.approver));
    is_waivable && !waiver.approver.trim().is_empty() && !is_reader && waiver.expires >= case.date
}

/// The day the case names, or the end of a waiver in force, if that is earlier: a memo does not outlive what it rests
/// on.
fn valid_until(case: &Case, waivers: &[WaiverOutcome]) -> (Option<chrono::NaiveDate>, Option<String>) {
    let in_force = waivers.iter().filter(|it| it.state == "in_force");
    let Some(first) = in_force.min_by_key(|it| it.waiver.expires) else { return (case.valid_until, None) };
    match case.valid_until {
        Some(day) if day <= first.waiver.expires => (Some(day), None),
        _ => (Some(first.waiver.expires), Some(first.waiver.gate.clone())),
    }
}

/// The stamp of the first stamp gate that trips, or `final`.
fn stamp(rubric: &Rubric, situation: &Situation<'_>, waived: &Waived) -> String {
    let tripped = |gate: &&Gate| !waived.contains(&gate.id) && situation.truth(&gate.when) == Truth::Yes;
    let stamps = rubric.gates.iter().filter(tripped).filter_map(|gate| match &gate.effect {
        Effect::Stamp(stamp) => Some(stamp.clone()),
        Effect::Veto(_) | Effect::Hold(_) | Effect::Cap(_) => None,
    });
    stamps.into_iter().next().unwrap_or_else(|| "final".to_owned())
}

fn facts_looked_at(rubric: &Rubric, facts: &Facts) -> Facts {
    let mut keys = BTreeSet::new();
    rubric.gates.iter().for_each(|gate| describe::fact_keys(&gate.when, &mut keys));
    let looked_at = facts.iter().filter(|(key, _)| keys.contains(key.as_str()));
    looked_at.map(|(key, it)| (key.clone(), it.clone())).collect::<BTreeMap<_, _>>()
}

/// The case's files and `evidence.json`; the rubric's hash is with the rubric.
fn inputs(case: &Case, evidence: &Evidence) -> Vec<InputFile> {
    let mut inputs = case.inputs.clone();
    inputs.push(evidence::store::as_input(evidence));
    inputs.sort();
    inputs.dedup();
    inputs
}
