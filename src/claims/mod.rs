//! What a company says in numbers, and the arithmetic on it.
//!
//! A claim is a quote with a value, a unit, a source and a date. The checks multiply claims out and hold the result
//! against bands from a dated data file (`rubrics/bands/`); they accuse nobody of lying, they say what to ask.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claims::contradictions::Said;
use crate::fact::{Interval, Message, Text};

mod about;
mod bands;
mod calendar;
mod compute;
mod consistency;
mod contradictions;
mod cost;
mod counted;
mod data_yield;
mod document;
mod energy;
mod epochs;
mod figure;
mod fine_tune;
mod flop;
mod quote;
mod reading;
mod spelling;
#[cfg(test)]
mod tests;
mod training;
mod unit;
mod wall_clock;
mod worksheet;

pub use about::About;
pub use bands::{
    Accelerator, BANDS_SCHEMA, Bands, Cluster, Peak, Rate, Rounding, Run, SourcedMarks, SourcedRange, Span,
};
pub use counted::Counted;
pub use document::{ClaimAsWritten, Mistake, ValueAsWritten};
pub use figure::{Figure, FigureKind};
pub use unit::{Bare, Expected, Measure};

/// Every sentence and term of this room.
pub const MESSAGE_KEYS: &[&str] = &[
    "about.active_parameters",
    "about.clean_tokens",
    "about.context_length",
    "about.cost",
    "about.energy",
    "about.epochs",
    "about.fine_tune_hours",
    "about.fine_tune_tokens",
    "about.flop",
    "about.from_scratch",
    "about.gpu_hours",
    "about.gpu_model",
    "about.gpus",
    "about.hfu",
    "about.mfu",
    "about.own_work",
    "about.parameters",
    "about.precision",
    "about.raw_data",
    "about.release",
    "about.training_days",
    "about.training_start",
    "about.training_tokens",
    "about.vocabulary",
    "allowance.attention",
    "allowance.frozen_base",
    "allowance.mixture_overhead",
    "assumption.any_accelerator",
    "assumption.any_format",
    "assumption.any_power",
    "assumption.any_sparsity",
    "assumption.availability",
    "assumption.dense",
    "assumption.format_without_peak",
    "assumption.hour_price",
    "assumption.normal_utilization",
    "assumption.open_end",
    "assumption.precision",
    "assumption.seen_once",
    "assumption.typical_cluster",
    "assumption.usual_accelerator",
    "check.calendar",
    "check.compute",
    "check.consistency",
    "check.cost",
    "check.counted",
    "check.data_yield",
    "check.energy",
    "check.epochs",
    "check.fine_tune",
    "check.flop",
    "check.wall_clock",
    "outcome.ask",
    "outcome.implausible",
    "outcome.impossible",
    "outcome.normal",
    "outcome.not_computable",
    "remark.accelerator_too_late",
    "remark.active_above_total",
    "remark.active_unknown",
    "remark.calendar.ask",
    "remark.calendar.implausible",
    "remark.calendar.impossible",
    "remark.calendar.normal",
    "remark.calendar.release_before_start",
    "remark.cluster.ask",
    "remark.cluster.implausible",
    "remark.cluster.normal",
    "remark.consistency.contradict",
    "remark.consistency.normal",
    "remark.cost.ask",
    "remark.cost.ask_low",
    "remark.cost.implausible_low",
    "remark.cost.normal",
    "remark.counted.ask",
    "remark.counted.ask_low",
    "remark.counted.implausible",
    "remark.counted.implausible_low",
    "remark.counted.impossible",
    "remark.counted.impossible_low",
    "remark.counted.normal",
    "remark.counted.not_read",
    "remark.counted.numbers",
    "remark.data_yield.ask",
    "remark.data_yield.ask_low",
    "remark.data_yield.implausible",
    "remark.data_yield.impossible",
    "remark.data_yield.normal",
    "remark.define_raw",
    "remark.energy.ask",
    "remark.energy.ask_low",
    "remark.energy.implausible",
    "remark.energy.implausible_low",
    "remark.energy.impossible_low",
    "remark.energy.normal",
    "remark.epochs.ask",
    "remark.epochs.implausible",
    "remark.epochs.normal",
    "remark.fine_tune.ask",
    "remark.fine_tune.implausible",
    "remark.fine_tune.impossible",
    "remark.fine_tune.normal",
    "remark.flop.ask",
    "remark.flop.ask_low",
    "remark.flop.implausible",
    "remark.flop.implausible_low",
    "remark.flop.normal",
    "remark.format_lacking",
    "remark.gravest_taken",
    "remark.implied_above_stated",
    "remark.largest_cluster",
    "remark.not_computable",
    "remark.only_if_cheaper",
    "remark.only_if_mixture",
    "remark.passes.ask",
    "remark.passes.ask_low",
    "remark.passes.implausible",
    "remark.peak_unknown",
    "remark.power_unknown",
    "remark.range_reaches",
    "remark.range_reaches_stated",
    "remark.rounding_explains",
    "remark.stated_above_record",
    "remark.utilization.ask",
    "remark.utilization.ask_low",
    "remark.utilization.implausible",
    "remark.utilization.impossible",
    "remark.utilization.normal",
    "remark.wall_clock.ask_low",
    "remark.wall_clock.impossible",
    "remark.wall_clock.normal",
    "step.active_share",
    "step.attention",
    "step.clock_ratio",
    "step.cluster_needed",
    "step.compute_at_peak",
    "step.contradiction",
    "step.counted_active",
    "step.counted_active_ratio",
    "step.counted_context_ratio",
    "step.counted_parameters",
    "step.counted_ratio",
    "step.counted_vocabulary_ratio",
    "step.data_yield",
    "step.days_by_hours",
    "step.days_needed",
    "step.epochs",
    "step.fine_tune_compute",
    "step.flop_ratio",
    "step.flop_stated",
    "step.hour_price",
    "step.hours_at_most",
    "step.hours_bought",
    "step.hours_by_clock",
    "step.hours_needed",
    "step.mixture_overhead",
    "step.passes",
    "step.peak",
    "step.power",
    "step.power_ratio",
    "step.training_compute",
    "step.utilization",
    "step.utilization_at_least",
    "step.window",
    "unit.days",
    "unit.epochs",
    "unit.flop",
    "unit.flop_per_second",
    "unit.gpu_hours",
    "unit.gpus",
    "unit.mwh",
    "unit.parameters",
    "unit.share",
    "unit.times",
    "unit.tokens_per_petabyte",
    "unit.usd_per_gpu_hour",
    "unit.watts",
];

