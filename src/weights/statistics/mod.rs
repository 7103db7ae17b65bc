//! Statistics on a pair of models, one a file: what it is, its null, its reference, its limitations, code and tests.
//!
//! A statistic gives [`Observation`]s with raw p-values. Corrections for tests and references, and whether a p-value is
//! at its level, are one place's business ([`correction`](crate::weights::decision::correction)). A new statistic is
//! its file, its word in the list below, its id in `fact::StatisticId`, and its text in every language.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::weights::matching::matched::Measured;
use crate::weights::model::view::Net;
use crate::weights::statistics::near_values::Counts;
use crate::weights::statistics::row_cosines::Cosines;

pub(crate) mod neuron_assumptions;
pub(crate) mod sampled_rows;

/// What is compared, in words.
pub(crate) const PLACE: &str = "all matrices, in place";

/// One statistic.
pub(crate) struct Definition {
    /// What it observes; more than one where one look gives several.
    pub(crate) ids: &'static [StatisticId],
    pub(crate) role: Role,
    pub(crate) observe: fn(&Compared<'_>) -> Result<Vec<Observation>, Error>,
}

/// What a statistic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Rules read it. It needs nothing but what matching measured.
    Decides,
    /// It is reported beside the others, and no rule reads it.
    Supports,
}

/// Declares the statistics, in the order in which they are reported.
macro_rules! statistics {
    ($($name:ident,)*) => {
        $(pub(crate) mod $name;)*

        /// Every statistic.
        pub(crate) const ALL: &[&Definition] = &[$(&$name::DEFINITION,)*];
    };
}

statistics![
    basis_fit,
    random_sign,
    partner_agreement,
    equal_weights,
    head_products,
    norm_weights,
    retention,
    token_rows,
    fixed_points,
    query_key_cka,
    biases,
    row_cosines,
    near_values,
];

/// Two models and what matching measured on them.
pub(crate) struct Compared<'a> {
    pub(crate) measured: &'a Measured,
    /// Subject and reference; none where only what was measured is at hand.
    pub(crate) nets: Option<(&'a Net<'a>, &'a Net<'a>)>,
    /// What sampled rows show at their places: read once for the statistics that look at them.
    rows: Option<(Cosines, Counts)>,
}

impl<'a> Compared<'a> {
    /// What matching measured, and no more.
    pub(crate) fn of(measured: &'a Measured) -> Self {
        Self { measured, nets: None, rows: None }
    }

    /// The two models as well; reads rows of both.
    pub(crate) fn with(measured: &'a Measured, subject: &'a Net<'a>, reference: &'a Net<'a>) -> Result<Self, Error> {
        let rows = sampled_rows::sampled(subject, reference, measured)?;
        Ok(Self { measured, nets: Some((subject, reference)), rows })
    }
}

/// What one statistic shows on one part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) id: StatisticId,
    /// The part, in words.
    pub(crate) component: String,
    pub(crate) value: f64,
    pub(crate) samples: usize,
    pub(crate) kind: PKind,
    /// Its null, in a few words.
    pub(crate) null: String,
    pub(crate) support: Support,
}

/// What an observation says for a relation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Support {
    /// It does where its p-value is at its level.
    Test(Test),
    /// It has a test, whose p-value is not one of the relation, and is not reported.
    Filter(Test),
    /// A heuristic, with its answer.
    Heuristic(bool),
    /// The same, where something else shows that the models are related.
    OfRelated(bool),
}

impl Support {
    /// A test whose effect may be of any size.
    pub(crate) fn test(log10_p: f64, family: Family, level: f64) -> Self {
        Self::Test(Test { log10_p, family, level, is_large: true })
    }
}

/// A test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Test {
    /// Base-10 logarithm of the p-value, not corrected for anything.
    pub(crate) log10_p: f64,
    pub(crate) family: Family,
    /// At most so much must be left after correction.
    pub(crate) level: f64,
    /// Whether the effect is large enough to mean something, however sure it is.
    pub(crate) is_large: bool,
}

/// Which tests a test is corrected together with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Tests that may decide on neurons.
    Neurons,
    /// The same, for one of two looks at what is the same.
    EqualWeights,
    /// Tests that may decide on attention.
    Attention,
    /// One test for each reference.
    References,
}

/// The observations of the statistics of one role.
pub(crate) fn observe(role: Role, compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let mut all = Vec::new();
    for definition in ALL.iter().filter(|it| it.role == role) {
        let observed = (definition.observe)(compared)?;
        debug_assert!(observed.iter().all(|it| definition.ids.contains(&it.id)), "{:?}", definition.ids);
        all.extend(observed);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
