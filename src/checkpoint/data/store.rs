//! The tensors of a checkpoint as they are stored: numbers and words of whole tensors or ranges, views followed.

use std::ops::Range;

use ::safetensors::Dtype as Known;

use crate::bytes;
use crate::checkpoint::data::decode::{self, Decoder};
use crate::checkpoint::data::files::Files;
use crate::checkpoint::data::gather::gather;
use crate::checkpoint::view::View;
use crate::checkpoint::{Checkpoint, Dtype, Error, Tensor};

/// A checkpoint and its open files.
pub(super) struct Store {
    pub(super) checkpoint: Checkpoint,
    pub(super) files: Files,
}

/// How many stored numbers are read at once: enough to keep a disk busy, and little enough to stay in a cache.
const STEP: u64 = 512 << 10;

impl Store {
    /// Why something cannot be read, with the place.
    pub(super) fn unreadable(&self, name: &str, why: &str) -> Error {
        Error::Unreadable { path: self.files.path().to_owned(), tensor: name.to_owned(), why: why.to_owned() }
    }

    pub(super) fn tensor(&self, index: usize) -> Result<&Tensor, Error> {
        self.checkpoint.tensors.get(index).ok_or_else(|| self.unreadable("", "it is not there"))
    }

    /// Elements of a range, in the order of the tensor's shape.
    pub(super) fn floats(&self, index: usize, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(index)?;
        if let Dtype::Varints(known) = tensor.dtype {
            return self.whole_varints(tensor, known, range);
        }
        match &tensor.view {
            None => self.stored(tensor, range),
            Some(view) => self.floats_by(index, view, range),
        }
    }

    /// Varints are small tensors, of which a view takes all there are.
    fn whole_varints(&self, tensor: &Tensor, known: Known, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let Some(view) = &tensor.view else { return self.varints(tensor, known, range) };
        self.viewed(tensor, view, range, &|range| self.varints(tensor, known, range))
    }

    /// Elements of a range of a view of a tensor's stored elements.
    pub(super) fn floats_by(&self, index: usize, view: &View, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(index)?;
        self.viewed(tensor, view, range, &|range| self.stored(tensor, range))
    }

    /// Words of 32 bits of a range of a view of a tensor's stored words.
    pub(super) fn words_by(&self, index: usize, view: &View, range: Range<u64>) -> Result<Vec<u32>, Error> {
        let fetch = |range: Range<u64>| -> Result<Vec<u32>, Error> {
            let bytes = self.bytes(index, range.start.saturating_mul(4)..range.end.saturating_mul(4))?;
            Ok(bytes.as_chunks().0.iter().map(|it| u32::from_le_bytes(*it)).collect())
        };
        self.viewed(self.tensor(index)?, view, range, &fetch)
    }

    /// Bytes of a tensor's data, counted from its start.
    pub(super) fn bytes(&self, index: usize, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let tensor = self.tensor(index)?;
        let outside = || self.unreadable(&tensor.name, "the range is not inside its data");
        let start = tensor.data.start.checked_add(range.start).ok_or_else(outside)?;
        let end = tensor.data.start.checked_add(range.end).filter(|it| *it <= tensor.data.end).ok_or_else(outside)?;
        Ok(self.files.read(tensor.file, start..end)?)
    }

    fn viewed<T: Copy + Default>(
        &self,
        tensor: &Tensor,
        view: &View,
        range: Range<u64>,
        fetch: &dyn Fn(Range<u64>) -> Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut numbers = self.room_for(tensor, &range)?;
        let outside = || self.unreadable(&tensor.name, "the range is not inside its data");
        gather(view, range, &mut numbers, fetch).ok_or_else(outside)??;
        Ok(numbers)
    }

    /// Zeros to be overwritten; none of them is allocated unless all can be.
    fn room_for<T: Clone + Default>(&self, tensor: &Tensor, range: &Range<u64>) -> Result<Vec<T>, Error> {
        let count = range.end.saturating_sub(range.start);
        let mut room = Vec::new();
        let reserved = usize::try_from(count).ok().filter(|count| room.try_reserve_exact(*count).is_ok());
        let Some(count) = reserved else {
            let length = count.saturating_mul(size_of::<T>() as u64);
            return Err(Error::Bytes(bytes::Error::OutOfMemory { name: tensor.name.clone(), length }));
        };
        room.resize(count, T::default());
        Ok(room)
    }

    /// Numbers in the order in which they are stored.
    fn stored(&self, tensor: &Tensor, range: Range<u64>) -> Result<Vec<f32>, Error> {
        let decoder = decode::decoder(&tensor.dtype)
            .ok_or_else(|| self.unreadable(&tensor.name, "its element type cannot be decoded"))?;
        // The whole place is checked before room is made for it.
        decoder
            .place(tensor, &range)
            .ok_or_else(|| self.unreadable(&tensor.name, "the range is not inside its data"))?;
        let mut numbers = self.room_for(tensor, &range)?;
        let mut rest = numbers.as_mut_slice();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(STEP));
            let count = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
            let Some((here, behind)) = std::mem::take(&mut rest).split_at_mut_checked(count) else { break };
            self.step(tensor, decoder, start..end, here)?;
            (rest, start) = (behind, end);
        }
        Ok(numbers)
    }

    /// A few numbers, in one read.
    fn step(&self, tensor: &Tensor, decoder: Decoder, range: Range<u64>, to: &mut [f32]) -> Result<(), Error> {
        let outside = || self.unreadable(&tensor.name, "the range is not inside its data");
        let (place, before) = decoder.place(tensor, &range).ok_or_else(outside)?;
        let bytes = self.files.read(tensor.file, place)?;
        let held = decoder.numbers_in(bytes.len());
        if held == to.len() {
            decoder.decode(&bytes, to);
            return Ok(());
        }
        let mut whole = vec![0.0; held];
        decoder.decode(&bytes, &mut whole);
        let wanted = usize::try_from(before).ok().and_then(|before| whole.get(before..)?.get(..to.len()));
        to.copy_from_slice(wanted.ok_or_else(outside)?);
        Ok(())
    }
}
