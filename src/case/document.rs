//! The files of a case folder as people write them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::models::{Dated, DeclaredParent, Kind, Reference, ReportedTest, Subject, Upstream};
use crate::case::own::is_owned;
use crate::case::period::Period;
use crate::case::{Answer, Level, Waiver};
use crate::claims::ClaimAsWritten;
use crate::fact::Text;

/// A case: which company, which models, what it claims, and by which rubric it is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "unshell case (case.yaml)")]
pub struct CaseAsWritten {
    /// Which kind of file this is, and which version of its format.
    pub schema: CaseSchema,
    /// What the case is about, in one line; plain, or by language.
    pub title: Text,
    /// The company; plain, or by language.
    pub company: Text,
    /// The day everything is judged by (YYYY-MM-DD): evidence is fresh or stale on this day.
    pub date: NaiveDate,
    /// Last day the memo may be relied on (YYYY-MM-DD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<NaiveDate>,
    /// Who the memo is for; printed in its footer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Text>,
    /// The rubric: an id that `unshell rubric list` shows, or the path of one of your own, from this folder.
    pub rubric: String,
    /// Languages to write memos in, e.g. `[en, zh-CN]`.
    #[schemars(length(min = 1))]
    pub languages: Vec<String>,
    /// The models under examination: what the company sells or shows as its own.
    pub subjects: Vec<SubjectAsWritten>,
    /// Models to compare every subject with: a path from this folder, `hf:ORG/NAME`, `catalog:ORG/NAME`, or a mapping
    /// with `location`, `name` and the day it was `published`. Without the dates of both models nobody can say who took
    /// from whom.
    #[serde(default)]
    pub references: Vec<ReferenceAsWritten>,
    /// Accounts on hubs that belong to the company, each shown on evidence of grade B (register extract, contract):
    /// what is published there is its own.
    #[serde(default)]
    pub owners: Vec<OwnerAsWritten>,
    /// What the company says in numbers, dates and plain statements.
    #[serde(default)]
    pub claims: Vec<ClaimAsWritten>,
    /// Gates that an approver waived.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// What the company answered to contested items, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Text>,
}

/// A model under examination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectAsWritten {
    /// Short id inside the case, e.g. `acme-34b`.
    pub id: String,
    /// What the company calls it.
    pub name: Text,
    /// Where its files are: a path from this folder, `hf:ORG/NAME` or `catalog:ORG/NAME`; left out where `kind` is
    /// `api` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `files` (the default), `api` where only an interface is offered, `none` where there are documents alone.
    #[serde(default)]
    pub kind: Kind,
    /// The day of its first release: a day, a month (`2026-06`) or a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Period>,
    /// Ids of the evidence that shows the day of its release.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Whether customers pay for it; `false` for a model that is shown and not sold.
    #[serde(default = "yes")]
    pub sold: bool,
    /// Whether the verdict on the company is the verdict on this model; the first model where none says so.
    #[serde(default)]
    pub flagship: bool,
    /// The model that an interface is served from, where that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// A training run of its own before it was published, where one was shown on originals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<TrainedAsWritten>,
    /// Tests of its weights that an independent third party published with files and method named.
    #[serde(default)]
    pub reported_tests: Vec<ReportedTest>,
    /// Models that the company itself names as the source of a part, and when it did.
    #[serde(default)]
    pub declared_parents: Vec<DeclaredParent>,
}

fn yes() -> bool {
    true
}

/// When a run is shown to have been under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainedAsWritten {
    /// The day by which it was under way: a day, a month or a year.
    pub by: Period,
    /// Ids of the evidence, of grade B.
    pub evidence: Vec<String>,
}

/// A model to compare with: its place alone, or with its name and dates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReferenceAsWritten {
    /// Where it is.
    Place(String),
    /// Where it is, what it is called, and since when it is public.
    Known(KnownReference),
}

/// A model to compare with, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownReference {
    /// Where its files are: a path from this folder, `hf:ORG/NAME` or `catalog:ORG/NAME`.
    pub location: String,
    /// What it is called; a name of the catalog brings its date of publication along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The day it was first published: a day, a month or a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Period>,
    /// Ids of the evidence that shows that day.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Ids of the evidence (a contract, of grade B) that the company's own people made it, though it belongs to others:
    /// an acquired team, or joint work.
    #[serde(default)]
    pub authors: Vec<String>,
}

/// An account of the company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerAsWritten {
    /// The account, e.g. `hf:acme` or `acme`.
    pub owner: String,
    /// Ids of the evidence that it is the company's, of grade B.
    pub evidence: Vec<String>,
}

/// The answers of one analyst; the file's name is the analyst's short name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "unshell answers (answers/<analyst>.yaml)")]
pub struct AnswersAsWritten {
    /// Which kind of file this is, and which version of its format.
    pub schema: AnswersSchema,
    /// The analyst's name, to print.
    pub name: Text,
    /// The day the answers were signed (YYYY-MM-DD).
    pub signed: NaiveDate,
    /// The answers, by criterion (`R1`, `T1`, …). A criterion that is left out is unknown.
    pub answers: BTreeMap<String, AnswerAsWritten>,
    /// Answers on one model of several, by the model's id: only criteria that the rubric asks for each model. They
    /// replace the answer of the same criterion above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, BTreeMap<String, AnswerAsWritten>>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerAsWritten {
    /// A level from 0 to 4, or `unknown`, `refused`, `not_observable` or `not_applicable`.
    pub level: LevelAsWritten,
    /// Ids of the evidence the answer rests on, e.g. `[EV-001, EV-004]`.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Why, in a line; may be left out for `unknown` only.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub reason: Text,
    /// What would change your mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_change: Option<Text>,
}

