//! Takes the shell (套壳) off a company's "own" language model.
//!
//! The library behind the `unshell` command. Read the rooms in this order; each imports only rooms above it, and
//! `ARCHITECTURE.md` holds the table that a test enforces.
//!
//! ```text
//! case folder -> case::Case -> evidence::collect -> evidence.json
//!                                                       |
//! rubric::Rubric + answers ---------------> scoring::score -> scorecard.json
//!                                                                  |
//! templates + languages ----------------------------> report::memos -> memo.<language>.html, memo.<language>.pdf
//! ```
//!
//! What always holds:
//!
//! * below [`cli`] nothing prints, nothing reads the clock, nothing exits;
//! * a number from a file is never an index, a size or a capacity before it has met a limit in [`bytes`];
//! * what cannot be known is a value with a reason; [`scoring`] carries it as an interval;
//! * names and shapes say "borrowed" at most; only weights can say "derived";
//! * the same case folder gives the same bytes in every output file;
//! * a memo states nothing that is not in the scorecard;
//! * no code of an inspected model is ever run.

// The words, and what ships inside the program.
pub mod fact;
pub mod shelf;

// Bytes and text from outside.
pub mod bytes;
pub mod yaml;

pub mod remote;

// Numbers without models.
mod linalg;
pub mod stats;

// What is measured on models.
pub mod checkpoint;

pub mod tokenizer;

pub mod blueprint;

pub mod weights;

pub mod catalog;

pub mod lineage;

// What people write.
pub mod rubric;

pub mod claims;

pub mod case;

// The three steps.
pub mod evidence;

pub mod scoring;

pub mod report;

// The only room that prints.
pub mod cli;
