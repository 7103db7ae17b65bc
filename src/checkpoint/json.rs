//! Reads JSON from outside: nesting and number of values are limited, and keys that occur twice are not lost.
//!
//! `serde_json::Value` alone keeps the last of two equal keys and says nothing; Python does the same, so a file can
//! show one value to a reader and another to a loader.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::bytes::{counted, grouped, limits, shown};

/// A JSON text, and where it repeats a key.
#[derive(Debug)]
pub(crate) struct Document {
    /// The last value of every key.
    pub(crate) value: Value,
    /// Keys that occur twice in one object, as dotted paths; at most [`REPEATED`] of them.
    pub(crate) repeated: Vec<String>,
}

/// How many repeated keys are named; a hostile file may have millions.
const REPEATED: usize = 8;

/// Reads a whole text, which may begin with a byte order mark and may hold at most `values` values.
pub(crate) fn read(text: &[u8], values: usize) -> Result<Document, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("it is not text in UTF-8 (byte {})", grouped(error.valid_up_to() as u64)))?;
    let mut notes = Notes::new(values);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Tree::new(&mut notes).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(value) => Ok(Document { value, repeated: notes.repeated }),
        Err(error) => Err(notes.stop.unwrap_or_else(|| format!("it is not valid JSON: {error}"))),
    }
}

/// The text in UTF-8, where a byte order mark says that it is in UTF-16.
pub(crate) fn from_utf16(text: &[u8]) -> Option<Vec<u8>> {
    let (rest, is_little) = match text {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return None,
    };
    let unit = if is_little { u16::from_le_bytes } else { u16::from_be_bytes };
    let units: Vec<u16> = rest.as_chunks().0.iter().map(|it| unit(*it)).collect();
    String::from_utf16(&units).ok().map(String::into_bytes)
}

/// Words that Python writes for numbers which JSON does not have; the longer ones first.
const INFINITIES: &[&[u8]] = &[b"-Infinity", b"Infinity", b"NaN"];

/// The text with those words replaced by `null`, outside of texts, and how many there were; none where there is none.
pub(crate) fn without_infinities(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut out, mut count) = (Vec::with_capacity(text.len()), 0_usize);
    let (mut rest, mut is_inside, mut is_escaped) = (text, false, false);
    while let Some((first, behind)) = rest.split_first() {
        let word = INFINITIES.iter().find(|it| !is_inside && rest.starts_with(it));
        if let Some(word) = word {
            out.extend(b"null");
            count = count.saturating_add(1);
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        is_inside ^= *first == b'"' && !is_escaped;
        is_escaped = is_inside && *first == b'\\' && !is_escaped;
        out.push(*first);
        rest = behind;
    }
    (count > 0).then_some((out, count))
}

/// What a value is, with its article, for errors that name what was found.
pub(crate) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(it) => it.to_string(),
        Value::Number(it) => it.to_string(),
        Value::String(it) => format!("the text {}", shown(it)),
        Value::Array(it) if it.is_empty() => "an empty list".into(),
        Value::Array(it) => format!("a list of {}", counted(it.len(), "value")),
        Value::Object(_) => "an object".into(),
    }
}

/// What reading a tree leaves behind besides the tree.
#[derive(Debug)]
pub(crate) struct Notes {
    limit: usize,
    left: usize,
    path: Vec<String>,
    pub(crate) repeated: Vec<String>,
    /// The limit that was met, which `serde_json` would report as a mistake in the text.
    pub(crate) stop: Option<String>,
}

impl Notes {
    pub(crate) fn new(values: usize) -> Self {
        Self { limit: values, left: values, path: Vec::new(), repeated: Vec::new(), stop: None }
    }

