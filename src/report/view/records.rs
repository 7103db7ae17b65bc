//! Behind the body: the ledger, the method with its limits and glossary, and the audit.

use crate::case::LedgerEntry;
use crate::report::number::exact;
use crate::report::page::{Align, Block, Cell, Piece, PieceKind, Section, Table, Words};
use crate::report::view::{Writer, scorecard_hash};
use crate::scoring::FileDigest;

/// Terms of the glossary, by key.
const TERMS: &[&str] = &[
    "wrapper",
    "borrowing",
    "own",
    "base",
    "pretraining",
    "continued",
    "finetuning",
    "distillation",
    "merge",
    "blueprint",
    "weights",
    "lineage",
    "disclosure",
    "grade",
    "confidence",
    "coverage",
    "veto",
    "hold",
    "waiver",
    "token",
    "gpu_hour",
    "mfu",
];
/// Sentences of the method, in order.
const METHOD: &[&str] =
    &["levels", "grades", "intervals", "outputs", "table", "shares", "lineage", "weights", "claims"];
/// Sentences of the limits, in order.
const LIMITS: &[&str] = &["form", "catalog", "silence", "bands", "advice"];

pub(in crate::report) fn ledger(writer: &Writer<'_>) -> Section {
    let row = |it: &LedgerEntry| -> Vec<Cell> {
        vec![
            Words::code(&it.id).into(),
            Words::strong(format!("{:?}", it.grade)).into(),
            entry(writer, it).into(),
            dates(writer, it).into(),
            basis(writer, it).into(),
        ]
    };
    let columns = [
        ("column.id", Align::Left, 9),
        ("column.grade", Align::Center, 7),
        ("column.evidence", Align::Left, 42),
        ("column.dates", Align::Left, 24),
        ("column.graded_by", Align::Left, 18),
    ];
    let paragraph = |key: &str| Block::Paragraph { words: Words::plain(writer.say(key)) };
    if writer.card.ledger.is_empty() {
        return writer.appendix("ledger", "ledger.heading", vec![paragraph("ledger.none")]);
    }
    let table = writer.table("ledger.table", &columns, writer.card.ledger.iter().map(row).collect());
    writer.appendix("ledger", "ledger.heading", vec![paragraph("ledger.lead"), Block::Table(table)])
}

fn entry(writer: &Writer<'_>, it: &LedgerEntry) -> Words {
    let mut words = writer.words(&it.title);
    if let Some(first) = words.0.first_mut().filter(|it| it.language.is_none()) {
        first.kind = PieceKind::Strong;
    }
    if let Some(note) = &it.note {
        words = words.and(PieceKind::Plain, " ").then(writer.words(note));
    }
    if let Some(url) = &it.url {
        let piece = Piece { text: url.clone(), kind: PieceKind::Code, language: None, link: Some(url.clone()) };
        words = words.and(PieceKind::Plain, " ").then(Words(vec![piece]));
    }
    if let Some(file) = &it.file {
        words = words.and(PieceKind::Plain, " ").and(PieceKind::Code, file);
    }
    if let Some(hash) = &it.sha256 {
        words = words.and(PieceKind::Plain, " ").and(PieceKind::Code, format!("sha256:{hash}"));
        if it.actual_sha256.as_ref().is_some_and(|actual| actual != hash) {
            words = words.and(PieceKind::Strong, format!(" {}", writer.say("ledger.tampered")));
        }
    }
    words
}

fn dates(writer: &Writer<'_>, it: &LedgerEntry) -> Words {
    let date = |day| writer.language.numbers.date(day);
    let collected = writer.fill("ledger.collected", &[("date", &date(it.collected))]);
    let expires = writer.fill("ledger.expires", &[("date", &date(it.expires))]);
    let mut parts = vec![collected, expires];
    if let Some(day) = it.published {
        parts.insert(0, writer.fill("ledger.published", &[("date", &date(day))]));
    }
    let words = Words::plain(parts.join(&writer.say("style.clause")));
    if it.expires < writer.card.date {
        return words.and(PieceKind::Strong, format!(" {}", writer.say("ledger.expired")));
    }
    words
}

fn basis(writer: &Writer<'_>, it: &LedgerEntry) -> Words {
    let method = writer.word("method", &it.method);
    let graded = it.graded_by.iter().filter(|code| *code != "method" && **code != it.method);
    let mut parts = vec![method];
    parts.extend(graded.map(|code| writer.word("graded", code)));
    Words::plain(writer.list(parts))
        .and(PieceKind::Plain, writer.say("style.clause"))
        .and(PieceKind::Plain, writer.say("ledger.origin"))
        .and(PieceKind::Code, &it.origin)
}

pub(in crate::report) fn method(writer: &Writer<'_>) -> Section {
    let sentences = |family: &str, keys: &[&str]| -> Vec<Words> {
        keys.iter().map(|key| Words::plain(writer.say(&format!("{family}.{key}")))).collect()
    };
    let mut blocks = vec![
        writer.heading(&writer.say("method.how")),
        Block::List { items: sentences("method.text", METHOD) },
        writer.heading(&writer.say("method.limits")),
        Block::List { items: sentences("limits.text", LIMITS) },
    ];
    // Headings and tables are numbered as they are made.
    blocks.extend(bands(writer));
    blocks.push(writer.heading(&writer.say("method.glossary")));
    blocks.push(Block::Table(glossary(writer)));
    writer.appendix("method", "method.heading", blocks)
}

