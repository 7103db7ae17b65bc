//! Files in, one table of tensors out; and the numbers behind it, where they are asked for.
//!
//! [`Checkpoint::open`] takes a folder in Hugging Face layout or a single file and reads headers only: names, element
//! types, shapes and offsets. What a file is, is told by its first bytes and its structure, never by its name. Files
//! that break a rule of their format are refused with the tensor and the numbers; whatever is legal and yet worth
//! knowing is a finding.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use crate::bytes::{self, LocalPlace, Place, Source};
use crate::fact::{FileFacts, Finding};

mod adapter;
mod assembly;
mod config;
mod containers;
mod data;
mod dtype;
mod error;
mod findings;
mod folder;
mod index;
mod json;
mod kind;
mod layout;
mod packing;
mod placement;
mod plan;
mod ranks;
mod stated;
mod surroundings;
mod view;

pub use adapter::Adapter;
pub use data::{Data, Stored, Values};
pub use dtype::{Block, Dtype};
pub use error::Error;
pub use findings::FINDINGS;
pub use index::Outline;
pub use layout::{About, LAYOUTS, Layout, Reading};
pub(crate) use packing::{Around, Decode, Packing, Seen, Settings, Treatment, reads_numbers, treated};
pub use view::View;

/// Declares the module of each format and lists it, from one word.
macro_rules! formats {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+
        /// Every format that is read, in the order in which they are tried.
        pub const FORMATS: &[Format] = &[$(self::$name::FORMAT),+];
    };
}

formats![safetensors, gguf, torch, onnx, npz];

pub use gguf::GgufVocabulary;
pub(crate) use json::{kind_of, read as read_json};

/// A model's files as one table: everything their headers say.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Name of the folder or file.
    pub name: String,
    /// Name of the file format, e.g. `safetensors`.
    pub format: String,
    /// The files that were read, in name order.
    pub files: Vec<FileFacts>,
    /// Every tensor, sorted by name; no name occurs twice.
    pub tensors: Vec<Tensor>,
    /// What the writer put beside the tensors, of all files together.
    pub metadata: BTreeMap<String, String>,
    /// `config.json`, where there is one that can be read; otherwise what the weights files state themselves.
    pub config: Option<serde_json::Value>,
    /// What the index says, where the folder holds no weights and nothing else is known; `tensors` is empty then.
    pub outline: Option<Outline>,
    /// Shapes of packed weights without their packing, by the name that they have without it, where the data beside
    /// them states it.
    pub stated_shapes: BTreeMap<String, Vec<u64>>,
    /// What an adapter says of itself, where the files are one and no model.
    pub adapter: Option<Adapter>,
    /// What a reader should know before trusting the files, sorted by file.
    pub findings: Vec<Finding>,
    /// Bytes that were read from disk, the first bytes of files that turned out to be something else included.
    pub bytes_read: u64,
}

/// One tensor as its header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name as stored.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, slowest first; empty for a single number.
    pub shape: Vec<u64>,
    /// Which of the checkpoint's files holds it.
    pub file: usize,
    /// Where its data is in that file, in bytes from the start of the file.
    pub data: Range<u64>,
    /// Where its elements lie among the stored ones, where that is not one behind the other in the order of the shape.
    pub view: Option<View>,
}

/// One file format: how to recognise it, and how to read its table of tensors.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name, e.g. `safetensors`.
    pub name: &'static str,
    /// How its files are called, the usual ending first, without the dot.
    pub endings: &'static [&'static str],
    /// Tells it from the first [`HEAD`] bytes (fewer if the file has fewer) and the length of the file.
    pub recognise: fn(head: &[u8], length: u64) -> Likeness,
    /// Reads and checks the whole header.
    pub(crate) read: fn(&dyn Source) -> Result<Table, Refusal>,
}

/// How many bytes `Format::recognise` gets to see.
pub const HEAD: u64 = 128;

/// Whether a file is of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It has the marks of the format.
    Certain,
    /// It may be meant as one and be broken; reading it tells what is wrong.
    Possible,
    /// It is something else.
    No,
}

/// What one file holds.
#[derive(Debug)]
pub(crate) struct Table {
    /// In any order; names differ; `file` is still 0.
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The fields of a configuration that the file states itself, under the names of `config.json`.
    pub(crate) config: Option<serde_json::Value>,
    /// Which part of a model it is, where it says so.
    pub(crate) split: Option<Split>,
    /// Tensors whose data is in another file, with its name: a plain path inside the folder.
    pub(crate) outside: BTreeMap<String, String>,
    /// Without the file's name.
    pub(crate) findings: Vec<Finding>,
    /// How many bytes from the start were read.
    pub(crate) read_bytes: u64,
    pub(crate) read_sha256: String,
}

