//! What a criterion is read as: section 6 of the guide.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::written::{Answer, B, D, Grade, Written, items, list, text};

pub(crate) struct Reading {
    pub(crate) applies: bool,
    pub(crate) low: u8,
    pub(crate) high: u8,
    pub(crate) covered: bool,
    pub(crate) readings: u8,
    /// Levels that were answered and not bought.
    pub(crate) unproven: BTreeSet<u8>,
    /// Levels of the derived criterion.
    pub(crate) levels: Vec<u8>,
}

/// What evidence says of whose the weights are.
#[derive(Clone)]
pub(crate) struct Whose {
    pub(crate) levels: Vec<u8>,
    pub(crate) closed: bool,
    pub(crate) reported: bool,
    pub(crate) needs_admission: bool,
}

pub(crate) fn criteria(rubric: &Value) -> &[Value] {
    items(&rubric["criteria"])
}

pub(crate) fn all(written: &Written, model: &str, whose: &Whose) -> BTreeMap<String, Reading> {
    let derived = text(&written.rubric["axes"]["derived_criterion"]);
    let read = |it: &Value| {
        let id = text(&it["id"]);
        let reading = of_answers(written, model, it);
        (id.to_owned(), if id == derived { measured(written, model, it, reading, whose) } else { reading })
    };
    criteria(&written.rubric).iter().map(read).collect()
}

/// One reader's level: proven and answered, and whether it counts as covered.
enum Level {
    Read { proven: u8, answered: u8, covered: bool },
    Unproven(u8),
    None,
}

fn of_answers(written: &Written, model: &str, criterion: &Value) -> Reading {
    let answers = written.answers(model, text(&criterion["id"]));
    let given: Vec<&Answer<'_>> = answers.iter().flatten().collect();
    let nothing = Reading {
        applies: true,
        low: 0,
        high: 4,
        covered: false,
        readings: 0,
        unproven: BTreeSet::new(),
        levels: Vec::new(),
    };
    if given.len() >= 2 && given.iter().all(|it| it.word == "not_applicable") {
        return Reading { applies: false, ..nothing };
    }
    let levels: Vec<Level> = given.iter().map(|it| level(written, criterion, it)).collect();
    let unproven = levels.iter().filter_map(|it| if let Level::Unproven(it) = it { Some(*it) } else { None }).collect();
    let read: Vec<(u8, u8, bool)> = levels
        .iter()
        .filter_map(|it| match it {
            Level::Read { proven, answered, covered } => Some((*proven, *answered, *covered)),
            Level::Unproven(_) | Level::None => None,
        })
        .collect();
    if let Some(best) = read.iter().map(|it| it.0).max() {
        let low = read.iter().map(|it| it.0.max(it.1.min(best))).min().unwrap();
        return Reading {
            low: if given.iter().filter(|it| it.level.is_some()).count() < written.readers.len() { 0 } else { low },
            high: read.iter().map(|it| it.1).max().unwrap(),
            covered: read.iter().any(|it| it.2),
            readings: read.len().min(2) as u8,
            unproven,
            ..nothing
        };
    }
    let is_letter = |it: &&&Answer<'_>| it.word == "refused" && written.support(&it.evidence, |it| it.grade).is(D);
    if !is_strict(criterion) && given.iter().any(|it| is_letter(&it)) {
        return Reading { high: 1, unproven, ..nothing };
    }
    Reading { unproven, ..nothing }
}

/// Whether a low level is a reproach, so that weak evidence is no answer.
fn is_strict(criterion: &Value) -> bool {
    criterion["weak_evidence"] == "unknown"
}

fn level(written: &Written, criterion: &Value, answer: &Answer<'_>) -> Level {
    let kinds = list(&criterion["kinds"]);
    let own: Vec<_> = written.intact(&answer.evidence).filter(|it| kinds.contains(&it.kind.as_str())).collect();
    let Some(answered) = answer.level.filter(|_| !own.is_empty()) else { return Level::None };
    let grade = |level: u8| -> Grade {
        let grades = own.iter().map(|it| match (criterion["asks_what_was_said"] == true, level) {
            (true, _) => it.said,
            (false, 3..) => it.plain,
            (false, _) => it.grade,
        });
        grades.min().unwrap()
    };
    let is_bought = |level: u8| {
        let letter = "ABCDE".split_at(grade(level).into()).1.split_at(1).0;
        let cap = written.rubric["evidence"]["grades"][letter]["cap"].as_u64().unwrap();
        let needs = criterion["needs"][level.to_string()].as_str();
        u64::from(level) <= cap && needs.is_none_or(|it| letter <= it)
    };
    if !is_strict(criterion) {
        let proven = (0..=answered).rev().find(|it| is_bought(*it)).unwrap_or(0);
        return Level::Read { proven, answered, covered: grade(answered) <= D };
    }
    let answered = if answered == 4 && !is_bought(4) { 3 } else { answered };
    if is_bought(answered) {
        Level::Read { proven: answered, answered, covered: true }
    } else if grade(answered) <= D {
        Level::Unproven(answered)
    } else {
        Level::None
    }
}

/// The derived criterion: the levels that were measured, which answers can only lower.
fn measured(written: &Written, model: &str, criterion: &Value, answers: Reading, whose: &Whose) -> Reading {
    let mut levels = whose.levels.clone();
    let highest = levels.iter().copied().max().unwrap();
    let is_one = answers.covered && answers.low == answers.high && answers.low <= 2 && answers.low < highest;
    let is_lowered = is_one && (!whose.needs_admission || all_admit(written, model, text(&criterion["id"])));
    if is_lowered {
        levels.retain(|it| *it <= answers.low);
        if levels.is_empty() {
            levels.push(answers.low);
        }
    }
    Reading {
        low: levels.iter().copied().min().unwrap(),
        high: levels.iter().copied().max().unwrap(),
        covered: whose.closed || whose.reported || is_lowered,
        readings: 0,
        levels,
        ..answers
    }
}

/// Whether every answer cites an admission that shows.
fn all_admit(written: &Written, model: &str, criterion: &str) -> bool {
    let answers = written.answers(model, criterion);
    let kinds = &written.rubric["evidence"]["kinds"];
    let admits =
        |it: &Answer<'_>| written.intact(&it.evidence).any(|it| kinds[&it.kind]["admission"] == true && it.said <= B);
    answers.iter().flatten().filter(|it| it.level.is_some()).all(admits)
}
