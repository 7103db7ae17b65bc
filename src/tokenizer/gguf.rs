//! The tokenizer in the header of a GGUF file.

use crate::bytes::{grouped, shown};
use crate::checkpoint::GgufVocabulary;
use crate::tokenizer::draft::Draft;
use crate::tokenizer::sentencepiece::{Piece, merges_by_score, put_pieces};
use crate::tokenizer::spelling::Spelling;
use crate::tokenizer::{Kind, Rules};

/// What a piece is where the file does not say it: text.
const TEXT: i64 = 1;

/// Makes a vocabulary of the keys.
pub(crate) fn read(written: &GgufVocabulary) -> Result<Draft, String> {
    if written.tokens.is_empty() {
        return Err("its header holds no vocabulary".into());
    }
    let (kind, spelling) = kind(written)?;
    let pieces = pieces(written)?;
    let mut draft = Draft::new(kind);
    put_pieces(&mut draft, &pieces, spelling)?;
    if !written.merges.is_empty() {
        merges(&mut draft, written, spelling)?;
    } else if kind == Kind::Bpe && !written.scores.is_empty() {
        merges_by_score(&mut draft, &pieces)?;
    }
    draft.pre_tokeniser = written.pre.clone().map(|text| Rules { format: "gguf", text });
    Ok(draft)
}

/// llama.cpp's name for a tokenizer. It writes the tokens of BERT with `▁` where a word begins, and without `##`.
fn kind(written: &GgufVocabulary) -> Result<(Kind, Spelling), String> {
    match written.model.as_deref() {
        Some("gpt2") => Ok((Kind::Bpe, Spelling::ByteLevel)),
        Some("llama") => Ok((Kind::Bpe, Spelling::SentencePiece)),
        Some("t5") => Ok((Kind::Unigram, Spelling::SentencePiece)),
        Some("bert") => Ok((Kind::WordPiece, Spelling::SentencePiece)),
        Some(other) => Err(format!("its tokenizer is {}, which this version does not know", shown(other))),
        None => Err("it does not say what kind its tokenizer is".into()),
    }
}

fn pieces(written: &GgufVocabulary) -> Result<Vec<Piece<'_>>, String> {
    let count = written.tokens.len();
    for (what, length) in [("kinds", written.types.len()), ("scores", written.scores.len())] {
        if length != 0 && length != count {
            let (length, count) = (grouped(length as u64), grouped(count as u64));
            return Err(format!("it has {count} tokens and {length} {what} of tokens"));
        }
    }
    let kinds = written.types.iter().copied().chain(std::iter::repeat(TEXT));
    let scores = written.scores.iter().copied().chain(std::iter::repeat(0.0));
    let all = written.tokens.iter().zip(kinds).zip(scores);
    Ok(all.map(|((text, kind), score)| Piece { text, score, kind }).collect())
}

fn merges(draft: &mut Draft, written: &GgufVocabulary, spelling: Spelling) -> Result<(), String> {
    for (rank, merge) in written.merges.iter().enumerate() {
        let pair = std::str::from_utf8(merge).ok().and_then(|it| it.split_once(' '));
        let broken = || format!("merge {rank} is {}, expected two texts", shown(String::from_utf8_lossy(merge)));
        let (left, right) = pair.ok_or_else(broken)?;
        draft.merge([spelling.part(left), spelling.part(right)].concat())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::Class;

    fn written(model: &str, tokens: &[&str]) -> GgufVocabulary {
        let tokens = tokens.iter().map(|it| it.as_bytes().to_vec()).collect();
        GgufVocabulary { model: Some(model.into()), tokens, ..GgufVocabulary::default() }
    }

    #[test]
    fn each_model_has_its_spelling() {
        let first = |model, text| read(&written(model, &[text])).unwrap().tokens[0].clone().unwrap();
        assert_eq!(&*first("gpt2", "\u{120}a").bytes, b" a");
        assert_eq!(&*first("llama", "\u{2581}a").bytes, b" a");
        assert_eq!(&*first("bert", "\u{2581}a").bytes, b" a");
        assert_eq!(first("t5", "<0x41>").class, Class::Byte);
    }

    #[test]
    fn merges_come_from_scores_where_there_are_none() {
        let file = GgufVocabulary { scores: vec![-2.0, -1.0, 0.0], ..written("llama", &["abc", "ab", "a"]) };
        assert_eq!(read(&file).unwrap().merges, [Box::from(*b"ab"), Box::from(*b"abc")]);
        let file = GgufVocabulary { merges: vec![b"a b".to_vec()], ..written("gpt2", &["ab"]) };
        assert_eq!(read(&file).unwrap().merges, [Box::from(*b"ab")]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let refused = |it: &GgufVocabulary| read(it).unwrap_err();
        assert_eq!(refused(&written("gpt2", &[])), "its header holds no vocabulary");
        assert_eq!(refused(&written("rwkv", &["a"])), "its tokenizer is `rwkv`, which this version does not know");
        let file = GgufVocabulary { types: vec![1, 1], ..written("gpt2", &["a"]) };
        assert_eq!(refused(&file), "it has 1 tokens and 2 kinds of tokens");
        let file = GgufVocabulary { merges: vec![b"ab".to_vec()], ..written("gpt2", &["ab"]) };
        assert_eq!(refused(&file), "merge 0 is `ab`, expected two texts");
    }
}
