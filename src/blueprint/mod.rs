//! What a model is built like: templates, roles, dimensions, and whether two blueprints answer each other.

mod algebra;
mod buffer;
mod by_names;
mod config;
mod contradiction;
mod convention;
mod describe;
mod dimensions;
mod form;
mod infer;
mod lift;
mod matching;
mod naming;
mod normalise;
mod part;
mod placed;
mod projection;
mod quantisation;
mod role;
mod roles;
mod seen;
mod stacks;
mod template;
mod tower;

use crate::blueprint::dimensions::Dimensions;
use crate::blueprint::normalise::Note;
use crate::blueprint::part::Part;
use crate::blueprint::quantisation::{Known, Stored};
use crate::blueprint::stacks::Stacks;
use crate::checkpoint::{Checkpoint, Tensor};

pub use config::Config;
pub use contradiction::FINDINGS;
pub use convention::{CONVENTIONS, Candidate, Convention, Conversion, Heads};
pub use form::compare_blueprints;
pub use placed::Placed;
pub use seen::{Region, SeenPart};
pub use template::Template;
pub use tower::{Kind, Tower};

/// What a model is built like, from the names and shapes of its tensors and from its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Blueprint {
    templates: Vec<Template>,
    /// What each template stands for.
    stored: Vec<Stored>,
    config: Config,
    parts: Vec<Part>,
    notes: Vec<Note>,
    dimensions: Dimensions,
    stacks: Stacks,
    /// Whether only names are known, and no shapes: every shape in it is empty then and means nothing.
    is_by_names: bool,
}

impl Blueprint {
    /// A blueprint whose layer and expert indices are lifted out already, as the catalogue has it.
    pub fn from_templates(templates: Vec<Template>, config: Config) -> Self {
        Self::from_known(templates, config, &Known::default())
    }

    fn from_known(templates: Vec<Template>, config: Config, known: &Known) -> Self {
        let stored = quantisation::stored(&templates, &config, known);
        let (mut parts, mut notes, stacks) = normalise::parts(&templates, &stored, &config);
        roles::assign(&mut parts, &config, &mut notes);
        let dimensions = Dimensions::of(&parts, &config);
        Self { templates, stored, config, parts, notes, dimensions, stacks, is_by_names: false }
    }

    /// The blueprint of files, tensors in the order in which they are stored: where nothing else tells two tensors
    /// apart, that order does. Of an index without weights only names are known.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Self {
        let config = checkpoint.config.as_ref().map(Config::new).unwrap_or_default();
        if let Some(outline) = &checkpoint.outline {
            return Self::from_names(outline.names.iter().map(String::as_str), config);
        }
        let mut stored: Vec<&Tensor> = checkpoint.tensors.iter().collect();
        stored.sort_by_key(|it| (it.file, it.data.start));
        let dtypes: Vec<String> = stored.iter().map(|it| it.dtype.to_string()).collect();
        let tensors =
            stored.iter().zip(&dtypes).map(|(it, dtype)| (it.name.as_str(), dtype.as_str(), it.shape.as_slice()));
        let is_graph = checkpoint.format == "onnx";
        let known = Known { stated_shapes: checkpoint.stated_shapes.clone(), is_graph };
        Self::from_known(lift::lift(tensors), config, &known)
    }

    /// A blueprint from names alone, as an index has them; its dimensions are those that the configuration states.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>, config: Config) -> Self {
        const NO_SHAPE: &[u64] = &[];
        let templates = lift::lift(names.into_iter().map(|it| (it, "", NO_SHAPE)));
        let blueprint = Self::from_templates(templates, config);
        let dimensions = Dimensions::stated(&blueprint.parts, &blueprint.config);
        Self { dimensions, is_by_names: true, ..blueprint }
    }

    /// The same model as its index would show it: names alone, with the sizes that the configuration states.
    #[must_use]
    pub fn without_shapes(&self) -> Self {
        let shapeless = |it: &Template| Template { shape: Vec::new(), dtype: None, ..it.clone() };
        let blueprint = Self::from_templates(self.templates.iter().map(shapeless).collect(), self.config.clone());
        let dimensions = Dimensions::stated(&blueprint.parts, &blueprint.config);
        Self { dimensions, is_by_names: true, ..blueprint }
    }

    /// Whether only names are known, and no shapes.
    pub fn is_by_names(&self) -> bool {
        self.is_by_names
    }

    /// A blueprint from tensors given as name, element type and shape.
    pub fn from_tensors<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a str, &'a [u64])>, config: Config) -> Self {
        Self::from_templates(lift::lift(tensors), config)
    }

    /// Its templates, in the order of the file.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// What stands outside the layers and in each of them, with the shapes that they have in a small Llama: for tests.
#[cfg(test)]
pub(crate) const SMALL_LLAMA: &[(&str, &[u64])] = &[
    ("model.embed_tokens.weight", &[512, 64]),
    ("model.layers.{i}.self_attn.q_proj.weight", &[64, 64]),
    ("model.layers.{i}.self_attn.k_proj.weight", &[32, 64]),
    ("model.layers.{i}.self_attn.v_proj.weight", &[32, 64]),
    ("model.layers.{i}.self_attn.o_proj.weight", &[64, 64]),
    ("model.layers.{i}.mlp.gate_proj.weight", &[176, 64]),
    ("model.layers.{i}.mlp.up_proj.weight", &[176, 64]),
    ("model.layers.{i}.mlp.down_proj.weight", &[64, 176]),
    ("model.layers.{i}.input_layernorm.weight", &[64]),
    ("model.layers.{i}.post_attention_layernorm.weight", &[64]),
    ("model.norm.weight", &[64]),
    ("lm_head.weight", &[512, 64]),
];
