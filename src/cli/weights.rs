//! What weights and tokenizers say, as parts of the page of `compare`.

use comfy_table::Table;

use crate::bytes::grouped;
use crate::cli::inspect::{align_right, shown_name};
use crate::cli::maps;
use crate::cli::terminal::table;
use crate::fact::{
    ComponentRelation, Cost, LayerSource, Merge, PKind, RecipeStep, RuleId, Statistic, StatisticId, TokenizerFacts,
    TokenizerRelation, Weights, WeightsRelation,
};

/// How many of a long list of names are shown.
const MOST: usize = 6;

/// What the weights say in one or two sentences.
pub(super) fn answer(weights: &Weights) -> String {
    let test = test(weights);
    match weights.relation {
        WeightsRelation::Unexamined => "not examined".to_owned(),
        WeightsRelation::Identical => "identical. Every number is the same.".to_owned(),
        WeightsRelation::Derived if is_on_adapter(weights) => {
            format!("derived{test}. The adapter was trained on this model or on a close relative of it.")
        }
        WeightsRelation::Derived => {
            format!("derived{test}. The one was made from the other, or both were made from a third.")
        }
        WeightsRelation::ComponentDerived => {
            let parts: Vec<String> = derived_parts(weights).map(with_cosine).collect();
            let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            format!("a part is derived{parts}. No derivation of the body was found.{}", power(weights))
        }
        WeightsRelation::SharedInit => {
            format!(
                "shared initialization{test}. Both started from the same random values and were trained independently."
            )
        }
        WeightsRelation::Independent => format!("no derivation found.{}", power(weights)),
        WeightsRelation::Undetermined if weights.rule == Some(RuleId::AdapterInitialization) => {
            format!(
                "undetermined{test}. The adapter was trained on this model, on a relative, or on a model of the same \
                 initialization; it does not show which."
            )
        }
        WeightsRelation::Undetermined if weights.rule == Some(RuleId::InitializationOrDerived) => {
            format!(
                "undetermined, and related{test}. Whether the one was made from the other or both share an \
                 initialization is not decided by what was kept."
            )
        }
        WeightsRelation::Undetermined => {
            format!("undetermined. The weights that could be read do not decide.{}", power(weights))
        }
    }
}

/// The test that decided, in brackets.
fn test(weights: &Weights) -> String {
    let decided = weights.log10_p.map(|it| {
        let kind = weights.p_kind.map_or("test", |it| match it {
            PKind::Exact => "exact test",
            PKind::Asymptotic => "asymptotic test",
            PKind::Heuristic => "heuristic",
        });
        format!("{kind}, log10 p = {}", power_of_ten(it))
    });
    let agreement = weights.statistics.iter().find(|it| it.id == StatisticId::PartnerAgreement);
    let partners = agreement.map(|it| {
        format!("{:.0} % of hidden units find the same partner by gate and by up projection", it.value * 100.0)
    });
    let all: Vec<String> = decided.into_iter().chain(partners).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
}

/// Whether an adapter was held against a model.
fn is_on_adapter(weights: &Weights) -> bool {
    weights.rule.is_some_and(RuleId::is_on_adapter)
}

/// What would have been found.
fn power(weights: &Weights) -> String {
    match &weights.power {
        Some(it) if is_on_adapter(weights) => format!(" Power: {}.", it.detail),
        Some(it) if it.units > 0 && it.least_cosine < 1.0 => {
            format!(
                " With {} units a mean cosine of {:.3} would have been found, where both streams have the same \
                 coordinates or a map between them was found.",
                grouped(it.units),
                it.least_cosine
            )
        }
        Some(it) if it.units == 0 => {
            " No hidden unit of the body was compared, so that nothing is said on it.".to_owned()
        }
        Some(_) => " No derivation would have been found with so few units.".to_owned(),
        None => String::new(),
    }
}

fn derived_parts(weights: &Weights) -> impl Iterator<Item = &ComponentRelation> {
    let is_related = |it: &&ComponentRelation| {
        matches!(it.relation, WeightsRelation::Derived | WeightsRelation::Identical | WeightsRelation::SharedInit)
    };
    weights.components.iter().filter(is_related)
}

