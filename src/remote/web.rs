//! A file, an index or a folder on any server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Url;

use crate::bytes::{self, Names, Place, Source, in_order, limits, shown};
use crate::remote::error::{Error, shown_url};
use crate::remote::file::RemoteFile;
use crate::remote::hub::is_plain_name;
use crate::remote::{Shared, with_parts};

/// What is asked for in a folder: a server gives no list, and these are what a model cannot do without.
const USUAL: &[&str] = &[
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// A file, or the folder that an index lies in.
pub(crate) struct WebPlace {
    shared: Arc<Shared>,
    /// The file, or the folder without a slash at its end.
    url: Url,
    single: Option<String>,
    names: BTreeSet<String>,
    path: PathBuf,
}

impl WebPlace {
    /// A file's address is one that ends in a name; an index stands for its folder, as does a slash at the end.
    pub(crate) fn open(shared: Arc<Shared>, text: &str) -> Result<Self, Error> {
        let parsed = Url::parse(text).ok().filter(Url::has_host);
        let mut url = parsed.ok_or_else(|| Error::Answer { address: shown(text), why: "it is no address".into() })?;
        let last = url.path_segments().and_then(|mut it| it.next_back()).unwrap_or_default().to_owned();
        let name = decoded(&last);
        let is_index = last.ends_with(".index.json");
        if !last.is_empty() && !is_index {
            let path = PathBuf::from(url.as_str());
            return Ok(Self { shared, url, single: Some(name), names: BTreeSet::new(), path });
        }
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop();
        }
        let path = PathBuf::from(url.as_str().trim_end_matches('/'));
        let mut place = Self { shared, url, single: None, names: BTreeSet::new(), path };
        place.names = place.find(is_index.then_some(name.as_str()))?;
        Ok(place)
    }

    /// Which of the usual files are there; all that can be known of a folder.
    fn find(&self, index: Option<&str>) -> Result<BTreeSet<String>, Error> {
        let usual = USUAL.iter().copied().filter(|it| index.is_none() || *it == "config.json");
        let asked: Vec<&str> = usual.chain(index).collect();
        let there = in_order(&asked, limits::IN_FLIGHT, |name| match self.file(name) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) if Some(*name) != index => Ok(false),
            Err(error) => Err(error),
        })?;
        let found: BTreeSet<String> =
            asked.iter().zip(there).filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned()).collect();
        if found.iter().any(|it| it != "config.json") {
            return Ok(found);
        }
        let missing = asked.iter().filter(|it| !found.contains(**it)).map(shown).collect::<Vec<_>>().join(", ");
        let why = if found.is_empty() {
            format!("none of {missing} is there")
        } else {
            format!(
                "`config.json` is there and none of {missing}: its weights have other names, so name their index or a file"
            )
        };
        Err(Error::Answer { address: shown_url(&self.url), why })
    }

    fn file(&self, name: &str) -> Result<RemoteFile, Error> {
        let url = if self.single.is_some() { self.url.clone() } else { with_parts(&self.url, name.split('/')) };
        RemoteFile::open(Arc::clone(&self.shared), url, false)
    }
}

/// A part of an address as people read it: an address has only some characters, and writes all others as `%` and two
/// digits.
fn decoded(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

impl Place for WebPlace {
    fn path(&self) -> &Path {
        &self.path
    }

    fn single(&self) -> Option<&str> {
        self.single.as_deref()
    }

    fn names(&self) -> Result<Names, bytes::Error> {
        Ok(Names { names: self.names.clone(), not_unicode: 0 })
    }

    /// A server can only be asked by reading, and reading tells by itself what is not there.
    fn holds(&self, name: &str) -> bool {
        is_plain_name(name)
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, bytes::Error> {
        if !is_plain_name(name) {
            let message = format!("{} is no plain path inside {}", shown(name), shown_url(&self.url));
            return Err(bytes::Error::Remote { message, hint: None });
        }
        Ok(Arc::new(self.file(name)?))
    }

    fn local(&self) -> Option<&Path> {
        None
    }

    fn at_once(&self) -> usize {
        limits::IN_FLIGHT
    }

    fn path_of(&self, name: &str) -> PathBuf {
        if self.single.is_some() { self.path.clone() } else { format!("{}/{name}", self.path.display()).into() }
    }
}

impl std::fmt::Debug for WebPlace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("WebPlace").field("path", &self.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_addresses_are_read_as_they_were_before() {
        for name in ["天工模型.safetensors.index.json", "my model (1).gguf", "plain.bin", "100%", "a%zz"] {
            let mut url = Url::parse("http://host/").unwrap();
            url.path_segments_mut().unwrap().pop().push(name);
            let last = url.path_segments().unwrap().next_back().unwrap();
            assert_eq!(decoded(last), name, "{url}");
        }
        assert_eq!(decoded("%ff"), "%ff");
    }
}
