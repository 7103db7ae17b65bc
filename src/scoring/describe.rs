//! The parts of a scorecard that say what was found: gates, pillars, axes, rows, people.

use std::collections::BTreeSet;

use crate::case::{Case, Level};
use crate::evidence::{Evidence, Whose};
use crate::fact::{Interval, Message, Text, Truth};
use crate::rubric::{Condition, Effect, Rubric};
use crate::scoring::decide::{self, By, Decision, Waived};
use crate::scoring::situation::{End, SCALE, Situation, pillar_of};
use crate::scoring::tornado::percent;
use crate::scoring::{
    Analyst, AxisScore, CriterionScore, Disagreement, GateOutcome, GradeMeaning, PillarScore, PossibleVerdict,
    RowOutcome, RubricUsed, SubjectLineage, VerdictReached, WaiverOutcome,
};

/// Two readers who differ by so many levels must talk.
const LEVELS_APART: f64 = 2.0;

/// A row that comes out less often is not said to be possible.
const ROW_POSSIBLE: f64 = 0.01;

pub(crate) fn rubric_used(rubric: &Rubric) -> RubricUsed {
    let grades = rubric.evidence.grades.iter();
    RubricUsed {
        id: rubric.id.clone(),
        version: rubric.version.clone(),
        sha256: rubric.sha256.clone(),
        changed_from: rubric.shipped_sha256_if_changed(),
        title: rubric.title.clone(),
        levels: rubric.levels.clone(),
        grades: grades
            .map(|(grade, rule)| GradeMeaning { grade: *grade, cap: rule.cap, meaning: rule.meaning.clone() })
            .collect(),
        cut_offs: Some((rubric.axes.low_below, rubric.axes.high_from)),
    }
}

/// The verdict on one model in words.
pub(crate) fn verdict_reached(
    situation: &Situation<'_>,
    decision: &Decision,
    whose: &Whose,
    fact: Message,
) -> VerdictReached {
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
        strength: decision.strength.map(|it| {
            if whose.basis == crate::evidence::Basis::Reported { it.min(crate::scoring::Strength::Likely) } else { it }
        }),
        fact,
        decided_by: decided_by.to_owned(),
        deciding,
        because,
        possible: decision.possible.iter().map(|it| possible_verdict(rubric, it)).collect(),
        conditions: Vec::new(),
        holds_whatever_the_weights: holds_whatever_the_weights(situation, decision),
    }
}

fn possible_verdict(rubric: &Rubric, possible: &decide::Possible) -> PossibleVerdict {
    PossibleVerdict {
        id: possible.verdict.clone(),
        name: decide::verdict(rubric, &possible.verdict).map(|it| it.name.clone()).unwrap_or_default(),
        lowest: percent(possible.lowest),
        highest: percent(possible.highest),
        rows: possible.rows.iter().map(|it| it + 1).collect(),
        gates: possible.gates.iter().cloned().collect(),
    }
}

/// Only asked where it is open whose weights they are, and where no gate took the question away.
fn holds_whatever_the_weights(situation: &Situation<'_>, decision: &Decision) -> Option<bool> {
    let is_asked = situation.derived() == Truth::Maybe && !matches!(decision.by, By::Gate(_));
    is_asked.then_some(decision.strength.is_some())
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
        let score = situation.axis_mean(id);
        AxisScore {
            id: id.clone(),
            name: Some(axis.name.clone()),
            score,
            bands: bands(situation.rubric, score),
            holds: None,
        }
    });
    std::iter::once(derived).chain(means).collect()
}

/// Bands that a mean may fall into at the rubric's own cut-offs, in ascending order; all where there is no mean.
fn bands(rubric: &Rubric, mean: Option<Interval>) -> Vec<crate::rubric::Band> {
    use crate::rubric::Band;
    let (mean, low, high) = (mean.unwrap_or(SCALE), rubric.axes.low_below, rubric.axes.high_from);
    let is_possible = [
        (Band::Low, mean.low < low),
        (Band::Medium, mean.high >= low && mean.low < high),
        (Band::High, mean.high >= high),
    ];
    is_possible.into_iter().filter(|it| it.1).map(|it| it.0).collect()
}

/// Gates in the rubric's order.
pub(crate) fn gates(situation: &Situation<'_>, case: &Case, waived: &Waived) -> Vec<GateOutcome> {
    let gates = situation.rubric.gates.iter().map(|gate| {
        let tripped = situation.truth(&gate.when);
        let mut rests_on = situation.rests_on(&gate.when);
        rests_on.dedup();
        let waiver = case.waivers.iter().find(|it| it.gate == gate.id && waived.contains(&it.gate));
        GateOutcome {
            id: gate.id.clone(),
            name: gate.name.clone(),
            meaning: gate.meaning.clone(),
            effect: gate.effect.clone(),
            tripped,
            waived: waiver.filter(|_| tripped == Truth::Yes).cloned(),
            rests_on,
        }
    });
    gates.collect()
}

