//! What was measured on a model and between two models, as plain data: the JSON of `inspect`, `compare` and `identify`.
//!
//! `lineage` fills these in; evidence keeps them whole; the scorecard carries them on to the memo. They are a published
//! contract (`schemas/`): a field is added, never renamed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{PKind, RuleId, SelfDescription, TokenizerFacts, Weights, WeightsRelation};

/// A model as a command or a case named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ModelName {
    /// Short name for tables: the folder or file name, or `ORG/NAME` of a catalogue entry.
    pub name: String,
    /// As it was given: a path, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…` or `catalog:ORG/NAME`.
    pub location: String,
    /// Where its description comes from.
    pub origin: Origin,
    /// The commit that was read, of a repository on a hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// Where the description of a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// Read from the headers of its own files.
    Checkpoint,
    /// A catalogue entry: a blueprint without weights.
    Catalog,
    /// A fingerprint: a blueprint with some of its weights.
    Fingerprint,
}

/// The answer of `inspect`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Inspection {
    /// `unshell/inspect/1`.
    pub schema: String,
    /// The model that was described.
    pub model: ModelName,
    /// File format, e.g. `safetensors`; none for a catalogue entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The files that were read, in name order.
    pub files: Vec<FileFacts>,
    /// Number of stored parameters: elements of all tensors but buffers; a tied head counts once. None where shapes are
    /// not known, as in a folder with an index and no weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Number of tensors, buffers included.
    pub tensors: u64,
    /// Size of all tensor data in bytes; none for a catalogue entry, and where the weights are not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_bytes: Option<u64>,
    /// What an index without weights states as the size of all tensor data: its word, which nothing could be held
    /// against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_bytes: Option<u64>,
    /// Element types by name, with the number of tensors and of elements.
    pub dtypes: Vec<DtypeCount>,
    /// The named dimensions that were recovered: `hidden`, `layers`, `heads`, `kv_heads`, `ffn`, `vocab`, `experts`, …
    pub dimensions: Vec<Dimension>,
    /// Tensor names with layer and expert indices lifted out, in a fixed order.
    pub templates: Vec<TemplateFacts>,
    /// Configuration fields, as `config.json` or the catalogue has them, sorted by name.
    pub config: Vec<ConfigField>,
    /// Whatever a reader should know before trusting the file.
    pub findings: Vec<Finding>,
    /// What its card, notices and configurations say; none for a catalogue entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<SelfDescription>,
    /// What was not looked at, and why.
    pub unexamined: Vec<Unexamined>,
    /// What the answer cost.
    pub cost: Cost,
}

/// One file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FileFacts {
    /// Path inside the checkpoint's folder, with `/`.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the part that was read (the header of a weights file, all of a JSON file), lower-case hex.
    pub read_sha256: String,
    /// How many bytes of it were read.
    pub read_bytes: u64,
    /// What the server calls this version of the file; for large files of Hugging Face the SHA-256 of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How often an element type occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DtypeCount {
    /// Name as the file has it, e.g. `BF16`.
    pub dtype: String,
    /// Number of tensors.
    pub tensors: u64,
    /// Number of elements.
    pub elements: u64,
}

/// A named dimension of the architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Dimension {
    /// `hidden`, `layers`, `ffn`, …
    pub name: String,
    /// Its size.
    pub size: u64,
}

/// One tensor-name template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TemplateFacts {
    /// Name with `{i}` for the layer and `{j}` for the expert.
    pub template: String,
    /// What the tensor does, e.g. `attention.query`; `unknown` where neither name nor shape tells.
    pub role: String,
    /// Shape in file order; none where only the name is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<u64>>,
    /// Shape in named dimensions, e.g. `["kv_heads*head_dim", "hidden"]`; the number itself where no name fits.
    pub algebra: Vec<String>,
    /// How many tensors it stands for.
    pub count: u64,
    /// Element type; none for a catalogue entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
}

/// One configuration field, the value as compact JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ConfigField {
    /// Field name after alias normalisation (`n_embd` is `hidden_size`).
    pub field: String,
    /// Value as compact JSON.
    pub value: String,
}

