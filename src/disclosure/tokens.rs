//! A sentence as a row of tokens: words, Chinese characters, punctuation, and names of models.

use crate::disclosure::lexemes::{is_han, lexeme};
use crate::disclosure::names::{Name, Names, Own, OwnName};
use crate::yaml::to_half_width;

/// Tokens of one sentence that are looked at; a longer one is a list or worse, and is not understood.
pub(crate) const LONGEST: usize = 300;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// In lower case; of a name the whole of it as written.
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// Whether it is between quotation marks.
    pub(crate) quoted: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// One Chinese character.
    Han,
    Punctuation,
    Model(Name),
}

impl Token {
    pub(crate) fn is_break(&self) -> bool {
        self.kind == Kind::Punctuation
    }

    /// The name, where it is one of another model.
    pub(crate) fn other_model(&self) -> Option<&Name> {
        match &self.kind {
            Kind::Model(name) if name.own == Own::No => Some(name),
            // An earlier model of the same family has a number; without one the family's name is the model's.
            Kind::Model(name) if name.own == Own::Family && name.written.bytes().any(|it| it.is_ascii_digit()) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether it is a name of the model itself, or of its family.
    pub(crate) fn is_own(&self) -> bool {
        matches!(&self.kind, Kind::Model(name) if name.own != Own::No)
    }
}

/// The tokens of a sentence, at most [`LONGEST`] of them and one.
pub(crate) fn tokens(sentence: &str, names: &Names, own: &OwnName) -> Vec<Token> {
    let text = to_half_width(sentence);
    let mut found: Vec<Token> = Vec::new();
    let mut rest = text.as_str();
    let mut quoted = false;
    while let Some(first) = rest.chars().next() {
        if found.len() > LONGEST {
            break;
        }
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if first == '"' {
            quoted = !quoted;
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if let Some((name, length)) = names.at_start(rest, own) {
            found.push(Token { text: name.written.to_lowercase(), kind: Kind::Model(name), quoted });
            rest = &rest[length..];
            continue;
        }
        let (text, kind, length) = plain(rest, first);
        found.push(Token { text, kind, quoted });
        rest = &rest[length..];
    }
    found
}

fn plain(rest: &str, first: char) -> (String, Kind, usize) {
    if is_han(first) {
        return (first.to_string(), Kind::Han, first.len_utf8());
    }
    let length = lexeme(rest);
    if length > 0 {
        let word = rest[..length].to_lowercase();
        let word = word.strip_suffix("'s").unwrap_or(&word).to_owned();
        return (word, Kind::Word, length);
    }
    (first.to_string(), Kind::Punctuation, first.len_utf8())
}
