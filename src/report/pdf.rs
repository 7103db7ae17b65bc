//! A view as a tagged PDF: PDF/UA-1 and PDF/A-2a, set by typst inside this process.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};
use typst::WorldExt;
use typst::diag::{Severity, SourceDiagnostic, Warned};
use typst::foundations::Smart;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use crate::report::fonts::covering;
use crate::report::page::{Block, Figure};
use crate::report::world::MemoWorld;
use crate::report::{Error, FontSources, View};
use crate::shelf;

/// The template, by its path on the shelf.
const TEMPLATE: &str = "memo/memo.typ";

/// The whole PDF.
///
/// # Errors
/// A character that no font at hand can show; anything typst warns about, since a warning is a memo that looks wrong.
pub(in crate::report) fn write(view: &View, sources: &FontSources) -> Result<Vec<u8>, Error> {
    let world = world(view, sources)?;
    let document = lay_out(&world)?;
    let options = PdfOptions {
        ident: Smart::Custom(format!("{} {} {}", view.title, view.language, view.frame.hash)),
        creator: Smart::Custom(Some(view.generator.clone())),
        standards: standards()?,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| problems(&world, &errors))
}

/// Pages in reading order, before they are written.
pub(in crate::report) fn lay_out(world: &MemoWorld) -> Result<PagedDocument, Error> {
    let Warned { output, warnings } = typst::compile::<PagedDocument>(world);
    let document = output.map_err(|errors| problems(world, &errors))?;
    if warnings.is_empty() { Ok(document) } else { Err(problems(world, &warnings)) }
}

/// What typst sees of a view.
pub(in crate::report) fn world(view: &View, sources: &FontSources) -> Result<MemoWorld, Error> {
    let mut data = serde_json::to_value(view).expect("a view is plain data");
    let fonts = covering(view, &data, sources)?;
    data["fonts"] = json!(fonts.families);
    data["day"] = day(&view.date);
    let mut files = BTreeMap::from([("/view.json".to_owned(), data.to_string().into_bytes())]);
    for figure in figures(view) {
        files.insert(format!("/charts/{}.svg", figure.name), figure.svg.clone().into_bytes());
    }
    let template = shelf::find(shelf::TEMPLATES, TEMPLATE).and_then(|bytes| std::str::from_utf8(bytes).ok());
    MemoWorld::new(template.expect("`templates/memo/memo.typ` is embedded"), files, fonts)
}

fn standards() -> Result<PdfStandards, Error> {
    PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1])
        .map_err(|error| Error::Typesetting { problems: vec![error.message().to_string()] })
}

/// The case's date as numbers; a memo never asks the clock.
fn day(date: &str) -> Value {
    date.parse::<NaiveDate>().map_or(Value::Null, |it| json!([it.year(), it.month(), it.day()]))
}

fn figures(view: &View) -> impl Iterator<Item = &Figure> {
    let blocks = view.sections.iter().flat_map(|it| &it.blocks);
    let drawn = blocks.filter_map(|it| match it {
        Block::Figure(figure) => Some(figure),
        Block::Paragraph { .. } | Block::Heading { .. } | Block::List { .. } | Block::Note { .. } | Block::Table(_) => {
            None
        }
    });
    std::iter::once(&view.decision.quadrant).chain(drawn)
}

fn problems(world: &MemoWorld, diagnostics: &[SourceDiagnostic]) -> Error {
    let tell = |it: &SourceDiagnostic| {
        let kind = if it.severity == Severity::Error { "error" } else { "warning" };
        let at =
            world.range(it.span).map_or_else(String::new, |range| format!(" at byte {} of `{TEMPLATE}`", range.start));
        let hints: String = it.hints.iter().map(|hint| format!(" (hint: {})", hint.v)).collect();
        format!("{kind}: {}{at}{hints}", it.message)
    };
    Error::Typesetting { problems: diagnostics.iter().map(tell).collect() }
}
