//! One catalogue entry, checked: every fact with its source.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::blueprint::{self, Blueprint, Config};
use crate::catalog::document::{
    Access, Basis, ConfigAsWritten, CountCheck, Date, FileList, Licence, Maker, Parentage, PublishedCount, Tokenizer,
    TrainingTokens, Trap,
};
use crate::catalog::indices::Indices;
use crate::catalog::published::{self, Published};

/// A released model.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub(crate) id: String,
    pub(crate) family: String,
    pub(crate) lineage: String,
    pub(crate) organisation: String,
    pub(crate) variant: Option<String>,
    pub(crate) released: Option<Date>,
    pub(crate) licence: Option<Licence>,
    pub(crate) training_tokens: Option<TrainingTokens>,
    pub(crate) parentage: Option<Parentage>,
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) published_parameters: Option<PublishedCount>,
    pub(crate) access: Option<Access>,
    #[serde(rename = "config")]
    pub(crate) written_config: ConfigAsWritten,
    #[serde(skip)]
    pub(crate) config: Config,
    /// Made when first asked for, since telling all roles takes longer than reading all entries.
    #[serde(skip)]
    pub(crate) blueprint: OnceLock<Blueprint>,
    pub(crate) file_list: Option<FileList>,
    pub(crate) traps: Vec<Trap>,
    pub(crate) prefix: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) prediction_layers: Option<PredictionLayers>,
    #[serde(rename = "blueprint")]
    pub(crate) design: Option<Design>,
    pub(crate) no_blueprint: Option<String>,
}

/// What a model is built like, as the catalogue has it.
#[derive(Clone, Debug, Serialize)]
pub struct Design {
    /// Number of parameters, buffers not counted.
    pub parameters: u64,
    /// Number of values in buffers.
    pub buffer_values: u64,
    /// How the count compares with the published one.
    pub check: CountCheck,
    /// Number of tensors.
    pub tensors: u64,
    /// Number of layers.
    pub layers: u64,
    /// What the list of tensors comes from.
    pub made_from: Maker,
    /// The tensors.
    pub templates: Vec<Template>,
}

/// Layers that predict further tokens, which files hold and the blueprint leaves out.
#[derive(Clone, Debug, Serialize)]
pub struct PredictionLayers {
    /// Number of tensors.
    pub tensors: u64,
    /// Number of parameters.
    pub parameters: u64,
    /// Where it says so.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
    /// The tensors.
    pub templates: Vec<Template>,
}

/// Tensors that differ in layer or expert number alone.
#[derive(Clone, Debug)]
pub struct Template {
    /// Name with `{i}` for the layer and `{j}` for the expert.
    pub name: String,
    /// Shape in file order.
    pub shape: Vec<u64>,
    /// The layers that have it; none for a tensor outside the layers.
    pub layers: Option<Indices>,
    /// The experts that have it, in each of those layers.
    pub experts: Option<Indices>,
    /// What it does, as whoever made the catalogue has it; `unknown` where that could not be told.
    pub role: String,
}

impl Design {
    fn blueprint(&self, config: Config) -> Blueprint {
        Blueprint::from_templates(self.templates.iter().map(Template::tensors).collect(), config)
    }
}

impl Template {
    fn tensors(&self) -> blueprint::Template {
        let ranges = |indices: &Option<Indices>| indices.as_ref().map(|it| it.ranges().to_vec()).unwrap_or_default();
        blueprint::Template {
            name: self.name.clone(),
            shape: self.shape.clone(),
            layers: ranges(&self.layers),
            experts: ranges(&self.experts),
            dtype: None,
        }
    }

    /// How many tensors it stands for.
    pub fn count(&self) -> u64 {
        let count = |indices: &Option<Indices>| indices.as_ref().map_or(1, Indices::count);
        count(&self.layers) * count(&self.experts)
    }

