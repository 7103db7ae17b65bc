//! Scoring on a small rubric, rule by rule.

mod draft;
mod properties;
mod rules;
