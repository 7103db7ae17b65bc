//! The models of a case: what is examined, what it is compared with, and what is known of their dates and sources.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Period;
use crate::fact::{Text, last_part, letters};

/// A model under examination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Short id inside the case.
    pub id: String,
    /// What the company calls it.
    pub name: Text,
    /// What there is to examine.
    pub kind: Kind,
    /// A path, an address or `catalog:ORG/NAME`; none where there are no files.
    pub location: Option<String>,
    /// When it was first released.
    pub published: Option<Dated>,
    /// A run of its own that is shown to have been under way by then.
    pub trained: Option<Dated>,
    /// Whether customers pay for it.
    pub sold: bool,
    /// Whether the verdict on the company is the verdict on this model.
    pub flagship: bool,
    /// The model that an interface is served from.
    pub upstream: Option<Upstream>,
    /// Tests of its weights that others published.
    pub reported_tests: Vec<ReportedTest>,
    /// Models that the company names as the source of a part, with the evidence for that.
    pub declared_parents: Vec<DeclaredParent>,
}

/// What there is to examine of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its files.
    #[default]
    Files,
    /// An interface alone.
    Api,
    /// Documents alone.
    None,
}

impl Kind {
    /// The word for it in files and facts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Api => "api",
            Self::None => "none",
        }
    }
}

/// A model to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// A path, an address or `catalog:ORG/NAME`.
    pub location: String,
    /// What it is called, where the case says so.
    pub name: Option<String>,
    /// When it was first published, as the case has it.
    pub published: Option<Dated>,
    /// Evidence that the company's own people made it though it belongs to others.
    pub authors: Vec<String>,
    /// Whether it is published at a place that is shown to be the company's.
    pub own: bool,
}

/// A day, month or year, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dated {
    /// When.
    pub period: Period,
    /// Evidence ids.
    pub evidence: Vec<String>,
}

/// The model that an interface is served from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// What it is called.
    pub model: String,
    /// Ids of the evidence: a contract, an invoice, recorded calls, a register, an admission.
    pub evidence: Vec<String>,
}

/// A test of weights that an independent third party published with files and method named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedTest {
    /// The model it was compared with.
    pub reference: String,
    /// What the test found.
    pub relation: TestedRelation,
    /// Ids of the evidence: the publication.
    pub evidence: Vec<String>,
}

/// What a published test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestedRelation {
    /// The weights were made from the reference's.
    Derived,
    /// No derivation was found.
    Independent,
}

/// A parent that the company names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredParent {
    /// Catalog name or free text.
    pub model: String,
    /// What was taken: `architecture`, `weights`, `tokenizer`, `code`, `data`.
    pub part: String,
    /// When and how it was named: `at_release`, `later` (unasked), `when_asked`, `after_exposure` or `denied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Disclosed>,
    /// The day it was said (YYYY-MM-DD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    /// Evidence ids.
    pub evidence: Vec<String>,
}

/// How a borrowed part was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disclosed {
    /// With the first release.
    AtRelease,
    /// Later, before anybody asked.
    Later,
    /// When somebody asked.
    WhenAsked,
    /// Only after others had shown it.
    AfterExposure,
    /// Denied against the facts.
    Denied,
}

impl Disclosed {
    /// The word for it in files and facts.
    pub fn word(self) -> &'static str {
        match self {
            Self::AtRelease => "at_release",
            Self::Later => "later",
            Self::WhenAsked => "when_asked",
            Self::AfterExposure => "after_exposure",
            Self::Denied => "denied",
        }
    }
}

impl Subject {
    /// Whether a name is one of this model's: its id, place, or name in any language.
    pub fn is_called(&self, name: &str) -> bool {
        let mut names = self.name.languages().filter_map(|language| self.name.get(language));
        let is = |it: &str| is_same_name(it, name);
        is(&self.id) || self.location.as_deref().is_some_and(is) || names.any(is)
    }
}

impl Reference {
    /// What it is called: its name, or the last part of its place.
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| last_part(&self.location))
    }

    /// Whether a name is this model's: its name, its place, or the last part of either.
    pub fn is_called(&self, name: &str) -> bool {
        let is = |it: &str| is_same_name(it, name) || is_same_name(last_part(it), last_part(name));
        is(&self.location) || self.name.as_deref().is_some_and(is)
    }
}

/// Names without regard to case, spaces and punctuation.
fn is_same_name(one: &str, other: &str) -> bool {
    let (one, other) = (letters(one), letters(other));
    !one.is_empty() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_known_by_its_name_or_the_last_part_of_its_place() {
        let named = |name: Option<&str>, location: &str| Reference {
            location: location.to_owned(),
            name: name.map(str::to_owned),
            published: None,
            authors: Vec::new(),
            own: false,
        };
        let folder = named(None, "models/base_a/");
        assert!(folder.is_called("Base-A") && !folder.is_called("Base-B") && folder.called() == "base_a");
        let llama = named(Some("meta-llama/Llama-2-7b-hf"), "../m/x");
        assert!(llama.is_called("Llama-2-7b-hf") && llama.is_called("meta-llama/llama-2-7B-hf"));
        assert!(!llama.is_called("Llama-2-13b-hf") && !llama.is_called(""));
    }
}
