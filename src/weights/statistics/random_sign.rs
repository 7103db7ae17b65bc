//! The random-sign test: are the signs of what two models have in common fair coins?
//!
//! **Statistic.** For each matched hidden unit `h` of a gated feed-forward block, `c_h` is the cosine of the subject's
//! and the reference's up projection plus that of their down projections; `T` is the sum of all `c_h`.
//!
//! **Null.** The two models were initialised independently. Turning the sign of a unit's up and down projection
//! together changes no output, and keeps the law of any initialisation that is symmetric about zero. SGD, Adam,
//! `AdamW`, Lion and Muon treat both signs alike, so that for every run of training there is an equally likely one with
//! the unit turned. Whatever the data, their order and the hyper-parameters, the signs of `c_h` are therefore
//! independent fair coins, given their sizes; and anything that was aligned or matched without looking at up or down
//! leaves them so. Units that answer the same reference unit share its coin and are added up before they are tested,
//! and so do units that are [copies](crate::linalg::duplicates) of each other. Whether signs are fair inside the models
//! is looked at ([`symmetry`](crate::weights::matching::symmetry)); where they are in neither, the test is not used,
//! and the answer says so.
//!
//! **p-value.** Hoeffding's bound `exp(-T² / 2 Σ c²)`: finite-sample, one-sided, never too small.
//!
//! **What it cannot tell.** A shared initialisation from derivation (`retention` does). Signs that somebody turned at
//! random make it silent; `agreement` then speaks, with the size of `c` beside it. It needs a gate (or, for value
//! dimensions, nothing but attention); for blocks without a gate the permutation test takes its place.
//!
//! **Power.** Long training hides the partner of a unit before it hides the sign: a gate must stand out from all gates
//! of the reference, by a cosine of about `sqrt(2 ln F / d)` for `F` units in `d` dimensions. In the same coordinates
//! units at the same place need no partner found, and are tested beside the matched ones.
//!
//! Reference: W. Hoeffding, JASA 58 (1963); S. Zhu et al., "Independence Tests for Language Models", ICML 2025, for
//! testing exchangeable initialisations.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::LEVEL;
use crate::stats::sign_test::RandomSign;
use crate::weights::statistics::neuron_assumptions::Assumptions;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::RandomSign], role: Role::Decides, observe };

/// Neurons that were matched, neurons at the same place, and value dimensions.
pub(crate) const MATCHED: &str = "feed-forward";
pub(crate) const IN_PLACE: &str = "feed-forward, in place";
pub(crate) const VALUES: &str = "attention";

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let are_fair = Assumptions::of(measured).are_fair;
    let sides = [
        (MATCHED, &measured.unit_signs, "matched units", Family::Neurons, are_fair),
        (IN_PLACE, &measured.place_signs, "units at the same place", Family::Neurons, are_fair),
        (VALUES, &measured.value_signs, "value dimensions", Family::Attention, true),
    ];
    // Without gates neurons are matched by what is tested.
    let is_tested =
        |signs: &RandomSign, component: &str| signs.count() > 0 && (component != MATCHED || measured.has_gate);
    let of = sides.into_iter().filter(|it| is_tested(it.1, it.0));
    let observations = of.map(|(component, signs, what, family, is_usable)| Observation {
        id: StatisticId::RandomSign,
        component: component.to_owned(),
        value: signs.mean(),
        samples: signs.count(),
        kind: PKind::Exact,
        null: format!("independent initialisation: signs of {what} are fair coins"),
        support: if is_usable { Support::test(signs.log10_p(), family, LEVEL) } else { Support::Heuristic(false) },
    });
    Ok(observations.collect())
}
