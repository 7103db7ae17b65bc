//! Bytes that are in memory already: tests, and files that came inside something else.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bytes::file::size_of_range;
use crate::bytes::{Error, Source};

/// A source over bytes that are held in memory.
#[derive(Debug, Default)]
pub struct Memory {
    bytes: Vec<u8>,
    read: AtomicU64,
}

impl Memory {
    /// A source over these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), read: AtomicU64::new(0) }
    }
}

impl Source for Memory {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, Error> {
        let name = || "memory".to_owned();
        let size = size_of_range(&range, self.len(), &name)?;
        let start = usize::try_from(range.start).ok();
        let bytes = start.and_then(|start| self.bytes.get(start..)).and_then(|rest| rest.get(..size));
        let bytes = bytes.ok_or_else(|| Error::OutOfMemory { name: name(), length: size as u64 })?;
        self.read.fetch_add(size as u64, Ordering::Relaxed);
        Ok(Cow::Borrowed(bytes))
    }

    fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_file() {
        let memory = Memory::new(*b"0123");
        assert_eq!(&*memory.read_at(1..3).unwrap(), b"12");
        assert_eq!(memory.bytes_read(), 2);
        assert!(matches!(memory.read_at(1..5), Err(Error::Beyond { length: 4, .. })));
    }
}
