//! What stands at the top of page 1: the fact first, its class beside it; or the open question and what it could bring.

use serde::Serialize;

use crate::case::Kind;
use crate::fact::Argument;
use crate::report::Language;
use crate::report::page::{Tone, Words};
use crate::report::view::Writer;
use crate::report::view::writer::count;
use crate::scoring::{Branch, Condition, ConditionKind, ModelVerdict, Relation, Scorecard};

/// The top of page 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heading {
    /// Whether a finding or a question follows.
    pub label: String,
    /// The fact, or the open question.
    pub words: Words,
    /// The class of the verdict with its symbol and strength.
    pub class: Words,
    /// As of when, and from how many references.
    pub scope: String,
    /// What the fact needs beside it: the order of publication, the tests of others, the cost of the condition.
    pub details: Vec<Words>,
    /// What the open question could bring, each of equal weight, the better first.
    pub branches: Vec<Words>,
    /// Colour that repeats the class; none where nothing is decided.
    pub tone: Tone,
}

/// What the committee is advised to do, as the box of its vote has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    Approve,
    Conditional,
    Pause,
    Decline,
}

/// The words of the box, longest first where one begins like another.
const ADVICE: [(&str, Advice); 4] = [
    ("vote.conditional", Advice::Conditional),
    ("vote.approve", Advice::Approve),
    ("vote.pause", Advice::Pause),
    ("vote.decline", Advice::Decline),
];

pub(in crate::report) fn write(writer: &Writer<'_>) -> Heading {
    let card = writer.card;
    let model = flagship(card);
    let fact = Words::plain(writer.message(&card.verdict.fact));
    let question = card.verdict.conditions.first().filter(|_| card.verdict.strength.is_none());
    let mut details = Vec::new();
    if question.is_some() {
        details.push(fact.clone());
    }
    details.extend(model.into_iter().flat_map(|it| beside_the_fact(writer, it)));
    details.extend(card.verdict.conditions.iter().map(|it| cost(writer, it, question.is_some())));
    let (symbol, tone) = mark(card);
    Heading {
        label: writer.say(if question.is_some() { "decision.question" } else { "decision.finding" }),
        words: question.map_or(fact, |it| Words::plain(depends(writer, it))),
        class: class(writer, symbol),
        scope: scope(writer, model),
        details,
        branches: branches(writer),
        tone,
    }
}

/// The model that the verdict is about.
pub(in crate::report) fn flagship(card: &Scorecard) -> Option<&ModelVerdict> {
    card.models.iter().find(|it| it.flagship).or(card.models.first())
}

/// Symbol and colour of the class. What is not decided has neither: its branches are of equal weight.
fn mark(card: &Scorecard) -> (&'static str, Tone) {
    match advice(card).filter(|_| card.verdict.strength.is_some()) {
        Some(Advice::Approve) => ("○", Tone::For),
        Some(Advice::Conditional) => ("◇", Tone::Plain),
        Some(Advice::Decline) => ("■", Tone::Against),
        Some(Advice::Pause) | None => ("?", Tone::Plain),
    }
}

/// What the rubric advises, read off the words it begins with, in the first language in which they are those of the
/// vote.
fn advice(card: &Scorecard) -> Option<Advice> {
    let recommendation = &card.verdict.recommendation;
    Language::tags().into_iter().find_map(|tag| {
        let language = Language::find(tag).ok()?;
        let text = recommendation.get(tag)?.trim();
        ADVICE.iter().find(|(key, _)| language.get(key).is_some_and(|it| text.starts_with(it))).map(|it| it.1)
    })
}

/// Whether the verdict is one of which none is better for the company.
pub(in crate::report) fn is_approved(card: &Scorecard) -> bool {
    card.verdict.strength.is_some() && advice(card) == Some(Advice::Approve)
}

