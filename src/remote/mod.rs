//! Models behind an address: hubs and plain servers, read in ranges, cached, within limits.
//!
//! What comes over the network is as hostile as a file from a stranger, and the server may be one too: lengths, ranges,
//! names and redirects are checked before they are used. A token goes to the server it belongs to and to no other.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Url;

use crate::bytes::{self, Budget, Budgeted, Hub, LocalPlace, Location, Place};

mod cache;
mod client;
mod error;
mod file;
mod hub;
mod origins;
mod web;

use cache::Cache;
use client::{Client, is_loopback};
use hub::HubPlace;
use web::WebPlace;

/// A secret that opens gated models. It is never printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token as it is stored; none if nothing that a header can carry is left of it.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(…)")
    }
}

/// How far a run may reach: which servers, how many bytes, whether at all.
#[derive(Clone, Debug)]
pub struct Settings {
    /// No network.
    pub offline: bool,
    /// Base address of Hugging Face or a mirror of it.
    pub hugging_face: String,
    /// Base address of ModelScope.
    pub model_scope: String,
    /// Token for Hugging Face.
    pub hugging_face_token: Option<Token>,
    /// Token for ModelScope.
    pub model_scope_token: Option<Token>,
    /// Where fetched bytes are kept; none to keep nothing.
    pub cache: Option<PathBuf>,
    /// Size that the cache stays below, in bytes.
    pub cache_limit: u64,
    /// Bytes that may be read in all.
    pub max_bytes: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offline: false,
            hugging_face: "https://huggingface.co".into(),
            model_scope: "https://modelscope.cn".into(),
            hugging_face_token: None,
            model_scope_token: None,
            cache: None,
            cache_limit: 4 << 30,
            max_bytes: None,
        }
    }
}

/// Opens places, wherever they are, within one set of settings.
pub struct Reach {
    shared: Arc<Shared>,
    budget: Arc<Budget>,
    hugging_face: Url,
    model_scope: Url,
}

/// A place that was found.
pub struct Found {
    /// Its files.
    pub place: Arc<dyn Place>,
    /// The commit of a hub's repository.
    pub commit: Option<String>,
}

/// What everything that is read in one run shares.
pub(crate) struct Shared {
    pub(crate) client: Client,
    cache: Option<Cache>,
}

/// What went over the network in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Number of requests, redirects and further tries included.
    pub requests: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
}

impl Reach {
    /// Takes the settings; nothing is asked yet.
    pub fn new(settings: Settings) -> Result<Self, bytes::Error> {
        let hugging_face = base(&settings.hugging_face)?;
        let model_scope = base(&settings.model_scope)?;
        let tokens = [(&hugging_face, settings.hugging_face_token), (&model_scope, settings.model_scope_token)];
        let tokens = tokens.into_iter().filter_map(|(base, token)| Some((base.clone(), token?))).collect();
        let budget = Arc::new(settings.max_bytes.map_or_else(Budget::unlimited, Budget::new));
        let client = Client::new(settings.offline, tokens, Arc::clone(&budget));
        let cache = settings.cache.map(|root| Cache::new(root, settings.cache_limit));
        Ok(Self { shared: Arc::new(Shared { client, cache }), budget, hugging_face, model_scope })
    }

    /// This machine only, as far as it goes.
    pub fn local() -> Self {
        Self::new(Settings { offline: true, ..Settings::default() }).expect("the default addresses are addresses")
    }

    /// The place of a location; a path is taken from `base` unless it is absolute. None for a catalogue entry.
    pub fn find(&self, location: Location, base: &Path) -> Result<Option<Found>, bytes::Error> {
        Ok(Some(match location {
            Location::Catalog(_) => return Ok(None),
            Location::Path(path) => {
                let place = Budgeted::new(LocalPlace::new(base.join(path)), Arc::clone(&self.budget));
                Found { place: Arc::new(place), commit: None }
            }
            Location::Hub(repository) => {
                let base = match repository.hub {
                    Hub::HuggingFace => &self.hugging_face,
                    Hub::ModelScope => &self.model_scope,
                };
                let place = HubPlace::open(Arc::clone(&self.shared), base.clone(), repository)?;
                let commit = Some(place.commit().to_owned());
                Found { place: Arc::new(place), commit }
            }
            Location::Web(address) => {
                Found { place: Arc::new(WebPlace::open(Arc::clone(&self.shared), &address)?), commit: None }
            }
        }))
    }

    /// What went over the network so far.
    pub fn traffic(&self) -> Traffic {
        let (requests, bytes) = self.shared.client.traffic();
        Traffic { requests, bytes }
    }

    /// Bytes that were read so far, from disk and over the network.
    pub fn bytes_read(&self) -> u64 {
        self.budget.read()
    }

    /// Why the cache keeps nothing, if that is so.
    pub fn cache_trouble(&self) -> Option<String> {
        self.shared.cache.as_ref().and_then(Cache::trouble)
    }
}

impl Shared {
    fn note(&self, key: &str) -> Option<Vec<u8>> {
        self.cache.as_ref()?.note(key)
    }

    fn keep_note(&self, key: &str, text: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.keep_note(key, text);
        }
    }

    fn blocks(&self, key: &str, chunk: u64, length: u64) -> BTreeMap<u64, Vec<u8>> {
        self.cache.as_ref().map(|it| it.blocks(key, chunk, length)).unwrap_or_default()
    }

    fn keep_blocks(&self, key: &str, chunk: u64, length: u64, blocks: &BTreeMap<u64, Vec<u8>>) {
        if let Some(cache) = &self.cache {
            cache.keep_blocks(key, chunk, length, blocks);
        }
    }
}

/// The names of files that an answer of either hub would be taken to list; for the fuzz target.
#[doc(hidden)]
pub fn names_in_answer(text: &[u8]) -> Vec<String> {
    hub::names_in_answer(text)
}

/// The base address of a hub: https, or a server on this machine.
fn base(text: &str) -> Result<Url, bytes::Error> {
    let refused = |why| bytes::Error::Location {
        given: text.split(['?', '#']).next().unwrap_or_default().to_owned(),
        why,
        hint: "write the address of a hub, as `https://hf-mirror.com`; plain http is for servers on this machine"
            .into(),
    };
    let url = Url::parse(text.trim()).map_err(|_| refused("is no address of a hub"))?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.has_host();
    match url.scheme() {
        _ if !is_bare => Err(refused("is no plain address of a hub")),
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(refused("would be read without encryption")),
    }
}

/// An address with more parts behind its path, each encoded, so that none of them can be more than a name.
pub(crate) fn with_parts<'a>(base: &Url, parts: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new(" hf_secret\n").unwrap();
        let settings = Settings { hugging_face_token: Some(token.clone()), ..Settings::default() };
        assert!(!format!("{settings:?}{token:?}").contains("secret"));
        assert_eq!(token.secret(), "hf_secret");
        assert!(Token::new("a\r\nHost: x").is_none() && Token::new(" ").is_none());
    }

    #[test]
    fn the_base_of_a_hub_is_encrypted_or_here() {
        assert!(base("https://hf-mirror.com/").is_ok() && base("http://127.0.0.1:8080").is_ok());
        for wrong in ["http://hf-mirror.com", "hf-mirror.com", "https://me:pw@x.example", "ftp://127.0.0.1", ""] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_parts_and_nothing_more() {
        let base = Url::parse("https://x.example/hub/").unwrap();
        let url = with_parts(&base, ["a?b", "c#d", "100%", "模型"]);
        assert_eq!(url.as_str(), "https://x.example/hub/a%3Fb/c%23d/100%25/%E6%A8%A1%E5%9E%8B");
    }
}
