//! What the company says of each part that it borrowed, and when it said so.
//!
//! A statement that harms the company needs the evidence that any accusation needs; one that serves it needs a dated
//! public record, since a page of its own can be changed afterwards.

use std::collections::BTreeMap;

use crate::case::{Case, DeclaredParent, Disclosed, Subject};
use crate::evidence::{Disclosure, Source};
use crate::rubric::Grade;

/// Ways of naming a part that harm nobody, from the best.
pub(crate) const NAMED: [Disclosed; 3] = [Disclosed::AtRelease, Disclosed::Later, Disclosed::WhenAsked];

/// What is known of each part that the company names or denies.
pub(crate) fn disclosures(case: &Case, subject: &Subject) -> BTreeMap<String, Disclosure> {
    let mut found: BTreeMap<String, Disclosure> = BTreeMap::new();
    for parent in subject.declared_parents.iter().filter(|it| counts(case, it)) {
        let values = values(parent.when);
        let slot = found.entry(parent.part.clone()).or_insert_with(|| Disclosure {
            values: values.clone(),
            parents: Vec::new(),
            source: Source::Typed,
            date: None,
            evidence: Vec::new(),
        });
        slot.values = worse(&slot.values, &values);
        slot.parents.push(parent.model.clone());
        slot.date = slot.date.into_iter().chain(parent.date).min();
        slot.evidence.extend(parent.evidence.iter().cloned());
    }
    found
}

/// Whether the evidence for a statement suffices for its use.
pub(crate) fn counts(case: &Case, parent: &DeclaredParent) -> bool {
    let support = case.support_of_statement(&parent.evidence);
    match parent.when {
        Some(Disclosed::Denied) => support.shows(),
        Some(_) => support.is_at_least(Grade::C),
        None => support.is_at_least(Grade::D),
    }
}

/// A parent that is named without a word on when may have been named in any way that is not silence.
fn values(when: Option<Disclosed>) -> Vec<String> {
    let words = |all: &[Disclosed]| all.iter().map(|it| it.word().to_owned()).collect();
    match when {
        Some(when) => words(&[when]),
        None => words(&[NAMED.as_slice(), &[Disclosed::AfterExposure]].concat()),
    }
}

/// Of two statements on one part the worse counts: a part that was denied first was denied.
fn worse(one: &[String], other: &[String]) -> Vec<String> {
    let order = ["at_release", "later", "when_asked", "after_exposure", "denied"];
    let ranks =
        |all: &[String]| all.iter().filter_map(|word| order.iter().position(|it| it == word)).collect::<Vec<_>>();
    // Of two with the same worst value the one that says no better is the worse.
    let rank = |all: &[String]| (ranks(all).into_iter().max(), ranks(all).into_iter().min());
    if rank(other) > rank(one) { other.to_vec() } else { one.to_vec() }
}
