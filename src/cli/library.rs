//! A fund's own library of fingerprints: where it is, what is added, what is in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use crate::bytes::{grouped, replace};
use crate::cli::inspect::{align_right, open, shown_name, unexamined};
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, reach};
use crate::fact::Unexamined;
use crate::lineage;
use crate::lineage::{ENDING, Kept};

#[derive(Debug, clap::Args)]
pub(crate) struct Library {
    /// The folder of fingerprints; otherwise `UNSHELL_LIBRARY` says it, or it is where this system keeps data
    #[arg(long, value_name = "FOLDER")]
    library: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddArguments {
    /// The reference: as `inspect` takes it; its weights are read once
    model: String,
    /// Name of the file, without its ending; otherwise the model's
    #[arg(long)]
    name: Option<String>,
    /// Write over a fingerprint of the same name
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FingerprintsArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
}

/// The JSON of `catalog add`.
#[derive(Serialize)]
struct Added<'a> {
    schema: &'static str,
    file: &'a Path,
    name: &'a str,
    bytes: u64,
    sha256: &'a str,
    tokens: usize,
    layers: usize,
    units: usize,
    unexamined: &'a [Unexamined],
}

/// The JSON of `catalog fingerprints`.
#[derive(Serialize)]
struct Listing {
    schema: &'static str,
    library: PathBuf,
    fingerprints: Vec<Row>,
    unreadable: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    location: String,
    parameters: Option<u64>,
    bytes: u64,
}

impl Library {
    /// The folder.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        let text = |name: &str| env::var(name).ok().filter(|it| !it.trim().is_empty()).map(PathBuf::from);
        let usual = || {
            let base = if cfg!(windows) {
                text("LOCALAPPDATA")
            } else if cfg!(target_os = "macos") {
                env::home_dir().map(|it| it.join("Library/Application Support"))
            } else {
                text("XDG_DATA_HOME").or_else(|| Some(env::home_dir()?.join(".local/share")))
            };
            Some(base?.join("unshell/library"))
        };
        let folder = self.library.clone().or_else(|| text("UNSHELL_LIBRARY")).or_else(usual);
        folder.ok_or_else(|| Failure::new("this system has no home folder").hint("name a folder with `--library`"))
    }

    /// What is in it; nothing where there is no such folder, unless it was asked for by name.
    pub(crate) fn models(&self) -> Result<(Vec<Kept>, Vec<lineage::Error>), Failure> {
        let folder = self.folder()?;
        if self.library.is_none() && !folder.exists() {
            return Ok((Vec::new(), Vec::new()));
        }
        lineage::library(&folder).map_err(Failure::from)
    }
}

/// Takes a fingerprint and keeps it.
pub(crate) fn add(arguments: &AddArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let reach = arguments.reach.reach()?;
    let model = open(&arguments.model, &reach)?;
    let name = arguments.name.clone().unwrap_or_else(|| model.name.name.clone());
    let folder = arguments.library.folder()?;
    let plain = file_name(&name);
    if plain.is_empty() {
        let failure = Failure::new(format!("{} is no name for a file", crate::bytes::shown(&name)));
        return Err(failure.hint("give one with letters or digits as `--name`"));
    }
    let file = folder.join(format!("{plain}.{ENDING}"));
    if file.exists() && !arguments.force {
        let failure = Failure::new(format!("{} is there already", file.display()));
        return Err(failure.hint("give another `--name`, or `--force` to write over it"));
    }
    let (kept, left_out) = lineage::fingerprint(&model).map_err(Failure::from)?;
    std::fs::create_dir_all(&folder).map_err(|it| Failure::new(format!("{}: {it}", folder.display())))?;
    replace(&file, &kept.to_bytes())?;
    let units = kept.about.layers.iter().flat_map(|it| &it.blocks).map(|it| it.units.len()).sum();
    let layers = kept.about.layers.iter().filter(|it| !it.blocks.is_empty()).count();
    let added = Added {
        schema: "unshell/catalog-add/1",
        file: &file,
        name: &kept.about.name,
        bytes: kept.bytes,
        sha256: &kept.about.sha256,
        tokens: kept.about.token_ids.len(),
        layers,
        units,
        unexamined: &left_out,
    };
    if arguments.json {
        terminal.print_json(&added);
    } else {
        terminal.print(&page(&added));
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

fn page(added: &Added<'_>) -> String {
    let mut parts = vec![format!(
        "{}: kept {} tokens, and {} hidden units of {} layers, in {} bytes\n{}",
        shown_name(added.name),
        grouped(added.tokens as u64),
        grouped(added.units as u64),
        added.layers,
        grouped(added.bytes),
        added.file.display()
    )];
    if !added.unexamined.is_empty() {
        parts.push(format!("Not kept\n{}", unexamined(added.unexamined)));
    }
    parts.push("`unshell identify MODEL` and `unshell compare MODEL FILE` compare a model with it.".to_owned());
    parts.join("\n\n")
}

/// Lists what a library holds.
pub(crate) fn list(arguments: &FingerprintsArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let (models, errors) = arguments.library.models()?;
    let row = |it: &Kept| Row {
        name: it.name.name.clone(),
        location: it.name.location.clone(),
        parameters: it.parameters,
        bytes: it.bytes,
    };
    let listing = Listing {
        schema: "unshell/catalog-fingerprints/1",
        library: arguments.library.folder()?,
        fingerprints: models.iter().map(row).collect(),
        unreadable: errors.iter().map(ToString::to_string).collect(),
    };
    if arguments.json {
        terminal.print_json(&listing);
    } else {
        terminal.print(&listing.page());
    }
    Ok(ExitCode::SUCCESS)
}

impl Listing {
    fn page(&self) -> String {
        let folder = self.library.display();
        if self.fingerprints.is_empty() && self.unreadable.is_empty() {
            return format!("No fingerprints in {folder}. `unshell catalog add MODEL` keeps one of a reference.");
        }
        let mut output = table(["Model", "Parameters", "Bytes", "File"]);
        align_right(&mut output, 1);
        align_right(&mut output, 2);
        for it in &self.fingerprints {
            output.add_row([
                shown_name(&it.name),
                it.parameters.map_or_else(|| "-".to_owned(), grouped),
                grouped(it.bytes),
                shown_name(&it.location),
            ]);
        }
        let mut parts = vec![output.trim_fmt()];
        if !self.unreadable.is_empty() {
            parts.push(format!("Not usable\n  {}", self.unreadable.join("\n  ")));
        }
        parts.join("\n\n")
    }
}

/// A name that is a plain file name on every system.
fn file_name(name: &str) -> String {
    let plain = |it: char| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '_' };
    let text: String = name.replace('/', "--").chars().map(plain).collect();
    text.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lead_nowhere_else() {
        assert_eq!(file_name("Qwen/Qwen2.5-7B"), "Qwen--Qwen2.5-7B");
        assert_eq!(file_name("../../etc/passwd"), "--..--etc--passwd");
        assert_eq!(file_name("a b:c\\d"), "a_b_c_d");
    }
}
