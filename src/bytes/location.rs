//! Where a model is, as people write it: a path, or `catalog:ORG/NAME`.

use std::path::PathBuf;

use crate::bytes::{Error, shown};

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A folder or a file.
    Path(PathBuf),
    /// A catalogue entry, as `ORG/NAME` or `ORG/NAME@REVISION`.
    Catalog(String),
}

/// How other tools write a model that is somewhere else.
const ELSEWHERE: &[(&str, &str)] = &[
    ("https:", "is an address on the web"),
    ("http:", "is an address on the web"),
    ("hf:", "is a model on Hugging Face"),
    ("hf.co/", "is a model on Hugging Face"),
    ("huggingface.co/", "is a model on Hugging Face"),
    ("ms:", "is a model on ModelScope"),
    ("modelscope:", "is a model on ModelScope"),
    ("modelscope.cn/", "is a model on ModelScope"),
    ("s3:", "is in a cloud store"),
    ("gs:", "is in a cloud store"),
    ("oss:", "is in a cloud store"),
];

impl Location {
    /// Reads a location; what is neither a catalogue entry nor an address elsewhere is a path.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(refused(text, "names no model", "write a path, or `catalog:ORG/NAME`".into()));
        }
        if let Some(entry) = after_scheme(text, "catalog") {
            return parse_entry(text, entry);
        }
        if let Some(path) = after_scheme(text, "file").and_then(|rest| rest.strip_prefix("//")) {
            return Err(refused(text, "is an address, not a path", format!("write {}", shown(path))));
        }
        let lower = text.to_ascii_lowercase();
        match ELSEWHERE.iter().find(|(start, _)| lower.starts_with(start)) {
            Some((_, why)) => Err(refused(text, why, elsewhere_hint(text))),
            None => Ok(Self::Path(PathBuf::from(text))),
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{}", path.display()),
            Self::Catalog(entry) => write!(out, "catalog:{entry}"),
        }
    }
}

/// What follows `scheme:`. A full-width colon counts, since a Chinese keyboard writes one unasked.
fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(())?;
    rest.strip_prefix(':').or_else(|| rest.strip_prefix('：'))
}

fn parse_entry(text: &str, entry: &str) -> Result<Location, Error> {
    let entry = entry.trim();
    let parts: Vec<&str> = entry.split('/').collect();
    match parts.as_slice() {
        [org, name] if !org.is_empty() && !name.is_empty() => Ok(Location::Catalog(entry.to_owned())),
        _ => Err(refused(
            text,
            "does not name a catalogue entry",
            "write `catalog:ORG/NAME`; `unshell catalog list` shows all of them".into(),
        )),
    }
}

fn elsewhere_hint(text: &str) -> String {
    let tail: Vec<&str> = text.rsplit(['/', ':']).filter(|it| !it.is_empty()).take(2).collect();
    let entry = match tail.as_slice() {
        [name, org] => format!("catalog:{org}/{name}"),
        _ => "catalog:ORG/NAME".into(),
    };
    format!(
        "this version reads local files only, and a later one will fetch; download the model and name its folder, \
         or write {} if the catalogue has it",
        shown(entry)
    )
}

fn refused(given: &str, why: &'static str, hint: String) -> Error {
    Error::Location { given: given.to_owned(), why, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = match Location::parse(text) {
            Ok(Location::Path(path)) => format!("path {}", path.display()),
            Ok(Location::Catalog(entry)) => format!("catalog {entry}"),
            Err(error) => format!("{error} | {}", error.hint().unwrap()),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn paths_and_entries() {
        check("models/yi", "path models/yi");
        check("C:\\models\\yi", "path C:\\models\\yi");
        check("hfmodel", "path hfmodel");
        check("catalog:01-ai/Yi-34B@2023-11", "catalog 01-ai/Yi-34B@2023-11");
        check("Catalog：01-ai/Yi-34B", "catalog 01-ai/Yi-34B");
        check("目录/模型", "path 目录/模型");
    }

    #[test]
    fn what_is_refused_says_what_to_write() {
        check(" ", "` ` names no model | write a path, or `catalog:ORG/NAME`");
        check(
            "catalog:Yi-34B",
            "`catalog:Yi-34B` does not name a catalogue entry | write `catalog:ORG/NAME`; \
             `unshell catalog list` shows all of them",
        );
        check("file:///models/yi", "`file:///models/yi` is an address, not a path | write `/models/yi`");
        check(
            "https://huggingface.co/01-ai/Yi-34B",
            "`https://huggingface.co/01-ai/Yi-34B` is an address on the web | this version reads local files only, \
             and a later one will fetch; download the model and name its folder, or write `catalog:01-ai/Yi-34B` \
             if the catalogue has it",
        );
        check(
            "hf:01-ai/Yi-34B",
            "`hf:01-ai/Yi-34B` is a model on Hugging Face | this version reads local files only, \
             and a later one will fetch; download the model and name its folder, or write `catalog:01-ai/Yi-34B` \
             if the catalogue has it",
        );
    }
}
