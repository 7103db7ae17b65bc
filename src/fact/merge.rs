//! What several references together say of a subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Comparison, ModelName};

/// The answer of `compare` with several references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparisons {
    /// `unshell/comparisons/1`.
    pub schema: String,
    /// The model under examination.
    pub subject: ModelName,
    /// One comparison a reference, in the order given; every p-value pays for the number of references.
    pub comparisons: Vec<Comparison>,
    /// How the subject is made of several of them; none where that was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Why no merge was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_merge: Option<String>,
}

/// How a subject is made of several references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Merge {
    /// `linear`, `slerp`, `linear-or-slerp`, `ties`, `dare`, `interleaved`, `same` (one of them as it is), or `unknown`.
    pub kind: String,
    /// `measured`, `likely` or `possible`.
    pub certainty: String,
    /// One for each reference, in the order given.
    pub coefficients: Vec<Coefficient>,
    /// Share of the squared distance to the nearest reference that the fit explains.
    pub explained: f64,
    /// Share of the numbers that the recipe gives to within rounding.
    pub exact: f64,
    /// The reference that differences are taken from, for `ties` and `dare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What each other reference's difference from the base was multiplied by where it was kept, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scales: Vec<f64>,
    /// Share of the numbers of each difference that were dropped, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<f64>,
    /// The nearest reference of every layer.
    pub layers: Vec<LayerParent>,
    /// Matrices behind the fit.
    pub matrices: u64,
    /// One English sentence.
    pub detail: String,
}

/// How much of one reference is in the subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coefficient {
    /// The reference, by its location.
    pub reference: String,
    /// Its coefficient.
    pub value: f64,
    /// Lower end of the 95 % interval, by leaving out one matrix at a time.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Which reference one layer is nearest to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerParent {
    /// The subject's layer.
    pub subject: u32,
    /// The nearest reference, by its location.
    pub reference: String,
    /// Whether every number that was looked at is the same there.
    pub is_same: bool,
}
