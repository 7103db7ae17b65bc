//! Whose the weights of a model are, from its relations to others: a measurement raises what is known, an admission or
//! a shown upstream lowers it, and nothing else moves it.
//!
//! Over references the lowest level that a settled relation gives counts. A derivation settles it where the reference
//! was first, whatever the others say; where the order is not known it leaves it open both ways; where the subject was
//! first it says nothing about the subject. "No derivation found" needs the body read at a power that long training
//! does not escape.

use std::collections::BTreeSet;

use crate::case::{Case, Disclosed, Kind, Subject, TestedRelation};
use crate::evidence::{Basis, Bearing, ConditionKind, OpenBranch, OpenCondition, Order, Relation, Whose};
use crate::fact::{Argument, Message, WeightsRelation};
use crate::rubric::Grade;

/// Levels of weights that are somebody else's.
const DERIVED: [u8; 3] = [0, 1, 2];

/// The level of weights of which no derivation was found.
pub(crate) const NONE_FOUND: u8 = 3;

/// All levels that a measurement of this program leaves possible where it does not decide.
const ANY: [u8; 5] = [0, 1, 2, 3, 4];

/// Whose the weights of a model are, without regard to other models of the case.
pub(crate) fn whose(case: &Case, subject: &Subject, relations: &[Relation]) -> Whose {
    match subject.kind {
        Kind::None => open("whose.no_files", relations),
        Kind::Api => of_interface(case, subject),
        Kind::Files => lowered(case, subject, reported(case, subject, measured(relations))),
    }
}

/// The models of the case among each other: one that was made from another of the company's has the levels of its
/// weakest ancestor, which must be measured itself.
pub(crate) fn with_ancestors(alone: &[Whose], relations: &[Vec<Relation>], ids: &[&str]) -> Vec<Whose> {
    let mut all = alone.to_vec();
    // A chain of ancestors is as long as there are models.
    for _ in ids {
        all = all.iter().enumerate().map(|(idx, it)| inherited(it, &relations[idx], &all, ids)).collect();
    }
    all
}

fn inherited(own: &Whose, relations: &[Relation], all: &[Whose], ids: &[&str]) -> Whose {
    let mut whose = own.clone();
    for relation in relations.iter().filter(|it| it.bearing == Bearing::Derived && it.sibling.is_some()) {
        let position = ids.iter().position(|id| Some(*id) == relation.sibling.as_deref());
        let Some(ancestor) = position.and_then(|it| all.get(it)) else { continue };
        let lower = combined(&whose.levels, &ancestor.levels);
        match relation.order {
            Order::SubjectEarlier => continue,
            Order::ReferenceEarlier => {
                whose.closed &= ancestor.closed;
                whose.levels = lower;
            }
            Order::Unknown => {
                let both: BTreeSet<u8> = whose.levels.iter().chain(&lower).copied().collect();
                whose.closed &= both.len() == whose.levels.len();
                whose.levels = both.into_iter().collect();
            }
        }
        let message = Message::new("whose.own_ancestor").with("model", relation.reference.as_str());
        if !whose.because.contains(&message) {
            whose.because.push(message);
        }
        if !whose.closed && whose.basis == Basis::Measured {
            whose.basis = Basis::Open;
        }
    }
    whose
}

/// The lower of two levels, for every pair that is possible.
fn combined(one: &[u8], other: &[u8]) -> Vec<u8> {
    let pairs = one.iter().flat_map(|it| other.iter().map(|other| *it.min(other)));
    pairs.collect::<BTreeSet<u8>>().into_iter().collect()
}

/// What the relations to models of others say.
fn measured(relations: &[Relation]) -> Whose {
    let others: Vec<&Relation> = relations.iter().filter(|it| !it.own).collect();
    let derived =
        |order: Order| others.iter().copied().filter(move |it| it.bearing == Bearing::Derived && it.order == order);
    let settled: Vec<&Relation> = derived(Order::ReferenceEarlier).collect();
    if let Some(nearest) = settled.iter().min_by_key(|it| it.levels.iter().min().copied()) {
        let because = settled.iter().map(|it| sentence("whose.derived", it)).collect();
        return closed(nearest.levels.clone(), because, &others);
    }
    let unordered: Vec<&Relation> = derived(Order::Unknown).collect();
    let undecided = others.iter().copied().filter(|it| is_undecided(it)).collect::<Vec<_>>();
    let clear: Vec<&Relation> = others.iter().copied().filter(|it| is_clear(it)).collect();
    let mut because: Vec<Message> = derived(Order::SubjectEarlier).map(|it| sentence("whose.later", it)).collect();
    let unmeasured = relations.iter().filter(|it| it.own && it.sibling.is_none() && it.bearing == Bearing::Derived);
    let unmeasured: Vec<&Relation> = unmeasured.collect();
    because.extend(unmeasured.iter().map(|it| sentence("whose.own_unmeasured", it)));
    because.extend(unordered.iter().map(|it| sentence("whose.order", it)));
    because.extend(undecided_because(&undecided));
    because.extend(others.iter().filter(|it| it.is_untestable_near()).map(|it| sentence("whose.out_of_reach", it)));
    because.extend(clear.iter().map(|it| sentence(clear_key(it), it)));
    if unordered.is_empty() && undecided.is_empty() && unmeasured.is_empty() && !clear.is_empty() {
        let conditions = order_of_parts(&clear).into_iter().collect();
        return Whose { conditions, ..closed(vec![NONE_FOUND], because, &others) };
    }
    if clear.is_empty() && unordered.is_empty() && undecided.is_empty() {
        because.push(Message::new("whose.none_examined"));
    }
    let conditions = conditions(&others, &unordered, &undecided, &clear);
    let levels = match unordered.is_empty() {
        true => ANY.to_vec(),
        false => levels_of(&unordered).into_iter().chain([NONE_FOUND, 4]).collect(),
    };
    Whose { levels, closed: false, basis: Basis::Open, because, conditions, ..counted(&others) }
}

