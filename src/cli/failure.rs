//! Turns the errors of the rooms into `error: …`, `hint: …` and an exit code.

use std::fmt;
use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan};

use crate::bytes;
use crate::cli::Terminal;
use crate::evidence;
use crate::yaml::{Problem, Problems};

/// Widest that a report is laid out.
const WIDTH: usize = 100;

/// Why a command could not be done.
#[derive(Debug, Default)]
pub struct Failure {
    messages: Vec<(String, Option<String>)>,
    problems: Problems,
}

impl Failure {
    /// A failure in one sentence, lower case, without a full stop.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { messages: vec![(message.to_string(), None)], problems: Problems::new() }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        if let Some((_, slot)) = self.messages.last_mut() {
            *slot = Some(hint.to_string());
        }
        self
    }

    /// The same failure with advice, where there is any.
    #[must_use]
    pub fn hint_if(self, hint: Option<impl fmt::Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Prints everything and gives exit code 2.
    pub fn report(&self, terminal: &Terminal) -> ExitCode {
        if !self.problems.is_empty() {
            terminal.say(&drawn(&self.problems, terminal.has_colours()));
        }
        for (message, hint) in &self.messages {
            terminal.say(&format!("error: {message}"));
            if let Some(hint) = hint {
                terminal.say(&format!("hint: {hint}"));
            }
        }
        ExitCode::from(2)
    }
}

impl From<bytes::Error> for Failure {
    fn from(error: bytes::Error) -> Self {
        Self::new(&error).hint_if(error.hint())
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self { messages: Vec::new(), problems }
    }
}

impl From<evidence::Error> for Failure {
    fn from(error: evidence::Error) -> Self {
        let failure = Self::new(&error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Every problem with its lines, the wrong bytes underlined, and the count at the end.
pub(crate) fn drawn(problems: &Problems, has_colours: bool) -> String {
    let mut theme = if has_colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    theme.characters.error = "error:".to_owned();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .without_primary_span_start()
        .with_links(false);
    let mut out = String::new();
    for problem in problems.iter() {
        let mut block = String::new();
        if !can_be_drawn(problem) || handler.render_report(&mut block, &Pointed::new(problem)).is_err() {
            block = format!("error: {}: {}", problem.location(), problem.message);
        }
        out.push_str(block.trim());
        if let Some(hint) = &problem.hint {
            let word = if has_colours { "\u{1b}[36mhint:\u{1b}[0m" } else { "hint:" };
            out.push_str(&format!("\n{word} {hint}"));
        }
        out.push_str("\n\n");
    }
    out.push_str(&counted(problems.len(), problems.files()));
    out
}

/// miette panics over a label some 65,000 columns to the right, and nobody reads such a line: the place alone is told.
fn can_be_drawn(problem: &Problem) -> bool {
    const LONGEST_LINE: usize = 4_000;
    let Some(place) = &problem.place else { return true };
    let lines = place.source.lines().skip(place.line().saturating_sub(2)).take(3);
    lines.map(str::len).max().is_none_or(|it| it <= LONGEST_LINE)
}

fn counted(problems: usize, files: usize) -> String {
    let mistakes = if problems == 1 { "1 mistake".to_owned() } else { format!("{problems} mistakes") };
    let places = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    format!("error: {mistakes} in {places}; nothing was written")
}

/// A problem as miette draws it.
#[derive(Debug)]
struct Pointed {
    message: String,
    source: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
}

impl Pointed {
    fn new(problem: &Problem) -> Self {
        let place = problem.place.as_ref();
        // miette counts columns in bytes, so the place is part of the name.
        let source = place.map(|it| NamedSource::new(problem.location(), it.source.to_string()));
        let label = place.map(|it| {
            let span = SourceSpan::from((it.span.start, it.span.len()));
            LabeledSpan::new_with_span(problem.label.clone(), span)
        });
        let message = match place {
            Some(_) => problem.message.clone(),
            None => format!("{}: {}", problem.file, problem.message),
        };
        Self { message, source, label }
    }
}

impl fmt::Display for Pointed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Pointed {}

impl Diagnostic for Pointed {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|it| it as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|it| Box::new(std::iter::once(it)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;

    #[test]
    fn every_mistake_is_drawn_with_its_line_and_reads_without_colour() {
        let problems = Case::read(std::path::Path::new("tests/broken/five-mistakes")).unwrap_err();
        insta::assert_snapshot!(drawn(&problems, false));
    }

    #[test]
    fn wide_characters_are_underlined_where_they_stand() {
        let problems = Case::read(std::path::Path::new("tests/broken/full-width")).unwrap_err();
        insta::assert_snapshot!(drawn(&problems, false));
    }

    #[test]
    fn a_mistake_far_to_the_right_is_told_by_its_place() {
        let text = format!("title: [{}]", "1,".repeat(300_000));
        let problems = crate::rubric::read("long.yaml", text.as_bytes()).unwrap_err();
        let drawn = drawn(&problems, false);
        assert!(drawn.starts_with("error: long.yaml:1:"), "{}", &drawn[..200.min(drawn.len())]);
        assert!(drawn.len() < 1_000);
    }

    #[test]
    fn colours_are_only_for_terminals() {
        let problems = Case::read(std::path::Path::new("tests/broken/no-model")).unwrap_err();
        assert!(drawn(&problems, true).contains('\u{1b}'));
        assert!(!drawn(&problems, false).contains('\u{1b}'));
    }
}
