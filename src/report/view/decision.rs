//! Page 1: the decision.

use serde::Serialize;

use crate::report::chart::{Mark, QuadrantWords, draw_quadrant};
use crate::report::number::{level, level_range};
use crate::report::page::{Figure, PieceKind, Tone, Words};
use crate::report::view::heading::{self, Heading};
use crate::report::view::models::{self, Strip};
use crate::report::view::writer::gate_mark;
use crate::report::view::{Writer, grounds};
use crate::scoring::{Change, Flip, ModelVerdict, Reason, WaiverOutcome};

/// Page 1, finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// What kind of document this is.
    pub kicker: String,
    /// The company.
    pub company: String,
    /// What the case is about.
    pub title: String,
    /// `DRAFT` where it is one.
    pub stamp: Option<String>,
    /// Labelled facts: models, date, validity, rubric, readers.
    pub facts: Vec<Labelled>,
    /// The fact and its class, or the open question and its branches.
    pub heading: Heading,
    /// What the class means, where nothing else says it.
    pub meaning: Option<Words>,
    /// What the committee is advised to do.
    pub recommendation: Labelled,
    /// Model by model: declared, measured, and whether that agrees.
    pub strip: Strip,
    /// Why, how it was decided, how well it is supported: one labelled sentence each.
    pub sentences: Vec<Labelled>,
    /// Reasons to believe.
    pub believe: Points,
    /// Reasons to worry.
    pub worry: Points,
    /// What would change the verdict.
    pub change: Points,
    /// Heading of the gates.
    pub gates_title: String,
    /// One a gate.
    pub gates: Vec<Gate>,
    /// What became of each waiver; none where there are none.
    pub waivers: Option<Points>,
    /// The quadrant.
    pub quadrant: Figure,
    /// Where the committee signs.
    pub vote: Vote,
    /// Dissent, controlling language, and that this is no legal advice.
    pub small_print: Words,
}

/// A label and its words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Labelled {
    /// The label.
    pub label: String,
    /// The words.
    pub words: Words,
}

/// A heading and its points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// The heading, with its symbol.
    pub title: String,
    /// One a line.
    pub items: Vec<Words>,
}

/// One gate in the strip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// Shows the state without colour.
    pub symbol: String,
    /// The state in a word.
    pub state: String,
    /// What the gate is called.
    pub name: String,
    /// Colour that repeats it.
    pub tone: Tone,
}

/// Where the committee signs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Vote {
    /// The heading.
    pub title: String,
    /// What may be ticked.
    pub options: Vec<String>,
    /// What is written by hand.
    pub lines: Vec<String>,
}

/// The highest anchor that says what is seen without naming the level below it.
const HIGHEST_ANCHOR: u8 = 3;

/// So many reasons of each kind are printed.
const LISTED: usize = 3;

/// Up to so many ids stand behind a reason one by one; more are counted.
const CITED: usize = 3;

pub(in crate::report) fn write(writer: &Writer<'_>) -> Decision {
    let labelled = |key: &str, words: Words| Labelled { label: writer.say(key), words };
    Decision {
        kicker: writer.say("decision.kicker"),
        company: writer.text(&writer.card.company),
        title: writer.text(&writer.card.title),
        stamp: (writer.card.stamp != "final").then(|| writer.word("stamp", &writer.card.stamp)),
        facts: facts(writer),
        heading: heading::write(writer),
        meaning: meaning(writer),
        recommendation: labelled("decision.recommendation", writer.words(&writer.card.verdict.recommendation)),
        strip: models::write(writer),
        sentences: grounds::sentences(writer).into_iter().map(|(key, words)| labelled(key, words)).collect(),
        believe: points(writer, ("decision.believe", "decision.no_believe"), &writer.card.believe),
        worry: points(writer, ("decision.worry", "decision.no_worry"), &writer.card.worry),
        change: change(writer),
        gates_title: writer.say("decision.gates"),
        gates: gates(writer),
        waivers: waivers(writer),
        quadrant: quadrant(writer),
        vote: vote(writer),
        small_print: small_print(writer),
    }
}

