//! From statistics to one relation, by named rules in a fixed order.
//!
//! `all-equal`, `shared-start`, `start-or-derived`, `body-signs`, `body-agreement`, `part-only`, `norms-only`, `learned-alike`, `nothing-found`, `too-little`.
//! Towers beside the language model add `tower-only` ([`towers`](crate::weights::with_towers)). Where one side is an adapter the rules are those of [`adapter`](crate::weights::adapter). The
//! body is what stands behind the gates of the feed-forward blocks; where there are no gates, the blocks themselves.

use crate::fact::{PKind, RELATED, Weights, WeightsRelation};
use crate::weights::decision::components::components;
use crate::weights::decision::evidence::{Evidence, RETAINED, SHARED};
use crate::weights::decision::power::power;
use crate::weights::decision::reasons::reasons;
use crate::weights::decision::statement::statistics;
use crate::weights::matching::matched::Measured;

/// Fewer units say nothing by their silence.
const ENOUGH_UNITS: usize = 48;

/// Decides. Where a subject is held against several references, every p-value pays for their number before a rule sees it.
pub(crate) fn decide(measured: &Measured, references: usize) -> Weights {
    let evidence = Evidence::of(measured, references);
    let (relation, rule) = evidence.decide();
    let mut weights = Weights {
        statistics: statistics(measured, &evidence),
        components: components(measured, &evidence, relation),
        ..Weights::default()
    };
    weights.relation = relation;
    weights.rule = Some(rule.to_owned());
    weights.log10_p = Some(evidence.log10_p);
    weights.p_kind = Some(evidence.kind);
    weights.power = Some(power(measured));
    weights.reasons = reasons(measured, &evidence, relation);
    weights
}

impl Evidence {
    fn decide(&self) -> (WeightsRelation, &'static str) {
        match () {
            () if self.same => (WeightsRelation::Identical, "all-equal"),
            () if self.body && self.is_seed_free && !self.is_at_odds && self.retained.is_some_and(|it| it < SHARED) => {
                (WeightsRelation::SharedInit, "shared-start")
            }
            () if self.body && (self.is_faint || self.is_by_start || self.retained.is_some_and(|it| it < RETAINED)) => {
                (WeightsRelation::Undetermined, RELATED)
            }
            () if self.body && self.kind == PKind::Exact => (WeightsRelation::Derived, "body-signs"),
            () if self.body => (WeightsRelation::Derived, "body-agreement"),
            () if self.attention || self.tokens => (WeightsRelation::ComponentDerived, "part-only"),
            () if self.norms => (WeightsRelation::Undetermined, "norms-only"),
            () if self.alike && self.units >= ENOUGH_UNITS => (WeightsRelation::Independent, "learned-alike"),
            () if self.units >= ENOUGH_UNITS => (WeightsRelation::Independent, "nothing-found"),
            () => (WeightsRelation::Undetermined, "too-little"),
        }
    }
}
