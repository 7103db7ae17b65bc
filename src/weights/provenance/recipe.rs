//! How the subject came from the reference: layers, units, tokens, precision; and how it was re-arranged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::checkpoint::Error;
use crate::fact::{Disguise, DisguiseId, LayerSource, RecipeStep, StepId, Weights, WeightsRelation};
use crate::stats::levels::rounded;
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::Budget;
use crate::weights::model::view::Net;
use crate::weights::provenance::delta;
use crate::weights::provenance::delta::Delta;

/// Adds layer map, recipe and disguises, where there is a relation at all.
pub(crate) fn describe(
    subject: &Net<'_>,
    reference: &Net<'_>,
    measured: &Measured,
    weights: &mut Weights,
    budget: &Budget,
) -> Result<(), Error> {
    if !matches!(weights.relation, WeightsRelation::Derived | WeightsRelation::SharedInit | WeightsRelation::Identical)
    {
        return Ok(());
    }
    weights.layer_map = layer_map(subject, reference, measured);
    weights.disguises = disguises(measured);
    if weights.relation == WeightsRelation::Derived {
        // A layer that never arrived was not taken out.
        if measured.has_all_layers && subject.empty.is_empty() && reference.empty.is_empty() {
            layers(reference, &weights.layer_map, &mut weights.recipe);
        }
        widths(subject, reference, measured, &mut weights.recipe);
        experts(subject, reference, measured, &mut weights.recipe);
        vocabulary(subject, reference, measured, &mut weights.recipe);
        numbers(subject, reference, measured, weights, budget)?;
    }
    Ok(())
}

fn layer_map(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured) -> Vec<LayerSource> {
    let mut map = Vec::new();
    for (at, answer) in measured.answers.iter().enumerate() {
        let blocks: Vec<_> = measured.blocks.iter().filter(|it| it.answer == at).map(|it| &it.units).collect();
        let possible: usize = blocks.iter().map(|it| it.possible).sum();
        let agreeing: usize = blocks.iter().map(|it| it.agreeing).sum();
        let pairs: usize = blocks.iter().map(|it| it.pairs.len()).sum();
        let units = agreeing as f64 / possible.max(1) as f64;
        let cosine = blocks.iter().map(|it| it.gate_cosine).sum::<f64>() / pairs.max(1) as f64;
        let source = (units >= AGREEING_SHARE).then(|| reference.layers[answer.reference].index);
        map.push(LayerSource {
            subject: subject.layers[answer.subject].index,
            reference: source,
            units: rounded(units),
            cosine: rounded(cosine),
        });
    }
    map
}

fn step(step: StepId, certainty: &str, parameters: &[(&str, Value)], detail: String) -> RecipeStep {
    let parameters: BTreeMap<String, Value> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    RecipeStep { step, certainty: certainty.to_owned(), parameters, detail }
}

fn layers(reference: &Net<'_>, map: &[LayerSource], recipe: &mut Vec<RecipeStep>) {
    let sources: Vec<u32> = map.iter().filter_map(|it| it.reference).collect();
    let used: BTreeSet<u32> = sources.iter().copied().collect();
    let dropped: Vec<u32> = reference.layers.iter().map(|it| it.index).filter(|it| !used.contains(it)).collect();
    if !dropped.is_empty() && !used.is_empty() {
        let detail = format!("{} of the reference's layers have no answer in the subject", dropped.len());
        recipe.push(step(
            StepId::LayersDropped,
            "measured",
            &[("layers", json!(dropped)), ("map", json!(sources))],
            detail,
        ));
    }
    if used.len() < sources.len() {
        let detail = format!("{} layers come from {} of the reference", sources.len(), used.len());
        recipe.push(step(StepId::LayersDuplicated, "measured", &[("map", json!(sources))], detail));
    }
    let new: Vec<u32> = map.iter().filter(|it| it.reference.is_none()).map(|it| it.subject).collect();
    if !new.is_empty() {
        let detail = format!("{} layers of the subject match none of the reference", new.len());
        recipe.push(step(StepId::LayersAdded, "measured", &[("layers", json!(new))], detail));
    }
    let runs = sources.windows(2).filter(|it| it[1] < it[0]).count();
    if used.len() == sources.len() && runs > 0 {
        let detail = "layers stand in another order than in the reference".to_owned();
        recipe.push(step(StepId::LayersReordered, "measured", &[("map", json!(sources))], detail));
    }
}