/// Every row, and whether it is the one that decides. Where a gate decides, no row does.
pub(crate) fn decision_table(rubric: &Rubric, decision: &Decision) -> Vec<RowOutcome> {
    let by_rows = matches!(decision.by, By::Rows(_));
    let rows = rubric.decision_table.iter().enumerate().map(|(idx, row)| RowOutcome {
        row: idx + 1,
        derived: row.derived,
        bands: row.bands.clone(),
        then: row.then.clone(),
        name: decide::verdict(rubric, &row.then).map(|it| it.name.clone()).unwrap_or_default(),
        because: row.because.clone(),
        decides: match decision.rows.get(&idx) {
            Some((lowest, _)) if by_rows && *lowest >= rubric.robustness.likely => Truth::Yes,
            Some((_, highest)) if *highest >= ROW_POSSIBLE => Truth::Maybe,
            _ => Truth::No,
        },
    });
    rows.collect()
}

/// What became of each waiver.
pub(crate) fn waivers(rubric: &Rubric, case: &Case, gates: &[GateOutcome]) -> Vec<WaiverOutcome> {
    let state = |it: &crate::case::Waiver| {
        let is_reader = case.answers.values().any(|reader| is_name_of(&reader.name, &it.approver));
        let is_tripped = gates.iter().any(|gate| gate.id == it.gate && gate.tripped == Truth::Yes);
        match () {
            () if it.approver.trim().is_empty() => "unsigned",
            () if it.expires < case.date => "expired",
            () if is_reader => "self_approved",
            () if !rubric.gates.iter().any(|gate| gate.id == it.gate && gate.waivable) => "unused",
            () if !is_tripped => "unused",
            () => "in_force",
        }
    };
    case.waivers.iter().map(|it| WaiverOutcome { waiver: it.clone(), state: state(it).to_owned() }).collect()
}

/// Whether a name in any language is this one, case and spaces evened out.
pub(crate) fn is_name_of(name: &Text, other: &str) -> bool {
    let evened = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut names = name.languages().filter_map(|language| name.get(language));
    names.any(|it| evened(it) == evened(other))
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
            siblings: measured.siblings.clone(),
            merge: measured.merge.clone(),
            no_merge: measured.no_merge.clone(),
            declared_parents: subject.map(|it| it.declared_parents.clone()).unwrap_or_default(),
        }
    });
    subjects.collect()
}

/// Who answered, and how much. What is measured needs no answer.
pub(crate) fn analysts(rubric: &Rubric, case: &Case, subject: &str, measured: &dyn Fn(&str) -> bool) -> Vec<Analyst> {
    let asked: Vec<&crate::rubric::Criterion> = rubric.criteria.iter().filter(|it| !measured(&it.id)).collect();
    let total: f64 = asked.iter().map(|it| it.weight).sum();
    let analysts = case.answers.values().map(|answers| {
        let said = |id: &str| answers.on(subject, id).is_some_and(|it| it.level != Level::Unknown);
        let weight: f64 = asked.iter().filter(|it| said(&it.id)).map(|it| it.weight).sum();
        Analyst {
            id: answers.analyst.clone(),
            name: answers.name.clone(),
            signed: answers.signed,
            answered: count(rubric.criteria.iter().filter(|it| said(&it.id)).count()),
            share: if total > 0.0 { weight / total } else { 0.0 },
        }
    });
    analysts.collect()
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
    let at = |end: End| situation.with(idx, crate::scoring::situation::Standing::at(end.of(levels) as u8));
    let (low, high) = (at(End::Low), at(End::High));
    let is_stamp = |effect: &Effect| matches!(effect, Effect::Stamp(_));
    let mut gates = situation.rubric.gates.iter().filter(|it| !is_stamp(&it.effect));
    gates.any(|gate| low.truth(&gate.when) != high.truth(&gate.when))
}

/// Facts that a condition names.
pub(crate) fn fact_keys<'a>(condition: &'a Condition, keys: &mut BTreeSet<&'a str>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|it| fact_keys(it, keys)),
        Condition::Not(part) => fact_keys(part, keys),
        Condition::Fact { key, .. } => {
            keys.insert(key);
        }
        Condition::LevelAtMost { .. }
        | Condition::ReadersBelow { .. }
        | Condition::NotApplicableAbove(_)
        | Condition::CoverageBelow { .. } => {}
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How many origins the cited evidence has.
pub(crate) fn origins(case: &Case, criteria: &[CriterionScore]) -> u64 {
    let cited: BTreeSet<&String> = criteria.iter().flat_map(|it| &it.evidence).collect();
    let origins: BTreeSet<_> = cited.into_iter().filter_map(|id| case.ledger.get(id)).map(|it| &it.origin).collect();
    count(origins.len())
}
