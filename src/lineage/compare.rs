//! Holds a model against a reference: form, configuration, and the weights where both sides have them.

use crate::blueprint::compare_blueprints;
use crate::catalog::Catalog;
use crate::checkpoint;
use crate::fact::{Comparison, Cost, Unexamined, Weights};
use crate::lineage::{Model, tokens, unexamined};
use crate::weights::{Net, relate};

/// What names, shapes and configurations say about two models, and nothing on weights.
pub fn compare(subject: &Model, reference: &Model, catalog: &Catalog) -> Comparison {
    Comparison {
        schema: "unshell/compare/1".into(),
        subject: subject.name.clone(),
        reference: reference.name.clone(),
        form: compare_blueprints(&subject.blueprint, &reference.blueprint),
        config: catalog.agreement(subject.blueprint.config(), reference.blueprint.config()),
        weights: Weights::default(),
        tokenizer: None,
        unexamined: unexamined(subject, Some(reference)),
        catalog: catalog.reach(),
        cost: Cost { bytes_read: subject.bytes_read.saturating_add(reference.bytes_read), seconds: None },
    }
}

/// The same, and what the weights say, where both sides have any. Reads them layer by layer.
pub fn compare_with_weights(
    subject: &Model,
    reference: &Model,
    catalog: &Catalog,
) -> Result<Comparison, checkpoint::Error> {
    let mut comparison = compare(subject, reference, catalog);
    let (Some(ours), Some(theirs)) = (subject.data()?, reference.data()?) else { return Ok(comparison) };
    let vocabularies = tokens::vocabularies(subject, reference);
    let nets = (Net::new(&subject.blueprint, &ours), Net::new(&reference.blueprint, &theirs));
    comparison.weights = relate(&nets.0, &nets.1, vocabularies.shared.as_deref())?;
    comparison.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    comparison.unexamined.extend(vocabularies.unexamined);
    comparison.tokenizer = vocabularies.facts;
    let left_out: Vec<String> = nets.0.left_out().iter().chain(nets.1.left_out()).cloned().collect();
    if !left_out.is_empty() {
        comparison.unexamined.push(Unexamined {
            what: "tensors".into(),
            why: "not-decoded".into(),
            detail: format!("not read, since their element type or layout cannot be decoded: {}", left_out.join(", ")),
        });
    }
    comparison.cost.bytes_read =
        comparison.cost.bytes_read.saturating_add(ours.bytes_read()).saturating_add(theirs.bytes_read());
    comparison.cost.bytes_read = comparison.cost.bytes_read.saturating_add(vocabularies.bytes_read);
    Ok(comparison)
}
