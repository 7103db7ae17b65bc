//! A file on a server, read in blocks: those that were read before come from the cache, neighbours come together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::bytes::{self, Source, in_order, limits, size_of_range};
use crate::remote::Shared;
use crate::remote::cache::{BLOCK, BLOCKS_PER_CHUNK, block_size};
use crate::remote::client::Answer;
use crate::remote::error::{Error, shown_url};

/// Blocks that are kept in memory for each file: a header is read in several steps.
const KEPT_IN_MEMORY: usize = 64;

/// Two runs of missing blocks are fetched as one where no more blocks than this lie between them.
const JOINED_OVER: u64 = 4;

type Blocks = BTreeMap<u64, Arc<Vec<u8>>>;

/// A file behind an address.
pub(crate) struct RemoteFile {
    shared: Arc<Shared>,
    url: Url,
    facts: Facts,
    /// Under what its blocks are cached; none where the server does not name its versions.
    key: Option<String>,
    /// Where the hub's redirect led, to spare it the next time.
    resolved: Mutex<Option<Url>>,
    recent: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
    read: AtomicU64,
}

/// What a server says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Facts {
    length: u64,
    etag: Option<String>,
    linked: Option<String>,
}

impl RemoteFile {
    /// Opens a file; asks the server for its first block unless the address can never mean another file and is known.
    pub(crate) fn open(shared: Arc<Shared>, url: Url, never_changes: bool) -> Result<Self, Error> {
        let note = format!("facts {url}");
        let kept = (never_changes || shared.client.is_offline()).then(|| shared.note(&note)).flatten();
        let kept = kept.and_then(|text| serde_json::from_slice::<Facts>(&text).ok());
        if let Some(facts) = kept {
            return Ok(Self::of(shared, url, facts));
        }
        let answer = shared.client.part(&url, 0..BLOCK)?;
        let length = answer.total.unwrap_or(answer.body.len() as u64);
        let facts = Facts { length, etag: answer.etag.clone(), linked: answer.linked.clone() };
        shared.keep_note(&note, &serde_json::to_vec(&facts).expect("plain fields"));
        let file = Self::of(shared, url, facts);
        let blocks = file.cut(&answer);
        file.keep(&blocks);
        file.remember(&blocks);
        file.set_resolved(Some(answer.from));
        Ok(file)
    }

    fn of(shared: Arc<Shared>, url: Url, facts: Facts) -> Self {
        let version = facts.linked.as_ref().or(facts.etag.as_ref());
        let key = version.map(|it| format!("{url} {it} {}", facts.length));
        Self { shared, url, facts, key, resolved: Mutex::default(), recent: Mutex::default(), read: AtomicU64::new(0) }
    }

    /// Every block of these numbers: from memory, from the cache, from the server.
    fn blocks(&self, wanted: &BTreeSet<u64>) -> Result<Blocks, Error> {
        let mut found = self.remembered(wanted);
        let missing = |found: &Blocks| wanted.iter().copied().filter(|it| !found.contains_key(it)).collect::<Vec<_>>();
        let chunks: BTreeSet<u64> = missing(&found).iter().map(|it| it / BLOCKS_PER_CHUNK).collect();
        for chunk in chunks {
            let cached = self.key.as_ref().map(|key| self.shared.blocks(key, chunk, self.facts.length));
            let cached = cached.unwrap_or_default().into_iter().filter(|(block, _)| wanted.contains(block));
            found.extend(cached.map(|(block, bytes)| (block, Arc::new(bytes))));
        }
        let runs = runs(&missing(&found));
        let fetched = in_order(&runs, limits::IN_FLIGHT, |run| self.fetch(run))?;
        for blocks in fetched {
            self.keep(&blocks);
            found.extend(blocks);
        }
        self.remember(&found);
        Ok(found)
    }

    /// Fetches a run of neighbouring blocks.
    fn fetch(&self, run: &Range<u64>) -> Result<Blocks, Error> {
        let range = run.start.saturating_mul(BLOCK)..run.end.saturating_mul(BLOCK).min(self.facts.length);
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = match resolved.filter(|it| *it != self.url).map(|url| self.shared.client.part(&url, range.clone()))
        {
            // The address that a hub redirects to is good for a while only.
            Some(Err(Error::Forbidden { .. } | Error::NotFound { .. } | Error::Status { .. })) | None => {
                self.shared.client.part(&self.url, range.clone())?
            }
            Some(answer) => answer?,
        };
        self.unchanged(&answer)?;
        self.set_resolved(Some(answer.from.clone()));
        let blocks = self.cut(&answer);
        if (run.start..run.end).all(|it| blocks.contains_key(&it)) {
            return Ok(blocks);
        }
        Err(Error::Answer { address: shown_url(&self.url), why: "the server gave less than was asked for".into() })
    }

