//! Shapes and companions of each layout, as its program writes them for small matrices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

/// Tensors by name: element type and shape.
struct Tensors<'a> {
    all: BTreeMap<&'a str, (&'a str, &'a [u64])>,
    settings: Settings,
    stated: BTreeMap<&'a str, Vec<u64>>,
}

impl Around for Tensors<'_> {
    fn seen(&self, name: &str) -> Option<Seen<'_>> {
        self.all.get(name).map(|it| Seen { shape: it.1, dtype: it.0.into() })
    }

    fn stated_shape(&self, name: &str) -> Option<&[u64]> {
        self.stated.get(name).map(Vec::as_slice)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }
}

type One<'a> = (&'a str, &'a str, &'a [u64]);

/// The first tensor is packed as `layout` and stands for a matrix of this shape; all others stand beside it.
#[track_caller]
fn check(tensors: &[One<'_>], config: &Value, stated: Option<&[u64]>, expected: (&str, Option<&[u64]>)) {
    let all = tensors.iter().map(|it| (it.0, (it.1, it.2))).collect();
    let settings = Settings::of(&|field| config.get(field), false);
    let stated = stated.map(|it| ("x.weight", it.to_vec())).into_iter().collect();
    let around = Tensors { all, settings, stated };
    for (at, (name, ..)) in tensors.iter().enumerate() {
        let found = match treated(name, &around.seen(name).unwrap(), &around) {
            Treatment::Packed { name, shape, packing } => (name, packing.layout, Some(shape)),
            Treatment::Opaque { name, packing } => (name, packing.layout, None),
            Treatment::Companion => ("beside".to_owned(), "", None),
            Treatment::Keep => ("kept".to_owned(), "", None),
        };
        let of_first = ("x.weight".to_owned(), expected.0, expected.1.map(<[u64]>::to_vec));
        assert_eq!(found, if at == 0 { of_first } else { ("beside".to_owned(), "", None) }, "{name}");
    }
}

#[test]
fn words_of_gptq_and_awq_give_the_shape_whatever_their_bits() {
    let words = |rows: &'static [u64], zeros: &'static [u64]| {
        [("x.qweight", "I32", rows), ("x.qzeros", "I32", zeros), ("x.scales", "F16", &[2_u64, 32][..])]
    };
    let none = json!({});
    for (bits, rows, zeros) in
        [(2, &[4_u64, 32], &[2_u64, 2]), (3, &[6, 32], &[2, 3]), (4, &[8, 32], &[2, 4]), (8, &[16, 32], &[2, 8])]
    {
        check(&words(rows, zeros), &none, None, ("gptq", Some(&[32, 64])));
        check(&words(rows, zeros), &json!({"quantization_config": {"bits": bits}}), None, ("gptq", Some(&[32, 64])));
    }
    let grouped = [("x.qweight", "I32", &[3_u64, 32][..]), ("x.scales", "F16", &[1, 32]), ("x.g_idx", "I32", &[32])];
    check(&grouped, &none, None, ("gptq", Some(&[32, 32])));
    let awq = [("x.qweight", "I32", &[64_u64, 4][..]), ("x.qzeros", "I32", &[2, 4]), ("x.scales", "F16", &[2, 32])];
    check(&awq, &none, None, ("awq", Some(&[32, 64])));
}

#[test]
fn compressed_tensors_pads_the_last_word() {
    let tensors: [One<'_>; 4] = [
        ("x.weight_packed", "I32", &[64, 16]),
        ("x.weight_scale", "BF16", &[64, 1]),
        ("x.weight_shape", "I64", &[2]),
        ("x.weight_zero_point", "I32", &[8, 1]),
    ];
    let bits =
        |bits: u64| json!({"quantization_config": {"config_groups": {"group_0": {"weights": {"num_bits": bits}}}}});
    check(&tensors, &json!({}), None, ("compressed-tensors-packed", Some(&[64, 128])));
    check(&tensors, &bits(8), None, ("compressed-tensors-packed", Some(&[64, 64])));
    check(&tensors, &bits(3), None, ("compressed-tensors-packed", None));
    check(&tensors, &bits(3), Some(&[64, 155]), ("compressed-tensors-packed", Some(&[64, 155])));
}

#[test]
fn numbers_of_four_bits_are_told_by_their_scales() {
    let nv: [One<'_>; 4] = [
        ("x.weight", "U8", &[8, 16]),
        ("x.weight_scale", "F8_E4M3", &[8, 2]),
        ("x.weight_scale_2", "F32", &[]),
        ("x.input_scale", "F32", &[]),
    ];
    check(&nv, &json!({}), None, ("fp4", Some(&[8, 32])));
    let packed: [One<'_>; 4] = [
        ("x.weight_packed", "U8", &[8, 16]),
        ("x.weight_scale", "F8_E4M3", &[8, 2]),
        ("x.weight_global_scale", "F32", &[1]),
        ("x.input_global_scale", "F32", &[1]),
    ];
    check(&packed, &json!({}), None, ("compressed-tensors-fp4", Some(&[8, 32])));
    check(
        &[("x.weight", "U8", &[8, 16]), ("x.weight_scale", "U8", &[8, 1])],
        &json!({}),
        None,
        ("fp4", Some(&[8, 32])),
    );
    check(
        &[("x.weight", "U8", &[8, 32]), ("x.weight_scale", "BF16", &[1])],
        &json!({}),
        None,
        ("bitnet", Some(&[32, 32])),
    );
}

#[test]
fn what_stands_in_the_data_is_not_made_up() {
    let state = "x.weight.quant_state.bitsandbytes__nf4";
    let four: [One<'_>; 4] = [
        ("x.weight", "U8", &[256, 1]),
        ("x.weight.absmax", "F32", &[8]),
        ("x.weight.quant_map", "F32", &[16]),
        (state, "U8", &[78]),
    ];
    check(&four, &json!({}), None, ("bitsandbytes-4bit", None));
    check(&four, &json!({}), Some(&[16, 32]), ("bitsandbytes-4bit", Some(&[16, 32])));
    let hqq: [One<'_>; 5] = [
        ("x.W_q", "U8", &[4, 64]),
        ("x.scale", "F16", &[8, 1]),
        ("x.zero", "F16", &[8, 1]),
        ("x.shape", "I64", &[2]),
        ("x.packing", "U8", &[7]),
    ];
    check(&hqq, &json!({}), None, ("hqq", None));
    check(&hqq, &json!({}), Some(&[16, 32]), ("hqq", Some(&[16, 32])));
}

#[test]
fn mlx_is_read_with_the_bits_of_each_module() {
    let tensors: [One<'_>; 3] =
        [("x.weight", "U32", &[8, 8]), ("x.scales", "BF16", &[8, 1]), ("x.biases", "BF16", &[8, 1])];
    check(&tensors, &json!({}), None, ("mlx", Some(&[8, 64])));
    check(&tensors, &json!({"quantization": {"bits": 8, "group_size": 32}}), None, ("mlx", Some(&[8, 32])));
    check(&tensors, &json!({"quantization": {"bits": 8, "x": {"bits": 2}}}), None, ("mlx", Some(&[8, 128])));
    let experts: [One<'_>; 2] = [("x.weight", "U32", &[3, 8, 24]), ("x.scales", "F16", &[3, 8, 4])];
    check(&experts, &json!({}), None, ("mlx", Some(&[3, 8, 256])));
}

#[test]
fn other_programs_are_known_by_what_stands_beside() {
    let none = json!({});
    let exl2: [One<'_>; 5] = [
        ("x.q_weight", "I32", &[10, 32]),
        ("x.q_scale", "I32", &[2, 4]),
        ("x.q_scale_max", "F16", &[2]),
        ("x.q_groups", "I16", &[4]),
        ("x.q_invperm", "I32", &[64]),
    ];
    check(&exl2, &none, None, ("exl2", Some(&[32, 64])));
    let int4: [One<'_>; 3] = [
        ("x._weight_qdata", "I8", &[8, 32]),
        ("x._weight_scale", "BF16", &[2, 8]),
        ("x._weight_zero_point", "BF16", &[2, 8]),
    ];
    check(&int4, &none, None, ("torchao-int4", Some(&[8, 64])));
    check(
        &[("x._weight_qdata", "I8", &[8, 32]), ("x._weight_scale", "BF16", &[8, 1])],
        &none,
        None,
        ("torchao", Some(&[8, 32])),
    );
    check(
        &[("x.trellis", "I16", &[4, 2, 48]), ("x.suh", "F16", &[64]), ("x.svh", "F16", &[32])],
        &none,
        None,
        ("exl3", Some(&[32, 64])),
    );
    check(&[("x.B", "I32", &[4, 64]), ("x.s", "F16", &[1, 32])], &none, None, ("marlin", Some(&[32, 64])));
    check(
        &[("x.codes", "I8", &[32, 8, 1]), ("x.codebooks", "F16", &[1, 256, 1, 8]), ("x.scales", "F16", &[32, 1, 1, 1])],
        &none,
        None,
        ("aqlm", Some(&[32, 64])),
    );
    check(&[("x.weight", "I8", &[64, 32]), ("x.weight_scales", "F16", &[32])], &none, None, ("eetq", Some(&[32, 64])));
    check(&[("x.indices", "I32", &[1, 4, 9]), ("x.centroids.weight", "BF16", &[1, 99])], &none, None, ("vptq", None));
}
