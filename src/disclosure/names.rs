//! Names of models in sentences.
//!
//! A name is one of a known family, one with a size in it (`Nimbus-7B`), or `ORG/NAME`. Nothing is looked up: that a
//! name is in a sentence says nothing about where a model comes from.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::disclosure::lexemes::{front, is_han, lexeme};
use crate::fact::{last_part, letters, stem};
use crate::shelf;
use crate::yaml;

/// A name that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// As it is written.
    pub(crate) written: String,
    /// Of a known family, or with a size: surely a model; otherwise `ORG/NAME`, which may be data, too.
    pub(crate) is_model: bool,
    pub(crate) own: Own,
}

/// Whether a name is the model's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// Its whole name.
    Full,
    /// That of its family, where no other family is called so.
    Family,
    No,
}

/// The names of families, and how they go on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    families: Vec<Family>,
    not_models: Vec<String>,
    goes_on: Vec<String>,
}

/// One family.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Family {
    name: String,
    owner: Vec<String>,
    /// Whether the name is an ordinary word, too.
    #[serde(default)]
    word: bool,
    /// Other names of it.
    #[serde(default)]
    also: Vec<String>,
}

/// What the model itself is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnName {
    /// Letters and digits of its whole names, in lower case.
    full: Vec<String>,
    /// Letters that its name begins with, where no other family begins so.
    stem: Option<String>,
}

/// How names end that say how a thing resembles a model, and are no part of it.
const SUFFIXES: &[&str] =
    &["-style", "-like", "-based", "-generated", "-distilled", "-compatible", "-architecture", "-derived", "-family"];

/// How files end.
const FILES: &[&str] = &[
    ".py",
    ".json",
    ".md",
    ".safetensors",
    ".sh",
    ".txt",
    ".yaml",
    ".yml",
    ".pdf",
    ".bin",
    ".gguf",
    ".com",
    ".cn",
    ".io",
    ".org",
    ".ai",
    ".png",
    ".jpg",
    ".svg",
    ".html",
    ".jsonl",
    ".ipynb",
    ".git",
    ".cpp",
    ".rs",
];

/// Bytes that a name may have; no longer part of a sentence is looked at for one.
const LONGEST: usize = 160;

