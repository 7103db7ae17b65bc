//! A case folder in, a valid case out, or every mistake of all its files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::document::{AnswerAsWritten, AnswersAsWritten, CaseAsWritten, LedgerAsWritten};
use crate::case::folder::Folder;
use crate::case::known::Known;
use crate::case::{Answers, Case, answers, document, header, ledger, support, texts};
use crate::rubric::{self, Rubric};
use crate::yaml::{Document, Problem, Problems};

/// Reads the case in a folder; with `needs_models`, local models have to be there too.
pub(crate) fn read(path: &Path, needs_models: bool) -> Result<Case, Problems> {
    let mut problems = Problems::new();
    let case = read_noting(path, needs_models, &mut problems);
    problems.result_or(case)
}

fn read_noting(path: &Path, needs_models: bool, problems: &mut Problems) -> Option<Case> {
    let mut folder = Folder::open(path, problems)?;
    let start =
        format!("`unshell init` starts a case folder with this file; is `{}` the right folder?", path.display());
    let case = folder.document("case.yaml", &start, problems);
    let entries = folder.document(
        "evidence.yaml",
        "a ledger without entries is `schema: unshell/ledger/1` and `evidence: []`",
        problems,
    );
    let analysts = documents_of_analysts(&mut folder, problems);
    let rubric = case.as_ref().and_then(|it| rubric_of(it, path, problems));

    let date = case.as_ref().and_then(|it| it.root().field("date").date());
    let evidence = entries.as_ref().map(|it| ledger::ids(&it.root()));
    let documents = || case.iter().chain(&entries).chain(analysts.iter().map(|(_, it)| it));
    if let Some(rubric) = &rubric {
        let languages: Vec<&str> = rubric.languages.iter().map(String::as_str).collect();
        documents().for_each(|it| texts::check(&it.root(), &languages, problems));
    }
    let known = Known { rubric: rubric.as_ref(), date, evidence, needs_models };
    let written_case = case.as_ref().and_then(|it| {
        header::check(&it.root(), &known, path, problems);
        it.read::<CaseAsWritten>(problems)
    });
    let written_ledger = entries.as_ref().and_then(|it| {
        ledger::check(&it.root(), &known, &mut folder, problems);
        it.read::<LedgerAsWritten>(problems)
    });
    answers::are_by_different_people(&analysts, problems);
    let roots = case.as_ref().map(Document::root);
    let subjects = roots.iter().flat_map(|it| it.field("subjects").items().collect::<Vec<_>>());
    let models: Vec<&str> = subjects.filter_map(|it| it.field("id").text()).collect();
    let answers: Vec<_> = analysts
        .iter()
        .filter_map(|(analyst, document)| {
            answers::check(&document.root(), &known, &models, problems);
            if let Some(entries) = &entries {
                let root = entries.root();
                answers::cites_what_was_there(&document.root(), |id| ledger::collected(&root, id), problems);
            }
            Some((analyst.clone(), document.read::<AnswersAsWritten>(problems)?))
        })
        .collect();

    // Whatever is missing now has been told above.
    let (case, rubric, written_ledger) = (written_case?, rubric?, written_ledger?);
    problems.is_empty().then(|| assembled(folder, case, &rubric, written_ledger, answers))
}

fn documents_of_analysts(folder: &mut Folder, problems: &mut Problems) -> Vec<(String, Document)> {
    let stems = folder.analysts(problems);
    if stems.is_empty() {
        let problem = Problem::of_file(
            folder.shown("answers"),
            "no-answers",
            "nobody has answered: there is no `answers/<analyst>.yaml`",
        );
        problems.push(problem.hint("`unshell init` writes one with every criterion as `unknown`, to fill in"));
    }
    let mut documents = Vec::new();
    for stem in stems {
        let document = folder.document(&format!("answers/{stem}.yaml"), "", problems);
        documents.extend(document.map(|it| (stem, it)));
    }
    documents
}

/// The rubric the case names; where there is none, the name is what is wrong.
fn rubric_of(case: &Document, path: &Path, problems: &mut Problems) -> Option<Rubric> {
    let root = case.root();
    let at = root.field("rubric");
    match rubric::find(at.text()?, path) {
        Ok(rubric) => Some(rubric),
        Err(found) => {
            for problem in found {
                if problem.place.is_some() {
                    problems.push(problem);
                    continue;
                }
                let here = at.problem(problem.code, problem.message);
                problems.push(Problem { hint: problem.hint, ..here.label("no such rubric") });
            }
            None
        }
    }
}

fn assembled(
    folder: Folder,
    case: CaseAsWritten,
    rubric: &Rubric,
    entries: LedgerAsWritten,
    answers: Vec<(String, AnswersAsWritten)>,
) -> Case {
    let mut folder = folder;
    let ledger = ledger::entries(entries, rubric, case.date, &mut folder);
    let answers = answers.into_iter().map(|(analyst, it)| (analyst.clone(), answers_of(analyst, it)));
    let answers: BTreeMap<String, Answers> = answers.collect();
    let claims = header::claims(&case.claims);
    let shows = |evidence: &[String]| support::of(&ledger, evidence, |it| it.grade).shows();
    let owners: Vec<String> = case.owners.into_iter().filter(|it| shows(&it.evidence)).map(|it| it.owner).collect();
    let places: Vec<&str> = owners.iter().map(String::as_str).collect();
    let references = case.references.into_iter().map(|it| document::reference(it, &places)).collect();
    Case {
        id: folder.name(),
        folder: folder.path().to_owned(),
        title: case.title,
        company: case.company,
        date: case.date,
        valid_until: case.valid_until,
        recipient: case.recipient,
        rubric: case.rubric,
        languages: case.languages,
        subjects: case.subjects.into_iter().map(Into::into).collect(),
        references,
        owners,
        claims,
        ledger,
        answers,
        waivers: case.waivers,
        reply: case.reply,
        inputs: folder.into_inputs(),
    }
}

fn answers_of(analyst: String, it: AnswersAsWritten) -> Answers {
    let read = |answers: BTreeMap<String, AnswerAsWritten>| {
        answers.into_iter().map(|(criterion, answer)| (criterion, answer.into())).collect()
    };
    let models = it.models.into_iter().map(|(model, answers)| (model, read(answers))).collect();
    Answers { analyst, name: it.name, signed: it.signed, answers: read(it.answers), models }
}
