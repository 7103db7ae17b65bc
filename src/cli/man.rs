//! Prints the manual page.

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::cli;
use crate::cli::{Failure, Terminal};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(cli::Arguments::command())
        .render(&mut page)
        .map_err(|error| Failure::new(format!("the manual page could not be written: {error}")))?;
    terminal.print(&String::from_utf8_lossy(&page));
    Ok(ExitCode::SUCCESS)
}
