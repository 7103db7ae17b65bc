//! Everything about a tokenizer's files that is worth knowing, each with a stable code.

use crate::fact::Finding;

/// Every code that a vocabulary's findings may carry: the code, what it means, and what to do.
pub const FINDINGS: &[(&str, &str, &str)] = &[
    (
        "tokenizer-id-twice",
        "Two tokens have the same id. The one that was added later counts, as it does for the common loaders.",
        "Ask how the file was made; an edited vocabulary is the usual reason.",
    ),
    (
        "tokenizer-odd-token",
        "Tokens are not spelled as the rest of the vocabulary is. They were taken as they are written.",
        "Harmless by itself; they may have been put in by hand.",
    ),
    (
        "tokenizer-other-file",
        "The folder describes its tokenizer in several files, and one of them was read.",
        "They may differ; ask which one the product uses.",
    ),
    (
        "tokenizer-repeated-key",
        "The tokenizer's file has a key twice. Programs disagree on which of the two values counts; the last was taken.",
        "Ask the publisher for a clean file.",
    ),
    (
        "tokenizer-unreadable",
        "A file of the tokenizer is there and could not be read, so another one was read in its place, or none.",
        "Open the file; a cut download or a Git LFS pointer is the usual reason.",
    ),
];

/// A finding on one file.
pub(crate) fn finding(file: &str, code: &'static str, item: Option<&str>, detail: String) -> Finding {
    debug_assert!(FINDINGS.iter().any(|(listed, ..)| *listed == code), "list `{code}` in FINDINGS");
    Finding { code: code.to_owned(), file: Some(file.to_owned()), item: item.map(str::to_owned), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_explained() {
        assert!(FINDINGS.is_sorted_by(|one, other| one.0 < other.0));
        for (code, meaning, advice) in FINDINGS {
            assert!(meaning.ends_with('.') && advice.ends_with('.'), "{code}");
        }
    }
}
