//! One part of a model: all tensors of one name, evened out so that two models can be held against each other.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::blueprint::role::Role;
use crate::blueprint::template::{Template, length};

/// All templates of one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// Name in the file, with `{i}` and `{j}`; without the marks of quantisation.
    pub(crate) name: String,
    /// The name without its prefix, the lower end of `name`.
    pub(crate) plain: String,
    /// Which part of the model it belongs to.
    pub(crate) component: Component,
    /// Its shapes, each with the layers and experts that have it.
    pub(crate) variants: Vec<Variant>,
    /// The same as the files hold them, experts stacked where they are.
    pub(crate) stored: Vec<Variant>,
    /// Element types, where known.
    pub(crate) dtypes: BTreeSet<String>,
    /// What it does.
    pub(crate) role: Role,
}

/// One shape of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Shape of one tensor; of one expert where experts were stacked.
    pub(crate) shape: Vec<u64>,
    /// Layers that have it.
    pub(crate) layers: Vec<RangeInclusive<u32>>,
    /// Experts that have it.
    pub(crate) experts: Vec<RangeInclusive<u32>>,
}

/// Where in a model a part belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// The language model itself.
    Language,
    /// Layers that predict further tokens, beside the model's own.
    Prediction,
    /// Another tower, by its word in the names: `vision_tower`, `resampler`.
    Tower(String),
}

impl Part {
    /// The first part a template gives.
    pub(crate) fn new(template: &Template) -> Self {
        Self {
            name: template.name.clone(),
            plain: template.name.clone(),
            component: Component::Language,
            variants: vec![Variant::new(template)],
            stored: vec![Variant::new(template)],
            dtypes: template.dtype.iter().cloned().collect(),
            role: Role::default(),
        }
    }

    /// The shape of the most tensors.
    pub(crate) fn shape(&self) -> &[u64] {
        let most = self.variants.iter().rev().max_by_key(|it| it.count());
        most.map_or(&[], |it| it.shape.as_slice())
    }

    /// Whether each tensor is a matrix or more; vectors, gains and scalars are not.
    pub(crate) fn is_matrix(&self) -> bool {
        self.variants.iter().any(|it| it.shape.iter().filter(|size| **size > 1).count() > 1)
    }

    /// Whether it stands in layers.
    pub(crate) fn is_layered(&self) -> bool {
        self.variants.iter().any(|it| !it.layers.is_empty())
    }

    /// Whether it stands in experts.
    pub(crate) fn has_experts(&self) -> bool {
        self.variants.iter().any(|it| !it.experts.is_empty())
    }

    /// Whether every layer of a model with so many has it.
    pub(crate) fn covers(&self, layers: u64) -> bool {
        self.layer_count() == layers
    }

    /// In how many layers it stands.
    pub(crate) fn layer_count(&self) -> u64 {
        self.variants.iter().map(|it| length(&it.layers)).sum()
    }

    /// How many tensors it stands for.
    pub(crate) fn count(&self) -> u64 {
        self.variants.iter().map(Variant::count).sum()
    }

    /// Elements of all of them.
    pub(crate) fn elements(&self) -> u64 {
        self.variants.iter().fold(0_u64, |sum, it| sum.saturating_add(it.elements()))
    }

    /// The prefix that `plain` leaves out.
    pub(crate) fn prefix(&self) -> &str {
        self.name.strip_suffix(self.plain.as_str()).unwrap_or_default()
    }
}

impl Variant {
    pub(crate) fn new(template: &Template) -> Self {
        Self { shape: template.shape.clone(), layers: template.layers.clone(), experts: template.experts.clone() }
    }

    /// How many tensors have it.
    pub(crate) fn count(&self) -> u64 {
        length(&self.layers).max(1).saturating_mul(length(&self.experts).max(1))
    }

    fn elements(&self) -> u64 {
        self.shape.iter().fold(self.count(), |product, size| product.saturating_mul(*size))
    }
}
