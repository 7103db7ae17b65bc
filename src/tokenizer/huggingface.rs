//! `tokenizer.json` of the Hugging Face library: model, added tokens, and the rules around them.

use serde_json::{Map, Value};

use crate::bytes::{limits, sha256, shown};
use crate::checkpoint::{kind_of, read_json};
use crate::tokenizer::added;
use crate::tokenizer::draft::Draft;
use crate::tokenizer::spelling::Spelling;
use crate::tokenizer::{Kind, Rules};

const FORMAT: &str = "tokenizer.json";

/// A text in the rules that is longer is told by its digest: a table of characters, which takes 300 kB.
const LONG: usize = 1_024;

/// Reads a whole file.
pub(crate) fn read(text: &[u8]) -> Result<Draft, String> {
    let document = read_json(text, limits::TOKENIZER_VALUES)?;
    let file = object(&document.value, "the file")?;
    let model = object(file.get("model").unwrap_or(&Value::Null), "its `model`")?;
    let kind = kind(model)?;
    let spelling = spelling(kind, file, model);
    let mut draft = Draft::new(kind);
    draft.added = added::contents(file.get("added_tokens"));
    learned(&mut draft, model, spelling)?;
    if kind == Kind::Bpe {
        merges(&mut draft, model.get("merges"), spelling)?;
    }
    added::list(&mut draft, file.get("added_tokens"), spelling)?;
    draft.normaliser = Some(rules(file.get("normalizer")));
    draft.pre_tokeniser = Some(rules(file.get("pre_tokenizer")));
    draft.repeated_keys = document.repeated;
    Ok(draft)
}

pub(crate) fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} is {}, expected an object", kind_of(value)))
}

/// The kind as it is stated; old files state none, and are told by what they have.
fn kind(model: &Map<String, Value>) -> Result<Kind, String> {
    match model.get("type").and_then(Value::as_str) {
        Some("BPE") => Ok(Kind::Bpe),
        Some("Unigram") => Ok(Kind::Unigram),
        Some("WordPiece") => Ok(Kind::WordPiece),
        Some("WordLevel") => Ok(Kind::WordLevel),
        Some(other) => Err(format!("its model is of type {}, which this version does not know", shown(other))),
        None if model.contains_key("merges") => Ok(Kind::Bpe),
        None if model.get("vocab").is_some_and(Value::is_array) => Ok(Kind::Unigram),
        None if model.contains_key("continuing_subword_prefix") => Ok(Kind::WordPiece),
        None => Err("its model states no type".into()),
    }
}

/// Told by the rules around the model, since the model does not say it.
fn spelling(kind: Kind, file: &Map<String, Value>, model: &Map<String, Value>) -> Spelling {
    if kind == Kind::WordPiece {
        return Spelling::WordPiece;
    }
    let rules: Vec<&Value> = ["normalizer", "pre_tokenizer", "decoder"].iter().filter_map(|it| file.get(*it)).collect();
    let any = |wanted: &dyn Fn(&Map<String, Value>) -> bool| rules.iter().any(|it| holds(it, wanted));
    let is_type = |name: &'static str| any(&move |it| it.get("type").and_then(Value::as_str) == Some(name));
    if is_type("ByteLevel") {
        return Spelling::ByteLevel;
    }
    let writes_spaces = any(&|it| it.get("content").and_then(Value::as_str) == Some("\u{2581}"));
    let falls_back = model.get("byte_fallback").and_then(Value::as_bool) == Some(true);
    let like_sentencepiece = is_type("Metaspace") || writes_spaces || falls_back;
    if like_sentencepiece { Spelling::SentencePiece } else { Spelling::Plain }
}

