//! From statistics to one relation, with its components, power and reasons.

pub(crate) mod components;
pub(crate) mod correction;
pub(crate) mod evidence;
pub(crate) mod power;
pub(crate) mod reasons;
pub(crate) mod rules;

pub(crate) mod towers;
pub(crate) mod whole_matrices;
