//! A folder in Hugging Face layout: which of its files are the model, and what else lies there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::bytes::{Place, counted, grouped, in_order, limits, shown};
use crate::checkpoint::assembly::{Assembly, Part, numbered};
use crate::checkpoint::findings::{finding, finding_in, unprintable_names};
use crate::checkpoint::index::Index;
use crate::checkpoint::surroundings::{Look, cached_name, links_outside, looks, no_weights, unread_weights};
use crate::checkpoint::{Adapter, Checkpoint, Error, FORMATS, Format, adapter, json, kind};
use crate::fact::Finding;

/// How exporters to ONNX call the model.
const ONNX: &str = "model.onnx";
const CONFIG: &str = "config.json";

/// How the files of a model are called.
#[derive(Debug)]
struct Layout {
    single: &'static str,
    index: &'static str,
    /// How another index may end.
    index_ending: &'static str,
}

const SAFETENSORS: Layout = Layout {
    single: "model.safetensors",
    index: "model.safetensors.index.json",
    index_ending: ".safetensors.index.json",
};
const PYTORCH: Layout =
    Layout { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", index_ending: ".bin.index.json" };

impl Layout {
    /// As common loaders do: safetensors wherever there are any.
    fn of(names: &BTreeSet<String>) -> &'static Self {
        let any = |ending: &str| names.iter().any(|name| name.ends_with(ending));
        let has_safetensors = any(".safetensors") || any(SAFETENSORS.index_ending);
        let has_pytorch = names.contains(PYTORCH.single) || any(PYTORCH.index_ending);
        if has_pytorch && !has_safetensors { &PYTORCH } else { &SAFETENSORS }
    }
}

/// How the names of files begin that hold the state of a training run and no model.
const TRAINING: &[&str] = &["optimizer", "rng_state", "scaler", "scheduler", "training_args"];

/// Opens a folder.
pub(crate) fn open(place: &dyn Place) -> Result<Checkpoint, Error> {
    let listed = place.names()?;
    let names = listed.names;
    let mut assembly = Assembly::default();
    if listed.not_unicode > 0 {
        let detail = format!("not in Unicode, so not looked at: {}", counted(listed.not_unicode, "file name"));
        assembly.findings.push(finding("unprintable-name", None, detail));
    }
    assembly.config = config(place, CONFIG, &names, &mut assembly);
    assembly.adapter = config(place, adapter::CONFIG, &names, &mut assembly).map(|it| Adapter::of(&it));
    let layout = Layout::of(&names);
    let index = read_index(place, layout, &names, &mut assembly)?;
    let plan = Plan::make(place, layout, &names, index.as_ref().map(|(name, index)| (name.as_str(), index)))?;
    read_headers(place, &plan, &mut assembly)?;
    if let Some((name, index)) = index.as_ref().filter(|_| plan.is_index_alone) {
        index_alone(place, name, index, &mut assembly)?;
    }
    data_beside(place, &mut assembly)?;
    if let Some((name, index)) = index.filter(|_| plan.by_index) {
        let (held, data_bytes) = assembly.held();
        let findings = index.compare(&held, data_bytes).map_err(|refusal| Error::of(&place.path_of(&name), refusal))?;
        assembly.findings.extend(findings.into_iter().map(|it| Finding { file: Some(name.clone()), ..it }));
    }
    parts_belong_together(place.path(), &mut assembly)?;
    unread_weights(place, &names, &mut assembly);
    links_outside(place, &names.union(&plan.read).cloned().collect(), &mut assembly);
    assembly.findings.extend(plan.findings);
    let checkpoint = assembly.finish(place.path())?;
    Ok(Checkpoint { name: cached_name(place).unwrap_or(checkpoint.name), ..checkpoint })
}

