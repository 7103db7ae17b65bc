//! Measures what can be measured on a case, into `out/evidence.json`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::case::Case;
use crate::catalog::Catalog;
use crate::claims::Outcome;
use crate::cli::{Failure, Terminal, reach};
use crate::evidence::{self, Evidence};
use crate::fact::{Dimensions, FormRelation};
use crate::remote::Reach;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder
    case: PathBuf,
    /// Print the evidence as JSON too
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let reach = arguments.reach.reach()?;
    let (_, evidence, path) = collect(&arguments.case, &reach)?;
    if arguments.json {
        terminal.print_json(&evidence);
    } else {
        terminal.print(&summary(&evidence));
    }
    terminal.say(&format!("wrote {}", path.display()));
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

/// Reads a case, collects its evidence and keeps it; gives the path it is kept at.
pub(crate) fn collect(folder: &Path, reach: &Reach) -> Result<(Case, Evidence, PathBuf), Failure> {
    let case = Case::read_with_models(folder)?;
    let evidence = evidence::collect(&case, Catalog::builtin(), reach)?;
    let path = evidence::store::write(&case.folder, &evidence)?;
    Ok((case, evidence, path))
}

/// What was measured, in a few lines.
fn summary(evidence: &Evidence) -> String {
    let mut lines = Vec::new();
    for subject in &evidence.subjects {
        lines.push(format!(
            "{}: {} parameters",
            subject.id,
            subject.inspection.parameters.map_or_else(|| "not known how many".to_owned(), grouped)
        ));
        for comparison in &subject.comparisons {
            let form = &comparison.form;
            let dimensions = match (form.relation, form.dimensions()) {
                (FormRelation::Different | FormRelation::Undetermined, _) => "",
                (_, Dimensions::Same) => ", same dimensions",
                (_, Dimensions::Unseen) => ", dimensions not seen",
                (_, Dimensions::Other) => ", other dimensions",
            };
            lines.push(format!("  against {}: {}{dimensions}", comparison.reference.name, word(form.relation)));
        }
        let merge = subject.merge.as_ref().map(|it| format!("{} ({}): {}", it.kind, it.certainty, it.detail));
        let said = merge.or_else(|| subject.no_merge.clone());
        lines.extend(said.map(|it| format!("  made of several references: {it}")));
    }
    for model in &evidence.models {
        let computed = model.checks.iter().filter(|it| it.outcome != Outcome::NotComputable);
        lines.extend(computed.map(|it| {
            format!("{}, claims, {}: {}", model.id, it.id.replace('_', " "), it.outcome.word().replace('_', " "))
        }));
    }
    for unexamined in &evidence.unexamined {
        lines.push(format!("not examined: {} ({})", unexamined.what, unexamined.detail));
    }
    lines.join("\n")
}

fn word(relation: FormRelation) -> String {
    let value = serde_json::to_value(relation).expect("a word");
    value.as_str().unwrap_or_default().to_owned()
}

fn grouped(number: u64) -> String {
    crate::bytes::grouped(number)
}
