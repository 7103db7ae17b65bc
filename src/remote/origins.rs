//! Where a repository says its model comes from: the name it has now, the base models of its card, the repository it
//! is a copy of; and the same of those, link by link.
//!
//! It is the word of whoever keeps the repositories, and is followed as far as the hub's API says. What was asked
//! once is kept, so that it is known without a network too.

use std::collections::BTreeSet;

use reqwest::Url;
use serde::Deserialize;

use crate::bytes::{StatedOrigin, limits};
use crate::remote::error::Error;
use crate::remote::{Shared, with_parts};

/// At most so many repositories are asked about: chains are short, and a hub may lead in circles.
const MOST: usize = 16;

/// How the history of a copy begins, as the hub itself writes it.
const DUPLICATE: &str = "duplicate from ";

/// What a hub says of a repository. What is not there, or is written otherwise, says nothing.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

/// One commit of a history.
#[derive(Debug, Deserialize)]
struct Commit {
    #[serde(default)]
    title: String,
}

/// Every origin that is stated, nearest first.
pub(crate) fn of(shared: &Shared, base: &Url, name: &str) -> Result<Vec<StatedOrigin>, Error> {
    let mut found: Vec<StatedOrigin> = Vec::new();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut waiting = vec![name.to_owned()];
    while let Some(name) = waiting.pop().filter(|_| asked.len() < MOST) {
        if !asked.insert(name.to_lowercase()) {
            continue;
        }
        let stated = match stated(shared, base, &name) {
            Ok(stated) => stated,
            // A base that was taken down, or that nobody may see, ends its chain; the first of all must be there.
            Err(Error::NotFound { .. } | Error::Forbidden { .. } | Error::Offline { .. }) if asked.len() > 1 => {
                continue;
            }
            Err(error) => return Err(error),
        };
        for origin in stated {
            if !found.iter().any(|it| it.name.eq_ignore_ascii_case(&origin.name)) {
                waiting.insert(0, origin.name.clone());
                found.push(origin);
            }
        }
    }
    Ok(found)
}

/// What one repository says of itself.
fn stated(shared: &Shared, base: &Url, name: &str) -> Result<Vec<StatedOrigin>, Error> {
    let id = || name.split('/');
    let about = answer(shared, &with_parts(base, ["api", "models"].into_iter().chain(id())))?;
    let said: Said = serde_json::from_slice(&about).unwrap_or_default();
    let mut found: Vec<(String, &'static str)> = Vec::new();
    found.extend(said.id.filter(|it| !it.eq_ignore_ascii_case(name)).map(|it| (it, "renamed")));
    found.extend(said.tags.iter().filter_map(|it| base_of(it)).map(|it| (it.to_owned(), "base model")));
    let history = with_parts(base, ["api", "models"].into_iter().chain(id()).chain(["commits", "main"]));
    let commits = match answer(shared, &history) {
        Ok(text) => serde_json::from_slice::<Vec<Commit>>(&text).unwrap_or_default(),
        // A hub may keep histories to itself, and a mirror may have none.
        Err(Error::NotFound { .. } | Error::Forbidden { .. } | Error::Offline { .. } | Error::Status { .. }) => {
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    found.extend(commits.iter().filter_map(|it| copied_from(&it.title)).map(|it| (it, "duplicated")));
    let origin = |(name, how): (String, &'static str), of: &str| StatedOrigin { name, how, said_of: of.to_owned() };
    Ok(found.into_iter().filter(|it| is_repository(&it.0)).map(|it| origin(it, name)).collect())
}

fn answer(shared: &Shared, url: &Url) -> Result<Vec<u8>, Error> {
    let note = format!("origins {url}");
    if let Some(text) = shared.client.is_offline().then(|| shared.note(&note)).flatten() {
        return Ok(text);
    }
    let text = shared.client.whole(url, limits::API_ANSWER)?.body;
    shared.keep_note(&note, &text);
    Ok(text)
}

/// `base_model:ORG/NAME`, and `base_model:finetune:ORG/NAME` with the kind of it.
fn base_of(tag: &str) -> Option<&str> {
    let rest = tag.strip_prefix("base_model:")?;
    Some(rest.split_once(':').map_or(rest, |(_, name)| name))
}

fn copied_from(title: &str) -> Option<String> {
    let begins = title.get(..DUPLICATE.len()).is_some_and(|it| it.eq_ignore_ascii_case(DUPLICATE));
    let name = title.get(DUPLICATE.len()..).filter(|_| begins)?;
    name.split_whitespace().next().map(str::to_owned)
}

/// `ORG/NAME` and nothing that leads elsewhere.
fn is_repository(name: &str) -> bool {
    let is_part = |it: &str| {
        !it.is_empty() && !it.starts_with('.') && it.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
    };
    name.len() <= limits::REMOTE_NAME && name.split_once('/').is_some_and(|(org, name)| is_part(org) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_titles_name_a_repository() {
        assert_eq!(base_of("base_model:a/b"), Some("a/b"));
        assert_eq!(base_of("base_model:quantized:a/b"), Some("a/b"));
        assert_eq!(base_of("license:mit"), None);
        assert_eq!(copied_from("Duplicate from a/b"), Some("a/b".to_owned()));
        assert_eq!(copied_from("Upload model"), None);
    }

    #[test]
    fn what_leads_elsewhere_is_no_repository() {
        for name in ["", "a", "../b", "a/../b", "a/b/c", "a/b?x", "a/ b", "http://x/y", "a/.git"] {
            assert!(!is_repository(name), "{name}");
        }
        assert!(is_repository("meta-llama/Llama-2-7b-hf"));
    }
}
