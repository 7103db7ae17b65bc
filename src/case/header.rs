//! What makes `case.yaml` valid: models that can be found, claims that can be reckoned with, waivers that may be given.

use std::path::Path;

use crate::bytes::Location;
use crate::case::Period;
use crate::case::known::{Known, not_empty, unique_ids};
use crate::case::own::Place;
use crate::catalog::Catalog;
use crate::claims::{Bands, Claim, ClaimAsWritten};
use crate::rubric::Gate;
use crate::yaml::{Cursor, Problems, list_of_names};

/// What a company can take from another model.
pub(crate) const PARTS: [&str; 5] = ["architecture", "weights", "tokenizer", "code", "data"];

/// Notes everything that is wrong with `case.yaml`.
pub(crate) fn check(root: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    languages(&root.field("languages"), known, problems);
    for text in ["title", "company"] {
        not_empty(&root.field(text), problems);
    }
    validity(root, problems);
    subjects(&root.field("subjects"), known, folder, problems);
    references(root, known, folder, problems);
    for owner in root.field("owners").items() {
        not_empty(&owner.field("owner"), problems);
        has_evidence(&owner.field("evidence"), "the account is the company's", known, problems);
    }
    claims_hold(root, known, problems);
    waivers(&root.field("waivers"), known, problems);
}

/// The claims in base units; only for a case in which nothing was found wrong.
pub(crate) fn claims(written: &[ClaimAsWritten]) -> Vec<Claim> {
    let bands = Bands::shipped();
    written.iter().filter_map(|it| it.validate(&bands).ok()).collect()
}

/// A memo can be written in the languages of the rubric.
fn languages(at: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let Some(rubric) = known.rubric else { return };
    let languages: Vec<&str> = rubric.languages.iter().map(String::as_str).collect();
    let mut seen = Vec::new();
    for item in at.items() {
        problems.extend(item.unknown_name("unknown-language", "language", &languages));
        if let Some(text) = item.text().filter(|it| seen.contains(it)) {
            let message = format!("`{}`: `{text}` stands here twice", item.path());
            problems.push(item.problem("duplicate-language", message).hint("leave it out once"));
        }
        seen.extend(item.text());
    }
}

fn validity(root: &Cursor<'_>, problems: &mut Problems) {
    let until = root.field("valid_until");
    if let (Some(end), Some(start)) = (until.date(), root.field("date").date())
        && end < start
    {
        let message = format!("`valid_until` is {end}, before the case's date {start}");
        problems.push(until.problem("date-order", message).label("too early").hint("check both dates"));
    }
}

fn subjects(at: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    if at.exists() && at.items().next().is_none() && at.text().is_none() && at.fields().next().is_none() {
        let problem = at.problem("no-model", "the case names no model: `subjects` is empty");
        problems.push(problem.hint(
            "write `- id: ..`, `name: ..` and `location: ..`; a model that is only an interface has `kind: api`, one \
             of which there are documents alone `kind: none`, and neither has a location",
        ));
    }
    unique_ids(at, problems);
    one_flagship(at, problems);
    let mut places: Vec<(Place, String)> = Vec::new();
    for subject in at.items() {
        not_empty(&subject.field("id"), problems);
        not_empty(&subject.field("name"), problems);
        has_files_or_none(&subject, known, folder, problems);
        let place = subject.field("location").text().and_then(|it| Place::of(it, folder));
        if let Some(place) = place {
            twice(&subject.field("location"), &place, &places, "two models of the case", problems);
            places.push((place, subject.field("location").path().to_owned()));
        }
        dates_and_sources(&subject, known, problems);
    }
}

/// Files have a place; an interface and documents have none.
fn has_files_or_none(subject: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    let (kind, at) = (subject.field("kind"), subject.field("location"));
    let has_files = kind.text().is_none_or(|it| it == "files");
    if has_files && !at.exists() {
        let problem = subject.problem("no-model", format!("`{}` has no `location`", subject.path()));
        problems.push(problem.hint("write where its files are, or `kind: api` or `kind: none` where there are none"));
    }
    if !has_files && at.exists() {
        let message = format!("`{}` is `{}` and has a `location`", subject.path(), kind.text().unwrap_or_default());
        let hint = "leave one of the two out: files that can be reached are examined";
        problems.push(at.problem("kind", message).label("has files").hint(hint));
    }
    let upstream = subject.field("upstream");
    if upstream.exists() && kind.text() != Some("api") {
        let message = format!("`{}`: only a model of `kind: api` has an upstream", upstream.path());
        let hint = "a parent that the company names goes under `declared_parents`";
        problems.push(upstream.key_problem("kind", message).hint(hint));
    }
    location(&at, known, folder, problems);
}

