//! Weights that stand in the graph as `Constant` nodes, where some exporters and optimisers put them.

use std::ops::Range;

use crate::bytes::limits;
use crate::checkpoint::Refusal;
use crate::checkpoint::onnx::stored::Stored;
use crate::checkpoint::onnx::wire::{Value, Walk};

/// The tensor of a `Constant` node, under the name of the node's output; none where the node is something else, or
/// holds a number that is no tensor.
pub(super) fn read(walk: &mut Walk<'_>, node: Range<u64>) -> Result<Option<Stored>, Refusal> {
    let (mut output, mut is_constant, mut tensor) = (None, false, None);
    let mut at = node.start;
    while let Some(field) = walk.field(&mut at, node.end)? {
        match (field.number, field.value) {
            (2, Value::Bytes(range)) if output.is_none() => {
                output = Some(walk.text(range, limits::TENSOR_NAME as u64, "the output of a node")?);
            }
            (4, Value::Bytes(range)) if range.end.saturating_sub(range.start) == OP.len() as u64 => {
                is_constant = walk.bytes(range, limits::ONNX_NODE, "the kind of a node")? == OP;
            }
            (5, Value::Bytes(range)) if tensor.is_none() => tensor = tensor_of(walk, range)?,
            _ => {}
        }
    }
    let (Some(name), true, Some(tensor)) = (output, is_constant, tensor) else { return Ok(None) };
    Ok(Some(Stored { name, ..Stored::read(walk, tensor)? }))
}

const OP: &[u8] = b"Constant";

/// Where the tensor of an attribute is, if it has one.
fn tensor_of(walk: &mut Walk<'_>, attribute: Range<u64>) -> Result<Option<Range<u64>>, Refusal> {
    let mut at = attribute.start;
    while let Some(field) = walk.field(&mut at, attribute.end)? {
        if let (5, Value::Bytes(range)) = (field.number, field.value) {
            return Ok(Some(range));
        }
    }
    Ok(None)
}
