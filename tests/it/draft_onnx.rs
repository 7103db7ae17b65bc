//! Writes ONNX files field by field, after `onnx.proto`.

/// A field of a number.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field of bytes: a text, a message, or packed numbers.
pub(crate) fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2)[..], &varint(value.len() as u64), value].concat()
}

pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut written = Vec::new();
    while value >= 0x80 {
        written.push(value as u8 | 0x80);
        value >>= 7;
    }
    written.push(value as u8);
    written
}

/// A `TensorProto`: its type by ONNX's number, and the fields of its data.
pub(crate) fn tensor(name: &str, kind: u64, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|size| number(1, *size)).collect();
    [shape, number(2, kind), bytes(8, name.as_bytes()), data.to_vec()].concat()
}

/// An initialiser of the graph.
pub(crate) fn stored(tensor: &[u8]) -> Vec<u8> {
    bytes(5, tensor)
}

/// Data as the bytes of the elements.
pub(crate) fn raw(data: &[u8]) -> Vec<u8> {
    bytes(9, data)
}

pub(crate) fn floats(numbers: &[f32]) -> Vec<u8> {
    raw(&numbers.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>())
}

/// Data in a file beside the model.
pub(crate) fn outside(file: &str, offset: u64, length: u64) -> Vec<u8> {
    let entry = |key: &str, value: &str| bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat());
    let places = [entry("location", file), entry("offset", &offset.to_string()), entry("length", &length.to_string())];
    [places.concat(), number(14, 1)].concat()
}

/// A node of the graph, with attributes as they are.
pub(crate) fn node(op: &str, name: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|it| bytes(1, it.as_bytes())).collect();
    let outputs: Vec<u8> = outputs.iter().flat_map(|it| bytes(2, it.as_bytes())).collect();
    let attributes: Vec<u8> = attributes.iter().flat_map(|it| bytes(5, it)).collect();
    bytes(1, &[inputs, outputs, bytes(3, name.as_bytes()), bytes(4, op.as_bytes()), attributes].concat())
}

/// A node that holds a tensor.
pub(crate) fn constant(output: &str, tensor: &[u8]) -> Vec<u8> {
    let value = [bytes(1, b"value"), bytes(5, tensor), number(20, 4)].concat();
    node("Constant", "", &[], &[output], &[value])
}

pub(crate) fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    [number(1, 8), bytes(2, b"test"), bytes(7, &graph.concat())].concat()
}
