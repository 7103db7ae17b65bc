//! The claim section: what the company says in numbers, and what the arithmetic makes of it.

use crate::claims::{CHECKS, Check, Claim, ClaimValue, Figure, FigureKind, Outcome};
use crate::fact::Interval;
use crate::report::chart::{BandPart, Bands, Paint, draw_bands};
use crate::report::page::{Align, Block, Cell, PieceKind, Section, Table, Words};
use crate::report::view::Writer;
use crate::report::view::writer::outcome_mark;

pub(in crate::report) fn write(writer: &Writer<'_>) -> Section {
    let card = writer.card;
    let mut blocks = Vec::new();
    if card.claims.is_empty() {
        blocks.push(Block::Paragraph { words: Words::plain(writer.say("claims.none")) });
    } else {
        blocks.push(Block::Paragraph { words: Words::plain(writer.say("claims.lead")) });
        blocks.push(Block::Table(claims(writer)));
    }
    // A check that could not be computed is a line, not a page.
    let (computed, others): (Vec<&Check>, Vec<&Check>) = card.checks.iter().partition(|it| is_worth_a_heading(it));
    for check in computed {
        write_check(writer, check, &mut blocks);
    }
    if !others.is_empty() && !card.claims.is_empty() {
        blocks.push(Block::Paragraph { words: not_computed(writer, &others) });
    }
    writer.section("claims", "claims.heading", blocks)
}

/// Whether there is anything to show of a check but what is missing.
fn is_worth_a_heading(check: &Check) -> bool {
    check.outcome != Outcome::NotComputable || check.result.is_some()
}

/// The checks for which too little was stated, in one line.
fn not_computed(writer: &Writer<'_>, checks: &[&Check]) -> Words {
    let names = checks.iter().map(|it| writer.word("check", &it.id));
    Words::strong(writer.say("claims.not_computed"))
        .and(PieceKind::Plain, format!("{}{}", writer.list(names), writer.say("style.full_stop")))
}

fn claims(writer: &Writer<'_>) -> Table {
    let row = |it: &Claim| -> Vec<Cell> {
        vec![
            Words::code(&it.id).into(),
            writer.word("about", &about_code(it)).into(),
            value(writer, it).into(),
            quoted(writer, it).into(),
            writer.ids(&it.source).and(PieceKind::Plain, format!(" {}", writer.language.numbers.date(it.date))).into(),
        ]
    };
    let columns = [
        ("column.id", Align::Left, 16),
        ("column.about", Align::Left, 12),
        ("column.value", Align::Left, 17),
        ("column.quote", Align::Left, 32),
        ("column.source", Align::Left, 23),
    ];
    writer.table("claims.table", &columns, writer.card.claims.iter().map(row).collect())
}

fn quoted(writer: &Writer<'_>, claim: &Claim) -> Words {
    let mut words = writer.words(&claim.quote);
    if let Some(first) = words.0.first_mut() {
        first.text = writer.fill("style.quote", &[("text", &first.text)]);
    }
    words
}

fn value(writer: &Writer<'_>, claim: &Claim) -> String {
    match &claim.value {
        ClaimValue::Number(figure) => number(writer, claim, *figure),
        ClaimValue::Date(day) => writer.language.numbers.date(*day),
        ClaimValue::Yes(yes) => writer.say(if *yes { "truth.yes" } else { "truth.no" }),
        ClaimValue::Name(name) => name.clone(),
    }
}

/// A number as it was understood, with what was left open, and the rate of a sum that was converted.
fn number(writer: &Writer<'_>, claim: &Claim, figure: Figure) -> String {
    let range = Interval { low: figure.low, high: figure.high };
    let number = writer.in_unit(range, base_unit(&about_code(claim)));
    let number = match figure.kind {
        FigureKind::Exact | FigureKind::Range => number,
        FigureKind::About => writer.fill("figure.about", &[("n", &number)]),
        FigureKind::AtLeast => writer.fill("figure.at_least", &[("n", &number)]),
        FigureKind::AtMost => writer.fill("figure.at_most", &[("n", &number)]),
    };
    let Some(conversion) = &claim.conversion else { return number };
    let date = writer.language.numbers.date(conversion.date);
    let rate = conversion.rate.to_string();
    let arguments = [("n", number.as_str()), ("rate", &rate), ("currency", &conversion.from), ("date", &date)];
    writer.fill("figure.converted", &arguments)
}

/// Code of what a claim is about, as it stands in `case.yaml`.
fn about_code(claim: &Claim) -> String {
    code(&claim.about)
}

/// A unit variant as it is written in files.
fn code(variant: &impl serde::Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The base unit that values about something are kept in.
fn base_unit(about: &str) -> &'static str {
    match about {
        "parameters" | "active_parameters" => "parameters",
        "training_tokens" | "clean_tokens" | "fine_tune_tokens" | "vocabulary" | "context_length" => "tokens",
        "epochs" => "epochs",
        "raw_data" => "bytes",
        "flop" => "flop",
        "gpu_hours" | "fine_tune_hours" => "gpu_hours",
        "gpus" => "gpus",
        "mfu" | "hfu" => "share",
        "training_days" => "days",
        "cost" => "usd",
        "energy" => "mwh",
        _ => "number",
    }
}

