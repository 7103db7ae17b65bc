//! A library of known models' weights: built from a list, written as one file, taken in from one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use clap::Subcommand;
use serde::Serialize;

use crate::bytes::{self, Source, grouped, limits};
use crate::catalog::Catalog;
use crate::cli::library::{self as kept, Library};
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, reach};
use crate::library::{
    Built, Contents, Entry, Error, Manifest, PrivateKey, PublicKey, State, Wish, build_one, export, from_catalog,
    from_text, import, is_kept,
};
use crate::remote::Reach;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch what fingerprints of the models of a list need, in ranges, and keep them
    ///
    /// Of a model of up to 100 billion parameters at most 50 MB are read, of a larger one 120 MB. Work that was broken
    /// off goes on where it stood when it is run again. Gated models are listed as such.
    Build(BuildArguments),
    /// List what is in a library
    List(kept::FingerprintsArguments),
    /// Write a library as one file, with its digest
    Export(ExportArguments),
    /// Take a library in from a file
    Import(ImportArguments),
    /// Take a library in from an address
    Pull(ImportArguments),
}

#[derive(Debug, clap::Args)]
struct BuildArguments {
    /// A file with one model a line, or `catalog` for all entries that are on a hub
    list: String,
    /// Of the catalogue: models published on this day or later
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// Of the catalogue: models under open terms only
    #[arg(long, value_name = "open", value_parser = ["open"])]
    license: Option<String>,
    /// Says at which places units are kept; drawn where there is no library yet and nothing is given
    #[arg(long)]
    salt: Option<String>,
    /// Stop after so many models that were fetched
    #[arg(long, value_name = "NUMBER")]
    most: Option<usize>,
    /// Fetch no more than this in a second on average, as 500000 or 5MB
    #[arg(long, value_name = "BYTES", value_parser = reach::size)]
    rate: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

#[derive(Debug, clap::Args)]
struct ExportArguments {
    /// The file to write
    file: PathBuf,
    /// Sign it with this Ed25519 key, a PKCS#8 file
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    library: Library,
}

#[derive(Debug, clap::Args)]
struct ImportArguments {
    /// The file, or its address
    from: String,
    /// Refuse it unless this is its digest
    #[arg(long, value_name = "SHA256")]
    digest: Option<String>,
    /// Refuse it unless it is signed by this public key, 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = error.hint();
        Self::new(error).hint_if(hint)
    }
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Build(arguments) => build(arguments, terminal),
        Command::List(arguments) => kept::list(arguments, terminal),
        Command::Export(arguments) => write(arguments, terminal),
        Command::Import(arguments) | Command::Pull(arguments) => take_in(arguments, terminal),
    }
}

/// The JSON of `library build`.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    library: &'a Path,
    models: &'a std::collections::BTreeMap<String, Entry>,
}

fn build(arguments: &BuildArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let wishes = wishes(arguments)?;
    let folder = arguments.library.folder()?;
    std::fs::create_dir_all(&folder).map_err(|it| Failure::new(format!("{}: {it}", folder.display())))?;
    let mut manifest = manifest(&folder, arguments.salt.as_deref())?;
    manifest.write(&folder)?;
    let reach = arguments.reach.reach()?;
    let mut pace = Pace { rate: arguments.rate, begun: Instant::now() };
    let mut fetched = 0;
    for (at, wish) in wishes.iter().enumerate() {
        if is_kept(&folder, manifest.models.get(&wish.location)) {
            continue;
        }
        if arguments.most.is_some_and(|it| fetched >= it) {
            break;
        }
        let before = reach.bytes_read().saturating_add(reach.traffic().bytes);
        let built = build_one(&folder, wish, &manifest, Catalog::builtin(), &reach)?;
        let read = reach.bytes_read().saturating_add(reach.traffic().bytes).saturating_sub(before);
        fetched += 1;
        terminal.say(&line(at + 1, wishes.len(), wish, &built, read));
        manifest.models.insert(wish.location.clone(), built.entry);
        manifest.write(&folder)?;
        pace.keep(&reach);
    }
    if arguments.json {
        terminal.print_json(&Report { schema: "unshell/library-build/1", library: &folder, models: &manifest.models });
    } else {
        terminal.print(&page(&folder, &wishes, &manifest));
    }
    reach::report(&reach, terminal);
    let has_failed = wishes.iter().any(|it| state(&manifest, it) == Some(State::Failed));
    Ok(ExitCode::from(if has_failed { 2 } else { 0 }))
}

fn wishes(arguments: &BuildArguments) -> Result<Vec<Wish>, Failure> {
    if arguments.list == "catalog" {
        return Ok(from_catalog(Catalog::builtin(), arguments.since, arguments.license.is_some()));
    }
    if arguments.since.is_some() || arguments.license.is_some() {
        let failure = Failure::new("`--since` and `--license` are asked of the catalogue, and a list has neither");
        return Err(failure.hint("write `unshell library build catalog --since DATE`, or leave them out"));
    }
    let path = Path::new(&arguments.list);
    let bytes = bytes::read_whole(path, limits::WRITTEN_BY_HAND)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{}: it is not UTF-8", path.display())))?;
    Ok(from_text(path, &text)?)
}

/// That of the folder; its salt is that of every fingerprint in it, and never changed.
fn manifest(folder: &Path, salt: Option<&str>) -> Result<Manifest, Failure> {
    match (Manifest::read(folder)?, salt) {
        (Some(manifest), Some(salt)) if manifest.salt != salt => {
            let failure = Failure::new(format!("{}: the library has another salt", folder.display()));
            Err(failure.hint("leave `--salt` out, or name another folder with `--library`"))
        }
        (Some(manifest), _) => Ok(manifest),
        (None, salt) => Ok(Manifest::new(salt.map(str::to_owned))),
    }
}

