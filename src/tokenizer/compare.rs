//! Two vocabularies side by side: every statistic, and the word that follows from them.

use crate::bytes::sha256;
use crate::fact::{TokenizerFacts, TokenizerSide};
use crate::tokenizer::relation::{Measured, relation};
use crate::tokenizer::shared::{distinct, pairs};
use crate::tokenizer::{Rules, Vocabulary, containment, merge_order, special};

/// What two tokenizers have in common. It says "borrowed" at most, and nothing on weights.
pub fn compare(subject: &Vocabulary, reference: &Vocabulary) -> TokenizerFacts {
    let (ours, theirs) = (distinct(subject), distinct(reference));
    let learned = (containment::learned(&ours), containment::learned(&theirs));
    let pairs = pairs(&ours, &theirs);
    let tokens = containment::overlap(subject, reference, &pairs, learned);
    let merges = merge_order::overlap(subject, reference);
    let measured = Measured { pairs: &pairs, learned, tokens: &tokens, merges: merges.as_ref() };
    TokenizerFacts {
        relation: relation(subject, reference, &measured),
        subject: side(subject),
        reference: side(reference),
        special: special::overlap(subject, reference),
        same_normaliser: same(subject.normaliser.as_ref(), reference.normaliser.as_ref()),
        same_pre_tokeniser: same(subject.pre_tokeniser.as_ref(), reference.pre_tokeniser.as_ref()),
        residues: special::residues(subject, reference, &pairs),
        tokens,
        merges,
    }
}

fn side(vocabulary: &Vocabulary) -> TokenizerSide {
    let digest = |rules: &Option<Rules>| rules.as_ref().map(|it| sha256(it.text.as_bytes()));
    TokenizerSide {
        file: vocabulary.file.clone(),
        kind: vocabulary.kind.word().to_owned(),
        tokens: vocabulary.size() as u64,
        special: special::count(vocabulary),
        merges: vocabulary.merges.len() as u64,
        normaliser_sha256: digest(&vocabulary.normaliser),
        pre_tokeniser_sha256: digest(&vocabulary.pre_tokeniser),
    }
}

/// Rules of different formats are in different words, and may still mean the same.
fn same(one: Option<&Rules>, other: Option<&Rules>) -> Option<bool> {
    let (one, other) = one.zip(other)?;
    (one.format == other.format).then(|| one.text == other.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::TokenizerRelation;
    use crate::tokenizer::Class;
    use crate::tokenizer::tests::vocabulary;

    const MARK: (&str, Class) = ("<s>", Class::Special);

    fn words(words: &[&'static str]) -> Vec<(&'static str, Class)> {
        [MARK].into_iter().chain(words.iter().map(|it| (*it, Class::Text))).collect()
    }

    fn of(words: &[(&str, Class)]) -> Vocabulary {
        vocabulary(words)
    }

    #[track_caller]
    fn check(subject: &Vocabulary, reference: &Vocabulary, expected: TokenizerRelation) {
        assert_eq!(compare(subject, reference).relation, expected);
    }

    #[test]
    fn each_word_has_its_case() {
        let base = of(&words(&["ab", "cd", "ef"]));
        check(&base, &base, TokenizerRelation::Identical);
        check(&of(&words(&["ab", "cd", "ef", "gh"])), &base, TokenizerRelation::Superset);
        check(&of(&words(&["ab", "ef"])), &base, TokenizerRelation::Trimmed);
        check(&of(&words(&["ef", "ab", "cd"])), &base, TokenizerRelation::Reordered);
        check(&of(&words(&["ab", "xy", "uv"])), &base, TokenizerRelation::Unrelated);
        let mut wide = words(&["ef", "ab", "cd"]);
        wide.push(("gh", Class::Text));
        check(&of(&wide), &base, TokenizerRelation::Overlapping);
    }

    #[test]
    fn marks_are_told_apart_from_words_that_were_added() {
        let base = of(&words(&["ab", "cd"]));
        let mut renamed = words(&["ab", "cd"]);
        renamed[0].0 = "<mine>";
        check(&of(&renamed), &base, TokenizerRelation::SameButSpecial);
        let with = |token| of(&[words(&["ab", "cd"]), vec![token]].concat());
        check(&with(("<|turn|>", Class::Special)), &base, TokenizerRelation::SameButSpecial);
        check(&with(("word", Class::Added)), &base, TokenizerRelation::Superset);
        check(&base, &with(("word", Class::Added)), TokenizerRelation::Trimmed);
        check(&with(("<tool>", Class::Added)), &base, TokenizerRelation::SameButSpecial);
        let in_front = of(&[vec![("[INST]", Class::Special)], words(&["ab", "cd"])].concat());
        check(&in_front, &base, TokenizerRelation::SameButSpecial);
        check(&base, &in_front, TokenizerRelation::SameButSpecial);
    }

    #[test]
    fn merges_in_another_order_make_another_vocabulary() {
        let with = |merges: &[&str]| Vocabulary {
            merges: merges.iter().map(|it| it.as_bytes().into()).collect(),
            ..of(&words(&["ab", "cd"]))
        };
        check(&with(&["ab", "cd"]), &with(&["cd", "ab"]), TokenizerRelation::Reordered);
        check(&with(&["ab", "cd"]), &with(&[]), TokenizerRelation::Identical);
    }

    #[test]
    fn shared_merges_are_told_whatever_the_ids() {
        let made: Vec<String> = (0..300).map(|it| format!("m{it}")).collect();
        let list = |from: usize, to: usize| Vocabulary {
            tokens: Vec::new(),
            merges: made[from..to].iter().map(|it| it.as_bytes().into()).collect(),
            ..of(&words(&["ab"]))
        };
        check(&list(0, 300), &list(5, 300), TokenizerRelation::SharedMerges);
        check(&list(0, 220), &list(200, 300), TokenizerRelation::Unrelated);
        let mut turned = list(0, 300);
        turned.merges.reverse();
        check(&turned, &list(5, 300), TokenizerRelation::Unrelated);
    }

    #[test]
    fn nothing_is_unrelated_and_rules_of_other_formats_are_not_compared() {
        let nothing = of(&[]);
        check(&nothing, &nothing, TokenizerRelation::Unrelated);
        let with = |format, text: &str| Vocabulary { normaliser: Some(Rules { format, text: text.into() }), ..of(&[]) };
        let same = |one: &Vocabulary, other: &Vocabulary| compare(one, other).same_normaliser;
        assert_eq!(same(&with("gguf", "a"), &with("gguf", "a")), Some(true));
        assert_eq!(same(&with("gguf", "a"), &with("gguf", "b")), Some(false));
        assert_eq!(same(&with("gguf", "a"), &with("sentencepiece", "a")), None);
    }
}
