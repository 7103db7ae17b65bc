//! Probability: tails, sign tests, permutation statistics, and the levels of decisions. It knows no model.

pub(crate) mod levels;
pub(crate) mod permutation;
pub(crate) mod sign_pairs;
pub(crate) mod sign_test;
pub mod tail;
