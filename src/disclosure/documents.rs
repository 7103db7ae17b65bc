//! The files of a model that say something, read within limits.

use crate::bytes::{Place, sha256};
use crate::fact::{DocumentFacts, Unexamined};

/// Bytes of one file of text. The longest cards and license texts in use have some hundred thousand.
const LONGEST: u64 = 1 << 20;

/// Bytes of a configuration of a tokenizer, which may list all its special tokens.
const LONGEST_CONFIGURATION: u64 = 8 << 20;

/// Files of one model that are read.
const MOST: usize = 64;

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// A card: Markdown that people read.
    Card,
    /// A notice: text that people read.
    Notice,
    /// A license text.
    License,
    /// JSON of a model, tokenizer, adapter.
    Configuration,
    /// The recipe of a merge.
    Merge,
    /// A chat template.
    Template,
}

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Document {
    pub(crate) fn facts(&self) -> DocumentFacts {
        DocumentFacts { name: self.name.clone(), bytes: self.bytes, sha256: self.sha256.clone() }
    }
}

const CONFIGURATIONS: &[&str] = &[
    "config.json",
    "params.json",
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "adapter_config.json",
    "chat_template.json",
    "configuration.json",
];

/// What a file of this name is; `None` if it says nothing of the model.
pub(crate) fn role(name: &str) -> Option<Role> {
    let lower = name.to_lowercase();
    let is_text = !lower.contains('.') || [".md", ".txt", ".rst", ".markdown"].iter().any(|it| lower.ends_with(it));
    let stem = lower.as_str();
    match () {
        () if CONFIGURATIONS.contains(&lower.as_str()) => Some(Role::Configuration),
        () if lower == "mergekit_config.yml" || lower == "mergekit_config.yaml" => Some(Role::Merge),
        () if lower == "chat_template.jinja" => Some(Role::Template),
        () if stem.ends_with("license") || stem.ends_with("licence") => Some(Role::License),
        () if !is_text => None,
        () if ["license", "licence", "copying", "use_policy", "usage_policy"].iter().any(|it| stem.contains(it)) => {
            Some(Role::License)
        }
        () if ["notice", "attribution", "third_party", "thirdparty", "acknowledg"]
            .iter()
            .any(|it| stem.contains(it)) =>
        {
            Some(Role::Notice)
        }
        () if (stem.starts_with("readme") || stem.contains("model_card") || stem.contains("modelcard"))
            && lower.contains('.') =>
        {
            Some(Role::Card)
        }
        () => None,
    }
}

/// The files of a place that say something, in name order; and what could not be read.
pub(crate) fn gather(place: &dyn Place, unexamined: &mut Vec<Unexamined>) -> Vec<Document> {
    let names = match place.names() {
        Ok(names) => names.names,
        Err(error) => {
            unexamined.push(unread("files", "unreadable", error.to_string()));
            return Vec::new();
        }
    };
    // A single file has no card beside it that would be known to be its own.
    if place.single().is_some() {
        return Vec::new();
    }
    let all: Vec<(&String, Role)> = names.iter().filter_map(|it| Some((it, role(it)?))).collect();
    if all.len() > MOST {
        let detail = format!("{} files could say something, and the first {MOST} were read", all.len());
        unexamined.push(unread("documents", "too-many", detail));
    }
    all.into_iter().take(MOST).filter_map(|(name, role)| one(place, name, role, unexamined)).collect()
}

/// One of them; `None` if it cannot be read, which is noted.
pub(crate) fn one(place: &dyn Place, name: &str, role: Role, unexamined: &mut Vec<Unexamined>) -> Option<Document> {
    let limit = if role == Role::Configuration { LONGEST_CONFIGURATION } else { LONGEST };
    match place.read_whole(name, limit) {
        Ok(bytes) => {
            let text = text(&bytes);
            Some(Document { name: name.to_owned(), role, text, bytes: bytes.len() as u64, sha256: sha256(&bytes) })
        }
        Err(error) => {
            unexamined.push(unread("documents", "unreadable", error.to_string()));
            None
        }
    }
}

/// The text of a file; bytes that are none are replaced, so that the rest of the file is still read.
fn text(bytes: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|it| unit(*it)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

pub(crate) fn unread(what: &str, why: &str, detail: String) -> Unexamined {
    Unexamined { what: what.to_owned(), why: why.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let is = |name: &str, expected: Option<Role>| assert_eq!(role(name), expected, "{name}");
        is("README.md", Some(Role::Card));
        is("README_zh.md", Some(Role::Card));
        is("MODEL_CARD.md", Some(Role::Card));
        is("LICENSE", Some(Role::License));
        is("Llama-3.1-LICENSE.txt", Some(Role::License));
        is("NOTICE", Some(Role::Notice));
        is("config.json", Some(Role::Configuration));
        is("mergekit_config.yml", Some(Role::Merge));
        is("license.py", None);
        is("model.safetensors", None);
        is("tokenizer.json", None);
    }
}
