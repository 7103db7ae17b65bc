//! One file that could be parsed: a tree with places, ready to be checked and read.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::yaml::tree::{self, Node, Tree};
use crate::yaml::width::{self, WideColon};
use crate::yaml::{Cursor, Place, Problem, Problems, check, encoding, syntax};

/// Most full-width colons that are mended in one file before the rest is left for the next run.
const MOST_MENDED: usize = 50;

/// One parsed file.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) file: Arc<str>,
    pub(crate) source: Arc<str>,
    pub(crate) root: Arc<Node>,
}

impl Document {
    /// Parses a file, or says why it cannot be. What can be read around is a problem too, but the document comes back:
    /// duplicate keys, tags, full-width colons.
    pub fn parse(file: &str, bytes: &[u8], problems: &mut Problems) -> Option<Self> {
        let text = encoding::decode(file, bytes).map_err(|problem| problems.push(*problem)).ok()?;
        let source: Arc<str> = text.into();
        let tree = build_mended(file, &source, problems);
        let root = tree.root;
        let is_silent = tree.problems.is_empty() && problems.is_empty();
        problems.extend(tree.problems);
        if root.is_none() && is_silent {
            problems.push(empty(file));
        }
        Some(Self { file: file.into(), source, root: root? })
    }

    /// The whole file.
    pub fn root(&self) -> Cursor<'_> {
        Cursor::root(self)
    }

    /// Notes everything that is wrong with the file as one of type `T`.
    pub fn check<T: JsonSchema>(&self, problems: &mut Problems) {
        check::against::<T>(&self.root(), problems);
    }

    /// The file as one of type `T`; everything that is wrong with it is noted.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self, problems: &mut Problems) -> Option<T> {
        check::read(&self.root(), problems)
    }

    pub(crate) fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place { source: Arc::clone(&self.source), span }
    }
}

/// Builds the tree; where the parser fails behind a full-width colon, that colon is told, read as `:`, and the parser
/// starts again, so that one such colon does not hide the other mistakes.
fn build_mended(file: &str, source: &Arc<str>, problems: &mut Problems) -> Tree {
    let mut text = source.to_string();
    for _ in 0..=MOST_MENDED {
        let error = match tree::build(file, source, &text) {
            Ok(tree) => return tree,
            Err(error) => error,
        };
        let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
        let Some(colon) = width::wide_colon_before(&text, at) else {
            problems.push(syntax_problem(file, source, &error, at));
            break;
        };
        problems.push(wide_colon_problem(file, source, &colon));
        width::mend(&mut text, &colon);
    }
    Tree::default()
}

fn syntax_problem(file: &str, source: &Arc<str>, error: &granit_parser::ScanError, at: usize) -> Problem {
    let (message, hint) = syntax::explain(error.kind());
    let end = source.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |it| at + it.len_utf8());
    let place = Some(Place { source: Arc::clone(source), span: at..end });
    Problem { place, ..Problem::of_file(file, "syntax", message).hint(hint).label("here") }
}

fn wide_colon_problem(file: &str, source: &Arc<str>, colon: &WideColon) -> Problem {
    let key = source.get(colon.key.clone()).unwrap_or_default();
    let line = source.get(colon.key.start..).and_then(|it| it.lines().next()).unwrap_or_default();
    let value = line.split_once('：').map_or("", |(_, value)| value.trim());
    let place = Some(Place { source: Arc::clone(source), span: colon.colon.clone() });
    let written = format!("{key}: {value}");
    Problem { place, ..Problem::of_file(file, "full-width", format!("the colon after `{key}` is full-width")) }
        .label("full-width colon")
        .hint(format!("write `{}` with a half-width colon and a space", written.trim_end()))
}

fn empty(file: &str) -> Problem {
    Problem::of_file(file, "empty", "the file is empty").hint("`unshell init` writes one with comments to start from")
}
