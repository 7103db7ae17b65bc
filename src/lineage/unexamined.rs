//! What was not looked at, and why.

use std::collections::BTreeMap;

use crate::checkpoint::Data;
use crate::fact::{Origin, Unexamined};
use crate::lineage::{Model, adapters};
use crate::weights::{Finite, Net};

/// What no answer by form looks at, and why. `compare_with_weights` takes out what it did look at.
pub(super) fn unexamined(model: &Model, reference: Option<&Model>) -> Vec<Unexamined> {
    let models = || std::iter::once(model).chain(reference);
    let (why, weights, tokenizer) = match models().find(|it| !it.has_weights()) {
        Some(without) if without.name.origin == Origin::Catalog => {
            let name = &without.name.name;
            (
                "catalogue-entry",
                format!(
                    "{name} is a catalogue blueprint without weights, so no weight could be compared; a form relation \
                     says nothing about weights"
                ),
                format!("{name} is a catalogue blueprint without a tokenizer, so no vocabulary could be compared"),
            )
        }
        Some(without) => (
            "index-only",
            format!("the weights of {} are not there, so none could be read", without.name.name),
            BY_FORM_TOKENIZER.to_owned(),
        ),
        None => (
            "by-form",
            "this answer goes by names, shapes and configuration, which say nothing about weights; `unshell compare` \
             reads the weights of two models"
                .to_owned(),
            BY_FORM_TOKENIZER.to_owned(),
        ),
    };
    let why_tokenizer = if why == "index-only" { "by-form" } else { why };
    let shapes = models().filter(|it| it.blueprint.is_by_names()).map(|it| {
        let detail = format!(
            "{} is an index without weights: shapes, element types and counts are not known, names are the index's \
             word, and sizes the configuration's",
            it.name.name
        );
        not_examined("shapes", "index-only", &detail)
    });
    let mut unexamined: Vec<Unexamined> = shapes.collect();
    unexamined.extend([
        not_examined("weights", why, &weights),
        not_examined("tokenizer", why_tokenizer, &tokenizer),
        not_examined("code", "not-in-this-version", "this version does not read model code"),
    ]);
    unexamined
}

const BY_FORM_TOKENIZER: &str =
    "this answer goes by names, shapes and configuration; `unshell compare` compares two vocabularies";

pub(super) fn not_examined(what: &str, why: &str, detail: &str) -> Unexamined {
    Unexamined { what: what.to_owned(), why: why.to_owned(), detail: detail.to_owned() }
}

/// What of a model's weights was not read, or not as it stands.
pub(super) fn not_read(model: &Model, data: &Data, finite: &Finite<'_>, net: &Net<'_>) -> Vec<Unexamined> {
    let adapter = adapters::note(data);
    let unread =
        (adapter.is_none() && !net.left_out().is_empty()).then(|| format!("not read: {}", by_reason(net, data)));
    let packed =
        adapter.is_none().then(|| model.blueprint.unread_packings().into_iter().map(|it| it.detail)).into_iter();
    let packed = Some(packed.flatten().collect::<Vec<_>>().join("; ")).filter(|it| !it.is_empty());
    let odd = (finite.replaced() > 0).then(|| {
        "some of its numbers are not finite (NaN or infinite), and were read as zero; a working model has none".into()
    });
    let mut found = Vec::new();
    for (what, why, detail) in [
        ("weights", "adapter", adapter),
        ("tensors", "not-decoded", unread),
        ("tensors", "packed", packed),
        ("tensors", "not-finite", odd),
    ] {
        let named = |it: String| not_examined(what, why, &format!("{}: {it}", model.name.name));
        found.extend(detail.map(named));
    }
    found
}

/// How many tensors cannot be read, by the reason, each with some of their names.
fn by_reason(net: &Net<'_>, data: &Data) -> String {
    const SHOWN: usize = 6;
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in net.left_out() {
        let found = data.values().iter().find(|it| it.name == *name);
        let why = found.map_or_else(|| Some("it is not in the files".to_owned()), |it| it.unreadable.clone());
        let why = why.unwrap_or_else(|| "its element type or layout cannot be decoded".to_owned());
        reasons.entry(why).or_default().push(name);
    }
    let reported = reasons.iter().map(|(why, names)| {
        let more = names.len().saturating_sub(SHOWN);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest} ({why})", names[..names.len().min(SHOWN)].join(", "))
    });
    reported.collect::<Vec<_>>().join("; ")
}
