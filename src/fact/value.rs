//! Facts: dotted keys with a value, or with the reason why there is none.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every fact that was stated, by key; sorted, one value per key.
pub type Facts = BTreeMap<String, Fact>;

/// One thing that was observed, and what it was seen in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Fact {
    /// What was observed.
    pub value: Value,
    /// What it rests on: claim ids, evidence ids, file names, comparisons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_in: Vec<String>,
}

/// The value of a fact. "Unknown" is a value, and says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Value {
    /// Yes or no.
    Yes(bool),
    /// A number; the key says the unit.
    Number(f64),
    /// One word of a closed list; the key says which list.
    Word(String),
    /// There is no value, for this reason.
    Unknown(Unknown),
}

/// Why a value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unknown {
    /// Nobody asked, or no answer came yet.
    NotAsked,
    /// What would be needed was not there.
    Absent,
    /// It was there and could not be read.
    Unreadable,
    /// This check was not run; the evidence says why.
    Unexamined,
    /// The question makes no sense here.
    NotApplicable,
}
