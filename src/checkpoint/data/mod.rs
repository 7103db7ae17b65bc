//! The numbers behind a header, as `f32`, read on demand and never all at once.
//!
//! What stands here is told by [`Values`]: one entry for each matrix or vector that a model computes with, under the
//! name and in the shape that the unquantised model has. How a file stores it (element type, blocks, scales beside it,
//! rows in another order) is undone on the way.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::bytes::{LocalPlace, Place};
use crate::checkpoint::{Checkpoint, Error};

mod blocks;
mod code_book;
mod decode;
mod exl2;
mod files;
mod gather;
mod grids;
mod grouped;
mod hqq;
mod lattices;
mod packed;
mod recipe;
mod run;
mod scaled;
mod small;
mod store;
mod stream;
mod superblocks;
mod ternary;
mod unpacking;
mod varints;

use self::files::Files;
use self::recipe::Recipe;
use self::store::Store;

/// A checkpoint whose numbers can be read.
pub struct Data {
    store: Store,
    values: Vec<Values>,
}

/// Something that can be read as numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Name, without the marks of quantisation.
    pub name: String,
    /// Sizes of the unquantised tensor, slowest first.
    pub shape: Vec<u64>,
    /// Why it cannot be read, if it cannot.
    pub unreadable: Option<String>,
    /// As what its numbers are stored.
    pub stored: Stored,
    recipe: Recipe,
}

/// The type that numbers are stored as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The element type, the block type of llama.cpp, or the id of the packing.
    pub word: String,
    /// Bits of one number, scales left out; 0 where that is not known.
    pub bits: u64,
}

impl Data {
    /// Opens the data of a folder in Hugging Face layout, or of a single file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::from_place(Arc::new(LocalPlace::new(path)))
    }

    /// Opens the data of a place, local or remote.
    pub fn from_place(place: Arc<dyn Place>) -> Result<Self, Error> {
        let checkpoint = Checkpoint::from_place(&*place)?;
        let files = Files::new(place, &checkpoint.files);
        let values = recipe::values(&checkpoint);
        Ok(Self { store: Store { checkpoint, files }, values })
    }

    /// What its headers say.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.store.checkpoint
    }

    /// Everything that can be read, sorted by name.
    pub fn values(&self) -> &[Values] {
        &self.values
    }

    /// What goes by a name.
    pub fn find(&self, name: &str) -> Option<&Values> {
        let at = self.values.binary_search_by(|it| it.name.as_str().cmp(name)).ok()?;
        self.values.get(at)
    }

    /// The elements of a range, counted row by row over the unquantised tensor.
    ///
    /// Fails where the range reaches beyond the tensor, where it cannot be decoded, and where its file cannot be read.
    pub fn read(&self, values: &Values, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        if let Some(why) = &values.unreadable {
            return Err(self.store.unreadable(&values.name, why));
        }
        if elements.start > elements.end || elements.end > values.elements() {
            return Err(self.store.unreadable(&values.name, "the range is not inside it"));
        }
        values.recipe.read(&self.store, values, elements)
    }

    /// How many bytes of data were read so far; what is read twice counts twice.
    pub fn bytes_read(&self) -> u64 {
        self.store.files.bytes_read()
    }
}

impl Values {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.shape.iter().copied().fold(1, u64::saturating_mul)
    }
}
