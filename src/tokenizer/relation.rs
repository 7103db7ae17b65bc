//! The relation of two vocabularies in one word, from named rules, the most telling first.
//!
//! *Calibration*: published vocabularies of 2023 to 2026. Those learned apart share at most 0.61 of all their tokens,
//! and have what both have in another order: tau of their merges is 0.29 to 0.64 (DeepSeek V3, Gemma 3, Llama 3,
//! Mistral, Qwen). Those built on one another, or on a third as Llama 3 and Qwen are on `OpenAI`'s `cl100k`, reach 0.96
//! to 1.
//!
//! *What it cannot tell*: who took from whom, or whether both took from a third. No word here says anything on weights.

use crate::fact::{MergeOverlap, TokenOverlap, TokenizerRelation};
use crate::tokenizer::shared::is_learned;
use crate::tokenizer::{Class, Token, Vocabulary};

/// Above this share of all learned tokens no pair that was learned apart was seen (0.61).
const OVERLAPPING: f64 = 0.65;
/// Share of the shorter list of merges that has to be in the longer one. It is no evidence by itself: 0.98 of a small
/// list may be in a large one that was learned apart.
const SHARED_MERGES: f64 = 0.5;
/// How nearly in the same order they have to be, as Kendall's tau. Lists learned apart were seen to reach 0.64.
const SAME_ORDER: f64 = 0.9;
/// Or: share of the shorter list that both begin with. Unrelated lists begin alike for some dozen merges.
const COMMON_START: f64 = 0.5;
/// Below so many merges a share of them means little.
const FEW_MERGES: u64 = 200;

/// What was measured on a pair.
pub(crate) struct Measured<'a> {
    pub(crate) pairs: &'a [(u32, u32)],
    /// How many tokens each has learned.
    pub(crate) learned: (u64, u64),
    pub(crate) tokens: &'a TokenOverlap,
    pub(crate) merges: Option<&'a MergeOverlap>,
}

/// The first word that fits.
pub(crate) fn relation(subject: &Vocabulary, reference: &Vocabulary, measured: &Measured<'_>) -> TokenizerRelation {
    let same_merges = subject.merges == reference.merges || subject.merges.is_empty() || reference.merges.is_empty();
    let (keeps_all, is_kept) = (keeps(subject, reference), keeps(reference, subject));
    let (ours, theirs) = measured.learned;
    let shared = measured.tokens.shared_learned;
    let in_order = shared > 0 && is_in_order(subject, measured.pairs);
    let same_learned = (keeps_all && is_kept) || (shared > 0 && ours == shared && theirs == shared);
    if same_learned && same_merges && ((keeps_all && is_kept) || in_order) {
        return same_but_added(subject, reference);
    }
    if keeps_all && !is_kept {
        return TokenizerRelation::Superset;
    }
    if in_order && ours == shared && theirs > shared {
        return TokenizerRelation::Trimmed;
    }
    if same_learned {
        return TokenizerRelation::Reordered;
    }
    if measured.merges.is_some_and(|it| are_shared(it, subject, reference)) {
        return TokenizerRelation::SharedMerges;
    }
    let overlaps = measured.tokens.jaccard.is_some_and(|it| it > OVERLAPPING);
    if overlaps { TokenizerRelation::Overlapping } else { TokenizerRelation::Unrelated }
}

/// Learned tokens are the same, and their order. What was added by hand decides between four words.
fn same_but_added(subject: &Vocabulary, reference: &Vocabulary) -> TokenizerRelation {
    let same_table = subject.tokens.len() == reference.tokens.len()
        && subject.tokens.iter().zip(&reference.tokens).all(|(one, other)| bytes(one) == bytes(other));
    match () {
        () if same_table => TokenizerRelation::Identical,
        () if adds_words(subject, reference) => TokenizerRelation::Superset,
        () if adds_words(reference, subject) => TokenizerRelation::Trimmed,
        () => TokenizerRelation::SameButSpecial,
    }
}

fn bytes(token: &Option<Token>) -> Option<&[u8]> {
    token.as_ref().map(|it| &*it.bytes)
}

/// Whether one has words behind the other's last token. Libraries put new words in as added tokens, and some marks too;
/// a mark is told by its brackets.
fn adds_words(one: &Vocabulary, other: &Vocabulary) -> bool {
    let is_word = |it: &Token| {
        let ends = it.bytes.first().zip(it.bytes.last());
        it.class == Class::Added && !matches!(ends, Some((b'<', b'>') | (b'[', b']')))
    };
    one.size() > other.size() && one.by_id().any(|(id, it)| is_word(it) && other.token(id).is_none())
}

/// Whether one has every learned token of the other, under its id.
fn keeps(one: &Vocabulary, other: &Vocabulary) -> bool {
    let mut learned = other.by_id().filter(|(_, it)| matches!(it.class, Class::Text | Class::Byte)).peekable();
    learned.peek().is_some() && learned.all(|(id, it)| one.token(id).is_some_and(|ours| ours.bytes == it.bytes))
}

/// Whether the learned tokens that both have stand in one order.
fn is_in_order(subject: &Vocabulary, pairs: &[(u32, u32)]) -> bool {
    let is_learned = |id: u32| subject.token(id).is_some_and(is_learned);
    let places = pairs.iter().filter(|(one, _)| is_learned(*one)).map(|(_, other)| other);
    places.is_sorted_by(|one, next| one < next)
}

fn are_shared(merges: &MergeOverlap, subject: &Vocabulary, reference: &Vocabulary) -> bool {
    let shorter = subject.merges.len().min(reference.merges.len()) as u64;
    let share = |part: u64| part as f64 / shorter.max(1) as f64;
    let in_order = merges.tau.as_ref().is_some_and(|it| it.tau >= SAME_ORDER);
    let same_order = share(merges.shared) >= SHARED_MERGES && in_order;
    shorter >= FEW_MERGES && (same_order || share(merges.common_prefix) >= COMMON_START)
}