impl Names {
    /// The names that ship inside the program.
    pub(crate) fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Names> = LazyLock::new(|| {
            let file = "disclosure/names.yaml";
            let bytes = shelf::find(shelf::CATALOG, file).expect("it ships inside the program");
            yaml::read(file, bytes).expect("a test reads it")
        });
        &BUILTIN
    }

    /// What a model with these names is called: `ORG/NAME`, the name of its folder, the title of its card.
    pub(crate) fn own(&self, names: &[&str]) -> OwnName {
        let full: Vec<String> = names.iter().map(|it| letters(last_part(it))).filter(|it| it.len() > 2).collect();
        let stem = names.iter().map(|it| stem(it)).find(|it| it.chars().count() > 2);
        let owners: Vec<String> = names.iter().filter_map(|it| Some(it.split_once('/')?.0.to_lowercase())).collect();
        let is_of_others = |stem: &String| {
            let family = self.families.iter().find(|it| it.spellings().any(|it| letters(it) == *stem));
            family.is_some_and(|it| !it.owner.iter().any(|it| owners.contains(it)))
        };
        OwnName { full, stem: stem.filter(|it| !is_of_others(it)) }
    }

    /// The name that a text begins with, and its length in bytes. The text begins at a word.
    pub(crate) fn at_start(&self, text: &str, own: &OwnName) -> Option<(Name, usize)> {
        let text = front(text, LONGEST);
        let length = self.length(text, own)?;
        let mut written = text[..length].trim_end();
        for suffix in SUFFIXES {
            written = match written.len().checked_sub(suffix.len()).and_then(|at| written.split_at_checked(at)) {
                Some((name, end)) if end.eq_ignore_ascii_case(suffix) && !name.is_empty() => name,
                _ => written,
            };
        }
        let written = written.strip_suffix("'s").unwrap_or(written);
        let key = letters(last_part(written));
        let is_full = own.full.contains(&key);
        // A longer name of the same model: its base, its chat.
        let ends_with_size =
            |it: &str| it.strip_suffix('b').is_some_and(|it| it.ends_with(|it: char| it.is_ascii_digit()));
        let extends = own.full.iter().any(|it| it.len() > 4 && ends_with_size(it) && key.starts_with(it.as_str()));
        let of_stem = extends || own.stem.as_ref().is_some_and(|it| stem(written) == *it);
        let is_family = of_stem || is_full;
        let is_model = self.family(last_part(written)).is_some() || has_size(written) || is_family;
        let own = match (is_full, of_stem) {
            (true, _) => Own::Full,
            (false, true) => Own::Family,
            (false, false) => Own::No,
        };
        Some((Name { written: written.to_owned(), is_model, own }, written.len()))
    }

    /// Whether a text is the name of a model of a known family, or one with a size in it.
    pub(crate) fn is_model(&self, text: &str) -> bool {
        self.family(last_part(text)).is_some() || has_size(last_part(text))
    }

    fn length(&self, text: &str, own: &OwnName) -> Option<usize> {
        let lower = text.to_lowercase();
        // A text whose length changes in lower case has letters that no name has.
        if lower.len() != text.len() {
            let end = lexeme(text).max(text.chars().next()?.len_utf8());
            return (lexeme(text) > 0 && self.is_name(&text[..end], own)).then_some(end);
        }
        if let Some(it) = self.not_models.iter().find(|it| lower.starts_with(it.as_str())) {
            let is_whole = !lower[it.len()..].starts_with(|it: char| it.is_alphanumeric());
            if is_whole {
                return None;
            }
        }
        let two_words = self.families.iter().flat_map(Family::spellings).find(|it| {
            (it.contains(' ') || it.starts_with(is_han))
                && lower.starts_with(*it)
                && (it.starts_with(is_han) || !lower[it.len()..].starts_with(|it: char| it.is_alphabetic()))
        });
        let first = match two_words {
            Some(it) => it.len().saturating_add(lexeme(&text[it.len()..])),
            None => lexeme(text),
        };
        if first == 0 {
            return None;
        }
        let first = text[..first].strip_suffix("'s").map_or(first, str::len);
        let word = &text[..first];
        let tail = self.tail(&lower[first..]);
        let whole = &text[..first.saturating_add(tail)];
        if self.is_name(word, own) || two_words.is_some() {
            return Some(whole.len());
        }
        // An ordinary word is a name with what follows alone: "Phi 3", "Yi 34B".
        (tail > 0 && self.family(&whole.replace(' ', "-")).is_some()).then_some(whole.len())
    }

    /// How far a name goes on after its first word: " 3.1 8B Instruct".
    fn tail(&self, lower: &str) -> usize {
        let mut end = 0;
        for _ in 0..5 {
            let Some(rest) = lower[end..].strip_prefix(' ') else { break };
            let length = lexeme(rest);
            let word = &rest[..length];
            let is_version = word.trim_start_matches('v').starts_with(|it: char| it.is_ascii_digit())
                && word.len() <= 6
                && !rest[length..].trim_start().starts_with("trillion")
                && !rest[length..].trim_start().starts_with("billion");
            if length == 0 || !(is_version && !is_year(word) || self.goes_on.iter().any(|it| it == word)) {
                break;
            }
            end = end.saturating_add(1).saturating_add(length);
        }
        // "Llama chat" goes on, "Llama base model" does not, and neither does a lone word of everyday use.
        let only = lower[..end].trim();
        if ["base", "code", "coder", "it", "large", "small", "next", "air", "preview", "plus", "pro", "chat"]
            .contains(&only)
        {
            return 0;
        }
        end
    }

    fn is_name(&self, word: &str, own: &OwnName) -> bool {
        let lower = word.to_lowercase();
        let lower = SUFFIXES.iter().find_map(|it| lower.strip_suffix(it)).unwrap_or(&lower);
        let is_file = FILES.iter().any(|it| lower.ends_with(it)) || lower.contains("http") || lower.starts_with("www.");
        if is_file || lower.ends_with("causallm") || self.not_models.iter().any(|it| last_part(lower) == it) {
            return false;
        }
        let is_own =
            own.full.contains(&letters(last_part(lower))) || own.stem.as_ref().is_some_and(|it| stem(lower) == *it);
        if is_own
            || self.family(last_part(lower)).is_some()
            || has_size(last_part(lower)) && is_spelled(last_part(lower))
        {
            return true;
        }
        let parts: Vec<&str> = lower.split('/').collect();
        let has_letter = |it: &str| it.chars().any(|it| it.is_ascii_alphabetic());
        parts.len() == 2 && parts.iter().all(|it| it.len() > 2 && has_letter(it)) && parts[1].contains(['-', '_'])
            || parts.len() == 2 && parts.iter().all(|it| it.len() > 2 && has_letter(it)) && has_digit(parts[1])
    }

    /// The family that a name begins with.
    fn family(&self, word: &str) -> Option<&Family> {
        let lower = word.to_lowercase();
        self.families.iter().find(|it| it.begins(&lower))
    }
}