fn clear_key(relation: &Relation) -> &'static str {
    if relation.bearing == Bearing::ClearButPart { "whose.part" } else { "whose.clear" }
}

fn is_clear(relation: &Relation) -> bool {
    matches!(relation.bearing, Bearing::Clear | Bearing::ClearButPart)
}

/// Which relations are not decided: those that were examined, each in a sentence, and near models that were not tested,
/// in one.
fn undecided_because(undecided: &[&Relation]) -> Vec<Message> {
    let (untested, examined): (Vec<&Relation>, Vec<&Relation>) =
        undecided.iter().copied().partition(|it| it.is_untested_near() && !it.has_weights);
    let key = |it: &Relation| {
        let is_kept_rows = it.fingerprint && it.relation == WeightsRelation::Independent;
        if is_kept_rows { "whose.kept_rows" } else { "whose.undecided" }
    };
    let mut because: Vec<Message> = examined.iter().map(|it| sentence(key(it), it)).collect();
    if !untested.is_empty() {
        let names: Vec<String> = untested.iter().map(|it| it.reference.clone()).collect();
        because.push(Message::new("whose.near").with("references", list(&names)));
    }
    because
}

/// Examined and not decided, not examined although its weights are at hand, or near, not tested and within reach.
fn is_undecided(relation: &Relation) -> bool {
    match relation.bearing {
        Bearing::Open => true,
        Bearing::Unexamined => relation.has_weights || relation.is_untested_near(),
        Bearing::Derived | Bearing::Clear | Bearing::ClearButPart => false,
    }
}

fn levels_of(relations: &[&Relation]) -> BTreeSet<u8> {
    relations.iter().flat_map(|it| it.levels.iter().copied()).collect()
}

/// What would settle it: first the order of publication, then a test.
fn conditions(
    others: &[&Relation],
    unordered: &[&Relation],
    undecided: &[&Relation],
    clear: &[&Relation],
) -> Vec<OpenCondition> {
    let branch = |fact: &str, levels: Vec<u8>, closed: bool| OpenBranch {
        fact: fact.to_owned(),
        levels,
        closed,
        distinctive: None,
    };
    let mut found = Vec::new();
    if !unordered.is_empty() {
        let is_settled = undecided.is_empty() && !clear.is_empty();
        let without = if is_settled { vec![NONE_FOUND] } else { ANY.to_vec() };
        let lowest = unordered.iter().min_by_key(|it| it.levels.iter().min().copied());
        let derived = lowest.map(|it| it.levels.clone()).unwrap_or_default();
        found.push(OpenCondition {
            kind: ConditionKind::Order,
            references: names(unordered),
            branches: vec![branch("subject_earlier", without, is_settled), branch("reference_earlier", derived, true)],
        });
    }
    let unexamined = others.iter().copied().filter(|it| it.bearing == Bearing::Unexamined && !it.has_weights);
    let untested: Vec<&Relation> = if undecided.is_empty() && clear.is_empty() && unordered.is_empty() {
        unexamined.collect()
    } else {
        undecided.to_vec()
    };
    if !untested.is_empty() && unordered.is_empty() {
        found.push(OpenCondition {
            kind: ConditionKind::Test,
            references: names(&untested),
            branches: vec![branch("independent", vec![NONE_FOUND], true), branch("derived", DERIVED.to_vec(), true)],
        });
    }
    found
}

fn names(relations: &[&Relation]) -> Vec<String> {
    relations.iter().map(|it| it.reference.clone()).collect()
}

