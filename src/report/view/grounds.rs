//! Why the verdict is what it is, what else remains possible, and how well the facts that decide are supported.

use crate::fact::Truth;
use crate::report::number::{percent, whole_percents};
use crate::report::page::Words;
use crate::report::view::Writer;
use crate::report::view::heading::flagship;
use crate::report::view::pillars::band_key;
use crate::rubric::Effect;
use crate::scoring::{AxisScore, GateOutcome, PossibleVerdict};

/// A verdict that comes out in less than one in a hundred of the tested assumptions is not listed.
const LEAST_SHARE: u8 = 1;

/// One labelled sentence each.
pub(in crate::report) fn sentences(writer: &Writer<'_>) -> Vec<(&'static str, Words)> {
    let mut sentences = Vec::new();
    if let Some(why) = why(writer) {
        sentences.push(("decision.why", why));
    }
    sentences.push(("decision.likelihood", Words::plain(decided(writer))));
    sentences.push(("decision.confidence", Words::plain(confidence(writer))));
    sentences
}

/// Why, in the rubric's words: of what decided. Where several rows lead to the verdict, no single one of them is why,
/// and one sentence says what they have in common: a memo never takes for granted whose weights they are.
pub(in crate::report) fn why(writer: &Writer<'_>) -> Option<Words> {
    let card = writer.card;
    if let Some(because) = &card.verdict.because {
        return Some(writer.words(because));
    }
    if card.verdict.decided_by != "table" {
        return None;
    }
    let axis = |it: &AxisScore| {
        let name = it.name.as_ref().map_or_else(|| it.id.clone(), |name| writer.text(name));
        let bands = writer.either(it.bands.iter().map(|it| writer.say(band_key(*it))));
        writer.fill("why.axis", &[("axis", &name), ("bands", &bands)])
    };
    let axes = writer.list(card.axes.iter().filter(|it| it.holds.is_none()).map(axis));
    let key = if card.verdict.holds_whatever_the_weights == Some(true) { "why.whatever" } else { "why.axes" };
    Some(Words::plain(writer.fill(key, &[("axes", &axes)])))
}

/// Which rule decided, and what is left open: shares of the tested assumptions, never a probability.
fn decided(writer: &Writer<'_>) -> String {
    let verdict = &writer.card.verdict;
    let deciding = verdict.deciding.clone().unwrap_or_default();
    match verdict.decided_by.as_str() {
        "gate" => {
            let gate = writer.gate(&deciding);
            let key = if verdict.possible.is_empty() { "likelihood.held" } else { "likelihood.gate" };
            writer.fill(key, &[("gate", &gate)])
        }
        "sold_model" => writer.fill("likelihood.sold_model", &[("model", &writer.model(&deciding))]),
        "table" => by_table(writer),
        _ => {
            let possible =
                writer.list(verdict.possible.iter().filter(|it| is_listed(it)).map(|it| possible(writer, it)));
            writer.fill("likelihood.open", &[("possible", &possible)])
        }
    }
}

fn by_table(writer: &Writer<'_>) -> String {
    let verdict = &writer.card.verdict;
    let name = writer.text(&verdict.name);
    let own = verdict.possible.iter().find(|it| it.id == verdict.id);
    let share = own.map_or_else(|| percent(1.0), share);
    let mut said = writer.fill("likelihood.table", &[("verdict", &name), ("share", &share)]);
    let others: Vec<_> = verdict.possible.iter().filter(|it| it.id != verdict.id && is_listed(it)).collect();
    if !others.is_empty() {
        let others = writer.list(others.into_iter().map(|it| possible(writer, it)));
        said.push_str(&writer.fill("likelihood.others", &[("possible", &others)]));
    }
    let is_said = verdict.because.is_none();
    if !is_said && verdict.holds_whatever_the_weights == Some(true) {
        said.push_str(&writer.say("likelihood.weights_do_not_matter"));
    }
    said
}

fn is_listed(possible: &PossibleVerdict) -> bool {
    possible.highest >= LEAST_SHARE
}

fn possible(writer: &Writer<'_>, possible: &PossibleVerdict) -> String {
    let verdict = writer.text(&possible.name);
    writer.fill("likelihood.possible", &[("verdict", &verdict), ("share", &share(possible))])
}

fn share(possible: &PossibleVerdict) -> String {
    whole_percents(possible.lowest, possible.highest)
}

fn confidence(writer: &Writer<'_>) -> String {
    let card = writer.card;
    let word = writer.word("confidence", &card.confidence.word);
    let because = writer.message(&card.confidence.because);
    writer.fill("confidence.sentence", &[("word", &word), ("because", &because), ("coverage", &percent(card.coverage))])
}

/// Whether it is said what a gate means: where it is not met, and where no gate before it has decided already.
pub(in crate::report) fn says_its_meaning(writer: &Writer<'_>, gate: &GateOutcome) -> bool {
    let verdict = &writer.card.verdict;
    let sets_the_verdict = matches!(gate.effect, Effect::Veto(_) | Effect::Hold(_));
    let is_deciding = verdict.deciding.as_ref() == Some(&gate.id) || verdict.decided_by != "gate";
    gate.tripped == Truth::Yes && gate.waived.is_none() && (is_deciding || !sets_the_verdict)
}

/// Reasons that say again what the heading says of the model that the verdict is about.
pub(in crate::report) fn is_in_heading(writer: &Writer<'_>, reason: &crate::scoring::Reason) -> bool {
    const SAME: [(&str, &str); 4] = [
        ("fact.derived", "reason.weights_measured"),
        ("fact.clear", "reason.none_found"),
        ("fact.related", "reason.order_unknown"),
        ("fact.part", "reason.part"),
    ];
    let card = writer.card;
    let is_deciding = card.verdict.because.is_some()
        && card.verdict.decided_by == "gate"
        && reason.text.key == "reason.gate_tripped"
        && reason.rests_on.first() == card.verdict.deciding.as_ref();
    let Some(model) = flagship(card) else { return is_deciding };
    let fact = &model.verdict.fact;
    let is_same = |name: &str| fact.arguments.get(name) == reason.text.arguments.get(name);
    let is_fact = SAME.contains(&(fact.key.as_str(), reason.text.key.as_str()));
    is_deciding || (is_fact && is_same("subject") && (fact.key == "fact.clear" || is_same("reference")))
}
