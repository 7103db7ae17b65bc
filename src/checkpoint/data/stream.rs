//! Goes over all numbers of an entry, however many there are, with little of it in memory at a time and on all cores.
//!
//! Files are read by blocks and not mapped into memory: a mapped file that shrinks kills the program, and a block that
//! stays in a core's own cache costs one copy more and no more trips to memory.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use crate::checkpoint::data::decode::{self, Decoder};
use crate::checkpoint::data::recipe::Recipe;
use crate::checkpoint::data::{Data, Values};
use crate::checkpoint::{Error, Tensor};

/// How many numbers a piece has: stored and decoded they stay in the cache of one core. A multiple of every block's length.
const PIECE: u64 = 64 << 10;

/// What one core holds of a piece.
#[derive(Default)]
struct Room {
    bytes: Vec<u8>,
    numbers: Vec<f32>,
}

thread_local! {
    /// Memory that was used once is in place; fresh memory costs as much as what is done with it.
    static ROOM: Cell<Room> = const { Cell::new(Room { bytes: Vec::new(), numbers: Vec::new() }) };
}

/// Does something with the room of this thread. What is done may come here again, and then gets a new one.
fn in_room<T>(work: impl FnOnce(&mut Room) -> T) -> T {
    let mut room = ROOM.take();
    let result = work(&mut room);
    ROOM.set(room);
    result
}

impl Data {
    /// Hands every piece of an entry to `take`, with the range that it is of the whole; several at a time, in any order.
    /// The results stand in the order of the pieces, which are the same whatever the number of cores.
    pub fn pieces<T: Send>(
        &self,
        values: &Values,
        take: impl Fn(Range<u64>, &[f32]) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let elements = values.elements();
        let plain = self.plain(values)?;
        let one = |piece: u64| {
            let start = piece.saturating_mul(PIECE);
            let range = start..elements.min(start.saturating_add(PIECE));
            match plain {
                Some((tensor, decoder)) => in_room(|room| {
                    self.decode(tensor, decoder, range.clone(), room)?;
                    Ok(take(range, &room.numbers))
                }),
                None => Ok(take(range.clone(), &self.read(values, range)?)),
            }
        };
        (0..elements.div_ceil(PIECE)).into_par_iter().map(one).collect()
    }

    /// The tensor that an entry is as it is stored, one number behind the other.
    fn plain(&self, values: &Values) -> Result<Option<(&Tensor, Decoder)>, Error> {
        let Recipe::Plain(index) = values.recipe else { return Ok(None) };
        let tensor = self.store.tensor(index)?;
        let decoder = decode::decoder(&tensor.dtype).filter(|_| tensor.view.is_none() && values.unreadable.is_none());
        Ok(decoder.map(|decoder| (tensor, decoder)))
    }

    /// A piece of a plain tensor into the room of one core.
    fn decode(&self, tensor: &Tensor, decoder: Decoder, range: Range<u64>, room: &mut Room) -> Result<(), Error> {
        let outside = || self.store.unreadable(&tensor.name, "the range is not inside its data");
        let (place, before) = decoder.place(tensor, &range).ok_or_else(outside)?;
        self.store.files.read_into(tensor.file, place, &mut room.bytes)?;
        let (before, count) = (usize::try_from(before), usize::try_from(range.end.saturating_sub(range.start)));
        let (before, count) = (before.map_err(|_| outside())?, count.map_err(|_| outside())?);
        room.numbers.resize(decoder.numbers_in(room.bytes.len()), 0.0);
        decoder.decode(&room.bytes, &mut room.numbers);
        room.numbers.drain(..before);
        room.numbers.truncate(count);
        if room.numbers.len() == count { Ok(()) } else { Err(outside()) }
    }
}
