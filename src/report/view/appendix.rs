//! Behind the body: every criterion, gates and decision table, ledger, method, audit.

use crate::case::Level;
use crate::fact::{Text, Truth};
use crate::report::number::percent;
use crate::report::page::{Align, Block, Cell, PieceKind, Section, Table, Tone, Words};
use crate::report::view::pillars::{band_key, level_words, truth_code};
use crate::report::view::records;
use crate::report::view::writer::{dots, gate_mark};
use crate::report::view::{Writer, grounds, lineage};
use crate::rubric::Effect;
use crate::scoring::{CriterionScore, GateOutcome, RowOutcome};

pub(in crate::report) fn write(writer: &Writer<'_>) -> Vec<Section> {
    let mut sections = vec![criteria(writer), rules(writer)];
    sections.extend(lineage::common_forms(writer));
    sections.extend([records::ledger(writer), records::method(writer), records::audit(writer)]);
    sections
}

fn criteria(writer: &Writer<'_>) -> Section {
    let mut blocks = vec![Block::Paragraph { words: Words::plain(writer.say("criteria.lead")) }];
    for pillar in &writer.card.pillars {
        blocks.push(writer.heading(&writer.text(&pillar.name)));
        for it in writer.card.criteria.iter().filter(|it| it.pillar == pillar.id) {
            blocks.push(Block::Table(criterion(writer, it)));
        }
    }
    writer.appendix("criteria", "criteria.heading", blocks)
}

/// One criterion: its anchors with the one that counts marked, its readers, what it rests on, and what to ask for.
fn criterion(writer: &Writer<'_>, it: &CriterionScore) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let label = |key: &str| -> Cell { Words::strong(writer.say(key)).into() };
    for (level, anchor) in it.levels.iter().enumerate() {
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        rows.push(anchor_row(writer, it, level, anchor));
    }
    rows.push(vec![label("criteria.counts"), counts(writer, it).into()]);
    for reading in &it.readers {
        let name = writer.card.analysts.iter().find(|other| other.id == reading.analyst);
        let name = name.map_or_else(|| reading.analyst.clone(), |it| writer.text(&it.name));
        let mut words = Words::strong(writer.level(reading.level))
            .and(PieceKind::Plain, writer.say("style.colon"))
            .then(writer.words(&reading.reason));
        if let Some(would) = &reading.would_change {
            let before = format!("{}{}", writer.say("style.sentence_gap"), writer.say("criteria.would_change"));
            words = words.and(PieceKind::Quiet, before).then(writer.words(would));
        }
        rows.push(vec![Words::strong(name).into(), words.into()]);
    }
    rows.push(vec![label("criteria.evidence"), evidence(writer, it).into()]);
    rows.push(vec![label("criteria.ask_for"), writer.words(&it.ask_for).into()]);
    let title = writer.fill(
        "criteria.title",
        &[
            ("id", &it.id),
            ("question", &writer.text(&it.question)),
            ("weight", &writer.language.numbers.number(it.weight)),
        ],
    );
    let columns = [("column.level", Align::Left, 22), ("column.what_one_sees", Align::Left, 78)];
    writer.titled_table(&title, &columns, rows)
}

fn anchor_row(writer: &Writer<'_>, it: &CriterionScore, level: u8, anchor: &Text) -> Vec<Cell> {
    let is_met = it.level == Some(level);
    let name = writer.level(Level::At(level));
    let text = writer.text(anchor);
    let mark = if is_met { "→ " } else { "" };
    let kind = if is_met { PieceKind::Strong } else { PieceKind::Plain };
    let mut cells: Vec<Cell> = vec![
        Words::default().and(kind, format!("{} {name}", dots(level))).into(),
        Words::default().and(kind, format!("{mark}{text}")).into(),
    ];
    if is_met {
        for cell in &mut cells {
            cell.shade = Some(1);
        }
    }
    cells
}

fn counts(writer: &Writer<'_>, it: &CriterionScore) -> Words {
    let mut words = level_words(writer, it)
        .and(PieceKind::Plain, writer.fill("criteria.interval", &[("interval", &writer.score(it.interval))]));
    for adjustment in &it.adjustments {
        let text = format!("{}{}", writer.say("style.sentence_gap"), writer.message(adjustment));
        words = words.and(PieceKind::Plain, text);
    }
    words
}

fn evidence(writer: &Writer<'_>, it: &CriterionScore) -> Words {
    let words = writer.ids(&it.evidence);
    match it.grade {
        Some(grade) => words.and(
            PieceKind::Quiet,
            writer
                .fill("criteria.best_grade", &[("grade", &format!("{grade:?}")), ("origins", &it.origins.to_string())]),
        ),
        None => words,
    }
}

fn rules(writer: &Writer<'_>) -> Section {
    let blocks = vec![Block::Table(gates(writer)), Block::Table(decision_table(writer))];
    writer.appendix("rules", "rules.heading", blocks)
}

