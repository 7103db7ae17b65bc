//! What a model is built like: templates, roles, dimensions, and whether two blueprints answer each other.

mod config;
mod lift;
mod template;

pub use config::Config;
pub use template::Template;

/// What a model is built like, from the names and shapes of its tensors and from its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Blueprint {
    templates: Vec<Template>,
    config: Config,
}

impl Blueprint {
    /// A blueprint whose layer and expert indices are lifted out already, as the catalogue has it.
    pub fn from_templates(templates: Vec<Template>, config: Config) -> Self {
        Self { templates, config }
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

    /// Number of tensors, buffers included.
    pub fn tensors(&self) -> u64 {
        self.templates.iter().map(Template::count).sum()
    }
}
