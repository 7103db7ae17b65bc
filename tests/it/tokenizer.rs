//! Tokenizers of real models' formats: the same vocabulary must come out whatever wrote it.

use std::path::{Path, PathBuf};

use unshell::bytes::LocalPlace;
use unshell::tokenizer::{Vocabulary, shared_tokens};

fn read(path: &Path) -> Vocabulary {
    Vocabulary::read(&LocalPlace::new(path)).unwrap_or_else(|why| panic!("{}: {}", path.display(), why.detail))
}

/// The unpacked family of tiny models with known lineage; `UNSHELL_FAMILY` says where it lies.
fn family() -> Option<PathBuf> {
    std::env::var_os("UNSHELL_FAMILY").map(PathBuf::from)
}

#[test]
fn gguf_holds_the_vocabulary_that_the_folder_had() {
    let Some(family) = family() else { return };
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
fn a_swapped_vocabulary_shares_what_the_family_says() {
    let Some(family) = family() else { return };
    let pairs = shared_tokens(&read(&family.join("tok_swap")), &read(&family.join("base_a")));
    assert_eq!(pairs.len(), 397);
    assert!(pairs.is_sorted_by(|one, next| one.0 < next.0));
}
