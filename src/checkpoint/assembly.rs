//! Puts the tables of single files together into one checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bytes::{Source, counted, grouped, last_part, limits, sha256, shown};
use crate::checkpoint::containers::Container;
use crate::checkpoint::error::list;
use crate::checkpoint::findings::{finding, finding_in};
use crate::checkpoint::{
    Adapter, Checkpoint, Error, FORMATS, Format, HEAD, Likeness, Outline, Split, Table, Tensor, adapter, kind, ranks,
    stated,
};
use crate::fact::{FileFacts, Finding};

/// A checkpoint that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    /// Every file that was read, with its table if it holds weights.
    parts: BTreeMap<String, (FileFacts, Option<Table>)>,
    pub(crate) format: Option<&'static str>,
    pub(crate) config: Option<serde_json::Value>,
    /// What the index says, where there are no weights.
    pub(crate) outline: Option<Outline>,
    /// What the configuration of an adapter says, where there is one.
    pub(crate) adapter: Option<Adapter>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) bytes_read: u64,
}

/// The header of one weights file.
#[derive(Debug)]
pub(crate) struct Part {
    format: &'static Format,
    facts: FileFacts,
    table: Table,
    bytes_read: u64,
}

impl Part {
    /// Reads a weights file's header.
    pub(crate) fn read(name: &str, path: &Path, source: &dyn Source) -> Result<Self, Error> {
        let format = recognise(path, source)?;
        let table = (format.read)(source).map_err(|refusal| Error::of(path, refusal))?;
        let facts = FileFacts {
            name: name.to_owned(),
            bytes: source.len(),
            read_sha256: table.read_sha256.clone(),
            read_bytes: table.read_bytes,
            version: source.version(),
        };
        Ok(Self { format, facts, table, bytes_read: source.bytes_read() })
    }

    /// Whether its header says that it is something beside a model: a projector, an adapter, a table of importance.
    pub(crate) fn is_beside_a_model(&self) -> bool {
        let says =
            |key: &str, words: &[&str]| self.table.metadata.get(key).is_some_and(|it| words.contains(&it.as_str()));
        says("general.type", &["adapter", "imatrix", "mmproj", "projector"]) || says("general.architecture", &["clip"])
    }
}

/// A checkpoint of one file.
pub(crate) fn single_file(path: &Path, source: &dyn Source) -> Result<Checkpoint, Error> {
    let name = last_part(path);
    let mut assembly = Assembly::default();
    assembly.weights(Part::read(&name, path, source)?);
    let by_header = || {
        let (_, split) = assembly.splits().next()?;
        Some(("header", split.index.saturating_add(1), split.count))
    };
    let by_name = numbered(&name).filter(|it| it.of > 1).map(|it| ("name", u64::from(it.part), u64::from(it.of)));
    if let Some((what, part, of)) = by_name.or_else(by_header) {
        let detail = format!("by its {what} it is part {part} of {of}, and the others were not read");
        assembly.findings.push(finding_in(&name, "part-of-a-set", None, detail));
    }
    let outside: Vec<String> = assembly.outside().into_keys().collect();
    if !outside.is_empty() {
        let detail = format!("its tensors have their data in {}, which was not read", list(&outside));
        assembly.findings.push(finding_in(&name, "part-of-a-set", None, detail));
    }
    let checkpoint = assembly.finish(path)?;
    Ok(stated::with_shapes(
        checkpoint,
        &stated::Reader { at_once: 1, read: &|_, range| Ok(source.read_at(range)?.into_owned()) },
    )?)
}

impl Assembly {
    /// Takes a weights file in.
    pub(crate) fn weights(&mut self, part: Part) {
        let Part { format, facts, mut table, bytes_read } = part;
        let name = facts.name.clone();
        self.format = Some(format.name);
        self.bytes_read = self.bytes_read.saturating_add(bytes_read);
        let findings = std::mem::take(&mut table.findings);
        self.findings.extend(findings.into_iter().map(|it| Finding { file: Some(name.clone()), ..it }));
        self.findings.extend(other_name(&name, format));
        self.parts.insert(name, (facts, Some(table)));
    }

    /// Notes a file that was read whole.
    pub(crate) fn text(&mut self, name: &str, bytes: &[u8]) {
        let length = bytes.len() as u64;
        self.bytes_read = self.bytes_read.saturating_add(length);
        let facts = FileFacts {
            name: name.to_owned(),
            bytes: length,
            read_sha256: sha256(bytes),
            read_bytes: length,
            version: None,
        };
        self.parts.insert(name.to_owned(), (facts, None));
    }

    /// The files beside a weights file that its tensors have their data in, and how far each must reach.
    pub(crate) fn outside(&self) -> BTreeMap<String, u64> {
        let mut outside = BTreeMap::new();
        for table in self.parts.values().filter_map(|(_, table)| table.as_ref()) {
            let tensors = table.tensors.iter().filter_map(|it| Some((table.outside.get(&it.name)?, it.data.end)));
            for (file, end) in tensors {
                let reach = outside.entry(file.clone()).or_default();
                *reach = end.max(*reach);
            }
        }
        outside
    }

