//! Scoring on small rubrics.