/// Something a reader should know, with a stable code that `explain` knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Finding {
    /// Stable kebab-case code, e.g. `unknown-dtype`.
    pub code: String,
    /// The file it was found in, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The tensor, field or key it is about, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// One English sentence with the numbers.
    pub detail: String,
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unexamined {
    /// `weights`, `tokenizer`, `code`, …; the language files know it as `unexamined.<what>`.
    pub what: String,
    /// Stable code of the reason; the language files know it as `unexamined.why.<why>`.
    pub why: String,
    /// One English sentence.
    pub detail: String,
}

/// What an answer cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Cost {
    /// Bytes read from model files.
    pub bytes_read: u64,
    /// Wall-clock seconds; left out wherever the same inputs must give the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// How far the catalogue reaches: nothing outside it can be recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CatalogReach {
    /// Number of entries that can be compared (with a blueprint).
    pub size: u64,
    /// Number of all entries.
    pub entries: u64,
    /// Its newest dated entry, as `catalog:ORG/NAME`.
    pub newest: String,
    /// Release date of that entry.
    pub newest_date: String,
}

/// The answer of `compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Comparison {
    /// `unshell/compare/1`.
    pub schema: String,
    /// The model under examination.
    pub subject: ModelName,
    /// The model it is held against.
    pub reference: ModelName,
    /// What names and shapes say. Never anything about weights.
    pub form: Form,
    /// What the configurations share, weighted by rarity.
    pub config: ConfigAgreement,
    /// What the weights say.
    pub weights: Weights,
    /// How the vocabularies relate; none where they were not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerFacts>,
    /// What was not looked at, and why.
    pub unexamined: Vec<Unexamined>,
    /// How far the catalogue behind the rarity figures reaches.
    pub catalog: CatalogReach,
    /// What the answer cost.
    pub cost: Cost,
}

impl Comparison {
    /// Which two models, by where they are.
    pub fn pair(&self) -> String {
        format!("{} against {}", self.subject.location, self.reference.location)
    }
}

/// How two blueprints relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum FormRelation {
    /// Same names, same shapes.
    #[serde(rename = "identical")]
    Identical,
    /// One-to-one with other names for the same tensors; dimensions are told apart in `form.dimensions`.
    #[serde(rename = "same up to renaming")]
    SameUpToRenaming,
    /// One-to-one once fused projections are split (or split ones fused).
    #[serde(rename = "fused or split projections")]
    FusedOrSplit,
    /// The same architecture with other dimensions, or with vector-sized additions only.
    #[serde(rename = "same family")]
    SameFamily,
    /// Names are known on one side and shapes are not, and some of the names say nothing.
    #[serde(rename = "undetermined")]
    Undetermined,
    /// None of these.
    #[serde(rename = "different")]
    Different,
}

/// What names and shapes say about two models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Form {
    /// The relation in one word.
    pub relation: FormRelation,
    /// Whether every matched tensor has the same shape (vocabulary padding apart).
    pub same_dimensions: bool,
    /// Tensors that answer each other under other names, as templates.
    pub renames: Vec<Rename>,
    /// Projections that one side fuses and the other keeps apart.
    pub projections: Vec<Projection>,
    /// The named dimensions of both sides, where either has them.
    pub dimensions: Vec<DimensionPair>,
    /// Every difference that is left, in a fixed order.
    pub differences: Vec<Difference>,
    /// What was evened out before comparing (prefixes, buffers, tied heads, vocabulary padding).
    pub normalised: Vec<Normalisation>,
}

/// What is known of the dimensions of two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimensions {
    /// Every shape is the same.
    Same,
    /// Those that are stated are the same, and no shape was there to be seen.
    Unseen,
    /// Some are not the same.
    Other,
}

impl Form {
    /// Whether dimensions are the same, as far as they could be seen: an index without weights states sizes and shows
    /// no shape.
    pub fn dimensions(&self) -> Dimensions {
        let is_of_size = |kind: &str| matches!(kind, "dimension" | "shape" | "vocabulary" | "layers");
        let are_same = self.dimensions.iter().all(|it| it.subject == it.reference);
        let is_unseen =
            !self.dimensions.is_empty() && are_same && !self.differences.iter().any(|it| is_of_size(&it.kind));
        match self.same_dimensions {
            true => Dimensions::Same,
            false if is_unseen => Dimensions::Unseen,
            false => Dimensions::Other,
        }
    }
}

