//! The scorecard: the judgement on one case, with what every number rests on. Plain data, kept as `scorecard.json`.
//!
//! A memo shows this and nothing else. Words of the program stand as [`Message`] keys, words of the rubric and of the
//! analysts as [`Text`].

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{DeclaredParent, InputFile, Kind, LedgerEntry, Level, Waiver};
use crate::claims::{Check, Claim};
pub use crate::evidence::{Basis, Bearing, ConditionKind, Disclosure, FileDigest, Order, Relation, Whose};
use crate::fact::{
    CatalogReach, Comparison, Facts, Identification, Inspection, Interval, Merge, Message, Text, Truth, Unexamined,
};
use crate::rubric::{Band, Effect, Grade};

/// The judgement on one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scorecard {
    /// `unshell/scorecard/2`.
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// SHA-256 of this file with this field empty: the next step refuses a file that was edited.
    pub digest: String,
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
    /// Last day the memo may be relied on: the case's, or the end of a waiver that the verdict rests on, if that is
    /// earlier.
    pub valid_until: Option<NaiveDate>,
    /// The waiver that ends it earlier than the case says, by its gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until_waiver: Option<String>,
    /// Languages memos are written in; the first is the rubric's controlling language where it has one.
    pub languages: Vec<String>,
    /// `draft` or `final`.
    pub stamp: String,
    /// The rubric in use.
    pub rubric: RubricUsed,
    /// The verdict on the company and how it came about.
    pub verdict: VerdictReached,
    /// Each model by itself, in the order of the case.
    pub models: Vec<ModelVerdict>,
    /// Waivers and what became of each.
    pub waivers: Vec<WaiverOutcome>,
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
    /// Criteria in the rubric's order, as they are read for the model that the verdict is about.
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
    /// How much each criterion moves the share of the verdict, the strongest first.
    pub tornado: Vec<Swing>,
    /// What to ask next, most useful for its hours first.
    pub questions: Vec<Question>,
    /// What was measured on the models.
    pub subjects: Vec<SubjectLineage>,
    /// How far the catalogue reaches.
    pub catalog: CatalogReach,
    /// What the company says in numbers.
    pub claims: Vec<Claim>,
    /// The arithmetic on what is claimed of the model that the verdict is about.
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
    /// SHA-256 of the rubric of this id that ships with the program, where this is another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<String>,
    /// What it is called.
    pub title: Text,
    /// Names of the levels, from 0 up.
    pub levels: Vec<Text>,
    /// What each grade means and the highest level it buys.
    pub grades: Vec<GradeMeaning>,
    /// Below the first a mean is low, from the second on it is high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_offs: Option<(f64, f64)>,
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
    /// How firm it is against what is not certain; none where nothing is decided.
    pub strength: Option<Strength>,
    /// The fact that it rests on: what is known of the weights.
    pub fact: Message,
    /// `table` (rows with one verdict), `open` (several verdicts remain), `gate`, or `sold_model` (another model of the
    /// company limits it).
    pub decided_by: String,
    /// The gate, the 1-based rows joined by `, `, or the id of the model, that decided.
    pub deciding: Option<String>,
    /// Why, in the rubric's words: of the gate, or of the only row. Where several rows lead to the same verdict, each
    /// row of the decision table says its own.
    pub because: Option<Text>,
    /// Every verdict that came out of the samples, worst first; empty where a gate holds the verdict.
    pub possible: Vec<PossibleVerdict>,
    /// One test that can be run, or one date, that would decide; at most two.
    pub conditions: Vec<Condition>,
    /// Whether the verdict would be the same whoever the weights belong to.
    pub holds_whatever_the_weights: Option<bool>,
}

/// How firm a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// In at least three quarters of the samples, or resting on a test that others published.
    Likely,
    /// In at least nine of ten.
    Definite,
}

impl Strength {
    /// The word for it in files and language keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Definite => "definite",
        }
    }
}

/// A verdict that remains possible, and what it would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PossibleVerdict {
    /// Id of the verdict.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Its share of the samples where it comes out least, in whole percent.
    pub lowest: u8,
    /// And where it comes out most.
    pub highest: u8,
    /// 1-based rows of the table that lead to it.
    pub rows: Vec<usize>,
    /// Gates that lead to it.
    #[serde(default)]
    pub gates: Vec<String>,
}

