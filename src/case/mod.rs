//! The case folder: which models, which claims, whose answers, what they rest on.
//!
//! A [`Case`] that exists is valid: every id that is named exists, every level is in range, every date is a date.
//! Reading reports all mistakes of all files in one run.

mod answers;
mod document;
mod folder;
mod grade;
mod header;
mod known;
mod ledger;
mod models;
mod own;
mod period;
mod read;
mod support;
mod texts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bytes::{self, Location};
use crate::claims::Claim;
use crate::fact::{Text, Unknown};
use crate::rubric::Grade;
use crate::yaml::Problems;

pub use document::{
    AnswerAsWritten, AnswersAsWritten, AnswersSchema, CaseAsWritten, CaseSchema, Downgrade, EntryAsWritten,
    KnownReference, LedgerAsWritten, LedgerSchema, LevelAsWritten, NoLevel, OwnerAsWritten, ReferenceAsWritten,
    SubjectAsWritten, TrainedAsWritten,
};
pub use models::{Dated, DeclaredParent, Disclosed, Kind, Reference, ReportedTest, Subject, TestedRelation, Upstream};
pub use period::Period;
pub use support::Support;

/// A valid case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The folder it was read from.
    pub folder: PathBuf,
    /// Short id: the folder's name.
    pub id: String,
    /// What the case is about, in one line.
    pub title: Text,
    /// The company.
    pub company: Text,
    /// The date everything is judged by ("today" for expiry).
    pub date: NaiveDate,
    /// Last day the memo may be relied on.
    pub valid_until: Option<NaiveDate>,
    /// Who the memo is for; printed in the footer.
    pub recipient: Option<Text>,
    /// Id or path of the rubric.
    pub rubric: String,
    /// Languages to write memos in.
    pub languages: Vec<String>,
    /// Models under examination.
    pub subjects: Vec<Subject>,
    /// Models to compare every subject with.
    pub references: Vec<Reference>,
    /// Accounts that are shown to be the company's, as `ORG` or `hf:ORG`.
    pub owners: Vec<String>,
    /// What the company says in numbers.
    pub claims: Vec<Claim>,
    /// The ledger, by id.
    pub ledger: BTreeMap<String, LedgerEntry>,
    /// One set of answers an analyst, by analyst.
    pub answers: BTreeMap<String, Answers>,
    /// Waived gates.
    pub waivers: Vec<Waiver>,
    /// The company's reply to contested items, if one came.
    pub reply: Option<Text>,
    /// Every file that was read: path inside the folder, and SHA-256.
    pub inputs: Vec<InputFile>,
}

impl Case {
    /// Reads the case in a folder. Writes nothing; models are not looked at, so that a case can be judged without them.
    ///
    /// # Errors
    /// Every mistake of every file, each with its place and advice.
    pub fn read(folder: &Path) -> Result<Self, Problems> {
        read::read(folder, false)
    }

    /// Reads the case in a folder like [`Case::read`]; that a local model is not there is a mistake too.
    ///
    /// # Errors
    /// Every mistake of every file, each with its place and advice.
    pub fn read_with_models(folder: &Path) -> Result<Self, Problems> {
        read::read(folder, true)
    }

    /// Where a model of the case is: paths are taken from the case folder.
    ///
    /// # Errors
    /// When the text names no model that can be reached; not for the locations of a valid case.
    pub fn model(&self, location: &str) -> Result<Location, bytes::Error> {
        Ok(match Location::parse(location)? {
            Location::Path(path) => Location::Path(self.folder.join(path)),
            other @ (Location::Catalog(_) | Location::Hub(_) | Location::Web(_)) => other,
        })
    }

    /// The model that the verdict on the company is about.
    pub fn flagship(&self) -> Option<&Subject> {
        self.subjects.iter().find(|it| it.flagship).or_else(|| self.subjects.first())
    }

    /// Whether a repository `ORG/NAME` of a hub, or a location, is in one of the company's accounts.
    pub fn is_own_place(&self, name: &str) -> bool {
        let owners: Vec<&str> = self.owners.iter().map(String::as_str).collect();
        let places = [name.to_owned(), format!("hf:{name}"), format!("ms:{name}")];
        places.iter().any(|it| own::is_owned(it, &owners))
    }