/// Where the bands of the claim checks come from: each source once, with the checks that used it.
fn bands(writer: &Writer<'_>) -> Vec<Block> {
    let mut sources: Vec<(&str, Vec<String>)> = Vec::new();
    for check in &writer.card.checks {
        for source in &check.sources {
            let name = writer.word("check", &check.id);
            match sources.iter_mut().find(|(it, _)| it == source) {
                Some((_, names)) => names.push(name),
                None => sources.push((source, vec![name])),
            }
        }
    }
    let Some(date) = writer.card.checks.iter().map(|it| it.bands_date).max().filter(|_| !sources.is_empty()) else {
        return Vec::new();
    };
    let row = |(source, names): (&str, Vec<String>)| -> Vec<Cell> {
        vec![writer.series(names).into(), writer.in_language(source, "en").into()]
    };
    let columns = [("column.used_by", Align::Left, 22), ("column.source", Align::Left, 78)];
    let title = writer.fill("method.bands_table", &[("date", &writer.language.numbers.date(date))]);
    let table = writer.titled_table(&title, &columns, sources.into_iter().map(row).collect());
    vec![writer.heading(&writer.say("method.bands")), Block::Table(table)]
}

fn glossary(writer: &Writer<'_>) -> Table {
    let row = |term: &&str| -> Vec<Cell> {
        vec![
            writer.say(&format!("term.{term}.en")).into(),
            writer.say(&format!("term.{term}.zh")).into(),
            writer.say(&format!("term.{term}.means")).into(),
        ]
    };
    let columns =
        [("column.english", Align::Left, 22), ("column.chinese", Align::Left, 22), ("column.means", Align::Left, 56)];
    writer.table("method.terms", &columns, TERMS.iter().map(row).collect())
}

pub(in crate::report) fn audit(writer: &Writer<'_>) -> Section {
    let card = writer.card;
    let facts = writer.fill(
        "audit.facts",
        &[
            ("tool", &card.tool_version),
            ("rubric", &format!("{} {}", card.rubric.id, card.rubric.version)),
            ("date", &writer.language.numbers.date(card.date)),
        ],
    );
    let row = |it: &crate::case::InputFile| -> Vec<Cell> {
        vec![Words::code(&it.path).into(), exact(it.bytes).into(), Words::code(&it.sha256).into()]
    };
    let columns =
        [("column.file", Align::Left, 23), ("column.bytes", Align::Right, 9), ("column.sha256", Align::Left, 68)];
    let mut rows: Vec<_> = card.inputs.iter().map(row).collect();
    let own = writer.say("audit.scorecard");
    rows.push(vec![own.into(), Words::default().into(), Words::code(scorecard_hash(card)).into()]);
    let rubric = format!("{} {}", writer.say("audit.rubric"), card.rubric.id);
    rows.push(vec![rubric.into(), Words::default().into(), Words::code(&card.rubric.sha256).into()]);
    if let Some(shipped) = &card.rubric.changed_from {
        rows.push(vec![writer.say("audit.shipped").into(), Words::default().into(), Words::code(shipped).into()]);
    }
    let signed = |it: &crate::scoring::Analyst| {
        let day = writer.language.numbers.date(it.signed);
        Words::plain(writer.fill(
            "audit.signed",
            &[("name", &writer.text(&it.name)), ("date", &day), ("answered", &it.answered.to_string())],
        ))
    };
    let mut blocks = vec![
        Block::Paragraph { words: Words::plain(facts) },
        Block::List { items: card.analysts.iter().map(signed).collect() },
        Block::Table(writer.table("audit.table", &columns, rows)),
    ];
    blocks.extend(model_files(writer).map(Block::Table));
    blocks.extend([
        Block::Paragraph {
            words: Words::plain(writer.say("audit.reproduce")).and(PieceKind::Code, "unshell run CASE"),
        },
        Block::Paragraph { words: Words::plain(writer.say("audit.verify")) },
    ]);
    writer.appendix("audit", "audit.heading", blocks)
}

/// Every weight file with its digest: of the whole where all of it was read, else of what was read and what the server
/// states.
fn model_files(writer: &Writer<'_>) -> Option<Table> {
    let digests = |it: &FileDigest| -> Vec<(String, String)> {
        let stated = it.stated.iter().map(|digest| (writer.say("audit.stated"), digest.clone()));
        let whole = it.sha256.iter().map(|digest| (writer.say("audit.whole"), digest.clone()));
        let part = it
            .sha256
            .is_none()
            .then(|| (writer.fill("audit.part", &[("bytes", &exact(it.read_bytes))]), it.read_sha256.clone()));
        whole.chain(part).chain(stated).collect()
    };
    let row = |model: &str, it: &FileDigest, (covers, digest): (String, String)| -> Vec<Cell> {
        let name = Words::plain(format!("{model} ")).and(PieceKind::Code, &it.name);
        vec![name.into(), exact(it.bytes).into(), covers.into(), Words::code(digest).into()]
    };
    let rows: Vec<Vec<Cell>> = writer
        .card
        .models
        .iter()
        .flat_map(|model| {
            let name = writer.text(&model.name);
            let rows = model.files.iter().flat_map(|it| digests(it).into_iter().map(|found| row(&name, it, found)));
            rows.collect::<Vec<_>>()
        })
        .collect();
    let columns = [
        ("column.file", Align::Left, 27),
        ("column.bytes", Align::Right, 11),
        ("column.covers", Align::Left, 15),
        ("column.sha256", Align::Left, 47),
    ];
    (!rows.is_empty()).then(|| writer.table("audit.models", &columns, rows))
}
