//! What is known of a model, as properties that can be compared with those of an entry.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::blueprint::{Blueprint, Config, Region, SeenPart};
use crate::lineage::likelihood::changes::{FIELDS, SIZES};

/// Roles that a fused projection represents, and the role that it has.
const FUSIONS: [(&str, &[&str]); 6] = [
    ("attention.query_key_value", &["attention.query", "attention.key", "attention.value"]),
    ("attention.query_key_value.bias", &["attention.query.bias", "attention.key.bias", "attention.value.bias"]),
    ("attention.key_value", &["attention.key", "attention.value"]),
    ("ffn.gate_up", &["ffn.gate", "ffn.up"]),
    ("expert.ffn.gate_up", &["expert.ffn.gate", "expert.ffn.up"]),
    ("shared_expert.gate_up", &["shared_expert.gate", "shared_expert.up"]),
];

/// Parts whose names tell one program's naming from another's.
const CORE: [&str; 6] =
    ["token_embedding", "attention.norm", "ffn.norm", "attention.output", "ffn.down", "output_norm"];

/// What is known of a model.
#[derive(Debug)]
pub(crate) struct Traits {
    sizes: BTreeMap<&'static str, u64>,
    /// The number of vocabulary rows.
    pub(crate) vocabulary: Option<u64>,
    /// Roles of the language model, fused projections taken apart.
    pub(crate) roles: BTreeSet<String>,
    /// Fused projections it has.
    pub(crate) fused: BTreeSet<&'static str>,
    /// Name of each role without its prefix, where one part has it.
    pub(crate) names: BTreeMap<String, String>,
    /// Parts of no known role.
    pub(crate) unknown: BTreeSet<String>,
    /// Whether it has layers that predict further tokens.
    pub(crate) predicts: bool,
    fields: BTreeMap<&'static str, Value>,
    classes: BTreeSet<String>,
    signature: String,
    scheme: String,
    /// Whether no shape was there to be seen.
    pub(crate) is_by_names: bool,
    /// Its parts.
    pub(crate) parts: Vec<SeenPart>,
}

impl Traits {
    /// What a blueprint says: sizes by its shapes, and where it has none by its configuration.
    pub(crate) fn of(blueprint: &Blueprint) -> Self {
        Self::new(blueprint, blueprint)
    }

    /// What an index of a model would show; a size that its configuration does not state is that of its shapes.
    pub(crate) fn as_indexed(blueprint: &Blueprint) -> Self {
        Self::new(&blueprint.without_shapes(), blueprint)
    }

    fn new(blueprint: &Blueprint, shown: &Blueprint) -> Self {
        let parts = blueprint.seen_parts();
        let config = blueprint.config();
        let by_config = blueprint.is_by_names();
        let mut traits = Self {
            sizes: sizes(shown, by_config),
            vocabulary: vocabulary(shown, by_config),
            roles: BTreeSet::new(),
            fused: BTreeSet::new(),
            names: BTreeMap::new(),
            unknown: BTreeSet::new(),
            predicts: parts.iter().any(|it| it.region == Region::Prediction),
            fields: FIELDS.iter().filter_map(|(field, _)| Some((*field, plain(config.get(field)?)))).collect(),
            classes: classes(config),
            signature: String::new(),
            scheme: String::new(),
            is_by_names: blueprint.is_by_names(),
            parts: Vec::new(),
        };
        for part in parts.iter().filter(|it| it.region == Region::Language) {
            traits.add(part);
        }
        traits.parts = parts;
        let body = traits.roles.iter().filter(|it| *it != "output" && *it != "output.bias");
        traits.signature = body.map(String::as_str).collect::<Vec<_>>().join(" ");
        let core = CORE.iter().map(|it| traits.names.get(*it).map_or("-", String::as_str));
        traits.scheme = core.collect::<Vec<_>>().join(" ");
        traits
    }

