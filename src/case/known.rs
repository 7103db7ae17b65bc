//! What every file of a case is checked by: what the other files hold, ids that are unique, texts that say something.

use chrono::NaiveDate;

use crate::rubric::Rubric;
use crate::yaml::{Cursor, Problems};

/// What the files of a case name each other by, as far as it could be read.
pub(crate) struct Known<'a> {
    /// The rubric, unless it could not be read itself.
    pub(crate) rubric: Option<&'a Rubric>,
    /// The day the case is judged by.
    pub(crate) date: Option<NaiveDate>,
    /// Ids of the ledger; `None` if there is no ledger to look them up in.
    pub(crate) evidence: Option<Vec<&'a str>>,
    /// Whether models have to be there.
    pub(crate) needs_models: bool,
}

impl Known<'_> {
    /// Notes every id of a list that is not in the ledger.
    pub(crate) fn evidence_exists(&self, list: &Cursor<'_>, problems: &mut Problems) {
        let Some(known) = &self.evidence else { return };
        for id in list.items() {
            problems.extend(id.unknown_name("unknown-evidence", "evidence", known));
        }
    }
}

/// Notes every id of a list of `id: ..` items that another item has too.
pub(crate) fn unique_ids(list: &Cursor<'_>, problems: &mut Problems) {
    let mut seen = Vec::new();
    for id in list.items().map(|it| it.field("id")) {
        let Some(text) = id.text() else { continue };
        if seen.contains(&text) {
            let problem = id.problem("duplicate-id", format!("`{}`: a second item has the id `{text}`", list.path()));
            problems.push(problem.label("second one").hint("give each an id of its own"));
        }
        seen.push(text);
    }
}

/// A text that says nothing in any language is none.
pub(crate) fn not_empty(at: &Cursor<'_>, problems: &mut Problems) {
    let is_blank = |it: &str| it.trim_matches(|it: char| it.is_whitespace() || it.is_control()).is_empty();
    let texts: Vec<&str> = at.text().into_iter().chain(at.fields().filter_map(|(_, it)| it.text())).collect::<Vec<_>>();
    if at.exists() && !texts.is_empty() && texts.iter().all(|it| is_blank(it)) {
        let problem = at.problem("empty", format!("`{}` is empty", at.path())).label("empty");
        problems.push(problem.hint("it is printed in the memo; write what it is called"));
    }
}