fn dates_and_sources(subject: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    period(&subject.field("published"), known, problems);
    known.evidence_exists(&subject.field("evidence"), problems);
    let trained = subject.field("trained");
    period(&trained.field("by"), known, problems);
    has_evidence(&trained.field("evidence"), "the run took place", known, problems);
    let upstream = subject.field("upstream");
    has_evidence(&upstream.field("evidence"), "it is served from there", known, problems);
    for test in subject.field("reported_tests").items() {
        not_empty(&test.field("reference"), problems);
        has_evidence(&test.field("evidence"), "the test was published", known, problems);
    }
    for parent in subject.field("declared_parents").items() {
        declared_parent(&parent, known, problems);
    }
}

fn one_flagship(at: &Cursor<'_>, problems: &mut Problems) {
    let flagships: Vec<_> = at.items().map(|it| it.field("flagship")).filter(|it| it.text() == Some("true")).collect();
    if let [_, second, ..] = flagships.as_slice() {
        let message = format!("`{}`: a second model is the flagship", second.path());
        problems
            .push(second.problem("flagship", message).label("second one").hint("keep one: the verdict is about it"));
    }
}

/// A model that is named twice would be its own reference.
fn twice(at: &Cursor<'_>, place: &Place, known: &[(Place, String)], what: &str, problems: &mut Problems) {
    if let Some((_, first)) = known.iter().find(|(it, _)| it.is(place)) {
        let message = format!("`{}` and `{first}` are one and the same place", at.path());
        let hint = format!("{what} are two models; leave one out");
        problems.push(at.problem("same-model", message).label("the same model").hint(hint));
    }
}

fn references(root: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    let place = |at: &Cursor<'_>| at.text().and_then(|it| Place::of(it, folder)).map(|it| (it, at.path().to_owned()));
    let subjects: Vec<_> = root.field("subjects").items().filter_map(|it| place(&it.field("location"))).collect();
    let mut seen: Vec<(Place, String)> = Vec::new();
    for reference in root.field("references").items() {
        let at = if reference.text().is_some() { reference.clone() } else { reference.field("location") };
        location(&at, known, folder, problems);
        period(&reference.field("published"), known, problems);
        for evidence in ["evidence", "authors"] {
            known.evidence_exists(&reference.field(evidence), problems);
        }
        let Some((place, path)) = place(&at) else { continue };
        if let Some((_, subject)) = subjects.iter().find(|(it, _)| it.is(&place)) {
            let message = format!("`{path}` and `{subject}` are one and the same model");
            let hint = "a model of the company is no reference to itself: leave it out here; models of the case are \
                        compared with each other anyway";
            problems.push(at.problem("same-model", message).label("a model of this case").hint(hint));
        }
        twice(&at, &place, &seen, "two references", problems);
        seen.push((place, path));
    }
}

/// A day, month or year that was over when the case was judged.
fn period(at: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let Some(text) = at.text() else { return };
    let Some(period) = Period::parse(text) else {
        let message = format!("`{}`: `{text}` is no day, month or year", at.path());
        problems.push(at.problem("date", message).label("no date").hint("write `2024-03-12`, `2024-03` or `2024`"));
        return;
    };
    if let Some(day) = known.date.filter(|it| period.from > *it) {
        let message = format!("`{}` is {text}, after the day the case is judged by, {day}", at.path());
        problems.push(at.problem("date-order", message).label("too late").hint("check both dates"));
    }
}

/// Evidence is named, and in the ledger.
fn has_evidence(at: &Cursor<'_>, what: &str, known: &Known<'_>, problems: &mut Problems) {
    known.evidence_exists(at, problems);
    if at.exists() && at.items().next().is_none() && at.text().is_none() {
        let message = format!("`{}`: nothing shows that {what}", at.path());
        problems
            .push(at.problem("no-evidence", message).hint("enter what shows it into evidence.yaml and name it here"));
    }
}

fn declared_parent(parent: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let model = parent.field("model");
    if let Some(Ok(Location::Catalog(name))) = model.text().map(Location::parse) {
        in_catalog(&model, &name, problems);
    }
    problems.extend(parent.field("part").unknown_name("unknown-part", "part", &PARTS));
    said_by_then(&parent.field("date"), known, problems);
    has_evidence(&parent.field("evidence"), "the company says so", known, problems);
}

