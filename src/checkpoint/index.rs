//! The index of a model that is cut into several files: which tensor is in which of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde_json::Value;

use crate::bytes::{counted, grouped, limits, shown};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::finding;
use crate::checkpoint::{Refusal, json};
use crate::fact::Finding;

/// What an index says of weights that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The names of all tensors, sorted.
    pub names: Vec<String>,
    /// How many files they are said to be in.
    pub files: u64,
    /// The size of all data in bytes, as the index states it.
    pub stated_bytes: Option<u64>,
}

/// An index whose every file name is a plain path inside the folder.
#[derive(Debug)]
pub(crate) struct Index {
    /// File by tensor.
    file_of: BTreeMap<String, String>,
    total_size: Option<u64>,
}

impl Index {
    /// Reads the text of an index.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let mut document = json::read(text, limits::INDEX_VALUES).map_err(|why| broken(why, Some(DAMAGED)))?;
        if let Some(key) = document.repeated.first() {
            return Err(broken(format!("it has the key {} twice", shown(key)), Some(AMBIGUOUS)));
        }
        let total_size = document.value.pointer("/metadata/total_size").and_then(Value::as_u64);
        let map = match document.value.get_mut("weight_map").map(Value::take) {
            Some(Value::Object(map)) => map,
            Some(other) => {
                let found = json::kind_of(&other);
                return Err(broken(format!("`weight_map` is {found}, expected an object"), Some(UNCLEAR)));
            }
            None => return Err(broken("it has no `weight_map`".into(), Some(DAMAGED))),
        };
        let file_of = map.into_iter().map(|(tensor, file)| file_name(&tensor, file).map(|file| (tensor, file)));
        let file_of = file_of.collect::<Result<BTreeMap<_, _>, Refusal>>()?;
        let index = Self { file_of, total_size };
        match index.files().len() {
            0 => Err(broken("its `weight_map` is empty".into(), Some(DAMAGED))),
            count if count > limits::SHARDS => {
                let (count, limit) = (grouped(count as u64), grouped(limits::SHARDS as u64));
                Err(broken(format!("it names {count} files, and the limit is {limit}"), Some(UNCLEAR)))
            }
            _ => Ok(index),
        }
    }

    /// The files it names.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.file_of.values().map(String::as_str).collect()
    }

    /// All that it says, where nothing is there to hold it against.
    pub(crate) fn outline(&self) -> Result<Outline, Refusal> {
        if self.file_of.len() > limits::TENSORS {
            let (count, limit) = (grouped(self.file_of.len() as u64), grouped(limits::TENSORS as u64));
            return Err(broken(format!("it names {count} tensors, and the limit is {limit}"), Some(UNCLEAR)));
        }
        if self.file_of.contains_key("") {
            return Err(broken("a tensor has the empty name".into(), Some(UNCLEAR)));
        }
        if let Some(name) = self.file_of.keys().find(|it| it.len() > limits::TENSOR_NAME) {
            let limit = grouped(limits::TENSOR_NAME as u64);
            let message = format!("the name of tensor {} is longer than the limit of {limit} bytes", shown(name));
            return Err(broken(message, Some(UNCLEAR)));
        }
        Ok(Outline {
            names: self.file_of.keys().cloned().collect(),
            files: self.files().len() as u64,
            stated_bytes: self.total_size,
        })
    }

    /// Holds the index against what the files really hold: file by tensor, and the size of all data in bytes.
    /// `may_be_tied` is whether the head may be the token embedding again, which some writers store once.
    pub(crate) fn compare(
        &self,
        held: &BTreeMap<&str, &str>,
        data_bytes: u64,
        may_be_tied: bool,
    ) -> Result<Vec<Finding>, Refusal> {
        let tied = self.file_of.keys().find(|it| may_be_tied && is_head(it) && !held.contains_key(it.as_str()));
        self.nothing_missing(held, tied)?;
        let is_elsewhere = |(tensor, file): &(&String, &String)| {
            held.get(tensor.as_str()) != Some(&file.as_str()) && Some(*tensor) != tied
        };
        let elsewhere = self.file_of.iter().filter(is_elsewhere);
        let elsewhere: Vec<String> = elsewhere.map(|(tensor, _)| tensor.clone()).collect();
        let unnamed = held.keys().filter(|tensor| !self.file_of.contains_key(**tensor));
        let unnamed: Vec<String> = unnamed.map(|tensor| (*tensor).to_owned()).collect();
        let size = self.total_size.filter(|stated| *stated != data_bytes).map(|stated| {
            let (stated, held) = (grouped(stated), grouped(data_bytes));
            finding("index-total-size", None, format!("it states {stated} bytes of data, and the files hold {held}"))
        });
        let several = |code, names: Vec<String>, what: &str| {
            let first = names.first()?;
            let detail = format!("{what} ({}): {}", counted(names.len(), "tensor"), list(&names));
            Some(finding(code, Some(first), detail))
        };
        let elsewhere =
            several("index-disagrees", elsewhere, "it puts tensors into another file than the one that holds them");
        let unnamed = several("tensor-not-in-index", unnamed, "it does not name tensors that the files hold");
        let tied =
            tied.map(|it| finding("index-tied-head", Some(it), format!("no file holds {}, which is tied", shown(it))));
        Ok([elsewhere, size, unnamed, tied].into_iter().flatten().collect())
    }

    fn nothing_missing(&self, held: &BTreeMap<&str, &str>, tied: Option<&String>) -> Result<(), Refusal> {
        let missing = self.file_of.keys().filter(|it| !held.contains_key(it.as_str()) && Some(*it) != tied);
        let missing: Vec<String> = missing.cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (count, of) = (grouped(missing.len() as u64), counted(self.file_of.len(), "tensor"));
        Err(broken(
            format!("it names {of}, and no file holds {count} of them: {}", list(&missing)),
            Some("index and files belong to different versions of the model; download both again"),
        ))
    }
}

/// Whether a name is that of a head, which may be the token embedding again.
fn is_head(name: &str) -> bool {
    let last_two = name.rsplit_once('.').map_or("", |it| it.0).rsplit('.').next().unwrap_or_default();
    ["lm_head", "embed_out"].contains(&last_two) || name == "output.weight"
}

const DAMAGED: &str = "download it again, or remove it if the folder holds all files of the model";
const UNCLEAR: &str = "no loader can use this index; ask the publisher for one that belongs to these files";
const AMBIGUOUS: &str = "programs disagree on which of the two counts; ask the publisher for a clean index";

/// Whether a file name is a plain path inside the folder, on every system.
pub(crate) fn stays_inside(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', ':', '\0'])
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// A file name that stays inside the folder.
fn file_name(tensor: &str, file: Value) -> Result<String, Refusal> {
    let Value::String(name) = file else {
        let found = json::kind_of(&file);
        return Err(broken(
            format!("tensor {} is in {found}, expected the name of a file", shown(tensor)),
            Some(UNCLEAR),
        ));
    };
    if stays_inside(&name) {
        return Ok(name);
    }
    Err(broken(
        format!(
            "tensor {} is in the file {}, which is not a plain path inside the folder",
            shown(tensor),
            shown(&name)
        ),
        Some("an index that points outside of its folder can make a loader read other files; do not load this model"),
    ))
}

fn broken(message: String, hint: Option<&str>) -> Refusal {
    Refusal::Broken { message, hint: hint.map(str::to_owned) }
}
