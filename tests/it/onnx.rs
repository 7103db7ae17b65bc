//! ONNX files beyond the usual: numbers in varints, halves of bytes, weights that stand in the graph.

use std::fs;

use unshell::checkpoint::Data;

use crate::draft_onnx::{bytes, constant, floats, model, node, outside, raw, stored, tensor, varint};

fn open(graph: &[Vec<u8>]) -> Result<(tempfile::TempDir, Data), unshell::checkpoint::Error> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), model(graph)).unwrap();
    fs::write(folder.path().join("model.onnx.data"), [0; 64]).unwrap();
    Data::open(folder.path()).map(|data| (folder, data))
}

#[track_caller]
fn check(data: &Data, name: &str, shape: &[u64], expected: &[f32]) {
    let values = data.find(name).unwrap_or_else(|| panic!("{name} is not there"));
    assert_eq!((values.shape.as_slice(), &values.unreadable), (shape, &None), "{name}");
    for start in 0..=expected.len() {
        for end in start..=expected.len() {
            let found = data.read(values, start as u64..end as u64).unwrap();
            assert_eq!(found, &expected[start..end], "{name} {start}..{end}");
        }
    }
}

/// Packed varints in a field.
fn varints(field: u64, numbers: &[i64]) -> Vec<u8> {
    bytes(field, &numbers.iter().flat_map(|it| varint(it.cast_unsigned())).collect::<Vec<_>>())
}

#[test]
fn whole_numbers_in_varints_are_read() {
    let (_folder, data) = open(&[
        stored(&tensor("a.i32", 6, &[4], &varints(5, &[7, -8, 300, i64::from(i32::MIN)]))),
        stored(&tensor("a.i8", 3, &[3], &varints(5, &[-128, 0, 127]))),
        stored(&tensor("a.u8", 2, &[2, 2], &varints(5, &[0, 128, 255, 1]))),
        stored(&tensor("a.f16", 10, &[2], &varints(5, &[0x3c00, 0xc000]))),
        stored(&tensor("a.bf16", 16, &[2], &varints(5, &[0x3f80, 0xc000]))),
        stored(&tensor("a.i64", 7, &[2], &varints(7, &[-3, 1 << 40]))),
        stored(&tensor("a.u64", 13, &[2], &varints(11, &[5, -1]))),
    ])
    .unwrap();
    check(&data, "a.i32", &[4], &[7.0, -8.0, 300.0, -2_147_483_648.0]);
    check(&data, "a.i8", &[3], &[-128.0, 0.0, 127.0]);
    check(&data, "a.u8", &[2, 2], &[0.0, 128.0, 255.0, 1.0]);
    check(&data, "a.f16", &[2], &[1.0, -2.0]);
    check(&data, "a.bf16", &[2], &[1.0, -2.0]);
    check(&data, "a.i64", &[2], &[-3.0, 1_099_511_627_776.0]);
    check(&data, "a.u64", &[2], &[5.0, 18_446_744_073_709_551_616.0]);
}

#[test]
fn varints_that_are_not_what_they_claim_are_refused() {
    let too_few = open(&[stored(&tensor("a.w", 6, &[4], &varints(5, &[7, 8, 9])))]).err().unwrap().to_string();
    assert!(
        too_few.contains("tensor `a.w` has 3 bytes of data, expected one to ten for each of 4 numbers"),
        "{too_few}"
    );
    let long = bytes(5, &[0x80; 12]);
    for (shape, data, why) in [
        (&[3][..], varints(5, &[7, 8, 300, 1]), "more numbers than its shape"),
        (&[3], varints(5, &[1, 300]), "fewer numbers than its shape"),
        (&[2], long, "longer than any varint"),
    ] {
        let (_folder, data) = open(&[stored(&tensor("a.w", 6, shape, &data))]).unwrap();
        let values = data.find("a.w").unwrap();
        let error = data.read(values, 0..values.elements()).unwrap_err().to_string();
        assert!(error.contains("`a.w`") && error.contains(why), "{error}");
    }
    let (_folder, data) = open(&[stored(&tensor("a.w", 3, &[1], &varints(5, &[300])))]).unwrap();
    let error = data.read(data.find("a.w").unwrap(), 0..1).unwrap_err().to_string();
    assert!(error.contains("does not fit its type"), "{error}");
}

