//! The nodes of a graph, and which initialisers they make a weight of.

use std::collections::BTreeMap;

use crate::bytes::{Fields, Wire};
use crate::checkpoint::Refusal;
use crate::checkpoint::onnx::broken;
use crate::checkpoint::onnx::stored::Stored;

/// One step of the computation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    pub(super) op: String,
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// Attributes that are whole numbers.
    numbers: Vec<(String, i64)>,
    /// The module whose linear map it is, as torch's exporter notes it.
    module: Option<String>,
}

impl Node {
    /// Reads the message `NodeProto`.
    pub(super) fn read(message: &[u8]) -> Result<Self, Refusal> {
        let mut node = Self::default();
        for field in Fields::of(message) {
            let field = field.map_err(broken)?;
            let bytes = field.value.bytes().unwrap_or_default();
            match field.number {
                1 => node.inputs.push(text(bytes)?),
                2 => node.outputs.push(text(bytes)?),
                3 => node.name = text(bytes)?,
                4 => node.op = text(bytes)?,
                5 => node.numbers.extend(number(bytes)?),
                9 => node.module = node.module.or(module(bytes)?),
                _ => {}
            }
        }
        Ok(node)
    }

    /// An attribute that is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.numbers.iter().find(|(it, _)| it == name).map(|(_, number)| *number)
    }

    fn input(&self, at: usize) -> Option<&str> {
        self.inputs.get(at).map(String::as_str).filter(|it| !it.is_empty())
    }
}

fn text(bytes: &[u8]) -> Result<String, Refusal> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken("a node has a name that is not text in UTF-8".into()))
}

/// The module of a linear map, if this is the note of it: `['', 'model', 'model.layers.0.mlp.up_proj', 'linear']`.
fn module(entry: &[u8]) -> Result<Option<String>, Refusal> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::of(entry) {
        let field = field.map_err(broken)?;
        match (field.number, field.value) {
            (1, Wire::Bytes(bytes)) => key = bytes,
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    if key != SCOPES {
        return Ok(None);
    }
    let text = text(value)?;
    let scopes: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    let [.., module, step] = scopes.as_slice() else { return Ok(None) };
    Ok((step.starts_with("linear") && !module.is_empty()).then(|| (*module).to_owned()))
}

const SCOPES: &[u8] = b"pkg.torch.onnx.name_scopes";

/// The attribute, if it is a whole number.
fn number(message: &[u8]) -> Result<Option<(String, i64)>, Refusal> {
    let (mut name, mut number) = (String::new(), None);
    for field in Fields::of(message) {
        let field = field.map_err(broken)?;
        match (field.number, field.value) {
            (1, Wire::Bytes(bytes)) => name = text(bytes)?,
            (3, Wire::Number(it)) => number = Some(it.cast_signed()),
            _ => {}
        }
    }
    Ok(number.map(|it| (name, it)))
}

/// A value of the graph that is a weight: stored as it is, or as whole numbers with scales.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weight {
    pub(super) numbers: usize,
    pub(super) scale: Option<usize>,
    pub(super) zero: Option<usize>,
    /// Along which dimension a list of scales goes.
    pub(super) axis: usize,
}

