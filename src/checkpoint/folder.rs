//! A folder in Hugging Face layout: which of its files are the model, and what else lies there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::bytes::{File, Source as _, limits, read_whole, shown};
use crate::checkpoint::assembly::{Assembly, alike, numbered};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::finding_in;
use crate::checkpoint::index::{self, Index};
use crate::checkpoint::kind::{self, Kind};
use crate::checkpoint::{Checkpoint, Error, Format, HEAD, Likeness, json};
use crate::fact::Finding;

const CONFIG: &str = "config.json";
const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";

/// Opens a folder.
pub(crate) fn open(folder: &Path) -> Result<Checkpoint, Error> {
    let names = names_in(folder)?;
    let mut assembly = Assembly::default();
    config(folder, &names, &mut assembly);
    let index = read_index(folder, &names, &mut assembly)?;
    let plan = Plan::make(folder, &names, index.as_ref().map(|(name, index)| (name.as_str(), index)))?;
    for name in &plan.read {
        let path = folder.join(name);
        assembly.weights(name, &path, &File::open(&path)?)?;
    }
    if let Some((name, index)) = index.filter(|_| plan.by_index) {
        let (held, data_bytes) = assembly.held();
        let findings = index.compare(&held, data_bytes).map_err(|refusal| Error::of(&folder.join(&name), refusal))?;
        assembly.findings.extend(findings.into_iter().map(|it| Finding { file: Some(name.clone()), ..it }));
    }
    unread_weights(folder, &names, &mut assembly);
    links_outside(folder, &names.union(&plan.read).cloned().collect(), &mut assembly);
    assembly.findings.extend(plan.findings);
    let checkpoint = assembly.finish(folder)?;
    Ok(Checkpoint { name: cached_name(folder).unwrap_or(checkpoint.name), ..checkpoint })
}

