//! Lists, shows or checks rubrics.

use std::process::ExitCode;

use crate::cli::{Failure, Terminal};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments, _terminal: &Terminal) -> Result<ExitCode, Failure> {
    Err(Failure::new("not built yet"))
}
