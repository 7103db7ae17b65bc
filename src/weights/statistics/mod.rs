//! Statistics on a pair of models, one a file.

pub(crate) mod biases;
pub(crate) mod fixed_points;
pub(crate) mod near_values;
pub(crate) mod query_key_cka;
pub(crate) mod random_sign;
pub(crate) mod row_cosines;
pub(crate) mod sampled_rows;
pub(crate) mod whole_matrices;

/// What is looked at, in words.
pub(crate) const PLACE: &str = "all matrices, in place";
