//! Which part of one model answers which part of the other. Names are tried first and trusted least.
//!
//! In this order: the same name with roles that agree; the same role; the same shape, layers and experts with roles
//! that agree; the same set of roles that a part may have. What nothing tells apart is paired in file order, and says
//! so.

use std::collections::BTreeSet;

use crate::blueprint::part::{Component, Part};

/// Two parts that answer each other, by their places in the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) subject: usize,
    pub(crate) reference: usize,
    pub(crate) by: Sign,
}

/// What makes a pair sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The same name.
    Name,
    /// Both names are known and say the same.
    Role,
    /// Nothing else has its shape and place.
    Shape,
    /// Others have the same shape and place: the order in the file decided.
    Order,
}

impl Sign {
    /// The word of the JSON contract.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Role => "role",
            Self::Shape => "shape",
            Self::Order => "order",
        }
    }
}

/// Two lists of parts on their way to being matched.
pub(crate) struct Matching<'a> {
    pub(crate) subject: &'a [Part],
    pub(crate) reference: &'a [Part],
    /// Places that are not matched yet, ascending.
    pub(crate) open_subject: Vec<usize>,
    pub(crate) open_reference: Vec<usize>,
    pub(crate) pairs: Vec<Pair>,
}

impl<'a> Matching<'a> {
    /// Nothing is matched yet.
    pub(crate) fn new(subject: &'a [Part], reference: &'a [Part]) -> Self {
        Self {
            subject,
            reference,
            open_subject: (0..subject.len()).collect(),
            open_reference: (0..reference.len()).collect(),
            pairs: Vec::new(),
        }
    }

    /// Matches what can be matched one to one.
    pub(crate) fn run(&mut self) {
        self.by_name();
        self.by_role();
        self.by_signature();
        self.by_candidates();
        self.pairs.sort_by_key(|it| it.subject);
    }

    /// The same, where shapes are not known: what has no known name stays open.
    pub(crate) fn run_by_names(&mut self) {
        self.by_name();
        self.by_role();
        self.pairs.sort_by_key(|it| it.subject);
    }

    fn take(&mut self, subject: usize, reference: usize, by: Sign) {
        self.open_subject.retain(|it| *it != subject);
        self.open_reference.retain(|it| *it != reference);
        self.pairs.push(Pair { subject, reference, by });
    }

    /// The whole name first: without their prefixes two parts of one model may share a name.
    fn by_name(&mut self) {
        self.by_text(|it| it.name.as_str());
        self.by_text(|it| it.plain.as_str());
    }

    fn by_text(&mut self, text: fn(&Part) -> &str) {
        for subject in self.open_subject.clone() {
            let one = &self.subject[subject];
            let same = |other: &Part| {
                text(other) == text(one) && are_comparable(one, other) && one.role.agrees_with(&other.role)
            };
            let found = self.open_reference.iter().copied().find(|it| same(&self.reference[*it]));
            if let Some(reference) = found {
                self.take(subject, reference, Sign::Name);
            }
        }
    }

    /// Several parts of one role (two kinds of attention in one model) are told apart by their layers, then by order.
    fn by_role(&mut self) {
        for same_place in [true, false] {
            for subject in self.open_subject.clone() {
                let one = &self.subject[subject];
                let same = |other: &Part| {
                    one.role.is_named()
                        && other.role.is_named()
                        && one.role == other.role
                        && are_comparable(one, other)
                        && (!same_place || place(one) == place(other))
                };
                let found = self.open_reference.iter().copied().find(|it| same(&self.reference[*it]));
                if let Some(reference) = found {
                    self.take(subject, reference, Sign::Role);
                }
            }
        }
    }

    /// Groups that are equally many on both sides. Roles should agree; where they only rest on shapes on one side, the
    /// equal shapes of both sides say more.
    fn by_signature(&mut self) {
        self.by_equal_shape(|one, other| one.role.agrees_with(&other.role));
        self.by_equal_shape(|one, other| {
            !(one.role.is_named() && other.role.is_named()) || one.role.agrees_with(&other.role)
        });
    }

    fn by_equal_shape(&mut self, allows: fn(&Part, &Part) -> bool) {
        for subject in self.open_subject.clone() {
            if !self.open_subject.contains(&subject) {
                continue;
            }
            let one = &self.subject[subject];
            let alike = |it: &Part| class(it) == class(one) && (it.variants == one.variants || it.stored == one.stored);
            let ours: Vec<usize> = self.open_subject.iter().copied().filter(|it| alike(&self.subject[*it])).collect();
            let theirs: Vec<usize> =
                self.open_reference.iter().copied().filter(|it| alike(&self.reference[*it])).collect();
            if let Some(answers) = self.assignment(&ours, &theirs, allows) {
                let by = if ours.len() == 1 { Sign::Shape } else { Sign::Order };
                for (ours, theirs) in answers {
                    self.take(ours, theirs, by);
                }
            }
        }
    }

