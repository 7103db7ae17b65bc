//! Mistral's `tekken.json`: tokens by rank with their bytes in base64; the ids of special tokens come first.

use serde_json::{Map, Value};

use crate::bytes::{limits, sha256, shown};
use crate::checkpoint::{kind_of, read_json};
use crate::tokenizer::base64;
use crate::tokenizer::draft::Draft;
use crate::tokenizer::huggingface::object;
use crate::tokenizer::{Class, Kind, Rules, Token};

const FORMAT: &str = "tekken.json";

/// A pattern that is longer is told by its digest.
const LONG: usize = 1_024;

/// Reads a whole file.
pub(crate) fn read(text: &[u8]) -> Result<Draft, String> {
    let document = read_json(text, limits::TOKENIZER_VALUES)?;
    let file = object(&document.value, "the file")?;
    let config = object(file.get("config").unwrap_or(&Value::Null), "its `config`")?;
    let number = |key: &str| config.get(key).and_then(Value::as_u64);
    let special = number("default_num_special_tokens").unwrap_or(0);
    let mut draft = Draft::new(Kind::Bpe);
    specials(&mut draft, file.get("special_tokens"))?;
    // More tokens may be listed than the model has rows.
    let most = number("default_vocab_size").map_or(u64::MAX, |size| size.saturating_sub(special));
    learned(&mut draft, file.get("vocab"), special, most)?;
    draft.pre_tokeniser = Some(pattern(config));
    draft.repeated_keys = document.repeated;
    Ok(draft)
}

fn learned(draft: &mut Draft, vocabulary: Option<&Value>, first: u64, most: u64) -> Result<(), String> {
    let Some(Value::Array(tokens)) = vocabulary else {
        let found = vocabulary.map_or_else(|| "missing".to_owned(), kind_of);
        return Err(format!("its `vocab` is {found}, expected a list"));
    };
    let mut ranked: Vec<(u64, Vec<u8>)> = Vec::with_capacity(tokens.len());
    for it in tokens {
        let bytes = it.get("token_bytes").and_then(Value::as_str).and_then(|it| base64::decode(it.as_bytes()));
        let rank = it.get("rank").and_then(Value::as_u64);
        let broken = || format!("a token of its `vocab` is {}, expected a rank and bytes in base64", kind_of(it));
        ranked.push(rank.zip(bytes).ok_or_else(broken)?);
    }
    ranked.sort();
    for (rank, bytes) in ranked.into_iter().filter(|it| it.0 < most) {
        draft.put(first.saturating_add(rank), Token { bytes: bytes.clone().into(), class: Class::Text })?;
        if bytes.len() > 1 {
            draft.merge(bytes)?;
        }
    }
    Ok(())
}

/// Their ids are their ranks; older files have none, and the program that reads them knows them by heart.
fn specials(draft: &mut Draft, list: Option<&Value>) -> Result<(), String> {
    for it in list.and_then(Value::as_array).into_iter().flatten() {
        let name = it.get("token_str").and_then(Value::as_str);
        let (Some(name), Some(rank)) = (name, it.get("rank").and_then(Value::as_u64)) else {
            return Err(format!("a special token is {}, expected a rank and a text", shown(it.to_string())));
        };
        draft.put(rank, Token { bytes: name.as_bytes().into(), class: Class::Special })?;
    }
    Ok(())
}

fn pattern(config: &Map<String, Value>) -> Rules {
    let text = config.get("pattern").and_then(Value::as_str).unwrap_or("null");
    let text = if text.len() > LONG { format!("sha256:{}", sha256(text.as_bytes())) } else { text.to_owned() };
    Rules { format: FORMAT, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_learned_tokens_follow_those_of_special_ones() {
        let text = br#"{"config":{"pattern":"[a]+","default_vocab_size":5,"default_num_special_tokens":2},
            "vocab":[{"rank":1,"token_bytes":"Yg=="},{"rank":0,"token_bytes":"YQ=="},{"rank":2,"token_bytes":"YWI="},
            {"rank":3,"token_bytes":"YWFh"}],"special_tokens":[{"rank":0,"token_str":"<unk>","is_control":true}]}"#;
        let draft = read(text).unwrap();
        let seen: Vec<Option<&[u8]>> = draft.tokens.iter().map(|it| it.as_ref().map(|it| &*it.bytes)).collect();
        assert_eq!(seen, [Some(&b"<unk>"[..]), None, Some(b"a"), Some(b"b"), Some(b"ab")]);
        assert_eq!(draft.merges, [Box::from(*b"ab")]);
        assert_eq!(draft.pre_tokeniser.unwrap().text, "[a]+");
    }

    #[test]
    fn what_is_broken_is_named() {
        let why = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(why("{}"), "its `config` is null, expected an object");
        assert_eq!(why(r#"{"config":{}}"#), "its `vocab` is missing, expected a list");
        assert_eq!(
            why(r#"{"config":{},"vocab":[{"rank":1}]}"#),
            "a token of its `vocab` is an object, expected a rank and bytes in base64"
        );
        assert!(why(r#"{"config":{},"vocab":[{"rank":99999999,"token_bytes":"YQ=="}]}"#).contains("ids end below"));
    }
}
