//! Where each tensor of a model stands: its role, its layer, its expert.

use crate::blueprint::Blueprint;
use crate::blueprint::part::{Component, Part, Variant};

/// One tensor of the unquantised model, or one expert of a tensor that stacks experts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Name of the tensor, without the marks of quantisation.
    pub name: String,
    /// What it does; several where nothing tells them apart, none where nothing is known.
    pub roles: Vec<String>,
    /// Whether a known name gives its role, and not its shape alone.
    pub is_named: bool,
    /// Which tower it belongs to, e.g. `vision_tower`; none for the language model itself.
    pub tower: Option<String>,
    /// Its layer, if it stands in one.
    pub layer: Option<u32>,
    /// Its expert, if it stands in one.
    pub expert: Option<u32>,
    /// Number of experts that are stacked in the tensor, of which this is one.
    pub stacked: Option<u32>,
    /// Shape of the tensor, or of one expert of it.
    pub shape: Vec<u64>,
}

impl Blueprint {
    /// Every tensor with its place, in the order of the templates, then by layer and expert. Buffers and the scales of
    /// quantisation are left out.
    pub fn placed(&self) -> Vec<Placed> {
        self.parts.iter().flat_map(|part| part.variants.iter().flat_map(move |it| placed(part, it))).collect()
    }
}

fn placed<'a>(part: &'a Part, variant: &'a Variant) -> impl Iterator<Item = Placed> + 'a {
    let is_stacked = !variant.experts.is_empty() && !part.name.contains("{j}");
    let layers = indices(&variant.layers);
    let experts = indices(&variant.experts);
    let count = u32::try_from(experts.len()).unwrap_or(u32::MAX);
    layers.into_iter().flat_map(move |layer| {
        experts.clone().into_iter().map(move |expert| Placed {
            name: placed_name(&part.name, layer, expert),
            roles: part.role.names().to_vec(),
            is_named: part.role.is_named(),
            tower: tower(&part.component),
            layer,
            expert,
            stacked: is_stacked.then_some(count),
            shape: variant.shape.clone(),
        })
    })
}

/// Every index of some ranges; a single none where there are no ranges.
pub(crate) fn indices(ranges: &[std::ops::RangeInclusive<u32>]) -> Vec<Option<u32>> {
    if ranges.is_empty() { vec![None] } else { ranges.iter().cloned().flatten().map(Some).collect() }
}

/// The name that a template stands for.
pub(crate) fn placed_name(template: &str, layer: Option<u32>, expert: Option<u32>) -> String {
    let mut name = template.to_owned();
    for (mark, index) in [("{i}", layer), ("{j}", expert)] {
        if let Some(index) = index {
            name = name.replace(mark, &index.to_string());
        }
    }
    name
}

fn tower(component: &Component) -> Option<String> {
    match component {
        Component::Language => None,
        Component::Prediction => Some("prediction".to_owned()),
        Component::Tower(name) => Some(name.clone()),
    }
}
