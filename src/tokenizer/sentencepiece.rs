//! `tokenizer.model` of `SentencePiece`: pieces with scores and types, in one protobuf message.
//!
//! Reference: `sentencepiece_model.proto`. `ModelProto` has the pieces as field 1 (text 1, score 2, type 3), the
//! trainer as field 2 (kind of model 3) and the normaliser as field 3.

use crate::bytes::{Fields, Wire, grouped, limits, sha256};
use crate::tokenizer::draft::Draft;
use crate::tokenizer::spelling::Spelling;
use crate::tokenizer::{Class, Kind, Rules, Token};

const FORMAT: &str = "sentencepiece";

/// What pieces are for, numbered as in the format; GGUF has the same numbers.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const UNUSED: i64 = 5;
const BYTE: i64 = 6;

/// One piece, as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) score: f64,
    pub(crate) kind: i64,
}

/// Reads a whole file.
pub(crate) fn read(bytes: &[u8]) -> Result<Draft, String> {
    let (mut pieces, mut kind, mut normaliser) = (Vec::new(), Kind::Unigram, None);
    for field in Fields::of(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Wire::Bytes(message)) => {
                if pieces.len() >= limits::VOCABULARY_IDS {
                    return Err(format!("it has more than {} pieces", grouped(limits::VOCABULARY_IDS as u64)));
                }
                pieces.push(piece(message)?);
            }
            (2, Wire::Bytes(message)) => kind = kind_of_model(message)?,
            (3, Wire::Bytes(message)) => normaliser = Some(rules(message)?),
            _ => {}
        }
    }
    if pieces.is_empty() {
        return Err("it has no pieces".into());
    }
    let mut draft = Draft::new(kind);
    put_pieces(&mut draft, &pieces, Spelling::SentencePiece)?;
    if kind == Kind::Bpe {
        merges_by_score(&mut draft, &pieces)?;
    }
    draft.normaliser = normaliser;
    Ok(draft)
}

fn piece(message: &[u8]) -> Result<Piece<'_>, String> {
    let mut piece = Piece { text: b"", score: 0.0, kind: 1 };
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => piece.text = field.value.bytes().unwrap_or_default(),
            2 => piece.score = field.value.float().map_or(f64::NAN, f64::from),
            3 => piece.kind = field.value.number().and_then(|it| i64::try_from(it).ok()).unwrap_or(-1),
            _ => {}
        }
    }
    Ok(piece)
}

/// Field 3 of the trainer: 1 Unigram, 2 BPE, 3 whole words, 4 characters. Unigram is what is meant where it is left
/// out.
fn kind_of_model(message: &[u8]) -> Result<Kind, String> {
    let mut number = 1;
    for field in Fields::of(message) {
        let field = field?;
        number = if field.number == 3 { field.value.number().unwrap_or(0) } else { number };
    }
    match number {
        1 => Ok(Kind::Unigram),
        2 => Ok(Kind::Bpe),
        3 | 4 => Ok(Kind::WordLevel),
        other => Err(format!("its model is of type number {other}, expected 1 to 4")),
    }
}