fn facts(writer: &Writer<'_>) -> Vec<Labelled> {
    let card = writer.card;
    let models = writer.list(card.models.iter().map(|it| writer.text(&it.name)));
    let readers = writer.list(card.analysts.iter().map(|it| writer.text(&it.name)));
    let mut facts = vec![
        ("decision.models", models),
        ("decision.date", writer.language.numbers.date(card.date)),
        ("decision.rubric", rubric(writer)),
        ("decision.readers", if readers.is_empty() { writer.say("word.none") } else { readers }),
    ];
    if let Some(day) = valid_until(writer) {
        facts.insert(2, ("decision.valid_until", day));
    }
    facts.into_iter().map(|(key, text)| Labelled { label: writer.say(key), words: Words::plain(text) }).collect()
}

/// The rubric by its name and version. One that was changed is named as changed.
fn rubric(writer: &Writer<'_>) -> String {
    let rubric = &writer.card.rubric;
    let name = format!("{} {}", writer.text(&rubric.title), rubric.version);
    if rubric.changed_from.is_none() {
        return name;
    }
    writer.fill("decision.rubric_changed", &[("rubric", &name), ("id", &rubric.id)])
}

/// The last day of the memo, and the waiver that ends it early.
fn valid_until(writer: &Writer<'_>) -> Option<String> {
    let date = writer.language.numbers.date(writer.card.valid_until?);
    let Some(gate) = &writer.card.valid_until_waiver else { return Some(date) };
    Some(writer.fill("decision.valid_waiver", &[("date", &date), ("gate", &writer.gate(gate))]))
}

/// What the class means; nothing where the reason for it begins with the same words.
fn meaning(writer: &Writer<'_>) -> Option<Words> {
    let meaning = writer.words(&writer.card.verdict.meaning);
    let begins_so = |it: Words| it.text().contains(meaning.text().trim_end_matches(['.', '。']));
    let is_said = grounds::why(writer).is_some_and(begins_so);
    (!is_said && !meaning.text().is_empty()).then_some(meaning)
}

fn points(writer: &Writer<'_>, (title, none): (&str, &str), reasons: &[Reason]) -> Points {
    let mut items: Vec<_> = reasons
        .iter()
        .filter(|it| !grounds::is_in_heading(writer, it))
        .take(LISTED)
        .map(|reason| {
            let words = Words::plain(reason_text(writer, reason));
            match cited(writer, &reason.rests_on) {
                Some(ids) => words.and(PieceKind::Quiet, writer.fill("decision.rests_on", &[("ids", &ids)])),
                None => words,
            }
        })
        .collect();
    if items.is_empty() {
        items.push(Words::quiet(writer.say(none)));
    }
    Points { title: writer.say(title), items }
}

/// A reason in words. Of several gates that set the verdict only the one that decides says what it means: the others
/// were not asked, and may say what it denies.
fn reason_text(writer: &Writer<'_>, reason: &Reason) -> String {
    let gate = writer.card.gates.iter().find(|it| reason.rests_on.first() == Some(&it.id));
    match gate.filter(|it| reason.text.key == "reason.gate_tripped" && !grounds::says_its_meaning(writer, it)) {
        Some(gate) => writer.fill("reason.gate_not_met", &[("gate", &writer.text(&gate.name))]),
        None => writer.message(&reason.text),
    }
}

/// What a reason rests on: every id where they are few, else the first and how many more there are. What a gate looked
/// at stands in the appendix with its values; here the gate's id is enough.
fn cited(writer: &Writer<'_>, ids: &[String]) -> Option<String> {
    let ids: Vec<_> = ids.iter().filter(|it| !it.contains(": ")).map(|it| writer.word("check", it)).collect();
    let first = ids.first()?;
    if ids.len() <= CITED {
        return Some(writer.series(ids));
    }
    Some(writer.fill("decision.and_more", &[("id", first), ("number", &(ids.len() - 1).to_string())]))
}

