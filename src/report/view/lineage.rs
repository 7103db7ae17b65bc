//! The lineage section: what was compared, what names, shapes and weights say, and what was not examined.

use std::collections::BTreeMap;

use crate::fact::{Closeness, Comparison, Dimensions, Form, FormRelation, Origin, SharedValue};
use crate::report::number::exact;
use crate::report::page::{Align, Block, Cell, PieceKind, Section, Table, Tone, Words};
use crate::report::view::writer::count;
use crate::report::view::{Writer, merge, unexamined, weights};
use crate::scoring::SubjectLineage;

/// How many of a long list stand in the body.
const MOST: usize = 6;

/// The names of those whose form is common: three unrelated families have it, so it points to none of them and the body
/// names none. None where no model's form is.
pub(in crate::report) fn common_forms(writer: &Writer<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    for subject in writer.card.subjects.iter().filter(|it| it.identification.is_common_form()) {
        blocks.push(writer.heading(&writer.text(&subject.name)));
        let (rows, matches) = detected(writer, subject);
        let mut table = writer.table("lineage.common_forms", &DETECTED, rows);
        table.note = more(writer, matches);
        blocks.push(Block::Table(table));
    }
    (!blocks.is_empty()).then(|| writer.appendix("common_forms", "lineage.common_forms", blocks))
}

const DETECTED: [(&str, Align, u32); 3] =
    [("column.who_says", Align::Left, 12), ("column.relative", Align::Left, 64), ("column.basis", Align::Left, 24)];

pub(in crate::report) fn write(writer: &Writer<'_>) -> Section {
    let mut blocks = vec![Block::Note { words: Words::plain(writer.say("lineage.law")), tone: Tone::Plain }];
    for subject in &writer.card.subjects {
        write_subject(writer, subject, &mut blocks);
    }
    blocks.push(writer.heading(&writer.say("lineage.unexamined")));
    blocks.push(Block::List { items: unexamined::items(writer) });
    if let Some(reply) = &writer.card.reply {
        blocks.push(writer.heading(&writer.say("lineage.reply")));
        blocks.push(Block::Paragraph { words: writer.words(reply) });
    }
    writer.section("lineage", "lineage.heading", blocks)
}

fn write_subject(writer: &Writer<'_>, subject: &SubjectLineage, blocks: &mut Vec<Block>) {
    blocks.push(writer.heading(&writer.text(&subject.name)));
    blocks.push(Block::Paragraph { words: Words::plain(describe(writer, subject)) });
    if !subject.comparisons.is_empty() || !subject.siblings.is_empty() {
        blocks.push(Block::Table(comparisons(writer, subject)));
        blocks.extend(weights::blocks(writer, subject));
        blocks.extend(merge::blocks(writer, subject));
        blocks.extend(renames(writer, subject).map(Block::Table));
        blocks.extend(telling(writer, subject).map(Block::Table));
    }
    blocks.push(Block::Table(declared(writer, subject)));
    blocks.push(Block::Paragraph { words: Words::plain(reach(writer, subject)) });
}

fn describe(writer: &Writer<'_>, subject: &SubjectLineage) -> String {
    let inspection = &subject.inspection;
    let key = match inspection.model.origin {
        Origin::Checkpoint => "lineage.from_files",
        Origin::Catalog => "lineage.from_catalog",
        Origin::Fingerprint => "lineage.from_fingerprint",
    };
    let location = match inspection.model.origin {
        Origin::Catalog => inspection.model.location.clone(),
        Origin::Checkpoint | Origin::Fingerprint => writer.text(&subject.name),
    };
    writer.fill(
        key,
        &[
            ("location", &location),
            ("parameters", &inspection.parameters.map_or_else(|| writer.say("word.unknown"), exact)),
            ("tensors", &exact(inspection.tensors)),
            ("files", &inspection.files.len().to_string()),
        ],
    )
}

fn comparisons(writer: &Writer<'_>, subject: &SubjectLineage) -> Table {
    let row = |it: &Comparison| -> Vec<Cell> {
        vec![
            Words::code(writer.called(&it.reference.location)).into(),
            writer.say(relation_key(it.form.relation)).into(),
            writer.say(dimensions_key(&it.form)).into(),
            it.form.renames.len().to_string().into(),
            (it.form.differences.len() as u64).to_string().into(),
            weights::word(writer, it.weights.relation).into(),
        ]
    };
    let columns = [
        ("column.reference", Align::Left, 31),
        ("column.form", Align::Left, 21),
        ("column.dimensions", Align::Left, 13),
        ("column.renames", Align::Right, 10),
        ("column.differences", Align::Right, 10),
        ("column.weights", Align::Left, 15),
    ];
    let rows = subject.comparisons.iter().chain(&subject.siblings).map(row).collect();
    let mut table = writer.table("lineage.comparisons", &columns, rows);
    table.note = Some(Words::plain(writer.say("lineage.comparisons_note")));
    table
}

