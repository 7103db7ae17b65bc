//! Arguments in; files, terminal and exit code out. The only room that prints.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod failure;
mod terminal;

mod accept;
mod catalog;
mod collect;
mod compare;
mod completions;
mod demo;
mod disclose;
mod explain;
mod identify;
mod init;
mod inspect;
mod library;
mod library_files;
mod man;
mod maps;
mod memo;
mod progress;
mod propose;
mod reach;
mod rubric;
mod run;
mod said;
mod schema;
mod score;
mod weights;

pub use failure::Failure;
pub use terminal::Terminal;

/// Takes the shell (套壳) off a company's "own" language model.
///
/// Compares the model's files with known models, scores a rubric that analysts filled in, and writes a memo for the
/// investment committee that tells pure wrappers from teams that borrow on the way to their own R&D.
#[derive(Debug, Parser)]
#[command(name = "unshell", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the memos of the example cases that ship inside the program
    Demo(demo::Arguments),
    /// Start a case folder, with comments, that is valid as it stands
    Init(init::Arguments),
    /// Take proposals of `init --from` into a case
    Accept(accept::Arguments),
    /// Describe a model from its headers: parameters, shapes, findings
    Inspect(inspect::Arguments),
    /// Read what a model says of itself: card, notices, licenses, traces
    Disclose(disclose::Arguments),
    /// Hold a model against a reference
    Compare(compare::Arguments),
    /// Look a model up in the catalogue
    Identify(identify::Arguments),
    /// Measure what can be measured on a case, into out/evidence.json
    Collect(collect::Arguments),
    /// Judge a case by its rubric, into out/scorecard.json
    Score(score::Arguments),
    /// Write the memos of a case from its scorecard
    Memo(memo::Arguments),
    /// Collect, score and write the memos of a case
    Run(run::Arguments),
    /// List, show or check rubrics
    Rubric(rubric::Arguments),
    /// List or show the released models that are known
    Catalog(catalog::Arguments),
    /// Build, carry and take in fingerprints of known models' weights
    Library(library_files::Arguments),
    /// Explain a criterion, gate, finding, check or verdict by its id
    Explain(explain::Arguments),
    /// Print or write the JSON Schemas of all files read and written
    Schema(schema::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(man::Arguments),
}

/// Parses arguments, runs the command, prints its error, and gives the exit code: 0 done, 1 a gate tripped
/// (with `--fail-on`), 2 could not be done.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let terminal = Terminal::new();
    run(arguments, &terminal).unwrap_or_else(|failure| failure.report(&terminal))
}

fn run(arguments: Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments, terminal),
        Command::Init(arguments) => init::run(&arguments, terminal),
        Command::Accept(arguments) => accept::run(&arguments, terminal),
        Command::Inspect(arguments) => inspect::run(&arguments, terminal),
        Command::Disclose(arguments) => disclose::run(&arguments, terminal),
        Command::Compare(arguments) => compare::run(&arguments, terminal),
        Command::Identify(arguments) => identify::run(&arguments, terminal),
        Command::Collect(arguments) => collect::run(&arguments, terminal),
        Command::Score(arguments) => score::run(&arguments, terminal),
        Command::Memo(arguments) => memo::run(&arguments, terminal),
        Command::Run(arguments) => run::run(&arguments, terminal),
        Command::Rubric(arguments) => rubric::run(&arguments, terminal),
        Command::Catalog(arguments) => catalog::run(&arguments, terminal),
        Command::Library(arguments) => library_files::run(&arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Schema(arguments) => schema::run(&arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
        Command::Man(arguments) => man::run(&arguments, terminal),
    }
}
