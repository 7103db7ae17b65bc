//! Repositories of Hugging Face and ModelScope: which files a revision has, and which commit it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use reqwest::Url;
use serde::Deserialize;

use crate::bytes::{self, Hub, Names, Place, Repository, Source, StatedOrigin, limits, shown};
use crate::remote::error::{Error, shown_url};
use crate::remote::file::RemoteFile;
use crate::remote::origins;
use crate::remote::{Shared, with_parts};

/// A revision of a repository.
pub(crate) struct HubPlace {
    shared: Arc<Shared>,
    base: Url,
    repository: Repository,
    /// The commit that the revision stood for.
    commit: String,
    /// The day of that commit.
    date: Option<NaiveDate>,
    /// Every file, with the commit it is fetched by.
    files: BTreeMap<String, String>,
    path: PathBuf,
}

/// What a hub says of a revision.
#[derive(Debug, PartialEq, Eq)]
struct Listing {
    commit: String,
    date: Option<NaiveDate>,
    files: BTreeMap<String, String>,
}

impl HubPlace {
    /// Asks the hub which commit the revision is and which files it has.
    pub(crate) fn open(shared: Arc<Shared>, base: Url, repository: Repository) -> Result<Self, Error> {
        let listing = listing(&shared, &base, &repository)?;
        let Listing { commit, date, files } = listing;
        let path = PathBuf::from(repository.to_string());
        if let Some(file) = repository.file.as_ref().filter(|it| !files.contains_key(*it)) {
            let (address, file) = (shown(format!("{}:{}", repository.hub.scheme(), repository.name)), shown(file));
            let why = format!("it has no file {file} at commit {commit}");
            return Err(Error::Answer { address, why });
        }
        Ok(Self { shared, base, repository, commit, date, files, path })
    }

    /// The commit.
    pub(crate) fn commit(&self) -> &str {
        &self.commit
    }

    fn address(&self, name: &str, commit: &str) -> Url {
        let id: Vec<&str> = self.repository.name.split('/').collect();
        match self.repository.hub {
            Hub::HuggingFace => {
                let head = id.iter().copied().chain(["resolve", commit]);
                with_parts(&self.base, head.chain(name.split('/')))
            }
            Hub::ModelScope => {
                let mut url = with_parts(&self.base, ["api", "v1", "models"].into_iter().chain(id).chain(["repo"]));
                url.query_pairs_mut().append_pair("Revision", commit).append_pair("FilePath", name);
                url
            }
        }
    }
}

impl Place for HubPlace {
    fn path(&self) -> &Path {
        &self.path
    }

    fn single(&self) -> Option<&str> {
        self.repository.file.as_deref()
    }

    fn names(&self) -> Result<Names, bytes::Error> {
        let names = self.files.keys().filter(|it| !it.contains('/')).cloned().collect();
        Ok(Names { names, not_unicode: 0 })
    }

