//! Measures what can be measured on a case, into `out/evidence.json`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::case::Case;
use crate::catalog::Catalog;
use crate::claims::Outcome;
use crate::cli::library::Library;
use crate::cli::said::Said;
use crate::cli::{Failure, Terminal, reach};
use crate::evidence::{self, Evidence, SubjectEvidence};
use crate::lineage::Kept;
use crate::remote::Reach;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder
    case: PathBuf,
    /// Print the evidence as JSON too
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let reach = arguments.reach.reach()?;
    let library = at_hand(&arguments.library, terminal)?;
    let (case, evidence, path) = collect(&arguments.case, &reach, &library)?;
    if arguments.json {
        terminal.print_json(&evidence);
    } else {
        terminal.print(&summary(&case, &evidence)?);
    }
    terminal.say(&format!("wrote {}", path.display()));
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

/// The fingerprints that subjects are compared with, with a word on files that are none.
pub(crate) fn at_hand(library: &Library, terminal: &Terminal) -> Result<Vec<Kept>, Failure> {
    let (kept, unusable) = library.models()?;
    unusable.iter().for_each(|error| terminal.say(&format!("warning: {error}")));
    Ok(kept)
}

/// Reads a case, collects its evidence and keeps it; gives the path it is kept at.
pub(crate) fn collect(folder: &Path, reach: &Reach, library: &[Kept]) -> Result<(Case, Evidence, PathBuf), Failure> {
    let case = Case::read_with_models(folder)?;
    let evidence = evidence::collect(&case, Catalog::builtin(), reach, library)?;
    let path = evidence::store::write(&case.folder, &evidence)?;
    Ok((case, evidence, path))
}

/// What was measured, in a few lines, in the first language of the case.
fn summary(case: &Case, evidence: &Evidence) -> Result<String, Failure> {
    let said = Said::in_language(case.languages.first().map(String::as_str))?;
    let mut lines = Vec::new();
    for subject in &evidence.subjects {
        let name = case.subject(&subject.id).map_or_else(|| subject.id.clone(), |it| said.text(&it.name));
        lines.extend(subject_lines(&said, &name, subject));
        let model = evidence.models.iter().find(|it| it.id == subject.id);
        lines.extend(model.iter().flat_map(|it| &it.whose.because).map(|it| format!("  {}", said.message(it))));
    }
    for model in &evidence.models {
        let computed = model.checks.iter().filter(|it| it.outcome != Outcome::NotComputable);
        lines.extend(computed.map(|it| {
            let outcome = said.word("outcome", it.outcome.word());
            said.fill("summary.claims", &[("check", &said.word("check", &it.id)), ("outcome", &outcome)])
        }));
    }
    lines.extend(evidence.unexamined.iter().map(|it| {
        let what = said.word("unexamined", &it.what);
        said.fill(
            "summary.not_examined",
            &[("what", &what), ("why", &said.known_or("unexamined.why", &it.why, &it.detail))],
        )
    }));
    said.checked(lines.join("\n"))
}

fn subject_lines(said: &Said, name: &str, subject: &SubjectEvidence) -> Vec<String> {
    let parameters = subject.inspection.parameters.map_or_else(|| said.fill("word.unknown", &[]), grouped);
    let mut lines = vec![said.fill("summary.parameters", &[("subject", name), ("parameters", &parameters)])];
    lines.extend(subject.comparisons.iter().chain(&subject.siblings).map(|it| {
        let form = said.word("form", &word(it.form.relation).replace(' ', "_"));
        let weights = said.word("weights", &word(it.weights.relation).replace('-', "_"));
        let values = [("reference", it.reference.name.as_str()), ("form", &form), ("weights", &weights)];
        said.fill("summary.against", &values)
    }));
    let merge = subject
        .merge
        .as_ref()
        .map(|it| said.fill("summary.merged", &[("kind", &said.known_or("merge", &it.kind, &it.detail))]));
    lines.extend(merge.or_else(|| subject.no_merge.as_ref().map(|_| said.fill("summary.not_merged", &[]))));
    lines
}

/// A unit variant as it is written in files.
fn word(relation: impl serde::Serialize) -> String {
    let value = serde_json::to_value(relation).expect("a word");
    value.as_str().unwrap_or_default().to_owned()
}

fn grouped(number: u64) -> String {
    crate::bytes::grouped(number)
}
