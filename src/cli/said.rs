//! Sentences of the command line in the language of a case: the same keys as the memo's.

use std::cell::RefCell;

use crate::cli::Failure;
use crate::fact::{Message, Text};
use crate::report::Language;

/// The language of a case without one.
const DEFAULT: &str = "en";

/// Says things in one language, and keeps what it could not say.
pub(crate) struct Said {
    language: Language,
    problems: RefCell<Vec<String>>,
}

impl Said {
    /// In this language; in English where a case names none.
    pub(crate) fn in_language(tag: Option<&str>) -> Result<Self, Failure> {
        Ok(Self { language: Language::find(tag.unwrap_or(DEFAULT))?, problems: RefCell::default() })
    }

    /// The sentence under a key with its placeholders filled.
    pub(crate) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.kept(self.language.fill(key, values))
    }

    /// What the engine said.
    pub(crate) fn message(&self, message: &Message) -> String {
        self.kept(self.language.message(message))
    }

    /// The word under `<family>.<code>`, or the code itself where the language has none: codes of a later version.
    pub(crate) fn word(&self, family: &str, code: &str) -> String {
        self.language.get(&format!("{family}.{code}")).unwrap_or(code).to_owned()
    }

    /// The word under `<family>.<code>`, or what the program says in English where the language has none or needs
    /// more to say it.
    pub(crate) fn known_or(&self, family: &str, code: &str, detail: &str) -> String {
        let known = self.language.get(&format!("{family}.{code}")).filter(|it| !it.contains('{'));
        known.unwrap_or(detail).to_owned()
    }

    /// A text of the rubric or the case.
    pub(crate) fn text(&self, text: &Text) -> String {
        self.language.words(text).trim().to_owned()
    }

    /// A number as the language writes it.
    pub(crate) fn number(&self, number: f64) -> String {
        self.language.numbers.number(number)
    }

    /// What was said, or everything that could not be.
    pub(crate) fn checked(&self, text: String) -> Result<String, Failure> {
        let problems = self.problems.take();
        if problems.is_empty() { Ok(text) } else { Err(Failure::new(problems.join("\n"))) }
    }

    fn kept(&self, said: Result<String, String>) -> String {
        said.unwrap_or_else(|problem| {
            self.problems.borrow_mut().push(problem);
            String::new()
        })
    }
}
