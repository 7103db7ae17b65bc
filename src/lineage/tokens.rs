//! The two tokenizers: how they relate, and which tokens they share.

use crate::fact::{TokenizerFacts, Unexamined};
use crate::lineage::Model;
use crate::tokenizer::{Vocabulary, compare, shared_tokens};

/// What two models' vocabularies say.
#[derive(Debug, Default)]
pub(super) struct Vocabularies {
    /// How they relate.
    pub(super) facts: Option<TokenizerFacts>,
    /// Ids of tokens that both have, subject first.
    pub(super) shared: Option<Vec<(u32, u32)>>,
    /// Why they were not compared.
    pub(super) unexamined: Vec<Unexamined>,
    /// Bytes that were read.
    pub(super) bytes_read: u64,
}

/// Reads and compares the vocabularies of two models; those that cannot be read are told and not guessed.
pub(super) fn vocabularies(subject: &Model, reference: &Model) -> Vocabularies {
    let (Some(ours), Some(theirs)) = (subject.place.as_deref(), reference.place.as_deref()) else {
        return Vocabularies::default();
    };
    match (Vocabulary::read(ours), Vocabulary::read(theirs)) {
        (Ok(ours), Ok(theirs)) => Vocabularies {
            facts: Some(compare(&ours, &theirs)),
            shared: Some(shared_tokens(&ours, &theirs)),
            unexamined: Vec::new(),
            bytes_read: ours.bytes_read.saturating_add(theirs.bytes_read),
        },
        (ours, theirs) => {
            let unexamined = [ours.err(), theirs.err()].into_iter().flatten().collect();
            Vocabularies { unexamined, ..Vocabularies::default() }
        }
    }
}