/// Two names for one tensor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Rename {
    /// The subject's template.
    pub subject: String,
    /// The reference's template.
    pub reference: String,
    /// What makes the match sure: `role` (both names are known), `shape` (nothing else has this shape and place), or
    /// `order` (others have them too, so that the order in the file decided; nothing in a header tells them apart).
    pub by: String,
}

/// Projections fused on one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Projection {
    /// The subject's templates.
    pub subject: Vec<String>,
    /// The reference's templates.
    pub reference: Vec<String>,
    /// `subject fuses` or `subject splits`.
    pub kind: String,
}

/// One named dimension on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DimensionPair {
    /// `hidden`, `layers`, …
    pub name: String,
    /// The subject's size.
    pub subject: Option<u64>,
    /// The reference's size.
    pub reference: Option<u64>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Difference {
    /// Stable kebab-case kind: `only-in-subject`, `only-in-reference`, `dimension`, `shape`, `dtype`, `layers`, ….
    pub kind: String,
    /// The template, dimension or field.
    pub item: String,
    /// What the subject has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the reference has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Something evened out before comparing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Normalisation {
    /// `subject` or `reference`.
    pub side: String,
    /// Stable kind: `prefix`, `buffer`, `tied-head`, `vocabulary-padding`, `quantisation-scale`, ….
    pub kind: String,
    /// What it was done to.
    pub item: String,
}

/// What two configurations share, weighted by how rare a shared value is in the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ConfigAgreement {
    /// Shared values or combinations that few catalogue entries have; most telling first.
    pub telling: Vec<SharedValue>,
    /// Shared values that say little, since many entries have them.
    pub common: Vec<SharedValue>,
    /// Fields in which they differ.
    pub different: Vec<Difference>,
    /// The telling combination as a whole: how many entries have all of the shared shape fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combination: Option<SharedValue>,
}

/// A value both sides have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SharedValue {
    /// The field, or fields joined by ` x `.
    pub field: String,
    /// The value as compact JSON, or values joined by ` x `.
    pub value: String,
    /// How many catalogue families have it.
    pub holders: u64,
    /// How many catalogue families state the field(s) at all.
    pub population: u64,
    /// `-log2((holders + 1) / (population + 1))`: bits of surprise that two unrelated models share it.
    pub bits: f64,
}

impl SharedValue {
    /// Whether so many families state the field that a rare value could show: a value that nobody else has is worth
    /// `log2(population + 1)` bits and no more, and below 3 bits none counts as telling.
    pub fn can_be_told(&self) -> bool {
        const FEWEST: u64 = 7;
        self.population >= FEWEST
    }
}

/// The answer of `identify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Identification {
    /// `unshell/identify/1`.
    pub schema: String,
    /// The model that was looked up.
    pub model: ModelName,
    /// One of `one entry`, `tied entries`, `family only`, `no entry`; `undetermined` where names are all that is known
    /// and they say too little.
    pub outcome: String,
    /// Catalogue entries that match by form, best first; empty where none does. A long list is cut, see `matched`.
    pub matches: Vec<Match>,
    /// How many entries match in all.
    #[serde(default)]
    pub matched: u64,
    /// How many unrelated families of the catalogue have this form: the same parts in the same sizes, vocabulary and
    /// additions apart. A form that three of them share is common, and nobody's.
    #[serde(default)]
    pub families: u64,
    /// What a hub says of where the model comes from, link by link: somebody's word, and nothing on weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<NameOrigin>,
    /// What weights say against each fingerprint at hand, related ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<FingerprintMatch>,
    /// How far the catalogue reaches.
    pub catalog: CatalogReach,
    /// What was not looked at, and why.
    pub unexamined: Vec<Unexamined>,
    /// What the answer cost.
    pub cost: Cost,
}

impl Identification {
    /// Whether so many unrelated families have this form that it points to none of them.
    pub fn is_common_form(&self) -> bool {
        self.families >= 3
    }
}

