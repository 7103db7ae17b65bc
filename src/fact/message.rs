//! A sentence by key: the engine states keys and numbers, the language files hold the words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Text;

/// A sentence that `templates/languages/<tag>.yaml` knows under `key`, with the values its placeholders take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Message {
    /// Dotted key, e.g. `unexamined.weights`.
    pub key: String,
    /// Values for the `{name}` placeholders of the sentence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Argument>,
}

/// A value inside a sentence, written as the language writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Argument {
    /// A count or a measured number; the language decides on separators and on 万/亿.
    Number(f64),
    /// A share between 0 and 1, written as a percentage.
    Share(f64),
    /// Names, identifiers and paths, never translated.
    Name(String),
    /// Words that exist in several languages already (rubric texts, company names).
    Words(Text),
    /// Another sentence or term by key.
    Term(Box<Message>),
    /// Several of the above, joined as the language joins them.
    List(Vec<Self>),
}

impl Message {
    /// A sentence without placeholders.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), arguments: BTreeMap::new() }
    }

    /// The same sentence with one more placeholder filled.
    #[must_use]
    pub fn with(mut self, name: &str, argument: impl Into<Argument>) -> Self {
        self.arguments.insert(name.to_owned(), argument.into());
        self
    }
}

impl From<f64> for Argument {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Argument {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Argument {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<Text> for Argument {
    fn from(words: Text) -> Self {
        Self::Words(words)
    }
}

impl From<Message> for Argument {
    fn from(term: Message) -> Self {
        Self::Term(Box::new(term))
    }
}