/// Reads the header of every file of the plan, as many at once as the place is good for.
fn read_headers(place: &dyn Place, plan: &Plan, assembly: &mut Assembly) -> Result<(), Error> {
    let names: Vec<&String> = plan.read.iter().collect();
    let parts = in_order(&names, place.at_once(), |name| Part::read(name, &place.path_of(name), &*place.open(name)?))?;
    for part in parts {
        assembly.weights(part);
    }
    Ok(())
}

/// Finds the files that weights files have their data in.
fn data_beside(place: &dyn Place, assembly: &mut Assembly) -> Result<(), Error> {
    let outside = assembly.outside();
    if outside.len() > limits::SHARDS {
        return Err(Error::TooMany { path: place.path().to_owned(), what: "data files", limit: limits::SHARDS });
    }
    let missing: Vec<String> = outside.keys().filter(|it| !place.holds(it)).cloned().collect();
    if !missing.is_empty() {
        let (of, by) = (outside.len(), "the graph".to_owned());
        return Err(Error::MissingFiles { folder: place.path().to_owned(), missing, of, by });
    }
    for (name, reach) in outside {
        let source = place.open(&name)?;
        if reach > source.len() {
            let (found, expected) = (grouped(source.len()), grouped(reach));
            let message = format!("it has {found} bytes, and tensors reach to byte {expected}");
            let hint = Some("the download may have been cut off; compare its size with the publisher's".into());
            return Err(Error::Broken { file: place.path_of(&name), message, hint });
        }
        assembly.data(&name, &*source);
    }
    Ok(())
}

/// Takes in what an index says of files that are not there.
fn index_alone(place: &dyn Place, name: &str, index: &Index, assembly: &mut Assembly) -> Result<(), Error> {
    let outline = index.outline().map_err(|refusal| Error::of(&place.path_of(name), refusal))?;
    let unprintable = unprintable_names(outline.names.iter().map(String::as_str));
    assembly.findings.extend(unprintable.map(|it| Finding { file: Some(name.to_owned()), ..it }));
    let named = format!("{} in {}", counted(outline.names.len(), "tensor"), files_in_words(outline.files));
    let size =
        outline.stated_bytes.map_or(String::new(), |it| format!(", {} bytes of data by its own word", grouped(it)));
    let detail = format!("it names {named}, none of which is in the folder{size}");
    assembly.findings.push(finding_in(name, "index-only", None, detail));
    assembly.outline = Some(outline);
    Ok(())
}

fn files_in_words(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "file")
}

/// Which weights files are read.
#[derive(Debug, Default)]
struct Plan {
    read: BTreeSet<String>,
    by_index: bool,
    /// Whether there is an index and none of the weights that it names.
    is_index_alone: bool,
    findings: Vec<Finding>,
}

impl Plan {
    /// Decides as common loaders do: `model.safetensors` first, then the index; without both, all there are.
    fn make(
        place: &dyn Place,
        layout: &Layout,
        names: &BTreeSet<String>,
        index: Option<(&str, &Index)>,
    ) -> Result<Self, Error> {
        let single = layout.single;
        let only = |findings| Self { read: BTreeSet::from([single.to_owned()]), findings, ..Self::default() };
        match index {
            Some((name, index)) if names.contains(single) && !index.files().contains(single) => {
                let detail = format!("it names other files than {}, which was read instead", shown(single));
                Ok(only(vec![finding_in(name, "two-sets-of-weights", None, detail)]))
            }
            None if single == PYTORCH.single => Ok(only(Vec::new())),
            Some((name, index)) => Self::by_index(place, names, name, index),
            None => Self::by_names(place, names),
        }
    }

    fn by_index(place: &dyn Place, names: &BTreeSet<String>, name: &str, index: &Index) -> Result<Self, Error> {
        let read: BTreeSet<String> = index.files().into_iter().map(str::to_owned).collect();
        let missing: Vec<String> = read.iter().filter(|it| !place.holds(it)).cloned().collect();
        let has_no_weights = || matches!(Self::by_names(place, names), Err(Error::NoWeights { .. }));
        if missing.len() == read.len() && has_no_weights() {
            return Ok(Self { is_index_alone: true, ..Self::default() });
        }
        if !missing.is_empty() {
            let by = shown(name);
            return Err(Error::MissingFiles { folder: place.path().to_owned(), missing, of: read.len(), by });
        }
        Ok(Self { read, by_index: true, ..Self::default() })
    }

