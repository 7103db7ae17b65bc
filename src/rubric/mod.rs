//! A YAML file in, a valid rubric out: pillars, criteria with anchored levels, evidence rules, gates, decision table.
//!
//! A [`Rubric`] that exists is valid: ids are unique, every text is there in every language of the rubric, weights add
//! up, and every gate and row names only criteria, facts and verdicts that exist.

mod decision;
mod document;
mod find;
mod gate_facts;
mod gates;
mod readers;
mod validate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Text;

pub use document::{RubricAsWritten, RubricSchema};
pub use find::{find, find_bytes, read, read_file, shelf_ids};
pub use gate_facts::{FactValues, GATE_FACTS, GateFact};
pub use readers::{MIN_PAIRS, Pairs, Rate};

/// At most so many combinations of facts that are not known are followed through the decision table.
pub const MOST_WORLDS: usize = 1024;

/// A valid rubric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rubric {
    /// Same as its file's name.
    pub id: String,
    /// Version of the whole set (semver).
    pub version: String,
    /// Date of release, ISO 8601.
    pub released: chrono::NaiveDate,
    /// Languages every text is written in; the first one controls.
    pub languages: Vec<String>,
    /// What it is called.
    pub title: Text,
    /// Names of the levels, from 0 up.
    pub levels: Vec<Text>,
    /// Evidence kinds, grades, and what each grade may buy.
    pub evidence: EvidenceRules,
    /// Pillars in order of printing; weights add up to 100.
    pub pillars: Vec<Pillar>,
    /// Criteria in order of printing; the weights of a pillar's criteria add up to the pillar's.
    pub criteria: Vec<Criterion>,
    /// Axes the decision table is written in.
    pub axes: Axes,
    /// Gates, in order.
    pub gates: Vec<Gate>,
    /// Verdicts by id.
    pub verdicts: Vec<Verdict>,
    /// Decision table: the first row that matches decides.
    pub decision_table: Vec<Row>,
    /// How certain a reading is, and from which share on a verdict is given.
    pub robustness: Robustness,
    /// SHA-256 of the file it was read from, lower-case hex.
    pub sha256: String,
}

impl Rubric {
    /// SHA-256 of the rubric of this id that ships with the program, where it is another file than this one.
    pub fn shipped_sha256_if_changed(&self) -> Option<String> {
        let bytes = crate::shelf::find(crate::shelf::RUBRICS, &format!("{}.yaml", self.id))?;
        let shipped = crate::bytes::sha256(bytes);
        (shipped != self.sha256).then_some(shipped)
    }

    /// A criterion by its id.
    pub fn criterion(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|it| it.id == id)
    }

    /// Whether the decision or a gate asks for a criterion by name, so that it cannot be declared not applicable.
    pub fn is_asked(&self, criterion: &str) -> bool {
        self.axes.derived_criterion == criterion
            || self.axes.level_facts.iter().any(|it| it.criterion == criterion)
            || self.gates.iter().any(|gate| gate.when.names_criterion(criterion))
    }
}

/// One pillar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pillar {
    /// Short id, e.g. `T`.
    pub id: String,
    /// Its share of 100.
    pub weight: f64,
    /// What it is called.
    pub name: Text,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Short id, e.g. `T1`; its letters are the pillar's id.
    pub id: String,
    /// Its own semver.
    pub version: String,
    /// Its share of 100.
    pub weight: f64,
    /// The question the analyst answers.
    pub question: Text,
    /// Why it is asked and what it cannot tell.
    pub why: Text,
    /// What one would see at each level, from 0 up.
    pub levels: Vec<Text>,
    /// Kinds of evidence that count.
    pub kinds: Vec<String>,
    /// Weakest grade that buys a level, where that is stricter than the grade's own cap.
    #[serde(default)]
    pub needs: BTreeMap<u8, Grade>,
    /// What evidence that is too weak does to an answer.
    #[serde(default)]
    pub weak_evidence: WeakEvidence,
    /// Whether it is answered for each model by itself, where a case has several.
    #[serde(default)]
    pub per_model: bool,
    /// Whether it asks what was said in public, so that evidence counts with its grade as a record of what was said.
    #[serde(default)]
    pub asks_what_was_said: bool,
    /// What to ask for when it is unknown: artefacts and who holds them.
    pub ask_for: Text,
    /// Hours an analyst needs to answer it.
    pub hours: f64,
}