/// A model that a hub names as one that another comes from, or a name that it had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct NameOrigin {
    /// `ORG/NAME`.
    pub name: String,
    /// `renamed`, `duplicated` or `base model`.
    pub how: String,
    /// The repository that says so.
    pub said_of: String,
    /// `catalog:ORG/NAME`, where the catalogue has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

/// What weights say of a model and one fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FingerprintMatch {
    /// The model that the fingerprint is of.
    pub reference: ModelName,
    /// Decided by weights alone.
    pub relation: WeightsRelation,
    /// Base-10 logarithm of the p-value, after paying for the number of fingerprints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log10_p: Option<f64>,
    /// What kind of p-value it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_kind: Option<PKind>,
    /// The rule that decided, as `explain` knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// Why, one English sentence each.
    pub reasons: Vec<String>,
}

/// How near the shapes of a model and of a catalogue entry are, nearest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Closeness {
    /// Every shape is the same.
    #[serde(rename = "same shapes")]
    SameShapes,
    /// Every shape but for rows of the vocabulary that are padding or a few added tokens.
    #[serde(rename = "same but for vocabulary padding")]
    PaddedVocabulary,
    /// Every shape but for another size of the vocabulary.
    #[serde(rename = "same but for vocabulary size")]
    OtherVocabulary,
    /// Every tensor of the entry is there in its shape, and there are others besides.
    #[serde(rename = "same with additions")]
    Additions,
    /// Every layer in its shapes, and another number of them.
    #[serde(rename = "same layers, another depth")]
    OtherDepth,
    /// Every name has its answer, and every size that is stated is the same; no shape was there to be seen.
    #[serde(rename = "same by what is stated")]
    Stated,
    /// The same, but for another size of the vocabulary.
    #[serde(rename = "same by what is stated but for vocabulary size")]
    StatedOtherVocabulary,
    /// Every name and size that is stated, and the configuration says other things of the design: not the same model
    /// as it stands.
    #[serde(rename = "same names and sizes, another configuration")]
    StatedOtherConfiguration,
    /// The same architecture in other dimensions, or with additions.
    #[default] // What an answer from before this field is read as: the least that can be meant.
    #[serde(rename = "other dimensions")]
    OtherDimensions,
}

/// One catalogue entry that matches by form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Match {
    /// `catalog:ORG/NAME`.
    pub reference: String,
    /// Relation by form.
    pub relation: FormRelation,
    /// Whether every matched tensor has the same shape (vocabulary padding apart).
    pub same_dimensions: bool,
    /// How near the shapes are.
    #[serde(default)]
    pub closeness: Closeness,
    /// Rank, starting at 1; entries that form alone cannot tell apart share it.
    pub rank: u64,
    /// The other entries of the same rank, as `catalog:ORG/NAME`.
    pub tied_with: Vec<String>,
    /// Release date of the entry, if sourced.
    pub release_date: Option<String>,
    /// What is left between the two, in short.
    pub differences: u64,
    /// How much all that is known speaks for this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// How much of the entry is there in this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Present>,
    /// Tensors of this model that the entry has no answer to, as templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additions: Vec<String>,
    /// Tensors of the entry that this model has no answer to, as templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// How much all that is known of a model speaks for an entry: a sum of base-2 logarithms of likelihood ratios.
///
/// The likelihood under "built as this entry, or derived from it" over that under "by somebody who drew each property
/// as the houses of the catalogue do". Fields are taken to be independent but for sizes, which are drawn given the
/// width. It orders entries; it is no probability that the model is derived, and weights take no part in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The sum, in bits.
    pub bits: f64,
    /// Its summands that are not 0, in a fixed order.
    pub parts: Vec<ScorePart>,
}

/// What one property adds to a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScorePart {
    /// `sizes`, `vocabulary`, `tensors`, `names`, `configuration`, `stated name`, `stated size`, `prediction layers`.
    pub group: String,
    /// The dimension, field or group of tensors.
    pub item: String,
    /// What the model has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the entry has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Bits: more than 0 speaks for the entry, less than 0 against it.
    pub bits: f64,
}

/// How much of a catalogue entry is there in a model, by form: tensors that answer each other in role and shape.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Present {
    /// Share of the entry's tensors, 0 to 1.
    pub tensors: f64,
    /// Share of its values, 0 to 1; `None` if no shape was there to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<f64>,
}
