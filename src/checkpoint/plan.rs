//! Which files of a folder are the model: as common loaders decide, by the names and the index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bytes::{Place, limits, shown};
use crate::checkpoint::assembly::numbered;
use crate::checkpoint::containers::Container;
use crate::checkpoint::findings::{finding, finding_in};
use crate::checkpoint::index::Index;
use crate::checkpoint::surroundings::{Look, looks, no_weights};
use crate::checkpoint::{Error, FORMATS, Format, adapter};
use crate::fact::Finding;

/// How exporters to ONNX call the model.
const ONNX: &str = "model.onnx";

/// How the files of a model are called.
#[derive(Debug)]
pub(crate) struct Naming {
    single: &'static str,
    pub(crate) index: &'static str,
    /// How another index may end.
    pub(crate) index_ending: &'static str,
}

const SAFETENSORS: Naming = Naming {
    single: "model.safetensors",
    index: "model.safetensors.index.json",
    index_ending: ".safetensors.index.json",
};
const PYTORCH: Naming =
    Naming { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", index_ending: ".bin.index.json" };

impl Naming {
    /// As common loaders do: safetensors where any are called as a model's; one of a head or an adapter is none.
    pub(crate) fn of(names: &BTreeSet<String>) -> &'static Self {
        let any = |ending: &str| names.iter().any(|name| name.ends_with(ending));
        let is_part = |name: &String| numbered(name).is_some_and(|it| it.ending == "safetensors");
        let has_safetensors =
            names.contains(SAFETENSORS.single) || any(SAFETENSORS.index_ending) || names.iter().any(is_part);
        let has_pytorch = names.contains(PYTORCH.single) || any(PYTORCH.index_ending);
        if has_pytorch && !has_safetensors { &PYTORCH } else { &SAFETENSORS }
    }
}

/// How the names of files begin that hold the state of a training run and no model.
const TRAINING: &[&str] = &["optimizer", "rng_state", "scaler", "scheduler", "training_args"];

/// Which weights files are read.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) read: BTreeSet<String>,
    pub(crate) by_index: bool,
    /// Whether there is an index and none of the weights that it names.
    pub(crate) is_index_alone: bool,
    pub(crate) findings: Vec<Finding>,
}

impl Plan {
    /// Decides as common loaders do: `model.safetensors` first, then the index; without both, the files that count
    /// themselves, and else all there are.
    pub(crate) fn make(
        place: &dyn Place,
        naming: &Naming,
        names: &BTreeSet<String>,
        index: Option<(&str, &Index)>,
    ) -> Result<Self, Error> {
        let single = naming.single;
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
        if missing.len() == read.len() {
            match Self::by_names(place, names) {
                Err(Error::NoWeights { .. }) => return Ok(Self { is_index_alone: true, ..Self::default() }),
                Ok(beside) => return Ok(beside.instead_of(name, &missing)),
                Err(_) => {}
            }
        }
        if !missing.is_empty() {
            let by = shown(name);
            return Err(Error::MissingFiles { folder: place.path().to_owned(), missing, of: read.len(), by });
        }
        Ok(Self { read, by_index: true, ..Self::default() })
    }

    /// The same files, read because an index names none that is there.
    fn instead_of(mut self, name: &str, missing: &[String]) -> Self {
        let first = missing.first().map(shown).unwrap_or_default();
        let detail =
            format!("of the files that it names none is there, {first} first; the weights that are there were read");
        self.findings.retain(|it| it.code != "no-index");
        self.findings.push(finding_in(name, "index-stale", None, detail));
        self
    }

    fn by_names(place: &dyn Place, names: &BTreeSet<String>) -> Result<Self, Error> {
        let is_foreign = |name: &String| Container::of(name, &[]).is_some_and(|it| it.is_whole_folder);
        let by_ending = FORMATS.iter().map(|format| named_as(format, names)).find(|it| !it.is_empty());
        let by_structure = || if names.iter().any(is_foreign) { None } else { built_as_one_format(place, names) };
        let read = model_of(by_ending.or_else(by_structure).unwrap_or_default());
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

/// Of weights files without an index those that a loader takes: the one of the usual name, or the set that counts
/// itself.
fn model_of(mut read: BTreeSet<String>) -> BTreeSet<String> {
    // Beside the model, exporters leave variants of it that have the same tensors.
    for single in [ONNX, SAFETENSORS.single] {
        if read.contains(single) {
            read.retain(|name| name == single);
        }
    }
    // Weights of an adapter beside a model's are no part of the model.
    if read.iter().any(|name| !adapter::is_weights(name)) {
        read.retain(|name| !adapter::is_weights(name));
    } else if read.iter().any(|name| adapter::is_last_weights(name)) {
        read.retain(|name| adapter::is_last_weights(name));
    }
    let prefix = |name: &String| numbered(name).filter(|it| it.of > 1).map(|it| it.prefix.to_owned());
    let sets: BTreeSet<String> = read.iter().filter_map(prefix).collect();
    let usual = ["model", "pytorch_model"].map(str::to_owned).into_iter().find(|it| sets.contains(it));
    let only = usual.or_else(|| sets.first().cloned().filter(|_| sets.len() == 1));
    // The parts of a GGUF model are told by their headers.
    if let Some(only) = only.filter(|_| !read.iter().any(|it| ends_as("gguf", it))) {
        read.retain(|name| prefix(name).as_ref() == Some(&only));
    }
    read
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[&str]) {
        let set = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(model_of(set(names)), set(expected));
    }

    #[test]
    fn without_an_index_the_usual_name_counts_and_then_the_set_that_counts_itself() {
        let two = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        check(&[two[0], two[1], "consolidated.safetensors"], &two);
        check(&["model.safetensors", "model.fp16.safetensors", "eagle_head.safetensors"], &["model.safetensors"]);
        check(&["consolidated.safetensors"], &["consolidated.safetensors"]);
        check(&[two[0], two[1], "consolidated-00001-of-00002.safetensors"], &two);
        check(&["天-00001-of-00001.safetensors", "x.safetensors"], &["x.safetensors", "天-00001-of-00001.safetensors"]);
        check(&["a-1-of-2.gguf", "a-2-of-2.gguf", "mmproj.gguf"], &["a-1-of-2.gguf", "a-2-of-2.gguf", "mmproj.gguf"]);
        check(&["x.safetensors", "adapter_model.safetensors"], &["x.safetensors"]);
        check(&["adapters.safetensors", "0000100_adapters.safetensors"], &["adapters.safetensors"]);
    }

    #[test]
    fn one_file_of_a_head_or_an_adapter_does_not_switch_the_format() {
        let single = |names: &[&str]| Naming::of(&names.iter().map(|it| (*it).to_owned()).collect()).single;
        assert_eq!(single(&["pytorch_model.bin", "value_head.safetensors"]), PYTORCH.single);
        assert_eq!(single(&["pytorch_model.bin", "adapter_model.safetensors"]), PYTORCH.single);
        assert_eq!(single(&["pytorch_model.bin", "model.safetensors"]), SAFETENSORS.single);
        assert_eq!(single(&["pytorch_model.bin", "model-00001-of-00002.safetensors"]), SAFETENSORS.single);
        assert_eq!(single(&["value_head.safetensors"]), SAFETENSORS.single);
    }
}
