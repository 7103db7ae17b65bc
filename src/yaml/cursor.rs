//! A place in a document that may or may not hold what is looked for. Walking never fails; it only finds nothing.

use std::ops::Range;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::yaml::tree::{Kind, Node};
use crate::yaml::{Document, Problem, Problems, check, did_you_mean, list_of_names, to_half_width};

/// A value of a document, or the place where it would stand.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    document: &'a Document,
    node: Option<&'a Node>,
    key: Option<&'a Range<usize>>,
    /// The nearest thing that exists, for problems about things that do not.
    nearest: &'a Range<usize>,
    path: String,
}

impl<'a> Cursor<'a> {
    pub(crate) fn root(document: &'a Document) -> Self {
        let node = document.root.as_ref();
        Self { document, node: Some(node), key: None, nearest: &node.span, path: String::new() }
    }

    /// The value under a key.
    #[must_use]
    pub fn field(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let entry = match self.node.map(|it| &it.kind) {
            Some(Kind::Mapping(entries)) => entries.iter().find(|it| it.key == key),
            _ => None,
        };
        match entry {
            Some(entry) => self.child(&entry.value, Some(&entry.key_span), path),
            None => Self { node: None, path, ..self.clone() },
        }
    }

    /// The items of a list; none where there is no list.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let nodes = match self.node.map(|it| &it.kind) {
            Some(Kind::Sequence(nodes)) => nodes.as_slice(),
            _ => &[],
        };
        let list = self.clone();
        nodes
            .iter()
            .enumerate()
            .map(move |(idx, node)| list.child(node, None, format!("{}{}", list.path, name(idx, node))))
    }

    /// The keys of a mapping and their values, in the order of the file; none where there is no mapping.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let entries = match self.node.map(|it| &it.kind) {
            Some(Kind::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let mapping = self.clone();
        entries.iter().map(move |it| {
            let dot = if mapping.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{}", mapping.path, it.key);
            (it.key.as_str(), mapping.child(&it.value, Some(&it.key_span), path))
        })
    }

    /// The text of a single value; none for lists, mappings and nothing.
    pub fn text(&self) -> Option<&'a str> {
        match self.node.map(|it| (&it.kind, it.is_null())) {
            Some((Kind::Scalar { text, .. }, false)) => Some(text),
            _ => None,
        }
    }

    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        self.text()?.parse().ok().filter(|it: &f64| it.is_finite())
    }

    /// The value as a date, if it is one.
    pub fn date(&self) -> Option<chrono::NaiveDate> {
        crate::yaml::date::parse(self.text()?).ok()
    }

    /// Whether something stands here.
    pub fn exists(&self) -> bool {
        self.node.is_some_and(|it| !it.is_null())
    }

    /// The value as `T` where nothing is wrong with it. Says nothing: whoever checks the file tells what is wrong.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self) -> Option<T> {
        check::read(self, &mut Problems::new())
    }

    /// A mistake where the value is the name of something that is not known; `what` says of what. None where nothing
    /// stands here that could be a name.
    pub fn unknown_name(&self, code: &'static str, what: &str, known: &[&str]) -> Option<Problem> {
        let name = self.text().filter(|it| !known.contains(it))?;
        let problem = self.problem(code, format!("`{}`: there is no {what} `{name}`", self.path()));
        Some(problem.label(format!("unknown {what}")).hint(hint_for_name(name, what, known)))
    }

    /// The line that the value is in, counted from 1.
    pub fn line(&self) -> usize {
        let span = self.node.map(|it| &it.span).filter(|it| !it.is_empty()).or(self.key).unwrap_or(self.nearest);
        self.document.place(span.clone()).line()
    }

    /// Its dotted path from the top of the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A mistake in the value.
    #[must_use]
    pub fn problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        let value = self.node.map(|it| &it.span).filter(|it| !it.is_empty());
        self.at(value.or(self.key).unwrap_or(self.nearest), code, message)
    }

    /// A mistake in the key that the value stands under.
    #[must_use]
    pub fn key_problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        self.at(self.key.unwrap_or(self.nearest), code, message)
    }

    pub(crate) fn node(&self) -> Option<&'a Node> {
        self.node
    }

    fn at(&self, span: &Range<usize>, code: &'static str, message: impl Into<String>) -> Problem {
        let place = Some(self.document.place(span.clone()));
        Problem { place, ..Problem::of_file(&*self.document.file, code, message) }
    }

    fn child(&self, node: &'a Node, key: Option<&'a Range<usize>>, path: String) -> Self {
        Self { document: self.document, node: Some(node), key, nearest: key.unwrap_or(&node.span), path }
    }
}

fn hint_for_name(name: &str, what: &str, known: &[&str]) -> String {
    let half = to_half_width(name);
    let parts: Vec<&str> = half.split([',', ';']).map(str::trim).collect();
    match did_you_mean(name, known.iter().copied()) {
        _ if half != name && parts.len() > 1 => {
            format!("separate names with a half-width comma: `{}`", parts.join(", "))
        }
        Some(meant) if half != name => format!("`{name}` has full-width characters; write `{meant}`"),
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => format!("there is no {what} at all yet"),
        None => format!("known here: {}", list_of_names(known.iter().copied())),
    }
}

/// An item by its id where it has one, or else by its number, counted from 1.
fn name(idx: usize, node: &Node) -> String {
    let id = match &node.kind {
        Kind::Mapping(entries) => entries.iter().find(|it| it.key == "id"),
        _ => None,
    };
    match id.map(|it| &it.value.kind) {
        Some(Kind::Scalar { text, .. }) => format!("[{text}]"),
        _ => format!("[#{}]", idx + 1),
    }
}
