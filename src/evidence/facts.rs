//! The flat facts that gates may name, each with what it was seen in.

use std::collections::BTreeMap;

use crate::case::{Case, Subject};
use crate::claims::{self, About, Check, Claim, ClaimValue, Outcome};
use crate::evidence::{Bearing, Disclosure, Order, Relation};
use crate::fact::{Comparison, Fact, Facts, Unknown, Value};
use crate::rubric::Grade;

/// What a company can take from another model.
const PARTS: [&str; 5] = ["architecture", "code", "data", "tokenizer", "weights"];

/// The check of claimed against counted numbers.
const COUNTED: &str = "counted";

/// What facts of one model are stated from.
pub(crate) struct Known<'a> {
    pub(crate) case: &'a Case,
    pub(crate) subject: &'a Subject,
    pub(crate) checks: &'a [Check],
    pub(crate) comparisons: &'a [Comparison],
    pub(crate) relations: &'a [Relation],
    pub(crate) disclosures: &'a BTreeMap<String, Disclosure>,
}

/// Facts of the whole case.
pub(crate) fn of_case(case: &Case) -> Facts {
    Facts::from([("ledger.tampered".to_owned(), tampered(case))])
}

/// Facts of one model; what nobody knows is stated as unknown, with the reason.
pub(crate) fn of_model(known: &Known<'_>) -> Facts {
    let mut facts = Facts::new();
    let claims = known.case.claims_about(&known.subject.id);
    for about in About::ALL {
        let fact = if is_statement(about) { stated(known.case, &claims, about) } else { claimed(&claims, about) };
        facts.insert(format!("claim.{}", about.word()), fact);
    }
    for check in known.checks {
        facts.insert(format!("check.{}", check.id), word(check.outcome.word(), check.rests_on.clone()));
    }
    facts.insert("claims.worst".to_owned(), worst(known.checks));
    facts.insert("counted.contradicted".to_owned(), contradicted(known));
    for part in PARTS {
        facts.insert(format!("disclosed.{part}"), disclosed(known.disclosures.get(part)));
    }
    facts.insert("model.kind".to_owned(), word(known.subject.kind.word(), Vec::new()));
    facts.insert("form.closest".to_owned(), closest(known.comparisons));
    facts.insert("borrowed.distinctive".to_owned(), distinctive(known.relations));
    facts.insert("weights.relation".to_owned(), weights(known.relations));
    facts.insert("weights.title".to_owned(), title(known.relations));
    facts
}

fn word(word: &str, seen_in: Vec<String>) -> Fact {
    Fact { value: Value::Word(word.to_owned()), seen_in }
}

fn is_statement(about: About) -> bool {
    matches!(about, About::FromScratch | About::OwnWork)
}

/// A statement that can accuse: shown where its evidence suffices for that, unknown where it does not.
fn stated(case: &Case, claims: &[Claim], about: About) -> Fact {
    let said: Vec<&Claim> = claims.iter().filter(|it| it.about == about).collect();
    let affirmed: Vec<&Claim> = said.iter().copied().filter(|it| it.value == ClaimValue::Yes(true)).collect();
    let sources: Vec<String> = affirmed.iter().flat_map(|it| it.source.iter().cloned()).collect();
    let value = match () {
        () if said.is_empty() => "none",
        () if affirmed.is_empty() => "no",
        () if case.support_of_statement(&sources).shows() => "shown",
        // Hearsay is none on record.
        () if !case.support_of_statement(&sources).is_at_least(Grade::D) => "hearsay",
        () => return Fact { value: Value::Unknown(Unknown::Unexamined), seen_in: seen_in(&said) },
    };
    word(value, seen_in(&said))
}

fn seen_in(said: &[&Claim]) -> Vec<String> {
    said.iter().map(|it| it.id.clone()).collect()
}

/// The latest word on something.
fn claimed(claims: &[Claim], about: About) -> Fact {
    let mut said: Vec<&Claim> = claims.iter().filter(|it| it.about == about).collect();
    said.sort_by(|one, other| one.date.cmp(&other.date).then_with(|| one.id.cmp(&other.id)));
    let value = match said.last().map(|it| &it.value) {
        Some(ClaimValue::Number(number)) => Value::Number(number.point()),
        Some(ClaimValue::Yes(yes)) => Value::Yes(*yes),
        Some(ClaimValue::Date(day)) => Value::Word(day.to_string()),
        Some(ClaimValue::Name(name)) => Value::Word(name.clone()),
        None => Value::Unknown(Unknown::NotAsked),
    };
    Fact { value, seen_in: said.iter().map(|it| it.id.clone()).collect() }
}

