//! Collects what can be measured on a case, and keeps it as `evidence.json`.
//!
//! The only step that looks outside the case's own YAML. Its result is plain data; `score` and `memo` need nothing else.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::InputFile;
use crate::claims::Check;
use crate::fact::{CatalogReach, Comparison, Facts, Identification, Inspection, Unexamined};

mod error;
pub mod store;

pub use error::Error;

/// Version of the format of `evidence.json`.
pub const EVIDENCE_SCHEMA: &str = "unshell/evidence/1";

/// Everything that was measured on one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `unshell/evidence/1`.
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// The case's date.
    pub date: NaiveDate,
    /// Every file of the case folder that was read, with its hash.
    pub inputs: Vec<InputFile>,
    /// What was measured on each subject, in the order of the case.
    pub subjects: Vec<SubjectEvidence>,
    /// Arithmetic on the claims.
    pub checks: Vec<Check>,
    /// Flat facts that gates and criteria may name.
    pub facts: Facts,
    /// How far the catalogue reaches.
    pub catalog: CatalogReach,
    /// What was not looked at in the whole case, and why.
    pub unexamined: Vec<Unexamined>,
}

/// What was measured on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectEvidence {
    /// Id inside the case.
    pub id: String,
    /// What its headers say.
    pub inspection: Inspection,
    /// Which catalogue entries it matches by form.
    pub identification: Identification,
    /// How it relates to each reference of the case.
    pub comparisons: Vec<Comparison>,
}
