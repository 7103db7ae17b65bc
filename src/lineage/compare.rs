//! Holds a model against a reference: form, configuration, and the weights where both sides have them.

use crate::blueprint::compare_blueprints;
use crate::catalog::Catalog;
use crate::checkpoint;
use crate::fact::{Comparison, Cost, Unexamined, Weights};
use crate::lineage::{Model, not_examined, tokens, unexamined};
use crate::weights::{Effort, Finite, Net, Plan, QUICK_LOOK, Watch, relate};

/// How far to look at weights, and who is told how far the work is.
pub struct Look<'a> {
    /// Where to begin; where nothing is said, `standard` for two models on this machine, and otherwise a quick look alone.
    pub effort: Option<Effort>,
    /// Who hears of progress.
    pub watch: &'a dyn Watch,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self { effort: None, watch: &() }
    }
}

impl Look<'_> {
    /// Nobody asked for gigabytes over the network who did not say so; a quick look at files on this machine goes on by
    /// itself where it does not decide.
    fn plan(&self, subject: &Model, reference: &Model) -> Plan {
        let is_far = subject.is_far() || reference.is_far();
        let usual = if is_far { Effort::Quick } else { Effort::Standard };
        Plan { effort: self.effort.unwrap_or(usual), goes_on: !is_far }
    }
}

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
///
/// # Errors
/// A file that cannot be read; numbers that can be described and not decoded are told in `unexamined` instead.
pub fn compare_with_weights(
    subject: &Model,
    reference: &Model,
    catalog: &Catalog,
    look: &Look<'_>,
) -> Result<Comparison, checkpoint::Error> {
    let mut comparison = compare(subject, reference, catalog);
    let (Some(ours), Some(theirs)) = (subject.data()?, reference.data()?) else { return Ok(comparison) };
    let vocabularies = tokens::vocabularies(subject, reference);
    let finite = (Finite::new(&ours), Finite::new(&theirs));
    let nets = (Net::new(&subject.blueprint, &finite.0), Net::new(&reference.blueprint, &finite.1));
    comparison.weights =
        relate(&nets.0, &nets.1, vocabularies.shared.as_deref(), look.plan(subject, reference), look.watch)?;
    comparison.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    comparison.unexamined.extend(vocabularies.unexamined);
    comparison.unexamined.extend(left_for_later(&comparison.weights, subject, reference));
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

/// What a quick look that was not followed by another leaves open, with what the other would cost.
fn left_for_later(weights: &Weights, subject: &Model, reference: &Model) -> Option<Unexamined> {
    let is_open = weights.rule.as_deref() == Some(QUICK_LOOK);
    let bytes = [subject, reference].iter().filter_map(|it| it.data_bytes).fold(0_u64, u64::saturating_add);
    is_open.then(|| {
        let detail = format!(
            "a quick look read what stands in its place, and a model behind an address is not read whole unless that is \
             asked for; `--effort standard` reads at most the {bytes} bytes of both models' data"
        );
        not_examined("weights", "quick-look", &detail)
    })
}
