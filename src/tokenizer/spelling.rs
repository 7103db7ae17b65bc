//! How a format spells its tokens, and what each spelling stands for.
//!
//! Byte-level BPE writes each byte as one printable character (GPT-2's alphabet); `SentencePiece` writes a space as `▁`
//! and a byte as `<0x0A>`; `WordPiece` marks what goes on a word with `##`. The same token is the same bytes in all.
//!
//! References: Radford et al. 2019 (`bytes_to_unicode` in GPT-2's `encoder.py`); Kudo and Richardson 2018
//! (`SentencePiece`); Devlin et al. 2019 (`WordPiece`).

use crate::tokenizer::{Class, Token};

/// How the tokens of a vocabulary are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the text itself.
    Plain,
    /// In GPT-2's alphabet of bytes.
    ByteLevel,
    /// A space as `▁`, a byte as `<0x0A>`.
    SentencePiece,
    /// What goes on a word begins with `##`; what begins a word has a space before it here, as everywhere else.
    WordPiece,
}

const SPACE: char = '\u{2581}';
const GOES_ON: &str = "##";

impl Spelling {
    /// A learned token; none where it is not spelled in this way.
    pub(crate) fn learned(self, text: &str) -> Option<Token> {
        let (class, bytes) = match self {
            Self::Plain => (Class::Text, text.as_bytes().to_vec()),
            Self::ByteLevel => (Class::Text, text.chars().map(byte_of).collect::<Option<Vec<u8>>>()?),
            Self::SentencePiece => match byte_piece(text) {
                Some(byte) => (Class::Byte, vec![byte]),
                None => (Class::Text, spaces(text)),
            },
            Self::WordPiece => (Class::Text, word_piece(text)),
        };
        Some(Token { bytes: bytes.into(), class })
    }

    /// A token that was added by hand. Its text is written as it is, but for `SentencePiece`'s spaces.
    pub(crate) fn added(self, text: &str, class: Class) -> Token {
        let bytes = match self {
            Self::SentencePiece if class == Class::Added => spaces(text),
            Self::SentencePiece | Self::Plain | Self::ByteLevel | Self::WordPiece => text.as_bytes().to_vec(),
        };
        Token { bytes: bytes.into(), class }
    }

    /// What a part of a merge stands for.
    pub(crate) fn part(self, text: &str) -> Vec<u8> {
        self.learned(text).map_or_else(|| text.as_bytes().to_vec(), |it| it.bytes.into_vec())
    }
}

/// The byte that a character of GPT-2's alphabet stands for: itself where it can be printed, else the 256th and
/// following characters in order of the bytes that cannot.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let byte = match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0x100..=0x120 => code.checked_sub(0x100)?,
        0x121..=0x142 => code.checked_sub(0x121)?.checked_add(0x7f)?,
        0x143 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

fn spaces(text: &str) -> Vec<u8> {
    text.replace(SPACE, " ").into_bytes()
}

/// `<0x0A>`: six characters, two of them digits.
fn byte_piece(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let are_digits = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    if are_digits { u8::from_str_radix(digits, 16).ok() } else { None }
}

fn word_piece(text: &str) -> Vec<u8> {
    match text.strip_prefix(GOES_ON) {
        Some(rest) if !rest.is_empty() => rest.as_bytes().to_vec(),
        _ => format!(" {text}").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spelling: Spelling, text: &str, class: Class, expected: &[u8]) {
        assert_eq!(spelling.learned(text), Some(Token { bytes: expected.into(), class }));
    }

    #[test]
    fn one_token_is_the_same_bytes_in_every_spelling() {
        check(Spelling::ByteLevel, "\u{120}the", Class::Text, b" the");
        check(Spelling::SentencePiece, "\u{2581}the", Class::Text, b" the");
        check(Spelling::WordPiece, "the", Class::Text, b" the");
        check(Spelling::Plain, " the", Class::Text, b" the");
        check(Spelling::WordPiece, "##ing", Class::Text, b"ing");
        check(Spelling::ByteLevel, "\u{e8}\u{af}\u{12f}", Class::Text, &[0xe8, 0xaf, 0x8d]);
    }

    #[test]
    fn bytes_are_told_from_text() {
        check(Spelling::SentencePiece, "<0x0A>", Class::Byte, b"\n");
        check(Spelling::SentencePiece, "<0xfF>", Class::Byte, &[0xff]);
        for text in ["<0x0A", "<0x+A>", "<0x0AA>", "<0x>"] {
            check(Spelling::SentencePiece, text, Class::Text, text.as_bytes());
        }
    }

    /// GPT-2's alphabet has one character for each byte, and no two share one.
    #[test]
    fn the_alphabet_of_bytes_is_whole() {
        let mut bytes: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(Spelling::ByteLevel.learned("\u{8bcd}"), None);
    }
}