fn with_cosine(part: &ComponentRelation) -> String {
    let cosine = part.cosine.map_or(String::new(), |it| format!(" (cosine {it:.2})"));
    format!("{}{cosine}", part.component)
}

/// The power of ten of a p-value.
pub(super) fn power_of_ten(log10_p: f64) -> String {
    match log10_p {
        // Not `-0.0`.
        it if it > -0.05 => "0.0".to_owned(),
        it if it > -10.0 => format!("{:.1}", (it * 10.0).ceil() / 10.0),
        // A bound stays one: towards the weaker side, never to the nearest.
        it => format!("{:.0}", it.ceil()),
    }
}

pub(super) fn relation_word(relation: WeightsRelation) -> &'static str {
    match relation {
        WeightsRelation::Unexamined => "not examined",
        WeightsRelation::Identical => "identical",
        WeightsRelation::Derived => "derived",
        WeightsRelation::ComponentDerived => "a part derived",
        WeightsRelation::SharedInit => "shared initialization",
        WeightsRelation::Independent => "no derivation found",
        WeightsRelation::Undetermined => "undetermined",
    }
}

fn kind_word(kind: PKind) -> &'static str {
    match kind {
        PKind::Exact => "exact",
        PKind::Asymptotic => "asymptotic",
        PKind::Heuristic => "heuristic",
    }
}

/// The sections on weights, those that have something to say.
pub(super) fn sections(weights: &Weights) -> Vec<String> {
    let mut sections = Vec::new();
    let mut add = |title: &str, body: String| {
        if !body.is_empty() {
            sections.push(format!("{title}\n{body}"));
        }
    };
    let rule = weights.rule.as_ref().map_or(String::new(), |it| format!(" (rule {it})"));
    add(&format!("Why{rule}"), lines(weights.reasons.iter().cloned()));
    add("Coverage", lines(weights.effort.iter().map(|it| format!("{}: {}", it.used, it.detail))));
    add("Weights, part by part", body(&components(&weights.components), weights.components.is_empty()));
    add("Where each layer comes from", body(&layers(&weights.layer_map), weights.layer_map.is_empty()));
    add("Where each expert comes from", body(&maps::experts(&weights.expert_map), weights.expert_map.is_empty()));
    add("Hidden units that were kept", body(&maps::kept(&weights.kept_units), weights.kept_units.is_empty()));
    let moved = weights.token_map.as_ref().filter(|it| it.new + it.dropped + it.moved > 0);
    add("Where token rows come from", moved.map_or_else(String::new, |it| lines(maps::tokens(it))));
    add("How the one came from the other", lines(recipe(weights)));
    add(
        "Re-arrangements that leave what the model computes unchanged",
        lines(weights.disguises.iter().map(|it| format!("{}: {}", it.kind, it.detail))),
    );
    add("Statistics", body(&statistics(weights), weights.statistics.is_empty()));
    sections
}

fn body(rows: &Table, is_empty: bool) -> String {
    if is_empty { String::new() } else { rows.trim_fmt() }
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|it| format!("  {}", shown_name(&it))).collect::<Vec<_>>().join("\n")
}

fn components(components: &[ComponentRelation]) -> Table {
    let mut output = table(["Part", "Weights", "Cosine", "log10 p", "Kind"]);
    align_right(&mut output, 2);
    align_right(&mut output, 3);
    for it in components {
        output.add_row([
            it.component.clone(),
            relation_word(it.relation).to_owned(),
            it.cosine.map_or_else(dash, |it| format!("{it:.3}")),
            it.log10_p.map_or_else(dash, power_of_ten),
            it.p_kind.map_or("-", kind_word).to_owned(),
        ]);
    }
    output
}

fn dash() -> String {
    "-".to_owned()
}

/// Layers of the subject that follow each other and come from layers that follow each other.
struct Run<'a> {
    layers: Vec<&'a LayerSource>,
}

