//! Takes the shell (套壳) off a company's "own" language model.
//!
//! (The map of the house is in `ARCHITECTURE.md`.)

pub mod fact;
pub mod shelf;

pub mod bytes;
pub mod yaml;

pub mod checkpoint;

pub mod blueprint;

pub mod catalog;

pub mod lineage;

pub mod rubric;

pub mod claims;

pub mod case;

pub mod evidence;

pub mod scoring;

pub mod report;

pub mod cli;
