//! What makes a file of answers valid: known criteria, known evidence, and a reason wherever something is said.

use crate::case::read::Known;
use crate::yaml::{Cursor, Document, Problems, did_you_mean, list_of_names};

/// Notes everything that is wrong with the answers of one analyst.
pub(crate) fn check(root: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    for (criterion, answer) in root.field("answers").fields() {
        criterion_exists(criterion, &answer, known, problems);
        known.evidence_exists(&answer.field("evidence"), problems);
        reason_is_given(criterion, &answer, problems);
    }
}

/// Two readers are two people: a second file of one person is no second reading.
pub(crate) fn are_by_different_people(documents: &[(String, Document)], problems: &mut Problems) {
    let mut seen: Vec<(&str, Vec<String>)> = Vec::new();
    for (analyst, document) in documents {
        let at = document.root().field("name");
        let names = names_of(&at);
        if let Some((first, _)) = seen.iter().find(|(_, others)| others.iter().any(|it| names.contains(it))) {
            let message = format!("`answers/{first}.yaml` and `answers/{analyst}.yaml` are signed with one name");
            let hint = "one file a person; where two people share a name, add what tells them apart";
            problems.push(at.problem("same-analyst", message).label("signed twice").hint(hint));
        }
        seen.push((analyst, names));
    }
}

/// The name in every language it is written in, case and spaces evened out.
fn names_of(at: &Cursor<'_>) -> Vec<String> {
    let plain = at.text().into_iter();
    let texts = plain.chain(at.fields().filter_map(|(_, it)| it.text()));
    let evened = texts.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    evened.filter(|it| !it.is_empty()).collect()
}

fn criterion_exists(criterion: &str, answer: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let Some(rubric) = known.rubric else { return };
    let ids = || rubric.criteria.iter().map(|it| it.id.as_str());
    if ids().any(|it| it == criterion) {
        return;
    }
    let problem = answer.key_problem("unknown-criterion", format!("`{}` has no criterion `{criterion}`", rubric.id));
    let hint = match did_you_mean(criterion, ids()) {
        Some(id) => format!("did you mean `{id}`?"),
        None => format!("its criteria are {}", list_of_names(ids())),
    };
    problems.push(problem.label("unknown criterion").hint(hint));
}

/// Only "unknown" needs no reason: every other answer says something about the company.
fn reason_is_given(criterion: &str, answer: &Cursor<'_>, problems: &mut Problems) {
    let (level, reason) = (answer.field("level"), answer.field("reason"));
    let is_empty = reason.text().is_none_or(|it| it.trim().is_empty())
        && reason.fields().all(|(_, it)| it.text().is_none_or(|it| it.trim().is_empty()));
    let Some(level) = level.text().filter(|it| *it != "unknown" && is_empty) else { return };
    let hint = match level {
        "not_applicable" => "say why the question makes no sense for this company: it takes weight out of the score",
        "refused" => "say when and how it was asked, and who declined",
        "not_observable" => "say why nobody outside the company could see it",
        _ => "say in a line what was seen; it is printed beside the level",
    };
    let problem = reason.problem("no-reason", format!("`answers.{criterion}` is `{level}` without a reason"));
    problems.push(problem.label("no reason").hint(hint));
}