    /// Notes a file of nothing but data.
    pub(crate) fn data(&mut self, name: &str, source: &dyn Source) {
        let facts = FileFacts {
            name: name.to_owned(),
            bytes: source.len(),
            read_sha256: sha256(&[]),
            read_bytes: 0,
            version: source.version(),
        };
        self.parts.entry(name.to_owned()).or_insert((facts, None));
    }

    /// Whether a file was read.
    pub(crate) fn has_read(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    /// The files that say which part of a model they are.
    pub(crate) fn splits(&self) -> impl Iterator<Item = (&str, Split)> {
        self.parts.iter().filter_map(|(name, (_, table))| Some((name.as_str(), table.as_ref()?.split?)))
    }

    /// How many tensors all files have.
    pub(crate) fn tensor_count(&self) -> usize {
        let tables = self.parts.values().filter_map(|(_, table)| table.as_ref());
        tables.map(|it| it.tensors.len()).fold(0, usize::saturating_add)
    }

    /// Which file holds each tensor, and the size of all data in bytes.
    pub(crate) fn held(&self) -> (BTreeMap<&str, &str>, u64) {
        let tables = self.parts.iter().filter_map(|(name, (_, table))| Some((name.as_str(), table.as_ref()?)));
        let tensors = tables.flat_map(|(name, table)| table.tensors.iter().map(move |it| (it, name)));
        let mut held = BTreeMap::new();
        // What tied tensors share is stored once, and an index counts it once.
        let mut places = BTreeSet::new();
        let mut data_bytes = 0_u64;
        for (tensor, name) in tensors {
            held.insert(tensor.name.as_str(), name);
            if places.insert((name, tensor.data.start, tensor.data.end)) {
                data_bytes = data_bytes.saturating_add(tensor.bytes());
            }
        }
        (held, data_bytes)
    }

    /// The adapter that weights files of these names are, if they are one, with its finding.
    fn adapter_of(&mut self, weights: &[String], tensors: &[Tensor]) -> Option<Adapter> {
        let first = weights.first()?;
        let names = || tensors.iter().map(|it| it.name.as_str());
        let is_named = weights.iter().all(|name| adapter::is_weights(name)) && adapter::may_be_adapter(names());
        if !is_named && !adapter::are_of_adapter(names()) {
            return None;
        }
        let adapter = self.adapter.take().unwrap_or_default();
        let detail = adapter.detail(adapter::layout_of(names()));
        self.findings.push(finding_in(first, "adapter", adapter.base.as_deref(), detail));
        Some(adapter)
    }

    /// The whole checkpoint; `path` is the folder or file as it was given.
    pub(crate) fn finish(mut self, path: &Path) -> Result<Checkpoint, Error> {
        let mut files = Vec::new();
        let mut tensors = Vec::new();
        let mut metadata = BTreeMap::new();
        let weights: Vec<String> =
            self.parts.iter().filter(|(_, (_, table))| table.is_some()).map(|(name, _)| name.clone()).collect();
        let places: BTreeMap<String, usize> = self.parts.keys().cloned().zip(0..).collect();
        for (index, (name, (facts, table))) in std::mem::take(&mut self.parts).into_iter().enumerate() {
            files.push(facts);
            let Some(table) = table else { continue };
            self.config = self.config.or(table.config);
            self.findings.extend(merge_metadata(&mut metadata, table.metadata, &name));
            // A file that was not looked at has no number, and nothing can be read from it.
            let elsewhere = |file: &String| places.get(file).copied().unwrap_or(places.len());
            let file_of = |it: &Tensor| table.outside.get(&it.name).map_or(index, elsewhere);
            tensors.extend(table.tensors.into_iter().map(|it| Tensor { file: file_of(&it), ..it }));
        }
        if tensors.len() > limits::TENSORS {
            return Err(Error::TooMany { path: path.to_owned(), what: "tensors", limit: limits::TENSORS });
        }
        tensors.sort_by(|one, other| (&one.name, one.file).cmp(&(&other.name, other.file)));
        no_tensor_twice(path, &tensors, &files)?;
        let adapter = self.adapter_of(&weights, &tensors);
        self.findings.extend(empty_tensors(&tensors));
        self.findings.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(Checkpoint {
            name: last_part(path),
            format: self.format.unwrap_or_default().to_owned(),
            files,
            tensors,
            metadata,
            config: self.config,
            outline: self.outline,
            stated_shapes: BTreeMap::new(),
            adapter,
            findings: self.findings,
            bytes_read: self.bytes_read,
        })
    }
}

/// The format of a file, or what it is instead. Marks of other kinds go before a mere likeness to a format.
pub(crate) fn recognise(path: &Path, source: &dyn Source) -> Result<&'static Format, Error> {
    let head = source.read_at(0..source.len().min(HEAD))?;
    let name = last_part(path);
    if let Some(container) = Container::of(&name, &head) {
        let (what, hint) = (container.what.to_owned(), container.hint(&name));
        return Err(Error::WrongKind { file: path.to_owned(), what, hint });
    }
    let alike = |wanted| alike(&head, source.len(), wanted);
    if let Some(format) = alike(Likeness::Certain) {
        return Ok(format);
    }
    if let Some(kind) = kind::recognise(&head) {
        return Err(Error::WrongKind { file: path.to_owned(), what: kind.what.into(), hint: kind.hint.into() });
    }
    alike(Likeness::Possible).ok_or_else(|| Error::WrongKind {
        file: path.to_owned(),
        what: format!("of no kind that is known; it begins with the bytes {}", hex(&head)),
        hint: "name the file or folder that holds the weights; this version reads safetensors, GGUF, PyTorch and \
               ONNX files"
            .into(),
    })
}