/// What would change the verdict: every change that is known, by its direction. A direction in which no small change
/// leads is said to have none; where a gate holds the verdict, or another model limits it, that comes first.
fn change(writer: &Writer<'_>) -> Points {
    let verdict = &writer.card.verdict;
    let deciding = verdict.deciding.as_deref().unwrap_or_default();
    let items = match verdict.decided_by.as_str() {
        "gate" if verdict.possible.is_empty() => {
            vec![Words::plain(writer.fill("flip.held", &[("gate", &writer.gate(deciding))]))]
        }
        "sold_model" => vec![Words::plain(writer.fill("flip.sold_model", &[("model", &writer.model(deciding))]))],
        _ => flips(writer),
    };
    Points { title: writer.say("decision.change"), items }
}

fn flips(writer: &Writer<'_>) -> Vec<Words> {
    let ways: &[_] = if writer.card.verdict.strength.is_some() {
        &[("up", "flip.none_up"), ("down", "flip.none_down")]
    } else {
        &[("settle", "flip.none_settle")]
    };
    let of = |(direction, none): &(&str, &str)| {
        let flips = writer.card.flips.iter().filter(|it| it.direction == *direction);
        let said: Vec<Words> = flips.map(|it| flip(writer, it)).collect();
        match said.is_empty() {
            // Nothing is better than what is approved.
            true if *direction == "up" && heading::is_approved(writer.card) => Vec::new(),
            true => vec![Words::plain(writer.say(none))],
            false => said,
        }
    };
    ways.iter().flat_map(of).collect()
}

fn flip(writer: &Writer<'_>, flip: &Flip) -> Words {
    let changes = writer.list(flip.changes.iter().map(|it| change_text(writer, it)));
    let key = match flip.direction.as_str() {
        "up" => "flip.up",
        "down" => "flip.down",
        _ => "flip.settle",
    };
    let hours = writer.language.numbers.number(flip.hours);
    Words::strong(writer.fill(key, &[("verdict", &writer.text(&flip.name))]))
        .and(PieceKind::Plain, changes)
        .and(PieceKind::Quiet, writer.fill("flip.hours", &[("hours", &hours)]))
}

/// What one would see. The anchor of the highest level only adds to the one below it, so that one is named.
fn change_text(writer: &Writer<'_>, change: &Change) -> String {
    let below = writer.criterion(&change.criterion).filter(|_| change.level > HIGHEST_ANCHOR);
    let below = below.and_then(|it| it.levels.get(usize::from(HIGHEST_ANCHOR)));
    let key = if below.is_some() { "flip.change_highest" } else { "flip.change" };
    let anchor = writer.text(below.unwrap_or(&change.anchor));
    let level = change.level.to_string();
    writer.fill(key, &[("criterion", &change.criterion), ("level", &level), ("anchor", &anchor)])
}

fn gates(writer: &Writer<'_>) -> Vec<Gate> {
    let gate = |it: &crate::scoring::GateOutcome| {
        let (symbol, tone, state) = gate_mark(it.tripped, it.waived.is_some());
        Gate { symbol: symbol.to_owned(), state: writer.say(state), name: writer.text(&it.name), tone }
    };
    writer.card.gates.iter().map(gate).collect()
}

/// What became of each waiver, one line each.
fn waivers(writer: &Writer<'_>) -> Option<Points> {
    let items: Vec<Words> = writer.card.waivers.iter().map(|it| waiver(writer, it)).collect();
    (!items.is_empty()).then(|| Points { title: writer.say("decision.waivers"), items })
}

fn waiver(writer: &Writer<'_>, outcome: &WaiverOutcome) -> Words {
    let waiver = &outcome.waiver;
    let is_tripped = |it: &&crate::scoring::GateOutcome| it.id == waiver.gate && it.tripped == crate::fact::Truth::Yes;
    let key = match outcome.state.as_str() {
        "in_force" => "waiver.in_force",
        "expired" => "waiver.expired",
        "unsigned" => "waiver.unsigned",
        "self_approved" => "waiver.self_approved",
        _ if writer.card.gates.iter().any(|it| is_tripped(&it)) => "waiver.not_waivable",
        _ => "waiver.unused",
    };
    let until = writer.language.numbers.date(waiver.expires);
    let gate = writer.gate(&waiver.gate);
    let words = Words::plain(writer.fill(key, &[("gate", &gate), ("approver", &waiver.approver), ("until", &until)]));
    if key == "waiver.in_force" { words.then(writer.words(&waiver.reason)) } else { words }
}

