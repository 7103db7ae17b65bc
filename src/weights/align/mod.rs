//! Finding the change of basis between two models, and which layers may correspond.

pub(crate) mod layers;
pub(crate) mod search;
pub(crate) mod token_rows;
pub(crate) mod unit_graph;
