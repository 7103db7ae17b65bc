//! PyTorch's own format: a pickle that describes tensors, and the storages they are views of.
//!
//! Loading such a file runs the pickle, which may call anything. Here it is followed and never run: a closed list
//! of names says what a tensor is, and every other name becomes a finding. Since version 1.6 the pickle is an entry of
//! a zip archive and so is each storage; before, all of it stood in one stream.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{Source, counted, grouped, is_unprintable, limits, sha256, shown};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::{few, finding};
use crate::checkpoint::{Dtype, Format, Likeness, Refusal, Table, Tensor, View as Strided};
use crate::fact::Finding;

mod archive;
mod calls;
mod legacy;
mod opcode;
mod pickle;
mod problem;
mod rebuild;
mod tree;
mod value;

pub(crate) use self::archive::Archive;
use self::pickle::Pickled;
use self::problem::Problem;
use self::value::View;

pub(crate) const FORMAT: Format = Format { name: "pytorch", endings: &["bin", "pt", "pth", "ckpt"], recognise, read };

/// How the entry with the pickle is called, below the archive's one folder.
const PICKLE: &str = "/data.pkl";

/// Entries that say nothing about the weights.
const HARMLESS: &[&str] =
    &["data.pkl", "version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"];

fn recognise(head: &[u8], _length: u64) -> Likeness {
    let names_pickle = || head.windows(PICKLE.len()).any(|window| window == PICKLE.as_bytes());
    match head {
        [b'P', b'K', 3, 4, ..] if names_pickle() => Likeness::Certain,
        [0x80, 2..=5, b'}' | b'c' | b']' | b'(' | b'X' | 0x8a | 0x8c | 0x95, ..] => Likeness::Certain,
        _ => Likeness::No,
    }
}

fn read(source: &dyn Source) -> Result<Table, Refusal> {
    if &*source.read_at(0..source.len().min(4))? == b"PK\x03\x04" {
        return zipped(source);
    }
    if &*source.read_at(0..source.len().min(legacy::MAGIC.len() as u64))? == legacy::MAGIC {
        let legacy = legacy::read(source)?;
        return table(&legacy.pickled, &legacy.text, &legacy.storages, Vec::new());
    }
    bare(source)
}

/// A pickle that `torch.save` did not write has no storages; what it would call is still worth knowing.
fn bare(source: &dyn Source) -> Result<Table, Refusal> {
    let text = source.read_at(0..source.len().min(limits::PICKLE))?;
    let pickled = pickle::follow(&text)?;
    let left = source.len().saturating_sub(pickled.length as u64);
    if left > 0 {
        return Err(Problem::Storages { why: format!("{} bytes stand behind its pickle", grouped(left)) }.into());
    }
    table(&pickled, &text, &BTreeMap::new(), Vec::new())
}

fn zipped(source: &dyn Source) -> Result<Table, Refusal> {
    let archive = Archive::read(source)?;
    let folder = folder_of(&archive)?;
    let place = archive.entry(&format!("{folder}{PICKLE}")).unwrap_or_default();
    let length = place.end.saturating_sub(place.start);
    let wrong = |why: String| Problem::Entry { entry: format!("{folder}{PICKLE}"), why };
    if length > limits::PICKLE {
        let (length, limit) = (grouped(length), grouped(limits::PICKLE));
        return Err(wrong(format!("it has {length} bytes, and the limit is {limit}")).into());
    }
    byte_order(source, &archive, folder)?;
    let text = source.read_at(place)?;
    let pickled = pickle::follow(&text)?;
    if pickled.length < text.len() {
        let left = counted(text.len().saturating_sub(pickled.length), "byte");
        return Err(wrong(format!("its pickle ends early, and {left} behind it belong to nothing")).into());
    }
    let prefix = format!("{folder}/data/");
    let storage = |(name, place): (&String, &Range<u64>)| Some((name.strip_prefix(&prefix)?.to_owned(), place.clone()));
    let storages: BTreeMap<String, Range<u64>> = archive.entries.iter().filter_map(storage).collect();
    let unread = archive.entries.keys().filter(|name| {
        let below = name.strip_prefix(folder).and_then(|it| it.strip_prefix('/'));
        below.is_none_or(|below| !HARMLESS.contains(&below) && !below.starts_with("data/"))
    });
    table(&pickled, &text, &storages, unread.cloned().collect())
}

/// The one folder of the archive.
fn folder_of(archive: &Archive) -> Result<&str, Problem> {
    let mut folders = archive.entries.keys().filter_map(|name| name.strip_suffix(PICKLE));
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder),
        (first, _) => {
            let found = if first.is_some() { "several entries" } else { "no entry" };
            Err(Problem::Archive { why: format!("it has {found} `data.pkl` in a folder, expected one") })
        }
    }
}

fn byte_order(source: &dyn Source, archive: &Archive, folder: &str) -> Result<(), Refusal> {
    let Some(place) = archive.entry(&format!("{folder}/byteorder")) else { return Ok(()) };
    let text = source.read_at(place.start..place.end.min(place.start.saturating_add(16)))?;
    if &*text == b"little" { Ok(()) } else { Err(Problem::Storages { why: legacy::BIG_ENDIAN.into() }.into()) }
}

