//! One mistake in one file, and all mistakes of all files.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole text, without a byte-order mark.
    pub source: Arc<str>,
    /// The bytes of it that are wrong.
    pub span: Range<usize>,
}

impl Place {
    /// Line, counted from 1.
    pub fn line(&self) -> usize {
        1 + self.before().matches('\n').count()
    }

    /// Column in characters, counted from 1.
    pub fn column(&self) -> usize {
        let line = self.before().rsplit('\n').next().unwrap_or_default();
        1 + line.chars().count()
    }

    fn before(&self) -> &str {
        let mut end = self.span.start.min(self.source.len());
        while !self.source.is_char_boundary(end) {
            end -= 1;
        }
        &self.source[..end]
    }
}

/// One mistake that a person can find and mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the person named it.
    pub file: String,
    /// Where in the file; none where the file as a whole is wrong.
    pub place: Option<Place>,
    /// Stable kebab-case code, e.g. `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one sentence: which item, what was expected, what was found.
    pub message: String,
    /// A few words that stand under the wrong bytes.
    pub label: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake of a file as a whole.
    pub fn of_file(file: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let message = printable(message.into());
        Self { file: printable(file.into()), place: None, code, message, label: None, hint: None }
    }

    /// The same mistake with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(printable(hint.into()));
        self
    }

    /// The same mistake with a few words under the wrong bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// `file:line:column`, or the file alone.
    pub fn location(&self) -> String {
        match &self.place {
            Some(place) => format!("{}:{}:{}", self.file, place.line(), place.column()),
            None => self.file.clone(),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let place = |it: &Self| it.place.as_ref().map(|place| (place.span.start, place.span.end));
        (&self.file, place(self), self.code, &self.message).cmp(&(
            &other.file,
            place(other),
            other.code,
            &other.message,
        ))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location(), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Messages quote what files hold, and a double-quoted `"\e[2J"` is a control character: it is shown, not obeyed.
fn printable(text: String) -> String {
    let is_harmless = |it: char| !it.is_control() && !matches!(it, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if text.chars().all(is_harmless) {
        return text;
    }
    text.chars().fold(String::new(), |mut out, it| {
        if is_harmless(it) {
            out.push(it);
        } else {
            out.extend(it.escape_unicode());
        }
        out
    })
}

/// Every mistake that was found, by file and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one more, once.
    pub fn push(&mut self, problem: Problem) {
        if let Err(at) = self.0.binary_search_by(|it| it.order(&problem)) {
            self.0.insert(at, problem);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, by file and place.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many files they are in.
    pub fn files(&self) -> usize {
        self.0.chunk_by(|one, other| one.file == other.file).count()
    }

    /// The value where there is no problem.
    ///
    /// # Panics
    /// When there is neither a value nor a problem: whoever gives none has to say why.
    pub fn result_or<T>(self, value: Option<T>) -> Result<T, Self> {
        if self.is_empty() { Ok(value.expect("what is missing without a value is a problem")) } else { Err(self) }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        for problem in problems {
            self.push(problem);
        }
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, problem) in self.0.iter().enumerate() {
            let separator = if idx == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_survive_a_span_inside_one() {
        let place = |start| Place { source: "甲: 1\n乙丙: 2\n".into(), span: start..start + 1 };
        assert_eq!((place(0).line(), place(0).column()), (1, 1));
        assert_eq!((place(13).line(), place(13).column()), (2, 3));
        assert_eq!((place(8).line(), place(8).column()), (2, 1));
    }

    #[test]
    fn problems_are_kept_once_and_in_order() {
        let mut problems = Problems::new();
        for (file, message) in [("b", "x"), ("a", "y"), ("b", "x")] {
            problems.push(Problem::of_file(file, "code", message));
        }
        assert_eq!(problems.to_string(), "a: y\nb: x");
        assert_eq!((problems.len(), problems.files()), (2, 2));
    }
}
