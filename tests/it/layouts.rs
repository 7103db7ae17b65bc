//! Members of the families as programs write them: packed, cut up, beside other files. Whatever the layout, the
//! numbers are those of the plain member within its rounding, and the counts are those of the model.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use unshell::catalog::Catalog;
use unshell::checkpoint::{Checkpoint, Data, Error};
use unshell::fact::{Inspection, WeightsRelation};
use unshell::lineage::{Look, Model, compare_with_weights, inspect};
use unshell::remote::Reach;

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

const SMALL: &str = "tests/families/small";
const MEMBERS: &[&str] = &["base_a", "base_b", "depth_up", "ft_code", "prune_layers", "vocab_ext"];

/// Shape and numbers of each tensor.
type Numbers = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A member's matrices and vectors as numbers, with its configuration.
fn member(name: &str) -> (Numbers, Value) {
    let folder = Path::new(SMALL).join(name);
    let data = Data::open(&folder).unwrap();
    let all = data.values().iter().map(|it| {
        let shape = it.shape.iter().map(|size| usize::try_from(*size).unwrap()).collect();
        (it.name.clone(), (shape, data.read(it, 0..it.elements()).unwrap()))
    });
    let config = serde_json::from_str(&fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
    (all.collect(), config)
}

fn floats(shape: &[usize], numbers: &[f32]) -> (Dtype, Vec<usize>, Vec<u8>) {
    (Dtype::F32, shape.to_vec(), numbers.iter().flat_map(|it| it.to_le_bytes()).collect())
}

fn words(dtype: Dtype, shape: &[usize], numbers: &[u32]) -> (Dtype, Vec<usize>, Vec<u8>) {
    (dtype, shape.to_vec(), numbers.iter().flat_map(|it| it.to_le_bytes()).collect())
}

fn bytes(shape: &[usize], bytes: Vec<u8>) -> (Dtype, Vec<usize>, Vec<u8>) {
    (Dtype::U8, shape.to_vec(), bytes)
}

fn save(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, it)| (name.clone(), TensorView::new(it.0, it.1.clone(), &it.2).unwrap()));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn plain(member: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> Tensors {
    member.iter().map(|(name, (shape, numbers))| (name.clone(), floats(shape, numbers))).collect()
}

/// Whole numbers of so many bits by groups of 16 columns, with the scale and the least value of each group.
fn grouped(numbers: &[f32], bits: u32) -> (Vec<u32>, Vec<f32>, Vec<f32>) {
    let (mut quants, mut scales, mut least) = (Vec::new(), Vec::new(), Vec::new());
    let highest = f32::from(u16::try_from((1_u32 << bits) - 1).unwrap());
    for group in numbers.chunks(16) {
        let (low, high) = group.iter().fold((f32::MAX, f32::MIN), |(low, high), it| (low.min(*it), high.max(*it)));
        let scale = ((high - low) / highest).max(1e-9);
        quants.extend(group.iter().map(|it| ((it - low) / scale).round().clamp(0.0, highest) as u32));
        scales.push(scale);
        least.push(low);
    }
    (quants, scales, least)
}

/// A row of numbers as one stream of bits, lowest first.
fn stream(row: &[u32], bits: usize) -> Vec<u32> {
    let mut out = vec![0_u32; (row.len() * bits).div_ceil(32)];
    for (at, number) in row.iter().enumerate() {
        let wide = u64::from(*number) << (at * bits % 32);
        out[at * bits / 32] |= wide as u32;
        if wide >> 32 != 0 {
            out[at * bits / 32 + 1] |= (wide >> 32) as u32;
        }
    }
    out
}

fn transposed<T: Copy>(matrix: &[T], columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns).copied()).collect()
}

/// Packs one matrix under the name of its module; says how far it may be from the plain one.
type Packer = fn(&str, &[usize], &[f32], &mut Tensors);

