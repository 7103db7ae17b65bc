//! What answers what between a derived model and its reference, below the level of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where one expert comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ExpertSource {
    /// The subject's layer.
    pub layer: u32,
    /// The subject's expert, counted from 0; 0 for a dense block.
    pub expert: u32,
    /// The reference's layer; null where none answers.
    pub reference_layer: Option<u32>,
    /// The reference's expert, 0 for a dense block; null where none answers.
    pub reference_expert: Option<u32>,
    /// Share of the expert's hidden units that have a partner there, gate and up projection agreeing.
    pub units: f64,
    /// Mean cosine of their gates.
    pub cosine: f64,
}

/// Which hidden units of a wider block a narrower one kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct KeptUnits {
    /// The subject's layer.
    pub subject: u32,
    /// The subject's expert, 0 for a dense block.
    pub expert: u32,
    /// The reference's layer.
    pub reference: u32,
    /// Units of the reference's block.
    pub of: u64,
    /// Number of units that were found again.
    pub count: u64,
    /// The units of the reference that were kept, as runs of `[first, length]`, ascending.
    pub kept: Vec<[u64; 2]>,
}

/// Which row of the reference's vocabulary each row of the subject's comes from, by the token that stands behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenMap {
    /// Rows of the subject whose token the reference has.
    pub kept: u64,
    /// Rows of the subject whose token the reference lacks.
    pub new: u64,
    /// Tokens of the reference that the subject lacks.
    pub dropped: u64,
    /// Kept rows that stand under another id.
    pub moved: u64,
    /// Runs of `[first id of the subject, first id of the reference, length]`, ascending by the subject's ids.
    pub runs: Vec<[u64; 3]>,
    /// Runs that were left off, so that the answer stays short: a vocabulary in another order has one a token.
    pub runs_left_off: u64,
}
