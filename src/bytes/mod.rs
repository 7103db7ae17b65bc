//! Where bytes come from: a file, memory, or a place of many files; and how a file is replaced without ever being half
//! written.
//!
//! Nothing here knows what the bytes mean. Every number that is read from them is checked against `limits` before it
//! becomes a size, an offset or a count.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

use std::borrow::Cow;
use std::ops::Range;

pub mod limits;

mod budget;
mod cursor;
mod digest;
mod error;
mod file;
mod location;
mod memory;
mod parallel;
mod place;
mod protobuf;
mod replace;
mod shown;

pub use budget::{Budget, Budgeted};
pub use cursor::Cursor;
pub use digest::{Hasher, sha256, sha256_of_file, sha256_unsealed};
pub(crate) use digest::{from_hex, hex};
pub use error::Error;
pub(crate) use file::size_of_range;
pub use file::{File, read_whole};
pub use location::{Hub, Location, Repository};
pub use memory::Memory;
pub use parallel::in_order;
pub use place::{LocalPlace, Names, Place, StatedOrigin, last_part};
pub(crate) use protobuf::{Fields, Wire, varint};
pub use replace::replace;
pub use shown::{counted, grouped, is_unprintable, shown};

/// Bytes that can be read in any order.
///
/// A source has no position, so that many readers may share it; a cursor over a part is [`Cursor`].
pub trait Source: Send + Sync {
    /// Length in bytes when the source was opened.
    fn len(&self) -> u64;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads exactly `range`, or fails; never short, and never more than [`limits::SINGLE_READ`] bytes at once.
    fn read_at(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, Error>;

    /// The same into a buffer that is used again; it has exactly the range afterwards.
    fn read_into(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let bytes = self.read_at(range)?;
        buffer.clear();
        buffer.extend_from_slice(&bytes);
        Ok(())
    }

    /// Reads several ranges, in their order. Where each answer has a long way, neighbours are fetched together.
    fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error> {
        ranges.iter().map(|it| self.read_at(it.clone()).map(Cow::into_owned)).collect()
    }

    /// What a server calls this version of the file; a file on this machine has no such name.
    fn version(&self) -> Option<String> {
        None
    }

    /// How many bytes were handed out so far; what is read twice counts twice.
    fn bytes_read(&self) -> u64;
}