/// The gravest outcome; claimed against counted is a fact of its own.
fn worst(checks: &[Check]) -> Fact {
    let checks: Vec<Check> = checks.iter().filter(|it| it.id != COUNTED).cloned().collect();
    let worst = claims::worst(&checks);
    let grave = checks.iter().filter(|it| it.outcome == worst).map(|it| format!("check.{}", it.id));
    word(worst.word(), grave.collect())
}

/// Whether the files of a model that is sold cannot be those of the model that is claimed.
fn contradicted(known: &Known<'_>) -> Fact {
    let found = known.checks.iter().find(|it| it.id == COUNTED && it.outcome == Outcome::Impossible);
    let seen_in = found.map(|it| it.rests_on.clone()).unwrap_or_default();
    Fact { value: Value::Yes(found.is_some() && known.subject.sold), seen_in }
}

fn disclosed(disclosure: Option<&Disclosure>) -> Fact {
    match disclosure.map(|it| (it.values.as_slice(), it)) {
        Some(([value], it)) => word(value, it.evidence.clone()),
        Some((_, it)) => Fact { value: Value::Unknown(Unknown::NotAsked), seen_in: it.evidence.clone() },
        None => Fact { value: Value::Unknown(Unknown::NotAsked), seen_in: Vec::new() },
    }
}

/// Whether a file of the ledger is no longer the one that was entered.
fn tampered(case: &Case) -> Fact {
    let altered = case.ledger.values().filter(|it| it.is_altered());
    let seen_in: Vec<String> = altered.map(|it| it.id.clone()).collect();
    Fact { value: Value::Yes(!seen_in.is_empty()), seen_in }
}

/// The closest relation by form to any reference.
fn closest(comparisons: &[Comparison]) -> Fact {
    let Some(relation) = comparisons.iter().map(|it| it.form.relation).min() else {
        return Fact { value: Value::Unknown(Unknown::Absent), seen_in: Vec::new() };
    };
    let value = serde_json::to_value(relation).expect("a word");
    let seen_in = comparisons.iter().filter(|it| it.form.relation == relation).map(Comparison::pair).collect();
    word(value.as_str().unwrap_or_default(), seen_in)
}

/// Whether a part that is nobody's common property is another's beside a body that is not; unknown where nothing shows
/// who was first.
fn distinctive(relations: &[Relation]) -> Fact {
    let shared: Vec<&Relation> = others(relations).filter(|it| it.bearing == Bearing::ClearButPart).collect();
    let by = |order: Order| shared.iter().filter(move |it| it.order == order).map(|it| it.reference.clone());
    let (taken, unordered): (Vec<String>, Vec<String>) =
        (by(Order::ReferenceEarlier).collect(), by(Order::Unknown).collect());
    match (taken.is_empty(), unordered.is_empty()) {
        (false, _) => Fact { value: Value::Yes(true), seen_in: taken },
        (true, false) => Fact { value: Value::Unknown(Unknown::Unexamined), seen_in: unordered },
        (true, true) => Fact { value: Value::Yes(false), seen_in: Vec::new() },
    }
}

/// The closest relation by weights to any model of others that the company's is not known to be older than; unknown
/// where no weight was read.
fn weights(relations: &[Relation]) -> Fact {
    let later = |it: &&Relation| it.bearing == Bearing::Derived && it.order == Order::SubjectEarlier;
    let examined: Vec<&Relation> =
        others(relations).filter(|it| it.bearing != Bearing::Unexamined).filter(|it| !later(it)).collect();
    let Some(relation) = examined.iter().map(|it| it.relation).max_by_key(|it| it.closeness()) else {
        let seen_in = others(relations).map(|it| it.reference.clone()).collect();
        return Fact { value: Value::Unknown(Unknown::Unexamined), seen_in };
    };
    let seen_in = examined.iter().filter(|it| it.relation == relation).map(|it| it.reference.clone()).collect();
    word(relation.word(), seen_in)
}

/// Whether the people are the company's and the title is not: such a relation is no false statement, and no title
/// either.
fn title(relations: &[Relation]) -> Fact {
    let shared = others(relations)
        .filter(|it| it.bearing == Bearing::Derived && it.same_authors && it.order != Order::SubjectEarlier);
    let seen_in: Vec<String> = shared.map(|it| it.reference.clone()).collect();
    word(if seen_in.is_empty() { "clear" } else { "open" }, seen_in)
}

fn others(relations: &[Relation]) -> impl Iterator<Item = &Relation> {
    relations.iter().filter(|it| !it.own)
}
