//! How a subject is made of several references, in words and one table.

use crate::fact::{Coefficient, Merge};
use crate::report::page::{Align, Block, Cell, PieceKind, Table, Words};
use crate::report::view::Writer;
use crate::report::view::writer::count;
use crate::scoring::SubjectLineage;

/// How many rows of layers of one reference are told: layers that were taken in turn make as many rows as there are
/// layers.
const MOST: usize = 8;

/// What is said where two or more references are related to the subject; nothing where fewer are.
pub(in crate::report) fn blocks(writer: &Writer<'_>, subject: &SubjectLineage) -> Vec<Block> {
    let Some(merge) = &subject.merge else {
        let words = subject.no_merge.as_ref().map(|_| Words::plain(writer.say("merge.not_told")));
        return words.into_iter().map(|words| Block::Paragraph { words }).collect();
    };
    let mut blocks = vec![Block::Paragraph { words: said(writer, merge) }];
    let items = differences(writer, merge);
    if !items.is_empty() {
        blocks.push(Block::List { items });
    }
    blocks.push(Block::Table(parts(writer, merge)));
    blocks
}

/// The kind in words, how sure it is, and how much of the numbers it gives, as far as that was measured.
fn said(writer: &Writer<'_>, merge: &Merge) -> Words {
    let kind = writer.known_or(&format!("merge.said.{}", merge.kind), &merge.detail);
    let certainty = writer.word("certainty", &merge.certainty);
    let exact = writer.fill("merge.exact", &[("exact", &share(merge.exact))]);
    let explained = writer.fill("merge.explained", &[("explained", &share(merge.explained))]);
    let sentences = match merge.kind.as_str() {
        "unknown" => vec![explained],
        "same" | "interleaved" => vec![exact],
        _ => vec![exact, explained],
    };
    let gap = writer.say("style.sentence_gap");
    let words = Words::strong(writer.say("merge.lead"))
        .then(kind)
        .and(PieceKind::Quiet, writer.fill("lineage.certainty", &[("certainty", &certainty)]));
    sentences.iter().fold(words, |words, it| words.and(PieceKind::Plain, format!("{gap}{it}")))
}

/// A share with one decimal, never above what was measured.
fn share(share: f64) -> String {
    format!("{:.1}%", (share * 1000.0).floor() / 10.0)
}

/// What became of each reference's difference from the base, where numbers of it were dropped.
fn differences(writer: &Writer<'_>, merge: &Merge) -> Vec<Words> {
    let Some(base) = &merge.base else { return Vec::new() };
    let others = merge.coefficients.iter().filter(|it| it.reference != *base);
    let one = |(it, (scale, dropped)): (&Coefficient, (&f64, &f64))| {
        let values = [("dropped", share(*dropped)), ("scale", format!("{scale:.3}"))];
        let values: Vec<(&str, &str)> = values.iter().map(|it| (it.0, it.1.as_str())).collect();
        Words::plain(writer.say("merge.difference"))
            .and(PieceKind::Code, &it.reference)
            .and(PieceKind::Plain, writer.say("style.colon"))
            .and(PieceKind::Plain, writer.fill("merge.dropped", &values))
    };
    let base = Words::plain(writer.say("merge.base")).and(PieceKind::Code, base);
    std::iter::once(base).chain(others.zip(merge.scales.iter().zip(&merge.dropped)).map(one)).collect()
}

/// How much of each reference is in it, and where whole layers were taken, which.
fn parts(writer: &Writer<'_>, merge: &Merge) -> Table {
    let is_by_layers = merge.kind == "interleaved";
    let row = |it: &Coefficient| -> Vec<Cell> {
        let mut cells: Vec<Cell> = vec![
            Words::code(&it.reference).into(),
            number(it.value).into(),
            writer.fill("merge.interval", &[("low", &number(it.low)), ("high", &number(it.high))]).into(),
        ];
        cells.extend(is_by_layers.then(|| layers(writer, merge, &it.reference).into()));
        cells
    };
    let rows = merge.coefficients.iter().map(row).collect();
    let mut columns = vec![
        ("column.reference", Align::Left, 50),
        ("column.coefficient", Align::Right, 20),
        ("column.interval", Align::Right, 30),
    ];
    if is_by_layers {
        columns = vec![
            ("column.reference", Align::Left, 37),
            ("column.coefficient", Align::Right, 13),
            ("column.interval", Align::Right, 22),
            ("column.layers", Align::Left, 28),
        ];
    }
    let mut table = writer.table("merge.table", &columns, rows);
    let note = if is_by_layers { "merge.note_layers" } else { "merge.note" };
    table.note = Some(Words::plain(writer.fill(note, &[("matrices", &count(merge.matrices))])));
    table
}

/// The layers of one reference, `0–3, 8`.
fn layers(writer: &Writer<'_>, merge: &Merge, reference: &str) -> String {
    let rows = merge.layers_of(reference);
    let told = rows.iter().take(MOST).map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}–{last}"),
    });
    let told = writer.series(told);
    match rows.len().checked_sub(MOST).filter(|it| *it > 0) {
        Some(_) => format!("{told}{}…", writer.say("style.list")),
        None if rows.is_empty() => writer.say("word.none"),
        None => told,
    }
}

/// A coefficient with its sign as a memo writes one; what rounds to nothing has none.
fn number(value: f64) -> String {
    let text = format!("{:.3}", value.abs());
    if value < 0.0 && text != "0.000" { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coefficient_that_is_nothing_has_no_sign() {
        assert_eq!([0.6, -0.25, -0.0001, 0.0].map(number), ["0.600", "−0.250", "0.000", "0.000"]);
    }
}
