//! Who was published first. A relation between weights has no direction until that is known.
//!
//! A date is an interval; the order is known when intervals do not overlap. A date that decides against somebody is
//! shown on an original (B) or by two independent origins (C), as every fact that an accusation rests on. A date that
//! comes from the company itself counts only against it: its own page may show that its model is as late as that, never
//! that it is earlier.

use crate::case::{Case, Dated, DeclaredParent, Disclosed, Period, Reference, Subject};
use crate::catalog::Catalog;
use crate::evidence::Order;
use crate::fact::Message;
use crate::rubric::Grade;

/// A date of publication, and what it may be used for.
struct Known {
    period: Period,
    /// Whether an accusation may rest on it.
    is_shown: bool,
    /// Whether the company itself says so.
    is_own_word: bool,
}

/// Who was first, a subject or a reference.
pub(crate) fn order(case: &Case, catalog: &Catalog, subject: &Subject, reference: &Reference) -> (Order, Message) {
    let named = |message: Message| {
        message.with("subject", subject.name.clone()).with("reference", reference.called().to_owned())
    };
    if let Some(parent) = admitted(case, subject, reference) {
        let message = Message::new("order.admitted").with("model", parent.model.as_str());
        return (Order::ReferenceEarlier, named(message));
    }
    let ours = subject.published.as_ref().map(|it| known(case, it));
    let theirs = reference.published.as_ref().map(|it| known(case, it)).or_else(|| of_catalog(catalog, reference));
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return (Order::Unknown, named(Message::new("order.no_date")));
    };
    let dated = |key: &str| {
        named(Message::new(key))
            .with("subject_date", ours.period.to_string())
            .with("reference_date", theirs.period.to_string())
    };
    if theirs.period.is_before(ours.period) {
        if !(theirs.is_shown && (ours.is_shown || ours.is_own_word)) {
            return (Order::Unknown, dated("order.not_shown"));
        }
        if trained_before(case, subject, theirs.period) {
            return (Order::Unknown, dated("order.earlier_run"));
        }
        return (Order::ReferenceEarlier, dated("order.reference_earlier"));
    }
    if ours.period.is_before(theirs.period) {
        if !(ours.is_shown && theirs.is_shown) {
            return (Order::Unknown, dated("order.not_shown"));
        }
        return (Order::SubjectEarlier, dated("order.subject_earlier"));
    }
    (Order::Unknown, dated("order.overlap"))
}

/// Which of two models of the company was first: its own dates serve, since neither accuses anybody.
pub(crate) fn order_of_own(subject: &Subject, other: &Subject) -> (Order, Message) {
    let named =
        |key: &str| Message::new(key).with("subject", subject.name.clone()).with("reference", other.name.clone());
    let (Some(ours), Some(theirs)) = (&subject.published, &other.published) else {
        return (Order::Unknown, named("order.no_date"));
    };
    let dated = |key: &str| {
        named(key).with("subject_date", ours.period.to_string()).with("reference_date", theirs.period.to_string())
    };
    match (theirs.period.is_before(ours.period), ours.period.is_before(theirs.period)) {
        (true, _) => (Order::ReferenceEarlier, dated("order.reference_earlier")),
        (_, true) => (Order::SubjectEarlier, dated("order.subject_earlier")),
        _ => (Order::Unknown, dated("order.overlap")),
    }
}

fn known(case: &Case, dated: &Dated) -> Known {
    let own = dated.evidence.iter().filter_map(|id| case.ledger.get(id));
    Known {
        period: dated.period,
        is_shown: case.support(&dated.evidence).shows(),
        is_own_word: own.filter(|it| !it.is_altered()).any(|it| it.method == "company_document"),
    }
}

/// The catalog states dates with their sources, and tests keep them honest.
fn of_catalog(catalog: &Catalog, reference: &Reference) -> Option<Known> {
    let by_place = reference.location.strip_prefix("catalog:").or_else(|| reference.location.strip_prefix("hf:"));
    let entry = by_place.into_iter().chain(reference.name.as_deref()).find_map(|it| catalog.find(it))?;
    let published = entry.published()?;
    Some(Known { period: Period { from: published.first, to: published.last }, is_shown: true, is_own_word: false })
}

/// A run that is shown to have been under way before the reference was public opens the order again.
fn trained_before(case: &Case, subject: &Subject, theirs: Period) -> bool {
    let run = subject.trained.as_ref();
    run.is_some_and(|it| it.period.is_before(theirs) && case.support(&it.evidence).is_at_least(Grade::B))
}

/// The parent of its weights that the company names, where it is this reference. What it says against itself needs no
/// more than its own document; a denial is no admission.
fn admitted<'a>(case: &Case, subject: &'a Subject, reference: &Reference) -> Option<&'a DeclaredParent> {
    let is_admission = |it: &&DeclaredParent| it.part == "weights" && it.when != Some(Disclosed::Denied);
    let mut parents = subject.declared_parents.iter().filter(is_admission);
    parents.find(|it| reference.is_called(&it.model) && case.support(&it.evidence).is_at_least(Grade::D))
}
