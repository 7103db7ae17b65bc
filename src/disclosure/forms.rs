//! Forms: the head of a card, the configuration of an adapter or a merge, the header of a GGUF file. A form says what
//! its fields say and needs no rule.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::disclosure::documents::Document;
use crate::disclosure::names::Names;
use crate::disclosure::prose::cut;
use crate::fact::{StatedAbout, StatedPart, Statement, ToldIn, last_part, letters};
use crate::yaml::{self, Cursor, Problems};

/// Values of one field that are kept.
const MOST_VALUES: usize = 64;

/// The head of a card, and the line on which its body begins. A head that cannot be read gives its body only.
pub(crate) struct Head<'a> {
    pub(crate) statements: Vec<Statement>,
    pub(crate) body: &'a str,
    pub(crate) first_line: u64,
    /// What is wrong with the head, where it could not be read whole.
    pub(crate) problem: Option<String>,
}

/// A field of the head of a card, and what it says.
struct Field {
    name: &'static str,
    about: StatedAbout,
    part: Option<StatedPart>,
}

const FIELDS: &[Field] = &[
    Field { name: "base_model", about: StatedAbout::Parent, part: Some(StatedPart::Weights) },
    Field { name: "license", about: StatedAbout::License, part: None },
    Field { name: "license_name", about: StatedAbout::License, part: None },
    Field { name: "license_link", about: StatedAbout::License, part: None },
    Field { name: "datasets", about: StatedAbout::Dataset, part: Some(StatedPart::Data) },
    Field { name: "language", about: StatedAbout::Language, part: None },
    Field { name: "library_name", about: StatedAbout::Library, part: None },
    Field { name: "model_name", about: StatedAbout::Name, part: None },
    Field { name: "tags", about: StatedAbout::Tag, part: None },
];

/// Reads the head of a card.
pub(crate) fn head<'a>(document: &Document, text: &'a str) -> Head<'a> {
    let Some((head, body, lines)) = split(text) else {
        return Head { statements: Vec::new(), body: text, first_line: 1, problem: None };
    };
    let mut problems = Problems::new();
    let parsed = yaml::Document::parse(&document.name, head.as_bytes(), &mut problems);
    let problem = problems.into_iter().next().map(|it| it.message);
    let mut statements = Vec::new();
    if let Some(parsed) = &parsed {
        let root = parsed.root();
        let relation = relation(&root);
        for field in FIELDS {
            statements.extend(of_field(document, &root.field(field.name), field, relation.as_deref()));
        }
        for tag in values(&root.field("tags")) {
            statements.extend(of_tag(document, &tag, &statements));
        }
    }
    Head { statements, body, first_line: lines, problem }
}

/// The head between two lines of three dashes, what stands after, and the number of the first line of that.
fn split(text: &str) -> Option<(&str, &str, u64)> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for (line, number) in rest.split_inclusive('\n').zip(2_u64..) {
        if line.trim_end() == "---" {
            let behind = at + line.len();
            return Some((&rest[..at], &rest[behind..], number.saturating_add(1)));
        }
        at += line.len();
    }
    None
}

/// What the head says of how the model is related to its base.
fn relation(root: &Cursor<'_>) -> Option<String> {
    if let Some(stated) = root.field("base_model_relation").text() {
        return Some(stated.chars().take(64).collect());
    }
    let tags: Vec<String> = values(&root.field("tags")).into_iter().map(|it| it.text.to_lowercase()).collect();
    let has = |words: &[&str]| tags.iter().any(|it| words.contains(&it.as_str()));
    let library = root.field("library_name").text().map(str::to_lowercase);
    match () {
        () if has(&["merge", "mergekit"]) => Some("merge".into()),
        () if has(&["lora", "peft", "qlora", "adapter"]) || library.as_deref() == Some("peft") => {
            Some("adapter".into())
        }
        () if has(&["gguf", "awq", "gptq", "quantized"]) => Some("quantized".into()),
        () => None,
    }
}

/// One value of a field with the line it is in, counted in the whole file.
struct Written {
    text: String,
    line: u64,
}