/// Every check on the claims about one model, in a fixed order; one that cannot be computed says what is missing.
///
/// `counted` is what the program counted in the files of that model.
pub fn check_all(claims: &[Claim], counted: &Counted, bands: &Bands) -> Vec<Check> {
    let said = Said::new(claims, counted, bands);
    [
        compute::check,
        calendar::check,
        data_yield::check,
        cost::check,
        epochs::check,
        counted::check,
        flop::check,
        wall_clock::check,
        energy::check,
        fine_tune::check,
        consistency::check,
    ]
    .map(|check| check(&said))
    .into()
}

/// Ids of the checks, in their order.
pub const CHECKS: [&str; 11] = [
    compute::ID,
    calendar::ID,
    data_yield::ID,
    cost::ID,
    epochs::ID,
    counted::ID,
    flop::ID,
    wall_clock::ID,
    energy::ID,
    fine_tune::ID,
    consistency::ID,
];

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
    /// Id of the model it is about, where the case names one.
    #[serde(default)]
    pub subject: Option<String>,
    /// What it is about.
    pub about: About,
    /// The value in the base unit of `about` (parameters, tokens, bytes, hours, …), a date, yes/no, or a name.
    pub value: ClaimValue,
    /// The unit as written, e.g. `T tokens`.
    pub unit: Option<String>,
    /// What value and unit were understood as, e.g. `3.1T tokens -> 3.1e12 tokens`.
    pub understood: String,
    /// The rate a sum was converted at.
    #[serde(default)]
    pub conversion: Option<Conversion>,
    /// The company's words, exactly.
    pub quote: Text,
    /// Evidence ids it was taken from.
    pub source: Vec<String>,
    /// When it was said.
    pub date: NaiveDate,
}

/// A sum that was converted into US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversion {
    /// The currency it was stated in, e.g. `CNY`.
    pub from: String,
    /// So much of it for a US dollar.
    pub rate: f64,
    /// The day of the rate.
    pub date: NaiveDate,
    /// Where the rate was published.
    pub source: String,
}

/// The value of a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimValue {
    /// In the base unit of what the claim is about.
    Number(Figure),
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
    /// One of [`CHECKS`].
    pub id: String,
    /// The outcome in one word.
    pub outcome: Outcome,
    /// Whether anything had to be assumed that nobody stated. Such a check is no reason to believe anything.
    pub assumed: bool,
    /// What was computed.
    pub result: Option<Quantity>,
    /// The bands it was compared with, in ascending order.
    pub bands: Vec<BandMark>,
    /// The arithmetic, line by line.
    pub steps: Vec<Step>,
    /// Claim ids it rests on.
    pub rests_on: Vec<String>,
    /// What had to be assumed, since nobody stated it.
    pub assumptions: Vec<Message>,
    /// What was allowed for in the company's favor where practice differs.
    pub allowances: Vec<Message>,
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