/// What evidence that is too weak for the answered level does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeakEvidence {
    /// The level is capped: a slide can never buy a 3.
    #[default]
    Cap,
    /// The answer counts as unknown. For questions of fact where a lower level is itself an accusation.
    Unknown,
}

/// Evidence grade, best first. `A < B`, so "at least B" is `grade <= Grade::B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Grade {
    /// Measured by us on bytes or in a witnessed run.
    A,
    /// Original artefact examined, custody checkable.
    B,
    /// Independent third party, or a dated public record.
    C,
    /// The company's own document, or an interview.
    D,
    /// Assertion only.
    E,
}

impl Grade {
    /// All grades, best first.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    /// The grade as files write it.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
        }
    }
}

/// Rules that turn a ledger entry into a grade, and a grade into a cap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRules {
    /// Highest level a grade buys, and its meaning.
    pub grades: BTreeMap<Grade, GradeRule>,
    /// Grade a method of collecting starts with.
    pub methods: BTreeMap<String, MethodRule>,
    /// Kinds of evidence, and how many days each stays valid when the ledger gives no expiry.
    pub kinds: BTreeMap<String, KindRule>,
}

/// What a grade means and buys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeRule {
    /// Highest level it buys.
    pub cap: u8,
    /// What it means.
    pub meaning: Text,
}

/// A way of collecting evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodRule {
    /// Grade it starts with.
    pub grade: Grade,
    /// Grade it starts with as a record of what was said; the same as `grade` where it is left out. A dated public page
    /// is second-hand on most things, and the original of its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Grade>,
    /// What an entry has to have for that grade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Requirement>,
    /// Grade of an entry that lacks it; the starting grade where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Grade>,
    /// What it is called.
    pub name: Text,
}

/// What an entry of the ledger must have to keep the grade of its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// A kept file with its SHA-256.
    File,
    /// A public address.
    Address,
    /// The day it was published.
    Date,
}

/// A kind of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindRule {
    /// Days it stays valid after collection.
    pub valid_days: u32,
    /// Whether it is a statement against the speaker's interest by its nature; other kinds need a note that says why.
    #[serde(default)]
    pub admission: bool,
    /// What it is called.
    pub name: Text,
}

/// What the axes of the decision table are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axes {
    /// The criterion that answers whose weights they are.
    pub derived_criterion: String,
    /// At or below this level the weights are somebody else's.
    pub derived_at_most: u8,
    /// Weighted means of pillars, by axis name (`substance`, `path`, `disclosure`).
    pub means: BTreeMap<String, AxisMean>,
    /// Below this a mean is `low`.
    pub low_below: f64,
    /// At or above this a mean is `high`; between the two it is `medium`.
    pub high_from: f64,
    /// Facts that a level of a criterion states where nobody stated them directly.
    #[serde(default)]
    pub level_facts: Vec<LevelFact>,
}

/// What the levels of a criterion say about a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelFact {
    /// The criterion.
    pub criterion: String,
    /// Dotted key of the fact.
    pub fact: String,
    /// Values that the fact may have at each level; all levels are named.
    pub values: BTreeMap<u8, Vec<String>>,
    /// Values that remain possible where the criterion has no answer. An accusation that nobody entered is none of
    /// them.
    pub unanswered: Vec<String>,
}

/// How certain a reading is, and from which share of the samples on a verdict is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Robustness {
    /// Share of readings that hit the level exactly; the rest is one level off, half of it each way.
    pub exact_readings: f64,
    /// Concentration of the Dirichlet distribution that weights are drawn from, around the rubric's own.
    pub concentration: f64,
    /// Largest relative change of a cut-off.
    pub cut_offs: f64,
    /// Number of samples.
    pub samples: u32,
    /// Lowest share from which on a verdict is likely.
    pub likely: f64,
    /// Lowest share from which on a verdict is definite.
    pub definite: f64,
}

