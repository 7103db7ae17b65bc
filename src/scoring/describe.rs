//! The parts of a scorecard that say what was found: gates, pillars, axes, rows, people.

use std::collections::BTreeSet;

use crate::case::{Case, Level};
use crate::evidence::Evidence;
use crate::fact::{Interval, Message, Text, Truth};
use crate::rubric::{Condition, Rubric};
use crate::scoring::decide::{self, By, Decision, Waived};
use crate::scoring::situation::{SCALE, Situation, Standing, pillar_of};
use crate::scoring::{
    Analyst, AxisScore, Confidence, CriterionScore, Disagreement, GateOutcome, GradeMeaning, PillarScore,
    PossibleVerdict, RowOutcome, RubricUsed, SubjectLineage, VerdictReached,
};

/// Two readers who differ by so many levels must talk.
const LEVELS_APART: f64 = 2.0;

pub(crate) fn rubric_used(rubric: &Rubric) -> RubricUsed {
    let grades = rubric.evidence.grades.iter();
    RubricUsed {
        id: rubric.id.clone(),
        version: rubric.version.clone(),
        sha256: rubric.sha256.clone(),
        title: rubric.title.clone(),
        levels: rubric.levels.clone(),
        grades: grades
            .map(|(grade, rule)| GradeMeaning { grade: *grade, cap: rule.cap, meaning: rule.meaning.clone() })
            .collect(),
    }
}

/// What gates did to criteria, told on the criteria.
pub(crate) fn note_caps(
    criteria: &mut [CriterionScore],
    situation: &Situation<'_>,
    capped: &[(usize, String, u8, Truth)],
) {
    for (idx, gate, level, tripped) in capped {
        let Some(criterion) = criteria.get_mut(*idx) else { continue };
        criterion.interval = situation.standings[*idx].interval;
        let key = if *tripped == Truth::Yes { "cap.gate" } else { "cap.gate_open" };
        if *tripped == Truth::Yes {
            criterion.level = criterion.level.map(|it| it.min(*level));
        }
        criterion.adjustments.push(Message::new(key).with("gate", gate.as_str()).with("to", f64::from(*level)));
    }
}

pub(crate) fn verdict_reached(situation: &Situation<'_>, decision: &Decision) -> VerdictReached {
    let rubric = situation.rubric;
    let verdict = decide::verdict(rubric, &decision.verdict);
    let words = |pick: fn(&crate::rubric::Verdict) -> &Text| verdict.map(|it| pick(it).clone()).unwrap_or_default();
    let (decided_by, deciding, because) = match &decision.by {
        By::Rows(rows) => {
            let numbers: Vec<_> = rows.iter().map(|it| (it + 1).to_string()).collect();
            let because = match rows.as_slice() {
                [only] => rubric.decision_table.get(*only).map(|it| it.because.clone()),
                _ => None,
            };
            ("table", Some(numbers.join(", ")).filter(|it| !it.is_empty()), because)
        }
        By::Gate(id) => {
            let gate = rubric.gates.iter().find(|it| it.id == *id);
            ("gate", Some(id.clone()), gate.map(|it| it.meaning.clone()))
        }
        By::Open => ("open", None, None),
    };
    VerdictReached {
        id: decision.verdict.clone(),
        name: words(|it| &it.name),
        meaning: words(|it| &it.meaning),
        recommendation: words(|it| &it.recommendation),
        decided_by: decided_by.to_owned(),
        deciding,
        because,
        possible: decision.possible.iter().map(|it| possible_verdict(rubric, it)).collect(),
        holds_whatever_the_weights: holds_whatever_the_weights(situation, decision),
    }
}

fn possible_verdict(rubric: &Rubric, possible: &decide::Possible) -> PossibleVerdict {
    PossibleVerdict {
        id: possible.verdict.clone(),
        name: decide::verdict(rubric, &possible.verdict).map(|it| it.name.clone()).unwrap_or_default(),
        rows: possible.rows.iter().map(|it| it + 1).collect(),
        gates: possible.gates.iter().cloned().collect(),
    }
}