impl Run<'_> {
    fn takes(&self, next: &LayerSource) -> bool {
        let Some(last) = self.layers.last() else { return true };
        let follows = match (last.reference, next.reference) {
            (Some(last), Some(next)) => last.checked_add(1) == Some(next),
            (None, None) => true,
            _ => false,
        };
        follows && last.subject.checked_add(1) == Some(next.subject)
    }

    fn span(&self, of: impl Fn(&LayerSource) -> Option<u32>) -> String {
        let ends = self.layers.first().zip(self.layers.last()).map(|(first, last)| (of(first), of(last)));
        match ends {
            Some((Some(first), Some(last))) if first == last => first.to_string(),
            Some((Some(first), Some(last))) => format!("{first}-{last}"),
            _ => "none".to_owned(),
        }
    }

    fn mean(&self, of: impl Fn(&LayerSource) -> f64) -> f64 {
        self.layers.iter().map(|it| of(it)).sum::<f64>() / self.layers.len().max(1) as f64
    }
}

fn runs(map: &[LayerSource]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for layer in map {
        match runs.last_mut() {
            Some(run) if run.takes(layer) => run.layers.push(layer),
            _ => runs.push(Run { layers: vec![layer] }),
        }
    }
    runs
}

fn layers(map: &[LayerSource]) -> Table {
    let mut output = table(["Subject", "Reference", "Units with a partner", "Cosine"]);
    align_right(&mut output, 2);
    align_right(&mut output, 3);
    for run in runs(map) {
        output.add_row([
            run.span(|it| Some(it.subject)),
            run.span(|it| it.reference),
            format!("{:.0} %", run.mean(|it| it.units) * 100.0),
            format!("{:.3}", run.mean(|it| it.cosine)),
        ]);
    }
    output
}

fn recipe(weights: &Weights) -> Vec<String> {
    let step = |it: &RecipeStep| format!("{} ({}): {}", it.step, it.certainty, it.detail);
    let mut all: Vec<String> = weights.recipe.iter().map(step).collect();
    // Of two that only started alike, everything that was trained is new.
    let novelty = weights.novelty.as_ref().filter(|_| weights.relation == WeightsRelation::Derived);
    if let Some(new) = novelty {
        let looked_at = format!("the {} layers that were looked at", weights.layer_map.len());
        let shares = [
            (looked_at.as_str(), Some(new.layers)),
            ("its vocabulary", new.vocabulary),
            ("its parameters", new.parameters),
        ];
        let shares: Vec<String> = shares
            .iter()
            .filter_map(|(what, share)| Some(format!("{:.0} % of {what}", share.as_ref()? * 100.0)))
            .collect();
        all.push(format!("new in the subject: {}", shares.join(", ")));
    }
    all
}

fn statistics(weights: &Weights) -> Table {
    let mut output = table(["Statistic", "Of", "Value", "Samples", "log10 p", "Kind", "Supports a relation"]);
    for column in 2..5 {
        align_right(&mut output, column);
    }
    for it in &weights.statistics {
        output.add_row([
            it.id.word().to_owned(),
            it.component.clone(),
            format!("{:.3}", it.value),
            grouped(it.samples),
            it.log10_p.map_or_else(dash, power_of_ten),
            kind_word(it.p_kind).to_owned(),
            supports(weights, it).to_owned(),
        ]);
    }
    output
}

/// Whether a statistic supports a relation, and whether the answer is another. One that compares what has the same
/// index is not applicable after a re-arrangement.
fn supports(weights: &Weights, it: &Statistic) -> &'static str {
    let is_index_aligned = it.component.ends_with("in place");
    let expected = match weights.relation {
        // How well the change of basis fits decides nothing.
        _ if it.id == StatisticId::BasisFit => return "-",
        WeightsRelation::Derived if is_index_aligned && !it.supports_relation && !weights.disguises.is_empty() => {
            return "not applicable: re-arranged";
        }
        WeightsRelation::Identical | WeightsRelation::Derived => Some(true),
        WeightsRelation::SharedInit => Some(it.id != StatisticId::Retention),
        WeightsRelation::Independent => Some(false),
        WeightsRelation::Unexamined | WeightsRelation::ComponentDerived | WeightsRelation::Undetermined => None,
    };
    match (it.supports_relation, expected.is_some_and(|expected| expected != it.supports_relation)) {
        (true, false) => "yes",
        (true, true) => "yes: DISAGREES",
        (false, false) => "no",
        (false, true) => "no: DISAGREES",
    }
}

