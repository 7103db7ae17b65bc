//! What the weights and tokenizers of a subject say against each reference, in words and one table.

use std::collections::BTreeMap;

use crate::fact::{
    Comparison, ComponentRelation, PKind, RecipeStep, RuleId, StatisticId, TokenizerFacts, TokenizerRelation, Weights,
    WeightsRelation,
};
use crate::report::language::placeholders;
use crate::report::page::{Align, Block, Cell, PieceKind, Table, Words};
use crate::report::view::Writer;
use crate::report::view::writer::count;
use crate::scoring::SubjectLineage;

/// Where there is nothing to say.
const DASH: &str = "–";

/// Above this power of ten a p-value says nothing against chance.
const SAYS_NOTHING: f64 = -2.0;

/// A paragraph for each reference whose weights were read, and one table of all parts.
pub(in crate::report) fn blocks(writer: &Writer<'_>, subject: &SubjectLineage) -> Vec<Block> {
    let all = subject.comparisons.iter().chain(&subject.siblings);
    let examined: Vec<&Comparison> = all.filter(|it| it.weights.relation != WeightsRelation::Unexamined).collect();
    let mut blocks = Vec::new();
    for it in &examined {
        blocks.push(Block::Paragraph { words: said(writer, subject, it) });
        let items: Vec<Words> = details(writer, it);
        if !items.is_empty() {
            blocks.push(Block::List { items });
        }
    }
    let row = |it: &Comparison, part: &ComponentRelation| -> Vec<Cell> {
        vec![
            Words::code(writer.called(&it.reference.location)).into(),
            writer.word("component", &part.component).into(),
            word(writer, part.relation).into(),
            // A dash: "none" beside a chance would read as no chance at all.
            part.cosine.map_or_else(|| DASH.to_owned(), |it| format!("{it:.3}")).into(),
            part.log10_p.map_or_else(|| DASH.to_owned(), power_of_ten).into(),
            part.p_kind.map_or_else(|| DASH.to_owned(), |it| writer.say(kind_key(it))).into(),
        ]
    };
    let rows: Vec<Vec<Cell>> =
        examined.iter().flat_map(|it| it.weights.components.iter().map(|part| row(it, part))).collect();
    if !rows.is_empty() {
        let columns = [
            ("column.reference", Align::Left, 31),
            ("column.component", Align::Left, 16),
            ("column.weights", Align::Left, 19),
            ("column.cosine", Align::Right, 10),
            ("column.p_value", Align::Right, 12),
            ("column.p_kind", Align::Left, 12),
        ];
        let mut table = writer.table("lineage.components", &columns, rows);
        table.note = Some(Words::plain(writer.say("lineage.components_note")));
        blocks.push(Block::Table(table));
    }
    blocks.extend(tests(writer, &examined).map(Block::Table));
    blocks
}