    fn add(&mut self, part: &SeenPart) {
        let Some(role) = part.roles.first() else {
            self.unknown.insert(part.plain.clone());
            return;
        };
        // Of parts that may be several things, each is one of them: together they have all those roles.
        self.roles.extend(part.roles.iter().flat_map(|it| split(it)).map(str::to_owned));
        self.fused.extend(FUSIONS.iter().filter(|(fused, _)| fused == role).map(|(fused, _)| *fused));
        if part.roles.len() == 1 {
            self.names.entry(role.clone()).or_insert_with(|| part.plain.clone());
        }
    }

    /// One size.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        self.sizes.get(name).copied()
    }

    /// All sizes but the vocabulary.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.sizes.iter().map(|(name, size)| (*name, *size))
    }

    /// A field of the configuration.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The classes that a configuration names, of the library and of code beside the model.
    pub(crate) fn classes(&self) -> &BTreeSet<String> {
        &self.classes
    }

    /// All roles in one word: what a model is made of.
    pub(crate) fn signature(&self) -> &str {
        &self.signature
    }

    /// The names of the parts that every model has, in one word: whose program wrote it.
    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// A property, what it hangs on, and its value: sizes on the width, the kind of a model on its names, its class on
    /// both.
    pub(crate) fn pairs(&self) -> Vec<(String, String, String)> {
        let hidden = self.size("hidden").map(|it| it.to_string());
        let sizes = hidden.into_iter().flat_map(|hidden| {
            self.sizes().map(move |(name, size)| (name.to_owned(), hidden.clone(), size.to_string()))
        });
        let field = |name: &str| self.field(name).map(Value::to_string);
        let kind = field("model_type").map(|it| ("model_type".to_owned(), self.scheme.clone(), it));
        let class = field("model_type").zip(field("architectures"));
        let class = class.map(|(kind, it)| ("architectures".to_owned(), kind, it));
        sizes.chain(kind).chain(class).collect()
    }

    /// Every property with its value, as the background counts them.
    pub(crate) fn values(&self) -> Vec<(String, String)> {
        let mut values: Vec<(String, String)> =
            self.sizes().map(|(name, size)| (name.to_owned(), size.to_string())).collect();
        values.extend(self.vocabulary.map(|it| ("vocabulary".to_owned(), it.to_string())));
        values.extend(self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
        values.push(("signature".to_owned(), self.signature.clone()));
        values.push(("scheme".to_owned(), self.scheme.clone()));
        values
    }
}

/// The roles that a role represents.
pub(crate) fn split(role: &str) -> Vec<&str> {
    FUSIONS.iter().find(|(fused, _)| *fused == role).map_or_else(|| vec![role], |(_, parts)| parts.to_vec())
}

fn sizes(blueprint: &Blueprint, by_config: bool) -> BTreeMap<&'static str, u64> {
    let size = |dimension: &str, field: &str| {
        let (shown, stated) = (blueprint.dimension(dimension), blueprint.config().number(field));
        // An index shows how many layers there are, and a configuration may say otherwise.
        if by_config && dimension != "layers" { stated.or(shown) } else { shown }
    };
    SIZES.iter().filter_map(|(dimension, field, _)| Some((*dimension, size(dimension, field)?))).collect()
}

fn vocabulary(blueprint: &Blueprint, by_config: bool) -> Option<u64> {
    let (shown, stated) = (blueprint.dimension("vocab"), blueprint.config().number("vocab_size"));
    if by_config { stated.or(shown) } else { shown }
}

/// A number is the same with and without a point, and a list of one what it holds.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        Value::Array(values) if values.len() == 1 => plain(&values[0]),
        _ => value.clone(),
    }
}

/// `LlamaForCausalLM` of `architectures`, and `ChatGLMForConditionalGeneration` of `auto_map`.
fn classes(config: &Config) -> BTreeSet<String> {
    let named = config.get("architectures").and_then(Value::as_array).into_iter().flatten();
    let mapped = config.get("auto_map").and_then(Value::as_object).into_iter().flat_map(|it| it.values());
    let words = named.chain(mapped).filter_map(Value::as_str);
    words.map(|it| it.rsplit('.').next().unwrap_or(it).to_owned()).collect()
}
