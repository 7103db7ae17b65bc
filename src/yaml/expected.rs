//! A JSON Schema as the checker sees it, and in words.

use serde_json::{Map, Value};

use crate::yaml::list_of_names;
use crate::yaml::tree::{Kind, Node};

/// A schema with its references followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    schema: &'a Value,
    definitions: &'a Value,
}

impl<'a> Expected<'a> {
    /// The whole schema of a type.
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { schema: root, definitions: root.get("$defs").unwrap_or(&Value::Null) }
    }

    fn follow(self, schema: &'a Value) -> Self {
        let mut schema = schema;
        // Our own types refer to each other at most once in a row; the bound keeps a wrong schema from looping.
        for _ in 0..8 {
            let Some(name) = schema.get("$ref").and_then(Value::as_str) else { break };
            let name = name.strip_prefix("#/$defs/").unwrap_or(name);
            schema = self.definitions.get(name).unwrap_or(&Value::Null);
        }
        Self { schema, ..self }
    }

    fn map(self, keyword: &str) -> Option<&'a Map<String, Value>> {
        self.schema.get(keyword).and_then(Value::as_object)
    }

    /// The alternatives, if there are several.
    pub(crate) fn branches(self) -> Vec<Self> {
        let branches = self.schema.get("anyOf").or_else(|| self.schema.get("oneOf")).and_then(Value::as_array);
        match branches {
            Some(branches) => branches.iter().flat_map(|it| self.follow(it).branches()).collect(),
            None => vec![self],
        }
    }

    /// The types that are allowed; none where anything is.
    pub(crate) fn types(self) -> Vec<&'a str> {
        match self.schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.types().contains(&name)
    }

    /// The closed list of words, if it is one.
    pub(crate) fn words(self) -> Vec<&'a str> {
        match (self.schema.get("const"), self.schema.get("enum")) {
            (Some(Value::String(word)), _) => vec![word],
            (_, Some(Value::Array(words))) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The one key of an enum variant that is written as `name: value`.
    pub(crate) fn tag(self) -> Option<(&'a str, Self)> {
        let is_closed = self.schema.get("additionalProperties") == Some(&Value::Bool(false));
        let properties = self.map("properties")?;
        let (name, schema) = properties.iter().next()?;
        (is_closed && properties.len() == 1 && self.required() == [name.as_str()])
            .then(|| (name.as_str(), self.follow(schema)))
    }

    pub(crate) fn is_date(self) -> bool {
        self.schema.get("format").and_then(Value::as_str) == Some("date")
    }

    pub(crate) fn required(self) -> Vec<&'a str> {
        let names = self.schema.get("required").and_then(Value::as_array);
        names.map(|it| it.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// The named keys, in the order of the type.
    pub(crate) fn property_names(self) -> Vec<&'a str> {
        self.map("properties").map(|it| it.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// Whether keys that are not named are refused.
    pub(crate) fn has_numbers_for_keys(self) -> bool {
        self.map("patternProperties").is_some_and(|it| it.contains_key(r"^\d+$"))
    }

    /// What belongs under a key; none where the key is not allowed.
    pub(crate) fn property(self, key: &str) -> Option<Self> {
        if let Some(schema) = self.map("properties").and_then(|it| it.get(key)) {
            return Some(self.follow(schema));
        }
        if self.has_numbers_for_keys() && is_count(key) {
            return self.map("patternProperties").and_then(|it| it.values().next()).map(|it| self.follow(it));
        }
        match self.schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(schema @ Value::Object(_)) => Some(self.follow(schema)),
            _ => Some(Self { schema: &Value::Null, ..self }),
        }
    }

    /// What an item of the list is.
    pub(crate) fn item(self) -> Self {
        self.follow(self.schema.get("items").unwrap_or(&Value::Null))
    }

    /// Fewest items of the list.
    pub(crate) fn fewest_items(self) -> u64 {
        self.schema.get("minItems").and_then(Value::as_u64).unwrap_or(0)
    }

    /// A bound of a number, by its keyword.
    pub(crate) fn bound(self, keyword: &str) -> Option<f64> {
        self.schema.get(keyword).and_then(Value::as_f64)
    }

    pub(crate) fn has_in_range(self, number: f64) -> bool {
        self.bound("minimum").is_none_or(|it| number >= it)
            && self.bound("maximum").is_none_or(|it| number <= it)
            && self.bound("exclusiveMinimum").is_none_or(|it| number > it)
    }

    /// The first sentence of the documentation of a key.
    pub(crate) fn documentation_of(self, key: &str) -> Option<&'a str> {
        let schema = self.map("properties")?.get(key)?;
        let text = schema.get("description").or_else(|| self.follow(schema).schema.get("description"))?.as_str()?;
        let sentence = text.split("\n\n").next()?;
        Some(sentence.trim_end_matches('.'))
    }

    /// What is expected, in words.
    pub(crate) fn in_words(self) -> String {
        let branches = self.branches();
        let words: Vec<&str> = branches.iter().flat_map(|it| it.words()).collect();
        let tags: Vec<&str> = branches.iter().filter_map(|it| it.tag().map(|(name, _)| name)).collect();
        let mut parts: Vec<String> = Vec::new();
        for branch in branches.iter().filter(|it| it.words().is_empty() && it.tag().is_none()) {
            parts.extend(branch.types().into_iter().filter(|it| *it != "null").map(|it| branch.type_in_words(it)));
        }
        if !tags.is_empty() {
            parts.push(format!("one of the keys {}", list_of_names(tags)));
        }
        match words.as_slice() {
            [] => {}
            [word] => parts.push(format!("`{word}`")),
            _ => parts.push(list_of_names(words)),
        }
        parts.dedup();
        parts.join(", or ")
    }

    fn type_in_words(self, name: &str) -> String {
        let (low, high) = (self.bound("minimum"), self.bound("maximum"));
        match name {
            "string" if self.is_date() => "a date such as `2024-03-31`".to_owned(),
            "string" => "text".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => "a list".to_owned(),
            "object" => "a mapping of `key: value` lines".to_owned(),
            "integer" | "number" => {
                let noun = if name == "integer" { "a whole number" } else { "a number" };
                match (low, high) {
                    (Some(low), Some(high)) => format!("{noun} from {low} to {high}"),
                    (Some(low), None) => format!("{noun} not below {low}"),
                    _ => noun.to_owned(),
                }
            }
            other => other.to_owned(),
        }
    }
}

pub(crate) fn is_count(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|it| it.is_ascii_digit())
}

/// What stands there, in words.
pub(crate) fn found(node: &Node) -> String {
    match &node.kind {
        _ if node.is_null() => "nothing".to_owned(),
        Kind::Sequence(_) => "a list".to_owned(),
        Kind::Mapping(_) => "a mapping".to_owned(),
        Kind::Scalar { text, .. } if text.chars().count() > 60 => {
            format!("`{}…`", text.chars().take(57).collect::<String>())
        }
        Kind::Scalar { text, .. } => format!("`{text}`"),
    }
}
