//! Tokens that were added by hand, as the files beside a vocabulary list them.

use std::collections::HashSet;

use serde_json::Value;

use crate::bytes::{limits, shown};
use crate::checkpoint::{kind_of, read_json};
use crate::tokenizer::Class;
use crate::tokenizer::draft::Draft;
use crate::tokenizer::huggingface::object;
use crate::tokenizer::spelling::Spelling;

/// `added_tokens` of `tokenizer.json`: a list of `{"id", "content", "special"}`.
pub(crate) fn list(draft: &mut Draft, tokens: Option<&Value>, spelling: Spelling) -> Result<(), String> {
    let tokens = match tokens {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(tokens)) => tokens,
        Some(other) => return Err(format!("its added tokens are {}, expected a list", kind_of(other))),
    };
    for (number, token) in tokens.iter().enumerate() {
        let id = token.get("id").and_then(Value::as_u64);
        let id = id.ok_or_else(|| format!("added token {number} has no id that is a whole number"))?;
        put(draft, id, token, spelling)?;
    }
    Ok(())
}

/// The texts of that list: they stand in the vocabulary too, and are not spelled as it is.
pub(crate) fn contents(tokens: Option<&Value>) -> HashSet<String> {
    let tokens = tokens.and_then(Value::as_array).into_iter().flatten();
    tokens.filter_map(|it| it.get("content").and_then(Value::as_str)).map(str::to_owned).collect()
}

/// `added_tokens.json`: `{"<content>": id}`, which does not say what is special.
pub(crate) fn by_content(draft: &mut Draft, text: &[u8], spelling: Spelling) -> Result<(), String> {
    let document = read_json(text, limits::TOKENIZER_VALUES)?;
    for (content, id) in object(&document.value, "the file")? {
        let id = id.as_u64().ok_or_else(|| format!("the id of token {} is {}", shown(content), kind_of(id)))?;
        draft.put(id, spelling.added(content, Class::Added))?;
    }
    Ok(())
}

/// `added_tokens_decoder` of `tokenizer_config.json`: `{"<id>": {"content", "special"}}`.
pub(crate) fn by_id(draft: &mut Draft, text: &[u8], spelling: Spelling) -> Result<(), String> {
    let document = read_json(text, limits::TOKENIZER_VALUES)?;
    let Some(tokens) = object(&document.value, "the file")?.get("added_tokens_decoder") else { return Ok(()) };
    for (id, token) in object(tokens, "its `added_tokens_decoder`")? {
        let id = id.parse().map_err(|_| format!("{} of its added tokens is no id", shown(id)))?;
        put(draft, id, token, spelling)?;
    }
    Ok(())
}

fn put(draft: &mut Draft, id: u64, token: &Value, spelling: Spelling) -> Result<(), String> {
    let content = token.get("content").and_then(Value::as_str);
    let content = content.ok_or_else(|| format!("the added token of id {id} has no content that is text"))?;
    let is_special = token.get("special").and_then(Value::as_bool) == Some(true);
    // `SentencePiece` lists its bytes among the added tokens of some exports; they stay bytes.
    if !is_special && draft.class_of(id) == Some(Class::Byte) {
        return Ok(());
    }
    draft.put(id, spelling.added(content, if is_special { Class::Special } else { Class::Added }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::{Kind, Token};

    fn read(
        by: fn(&mut Draft, &[u8], Spelling) -> Result<(), String>,
        text: &str,
    ) -> Result<Vec<Option<Token>>, String> {
        let mut draft = Draft::new(Kind::Bpe);
        by(&mut draft, text.as_bytes(), Spelling::ByteLevel).map(|()| draft.tokens)
    }

    fn token(text: &str, class: Class) -> Option<Token> {
        Some(Token { bytes: text.as_bytes().into(), class })
    }

    #[test]
    fn both_files_give_tokens_their_ids() {
        assert_eq!(read(by_content, r#"{"<x>":1}"#), Ok(vec![None, token("<x>", Class::Added)]));
        let text = r#"{"added_tokens_decoder":{"0":{"content":"<s>","special":true}}}"#;
        assert_eq!(read(by_id, text), Ok(vec![token("<s>", Class::Special)]));
        assert_eq!(read(by_id, "{}"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        assert_eq!(read(by_content, r#"{"a":-3}"#).unwrap_err(), "the id of token `a` is -3");
        let text = r#"{"added_tokens_decoder":{"-1":{"content":"a"}}}"#;
        assert_eq!(read(by_id, text).unwrap_err(), "`-1` of its added tokens is no id");
        let text = r#"{"added_tokens_decoder":{"1":{"special":true}}}"#;
        assert_eq!(read(by_id, text).unwrap_err(), "the added token of id 1 has no content that is text");
    }
}