fn widths(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured, recipe: &mut Vec<RecipeStep>) {
    if subject.hidden < reference.hidden {
        let mut parameters = vec![("from", json!(reference.hidden)), ("to", json!(subject.hidden))];
        if let Stream::Signed { source } = &measured.stream {
            parameters.push(("kept", json!(source.iter().flatten().map(|it| it.0).collect::<BTreeSet<_>>())));
        }
        let detail = format!("the stream was cut from {} to {} dimensions", reference.hidden, subject.hidden);
        recipe.push(step(StepId::WidthPruned, "measured", &parameters, detail));
    }
    let units = |net: &Net<'_>| net.layers.first().and_then(|it| it.ffns.first().map(|it| it.width));
    // Blocks that were dealt out to experts have lost nothing by being narrower.
    let is_dense = subject.layers.iter().all(|it| it.ffns.len() < 2);
    if let (Some(ours), Some(theirs)) = (units(subject), units(reference))
        && ours < theirs
        && is_dense
    {
        let kept: Vec<Value> = measured
            .blocks
            .iter()
            .map(|it| json!(it.units.pairs.iter().map(|pair| pair.1).collect::<BTreeSet<_>>().len()))
            .collect();
        let detail = format!("feed-forward blocks have {ours} of the reference's {theirs} units");
        recipe.push(step(
            StepId::UnitsPruned,
            "measured",
            &[("from", json!(theirs)), ("to", json!(ours)), ("matched", json!(kept))],
            detail,
        ));
    }
}

fn experts(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured, recipe: &mut Vec<RecipeStep>) {
    let count = |net: &Net<'_>| net.layers.iter().map(|it| it.ffns.len()).max().unwrap_or(0);
    let (ours, theirs) = (count(subject), count(reference));
    if ours > 1 && theirs == 1 {
        let experts: BTreeSet<usize> = measured
            .blocks
            .iter()
            .filter(|it| it.units.agreeing as f64 >= AGREEING_SHARE * it.units.possible as f64)
            .map(|it| it.subject_expert)
            .collect();
        let detail = format!("{} of {ours} experts were made from the reference's dense block", experts.len());
        recipe.push(step(
            StepId::MoeUpcycled,
            "measured",
            &[("experts", json!(ours)), ("from_reference", json!(experts))],
            detail,
        ));
    }
}

fn vocabulary(subject: &Net<'_>, reference: &Net<'_>, measured: &Measured, recipe: &mut Vec<RecipeStep>) {
    let (Some(ours), Some(theirs)) = (subject.tokens(), reference.tokens()) else { return };
    if ours > theirs && measured.embedding.cosine >= 0.5 {
        let detail = format!("the vocabulary grew from {theirs} to {ours} rows");
        recipe.push(step(
            StepId::VocabularyExtended,
            "measured",
            &[("from", json!(theirs)), ("to", json!(ours))],
            detail,
        ));
    }
    if measured.embedding.count >= 16 && measured.embedding.cosine < 0.5 {
        let detail = format!(
            "token rows keep a cosine of {:.2} only: the embedding was replaced or trained anew",
            measured.embedding.cosine
        );
        recipe.push(step(
            StepId::EmbeddingReplaced,
            "likely",
            &[("cosine", json!(rounded(measured.embedding.cosine)))],
            detail,
        ));
    }
}

/// What was done to the numbers themselves: cast, quantised, pruned, blurred, adapted, trained.
fn numbers(
    subject: &Net<'_>,
    reference: &Net<'_>,
    measured: &Measured,
    weights: &mut Weights,
    budget: &Budget,
) -> Result<(), Error> {
    let recipe = &mut weights.recipe;
    if reference.is_fingerprint() {
        return Ok(());
    }
    let equality = measured.equality;
    if equality.is_bf16 || equality.is_f16 {
        let to = if equality.is_bf16 { "BF16" } else { "F16" };
        let detail = format!("every number is the reference's, rounded to {to}");
        recipe.push(step(StepId::Cast, "measured", &[("to", json!(to))], detail));
        return Ok(());
    }
    let pairs = measured.total(|it| it.pairs.len());
    // A disguise changes numbers more than any training, and says nothing of it.
    let is_as_it_was = measured.stream == Stream::Same && weights.disguises.is_empty();
    let is_comparable = is_as_it_was && measured.total(|it| it.in_place) * 2 >= pairs;
    let kept: Vec<_> = measured.kept().into_iter().map(|at| measured.answers[at].clone()).collect();
    let deltas =
        if is_comparable { delta::measure(subject, reference, &kept, budget.changed_rows)? } else { BTreeMap::new() };
    let (explained, lattice) = (rounded_to(&deltas), lattice(subject, reference)?);
    match (&explained, lattice) {
        (Some(step), _) => recipe.push(step.clone()),
        (None, Some(step)) => {
            recipe.push(step);
            return Ok(());
        }
        (None, None) => {}
    }
    recipe.extend(changed(&deltas));
    Ok(())
}

