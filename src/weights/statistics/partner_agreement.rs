//! Do gate and up projections, each matched apart, pair the same neurons?
//!
//! **Statistic.** The number of neurons whose mutual nearest neuron by gate is also their mutual nearest by up
//! projection, over all pairs of layers that correspond.
//!
//! **Null.** Independent models: given one matching, the other is a uniformly random permutation, block by block. The
//! probability of `k` agreements or more is at most `blocks^k / k!`
//! ([`agreeing_points`](crate::stats::tail::agreeing_points)).
//!
//! **Assumptions.** Gate and up projection of one neuron are not nearly the same row in both models; where they are,
//! the test is withdrawn ([`neuron_assumptions`](crate::weights::statistics::neuron_assumptions)). What trained rows
//! have in common is taken out first; since that is a model, the p-value is asymptotic.
//!
//! **What it cannot tell.** A shared start from derivation. A tenth of the neurons must agree before it supports a
//! relation, since a few may be alike for reasons of the data.
//!
//! Reference: S. Zhu et al., "Independence Tests for Language Models", ICML 2025.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::ASYMPTOTIC_LEVEL;
use crate::stats::tail;
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};
use crate::weights::statistics::neuron_assumptions::Assumptions;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support, Test};

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::PartnerAgreement], role: Role::Decides, observe };

pub(crate) const NEURONS: &str = "feed-forward";

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let possible = measured.total(|it| it.possible);
    let observation = || Observation {
        id: StatisticId::PartnerAgreement,
        component: NEURONS.to_owned(),
        value: share(measured),
        samples: possible,
        kind: PKind::Asymptotic,
        null: "independent models: gate and up projections agree on a match no more often than two random permutations"
            .to_owned(),
        support: support(measured),
    };
    Ok((possible > 0).then(observation).into_iter().collect())
}

/// The share of neurons whose two matches agree.
pub(crate) fn share(measured: &Measured) -> f64 {
    measured.total(|it| it.agreeing) as f64 / measured.total(|it| it.possible).max(1) as f64
}

fn support(measured: &Measured) -> Support {
    if Assumptions::of(measured).are_tied {
        return Support::Heuristic(false);
    }
    Support::Test(Test {
        log10_p: tail::agreeing_points(measured.total(|it| it.agreeing), measured.blocks.len()),
        family: Family::Neurons,
        level: ASYMPTOTIC_LEVEL,
        is_large: share(measured) >= AGREEING_SHARE,
    })
}
