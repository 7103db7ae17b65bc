//! How a subject was made from its reference.

pub(crate) mod delta;
pub(crate) mod maps;
pub(crate) mod merge;
pub(crate) mod new_rows;
pub(crate) mod novelty;
pub(crate) mod recipe;
pub(crate) mod rounding;
