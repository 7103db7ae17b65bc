//! Where a model is, as people write it: a path, an address, a repository on a hub, or `catalog:ORG/NAME`.

use std::path::PathBuf;

use crate::bytes::{Error, limits, shown};

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A folder or a file.
    Path(PathBuf),
    /// A catalogue entry, as `ORG/NAME` or `ORG/NAME@REVISION`.
    Catalog(String),
    /// A repository of a model hub.
    Hub(Repository),
    /// A file, an index or a folder on a server, as `https://…`.
    Web(String),
}

/// A model hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hub {
    /// Hugging Face, or a mirror of it.
    HuggingFace,
    /// ModelScope.
    ModelScope,
}

/// A repository of a model hub, or one file of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// Which hub.
    pub hub: Hub,
    /// `ORG/NAME`.
    pub name: String,
    /// Branch, tag or commit; the hub's main branch where none is written.
    pub revision: Option<String>,
    /// A file inside it, with `/`.
    pub file: Option<String>,
}

/// How addresses begin that name a repository of a hub.
const HUBS: &[(&str, Hub)] = &[
    ("https://huggingface.co/", Hub::HuggingFace),
    ("https://www.huggingface.co/", Hub::HuggingFace),
    ("https://hf.co/", Hub::HuggingFace),
    ("huggingface.co/", Hub::HuggingFace),
    ("hf.co/", Hub::HuggingFace),
    ("https://www.modelscope.cn/models/", Hub::ModelScope),
    ("https://modelscope.cn/models/", Hub::ModelScope),
    ("www.modelscope.cn/models/", Hub::ModelScope),
    ("modelscope.cn/models/", Hub::ModelScope),
];

/// How other tools write a model that cannot be reached here.
const ELSEWHERE: &[&str] = &["s3:", "gs:", "oss:", "ftp:"];

impl Location {
    /// Reads a location; what is neither a catalogue entry nor an address is a path.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(refused(text, "names no model", format!("write {FORMS}")));
        }
        if text.len() > limits::ADDRESS {
            return Err(refused(text, "is longer than any path or address", format!("write {FORMS}")));
        }
        if let Some(entry) = after_scheme(text, "catalog") {
            return parse_entry(text, entry);
        }
        if let Some(path) = after_scheme(text, "file").and_then(|rest| rest.strip_prefix("//")) {
            return Err(refused(text, "is an address, not a path", format!("write {}", shown(path))));
        }
        for (scheme, hub) in [("hf", Hub::HuggingFace), ("ms", Hub::ModelScope), ("modelscope", Hub::ModelScope)] {
            if let Some(rest) = after_scheme(text, scheme) {
                return repository(text, hub, rest.trim());
            }
        }
        let lower = text.to_ascii_lowercase();
        if let Some((start, hub)) = HUBS.iter().find(|(start, _)| lower.starts_with(start)) {
            return hub_page(text, *hub, text.get(start.len()..).unwrap_or_default());
        }
        if ELSEWHERE.iter().any(|start| lower.starts_with(start)) {
            let hint = "download the model and name its folder".into();
            return Err(refused(text, "is in a store that is not read here", hint));
        }
        if lower.starts_with("https://") || lower.starts_with("http://") {
            return web(text);
        }
        Ok(Self::Path(PathBuf::from(text)))
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{}", path.display()),
            Self::Catalog(entry) => write!(out, "catalog:{entry}"),
            Self::Hub(repository) => write!(out, "{repository}"),
            Self::Web(address) => write!(out, "{address}"),
        }
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.hub.scheme(), self.name)?;
        if let Some(revision) = &self.revision {
            write!(out, "@{revision}")?;
        }
        self.file.as_ref().map_or(Ok(()), |file| write!(out, "/{file}"))
    }
}

impl Hub {
    /// How its locations begin.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::HuggingFace => "hf",
            Self::ModelScope => "ms",
        }
    }
}

const FORMS: &str = "a path, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…` or `catalog:ORG/NAME`";

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

/// `ORG/NAME`, `ORG/NAME@REVISION`, and either with `/FILE` behind it.
fn repository(text: &str, hub: Hub, rest: &str) -> Result<Location, Error> {
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let [org, name, file @ ..] = parts.as_slice() else { return Err(no_repository(text, hub)) };
    let (name, revision) = name.split_once('@').map_or((*name, None), |(name, revision)| (name, Some(revision)));
    checked(text, hub, [org, name], revision, file)
}

/// What follows the host of a hub: `ORG/NAME`, with `/tree/REVISION` or `/resolve/REVISION/FILE` as its pages have it.
fn hub_page(text: &str, hub: Hub, rest: &str) -> Result<Location, Error> {
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [_, _] => repository(text, hub, rest),
        [org, name, "tree", revision] => checked(text, hub, [org, name], Some(revision), &[]),
        [org, name, "blob" | "resolve", revision, file @ ..] if !file.is_empty() => {
            checked(text, hub, [org, name], Some(revision), file)
        }
        [org, name, "summary" | "files"] if hub == Hub::ModelScope => checked(text, hub, [org, name], None, &[]),
        _ => Err(no_repository(text, hub)),
    }
}

