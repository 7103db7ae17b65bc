//! Which layers, neurons and heads of two models correspond, and what is measured on the pairs.

pub(crate) mod attention;
pub(crate) mod choose_basis;
pub(crate) mod column_norms;
pub(crate) mod common;
pub(crate) mod duplicate_layers;
pub(crate) mod equal_weights;
pub(crate) mod equality;
pub(crate) mod examined;
pub(crate) mod heads;
pub(crate) mod layouts;
pub(crate) mod matched;
pub(crate) mod measure;
pub(crate) mod norm_weights;
pub(crate) mod quick;
pub(crate) mod same_data;
pub(crate) mod symmetry;
pub(crate) mod units;
