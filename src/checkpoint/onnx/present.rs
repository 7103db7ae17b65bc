//! The tensors of a graph under the names and in the shapes of the model that was exported.
//!
//! Exporters turn the matrix of a linear layer round and call it by a number. It is presented as the model had it:
//! under the name of its layer, one row for each output. Scales and zero points are called as safetensors writers call
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::checkpoint::onnx::graph::{Graph, Node, Weight};
use crate::checkpoint::onnx::stored::Stored;
use crate::checkpoint::{Dtype, Tensor, View};

/// A tensor, and the file that holds its data where that is another one.
pub(super) type Presented = (Tensor, Option<String>);

/// How a weight is presented.
struct Place {
    name: String,
    is_turned: bool,
}

/// All tensors, and how many constants of the computation were left out.
pub(super) fn present(graph: &Graph<'_>) -> (Vec<Presented>, usize) {
    let quantised = graph.quantised();
    let places = places(graph, &quantised);
    let mut presented = Vec::new();
    let mut used = BTreeSet::new();
    for (value, weight) in &quantised {
        let place = places.get(value).map_or_else(|| own_place(graph, value, weight), |it| it.place());
        used.extend([Some(weight.numbers), weight.scale, weight.zero].into_iter().flatten());
        presented.extend(parts(graph, weight, &place));
    }
    let mut left_out = 0_usize;
    let unused = graph.stored.iter().enumerate().filter(|(index, _)| !used.contains(index));
    for (_, it) in unused {
        match places.get(it.name.as_str()) {
            Some(place) => presented.push(tensor(it, place.name.clone(), it.shape.clone(), place.is_turned)),
            None if is_constant(it) => left_out = left_out.saturating_add(1),
            None => presented.push(tensor(it, it.name.clone(), it.shape.clone(), false)),
        }
    }
    (presented, left_out)
}

impl Place {
    fn place(&self) -> Self {
        Self { name: self.name.clone(), is_turned: self.is_turned }
    }
}

/// The matrices without a name of their own that a layer multiplies by.
fn places<'a>(graph: &Graph<'a>, quantised: &BTreeMap<&'a str, Weight>) -> BTreeMap<&'a str, Place> {
    let mut places = BTreeMap::new();
    let mut names: BTreeSet<String> = graph.stored.iter().map(|it| it.name.clone()).collect();
    for node in graph.nodes.iter().filter(|it| ["MatMul", "MatMulInteger", "Gemm"].contains(&it.op.as_str())) {
        let Some(value) = node.inputs.get(1).map(String::as_str).filter(|it| is_anonymous(it)) else { continue };
        let stored = quantised.get(value).map(|it| it.numbers).or_else(|| graph.find(value));
        let is_matrix = stored.and_then(|it| graph.stored.get(it)).is_some_and(|it| it.shape.len() == 2);
        let Some(name) = graph.name_by_place(node).filter(|_| is_matrix && !places.contains_key(value)) else {
            continue;
        };
        if names.insert(name.clone()) {
            places.insert(value, Place { name, is_turned: is_turned(node) });
        }
    }
    places
}

fn is_turned(node: &Node) -> bool {
    node.number("transB").unwrap_or_default() == 0
}

/// Whether a value is called by a number and not by a module: no path of a module is without a dot, and exporters put a
/// slash before the names of what they computed themselves.
fn is_anonymous(name: &str) -> bool {
    !name.contains('.') || name.starts_with('/')
}

/// A number of the computation, such as a size to reshape to, and no weight.
fn is_constant(it: &Stored) -> bool {
    let is_whole = ["I64", "I32", "BOOL"].contains(&it.dtype.to_string().as_str());
    let is_one = it.shape.iter().all(|size| *size == 1);
    is_anonymous(&it.name) && (is_whole || is_one)
}

/// A quantised weight that keeps its own name and shape.
fn own_place(graph: &Graph<'_>, value: &str, weight: &Weight) -> Place {
    let stored = graph.stored.get(weight.numbers).map(|it| it.name.as_str()).unwrap_or_default();
    let base = stored.strip_suffix("_quantized").unwrap_or(if is_anonymous(value) { stored } else { value });
    let end = if base.ends_with(".weight") { "" } else { ".weight" };
    Place { name: format!("{base}{end}"), is_turned: false }
}

/// A quantised weight, its scale and its zero point.
fn parts(graph: &Graph<'_>, weight: &Weight, place: &Place) -> Vec<Presented> {
    let of = |index: Option<usize>| index.and_then(|it| graph.stored.get(it));
    let beside = |index: Option<usize>, end: &str| {
        let it = of(index)?;
        Some(tensor(it, format!("{}{end}", place.name), beside_shape(&it.shape, weight.axis), place.is_turned))
    };
    let numbers = of(Some(weight.numbers)).map(|it| tensor(it, place.name.clone(), it.shape.clone(), place.is_turned));
    [numbers, beside(weight.scale, "_scale"), beside(weight.zero, "_zero_point")].into_iter().flatten().collect()
}

/// The shape of scales as a matrix beside the stored one; one scale for all has none.
fn beside_shape(shape: &[u64], axis: usize) -> Vec<u64> {
    match shape {
        all if all.iter().all(|size| *size == 1) => Vec::new(),
        [count] if axis == 0 => vec![*count, 1],
        [count] => vec![1, *count],
        other => other.to_vec(),
    }
}

fn tensor(it: &Stored, name: String, shape: Vec<u64>, is_turned: bool) -> Presented {
    let turned = shape.as_array::<2>().filter(|_| is_turned).map(|[rows, columns]| [*columns, *rows]);
    let view = turned.filter(|shape| !shape.contains(&1)).map(View::transposed);
    let shape = turned.map_or(shape, |it| it.to_vec());
    let (dtype, data): (Dtype, Range<u64>) = (it.dtype.clone(), it.data.clone());
    (Tensor { name, dtype, shape, file: 0, data, view }, it.external.clone())
}
