//! How programs pack weights: what stands for a matrix, what stands beside it, and the name and shape that it has
//! without packing.
//!
//! One record a layout, in [`PACKINGS`]. Names, element types, shapes and the settings of the configuration tell a
//! layout; where they do not tell the shape of the plain weight, that is said ([`Treatment::Opaque`]) and nothing is
//! made up.

use std::borrow::Cow;

mod companions;
mod settings;
mod shapes;
mod table;

pub(crate) use settings::Settings;
pub(crate) use table::{Decode, PACKINGS, Packing, reads_numbers};

/// What a tensor is to the model.
#[derive(Clone, Debug)]
pub(crate) enum Treatment {
    /// Itself.
    Keep,
    /// Scales, zero points and the like, which stand beside a weight.
    Companion,
    /// A packed weight, with the name and the shape that it has without packing.
    Packed {
        /// Name of the plain weight.
        name: String,
        /// Shape of the plain weight; empty where only names are known.
        shape: Vec<u64>,
        /// How it is packed.
        packing: &'static Packing,
    },
    /// A packed weight of which nothing tells the shape that it has without packing.
    Opaque {
        /// Name of the plain weight.
        name: String,
        /// How it is packed.
        packing: &'static Packing,
    },
}

/// A tensor as far as it is known; of some only the name is.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) shape: &'a [u64],
    /// Element type; empty where it is not known.
    pub(crate) dtype: Cow<'a, str>,
}

impl Seen<'_> {
    /// Whether it is of this element type, or of none that is known.
    pub(crate) fn may_be(&self, dtype: &str) -> bool {
        self.dtype.is_empty() || self.dtype == dtype
    }

    /// Whether it is a single number.
    pub(crate) fn is_single(&self) -> bool {
        self.shape.iter().all(|it| *it == 1)
    }
}

/// The other tensors of a model, and what is said about packing.
pub(crate) trait Around {
    /// The tensor of a name.
    fn seen(&self, name: &str) -> Option<Seen<'_>>;
    /// The shape of a plain weight, by its name, where the data beside the packed one states it.
    fn stated_shape(&self, name: &str) -> Option<&[u64]>;
    /// What the configuration says about packing.
    fn settings(&self) -> &Settings;
    /// The name under which a configuration may speak of a module.
    fn as_configured(&self, module: &str) -> String {
        module.to_owned()
    }
}

/// A tensor that may be a packed weight: the module that it stands in, and what stands around it.
pub(crate) struct Site<'a> {
    pub(crate) module: &'a str,
    /// Name of the plain weight.
    pub(crate) plain: String,
    pub(crate) words: &'a Seen<'a>,
    pub(crate) around: &'a dyn Around,
}

impl Site<'_> {
    /// What stands beside it under this end of a name.
    pub(crate) fn beside(&self, end: &str) -> Option<Seen<'_>> {
        self.around.seen(&format!("{}{end}", self.module))
    }

    /// A number that the configuration says of this module, or of all.
    pub(crate) fn setting(&self, key: &str) -> Option<u64> {
        self.around.settings().number(&self.around.as_configured(self.module), key)
    }
}

/// What a tensor is, from its name, shape and element type and those of the others.
pub(crate) fn treated(name: &str, seen: &Seen<'_>, around: &dyn Around) -> Treatment {
    if companions::is_companion(name, seen, around) {
        return Treatment::Companion;
    }
    PACKINGS.iter().find_map(|it| it.treat(name, seen, around)).unwrap_or(Treatment::Keep)
}

#[cfg(test)]
mod tests;
