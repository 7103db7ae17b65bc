//! Special tokens by name: what both have, what one has alone, and whose they are known to be.
//!
//! *What it measures*: names, exactly. *What it cannot tell*: vendors take over each other's formats openly, so a name
//! that is somebody's is a reason to ask, never a proof.

use std::collections::BTreeSet;

use crate::fact::{Residue, SpecialOverlap};
use crate::tokenizer::{Class, Token, Vocabulary};

/// How many names are listed for each side.
const LISTED: usize = 20;
/// How much of a name is kept, in characters.
const NAME: usize = 120;

/// Names that are one vendor's own, from the tokenizers it published. A name that ends in `*` stands for all that begin
/// so. Names in general use (`<s>`, `<|im_start|>`, `<|endoftext|>`) are left out.
const VENDORS: &[(&str, &[&str])] = &[
    (
        "BigCode (StarCoder)",
        &["<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<gh_stars>", "<jupyter_start>", "<reponame>"],
    ),
    ("Baichuan", &["<reserved_*"]),
    ("Cohere", &["<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|USER_TOKEN|>"]),
    ("Tencent (Hunyuan)", &["<｜hy_*", "<|hy_*"]),
    ("DeepSeek", &["<｜*"]),
    ("Google (Gemma)", &["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"]),
    (
        "Meta (Llama 3)",
        &[
            "<|begin_of_text|>",
            "<|start_header_id|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|python_tag|>",
            "<|reserved_special_token_*",
        ],
    ),
    ("Meta (Llama 4)", &["<|header_start|>", "<|header_end|>"]),
    ("Mistral", &["[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[control_*"]),
    ("Moonshot (Kimi)", &["<|im_user|>", "<|im_assistant|>", "<|im_middle|>"]),
    ("OpenAI", &["<|endofprompt|>", "<|constrain|>", "<|channel|>"]),
    ("Microsoft (Phi)", &["<|dummy_*"]),
    ("Alibaba (Qwen)", &["<|extra_*", "<|object_ref_start|>", "<|box_start|>", "<|quad_start|>"]),
    (
        "Shanghai AI Laboratory (InternLM)",
        &["<eoh>", "<eoa>", "<|action_start|>", "<|interpreter|>", "[UNUSED_TOKEN_*"],
    ),
    ("TII (Falcon)", &[">>TITLE<<", ">>ABSTRACT<<", ">>INTRODUCTION<<"]),
    ("Zhipu (GLM)", &["[gMASK]", "[sMASK]", "<sop>", "<eop>"]),
];

/// How the names overlap.
pub(crate) fn overlap(subject: &Vocabulary, reference: &Vocabulary) -> SpecialOverlap {
    let (ours, theirs) = (names(subject), names(reference));
    let only = |these: &Vocabulary, those: &BTreeSet<&[u8]>| -> (Vec<String>, u64) {
        let only: Vec<&Token> = marks(these).map(|(_, it)| it).filter(|it| !those.contains(&*it.bytes)).collect();
        (only.iter().take(LISTED).map(|it| name(it)).collect(), only.len() as u64)
    };
    let (only_subject, only_subject_count) = only(subject, &theirs);
    let (only_reference, only_reference_count) = only(reference, &ours);
    let shared = ours.intersection(&theirs).count() as u64;
    SpecialOverlap { shared, only_subject, only_reference, only_subject_count, only_reference_count }
}

/// Tokens of a known vendor among those that both have. A row of reserved names is told once, by its first.
pub(crate) fn residues(subject: &Vocabulary, reference: &Vocabulary, pairs: &[(u32, u32)]) -> Vec<Residue> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (subject_id, reference_id) in pairs.iter().copied() {
        let Some(token) = subject.token(subject_id) else { continue };
        let Some((vendor, pattern)) = std::str::from_utf8(&token.bytes).ok().and_then(vendor) else { continue };
        let is_mark = [Some(token), reference.token(reference_id)].into_iter().flatten().any(is_mark);
        if is_mark && seen.insert(pattern) {
            found.push(Residue { token: name(token), vendor: vendor.to_owned(), subject_id, reference_id });
        }
    }
    found
}

/// How many tokens were put in by hand.
pub(crate) fn count(vocabulary: &Vocabulary) -> u64 {
    marks(vocabulary).count() as u64
}

fn marks(vocabulary: &Vocabulary) -> impl Iterator<Item = (u32, &Token)> {
    vocabulary.by_id().filter(|(_, token)| is_mark(token))
}

fn is_mark(token: &Token) -> bool {
    matches!(token.class, Class::Added | Class::Special)
}

fn names(vocabulary: &Vocabulary) -> BTreeSet<&[u8]> {
    marks(vocabulary).map(|(_, token)| &*token.bytes).collect()
}

fn name(token: &Token) -> String {
    String::from_utf8_lossy(&token.bytes).chars().take(NAME).collect()
}

/// The vendor whose own a name of a special token is known to be, and the row of the list that says so.
pub fn vendor(name: &str) -> Option<(&'static str, &'static str)> {
    let fits = |pattern: &&&'static str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == **pattern,
    };
    VENDORS.iter().find_map(|(vendor, patterns)| Some((*vendor, *patterns.iter().find(fits)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::shared_tokens;
    use crate::tokenizer::tests::vocabulary;

    const S: Class = Class::Special;

    #[test]
    fn names_are_told_by_side() {
        let subject = vocabulary(&[("<s>", S), ("<mine>", Class::Added), ("ab", Class::Text)]);
        let found = overlap(&subject, &vocabulary(&[("</s>", S), ("<s>", S)]));
        assert_eq!((found.shared, found.only_subject_count, found.only_reference_count), (1, 1, 1));
        assert_eq!((found.only_subject, found.only_reference), (vec!["<mine>".to_owned()], vec!["</s>".to_owned()]));
    }

    #[test]
    fn a_vendor_is_named_once_for_a_row_of_reserved_names() {
        let subject =
            vocabulary(&[("<|reserved_special_token_0|>", S), ("<|reserved_special_token_1|>", S), ("<｜User｜>", S)]);
        let reference = vocabulary(&[("<｜User｜>", S), ("<|reserved_special_token_0|>", S), ("<|eot_id|>", S)]);
        let found = residues(&subject, &reference, &shared_tokens(&subject, &reference));
        let seen: Vec<_> = found.iter().map(|it| (it.vendor.as_str(), it.subject_id, it.reference_id)).collect();
        assert_eq!(seen, [("Meta (Llama 3)", 0, 1), ("DeepSeek", 2, 0)]);
    }

    #[test]
    fn learned_text_is_nobodys_mark() {
        let text = vocabulary(&[("[INST]", Class::Text)]);
        assert_eq!(residues(&text, &text, &shared_tokens(&text, &text)), []);
    }
}
