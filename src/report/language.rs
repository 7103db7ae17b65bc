//! The words of one language, by key: sentences with placeholders, and how numbers and dates are written.

use std::collections::BTreeMap;

use crate::fact::{Argument, Message, Text};
use crate::report::Error;
use crate::report::number::{NumberStyle, percent};
use crate::shelf;

/// One language a memo can be written in.
#[derive(Clone, Debug)]
pub struct Language {
    tag: String,
    sentences: BTreeMap<String, String>,
    /// How numbers and dates are written.
    pub numbers: NumberStyle,
}

impl Language {
    /// The language with this tag.
    ///
    /// # Errors
    /// Where there is no such language, or its file is not one sentence a key.
    pub fn find(tag: &str) -> Result<Self, Error> {
        let file = shelf::find(shelf::TEMPLATES, &format!("languages/{tag}.yaml"));
        let bytes =
            file.ok_or_else(|| Error::UnknownLanguage { tag: tag.to_owned(), known: Self::tags().join(", ") })?;
        let broken = |reason: String| Error::BrokenLanguage { tag: tag.to_owned(), reason };
        let sentences: BTreeMap<String, String> =
            serde_yaml::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        let numbers = read_style(&sentences).map_err(broken)?;
        Ok(Self { tag: tag.to_owned(), sentences, numbers })
    }

    /// Tags of all languages, sorted.
    pub fn tags() -> Vec<&'static str> {
        shelf::below(shelf::TEMPLATES, "languages").filter_map(|(name, _)| name.strip_suffix(".yaml")).collect()
    }

    /// Its tag, e.g. `zh-CN`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The sentence under a key, placeholders unfilled.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.sentences.get(key).map(String::as_str)
    }

    /// Every key, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.sentences.keys().map(String::as_str)
    }

    /// The sentence under a key with its placeholders filled.
    ///
    /// # Errors
    /// The key, or the placeholder that has no value.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let sentence = self.get(key).ok_or_else(|| format!("`{key}` is not in `languages/{}.yaml`", self.tag))?;
        fill(sentence, |name| values.iter().find(|(it, _)| *it == name).map(|(_, value)| Ok((*value).to_owned())))
            .map_err(|problem| format!("`{key}`: {problem}"))
    }

    /// What the engine said, in words.
    ///
    /// # Errors
    /// The key, or the placeholder that has no value.
    pub fn message(&self, message: &Message) -> Result<String, String> {
        let key = &message.key;
        let sentence = self.get(key).ok_or_else(|| format!("`{key}` is not in `languages/{}.yaml`", self.tag))?;
        fill(sentence, |name| message.arguments.get(name).map(|it| self.argument(it)))
            .map_err(|problem| format!("`{key}`: {problem}"))
    }

    /// Several words as one phrase.
    pub fn list(&self, parts: &[String]) -> String {
        let (between, last) = (self.get("style.list").unwrap_or(", "), self.get("style.list_last").unwrap_or(", "));
        match parts {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., end] => format!("{}{last}{end}", first.join(between)),
        }
    }

    /// The words of a text in this language, or in another where it has none.
    pub fn words<'text>(&self, text: &'text Text) -> &'text str {
        text.in_language(&self.tag)
    }

    fn argument(&self, argument: &Argument) -> Result<String, String> {
        Ok(match argument {
            Argument::Number(number) => self.numbers.number(*number),
            Argument::Share(share) => percent(*share),
            Argument::Name(name) => name.clone(),
            Argument::Words(text) => self.words(text).to_owned(),
            Argument::Term(message) => self.message(message)?,
            Argument::List(parts) => {
                let parts: Vec<_> = parts.iter().map(|it| self.argument(it)).collect::<Result<_, _>>()?;
                self.list(&parts)
            }
        })
    }
}

/// The placeholders of a sentence, in order. `{n|word|words}` is the word that goes with the number `n`.
pub fn placeholders(sentence: &str) -> Vec<&str> {
    let inside = sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(inside, _)| inside));
    inside.map(|it| it.split('|').next().unwrap_or(it)).collect()
}

