//! A case folder as it is written: its three kinds of files, and the grades of the ledger by sections 2 and 4 of the
//! guide.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::{Days, NaiveDate};
use serde_json::Value;

/// Grades from A (0) to E (4).
pub(crate) type Grade = u8;
pub(crate) const B: Grade = 1;
pub(crate) const C: Grade = 2;
pub(crate) const D: Grade = 3;
const E: Grade = 4;

pub(crate) struct Entry {
    pub(crate) kind: String,
    pub(crate) method: String,
    pub(crate) origin: String,
    pub(crate) grade: Grade,
    pub(crate) plain: Grade,
    pub(crate) said: Grade,
    pub(crate) altered: bool,
}

pub(crate) struct Written {
    pub(crate) case: Value,
    pub(crate) rubric: Value,
    pub(crate) ledger: BTreeMap<String, Entry>,
    /// By the stem of the file.
    pub(crate) readers: Vec<(String, Value)>,
}

/// An answer of one reader on one model.
pub(crate) struct Answer<'a> {
    pub(crate) level: Option<u8>,
    pub(crate) word: &'a str,
    pub(crate) evidence: Vec<&'a str>,
}

pub(crate) struct Support {
    best: Option<Grade>,
    origins: BTreeSet<String>,
}

impl Support {
    pub(crate) fn shows(&self) -> bool {
        self.is(B) || self.origins.len() >= 2
    }

    /// Whether it is of a grade or better.
    pub(crate) fn is(&self, grade: Grade) -> bool {
        self.best.is_some_and(|it| it <= grade)
    }
}

pub(crate) fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn list(at: &Value) -> Vec<&str> {
    at.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(crate) fn items(at: &Value) -> &[Value] {
    at.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(at: &Value) -> &str {
    at.as_str().unwrap_or_default()
}

/// Letters and digits alone, in lower case.
pub(crate) fn evened(it: &str) -> String {
    it.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn letter(at: &Value) -> Grade {
    "ABCDE".find(text(at)).map_or(E, |it| it as Grade)
}

impl Written {
    pub(crate) fn read(folder: &Path) -> Self {
        let case = yaml(&folder.join("case.yaml"));
        let rubric = yaml(&Path::new("rubrics").join(format!("{}.yaml", text(&case["rubric"]))));
        let day = date(&case["date"]).unwrap();
        let entries = yaml(&folder.join("evidence.yaml"));
        let ledger = items(&entries["evidence"]).iter();
        let ledger =
            ledger.map(|it| (text(&it["id"]).to_owned(), entry(it, &rubric["evidence"], day, folder))).collect();
        let mut readers: Vec<(String, Value)> = fs::read_dir(folder.join("answers"))
            .unwrap()
            .map(|it| it.unwrap().path())
            .map(|it| (it.file_stem().unwrap().to_string_lossy().into_owned(), yaml(&it)))
            .collect();
        readers.sort_by(|one, other| one.0.cmp(&other.0));
        Self { case, rubric, ledger, readers }
    }

    pub(crate) fn day(&self) -> NaiveDate {
        date(&self.case["date"]).unwrap()
    }

    /// The intact ones of some entries.
    pub(crate) fn intact<'a>(&'a self, ids: &'a [&str]) -> impl Iterator<Item = &'a Entry> {
        ids.iter().filter_map(move |it| self.ledger.get(*it)).filter(|it| !it.altered)
    }

    pub(crate) fn support(&self, ids: &[&str], grade: impl Fn(&Entry) -> Grade) -> Support {
        let entries: Vec<&Entry> = self.intact(ids).collect();
        let origins = entries.iter().filter(|it| grade(it) <= C).map(|it| evened(&it.origin)).collect();
        Support { best: entries.iter().map(|it| grade(it)).min(), origins }
    }

    /// The answers on a criterion, one a reader; none of a reader who left it out.
    pub(crate) fn answers(&self, model: &str, criterion: &str) -> Vec<Option<Answer<'_>>> {
        self.readers.iter().map(|it| answer(&it.1, model, criterion)).collect()
    }
}

fn answer<'a>(reader: &'a Value, model: &str, criterion: &str) -> Option<Answer<'a>> {
    let own = &reader["models"][model][criterion];
    let at = if own.is_null() { &reader["answers"][criterion] } else { own };
    let level = at["level"].as_u64().map(|it| it as u8);
    (!at.is_null()).then(|| Answer { level, word: text(&at["level"]), evidence: list(&at["evidence"]) })
}

fn date(at: &Value) -> Option<NaiveDate> {
    text(at).parse().ok()
}

/// Section 2, in its order.
fn entry(it: &Value, rules: &Value, day: NaiveDate, folder: &Path) -> Entry {
    let method = &rules["methods"][text(&it["method"])];
    let kind = &rules["kinds"][text(&it["kind"])];
    let start = letter(&method["grade"]);
    let (mut grade, mut plain) = (start, start);
    let mut said = if method["said"].is_null() { start } else { letter(&method["said"]) };
    let has = |what: &str| match what {
        "file" => it["file"].is_string() && it["sha256"].is_string(),
        "address" => it["url"].is_string(),
        "date" => it["published"].is_string(),
        other => panic!("the guide knows no `{other}`"),
    };
    if !list(&method["requires"]).into_iter().all(has) {
        let otherwise = letter(&method["otherwise"]);
        [&mut grade, &mut plain, &mut said].into_iter().for_each(|it| *it = (*it).max(otherwise));
    }
    let harms = it["against_interest"] == true && (kind["admission"] == true || !it["note"].is_null());
    if harms && grade > B {
        grade -= 1;
    }
    let collected = date(&it["collected"]).unwrap();
    let end = collected.checked_add_days(Days::new(kind["valid_days"].as_u64().unwrap())).unwrap();
    let end = date(&it["expires"]).map_or(end, |it| it.min(end));
    let downgrades: BTreeSet<&str> = list(&it["downgrades"]).into_iter().collect();
    let steps = downgrades.len() as Grade + Grade::from(day > end);
    [&mut grade, &mut plain, &mut said].into_iter().for_each(|it| *it = (*it + steps).min(E));
    Entry {
        kind: text(&it["kind"]).to_owned(),
        method: text(&it["method"]).to_owned(),
        origin: text(&it["origin"]).to_owned(),
        grade,
        plain,
        said: said.min(grade),
        altered: is_altered(it, folder),
    }
}

fn is_altered(it: &Value, folder: &Path) -> bool {
    let Some(file) = it["file"].as_str() else { return false };
    let bytes = fs::read(folder.join("documents").join(file)).unwrap();
    !unshell::bytes::sha256(&bytes).eq_ignore_ascii_case(text(&it["sha256"]))
}
