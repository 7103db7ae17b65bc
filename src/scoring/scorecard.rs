//! The scorecard: the judgement on one case, with what every number rests on. Plain data, kept as `scorecard.json`.
//!
//! A memo shows this and nothing else. Words of the program stand as [`Message`] keys, words of the rubric and of the
//! analysts as [`Text`].

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{DeclaredParent, InputFile, LedgerEntry, Level, Waiver};
use crate::claims::{Check, Claim};
use crate::fact::{
    CatalogReach, Comparison, Facts, Identification, Inspection, Interval, Merge, Message, Text, Truth, Unexamined,
};
use crate::rubric::{Band, Effect, Grade};

/// The judgement on one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scorecard {
    /// `unshell/scorecard/1`.
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// Short id of the case.
    pub case: String,
    /// What the case is about.
    pub title: Text,
    /// The company.
    pub company: Text,
    /// Who the memo is for.
    pub recipient: Option<Text>,
    /// The date everything is judged by.
    pub date: NaiveDate,
    /// Last day the memo may be relied on.
    pub valid_until: Option<NaiveDate>,
    /// Languages memos are written in; the first is the rubric's controlling language where it has one.
    pub languages: Vec<String>,
    /// `draft` or `final`.
    pub stamp: String,
    /// The rubric in use.
    pub rubric: RubricUsed,
    /// The verdict and how it came about.
    pub verdict: VerdictReached,
    /// Weighted mean of all criteria on the 0-4 scale: orders and explains, never decides.
    pub score: Interval,
    /// Weighted share of criteria that have an answer (a level, or a refusal).
    pub coverage: f64,
    /// How well the answers are supported.
    pub confidence: Confidence,
    /// Pillars in the rubric's order.
    pub pillars: Vec<PillarScore>,
    /// Axes of the decision table.
    pub axes: Vec<AxisScore>,
    /// Criteria in the rubric's order.
    pub criteria: Vec<CriterionScore>,
    /// Gates in the rubric's order.
    pub gates: Vec<GateOutcome>,
    /// Every row of the decision table with its outcome.
    pub decision_table: Vec<RowOutcome>,
    /// Position in the quadrant chart.
    pub quadrant: Quadrant,
    /// Up to three reasons to believe, strongest first.
    pub believe: Vec<Reason>,
    /// Up to three reasons to worry, gravest first.
    pub worry: Vec<Reason>,
    /// Open answers that would change the verdict if they came out so, upwards and downwards.
    pub flips: Vec<Flip>,
    /// What to ask next, most useful for its hours first.
    pub questions: Vec<Question>,
    /// What was measured on the models.
    pub subjects: Vec<SubjectLineage>,
    /// How far the catalogue reaches.
    pub catalog: CatalogReach,
    /// What the company says in numbers.
    pub claims: Vec<Claim>,
    /// The arithmetic on it.
    pub checks: Vec<Check>,
    /// The ledger, by id.
    pub ledger: Vec<LedgerEntry>,
    /// Who answered.
    pub analysts: Vec<Analyst>,
    /// Criteria on which two analysts differ by two levels or more, or where a gate hangs on it.
    pub disagreements: Vec<Disagreement>,
    /// The company's reply, if one came.
    pub reply: Option<Text>,
    /// Facts that gates looked at.
    pub facts: Facts,
    /// What was not looked at, and why.
    pub unexamined: Vec<Unexamined>,
    /// Every file that went in, with its hash: the case folder's, the rubric, `evidence.json`.
    pub inputs: Vec<InputFile>,
}

/// The rubric in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RubricUsed {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// What it is called.
    pub title: Text,
    /// Names of the levels, from 0 up.
    pub levels: Vec<Text>,
    /// What each grade means and the highest level it buys.
    pub grades: Vec<GradeMeaning>,
}

/// What a grade means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GradeMeaning {
    /// The grade.
    pub grade: Grade,
    /// Highest level it buys.
    pub cap: u8,
    /// What it means.
    pub meaning: Text,
}

/// The verdict and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictReached {
    /// Id of the verdict.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// What it means.
    pub meaning: Text,
    /// What the committee is advised to do.
    pub recommendation: Text,
    /// `table` (one row whatever the unknowns), `open` (several rows remain possible), or `gate`.
    pub decided_by: String,
    /// The gate, or the 1-based rows joined by `, `, that decided.
    pub deciding: Option<String>,
    /// Why, in the rubric's words: of the gate, or of the only row. Where several rows lead to the same verdict, each
    /// row of the decision table says its own.
    pub because: Option<Text>,
    /// Every verdict that remains possible, worst first. One entry where the table decided.
    pub possible: Vec<PossibleVerdict>,
    /// Whether the verdict would be the same whoever the weights belong to.
    pub holds_whatever_the_weights: Option<bool>,
}

/// A verdict that remains possible, and what it would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PossibleVerdict {
    /// Id of the verdict.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// 1-based rows of the table that lead to it.
    pub rows: Vec<usize>,
    /// Gates that are open and would lead to it.
    #[serde(default)]
    pub gates: Vec<String>,
}

/// How well the answers are supported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confidence {
    /// Share of weight that rests on grade A or B, unexpired, from two or more origins.
    pub share: f64,
    /// `low` below 0.4, `moderate` below 0.7, else `high`.
    pub word: String,
    /// How many origins stand behind the whole case.
    pub origins: u64,
}

