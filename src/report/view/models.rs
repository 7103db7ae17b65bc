//! Model by model on page 1: what the company declares of its weights, what was measured, and whether that agrees.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::case::Kind;
use crate::fact::{Argument, StatedAbout, Statement, last_part, letters};
use crate::report::page::Words;
use crate::report::view::Writer;
use crate::report::view::writer::count;
use crate::scoring::{Basis, Bearing, Disclosure, ModelVerdict, Order, Relation};

/// A small table on page 1: one row a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Strip {
    /// What it shows.
    pub title: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// One row a model.
    pub rows: Vec<Vec<Words>>,
    /// References that were not compared.
    pub note: Option<Words>,
}

pub(in crate::report) fn write(writer: &Writer<'_>) -> Strip {
    let models = &writer.card.models;
    let has_several = models.len() > 1;
    let names: &[&str] = if has_several { &["column.model", "column.verdict"] } else { &[] };
    let columns = names.iter().chain(&["strip.declared", "strip.measured", "strip.agree"]);
    let row = |it: &ModelVerdict| {
        let mut cells = Vec::new();
        if has_several {
            cells.push(Words::strong(writer.text(&it.name)));
            cells.push(Words::plain(writer.text(&it.verdict.name)));
        }
        cells.extend([declared(writer, it), measured(writer, it), writer.say(agreement(it))].map(Words::plain));
        cells
    };
    Strip {
        title: writer.say("strip.title"),
        columns: columns.map(|it| writer.say(it)).collect(),
        rows: models.iter().map(row).collect(),
        note: untested(writer),
    }
}

/// What the company says of where the weights come from.
fn declared(writer: &Writer<'_>, model: &ModelVerdict) -> String {
    let text = named(writer, model);
    let date = model.disclosures.get("weights").and_then(|it| it.date).unwrap_or(writer.card.date).to_string();
    let own = |it: &&Statement| it.about != StatedAbout::Parent;
    let first = model.stated.iter().find(own).or_else(|| model.stated.first());
    let Some(statement) = first else { return text };
    let place = statement.line.map_or(statement.file.clone(), |it| format!("{}:{it}", statement.file));
    let quote: String = statement.quote.chars().filter(|it| !it.is_control()).take(LONGEST_QUOTE).collect();
    writer.fill("strip.quote", &[("text", &text), ("quote", &quote), ("place", &place), ("date", &date)])
}

/// Characters of a quote on page 1.
const LONGEST_QUOTE: usize = 160;

/// The models that the company names, or that it names none.
fn named(writer: &Writer<'_>, model: &ModelVerdict) -> String {
    let Some(disclosure) = model.disclosures.get("weights") else { return writer.say("strip.nothing") };
    if disclosure.values == ["silent"] && disclosure.parents.is_empty() {
        return writer.say("strip.silent");
    }
    if is_denied(disclosure) {
        return writer.say("strip.denied");
    }
    let how = match disclosure.values.as_slice() {
        // Another source is named, and not the one that was found.
        [only] if only == "silent" => writer.say("strip.how.some"),
        [only] => writer.word("strip.how", only),
        _ => writer.say("strip.how.some"),
    };
    let parents: BTreeSet<&str> = disclosure.parents.iter().map(|it| last_part(it)).collect();
    let parents = writer.list(parents.into_iter().map(str::to_owned));
    writer.fill("strip.named", &[("models", &parents), ("how", &how)])
}

fn is_denied(disclosure: &Disclosure) -> bool {
    disclosure.values.iter().any(|it| it == "denied")
}

/// A place on somebody's disk is no name.
fn others(model: &ModelVerdict) -> impl Iterator<Item = &Relation> {
    model.relations.iter().filter(|it| !it.own)
}

fn derived(model: &ModelVerdict, order: Order) -> Vec<&Relation> {
    others(model).filter(|it| it.bearing == Bearing::Derived && it.order == order).collect()
}

