//! Tests of scoring, on the rubric that ships.

mod draft;
mod properties;
mod rules;
