//! Page 1: the decision.

use serde::Serialize;

use crate::report::chart::{QuadrantWords, draw_quadrant};
use crate::report::number::{level_range, percent};
use crate::report::page::{Figure, PieceKind, Tone, Words};
use crate::report::view::Writer;
use crate::report::view::pillars::band_key;
use crate::report::view::writer::{count, gate_mark};
use crate::scoring::{AxisScore, Flip, Reason};

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
    /// The verdict in words.
    pub verdict: Labelled,
    /// What it means.
    pub meaning: Words,
    /// What the committee is advised to do.
    pub recommendation: Labelled,
    /// Why, how likely, how sure: one labelled sentence each.
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

/// Up to so many ids stand behind a reason one by one; more are counted.
const CITED: usize = 3;

pub(in crate::report) fn write(writer: &Writer<'_>) -> Decision {
    let verdict = &writer.card.verdict;
    let labelled = |key: &str, words: Words| Labelled { label: writer.say(key), words };
    Decision {
        kicker: writer.say("decision.kicker"),
        company: writer.text(&writer.card.company),
        title: writer.text(&writer.card.title),
        stamp: (writer.card.stamp != "final").then(|| writer.word("stamp", &writer.card.stamp)),
        facts: facts(writer),
        verdict: labelled("decision.verdict", Words::plain(writer.text(&verdict.name))),
        meaning: writer.words(&verdict.meaning),
        recommendation: labelled("decision.recommendation", writer.words(&verdict.recommendation)),
        sentences: sentences(writer),
        believe: points(writer, "decision.believe", &writer.card.believe),
        worry: points(writer, "decision.worry", &writer.card.worry),
        change: change(writer),
        gates_title: writer.say("decision.gates"),
        gates: gates(writer),
        quadrant: quadrant(writer),
        vote: vote(writer),
        small_print: small_print(writer),
    }
}

fn facts(writer: &Writer<'_>) -> Vec<Labelled> {
    let card = writer.card;
    let date = |day| writer.language.numbers.date(day);
    let models = writer.list(card.subjects.iter().map(|it| {
        let name = writer.text(&it.name);
        writer.fill("decision.model", &[("name", &name), ("location", &it.inspection.model.location)])
    }));
    let readers = writer.list(card.analysts.iter().map(|it| writer.text(&it.name)));
    let rubric = format!("{} {}", writer.text(&card.rubric.title), card.rubric.version);
    let mut facts = vec![
        ("decision.models", models),
        ("decision.date", date(card.date)),
        ("decision.rubric", rubric),
        ("decision.readers", if readers.is_empty() { writer.say("word.none") } else { readers }),
    ];
    if let Some(day) = card.valid_until {
        facts.insert(2, ("decision.valid_until", date(day)));
    }
    facts.into_iter().map(|(key, text)| Labelled { label: writer.say(key), words: Words::plain(text) }).collect()
}

fn sentences(writer: &Writer<'_>) -> Vec<Labelled> {
    let mut sentences = Vec::new();
    if let Some(why) = why(writer) {
        sentences.push(("decision.why", why));
    }
    sentences.push(("decision.likelihood", Words::plain(likelihood(writer))));
    sentences.push(("decision.confidence", Words::plain(confidence(writer))));
    sentences.into_iter().map(|(key, words)| Labelled { label: writer.say(key), words }).collect()
}

