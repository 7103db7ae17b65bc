//! Which tokens a model knows, under which numbers, and how much of that is another model's.
//!
//! [`Vocabulary::read`] takes the files that describe a tokenizer and makes one table of them, in which the same token
//! is the same bytes whatever format wrote it; [`shared_tokens`] tells which rows of two embeddings stand for the same
//! token. No tokenizer is ever run.
//!
//! A tokenizer says "borrowed" at most: taking over a published one is usual and often sensible. It says nothing on
//! weights.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

use crate::fact::{FileFacts, Finding};

mod added;
mod base64;
mod compare;
mod containment;
mod draft;
mod findings;
mod folder;
mod gguf;
mod huggingface;
mod kendall;
mod lists;
mod merge_order;
mod relation;
mod sentencepiece;
mod shared;
mod special;
mod spelling;
mod tekken;
mod tiktoken;

pub use compare::compare;
pub use findings::FINDINGS;
pub use shared::{learned, shared_tokens};
pub use special::vendor;

/// A tokenizer as its files describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    /// The file the tokens come from, by its name in the model's folder.
    pub file: String,
    /// How the tokens were made.
    pub kind: Kind,
    /// Every token by its id; none where an id has no token. The last one is a token.
    pub tokens: Vec<Option<Token>>,
    /// What each merge makes, in order of rank, each once; empty where merges play no part or are not written down.
    ///
    /// Formats differ in how they write merges: pairs, scores, or ranks alone. Writers that go from one to the other
    /// make up several pairs for one token. What a merge makes, and in which order, is the same in all of them.
    pub merges: Vec<Box<[u8]>>,
    /// What is done to a text before it is split.
    pub normaliser: Option<Rules>,
    /// How a text is split before tokens are looked for.
    pub pre_tokeniser: Option<Rules>,
    /// The files that were read, in name order.
    pub files: Vec<FileFacts>,
    /// What a reader should know before trusting the table.
    pub findings: Vec<Finding>,
    /// Bytes that were read.
    pub bytes_read: u64,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// The text it stands for, a space written as a space; of a special token its name.
    pub bytes: Box<[u8]>,
    /// What it is for.
    pub class: Class,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A piece of text that was learned.
    Text,
    /// A single byte, for text that has no token.
    Byte,
    /// Text that was put in by hand, and is found before anything else is.
    Added,
    /// A mark that stands for no text: begin, end, unknown, turns of a conversation.
    Special,
}

/// How the tokens of a vocabulary were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Byte-pair encoding: by merges in order of rank.
    Bpe,
    /// By the likelihood of each piece.
    Unigram,
    /// By the longest piece that fits, as BERT does.
    WordPiece,
    /// Whole words.
    WordLevel,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bpe => "BPE",
            Self::Unigram => "Unigram",
            Self::WordPiece => "WordPiece",
            Self::WordLevel => "WordLevel",
        }
    }
}

/// Rules in the words of one format. Only rules of the same format can be told to be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `tokenizer.json`, `sentencepiece`, `tekken.json` or `gguf`.
    pub format: &'static str,
    /// The rules, written in one fixed way; `null` where the format says that there are none.
    pub text: String,
}

impl Vocabulary {
    /// How many tokens there are.
    pub fn size(&self) -> usize {
        self.tokens.iter().flatten().count()
    }

    /// The token of an id.
    pub fn token(&self, id: u32) -> Option<&Token> {
        self.tokens.get(usize::try_from(id).ok()?)?.as_ref()
    }

    /// Every token with its id, by id.
    pub fn by_id(&self) -> impl Iterator<Item = (u32, &Token)> {
        (0_u32..).zip(&self.tokens).filter_map(|(id, token)| Some((id, token.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vocabulary of these tokens, their places as ids.
    pub(crate) fn vocabulary(tokens: &[(&str, Class)]) -> Vocabulary {
        let token = |(text, class): &(&str, Class)| Some(Token { bytes: text.as_bytes().into(), class: *class });
        Vocabulary {
            file: "tokenizer.json".into(),
            kind: Kind::Bpe,
            tokens: tokens.iter().map(token).collect(),
            merges: Vec::new(),
            normaliser: None,
            pre_tokeniser: None,
            files: Vec::new(),
            findings: Vec::new(),
            bytes_read: 0,
        }
    }
}
