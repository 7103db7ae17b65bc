//! A catalogue file as a person wrote it, before anything was checked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One file of the catalogue: a family of models.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyAsWritten {
    /// The family's id, which is the file's name.
    pub family: String,
    /// Who chose the design; families of one lineage are not independent of each other.
    pub lineage: String,
    /// The models of the family.
    pub entries: Vec<EntryAsWritten>,
}

/// One released model. Every fact is there: with its source, or `null`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryAsWritten {
    /// `ORG/NAME` as on the hub; `@…` tells releases of one name apart.
    pub id: String,
    /// Who released it.
    pub organisation: String,
    /// Which variant this is, where a name has several.
    pub variant: Option<String>,
    /// When it was released.
    #[serde(deserialize_with = "required")]
    pub released: Option<Date>,
    /// On what terms.
    #[serde(deserialize_with = "required")]
    pub licence: Option<Licence>,
    /// On how many tokens it was trained.
    #[serde(deserialize_with = "required")]
    pub training_tokens: Option<TrainingTokens>,
    /// Which model it comes from, by its makers' own words.
    #[serde(deserialize_with = "required")]
    pub parentage: Option<Parentage>,
    /// Its tokenizer.
    #[serde(deserialize_with = "required")]
    pub tokenizer: Option<Tokenizer>,
    /// Its parameter count as published.
    #[serde(deserialize_with = "required")]
    pub published_parameters: Option<PublishedCount>,
    /// Whether its files can be had.
    #[serde(deserialize_with = "required")]
    pub access: Option<Access>,
    /// Its configuration.
    pub config: ConfigAsWritten,
    /// A list of the released files that the blueprint was held against.
    pub file_list: Option<FileList>,
    /// Ways in which released files differ from the blueprint.
    #[serde(default)]
    pub traps: Vec<Trap>,
    /// What is known of a prefix of the tensor names in released files.
    pub prefix: Option<String>,
    /// Anything else a reader should know.
    pub notes: Option<String>,
    /// The layers of released files that predict further tokens, which the blueprint leaves out.
    pub prediction_layers: Option<PredictionAsWritten>,
    /// What the model is built like.
    #[serde(deserialize_with = "required")]
    pub blueprint: Option<BlueprintAsWritten>,
    /// Why there is no blueprint.
    pub no_blueprint: Option<String>,
}

/// Makes a `null` something one has to write down: serde would let an `Option` be left out.
fn required<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A release date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Date {
    /// ISO 8601, as precise as the source: year, month or day.
    pub date: String,
    /// Where it says so.
    pub source: String,
}

/// Licence terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// The licence's name, with what matters of it.
    pub terms: String,
    /// Where it says so.
    pub source: String,
}

/// Whether the files of a model can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// How.
    pub state: AccessState,
    /// Where it says so.
    pub source: String,
}

/// How the files of a model can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessState {
    /// By anybody.
    Open,
    /// By anybody who agrees to terms or asks for it.
    Gated,
    /// No longer: they were published and taken back.
    Withdrawn,
    /// Not at all: they were never published.
    None,
}

/// A stated amount of training data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingTokens {
    /// As the makers put it, e.g. `15T+`.
    pub amount: String,
    /// Where it says so.
    pub source: String,
}

/// What the makers say of a model's descent. A statement, never a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parentage {
    /// E.g. `trained from scratch`, `continued from`.
    pub kind: String,
    /// The parent, if there is one.
    #[serde(deserialize_with = "required")]
    pub of: Option<String>,
    /// The words.
    pub statement: String,
    /// Where it says so.
    pub source: String,
}

/// A tokenizer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    /// E.g. `sentencepiece-bpe`.
    #[serde(deserialize_with = "required")]
    pub kind: Option<String>,
    /// Number of pieces.
    pub vocabulary: u64,
    /// Own, or whose.
    #[serde(deserialize_with = "required")]
    pub origin: Option<String>,
    /// Where it says so.
    pub source: String,
}

/// A parameter count that somebody else published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedCount {
    /// The count.
    pub value: u64,
    /// How far it can be trusted.
    pub precision: Precision,
    /// Where it says so.
    pub source: String,
    /// How many of them are in towers and prediction layers, which the blueprint leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<u64>,
}

/// How far a published count can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Precision {
    /// A count of this checkpoint to the last parameter.
    #[serde(rename = "exact")]
    Exact,
    /// A count to the last parameter of a model that has the same shapes.
    #[serde(rename = "exact for a sibling")]
    Sibling,
    /// A rounded figure or a name.
    #[serde(rename = "rounded")]
    Rounded,
    /// A figure that whoever wrote the entry remembered.
    #[serde(rename = "recalled")]
    Recalled,
}

/// The configuration of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigAsWritten {
    /// What it was read from.
    pub basis: Basis,
    /// Where it says so.
    pub sources: Vec<String>,
    /// Fields that would belong here and could not be sourced.
    pub unsourced: Vec<String>,
    /// Fields by the names of `config.json`, aliases evened out; `null` is a null in the file.
    pub fields: BTreeMap<String, Value>,
}

