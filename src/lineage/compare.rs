//! Holds a model against a reference: form, configuration, and the weights where both sides have them.

use crate::blueprint::compare_blueprints;
use crate::catalog::Catalog;
use crate::checkpoint;
use crate::fact::{Comparison, Cost, Weights};
use crate::lineage::{Model, not_examined, tokens, unexamined};
use crate::weights::{Finite, Net, relate};

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
    let finite = (Finite::new(&ours), Finite::new(&theirs));
    let nets = (Net::new(&subject.blueprint, &finite.0), Net::new(&reference.blueprint, &finite.1));
    comparison.weights = relate(&nets.0, &nets.1, vocabularies.shared.as_deref())?;
    comparison.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    comparison.unexamined.extend(vocabularies.unexamined);
    comparison.tokenizer = vocabularies.facts;
    let sides = [(subject, &ours, &finite.0, &nets.0), (reference, &theirs, &finite.1, &nets.1)];
    for (model, data, finite, net) in sides {
        let adapter = data.checkpoint().adapter.as_ref().map(|_| {
            "it is an adapter, which holds changes and no weights of a model; merge it into its base to compare it"
                .into()
        });
        let unread = (!net.left_out().is_empty()).then(|| {
            let names = net.left_out().join(", ");
            format!("not read, since their element type or layout cannot be decoded: {names}")
        });
        let odd = (finite.replaced() > 0).then(|| {
            "some of its numbers are not finite (NaN or infinite), and were read as zero; a working model has none"
                .into()
        });
        for (what, why, detail) in
            [("weights", "adapter", adapter), ("tensors", "not-decoded", unread), ("tensors", "not-finite", odd)]
        {
            let named = |it: String| not_examined(what, why, &format!("{}: {it}", model.name.name));
            comparison.unexamined.extend(detail.map(named));
        }
    }
    comparison.cost.bytes_read =
        comparison.cost.bytes_read.saturating_add(ours.bytes_read()).saturating_add(theirs.bytes_read());
    comparison.cost.bytes_read = comparison.cost.bytes_read.saturating_add(vocabularies.bytes_read);
    Ok(comparison)
}
