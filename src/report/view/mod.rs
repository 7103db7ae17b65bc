//! A scorecard and a language in, a finished memo out: every sentence, table and chart, nothing left to compute.
//!
//! One view feeds HTML and PDF, so the two cannot differ.

mod appendix;
mod arithmetic;
mod decision;
mod grounds;
mod heading;
mod lineage;
mod merge;
mod models;
mod pillars;
mod questions;
mod records;
mod unexamined;
mod weights;
mod writer;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::report::page::Section;
use crate::report::{Error, Language, drawings::Drawings};
use crate::scoring::Scorecard;

pub use decision::{Decision, Gate, Vote};
pub use heading::Heading;
pub use models::Strip;

pub(in crate::report) use writer::Writer;

/// A finished memo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Language tag, e.g. `zh-CN`.
    pub language: String,
    /// Title of the document.
    pub title: String,
    /// Name of the program that wrote it.
    pub generator: String,
    /// The case's date, `YYYY-MM-DD`.
    pub date: String,
    /// Words around the pages.
    pub frame: Frame,
    /// Page 1.
    pub decision: Decision,
    /// Everything behind it, in order.
    pub sections: Vec<Section>,
}

/// Words around the pages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// Foot, left: who it is for and that it is confidential.
    pub recipient: String,
    /// Foot, middle, with `{page}` and `{pages}` for the template to fill.
    pub page: String,
    /// Foot, right: a short hash of the scorecard.
    pub hash: String,
    /// Link that skips to the content.
    pub skip: String,
    /// Heading of the list of contents.
    pub contents: String,
    /// Name of the part behind the body.
    pub appendices: String,
}

impl View {
    /// The memo of a scorecard in a language.
    ///
    /// # Errors
    /// Every sentence and placeholder the language lacks, or a chart template that fails.
    pub fn new(card: &Scorecard, language: &Language, drawings: &Drawings) -> Result<Self, Error> {
        let writer = Writer::new(card, language, drawings);
        let decision = decision::write(&writer);
        let mut sections = vec![
            pillars::write(&writer),
            lineage::write(&writer),
            arithmetic::write(&writer),
            questions::write(&writer),
        ];
        sections.extend(appendix::write(&writer));
        let frame = write_frame(&writer);
        let title = writer
            .fill("memo.title", &[("company", &writer.text(&card.company)), ("title", &writer.text(&card.title))]);
        writer.finish()?;
        Ok(Self {
            language: language.tag().to_owned(),
            title,
            generator: format!("unshell {}", card.tool_version),
            date: card.date.to_string(),
            frame,
            decision,
            sections,
        })
    }
}

fn write_frame(writer: &Writer<'_>) -> Frame {
    let recipient = match &writer.card.recipient {
        Some(recipient) => writer.fill("frame.recipient", &[("recipient", &writer.text(recipient))]),
        None => writer.say("frame.confidential"),
    };
    Frame {
        recipient,
        page: writer.fill("frame.page", &[("page", "{page}"), ("pages", "{pages}")]),
        hash: writer.fill("frame.hash", &[("hash", &scorecard_hash(writer.card)[..12])]),
        skip: writer.say("frame.skip"),
        contents: writer.say("frame.contents"),
        appendices: writer.say("frame.appendices"),
    }
}

/// SHA-256 of the scorecard as it is kept in `scorecard.json`, lower-case hex.
pub(in crate::report) fn scorecard_hash(card: &Scorecard) -> String {
    let bytes = serde_json::to_vec_pretty(card).expect("a scorecard is plain data");
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}
