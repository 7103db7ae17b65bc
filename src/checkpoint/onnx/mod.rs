//! ONNX: a graph of computation in protobuf, whose initialisers are the weights. Reference: `onnx.proto`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::bytes::{Fields, Source, counted, grouped, limits, shown};
use crate::checkpoint::findings::{finding, unprintable_names};
use crate::checkpoint::placement::{self, Misplaced, Piece};
use crate::checkpoint::{Format, Likeness, Refusal, Table};

mod constant;
mod graph;
mod present;
mod stored;
mod wire;

use self::graph::{Graph, Node};
use self::present::Presented;
use self::stored::Stored;
use self::wire::{Value, Walk};

pub(crate) const FORMAT: Format = Format { name: "onnx", endings: &["onnx"], recognise, read };

/// Field 1 (`ir_version`) as a small number, then field 2 (`producer_name`), 7 (`graph`) or 8 (`opset_import`).
fn recognise(head: &[u8], _length: u64) -> Likeness {
    if matches!(head, [0x08, 3..=20, 0x12 | 0x3a | 0x42, ..]) { Likeness::Certain } else { Likeness::No }
}

/// What a model file holds.
#[derive(Default)]
struct Model {
    stored: Vec<Stored>,
    nodes: Vec<Node>,
    metadata: BTreeMap<String, String>,
    has_graph: bool,
}

fn read(source: &dyn Source) -> Result<Table, Refusal> {
    let mut walk = Walk::new(source);
    let mut model = Model::default();
    let mut at = 0;
    while let Some(field) = walk.field(&mut at, source.len())? {
        model.take(&mut walk, field.number, field.value)?;
    }
    if !model.has_graph {
        return Err(broken("it has no graph".into()));
    }
    no_name_twice(model.stored.iter().map(|it| it.name.as_str()))?;
    no_overlap_outside(&model.stored)?;
    let (presented, left_out) = present::present(&Graph::new(&model.stored, &model.nodes));
    no_name_twice(presented.iter().map(|(it, _)| it.name.as_str()))?;
    Ok(table(presented, left_out, model.metadata, walk))
}

impl Model {
    /// One field of `ModelProto`.
    fn take(&mut self, walk: &mut Walk<'_>, number: u64, value: Value) -> Result<(), Refusal> {
        let mut text = |range| walk.text(range, limits::ONNX_NODE, "what it says of its producer");
        match (number, value) {
            (2, Value::Bytes(range)) => drop(self.metadata.insert("producer_name".into(), text(range)?)),
            (3, Value::Bytes(range)) => drop(self.metadata.insert("producer_version".into(), text(range)?)),
            (7, Value::Bytes(range)) => {
                if std::mem::replace(&mut self.has_graph, true) {
                    return Err(broken("it has two graphs; programs disagree on which counts".into()));
                }
                self.graph(walk, range)?;
            }
            (14, Value::Bytes(range)) => self.property(&walk.bytes(range, limits::ONNX_NODE, "a property")?)?,
            _ => {}
        }
        Ok(())
    }

    fn property(&mut self, entry: &[u8]) -> Result<(), Refusal> {
        let mut texts = [String::new(), String::new()];
        for field in Fields::of(entry) {
            let field = field.map_err(broken)?;
            let place = usize::try_from(field.number.saturating_sub(1)).ok().and_then(|it| texts.get_mut(it));
            if let (Some(place), Some(bytes)) = (place, field.value.bytes()) {
                *place = String::from_utf8_lossy(bytes).into_owned();
            }
        }
        let [key, value] = texts;
        self.metadata.insert(key, value);
        Ok(())
    }

    /// Nodes and initialisers of `GraphProto`.
    fn graph(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Result<(), Refusal> {
        let mut at = range.start;
        while let Some(field) = walk.field(&mut at, range.end)? {
            match (field.number, field.value) {
                (1, Value::Bytes(node)) => self.node(walk, node)?,
                (5, Value::Bytes(tensor)) => self.stored.push(Stored::read(walk, tensor)?),
                _ => {}
            }
            let limit = |count: usize, limit: usize, what: &str| {
                (count > limit).then(|| broken(format!("it has more than {} {what}", grouped(limit as u64))))
            };
            let nodes = limit(self.nodes.len(), limits::ONNX_NODES, "nodes");
            nodes.or_else(|| limit(self.stored.len(), limits::TENSORS, "tensors")).map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// A node; what a `Constant` holds is an initialiser that stands in the graph.
    fn node(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Result<(), Refusal> {
        if range.end.saturating_sub(range.start) > limits::ONNX_NODE {
            // It holds a graph of its own or a tensor: only its heads are gone over.
            self.stored.extend(constant::read(walk, range)?);
            return Ok(());
        }
        let node = Node::read(&walk.bytes(range.clone(), limits::ONNX_NODE, "a node")?)?;
        if node.op == "Constant" {
            self.stored.extend(walk.again(|walk| constant::read(walk, range))?);
        }
        self.nodes.push(node);
        Ok(())
    }
}

/// Data in other files may be shared whole, as tied weights are; parts of it may not.
fn no_overlap_outside(stored: &[Stored]) -> Result<(), Refusal> {
    let mut files: BTreeMap<&str, BTreeMap<(u64, u64), &str>> = BTreeMap::new();
    for it in stored {
        if let Some(file) = &it.external {
            files.entry(file).or_default().entry((it.data.start, it.data.end)).or_insert(&it.name);
        }
    }
    for pieces in files.into_values() {
        let pieces = pieces.into_iter().map(|((start, end), name)| Piece { name, data: start..end });
        if let Some((one, next)) = placement::first_overlap(pieces) {
            let (tensor, begin) = (next.name.to_owned(), next.data.start);
            return Err(Misplaced::Overlap { tensor, begin, other: one.name.to_owned(), end: one.data.end }.into());
        }
    }
    Ok(())
}

fn table(presented: Vec<Presented>, left_out: usize, metadata: BTreeMap<String, String>, walk: Walk<'_>) -> Table {
    let mut findings = Vec::new();
    if presented.is_empty() {
        findings.push(finding("no-tensors", None, "the graph has no initialiser that is a weight".into()));
    }
    if left_out > 0 {
        let detail =
            format!("left out: {} of the computation, without the name of a module", counted(left_out, "constant"));
        findings.push(finding("graph-constants", None, detail));
    }
    findings.extend(unprintable_names(presented.iter().map(|(it, _)| it.name.as_str())));
    let outside = presented.iter().filter_map(|(it, file)| Some((it.name.clone(), file.clone()?))).collect();
    let tensors = presented.into_iter().map(|(it, _)| it).collect();
    let (read_bytes, read_sha256) = (walk.taken, walk.hasher.finish());
    Table { tensors, metadata, config: None, split: None, findings, outside, read_bytes, read_sha256 }
}

fn no_name_twice<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return Err(broken("a tensor has no name".into()));
        }
        if !seen.insert(name) {
            return Err(broken(format!("tensor {} is described twice", shown(name))));
        }
    }
    Ok(())
}

/// A refusal with the usual hint.
fn broken(message: String) -> Refusal {
    Refusal::Broken {
        message,
        hint: Some("the download may have been cut off; compare its size, or ask for the safetensors files".into()),
    }
}
