//! Collects, scores and writes the memos of a case.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::library::Library;
use crate::cli::{Failure, Terminal, collect, memo, reach, score};
use crate::lineage::Kept;
use crate::remote::Reach;
use crate::scoring::Scorecard;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder
    case: PathBuf,
    /// Print the scorecard as JSON instead of a summary
    #[arg(long)]
    json: bool,
    /// End with exit code 1 if this gate is tripped and not waived; `any` for any gate
    #[arg(long, value_name = "GATE")]
    fail_on: Vec<String>,
    #[command(flatten)]
    choice: memo::Choice,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    arguments.choice.check()?;
    let reach = arguments.reach.reach()?;
    let library = collect::at_hand(&arguments.library, terminal)?;
    let done = run_case(&arguments.case, &arguments.fail_on, &arguments.choice, &reach, &library)?;
    if arguments.json {
        terminal.print_json(&done.card);
    } else {
        terminal.print(&score::summary(&done.card)?);
    }
    for path in &done.written {
        terminal.say(&format!("wrote {}", path.display()));
    }
    reach::report(&reach, terminal);
    Ok(score::exit_code(&arguments.fail_on, &done.card, terminal))
}

/// What a run leaves behind.
pub(crate) struct Done {
    /// The judgement.
    pub(crate) card: Scorecard,
    /// Every file that was written, in order.
    pub(crate) written: Vec<PathBuf>,
}

/// All three steps. Whatever fails, the files of the steps before it are whole.
pub(crate) fn run_case(
    folder: &Path,
    fail_on: &[String],
    choice: &memo::Choice,
    reach: &Reach,
    library: &[Kept],
) -> Result<Done, Failure> {
    let (case, evidence, evidence_path) = collect::collect(folder, reach, library)?;
    let card = score::score(&case, &evidence)?;
    score::check_gates_exist(fail_on, &card)?;
    let card_path = score::write(folder, &card)?;
    let mut written = vec![evidence_path, card_path];
    written.extend(memo::write(folder, &card, choice)?);
    Ok(Done { card, written })
}
