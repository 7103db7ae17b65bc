//! Traces that tools leave in configurations: a path, a class, code of another repository, tokens and texts of another
//! vendor.
//!
//! None is a statement of the company. Vendors take over each other's formats openly, so a trace is a reason to ask.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::disclosure::documents::Document;
use crate::disclosure::forms::{bare, line_of};
use crate::disclosure::names::{Names, Own, OwnName};
use crate::disclosure::tokens::{Token, tokens};
use crate::fact::{StatedAbout, StatedPart, Statement};
use crate::tokenizer::vendor;

/// Traces of one kind that are listed for one file.
const MOST: usize = 32;

/// What the configuration of a model or tokenizer carries from elsewhere.
pub(crate) fn of_configuration(document: &Document, config: &Value, own: &OwnName) -> Vec<Statement> {
    let mut found = Vec::new();
    for field in ["_name_or_path", "name_or_path", "tokenizer_file", "_commit_hash"] {
        found.extend(path(document, config, field, own));
    }
    found.extend(classes(document, config));
    found.extend(auto_map(document, config));
    found.extend(special(document, config));
    if let Some(template) = config.get("chat_template") {
        found.extend(template_texts(template).iter().flat_map(|it| template_traces(document, it, own)));
    }
    found
}

/// A path that names another model.
fn path(document: &Document, config: &Value, field: &str, own: &OwnName) -> Option<Statement> {
    let value = config.get(field).and_then(Value::as_str).filter(|it| !it.is_empty() && it.len() < 1_024)?;
    let names = others(value, own);
    let is_repository = value.split('/').count() == 2 && !value.starts_with(['.', '/']);
    if names.is_empty() && !is_repository {
        return None;
    }
    let is_own = names.is_empty() && !others_any(value, own);
    (!is_own).then(|| Statement {
        part: Some(if document.name.starts_with("tokenizer") { StatedPart::Tokenizer } else { StatedPart::Weights }),
        values: if names.is_empty() { vec![value.to_owned()] } else { names },
        line: line_of(&document.text, field),
        ..bare(document, StatedAbout::Trace, field, format!("{field}: {value}"))
    })
}

/// The classes that the files are made for.
fn classes(document: &Document, config: &Value) -> Vec<Statement> {
    let listed = |field: &str| -> Vec<String> {
        let value = config.get(field);
        let one = value.and_then(Value::as_str).into_iter();
        let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        one.chain(many).take(MOST).map(str::to_owned).collect()
    };
    let trace = |field: &str, part: StatedPart| {
        let values = listed(field);
        (!values.is_empty()).then(|| Statement {
            part: Some(part),
            line: line_of(&document.text, field),
            values: values.clone(),
            ..bare(document, StatedAbout::Trace, field, format!("{field}: {}", values.join(", ")))
        })
    };
    let is_tokenizer = document.name.starts_with("tokenizer");
    let of_model = || ["architectures", "model_type"].into_iter().filter_map(|it| trace(it, StatedPart::Architecture));
    if is_tokenizer {
        trace("tokenizer_class", StatedPart::Tokenizer).into_iter().collect()
    } else {
        of_model().collect()
    }
}