fn state(manifest: &Manifest, wish: &Wish) -> Option<State> {
    manifest.models.get(&wish.location).map(|it| it.state)
}

fn line(at: usize, of: usize, wish: &Wish, built: &Built, read: u64) -> String {
    let what = match (&built.entry.state, &built.entry.reason) {
        (State::Kept, _) => format!("kept in {} bytes, {} bytes read", grouped(built.bytes), grouped(read)),
        (State::Gated, Some(reason)) => format!("gated: {reason}"),
        (State::Failed, Some(reason)) => format!("failed: {reason}"),
        (State::Gated | State::Failed, None) => "not kept".to_owned(),
    };
    format!("{at} of {of}: {}: {what}", wish.location)
}

fn page(folder: &Path, wishes: &[Wish], manifest: &Manifest) -> String {
    let count = |wanted: Option<State>| wishes.iter().filter(|it| state(manifest, it) == wanted).count();
    let mut parts =
        vec![format!("{} of {} models are kept in {}.", count(Some(State::Kept)), wishes.len(), folder.display())];
    let mut output = table(["Not kept", "Why"]);
    let without = wishes.iter().filter(|it| state(manifest, it) != Some(State::Kept));
    for it in without {
        let entry = manifest.models.get(&it.location);
        let word = match entry.map(|it| it.state) {
            Some(State::Gated) => "gated: accept its terms on the hub and set a token, then run again",
            Some(State::Failed) => "failed",
            Some(State::Kept) | None => "not fetched yet: run again",
        };
        let reason = entry.and_then(|it| it.reason.as_deref()).map(|it| format!("; {it}")).unwrap_or_default();
        output.add_row([it.location.clone(), format!("{word}{reason}")]);
    }
    if count(Some(State::Kept)) < wishes.len() {
        parts.push(output.trim_fmt());
    }
    parts.push(
        "`unshell identify` and `unshell collect` compare weights with it. A match is one of the whole model; silence \
         clears the kept rows alone."
            .to_owned(),
    );
    parts.join("\n\n")
}

/// Keeps an average rate by waiting between models.
struct Pace {
    rate: Option<u64>,
    begun: Instant,
}

impl Pace {
    fn keep(&mut self, reach: &Reach) {
        let Some(rate) = self.rate.filter(|it| *it > 0) else { return };
        let due = Duration::from_secs_f64(reach.traffic().bytes as f64 / rate as f64);
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()).min(Duration::from_secs(600)));
    }
}

fn write(arguments: &ExportArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let key = arguments.sign.as_deref().map(PrivateKey::read).transpose()?;
    let header = export(&arguments.library.folder()?, &arguments.file, key.as_ref())?;
    let signed = header.signature.as_ref().map(|it| format!("\nSigned by the key {}.", it.key)).unwrap_or_default();
    terminal.print(&format!(
        "{}: {} fingerprints\nDigest {}\nSend the digest by another way than the file.{signed}",
        arguments.file.display(),
        header.parts.len(),
        header.digest
    ));
    Ok(ExitCode::SUCCESS)
}

fn take_in(arguments: &ImportArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let folder = arguments.library.folder()?;
    let key = arguments.key.as_deref().map(PublicKey::parse).transpose()?;
    let digest = arguments.digest.as_deref();
    let taken = if arguments.from.contains("://") {
        let reach = arguments.reach.reach()?;
        let open = || far(&arguments.from, &reach);
        let taken = import(&arguments.from, &folder, digest, key.as_ref(), open)?;
        reach::report(&reach, terminal);
        taken
    } else {
        let path = Path::new(&arguments.from);
        let open = || -> Result<File, Error> {
            let unread = |it: std::io::Error| Error::Archive { name: arguments.from.clone(), reason: it.to_string() };
            File::open(path).map_err(unread)
        };
        import(&arguments.from, &folder, digest, key.as_ref(), open)?
    };
    terminal.print(&taken_in(&folder, &taken, arguments));
    Ok(ExitCode::SUCCESS)
}

fn taken_in(folder: &Path, taken: &Contents, arguments: &ImportArguments) -> String {
    let Contents { header, new } = taken;
    let checked = match (&arguments.digest, &arguments.key) {
        (None, None) => "Nothing says whose it is: compare the digest with the one you were given.",
        _ => "Digest and key are those that were expected.",
    };
    format!(
        "{} fingerprints taken into {}, {new} of them new.\nDigest {}\n{checked}",
        header.parts.len(),
        folder.display(),
        header.digest
    )
}

/// A file at an address, read from its beginning.
fn far(address: &str, reach: &Reach) -> Result<Stream, Error> {
    let location = bytes::Location::parse(address)?;
    let nothing = || Error::Archive { name: address.to_owned(), reason: "it names no file".to_owned() };
    let found = reach.find(location, Path::new("."))?.ok_or_else(nothing)?;
    let name = found.place.single().ok_or_else(nothing)?.to_owned();
    Ok(Stream { source: found.place.open(&name)?, at: 0 })
}

/// A source as a stream.
struct Stream {
    source: std::sync::Arc<dyn Source>,
    at: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        const AT_ONCE: u64 = 4 << 20;
        let left = self.source.len().saturating_sub(self.at);
        let size = left.min(buffer.len() as u64).min(AT_ONCE);
        let read = self.source.read_at(self.at..self.at + size).map_err(std::io::Error::other)?;
        let size = read.len().min(buffer.len());
        buffer[..size].copy_from_slice(&read[..size]);
        self.at += size as u64;
        Ok(size)
    }
}