/// Only asked where it is open whose weights they are, and where no gate took the question away.
fn holds_whatever_the_weights(situation: &Situation<'_>, decision: &Decision) -> Option<bool> {
    let is_asked = situation.derived() == Truth::Maybe && !matches!(decision.by, By::Gate(_));
    is_asked.then_some(decision.possible.len() == 1)
}

pub(crate) fn confidence(situation: &Situation<'_>, case: &Case, criteria: &[CriterionScore]) -> Confidence {
    let share = situation.share(None, |idx, _| criteria.get(idx).is_some_and(|it| it.confident));
    let word = match share {
        share if share < 0.4 => "low",
        share if share < 0.7 => "moderate",
        _ => "high",
    };
    let cited: BTreeSet<&String> = criteria.iter().flat_map(|it| &it.evidence).collect();
    let origins: BTreeSet<_> = cited.into_iter().filter_map(|id| case.ledger.get(id)).map(|it| &it.origin).collect();
    Confidence { share, word: word.to_owned(), origins: count(origins.len()) }
}

pub(crate) fn pillars(situation: &Situation<'_>, criteria: &[CriterionScore]) -> Vec<PillarScore> {
    let pillars = situation.rubric.pillars.iter().map(|pillar| PillarScore {
        id: pillar.id.clone(),
        name: pillar.name.clone(),
        weight: pillar.weight,
        score: situation.mean(|it| pillar_of(it) == pillar.id),
        coverage: situation.coverage(Some(&pillar.id)),
        confidence: situation.share(Some(&pillar.id), |idx, _| criteria.get(idx).is_some_and(|it| it.confident)),
    });
    pillars.collect()
}

/// `derived` first, then the means in the order of their ids.
pub(crate) fn axes(situation: &Situation<'_>) -> Vec<AxisScore> {
    let derived = AxisScore {
        id: "derived".to_owned(),
        name: None,
        score: None,
        bands: Vec::new(),
        holds: Some(situation.derived()),
    };
    let means = situation.rubric.axes.means.iter().map(|(id, axis)| {
        let score = situation.axis_mean(&axis.pillars);
        AxisScore { id: id.clone(), name: Some(axis.name.clone()), score, bands: situation.bands(score), holds: None }
    });
    std::iter::once(derived).chain(means).collect()
}

/// Gates in the rubric's order. Those that cap a criterion look at the criteria before any cap, the others after.
pub(crate) fn gates(
    before_caps: &Situation<'_>,
    situation: &Situation<'_>,
    case: &Case,
    waived: &Waived,
) -> Vec<GateOutcome> {
    let gates = situation.rubric.gates.iter().map(|gate| {
        let is_cap = matches!(gate.effect, crate::rubric::Effect::CriterionCap { .. });
        let situation = if is_cap { before_caps } else { situation };
        let mut rests_on = situation.rests_on(&gate.when);
        rests_on.dedup();
        GateOutcome {
            id: gate.id.clone(),
            name: gate.name.clone(),
            meaning: gate.meaning.clone(),
            effect: gate.effect.clone(),
            tripped: situation.truth(&gate.when),
            waived: case.waivers.iter().find(|it| it.gate == gate.id && waived.contains(&it.gate)).cloned(),
            rests_on,
        }
    });
    gates.collect()
}

