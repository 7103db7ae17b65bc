//! Do heads that were matched by what they attend to also write alike?
//!
//! **Statistic.** Heads are matched by their QK products; Student's t, layer by layer, of the OV cosines of matched
//! heads against those of heads that were not matched, with the variance of the latter, as a normal deviate. The sum
//! over layers, divided by the root of their number, is read as normal.
//!
//! **Null.** Heads that were matched by QK write no more alike than heads that were not. Asymptotic: cosines are taken
//! as normal and independent.
//!
//! **Assumptions.** Layers are independent of each other. Where heads are not known, each way to cut rows into heads is
//! one more test.
//!
//! **What it cannot tell.** A shared start from derivation.
//!
//! Reference: N. Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021, for QK and OV products;
//! Student, "The probable error of a mean", Biometrika 6 (1908).

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::ASYMPTOTIC_LEVEL;
use crate::stats::tail;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::HeadProducts], role: Role::Decides, observe };

pub(crate) const HEADS: &str = "attention";

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let layers = measured.head_z.len();
    let z = || measured.head_z.iter().sum::<f64>() / (layers as f64).sqrt();
    let observation = || Observation {
        id: StatisticId::HeadProducts,
        component: HEADS.to_owned(),
        value: measured.products.cosine(),
        samples: measured.heads,
        kind: PKind::Asymptotic,
        null: "heads matched by what they look for write no more alike than heads that do not match".to_owned(),
        support: Support::test(tail::normal(z()), Family::Attention, ASYMPTOTIC_LEVEL),
    };
    Ok((layers > 0).then(observation).into_iter().collect())
}