impl Family {
    fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.also.iter().map(String::as_str))
    }

    fn begins(&self, lower: &str) -> bool {
        let first = lower.strip_prefix(self.name.as_str()).is_some_and(|rest| goes_with(rest, self.word));
        let others = || {
            let bare = lower.replace(' ', "-");
            self.also
                .iter()
                .any(|it| bare.strip_prefix(it.replace(' ', "-").as_str()).is_some_and(|rest| goes_with(rest, false)))
        };
        first || others()
    }
}

/// Whether what stands after the name of a family leaves it a name. An ordinary word needs a number.
fn goes_with(rest: &str, is_word: bool) -> bool {
    let is_end =
        rest.is_empty() || rest.starts_with(|it: char| "-_. ".contains(it) || it.is_ascii_digit() || is_han(it));
    is_end && (!is_word || has_digit(rest))
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|it| it.is_ascii_digit())
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20"))
}

/// Letters, then a dash, then more: no bare size and no version alone.
fn is_spelled(word: &str) -> bool {
    word.starts_with(|it: char| it.is_alphabetic()) && word.contains(['-', '_'])
}

/// Whether a part of the name is a number of parameters, as `7b`, `1.5B`, `360M`, `8x7b`.
fn has_size(word: &str) -> bool {
    word.split(['-', '_', '/', ' ']).any(|part| {
        let lower = part.to_lowercase();
        let number = lower.strip_suffix('b').or_else(|| lower.strip_suffix('m')).unwrap_or_default();
        !number.is_empty()
            && number.starts_with(|it: char| it.is_ascii_digit())
            && number.chars().all(|it| it.is_ascii_digit() || it == '.' || it == 'x')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let names = Names::builtin();
        let own = names.own(&["acme/Nimbus-7B-Chat"]);
        let found = names.at_start(text, &own).map(|it| it.0.written);
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        check("Llama 3.1 8B Instruct is", Some("Llama 3.1 8B Instruct"));
        check("meta-llama/Llama-3.1-8B, and", Some("meta-llama/Llama-3.1-8B"));
        check("LLaMA architecture", Some("LLaMA"));
        check("Llama-style decoder", Some("Llama"));
        check("Qwen2.5-72B. It", Some("Qwen2.5-72B"));
        check("Yi-34B的架构", Some("Yi-34B"));
        check("Mistral Large 3 is", Some("Mistral Large 3"));
        check("通义千问 2.5", Some("通义千问 2.5"));
        check("Zephyrus-13B-v2 is", Some("Zephyrus-13B-v2"));
        check("phi 3 mini", Some("phi 3 mini"));
        check("Code Llama 34B", Some("Code Llama 34B"));
        check("acme/openbase-x is", Some("acme/openbase-x"));
    }

    #[test]
    fn what_only_looks_like_a_name_is_none() {
        for text in [
            "llama.cpp runs",
            "yi qi",
            "phi is",
            "and/or",
            "LlamaForCausalLM",
            "train.py",
            "falcon flies",
            "7B model",
            "a 7B model",
            "ranked 7B chat",
        ] {
            check(text, None);
        }
        for text in ["https://x.y/Llama-7B.html", "LlamaIndex", "open the", "command line 3", "bloom in"] {
            check(text, None);
        }
    }

    #[test]
    fn a_name_is_the_models_own_by_its_stem_unless_a_family_of_others_is_called_so() {
        let names = Names::builtin();
        let own = |own: &[&str], text: &str| names.at_start(text, &names.own(own)).map(|it| it.0.own);
        assert_eq!(own(&["acme/Nimbus-7B-Chat"], "Nimbus-7B-Chat is"), Some(Own::Full));
        assert_eq!(own(&["acme/Nimbus-7B-Chat"], "Nimbus is"), Some(Own::Family));
        assert_eq!(own(&["acme/Llama-3-Acme-8B"], "Llama-3-8B is"), Some(Own::No));
        assert_eq!(own(&["meta-llama/Llama-3-8B"], "Llama 2 is"), Some(Own::Family));
    }
}