fn write_check(writer: &Writer<'_>, check: &Check, blocks: &mut Vec<Block>) {
    let (symbol, tone, word) = outcome_mark(check.outcome);
    let name = writer.word("check", &check.id);
    blocks.push(writer.heading(&writer.fill("claims.check", &[("name", &name)])));
    let mut outcome = Words::strong(format!("{symbol} {}", writer.say(word)));
    outcome = outcome.and(
        PieceKind::Plain,
        match &check.result {
            Some(result) => writer.fill("claims.result", &[("result", &writer.quantity(result))]),
            None => writer.say("style.full_stop"),
        },
    );
    for remark in &check.remarks {
        outcome = outcome
            .and(PieceKind::Plain, writer.say("style.sentence_gap"))
            .and(PieceKind::Plain, writer.message(remark));
    }
    blocks.push(Block::Note { words: outcome, tone });
    if let Some(drawing) = plot(writer, check, &name) {
        blocks.push(Block::Figure(writer.figure(&drawing, 100)));
    }
    if !check.steps.is_empty() {
        blocks.push(Block::Table(steps(writer, check)));
    }
    let items = basis(writer, check);
    if !items.is_empty() {
        blocks.push(Block::List { items });
    }
}

fn plot(writer: &Writer<'_>, check: &Check, name: &str) -> Option<crate::report::chart::Drawing> {
    let result = check.result.as_ref()?;
    let label = writer.fill("claims.mark", &[("value", &writer.quantity(result))]);
    let part = |it: &crate::claims::BandMark| BandPart {
        from: it.from,
        to: it.to,
        word: writer.say(outcome_mark(it.outcome).2),
        paint: paint(it.outcome),
        from_label: it.from.map(|from| writer.in_unit(Interval::exactly(from), &result.unit)),
    };
    let (_, _, word) = outcome_mark(check.outcome);
    draw_bands(&Bands {
        id: format!("check-{}", check.id.replace('_', "-")),
        title: writer.fill("claims.chart", &[("name", name)]),
        description: writer.fill(
            "claims.description",
            &[("name", name), ("value", &writer.quantity(result)), ("outcome", &writer.say(word))],
        ),
        parts: check.bands.iter().map(part).collect(),
        value: result.value,
        label,
    })
}

fn paint(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::NotComputable => Paint::Ground,
        Outcome::Normal => Paint::Normal,
        Outcome::Ask => Paint::Ask,
        Outcome::Implausible => Paint::Implausible,
        Outcome::Impossible => Paint::Impossible,
    }
}

fn steps(writer: &Writer<'_>, check: &Check) -> Table {
    let row = |it: &crate::claims::Step| -> Vec<Cell> {
        vec![
            writer.message(&it.what).into(),
            writer.expression(&it.expression).into(),
            writer.quantity(&it.result).into(),
        ]
    };
    let columns =
        [("column.what", Align::Left, 31), ("column.expression", Align::Left, 46), ("column.result", Align::Right, 23)];
    writer.table(&format!("claims.steps.{}", known_check(&check.id)), &columns, check.steps.iter().map(row).collect())
}

fn known_check(id: &str) -> &str {
    CHECKS.into_iter().find(|it| *it == id).unwrap_or("other")
}

/// What a check takes for granted, what nobody stated, and what it rests on; the bands' sources stand in the method.
fn basis(writer: &Writer<'_>, check: &Check) -> Vec<Words> {
    let mut items = Vec::new();
    let assumed: Vec<_> = check.assumptions.iter().map(|it| writer.message(it)).collect();
    if !assumed.is_empty() {
        let assumed = format!("{}{}", assumed.join(&writer.say("style.clause")), writer.say("style.full_stop"));
        items.push(Words::strong(writer.say("claims.assumed")).and(PieceKind::Plain, assumed));
    }
    if !check.allowances.is_empty() {
        let allowed: Vec<_> = check.allowances.iter().map(|it| writer.message(it)).collect();
        let allowed = format!("{}{}", allowed.join(&writer.say("style.clause")), writer.say("style.full_stop"));
        items.push(Words::strong(writer.say("claims.allowed")).and(PieceKind::Plain, allowed));
    }
    if !check.missing.is_empty() {
        let missing = writer.list(check.missing.iter().map(|it| writer.word("about", &code(it))));
        let missing = format!("{missing}{}", writer.say("style.full_stop"));
        items.push(Words::strong(writer.say("claims.missing")).and(PieceKind::Plain, missing));
    }
    if !check.rests_on.is_empty() {
        let words = Words::strong(writer.say("claims.rests_on")).then(writer.ids(&check.rests_on));
        let date = writer.language.numbers.date(check.bands_date);
        let end = if check.sources.is_empty() {
            writer.say("style.full_stop")
        } else {
            writer.fill("claims.bands", &[("date", &date)])
        };
        items.push(words.and(PieceKind::Plain, end));
    }
    items
}
