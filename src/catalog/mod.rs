//! The released models that are known, and how rare each of their values is.
