//! Rubric, evidence and answers in, a scorecard out. Pure: no files, no clock, no network, no threads.

mod scorecard;

pub use scorecard::*;