/// What the weights say, in the order in which it matters.
fn measured(writer: &Writer<'_>, model: &ModelVerdict) -> String {
    let naming = |key: &str, all: &[&Relation]| {
        let names = writer.list(all.iter().map(|it| it.reference.clone()));
        writer.fill(key, &[("references", &names)])
    };
    let counting = |key: &str| {
        let (examined, references) = (count(model.whose.examined), count(model.whose.references));
        writer.fill(key, &[("examined", &examined), ("references", &references)])
    };
    let (earlier, unordered) = (derived(model, Order::ReferenceEarlier), derived(model, Order::Unknown));
    let parts: Vec<&Relation> = others(model).filter(|it| it.bearing == Bearing::ClearButPart).collect();
    let later = derived(model, Order::SubjectEarlier);
    match () {
        () if model.whose.basis == Basis::Upstream => writer.say("strip.upstream"),
        () if model.kind == Kind::Api => writer.say("strip.interface"),
        () if !earlier.is_empty() => naming("strip.derived", &earlier),
        () if !unordered.is_empty() => naming("strip.related", &unordered),
        () if !parts.is_empty() => naming("strip.part", &parts),
        () if !later.is_empty() => naming("strip.later", &later),
        () if model.whose.basis == Basis::Reported => writer.say("strip.reported"),
        () if model.whose.examined == 0 => writer.say("strip.unexamined"),
        () if others(model).any(|it| it.bearing == Bearing::Open) => counting("strip.open"),
        () => counting("strip.clear"),
    }
}

/// Whether the two agree, by the facts that the verdict is about.
fn agreement(model: &ModelVerdict) -> &'static str {
    let disclosure = model.disclosures.get("weights");
    let was_compared = |parent: &String| {
        let mut compared = others(model).filter(|it| matches!(it.bearing, Bearing::Clear | Bearing::ClearButPart));
        compared.any(|it| is_called(it, parent))
    };
    let earlier = derived(model, Order::ReferenceEarlier);
    let is_denied = disclosure.is_some_and(is_denied);
    let Some(disclosure) = disclosure.filter(|_| !is_denied) else {
        return match (earlier.is_empty(), is_denied) {
            (false, true) => "strip.agree.denied",
            (false, false) => "strip.agree.undeclared",
            (true, _) if is_clear(model) => "strip.agree.none",
            (true, _) => "strip.agree.unknown",
        };
    };
    if !earlier.is_empty() {
        let all_named = earlier.iter().all(|it| is_named(disclosure, it));
        let none_named = !earlier.iter().any(|it| is_named(disclosure, it));
        return match (all_named, none_named && disclosure.parents.iter().any(was_compared)) {
            (true, _) => "strip.agree.yes",
            (false, true) => "strip.agree.wrong",
            (false, false) => "strip.agree.undeclared",
        };
    }
    if disclosure.parents.iter().any(was_compared) { "strip.agree.not_found" } else { "strip.agree.unknown" }
}

/// No derivation from an earlier model, and that is settled by a measurement.
fn is_clear(model: &ModelVerdict) -> bool {
    model.whose.closed && model.whose.basis == Basis::Measured && !model.whose.may_be_at_most(2)
}

/// Whether the company names this reference: as the engine matched it, or by its name or place.
fn is_named(disclosure: &Disclosure, relation: &Relation) -> bool {
    let admitted = match relation.order_because.arguments.get("model") {
        Some(Argument::Name(model)) => disclosure.parents.contains(model),
        _ => false,
    };
    admitted || disclosure.parents.iter().any(|it| is_called(relation, it))
}

fn is_called(relation: &Relation, name: &str) -> bool {
    let key = |it: &str| letters(last_part(it));
    [&relation.reference, &relation.location].iter().any(|it| key(it) == key(name))
}

/// References of which no weights were compared, each once.
fn untested(writer: &Writer<'_>) -> Option<Words> {
    let models = writer.card.models.iter().filter(|it| it.kind == Kind::Files);
    let untested = models.flat_map(others).filter(|it| it.bearing == Bearing::Unexamined);
    let names: BTreeSet<&String> = untested.map(|it| &it.reference).collect();
    let references = writer.list(names.iter().map(|it| (*it).clone()));
    (!names.is_empty()).then(|| Words::quiet(writer.fill("strip.untested", &[("references", &references)])))
}