fn quadrant(writer: &Writer<'_>) -> Figure {
    let card = writer.card;
    let steps: Vec<_> = (0..=4).map(|step| writer.say(&format!("quadrant.step.{step}"))).collect();
    let cut_offs = card.rubric.cut_offs;
    let mut described: Vec<String> = card.models.iter().map(|it| describe_mark(writer, it, &steps)).collect();
    described.extend(
        cut_offs.map(|(low, high)| writer.fill("quadrant.cut_offs", &[("low", &level(low)), ("high", &level(high))])),
    );
    let words = QuadrantWords {
        title: writer.say("quadrant.title"),
        description: described.join(&writer.say("style.sentence_gap")),
        across: writer.say("quadrant.across"),
        up: writer.say("quadrant.up"),
        corners: ["own", "way", "thin", "wrapper"].map(|it| writer.say(&format!("quadrant.corner.{it}"))),
        steps,
    };
    let marks: Vec<Mark> = card.models.iter().map(|it| mark(writer, it)).collect();
    writer.figure(&draw_quadrant(&words, &marks, cut_offs), 100)
}

/// A model's mark, with its own name.
fn mark(writer: &Writer<'_>, model: &ModelVerdict) -> Mark {
    let quadrant = &model.quadrant;
    let is_unexamined = quadrant.borrowed_because.iter().any(|it| it.key == "borrowed.weights_unexamined");
    let is_open = quadrant.borrowed.width() > 0.0 && is_unexamined;
    Mark {
        label: writer.text(&model.name),
        borrowed: quadrant.borrowed,
        substance: quadrant.substance,
        unexamined: is_open.then(|| writer.say("quadrant.unexamined")),
    }
}

fn describe_mark(writer: &Writer<'_>, model: &ModelVerdict, steps: &[String]) -> String {
    let quadrant = &model.quadrant;
    let step = |value: f64| steps[(value.round().clamp(0.0, 4.0)) as usize].clone();
    let mut sentences = vec![writer.fill(
        "quadrant.description",
        &[
            ("name", &writer.text(&model.name)),
            ("from", &step(quadrant.borrowed.low)),
            ("to", &step(quadrant.borrowed.high)),
            ("substance", &level_range(quadrant.substance)),
        ],
    )];
    sentences.extend(quadrant.borrowed_because.iter().map(|it| writer.message(it)));
    sentences.join(&writer.say("style.sentence_gap"))
}

fn vote(writer: &Writer<'_>) -> Vote {
    let options =
        ["approve", "conditional", "pause", "decline"].map(|it| format!("□ {}", writer.say(&format!("vote.{it}"))));
    let lines = ["opinion", "signature", "date"].map(|it| writer.say(&format!("vote.{it}")));
    Vote { title: writer.say("vote.title"), options: options.to_vec(), lines: lines.to_vec() }
}

fn small_print(writer: &Writer<'_>) -> Words {
    let mut sentences = Vec::new();
    if !writer.card.disagreements.is_empty() {
        let ids = writer.list(writer.card.disagreements.iter().map(|it| it.criterion.clone()));
        sentences.push(writer.fill("decision.dissent", &[("criteria", &ids)]));
    }
    if let Some(first) = writer.card.languages.first().filter(|_| writer.card.languages.len() > 1) {
        let name = writer.word("language", first);
        sentences.push(writer.fill("decision.controlling", &[("language", &name)]));
    }
    sentences.push(writer.say("decision.no_advice"));
    Words::plain(sentences.join(&writer.say("style.sentence_gap")))
}
