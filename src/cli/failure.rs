//! Turns the errors of the rooms into `error: …`, `hint: …` and an exit code.

use std::fmt;
use std::process::ExitCode;

use crate::cli::Terminal;

/// Why a command could not be done.
#[derive(Debug, Default)]
pub struct Failure {
    messages: Vec<(String, Option<String>)>,
    diagnostics: Vec<miette::Report>,
}

impl Failure {
    /// A failure in one sentence, lower case, without a full stop.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { messages: vec![(message.to_string(), None)], diagnostics: Vec::new() }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        if let Some((_, slot)) = self.messages.last_mut() {
            *slot = Some(hint.to_string());
        }
        self
    }

    /// A failure that points into files.
    pub fn diagnostics(diagnostics: Vec<miette::Report>) -> Self {
        Self { messages: Vec::new(), diagnostics }
    }

    /// Prints everything and gives exit code 2.
    pub fn report(&self, terminal: &Terminal) -> ExitCode {
        for diagnostic in &self.diagnostics {
            terminal.say(&format!("{diagnostic:?}"));
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
