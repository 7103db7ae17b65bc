//! The oldest formats: `vocab.json` with `merges.txt` (GPT-2), and `vocab.txt` (BERT).

use serde_json::Value;

use crate::bytes::{limits, shown};
use crate::checkpoint::{kind_of, read_json};
use crate::tokenizer::draft::Draft;
use crate::tokenizer::huggingface::{object, put};
use crate::tokenizer::spelling::Spelling;
use crate::tokenizer::{Class, Kind};

/// Reads `vocab.json`, an object of tokens and ids, and `merges.txt` where there is one.
pub(crate) fn gpt2(vocabulary: &[u8], merges: Option<&[u8]>) -> Result<Draft, String> {
    let document = read_json(vocabulary, limits::TOKENIZER_VALUES)?;
    let mut draft = Draft::new(Kind::Bpe);
    for (text, id) in object(&document.value, "the file")? {
        let whole = Value::as_u64(id).ok_or_else(|| format!("the id of token {} is {}", shown(text), kind_of(id)))?;
        put(&mut draft, whole, text, Spelling::ByteLevel)?;
    }
    draft.repeated_keys = document.repeated;
    merges.map_or(Ok(()), |it| merge_lines(&mut draft, it))?;
    Ok(draft)
}

/// `a b` on each line; the first may state the version.
fn merge_lines(draft: &mut Draft, text: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|_| "`merges.txt` is not text in UTF-8".to_owned())?;
    for (number, line) in (1_u64..).zip(text.lines()) {
        if line.is_empty() || (number == 1 && line.starts_with("#version")) {
            continue;
        }
        let broken = || format!("line {number} of `merges.txt` is {}, expected two texts", shown(line));
        let (left, right) = line.split_once(' ').ok_or_else(broken)?;
        draft.merge([Spelling::ByteLevel.part(left), Spelling::ByteLevel.part(right)].concat())?;
    }
    Ok(())
}

/// Reads `vocab.txt`: a token a line, the number of the line its id.
pub(crate) fn bert(text: &[u8]) -> Result<Draft, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not text in UTF-8".to_owned())?;
    let mut draft = Draft::new(Kind::WordPiece);
    for (id, line) in (0..).zip(text.lines()) {
        let token = match line {
            "[UNK]" | "[CLS]" | "[SEP]" | "[PAD]" | "[MASK]" => Some(Spelling::WordPiece.added(line, Class::Special)),
            _ => Spelling::WordPiece.learned(line),
        };
        token.map_or(Ok(()), |it| draft.put(id, it))?;
    }
    if draft.tokens.is_empty() {
        return Err("it has no tokens".into());
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_files_of_gpt2_are_one_vocabulary() {
        let merges = "#version: 0.2\nt h\n\u{120} th\n# #\n";
        let draft = gpt2("{\"t\":0,\"\u{120}th\":1}".as_bytes(), Some(merges.as_bytes())).unwrap();
        assert_eq!(&*draft.tokens[1].as_ref().unwrap().bytes, b" th");
        assert_eq!(draft.merges, [Box::from(*b"th"), Box::from(*b" th"), Box::from(*b"##")]);
        let why = gpt2(b"{}", Some(b"\nab\n")).unwrap_err();
        assert_eq!(why, "line 2 of `merges.txt` is `ab`, expected two texts");
    }

    #[test]
    fn lines_of_bert_are_ids() {
        let draft = bert("[PAD]\nthe\n##ing\n".as_bytes()).unwrap();
        let seen: Vec<_> = draft.tokens.iter().flatten().map(|it| (&*it.bytes, it.class)).collect();
        assert_eq!(seen, [(&b"[PAD]"[..], Class::Special), (b" the", Class::Text), (b"ing", Class::Text)]);
        assert_eq!(bert(b"").unwrap_err(), "it has no tokens");
        assert_eq!(bert(b"\xff").unwrap_err(), "it is not text in UTF-8");
    }
}