    /// An answer to a later question must be of the same version as the first.
    fn unchanged(&self, answer: &Answer) -> Result<(), Error> {
        let before = &self.facts;
        let differs = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one != other)
        };
        let length = answer.total.unwrap_or(before.length);
        // Stores of files behind one hub may use other names; the hub's own name is the same for all.
        let same_by_hub = before.linked.is_some() && before.linked == answer.linked;
        let changed = length != before.length
            || differs(&before.linked, &answer.linked)
            || (!same_by_hub && differs(&before.etag, &answer.etag));
        if !changed {
            return Ok(());
        }
        let name = |etag: &Option<String>, length: u64| {
            let etag = etag.as_deref().map_or("no version".into(), |it| format!("version {}", bytes::shown(it)));
            format!("{etag}, {} bytes", bytes::grouped(length))
        };
        Err(Error::Changed {
            address: shown_url(&self.url),
            before: name(&before.etag, before.length),
            now: name(&answer.etag, length),
        })
    }

    /// The whole blocks of an answer.
    fn cut(&self, answer: &Answer) -> Blocks {
        let first = answer.start.div_ceil(BLOCK);
        let skipped = first.saturating_mul(BLOCK).saturating_sub(answer.start);
        let body = usize::try_from(skipped).ok().and_then(|it| answer.body.get(it..)).unwrap_or_default();
        let pieces = body.chunks(usize::try_from(BLOCK).unwrap_or(usize::MAX));
        let blocks = (first..).zip(pieces).map(|(block, bytes)| (block, Arc::new(bytes.to_vec())));
        blocks.filter(|(block, bytes)| block_size(*block, self.facts.length) == Some(bytes.len())).collect()
    }

    fn keep(&self, blocks: &Blocks) {
        let Some(key) = &self.key else { return };
        let mut by_chunk: BTreeMap<u64, BTreeMap<u64, Vec<u8>>> = BTreeMap::new();
        for (block, bytes) in blocks {
            by_chunk.entry(block / BLOCKS_PER_CHUNK).or_default().insert(*block, bytes.to_vec());
        }
        for (chunk, blocks) in by_chunk {
            self.shared.keep_blocks(key, chunk, self.facts.length, &blocks);
        }
    }

    fn remembered(&self, wanted: &BTreeSet<u64>) -> Blocks {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().filter(|(block, _)| wanted.contains(block)).map(|(it, bytes)| (*it, Arc::clone(bytes))).collect()
    }

    fn remember(&self, blocks: &Blocks) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for (block, bytes) in blocks {
            if !recent.iter().any(|(known, _)| known == block) {
                recent.push_back((*block, Arc::clone(bytes)));
            }
        }
        while recent.len() > KEPT_IN_MEMORY {
            recent.pop_front();
        }
    }

    fn set_resolved(&self, url: Option<Url>) {
        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = url;
    }

    fn checked(&self, range: &Range<u64>) -> Result<usize, Error> {
        Ok(size_of_range(range, self.facts.length, &|| shown_url(&self.url).trim_matches('`').to_owned())?)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error> {
        let mut size = 0_usize;
        for range in ranges {
            size = size.saturating_add(self.checked(range)?);
        }
        let wanted: BTreeSet<u64> = ranges.iter().flat_map(blocks_of).collect();
        let blocks = self.blocks(&wanted)?;
        self.read.fetch_add(size as u64, Ordering::Relaxed);
        ranges.iter().map(|range| self.joined(range, &blocks)).collect()
    }

    fn joined(&self, range: &Range<u64>, blocks: &Blocks) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let size = self.checked(range)?;
        let too_much = |_| bytes::Error::OutOfMemory { name: shown_url(&self.url), length: size as u64 };
        out.try_reserve_exact(size).map_err(too_much)?;
        for block in blocks_of(range) {
            let start = block.saturating_mul(BLOCK);
            let bytes = blocks.get(&block).map(|it| it.as_slice()).unwrap_or_default();
            let from = usize::try_from(range.start.saturating_sub(start)).unwrap_or(usize::MAX);
            let to = usize::try_from(range.end.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
            out.extend_from_slice(bytes.get(from..to).unwrap_or_default());
        }
        Ok(out)
    }
}

impl Source for RemoteFile {
    fn len(&self) -> u64 {
        self.facts.length
    }

    fn read_at(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, bytes::Error> {
        let read = self.read_ranges(&[range])?;
        Ok(Cow::Owned(read.into_iter().next().unwrap_or_default()))
    }

    fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, bytes::Error> {
        Ok(self.read_ranges(ranges)?)
    }

    fn version(&self) -> Option<String> {
        self.facts.linked.clone().or_else(|| self.facts.etag.clone())
    }

    fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// The blocks that a range touches.
fn blocks_of(range: &Range<u64>) -> Range<u64> {
    if range.is_empty() { 0..0 } else { range.start / BLOCK..range.end.div_ceil(BLOCK) }
}

/// Joins neighbouring blocks, small gaps included, into requests of a bearable length.
fn runs(blocks: &[u64]) -> Vec<Range<u64>> {
    let longest = limits::REQUEST / BLOCK;
    let mut runs: Vec<Range<u64>> = Vec::new();
    for block in blocks {
        let end = block.saturating_add(1);
        match runs.last_mut() {
            Some(run) if block.saturating_sub(run.end) <= JOINED_OVER && end.saturating_sub(run.start) <= longest => {
                run.end = end;
            }
            _ => runs.push(*block..end),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_and_long_runs_are_cut() {
        assert_eq!(runs(&[0, 1, 2, 6, 20, 21]), [0..7, 20..22]);
        let all: Vec<u64> = (0..600).collect();
        assert_eq!(runs(&all), [0..256, 256..512, 512..600]);
        assert!(runs(&[]).is_empty());
        assert_eq!(blocks_of(&(BLOCK - 1..BLOCK + 1)), 0..2);
        assert_eq!(blocks_of(&(BLOCK..BLOCK)), 0..0);
    }
}
