//! Holds a model against a reference: form, configuration, and the weights where both sides have them.

use crate::blueprint::compare_blueprints;
use crate::catalog::Catalog;
use crate::checkpoint;
use crate::checkpoint::Data;
use crate::fact::{Comparison, Cost, RuleId, Unexamined, Weights, WeightsRelation};
use crate::lineage::fingerprint::{Tokens, held, held_back};
use crate::lineage::look::{FREELY, Look};
use crate::lineage::tokens;
use crate::lineage::tokens::Vocabularies;
use crate::lineage::towers::Towers;
use crate::lineage::unexamined::{not_examined, not_read, unexamined};
use crate::lineage::{Model, adapters};
use crate::weights::{Effort, Fingerprint, Finite, Net, Plan, relate, with_towers};

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
    if let (Some(kept), None) = (&subject.fingerprint, &reference.fingerprint)
        && let Some(theirs) = reference.data()?
    {
        let plan = look.plan(subject, reference);
        let (weights, unexamined) = held_back(kept, reference, &theirs, plan, look.watch)?;
        comparison.weights = weights;
        comparison.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
        comparison.unexamined.extend(unexamined);
        comparison.cost.bytes_read = comparison.cost.bytes_read.saturating_add(theirs.bytes_read());
        return Ok(comparison);
    }
    let Some(ours) = subject.data()? else {
        comparison.unexamined.extend(no_subject(subject));
        return Ok(with_vocabularies(comparison, subject, reference));
    };
    if let Some(kept) = &reference.fingerprint {
        against_fingerprint(&mut comparison, &ours, subject, (reference, kept), look)?;
        return Ok(comparison);
    }
    let Some(theirs) = reference.data()? else { return Ok(with_vocabularies(comparison, subject, reference)) };
    let vocabularies = tokens::vocabularies(subject, reference);
    let finite = (Finite::new(&ours), Finite::new(&theirs));
    let nets = (Net::new(&subject.blueprint, &finite.0), Net::new(&reference.blueprint, &finite.1));
    let plan = look.plan(subject, reference);
    // A quick look that goes no further promises to read little, and leaves towers out.
    let towers = match plan.effort {
        Effort::Quick if !plan.goes_on => Towers::unseen(&subject.blueprint),
        _ => Towers::of(&subject.blueprint, &reference.blueprint),
    };
    // A tower is one more reference, and one more chance to find something.
    let plan = Plan { references: plan.references.saturating_mul(1 + towers.comparisons()), ..plan };
    let sides = ((subject, &ours, &finite.0), (reference, &theirs, &finite.1));
    comparison.weights = match adapters::relate(sides.0, sides.1, &nets, plan.references)? {
        Some(weights) => weights,
        None => {
            let held = (vocabularies.shared.as_deref(), plan, look.watch);
            let weights = relate(&nets.0, &nets.1, held.0, plan, look.watch)?;
            let weights = towers.language(weights, &nets.0, &finite.1, held)?;
            let beside = towers.relate((&finite.0, &finite.1), &nets.1, held)?;
            with_towers(weights, subject.blueprint.main_list(), beside)
        }
    };
    comparison.unexamined.retain(|it| it.what != "weights");
    take_in(&mut comparison, vocabularies);
    comparison.unexamined.extend(left_for_later(&comparison.weights, subject, reference));
    comparison.unexamined.extend(not_read(subject, &ours, &finite.0, &nets.0));
    comparison.unexamined.extend(not_read(reference, &theirs, &finite.1, &nets.1));
    if comparison.weights.relation != WeightsRelation::Identical {
        comparison.unexamined.extend(towers.left_out(subject, &nets.0));
    }
    comparison.cost.bytes_read =
        comparison.cost.bytes_read.saturating_add(ours.bytes_read()).saturating_add(theirs.bytes_read());
    Ok(comparison)
}

/// Holds a model against a fingerprint: the same tests on what was kept.
fn against_fingerprint(
    comparison: &mut Comparison,
    ours: &Data,
    subject: &Model,
    reference: (&Model, &Fingerprint),
    look: &Look<'_>,
) -> Result<(), checkpoint::Error> {
    let finite = Finite::new(ours);
    let net = Net::new(&subject.blueprint, &finite);
    let tokens = Tokens::of(subject);
    let plan = look.plan(subject, reference.0);
    let towers = Towers::beside(&subject.blueprint);
    let sides = (subject, ours, &finite, &net);
    let (weights, unexamined) = held(sides, &towers, &tokens, reference.1, plan, look.watch)?;
    comparison.weights = weights;
    comparison.unexamined.retain(|it| it.what != "weights" && it.what != "tokenizer");
    comparison.unexamined.extend(unexamined);
    comparison.unexamined.extend(left_for_later(&comparison.weights, subject, reference.0));
    comparison.unexamined.extend(not_read(subject, ours, &finite, &net).into_iter().filter(|it| it.why != "adapter"));
    comparison.unexamined.extend(towers.left_out(subject, &net));
    let read = ours.bytes_read().saturating_add(tokens.bytes_read());
    comparison.cost.bytes_read = comparison.cost.bytes_read.saturating_add(read);
    Ok(())
}

/// Why a subject that is a fingerprint was not looked at.
fn no_subject(subject: &Model) -> Option<Unexamined> {
    let detail = "of a model that is a fingerprint weights are compared with the files of a reference alone";
    subject.fingerprint.as_ref().map(|_| not_examined("weights", "fingerprint", detail))
}

/// What a quick look that was not followed by another leaves open, with what the other would cost.
fn left_for_later(weights: &Weights, subject: &Model, reference: &Model) -> Option<Unexamined> {
    let is_open = weights.rule == Some(RuleId::QuickLook);
    let with_files = [subject, reference].into_iter().filter(|it| it.fingerprint.is_none());
    let bytes = with_files.filter_map(|it| it.data_bytes).fold(0_u64, u64::saturating_add);
    is_open.then(|| {
        let detail = format!(
            "a quick look read what stands in its place, and more than {FREELY} bytes behind an address are not \
             fetched unless that is asked for; `--effort standard` reads at most the {bytes} bytes of both models' data"
        );
        not_examined("weights", "quick-look", &detail)
    })
}

/// Vocabularies need no weights: an index alone may have one beside it. A fingerprint has none.
fn with_vocabularies(mut comparison: Comparison, subject: &Model, reference: &Model) -> Comparison {
    if [subject, reference].iter().all(|it| it.fingerprint.is_none()) {
        take_in(&mut comparison, tokens::vocabularies(subject, reference));
    }
    comparison
}

/// What the vocabularies say, where both sides have files that may hold one.
fn take_in(comparison: &mut Comparison, vocabularies: Vocabularies) {
    if vocabularies.facts.is_some() || !vocabularies.unexamined.is_empty() {
        comparison.unexamined.retain(|it| it.what != "tokenizer");
    }
    comparison.unexamined.extend(vocabularies.unexamined);
    comparison.tokenizer = vocabularies.facts;
    comparison.cost.bytes_read = comparison.cost.bytes_read.saturating_add(vocabularies.bytes_read);
}