/// Every test of which a chance is printed, once, with the kind of its p-value, its null and what it assumes.
fn tests(writer: &Writer<'_>, examined: &[&Comparison]) -> Option<Table> {
    let mut known: BTreeMap<(&str, &'static str), &str> = BTreeMap::new();
    for it in examined.iter().flat_map(|it| &it.weights.statistics).filter(|it| it.log10_p.is_some()) {
        known.entry((it.id.word(), kind_key(it.p_kind))).or_insert(it.null.as_str());
    }
    let row = |((id, kind), null): (&(&str, &'static str), &&str)| -> Vec<Cell> {
        let null = writer.known_or(&format!("null.{id}"), null);
        vec![Words::code(*id).into(), writer.say(kind).into(), null.into()]
    };
    let rows: Vec<Vec<Cell>> = known.iter().map(row).collect();
    let columns =
        [("column.test", Align::Left, 16), ("column.p_kind", Align::Left, 12), ("column.null", Align::Left, 72)];
    (!rows.is_empty()).then(|| writer.table("lineage.tests", &columns, rows))
}

/// The relation in words, and what the p-value behind it means.
fn said(writer: &Writer<'_>, subject: &SubjectLineage, it: &Comparison) -> Words {
    let weights = &it.weights;
    let gap = writer.say("style.sentence_gap");
    let is_related = weights.rule == Some(RuleId::InitializationOrDerived);
    let key = if is_related { "lineage.weights_related" } else { relation_key(weights.relation) };
    let mut sentences = vec![writer.say(key)];
    sentences.extend(order(writer, subject, it));
    sentences.extend(parts(writer, weights));
    match weights.relation {
        _ if is_related => sentences.extend(chance(writer, weights)),
        WeightsRelation::Derived | WeightsRelation::SharedInit => {
            sentences.extend(chance(writer, weights));
            sentences.extend(last_step(writer, weights));
        }
        WeightsRelation::Independent | WeightsRelation::Undetermined | WeightsRelation::ComponentDerived => {
            sentences.extend(power(writer, weights));
        }
        WeightsRelation::Identical | WeightsRelation::Unexamined => {}
    }
    Words::plain(writer.say("lineage.against"))
        .and(PieceKind::Code, writer.called(&it.reference.location))
        .and(PieceKind::Plain, writer.say("style.colon"))
        .and(PieceKind::Plain, sentences.join(&gap))
}

/// Who was published first, where the weights say that one took from the other.
fn order(writer: &Writer<'_>, subject: &SubjectLineage, it: &Comparison) -> Option<String> {
    let has_direction = matches!(
        it.weights.relation,
        WeightsRelation::Identical | WeightsRelation::Derived | WeightsRelation::ComponentDerived
    );
    let model = writer.card.models.iter().find(|model| model.id == subject.id).filter(|_| has_direction)?;
    let relation = model.relations.iter().find(|other| other.location == it.reference.location)?;
    Some(writer.message(&relation.order_because))
}

/// What takes the last step from "related" to "derived" or to "shared start": a heuristic, which has no p-value.
fn last_step(writer: &Writer<'_>, weights: &Weights) -> Option<String> {
    let has_chance = weights.p_kind.is_some_and(|it| it != PKind::Heuristic) && weights.log10_p.is_some();
    if !has_chance {
        return None;
    }
    let retention = weights.statistics.iter().find(|it| it.id == StatisticId::Retention);
    let key = match (weights.relation, retention) {
        (WeightsRelation::SharedInit, Some(_)) => "lineage.retention_start",
        (WeightsRelation::Derived, Some(_)) => "lineage.retention",
        (WeightsRelation::Derived, None) => return Some(writer.say("lineage.nearness")),
        _ => return None,
    };
    let value = retention.map(|it| format!("{:.2}", it.value)).unwrap_or_default();
    Some(writer.fill(key, &[("value", &value)]))
}

/// Which parts were taken over, where the whole was not.
fn parts(writer: &Writer<'_>, weights: &Weights) -> Option<String> {
    let is_part = weights.relation == WeightsRelation::ComponentDerived;
    let derived = weights.components.iter().filter(|it| is_part && it.relation == WeightsRelation::Derived);
    let names: Vec<String> = derived.map(|it| writer.word("component", &it.component)).collect();
    let parts = writer.list(names.iter().cloned());
    (!names.is_empty()).then(|| writer.fill("lineage.parts", &[("parts", &parts)]))
}

fn chance(writer: &Writer<'_>, weights: &Weights) -> Option<String> {
    let power = weights.log10_p?;
    if power > SAYS_NOTHING {
        return None;
    }
    let key = match weights.p_kind? {
        PKind::Exact => "lineage.chance_exact",
        PKind::Asymptotic => "lineage.chance_asymptotic",
        PKind::Heuristic => return Some(writer.say("lineage.chance_heuristic")),
    };
    Some(writer.fill(key, &[("chance", &power_of_ten(power))]))
}

fn power(writer: &Writer<'_>, weights: &Weights) -> Option<String> {
    let power = weights.power.as_ref()?;
    if power.units == 0 || power.least_cosine >= 1.0 {
        return Some(writer.say("lineage.no_power"));
    }
    let cosine = format!("{:.3}", power.least_cosine);
    Some(writer.fill("lineage.power", &[("units", &count(power.units)), ("cosine", &cosine)]))
}

/// `10⁻¹⁵²` as the rest of a memo writes powers of ten; small chances as they are.
fn power_of_ten(log10_p: f64) -> String {
    if log10_p > SAYS_NOTHING {
        return format!("{:.2}", 10f64.powf(log10_p.min(0.0)));
    }
    // A bound stays one: towards the weaker side, never to the nearest.
    let digits = format!("{:.0}", (-log10_p).floor());
    let raised = digits.chars().filter_map(|it| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(it.to_digit(10)? as usize));
    format!("10⁻{}", raised.collect::<String>())
}

/// Disguises, steps of the recipe, tokenizer: one a line.
fn details(writer: &Writer<'_>, it: &Comparison) -> Vec<Words> {
    let weights = &it.weights;
    let disguise = Words::strong(writer.say("lineage.disguise"));
    let step = Words::strong(writer.say("lineage.step"));
    let disguises = weights
        .disguises
        .iter()
        .map(|it| disguise.clone().then(writer.known_or(&format!("disguise.{}", it.kind), &it.detail)));
    let steps = weights.recipe.iter().map(|it| step.clone().then(recipe_step(writer, it)));
    let tokenizer = it.tokenizer.iter().map(|it| tokenizer(writer, it));
    disguises.chain(steps).chain(tokenizer).collect()
}

/// A step in the memo's language, where it knows it and the step has the numbers it asks for.
fn recipe_step(writer: &Writer<'_>, step: &RecipeStep) -> Words {
    let key = format!("recipe.{}", step.step);
    let values: Vec<(&str, String)> =
        step.parameters.iter().filter_map(|(name, value)| Some((name.as_str(), shown(writer, name, value)?))).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|it| (it.0, it.1.as_str())).collect();
    let is_known = writer
        .language
        .get(&key)
        .is_some_and(|it| placeholders(it).iter().all(|name| values.iter().any(|value| value.0 == *name)));
    let words =
        if is_known { Words::plain(writer.fill(&key, &values)) } else { writer.in_language(&step.detail, "en") };
    let certainty = writer.word("certainty", &step.certainty);
    words.and(PieceKind::Quiet, writer.fill("lineage.certainty", &[("certainty", &certainty)]))
}

/// A number, a word or a list of them, as the language writes it; none for anything else.
fn shown(writer: &Writer<'_>, name: &str, value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => Some(count(whole)),
            (None, Some(share)) if ["zeros", "relative_change"].contains(&name) => {
                Some(format!("{:.1}%", share * 100.0))
            }
            (None, Some(number)) => Some(format!("{number:.3}")),
            (None, None) => None,
        },
        serde_json::Value::String(word) => Some(word.clone()),
        serde_json::Value::Array(all) => {
            let all: Option<Vec<String>> = all.iter().map(|it| shown(writer, name, it)).collect();
            Some(writer.series(all?))
        }
        _ => None,
    }
}