/// A body of which no derivation was found, with a part that another model has, too: who was first decides whose part
/// it is.
fn order_of_parts(clear: &[&Relation]) -> Option<OpenCondition> {
    let is_open = |it: &&Relation| it.bearing == Bearing::ClearButPart && it.order == Order::Unknown;
    let unordered: Vec<&Relation> = clear.iter().copied().filter(is_open).collect();
    let branch = |fact: &str, distinctive: bool| OpenBranch {
        fact: fact.to_owned(),
        levels: vec![NONE_FOUND],
        closed: true,
        distinctive: Some(distinctive),
    };
    (!unordered.is_empty()).then(|| OpenCondition {
        kind: ConditionKind::Order,
        references: names(&unordered),
        branches: vec![branch("subject_earlier", false), branch("reference_earlier", true)],
    })
}

/// An interface has no weights to examine: what it is served from is shown, or it stays open. A closed laboratory is no
/// wrapper.
fn of_interface(case: &Case, subject: &Subject) -> Whose {
    let shown = subject.upstream.as_ref().filter(|it| case.support(&it.evidence).shows());
    match (shown, &subject.upstream) {
        (Some(upstream), _) => {
            let because = Message::new("whose.upstream").with("model", upstream.model.as_str());
            Whose { levels: vec![0], closed: true, basis: Basis::Upstream, because: vec![because], ..counted(&[]) }
        }
        (None, Some(upstream)) => {
            let because = Message::new("whose.upstream_not_shown").with("model", upstream.model.as_str());
            Whose { because: vec![because], ..open("whose.no_upstream", &[]) }
        }
        (None, None) => open("whose.no_upstream", &[]),
    }
}

/// A published test counts where this case has none of its own.
fn reported(case: &Case, subject: &Subject, whose: Whose) -> Whose {
    if whose.closed || whose.examined > 0 {
        return whose;
    }
    let counts = |evidence: &[String]| {
        let by_others = |id: &&String| case.ledger.get(*id).is_some_and(|it| it.method == "third_party");
        let evidence: Vec<String> = evidence.iter().filter(by_others).cloned().collect();
        case.support(&evidence).is_at_least(Grade::C)
    };
    let mut tests: Vec<_> = subject.reported_tests.iter().filter(|it| counts(&it.evidence)).collect();
    // The one that finds a derivation first: a second test that finds none does not take it back.
    tests.sort_by_key(|it| (it.relation == TestedRelation::Independent, it.reference.clone()));
    let Some(test) = tests.first() else { return whose };
    let (levels, key) = match test.relation {
        TestedRelation::Derived => (DERIVED.to_vec(), "whose.reported_derived"),
        TestedRelation::Independent => (vec![NONE_FOUND], "whose.reported_independent"),
    };
    let because = Message::new(key).with("reference", test.reference.as_str()).with("evidence", list(&test.evidence));
    Whose { levels, basis: Basis::Reported, because: vec![because], ..whose }
}

/// What the company says against itself lowers the levels, on its own document already.
fn lowered(case: &Case, subject: &Subject, whose: Whose) -> Whose {
    let is_admission = |it: &&crate::case::DeclaredParent| {
        it.part == "weights" && it.when != Some(Disclosed::Denied) && case.support(&it.evidence).is_at_least(Grade::D)
    };
    let is_own = |name: &str| case.subjects.iter().any(|it| it.id != subject.id && it.is_called(name));
    let mut admissions = subject.declared_parents.iter().filter(is_admission).filter(|it| !is_own(&it.model));
    let Some(parent) = admissions.next() else { return whose };
    let derived: Vec<u8> = whose.levels.iter().copied().filter(|it| DERIVED.contains(it)).collect();
    if whose.closed && !derived.is_empty() {
        return whose;
    }
    let levels = if derived.is_empty() { DERIVED.to_vec() } else { derived };
    let because = Message::new("whose.admitted").with("model", parent.model.as_str());
    let because = std::iter::once(because).chain(whose.because).collect();
    Whose { levels, closed: true, basis: Basis::Admitted, because, conditions: Vec::new(), ..whose }
}

fn list(evidence: &[String]) -> Argument {
    Argument::List(evidence.iter().map(|it| Argument::from(it.as_str())).collect())
}

fn sentence(key: &str, relation: &Relation) -> Message {
    Message::new(key).with("reference", relation.reference.as_str()).with("because", relation.order_because.clone())
}

fn closed(levels: Vec<u8>, because: Vec<Message>, others: &[&Relation]) -> Whose {
    Whose { levels, closed: true, basis: Basis::Measured, because, ..counted(others) }
}

fn open(key: &str, relations: &[Relation]) -> Whose {
    let others: Vec<&Relation> = relations.iter().filter(|it| !it.own).collect();
    Whose { because: vec![Message::new(key)], ..counted(&others) }
}

/// Nothing known, and how many references there are.
fn counted(others: &[&Relation]) -> Whose {
    let examined = others.iter().filter(|it| it.bearing != Bearing::Unexamined).count();
    Whose {
        levels: ANY.to_vec(),
        closed: false,
        basis: Basis::Open,
        because: Vec::new(),
        conditions: Vec::new(),
        examined: u64::try_from(examined).unwrap_or(u64::MAX),
        references: u64::try_from(others.len()).unwrap_or(u64::MAX),
    }
}
