//! What is known of each model of a case: its relation to every reference, who was first, and whose its weights are.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Kind;
use crate::catalog::AccessState;
use crate::claims::Check;
use crate::fact::{Facts, Message, PKind, Statement, WeightsRelation};
pub use crate::lineage::NearBy;

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// Id inside the case.
    pub id: String,
    /// What there is to examine.
    pub kind: Kind,
    /// Whether customers pay for it.
    pub sold: bool,
    /// Whether the verdict on the company is the verdict on this model.
    pub flagship: bool,
    /// Its weight files, as they were examined.
    pub files: Vec<FileDigest>,
    /// Its relation to every reference, then to every other model of the case.
    pub relations: Vec<Relation>,
    /// Whose its weights are.
    pub whose: Whose,
    /// What the company says of each borrowed part, by part.
    pub disclosures: BTreeMap<String, Disclosure>,
    /// What its files say of where it comes from, word by word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<Statement>,
    /// Flat facts that gates may name.
    pub facts: Facts,
    /// Arithmetic on the claims about it.
    pub checks: Vec<Check>,
}

/// What the company says of one borrowed part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    /// How it may have been named: several values where that is not known exactly.
    pub values: Vec<String>,
    /// The models it was named after.
    pub parents: Vec<String>,
    /// Where this is from: `typed` by an analyst, or `read` in what the company published.
    pub source: Source,
    /// The first day it was said, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    /// Evidence ids.
    pub evidence: Vec<String>,
}

/// Where a fact about disclosure is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An analyst entered it.
    Typed,
    /// The program read it.
    Read,
}

/// One file, and what identifies its contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileDigest {
    /// Path inside the model's folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file, where all of it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the server states as the file's version or digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// SHA-256 of the part that was read to describe it.
    pub read_sha256: String,
    /// Length of that part in bytes.
    pub read_bytes: u64,
}

/// The relation of a model to one other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// What the other is called.
    pub reference: String,
    /// Where it is.
    pub location: String,
    /// Whether it is published at a place that is the company's, or is another model of this case.
    pub own: bool,
    /// Id of the other, where it is another model of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sibling: Option<String>,
    /// Whether the company's own people are shown to have made it, though it belongs to others.
    pub same_authors: bool,
    /// Whether its weights are at hand: a blueprint alone can be compared by form only.
    pub has_weights: bool,
    /// Whether of its weights only a fingerprint is at hand: a match counts as any other, and where nothing was found
    /// that is so of the kept rows alone.
    #[serde(default, skip_serializing_if = "is_no")]
    pub fingerprint: bool,
    /// What makes it near: a known model that has to be tested before weights count as the company's own. Empty where
    /// it is not near.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<NearBy>,
    /// Whether its files can be had, where that is sourced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessState>,
    /// What the weights say.
    pub relation: WeightsRelation,
    /// What that says about whose the weights are.
    pub bearing: Bearing,
    /// Levels of "whose weights" that a derivation would mean; empty for any other bearing.
    pub levels: Vec<u8>,
    /// Who was published first.
    pub order: Order,
    /// Why that is so, or not known.
    pub order_because: Message,
    /// Base-10 logarithm of the p-value that decided, after correction for tests and references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log10_p: Option<f64>,
    /// What kind of p-value it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_kind: Option<PKind>,
    /// The smallest mean cosine between matched units that would have been found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    /// Share of the layers of which units were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers_read: Option<f64>,
    /// `quick`, `standard` or `deep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
}

fn is_no(yes: &bool) -> bool {
    !*yes
}

impl Relation {
    /// Whether it is near, was not tested, and could be: such a model keeps open whose the weights are.
    pub fn is_untested_near(&self) -> bool {
        self.is_unseen_near() && !self.is_out_of_reach()
    }

    /// Whether it is near and nobody can test it, since its files were taken back or never published, as a source says.
    pub fn is_untestable_near(&self) -> bool {
        self.is_unseen_near() && self.is_out_of_reach()
    }

    fn is_unseen_near(&self) -> bool {
        !self.near.is_empty() && !self.own && self.bearing == Bearing::Unexamined
    }

    fn is_out_of_reach(&self) -> bool {
        matches!(self.access, Some(AccessState::Withdrawn | AccessState::None))
    }
}

/// A known model that is near a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Near {
    /// `catalog:ORG/NAME`.
    pub reference: String,
    /// What makes it near.
    pub by: Vec<NearBy>,
    /// How much all that is known of the subject speaks for it, in bits, as `identify` has it.
    pub bits: f64,
    /// The first and the last day on which it may have been published, where that is sourced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<[NaiveDate; 2]>,
    /// Whether its files can be had, where that is sourced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessState>,
}

/// What a relation says about whose the weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// The one was made from the other, or both from a third.
    Derived,
    /// No derivation was found, the body was read, and the power suffices.
    Clear,
    /// The same, and a part is the other's.
    ClearButPart,
    /// It was examined, and does not decide.
    Open,
    /// No weights were compared.
    Unexamined,
}

/// Who was published first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The reference, or the company itself says that it took from it.
    ReferenceEarlier,
    /// The subject.
    SubjectEarlier,
    /// It is not shown.
    Unknown,
}

/// Whose the weights are: the levels of the rubric's first question that remain possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Whose {
    /// Levels that remain possible, ascending: 0 copied, 1 fine-tuned, 2 trained further, 3 no derivation found.
    pub levels: Vec<u8>,
    /// Whether that is settled: by a measurement of this case, an admission, or a shown upstream.
    pub closed: bool,
    /// What it rests on.
    pub basis: Basis,
    /// Why, one sentence each.
    pub because: Vec<Message>,
    /// What would settle it, where it is open.
    pub conditions: Vec<OpenCondition>,
    /// References whose weights were compared.
    pub examined: u64,
    /// References that are not the company's own.
    pub references: u64,
}

/// What "whose weights" rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A measurement of this case.
    Measured,
    /// A test that an independent third party published.
    Reported,
    /// The company says so itself.
    Admitted,
    /// The model that an interface is served from was shown.
    Upstream,
    /// Nothing settles it.
    Open,
}

/// Something that would settle it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenCondition {
    /// A test that can be run, or the order of publication.
    pub kind: ConditionKind,
    /// The references that it is about.
    pub references: Vec<String>,
    /// What it could show, the better first.
    pub branches: Vec<OpenBranch>,
}

/// What kind of condition it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// A test of weights.
    Test,
    /// Who was published first.
    Order,
}

/// One thing that a condition could show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenBranch {
    /// The fact: `independent`, `derived`, `subject_earlier` or `reference_earlier`.
    pub fact: String,
    /// Levels that would remain possible.
    pub levels: Vec<u8>,
    /// Whether that would settle it.
    pub closed: bool,
    /// Whether a distinctive part would then be another's; null where the branch says nothing of parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinctive: Option<bool>,
}

impl Whose {
    /// Whether the weights may be somebody else's, at or below a level.
    pub fn may_be_at_most(&self, level: u8) -> bool {
        self.levels.iter().any(|it| *it <= level)
    }

    /// Whether the weights may be nobody else's, above a level.
    pub fn may_be_above(&self, level: u8) -> bool {
        self.levels.iter().any(|it| *it > level)
    }
}
