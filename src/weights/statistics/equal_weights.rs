//! Weights that are the same: the law is in [`equal_weights`](crate::weights::matching::equal_weights), which counts.
//!
//! **Statistic.** The share of matched neurons, of index-aligned rows of feed-forward blocks, and of those of
//! attention, that are the reference's to a cosine of 0.98.
//!
//! **Null.** Unrelated models: directions of rows are independent draws in as many dimensions as the spread of cosines
//! between rows that do not correspond shows. Asymptotic, since that is a model of what training leaves.
//!
//! **Assumptions.** Neurons that are copies of each other inside a model count once.
//!
//! **What it cannot tell.** Models that left one start and learned next to nothing are equal too.
//!
//! Reference: T. T. Cai, J. Fan, T. Jiang, "Distributions of angles in random packing on spheres", JMLR 14 (2013).

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::ASYMPTOTIC_LEVEL;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::EqualWeights], role: Role::Decides, observe };

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let [blocks, attention] = &measured.equal_rows;
    let parts = [
        ("feed-forward", &measured.equal_units, Family::EqualWeights),
        ("feed-forward, in place", blocks, Family::EqualWeights),
        ("attention, in place", attention, Family::Attention),
    ];
    let seen = parts.into_iter().filter(|it| it.1.possible > 0);
    let observations = seen.map(|(component, equal, family)| Observation {
        id: StatisticId::EqualWeights,
        component: component.to_owned(),
        value: equal.share(),
        samples: equal.possible,
        kind: PKind::Asymptotic,
        null: "unrelated models: directions of rows are independent draws, and none comes within a cosine of 0.98"
            .to_owned(),
        support: Support::test(equal.log10_p(), family, ASYMPTOTIC_LEVEL),
    });
    Ok(observations.collect())
}