/// Puts pieces in by their place. Unused ones are no tokens: they fill a table up.
pub(crate) fn put_pieces(draft: &mut Draft, pieces: &[Piece<'_>], spelling: Spelling) -> Result<(), String> {
    for (id, piece) in (0..).zip(pieces) {
        let token = match (piece.kind, std::str::from_utf8(piece.text)) {
            (UNUSED, _) => continue,
            (UNKNOWN | CONTROL, Ok(text)) => spelling.added(text, Class::Special),
            (USER_DEFINED, Ok(text)) => spelling.added(text, Class::Added),
            (BYTE, Ok(text)) => match Spelling::SentencePiece.learned(text) {
                Some(token) if token.class == Class::Byte => token,
                _ => odd(draft, piece),
            },
            (_, Ok(text)) => match spelling.learned(text) {
                Some(token) => token,
                None => odd(draft, piece),
            },
            (_, Err(_)) => odd(draft, piece),
        };
        draft.put(id, token)?;
    }
    Ok(())
}

fn odd(draft: &mut Draft, piece: &Piece<'_>) -> Token {
    draft.odd(&String::from_utf8_lossy(piece.text));
    Token { bytes: piece.text.into(), class: Class::Text }
}

/// BPE's scores are minus the rank of the merge that makes a piece. Pieces of one character are made by none.
pub(crate) fn merges_by_score(draft: &mut Draft, pieces: &[Piece<'_>]) -> Result<(), String> {
    let is_made = |it: &&Piece<'_>| it.kind == 1 && it.text.iter().filter(|byte| (**byte & 0xc0) != 0x80).count() > 1;
    let mut made: Vec<&Piece<'_>> = pieces.iter().filter(is_made).collect();
    made.sort_by(|one, other| other.score.total_cmp(&one.score));
    let text = |it: &Piece<'_>| String::from_utf8_lossy(it.text).into_owned();
    made.into_iter().try_for_each(|it| draft.merge(Spelling::SentencePiece.part(&text(it))))
}

/// Name, digest of the table of characters, and three switches.
fn rules(message: &[u8]) -> Result<Rules, String> {
    let mut stated = Vec::new();
    for field in Fields::of(message) {
        let field = field?;
        let name = match field.number {
            1 => "name",
            2 => "charsmap",
            3 => "add_dummy_prefix",
            4 => "remove_extra_whitespaces",
            5 => "escape_whitespaces",
            _ => continue,
        };
        let value = match field.value {
            Wire::Number(it) => it.to_string(),
            Wire::Bytes(it) if field.number == 1 => String::from_utf8_lossy(it).chars().take(64).collect(),
            Wire::Bytes(it) => format!("sha256:{}", sha256(it)),
            Wire::Four(_) | Wire::Eight(_) => continue,
        };
        stated.push(format!("{name}={value}"));
    }
    stated.sort();
    Ok(Rules { format: FORMAT, text: stated.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece_of(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let inner =
            [&[0x0a, text.len() as u8][..], text.as_bytes(), &[0x15], &score.to_le_bytes(), &[0x18, kind]].concat();
        [&[0x0a, inner.len() as u8][..], &inner].concat()
    }

    fn model(kind: u8) -> Vec<u8> {
        let pieces = [
            piece_of("<unk>", 0.0, 2),
            piece_of("<s>", 0.0, 3),
            piece_of("<0x0A>", 0.0, 6),
            piece_of("abc", -1.0, 1),
            piece_of("▁a", 0.0, 1),
            piece_of("词", -2.0, 1),
            piece_of("x", 0.0, 5),
            piece_of("▁▁", 0.0, 4),
        ];
        [&pieces.concat()[..], &[0x12, 2, 0x18, kind], &[0x1a, 4, 0x0a, 2, b'i', b'd']].concat()
    }

    #[test]
    fn pieces_are_read_by_type() {
        let draft = read(&model(2)).unwrap();
        let seen: Vec<_> = draft.tokens.iter().flatten().map(|it| (&*it.bytes, it.class)).collect();
        let expected: [(&[u8], Class); 7] = [
            (b"<unk>", Class::Special),
            (b"<s>", Class::Special),
            (b"\n", Class::Byte),
            (b"abc", Class::Text),
            (b" a", Class::Text),
            ("词".as_bytes(), Class::Text),
            (b"  ", Class::Added),
        ];
        assert_eq!(seen, expected);
        assert_eq!(draft.tokens[6], None, "an unused piece is no token");
        assert_eq!(draft.merges, [Box::from(*b" a"), Box::from(*b"abc")]);
        assert_eq!(draft.normaliser.unwrap().text, "name=id");
        assert_eq!(read(&model(1)).unwrap().merges.len(), 0);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_or_shorter() {
        let whole = model(2);
        let count = |bytes: &[u8]| read(bytes).map(|it| it.tokens.len());
        for end in 0..whole.len() {
            assert!(count(&whole[..end]).map_or(true, |it| it <= 8), "cut at {end}");
        }
        assert_eq!(read(b"").unwrap_err(), "it has no pieces");
        assert_eq!(
            read(&whole[..5]).unwrap_err(),
            "a protobuf field is cut off or broken, 5 bytes before the end of its message"
        );
        assert_eq!(read(&model(9)).unwrap_err(), "its model is of type number 9, expected 1 to 4");
    }
}
