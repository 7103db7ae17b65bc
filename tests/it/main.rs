//! The integration tests: one crate, so that it links once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// The house: who may import whom.
mod floors;