/// How the tokenizers relate, in words.
pub(super) fn tokenizer(facts: &TokenizerFacts) -> String {
    let said = match facts.relation {
        TokenizerRelation::Identical => "identical. The same tokens under the same ids, and the same merges.",
        TokenizerRelation::SameButSpecial => "same but for special tokens.",
        TokenizerRelation::Superset => "superset. All learned tokens of the reference under their ids, and more.",
        TokenizerRelation::Trimmed => "trimmed. Fewer tokens, all of them the reference's, in its order.",
        TokenizerRelation::Reordered => "reordered. The same learned tokens under other ids or in another merge order.",
        TokenizerRelation::SharedMerges => {
            "shared merges, in an order that lists learned apart do not share. Both may come from a third."
        }
        TokenizerRelation::Overlapping => "overlapping, more than vocabularies that were learned apart have.",
        TokenizerRelation::Unrelated => "unrelated. No more in common than vocabularies that were learned apart have.",
    };
    let overlap = &facts.tokens;
    format!("{said} {} tokens are in both, {} under the same id.", grouped(overlap.shared), grouped(overlap.same_id))
}

/// The numbers behind it.
pub(super) fn tokenizer_section(facts: &TokenizerFacts) -> String {
    let mut output = table(["Tokenizer", "File", "Kind", "Tokens", "Special", "Merges"]);
    for column in 3..6 {
        align_right(&mut output, column);
    }
    for (name, it) in [("subject", &facts.subject), ("reference", &facts.reference)] {
        let numbers = [it.tokens, it.special, it.merges].map(grouped);
        let [tokens, special, merges] = numbers;
        output.add_row([name.to_owned(), shown_name(&it.file), it.kind.clone(), tokens, special, merges]);
    }
    let mut notes = Vec::new();
    if let (Some(ours), Some(theirs)) = (facts.tokens.of_subject, facts.tokens.of_reference) {
        notes.push(format!(
            "learned tokens: {:.1} % of the subject's are the reference's, {:.1} % of the reference's are the subject's",
            ours * 100.0,
            theirs * 100.0
        ));
    }
    if let Some(merges) = &facts.merges {
        let tau = merges.tau.as_ref().map_or(String::new(), |it| {
            format!(", order tau = {:.3} ({}, log10 p = {})", it.tau, it.p_kind, power_of_ten(it.log10_p))
        });
        let (shared, prefix) = (grouped(merges.shared), grouped(merges.common_prefix));
        notes.push(format!("merges: {shared} in both, the first {prefix} in step{tau}"));
    }
    let special = &facts.special;
    for (side, some, all) in [
        ("subject", &special.only_subject, special.only_subject_count),
        ("reference", &special.only_reference, special.only_reference_count),
    ] {
        if all > 0 {
            let names: Vec<String> = some.iter().take(MOST).map(|it| shown_name(it)).collect();
            let more = if all > names.len() as u64 { ", …" } else { "" };
            notes.push(format!("special tokens only of the {side} ({}): {}{more}", grouped(all), names.join(" ")));
        }
    }
    for it in facts.residues.iter().take(MOST) {
        notes.push(format!("both have {}, a token of {}", shown_name(&it.token), it.vendor));
    }
    let notes = lines(notes);
    format!("{}{}{notes}", output.trim_fmt(), if notes.is_empty() { "" } else { "\n" })
}

/// How the subject is made of several references.
pub(super) fn merge(merge: &Merge) -> String {
    let mut output = table(["Reference", "Coefficient", "95 % interval"]);
    align_right(&mut output, 1);
    for it in &merge.coefficients {
        let interval = format!("{:.4} to {:.4}", it.low, it.high);
        output.add_row([shown_name(&it.reference), format!("{:.4}", it.value), interval]);
    }
    let mut notes = vec![
        format!("{} ({}): {}", merge.kind, merge.certainty, merge.detail),
        format!(
            "{:.1} % of the numbers come out to within rounding; the mixture explains {:.1} % of the distance to the nearest",
            merge.exact * 100.0,
            merge.explained * 100.0
        ),
    ];
    for (at, (scale, dropped)) in merge.scales.iter().zip(&merge.dropped).enumerate() {
        let number = at + 1;
        notes.push(format!(
            "difference {number}: {:.0} % of its numbers dropped, the others times {scale}",
            dropped * 100.0
        ));
    }
    if merge.kind == "interleaved" {
        notes.extend(merge.layers.iter().map(|it| format!("layer {}: {}", it.subject, it.reference)));
    }
    format!("How it is made of several\n{}\n{}", lines(notes), output.trim_fmt())
}