/// A model is named so that it can be found; a path has to be there only where models are needed.
fn location(at: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    let Some(text) = at.text() else { return };
    match Location::parse(text) {
        Err(error) => {
            let problem = at.problem("location", format!("`{}`: {error}", at.path())).label("cannot be reached");
            problems.push(match error.hint() {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        }
        Ok(Location::Path(path)) if known.needs_models && !folder.join(&path).exists() => {
            let message = format!("`{}`: there is no model at `{text}`", at.path());
            let hint =
                format!("a path is taken from `{}`; a model of the catalogue is `catalog:ORG/NAME`", folder.display());
            problems.push(at.problem("no-model", message).label("not there").hint(hint));
        }
        Ok(Location::Catalog(name)) => in_catalog(at, &name, problems),
        Ok(Location::Path(_) | Location::Hub(_) | Location::Web(_)) => {}
    }
}

fn in_catalog(at: &Cursor<'_>, name: &str, problems: &mut Problems) {
    let catalog = Catalog::builtin();
    if catalog.find(name).is_some() {
        return;
    }
    let near = catalog.suggest(name);
    let hint = match near.as_slice() {
        [] => "`unshell catalog list` shows all names".to_owned(),
        _ => format!(
            "did you mean {}?",
            list_of_names(near.iter().map(|it| format!("catalog:{it}")).collect::<Vec<_>>().iter().map(String::as_str))
        ),
    };
    let problem = at.problem("unknown-model", format!("`{}`: the catalogue has no `{name}`", at.path()));
    problems.push(problem.label("not in the catalogue").hint(hint));
}

fn claims_hold(root: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let at = &root.field("claims");
    unique_ids(at, problems);
    let subjects = root.field("subjects");
    let models: Vec<&str> = subjects.items().filter_map(|it| it.field("id").text()).collect();
    let bands = Bands::shipped();
    for claim in at.items() {
        known.evidence_exists(&claim.field("source"), problems);
        about_one_model(&claim, &models, problems);
        said_by_then(&claim.field("date"), known, problems);
        // What the schema finds wrong is told there.
        let Some(written) = claim.read::<ClaimAsWritten>() else { continue };
        for mistake in written.validate(&bands).err().into_iter().flatten() {
            let field = claim.field(mistake.field);
            let problem = field.problem("claim", format!("`{}`: {}", field.path(), mistake.message));
            problems.push(match mistake.hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        }
    }
}

/// In a case of several models a claim says which of them it is about: one model's words convict no other.
fn about_one_model(claim: &Cursor<'_>, models: &[&str], problems: &mut Problems) {
    let subject = claim.field("subject");
    problems.extend(subject.unknown_name("unknown-model", "model of the case", models));
    if models.len() > 1 && subject.text().is_none() {
        let message = format!("`{}` does not say which model it is about", claim.path());
        let hint = format!("write `subject:` with one of {}", list_of_names(models.iter().copied()));
        problems.push(claim.problem("no-subject", message).label("about which model?").hint(hint));
    }
}

/// What is judged on a day was said by then.
fn said_by_then(said: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    if let (Some(date), Some(day)) = (said.date(), known.date)
        && date > day
    {
        let message = format!("`{}` is {date}, after the day the case is judged by, {day}", said.path());
        problems.push(said.problem("date-order", message).label("too late").hint("check both dates"));
    }
}

fn waivers(at: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let Some(rubric) = known.rubric else { return };
    let gates: Vec<&str> = rubric.gates.iter().map(|it| it.id.as_str()).collect();
    for gate in at.items().map(|it| it.field("gate")) {
        problems.extend(gate.unknown_name("unknown-gate", "gate", &gates));
        let is_firm = |it: &&Gate| Some(it.id.as_str()) == gate.text() && !it.waivable;
        if let Some(firm) = rubric.gates.iter().find(is_firm) {
            let waivable = rubric.gates.iter().filter(|it| it.waivable).map(|it| it.id.as_str());
            let problem =
                gate.problem("not-waivable", format!("`{}`: the gate `{}` cannot be waived", gate.path(), firm.id));
            problems.push(
                problem
                    .label("not waivable")
                    .hint(format!("this rubric lets an approver waive {}", list_of_names(waivable))),
            );
        }
    }
}
