//! Writes the memos of the example cases that ship inside the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bytes;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, memo};
use crate::remote::Reach;
use crate::shelf;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder to write to; each case gets a folder of its own in it
    #[arg(long, value_name = "DIR", default_value = "memos")]
    out: PathBuf,
    /// Only this case
    #[arg(long, value_name = "ID")]
    case: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let cases = chosen_cases(arguments.case.as_deref())?;
    for (id, files) in &cases {
        unpack(&arguments.out.join(id), files)?;
    }
    let mut verdicts = table(["case", "verdict", "decided by"]);
    let mut memos = Vec::new();
    for id in cases.keys() {
        let done =
            crate::cli::run::run_case(&arguments.out.join(id), &[], &memo::Choice::everything(), &Reach::local(), &[])?;
        let verdict = &done.card.verdict;
        let deciding = verdict.deciding.clone().unwrap_or_default();
        let name = verdict.name.in_language("en").to_owned();
        verdicts.add_row([(*id).to_owned(), name, format!("{} {deciding}", verdict.decided_by)]);
        memos.extend(done.written);
    }
    terminal.print(&verdicts.to_string());
    terminal.print("");
    for path in memos.iter().filter(|it| it.extension().is_some_and(|it| it != "json")) {
        terminal.print(&path.display().to_string());
    }
    terminal.say("Open a memo in a browser or a PDF reader; the case beside it is plain YAML.");
    Ok(ExitCode::SUCCESS)
}

/// The files of each example, by case id and then by path.
type Cases = BTreeMap<&'static str, Vec<(&'static str, &'static [u8])>>;

fn chosen_cases(only: Option<&str>) -> Result<Cases, Failure> {
    let mut cases = Cases::new();
    for (path, contents) in shelf::EXAMPLES {
        if let Some((id, rest)) = path.split_once('/') {
            cases.entry(id).or_default().push((rest, contents));
        }
    }
    if let Some(only) = only {
        let known: Vec<&str> = cases.keys().copied().collect();
        if !cases.contains_key(only) {
            return Err(Failure::new(format!("there is no example case `{only}`")).hint(known.join(", ")));
        }
        cases.retain(|id, _| *id == only);
    }
    Ok(cases)
}

/// Writes a case's files, unless one is there with other contents: somebody's edits are not ours to overwrite.
fn unpack(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Failure> {
    for (path, contents) in files {
        let target = folder.join(path);
        if fs::read(&target).is_ok_and(|found| found != *contents) {
            return Err(Failure::new(format!("`{}` is there and was changed", target.display()))
                .hint("it is kept as it is: choose another folder with `--out`, or use `unshell run` on this one"));
        }
    }
    for (path, contents) in files {
        let target = folder.join(path);
        let parent = target.parent().expect("it was joined to a folder");
        fs::create_dir_all(parent)
            .map_err(|error| Failure::new(format!("could not make the folder `{}`: {error}", parent.display())))?;
        bytes::replace(&target, contents)?;
    }
    Ok(())
}
