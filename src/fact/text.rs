//! A text as a person wrote it, in one or more languages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The tag under which a text without a stated language is kept (ISO 639-2 "undetermined").
pub(crate) const UNDETERMINED: &str = "und";

/// A text by language tag (`en`, `zh-CN`).
///
/// A YAML writer may give a plain string, which then stands under `und` and is printed as it is in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "TextAsWritten")]
pub struct Text(BTreeMap<String, String>);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum TextAsWritten {
    Plain(String),
    ByLanguage(BTreeMap<String, String>),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match TextAsWritten::deserialize(deserializer)? {
            TextAsWritten::Plain(text) => Self::plain(text),
            TextAsWritten::ByLanguage(texts) => Self(texts),
        })
    }
}

impl Text {
    /// A text that is the same in every language.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([(UNDETERMINED.to_owned(), text.into())]))
    }

    /// A text from language tags and their words.
    pub fn new<const N: usize>(texts: [(&str, &str); N]) -> Self {
        Self(texts.into_iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect())
    }

    /// The words in `language`, or else undetermined ones, or else the first there are.
    pub fn in_language(&self, language: &str) -> &str {
        self.get(language)
            .or_else(|| self.get(UNDETERMINED))
            .or_else(|| self.0.values().next().map(String::as_str))
            .unwrap_or_default()
    }

    /// The words in exactly this language.
    pub fn get(&self, language: &str) -> Option<&str> {
        self.0.get(language).map(String::as_str)
    }

    /// The languages the text is written in, sorted.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|text| text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_reads_in_every_language() {
        let text: Text = serde_json::from_str("\"Yi-34B\"").unwrap();
        assert_eq!(text.in_language("zh-CN"), "Yi-34B");
    }

    #[test]
    fn a_missing_language_falls_back_to_what_there_is() {
        let text = Text::new([("en", "wrapper"), ("zh-CN", "套壳")]);
        assert_eq!(text.in_language("zh-CN"), "套壳");
        assert_eq!(text.in_language("fr"), "wrapper");
    }
}