#[test]
fn halves_of_bytes_are_read_and_scaled() {
    let (_folder, data) = open(&[
        stored(&tensor("a.u4", 21, &[3], &raw(&[0x21, 0x0f]))),
        stored(&tensor("a.i4", 22, &[2, 2], &raw(&[0x8f, 0x71]))),
        stored(&tensor("a.f4", 23, &[3], &raw(&[0x10, 0x07]))),
        node("DequantizeLinear", "d", &["q", "q_scale", "q_zero"], &["b.weight"], &[]),
        stored(&tensor("q", 21, &[2, 2], &raw(&[0x21, 0xf8]))),
        stored(&tensor("q_scale", 1, &[2], &floats(&[0.5, 2.0]))),
        stored(&tensor("q_zero", 21, &[2], &raw(&[0x18]))),
    ])
    .unwrap();
    check(&data, "a.u4", &[3], &[1.0, 2.0, 15.0]);
    check(&data, "a.i4", &[2, 2], &[-1.0, -8.0, 1.0, 7.0]);
    check(&data, "a.f4", &[3], &[0.0, 0.5, 6.0]);
    // Scale 0.5 and zero point 8 for the first column, 2 and 1 for the second.
    check(&data, "b.weight", &[2, 2], &[-3.5, 2.0, 0.0, 28.0]);
}

#[test]
fn weights_that_stand_in_the_graph_are_weights() {
    // Longer than any node that is read whole.
    let long: Vec<f32> = (0..20_000_u16).map(f32::from).collect();
    let (_folder, data) = open(&[
        constant("/layer/Constant_output_0", &tensor("", 1, &[2, 3], &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))),
        node("MatMul", "/layer/MatMul", &["x", "/layer/Constant_output_0"], &["y"], &[]),
        constant("/long/Constant_output_0", &tensor("", 1, &[100, 200], &floats(&long))),
        node("MatMul", "/long/MatMul", &["y", "/long/Constant_output_0"], &["z"], &[]),
        constant("/layer/Constant_1_output_0", &tensor("", 7, &[2], &raw(&[0; 16]))),
        constant("/layer/Constant_2_output_0", &tensor("", 8, &[2], &[bytes(6, b"a"), bytes(6, b"b")].concat())),
        node("Constant", "", &[], &["/layer/Constant_3_output_0"], &[]),
    ])
    .unwrap();
    check(&data, "layer.weight", &[3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let long_found = data.find("long.weight").unwrap();
    assert_eq!(long_found.shape, [200, 100]);
    assert_eq!(data.read(long_found, 0..3).unwrap(), [0.0, 200.0, 400.0]);
    assert!(data.find("/layer/Constant_1_output_0").is_none(), "a size to reshape to is no weight");
    assert!(data.checkpoint().findings.iter().any(|it| it.code == "graph-constants"));
}

#[test]
fn the_exporters_own_note_names_a_matrix() {
    let note = |value: &str| bytes(9, &[bytes(1, b"pkg.torch.onnx.name_scopes"), bytes(2, value.as_bytes())].concat());
    // A node is one field of the graph; the note goes into its message.
    let with_note = |node: Vec<u8>, value: &str| {
        let message = [&node[2..], &note(value)].concat();
        bytes(1, &message)
    };
    let matrix = |name: &str| stored(&tensor(name, 1, &[1, 2], &floats(&[1.0, 2.0])));
    let product = |name: &str, weight: &str| node("MatMul", name, &["x", weight], &["y"], &[]);
    let (_folder, data) = open(&[
        with_note(product("node_1", "val_1"), "['', 'model', 'model.up_proj', 'linear_3']"),
        with_note(product("node_2", "val_2"), "['', 'model', 'model.attn', 'matmul']"),
        with_note(product("node_3", "val_3"), "['linear']"),
        matrix("val_1"),
        matrix("val_2"),
        matrix("val_3"),
    ])
    .unwrap();
    let names: Vec<&str> = data.values().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["model.up_proj.weight", "val_2", "val_3"]);
    check(&data, "model.up_proj.weight", &[2, 1], &[1.0, 2.0]);
}

#[test]
fn a_name_that_stands_in_the_graph_and_beside_it_is_refused() {
    let twice = tensor("a.weight", 1, &[1], &floats(&[1.0]));
    let error = open(&[stored(&twice), constant("a.weight", &twice)]).err().unwrap().to_string();
    assert!(error.contains("tensor `a.weight` is described twice"), "{error}");
}

/// Tied weights share a place; parts of each other's data nobody writes.
#[test]
fn places_outside_are_shared_whole_or_not_at_all() {
    let at = |name: &str, offset, length| {
        stored(&tensor(name, 1, &[length / 4], &outside("model.onnx.data", offset, length)))
    };
    let (_folder, data) = open(&[at("a.w", 0, 16), at("b.w", 0, 16), at("c.w", 16, 8)]).unwrap();
    assert_eq!(data.checkpoint().data_bytes(), 24);
    let error = open(&[at("a.w", 0, 16), at("b.w", 12, 16)]).err().unwrap().to_string();
    let expected = "tensor `b.w` begins at byte 12 of the data, inside tensor `a.w`, which ends at byte 16";
    assert!(error.contains(expected), "{error}");
}
