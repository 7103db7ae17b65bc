//! Writes the memos of a case from its scorecard, and from nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bytes;
use crate::cli::{Failure, Terminal};
use crate::report;
use crate::report::{FontSources, Format, Language};
use crate::scoring;
use crate::scoring::Scorecard;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder, with `out/scorecard.json` in it
    case: PathBuf,
    #[command(flatten)]
    choice: Choice,
}

/// Which memos to write, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    /// Language of a memo; those of the case where left out
    #[arg(long = "language", value_name = "TAG", value_delimiter = ',')]
    languages: Vec<String>,
    /// Kind of file; all this program can write where left out
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    formats: Vec<FormatName>,
    /// Folder with fonts for characters that the embedded ones lack; `UNSHELL_FONT_PATH` may list more
    #[arg(long = "font-path", value_name = "DIR")]
    font_folders: Vec<PathBuf>,
    /// Do not look for such characters in the system's fonts
    #[arg(long)]
    no_system_fonts: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatName {
    Html,
    Pdf,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let card = read_scorecard(&arguments.case)?;
    for path in write(&arguments.case, &card, &arguments.choice)? {
        terminal.print(&path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Renders every memo first and writes then, so that a memo that cannot be set leaves the old ones as they were.
pub(crate) fn write(folder: &Path, card: &Scorecard, choice: &Choice) -> Result<Vec<PathBuf>, Failure> {
    let memos = report::memos(card, &choice.languages(card), &choice.formats(), &choice.fonts())?;
    let out = folder.join("out");
    memos
        .into_iter()
        .map(|memo| {
            let path = out.join(&memo.file_name);
            bytes::replace(&path, &memo.bytes)?;
            Ok(path)
        })
        .collect()
}

impl Choice {
    /// What `demo` writes: everything there is.
    pub(crate) fn everything() -> Self {
        Self { languages: Vec::new(), formats: Vec::new(), font_folders: Vec::new(), no_system_fonts: false }
    }

    /// Refuses a language nobody wrote, before anything is measured.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for tag in &self.languages {
            Language::find(tag)?;
        }
        Ok(())
    }

    fn languages(&self, card: &Scorecard) -> Vec<String> {
        if self.languages.is_empty() { card.languages.clone() } else { self.languages.clone() }
    }

    fn formats(&self) -> Vec<Format> {
        match self.formats.is_empty() {
            true if cfg!(feature = "pdf") => vec![Format::Html, Format::Pdf],
            true => vec![Format::Html],
            false => self.formats.iter().map(|it| it.format()).collect(),
        }
    }

    fn fonts(&self) -> FontSources {
        let more = std::env::var_os("UNSHELL_FONT_PATH").unwrap_or_default();
        let folders = self.font_folders.iter().cloned().chain(std::env::split_paths(&more)).collect();
        FontSources { folders, system: !self.no_system_fonts }
    }
}

impl FormatName {
    fn format(self) -> Format {
        match self {
            Self::Html => Format::Html,
            Self::Pdf => Format::Pdf,
        }
    }
}

fn read_scorecard(folder: &Path) -> Result<Scorecard, Failure> {
    let path = folder.join(scoring::store::PATH);
    let name = path.display().to_string();
    let contents = std::fs::read(&path).map_err(|error| {
        Failure::new(format!("`{name}` could not be read: {error}"))
            .hint(format!("make it with `unshell score {}`, or all at once with `unshell run`", folder.display()))
    })?;
    let card = scoring::store::parse(&contents, &name)?;
    is_current(folder, &card, &name)?;
    Ok(card)
}

/// A memo is of the case as it is: files that are there have to be those that the scorecard was made from.
fn is_current(folder: &Path, card: &Scorecard, name: &str) -> Result<(), Failure> {
    for input in &card.inputs {
        let path = folder.join(&input.path);
        if path.is_file() && bytes::sha256_of_file(&path).map_err(crate::evidence::Error::from)? != input.sha256 {
            let message = format!("`{name}` is out of date: `{}` changed since it was made", input.path);
            return Err(Failure::new(message).hint(format!("make it again with `unshell score {}`", folder.display())));
        }
    }
    Ok(())
}

impl From<report::Error> for Failure {
    fn from(error: report::Error) -> Self {
        Self::new(&error).hint_if(error.hint())
    }
}

impl From<scoring::store::Error> for Failure {
    fn from(error: scoring::store::Error) -> Self {
        Self::new(&error).hint_if(error.hint())
    }
}