/// What a configuration was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Basis {
    /// A copy of the model's `config.json`.
    #[serde(rename = "copy of config.json")]
    Copy,
    /// A stored page of the hub that shows `config.json`.
    #[serde(rename = "stored page of config.json")]
    Page,
    /// The makers' own account of it, such as a README.
    #[serde(rename = "maker's account")]
    Maker,
    /// Somebody's account of it.
    #[serde(rename = "secondary source")]
    Secondary,
    /// Nobody states all of it: what is given is what an exact count of tensors and bytes leaves over.
    #[serde(rename = "solved from an exact count")]
    Solved,
    /// Nothing is known of it, and nothing is given.
    #[serde(rename = "not sourced")]
    NotSourced,
}

/// A list of released files that the blueprint was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileList {
    /// Where the list is.
    pub source: String,
    /// Which model's files they are, if not simply this one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Number of tensors in the list.
    pub tensors: u64,
    /// How many of them are buffers.
    pub buffers: u64,
    /// The size it states.
    #[serde(deserialize_with = "required")]
    pub total_bytes: Option<u64>,
    /// Size of one value.
    #[serde(deserialize_with = "required")]
    pub bytes_per_value: Option<u64>,
    /// How the names compare.
    pub names: NameCheck,
    /// How many names only the list has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_in_files: Option<u64>,
    /// How many names only the blueprint has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_in_blueprint: Option<u64>,
    /// Some of the former.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples_in_files: Vec<String>,
    /// Some of the latter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples_in_blueprint: Vec<String>,
    /// Stated size less the size of the blueprint's tensors.
    #[serde(deserialize_with = "required")]
    pub residual_bytes: Option<i64>,
    /// What that difference is.
    #[serde(deserialize_with = "required")]
    pub residue: Option<String>,
}

/// How the names of a file list and of a blueprint compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NameCheck {
    /// The same set.
    #[serde(rename = "equal")]
    Equal,
    /// The same set once a prefix is taken off.
    #[serde(rename = "equal but for a prefix")]
    Prefix,
    /// Different sets; the notes say why.
    #[serde(rename = "different")]
    Different,
}

/// A way in which released files differ from the blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trap {
    /// Files hold buffers (masks, rotary frequencies) beside the weights.
    Buffers,
    /// Files hold layers that the blueprint does not model, such as those for multi-token prediction.
    ExtraLayers,
    /// The blueprint is the language model alone; files hold towers for other senses too.
    OtherTowers,
    /// Names in files carry a prefix, or lack one.
    Prefix,
    /// Files hold quantised weights with their scales.
    Quantised,
    /// Files have more or fewer vocabulary rows.
    VocabularyRows,
}

/// What a model is built like, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlueprintAsWritten {
    /// Number of parameters, buffers not counted.
    pub parameters: u64,
    /// Number of values in buffers.
    #[serde(default)]
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
    pub templates: Vec<TemplateAsWritten>,
}

/// Layers that predict further tokens, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionAsWritten {
    /// Where it says so.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
    /// Number of tensors.
    pub tensors: u64,
    /// Number of parameters.
    pub parameters: u64,
    /// The tensors, named as in the files.
    pub templates: Vec<TemplateAsWritten>,
}

/// How a parameter count compares with the published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CountCheck {
    /// To the last parameter.
    #[serde(rename = "equal")]
    Equal,
    /// Within a thousandth.
    #[serde(rename = "within 0.1 %")]
    Thousandth,
    /// Within a twentieth: no more than consistent with a rounded name.
    #[serde(rename = "within 5 %")]
    Twentieth,
    /// Further off.
    #[serde(rename = "off")]
    Off,
    /// Nothing was published.
    #[serde(rename = "unchecked")]
    Unchecked,
}

/// What a list of tensors comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Maker {
    /// The model class of the transformers library, built with this configuration and without weights.
    #[serde(rename = "transformers")]
    Transformers,
    /// A rule written by hand for an architecture that library does not have.
    #[serde(rename = "written by hand")]
    Hand,
    /// The headers of the released files.
    #[serde(rename = "released files")]
    Files,
}

/// Tensors that differ in layer or expert number alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateAsWritten {
    /// Name with `{i}` for the layer and `{j}` for the expert.
    pub name: String,
    /// Shape in file order.
    pub shape: Vec<u64>,
    /// The layers that have it.
    pub layers: Option<IndicesAsWritten>,
    /// The experts that have it, in each of those layers.
    pub experts: Option<IndicesAsWritten>,
    /// What it does.
    pub role: String,
}

/// Layer or expert numbers: `0-59`, `0-46/2` for every second, `0-3,5-11`, or one number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum IndicesAsWritten {
    /// One number.
    One(u32),
    /// Ranges, separated by commas.
    Ranges(String),
}