/// Numbers that lie on a lattice, where the reference's lie on none.
fn lattice(subject: &Net<'_>, reference: &Net<'_>) -> Result<Option<RecipeStep>, Error> {
    let up = |net: &Net<'_>| net.layers.iter().find_map(|it| it.ffns.first()?.up.clone());
    let first: Vec<usize> = (0..8).collect();
    let (Some(ours), Some(theirs)) = (up(subject), up(reference)) else { return Ok(None) };
    let Some((bits, group)) = delta::lattice(&ours.load_rows(subject.numbers, &first)?) else { return Ok(None) };
    if delta::lattice(&theirs.load_rows(reference.numbers, &first)?).is_some() {
        return Ok(None);
    }
    let detail = format!("values lie on a quantization grid of {bits} bits, {group} to a scale");
    let parameters = [("bits", json!(bits)), ("group", json!(group)), ("to", json!(format!("INT{bits}/{group}")))];
    Ok(Some(step(StepId::Quantized, "measured", &parameters, detail)))
}

/// The type whose rounding explains all of the change of some kinds of projections.
fn rounded_to(deltas: &BTreeMap<&'static str, Delta>) -> Option<RecipeStep> {
    let kinds: Vec<(&&str, &Delta)> = deltas.iter().filter(|it| it.1.is_rounded()).collect();
    let words: BTreeSet<&str> = kinds.iter().flat_map(|it| it.1.rounding.word.split(", ")).collect();
    let words: Vec<&str> = words.into_iter().collect();
    let names: Vec<&str> = kinds.iter().map(|it| *it.0).collect();
    if kinds.is_empty() {
        return None;
    }
    let is_cast = words.iter().all(|it| ["BF16", "F16"].contains(it));
    let (word, to) = (if is_cast { StepId::Cast } else { StepId::Quantized }, words.join(", "));
    let which = if kinds.len() == deltas.len() { "all projections".to_owned() } else { names.join(", ") };
    let detail = format!("{which}: rounding to {to} explains the whole change");
    Some(step(word, "measured", &[("to", json!(to)), ("modules", json!(names))], detail))
}

/// The kinds of projections that make a feed-forward block.
const BLOCK: [&str; 3] = ["gate", "up", "down"];

/// One step for what the changes of all kinds of projections have in common, of those that rounding does not explain.
fn changed(deltas: &BTreeMap<&'static str, Delta>) -> Option<RecipeStep> {
    let is_changed = |it: &Delta| it.unchanged < it.numbers && !it.is_rounded();
    let touched: Vec<(&&str, &Delta)> = deltas.iter().filter(|(_, it)| is_changed(it)).collect();
    let count = touched.len().max(1) as f64;
    let mean = |number: &dyn Fn(&Delta) -> f64| touched.iter().map(|it| number(it.1)).sum::<f64>() / count;
    let (size, kurtosis, rank_share) = (mean(&Delta::size), mean(&Delta::kurtosis), mean(&Delta::rank_share));
    let names: Vec<&str> = touched.iter().map(|it| *it.0).collect();
    let zeroed = mean(&|it| it.zeroed as f64 / it.numbers.max(1) as f64);
    let kept_or_zeroed = touched.iter().all(|it| it.1.kept_or_zeroed == it.1.numbers);
    let size_now = ("relative_change", json!(rounded(size)));
    let modules = ("modules", json!(names));
    let which = if touched.len() == deltas.len() { "all projections".to_owned() } else { names.join(", ") };
    if touched.is_empty() {
        return None;
    }
    if kept_or_zeroed && zeroed > 0.05 {
        let detail =
            format!("{:.0} % of the numbers were set to zero, and the others left as they were", zeroed * 100.0);
        return Some(step(StepId::MagnitudePruned, "measured", &[("zeros", json!(rounded(zeroed)))], detail));
    }
    let rank = touched.iter().map(|it| it.1.rank).max().unwrap_or(0);
    if touched.len() < deltas.len() && rank_share < 0.6 && rank > 0 {
        let detail =
            format!("only {} changed, and by matrices of rank {rank}: an adapter was merged", names.join(", "));
        return Some(step(StepId::LoraMerged, "measured", &[("rank", json!(rank)), modules, size_now], detail));
    }
    if (kurtosis - 3.0).abs() < 0.2 && rank_share > 0.9 {
        let detail = format!(
            "{which}: the change is normal noise of {:.1} % and of full rank: nothing was learned",
            size * 100.0
        );
        let parameters = [size_now, ("kurtosis", json!(rounded(kurtosis))), modules];
        return Some(step(StepId::NoiseAdded, "likely", &parameters, detail));
    }
    let parameters = [
        size_now,
        ("unchanged", json!(rounded(mean(&Delta::unchanged_share)))),
        ("kurtosis", json!(rounded(kurtosis))),
        ("rank_share", json!(rounded(rank_share))),
        modules,
    ];
    // Training goes on in the whole model: where a block was left as it was, this was something else.
    let has_block = BLOCK.iter().filter(|it| deltas.contains_key(*it)).all(|it| names.contains(it));
    let (word, detail) = if size < 0.25 || !has_block {
        (StepId::FineTuned, format!("{which} changed, by {:.1} % of their size on average", size * 100.0))
    } else {
        (StepId::ContinuedPretraining, format!("{which} changed by {:.0} % of their size: long training", size * 100.0))
    };
    Some(step(word, "possible", &parameters, detail))
}

