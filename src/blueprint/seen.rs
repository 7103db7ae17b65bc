//! The parts of a blueprint as others see them: roles, names, shapes and how many tensors there are.

use crate::blueprint::Blueprint;
use crate::blueprint::part::{Component, Part};

/// Where in a model a part stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// In the language model itself.
    Language,
    /// In layers that predict further tokens.
    Prediction,
    /// In another tower, by its word.
    Tower(String),
}

/// All tensors of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenPart {
    /// Where it stands.
    pub region: Region,
    /// Roles it may have; `None` if neither name nor shape says.
    pub roles: Vec<String>,
    /// Its name in the file, with `{i}` and `{j}`.
    pub name: String,
    /// The name without its prefix.
    pub plain: String,
    /// The shape that most of its tensors have; of one expert where experts are stacked. Empty where only names are
    /// known.
    pub shape: Vec<u64>,
    /// How many tensors there are, each expert counted.
    pub count: u64,
    /// In how many layers.
    pub layers: u64,
    /// Elements of all of them; 0 where only names are known.
    pub elements: u64,
}

impl SeenPart {
    /// Whether each tensor is a matrix or more, as far as shapes are known.
    pub fn is_matrix(&self) -> bool {
        self.shape.iter().filter(|it| **it > 1).count() > 1
    }

    /// How many experts of each layer have it; one where there are none.
    pub fn experts(&self) -> u64 {
        self.count.checked_div(self.layers).unwrap_or(1).max(1)
    }
}

impl Blueprint {
    /// Its parts, in the order of the file; buffers and the scales of quantisation are none.
    pub fn seen_parts(&self) -> Vec<SeenPart> {
        self.parts.iter().map(|it| self.seen(it)).collect()
    }

    fn seen(&self, part: &Part) -> SeenPart {
        SeenPart {
            region: match &part.component {
                Component::Language => Region::Language,
                Component::Prediction => Region::Prediction,
                Component::Tower(word) => Region::Tower(word.clone()),
            },
            roles: part.role.names().to_vec(),
            name: part.name.clone(),
            plain: part.plain.clone(),
            shape: if self.is_by_names { Vec::new() } else { part.shape().to_vec() },
            count: part.count(),
            layers: part.layer_count(),
            elements: if self.is_by_names { 0 } else { part.elements() },
        }
    }
}
