//! Dense linear algebra in `f32`, one algorithm a file. It knows no model.

pub(crate) mod assignment;
pub(crate) mod cholesky;
pub(crate) mod duplicates;
pub(crate) mod low_rank;
pub(crate) mod matmul;
pub(crate) mod matrix;
pub(crate) mod orthogonal;
pub(crate) mod random;
pub(crate) mod regression;
