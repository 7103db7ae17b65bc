//! Which tokens of two vocabularies are the same: same bytes, and meant for the same.
//!
//! A mark of one vocabulary (`<s>`) is never the same as learned text of the other that happens to be written so.
//! Bytes, text and tokens added by hand may answer each other where nothing nearer does, since exporters file them
//! differently.

use std::iter::Peekable;

use crate::tokenizer::{Class, Token, Vocabulary};

/// Which classes may answer each other, nearest first; those that are the same come before all.
const ANSWERS: &[(Class, Class)] =
    &[(Class::Text, Class::Byte), (Class::Added, Class::Special), (Class::Text, Class::Added)];

/// The tokens both have, as the subject's id and the reference's id. Each id occurs once; sorted.
///
/// Where one vocabulary has the same token under several ids, the lowest counts.
pub fn shared_tokens(subject: &Vocabulary, reference: &Vocabulary) -> Vec<(u32, u32)> {
    pairs(&distinct(subject), &distinct(reference))
}

/// The pairs of ids of two lists that [`distinct`] made.
pub(crate) fn pairs(subject: &[(&Token, u32)], reference: &[(&Token, u32)]) -> Vec<(u32, u32)> {
    let (mut left, mut right) = (subject.iter().copied().peekable(), reference.iter().copied().peekable());
    let mut pairs = Vec::new();
    while let (Some((one, _)), Some((other, _))) = (left.peek(), right.peek()) {
        let bytes = (&one.bytes).max(&other.bytes);
        let (ours, theirs) = (group(&mut left, bytes), group(&mut right, bytes));
        answers(&ours, &theirs, &mut pairs);
    }
    pairs.sort_unstable();
    pairs
}

/// Whether a token is a learned piece of text of two bytes and more. Every vocabulary has the single bytes.
pub(crate) fn is_learned(token: &Token) -> bool {
    token.class == Class::Text && token.bytes.len() > 1
}

/// Every learned piece of text with its lowest id, in the order of the texts.
pub fn learned(vocabulary: &Vocabulary) -> Vec<(&[u8], u32)> {
    let tokens = distinct(vocabulary).into_iter().filter(|it| is_learned(it.0));
    tokens.map(|(token, id)| (&*token.bytes, id)).collect()
}

/// By bytes, then class; of the same token the lowest id.
pub(crate) fn distinct(vocabulary: &Vocabulary) -> Vec<(&Token, u32)> {
    let mut tokens: Vec<(&Token, u32)> = vocabulary.by_id().map(|(id, token)| (token, id)).collect();
    tokens.sort_unstable();
    tokens.dedup_by(|next, first| next.0 == first.0);
    tokens
}

/// Goes on behind everything up to these bytes, and gives back what is of these bytes.
fn group<'a>(tokens: &mut Peekable<impl Iterator<Item = (&'a Token, u32)>>, bytes: &[u8]) -> Vec<(Class, u32)> {
    let mut found = Vec::new();
    while let Some((token, id)) = tokens.next_if(|(token, _)| *token.bytes <= *bytes) {
        if *token.bytes == *bytes {
            found.push((token.class, id));
        }
    }
    found
}

/// Pairs tokens of the same bytes. There are at most as many as there are classes.
fn answers(ours: &[(Class, u32)], theirs: &[(Class, u32)], pairs: &mut Vec<(u32, u32)>) {
    let (mut ours, mut theirs) = (ours.to_vec(), theirs.to_vec());
    let same = ours.iter().map(|(class, _)| (*class, *class)).collect::<Vec<_>>();
    let crossed = ANSWERS.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
    for (one, other) in same.into_iter().chain(crossed) {
        let at = ours.iter().position(|(class, _)| *class == one);
        let found = at.zip(theirs.iter().position(|(class, _)| *class == other));
        if let Some((left, right)) = found {
            pairs.push((ours.swap_remove(left).1, theirs.swap_remove(right).1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::tests::vocabulary;

    const T: Class = Class::Text;
    const B: Class = Class::Byte;
    const A: Class = Class::Added;
    const S: Class = Class::Special;

    #[track_caller]
    fn check(subject: &[(&str, Class)], reference: &[(&str, Class)], expected: &[(u32, u32)]) {
        let (subject, reference) = (vocabulary(subject), vocabulary(reference));
        assert_eq!(shared_tokens(&subject, &reference), expected);
        let mut turned: Vec<_> =
            shared_tokens(&reference, &subject).iter().map(|(one, other)| (*other, *one)).collect();
        turned.sort_unstable();
        assert_eq!(turned, expected, "the other way round");
    }

    #[test]
    fn tokens_of_the_same_bytes_are_shared_once() {
        check(&[("a", T), ("b", T), ("c", T)], &[("c", T), ("x", T), ("a", T)], &[(0, 2), (2, 0)]);
        check(&[("a", T), ("a", T)], &[("a", T)], &[(0, 0)]);
        check(&[("a", T)], &[("a", T), ("a", T)], &[(0, 0)]);
        check(&[], &[("a", T)], &[]);
    }

    #[test]
    fn the_nearest_class_answers() {
        check(&[("!", B), ("!", T)], &[("!", T), ("!", B)], &[(0, 1), (1, 0)]);
        check(&[("!", B), ("!", T)], &[("!", T)], &[(1, 0)]);
        check(&[("\n", B)], &[("\n", T)], &[(0, 0)]);
        check(&[("<u>", A)], &[("<u>", S)], &[(0, 0)]);
        check(&[("  ", A)], &[("  ", T)], &[(0, 0)]);
    }

    #[test]
    fn a_mark_is_never_text() {
        check(&[("<s>", S)], &[("<s>", T)], &[]);
        check(&[("<s>", S), ("<s>", T)], &[("<s>", T), ("<s>", S)], &[(0, 1), (1, 0)]);
    }
}
