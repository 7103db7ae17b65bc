//! The scorecard section: pillars as intervals, and how each criterion is known.

use crate::case::Level;
use crate::report::chart::{IntervalRow, Intervals, draw_intervals};
use crate::report::number::{level_range, percent};
use crate::report::page::{Align, Block, Cell, PieceKind, Section, Table, Tone, Words};
use crate::report::view::Writer;
use crate::report::view::writer::{count, dots};
use crate::rubric::Band;
use crate::scoring::{CriterionScore, PillarScore};

pub(in crate::report) fn write(writer: &Writer<'_>) -> Section {
    let card = writer.card;
    let summary = writer.fill(
        "pillars.summary",
        &[
            ("score", &level_range(card.score)),
            ("coverage", &percent(card.coverage)),
            ("share", &percent(card.confidence.share)),
        ],
    );
    let blocks = vec![
        Block::Paragraph { words: Words::plain(summary) },
        Block::Figure(writer.figure(&chart(writer), 100)),
        Block::Table(pillars(writer)),
        Block::Table(axes(writer)),
        Block::Table(criteria(writer)),
    ];
    writer.section("scorecard", "pillars.heading", blocks)
}

fn chart(writer: &Writer<'_>) -> crate::report::chart::Drawing {
    let card = writer.card;
    let row = |pillar: &PillarScore| IntervalRow {
        name: writer.text(&pillar.name),
        score: pillar.score,
        note: writer.score(pillar.score),
        is_total: false,
    };
    let mut rows: Vec<_> = card.pillars.iter().map(row).collect();
    let described = rows.iter().map(|it| format!("{} {}", it.name, it.note));
    let description = writer.fill("pillars.description", &[("rows", &writer.list(described))]);
    let name = writer.say("pillars.total");
    rows.push(IntervalRow { name, score: Some(card.score), note: level_range(card.score), is_total: true });
    draw_intervals(&Intervals {
        title: writer.say("pillars.chart"),
        description,
        levels: card.rubric.levels.iter().map(|it| writer.text(it)).collect(),
        rows,
    })
}

fn pillars(writer: &Writer<'_>) -> Table {
    let row = |it: &PillarScore| {
        vec![
            Words::code(&it.id).and(PieceKind::Plain, format!(" {}", writer.text(&it.name))).into(),
            writer.language.numbers.number(it.weight).into(),
            writer.score(it.score).into(),
            percent(it.coverage).into(),
            percent(it.confidence).into(),
        ]
    };
    let columns = [
        ("column.pillar", Align::Left, 40),
        ("column.weight", Align::Right, 12),
        ("column.score", Align::Right, 16),
        ("column.coverage", Align::Right, 16),
        ("column.confidence", Align::Right, 16),
    ];
    writer.table("pillars.table", &columns, writer.card.pillars.iter().map(row).collect())
}

fn axes(writer: &Writer<'_>) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for axis in &writer.card.axes {
        let name = axis.name.as_ref().map_or_else(|| writer.word("axis", &axis.id), |it| writer.text(it));
        let (value, falls) = match axis.holds {
            Some(truth) => ("–".to_owned(), writer.word("truth", truth_code(truth))),
            None => (writer.score(axis.score), writer.either(axis.bands.iter().map(|it| writer.say(band_key(*it))))),
        };
        rows.push(vec![name.into(), value.into(), falls.into()]);
    }
    let columns =
        [("column.axis", Align::Left, 50), ("column.score", Align::Right, 18), ("column.falls_in", Align::Left, 32)];
    writer.table("axes.table", &columns, rows)
}

/// The heat table: what level, and how we know. Symbol, word and shade say the same.
fn criteria(writer: &Writer<'_>) -> Table {
    let row = |it: &CriterionScore| {
        let mut level: Cell = level_words(writer, it).into();
        level.shade = it.level;
        level.tone = if it.level.is_some() { Tone::Plain } else { Tone::Open };
        let mut grade: Cell = match it.grade {
            Some(grade) => Words::strong(format!("{grade:?}")).into(),
            None => Words::quiet(writer.say("word.none")).into(),
        };
        grade.shade = it.grade.map(|grade| 4 - (grade as u8).min(4));
        vec![
            Words::code(&it.id).and(PieceKind::Plain, format!(" {}", writer.text(&it.question))).into(),
            level,
            writer.score(it.interval).into(),
            grade,
            count(it.origins).into(),
        ]
    };
    let columns = [
        ("column.criterion", Align::Left, 57),
        ("column.level", Align::Left, 20),
        ("column.score", Align::Right, 9),
        ("column.grade", Align::Center, 7),
        ("column.origins", Align::Right, 7),
    ];
    let mut table = writer.table("criteria.table", &columns, writer.card.criteria.iter().map(row).collect());
    let mut note = Words::plain(writer.say("criteria.note"));
    for (idx, it) in writer.card.rubric.grades.iter().enumerate() {
        let before = if idx == 0 { String::new() } else { writer.say("style.clause") };
        note = note.and(PieceKind::Plain, before).and(PieceKind::Strong, format!("{:?}", it.grade));
        note = note.and(PieceKind::Plain, format!(" {}", writer.text(&it.meaning)));
    }
    table.note = Some(note.and(PieceKind::Plain, writer.say("style.full_stop")));
    table
}

/// Dots and a word for a level; a range where it is one, and whether readers differ or nothing is proven.
pub(in crate::report) fn level_words(writer: &Writer<'_>, criterion: &CriterionScore) -> Words {
    if let Some(level) = criterion.level {
        return Words::plain(dots(level)).and(PieceKind::Plain, format!(" {}", writer.level(Level::At(level))));
    }
    let Some(interval) = criterion.interval else { return Words::plain(writer.level(Level::NotApplicable)) };
    let answered: Vec<u8> = criterion.readers.iter().filter_map(|it| at(it.level)).collect();
    let (lowest, highest) = (answered.iter().min(), answered.iter().max());
    let whose = criterion.adjustments.iter().any(|it| it.key.starts_with("whose."));
    let range = |low: f64, high: f64| if low == high { format!("{low}") } else { format!("{low}–{high}") };
    let between = |low: u8, high: u8| range(f64::from(low), f64::from(high));
    Words::plain(match (lowest, highest) {
        (Some(low), Some(high)) if low < high && !whose => {
            writer.fill("level.readers_differ", &[("levels", &between(*low, *high))])
        }
        (Some(level), _) if !criterion.covered && !whose => {
            writer.fill("level.not_proven", &[("level", &writer.level(Level::At(*level)))])
        }
        (None, _) if !whose => format!("? {}", writer.level(criterion.answered.unwrap_or(Level::Unknown))),
        _ => writer.fill("level.range", &[("levels", &range(interval.low, interval.high))]),
    })
}

fn at(level: Level) -> Option<u8> {
    match level {
        Level::At(level) => Some(level),
        Level::Unknown | Level::Refused | Level::NotObservable | Level::NotApplicable => None,
    }
}

/// Key of a band's word.
pub(in crate::report) fn band_key(band: Band) -> &'static str {
    match band {
        Band::Low => "band.low",
        Band::Medium => "band.medium",
        Band::High => "band.high",
    }
}

/// Code of a truth value.
pub(in crate::report) fn truth_code(truth: crate::fact::Truth) -> &'static str {
    match truth {
        crate::fact::Truth::Yes => "yes",
        crate::fact::Truth::Maybe => "maybe",
        crate::fact::Truth::No => "no",
    }
}