fn tokenizer(writer: &Writer<'_>, facts: &TokenizerFacts) -> Words {
    let key = match facts.relation {
        TokenizerRelation::Identical => "tokenizer.identical",
        TokenizerRelation::SameButSpecial => "tokenizer.same_but_special",
        TokenizerRelation::Superset => "tokenizer.superset",
        TokenizerRelation::Trimmed => "tokenizer.trimmed",
        TokenizerRelation::Reordered => "tokenizer.reordered",
        TokenizerRelation::SharedMerges => "tokenizer.shared_merges",
        TokenizerRelation::Overlapping => "tokenizer.overlapping",
        TokenizerRelation::Unrelated => "tokenizer.unrelated",
    };
    let shared = count(facts.tokens.shared);
    let same = count(facts.tokens.same_id);
    Words::strong(writer.say("lineage.tokenizer"))
        .and(PieceKind::Plain, writer.say(key))
        .and(PieceKind::Plain, writer.say("style.sentence_gap"))
        .and(PieceKind::Plain, writer.fill("lineage.tokens_shared", &[("shared", &shared), ("same", &same)]))
}

fn kind_key(kind: PKind) -> &'static str {
    match kind {
        PKind::Exact => "p_kind.exact",
        PKind::Asymptotic => "p_kind.asymptotic",
        PKind::Heuristic => "p_kind.heuristic",
    }
}

/// Key of the sentence for a relation.
fn relation_key(relation: WeightsRelation) -> &'static str {
    match relation {
        WeightsRelation::Unexamined => "weights.unexamined",
        WeightsRelation::Identical => "lineage.weights_identical",
        WeightsRelation::Derived => "lineage.weights_derived",
        WeightsRelation::ComponentDerived => "lineage.weights_component_derived",
        WeightsRelation::SharedInit => "lineage.weights_shared_init",
        WeightsRelation::Independent => "lineage.weights_independent",
        WeightsRelation::Undetermined => "lineage.weights_undetermined",
    }
}

/// The word for a relation by weights.
pub(in crate::report) fn word(writer: &Writer<'_>, relation: WeightsRelation) -> String {
    writer.say(match relation {
        WeightsRelation::Unexamined => "weights.unexamined",
        WeightsRelation::Identical => "weights.identical",
        WeightsRelation::Derived => "weights.derived",
        WeightsRelation::ComponentDerived => "weights.component_derived",
        WeightsRelation::SharedInit => "weights.shared_init",
        WeightsRelation::Independent => "weights.independent",
        WeightsRelation::Undetermined => "weights.undetermined",
    })
}
