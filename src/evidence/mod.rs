//! Collects what can be measured on a case, and keeps it as `evidence.json`.
//!
//! The only step that looks outside the case's own YAML. Its result is plain data; `score` and `memo` need nothing else.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{Case, InputFile, Subject};
use crate::catalog::Catalog;
use crate::claims::{self, Bands, Check};
use crate::fact::{CatalogReach, Comparison, Facts, Identification, Inspection, Merge, Unexamined};
use crate::lineage::{self, Look, Mixture, Model, compare_with_weights};
use crate::remote::Reach;

mod error;
mod facts;
pub mod store;
#[cfg(test)]
mod tests;

pub use error::{Error, ModelError};

/// Version of the format of `evidence.json`.
pub const EVIDENCE_SCHEMA: &str = "unshell/evidence/1";

/// How many catalogue entries are kept for a subject: enough to show ties, short enough for a memo.
const CLOSEST: usize = 10;

/// Everything that was measured on one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `unshell/evidence/1`.
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// The case's date.
    pub date: NaiveDate,
    /// Every file of the case folder that was read, with its hash.
    pub inputs: Vec<InputFile>,
    /// What was measured on each subject, in the order of the case.
    pub subjects: Vec<SubjectEvidence>,
    /// Arithmetic on the claims.
    pub checks: Vec<Check>,
    /// Flat facts that gates and criteria may name.
    pub facts: Facts,
    /// How far the catalogue reaches.
    pub catalog: CatalogReach,
    /// What was not looked at in the whole case, and why.
    pub unexamined: Vec<Unexamined>,
}

/// What was measured on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectEvidence {
    /// Id inside the case.
    pub id: String,
    /// What its headers say.
    pub inspection: Inspection,
    /// Which catalogue entries it matches by form.
    pub identification: Identification,
    /// How it relates to each reference of the case.
    pub comparisons: Vec<Comparison>,
    /// How it is made of several references; none where fewer than two are related to it by their weights. Models that
    /// the case puts forward as the company's own are no such references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Why it could not be taken apart although two or more references are related to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_merge: Option<String>,
}

/// Measures everything that can be measured on a case: every subject described, looked up and held against every
/// reference, weights and tokenizers included where both sides have them, and the claims multiplied out.
///
/// # Errors
/// Every model that cannot be described, each once; every pair whose weights cannot be read.
pub fn collect(case: &Case, catalog: &Catalog, reach: &Reach) -> Result<Evidence, Error> {
    let (subjects, references) = open_models(case, catalog, reach)?;
    // Every reference of a case is another chance to be called derived, and is paid for.
    let look = Look { references: references.len(), ..Look::default() };
    let mut measuring = Measuring { case, catalog, look, references: &references, failures: Vec::new() };
    let subjects: Vec<SubjectEvidence> = subjects.iter().map(|(it, model)| measuring.subject(it, model)).collect();
    if !measuring.failures.is_empty() {
        return Err(Error::Models(measuring.failures));
    }
    let checks = claims::check_all(&case.claims, &claims::Counted::default(), &Bands::shipped());
    let comparisons = subjects.iter().flat_map(|it| &it.comparisons);
    Ok(Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        date: case.date,
        inputs: case.inputs.clone(),
        facts: facts::facts(case, &checks, comparisons),
        unexamined: unexamined(&subjects),
        subjects,
        checks,
        catalog: catalog.reach(),
    })
}

/// Measures subjects one after the other; what fails is kept, so that one pair does not hide the next.
struct Measuring<'a> {
    case: &'a Case,
    catalog: &'a Catalog,
    look: Look<'a>,
    references: &'a [Model],
    failures: Vec<ModelError>,
}

impl Measuring<'_> {
    fn subject(&mut self, subject: &Subject, model: &Model) -> SubjectEvidence {
        let references = self.references.iter();
        let compared: Vec<(&Model, Comparison)> =
            references.filter_map(|it| Some((it, self.compare(model, it)?))).collect();
        let mixture = self.mixture(model, &compared);
        let mut comparisons: Vec<Comparison> = compared.into_iter().map(|it| it.1).collect();
        if let (Some(mixture), Some(first)) = (&mixture, comparisons.first_mut()) {
            first.cost.bytes_read = first.cost.bytes_read.saturating_add(mixture.bytes_read);
        }
        let (merge, no_merge) = mixture.map(|it| (it.merge, it.no_merge)).unwrap_or_default();
        SubjectEvidence {
            id: subject.id.clone(),
            inspection: lineage::inspect(model),
            identification: lineage::identify(model, self.catalog, CLOSEST),
            comparisons,
            merge,
            no_merge,
        }
    }

    fn compare(&mut self, subject: &Model, reference: &Model) -> Option<Comparison> {
        let compared = compare_with_weights(subject, reference, self.catalog, &self.look);
        let pair = || format!("{} against {}", subject.name.location, reference.name.location);
        self.kept(compared, pair)
    }

    /// How it is made of references that are nobody's own.
    fn mixture(&mut self, subject: &Model, compared: &[(&Model, Comparison)]) -> Option<Mixture> {
        let others = compared.iter().filter(|(it, _)| !self.case.is_subject(&it.name.location));
        let mixture = lineage::mixture(subject, others.map(|(model, it)| (*model, it)));
        self.kept(mixture, || format!("{} as a merge of its references", subject.name.location)).flatten()
    }

    /// What was found, or none and the failure put down.
    fn kept<T>(&mut self, found: Result<T, impl Into<lineage::Error>>, what: impl Fn() -> String) -> Option<T> {
        found.map_err(|reason| self.failures.push(ModelError { location: what(), reason: reason.into() })).ok()
    }
}

/// A subject with its description.
type Opened<'a> = (&'a Subject, Model);

/// Opens subjects and references; one model that cannot be described does not hide the next.
fn open_models<'a>(case: &'a Case, catalog: &Catalog, reach: &Reach) -> Result<(Vec<Opened<'a>>, Vec<Model>), Error> {
    let mut failures: Vec<ModelError> = Vec::new();
    let mut open = |location: &str| match Model::open(location, &case.folder, catalog, reach) {
        Ok(model) => Some(model),
        Err(reason) => {
            if !failures.iter().any(|it| it.location == location) {
                failures.push(ModelError { location: location.to_owned(), reason });
            }
            None
        }
    };
    let subjects: Vec<_> = case.subjects.iter().filter_map(|it| Some((it, open(&it.location)?))).collect();
    let references: Vec<_> = case.references.iter().filter_map(|it| open(it)).collect();
    if failures.is_empty() { Ok((subjects, references)) } else { Err(Error::Models(failures)) }
}

/// What no comparison of the case looked at; each thing once for each reason.
fn unexamined(subjects: &[SubjectEvidence]) -> Vec<Unexamined> {
    let mut seen: Vec<Unexamined> = Vec::new();
    for subject in subjects {
        let comparisons = subject.comparisons.iter().flat_map(|it| &it.unexamined);
        for unexamined in subject.inspection.unexamined.iter().chain(comparisons) {
            if !seen.iter().any(|it| it.what == unexamined.what && it.why == unexamined.why) {
                seen.push(unexamined.clone());
            }
        }
    }
    seen
}
