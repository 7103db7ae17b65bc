//! What a company says in numbers, and the arithmetic on it.
//!
//! A claim is a quote with a value, a unit, a source and a date. The checks multiply claims out and hold the result
//! against bands from a dated data file (`rubrics/bands/`); they accuse nobody of lying, they say what to ask.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Interval, Message, Text};

mod bands;
mod calendar;
mod compute;
mod data_yield;
mod document;
#[cfg(test)]
mod tests;
mod training;
mod unit;
mod worksheet;

pub use bands::{Accelerator, BANDS_SCHEMA, Bands, Cluster, Run, SourcedMarks, SourcedRange, Span};
pub use document::{ClaimAsWritten, Mistake, ValueAsWritten};
pub use unit::{Expected, Unit};

/// Every sentence and term of this room.
pub const MESSAGE_KEYS: &[&str] = &[
    "about.active_parameters",
    "about.clean_tokens",
    "about.cost",
    "about.from_scratch",
    "about.gpu_hours",
    "about.gpu_model",
    "about.gpus",
    "about.own_work",
    "about.parameters",
    "about.precision",
    "about.raw_data",
    "about.release",
    "about.training_start",
    "about.training_tokens",
    "assumption.any_accelerator",
    "assumption.availability",
    "assumption.claims_differ",
    "assumption.dense",
    "assumption.format_without_peak",
    "assumption.hour_price",
    "assumption.mixture_overhead",
    "assumption.normal_utilisation",
    "assumption.precision",
    "assumption.seen_once",
    "assumption.slowest_accelerator",
    "assumption.typical_cluster",
    "check.calendar",
    "check.compute",
    "check.data_yield",
    "outcome.ask",
    "outcome.implausible",
    "outcome.impossible",
    "outcome.normal",
    "outcome.not_computable",
    "remark.active_above_total",
    "remark.calendar.ask",
    "remark.calendar.implausible",
    "remark.calendar.impossible",
    "remark.calendar.normal",
    "remark.calendar.release_before_start",
    "remark.cluster.ask",
    "remark.cluster.implausible",
    "remark.cluster.normal",
    "remark.data_yield.ask",
    "remark.data_yield.ask_low",
    "remark.data_yield.implausible",
    "remark.data_yield.impossible",
    "remark.data_yield.normal",
    "remark.define_raw",
    "remark.largest_cluster",
    "remark.not_computable",
    "remark.range_reaches",
    "remark.utilisation.ask",
    "remark.utilisation.ask_low",
    "remark.utilisation.implausible",
    "remark.utilisation.impossible",
    "remark.utilisation.normal",
    "step.active_share",
    "step.cluster_needed",
    "step.compute_at_peak",
    "step.data_yield",
    "step.days_needed",
    "step.hours_at_most",
    "step.hours_bought",
    "step.hours_needed",
    "step.mixture_overhead",
    "step.peak",
    "step.training_compute",
    "step.utilisation",
    "step.utilisation_at_least",
    "step.window",
    "unit.days",
    "unit.flop",
    "unit.flop_per_second",
    "unit.gpu_hours",
    "unit.gpus",
    "unit.share",
    "unit.tokens_per_petabyte",
];

/// Every check on these claims, in a fixed order; one that cannot be computed says what is missing.
pub fn check_all(claims: &[Claim], bands: &Bands) -> Vec<Check> {
    vec![compute::check(claims, bands), calendar::check(claims, bands), data_yield::check(claims, bands)]
}

/// The gravest outcome among checks.
pub fn worst(checks: &[Check]) -> Outcome {
    checks.iter().map(|it| it.outcome).max().unwrap_or(Outcome::NotComputable)
}

impl Outcome {
    /// The word for it in files, facts and language keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotComputable => "not_computable",
            Self::Normal => "normal",
            Self::Ask => "ask",
            Self::Implausible => "implausible",
            Self::Impossible => "impossible",
        }
    }
}

/// A valid claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// Id inside the case, e.g. `CL-TOKENS`.
    pub id: String,
    /// Id of the model it is about; every model of the case where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it is about.
    pub about: About,
    /// The value in the base unit of `about` (parameters, tokens, bytes, hours, …), a date, yes/no, or a name.
    pub value: ClaimValue,
    /// The unit as written, e.g. `T tokens`.
    pub unit: Option<String>,
    /// The company's words, exactly.
    pub quote: Text,
    /// Evidence ids it was taken from.
    pub source: Vec<String>,
    /// When it was said.
    pub date: NaiveDate,
}

/// What a claim can be about: a closed list, each with the units it may be given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Total parameters.
    Parameters,
    /// Parameters active per token (mixture of experts).
    ActiveParameters,
    /// Tokens seen in pre-training.
    TrainingTokens,
    /// Tokens left after cleaning, where they differ from those seen in training.
    CleanTokens,
    /// Raw data before cleaning, bytes.
    RawData,
    /// Accelerator-hours of the final run.
    GpuHours,
    /// Accelerators used at once.
    Gpus,
    /// Name of the accelerator, as the bands file lists it.
    GpuModel,
    /// Number format of the matrix products (`bf16`, `fp8`, …).
    Precision,
    /// Money spent on the final run, US dollars.
    Cost,
    /// First day training could have started (founding, funding, cluster hand-over).
    TrainingStart,
    /// Day of release, or of the end of training.
    Release,
    /// Whether the company says the model was trained from scratch.
    FromScratch,
    /// Whether the company says the model is its own work (自研).
    OwnWork,
}

/// The value of a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimValue {
    /// In the base unit of what the claim is about.
    Number(f64),
    /// A day.
    Date(NaiveDate),
    /// Yes or no.
    Yes(bool),
    /// A name of a closed list.
    Name(String),
}

/// The outcome of one cross-check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// `compute`, `calendar`, `data_yield`.
    pub id: String,
    /// The outcome in one word.
    pub outcome: Outcome,
    /// What was computed.
    pub result: Option<Quantity>,
    /// The bands it was held against, in ascending order.
    pub bands: Vec<BandMark>,
    /// The arithmetic, line by line.
    pub steps: Vec<Step>,
    /// Claim ids it rests on.
    pub rests_on: Vec<String>,
    /// What had to be assumed, since nobody stated it.
    pub assumptions: Vec<Message>,
    /// What is missing to do better.
    pub missing: Vec<About>,
    /// What the outcome means and what to ask.
    pub remarks: Vec<Message>,
    /// Where the bands come from.
    pub sources: Vec<String>,
    /// Date of the bands file.
    pub bands_date: NaiveDate,
}

/// The outcome of a check. Ordered from harmless to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not enough was claimed to compute anything.
    NotComputable,
    /// Inside what comparable runs show.
    Normal,
    /// Outside the usual; there is a question to ask.
    Ask,
    /// Outside anything on record.
    Implausible,
    /// Against arithmetic or physics.
    Impossible,
}

/// A number with its unit, as an interval where it rests on ranges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// The value or range.
    pub value: Interval,
    /// Unit key, e.g. `flop`, `share`, `tokens_per_petabyte`, `days`.
    pub unit: String,
}

/// One band on the scale of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandMark {
    /// The outcome inside it.
    pub outcome: Outcome,
    /// From; open where none.
    pub from: Option<f64>,
    /// To; open where none.
    pub to: Option<f64>,
}

/// One line of arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What is computed, as a sentence key.
    pub what: Message,
    /// The expression with the numbers in it, e.g. `6 × 3.4e10 × 3.1e12`.
    pub expression: String,
    /// The result.
    pub result: Quantity,
}
