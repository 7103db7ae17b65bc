//! Takes the shell (套壳) off a company's "own" language model.
//!
//! The library behind the `unshell` command. Whose weights does a model have?
//!
//! ```
//! use std::path::Path;
//!
//! use unshell::catalog::Catalog;
//! use unshell::fact::WeightsRelation;
//! use unshell::lineage::{Look, Model, compare_with_weights};
//! use unshell::remote::Reach;
//!
//! let (catalog, reach) = (Catalog::builtin(), Reach::local());
//! let open = |name: &str| Model::open(name, Path::new("tests/families/small"), catalog, &reach);
//! let (subject, reference) = (open("renamed")?, open("base_a")?);
//! let weights = compare_with_weights(&subject, &reference, catalog, &Look::default())?.weights;
//! // Every tensor has another name; that changes nothing.
//! assert_eq!(weights.relation, WeightsRelation::Derived);
//! println!("log10 p = {:?}, {:?}", weights.log10_p, weights.reasons);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! And what does that make of a company? A case folder becomes evidence, a scorecard, and memos:
//!
//! ```
//! use std::path::Path;
//!
//! use unshell::case::Case;
//! use unshell::catalog::Catalog;
//! use unshell::remote::Reach;
//! use unshell::report::{FontSources, Format, memos};
//! use unshell::{evidence, rubric, scoring};
//!
//! let folder = Path::new("examples/yi-34b");
//! let case = Case::read(folder).map_err(|problems| problems.to_string())?;
//! let rubric = rubric::find(&case.rubric, folder).map_err(|problems| problems.to_string())?;
//! let evidence = evidence::collect(&case, Catalog::builtin(), &Reach::local(), &[])?;
//! let card = scoring::score(&rubric, &case, &evidence);
//! let written = memos(&card, &case.languages, &[Format::Html], &FontSources::default())?;
//! assert_eq!(written[0].file_name, "memo.en.html");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the command prints and writes is the contract (`schemas/`); this library is what it is made of and changes with
//! any minor version. Types of JSON may get fields, so they are `#[non_exhaustive]`.
//!
//! Read the rooms in this order; each imports only rooms above it, and `ARCHITECTURE.md` holds the table that a test
//! enforces.
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

pub mod disclosure;

pub mod lineage;

pub mod library;

// What people write.
pub mod rubric;

pub mod claims;

pub mod case;

// The three steps.
pub mod evidence;

pub mod scoring;

pub mod report;

// The only room that prints. The command is its only user.
#[doc(hidden)]
pub mod cli;