fn mlx(module: &str, shape: &[usize], numbers: &[f32], out: &mut Tensors, bits: u32) {
    // MLX leaves a matrix as it is whose rows do not fill whole groups and words.
    if !shape[1].is_multiple_of(16) || !(shape[1] * bits as usize).is_multiple_of(32) {
        out.insert(format!("{module}.weight"), floats(shape, numbers));
        return;
    }
    let (quants, scales, least) = grouped(numbers, bits);
    let rows: Vec<u32> = quants.chunks(shape[1]).flat_map(|row| stream(row, bits as usize)).collect();
    out.insert(format!("{module}.weight"), words(Dtype::U32, &[shape[0], rows.len() / shape[0]], &rows));
    let beside = [shape[0], shape[1] / 16];
    out.insert(format!("{module}.scales"), floats(&beside, &scales));
    out.insert(format!("{module}.biases"), floats(&beside, &least));
}

fn gptq(module: &str, shape: &[usize], numbers: &[f32], out: &mut Tensors) {
    // Symmetric: the middle of the range is zero.
    let scales: Vec<f32> =
        numbers.chunks(16).map(|it| it.iter().fold(1e-9_f32, |most, it| most.max(it.abs())) / 7.0).collect();
    let quant = |(at, it): (usize, &f32)| ((it / scales[at / 16]).round() + 8.0).clamp(0.0, 15.0) as u32;
    let quants: Vec<u32> = numbers.iter().enumerate().map(quant).collect();
    let rows: Vec<u32> = quants.chunks(shape[1]).flat_map(|row| stream(row, 4)).collect();
    let (length, groups) = (shape[1] / 8, shape[1] / 16);
    out.insert(format!("{module}.qweight"), words(Dtype::I32, &[length, shape[0]], &transposed(&rows, length)));
    out.insert(format!("{module}.scales"), floats(&[groups, shape[0]], &transposed(&scales, groups)));
    let zeros = vec![0x7777_7777_u32; groups * shape[0] / 8];
    out.insert(format!("{module}.qzeros"), words(Dtype::I32, &[groups, shape[0] / 8], &zeros));
}

fn bitsandbytes(module: &str, shape: &[usize], numbers: &[f32], out: &mut Tensors) {
    let book: Vec<f32> = (0..16_u8).map(|it| f32::from(it) / 7.5 - 1.0).collect();
    let highest: Vec<f32> =
        numbers.chunks(64).map(|it| it.iter().fold(1e-9_f32, |most, it| most.max(it.abs()))).collect();
    let code = |(at, it): (usize, &f32)| ((it / highest[at / 64] + 1.0) * 7.5).round() as u8;
    let codes: Vec<u8> = numbers.iter().enumerate().map(code).collect();
    let packed: Vec<u8> = codes.chunks(2).map(|it| it[0] << 4 | it[1]).collect();
    let state = json!({"quant_type": "nf4", "blocksize": 64, "shape": shape, "dtype": "bfloat16"}).to_string();
    out.insert(format!("{module}.weight"), bytes(&[packed.len(), 1], packed));
    out.insert(format!("{module}.weight.absmax"), floats(&[highest.len()], &highest));
    out.insert(format!("{module}.weight.quant_map"), floats(&[16], &book));
    let end = "weight.quant_state.bitsandbytes__nf4";
    out.insert(format!("{module}.{end}"), bytes(&[state.len()], state.into_bytes()));
}

fn hqq(module: &str, shape: &[usize], numbers: &[f32], out: &mut Tensors) {
    let (quants, scales, least) = grouped(numbers, 4);
    let (high, low) = quants.split_at(quants.len() / 2);
    let packed: Vec<u8> = high.iter().zip(low).map(|(high, low)| (high << 4 | low) as u8).collect();
    let zeros: Vec<f32> = least.iter().zip(&scales).map(|(least, scale)| -least / scale).collect();
    let count = scales.len();
    out.insert(format!("{module}.W_q"), bytes(&[count / 2, 16], packed));
    out.insert(format!("{module}.scale"), floats(&[count, 1], &scales));
    out.insert(format!("{module}.zero"), floats(&[count, 1], &zeros));
    let sizes = shape.iter().flat_map(|it| (*it as i64).to_le_bytes()).collect();
    out.insert(format!("{module}.shape"), (Dtype::I64, vec![2], sizes));
    out.insert(format!("{module}.nbits"), words(Dtype::I32, &[], &[4]));
}

