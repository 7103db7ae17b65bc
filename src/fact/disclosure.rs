//! What a model says of itself, as plain data: the JSON of `disclose`, and a part of that of `inspect`.
//!
//! Every statement has its file, line, quote and the digest of the file. A statement is what somebody wrote, not what
//! is so.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{ModelName, Unexamined};

/// The answer of `disclose`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SelfDescription {
    /// `unshell/disclose/1`.
    pub schema: String,
    /// The model whose files were read.
    pub model: ModelName,
    /// What it is called: its name, its place, the title of its card.
    #[serde(default)]
    pub called: Vec<String>,
    /// The day of the newest change, where the place says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    /// The files that were read, in name order.
    pub documents: Vec<DocumentFacts>,
    /// Whether a card with text that people read was among them.
    pub has_card: bool,
    /// What is stated, in the order of files and lines.
    pub statements: Vec<Statement>,
    /// Names of other models in visible text that no statement covers: a mention is no descent.
    pub mentions: Vec<Mention>,
    /// Sentences that may matter and that no rule covers, at most 200 of them.
    pub not_understood: Vec<NotUnderstood>,
    /// How many such sentences there are in all.
    pub not_understood_count: u64,
    /// Licenses that the files name or hold, with what each asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<LicenseFacts>,
    /// What was not read, and why.
    pub unexamined: Vec<Unexamined>,
    /// Bytes read from these files.
    pub bytes_read: u64,
}

/// One file that was read for what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DocumentFacts {
    /// Name inside the model's folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file, lower-case hex; of a file that holds weights, of what was read of it.
    pub sha256: String,
}

/// One thing that the files state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Statement {
    /// What it is about.
    pub about: StatedAbout,
    /// The part of the model that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<StatedPart>,
    /// How it is related to the models named: `finetune`, `merge`, `quantized`, `adapter`, `continued`, `distilled`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// What is named: models, a license, data sets, languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Where it is said.
    pub told_in: ToldIn,
    /// Whether a reader of the page does not see it: text in a comment.
    pub hidden: bool,
    /// File name.
    pub file: String,
    /// Line in that file, counted from 1; `None` if the file has no lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The words, cut at 400 characters.
    pub quote: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// The rule that it was understood by; the field where a form says it.
    pub rule: String,
}

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatedAbout {
    /// A part was taken from another model.
    Parent,
    /// It is denied that a part was taken from another model.
    ParentDenied,
    /// The model was trained from scratch.
    FromScratch,
    /// The model is the company's own work (自研).
    OwnWork,
    /// Its license.
    License,
    /// Data it was trained on.
    Dataset,
    /// Languages it speaks.
    Language,
    /// Free tags.
    Tag,
    /// The program it is made for.
    Library,
    /// Its name.
    Name,
    /// A trace that tools left: a path, a class, a token of another vendor. No statement of the company.
    Trace,
}

/// A part of a model that can be taken from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatedPart {
    /// The numbers.
    Weights,
    /// The blueprint.
    Architecture,
    /// The tokenizer.
    Tokenizer,
    /// Training data, teachers and writers of data included.
    Data,
    /// Program code.
    Code,
    /// The words leave open which ("based on X").
    Unspecified,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToldIn {
    /// The form at the head of a card, or a form of its own (an adapter's or a merge's configuration).
    Form,
    /// Sentences of a card or notice.
    Prose,
    /// The header of the weights.
    WeightsHeader,
    /// A configuration of the model, its tokenizer or its code.
    Configuration,
}

/// A model that is named without a statement about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Mention {
    /// The name.
    pub model: String,
    /// File name.
    pub file: String,
    /// The first line with it.
    pub line: u64,
    /// How often it is named so.
    pub times: u64,
}

/// A sentence that was read and not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NotUnderstood {
    /// File name.
    pub file: String,
    /// Line in it, counted from 1.
    pub line: u64,
    /// The words, cut at 400 characters.
    pub quote: String,
    /// Models that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Why it is no statement: `no_rule`, `negated`, `attributed`, `quoted`, `comparison`, `question`, `hypothetical`,
    /// `heading`, `other_subject`.
    pub why: String,
    /// Whether it is in a comment.
    pub hidden: bool,
}

/// A license that is named or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LicenseFacts {
    /// Id: an SPDX id, or one of the families of AI licenses; `unknown` for a text that is neither.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `text` where a file holds it, `named` where a form names it only, `parent` where a named parent brings it along.
    pub found_as: String,
    /// The file.
    pub file: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// How sure: the share of its features, or of its words.
    pub likeness_percent: u8,
    /// What it asks, and whether that can be seen in this folder.
    pub duties: Vec<DutyFacts>,
}

/// One thing that a license asks. This is no legal advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DutyFacts {
    /// Which: `license_copy`, `notice`, `built_with`, `name_prefix`, `user_limit`, `non_commercial`, `no_training`, …
    pub id: String,
    /// Section of the license.
    pub section: String,
    /// What it asks, in a line.
    pub asks: String,
    /// `met`, `not_met` or `not_visible`.
    pub state: String,
    /// Why.
    pub because: String,
}