/// A level, or the word for not having one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LevelAsWritten {
    /// What was seen, on the criterion's scale.
    At(#[schemars(range(min = 0, max = 4))] u8),
    /// Why there is no level.
    None(NoLevel),
}

/// Why there is no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoLevel {
    /// No answer yet, whether anybody asked or not.
    Unknown,
    /// Asked in writing, and declined.
    Refused,
    /// Nobody outside the company could see it.
    NotObservable,
    /// Makes no sense for this company.
    NotApplicable,
}

/// The evidence ledger: everything that answers and claims rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "unshell evidence ledger (evidence.yaml)")]
pub struct LedgerAsWritten {
    /// Which kind of file this is, and which version of its format.
    pub schema: LedgerSchema,
    /// The pieces of evidence.
    pub evidence: Vec<EntryAsWritten>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryAsWritten {
    /// Id that answers and claims name it by, e.g. `EV-001`.
    pub id: String,
    /// What kind of evidence it is: one of the rubric's kinds (`unshell rubric show`).
    pub kind: String,
    /// How it was collected: one of the rubric's methods. The method gives the grade it starts with.
    pub method: String,
    /// What it is, in a line.
    pub title: Text,
    /// Public address, if it is a public record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Path of the kept file below `documents/`, if one is kept; then `sha256` is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file on the day it was entered: 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When it was published (YYYY-MM-DD), if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<NaiveDate>,
    /// When it was collected (YYYY-MM-DD).
    pub collected: NaiveDate,
    /// Last day it counts in full (YYYY-MM-DD), where that is earlier than the end of the rubric's period for its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<NaiveDate>,
    /// Who it comes from in the end, in a word; items of one origin never corroborate each other.
    pub origin: String,
    /// `true` where it harms the party that made it: raises the grade by one, not above B. A kind that is no admission
    /// by its nature needs a `note` that says why.
    #[serde(default)]
    pub against_interest: bool,
    /// What weakens it; each lowers the grade by one. Staleness is found by itself.
    #[serde(default)]
    pub downgrades: Vec<Downgrade>,
    /// What the reader should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// What weakens a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Downgrade {
    /// It is about another model, version or period.
    Indirect,
    /// Evidence of equal or better grade contradicts it.
    Inconsistent,
    /// It has no units, no date or no denominator.
    Imprecise,
    /// The company chose the sample.
    Selected,
}

/// The format of `case.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CaseSchema {
    /// Version 1: without dates, kinds of models and claims by model.
    #[serde(rename = "unshell/case/1")]
    One,
    /// Version 2.
    #[serde(rename = "unshell/case/2")]
    Two,
}

/// The format of a file of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AnswersSchema {
    /// Version 1.
    #[serde(rename = "unshell/answers/1")]
    One,
}

/// The format of `evidence.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LedgerSchema {
    /// Version 1.
    #[serde(rename = "unshell/ledger/1")]
    One,
}

impl Downgrade {
    /// The word the memo explains it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Indirect => "indirect",
            Self::Inconsistent => "inconsistent",
            Self::Imprecise => "imprecise",
            Self::Selected => "selected",
        }
    }
}

impl From<SubjectAsWritten> for Subject {
    fn from(it: SubjectAsWritten) -> Self {
        Self {
            published: dated(it.published, it.evidence),
            trained: it.trained.map(|it| Dated { period: it.by, evidence: it.evidence }),
            id: it.id,
            name: it.name,
            kind: it.kind,
            location: it.location,
            sold: it.sold,
            flagship: it.flagship,
            upstream: it.upstream,
            reported_tests: it.reported_tests,
            declared_parents: it.declared_parents,
        }
    }
}

/// A reference as it counts: its own place is the company's where an account is shown to be.
pub(crate) fn reference(it: ReferenceAsWritten, owners: &[&str]) -> Reference {
    let it = match it {
        ReferenceAsWritten::Place(location) => KnownReference { location, ..KnownReference::default() },
        ReferenceAsWritten::Known(known) => known,
    };
    Reference {
        own: is_owned(&it.location, owners),
        published: dated(it.published, it.evidence),
        location: it.location,
        name: it.name,
        authors: it.authors,
    }
}

fn dated(period: Option<Period>, evidence: Vec<String>) -> Option<Dated> {
    period.map(|period| Dated { period, evidence })
}

impl From<AnswerAsWritten> for Answer {
    fn from(it: AnswerAsWritten) -> Self {
        Self { level: it.level.into(), evidence: it.evidence, reason: it.reason, would_change: it.would_change }
    }
}

impl From<LevelAsWritten> for Level {
    fn from(it: LevelAsWritten) -> Self {
        match it {
            LevelAsWritten::At(level) => Self::At(level),
            LevelAsWritten::None(NoLevel::Unknown) => Self::Unknown,
            LevelAsWritten::None(NoLevel::Refused) => Self::Refused,
            LevelAsWritten::None(NoLevel::NotObservable) => Self::NotObservable,
            LevelAsWritten::None(NoLevel::NotApplicable) => Self::NotApplicable,
        }
    }
}