/// The first format that a file with these first bytes is like to this degree.
pub(crate) fn alike(head: &[u8], length: u64, wanted: Likeness) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognise)(head, length) == wanted)
}

/// A name such as `model-00001-of-00003.safetensors`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbered<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) part: u32,
    pub(crate) of: u32,
    /// How it ends, without the dot.
    pub(crate) ending: &'static str,
}

/// Takes the name of one file of several apart.
pub(crate) fn numbered(name: &str) -> Option<Numbered<'_>> {
    let mut endings = FORMATS.iter().flat_map(|it| it.endings);
    let (stem, ending) = endings.find_map(|it| Some((name.strip_suffix(it)?.strip_suffix('.')?, *it)))?;
    let (rest, of) = stem.rsplit_once("-of-")?;
    let (prefix, part) = rest.rsplit_once('-')?;
    let number = |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some(Numbered { prefix, part: number(part)?, of: number(of)?, ending })
}

fn other_name(name: &str, format: &Format) -> Option<Finding> {
    let fits = Path::new(name)
        .extension()
        .is_some_and(|it| format.endings.iter().any(|ending| it.eq_ignore_ascii_case(ending)));
    let detail = || format!("it is a {} file by its structure, and is called {}", format.name, shown(name));
    (!fits).then(|| finding_in(name, "other-name", None, detail()))
}

fn merge_metadata(
    all: &mut BTreeMap<String, String>,
    of_one_file: BTreeMap<String, String>,
    file: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, value) in of_one_file {
        match all.get(&key) {
            None => drop(all.insert(key, value)),
            Some(first) if *first == value => {}
            Some(_) => {
                let detail = format!("it states another value for {} than a file before it", shown(&key));
                findings.push(finding_in(file, "metadata-differs", Some(&key), detail));
            }
        }
    }
    findings
}

fn no_tensor_twice(path: &Path, tensors: &[Tensor], files: &[FileFacts]) -> Result<(), Error> {
    let twice = tensors.iter().zip(tensors.iter().skip(1)).find(|(one, next)| one.name == next.name);
    let Some((one, next)) = twice else { return Ok(()) };
    let name = |it: &Tensor| files.get(it.file).map(|file| file.name.clone()).unwrap_or_default();
    if let Some(ranks) = ranks::of(&name(one), &name(next)) {
        let hint = ranks.hint(&path.to_string_lossy());
        return Err(Error::Ranks { folder: path.to_owned(), first: name(one), second: name(next), hint });
    }
    Err(Error::TwoHolders { folder: path.to_owned(), tensor: one.name.clone(), first: name(one), second: name(next) })
}

/// Tensors of a model without a number.
fn empty_tensors(tensors: &[Tensor]) -> Option<Finding> {
    let mut empty = tensors.iter().filter(|it| it.elements() == 0);
    let first = empty.next()?;
    let (count, of) = (counted(empty.count().saturating_add(1), "tensor"), grouped(tensors.len() as u64));
    let detail = format!("{count} of {of} without a number; the first is {}", shown(&first.name));
    Some(finding("empty-tensors", Some(&first.name), detail))
}

/// By file, code and item; what is about no single item comes behind its kind.
fn order(it: &Finding) -> (&Option<String>, &str, bool, &Option<String>) {
    (&it.file, &it.code, it.item.is_none(), &it.item)
}

fn hex(head: &[u8]) -> String {
    let bytes: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("`{}`{}", bytes.join(" "), if head.len() > 8 { "" } else { " and ends there" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_names_are_told_from_others() {
        let is = |prefix, part, of, ending| Some(Numbered { prefix, part, of, ending });
        assert_eq!(numbered("model-00002-of-00015.safetensors"), is("model", 2, 15, "safetensors"));
        assert_eq!(numbered("a-b-1-of-2.safetensors"), is("a-b", 1, 2, "safetensors"));
        assert_eq!(numbered("model-00002-of-00003.gguf"), is("model", 2, 3, "gguf"));
        assert_eq!(numbered("pytorch_model-00002-of-00015.bin"), is("pytorch_model", 2, 15, "bin"));
        assert_eq!(numbered("model.safetensors"), None);
        assert_eq!(numbered("model-one-of-two.safetensors"), None);
        assert_eq!(numbered("model-00002-of-00015.txt"), None);
        assert_eq!(numbered("model-99999999999-of-1.safetensors"), None);
    }
}