/// Renames, each once with the references it holds for; fused and split projections beside them.
fn renames(writer: &Writer<'_>, subject: &SubjectLineage) -> Option<Table> {
    let mut found: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for it in &subject.comparisons {
        for (ours, theirs, kind) in renamed(&it.form) {
            found.entry((ours, theirs, kind)).or_default().push(writer.called(&it.reference.location));
        }
    }
    let many = found.len();
    let row = |((ours, theirs, kind), references): ((String, String, String), Vec<String>)| -> Vec<Cell> {
        let all = references.len() == subject.comparisons.len() && references.len() > 1;
        let held = if all { writer.say("lineage.all_references") } else { writer.list(references) };
        vec![Words::code(ours).into(), Words::code(theirs).into(), writer.word("rename", &kind).into(), held.into()]
    };
    let rows: Vec<_> = found.into_iter().take(MOST).map(row).collect();
    let columns = [
        ("column.subject_name", Align::Left, 25),
        ("column.reference_name", Align::Left, 41),
        ("column.matched_by", Align::Left, 19),
        ("column.holds_for", Align::Left, 15),
    ];
    (many > 0).then(|| {
        let mut table = writer.table("lineage.renames", &columns, rows);
        table.note = more(writer, many);
        table
    })
}

fn renamed(form: &Form) -> Vec<(String, String, String)> {
    let plain = form.renames.iter().map(|it| (it.subject.clone(), it.reference.clone(), it.by.clone()));
    let fused = form.projections.iter().map(|it| (it.subject.join(" + "), it.reference.join(" + "), it.kind.clone()));
    plain.chain(fused).collect()
}

/// Shared configuration values against the reference that shares the most telling ones.
fn telling(writer: &Writer<'_>, subject: &SubjectLineage) -> Option<Table> {
    let bits = |it: &Comparison| it.config.telling.iter().map(|it| it.bits).sum::<f64>();
    // The last of several that tell as much would be an accident: the first is the company's or the analyst's choice.
    let closest = subject.comparisons.iter().rev().max_by(|one, other| bits(one).total_cmp(&bits(other)))?;
    let config = &closest.config;
    let row = |it: &SharedValue, weight: &str| -> Vec<Cell> {
        let shared =
            writer.fill("lineage.holders", &[("holders", &count(it.holders)), ("population", &count(it.population))]);
        vec![
            Words::code(&it.field).into(),
            Words::code(&it.value).into(),
            shared.into(),
            writer.fill("lineage.bits", &[("bits", &format!("{:.1}", it.bits))]).into(),
            writer.say(weight).into(),
        ]
    };
    let combination = config.combination.iter().map(|it| row(it, "lineage.combination"));
    let telling = config.telling.iter().take(4).map(|it| row(it, "lineage.telling"));
    let common = config.common.iter().take(3).map(|it| row(it, "lineage.common"));
    let rows: Vec<_> = combination.chain(telling).chain(common).collect();
    let columns = [
        ("column.field", Align::Left, 30),
        ("column.value", Align::Left, 22),
        ("column.holders", Align::Left, 22),
        ("column.bits", Align::Right, 11),
        ("column.says", Align::Left, 15),
    ];
    (!rows.is_empty()).then(|| {
        let mut table = writer.table("lineage.config", &columns, rows);
        let note = writer.fill("lineage.config_note", &[("reference", &writer.called(&closest.reference.location))]);
        table.note = Some(Words::plain(note));
        table
    })
}

