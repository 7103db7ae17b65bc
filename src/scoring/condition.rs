//! One test that can be run today, or one date, that would decide: what each outcome would mean.

use crate::case::Case;
use crate::evidence::{ConditionKind, Evidence, ModelFacts, OpenBranch, OpenCondition};
use crate::fact::{Argument, Message};
use crate::scoring::decide::{self, Decision, Waived};
use crate::scoring::draws::Draws;
use crate::scoring::situation::Situation;
use crate::scoring::{Branch, Condition};

/// At most so many are given.
const MOST: usize = 2;

/// Conditions of an open verdict, of which at least one outcome decides.
pub(crate) fn conditions(
    situation: &Situation<'_>,
    waived: &Waived,
    decision: &Decision,
    draws: &Draws,
    (case, evidence, model): (&Case, &Evidence, &ModelFacts),
) -> Vec<Condition> {
    let is_reported = model.whose.basis == crate::evidence::Basis::Reported;
    if decision.strength.is_some() && !is_reported {
        return Vec::new();
    }
    let of_one = |open: &OpenCondition| {
        let branches: Vec<Branch> =
            open.branches.iter().map(|it| branch(situation, waived, draws, (case, model, open), it)).collect();
        let decides = branches.iter().any(|it| it.strength.is_some());
        decides.then(|| Condition {
            kind: open.kind,
            model: model.id.clone(),
            references: open.references.clone(),
            branches,
            hours: hours(situation, open.kind),
            bytes: if open.kind == ConditionKind::Test { bytes(evidence, model) } else { None },
            access: access(open.kind, model, open),
        })
    };
    model.whose.conditions.iter().filter_map(of_one).take(MOST).collect()
}

fn branch(
    situation: &Situation<'_>,
    waived: &Waived,
    draws: &Draws,
    (case, model, open): (&Case, &ModelFacts, &OpenCondition),
    outcome: &OpenBranch,
) -> Branch {
    let mut after = situation.with_levels(&outcome.levels, outcome.closed);
    if let Some(distinctive) = outcome.distinctive {
        after = after.with_distinctive(distinctive);
    }
    let decision = decide::decide(&after, waived, draws);
    let name = decide::verdict(situation.rubric, &decision.verdict).map(|it| it.name.clone()).unwrap_or_default();
    let references = open.references.iter().map(|it| Argument::from(it.as_str())).collect();
    let subject = case.subject(&model.id).map(|it| it.name.clone()).unwrap_or_default();
    Branch {
        fact: Message::new(format!("branch.{}", outcome.fact))
            .with("subject", subject)
            .with("references", Argument::List(references)),
        verdict: decision.verdict,
        name,
        strength: decision.strength,
    }
}

/// A test takes the hours of the criterion that asks whose the weights are; a date is a matter of a public record.
fn hours(situation: &Situation<'_>, kind: ConditionKind) -> f64 {
    let rubric = situation.rubric;
    match kind {
        ConditionKind::Test => rubric.criterion(&rubric.axes.derived_criterion).map_or(1.0, |it| it.hours),
        ConditionKind::Order => 1.0,
    }
}

/// The size of the subject's weights: what a test has to read on this side.
fn bytes(evidence: &Evidence, model: &ModelFacts) -> Option<u64> {
    let measured = evidence.subjects.iter().find(|it| it.id == model.id)?;
    measured.inspection.data_bytes.or(measured.inspection.stated_bytes)
}

fn access(kind: ConditionKind, model: &ModelFacts, open: &OpenCondition) -> String {
    if kind == ConditionKind::Order {
        return "evidence".to_owned();
    }
    let mut relations = model.relations.iter().filter(|it| open.references.contains(&it.reference));
    let all_at_hand = relations.all(|it| it.has_weights) && !model.files.is_empty();
    if all_at_hand { "at_hand" } else { "unknown" }.to_owned()
}
