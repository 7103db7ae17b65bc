//! What keeps a memo from being written.

use std::fmt::Write as _;

/// Why no memo could be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such language.
    #[error("there is no language `{tag}` to write a memo in")]
    UnknownLanguage {
        /// As it was asked for.
        tag: String,
        /// Those there are.
        known: String,
    },
    /// A language file that cannot be used.
    #[error("`languages/{tag}.yaml` cannot be used: {reason}")]
    BrokenLanguage {
        /// The language.
        tag: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Sentences that a language does not have.
    #[error("the language `{tag}` cannot say everything the scorecard holds:\n  {}", problems.join("\n  "))]
    Unsayable {
        /// The language.
        tag: String,
        /// Each missing key or placeholder.
        problems: Vec<String>,
    },
    /// An HTML or SVG template failed.
    #[error("template `{name}` could not be rendered: {reason}")]
    Template {
        /// The template.
        name: String,
        /// What the engine says.
        reason: String,
    },
    /// The PDF template failed.
    #[error("the PDF memo could not be set:\n  {}", problems.join("\n  "))]
    Typesetting {
        /// Errors and warnings, with their place in the template.
        problems: Vec<String>,
    },
    /// Characters that no font at hand can show.
    #[error("no font at hand can show {}", missing_characters(missing))]
    MissingCharacters {
        /// Each with the first place it stands.
        missing: Vec<MissingCharacter>,
    },
    /// A PDF was asked of a program built without it.
    #[error("this program was built without the feature `pdf`")]
    NoPdf,
}

/// A character that no font at hand can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCharacter {
    /// The character.
    pub character: char,
    /// The language of the memo.
    pub language: String,
    /// The line it first stands in.
    pub place: String,
}

impl Error {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownLanguage { known, .. } => format!("`languages:` in `case.yaml` may list: {known}"),
            Self::Unsayable { .. } => "write the scorecard anew with this version: `unshell score CASE`".to_owned(),
            Self::MissingCharacters { .. } => {
                "name a folder with a font that has them: `--font-path DIR` (Noto Sans CJK has most)".to_owned()
            }
            Self::NoPdf => "ask for HTML only: `--format html`".to_owned(),
            Self::BrokenLanguage { .. } | Self::Template { .. } | Self::Typesetting { .. } => return None,
        })
    }
}

fn missing_characters(missing: &[MissingCharacter]) -> String {
    let mut text = String::new();
    for (idx, it) in missing.iter().enumerate() {
        let code = u32::from(it.character);
        let before = if idx == 0 { "" } else { "; " };
        write!(text, "{before}`{}` (U+{code:04X}) in “{}” of the {} memo", it.character, it.place, it.language)
            .expect("writing to a string");
    }
    text
}