/// One test or date that would decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// A test of weights, or the order of publication.
    pub kind: ConditionKind,
    /// The model that it is about.
    pub model: String,
    /// The references that it is about.
    pub references: Vec<String>,
    /// What it may show, the better first.
    pub branches: Vec<Branch>,
    /// Hours of an analyst.
    pub hours: f64,
    /// Bytes to be read, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What has to be at hand: `at_hand`, `open`, `gated`, `withdrawn`, `none` or `unknown` files for a test,
    /// `evidence` for a date.
    pub access: String,
}

/// One outcome of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// The fact.
    pub fact: Message,
    /// Id of the verdict that would follow.
    pub verdict: String,
    /// What it is called.
    pub name: Text,
    /// How firm it would be.
    pub strength: Option<Strength>,
}

/// One model by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelVerdict {
    /// Id inside the case.
    pub id: String,
    /// What the company calls it.
    pub name: Text,
    /// What there is to examine.
    pub kind: Kind,
    /// Whether customers pay for it.
    pub sold: bool,
    /// Whether the verdict on the company is the verdict on this model.
    pub flagship: bool,
    /// The verdict on it.
    pub verdict: VerdictReached,
    /// Whose its weights are.
    pub whose: Whose,
    /// Its relation to every reference and to the other models of the case.
    pub relations: Vec<Relation>,
    /// What the company says of each borrowed part.
    pub disclosures: std::collections::BTreeMap<String, Disclosure>,
    /// What its files say of where it comes from, word by word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<crate::fact::Statement>,
    /// Its files, as they were examined.
    pub files: Vec<FileDigest>,
    /// Criteria that are read for each model by itself.
    pub criteria: Vec<CriterionScore>,
    /// Gates on it, in the rubric's order.
    pub gates: Vec<GateOutcome>,
    /// Arithmetic on what is claimed of it.
    pub checks: Vec<Check>,
    /// Its mark on the chart.
    pub quadrant: Quadrant,
}

/// What became of a waiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverOutcome {
    /// As the case has it.
    pub waiver: Waiver,
    /// `in_force`, `unused` (its gate is not tripped), `expired`, `unsigned`, or `self_approved` (by one of the
    /// readers).
    pub state: String,
}

/// How well the verdict is supported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confidence {
    /// `low`, `moderate` or `high`: of the weakest of the facts that decide.
    pub word: String,
    /// Which that is.
    pub because: Message,
    /// Share of weight that rests on grade A or B, unexpired.
    pub share: f64,
    /// How many origins the whole case has.
    pub origins: u64,
}

/// How much one criterion moves the share of the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Swing {
    /// The criterion.
    pub criterion: String,
    /// Verdict that the shares are of.
    pub verdict: String,
    /// Level that the lower share belongs to, and the share in whole percent.
    pub at_low: (u8, u8),
    /// Level that the upper share belongs to, and the share in whole percent.
    pub at_high: (u8, u8),
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
    /// Share of its weight that rests on grade A or B.
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
    /// From the level that is proven to the one that was answered; none where it does not apply.
    pub interval: Option<Interval>,
    /// The agreed level as answered, before caps.
    pub answered: Option<Level>,
    /// The level, where it is one.
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
    /// How many readers read it off an anchor on evidence that counts, two at most.
    pub readings: u8,
    /// Levels that were answered on evidence too weak to count, where such an answer is none: not ruled out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unproven: Vec<u8>,
    /// Whether it was measured or admitted, so that no answer moves it.
    pub measured: bool,
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
    /// Evidence ids of this reader.
    #[serde(default)]
    pub evidence: Vec<String>,
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
    /// The waiver in force, where the gate is tripped and one is.
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
    /// How much is somebody else's, as an ordinal scale: 0 nothing shared, 1 blueprint shared, 2 some components
    /// shared, 3 weights derived with further training, 4 weights copied. Measured, or the whole range where
    /// unexamined.
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
    /// How it relates to each model of the case that is listed before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<Comparison>,
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
    /// Share of the weight that they answered, measured criteria left out.
    pub share: f64,
}

/// Two analysts who differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disagreement {
    /// The criterion.
    pub criterion: String,
    /// Lowest and highest level answered.
    pub levels: Interval,
}
