//! YAML as people write it: read with limits, every mistake of every file in one run, each with its place.
//!
//! One parser reads the text once into a tree that knows where everything stands. The tree is held against the JSON
//! Schema of the type that is wanted, the same schema that editors use, and only what passed is handed to serde. So
//! what was checked is what is read, and a wrong type in one field hides nothing in the next.
//!
//! ```text
//! bytes -> text (size, encoding) -> tree (depth, nodes, aliases, duplicates, tags) -> schema -> typed value
//! ```
//!
//! A file with one type is read by [`read`]. Where the parts of a file name each other, a room opens a [`Document`] and
//! walks it with [`Cursor`]s, which find the good parts of a file that has mistakes elsewhere.

mod check;
mod cursor;
mod date;
mod document;
mod encoding;
mod expected;
mod problem;
mod suggest;
mod syntax;
mod tree;
mod width;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use cursor::Cursor;
pub use document::Document;
pub use problem::{Place, Problem, Problems};
pub use suggest::{did_you_mean, list_of_names};
pub use width::to_half_width;

/// Largest file that is read, in bytes. What a person types is a few dozen KiB; a megabyte already is a mistake.
pub const LARGEST_FILE: usize = 1 << 20;

/// Reads one file as one type, or gives every mistake in it.
///
/// `file` is the name to show in problems.
pub fn read<T: DeserializeOwned + JsonSchema>(file: &str, bytes: &[u8]) -> Result<T, Problems> {
    let mut problems = Problems::new();
    let value = Document::parse(file, bytes, &mut problems).and_then(|document| document.read(&mut problems));
    problems.result_or(value)
}

#[cfg(test)]
mod tests;
