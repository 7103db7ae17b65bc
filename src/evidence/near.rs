//! Known models that are near a subject, and which of them were tested.
//!
//! Near is what `lineage::near` finds, less the company's own: a known model, published no later than the subject, that
//! has the sizes a derivation keeps or that the model's files or card name. One whose files or fingerprint are at hand
//! is tested. One that was not keeps "own R&D" open, unless a source says that nobody can test it.

use chrono::NaiveDate;

use crate::case::{Case, Reference, Subject};
use crate::catalog::{Catalog, Entry, SCHEME};
use crate::evidence::{Near, Relation, order, relations};
use crate::fact::{FingerprintMatch, NameOrigin, WeightsRelation};
use crate::lineage::{self, Model, NearModel, NearQuestion};

/// The known models that are near a subject, likeliest first, and how many there are in all.
pub(crate) fn near(
    case: &Case,
    catalog: &Catalog,
    subject: &Subject,
    model: &Model,
    origins: &[NameOrigin],
) -> (Vec<Near>, u64) {
    let named: Vec<String> = origins.iter().map(|it| it.name.clone()).collect();
    let is_own = |entry: &Entry| case.is_own_place(plain(entry.id())) || is_at(subject, entry.id());
    let question =
        NearQuestion { no_later_than: last_day(case, subject), is_own: &is_own, named: &named, tokens: &|_| None };
    let (found, all) = lineage::near(model, catalog, &question);
    (found.into_iter().map(stated).collect(), u64::try_from(all).unwrap_or(u64::MAX))
}

fn stated(found: NearModel) -> Near {
    Near {
        reference: found.reference,
        by: found.by,
        bits: (found.bits * 100.0).round() / 100.0,
        published: found.published.map(|(first, last)| [first, last]),
        access: found.access,
    }
}

/// The last day on which the subject may have been released first. A day that only the company says does not make it
/// older than others: then the day of the case counts.
fn last_day(case: &Case, subject: &Subject) -> NaiveDate {
    let published = subject.published.as_ref().filter(|it| case.support(&it.evidence).shows());
    published.map_or(case.date, |it| it.period.to.min(case.date))
}

/// A name without the release it is distinguished by.
fn plain(id: &str) -> &str {
    id.split('@').next().unwrap_or(id)
}

/// Whether a subject is read at this repository, or is this entry.
fn is_at(subject: &Subject, id: &str) -> bool {
    let place = subject.location.as_deref().unwrap_or_default();
    let name = [SCHEME, "hf:", "ms:"].iter().find_map(|it| place.strip_prefix(it)).unwrap_or_default();
    plain(name).eq_ignore_ascii_case(plain(id))
}

/// Tests of fingerprints that bear on a subject, and near models of which nothing is at hand; `known` are its relations
/// to the references of the case, of which those that are near are marked.
pub(crate) fn with_near(
    case: &Case,
    catalog: &Catalog,
    subject: &Subject,
    near: &[Near],
    fingerprints: &[FingerprintMatch],
    known: &mut Vec<Relation>,
) {
    let id = |it: &Near| it.reference.trim_start_matches(SCHEME).to_owned();
    let find = |name: &str| near.iter().find(|it| is_called(plain(&id(it)), name));
    for (relation, reference) in known.iter_mut().zip(&case.references) {
        if let Some(it) = near.iter().find(|it| reference.is_called(plain(&id(it)))) {
            mark(relation, it);
        }
    }
    for found in fingerprints.iter().filter(|it| is_others(case, subject, it)) {
        let near = find(&found.reference.name);
        if is_telling(found.relation) || near.is_some() {
            let order =
                order::order(case, catalog, subject, &reference(&found.reference.name, &found.reference.location));
            let mut relation = relations::to_fingerprint(found, order);
            near.into_iter().for_each(|it| mark(&mut relation, it));
            known.push(relation);
        }
    }
    for it in near {
        let name = id(it);
        if known.iter().any(|known| known.sibling.is_none() && is_it(known, plain(&name))) {
            continue;
        }
        let order = order::order(case, catalog, subject, &reference(&name, &it.reference));
        let mut relation = relations::unseen(&name, &it.reference, order);
        mark(&mut relation, it);
        known.push(relation);
    }
}

/// A fingerprint of a model of others that the case does not name as a reference already.
fn is_others(case: &Case, subject: &Subject, found: &FingerprintMatch) -> bool {
    let name = &found.reference.name;
    let is_reference = case.references.iter().any(|it| it.is_called(name) || it.location == found.reference.location);
    !is_reference && !case.is_own_place(name) && !is_at(subject, name)
}

/// A relation that a fingerprint shows whether its model is near or not.
fn is_telling(relation: WeightsRelation) -> bool {
    matches!(
        relation,
        WeightsRelation::Identical
            | WeightsRelation::Derived
            | WeightsRelation::ComponentDerived
            | WeightsRelation::SharedInit
    )
}

fn mark(relation: &mut Relation, near: &Near) {
    relation.near.clone_from(&near.by);
    relation.access = near.access;
}

fn is_it(relation: &Relation, name: &str) -> bool {
    is_called(name, &relation.reference) || is_called(name, relation.location.trim_start_matches(SCHEME))
}

/// Whether a name is that of an entry: the whole of it, or the part after the account.
fn is_called(id: &str, name: &str) -> bool {
    reference(id, "").is_called(name)
}

fn reference(name: &str, location: &str) -> Reference {
    Reference {
        location: location.to_owned(),
        name: Some(name.to_owned()),
        published: None,
        authors: Vec::new(),
        own: false,
    }
}