/// Why, in the rubric's words: of what decided. Where several rows lead to the verdict, no single one of them is why,
/// and one sentence says what they have in common: a memo never takes for granted whose weights they are.
fn why(writer: &Writer<'_>) -> Option<Words> {
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

/// How firmly the verdict stands. Never a probability: only which rule decided, and what is left open.
fn likelihood(writer: &Writer<'_>) -> String {
    let verdict = &writer.card.verdict;
    let name = writer.text(&verdict.name);
    let deciding = verdict.deciding.clone().unwrap_or_default();
    // A name may have a comma of its own.
    let quoted = |name: String| writer.fill("style.quote", &[("text", &name)]);
    let possible = writer.list(verdict.possible.iter().map(|it| quoted(writer.text(&it.name))));
    let decided = match verdict.decided_by.as_str() {
        "table" if deciding.contains(',') => {
            let rows = writer.list(deciding.split(", ").map(str::to_owned));
            writer.fill("likelihood.rows", &[("rows", &rows), ("verdict", &name)])
        }
        "table" => writer.fill("likelihood.table", &[("row", &deciding), ("verdict", &name)]),
        "gate" => {
            let gate = writer.card.gates.iter().find(|it| it.id == deciding);
            let gate = gate.map_or(deciding, |it| writer.text(&it.name));
            let decided = writer.fill("likelihood.gate", &[("gate", &gate)]);
            if possible.is_empty() {
                decided
            } else {
                decided + &writer.fill("likelihood.without", &[("possible", &possible)])
            }
        }
        _ => writer.fill("likelihood.open", &[("possible", &possible)]),
    };
    let is_said = verdict.because.is_none() && verdict.holds_whatever_the_weights == Some(true);
    decided
        + &match verdict.holds_whatever_the_weights.filter(|_| verdict.decided_by == "table" && !is_said) {
            Some(true) => writer.say("likelihood.weights_do_not_matter"),
            Some(false) => writer.say("likelihood.weights_matter"),
            None => String::new(),
        }
}

fn confidence(writer: &Writer<'_>) -> String {
    let card = writer.card;
    let word = writer.word("confidence", &card.confidence.word);
    let origins = if card.confidence.origins == 1 { "confidence.sentence_one" } else { "confidence.sentence" };
    writer.fill(
        origins,
        &[
            ("word", &word),
            ("share", &percent(card.confidence.share)),
            ("origins", &count(card.confidence.origins)),
            ("coverage", &percent(card.coverage)),
        ],
    )
}

fn points(writer: &Writer<'_>, key: &str, reasons: &[Reason]) -> Points {
    let mut items: Vec<_> = reasons
        .iter()
        .take(3)
        .map(|reason| {
            let words = Words::plain(writer.message(&reason.text));
            match cited(writer, &reason.rests_on) {
                Some(ids) => words.and(PieceKind::Quiet, writer.fill("decision.rests_on", &[("ids", &ids)])),
                None => words,
            }
        })
        .collect();
    if items.is_empty() {
        items.push(Words::quiet(writer.say("decision.no_reason")));
    }
    Points { title: writer.say(key), items }
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

/// What would change the verdict: what would settle it, or two lines up and two down. A way that no small change leads
/// is said to be none.
fn change(writer: &Writer<'_>) -> Points {
    let is_ranked = writer.card.verdict.decided_by == "table";
    let ways: &[_] = if is_ranked {
        &[("up", "flip.none_up"), ("down", "flip.none_down")]
    } else {
        &[("settle", "flip.none_settle")]
    };
    let mut items = Vec::new();
    for (direction, none) in ways {
        let most = if is_ranked { 2 } else { 3 };
        let flips = writer.card.flips.iter().filter(|it| it.direction == *direction).take(most);
        let before = items.len();
        items.extend(flips.map(|it| flip(writer, it)));
        if items.len() == before {
            items.push(Words::plain(writer.say(none)));
        }
    }
    Points { title: writer.say("decision.change"), items }
}

fn flip(writer: &Writer<'_>, flip: &Flip) -> Words {
    let changes = writer.list(flip.changes.iter().map(|it| {
        let anchor = writer.text(&it.anchor);
        writer
            .fill("flip.change", &[("criterion", &it.criterion), ("level", &it.level.to_string()), ("anchor", &anchor)])
    }));
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

fn gates(writer: &Writer<'_>) -> Vec<Gate> {
    let gate = |it: &crate::scoring::GateOutcome| {
        let (symbol, tone, state) = gate_mark(it.tripped, it.waived.is_some());
        Gate { symbol: symbol.to_owned(), state: writer.say(state), name: writer.text(&it.name), tone }
    };
    writer.card.gates.iter().map(gate).collect()
}

fn quadrant(writer: &Writer<'_>) -> Figure {
    let card = writer.card;
    let (borrowed, substance) = (card.quadrant.borrowed, card.quadrant.substance);
    let steps: Vec<_> = (0..=4).map(|step| writer.say(&format!("quadrant.step.{step}"))).collect();
    let is_unexamined = card.quadrant.borrowed_because.iter().any(|it| it.key == "borrowed.weights_unexamined");
    let is_open = borrowed.width() > 0.0 && is_unexamined;
    let step = |value: f64| steps[(value.round().clamp(0.0, 4.0)) as usize].clone();
    let mut description = writer.fill(
        "quadrant.description",
        &[("from", &step(borrowed.low)), ("to", &step(borrowed.high)), ("substance", &level_range(substance))],
    );
    for because in &card.quadrant.borrowed_because {
        description.push_str(&writer.say("style.sentence_gap"));
        description.push_str(&writer.message(because));
    }
    let words = QuadrantWords {
        title: writer.say("quadrant.title"),
        description,
        across: writer.say("quadrant.across"),
        up: writer.say("quadrant.up"),
        corners: ["own", "way", "thin", "wrapper"].map(|it| writer.say(&format!("quadrant.corner.{it}"))),
        label: card.subjects.first().map_or_else(|| writer.text(&card.company), |it| writer.text(&it.name)),
        unexamined: is_open.then(|| writer.say("quadrant.unexamined")),
        steps,
    };
    writer.figure(&draw_quadrant(&words, borrowed, substance), 100)
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
