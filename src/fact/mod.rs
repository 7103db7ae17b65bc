//! The words that evidence is stated in: texts in two languages, keyed messages, intervals, values and unknowns.
//!
//! Everything here is plain data. No room below this one exists, so every room may speak these words.

mod disclosure;
mod ids;
mod interval;
mod maps;
mod merge;
mod message;
mod model;
mod name;
mod text;
mod tokenizer;
mod value;
mod weights;

pub use disclosure::*;
pub use ids::*;
pub use interval::{Interval, Truth};
pub use maps::*;
pub use merge::*;
pub use message::{Argument, Message};
pub use model::*;
pub use name::{last_part, letters, stem};
pub use text::Text;
pub use tokenizer::*;
pub use value::{Fact, Facts, Unknown, Value};
pub use weights::*;
