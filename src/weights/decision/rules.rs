//! From signals to one relation: a table of rules, of which the first that holds decides.
//!
//! Encoders beside the language model add [`RuleId::TowerOnly`] ([`towers`](crate::weights::with_towers)). Where one
//! side is an adapter the rules are those of [`adapter`](crate::weights::adapter). The body is the up and down
//! projections of the feed-forward blocks; where there are no gates, the blocks themselves.

use crate::checkpoint::Error;
use crate::fact::{PKind, RuleId, Weights, WeightsRelation};
use crate::weights::decision::components::components;
use crate::weights::decision::correction::Correction;
use crate::weights::decision::evidence::Evidence;
use crate::weights::decision::power::power;
use crate::weights::decision::reasons::reasons;
use crate::weights::matching::matched::Measured;
use crate::weights::statistics::retention::{RETAINED, SHARED};
use crate::weights::statistics::{Compared, Role, observe};

/// One rule on signals `S`: what it decides, and when.
pub(crate) struct Rule<S: 'static> {
    pub(crate) id: RuleId,
    pub(crate) relation: WeightsRelation,
    pub(crate) holds: fn(&S) -> bool,
}

/// The first rule that holds; the last one of a table always does.
pub(crate) fn first<'a, S>(rules: &'a [Rule<S>], signals: &S) -> &'a Rule<S> {
    rules.iter().find(|it| (it.holds)(signals)).expect("the last rule always holds")
}

/// The rules for two models.
pub(crate) const RULES: &[Rule<Evidence>] = &[
    Rule { id: RuleId::AllEqual, relation: WeightsRelation::Identical, holds: |it| it.same },
    Rule {
        id: RuleId::SharedInitialization,
        relation: WeightsRelation::SharedInit,
        holds: Evidence::is_shared_initialization,
    },
    // Equal weights need no word on what was kept, and no other rule sees what is equal alone.
    Rule {
        id: RuleId::EqualUnits,
        relation: WeightsRelation::Derived,
        holds: |it| it.is_equal() && (it.is_open() || !it.is_matched),
    },
    Rule {
        id: RuleId::InitializationOrDerived,
        relation: WeightsRelation::Undetermined,
        holds: |it| it.body && it.is_open(),
    },
    Rule { id: RuleId::BodySigns, relation: WeightsRelation::Derived, holds: |it| it.body && it.kind == PKind::Exact },
    Rule { id: RuleId::BodyAgreement, relation: WeightsRelation::Derived, holds: |it| it.body },
    // No part, and no silence, says anything on a body that was not read.
    Rule { id: RuleId::TooLittle, relation: WeightsRelation::Undetermined, holds: |it| !it.is_read },
    Rule { id: RuleId::PartOnly, relation: WeightsRelation::ComponentDerived, holds: |it| it.attention || it.tokens },
    Rule { id: RuleId::NormsOnly, relation: WeightsRelation::Undetermined, holds: |it| it.norms },
    Rule { id: RuleId::LearnedAlike, relation: WeightsRelation::Independent, holds: |it| it.alike },
    Rule { id: RuleId::NothingFound, relation: WeightsRelation::Independent, holds: |_| true },
];

/// Decides. `references` is how many references the subject is compared with in all, for the Bonferroni correction.
pub(crate) fn decide(measured: &Measured, references: usize) -> Result<Weights, Error> {
    let correction = Correction::of(measured, references);
    let observed = observe(Role::Decides, &Compared::of(measured))?;
    let evidence = Evidence::of(measured, &observed, &correction);
    let rule = first(RULES, &evidence);
    let mut weights = Weights {
        statistics: observed.into_iter().map(|it| correction.reported(it, evidence.body)).collect(),
        components: components(measured, &evidence, rule.relation),
        ..Weights::default()
    };
    weights.relation = rule.relation;
    weights.rule = Some(rule.id);
    weights.log10_p = Some(evidence.log10_p);
    weights.p_kind = Some(evidence.kind);
    weights.power = Some(power(measured));
    weights.reasons = reasons(measured, &evidence, rule.relation);
    Ok(weights)
}

impl Evidence {
    /// Whether retention does not distinguish derivation from a shared initialization.
    fn is_open(&self) -> bool {
        self.is_faint || self.is_by_start || self.retained.is_some_and(|it| it < RETAINED)
    }

    fn is_shared_initialization(&self) -> bool {
        let is_little_kept = self.retained.is_some_and(|it| it < SHARED);
        self.body && self.is_seed_free && !self.is_at_odds && !self.has_equal() && is_little_kept
    }
}
