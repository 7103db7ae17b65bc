//! Do units that look alike stand at the same place: the permutation test, exact for every architecture.
//!
//! **Statistic.** The number of hidden units whose mutual nearest unit in the answering layer has the same number.
//!
//! **Null.** The reference was initialised independently. Units of one block may be re-ordered without a change to any
//! output, and every usual initialisation and optimiser treats them alike, with or without a gate, with `RMSNorm` or
//! `LayerNorm`: given everything else, the order of the reference's units is a uniformly random permutation. The
//! nearest units are found without regard to their numbers, so that every set of `k` prescribed fixed points has
//! probability at most `(n - k)!/n!`.
//!
//! **p-value.** `groups^k / k!` ([`agreeing_points`](tail::agreeing_points)): finite-sample, never too small. Layers of
//! the reference that are copies of each other share an order, and only the first of them counts; mixtures of experts
//! are left out.
//!
//! **What it cannot tell.** It is silent for the least re-ordering, and cannot tell a shared start from derivation.
//!
//! Reference: S. Zhu et al., "Independence Tests for Language Models", ICML 2025 (exchangeable units; there by sampling
//! permutations, here by a bound).

use std::collections::BTreeSet;

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::LEVEL;
use crate::stats::tail;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::FixedPoints], role: Role::Supports, observe };

/// None where no dense blocks of one width were compared.
fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let (Some((_, reference)), measured) = (compared.nets, compared.measured) else { return Ok(Vec::new()) };
    let mut seen = BTreeSet::new();
    let (mut fixed, mut matched, mut blocks) = (0, 0, 0);
    for block in &measured.blocks {
        let layer = measured.answers[block.answer].reference;
        let is_dense = reference.layers[layer].ffns.len() == 1 && block.units.is_one_width;
        if is_dense && seen.insert(measured.groups.get(layer).copied().unwrap_or(layer)) {
            fixed += block.units.in_place;
            matched += block.units.pairs.len();
            blocks += 1;
        }
    }
    let observation = || Observation {
        id: StatisticId::FixedPoints,
        component: "feed-forward, in place".to_owned(),
        value: fixed as f64 / matched.max(1) as f64,
        samples: matched,
        kind: PKind::Exact,
        null: "independent initialisation: units of a block are in a random order".to_owned(),
        support: Support::test(tail::agreeing_points(fixed, blocks), Family::References, LEVEL),
    };
    Ok((blocks > 0).then(observation).into_iter().collect())
}
