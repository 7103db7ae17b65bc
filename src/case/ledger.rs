//! What makes a ledger valid, and what grade each of its entries has.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::case::LedgerEntry;
use crate::case::document::{EntryAsWritten, LedgerAsWritten};
use crate::case::folder::{Folder, Refused};
use crate::case::grade::{graded, last_day};
use crate::case::known::{Known, not_empty, unique_ids};
use crate::rubric::Rubric;
use crate::yaml::{Cursor, Problems};

/// The ids of all entries, in the order of the file.
pub(crate) fn ids<'a>(root: &Cursor<'a>) -> Vec<&'a str> {
    root.field("evidence").items().filter_map(|it| it.field("id").text()).collect()
}

/// The day an entry was collected.
pub(crate) fn collected(root: &Cursor<'_>, id: &str) -> Option<NaiveDate> {
    root.field("evidence").items().find(|it| it.field("id").text() == Some(id))?.field("collected").date()
}

/// Notes everything that is wrong with the ledger.
pub(crate) fn check(root: &Cursor<'_>, known: &Known<'_>, folder: &mut Folder, problems: &mut Problems) {
    unique_ids(&root.field("evidence"), problems);
    for entry in root.field("evidence").items() {
        if let Some(rubric) = known.rubric {
            let kinds: Vec<&str> = rubric.evidence.kinds.keys().map(String::as_str).collect();
            let methods: Vec<&str> = rubric.evidence.methods.keys().map(String::as_str).collect();
            problems.extend(entry.field("kind").unknown_name("unknown-kind", "evidence kind", &kinds));
            problems.extend(entry.field("method").unknown_name("unknown-method", "method", &methods));
        }
        for text in ["id", "title", "origin"] {
            not_empty(&entry.field(text), problems);
        }
        each_once(&entry.field("downgrades"), problems);
        dates(&entry, known.date, problems);
        address(&entry.field("url"), problems);
        kept_file(&entry, folder, problems);
    }
}

/// A reason lowers a grade once.
fn each_once(list: &Cursor<'_>, problems: &mut Problems) {
    let mut seen = Vec::new();
    for item in list.items() {
        let Some(text) = item.text() else { continue };
        if seen.contains(&text) {
            let problem = item.problem("duplicate-downgrade", format!("`{}`: `{text}` is named twice", list.path()));
            problems.push(problem.label("again").hint("one reason lowers the grade once; leave it out here"));
        }
        seen.push(text);
    }
}

/// The entries with their hashes and grades; only for a ledger in which nothing was found wrong.
pub(crate) fn entries(
    ledger: LedgerAsWritten,
    rubric: &Rubric,
    day: NaiveDate,
    folder: &mut Folder,
) -> BTreeMap<String, LedgerEntry> {
    let entry = |it: EntryAsWritten, folder: &mut Folder| {
        let actual = it.file.as_ref().and_then(|file| folder.hash_document(file).ok());
        (it.id.clone(), valid(it, actual, rubric, day))
    };
    ledger.evidence.into_iter().map(|it| entry(it, folder)).collect()
}

fn valid(it: EntryAsWritten, actual_sha256: Option<String>, rubric: &Rubric, day: NaiveDate) -> LedgerEntry {
    let grade = graded(&it, &rubric.evidence, day);
    LedgerEntry {
        expires: last_day(&it, &rubric.evidence),
        id: it.id,
        kind: it.kind,
        method: it.method,
        title: it.title,
        file: it.file,
        sha256: it.sha256.map(|it| it.to_ascii_lowercase()),
        actual_sha256,
        url: it.url,
        published: it.published,
        collected: it.collected,
        origin: it.origin,
        against_interest: it.against_interest,
        downgrades: it.downgrades.iter().map(|it| it.word().to_owned()).collect(),
        note: it.note,
        grade: grade.grade,
        plain_grade: grade.plain,
        said_grade: grade.said,
        graded_by: grade.by,
    }
}

/// What is judged on a day was collected by then, and published before it was collected.
fn dates(entry: &Cursor<'_>, day: Option<NaiveDate>, problems: &mut Problems) {
    let (published, collected, expires) = (entry.field("published"), entry.field("collected"), entry.field("expires"));
    let mut in_order = |later: &Cursor<'_>, limit: Option<NaiveDate>, message: &str, hint: &str| {
        if let (Some(date), Some(limit)) = (later.date(), limit)
            && date > limit
        {
            let message = format!("`{}` is {date}, {message} {limit}", later.path());
            problems.push(later.problem("date-order", message).label("too late").hint(hint));
        }
    };
    in_order(&collected, day, "after the day the case is judged by,", "check both dates; `date` is in case.yaml");
    in_order(&published, collected.date().min(day), "after it was collected or judged,", "check both dates");
    if let (Some(end), Some(start)) = (expires.date(), collected.date())
        && end < start
    {
        let message = format!("`{}` is {end}, before it was collected on {start}", expires.path());
        problems.push(expires.problem("date-order", message).label("too early").hint("check both dates"));
    }
}

fn address(url: &Cursor<'_>, problems: &mut Problems) {
    let is_address =
        |it: &str| ["https://", "http://"].iter().any(|start| it.len() > start.len() && it.starts_with(start));
    if let Some(text) = url.text().filter(|it| !is_address(it)) {
        let message = format!("`{}`: `{text}` is not a web address", url.path());
        problems.push(
            url.problem("not-an-address", message)
                .hint("an address starts with `https://`; a kept file goes under `file`"),
        );
    }
}

/// A kept file has a hash and is there. That its hash differs is no mistake of the ledger: it is for a gate to say.
fn kept_file(entry: &Cursor<'_>, folder: &mut Folder, problems: &mut Problems) {
    let (file, sha256) = (entry.field("file"), entry.field("sha256"));
    let is_hash = |it: &str| it.len() == 64 && it.bytes().all(|it| it.is_ascii_hexdigit());
    if let Some(text) = sha256.text().filter(|it| !is_hash(it)) {
        let message = format!("`{}` has {} characters, expected 64 hex digits", sha256.path(), text.chars().count());
        problems.push(sha256.problem("not-a-hash", message).label("not a SHA-256").hint("`sha256sum FILE` prints it"));
    }
    let Some(name) = file.text() else {
        if sha256.exists() {
            let message = format!("`{}` has a hash but no `file`", entry.path());
            problems.push(sha256.key_problem("hash-without-file", message).hint("name the file below `documents/`"));
        }
        return;
    };
    match folder.hash_document(name) {
        Ok(hash) if !sha256.exists() => {
            let message = format!("`{}` is kept, but `sha256` is missing", file.path());
            problems.push(
                file.problem("missing-hash", message).label("no hash").hint(format!("its SHA-256 now: `{hash}`")),
            );
        }
        Ok(_) => {}
        Err(Refused::Missing) => {
            let message = format!("`{}`: there is no `documents/{name}`", file.path());
            let hint = "the path starts below `documents/`; leave `file` out where only an address is kept";
            problems.push(file.problem("missing-file", message).label("not there").hint(hint));
        }
        Err(Refused::Because(why)) => {
            let problem = file.problem("unreadable", format!("`{}`: {why}", file.path()));
            problems.push(problem.hint("put a copy of the file itself below `documents/`"));
        }
    }
}
