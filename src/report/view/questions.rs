//! The last section of the body: what to ask next, and where the readers differ.

use crate::report::number::level_range;
use crate::report::page::{Align, Block, Cell, PieceKind, Section, Words};
use crate::report::view::Writer;
use crate::scoring::Question;

/// Questions that stand in the body; every criterion has its own in the appendix.
const MOST: usize = 6;

pub(in crate::report) fn write(writer: &Writer<'_>) -> Section {
    let card = writer.card;
    let mut blocks = Vec::new();
    if card.questions.is_empty() {
        blocks.push(Block::Paragraph { words: Words::plain(writer.say("questions.none")) });
    } else {
        let lead = if is_settled(writer) { "questions.lead_settled" } else { "questions.lead" };
        blocks.push(Block::Paragraph { words: Words::plain(writer.say(lead)) });
        blocks.push(Block::Table(table(writer)));
    }
    if !card.disagreements.is_empty() {
        blocks.push(writer.heading(&writer.say("questions.dissent")));
        let item = |it: &crate::scoring::Disagreement| {
            let question = writer.criterion(&it.criterion).map(|it| writer.text(&it.question)).unwrap_or_default();
            let levels = writer.fill("questions.levels", &[("levels", &level_range(it.levels))]);
            Words::code(&it.criterion).and(PieceKind::Plain, format!(" {question} {levels}"))
        };
        blocks.push(Block::List { items: card.disagreements.iter().map(item).collect() });
    }
    writer.section("questions", "questions.heading", blocks)
}

/// Whether one verdict alone is possible, so that no answer can rule one out.
fn is_settled(writer: &Writer<'_>) -> bool {
    writer.card.questions.iter().all(|it| it.rules_out == 0)
}

fn table(writer: &Writer<'_>) -> crate::report::page::Table {
    let is_settled = is_settled(writer);
    let row = |(idx, it): (usize, &Question)| -> Vec<Cell> {
        vec![
            (idx + 1).to_string().into(),
            Words::code(&it.criterion).and(PieceKind::Strong, format!(" {}", writer.text(&it.question))).into(),
            writer.words(&it.ask_for).into(),
            writer.language.numbers.number(it.hours).into(),
            if is_settled { format!("{:.2}", it.narrows) } else { it.rules_out.to_string() }.into(),
        ]
    };
    let columns = [
        ("column.number", Align::Right, 6),
        ("column.question", Align::Left, 33),
        ("column.ask_for", Align::Left, 45),
        ("column.hours", Align::Right, 7),
        (if is_settled { "column.narrows" } else { "column.rules_out" }, Align::Right, 9),
    ];
    let questions = &writer.card.questions;
    let mut table =
        writer.table("questions.table", &columns, questions.iter().enumerate().take(MOST).map(row).collect());
    if let Some(rest) = questions.len().checked_sub(MOST).filter(|it| *it > 0) {
        table.note = Some(Words::plain(writer.fill("questions.more", &[("number", &rest.to_string())])));
    }
    table
}
