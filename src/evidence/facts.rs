//! The flat facts that gates may name, each with what it was seen in.

use crate::case::Case;
use crate::claims::{self, About, Check, Claim, ClaimValue};
use crate::fact::{Comparison, Fact, Facts, Unknown, Value, WeightsRelation};

/// States every fact; what nobody knows is stated as unknown, with the reason.
pub(crate) fn facts<'a>(
    case: &Case,
    checks: &[Check],
    comparisons: impl Iterator<Item = &'a Comparison> + Clone,
) -> Facts {
    let mut facts = Facts::new();
    for about in About::ALL {
        facts.insert(format!("claim.{}", about.word()), claimed(&case.claims, about));
    }
    for check in checks {
        facts.insert(format!("check.{}", check.id), word(check.outcome.word(), check.rests_on.clone()));
    }
    facts.insert("claims.worst".to_owned(), worst(checks));
    facts.insert("ledger.tampered".to_owned(), tampered(case));
    facts.insert("form.closest".to_owned(), closest(comparisons.clone()));
    facts.insert("weights.relation".to_owned(), weights(case, comparisons));
    facts
}

fn word(word: &str, seen_in: Vec<String>) -> Fact {
    Fact { value: Value::Word(word.to_owned()), seen_in }
}

/// The latest word on something; on yes or no, a yes that was ever said.
fn claimed(claims: &[Claim], about: About) -> Fact {
    let mut said: Vec<&Claim> = claims.iter().filter(|it| it.about == about).collect();
    said.sort_by(|one, other| one.date.cmp(&other.date).then_with(|| one.id.cmp(&other.id)));
    let yes = said.iter().find(|it| it.value == ClaimValue::Yes(true)).copied();
    let value = match yes.or(said.last().copied()).map(|it| &it.value) {
        Some(ClaimValue::Number(figure)) => Value::Number(figure.point()),
        Some(ClaimValue::Yes(yes)) => Value::Yes(*yes),
        Some(ClaimValue::Date(day)) => Value::Word(day.to_string()),
        Some(ClaimValue::Name(name)) => Value::Word(name.clone()),
        None => Value::Unknown(Unknown::NotAsked),
    };
    Fact { value, seen_in: said.iter().map(|it| it.id.clone()).collect() }
}

fn worst(checks: &[Check]) -> Fact {
    let worst = claims::worst(checks);
    let grave = checks.iter().filter(|it| it.outcome == worst).map(|it| format!("check.{}", it.id));
    word(worst.word(), grave.collect())
}

/// Whether a file of the ledger is no longer the one that was entered.
fn tampered(case: &Case) -> Fact {
    let altered = case.ledger.values().filter(|it| it.is_altered());
    let seen_in: Vec<String> = altered.map(|it| it.id.clone()).collect();
    Fact { value: Value::Yes(!seen_in.is_empty()), seen_in }
}

/// The closest relation by form of any subject to any reference.
fn closest<'a>(comparisons: impl Iterator<Item = &'a Comparison> + Clone) -> Fact {
    let Some(relation) = comparisons.clone().map(|it| it.form.relation).min() else {
        return Fact { value: Value::Unknown(Unknown::Absent), seen_in: Vec::new() };
    };
    let value = serde_json::to_value(relation).expect("a word");
    let seen_in = comparisons.filter(|it| it.form.relation == relation).map(Comparison::pair).collect();
    word(value.as_str().unwrap_or_default(), seen_in)
}

/// The closest relation by weights of any subject to any reference that the case does not put forward as its own; unknown
/// where no weight was read.
fn weights<'a>(case: &Case, comparisons: impl Iterator<Item = &'a Comparison> + Clone) -> Fact {
    let others = comparisons.filter(|it| !case.is_subject(&it.reference.location));
    let examined = others.clone().filter(|it| it.weights.relation != WeightsRelation::Unexamined);
    let Some(relation) = examined.clone().map(|it| it.weights.relation).min_by_key(|it| closeness(*it)) else {
        return Fact { value: Value::Unknown(Unknown::Unexamined), seen_in: others.map(Comparison::pair).collect() };
    };
    let seen_in = examined.filter(|it| it.weights.relation == relation).map(Comparison::pair).collect();
    word(relation.word(), seen_in)
}

/// Lower is closer.
fn closeness(relation: WeightsRelation) -> u8 {
    match relation {
        WeightsRelation::Identical => 0,
        WeightsRelation::Derived => 1,
        WeightsRelation::ComponentDerived => 2,
        WeightsRelation::SharedInit => 3,
        WeightsRelation::Undetermined => 4,
        WeightsRelation::Independent => 5,
        WeightsRelation::Unexamined => 6,
    }
}