fn checked(text: &str, hub: Hub, name: [&str; 2], revision: Option<&str>, file: &[&str]) -> Result<Location, Error> {
    let is_word = |it: &&str| {
        let plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        !it.is_empty() && it.len() <= 128 && it.chars().all(plain) && !it.contains("..") && *it != "."
    };
    let is_plain = |it: char| it != '\\' && !it.is_control();
    let is_part = |it: &&str| !matches!(*it, "" | "." | "..") && it.chars().all(is_plain) && it.trim() == *it;
    if !name.iter().all(is_word) || !revision.iter().all(is_word) || !file.iter().all(is_part) {
        return Err(no_repository(text, hub));
    }
    let file = (!file.is_empty()).then(|| file.join("/"));
    Ok(Location::Hub(Repository { hub, name: name.join("/"), revision: revision.map(str::to_owned), file }))
}

fn no_repository(text: &str, hub: Hub) -> Error {
    let scheme = hub.scheme();
    refused(
        text,
        "does not name a model of the hub",
        format!("write `{scheme}:ORG/NAME`, with `@REVISION` for a branch, tag or commit, and `/FILE` for one file"),
    )
}

/// An address without a name and password in it; those would end in every file that is written.
fn web(text: &str) -> Result<Location, Error> {
    let authority = text.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || text.chars().any(|it| it.is_control() || it == ' ') {
        return Err(refused(text, "is no address", "write `https://HOST/PATH`".into()));
    }
    if authority.contains('@') || text.contains(['?', '#']) {
        let hint = "write the plain address; evidence keeps it, and would keep the secret in it too".into();
        let plain = text.split(['?', '#']).next().unwrap_or_default();
        let plain = plain.replace(authority, authority.rsplit('@').next().unwrap_or_default());
        return Err(refused(&plain, "was written with a password, a query or a fragment", hint));
    }
    Ok(Location::Web(text.to_owned()))
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
            Ok(Location::Hub(repository)) => format!("hub {repository}"),
            Ok(Location::Web(address)) => format!("web {address}"),
            Err(error) => format!("{error} | {}", error.hint().unwrap()),
        };
        assert_eq!(got, expected, "{text}");
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
    fn repositories_in_every_form_that_people_paste() {
        check("hf:01-ai/Yi-34B", "hub hf:01-ai/Yi-34B");
        check("HF：01-ai/Yi-34B@main", "hub hf:01-ai/Yi-34B@main");
        check("hf:a/b@abc123/sub/m.gguf", "hub hf:a/b@abc123/sub/m.gguf");
        check("hf:a/b/m.gguf", "hub hf:a/b/m.gguf");
        check("hf.co/01-ai/Yi-34B", "hub hf:01-ai/Yi-34B");
        check("https://huggingface.co/01-ai/Yi-34B/", "hub hf:01-ai/Yi-34B");
        check("https://huggingface.co/01-ai/Yi-34B/tree/v1", "hub hf:01-ai/Yi-34B@v1");
        check("https://huggingface.co/a/b/blob/main/m.gguf?x=1", "hub hf:a/b@main/m.gguf");
        check("ms:01ai/Yi-34B", "hub ms:01ai/Yi-34B");
        check("https://modelscope.cn/models/01ai/Yi-34B/files", "hub ms:01ai/Yi-34B");
        check("https://models.example/yi/model.safetensors", "web https://models.example/yi/model.safetensors");
        check("http://127.0.0.1:80/yi/", "web http://127.0.0.1:80/yi/");
    }

    #[test]
    fn what_is_refused_says_what_to_write() {
        check(
            " ",
            "` ` names no model | write a path, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…` or `catalog:ORG/NAME`",
        );
        check(
            "catalog:Yi-34B",
            "`catalog:Yi-34B` does not name a catalogue entry | write `catalog:ORG/NAME`; \
             `unshell catalog list` shows all of them",
        );
        check("file:///models/yi", "`file:///models/yi` is an address, not a path | write `/models/yi`");
        let hint = "write `hf:ORG/NAME`, with `@REVISION` for a branch, tag or commit, and `/FILE` for one file";
        for wrong in ["hf:Yi-34B", "hf:../x", "hf:a/..", "hf:a/b@../c", "hf:a/b/../c", "hf:a/b c", "hf:a/b//c"] {
            check(wrong, &format!("`{wrong}` does not name a model of the hub | {hint}"));
        }
        // Found by the fuzz target `location`: a control character at the end was cut off when it was read again.
        for wrong in ["hf:wwww-a/0in/n/chhs\u{b}//", "hf:a/b/c\u{1b}[2J/d"] {
            assert!(Location::parse(wrong).is_err(), "{wrong:?}");
        }
        let hint = "write the plain address; evidence keeps it, and would keep the secret in it too";
        let why = "was written with a password, a query or a fragment";
        check("https://me:pw@h.example/m", &format!("`https://h.example/m` {why} | {hint}"));
        check("https://h.example/m?sig=1", &format!("`https://h.example/m` {why} | {hint}"));
        check("s3://b/m", "`s3://b/m` is in a store that is not read here | download the model and name its folder");
    }
}
