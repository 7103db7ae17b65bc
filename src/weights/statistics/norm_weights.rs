//! Norm weights by rank, index-aligned; [`norm_weights`](crate::weights::matching::norm_weights) measures them.
//!
//! **Statistic.** Per layer the normal scores of the norm weights are correlated; the sum over layers is compared with
//! its law when the dimensions of one model are re-ordered, all layers alike.
//!
//! **Null.** Independent training: no dimension of one model is tied to one of the other. The tail is the normal one
//! (combinatorial central limit theorem), so the p-value is asymptotic.
//!
//! **Assumptions.** Nothing gives a dimension a meaning of its own before training, as one embedding in both would.
//!
//! **What it cannot tell.** Models whose norm weights were folded away have none.
//!
//! References: W. Hoeffding, "A combinatorial central limit theorem", Ann. Math. Stat. 22 (1951); B. van der Waerden,
//! Indag. Math. 14 (1952).

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::LEVEL;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::NormWeights], role: Role::Decides, observe };

pub(crate) const NORMS: &str = "norms";

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let norms = &compared.measured.gains;
    let observation = || Observation {
        id: StatisticId::NormWeights,
        component: NORMS.to_owned(),
        value: norms.sums.cosine(),
        samples: norms.count * norms.dimensions,
        kind: PKind::Asymptotic,
        null: "independent training: dimensions of one model are in no order of the other's".to_owned(),
        support: Support::test(norms.log10_p(), Family::References, LEVEL),
    };
    Ok((norms.count > 0).then(observation).into_iter().collect())
}