const PACKERS: &[(&str, Packer)] = &[
    ("mlx of 4 bits", |module, shape, numbers, out| mlx(module, shape, numbers, out, 4)),
    ("mlx of 6 bits", |module, shape, numbers, out| mlx(module, shape, numbers, out, 6)),
    ("mlx of 8 bits", |module, shape, numbers, out| mlx(module, shape, numbers, out, 8)),
    ("gptq", gptq),
    ("bitsandbytes", bitsandbytes),
    ("hqq", hqq),
];

fn opened(folder: &Path) -> Model {
    Model::open(folder.to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
}

fn told(folder: &Path) -> Inspection {
    inspect(&opened(folder))
}

/// Every packing of every member has the counts, the sizes and, within its rounding, the numbers of the plain one.
#[test]
fn packed_members_are_the_plain_ones() {
    for name in MEMBERS {
        let (tensors, config) = member(name);
        let parameters = told(&Path::new(SMALL).join(name)).parameters;
        for (packing, pack) in PACKERS {
            let folder = tempfile::tempdir().unwrap();
            let (mut packed, mut config) = (Tensors::new(), config.clone());
            for (name, (shape, numbers)) in &tensors {
                // Embedding and head are left as they are by most programs.
                match name.strip_suffix(".weight").filter(|_| name.contains("proj") && shape.len() == 2) {
                    Some(module) => pack(module, shape, numbers, &mut packed),
                    None => drop(packed.insert(name.clone(), floats(shape, numbers))),
                }
            }
            if let Some(bits) = packing.strip_prefix("mlx of ").and_then(|it| it.chars().next()?.to_digit(10)) {
                config["quantization"] = json!({"bits": bits, "group_size": 64});
            }
            save(&folder.path().join("model.safetensors"), &packed);
            fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
            let found = told(folder.path());
            assert_eq!(found.parameters, parameters, "{name} {packing}");
            let doubts = ["config-contradicts-shapes", "name-contradicts-shape", "packed-unread"];
            let doubt = found.findings.iter().find(|it| doubts.contains(&it.code.as_str()));
            assert_eq!(doubt, None, "{name} {packing}");
            let data = Data::open(folder.path()).unwrap();
            assert_eq!(data.values().len(), tensors.len(), "{name} {packing}: what stands beside is no weight");
            for (tensor, (_, expected)) in &tensors {
                let values = data.find(tensor).unwrap();
                let numbers = data.read(values, 0..values.elements()).unwrap();
                let square = |it: &mut dyn Iterator<Item = f32>| it.map(|it| f64::from(it * it)).sum::<f64>();
                let off = square(&mut numbers.iter().zip(expected).map(|(one, other)| one - other));
                let most = if packing.ends_with("8 bits") { 0.01 } else { 0.15 };
                assert!(off.sqrt() <= most * square(&mut expected.iter().copied()).sqrt(), "{name} {packing} {tensor}");
            }
        }
    }
}

/// A header that says other types and shapes than its program writes is refused or read, and never believed.
#[test]
fn parts_of_any_other_type_and_shape_are_refused_or_read() {
    let file = fs::read("tests/quantised/packed/model.safetensors").unwrap();
    let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let config = fs::read("tests/quantised/packed/config.json").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config).unwrap();
    let (mut read, mut refused) = (0, 0);
    for (name, entry) in header.as_object().unwrap() {
        for changed in others(entry) {
            let mut header = header.clone();
            header[name] = changed;
            let text = header.to_string();
            let file = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &file[8 + length..]].concat();
            fs::write(folder.path().join("model.safetensors"), file).unwrap();
            let data = Data::open(folder.path()).unwrap();
            let module: Vec<&str> = name.split('.').take(2).collect();
            for values in data.values().iter().filter(|it| it.name.starts_with(&module.join("."))) {
                match data.read(values, 0..values.elements().min(1 << 16)) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} {refused}");
}

/// The same bytes under another type, in other shapes.
fn others(entry: &Value) -> Vec<Value> {
    let dtype = entry["dtype"].as_str().unwrap();
    let same_size = [&["U8", "I8", "F8_E4M3"][..], &["F16", "BF16", "I16"], &["I32", "U32", "F32"]];
    let types = same_size.iter().find(|it| it.contains(&dtype)).copied().unwrap_or_default();
    let shape: Vec<u64> = entry["shape"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect();
    let all: u64 = shape.iter().product();
    let with = |key: &str, value: Value| {
        let mut changed = entry.clone();
        changed[key] = value;
        changed
    };
    let mut shapes = vec![json!([all]), json!([1, all]), json!([all, 1]), json!([1, 1, 1, all])];
    shapes.extend(all.is_multiple_of(2).then(|| json!([2, all / 2])));
    let types = types.iter().filter(|it| **it != dtype).map(|it| with("dtype", json!(it)));
    types.chain(shapes.into_iter().map(|it| with("shape", it))).collect()
}

/// The folder of a member, to which a test adds.
fn folder_of(name: &str) -> (tempfile::TempDir, Tensors) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(format!("{SMALL}/{name}/config.json"), folder.path().join("config.json")).unwrap();
    (folder, plain(&member(name).0))
}

/// The tensors of a model in two files that count themselves.
fn in_two(folder: &Path, tensors: &Tensors) {
    let half = tensors.len() / 2;
    for part in 0..2 {
        let of = tensors.iter().skip(part * half).take(if part == 0 { half } else { usize::MAX });
        let of: Tensors = of.map(|(name, it)| (name.clone(), it.clone())).collect();
        save(&folder.join(format!("model-0000{}-of-00002.safetensors", part + 1)), &of);
    }
}

#[track_caller]
fn holds_the_model(folder: &Path, name: &str) {
    let (found, expected) = (told(folder), told(&Path::new(SMALL).join(name)));
    assert_eq!((found.parameters, found.tensors), (expected.parameters, expected.tensors));
    let (ours, theirs) = (opened(folder), opened(&Path::new(SMALL).join(name)));
    let weights = compare_with_weights(&ours, &theirs, Catalog::builtin(), &Look::default()).unwrap().weights;
    assert_eq!(weights.relation, WeightsRelation::Identical, "{:#?}", weights.reasons);
}

#[test]
fn two_sets_of_weights_count_once() {
    let (folder, tensors) = folder_of("base_b");
    in_two(folder.path(), &tensors);
    let of_meta = tensors.iter().map(|(name, it)| (name.trim_start_matches("model.").to_owned(), it.clone()));
    save(&folder.path().join("consolidated.safetensors"), &of_meta.collect());
    holds_the_model(folder.path(), "base_b");
}

#[test]
fn a_variant_or_a_draft_beside_the_model_is_no_part_of_it() {
    let (folder, tensors) = folder_of("ft_legal");
    save(&folder.path().join("model.safetensors"), &tensors);
    save(&folder.path().join("model.fp16.safetensors"), &tensors);
    save(
        &folder.path().join("draft_head.safetensors"),
        &Tensors::from([("fc.weight".into(), floats(&[2], &[1.0, 2.0]))]),
    );
    holds_the_model(folder.path(), "ft_legal");
}

#[test]
fn an_index_of_files_that_were_replaced_gives_way_to_those_that_are_there() {
    let (folder, tensors) = folder_of("base_c");
    in_two(folder.path(), &tensors);
    let map: BTreeMap<&String, &str> = tensors.keys().map(|it| (it, "model-00001-of-00009.safetensors")).collect();
    let index = json!({"metadata": {}, "weight_map": map}).to_string();
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    holds_the_model(folder.path(), "base_c");
    let found = told(folder.path());
    assert!(found.findings.iter().any(|it| it.code == "index-stale"), "{:#?}", found.findings);
}

#[test]
fn numbers_that_python_writes_do_not_cost_the_configuration() {
    let (folder, tensors) = folder_of("base_a");
    save(&folder.path().join("model.safetensors"), &tensors);
    let path = folder.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap().replacen('{', "{\"time_step_limit\": [0.0, Infinity],", 1);
    fs::write(&path, text).unwrap();
    holds_the_model(folder.path(), "base_a");
    let found = told(folder.path());
    assert_eq!(found.dimensions, told(&Path::new(SMALL).join("base_a")).dimensions);
    let codes: Vec<&str> = found.findings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["config-as-python"]);
}