/// Puts names, views and storages together; `unread` are the entries that none of them is.
fn table(
    pickled: &Pickled,
    text: &[u8],
    storages: &BTreeMap<String, Range<u64>>,
    mut unread: Vec<String>,
) -> Result<Table, Refusal> {
    let named = tree::named(&pickled.values, pickled.root)?;
    let mut tensors = Vec::new();
    for (name, view) in &named.tensors {
        tensors.push(tensor(name, view, storages)?);
    }
    no_name_twice(&tensors)?;
    let used: BTreeSet<&str> = pickled
        .values
        .iter()
        .filter_map(|it| if let value::Value::Storage(it) = it { Some(&*it.key) } else { None })
        .collect();
    unread.extend(storages.keys().filter(|key| !used.contains(key.as_str())).map(|key| format!("data/{key}")));
    let mut findings = pickled.calls.findings();
    findings.extend(named.findings);
    findings.extend(unread_entries(&unread));
    findings.extend(views(&named.tensors));
    findings.extend(shared(&named.tensors));
    findings.extend(unprintable(&tensors));
    if tensors.is_empty() {
        findings.push(finding("no-tensors", None, "the pickle describes no tensor".into()));
    }
    let read_bytes = text.len() as u64;
    Ok(Table {
        tensors,
        metadata: BTreeMap::new(),
        config: named.config,
        split: None,
        outside: BTreeMap::new(),
        findings,
        read_bytes,
        read_sha256: sha256(text),
    })
}

fn tensor(name: &str, view: &View, storages: &BTreeMap<String, Range<u64>>) -> Result<Tensor, Problem> {
    let wrong = |why: String| Problem::Tensor { tensor: name.to_owned(), why };
    let key = shown(&view.storage.key);
    let Some(place) = storages.get(&*view.storage.key) else {
        return Err(wrong(format!("is in the storage {key}, which the file does not have")));
    };
    let length = place.end.saturating_sub(place.start);
    if length != view.storage.bytes {
        let (found, expected) = (grouped(length), grouped(view.storage.bytes));
        return Err(wrong(format!("is in the storage {key}, which has {found} bytes, expected {expected}")));
    }
    let data = place.start.saturating_add(view.begin)..place.start.saturating_add(view.end);
    Ok(Tensor {
        name: name.to_owned(),
        dtype: Dtype::named(view.element.name),
        shape: view.shape.clone(),
        file: 0,
        data,
        view: (!view.is_contiguous()).then(|| Strided::strided(&view.shape, &view.strides)),
    })
}

fn no_name_twice(tensors: &[Tensor]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    match tensors.iter().find(|it| !seen.insert(it.name.as_str())) {
        Some(it) => Err(Problem::Tensor { tensor: it.name.clone(), why: "is described twice".into() }),
        None => Ok(()),
    }
}

fn unread_entries(unread: &[String]) -> Option<Finding> {
    let first = unread.first()?;
    let count = grouped(unread.len() as u64);
    let detail =
        format!("no tensor that the pickle describes is in {count} of the archive's entries: {}", list(unread));
    Some(finding("unused-entries", Some(first), detail))
}

/// Tensors whose elements lie in another order than that of their shape, or with gaps.
fn views(tensors: &[NamedView]) -> Vec<Finding> {
    let strided: Vec<_> = tensors.iter().filter(|(_, view)| !view.is_contiguous()).collect();
    few(
        "strided-view",
        strided.into_iter().map(|(name, view)| {
            let detail =
                format!("its elements are stored with the strides {:?} under the shape {:?}", view.strides, view.shape);
            finding("strided-view", Some(name), detail)
        }),
    )
}

/// A tensor's name, and where its data is.
type NamedView = (String, Arc<View>);

/// Tensors over the same data, such as tied embeddings.
fn shared(tensors: &[NamedView]) -> Vec<Finding> {
    let mut by_place: Vec<&NamedView> = tensors.iter().filter(|(_, view)| view.begin < view.end).collect();
    let key = |it: &NamedView| (Arc::clone(&it.1.storage.key), it.1.begin, it.0.clone());
    by_place.sort_by_cached_key(|it| key(it));
    let mut groups: Vec<(u64, Vec<&NamedView>)> = Vec::new();
    for it in by_place {
        match groups.last_mut() {
            Some((end, group))
                if it.1.begin < *end && group.first().is_some_and(|of| of.1.storage.key == it.1.storage.key) =>
            {
                *end = it.1.end.max(*end);
                group.push(it);
            }
            _ => groups.push((it.1.end, vec![it])),
        }
    }
    groups.retain(|(_, group)| group.len() > 1);
    few(
        "shared-data",
        groups.iter().map(|(_, group)| {
            let names: Vec<String> = group.iter().map(|it| it.0.clone()).collect();
            finding(
                "shared-data",
                names.first().map(String::as_str),
                format!("the same data belongs to {}", list(&names)),
            )
        }),
    )
}

fn unprintable(tensors: &[Tensor]) -> Option<Finding> {
    let mut names: Vec<&str> = tensors.iter().map(|it| it.name.as_str()).filter(|it| is_unprintable(it)).collect();
    names.sort_unstable();
    let first = names.first()?;
    let (count, first_shown) = (counted(names.len(), "tensor name"), shown(first));
    let detail = format!("control or invisible characters are in {count}; the first is {first_shown}");
    Some(finding("unprintable-name", Some(first), detail))
}