    /// A model of the case by its id.
    pub fn subject(&self, id: &str) -> Option<&Subject> {
        self.subjects.iter().find(|it| it.id == id)
    }

    /// Claims about one model: those that name it, and those that name none.
    pub fn claims_about(&self, subject: &str) -> Vec<Claim> {
        let is_about = |it: &&Claim| it.subject.as_deref().is_none_or(|it| it == subject);
        self.claims.iter().filter(is_about).cloned().collect()
    }
}

/// One ledger entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntry {
    /// E.g. `EV-014`.
    pub id: String,
    /// One of the rubric's evidence kinds.
    pub kind: String,
    /// One of the rubric's methods.
    pub method: String,
    /// What it is.
    pub title: Text,
    /// Path below `documents/`, with its SHA-256, if a file is kept.
    pub file: Option<String>,
    /// SHA-256 as the ledger states it, lower-case hex.
    pub sha256: Option<String>,
    /// SHA-256 of the file as it is now; differs from `sha256` only in tampered cases.
    pub actual_sha256: Option<String>,
    /// Public address, if it is a public record.
    pub url: Option<String>,
    /// When it was published, if that is known.
    pub published: Option<NaiveDate>,
    /// When it was collected.
    pub collected: NaiveDate,
    /// Last day it counts; from the rubric's kind where the ledger gives none.
    pub expires: NaiveDate,
    /// Items of one group never corroborate each other.
    pub origin: String,
    /// Whether it harms the party that made it.
    pub against_interest: bool,
    /// Reasons that lower its grade by one each: `indirect`, `inconsistent`, `imprecise`, `selected`.
    pub downgrades: Vec<String>,
    /// What the reader should know about it.
    pub note: Option<Text>,
    /// The grade that the rubric's rules give it on the case's date.
    pub grade: Grade,
    /// The grade without what it gains as a statement against interest: what counts for an answer that praises.
    pub plain_grade: Grade,
    /// The grade as a record of what was said.
    pub said_grade: Grade,
    /// What made it that grade, as keys: `method`, `stale`, `indirect`, `against_interest`, `lacks_file`, …
    pub graded_by: Vec<String>,
}

impl LedgerEntry {
    /// Whether the file is no longer the one that was entered.
    pub fn is_altered(&self) -> bool {
        self.sha256.is_some() && self.actual_sha256.is_some() && self.sha256 != self.actual_sha256
    }
}

/// The answers of one analyst.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// File stem.
    pub analyst: String,
    /// Name to print.
    pub name: Text,
    /// When they were signed.
    pub signed: NaiveDate,
    /// By criterion id; a criterion left out is unknown, not asked.
    pub answers: BTreeMap<String, Answer>,
    /// Answers on one model, by model id and criterion id.
    pub models: BTreeMap<String, BTreeMap<String, Answer>>,
}

impl Answers {
    /// The answer on one model: its own, or the one that is given for all.
    pub fn on(&self, subject: &str, criterion: &str) -> Option<&Answer> {
        let own = self.models.get(subject).and_then(|it| it.get(criterion));
        own.or_else(|| self.answers.get(criterion))
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The level, or why there is none.
    pub level: Level,
    /// Evidence ids.
    pub evidence: Vec<String>,
    /// Why, in a line.
    pub reason: Text,
    /// What would change the analyst's mind.
    pub would_change: Option<Text>,
}

/// A level, or one of the four ways of not having one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 0 to 4.
    At(u8),
    /// Asked or not, no answer yet: the whole interval.
    Unknown,
    /// Asked in writing, and declined: the lower end, where the letter is in the ledger.
    Refused,
    /// Nobody outside could see it: the whole interval.
    NotObservable,
    /// Makes no sense for this company: leaves the weights; needs a second reader.
    NotApplicable,
}

/// A waived gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The gate.
    pub gate: String,
    /// Who waived it.
    pub approver: String,
    /// Why.
    pub reason: Text,
    /// Last day of the waiver.
    pub expires: NaiveDate,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InputFile {
    /// Path inside the case folder, with `/`.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// The reason an unanswered criterion carries.
pub const UNANSWERED: Unknown = Unknown::NotAsked;
