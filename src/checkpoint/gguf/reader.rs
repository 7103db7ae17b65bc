//! Walks through the header of a file without holding it in memory, and says at which item it ended too soon.

use crate::bytes::{Hasher, Source, limits};
use crate::checkpoint::Refusal;
use crate::checkpoint::gguf::problem::Problem;

/// How much is read at once.
const STEP: u64 = 64 << 10;

/// A position in the header that only moves forward.
pub(crate) struct Reader<'a> {
    source: &'a dyn Source,
    /// Bytes that were read ahead; those before `used` are behind the position.
    window: Vec<u8>,
    used: usize,
    at: u64,
    hasher: Hasher,
    /// What is being read, for errors: "key `general.name`".
    pub(crate) item: String,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(source: &'a dyn Source) -> Self {
        let item = "the fixed part of the header".into();
        Self { source, window: Vec::new(), used: 0, at: 0, hasher: Hasher::default(), item }
    }

    /// Where it is, in bytes from the start of the file.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The digest of everything before the position.
    pub(crate) fn digest(self) -> String {
        self.hasher.finish()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Refusal> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next bytes, as many as the array has.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    /// A length and so many bytes of text; `limit` is the longest that is taken.
    pub(crate) fn text(&mut self, limit: u64) -> Result<String, Refusal> {
        let length = self.text_length(limit)?;
        let text = std::str::from_utf8(self.take(length)?).map(str::to_owned);
        text.map_err(|_| Problem::NotText { item: self.item.clone() }.into())
    }

    /// A length and so many bytes of text, whatever its encoding; `limit` is the longest that is taken.
    pub(crate) fn raw_text(&mut self, limit: u64) -> Result<Vec<u8>, Refusal> {
        let length = self.text_length(limit)?;
        self.take(length).map(<[u8]>::to_vec)
    }

    /// Goes over a text without looking at it.
    pub(crate) fn skip_text(&mut self) -> Result<(), Refusal> {
        let length = self.text_length(limits::GGUF_TEXT)?;
        self.skip(length)
    }

    /// Goes over so many bytes.
    pub(crate) fn skip(&mut self, count: u64) -> Result<(), Refusal> {
        self.must_hold(count)?;
        let mut left = count;
        while left > 0 {
            let step = left.min(STEP);
            self.take(step)?;
            left = left.saturating_sub(step);
        }
        Ok(())
    }

    fn text_length(&mut self, limit: u64) -> Result<u64, Refusal> {
        let length = self.u64()?;
        if length > limit {
            return Err(Problem::TextTooLong { item: self.item.clone(), length, limit }.into());
        }
        Ok(length)
    }

    /// The next bytes; callers check `count` against a limit first.
    fn take(&mut self, count: u64) -> Result<&[u8], Refusal> {
        self.must_hold(count)?;
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        if self.window.len().saturating_sub(self.used) < wanted {
            self.read_ahead(count)?;
        }
        let start = self.used;
        self.used = self.used.saturating_add(wanted);
        self.at = self.at.saturating_add(count);
        let bytes = self.window.get(start..self.used).unwrap_or_default();
        self.hasher.update(bytes);
        Ok(bytes)
    }

    /// Fills the window so that it holds the next `count` bytes, which are known to be there.
    fn read_ahead(&mut self, count: u64) -> Result<(), Refusal> {
        self.window.drain(..self.used);
        self.used = 0;
        let start = self.at.saturating_add(self.window.len() as u64);
        let end = self.at.saturating_add(count).max(start.saturating_add(STEP)).min(self.source.len());
        self.window.extend_from_slice(&self.source.read_at(start..end)?);
        Ok(())
    }

    /// Refuses what the file, or the longest header, cannot hold.
    pub(crate) fn must_hold(&self, count: u64) -> Result<(), Refusal> {
        let left = self.source.len().saturating_sub(self.at);
        let item = || self.item.clone();
        if count > left {
            return Err(Problem::Cut { item: item(), at: self.at, wanted: count, left }.into());
        }
        if self.at.saturating_add(count) > limits::GGUF_HEADER {
            return Err(Problem::HeaderTooLong { item: item() }.into());
        }
        Ok(())
    }
}
