//! Prints a completion script.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli;
use crate::cli::{Failure, Terminal};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell to write for
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli::Arguments::command(), "unshell", &mut script);
    terminal.print(&String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