    fn stop<E: serde::de::Error>(&mut self, why: String) -> E {
        self.stop = Some(why);
        E::custom("stopped at a limit")
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.stop(format!("it holds more than {} values", grouped(self.limit as u64)))),
        }
    }

    fn repeats(&mut self) {
        if self.repeated.len() < REPEATED {
            let path: Vec<String> = self.path.iter().map(|key| key.chars().take(64).collect()).collect();
            self.repeated.push(path.join("."));
        }
    }
}

/// Builds one value within limits.
pub(crate) struct Tree<'a> {
    notes: &'a mut Notes,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(notes: &'a mut Notes) -> Self {
        Self { notes }
    }

    fn deeper<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.notes.path.len() >= limits::JSON_DEPTH {
            return Err(self.notes.stop(format!("it nests deeper than {} levels", limits::JSON_DEPTH)));
        }
        self.notes.path.push(String::new());
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.notes.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_f64<E: serde::de::Error>(self, it: f64) -> Result<Value, E> {
        Number::from_f64(it).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_string<E>(self, it: String) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree::new(self.notes))? {
            list.push(item);
        }
        self.notes.path.pop();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if let Some(last) = self.notes.path.last_mut() {
                last.clone_from(&key);
            }
            let value = entries.next_value_seed(Tree::new(self.notes))?;
            if map.insert(key, value).is_some() {
                self.notes.repeats();
            }
        }
        self.notes.path.pop();
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = match read(text.as_bytes(), 40) {
            Ok(document) if document.repeated.is_empty() => document.value.to_string(),
            Ok(document) => format!("{} repeats {}", document.value, document.repeated.join(", ")),
            Err(why) => why,
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn plain_json_reads_as_it_is() {
        check("\u{feff} {\"a\":[1,-2,0.5,true,null,\"词\"]}", "{\"a\":[1,-2,0.5,true,null,\"词\"]}");
    }

    #[test]
    fn repeated_keys_are_named_with_their_path() {
        check("{\"a\":{\"b\":1,\"b\":2},\"a\":3}", "{\"a\":3} repeats a.b, a");
        check("[{\"x\":1,\"x\":1}]", "[{\"x\":1}] repeats .x");
    }

    #[test]
    fn numbers_that_python_writes_and_json_does_not_have_become_null() {
        let check = |text: &str, expected: Option<(&str, usize)>| {
            let found = without_infinities(text.as_bytes()).map(|it| (String::from_utf8(it.0).unwrap(), it.1));
            assert_eq!(found, expected.map(|it| (it.0.to_owned(), it.1)));
        };
        check(r#"{"a":[0.0,Infinity],"b":-Infinity,"c":NaN}"#, Some((r#"{"a":[0.0,null],"b":null,"c":null}"#, 3)));
        check(r#"{"NaN":"\"NaN","b":"Infinity\\"}"#, None);
        check(r#"{"a":"x\\","b":NaN}"#, Some((r#"{"a":"x\\","b":null}"#, 1)));
    }

    #[test]
    fn text_in_two_byte_units_is_told_by_its_mark() {
        let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(from_utf16(&[&b"\xff\xfe"[..], &units("{\"名\":1}")].concat()).unwrap(), "{\"名\":1}".as_bytes());
        assert_eq!(from_utf16(b"{}"), None);
    }

    #[test]
    fn limits_are_named() {
        check(&format!("[{}0]", "0,".repeat(50)), "it holds more than 40 values");
        let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
        assert_eq!(read(deep.as_bytes(), 100).unwrap_err(), "it nests deeper than 48 levels");
        let deeper = "[".repeat(1_000_000);
        assert_eq!(read(deeper.as_bytes(), 10_000_000).unwrap_err(), "it nests deeper than 48 levels");
    }

    #[test]
    fn mistakes_say_where() {
        check("{\"a\":NaN}", "it is not valid JSON: expected value at line 1 column 6");
        check("{} {}", "it is not valid JSON: trailing characters at line 1 column 4");
        assert_eq!(read(b"{\"\xff\":1}", 9).unwrap_err(), "it is not text in UTF-8 (byte 2)");
    }
}