fn class(writer: &Writer<'_>, symbol: &str) -> Words {
    let verdict = &writer.card.verdict;
    let name = writer.text(&verdict.name);
    let class = Words::strong(writer.fill("heading.class", &[("symbol", symbol), ("verdict", &name)]));
    match verdict.strength {
        Some(strength) => {
            let word = writer.word("strength", strength.word());
            class.and(crate::report::page::PieceKind::Plain, writer.fill("heading.strength", &[("strength", &word)]))
        }
        None => class,
    }
}

/// As of when, and from how many references. An interface has none to compare with.
fn scope(writer: &Writer<'_>, model: Option<&ModelVerdict>) -> String {
    let date = writer.language.numbers.date(writer.card.date);
    match model.filter(|it| it.kind == Kind::Files) {
        None => writer.fill("heading.scope_bare", &[("date", &date)]),
        Some(it) if it.whose.references == 0 => writer.fill("heading.scope_none", &[("date", &date)]),
        Some(it) => {
            let (examined, references) = (count(it.whose.examined), count(it.whose.references));
            writer.fill("heading.scope", &[("date", &date), ("examined", &examined), ("references", &references)])
        }
    }
}

/// The order of publication of the reference that the fact names, and whose test it is where it is not ours.
fn beside_the_fact(writer: &Writer<'_>, model: &ModelVerdict) -> Vec<Words> {
    let named = match model.verdict.fact.arguments.get("reference") {
        Some(Argument::Name(name)) => Some(name),
        _ => None,
    };
    let is_it = |it: &&Relation| !it.own && named.is_some_and(|name| it.reference == *name);
    let is_kin = matches!(model.verdict.fact.key.as_str(), "fact.derived" | "fact.related");
    let order = model.relations.iter().find(is_it).filter(|_| is_kin).map(|it| &it.order_because);
    let beside = ["whose.reported_derived", "whose.reported_independent", "whose.later"];
    let beside = model.whose.because.iter().filter(|it| beside.contains(&it.key.as_str()));
    order.into_iter().chain(beside).map(|it| Words::plain(writer.message(it))).collect()
}

/// The open question.
pub(in crate::report) fn depends(writer: &Writer<'_>, condition: &Condition) -> String {
    match condition.kind {
        ConditionKind::Order => writer.say("heading.depends_order"),
        ConditionKind::Test => {
            writer.fill("heading.depends_test", &[("hours", &writer.language.numbers.number(condition.hours))])
        }
    }
}

fn branches(writer: &Writer<'_>) -> Vec<Words> {
    let conditions = writer.card.verdict.conditions.iter();
    conditions.flat_map(|it| &it.branches).map(|it| Words::plain(branch(writer, it))).collect()
}

fn branch(writer: &Writer<'_>, branch: &Branch) -> String {
    let fact = writer.sentence(&writer.message(&branch.fact));
    let Some(strength) = branch.strength else { return writer.fill("heading.branch_open", &[("fact", &fact)]) };
    let verdict = writer.text(&branch.name);
    let word = writer.word("strength", strength.word());
    writer.fill("heading.branch", &[("fact", &fact), ("verdict", &verdict)])
        + &writer.fill("heading.strength", &[("strength", &word)])
}

/// What it takes to know. Where others published a test, our own is the first condition.
fn cost(writer: &Writer<'_>, condition: &Condition, is_question: bool) -> Words {
    let hours = writer.language.numbers.number(condition.hours);
    let access = writer.word("access", &condition.access);
    let cost = match condition.bytes {
        Some(bytes) => {
            let bytes = writer.in_unit(crate::fact::Interval::exactly(bytes as f64), "bytes");
            writer.fill("heading.cost_bytes", &[("hours", &hours), ("bytes", &bytes), ("access", &access)])
        }
        None => writer.fill("heading.cost", &[("hours", &hours), ("access", &access)]),
    };
    let lead = if is_question { String::new() } else { writer.say("heading.first_condition") };
    Words::quiet(lead + &cost)
}
