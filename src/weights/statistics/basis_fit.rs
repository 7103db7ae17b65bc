//! How well the change of basis between the residual streams fits rows that it was not made from.
//!
//! **Statistic.** The mean cosine of held-out rows with their partners, behind each map that was tried.
//!
//! **Null.** Unrelated models: near 0, unless both learned the same geometry. No p-value is claimed.
//!
//! **Assumptions.** Rows that were held out had no part in the map.
//!
//! **What it cannot tell.** Whether models are related: it says in which coordinates they are compared.
//!
//! Reference: P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966).

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::weights::statistics::{Compared, Definition, Observation, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::BasisFit], role: Role::Decides, observe };

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let null = "unrelated models: the held-out cosine of rows is near 0, unless both learned the same geometry";
    let observations = measured.fits.iter().map(|tried| Observation {
        id: StatisticId::BasisFit,
        component: format!("{}, {}", tried.rows, tried.word),
        value: tried.held_out,
        samples: measured.embedding.count,
        kind: PKind::Heuristic,
        null: null.to_owned(),
        support: Support::Heuristic(false),
    });
    Ok(observations.collect())
}