    fn holds(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, bytes::Error> {
        let commit = self.files.get(name).ok_or_else(|| bytes::Error::Remote {
            message: format!("{} is not in the repository", shown(self.path_of(name).to_string_lossy())),
            hint: Some("check the name and the revision".into()),
        })?;
        let file = RemoteFile::open(Arc::clone(&self.shared), self.address(name, commit), true)?;
        Ok(Arc::new(file))
    }

    fn local(&self) -> Option<&Path> {
        None
    }

    fn date(&self) -> Option<NaiveDate> {
        self.date
    }

    fn origins(&self) -> Result<Vec<StatedOrigin>, bytes::Error> {
        match self.repository.hub {
            Hub::HuggingFace => Ok(origins::of(&self.shared, &self.base, &self.repository.name)?),
            Hub::ModelScope => Ok(Vec::new()),
        }
    }

    fn at_once(&self) -> usize {
        limits::IN_FLIGHT
    }

    fn path_of(&self, name: &str) -> PathBuf {
        if self.repository.file.is_some() {
            self.path.clone()
        } else {
            format!("{}/{name}", self.path.display()).into()
        }
    }
}

fn listing(shared: &Shared, base: &Url, repository: &Repository) -> Result<Listing, Error> {
    let url = listing_address(base, repository);
    let note = format!("listing {url}");
    // A commit never changes. A branch may have, so without a network its last known state has to do.
    let is_commit = repository.revision.as_deref().is_some_and(is_commit);
    let kept = (is_commit || shared.client.is_offline()).then(|| shared.note(&note)).flatten();
    let text = match kept {
        Some(text) => text,
        None => {
            let text = shared.client.whole(&url, limits::API_ANSWER)?.body;
            read_listing(repository.hub, &text).map_err(|why| Error::Answer { address: shown_url(&url), why })?;
            shared.keep_note(&note, &text);
            text
        }
    };
    let mut listing =
        read_listing(repository.hub, &text).map_err(|why| Error::Answer { address: shown_url(&url), why })?;
    if let Some(asked) = repository.revision.as_ref().filter(|_| is_commit && repository.hub == Hub::HuggingFace) {
        if !listing.commit.starts_with(asked.as_str()) {
            let why = format!("commit {asked} was asked for, and the hub speaks of {}", listing.commit);
            return Err(Error::Answer { address: shown_url(&url), why });
        }
    } else if is_commit {
        listing.commit = repository.revision.clone().unwrap_or_default();
    }
    Ok(listing)
}

fn listing_address(base: &Url, repository: &Repository) -> Url {
    let id = repository.name.split('/');
    match repository.hub {
        Hub::HuggingFace => {
            let revision = repository.revision.as_deref().unwrap_or("main");
            with_parts(base, ["api", "models"].into_iter().chain(id).chain(["revision", revision]))
        }
        Hub::ModelScope => {
            let mut url = with_parts(base, ["api", "v1", "models"].into_iter().chain(id).chain(["repo", "files"]));
            let revision = repository.revision.as_deref().unwrap_or("master");
            url.query_pairs_mut().append_pair("Revision", revision).append_pair("Recursive", "true");
            url
        }
    }
}

/// Reads what a hub says of a revision; every name and commit in it is checked before it is used.
fn read_listing(hub: Hub, text: &[u8]) -> Result<Listing, String> {
    let listing = match hub {
        Hub::HuggingFace => hugging_face(text)?,
        Hub::ModelScope => model_scope(text)?,
    };
    if listing.files.len() > limits::FOLDER_ENTRIES {
        return Err(format!("it lists more than {} files", bytes::grouped(limits::FOLDER_ENTRIES as u64)));
    }
    let commits = std::iter::once(&listing.commit).chain(listing.files.values());
    if let Some(wrong) = commits.into_iter().find(|it| !is_commit(it)) {
        return Err(format!("it says the commit is {}, expected 40 hexadecimal digits", shown(wrong)));
    }
    match listing.files.keys().find(|it| !is_plain_name(it)) {
        Some(wrong) => Err(format!("it lists the file {}, which is no plain path inside the repository", shown(wrong))),
        None => Ok(listing),
    }
}

pub(crate) fn names_in_answer(text: &[u8]) -> Vec<String> {
    let of_both = [Hub::HuggingFace, Hub::ModelScope].into_iter().filter_map(|hub| read_listing(hub, text).ok());
    of_both.flat_map(|it| it.files.into_keys()).collect()
}

#[derive(Deserialize)]
struct HuggingFaceAnswer {
    sha: String,
    #[serde(default, rename = "lastModified")]
    modified: Option<String>,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

fn hugging_face(text: &[u8]) -> Result<Listing, String> {
    let answer: HuggingFaceAnswer = parse(text)?;
    let files = answer.siblings.into_iter().map(|it| (it.rfilename, answer.sha.clone())).collect();
    let date = answer.modified.as_ref().and_then(|it| it.get(..10)?.parse().ok());
    Ok(Listing { commit: answer.sha, date, files })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelScopeAnswer {
    data: Option<ModelScopeData>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelScopeData {
    files: Vec<ModelScopeFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelScopeFile {
    path: String,
    #[serde(rename = "Type")]
    kind: String,
    /// The last commit that changed it.
    revision: String,
    /// Seconds since 1970.
    #[serde(default)]
    committed_date: u64,
}

/// ModelScope names a commit for every file and none for the whole: the newest of them is the state of the whole.
fn model_scope(text: &[u8]) -> Result<Listing, String> {
    let answer: ModelScopeAnswer = parse(text)?;
    let said = || format!("it lists no files: {}", shown(answer.message.as_deref().unwrap_or("no reason given")));
    let files = answer.data.ok_or_else(said)?.files;
    let files: Vec<ModelScopeFile> = files.into_iter().filter(|it| it.kind == "blob").collect();
    let newest = files.iter().max_by_key(|it| (it.committed_date, &it.revision));
    let commit = newest.map(|it| it.revision.clone()).ok_or("it lists no files")?;
    let seconds = newest.and_then(|it| i64::try_from(it.committed_date).ok()).filter(|it| *it > 0);
    let date = seconds.and_then(|it| Some(chrono::DateTime::from_timestamp(it, 0)?.date_naive()));
    Ok(Listing { commit, date, files: files.into_iter().map(|it| (it.path, it.revision)).collect() })
}

/// Its length was limited before, and what is not wanted is skipped without being built.
fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| format!("it is not what a hub answers: {error}"))
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name that can lead nowhere else, on any system.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    name.len() <= limits::REMOTE_NAME
        && name.split('/').all(is_plain)
        && !name.chars().any(|it| it == '\\' || it.is_control())
}

impl std::fmt::Debug for HubPlace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HubPlace").field("path", &self.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn answer(sha: &str, name: &str) -> String {
        serde_json::json!({ "sha": sha, "siblings": [{ "rfilename": name }], "gated": false }).to_string()
    }