fn fill(sentence: &str, value: impl Fn(&str) -> Option<Result<String, String>>) -> Result<String, String> {
    let mut text = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, behind) = after.split_once('}').ok_or_else(|| format!("`{{{after}` is never closed"))?;
        let mut parts = inside.split('|');
        let name = parts.next().unwrap_or(inside);
        let given = value(name).ok_or_else(|| format!("nothing was given for `{{{name}}}`"))??;
        text.push_str(before);
        text.push_str(match (parts.next(), parts.next()) {
            (Some(one), Some(several)) => {
                if given == "1" {
                    one
                } else {
                    several
                }
            }
            _ => &given,
        });
        rest = behind;
    }
    Ok(text + rest)
}

fn read_style(sentences: &BTreeMap<String, String>) -> Result<NumberStyle, String> {
    let get = |key: &str| sentences.get(key).ok_or_else(|| format!("`{key}` is missing"));
    let scales = get("style.scales")?.split(';').map(read_scale).collect::<Result<Vec<_>, _>>()?;
    let months = get("style.months")?.split(' ').map(str::to_owned).collect();
    Ok(NumberStyle { scales, date: get("style.date")?.clone(), months })
}

/// `1e9=B`: from which number on, and what stands behind it.
fn read_scale(pair: &str) -> Result<(f64, String), String> {
    let (from, word) = pair.split_once('=').ok_or_else(|| format!("`{pair}` in `style.scales` has no `=`"))?;
    let from = from.trim().parse().map_err(|_| format!("`{from}` in `style.scales` is not a number"))?;
    Ok((from, word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_the_same() {
        let english = Language::find("en").unwrap();
        for tag in Language::tags() {
            let other = Language::find(tag).unwrap();
            let (keys, wanted): (Vec<_>, Vec<_>) = (other.keys().collect(), english.keys().collect());
            assert_eq!(keys, wanted, "`{tag}` and `en` differ in their keys");
            for key in wanted.into_iter().filter(|it| !it.starts_with("style.")) {
                let sorted = |language: &Language| {
                    let mut names: Vec<_> =
                        placeholders(language.get(key).unwrap()).into_iter().map(str::to_owned).collect();
                    names.sort();
                    names.dedup();
                    names
                };
                assert_eq!(sorted(&other), sorted(&english), "`{key}` of `{tag}`");
            }
        }
    }

    #[test]
    fn no_key_stands_twice() {
        for tag in Language::tags() {
            let bytes = shelf::find(shelf::TEMPLATES, &format!("languages/{tag}.yaml")).unwrap();
            let lines = std::str::from_utf8(bytes).unwrap().lines();
            let mut keys: Vec<_> =
                lines.filter(|it| !it.starts_with('#')).filter_map(|it| it.split_once(": ")).collect();
            let all = keys.len();
            keys.sort_by_key(|(key, _)| *key);
            keys.dedup_by_key(|(key, _)| *key);
            assert_eq!(keys.len(), all, "a key stands twice in `{tag}`");
            assert_eq!(Language::find(tag).unwrap().keys().count(), all, "one line a key in `{tag}`");
        }
    }

    #[test]
    fn a_noun_goes_with_its_number() {
        let said = |count: &str| fill("{n} {n|file|files}", |_| Some(Ok(count.to_owned()))).unwrap();
        assert_eq!([said("0"), said("1"), said("12")], ["0 files", "1 file", "12 files"]);
        assert_eq!(placeholders("{n} {n|file|files} of {all}"), ["n", "n", "all"]);
    }

    #[test]
    fn arguments_are_written_as_the_language_writes_them() {
        let message = Message::new("style.test").with("tokens", 3.1e12).with("share", Argument::Share(0.61));
        let mut language = Language::find("zh-CN").unwrap();
        language.sentences.insert("style.test".to_owned(), "{tokens}词元，{share}".to_owned());
        assert_eq!(language.message(&message).unwrap(), "3.1 万亿词元，61%");
        assert_eq!(
            language.message(&Message::new("style.test")).unwrap_err(),
            "`style.test`: nothing was given for `{tokens}`"
        );
        assert!(language.message(&Message::new("no.such")).unwrap_err().contains("languages/zh-CN.yaml"));
    }
}