fn gates(writer: &Writer<'_>) -> Table {
    let row = |it: &GateOutcome| -> Vec<Cell> {
        let (symbol, tone, state) = gate_mark(it.tripped, it.waived.is_some());
        let mut state: Cell = Words::strong(format!("{symbol} {}", writer.say(state))).into();
        state.tone = tone;
        let mut meaning = Words::strong(writer.text(&it.name));
        // What a gate means is said where it is not met: nobody is accused by a rule that does not apply.
        if grounds::says_its_meaning(writer, it) {
            let says = format!("{}{}", writer.say("style.colon"), writer.text(&it.meaning));
            meaning = meaning.and(PieceKind::Plain, says);
        }
        if let Some(waiver) = &it.waived {
            let until = writer.language.numbers.date(waiver.expires);
            let waived = writer.fill("gate.waived_by", &[("approver", &waiver.approver), ("until", &until)]);
            meaning = meaning.and(PieceKind::Quiet, format!(" {waived}")).then(writer.words(&waiver.reason));
        }
        vec![
            Words::code(&it.id).into(),
            state,
            effect(writer, &it.effect).into(),
            meaning.into(),
            writer.series(each_once(it.rests_on.iter().map(|it| looked_at(writer, it)))).into(),
        ]
    };
    let columns = [
        ("column.gate", Align::Left, 13),
        ("column.state", Align::Left, 11),
        ("column.effect", Align::Left, 18),
        ("column.meaning", Align::Left, 40),
        ("column.looked_at", Align::Left, 18),
    ];
    writer.table("rules.gates", &columns, writer.card.gates.iter().map(row).collect())
}

/// A condition may ask for one thing several times.
fn each_once(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for it in all.filter(|it| !it.is_empty()) {
        if !once.contains(&it) {
            once.push(it);
        }
    }
    once
}

/// `coverage.T: 0.40`, `claim.from_scratch: shown`, `A1: 1.9–2.1` in words; what has no word stays as it is.
fn looked_at(writer: &Writer<'_>, written: &str) -> String {
    let Some((key, value)) = written.split_once(": ") else { return written.to_owned() };
    let name = match key.split_once('.') {
        Some(("coverage", pillar)) => writer.fill("looked_at.coverage_of", &[("pillar", pillar)]),
        Some(("claim", about)) => writer.word("about", about),
        _ => writer.word("looked_at", key),
    };
    let value = match value.parse::<f64>() {
        Ok(share) if key.starts_with("coverage") || key == "not applicable" => percent(share + 0.0),
        _ => writer.either(value.split(" or ").map(|it| looked_at_value(writer, it))),
    };
    format!("{name}{}{value}", writer.say("style.colon"))
}

fn looked_at_value(writer: &Writer<'_>, value: &str) -> String {
    match value {
        "yes" => writer.say("truth.yes"),
        "no" => writer.say("truth.no"),
        "unknown" => writer.say("level.unknown"),
        "not applicable" => writer.say("word.not_applicable"),
        _ => {
            let known = writer.language.get(&format!("looked_at.value.{value}"));
            known.map_or_else(|| writer.word("outcome", value), str::to_owned)
        }
    }
}

fn effect(writer: &Writer<'_>, effect: &Effect) -> String {
    let verdict = |id: &str| {
        let card = writer.card;
        let rows = card.decision_table.iter().find(|it| it.then == id).map(|it| writer.text(&it.name));
        let own = (card.verdict.id == id).then(|| writer.text(&card.verdict.name));
        let possible = card.verdict.possible.iter().find(|it| it.id == id).map(|it| writer.text(&it.name));
        let flip = card.flips.iter().find(|it| it.to == id).map(|it| writer.text(&it.name));
        own.or(rows).or(possible).or(flip).unwrap_or_else(|| writer.word("verdict", id))
    };
    match effect {
        Effect::Veto(id) => writer.fill("effect.veto", &[("verdict", &verdict(id))]),
        Effect::Hold(id) => writer.fill("effect.hold", &[("verdict", &verdict(id))]),
        Effect::Cap(id) => writer.fill("effect.cap", &[("verdict", &verdict(id))]),
        Effect::Stamp(stamp) => writer.fill("effect.stamp", &[("stamp", &writer.word("stamp", stamp))]),
    }
}

fn decision_table(writer: &Writer<'_>) -> Table {
    let band = |row: &RowOutcome, axis: &str| -> Cell {
        let text = match row.bands.get(axis) {
            Some(bands) => writer.either(bands.iter().map(|it| writer.say(band_key(*it)))),
            None => writer.say("word.any"),
        };
        text.into()
    };
    let axes: Vec<_> = writer.card.axes.iter().filter(|it| it.id != "derived").collect();
    let row = |it: &RowOutcome| -> Vec<Cell> {
        let derived = match it.derived {
            Some(true) => writer.say("truth.yes"),
            Some(false) => writer.say("truth.no"),
            None => writer.say("word.any"),
        };
        let mut cells: Vec<Cell> = vec![it.row.to_string().into(), derived.into()];
        cells.extend(axes.iter().map(|axis| band(it, &axis.id)));
        let mut decides: Cell = Words::strong(writer.say(&format!("decides.{}", truth_code(it.decides)))).into();
        decides.tone = if it.decides == Truth::No { Tone::Plain } else { Tone::Open };
        decides.shade = (it.decides == Truth::Yes).then_some(1);
        let mut verdict = Words::strong(writer.text(&it.name));
        if !it.because.is_empty() {
            let because = format!("{}{}", writer.say("style.colon"), writer.text(&it.because));
            verdict = verdict.and(PieceKind::Plain, because);
        }
        cells.extend([verdict.into(), decides]);
        cells
    };
    let rows = writer.card.decision_table.iter().map(row).collect();
    let mut table =
        writer.table("rules.table", &[("column.row", Align::Right, 5), ("column.derived", Align::Left, 10)], rows);
    let column = |title: String, share| crate::report::page::Column { title, align: Align::Left, share };
    let names = axes.iter().map(|it| it.name.as_ref().map_or_else(|| it.id.clone(), |name| writer.text(name)));
    table.columns.extend(names.map(|name| column(name, 12)));
    table.columns.extend([column(writer.say("column.verdict"), 39), column(writer.say("column.decides"), 10)]);
    table.note = Some(Words::plain(writer.fill("rules.note", &[("coverage", &percent(writer.card.coverage))])));
    table
}
