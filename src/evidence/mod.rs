//! Collects what can be measured on a case, and keeps it as `evidence.json`.
//!
//! The only step that looks outside the case's own YAML. Its result is plain data; `score` and `memo` need nothing
//! else.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{Case, InputFile, Subject};
use crate::catalog::Catalog;
use crate::claims::{self, Bands, Check, Counted};
use crate::fact::{CatalogReach, Comparison, Facts, Identification, Inspection, Merge, Origin, Unexamined};
use crate::lineage::{self, Kept, Look, Mixture, Model, compare_with_weights};
use crate::remote::Reach;

mod digests;
mod disclosure;
mod error;
mod facts;
mod models;
mod near;
mod order;
mod read;
mod relations;
pub mod store;
#[cfg(test)]
mod tests;
mod whose;

pub use error::{Error, ModelError};
pub use models::{
    Basis, Bearing, ConditionKind, Disclosure, FileDigest, ModelFacts, Near, NearBy, OpenBranch, OpenCondition, Order,
    Relation, Source, Whose,
};

/// Version of the format of `evidence.json`.
pub const EVIDENCE_SCHEMA: &str = "unshell/evidence/2";

/// Every sentence of this room.
pub const MESSAGE_KEYS: &[&str] = &[
    "order.admitted",
    "order.earlier_run",
    "order.no_date",
    "order.not_shown",
    "order.overlap",
    "order.reference_earlier",
    "order.subject_earlier",
    "whose.admitted",
    "whose.clear",
    "whose.derived",
    "whose.kept_rows",
    "whose.later",
    "whose.near",
    "whose.no_files",
    "whose.no_upstream",
    "whose.none_examined",
    "whose.order",
    "whose.out_of_reach",
    "whose.own_ancestor",
    "whose.own_unmeasured",
    "whose.part",
    "whose.reported_derived",
    "whose.reported_independent",
    "whose.undecided",
    "whose.upstream",
    "whose.upstream_not_shown",
];

/// How many catalogue entries are kept for a subject: enough to show ties, short enough for a memo.
const CLOSEST: usize = 10;

/// Everything that was measured on one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `unshell/evidence/2`.
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// SHA-256 of this file with this field empty: the next step refuses a file that was edited.
    pub digest: String,
    /// The case's date.
    pub date: NaiveDate,
    /// Every file of the case folder that was read, with its hash.
    pub inputs: Vec<InputFile>,
    /// What was measured on each subject that has files, in the order of the case.
    pub subjects: Vec<SubjectEvidence>,
    /// What is known of each model, in the order of the case.
    pub models: Vec<ModelFacts>,
    /// Facts of the whole case that gates may name.
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
    /// Known models that are near it, likeliest first; at most twelve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
    /// How many are near in all.
    #[serde(default)]
    pub near_in_all: u64,
    /// How it relates to each reference of the case.
    pub comparisons: Vec<Comparison>,
    /// How it relates to each model of the case that is listed before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<Comparison>,
    /// How it is made of several references; none where fewer than two are related to it by their weights. Models that
    /// are shown to be the company's own are no such references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Why it could not be taken apart although two or more references are related to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_merge: Option<String>,
}

/// Measures everything that can be measured on a case: every subject described, looked up and compared with every
/// reference and with the other models of the case, weights and tokenizers included where both sides have them, and the
/// claims about each model multiplied out.
///
/// # Errors
/// Every model that cannot be described, each once; every pair whose weights cannot be read.
pub fn collect(case: &Case, catalog: &Catalog, reach: &Reach, library: &[Kept]) -> Result<Evidence, Error> {
    let (subjects, references) = open_models(case, catalog, reach)?;
    // Every model that a subject is compared with is another chance to be called derived, so p-values are corrected for
    // all.
    let tried = references.len() + subjects.len().saturating_sub(1) + library.len();
    let look = Look { references: tried, ..Look::default() };
    let mut measuring = Measuring { case, catalog, look, library, references: &references, failures: Vec::new() };
    let measured: Vec<SubjectEvidence> =
        (0..subjects.len()).map(|idx| measuring.subject(&subjects[idx], &subjects[..idx])).collect();
    if !measuring.failures.is_empty() {
        return Err(Error::Models(measuring.failures));
    }
    let digests = digests::of_all(case, &subjects)?;
    Ok(stated(case, catalog, measured, digests))
}

