//! Whether two lists of merges are one list: how far they begin alike, and in which order they have what both have.
//!
//! *What it measures*: the longest common beginning, the merges both have, and Kendall's tau of their ranks.
//!
//! *Null*: that of Kendall's tau (`kendall.rs`). The common beginning has none: lists that were learned apart agree on
//! one or none at the start (DeepSeek V3, Gemma 3, Llama 3, Mistral, Qwen), tiny ones on a handful.
//!
//! *What it cannot tell*: exporters that make up merges from a `SentencePiece` vocabulary use orders of their own, and
//! teams that take over a list leave merges out: Qwen and Llama 3, both built on `OpenAI`'s `cl100k`, begin alike for
//! 154. A short common beginning is no evidence against borrowing; tau is 0.99 there. Who took from whom is not told
//! either.
//!
//! Reference: Sennrich et al. 2016 (byte-pair encoding); Hayase et al. 2024 (what merge lists tell of their data).

use std::collections::HashMap;

use crate::fact::MergeOverlap;
use crate::tokenizer::{Vocabulary, kendall};

/// How the merges of two vocabularies overlap; none where either has none.
pub(crate) fn overlap(subject: &Vocabulary, reference: &Vocabulary) -> Option<MergeOverlap> {
    if subject.merges.is_empty() || reference.merges.is_empty() {
        return None;
    }
    let pairs = subject.merges.iter().zip(&reference.merges);
    let common_prefix = pairs.take_while(|(one, other)| one == other).count() as u64;
    let rank: HashMap<&[u8], u32> = reference.merges.iter().map(|it| &**it).zip(0..).collect();
    let shared: Vec<u32> = subject.merges.iter().filter_map(|it| rank.get(&**it).copied()).collect();
    Some(MergeOverlap { common_prefix, shared: shared.len() as u64, tau: kendall::against_sorted(&shared) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::tests::vocabulary;

    fn of(merges: &[&str]) -> Vocabulary {
        Vocabulary { merges: merges.iter().map(|it| it.as_bytes().into()).collect(), ..vocabulary(&[]) }
    }

    #[track_caller]
    fn check(subject: &[&str], reference: &[&str], prefix: u64, shared: u64, tau: Option<f64>) {
        let found = overlap(&of(subject), &of(reference)).unwrap();
        assert_eq!((found.common_prefix, found.shared, found.tau.map(|it| it.tau)), (prefix, shared, tau));
    }

    #[test]
    fn beginnings_and_orders_are_told_apart() {
        check(&["th", "in", "the"], &["th", "in", "the"], 3, 3, Some(1.0));
        check(&["th", "in", "the", "er"], &["th", "in", "an"], 2, 2, Some(1.0));
        check(&["a1", "a2", "a3"], &["a3", "a2", "a1"], 0, 3, Some(-1.0));
        check(&["x", "th"], &["th", "y"], 0, 1, None);
    }

    #[test]
    fn without_merges_nothing_is_said() {
        assert!(overlap(&of(&[]), &of(&["th"])).is_none());
    }
}