    fn by_names(place: &dyn Place, names: &BTreeSet<String>) -> Result<Self, Error> {
        let by_ending = FORMATS.iter().map(|format| named_as(format, names)).find(|it| !it.is_empty());
        let mut read = by_ending.or_else(|| built_as_one_format(place, names)).unwrap_or_default();
        // Beside the model, exporters leave variants of it that have the same tensors.
        if read.contains(ONNX) {
            read.retain(|name| name == ONNX);
        }
        // Weights of an adapter beside a model's are no part of the model.
        if read.iter().any(|name| !adapter::is_weights(name)) {
            read.retain(|name| !adapter::is_weights(name));
        }
        if read.is_empty() {
            return Err(no_weights(place, names));
        }
        if read.len() > limits::SHARDS {
            return Err(Error::TooMany { path: place.path().to_owned(), what: "weights files", limit: limits::SHARDS });
        }
        all_parts_are_there(place.path(), &read)?;
        // The parts of a GGUF model say themselves which ones they are.
        let has_index = read.iter().any(|it| !ends_as("gguf", it));
        let findings = (read.len() > 1 && has_index)
            .then(|| finding("no-index", None, format!("{} weights files and no index that names them", read.len())));
        Ok(Self { read, findings: findings.into_iter().collect(), ..Self::default() })
    }
}

fn ends_as(ending: &str, name: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case(ending))
}

/// Files with the format's own ending. PyTorch has none: `.bin` may be anything, so its files are told by their
/// structure.
fn named_as(format: &Format, names: &BTreeSet<String>) -> BTreeSet<String> {
    let own_ending = format.endings.iter().find(|it| **it == format.name);
    let is_named = |name: &&String| own_ending.is_some_and(|it| ends_as(it, name));
    names.iter().filter(is_named).cloned().collect()
}

/// Files that are weights by their structure, whatever they are called; of one format, the first that any is of.
fn built_as_one_format(place: &dyn Place, names: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut built: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let is_training = |name: &&String| TRAINING.iter().any(|it| name.starts_with(it));
    for (name, look, _) in looks(place, names.iter().filter(|name| !is_training(name))) {
        if let Some(Look::Format(format)) = look {
            built.entry(format.name).or_default().insert(name.to_owned());
        }
    }
    FORMATS.iter().find_map(|format| built.remove(format.name))
}

/// Parts that say how many they are must all be there, whatever their names say.
fn parts_belong_together(folder: &Path, assembly: &mut Assembly) -> Result<(), Error> {
    let mut indices: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (_, split) in assembly.splits() {
        indices.entry(split.count).or_default().insert(split.index);
    }
    for (count, indices) in indices {
        let missing = (0..count).filter(|index| !indices.contains(index));
        let missing: Vec<String> = missing.map(|index| format!("part {}", index.saturating_add(1))).collect();
        if !missing.is_empty() {
            let (of, by) = (usize::try_from(count).unwrap_or(usize::MAX), "`split.count`".to_owned());
            return Err(Error::MissingFiles { folder: folder.to_owned(), missing, of, by });
        }
    }
    let stated = assembly.splits().find_map(|(name, split)| Some((name.to_owned(), split.tensors?)));
    let found = assembly.tensor_count() as u64;
    if let Some((name, stated)) = stated.filter(|(_, stated)| *stated != found) {
        let detail = format!("all parts should have {stated} tensors together, and have {found}");
        assembly.findings.push(finding_in(&name, "split-disagrees", Some("split.tensors.count"), detail));
    }
    Ok(())
}

