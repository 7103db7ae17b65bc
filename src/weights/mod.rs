//! Whose weights are they: identical, derived, component-derived, shared start, independent, or undetermined.
//!
//! [`relate`] aligns two models, tests what the alignment could not see, and decides by named rules. One statistic is
//! one file, with its null, its references and what it cannot tell on top. Names and shapes only say what to hold
//! against what.

mod adapter;
mod align;
mod decision;
mod fingerprint;
mod matching;
mod model;
mod provenance;
mod statistics;

use crate::checkpoint::Error;
use crate::fact::{EffortSpent, RuleId, StatisticId, Weights, WeightsRelation};
use crate::weights::decision::correction::Correction;
use crate::weights::model::budget::Budget;
use crate::weights::statistics::{Compared, Role, observe};

pub use adapter::factors::Factors;
pub use adapter::sign_test::Symmetries;
pub use adapter::{relate_adapter, relate_adapters};
pub use decision::towers::{Stacked, closeness, with_towers};
pub use fingerprint::{About, Fingerprint, Room, Rows, Unreadable, relate_rows};
pub use model::budget::Effort;
pub use model::tensors::{Finite, Numbers};
pub use model::view::Net;
pub use provenance::merge::{Merged, merged};

/// Hears how far the work is.
pub trait Watch: Sync {
    /// `done` of `of` steps of a stage are done.
    fn tell(&self, stage: &str, done: usize, of: usize);
}

/// For whoever does not care.
impl Watch for () {
    fn tell(&self, _: &str, _: usize, _: usize) {}
}

/// How much to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where to begin.
    pub effort: Effort,
    /// Whether a quick look that does not decide is followed by the standard one.
    pub goes_on: bool,
    /// How many references the subject is held against in all: every p-value pays for them.
    pub references: usize,
}

/// The statistics that rules read, in the order in which they are reported; the others are reported beside them.
pub fn deciding() -> Vec<StatisticId> {
    statistics::ALL.iter().filter(|it| it.role == Role::Decides).flat_map(|it| it.ids).copied().collect()
}

/// Says how a subject's weights relate to a reference's. `tokens` are the ids of tokens that both vocabularies have,
/// subject first, or none where vocabularies could not be compared.
pub fn relate(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    plan: Plan,
    watch: &dyn Watch,
) -> Result<Weights, Error> {
    let spent = |used: Effort, detail: &str, layers_compared: usize| {
        Some(EffortSpent {
            asked: plan.effort.word().into(),
            used: used.word().into(),
            detail: detail.into(),
            layers_compared: layers_compared as u64,
            layers: subject.layers.len() as u64,
        })
    };
    if plan.effort == Effort::Quick {
        let quick = quick(subject, reference, tokens, plan.references)?;
        if let Some(decided) = quick.as_ref().filter(|it| is_decided(it)) {
            let detail = "norm gains, some token rows and some hidden units, all at their places, decided";
            return Ok(Weights { effort: spent(Effort::Quick, detail, 0), ..decided.clone() });
        }
        if !plan.goes_on {
            let detail = "what stands in its place did not decide, and units were not looked for at other places";
            return Ok(Weights { effort: spent(Effort::Quick, detail, 0), ..undecided(quick) });
        }
    }
    let effort = plan.effort.max(Effort::Standard);
    let budget = Budget::of(effort, subject, reference);
    let (pair, measured) = matching::layouts::measured(subject, reference, tokens, &budget, watch)?;
    let (subject, reference) = (&pair.subject, &pair.reference);
    let mut weights = decision::rules::decide(&measured, plan.references)?;
    provenance::recipe::describe(subject, reference, &measured, &mut weights, &budget)?;
    provenance::maps::describe(subject, reference, tokens, &measured, &mut weights);
    provenance::new_rows::describe(subject, reference, tokens, &measured, &mut weights)?;
    let compared = Compared::with(&measured, subject, reference)?;
    let correction = Correction::of(&measured, plan.references);
    let supporting = observe(Role::Supports, &compared)?;
    weights.statistics.extend(supporting.into_iter().map(|it| correction.reported(it, true)));
    decision::whole_matrices::describe(subject, reference, &measured, &correction, &mut weights)?;
    weights.reasons.extend(matching::layouts::reasons(&pair));
    weights.effort = spent(effort, &measured.reach(subject, plan.effort == Effort::Quick), measured.answers.len());
    Ok(weights)
}

fn quick(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    references: usize,
) -> Result<Option<Weights>, Error> {
    let (subject, reference) = matching::layouts::with_norms(subject, reference)?;
    let measured = matching::quick::measure(&subject, &reference, tokens)?;
    measured.filter(|it| it.place_signs.count() > 0).map(|it| decision::rules::decide(&it, references)).transpose()
}

/// Whether a quick look is enough: it found a relation, and gains say which.
fn is_decided(weights: &Weights) -> bool {
    let has_gains = weights.statistics.iter().any(|it| it.id == StatisticId::Retention);
    has_gains && matches!(weights.relation, WeightsRelation::Derived | WeightsRelation::SharedInit)
}

/// What a quick look leaves open stays open, whatever its numbers suggest.
fn undecided(quick: Option<Weights>) -> Weights {
    let mut weights = quick.unwrap_or_default();
    weights.relation = WeightsRelation::Undetermined;
    weights.rule = Some(RuleId::QuickLook);
    weights.reasons = vec![
        "a quick look finds what was left in its place and nothing else; `--effort standard` aligns both models and \
         tests them"
            .to_owned(),
    ];
    weights
}