#[test]
fn shares_of_several_devices_are_refused_with_what_joins_them() {
    let (folder, tensors) = folder_of("base_a");
    for rank in 0..2 {
        save(&folder.path().join(format!("consolidated.0{rank}.safetensors")), &tensors);
    }
    let error = Checkpoint::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Ranks { .. }), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("convert_llama_weights_to_hf") && hint.contains("ranks-meta"), "{hint}");
}

/// The same factors give the same answer whichever program wrote them.
#[test]
fn adapters_of_every_program_are_told_alike() {
    let path = Path::new("tests/families/adapters");
    let data = Data::open(&path.join("lora")).unwrap();
    let expected = relation(&path.join("lora"), path);
    assert_eq!(expected.0, WeightsRelation::Derived);
    for style in ["bare", "default", "mlx", "torchtune"] {
        let folder = tempfile::tempdir().unwrap();
        let mut tensors = Tensors::new();
        for it in data.values() {
            let numbers = data.read(it, 0..it.elements()).unwrap();
            let shape: Vec<usize> = it.shape.iter().map(|size| usize::try_from(*size).unwrap()).collect();
            let bare = it.name.trim_start_matches("base_model.model.");
            let (name, is_turned) = match style {
                "bare" => (bare.to_owned(), false),
                "default" => (
                    it.name
                        .replace("lora_A.weight", "lora_A.default.weight")
                        .replace("lora_B.weight", "lora_B.default.weight"),
                    false,
                ),
                "mlx" => {
                    (bare.trim_end_matches(".weight").replace("lora_A", "lora_a").replace("lora_B", "lora_b"), true)
                }
                _ => (bare.replace("lora_A", "lora_a").replace("lora_B", "lora_b"), false),
            };
            let stored = if is_turned {
                floats(&[shape[1], shape[0]], &transposed(&numbers, shape[1]))
            } else {
                floats(&shape, &numbers)
            };
            tensors.insert(name, stored);
        }
        let file = if style == "mlx" { "adapters.safetensors" } else { "adapter_model.safetensors" };
        save(&folder.path().join(file), &tensors);
        let found = told(folder.path());
        assert!(found.findings.iter().any(|it| it.code == "adapter"), "{style}: {:#?}", found.findings);
        assert_eq!(relation(folder.path(), path), expected, "{style}");
    }
}

fn relation(adapter: &Path, bases: &Path) -> (WeightsRelation, Option<f64>) {
    let (ours, theirs) = (opened(adapter), opened(&bases.join("base_a")));
    let weights = compare_with_weights(&ours, &theirs, Catalog::builtin(), &Look::default()).unwrap().weights;
    (weights.relation, weights.log10_p)
}

/// A whole model under an adapter's prefix is a model, and not told as an adapter without a base.
#[test]
fn a_prefix_makes_no_adapter() {
    let (folder, tensors) = folder_of("base_a");
    let prefixed = tensors.iter().map(|(name, it)| (format!("base_model.model.{name}"), it.clone()));
    save(&folder.path().join("model.safetensors"), &prefixed.collect());
    assert!(Checkpoint::open(folder.path()).unwrap().adapter.is_none());
    assert_eq!(told(folder.path()).parameters, told(&Path::new(SMALL).join("base_a")).parameters);
}
