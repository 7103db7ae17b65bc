//! The vocabulary in a header, on demand: describing a file only goes over it, comparing tokenizers needs it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::bytes::{Source, limits};
use crate::checkpoint::gguf::MAGIC;
use crate::checkpoint::gguf::header::{count_of_keys, key_name};
use crate::checkpoint::gguf::problem::Problem;
use crate::checkpoint::gguf::reader::Reader;
use crate::checkpoint::gguf::value::{ARRAY, Value, list_of_numbers, list_of_texts};
use crate::checkpoint::{Error, Refusal};

/// The keys of a GGUF header that make up a tokenizer, as they are written: nothing is decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GgufVocabulary {
    /// `tokenizer.ggml.model`: `gpt2`, `llama`, `bert`, `t5`, ….
    pub model: Option<String>,
    /// `tokenizer.ggml.pre`: the name llama.cpp has for the way text is split.
    pub pre: Option<String>,
    /// The texts of the tokens by id. The format wants UTF-8, and not every file has it.
    pub tokens: Vec<Vec<u8>>,
    /// The kind of each token, numbered as in `SentencePiece`; empty where the file has none.
    pub types: Vec<i64>,
    /// The score of each token; empty where the file has none.
    pub scores: Vec<f64>,
    /// Merges in order of rank, two texts with a space between; empty where the file has none.
    pub merges: Vec<Vec<u8>>,
    /// Bytes of the header that were gone over.
    pub read_bytes: u64,
    /// Their SHA-256.
    pub read_sha256: String,
}

const PREFIX: &str = "tokenizer.";
const TOKENS: &str = "tokenizer.ggml.tokens";
const MERGES: &str = "tokenizer.ggml.merges";
const TYPES: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";

impl GgufVocabulary {
    /// Reads the keys of a GGUF file; none where the file is no GGUF. `path` is only what it is called in errors.
    pub fn open(path: &Path, source: &dyn Source) -> Result<Option<Self>, Error> {
        let head = source.read_at(0..source.len().min(MAGIC.len() as u64))?;
        if *head != *MAGIC {
            return Ok(None);
        }
        Self::from_source(source).map(Some).map_err(|refusal| Error::of(path, refusal))
    }

    fn from_source(source: &dyn Source) -> Result<Self, Refusal> {
        let mut reader = Reader::new(source);
        let keys = count_of_keys(&mut reader, source.len())?;
        let (mut found, mut single) = (Self::default(), BTreeMap::new());
        for number in 1..=keys {
            let key = key_name(&mut reader, number)?;
            if !found.take(&mut reader, &key)? {
                let value = Value::read(&mut reader)?;
                let is_ours = key.starts_with(PREFIX);
                if is_ours && single.insert(key.clone(), value).is_some() {
                    return Err(Problem::KeyTwice { key }.into());
                }
            }
        }
        let text = |key: &str| match single.get(key) {
            Some(Value::One(Json::String(text))) => Some(text.clone()),
            _ => None,
        };
        let (model, pre) = (text("tokenizer.ggml.model"), text("tokenizer.ggml.pre"));
        Ok(Self { model, pre, read_bytes: reader.at(), read_sha256: reader.digest(), ..found })
    }

    /// Keeps the value of a key that is a list of the vocabulary; says whether it was one.
    fn take(&mut self, reader: &mut Reader<'_>, key: &str) -> Result<bool, Refusal> {
        let is_there = match key {
            TOKENS => !self.tokens.is_empty(),
            MERGES => !self.merges.is_empty(),
            TYPES => !self.types.is_empty(),
            SCORES => !self.scores.is_empty(),
            _ => return Ok(false),
        };
        if is_there {
            return Err(Problem::KeyTwice { key: key.to_owned() }.into());
        }
        expect_array(reader)?;
        match key {
            TOKENS => self.tokens = list_of_texts(reader, limits::VOCABULARY_IDS)?,
            MERGES => self.merges = list_of_texts(reader, limits::VOCABULARY_MERGES)?,
            TYPES => self.types = whole(list_of_numbers(reader, limits::VOCABULARY_IDS)?),
            _ => self.scores = numbers(list_of_numbers(reader, limits::VOCABULARY_IDS)?),
        }
        Ok(true)
    }
}

fn expect_array(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    match reader.u32()? {
        ARRAY => Ok(()),
        found => Err(Problem::NotAnArray { item: reader.item.clone(), found }.into()),
    }
}

/// A kind that is no whole number is none of the known ones.
fn whole(values: Vec<Json>) -> Vec<i64> {
    values.iter().map(|it| it.as_i64().unwrap_or(-1)).collect()
}

fn numbers(values: Vec<Json>) -> Vec<f64> {
    values.iter().map(|it| it.as_f64().unwrap_or(f64::NAN)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Memory;

    fn text(it: &str) -> Vec<u8> {
        [&(it.len() as u64).to_le_bytes()[..], it.as_bytes()].concat()
    }

    fn array(key: &str, kind: u32, length: u64, values: &[u8]) -> Vec<u8> {
        [&text(key)[..], &9_u32.to_le_bytes(), &kind.to_le_bytes(), &length.to_le_bytes(), values].concat()
    }

    fn header(keys: &[Vec<u8>]) -> Memory {
        let fixed = [&b"GGUF\x03\0\0\0"[..], &0_u64.to_le_bytes(), &(keys.len() as u64).to_le_bytes()].concat();
        Memory::new([fixed, keys.concat()].concat())
    }

    #[track_caller]
    fn refused(keys: &[Vec<u8>], expected: &str) {
        match GgufVocabulary::from_source(&header(keys)) {
            Err(Refusal::Broken { message, .. }) => assert_eq!(message, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_lists_are_kept_as_they_are_written() {
        let model = [text("tokenizer.ggml.model"), 8_u32.to_le_bytes().to_vec(), text("llama")].concat();
        let tokens = array(TOKENS, 8, 2, &[text("a"), text("\u{2581}b")].concat());
        let types = array(TYPES, 5, 2, &[1_i32.to_le_bytes(), 6_i32.to_le_bytes()].concat());
        let scores = array(SCORES, 6, 2, &[0_f32.to_le_bytes(), (-1.5_f32).to_le_bytes()].concat());
        let read = GgufVocabulary::from_source(&header(&[model, tokens, types, scores])).unwrap();
        assert_eq!(read.model.as_deref(), Some("llama"));
        assert_eq!(read.tokens, [b"a".to_vec(), "\u{2581}b".into()]);
        assert_eq!((read.types, read.scores), (vec![1, 6], vec![0.0, -1.5]));
        assert_eq!(read.merges.len(), 0);
    }

    #[test]
    fn hostile_lists_are_refused_before_anything_is_reserved() {
        refused(
            &[array(TOKENS, 8, u64::MAX, &[])],
            "key `tokenizer.ggml.tokens`: an array claims 18,446,744,073,709,551,615 elements, and the limit is 2,097,152",
        );
        refused(
            &[array(TOKENS, 8, 1_000_000, &text("a"))],
            "its header ends in key `tokenizer.ggml.tokens`: 8,000,000 bytes expected at byte 69, and the file has 9 more",
        );
        refused(
            &[array(TOKENS, 4, 1, &[0; 4])],
            "key `tokenizer.ggml.tokens`: the type of its elements is number 4, expected 8",
        );
        let twice = array(TOKENS, 8, 1, &text("a"));
        refused(&[twice.clone(), twice], "key `tokenizer.ggml.tokens` stands in the header twice");
    }
}