/// A graph whose values can be looked up by name.
pub(super) struct Graph<'a> {
    pub(super) stored: &'a [Stored],
    pub(super) nodes: &'a [Node],
    by_name: BTreeMap<&'a str, usize>,
    /// The first node that takes a value.
    taken_by: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(stored: &'a [Stored], nodes: &'a [Node]) -> Self {
        let by_name = stored.iter().enumerate().map(|(index, it)| (it.name.as_str(), index)).collect();
        let mut taken_by = BTreeMap::new();
        for node in nodes {
            for input in &node.inputs {
                taken_by.entry(input.as_str()).or_insert(node);
            }
        }
        Self { stored, nodes, by_name, taken_by }
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn stored(&self, name: &str) -> Option<&'a Stored> {
        self.stored.get(self.find(name)?)
    }

    /// A matrix of bytes or of halves of them, by name.
    fn quants(&self, name: &str) -> Option<usize> {
        let it = self.stored(name)?;
        let is_matrix = it.shape.len() == 2 && ["I8", "U8", "INT4", "UINT4"].contains(&it.dtype.to_string().as_str());
        is_matrix.then(|| self.find(name)).flatten()
    }

    /// Weights that are stored as whole numbers, by the value that they stand for.
    pub(super) fn quantised(&self) -> BTreeMap<&'a str, Weight> {
        let cast = self.nodes.iter().filter(|it| it.op == "Cast");
        let cast: BTreeMap<&str, usize> =
            cast.filter_map(|it| Some((it.outputs.first()?.as_str(), self.quants(it.input(0)?)?))).collect();
        let of = |node: &'a Node| match node.op.as_str() {
            "DequantizeLinear" => self.dequantised(node),
            "Mul" => self.multiplied(node, &cast),
            "MatMulInteger" => self.integer_product(node),
            _ => None,
        };
        self.nodes.iter().filter_map(of).collect()
    }

    fn dequantised(&self, node: &'a Node) -> Option<(&'a str, Weight)> {
        let numbers = self.quants(node.input(0)?)?;
        let scale = Some(self.find(node.input(1)?)?);
        let zero = node.input(2).map(|it| self.find(it));
        if zero == Some(None) {
            return None;
        }
        let axis = usize::from(!matches!(node.number("axis"), Some(0 | -2)));
        Some((node.outputs.first()?, Weight { numbers, scale, zero: zero.flatten(), axis }))
    }

    /// `Mul(Cast(numbers), scale)`, as some exporters write out what `DequantizeLinear` does.
    fn multiplied(&self, node: &'a Node, cast: &BTreeMap<&str, usize>) -> Option<(&'a str, Weight)> {
        let (one, other) = (node.input(0)?, node.input(1)?);
        let (numbers, scale) = cast.get(one).map(|it| (it, other)).or_else(|| Some((cast.get(other)?, one)))?;
        let scale = Some(self.find(scale)?);
        Some((node.outputs.first()?, Weight { numbers: *numbers, scale, zero: None, axis: 1 }))
    }

    /// onnxruntime's dynamic quantisation multiplies by the scale behind the product; it calls it after the weight.
    fn integer_product(&self, node: &'a Node) -> Option<(&'a str, Weight)> {
        let name = node.inputs.get(1)?;
        let numbers = self.quants(name)?;
        let scale = self.find(&format!("{}_scale", name.strip_suffix("_quantized")?))?;
        let zero = node.input(3).map(|it| self.find(it));
        if zero == Some(None) {
            return None;
        }
        Some((name, Weight { numbers, scale: Some(scale), zero: zero.flatten(), axis: 1 }))
    }

    /// What the matrix that a node multiplies by is called by what surrounds it: by the bias that is added to the
    /// product, by the module that the exporter notes, or by the node's own name, where that is the path of a module.
    pub(super) fn name_by_place(&self, node: &Node) -> Option<String> {
        let by_bias = self.bias_behind(node).map(|it| format!("{it}.weight"));
        let by_note = || node.module.as_ref().map(|it| format!("{it}.weight"));
        by_bias.or_else(by_note).or_else(|| {
            let (path, last) = node.name.strip_prefix('/')?.rsplit_once('/')?;
            let is_product = last.starts_with("MatMul") || last.starts_with("Gemm");
            (is_product && !path.is_empty()).then(|| format!("{}.weight", path.replace('/', ".")))
        })
    }

    fn bias_behind(&self, node: &Node) -> Option<&'a str> {
        let is_bias = |name: &String| self.stored(name)?.name.strip_suffix(".bias");
        if let Some(base) = node.inputs.get(2).filter(|_| node.op == "Gemm").and_then(is_bias) {
            return Some(base);
        }
        let mut value = node.outputs.first()?;
        for _ in 0..STEPS {
            let next = self.taken_by.get(value.as_str())?;
            match next.op.as_str() {
                "Add" => return next.inputs.iter().find_map(is_bias),
                "Cast" | "Mul" => value = next.outputs.first()?,
                _ => return None,
            }
        }
        None
    }
}

/// How many nodes behind a product its bias may be added: a type and a scale stand between.
const STEPS: usize = 4;