/// Whether any object in a value is wanted. Depth was limited when it was read.
fn holds(value: &Value, wanted: &dyn Fn(&Map<String, Value>) -> bool) -> bool {
    match value {
        Value::Object(map) => wanted(map) || map.values().any(|it| holds(it, wanted)),
        Value::Array(values) => values.iter().any(|it| holds(it, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn learned(draft: &mut Draft, model: &Map<String, Value>, spelling: Spelling) -> Result<(), String> {
    match model.get("vocab") {
        Some(Value::Object(entries)) => entries.iter().try_for_each(|(text, id)| {
            let id = id.as_u64().ok_or_else(|| format!("the id of token {} is {}", shown(text), kind_of(id)))?;
            put(draft, id, text, spelling)
        }),
        Some(Value::Array(entries)) => (0..).zip(entries).try_for_each(|(id, entry)| {
            let text = entry.get(0).and_then(Value::as_str);
            let text = text.ok_or_else(|| format!("entry {id} of its vocabulary is {}", kind_of(entry)))?;
            put(draft, id, text, spelling)
        }),
        other => Err(format!("its vocabulary is {}", other.map_or("not there".into(), kind_of))),
    }
}

/// Puts a learned token in; one that is spelled otherwise is taken as it is written.
pub(crate) fn put(draft: &mut Draft, id: u64, text: &str, spelling: Spelling) -> Result<(), String> {
    let token = spelling.learned(text).or_else(|| {
        if !draft.added.contains(text) {
            draft.odd(text);
        }
        Spelling::Plain.learned(text)
    });
    token.map_or(Ok(()), |token| draft.put(id, token))
}

/// Written as `"a b"`, or as `["a", "b"]` since version 0.20 of the library.
fn merges(draft: &mut Draft, merges: Option<&Value>, spelling: Spelling) -> Result<(), String> {
    let Some(merges) = merges.and_then(Value::as_array) else {
        return Err(format!("its merges are {}", merges.map_or("not there".into(), kind_of)));
    };
    for (rank, merge) in merges.iter().enumerate() {
        let pair = match merge {
            Value::String(text) => text.split_once(' '),
            _ => merge.get(0).and_then(Value::as_str).zip(merge.get(1).and_then(Value::as_str)),
        };
        let (left, right) = pair.ok_or_else(|| format!("merge {rank} is {}, expected two texts", kind_of(merge)))?;
        draft.merge([spelling.part(left), spelling.part(right)].concat())?;
    }
    Ok(())
}

/// Rules with their keys sorted and long texts as digests; what is not there is `null`.
fn rules(value: Option<&Value>) -> Rules {
    let text = value.map_or_else(|| "null".into(), |it| shortened(it).to_string());
    Rules { format: FORMAT, text }
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONG => format!("sha256:{}", sha256(text.as_bytes())).into(),
        Value::Array(values) => values.iter().map(shortened).collect(),
        Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), shortened(it))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::{Class, Token};

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(read(text.as_bytes()).unwrap_err(), expected);
    }

    fn token(bytes: &[u8], class: Class) -> Option<Token> {
        Some(Token { bytes: bytes.into(), class })
    }

    #[test]
    fn byte_level_bpe_with_added_tokens() {
        let draft = read(
            br#"{"model":{"type":"BPE","vocab":{"<s>":0,"t":1,"h":2,"\u0120":3,"th":4,"\u0120th":5},
                "merges":["t h",["\u0120","th"],["\u0120t","h"]]},
                "added_tokens":[{"id":0,"content":"<s>","special":true},{"id":7,"content":"\u2581x","special":false}],
                "pre_tokenizer":{"use_regex":true,"type":"ByteLevel"}}"#,
        )
        .unwrap();
        assert_eq!(draft.tokens[0], token(b"<s>", Class::Special));
        assert_eq!(draft.tokens[5], token(b" th", Class::Text));
        assert_eq!((&draft.tokens[6], &draft.tokens[7]), (&None, &token("\u{2581}x".as_bytes(), Class::Added)));
        assert_eq!(draft.merges, [Box::from(*b"th"), Box::from(*b" th")]);
        assert_eq!(draft.pre_tokeniser.as_ref().unwrap().text, r#"{"type":"ByteLevel","use_regex":true}"#);
        assert_eq!(draft.normaliser.as_ref().unwrap().text, "null");
        assert_eq!(draft.findings("f"), []);
    }

    #[test]
    fn sentencepiece_as_unigram_and_as_bpe() {
        let unigram = r#"{"model":{"type":"Unigram","vocab":[["<unk>",0],["▁the",-1.5]]},
            "pre_tokenizer":{"type":"Metaspace"}}"#;
        let draft = read(unigram.as_bytes()).unwrap();
        assert_eq!(draft.tokens[1], token(b" the", Class::Text));
        let bpe = r#"{"model":{"type":"BPE","byte_fallback":true,"vocab":{"<0x0A>":0,"▁a":1},"merges":[]}}"#;
        assert_eq!(read(bpe.as_bytes()).unwrap().tokens, [token(b"\n", Class::Byte), token(b" a", Class::Text)]);
    }

    #[test]
    fn hostile_files_are_refused_with_the_reason() {
        refused("[]", "the file is an empty list, expected an object");
        refused("{}", "its `model` is null, expected an object");
        refused(r#"{"model":{"type":"X"}}"#, "its model is of type `X`, which this version does not know");
        refused(r#"{"model":{"type":"BPE","vocab":{"a":-1}}}"#, "the id of token `a` is -1");
        refused(r#"{"model":{"type":"BPE","vocab":{"a":0.5}}}"#, "the id of token `a` is 0.5");
        refused(
            r#"{"model":{"type":"BPE","vocab":{"a":9999999999}}}"#,
            "it gives a token the id 9,999,999,999, and ids end below 2,097,152",
        );
        refused(r#"{"model":{"type":"BPE","vocab":{"a":0}}}"#, "its merges are not there");
        refused(
            r#"{"model":{"type":"BPE","vocab":{},"merges":["ab"]}}"#,
            "merge 0 is the text `ab`, expected two texts",
        );
        refused(r#"{"model":{"type":"Unigram","vocab":[[1]]}}"#, "entry 0 of its vocabulary is a list of 1 value");
        refused(&"[".repeat(1_000_000), "it nests deeper than 48 levels");
    }

    #[test]
    fn what_is_odd_is_told() {
        let text =
            r#"{"model":{"type":"BPE","vocab":{"词":0,"a":1,"b":1},"merges":[]},"decoder":{"type":"ByteLevel"}}"#;
        let codes: Vec<_> = read(text.as_bytes()).unwrap().findings("f").into_iter().map(|it| it.code).collect();
        assert_eq!(codes, ["tokenizer-id-twice", "tokenizer-odd-token"]);
    }
}
