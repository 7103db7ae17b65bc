//! What makes a file of answers valid: known criteria, known evidence, and a reason wherever something is said.

use chrono::NaiveDate;

use crate::case::known::{Known, not_empty};
use crate::yaml::{Cursor, Document, Problems, did_you_mean, list_of_names};

/// Notes everything that is wrong with the answers of one analyst.
pub(crate) fn check(root: &Cursor<'_>, known: &Known<'_>, models: &[&str], problems: &mut Problems) {
    not_empty(&root.field("name"), problems);
    signed(&root.field("signed"), known, problems);
    for (criterion, answer) in root.field("answers").fields() {
        check_answer(criterion, &answer, known, problems);
    }
    for (model, answers) in root.field("models").fields() {
        if !models.contains(&model) {
            let problem = answers.key_problem("unknown-model", format!("the case has no model `{model}`"));
            problems.push(
                problem
                    .label("unknown model")
                    .hint(format!("its models are {}", list_of_names(models.iter().copied()))),
            );
        }
        for (criterion, answer) in answers.fields() {
            asked_of_each_model(criterion, &answer, known, problems);
            check_answer(criterion, &answer, known, problems);
        }
    }
}

fn check_answer(criterion: &str, answer: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    criterion_exists(criterion, answer, known, problems);
    known.evidence_exists(&answer.field("evidence"), problems);
    named_once(&answer.field("evidence"), problems);
    reason_is_given(criterion, answer, problems);
    applies(criterion, answer, known, problems);
}

/// What was signed was signed by the day of the case, and not before the evidence that it cites was there.
fn signed(at: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    if let (Some(signed), Some(day)) = (at.date(), known.date)
        && signed > day
    {
        let message = format!("`{}` is {signed}, after the day the case is judged by, {day}", at.path());
        problems
            .push(at.problem("date-order", message).label("too late").hint("check both dates; `date` is in case.yaml"));
    }
}

/// Notes evidence that was collected only after the answers were signed.
pub(crate) fn cites_what_was_there(
    root: &Cursor<'_>,
    collected: impl Fn(&str) -> Option<NaiveDate>,
    problems: &mut Problems,
) {
    let Some(signed) = root.field("signed").date() else { return };
    let models = root.field("models");
    let answers = root.field("answers");
    let all = answers
        .fields()
        .map(|it| it.1)
        .chain(models.fields().flat_map(|it| it.1.fields().map(|it| it.1).collect::<Vec<_>>()));
    for id in all.flat_map(|it| it.field("evidence").items().collect::<Vec<_>>()) {
        if let Some(day) = id.text().and_then(&collected).filter(|it| *it > signed) {
            let text = id.text().unwrap_or_default();
            let message =
                format!("`{}`: `{text}` was collected on {day}, after the answers were signed on {signed}", id.path());
            problems.push(
                id.problem("date-order", message).label("not there yet").hint("sign again once all of it was read"),
            );
        }
    }
}

fn named_once(evidence: &Cursor<'_>, problems: &mut Problems) {
    let mut seen = Vec::new();
    for id in evidence.items() {
        let Some(text) = id.text() else { continue };
        if seen.contains(&text) {
            let problem = id.problem("duplicate-evidence", format!("`{}`: `{text}` is named twice", id.path()));
            problems.push(problem.label("again").hint("leave it out once"));
        }
        seen.push(text);
    }
}

/// What a gate or the decision asks for by name applies to every company.
fn applies(criterion: &str, answer: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let level = answer.field("level");
    let is_asked = known.rubric.is_some_and(|it| it.is_asked(criterion));
    if is_asked && level.text() == Some("not_applicable") {
        let message = format!("`answers.{criterion}` cannot be `not_applicable`: the verdict asks for it by name");
        let hint = "write the level that was seen, or `unknown`";
        problems.push(level.problem("not-applicable", message).label("always applies").hint(hint));
    }
}

fn asked_of_each_model(criterion: &str, answer: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let Some(rubric) = known.rubric else { return };
    if rubric.criterion(criterion).is_some_and(|it| !it.per_model) {
        let each = rubric.criteria.iter().filter(|it| it.per_model).map(|it| it.id.as_str());
        let problem =
            answer.key_problem("not-per-model", format!("`{criterion}` is asked of the company, not of a model"));
        let hint = format!("move it to `answers`; asked of each model are {}", list_of_names(each));
        problems.push(problem.label("of the company").hint(hint));
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