    #[test]
    fn names_and_commits_are_held_to_be_hostile() {
        let check = |sha: &str, name: &str| read_listing(Hub::HuggingFace, answer(sha, name).as_bytes());
        assert_eq!(check(SHA, "a/b.json").unwrap().files, BTreeMap::from([("a/b.json".into(), SHA.into())]));
        for name in ["../x", "/etc/passwd", "a//b", "a/../b", "a\\b", "", "a\u{0}b", "a\nb", ".", &"x".repeat(2_000)] {
            assert!(check(SHA, name).unwrap_err().contains("no plain path"), "{name}");
        }
        for sha in ["main", "", "../../x", &"A".repeat(40)] {
            assert!(check(sha, "a").unwrap_err().contains("expected 40 hexadecimal digits"), "{sha}");
        }
    }

    #[test]
    fn deep_or_other_json_is_survived() {
        let deep =
            format!("{{\"sha\":\"{SHA}\",\"siblings\":[],\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        // What is not wanted is gone over without being built, at any depth.
        assert!(read_listing(Hub::HuggingFace, deep.as_bytes()).unwrap().files.is_empty());
        let wanted = format!("{{\"sha\":{}", "[".repeat(100_000));
        assert!(read_listing(Hub::HuggingFace, wanted.as_bytes()).is_err());
        for text in ["", "[]", "<html>", "{\"sha\":1}", "{\"error\":\"no\"}"] {
            assert!(read_listing(Hub::HuggingFace, text.as_bytes()).is_err(), "{text}");
            assert!(read_listing(Hub::ModelScope, text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_newest_commit_of_model_scope_is_that_of_the_whole() {
        let (old, new) = ("1".repeat(40), "2".repeat(40));
        let file = |path: &str, kind: &str, revision: &str, date: u64| {
            let mut file = serde_json::json!({ "Path": path, "Type": kind, "Revision": revision });
            file["CommittedDate"] = date.into();
            file
        };
        let files = [file("a", "blob", &old, 7), file("b", "blob", &new, 9), file("sub", "tree", &new, 9)];
        let text = serde_json::json!({ "Code": 200, "Data": { "Files": files } }).to_string();
        let listing = read_listing(Hub::ModelScope, text.as_bytes()).unwrap();
        assert_eq!(listing.commit, new);
        assert_eq!(listing.files, BTreeMap::from([("a".into(), old), ("b".into(), new)]));
    }
}
