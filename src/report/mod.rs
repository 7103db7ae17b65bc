//! A scorecard in, memos out: HTML and PDF, in every language there is.
//!
//! [`View`] turns the scorecard into finished words, tables and charts of one language; the templates in
//! `templates/memo/` only lay them out. A memo states nothing that is not in the scorecard.

mod chart;
mod drawings;
mod error;
#[cfg(feature = "pdf")]
mod fonts;
mod language;
mod number;
mod page;
#[cfg(feature = "pdf")]
mod pdf;
#[cfg(all(test, feature = "pdf"))]
mod pdf_text;
mod view;
#[cfg(feature = "pdf")]
mod world;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use drawings::Drawings;
pub use error::{Error, MissingCharacter};
pub use language::{Language, placeholders};
pub use number::NumberStyle;
pub use page::{Align, Block, Cell, Column, Figure, Piece, PieceKind, Section, Table, Tone, Words};
pub use view::{Decision, Frame, Gate, Heading, Strip, View, Vote};

use crate::scoring::Scorecard;

/// A finished memo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// `memo.<language>.html` or `memo.<language>.pdf`.
    pub file_name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// One self-contained page.
    Html,
    /// A tagged PDF.
    Pdf,
}

/// Where characters are looked for that the embedded fonts do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FontSources {
    /// Folders with fonts, searched first.
    pub folders: Vec<PathBuf>,
    /// Whether the fonts of the system may be used too. Memos then depend on the machine, but only for such characters.
    pub system: bool,
}

/// The memos of a scorecard: languages in the given order, HTML before PDF within each.
///
/// Pure but for `fonts`, which is only looked at when a PDF needs a character that the embedded fonts lack.
///
/// # Errors
/// An unknown language, a sentence no language file has, or a character no font can show.
pub fn memos(
    card: &Scorecard,
    languages: &[String],
    formats: &[Format],
    fonts: &FontSources,
) -> Result<Vec<Memo>, Error> {
    let drawings = &Drawings::load()?;
    // Languages share nothing but what they read, so each has its own thread; the order stays that of `languages`.
    let written: Vec<Result<Vec<Memo>, Error>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            languages.iter().map(|tag| scope.spawn(move || in_language(card, tag, formats, fonts, drawings))).collect();
        let end =
            |it: std::thread::ScopedJoinHandle<'_, _>| it.join().unwrap_or_else(|it| std::panic::resume_unwind(it));
        threads.into_iter().map(end).collect()
    });
    Ok(written.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

fn in_language(
    card: &Scorecard,
    tag: &str,
    formats: &[Format],
    fonts: &FontSources,
    drawings: &Drawings,
) -> Result<Vec<Memo>, Error> {
    let language = Language::find(tag)?;
    let view = View::new(card, &language, drawings)?;
    let mut memos = Vec::new();
    if formats.contains(&Format::Html) {
        let bytes = drawings.html(&view)?.into_bytes();
        memos.push(Memo { file_name: format!("memo.{tag}.html"), bytes });
    }
    if formats.contains(&Format::Pdf) {
        memos.push(Memo { file_name: format!("memo.{tag}.pdf"), bytes: write_pdf(&view, fonts)? });
    }
    Ok(memos)
}

#[cfg(feature = "pdf")]
fn write_pdf(view: &View, fonts: &FontSources) -> Result<Vec<u8>, Error> {
    pdf::write(view, fonts)
}

#[cfg(not(feature = "pdf"))]
fn write_pdf(_view: &View, _fonts: &FontSources) -> Result<Vec<u8>, Error> {
    Err(Error::NoPdf)
}
