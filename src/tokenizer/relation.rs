//! The relation of two vocabularies in one word, from named rules, the most telling first.
//!
//! *Calibration*: 46 published vocabularies. Pairs that were learned apart share at most 0.61 of all tokens; those known
//! to be taken over share 0.99 and more, or all of the smaller one's merges.
//!
//! *What it cannot tell*: who took from whom, or whether both took from a third. No word here says anything on weights.

use crate::fact::{MergeOverlap, TokenOverlap, TokenizerRelation};
use crate::tokenizer::shared::is_learned;
use crate::tokenizer::{Class, Token, Vocabulary, containment};

/// Above this share of all learned tokens no pair that was learned apart was seen (0.61).
const OVERLAPPING: f64 = 0.65;
/// Share of the shorter list of merges that has to be in the longer one. Unrelated lists reach about 0.8.
const SHARED_MERGES: f64 = 0.9;
/// How nearly in the same order they have to be. Lists learned apart on similar text reach about 0.8.
const SAME_ORDER: f64 = 0.9;
/// Or: share of the shorter list that both begin with. Unrelated lists begin alike for some dozen merges.
const COMMON_START: f64 = 0.5;
/// Below so many merges a share of them means little.
const FEW_MERGES: u64 = 200;

/// What was measured on a pair.
pub(crate) struct Measured<'a> {
    pub(crate) pairs: &'a [(u32, u32)],
    pub(crate) tokens: &'a TokenOverlap,
    pub(crate) merges: Option<&'a MergeOverlap>,
}

/// The first word that fits.
pub(crate) fn relation(subject: &Vocabulary, reference: &Vocabulary, measured: &Measured<'_>) -> TokenizerRelation {
    let keeps_all = keeps(subject, reference);
    let is_kept = keeps(reference, subject);
    let same_merges = subject.merges == reference.merges || subject.merges.is_empty() || reference.merges.is_empty();
    if keeps_all && is_kept && same_merges {
        return same_learned(subject, reference);
    }
    if keeps_all && !is_kept {
        return TokenizerRelation::Superset;
    }
    if is_trimmed(subject, reference, measured) {
        return TokenizerRelation::Trimmed;
    }
    if has_same_learned(subject, reference, measured.tokens) {
        return TokenizerRelation::Reordered;
    }
    if measured.merges.is_some_and(|it| are_shared(it, subject, reference)) {
        return TokenizerRelation::SharedMerges;
    }
    let overlaps = measured.tokens.jaccard.is_some_and(|it| it > OVERLAPPING);
    if overlaps { TokenizerRelation::Overlapping } else { TokenizerRelation::Unrelated }
}

/// Learned tokens are the same, and their ids. What was added by hand decides between three words.
fn same_learned(subject: &Vocabulary, reference: &Vocabulary) -> TokenizerRelation {
    let same_table = subject.tokens.len() == reference.tokens.len()
        && subject.tokens.iter().zip(&reference.tokens).all(|(one, other)| bytes(one) == bytes(other));
    if same_table {
        return TokenizerRelation::Identical;
    }
    // Libraries put new words in as added tokens: that extends a vocabulary, and is no matter of marks.
    let added = |(id, it): (u32, &Token)| it.class == Class::Added && reference.token(id).is_none();
    let is_extended = subject.size() > reference.size() && subject.by_id().any(added);
    if is_extended { TokenizerRelation::Superset } else { TokenizerRelation::SameButSpecial }
}

fn bytes(token: &Option<Token>) -> Option<&[u8]> {
    token.as_ref().map(|it| &*it.bytes)
}

/// Whether one has every learned token of the other, under its id.
fn keeps(one: &Vocabulary, other: &Vocabulary) -> bool {
    let mut learned = other.by_id().filter(|(_, it)| matches!(it.class, Class::Text | Class::Byte)).peekable();
    learned.peek().is_some() && learned.all(|(id, it)| one.token(id).is_some_and(|ours| ours.bytes == it.bytes))
}

/// Fewer tokens, each of them the reference's, and the reference's order.
fn is_trimmed(subject: &Vocabulary, reference: &Vocabulary, measured: &Measured<'_>) -> bool {
    let is_learned = |id: u32| subject.token(id).is_some_and(is_learned);
    let places = measured.pairs.iter().filter(|(one, _)| is_learned(*one)).map(|(_, other)| other);
    let has_all = measured.tokens.shared_learned > 0 && containment::learned(subject) == measured.tokens.shared_learned;
    has_all && subject.size() < reference.size() && places.is_sorted_by(|one, next| one < next)
}

fn has_same_learned(subject: &Vocabulary, reference: &Vocabulary, tokens: &TokenOverlap) -> bool {
    let all = [containment::learned(subject), containment::learned(reference)];
    tokens.shared_learned > 0 && all.iter().all(|it| *it == tokens.shared_learned)
}

fn are_shared(merges: &MergeOverlap, subject: &Vocabulary, reference: &Vocabulary) -> bool {
    let shorter = subject.merges.len().min(reference.merges.len()) as u64;
    let share = |part: u64| part as f64 / shorter.max(1) as f64;
    let in_order = merges.tau.as_ref().is_some_and(|it| it.tau >= SAME_ORDER);
    let same_order = share(merges.shared) >= SHARED_MERGES && in_order;
    shorter >= FEW_MERGES && (same_order || share(merges.common_prefix) >= COMMON_START)
}