/// One axis that is a weighted mean of pillars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AxisMean {
    /// What it is called.
    pub name: Text,
    /// The pillars it averages, by the weights of their criteria; the derived criterion is left out, since it is an
    /// axis by itself.
    pub pillars: Vec<String>,
    /// Criteria of other pillars that it averages too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Criteria of its pillars that it leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl AxisMean {
    /// Whether a criterion takes part, other than the one that is an axis by itself.
    pub fn takes(&self, criterion: &str, pillar: &str) -> bool {
        let is_listed = |list: &[String]| list.iter().any(|it| it == criterion);
        is_listed(&self.also) || self.pillars.iter().any(|it| it == pillar) && !is_listed(&self.without)
    }
}

/// Where an axis mean falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below `low_below`.
    Low,
    /// Between the bounds.
    Medium,
    /// At or above `high_from`.
    High,
}

/// A gate: a condition that overrides or limits the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// E.g. `G-COVER`.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// What a tripped gate means for the reader.
    pub meaning: Text,
    /// What it does when tripped.
    pub effect: Effect,
    /// When it trips.
    pub when: Condition,
    /// Whether an approver may waive it.
    #[serde(default)]
    pub waivable: bool,
}

/// What a tripped gate does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The verdict is this one, whatever the table says.
    Veto(String),
    /// No verdict is given but this one (`undetermined`), and no shares are printed.
    Hold(String),
    /// The verdict may not be better than this one.
    Cap(String),
    /// The memo carries this stamp (`draft`).
    Stamp(String),
}

/// A condition in three-valued logic over intervals and facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Self>),
    /// Any of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The level of a criterion is at or below a bound.
    LevelAtMost {
        /// The criterion.
        criterion: String,
        /// The bound.
        level: u8,
    },
    /// A fact has this value. Unknown facts are neither equal nor unequal.
    Fact {
        /// Dotted key.
        key: String,
        /// The value it must have.
        is: Scalar,
    },
    /// Fewer than so many readers answered this share of the weight and every criterion that a gate asks for.
    ReadersBelow {
        /// So many readers.
        count: u32,
        /// Share of the weight, 0 to 1.
        share: f64,
    },
    /// More than this share of all weight was declared not applicable.
    NotApplicableAbove(f64),
    /// Less than this share of all weight (or of one pillar's) is covered.
    CoverageBelow {
        /// One pillar; all where it is left out.
        #[serde(default)]
        pillar: Option<String>,
        /// The share, 0 to 1.
        share: f64,
    },
}

impl Condition {
    /// Whether it asks for the level of a criterion by name.
    pub fn names_criterion(&self, id: &str) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|it| it.names_criterion(id)),
            Self::Not(part) => part.names_criterion(id),
            Self::LevelAtMost { criterion, .. } => criterion == id,
            Self::Fact { .. }
            | Self::ReadersBelow { .. }
            | Self::NotApplicableAbove(_)
            | Self::CoverageBelow { .. } => false,
        }
    }
}

/// A plain value in a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// Yes or no.
    Yes(bool),
    /// A word.
    Word(String),
}

/// A verdict on the company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// E.g. `undisclosed_wrapper`.
    pub id: String,
    /// Worst is 0; none for "undetermined".
    #[serde(default)]
    pub rank: Option<u8>,
    /// What it is called.
    pub name: Text,
    /// What it means, in one sentence.
    pub meaning: Text,
    /// What the committee is advised to do.
    pub recommendation: Text,
}

/// One row of the decision table. An axis that is left out may be anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Whether the weights are somebody else's.
    #[serde(default)]
    pub derived: Option<bool>,
    /// Bands an axis mean may fall into, by axis.
    #[serde(default)]
    pub bands: BTreeMap<String, Vec<Band>>,
    /// The verdict.
    pub then: String,
    /// Why, in one sentence.
    pub because: Text,
}

#[cfg(test)]
mod argument;
#[cfg(test)]
mod tests;
