//! Which share of each vocabulary is in the other.
//!
//! *What it measures*: learned tokens of two bytes and more that both have, as a share of the subject's, of the
//! reference's and of all; and how many tokens stand at the same id. Set facts: exact, with no null and no p-value.
//!
//! *What it cannot tell*: vocabularies that were learned apart on similar text share up to 0.61 of all their tokens
//! (Jaccard; Falcon or `GPT-NeoX` and GPT-2), so that a value below says nothing. A small vocabulary is in a large one
//! to a high share without being taken from it: 0.98 of Mistral's first is in Gemma 3's.

use crate::fact::TokenOverlap;
use crate::tokenizer::kendall::rounded;
use crate::tokenizer::shared::is_learned;
use crate::tokenizer::{Token, Vocabulary};

/// How the tokens of two vocabularies overlap, given the pairs of ids they share and how many tokens each has learned.
pub(crate) fn overlap(
    subject: &Vocabulary,
    reference: &Vocabulary,
    pairs: &[(u32, u32)],
    (ours, theirs): (u64, u64),
) -> TokenOverlap {
    let both = |(one, other): &&(u32, u32)| {
        let learned = |it: Option<&Token>| it.is_some_and(is_learned);
        learned(subject.token(*one)) && learned(reference.token(*other))
    };
    let shared = pairs.iter().filter(both).count() as u64;
    let all = ours.saturating_add(theirs).saturating_sub(shared);
    TokenOverlap {
        shared: pairs.len() as u64,
        same_id: pairs.iter().filter(|(one, other)| one == other).count() as u64,
        shared_learned: shared,
        of_subject: share(shared, ours),
        of_reference: share(shared, theirs),
        jaccard: share(shared, all),
    }
}

/// How many of these are learned tokens.
pub(crate) fn learned(distinct: &[(&Token, u32)]) -> u64 {
    distinct.iter().filter(|(token, _)| is_learned(token)).count() as u64
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| rounded(part as f64 / of as f64, 6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::shared::distinct;
    use crate::tokenizer::tests::vocabulary;
    use crate::tokenizer::{Class, shared_tokens};

    fn of(subject: &Vocabulary, reference: &Vocabulary) -> TokenOverlap {
        let counts = (learned(&distinct(subject)), learned(&distinct(reference)));
        overlap(subject, reference, &shared_tokens(subject, reference), counts)
    }

    #[test]
    fn shares_leave_bytes_and_marks_out() {
        let subject =
            vocabulary(&[("<s>", Class::Special), ("a", Class::Text), ("ab", Class::Text), ("cd", Class::Text)]);
        let reference = vocabulary(&[("<s>", Class::Special), ("ab", Class::Text), ("a", Class::Text)]);
        let found = of(&subject, &reference);
        assert_eq!((found.shared, found.same_id, found.shared_learned), (3, 1, 1));
        assert_eq!((found.of_subject, found.of_reference, found.jaccard), (Some(0.5), Some(1.0), Some(0.5)));
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        let found = of(&vocabulary(&[]), &vocabulary(&[]));
        assert_eq!((found.of_subject, found.jaccard), (None, None));
    }
}