fn declared(writer: &Writer<'_>, subject: &SubjectLineage) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for it in &subject.declared_parents {
        let part = writer.word("part", &it.part);
        rows.push(vec![
            Words::strong(writer.say("lineage.declared")).into(),
            Words::plain(writer.fill("lineage.declared_part", &[("model", &it.model), ("part", &part)])).into(),
            writer.ids(&it.evidence).into(),
        ]);
    }
    if subject.declared_parents.is_empty() {
        let words = Words::plain(writer.say("lineage.declared_none"));
        rows.push(vec![Words::strong(writer.say("lineage.declared")).into(), words.into(), Words::default().into()]);
    }
    let (detected, matches) = detected(writer, subject);
    let families = subject.identification.families;
    if subject.identification.is_common_form() {
        let words = Words::plain(writer.fill("lineage.common_form", &[("families", &count(families))]));
        rows.push(vec![Words::strong(writer.say("lineage.detected")).into(), words.into(), Words::default().into()]);
    } else if detected.is_empty() {
        let words = Words::plain(writer.say("lineage.detected_none"));
        rows.push(vec![Words::strong(writer.say("lineage.detected")).into(), words.into(), Words::default().into()]);
    } else {
        rows.extend(detected);
    }
    let listed = if subject.identification.is_common_form() { 0 } else { matches };
    let mut table = writer.table("lineage.declared_detected", &DETECTED, rows);
    let by_form = (matches > 0).then(|| Words::plain(writer.say("lineage.by_form_note")));
    let itself = own_entry(subject).map(|own| Words::plain(writer.fill("lineage.own_entry", &[("entry", own)])));
    let gap = writer.say("style.sentence_gap");
    let notes = by_form.into_iter().chain(itself).chain(more(writer, listed));
    table.note = notes.reduce(|one, other| one.and(PieceKind::Plain, gap.as_str()).then(other));
    table
}

/// The entries that the subject is built like, and how many there are in all.
fn detected(writer: &Writer<'_>, subject: &SubjectLineage) -> (Vec<Vec<Cell>>, usize) {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let own = own_entry(subject);
    let is_own = |reference: &str| own.is_some_and(|own| own == reference);
    let matches: Vec<_> = subject.identification.matches.iter().filter(|it| !is_own(&it.reference)).collect();
    let own_rank = subject.identification.matches.iter().find(|it| is_own(&it.reference)).map(|it| it.rank);
    for it in matches.iter().take(MOST) {
        let relation = writer.say(relation_key(it.relation));
        let dimensions = writer.say(match it.closeness {
            Closeness::Stated => "lineage.stated_dimensions",
            _ if it.same_dimensions => "lineage.same_dimensions",
            _ => "lineage.other_dimensions",
        });
        let words = Words::code(&it.reference)
            .and(PieceKind::Plain, format!(" {relation}{}{dimensions}", writer.say("style.list")));
        let tied = it.tied_with.iter().filter(|it| !is_own(it)).count() as u64;
        let rank = it.rank - u64::from(own_rank.is_some_and(|own| own < it.rank));
        let rank = if tied > 0 {
            writer.fill("lineage.rank_tied", &[("rank", &count(rank)), ("tied", &count(tied))])
        } else {
            writer.fill("lineage.rank", &[("rank", &count(rank))])
        };
        rows.push(vec![Words::strong(writer.say("lineage.detected")).into(), words.into(), rank.into()]);
    }
    (rows, matches.len())
}

/// The catalogue entry that the subject itself was read from: it is no relative of itself.
fn own_entry(subject: &SubjectLineage) -> Option<&str> {
    let model = &subject.inspection.model;
    (model.origin == Origin::Catalog).then_some(model.location.as_str())
}

fn more(writer: &Writer<'_>, many: usize) -> Option<Words> {
    let rest = many.checked_sub(MOST).filter(|it| *it > 0)?;
    Some(Words::plain(writer.fill("word.more", &[("number", &rest.to_string())])))
}

fn reach(writer: &Writer<'_>, subject: &SubjectLineage) -> String {
    let catalog = &writer.card.catalog;
    let references = subject.comparisons.len().to_string();
    writer.fill(
        "lineage.reach",
        &[
            ("references", &references),
            ("size", &count(catalog.size)),
            ("newest", &catalog.newest),
            ("date", &newest_date(writer, &catalog.newest_date)),
        ],
    )
}

fn newest_date(writer: &Writer<'_>, written: &str) -> String {
    written.parse().map_or_else(|_| written.to_owned(), |day| writer.language.numbers.date(day))
}

fn dimensions_key(form: &Form) -> &'static str {
    match form.dimensions() {
        Dimensions::Same => "word.same",
        Dimensions::Unseen => "word.not_seen",
        Dimensions::Other => "word.other",
    }
}

/// Key of the word for a relation by form.
pub(in crate::report) fn relation_key(relation: FormRelation) -> &'static str {
    match relation {
        FormRelation::Identical => "form.identical",
        FormRelation::SameUpToRenaming => "form.same_up_to_renaming",
        FormRelation::FusedOrSplit => "form.fused_or_split_projections",
        FormRelation::SameFamily => "form.same_family",
        FormRelation::Undetermined => "form.undetermined",
        FormRelation::Different => "form.different",
    }
}
