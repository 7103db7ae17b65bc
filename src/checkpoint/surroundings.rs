//! What lies around a model: other files of its folder, links that lead out of it, folders below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bytes::{LocalPlace, Place, in_order, limits, shown};
use crate::checkpoint::assembly::{Assembly, alike};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::finding_in;
use crate::checkpoint::kind::{self, Kind};
use crate::checkpoint::{Error, FORMATS, Format, HEAD, Likeness};
use crate::fact::Finding;

/// Findings about weights that lie in the folder and were not read.
pub(crate) fn unread_weights(place: &dyn Place, names: &BTreeSet<String>, assembly: &mut Assembly) {
    let unread: Vec<&String> = names.iter().filter(|name| !assembly.has_read(name)).collect();
    if place.local().is_none() {
        let named = unread.into_iter().filter_map(|name| unread_by_name(name, assembly.format));
        return assembly.findings.extend(named.collect::<Vec<_>>());
    }
    for (name, look, read) in looks(place, unread) {
        assembly.bytes_read = assembly.bytes_read.saturating_add(read);
        assembly.findings.extend(match look {
            Some(Look::Format(format)) if Some(format.name) != assembly.format => {
                let detail = format!("it is a {} file, and was not read", format.name);
                Some(finding_in(name, "other-weights", None, detail))
            }
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

/// Far away a look at every file would cost more than the model's headers, so there its name has to do.
fn unread_by_name(name: &str, read: Option<&str>) -> Option<Finding> {
    let ending = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    let format = FORMATS.iter().find(|it| it.endings.contains(&ending.as_str()));
    let code = if format.is_some() && format.map(|it| it.name) == read { "unread-weights" } else { "other-weights" };
    let what = format.map(|it| it.name).or_else(|| OTHER_WEIGHTS.contains(&ending.as_str()).then_some(&*ending))?;
    Some(finding_in(name, code, None, format!("by its name it is a {what} file, and was not read")))
}

/// How the names of files end that hold weights in formats which are not read here.
const OTHER_WEIGHTS: &[&str] = &["ckpt", "h5", "msgpack", "npy", "npz", "onnx", "ot", "pdparams", "tflite"];

/// Whether a look at the file of a name may be worth a request.
fn may_be_weights(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
    OTHER_WEIGHTS.contains(&ending.as_str()) || FORMATS.iter().any(|it| it.endings.contains(&ending.as_str()))
}

/// Looks at the first bytes of each file, and counts them; far away only where its name ends as one of weights.
pub(crate) fn looks<'a>(
    place: &dyn Place,
    names: impl IntoIterator<Item = &'a String>,
) -> Vec<(&'a str, Option<Look>, u64)> {
    let is_worth_it = |name: &&String| place.local().is_some() || may_be_weights(name);
    let names: Vec<&String> = names.into_iter().filter(is_worth_it).collect();
    let look = |name: &&'a String| {
        let (look, read) = look(place, name);
        Ok::<_, std::convert::Infallible>((name.as_str(), look, read))
    };
    in_order(&names, place.at_once(), look).unwrap_or_else(|never| match never {})
}

/// Findings about files of the model that are somewhere else.
pub(crate) fn links_outside(place: &dyn Place, names: &BTreeSet<String>, assembly: &mut Assembly) {
    let Some(folder) = place.local() else { return };
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
#[derive(Debug)]
pub(crate) enum Look {
    Format(&'static Format),
    Kind(&'static Kind),
}

/// Looks at the first bytes of a file, and counts them. One that cannot be opened is none of the model's.
fn look(place: &dyn Place, name: &str) -> (Option<Look>, u64) {
    let Ok(file) = place.open(name) else { return (None, 0) };
    let Ok(head) = file.read_at(0..file.len().min(HEAD)) else { return (None, 0) };
    let format = alike(&head, file.len(), Likeness::Certain).map(Look::Format);
    (format.or_else(|| kind::recognise(&head).map(Look::Kind)), file.bytes_read())
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
pub(crate) fn cached_name(place: &dyn Place) -> Option<String> {
    let cache = cache_of(place.local()?)?;
    let name = cache.file_name()?.to_str()?.strip_prefix("models--")?;
    Some(name.replacen("--", "/", 1))
}

/// Says what the folder holds instead of weights, and where some are.
pub(crate) fn no_weights(place: &dyn Place, names: &BTreeSet<String>) -> Error {
    let of_another_format = looks(place, names).into_iter().find_map(|(name, look, _)| match look {
        Some(Look::Kind(kind)) if kind.weights => Some((name, kind)),
        _ => None,
    });
    let below = place.local().and_then(weights_below);
    let (found, hint) = if let Some((name, kind)) = of_another_format {
        (format!("{} is {}", shown(name), kind.what), kind.hint.to_owned())
    } else if let Some(below) = below {
        let hint = format!("name {} itself", shown(place.path_of(&below).to_string_lossy()));
        (format!("some are in its folder {}", shown(below)), hint)
    } else {
        let names: Vec<String> = names.iter().cloned().collect();
        let found = if names.is_empty() { "it holds no files".into() } else { format!("it holds {}", list(&names)) };
        (
            found,
            "name the folder that holds `model.safetensors`, its parts and their index, or a GGUF, PyTorch or ONNX model"
                .into(),
        )
    };
    Error::NoWeights { folder: place.path().to_owned(), found, hint }
}

/// By the usual endings, and for PyTorch by the usual name, as `.bin` may be anything.
fn is_called_as_weights(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".gguf") || name.starts_with("pytorch_model")
}

/// The first folder at most two levels below that holds a file with the usual ending or name, with `/` between its
/// parts.
fn weights_below(folder: &Path) -> Option<String> {
    let mut level = vec![String::new()];
    for _ in 0..2 {
        level = level.iter().flat_map(|below| folders_in(folder, below)).take(FOLDERS_LOOKED_AT).collect();
        let holds_weights = |below: &&String| {
            LocalPlace::new(folder.join(below))
                .names()
                .is_ok_and(|it| it.names.iter().any(|it| is_called_as_weights(it)))
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
