//! Tokenizers of real models' formats: the same vocabulary must come out whatever wrote it.

use std::path::{Path, PathBuf};

use unshell::bytes::LocalPlace;
use unshell::fact::TokenizerRelation;
use unshell::tokenizer::{Vocabulary, compare, shared_tokens};

fn read(path: &Path) -> Vocabulary {
    Vocabulary::read(&LocalPlace::new(path)).unwrap_or_else(|why| panic!("{}: {}", path.display(), why.detail))
}

/// Where an environment variable says that models are which a clone does not carry.
fn folder(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names no folder")).into()
}

/// The unpacked family of tiny models with known lineage.
fn family() -> PathBuf {
    folder("UNSHELL_FAMILY")
}

#[test]
#[ignore = "needs UNSHELL_FAMILY; tests/real.sh runs it"]
fn gguf_of_a_family_holds_the_vocabulary_that_the_folder_had() {
    let family = family();
    let base = read(&family.join("base_a"));
    assert_eq!((base.size(), base.merges.len()), (512, 253));
    for name in ["gguf_f16", "gguf_q8_0", "gguf_q4_0", "gguf_f16/model.gguf"] {
        let other = read(&family.join(name));
        assert_eq!(other.tokens, base.tokens, "{name}");
        assert_eq!(other.merges, base.merges, "{name}");
        assert_eq!(shared_tokens(&other, &base).len(), 512, "{name}");
    }
}

#[test]
#[ignore = "needs UNSHELL_FAMILY; tests/real.sh runs it"]
fn a_swapped_vocabulary_shares_what_the_family_says() {
    let family = family();
    let pairs = shared_tokens(&read(&family.join("tok_swap")), &read(&family.join("base_a")));
    assert_eq!(pairs.len(), 397);
    assert!(pairs.is_sorted_by(|one, next| one.0 < next.0));
}

#[test]
#[ignore = "needs UNSHELL_FAMILY; tests/real.sh runs it"]
fn relations_are_what_the_family_says() {
    let family = family();
    let relation =
        |subject: &str, reference: &str| compare(&read(&family.join(subject)), &read(&family.join(reference))).relation;
    assert_eq!(relation("base_b", "base_a"), TokenizerRelation::Identical);
    assert_eq!(relation("gguf_q4_0", "base_a"), TokenizerRelation::Identical);
    assert_eq!(relation("vocab_ext", "base_a"), TokenizerRelation::Superset);
    assert_eq!(relation("base_a", "vocab_ext"), TokenizerRelation::Trimmed);
    assert_eq!(relation("tok_swap", "base_a"), TokenizerRelation::Unrelated);
}

/// One folder for each published tokenizer. Names as in the table below.
#[test]
#[ignore = "needs UNSHELL_TOKENIZERS; tests/real.sh runs it"]
fn published_tokenizers_have_their_known_relations() {
    use TokenizerRelation::{SameButSpecial, SharedMerges, Superset, Trimmed, Unrelated};
    let root = folder("UNSHELL_TOKENIZERS");
    for (subject, reference, expected, turned) in [
        ("qwen3", "qwen1", SameButSpecial, SameButSpecial),
        ("ds4", "deepseek_v3", Superset, Trimmed),
        ("v3", "v1", SameButSpecial, SameButSpecial),
        ("llama3", "qwen1", SharedMerges, SharedMerges),
        ("qwen36", "qwen3", SharedMerges, SharedMerges),
        ("v1", "gemma3", Unrelated, Unrelated),
        ("deepseek_v3", "qwen3", Unrelated, Unrelated),
    ] {
        let (one, other) = (read(&root.join(subject)), read(&root.join(reference)));
        assert_eq!(one.findings, [], "{subject}");
        assert_eq!(compare(&one, &other).relation, expected, "{subject} and {reference}");
        assert_eq!(compare(&other, &one).relation, turned, "{reference} and {subject}");
    }
}