/// What the answer cost; nothing where no file was read.
pub(super) fn cost(cost: &Cost) -> Option<String> {
    let seconds = cost.seconds.map_or(String::new(), |it| format!(" in {it:.1} s"));
    (cost.bytes_read > 0).then(|| format!("Cost: {} bytes read{seconds}.", grouped(cost.bytes_read)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Disguise, DisguiseId};

    fn map(sources: &[Option<u32>]) -> Vec<LayerSource> {
        let layer = |(subject, reference): (usize, &Option<u32>)| LayerSource {
            subject: u32::try_from(subject).unwrap(),
            reference: *reference,
            units: 1.0,
            cosine: 1.0,
        };
        sources.iter().enumerate().map(layer).collect()
    }

    #[track_caller]
    fn check_runs(sources: &[Option<u32>], expected: &[(&str, &str)]) {
        let map = map(sources);
        let found: Vec<(String, String)> =
            runs(&map).iter().map(|it| (it.span(|it| Some(it.subject)), it.span(|it| it.reference))).collect();
        let found: Vec<(&str, &str)> = found.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn runs_of_layers_are_one_row() {
        check_runs(&[Some(0), Some(1), Some(2), Some(3)], &[("0-3", "0-3")]);
        check_runs(&[Some(0), Some(1), Some(2), Some(1), Some(2), Some(3)], &[("0-2", "0-2"), ("3-5", "1-3")]);
        check_runs(&[Some(0), None, None, Some(5)], &[("0", "0"), ("1-2", "none"), ("3", "5")]);
        check_runs(&[], &[]);
    }

    #[test]
    fn every_relation_has_its_sentence() {
        let mut weights = Weights {
            log10_p: Some(-152.4),
            p_kind: Some(PKind::Exact),
            power: Some(crate::fact::Power { least_cosine: 0.037, units: 251, detail: String::new() }),
            ..Weights::default()
        };
        let mut said = Vec::new();
        for relation in [
            WeightsRelation::Unexamined,
            WeightsRelation::Identical,
            WeightsRelation::Derived,
            WeightsRelation::ComponentDerived,
            WeightsRelation::SharedInit,
            WeightsRelation::Independent,
            WeightsRelation::Undetermined,
        ] {
            weights.relation = relation;
            said.push(answer(&weights));
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_statistic_that_disagrees_is_marked() {
        let statistic = |id, component: &str, supports_relation| Statistic {
            id,
            component: component.to_owned(),
            value: 0.0,
            samples: 1,
            log10_p: None,
            p_kind: PKind::Heuristic,
            null: String::new(),
            supports_relation,
        };
        let weights = |relation| Weights { relation, ..Weights::default() };
        let agreement = |it| statistic(StatisticId::PartnerAgreement, "feed-forward", it);
        let derived = weights(WeightsRelation::Derived);
        assert_eq!(supports(&derived, &agreement(false)), "no: DISAGREES");
        assert_eq!(supports(&derived, &agreement(true)), "yes");
        assert_eq!(supports(&weights(WeightsRelation::Independent), &agreement(true)), "yes: DISAGREES");
        let retention = statistic(StatisticId::Retention, "body", false);
        assert_eq!(supports(&weights(WeightsRelation::SharedInit), &retention), "no");
        assert_eq!(supports(&derived, &statistic(StatisticId::BasisFit, "embeddings", false)), "-");
        let aligned = statistic(StatisticId::RandomSign, "feed-forward, in place", false);
        assert_eq!(supports(&derived, &aligned), "no: DISAGREES");
        let disguise = Disguise { kind: DisguiseId::PermutedUnits, detail: String::new() };
        let permuted = Weights { disguises: vec![disguise], ..derived };
        assert_eq!(supports(&permuted, &aligned), "not applicable: re-arranged");
    }
}