/// Every row, and whether it is the first to match.
pub(crate) fn decision_table(situation: &Situation<'_>) -> Vec<RowOutcome> {
    let matches: BTreeSet<Option<usize>> =
        situation.worlds().iter().flat_map(|(derived, world)| decide::first_matches(world, *derived)).collect();
    let rubric = situation.rubric;
    let rows = rubric.decision_table.iter().enumerate().map(|(idx, row)| RowOutcome {
        row: idx + 1,
        derived: row.derived,
        bands: row.bands.clone(),
        then: row.then.clone(),
        name: decide::verdict(rubric, &row.then).map(|it| it.name.clone()).unwrap_or_default(),
        because: row.because.clone(),
        decides: match (matches.contains(&Some(idx)), matches.len()) {
            (true, 1) => Truth::Yes,
            (true, _) => Truth::Maybe,
            (false, _) => Truth::No,
        },
    });
    rows.collect()
}

pub(crate) fn subjects(case: &Case, evidence: &Evidence) -> Vec<SubjectLineage> {
    let subjects = evidence.subjects.iter().map(|measured| {
        let subject = case.subjects.iter().find(|it| it.id == measured.id);
        SubjectLineage {
            id: measured.id.clone(),
            name: subject.map(|it| it.name.clone()).unwrap_or_else(|| Text::plain(measured.id.as_str())),
            inspection: measured.inspection.clone(),
            identification: measured.identification.clone(),
            comparisons: measured.comparisons.clone(),
            merge: measured.merge.clone(),
            no_merge: measured.no_merge.clone(),
            declared_parents: subject.map(|it| it.declared_parents.clone()).unwrap_or_default(),
        }
    });
    subjects.collect()
}

pub(crate) fn analysts(case: &Case) -> Vec<Analyst> {
    let analysts = case.answers.values().map(|answers| Analyst {
        id: answers.analyst.clone(),
        name: answers.name.clone(),
        signed: answers.signed,
        answered: count(answers.answers.values().filter(|it| it.level != Level::Unknown).count()),
    });
    analysts.collect()
}

/// Analysts with at least one answer.
pub(crate) fn analysts_who_answered(case: &Case) -> u32 {
    let answered = analysts(case).iter().filter(|it| it.answered > 0).count();
    u32::try_from(answered).unwrap_or(u32::MAX)
}

/// Criteria on which readers are two levels apart, or where a gate hangs on which of them is right.
pub(crate) fn disagreements(situation: &Situation<'_>, criteria: &[CriterionScore]) -> Vec<Disagreement> {
    let differing = criteria.iter().enumerate().filter_map(|(idx, criterion)| {
        let levels = criterion.readers.iter().filter_map(|it| level_of(it.level));
        let levels =
            levels.reduce(|one, other| Interval { low: one.low.min(other.low), high: one.high.max(other.high) })?;
        let is_far = levels.width() >= LEVELS_APART;
        let is_listed = is_far || (levels.width() > 0.0 && a_gate_hangs_on(situation, idx, levels));
        is_listed.then(|| Disagreement { criterion: criterion.id.clone(), levels })
    });
    differing.collect()
}

/// The level of an answer, as the readers gave it; a refusal is read as the lowest.
fn level_of(level: Level) -> Option<Interval> {
    match level {
        Level::At(level) => Some(Interval::exactly(f64::from(level))),
        Level::Refused => Some(Interval::exactly(SCALE.low)),
        Level::Unknown | Level::NotObservable | Level::NotApplicable => None,
    }
}

fn a_gate_hangs_on(situation: &Situation<'_>, idx: usize, levels: Interval) -> bool {
    let at = |level| situation.with(idx, Standing { interval: Some(Interval::exactly(level)), covered: true });
    let (low, high) = (at(levels.low), at(levels.high));
    situation.rubric.gates.iter().any(|gate| low.truth(&gate.when) != high.truth(&gate.when))
}

/// Facts that a condition names.
pub(crate) fn fact_keys<'a>(condition: &'a Condition, keys: &mut BTreeSet<&'a str>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|it| fact_keys(it, keys)),
        Condition::Not(part) => fact_keys(part, keys),
        Condition::Fact { key, .. } => {
            keys.insert(key);
        }
        Condition::LevelAtMost { .. } | Condition::AnalystsBelow(_) | Condition::CoverageBelow { .. } => {}
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
