//! What several references together say of a subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Comparison, ModelName};

/// The answer of `compare` with several references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Comparisons {
    /// `unshell/comparisons/1`.
    pub schema: String,
    /// The model under examination.
    pub subject: ModelName,
    /// One comparison a reference, in the order given; every p-value pays for the number of references.
    pub comparisons: Vec<Comparison>,
    /// How the subject is made of several of them; none where that was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Why no merge was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_merge: Option<String>,
}

/// How a subject is made of several references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Merge {
    /// `linear`, `slerp`, `linear-or-slerp`, `ties`, `dare`, `interleaved`, `same` (one of them as it is), or
    /// `unknown`.
    pub kind: String,
    /// `measured`, `likely` or `possible`.
    pub certainty: String,
    /// One for each reference, in the order given.
    pub coefficients: Vec<Coefficient>,
    /// Share of the squared distance to the nearest reference that the fit explains.
    pub explained: f64,
    /// Share of the numbers that the recipe gives to within rounding.
    pub exact: f64,
    /// The reference that differences are taken from, for `ties` and `dare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What each other reference's difference from the base was multiplied by where it was kept, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scales: Vec<f64>,
    /// Share of the numbers of each difference that were dropped, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<f64>,
    /// The nearest reference of every layer.
    pub layers: Vec<LayerParent>,
    /// Matrices behind the fit.
    pub matrices: u64,
    /// One English sentence.
    pub detail: String,
}

/// How much of one reference is in the subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Coefficient {
    /// The reference, by its location.
    pub reference: String,
    /// Its coefficient.
    pub value: f64,
    /// Lower end of the 95 % interval, by leaving out one matrix at a time.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Which reference one layer is nearest to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LayerParent {
    /// The subject's layer.
    pub subject: u32,
    /// The nearest reference, by its location.
    pub reference: String,
    /// Whether every number that was looked at is the same there.
    pub is_same: bool,
}

/// Below this a reference has no part in a mixture: rounding alone moves coefficients by as much.
const NO_PART: f64 = 0.01;

impl Merge {
    /// Whether it was found that the subject is made of several, and how.
    pub fn is_found(&self) -> bool {
        !matches!(self.kind.as_str(), "same" | "unknown")
    }

    /// The references that have a part in it, in the order given.
    pub fn parents(&self) -> Vec<&str> {
        let has_part = |it: &&Coefficient| match self.kind.as_str() {
            "interleaved" | "same" => self.layers.iter().any(|layer| layer.reference == it.reference),
            // The base carries what is left, whatever its coefficient.
            "ties" | "dare" => true,
            _ => it.value.abs() >= NO_PART,
        };
        self.coefficients.iter().filter(has_part).map(|it| it.reference.as_str()).collect()
    }

    /// The layers that come from one reference, first and last of each row of them.
    pub fn layers_of(&self, reference: &str) -> Vec<(u32, u32)> {
        let mut rows: Vec<(u32, u32)> = Vec::new();
        for layer in self.layers.iter().filter(|it| it.reference == reference) {
            match rows.last_mut() {
                Some(last) if last.1.checked_add(1) == Some(layer.subject) => last.1 = layer.subject,
                _ => rows.push((layer.subject, layer.subject)),
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(kind: &str, coefficients: &[(&str, f64)], layers: &[&str]) -> Merge {
        let coefficient =
            |it: &(&str, f64)| Coefficient { reference: it.0.to_owned(), value: it.1, low: it.1, high: it.1 };
        let layer = |(at, it): (usize, &&str)| LayerParent {
            subject: u32::try_from(at).unwrap(),
            reference: (*it).to_owned(),
            is_same: true,
        };
        Merge {
            kind: kind.to_owned(),
            certainty: "measured".to_owned(),
            coefficients: coefficients.iter().map(coefficient).collect(),
            explained: 1.0,
            exact: 1.0,
            base: None,
            scales: Vec::new(),
            dropped: Vec::new(),
            layers: layers.iter().enumerate().map(layer).collect(),
            matrices: 2,
            detail: String::new(),
        }
    }

    #[test]
    fn a_reference_that_merely_stood_beside_is_no_parent() {
        let parts = [("base", 0.001), ("one", 0.6), ("other", 0.4)];
        assert_eq!(merge("linear", &parts, &["one", "one"]).parents(), ["one", "other"]);
        assert_eq!(merge("dare", &parts, &["one", "one"]).parents(), ["base", "one", "other"]);
        assert_eq!(merge("interleaved", &parts, &["one", "base"]).parents(), ["base", "one"]);
        assert!(merge("dare", &parts, &[]).is_found() && !merge("unknown", &parts, &[]).is_found());
    }

    #[test]
    fn layers_that_follow_each_other_are_one_row() {
        let it = merge("interleaved", &[], &["a", "a", "b", "a", "a", "a", "b"]);
        assert_eq!(it.layers_of("a"), [(0, 1), (3, 5)]);
        assert_eq!(it.layers_of("b"), [(2, 2), (6, 6)]);
        assert_eq!(it.layers_of("c"), []);
    }
}
