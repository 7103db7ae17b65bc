//! Whose weights are they: identical, derived, component-derived, shared start, independent, or undetermined.
//!
//! [`relate`] aligns two models, tests what the alignment could not see, and decides by named rules. One statistic is one
//! file, with its null, its references and what it cannot tell on top. Names and shapes only say what to hold against what.

mod assignment;
mod attention;
mod delta;
mod equality;
mod gains;
mod layer_map;
mod matrix;
mod measure;
mod net;
mod random;
mod random_sign;
mod recipe;
mod relation;
mod stream;
mod units;

use crate::checkpoint::Error;
use crate::fact::Weights;

pub use net::{Finite, Net, Numbers};

/// Says how a subject's weights relate to a reference's. `tokens` are the ids of tokens that both vocabularies have,
/// subject first, or none where vocabularies could not be compared.
pub fn relate(subject: &Net<'_>, reference: &Net<'_>, tokens: Option<&[(u32, u32)]>) -> Result<Weights, Error> {
    let measured = measure::measure(subject, reference, tokens)?;
    let mut weights = relation::decide(&measured);
    recipe::describe(subject, reference, &measured, &mut weights)?;
    Ok(weights)
}