/// `model-00001-of-00003.safetensors` says that there are three.
fn all_parts_are_there(folder: &Path, read: &BTreeSet<String>) -> Result<(), Error> {
    let mut sets: BTreeMap<(&str, u32, &str), BTreeSet<u32>> = BTreeMap::new();
    for it in read.iter().filter_map(|name| numbered(name)) {
        sets.entry((it.prefix, it.of, it.ending)).or_default().insert(it.part);
    }
    for ((prefix, of, ending), parts) in sets {
        if usize::try_from(of).is_ok_and(|of| of > limits::SHARDS) {
            return Err(Error::TooMany { path: folder.to_owned(), what: "weights files", limit: limits::SHARDS });
        }
        let missing = (1..=of).filter(|part| !parts.contains(part));
        let missing: Vec<String> = missing.map(|part| format!("{prefix}-{part:05}-of-{of:05}.{ending}")).collect();
        if !missing.is_empty() {
            let by = "their numbering".to_owned();
            let of = usize::try_from(of).unwrap_or(usize::MAX);
            return Err(Error::MissingFiles { folder: folder.to_owned(), missing, of, by });
        }
    }
    Ok(())
}

fn read_index(
    place: &dyn Place,
    layout: &Layout,
    names: &BTreeSet<String>,
    assembly: &mut Assembly,
) -> Result<Option<(String, Index)>, Error> {
    let any = || names.iter().find(|name| name.ends_with(layout.index_ending));
    let Some(name) = names.get(layout.index).or_else(any) else { return Ok(None) };
    let text = place.read_whole(name, limits::INDEX)?;
    assembly.text(name, &text);
    let index = Index::read(&text).map_err(|refusal| Error::of(&place.path_of(name), refusal))?;
    Ok(Some((name.clone(), index)))
}

/// Reads `config.json` or its like. The weights can be described without it, so whatever is wrong with it is a finding.
fn config(place: &dyn Place, name: &str, names: &BTreeSet<String>, assembly: &mut Assembly) -> Option<Value> {
    if !names.contains(name) {
        return None;
    }
    match object(place, name, assembly) {
        Ok(value) => Some(value),
        Err(why) => {
            assembly.findings.push(finding_in(name, "config-unreadable", None, why));
            None
        }
    }
}

fn object(place: &dyn Place, name: &str, assembly: &mut Assembly) -> Result<Value, String> {
    let text = place.read_whole(name, limits::CONFIG).map_err(|error| error.to_string())?;
    assembly.text(name, &text);
    let document = json::read(&text, limits::CONFIG_VALUES).map_err(|why| what_it_is_instead(&text).unwrap_or(why))?;
    if !document.value.is_object() {
        return Err(format!("it is {}, expected an object", json::kind_of(&document.value)));
    }
    assembly.findings.extend(document.repeated.iter().map(|key| {
        let detail = format!("the key {} stands in it twice; the last value was taken", shown(key));
        finding_in(name, "config-repeated-key", Some(key), detail)
    }));
    Ok(document.value)
}

/// A better reason than a mistake in JSON, where the text was never meant as JSON.
fn what_it_is_instead(text: &[u8]) -> Option<String> {
    let kind = kind::recognise(text.get(..text.len().min(128))?)?;
    let says_something = !["plain text", "JSON text"].contains(&kind.what);
    says_something.then(|| format!("it is {}", kind.what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LocalPlace;
    use std::fs;

    #[test]
    #[cfg(target_os = "linux")]
    fn names_that_are_not_unicode_are_counted() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let header = br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header, b"x"].concat();
        fs::write(folder.path().join(SAFETENSORS.single), &file).unwrap();
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.safetensors")), &file).unwrap();
        let checkpoint = open(&LocalPlace::new(folder.path())).unwrap();
        let details: Vec<_> = checkpoint.findings.iter().map(|it| it.detail.as_str()).collect();
        assert_eq!(details, ["not in Unicode, so not looked at: 1 file name"]);
    }
}
