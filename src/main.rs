//! Runs the command line and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    unshell::cli::main(std::env::args_os())
}