/// One pillar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PillarScore {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Its share of 100.
    pub weight: f64,
    /// Weighted mean of its criteria, 0-4; none where nothing applies.
    pub score: Option<Interval>,
    /// Share of its weight that has an answer.
    pub coverage: f64,
    /// Share of its weight that rests on grade A or B, unexpired, from two or more origins.
    pub confidence: f64,
}

/// One axis of the decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AxisScore {
    /// `derived`, `substance`, `path`, `disclosure`.
    pub id: String,
    /// What it is called; none for `derived`.
    pub name: Option<Text>,
    /// The mean, for axes that are one.
    pub score: Option<Interval>,
    /// Bands it may fall into.
    pub bands: Vec<Band>,
    /// For `derived`: whether the weights are somebody else's.
    pub holds: Option<Truth>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionScore {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its pillar.
    pub pillar: String,
    /// Its share of 100.
    pub weight: f64,
    /// The question.
    pub question: Text,
    /// What one would see at each level.
    pub levels: Vec<Text>,
    /// The level after reconciling analysts: the interval that counts; none where it does not apply.
    pub interval: Option<Interval>,
    /// The agreed level as answered, before caps.
    pub answered: Option<Level>,
    /// The level after caps, where a level was answered.
    pub level: Option<u8>,
    /// What lowered or widened it, as sentence keys (`cap.grade`, `cap.gate`, `widened.weak_evidence`, …).
    pub adjustments: Vec<Message>,
    /// Best grade of its evidence.
    pub grade: Option<Grade>,
    /// Evidence ids, sorted.
    pub evidence: Vec<String>,
    /// Number of origins behind it.
    pub origins: u64,
    /// Whether it has an answer.
    pub covered: bool,
    /// Whether it counts towards confidence.
    pub confident: bool,
    /// What each analyst answered and why.
    pub readers: Vec<Reading>,
    /// What to ask for.
    pub ask_for: Text,
}

/// What one analyst answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The analyst's id.
    pub analyst: String,
    /// The answer.
    pub level: Level,
    /// Why.
    pub reason: Text,
    /// What would change their mind.
    pub would_change: Option<Text>,
}

/// One gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateOutcome {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// What a tripped gate means.
    pub meaning: Text,
    /// What it does.
    pub effect: Effect,
    /// `yes` is tripped, `no` is clear, `maybe` is open.
    pub tripped: Truth,
    /// The waiver in force, if one.
    pub waived: Option<Waiver>,
    /// What it looked at: criterion ids, fact keys, measures, with their values in short.
    pub rests_on: Vec<String>,
}

/// One row of the decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowOutcome {
    /// 1-based.
    pub row: usize,
    /// Whether the weights must be somebody else's.
    pub derived: Option<bool>,
    /// Bands each axis may fall into.
    pub bands: std::collections::BTreeMap<String, Vec<Band>>,
    /// Verdict id.
    pub then: String,
    /// What the verdict is called.
    pub name: Text,
    /// Why, in the rubric's words.
    #[serde(default)]
    pub because: Text,
    /// Whether it is the first match: surely, possibly, or not.
    pub decides: Truth,
}

/// Position in the quadrant chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quadrant {
    /// How much is somebody else's, as an ordinal scale: 0 nothing shared, 1 blueprint shared, 2 some components shared,
    /// 3 weights derived with further training, 4 weights copied. Measured, or the whole range where unexamined.
    pub borrowed: Interval,
    /// Substance and path, 0-4, from the rubric.
    pub substance: Interval,
    /// What `borrowed` rests on.
    pub borrowed_because: Vec<Message>,
}

/// A reason to believe or to worry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The sentence.
    pub text: Message,
    /// Criterion ids, gate ids, check ids, evidence ids.
    pub rests_on: Vec<String>,
}

/// One or two open answers that change the verdict if they come out so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flip {
    /// `up` or `down`; `settle` where a held or open verdict would become a definite one.
    pub direction: String,
    /// The changes: one or two.
    pub changes: Vec<Change>,
    /// Verdict id it would lead to.
    pub to: String,
    /// What that verdict is called.
    pub name: Text,
    /// Analyst hours to find out.
    pub hours: f64,
}

/// One criterion brought to one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The criterion.
    pub criterion: String,
    /// The level it would have: one that is still possible.
    pub level: u8,
    /// What one would see then.
    pub anchor: Text,
}

/// A question to ask next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// The criterion it would settle.
    pub criterion: String,
    /// The question.
    pub question: Text,
    /// What to ask for.
    pub ask_for: Text,
    /// Analyst hours.
    pub hours: f64,
    /// How many of the possible verdicts an answer could rule out at most.
    pub rules_out: u64,
    /// Weighted width of the interval it would close, in points of the 0-4 score.
    pub narrows: f64,
}

/// What was measured on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectLineage {
    /// Id inside the case.
    pub id: String,
    /// What the company calls it.
    pub name: Text,
    /// What its headers say.
    pub inspection: Inspection,
    /// Which catalogue entries it matches by form.
    pub identification: Identification,
    /// How it relates to each reference.
    pub comparisons: Vec<Comparison>,
    /// How it is made of several references; none where fewer than two are related to it by their weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Why it could not be taken apart although two or more references are related to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_merge: Option<String>,
    /// What the company declares.
    pub declared_parents: Vec<DeclaredParent>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analyst {
    /// Id: the file's stem.
    pub id: String,
    /// Name to print.
    pub name: Text,
    /// When they signed.
    pub signed: NaiveDate,
    /// How many criteria they answered.
    pub answered: u64,
}

/// Two analysts who differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disagreement {
    /// The criterion.
    pub criterion: String,
    /// Lowest and highest level answered.
    pub levels: Interval,
}