/// `auto_map` names code that would be run; `ORG/NAME--file.Class` is another repository's. It is listed and never
/// fetched.
fn auto_map(document: &Document, config: &Value) -> Vec<Statement> {
    let Some(map) = config.get("auto_map").and_then(Value::as_object) else { return Vec::new() };
    let text = |it: &Value| match it {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let entries = map.iter().take(MOST).flat_map(|(key, value)| text(value).into_iter().map(move |it| (key, it)));
    let statement = |(key, code): (&String, String)| {
        let repository = code.split_once("--").map(|(repository, _)| repository.to_owned());
        Statement {
            part: Some(StatedPart::Code),
            values: repository.into_iter().collect(),
            line: line_of(&document.text, key),
            ..bare(document, StatedAbout::Trace, "auto_map", format!("auto_map.{key}: {code}"))
        }
    };
    entries.map(statement).collect()
}

/// Special tokens that are one vendor's own, by vendor.
fn special(document: &Document, config: &Value) -> Vec<Statement> {
    let mut by_vendor: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut tokens: Vec<String> = Vec::new();
    if let Some(added) = config.get("added_tokens_decoder").and_then(Value::as_object) {
        tokens.extend(added.values().filter_map(|it| it.get("content")?.as_str()).map(str::to_owned));
    }
    let fields = config.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("_token"));
    tokens.extend(fields.filter_map(|(_, it)| it.as_str().or_else(|| it.get("content")?.as_str())).map(str::to_owned));
    let more = config.get("additional_special_tokens").and_then(Value::as_array).into_iter().flatten();
    tokens.extend(more.filter_map(|it| it.as_str().or_else(|| it.get("content")?.as_str())).map(str::to_owned));
    tokens.sort();
    tokens.dedup();
    for token in tokens {
        if let Some((vendor, _)) = vendor(&token) {
            by_vendor.entry(vendor).or_default().push(token);
        }
    }
    let statement = |(vendor, tokens): (&'static str, Vec<String>)| {
        let shown: Vec<&str> = tokens.iter().take(8).map(String::as_str).collect();
        let quote = format!("{} of {vendor}: {}", tokens.len(), shown.join(" "));
        Statement {
            part: Some(StatedPart::Tokenizer),
            values: vec![vendor.to_owned()],
            line: tokens.first().and_then(|it| line_of(&document.text, it)),
            ..bare(document, StatedAbout::Trace, "special_tokens", quote)
        }
    };
    by_vendor.into_iter().map(statement).collect()
}

fn template_texts(template: &Value) -> Vec<String> {
    match template {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => {
            all.iter().take(MOST).filter_map(|it| it.get("template")?.as_str()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Names of other models in a chat template: what it is told to be.
pub(crate) fn template_traces(document: &Document, template: &str, own: &OwnName) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    for (line, number) in template.split('\n').take(5_000).zip(1_u64..) {
        let line: String = line.chars().take(2_000).collect();
        let names = others(&line.replace(['{', '}', '\'', '\\'], " "), own);
        let is_new = |it: &String| !found.iter().any(|known| known.values.contains(it));
        let new: Vec<String> = names.into_iter().filter(is_new).collect();
        if !new.is_empty() && found.len() < MOST {
            let line_number =
                if document.name.ends_with(".jinja") { Some(number) } else { line_of(&document.text, "chat_template") };
            found.push(Statement {
                values: new,
                line: line_number,
                ..bare(document, StatedAbout::Trace, "chat_template", line.trim().to_owned())
            });
        }
    }
    found
}

/// Other models that a text names.
fn others(text: &str, own: &OwnName) -> Vec<String> {
    let text: String = text.chars().take(2_000).collect();
    let mut names: Vec<String> = tokens(&text, Names::builtin(), own)
        .iter()
        .filter_map(|it| it.other_model())
        .filter(|it| it.is_model && it.own == Own::No)
        .map(|it| it.written.clone())
        .collect();
    let parts = text.split(['/', '\\']).map(str::trim).filter(|it| Names::builtin().is_model(it));
    let is_own = |it: &&str| tokens(it, Names::builtin(), own).iter().any(Token::is_own);
    names.extend(parts.filter(|it| !it.contains(' ') && !is_own(it)).map(str::to_owned));
    names.sort();
    // A path and the name at its end are one name.
    names.dedup();
    let whole = names.clone();
    let is_in =
        |it: &String, other: &String| other.ends_with(&format!("/{it}")) || other.starts_with(&format!("{it}/"));
    names.retain(|it| !whole.iter().any(|other| other != it && is_in(it, other)));
    names
}

fn others_any(value: &str, own: &OwnName) -> bool {
    !tokens(value, Names::builtin(), own).iter().any(Token::is_own)
}