/// A single value, or each of a list.
fn values(cursor: &Cursor<'_>) -> Vec<Written> {
    let written = |it: &Cursor<'_>| {
        let line = u64::try_from(it.line()).unwrap_or(u64::MAX).saturating_add(1);
        Some(Written { text: it.text()?.trim().to_owned(), line })
    };
    let items = cursor.items().take(MOST_VALUES).filter_map(|it| written(&it));
    written(cursor).into_iter().chain(items).filter(|it| !it.text.is_empty()).collect()
}

fn of_field(document: &Document, cursor: &Cursor<'_>, field: &Field, relation: Option<&str>) -> Vec<Statement> {
    let written = values(cursor);
    let statement = |line: u64, values: Vec<String>| Statement {
        about: field.about,
        part: field.part,
        relation: relation.filter(|_| field.about == StatedAbout::Parent).map(str::to_owned),
        values,
        told_in: ToldIn::Form,
        hidden: false,
        file: document.name.clone(),
        line: Some(line),
        quote: String::new(),
        sha256: document.sha256.clone(),
        rule: field.name.to_owned(),
    };
    let quoted = |it: Statement| {
        let quote = cut(&format!("{}: {}", field.name, it.values.join(", ")));
        Statement { quote, ..it }
    };
    match field.about {
        // Each parent is in a line of its own.
        StatedAbout::Parent => written.into_iter().map(|it| quoted(statement(it.line, vec![it.text]))).collect(),
        _ => {
            let Some(line) = written.first().map(|it| it.line) else { return Vec::new() };
            vec![quoted(statement(line, written.into_iter().map(|it| it.text).collect()))]
        }
    }
}

/// `base_model:finetune:ORG/NAME`, as a hub writes it among the tags.
fn of_tag(document: &Document, tag: &Written, known: &[Statement]) -> Option<Statement> {
    let rest = tag.text.strip_prefix("base_model:")?;
    let (relation, model) = rest.split_once(':').map_or((None, rest), |(relation, model)| (Some(relation), model));
    let is_known = known.iter().any(|it| it.about == StatedAbout::Parent && it.values.iter().any(|it| it == model));
    (!is_known && !model.is_empty()).then(|| Statement {
        about: StatedAbout::Parent,
        part: Some(StatedPart::Weights),
        relation: relation.map(str::to_owned),
        values: vec![model.to_owned()],
        told_in: ToldIn::Form,
        hidden: false,
        file: document.name.clone(),
        line: Some(tag.line),
        quote: cut(&format!("tags: {}", tag.text)),
        sha256: document.sha256.clone(),
        rule: "tags".to_owned(),
    })
}

/// A statement without a line: of a file that has none worth naming.
pub(crate) fn bare(document: &Document, about: StatedAbout, rule: &str, quote: String) -> Statement {
    Statement {
        about,
        part: None,
        relation: None,
        values: Vec::new(),
        told_in: ToldIn::Configuration,
        hidden: false,
        file: document.name.clone(),
        line: None,
        quote: cut(&quote),
        sha256: document.sha256.clone(),
        rule: rule.to_owned(),
    }
}

/// `adapter_config.json` names the model that it changes.
pub(crate) fn adapter(document: &Document, config: &Value) -> Vec<Statement> {
    let field = "base_model_name_or_path";
    let Some(base) = config.get(field).and_then(Value::as_str).filter(|it| !it.is_empty()) else { return Vec::new() };
    vec![Statement {
        part: Some(StatedPart::Weights),
        relation: Some("adapter".into()),
        values: vec![base.to_owned()],
        told_in: ToldIn::Form,
        line: line_of(&document.text, field),
        ..bare(document, StatedAbout::Parent, field, format!("{field}: {base}"))
    }]
}

