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
            TextAsWritten::Plain(text) => Self::plain(unfolded(&text)),
            TextAsWritten::ByLanguage(texts) => {
                Self(texts.into_iter().map(|(tag, text)| (tag, unfolded(&text))).collect())
            }
        })
    }
}

/// Without the one space that YAML puts where a text was folded between two characters of a script that is written
/// without spaces.
fn unfolded(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_wide = |at: Option<usize>| at.and_then(|it| chars.get(it)).is_some_and(|it| has_no_spaces(*it));
    let is_fold = |at: usize| chars[at] == ' ' && is_wide(at.checked_sub(1)) && is_wide(Some(at + 1));
    (0..chars.len()).filter(|at| !is_fold(*at)).map(|at| chars[at]).collect()
}

/// Han characters, kana, and the punctuation and full-width forms that go with them.
fn has_no_spaces(it: char) -> bool {
    const RANGES: [(char, char); 6] = [
        ('\u{3001}', '\u{30ff}'),
        ('\u{3400}', '\u{4dbf}'),
        ('\u{4e00}', '\u{9fff}'),
        ('\u{f900}', '\u{faff}'),
        ('\u{ff01}', '\u{ff60}'),
        ('\u{20000}', '\u{3ffff}'),
    ];
    RANGES.iter().any(|(first, last)| (*first..=*last).contains(&it))
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

    /// A folded text has a space at each fold, which Chinese has nowhere and English everywhere.
    #[test]
    fn a_fold_leaves_no_space_between_chinese_characters() {
        let read = |text: &str| serde_json::from_value::<Text>(text.into()).unwrap().in_language("en").to_owned();
        assert_eq!(
            read("从零开始训练， 重新实现。 2023 年 12 月， 实际"),
            "从零开始训练，重新实现。 2023 年 12 月，实际"
        );
        assert_eq!(read("a fold of two words"), "a fold of two words");
        assert_eq!(read("用 GPT 训练 "), "用 GPT 训练 ");
    }

    #[test]
    fn a_missing_language_falls_back_to_what_there_is() {
        let text = Text::new([("en", "wrapper"), ("zh-CN", "套壳")]);
        assert_eq!(text.in_language("zh-CN"), "套壳");
        assert_eq!(text.in_language("fr"), "wrapper");
    }
}