/// The facts of the case, stated from what was measured.
fn stated(
    case: &Case,
    catalog: &Catalog,
    subjects: Vec<SubjectEvidence>,
    mut digests: BTreeMap<String, Vec<FileDigest>>,
) -> Evidence {
    let bands = Bands::shipped();
    let said = |id: &str| subjects.iter().find(|it| it.id == id)?.inspection.disclosure.as_ref();
    // What the company's files say counts as if it had been entered; the case itself stays as it was written.
    let with_read = read::with_read(case, said);
    let (written, case) = (case, &with_read);
    let relations: Vec<Vec<Relation>> =
        case.subjects.iter().map(|it| all_relations(case, catalog, it, &subjects)).collect();
    let alone: Vec<Whose> =
        case.subjects.iter().zip(&relations).map(|(subject, it)| whose::whose(case, subject, it)).collect();
    let ids: Vec<&str> = case.subjects.iter().map(|it| it.id.as_str()).collect();
    let whose = whose::with_ancestors(&alone, &relations, &ids);
    let models = case.subjects.iter().zip(relations).zip(whose).map(|((subject, relations), whose)| {
        let measured = subjects.iter().find(|it| it.id == subject.id);
        let checks = checks(case, subject, measured, &bands);
        let said = measured.and_then(|it| it.inspection.disclosure.as_ref());
        let disclosures = disclosure::disclosures(case, subject);
        let disclosures = read::completed(disclosures, case, said, &relations);
        let facts = facts::of_model(&facts::Known {
            case,
            subject,
            checks: &checks,
            comparisons: measured.map(|it| it.comparisons.as_slice()).unwrap_or_default(),
            relations: &relations,
            disclosures: &disclosures,
        });
        ModelFacts {
            id: subject.id.clone(),
            kind: subject.kind,
            sold: subject.sold,
            flagship: case.flagship().is_some_and(|it| it.id == subject.id),
            files: digests.remove(&subject.id).unwrap_or_default(),
            whose: merged(measured, whose),
            relations,
            disclosures,
            stated: read::quoted(said),
            facts,
            checks,
        }
    });
    store::sealed(Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: String::new(),
        date: case.date,
        inputs: case.inputs.clone(),
        models: models.collect(),
        facts: facts::of_case(written),
        unexamined: unexamined(&subjects),
        subjects,
        catalog: catalog.reach(),
    })
}

/// The arithmetic on what is claimed of one model.
fn checks(case: &Case, subject: &Subject, measured: Option<&SubjectEvidence>, bands: &Bands) -> Vec<Check> {
    let counted = measured.map(|it| counted(&it.inspection)).unwrap_or_default();
    claims::check_all(&case.claims_about(&subject.id), &counted, bands)
}

/// What was counted in the files of a model; nothing of one that is known by its blueprint alone.
fn counted(inspection: &Inspection) -> Counted {
    if inspection.model.origin != Origin::Checkpoint {
        return Counted::default();
    }
    let size = |name: &str| inspection.dimensions.iter().find(|it| it.name == name).map(|it| it.size);
    Counted {
        parameters: inspection.parameters,
        active_parameters: None,
        experts: size("experts"),
        layers: size("layers"),
        hidden_size: size("hidden"),
        vocabulary: size("vocab"),
        context_length: None,
    }
}

/// A merge of models of others is a copy of them, whatever each pair alone looks like.
fn merged(measured: Option<&SubjectEvidence>, whose: Whose) -> Whose {
    let is_merge = measured.and_then(|it| it.merge.as_ref()).is_some_and(Merge::is_found);
    let is_derived = whose.closed && whose.basis == Basis::Measured && whose.may_be_at_most(2);
    if is_merge && is_derived { Whose { levels: vec![0], ..whose } } else { whose }
}

/// The relations of a model to every reference, then to every other model of the case.
fn all_relations(case: &Case, catalog: &Catalog, subject: &Subject, all: &[SubjectEvidence]) -> Vec<Relation> {
    let Some(measured) = all.iter().find(|it| it.id == subject.id) else { return Vec::new() };
    let references = case.references.iter().zip(&measured.comparisons);
    let to_references = references.map(|(reference, comparison)| {
        let order = order::order(case, catalog, subject, reference);
        let same_authors = case.support(&reference.authors).is_at_least(crate::rubric::Grade::B);
        Relation { same_authors, ..relations::relation(comparison, reference, order) }
    });
    let to_siblings = case.subjects.iter().filter(|it| it.id != subject.id).filter_map(|other| {
        let comparison = between(all, &subject.id, &other.id)?;
        Some(relations::to_sibling(comparison, other, order::order_of_own(subject, other)))
    });
    let mut known: Vec<Relation> = to_references.collect();
    near::with_near(case, catalog, subject, &measured.near, &measured.identification.fingerprints, &mut known);
    known.into_iter().chain(to_siblings).collect()
}

/// The comparison of two models of the case: the later one of the list was the subject of it.
fn between<'a>(all: &'a [SubjectEvidence], one: &str, other: &str) -> Option<&'a Comparison> {
    let position = |id: &str| all.iter().position(|it| it.id == id);
    let (one, other) = (position(one)?, position(other)?);
    all[one.max(other)].siblings.get(one.min(other))
}