    /// How many values all of them hold; none if that is more than a `u64` counts.
    pub fn values(&self) -> Option<u64> {
        self.shape.iter().try_fold(self.count(), |product, size| product.checked_mul(*size))
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Template", 6)?;
        fields.serialize_field("template", &self.name)?;
        fields.serialize_field("shape", &self.shape)?;
        fields.serialize_field("layers", &self.layers.as_ref().map(Indices::to_string))?;
        fields.serialize_field("experts", &self.experts.as_ref().map(Indices::to_string))?;
        fields.serialize_field("count", &self.count())?;
        fields.serialize_field("role", &self.role)?;
        fields.end()
    }
}

impl Entry {
    /// `ORG/NAME`, with `@…` where one name had several releases.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The family's id.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Who chose the design. Entries of one lineage do not speak for each other's values.
    pub fn lineage(&self) -> &str {
        &self.lineage
    }

    /// Who released it.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// Which variant this is, where a name has several.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Whose repository it is on the hub: the part of the id before the `/`. Not always who made the model.
    pub fn owner(&self) -> &str {
        self.id.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// On which days it may have been published, if sourced: an interval as wide as the source leaves it.
    pub fn published(&self) -> Option<Published<'_>> {
        let Date { date, source } = self.released.as_ref()?;
        let (first, last, precision) = published::days(date)?;
        Some(Published { first, last, precision, source })
    }

    /// Whether its files can be had, if sourced.
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// When it was released, if sourced.
    pub fn released(&self) -> Option<&Date> {
        self.released.as_ref()
    }

    /// On what terms, if sourced.
    pub fn licence(&self) -> Option<&Licence> {
        self.licence.as_ref()
    }

    /// On how many tokens it was trained, if sourced.
    pub fn training_tokens(&self) -> Option<&TrainingTokens> {
        self.training_tokens.as_ref()
    }

    /// What its makers say of its descent, if sourced.
    pub fn parentage(&self) -> Option<&Parentage> {
        self.parentage.as_ref()
    }

    /// Its tokenizer, if sourced.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_ref()
    }

    /// Its parameter count as published, if sourced.
    pub fn published_parameters(&self) -> Option<&PublishedCount> {
        self.published_parameters.as_ref()
    }

    /// What its configuration was read from.
    pub fn config_basis(&self) -> Basis {
        self.written_config.basis
    }

    /// Where its configuration was read.
    pub fn config_sources(&self) -> &[String] {
        &self.written_config.sources
    }

    /// Configuration fields that could not be sourced.
    pub fn unsourced(&self) -> &[String] {
        &self.written_config.unsourced
    }

    /// Configuration fields as the file has them, nulls included.
    pub fn config_fields(&self) -> &BTreeMap<String, Value> {
        &self.written_config.fields
    }

    /// The list of released files that the blueprint was held against, if there is one.
    pub fn file_list(&self) -> Option<&FileList> {
        self.file_list.as_ref()
    }

    /// Ways in which released files differ from the blueprint.
    pub fn traps(&self) -> &[Trap] {
        &self.traps
    }

    /// What is known of a prefix of the tensor names in released files.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Anything else a reader should know.
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// Its configuration under common field names; a null counts as absent.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it is built like, for comparisons; none for an entry whose tensors could not be sourced.
    pub fn blueprint(&self) -> Option<&Blueprint> {
        let design = self.design.as_ref()?;
        Some(self.blueprint.get_or_init(|| design.blueprint(self.config.clone())))
    }

    /// What it is built like, as the catalogue has it.
    pub fn design(&self) -> Option<&Design> {
        self.design.as_ref()
    }

    /// The layers of released files that predict further tokens, if sourced.
    pub fn prediction_layers(&self) -> Option<&PredictionLayers> {
        self.prediction_layers.as_ref()
    }

    /// Why there is no blueprint.
    pub fn no_blueprint(&self) -> Option<&str> {
        self.no_blueprint.as_deref()
    }
}
