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

/// How many numbers a piece has: decoded they stay in the nearest cache of one core. A multiple of every block's
/// length.
const PIECE: usize = 8 << 10;

/// How many are read at once: as stored they stay in the next cache, and few calls are made for them.
const READ: usize = 8 * PIECE;

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
    /// Hands every piece of an entry to `take`, with the range that it is of the whole; several at a time, in any
    /// order. The results stand in the order of the pieces, which are the same whatever the number of cores.
    pub fn pieces<T: Send>(
        &self,
        values: &Values,
        take: impl Fn(Range<u64>, &[f32]) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let elements = values.elements();
        let plain = self.plain(values)?;
        let some = |at: u64| {
            let start = at.saturating_mul(READ as u64);
            let range = start..elements.min(start.saturating_add(READ as u64));
            match plain {
                Some((tensor, decoder)) => in_room(|room| self.decoded(tensor, decoder, range, room, &take)),
                None => {
                    let numbers = self.read(values, range.clone())?;
                    Ok(parts(&range).zip(numbers.chunks(PIECE)).map(|(part, it)| take(part, it)).collect())
                }
            }
        };
        let all: Vec<Vec<T>> =
            (0..elements.div_ceil(READ as u64)).into_par_iter().map(some).collect::<Result<_, Error>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    /// The tensor that an entry is as it is stored, one number behind the other.
    fn plain(&self, values: &Values) -> Result<Option<(&Tensor, Decoder)>, Error> {
        let Recipe::Plain(index) = values.recipe else { return Ok(None) };
        let tensor = self.store.tensor(index)?;
        let decoder = decode::decoder(&tensor.dtype).filter(|_| tensor.view.is_none() && values.unreadable.is_none());
        Ok(decoder.map(|decoder| (tensor, decoder)))
    }

    /// Reads some of a plain tensor into the room of one core, and hands it over decoded, piece by piece.
    fn decoded<T>(
        &self,
        tensor: &Tensor,
        decoder: Decoder,
        range: Range<u64>,
        room: &mut Room,
        take: impl Fn(Range<u64>, &[f32]) -> T,
    ) -> Result<Vec<T>, Error> {
        let outside = || self.store.unreadable(&tensor.name, "the range is not inside its data");
        let (place, _) = decoder.place(tensor, &range).filter(|it| it.1 == 0).ok_or_else(outside)?;
        self.store.files.read_into(tensor.file, place, &mut room.bytes)?;
        let mut taken = Vec::with_capacity(READ / PIECE);
        for (part, bytes) in parts(&range).zip(room.bytes.chunks(decoder.bytes_of(PIECE))) {
            room.numbers.resize(decoder.numbers_in(bytes.len()), 0.0);
            decoder.decode(bytes, &mut room.numbers);
            // The last block may have numbers that belong to nothing.
            let count = usize::try_from(part.end.saturating_sub(part.start)).map_err(|_| outside())?;
            taken.push(take(part, room.numbers.get(..count).ok_or_else(outside)?));
        }
        Ok(taken)
    }
}

/// The pieces of a range, in their order.
fn parts(range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let end = range.end;
    (range.start..end).step_by(PIECE).map(move |it| it..end.min(it.saturating_add(PIECE as u64)))
}
