//! The same numbers, whatever the tensors that hold them are called and whatever they do.
//!
//! Every tensor of the one is compared with those of the other that are in the same layer and of one size, until one is
//! found that has the same numbers, in the same order. It stops at the first that has no answer, so that it costs next
//! to nothing for models that differ. Exact fact and no test.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::weights::model::tensors::is_nothing;
use crate::weights::model::view::{Kept, Net};

/// Numbers that are read at once, and first.
const PIECE: u64 = 1 << 20;
const FIRST: u64 = 256;

/// So many tensors of one layer and size are tried for each.
const TRIES: usize = 64;

/// Tensors by name.
pub(crate) type Named<'a> = Vec<(&'a str, Kept)>;

/// Whether all tensors of both models hold the same numbers, and any numbers at all.
pub(crate) fn holds(subject: &Net<'_>, reference: &Net<'_>) -> Result<bool, Error> {
    if subject.is_fingerprint() || reference.is_fingerprint() || subject.tensors.is_empty() {
        return Ok(false);
    }
    hold((subject, all(subject)), (reference, all(reference)))
}

fn all<'a>(net: &'a Net<'_>) -> Named<'a> {
    net.tensors.iter().map(|(name, kept)| (name.as_str(), *kept)).collect()
}

/// Those that no test has a place for.
pub(crate) fn others<'a>(net: &'a Net<'_>) -> Named<'a> {
    let kept = |name: &String| net.tensors.get(name).copied();
    net.others.keys().filter_map(|name| Some((name.as_str(), kept(name)?))).collect()
}

/// Whether each of some tensors has its answer among some of the other model, and none of those is left.
pub(crate) fn hold(
    (subject, ours): (&Net<'_>, Named<'_>),
    (reference, theirs): (&Net<'_>, Named<'_>),
) -> Result<bool, Error> {
    if ours.len() != theirs.len() {
        return Ok(false);
    }
    let key = |kept: &Kept| (kept.layer, kept.elements);
    let mut open: BTreeMap<(Option<u32>, u64), Vec<&str>> = BTreeMap::new();
    for (name, kept) in &theirs {
        open.entry(key(kept)).or_default().push(*name);
    }
    for (name, kept) in &ours {
        let Some(candidates) = open.get_mut(&key(kept)) else { return Ok(false) };
        // One of the same name is the likeliest.
        let own = candidates.iter().position(|it| it == name);
        let others = (0..candidates.len()).filter(|it| Some(*it) != own);
        let mut found = None;
        for at in own.into_iter().chain(others).take(TRIES) {
            if are_same((subject, name), (reference, candidates[at]), kept.elements)? {
                found = Some(at);
                break;
            }
        }
        match found {
            Some(at) => drop(candidates.remove(at)),
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn are_same(ours: (&Net<'_>, &str), theirs: (&Net<'_>, &str), elements: u64) -> Result<bool, Error> {
    let (mut from, mut piece) = (0, FIRST);
    while from < elements {
        let to = from.saturating_add(piece).min(elements);
        let (one, other) = (ours.0.numbers.read(ours.1, from..to)?, theirs.0.numbers.read(theirs.1, from..to)?);
        let is_same = |(one, other): (&f32, &f32)| one == other && !is_nothing(*one);
        if one.len() != other.len() || !one.iter().zip(&other).all(is_same) {
            return Ok(false);
        }
        (from, piece) = (to, PIECE);
    }
    Ok(true)
}
