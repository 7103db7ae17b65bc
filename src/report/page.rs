//! What a memo is made of: words, tables and figures, finished, for templates to lay out.

use serde::Serialize;

/// A run of text of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// How it is set.
    pub kind: PieceKind,
    /// Its language, where that is not the memo's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where it leads, for addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// How a run of text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// As the text around it.
    Plain,
    /// Heavier.
    Strong,
    /// An identifier, a path, a hash.
    Code,
    /// Smaller and lighter: marks and asides.
    Quiet,
}

/// A line or paragraph of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Words(pub Vec<Piece>);

impl Words {
    /// Text as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::default().and(PieceKind::Plain, text)
    }

    /// Heavier text.
    pub fn strong(text: impl Into<String>) -> Self {
        Self::default().and(PieceKind::Strong, text)
    }

    /// An identifier.
    pub fn code(text: impl Into<String>) -> Self {
        Self::default().and(PieceKind::Code, text)
    }

    /// Smaller and lighter text.
    pub fn quiet(text: impl Into<String>) -> Self {
        Self::default().and(PieceKind::Quiet, text)
    }

    /// More text behind.
    #[must_use]
    pub fn and(mut self, kind: PieceKind, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Piece { text, kind, language: None, link: None });
        }
        self
    }

    /// More words behind.
    #[must_use]
    pub fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// The text without its settings.
    pub fn text(&self) -> String {
        self.0.iter().map(|it| it.text.as_str()).collect()
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// Whether something speaks for the company, against it, or is open. Always shown by symbol and word besides colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Speaks for.
    For,
    /// Speaks against.
    Against,
    /// Not known.
    Open,
    /// Neither.
    Plain,
}

/// One part of a section.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    /// Prose.
    Paragraph {
        /// Its words.
        words: Words,
    },
    /// A heading below the section's.
    Heading {
        /// With its number.
        text: String,
    },
    /// Points.
    List {
        /// One a line.
        items: Vec<Words>,
    },
    /// A sentence that must not be missed.
    Note {
        /// Its words.
        words: Words,
        /// What it speaks for.
        tone: Tone,
    },
    /// A table.
    Table(Table),
    /// A chart.
    Figure(Figure),
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// With its number; stands above.
    pub title: String,
    /// Its columns; the first one names the row.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// What stands below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// Where its text stands.
    pub align: Align,
    /// Its share of the width, in parts.
    pub share: u32,
}

/// Where text stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
    /// Marks.
    Center,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Its words.
    pub words: Words,
    /// What it speaks for.
    pub tone: Tone,
    /// How dark it is in a heat table, 0-4; none elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shade: Option<u8>,
}

impl From<Words> for Cell {
    fn from(words: Words) -> Self {
        Self { words, tone: Tone::Plain, shade: None }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Words::plain(text).into()
    }
}

/// A chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// File name without ending, and id.
    pub name: String,
    /// With its number; stands below.
    pub caption: String,
    /// What the chart shows, for those who cannot see it.
    pub description: String,
    /// The chart itself.
    pub svg: String,
    /// Its share of the width, in percent.
    pub width: u32,
}

/// A part of the memo with a heading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// For links.
    pub id: String,
    /// With its number.
    pub heading: String,
    /// Whether it stands behind the body.
    pub is_appendix: bool,
    /// What it says.
    pub blocks: Vec<Block>,
}
