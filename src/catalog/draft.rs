//! A record for the catalogue from what a model's own files say: everything else is `null`, for a person to fill in.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::blueprint::{Blueprint, Config, Template};
use crate::catalog::rarity::NOT_DESIGN;

/// What the files of a model cannot say of it.
#[derive(Clone, Debug)]
pub struct About {
    /// `ORG/NAME`.
    pub id: String,
    /// The family, which is the file's name.
    pub family: String,
    /// Whose design it is.
    pub lineage: String,
    /// Who released it.
    pub organisation: String,
    /// Where the configuration was read.
    pub source: String,
}

/// A family file with one record, as YAML. `config` is the object of `config.json`; tensors come from headers.
pub fn draft(about: &About, config: &Map<String, Value>, blueprint: Option<&Blueprint>) -> String {
    let About { id, family, lineage, organisation, source } = about;
    let mut yaml = format!("family: {family}\nlineage: {lineage}\nentries:\n- id: {id}\n");
    line(&mut yaml, 2, "organisation", &Value::from(organisation.as_str()));
    for fact in ["released", "licence", "training_tokens", "parentage", "tokenizer", "published_parameters", "access"] {
        line(&mut yaml, 2, fact, &Value::Null);
    }
    yaml.push_str("  config:\n    basis: copy of config.json\n    sources:\n");
    let _ = writeln!(yaml, "    - {}", scalar(&Value::from(source.as_str())));
    yaml.push_str("    unsourced: []\n    fields:\n");
    for (field, value) in fields(config) {
        line(&mut yaml, 6, &field, &value);
    }
    match blueprint.and_then(Counted::of) {
        Some(counted) => counted.write(&mut yaml),
        None => yaml.push_str("  blueprint: null\n  no_blueprint: no list of tensors with shapes was at hand\n"),
    }
    yaml
}

/// Design fields under their common names; a `null` of the file stays one, since it says something.
fn fields(config: &Map<String, Value>) -> Map<String, Value> {
    let is_design = |name: &str| !NOT_DESIGN.contains(&name) || name == "torch_dtype";
    let known = Config::new(&Value::Object(config.clone()));
    let mut fields: Map<String, Value> = known
        .fields()
        .iter()
        .filter(|(name, _)| is_design(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, _) in config.iter().filter(|(name, value)| value.is_null() && is_design(name)) {
        fields.entry(name.clone()).or_insert(Value::Null);
    }
    fields.retain(|_, value| !value.is_object() || value.as_object().is_some_and(|it| it.len() <= 12));
    fields
}

fn line(yaml: &mut String, indent: usize, key: &str, value: &Value) {
    let _ = writeln!(yaml, "{:indent$}{}: {}", "", word(key), scalar(value));
}

/// A key or a scalar: as it stands where YAML reads it so, in quotes otherwise.
fn word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | '/');
    let is_safe = text.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_') && text.chars().all(is_plain);
    let is_word = matches!(text, "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if is_safe && !is_word { text.to_owned() } else { Value::from(text).to_string() }
}

/// JSON is YAML, but for a float without a point, which some readers take for a text.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        Value::Array(values) => format!("[{}]", values.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            match text.split_once('e') {
                Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
                _ => text,
            }
        }
        other => other.to_string(),
    }
}

/// A blueprint with its sums.
struct Counted<'a> {
    rows: Vec<(&'a Template, String)>,
    parameters: u64,
    buffers: u64,
    tensors: u64,
    layers: u64,
}

impl<'a> Counted<'a> {
    /// None where shapes are not known.
    fn of(blueprint: &'a Blueprint) -> Option<Self> {
        let facts = blueprint.template_facts();
        let roles = facts.iter().map(|it| it.role.replace(" | ", " or "));
        let rows: Vec<_> = blueprint.templates().iter().zip(roles).collect();
        if blueprint.is_by_names() || rows.is_empty() {
            return None;
        }
        let sum = |of_buffers: bool| {
            let of_kind = rows.iter().filter(|(_, role)| (role == "buffer") == of_buffers);
            of_kind.fold(0_u64, |sum, (it, _)| sum.saturating_add(it.total_elements()))
        };
        let (parameters, buffers) = (sum(false), sum(true));
        let layers = blueprint.dimension("layers").unwrap_or_default();
        Some(Self { parameters, buffers, tensors: blueprint.tensors(), layers, rows })
    }