/// `mergekit_config.yml` names the models that were merged, wherever `model` and `base_model` are in it.
pub(crate) fn merge(document: &Document) -> Vec<Statement> {
    let mut problems = Problems::new();
    let Some(parsed) = yaml::Document::parse(&document.name, document.text.as_bytes(), &mut problems) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open = vec![(parsed.root(), 0_usize)];
    while let Some((cursor, depth)) = open.pop() {
        if depth > 8 || found.len() >= MOST_VALUES {
            continue;
        }
        for (key, value) in cursor.fields() {
            if let Some(model) = value.text().filter(|_| matches!(key, "model" | "base_model")) {
                found.push((u64::try_from(value.line()).unwrap_or(u64::MAX), key.to_owned(), model.to_owned()));
            }
            open.push((value, depth.saturating_add(1)));
        }
        open.extend(cursor.items().take(MOST_VALUES).map(|it| (it, depth.saturating_add(1))));
    }
    found.sort();
    found.dedup_by(|left, right| left.2 == right.2);
    let statement = |(line, key, model): (u64, String, String)| Statement {
        part: Some(StatedPart::Weights),
        relation: Some("merge".into()),
        told_in: ToldIn::Form,
        line: Some(line),
        values: vec![model.clone()],
        ..bare(document, StatedAbout::Parent, &key, format!("{key}: {model}"))
    };
    found.into_iter().map(statement).collect()
}

/// The `general.*` keys of a GGUF header, and what other writers put beside the tensors.
pub(crate) fn header(document: &Document, metadata: &BTreeMap<String, String>, own: &str) -> Vec<Statement> {
    let stated = |about: StatedAbout, key: &str, value: &str| Statement {
        told_in: ToldIn::WeightsHeader,
        values: vec![value.to_owned()],
        ..bare(document, about, key, format!("{key}: {value}"))
    };
    let mut found = Vec::new();
    for (key, value) in metadata.iter().filter(|(key, value)| key.starts_with("general.") && !value.is_empty()) {
        let parts: Vec<&str> = key.split('.').collect();
        match parts.as_slice() {
            ["general", "base_model", number, "name"] => {
                let place = metadata.get(&format!("general.base_model.{number}.repo_url"));
                let model = place.and_then(|it| repository(it)).unwrap_or_else(|| value.clone());
                let part = Some(StatedPart::Weights);
                let relation = Some("base".to_owned());
                found.push(Statement { part, relation, ..stated(StatedAbout::Parent, key, &model) });
            }
            ["general", "base_model", number, "repo_url"]
                if !metadata.contains_key(&format!("general.base_model.{number}.name")) =>
            {
                let model = repository(value).unwrap_or_else(|| value.clone());
                let part = Some(StatedPart::Weights);
                found.push(Statement { part, ..stated(StatedAbout::Parent, key, &model) });
            }
            ["general", "license" | "license.name"] => found.push(stated(StatedAbout::License, key, value)),
            ["general", "license", "name"] => found.push(stated(StatedAbout::License, key, value)),
            ["general", "name"] => found.push(named(stated(StatedAbout::Name, key, value), own)),
            ["general", "basename" | "source"] => found.push(named(stated(StatedAbout::Trace, key, value), own)),
            _ => {}
        }
    }
    found
}

/// A name that is another model's is a trace of it.
fn named(statement: Statement, own: &str) -> Statement {
    let name = statement.values.first().cloned().unwrap_or_default();
    let is_own = letters(last_part(own)).contains(&letters(last_part(&name)))
        || letters(&name).contains(&letters(last_part(own)));
    if !is_own && Names::builtin().is_model(&name) {
        return Statement { about: StatedAbout::Trace, part: Some(StatedPart::Weights), ..statement };
    }
    statement
}

/// `ORG/NAME` of a repository's address.
fn repository(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let mut parts = rest.trim_end_matches('/').split('/').skip(1);
    let (org, name) = (parts.next()?, parts.next()?);
    (parts.next().is_none()).then(|| format!("{org}/{name}"))
}

/// The first line that holds a quoted key.
pub(crate) fn line_of(text: &str, key: &str) -> Option<u64> {
    let key = format!("\"{key}\"");
    text.lines().zip(1..).find(|(line, _)| line.contains(&key)).map(|(_, number)| number)
}
