//! Projections that one side keeps in one matrix and the other keeps apart, proved by shape algebra.

use crate::blueprint::Blueprint;
use crate::blueprint::matching::{Matching, place};
use crate::blueprint::part::Part;
use crate::fact::Projection;

/// A fused role and the roles it is made of.
const FUSED: &[(&str, &[&str])] = &[
    ("attention.query_key_value", &["attention.query", "attention.key", "attention.value"]),
    ("attention.query_key_value.bias", &["attention.query.bias", "attention.key.bias", "attention.value.bias"]),
    ("attention.key_value", &["attention.key", "attention.value"]),
    ("ffn.gate_up", &["ffn.gate", "ffn.up"]),
    ("ffn.gate_up.bias", &["ffn.gate.bias", "ffn.up.bias"]),
    ("expert.ffn.gate_up", &["expert.ffn.gate", "expert.ffn.up"]),
    ("expert.ffn.gate_up.bias", &["expert.ffn.gate.bias", "expert.ffn.up.bias"]),
    ("shared_expert.gate_up", &["shared_expert.gate", "shared_expert.up"]),
];

/// Projections found, and whether all of them add up to the same size on both sides.
pub(crate) struct Found {
    pub(crate) projections: Vec<Projection>,
    pub(crate) same_dimensions: bool,
}

/// Takes fused and split projections that answer each other out of what is still open.
pub(crate) fn find(matching: &mut Matching<'_>, subject: &Blueprint, reference: &Blueprint) -> Found {
    let mut found = Found { projections: Vec::new(), same_dimensions: true };
    for (fused, split) in FUSED {
        let ours = pick(matching.subject, &matching.open_subject, &[fused]);
        let theirs = pick(matching.reference, &matching.open_reference, split);
        if let Some((ours, theirs)) = ours.zip(theirs) {
            settle(matching, &mut found, subject, reference, &ours, &theirs, "subject fuses");
        }
        let ours = pick(matching.subject, &matching.open_subject, split);
        let theirs = pick(matching.reference, &matching.open_reference, &[fused]);
        if let Some((ours, theirs)) = ours.zip(theirs) {
            settle(matching, &mut found, subject, reference, &ours, &theirs, "subject splits");
        }
    }
    found
}

/// The same, where shapes are not known and roles are all that tells.
pub(crate) fn find_by_names(matching: &mut Matching<'_>) -> Vec<Projection> {
    let mut found = Vec::new();
    for (fused, split) in FUSED {
        for (ours, theirs, kind) in [(&[*fused][..], *split, "subject fuses"), (split, &[*fused][..], "subject splits")]
        {
            let ours = pick(matching.subject, &matching.open_subject, ours);
            let theirs = pick(matching.reference, &matching.open_reference, theirs);
            if let Some((ours, theirs)) = ours.zip(theirs) {
                found.push(taken(matching, &ours, &theirs, kind));
            }
        }
    }
    found
}

/// Takes two groups out of what is open.
fn taken(matching: &mut Matching<'_>, ours: &[usize], theirs: &[usize], kind: &str) -> Projection {
    matching.open_subject.retain(|it| !ours.contains(it));
    matching.open_reference.retain(|it| !theirs.contains(it));
    Projection {
        subject: ours.iter().map(|it| matching.subject[*it].name.clone()).collect(),
        reference: theirs.iter().map(|it| matching.reference[*it].name.clone()).collect(),
        kind: kind.to_owned(),
    }
}

/// One open part for each role.
fn pick(parts: &[Part], open: &[usize], roles: &[&str]) -> Option<Vec<usize>> {
    let mut picked: Vec<usize> = Vec::new();
    for role in roles {
        let fits = |it: &&usize| !picked.contains(*it) && parts[**it].role.may_be(role);
        let found = open.iter().find(|it| fits(it) && parts[**it].role.is(role)).or_else(|| open.iter().find(fits));
        picked.push(*found?);
    }
    Some(picked)
}

fn settle(
    matching: &mut Matching<'_>,
    found: &mut Found,
    subject: &Blueprint,
    reference: &Blueprint,
    ours: &[usize],
    theirs: &[usize],
    kind: &str,
) {
    let our_parts: Vec<&Part> = ours.iter().map(|it| &matching.subject[*it]).collect();
    let their_parts: Vec<&Part> = theirs.iter().map(|it| &matching.reference[*it]).collect();
    let (Some(our_total), Some(their_total)) = (total(&our_parts, subject), total(&their_parts, reference)) else {
        return;
    };
    let is_same_size = our_total == their_total && place(our_parts[0]) == place(their_parts[0]);
    let adds_up = is_same_size || is_whole(&our_parts, subject) && is_whole(&their_parts, reference);
    if !adds_up {
        return;
    }
    found.same_dimensions &= is_same_size;
    found.projections.push(taken(matching, ours, theirs, kind));
}

/// The size of the projection across the stream, and the size of the stream; none where the parts do not fit together.
fn total(parts: &[&Part], blueprint: &Blueprint) -> Option<(u64, u64)> {
    let hidden = blueprint.dimensions.get("hidden")?;
    let is_one_place = parts.iter().all(|it| place(it) == place(parts[0]) && it.variants.len() == 1);
    let width = |part: &&Part| match part.shape() {
        [one, other] if *other == hidden => Some(*one),
        [one, other] if *one == hidden => Some(*other),
        [one] => Some(*one),
        _ => None,
    };
    let widths: Option<Vec<u64>> = parts.iter().map(width).collect();
    let total = widths?.into_iter().try_fold(0_u64, u64::checked_add)?;
    is_one_place.then_some((total, hidden))
}

/// Whether a projection has the size that the other parts of its own model demand.
fn is_whole(parts: &[&Part], blueprint: &Blueprint) -> bool {
    let size = |name: &str| blueprint.dimensions.get(name);
    let Some((total, _)) = total(parts, blueprint) else { return false };
    let role = parts[0].role.names().first().map_or("", String::as_str);
    let expected = if role.starts_with("attention.") {
        let both = size("key_value_width").and_then(|it| it.checked_mul(2));
        let with_query = both.zip(size("query_width")).and_then(|(both, query)| both.checked_add(query));
        if parts.iter().any(|it| it.role.may_be("attention.key_value")) || parts.len() == 2 { both } else { with_query }
    } else {
        let width = role.rsplit_once(".").map(|(scope, _)| {
            match scope.trim_end_matches(".gate_up").trim_end_matches(".gate") {
                "ffn" => "ffn",
                "expert.ffn" => "expert_ffn",
                _ => "shared_ffn",
            }
        });
        width.and_then(size).and_then(|it| it.checked_mul(2))
    };
    expected == Some(total)
}