/// One of several files that a model was split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// Counted from 0; less than `count`.
    pub(crate) index: u64,
    /// How many parts there are; more than one.
    pub(crate) count: u64,
    /// How many tensors all parts have together, where the file says it.
    pub(crate) tensors: Option<u64>,
}

/// Why a file was not read, still without its name.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It could not be read at all.
    Bytes(bytes::Error),
    /// It breaks a rule of its format.
    Broken {
        /// One sentence that goes on from the file's name.
        message: String,
        hint: Option<String>,
    },
}

impl Checkpoint {
    /// Opens a folder in Hugging Face layout, or a single file. Reads headers only.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use unshell::checkpoint::Checkpoint;
    ///
    /// let sharded = Checkpoint::open(Path::new("tests/families/small/sharded"))?;
    /// let whole = Checkpoint::open(Path::new("tests/families/small/base_a"))?;
    /// assert_eq!(sharded.tensors.len(), whole.tensors.len());
    /// # Ok::<(), unshell::checkpoint::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or that breaks a rule of its format; the error names it and says what was expected.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::from_place(&LocalPlace::new(path))
    }

    /// Opens the files of a place, local or remote.
    pub fn from_place(place: &dyn Place) -> Result<Self, Error> {
        match place.single() {
            Some(name) => Self::from_source(place.path(), &*place.open(name)?),
            None => folder::open(place),
        }
    }

    /// Reads a single file from anywhere; `path` is only what it is called in errors and findings.
    pub fn from_source(path: &Path, source: &dyn Source) -> Result<Self, Error> {
        assembly::single_file(path, source)
    }

    /// Number of bytes of all tensors' data; what several tensors share counts once.
    pub fn data_bytes(&self) -> u64 {
        // What tied tensors share is stored once, and counts once.
        let mut places: Vec<_> = self.tensors.iter().map(|it| (it.file, it.data.start, it.data.end)).collect();
        places.sort_unstable();
        places.dedup();
        places.iter().map(|(_, start, end)| end.saturating_sub(*start)).fold(0, u64::saturating_add)
    }
}

impl Tensor {
    /// Number of elements; 1 for a single number, 0 where any size is 0.
    pub fn elements(&self) -> u64 {
        self.shape.iter().copied().fold(1, u64::saturating_mul)
    }

    /// Number of bytes of its data.
    pub fn bytes(&self) -> u64 {
        self.data.end.saturating_sub(self.data.start)
    }

    /// Bits of one element: of its type, or for an unknown type from the length of the data, where that comes out even.
    pub fn bits_per_element(&self) -> Option<u64> {
        self.dtype.bits().or_else(|| {
            let bits = self.bytes().checked_mul(8).filter(|bits| *bits > 0)?;
            let whole = bits.checked_rem(self.elements())? == 0;
            whole.then(|| bits.checked_div(self.elements())).flatten()
        })
    }
}

impl From<bytes::Error> for Refusal {
    fn from(error: bytes::Error) -> Self {
        Self::Bytes(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Memory;

    /// A safetensors file of this header and so many bytes of data.
    fn file_of(header: &str, data: usize) -> Memory {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + data, 0);
        Memory::new(bytes)
    }

    #[test]
    fn a_table_is_sorted_by_name_and_its_offsets_count_from_the_start_of_the_file() {
        let header = concat!(
            r#"{"b":{"dtype":"F4","shape":[2,2],"data_offsets":[0,2]},"#,
            r#""a":{"dtype":"U4","shape":[6],"data_offsets":[2,5]}}"#
        );
        let start = 8 + header.len() as u64;
        let checkpoint = Checkpoint::from_source(Path::new("x/m.safetensors"), &file_of(header, 5)).unwrap();
        let seen: Vec<_> = checkpoint
            .tensors
            .iter()
            .map(|it| (it.name.as_str(), it.dtype.to_string(), it.elements(), it.bits_per_element(), it.data.clone()))
            .collect();
        let expected =
            [("a", "U4".into(), 6, Some(4), start + 2..start + 5), ("b", "F4".into(), 4, Some(4), start..start + 2)];
        assert_eq!(seen, expected);
        assert_eq!((checkpoint.name.as_str(), checkpoint.data_bytes()), ("m.safetensors", 5));
        assert_eq!(checkpoint.files[0].read_bytes, start);
    }

    #[test]
    fn every_file_that_defines_a_format_is_in_the_list() {
        let mut defined = 0;
        for entry in std::fs::read_dir("src/checkpoint").unwrap() {
            let path = entry.unwrap().path();
            let path = if path.is_dir() { path.join("mod.rs") } else { path };
            // A folder without it belongs to the module of its name.
            let text = std::fs::read_to_string(path).unwrap_or_default();
            defined += usize::from(text.contains(concat!("const FORMAT", ": Format")));
        }
        assert_eq!(defined, FORMATS.len());
    }
}