    /// A one-to-one answer between equally long lists in which every pair is allowed, close to the order of both.
    fn assignment(
        &self,
        ours: &[usize],
        theirs: &[usize],
        allows: fn(&Part, &Part) -> bool,
    ) -> Option<Vec<(usize, usize)>> {
        if ours.len() != theirs.len() {
            return None;
        }
        let is_allowed = |one: usize, other: usize| allows(&self.subject[ours[one]], &self.reference[theirs[other]]);
        let mut taken_by: Vec<Option<usize>> = vec![None; theirs.len()];
        for one in 0..ours.len() {
            let mut seen = vec![false; theirs.len()];
            if !augment(one, theirs.len(), &is_allowed, &mut seen, &mut taken_by) {
                return None;
            }
        }
        let answers = taken_by.iter().zip(theirs).filter_map(|(one, other)| one.map(|one| (ours[one], *other)));
        let mut answers: Vec<(usize, usize)> = answers.collect();
        answers.sort_unstable();
        Some(answers)
    }

    /// Parts that may have the same roles, where both sides have equally many.
    fn by_candidates(&mut self) {
        let open = self.open_subject.iter().map(|it| &self.subject[*it]);
        let open = open.chain(self.open_reference.iter().map(|it| &self.reference[*it]));
        let mut sets: Vec<Vec<String>> = open.map(|it| it.role.names().to_vec()).filter(|it| !it.is_empty()).collect();
        sets.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        sets.dedup();
        for set in sets {
            self.within(&set);
        }
    }

    fn within(&mut self, set: &[String]) {
        let fits = |it: &Part| !it.role.is_unknown() && it.role.names().iter().all(|name| set.contains(name));
        let ours: Vec<usize> = self.open_subject.iter().copied().filter(|it| fits(&self.subject[*it])).collect();
        let theirs: Vec<usize> = self.open_reference.iter().copied().filter(|it| fits(&self.reference[*it])).collect();
        let both_named =
            |one: usize, other: usize| self.subject[one].role.is_named() && self.reference[other].role.is_named();
        let pairs: Vec<(usize, usize)> = ours.iter().copied().zip(theirs.iter().copied()).collect();
        let is_sound = ours.len() == theirs.len()
            && pairs.iter().all(|(one, other)| {
                are_comparable(&self.subject[*one], &self.reference[*other]) && !both_named(*one, *other)
            });
        if is_sound {
            let by = if ours.len() == 1 { Sign::Shape } else { Sign::Order };
            for (one, other) in pairs {
                self.take(one, other, by);
            }
        }
    }
}

/// One step of Kuhn's algorithm: finds an answer for `one`, moving earlier answers where it must.
fn augment(
    one: usize,
    count: usize,
    agrees: &impl Fn(usize, usize) -> bool,
    seen: &mut [bool],
    taken_by: &mut [Option<usize>],
) -> bool {
    for other in 0..count {
        if seen[other] || !agrees(one, other) {
            continue;
        }
        seen[other] = true;
        let is_free = taken_by[other].is_none_or(|earlier| augment(earlier, count, agrees, seen, taken_by));
        if is_free {
            taken_by[other] = Some(one);
            return true;
        }
    }
    false
}

/// Whether two parts can answer each other at all: in the same kind of component, in layers or not, in experts or not,
/// with as many axes.
pub(crate) fn are_comparable(one: &Part, other: &Part) -> bool {
    class(one) == class(other)
        && one.is_layered() == other.is_layered()
        && one.has_experts() == other.has_experts()
        && axes(one) == axes(other)
}

/// Axes that are more than 1 long: `[1, 64]` is a vector.
fn axes(part: &Part) -> usize {
    part.shape().iter().filter(|it| **it > 1).count().max(1)
}

/// Towers answer each other under any name.
fn class(part: &Part) -> u8 {
    match part.component {
        Component::Language => 0,
        Component::Prediction => 1,
        Component::Tower(_) => 2,
    }
}

/// The layers that have a part.
pub(crate) fn place(part: &Part) -> BTreeSet<u32> {
    part.variants.iter().flat_map(|it| it.layers.iter().cloned().flatten()).collect()
}