/// Measures subjects one after the other; what fails is kept, so that one pair does not hide the next.
struct Measuring<'a> {
    case: &'a Case,
    catalog: &'a Catalog,
    look: Look<'a>,
    library: &'a [Kept],
    references: &'a [Model],
    failures: Vec<ModelError>,
}

impl Measuring<'_> {
    fn subject(&mut self, (subject, model): &Opened<'_>, before: &[Opened<'_>]) -> SubjectEvidence {
        let references = self.references.iter();
        let compared: Vec<(&Model, Comparison)> =
            references.filter_map(|it| Some((it, self.compare(model, it)?))).collect();
        let siblings = before.iter().filter_map(|(_, it)| self.compare(model, it)).collect();
        let mixture = self.mixture(model, &compared);
        let mut comparisons: Vec<Comparison> = compared.into_iter().map(|it| it.1).collect();
        if let (Some(mixture), Some(first)) = (&mixture, comparisons.first_mut()) {
            first.cost.bytes_read = first.cost.bytes_read.saturating_add(mixture.bytes_read);
        }
        let identification = self.identified(model);
        let (near, near_in_all) = near::near(self.case, self.catalog, subject, model, &identification.origins);
        let (merge, no_merge) = mixture.map(|it| (it.merge, it.no_merge)).unwrap_or_default();
        SubjectEvidence {
            id: subject.id.clone(),
            inspection: self.inspected(model),
            identification,
            near,
            near_in_all,
            comparisons,
            siblings,
            merge,
            no_merge,
        }
    }

    /// What its files say, with every place where its card names a reference.
    fn inspected(&self, model: &Model) -> Inspection {
        let mut inspection = lineage::inspect(model);
        if let Some(said) = inspection.disclosure.as_mut().filter(|it| it.has_card) {
            let known: Vec<String> = said.mentions.iter().map(|it| it.model.clone()).collect();
            let named = model.names_in_card(&read::names(self.case));
            said.mentions.extend(named.into_iter().filter(|it| !known.contains(&it.model)));
        }
        inspection
    }

    fn compare(&mut self, subject: &Model, reference: &Model) -> Option<Comparison> {
        let compared = compare_with_weights(subject, reference, self.catalog, &self.look);
        let pair = || format!("{} against {}", subject.name.location, reference.name.location);
        self.kept(compared, pair)
    }

    /// Which entries it is built like, and what its weights say against every fingerprint at hand. Of a model at an
    /// address no more is fetched for that than its references ask for.
    fn identified(&mut self, model: &Model) -> Identification {
        let mut identification = lineage::identify(model, self.catalog, CLOSEST);
        lineage::ask_origins(&mut identification, model, self.catalog);
        if model.is_far() && !self.library.is_empty() {
            identification.unexamined.push(Unexamined {
                what: "weights".to_owned(),
                why: "library-far".to_owned(),
                detail: "the model is behind an address, so it was not compared with the fingerprints of the library; \
                         fetch it first, or use `unshell identify --weights`"
                    .to_owned(),
            });
            return identification;
        }
        let looked = lineage::look_up(&mut identification, model, self.library, &self.look);
        self.kept(looked, || format!("{} against the library of fingerprints", model.name.location));
        identification
    }

    /// How it is made of references that are nobody's own.
    fn mixture(&mut self, subject: &Model, compared: &[(&Model, Comparison)]) -> Option<Mixture> {
        let others = compared.iter().zip(&self.case.references).filter(|(_, it)| !it.own).map(|it| it.0);
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
    let with_files = case.subjects.iter().filter_map(|it| Some((it, it.location.as_deref()?)));
    let subjects: Vec<_> = with_files.filter_map(|(subject, location)| Some((subject, open(location)?))).collect();
    let references: Vec<_> = case.references.iter().filter_map(|it| open(&it.location)).collect();
    if failures.is_empty() { Ok((subjects, references)) } else { Err(Error::Models(failures)) }
}

/// What no comparison of the case looked at; each thing once for each reason.
fn unexamined(subjects: &[SubjectEvidence]) -> Vec<Unexamined> {
    let mut seen: Vec<Unexamined> = Vec::new();
    for subject in subjects {
        let comparisons = subject.comparisons.iter().chain(&subject.siblings).flat_map(|it| &it.unexamined);
        for unexamined in subject.inspection.unexamined.iter().chain(comparisons) {
            if !seen.iter().any(|it| it.what == unexamined.what && it.why == unexamined.why) {
                seen.push(unexamined.clone());
            }
        }
    }
    seen
}