fn disguises(measured: &Measured) -> Vec<Disguise> {
    let mut found = Vec::new();
    let mut add = |kind: DisguiseId, detail: String| found.push(Disguise { kind, detail });
    match &measured.stream {
        Stream::Rotated(_) => {
            add(DisguiseId::RotatedStream, "the residual stream was rotated; no training does that".to_owned());
        }
        Stream::Signed { source } => {
            if !measured.stream.is_ordered() {
                add(
                    DisguiseId::PermutedStream,
                    "the coordinates of the residual stream stand in another order".to_owned(),
                );
            }
            let turned = source.iter().flatten().filter(|it| it.1 < 0.0).count();
            if turned * 10 > source.len() {
                add(
                    DisguiseId::SignFlippedStream,
                    format!("{turned} coordinates of the residual stream have the other sign"),
                );
            }
        }
        Stream::Same => {}
    }
    let pairs = measured.total(|it| it.pairs.len());
    let agreeing = measured.total(|it| it.agreeing);
    let in_place = measured.total(|it| it.in_place);
    let is_same_size =
        measured.blocks.iter().all(|it| it.units.possible == it.units.pairs.len() || it.units.in_place > 0);
    if agreeing * 2 > pairs && in_place * 4 < pairs && is_same_size && measured.has_one_width {
        add(
            DisguiseId::PermutedUnits,
            format!("{} of {pairs} matched hidden units stand at another place", pairs - in_place),
        );
    }
    let turned = measured.total(|it| it.turned);
    if turned * 5 > pairs && agreeing * 2 > pairs {
        add(
            DisguiseId::SignFlippedUnits,
            format!("{turned} of {pairs} hidden units have the other sign before and after the activation"),
        );
    }
    let spread =
        measured.blocks.iter().map(|it| it.units.scale_spread).sum::<f64>() / measured.blocks.len().max(1) as f64;
    if spread > 0.25 && measured.sums(|it| it.up).cosine() > 0.5 {
        add(
            DisguiseId::ScaledUnits,
            format!(
                "hidden units are scaled before and scaled back after the activation (spread of the logarithm {spread:.2})"
            ),
        );
    }
    if measured.kept_gains.is_folded {
        add(
            DisguiseId::FoldedNormWeights,
            "norm weights of one side are all alike, folded into the next projection".to_owned(),
        );
    }
    if measured.heads > 1 && measured.heads_moved * 4 > measured.heads && measured.looks.cosine() > 0.5 {
        add(
            DisguiseId::PermutedHeads,
            format!("{} of {} heads answer a head at another place", measured.heads_moved, measured.heads),
        );
    }
    let products = measured.products.cosine();
    if products > 0.7 && measured.plain_heads.cosine() < products - 0.4 {
        add(
            DisguiseId::ChangedHeadBasis,
            "what matched heads compute is the same, and their matrices are not".to_owned(),
        );
    }
    found
}
