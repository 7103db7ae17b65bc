//! What makes `case.yaml` valid: models that can be found, claims that can be reckoned with, waivers that may be given.

use std::path::Path;

use crate::bytes::Location;
use crate::case::ledger::unique_ids;
use crate::case::read::Known;
use crate::catalog::Catalog;
use crate::claims::{Bands, Claim, ClaimAsWritten};
use crate::rubric::Gate;
use crate::yaml::{Cursor, Problems, list_of_names};

/// What a company can take from another model.
pub(crate) const PARTS: [&str; 5] = ["architecture", "weights", "tokenizer", "code", "data"];

/// Notes everything that is wrong with `case.yaml`.
pub(crate) fn check(root: &Cursor<'_>, known: &Known<'_>, folder: &Path, problems: &mut Problems) {
    languages(&root.field("languages"), known, problems);
    validity(root, problems);
    subjects(&root.field("subjects"), known, folder, problems);
    for reference in root.field("references").items() {
        location(&reference, known, folder, problems);
    }
    claims_hold(&root.field("claims"), known, problems);
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
        problems.push(
            problem
                .hint("write `- id: ..`, `name: ..` and `location: ..`, a path, `hf:ORG/NAME` or `catalog:ORG/NAME`"),
        );
    }
    unique_ids(at, problems);
    for subject in at.items() {
        location(&subject.field("location"), known, folder, problems);
        for parent in subject.field("declared_parents").items() {
            declared_parent(&parent, known, problems);
        }
    }
}

fn declared_parent(parent: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    let model = parent.field("model");
    if let Some(Ok(Location::Catalog(name))) = model.text().map(Location::parse) {
        in_catalog(&model, &name, problems);
    }
    problems.extend(parent.field("part").unknown_name("unknown-part", "part", &PARTS));
    let evidence = parent.field("evidence");
    known.evidence_exists(&evidence, problems);
    if evidence.exists() && evidence.items().next().is_none() && evidence.text().is_none() {
        let message = format!("`{}`: nothing shows that the company says so", evidence.path());
        problems.push(
            evidence.problem("no-evidence", message).hint("enter the statement into evidence.yaml and name it here"),
        );
    }
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

fn claims_hold(at: &Cursor<'_>, known: &Known<'_>, problems: &mut Problems) {
    unique_ids(at, problems);
    let bands = Bands::shipped();
    for claim in at.items() {
        known.evidence_exists(&claim.field("source"), problems);
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