/// Names of everything in the folder that is not a folder itself, sorted.
fn names_in(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let failed = |error: std::io::Error| Error::Folder { folder: folder.to_owned(), why: error.to_string() };
    let mut names = BTreeSet::new();
    for (count, entry) in fs::read_dir(folder).map_err(failed)?.enumerate() {
        if count >= limits::FOLDER_ENTRIES {
            let limit = limits::FOLDER_ENTRIES;
            return Err(Error::TooMany { path: folder.to_owned(), what: "entries", limit });
        }
        let entry = entry.map_err(failed)?;
        // A name that is not Unicode cannot be one of the layout's names.
        if let (Ok(name), false) = (entry.file_name().into_string(), entry.path().is_dir()) {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Which weights files are read.
#[derive(Debug, Default)]
struct Plan {
    read: BTreeSet<String>,
    by_index: bool,
    findings: Vec<Finding>,
}

impl Plan {
    /// Decides as common loaders do: `model.safetensors` first, then the index; without both, all there are.
    fn make(folder: &Path, names: &BTreeSet<String>, index: Option<(&str, &Index)>) -> Result<Self, Error> {
        match index {
            Some((name, index)) if names.contains(SINGLE) && !index.files().contains(SINGLE) => {
                let detail = format!("it names other files than {}, which was read instead", shown(SINGLE));
                let finding = finding_in(name, "two-sets-of-weights", None, detail);
                Ok(Self { read: BTreeSet::from([SINGLE.to_owned()]), by_index: false, findings: vec![finding] })
            }
            Some((name, index)) => Self::by_index(folder, name, index),
            None => Self::by_names(folder, names),
        }
    }

    fn by_index(folder: &Path, name: &str, index: &Index) -> Result<Self, Error> {
        let read: BTreeSet<String> = index.files().into_iter().map(str::to_owned).collect();
        let missing: Vec<String> = read.iter().filter(|it| !is_there(&folder.join(it))).cloned().collect();
        if !missing.is_empty() {
            let by = shown(name);
            return Err(Error::MissingFiles { folder: folder.to_owned(), missing, of: read.len(), by });
        }
        Ok(Self { read, by_index: true, findings: Vec::new() })
    }

    fn by_names(folder: &Path, names: &BTreeSet<String>) -> Result<Self, Error> {
        let ends_well =
            |name: &&String| Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("safetensors"));
        let mut read: BTreeSet<String> = names.iter().filter(ends_well).cloned().collect();
        if read.is_empty() {
            let is_weights = |name: &&String| matches!(look(&folder.join(name)).0, Some(Look::Format(_)));
            read = names.iter().filter(is_weights).cloned().collect();
        }
        if read.is_empty() {
            return Err(no_weights(folder, names));
        }
        if read.len() > limits::SHARDS {
            return Err(Error::TooMany { path: folder.to_owned(), what: "weights files", limit: limits::SHARDS });
        }
        all_parts_are_there(folder, &read)?;
        let findings = (read.len() > 1).then(|| Finding {
            code: "no-index".into(),
            file: None,
            item: None,
            detail: format!("{} weights files and no index that names them", read.len()),
        });
        Ok(Self { read, by_index: false, findings: findings.into_iter().collect() })
    }
}

/// `model-00001-of-00003.safetensors` says that there are three.
fn all_parts_are_there(folder: &Path, read: &BTreeSet<String>) -> Result<(), Error> {
    let mut sets: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
    for (prefix, part, of) in read.iter().filter_map(|name| numbered(name)) {
        sets.entry((prefix, of)).or_default().insert(part);
    }
    for ((prefix, of), parts) in sets {
        if usize::try_from(of).is_ok_and(|of| of > limits::SHARDS) {
            return Err(Error::TooMany { path: folder.to_owned(), what: "weights files", limit: limits::SHARDS });
        }
        let missing = (1..=of).filter(|part| !parts.contains(part));
        let missing: Vec<String> = missing.map(|part| format!("{prefix}-{part:05}-of-{of:05}.safetensors")).collect();
        if !missing.is_empty() {
            let by = "their numbering".to_owned();
            let of = usize::try_from(of).unwrap_or(usize::MAX);
            return Err(Error::MissingFiles { folder: folder.to_owned(), missing, of, by });
        }
    }
    Ok(())
}

fn read_index(
    folder: &Path,
    names: &BTreeSet<String>,
    assembly: &mut Assembly,
) -> Result<Option<(String, Index)>, Error> {
    let any = || names.iter().find(|name| name.ends_with(index::SUFFIX));
    let Some(name) = names.get(INDEX).or_else(any) else { return Ok(None) };
    let path = folder.join(name);
    let text = read_whole(&path, limits::INDEX)?;
    assembly.text(name, &text);
    let index = Index::read(&text).map_err(|refusal| Error::of(&path, refusal))?;
    Ok(Some((name.clone(), index)))
}

/// Reads `config.json`. The weights can be described without it, so whatever is wrong with it is a finding.
fn config(folder: &Path, names: &BTreeSet<String>, assembly: &mut Assembly) {
    if !names.contains(CONFIG) {
        return;
    }
    let text = match read_whole(&folder.join(CONFIG), limits::CONFIG) {
        Ok(text) => text,
        Err(error) => {
            assembly.findings.push(finding_in(CONFIG, "config-unreadable", None, error.to_string()));
            return;
        }
    };
    assembly.text(CONFIG, &text);
    let unreadable = |why: String| finding_in(CONFIG, "config-unreadable", None, why);
    match json::read(&text, limits::CONFIG_VALUES) {
        Ok(document) if document.value.is_object() => {
            assembly.findings.extend(document.repeated.iter().map(|key| {
                let detail = format!("the key {} stands in it twice; the last value was taken", shown(key));
                finding_in(CONFIG, "config-repeated-key", Some(key), detail)
            }));
            assembly.config = Some(document.value);
        }
        Ok(document) => {
            let found = json::kind_of(&document.value);
            assembly.findings.push(unreadable(format!("it is {found}, expected an object")));
        }
        Err(why) => {
            let what = kind::recognise(text.get(..text.len().min(128)).unwrap_or_default());
            let what = what.filter(|kind| !["plain text", "JSON text"].contains(&kind.what));
            let why = what.map_or(why, |kind| format!("it is {}", kind.what));
            assembly.findings.push(unreadable(why));
        }
    }
}

/// Findings about weights that lie in the folder and were not read.
fn unread_weights(folder: &Path, names: &BTreeSet<String>, assembly: &mut Assembly) {
    let unread: Vec<&String> = names.iter().filter(|name| !assembly.has_read(name)).collect();
    for name in unread {
        let (look, read) = look(&folder.join(name));
        assembly.bytes_read = assembly.bytes_read.saturating_add(read);
        assembly.findings.extend(match look {
            Some(Look::Format(format)) => Some(finding_in(
                name,
                "unread-weights",
                None,
                format!("it is a {} file, and was not read", format.name),
            )),
            Some(Look::Kind(kind)) if kind.weights => {
                Some(finding_in(name, "other-weights", None, format!("it is {}", kind.what)))
            }
            Some(Look::Kind(_)) | None => None,
        });
    }
}

/// Findings about files of the model that are somewhere else.
fn links_outside(folder: &Path, names: &BTreeSet<String>, assembly: &mut Assembly) {
    let Some(root) = root_of(folder) else { return };
    for name in names {
        let target = folder.join(name).canonicalize().ok().filter(|target| !target.starts_with(&root));
        if let Some(target) = target.filter(|_| assembly.has_read(name)) {
            let detail = format!("it is a link to {}", shown(target.to_string_lossy()));
            assembly.findings.push(finding_in(name, "link-leads-outside", None, detail));
        }
    }
}

/// What a file looks like from its first bytes.
enum Look {
    Format(&'static Format),
    Kind(&'static Kind),
}

/// Looks at the first bytes of a file, and counts them. One that cannot be opened is none of the model's.
fn look(path: &Path) -> (Option<Look>, u64) {
    let Ok(file) = File::open(path) else { return (None, 0) };
    let Ok(head) = file.read_at(0..file.len().min(HEAD)) else { return (None, 0) };
    let format = alike(&head, file.len(), Likeness::Certain).map(Look::Format);
    (format.or_else(|| kind::recognise(&head).map(Look::Kind)), file.bytes_read())
}

fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// The place that the files of a model may be in: its folder, or for a snapshot in Hugging Face's cache the cache of
/// that model, where every file is a link to a blob.
fn root_of(folder: &Path) -> Option<PathBuf> {
    cache_of(folder).or_else(|| folder.canonicalize().ok())
}

/// `CACHE` for a folder `CACHE/snapshots/REVISION` beside `CACHE/blobs`.
fn cache_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let cache = folder.parent().filter(|it| it.ends_with("snapshots"))?.parent()?;
    cache.join("blobs").is_dir().then(|| cache.to_owned())
}

/// `ORG/NAME` for a snapshot in the cache `models--ORG--NAME`; its folder is called by a revision nobody knows.
fn cached_name(folder: &Path) -> Option<String> {
    let cache = cache_of(folder)?;
    let name = cache.file_name()?.to_str()?.strip_prefix("models--")?;
    Some(name.replacen("--", "/", 1))
}

/// Says what the folder holds instead of weights, and where some are.
fn no_weights(folder: &Path, names: &BTreeSet<String>) -> Error {
    let of_another_format = names.iter().find_map(|name| match look(&folder.join(name)).0 {
        Some(Look::Kind(kind)) if kind.weights => Some((name, kind)),
        _ => None,
    });
    let (found, hint) = if let Some((name, kind)) = of_another_format {
        (format!("{} is {}", shown(name), kind.what), kind.hint.to_owned())
    } else if let Some(below) = weights_below(folder) {
        let hint = format!("name {} itself", shown(folder.join(&below).to_string_lossy()));
        (format!("some are in its folder {}", shown(below)), hint)
    } else {
        let names: Vec<String> = names.iter().cloned().collect();
        let found = if names.is_empty() { "it holds no files".into() } else { format!("it holds {}", list(&names)) };
        (found, "name the folder that holds `model.safetensors`, or its parts and their index".into())
    };
    Error::NoWeights { folder: folder.to_owned(), found, hint }
}

/// The first folder at most two levels below that holds a file with the usual ending, with `/` between its parts.
fn weights_below(folder: &Path) -> Option<String> {
    let mut level = vec![String::new()];
    for _ in 0..2 {
        level = level.iter().flat_map(|below| folders_in(folder, below)).take(FOLDERS_LOOKED_AT).collect();
        let holds_weights = |below: &&String| {
            names_in(&folder.join(below)).is_ok_and(|names| names.iter().any(|name| name.ends_with(".safetensors")))
        };
        if let Some(found) = level.iter().find(holds_weights) {
            return Some(found.clone());
        }
    }
    None
}

/// How many folders are searched for a better hint.
const FOLDERS_LOOKED_AT: usize = 64;

fn folders_in(folder: &Path, below: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join(below)) else { return Vec::new() };
    let folders =
        entries.take(limits::FOLDER_ENTRIES).flatten().filter(|it| it.file_type().is_ok_and(|it| it.is_dir()));
    let names = folders.filter_map(|it| it.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.map(|name| if below.is_empty() { name } else { format!("{below}/{name}") }).collect();
    names.sort();
    names
}