    fn write(&self, yaml: &mut String) {
        let Self { parameters, buffers, tensors, layers, .. } = self;
        let _ = writeln!(yaml, "  blueprint:\n    parameters: {parameters}");
        if *buffers > 0 {
            let _ = writeln!(yaml, "    buffer_values: {buffers}");
        }
        let _ = writeln!(yaml, "    check: unchecked\n    tensors: {tensors}\n    layers: {layers}");
        yaml.push_str("    made_from: released files\n    templates:\n");
        for (template, role) in &self.rows {
            let sizes: Vec<String> = template.shape.iter().map(u64::to_string).collect();
            let name = Value::from(template.name.as_str());
            let _ = write!(yaml, "    - {{name: {name}, shape: [{}]", sizes.join(", "));
            for (key, ranges) in [("layers", &template.layers), ("experts", &template.experts)] {
                if !ranges.is_empty() {
                    let _ = write!(yaml, ", {key}: {}", numbers(ranges));
                }
            }
            let _ = writeln!(yaml, ", role: {role}}}");
        }
    }
}

/// `0-31`, or `"0-3,5-11"` in quotes.
fn numbers(ranges: &[RangeInclusive<u32>]) -> String {
    let one = |it: &RangeInclusive<u32>| match (it.start(), it.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    let text = ranges.iter().map(one).collect::<Vec<_>>().join(",");
    if ranges.len() > 1 { format!("\"{text}\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, FamilyAsWritten, Twins};

    /// What is drafted from an entry's own templates and fields is a record that holds together, with the same sums.
    #[test]
    fn a_draft_is_a_valid_record() {
        for id in ["01-ai/Yi-34B@2023-11", "deepseek-ai/DeepSeek-V2-Lite", "Qwen/Qwen3.5-27B", "openai-community/gpt2"]
        {
            let entry = Catalog::builtin().find(id).unwrap();
            let about = About {
                id: "acme/one".into(),
                family: "acme".into(),
                lineage: "acme".into(),
                organisation: "Acme: makers".into(),
                source: "https://example.com/config.json".into(),
            };
            let config: Map<String, Value> = entry.config_fields().clone().into_iter().collect();
            let yaml = draft(&about, &config, entry.blueprint());
            let family: FamilyAsWritten = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
            let catalog = Catalog::new(vec![family], Twins::default()).unwrap_or_else(|it| panic!("{it:?}"));
            let drafted = catalog.find("acme/one").unwrap();
            let sums = |it: &crate::catalog::Design| (it.parameters, it.buffer_values, it.tensors, it.templates.len());
            assert_eq!(drafted.design().map(sums), entry.design().map(sums), "{id}");
            let null = |it: &crate::catalog::Entry| it.config_fields().get("q_lora_rank").map(Value::is_null);
            assert_eq!(null(drafted), null(entry), "{id}");
            assert!(drafted.released().is_none() && drafted.licence().is_none() && drafted.access().is_none());
        }
    }

    #[test]
    fn without_tensors_it_says_why_there_is_no_blueprint() {
        let about = About {
            id: "acme/one".into(),
            family: "acme".into(),
            lineage: "acme".into(),
            organisation: "Acme".into(),
            source: "hub".into(),
        };
        let config = serde_json::json!({"hidden_size": 64, "norm": 1e-5, "use": "no", "_name_or_path": "x"});
        let yaml = draft(&about, config.as_object().unwrap(), None);
        let family: FamilyAsWritten = serde_yaml::from_str(&yaml).unwrap();
        let catalog = Catalog::new(vec![family], Twins::default()).unwrap();
        let entry = catalog.find("acme/one").unwrap();
        assert_eq!(entry.config_fields().get("norm"), Some(&Value::from(1e-5)));
        assert_eq!(entry.config_fields().get("use"), Some(&Value::from("no")));
        assert!(entry.config_fields().get("_name_or_path").is_none());
        assert!(entry.no_blueprint().is_some());
    }
}
