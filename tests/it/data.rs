//! The numbers behind the headers: what the formats' own libraries make of the same files, to the last bit.

use std::path::Path;

use unshell::checkpoint::Data;

/// Numbers as a writer of another language left them.
fn numbers(path: &str) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    bytes.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|it| it.to_bits()).collect()
}

/// All of it, and every odd range of it, is as expected.
#[track_caller]
fn check(data: &Data, name: &str, expected: &[f32]) {
    let values = data.find(name).unwrap_or_else(|| panic!("{name} is not there"));
    assert_eq!(values.elements(), expected.len() as u64, "{name}: {:?}", values.shape);
    assert_eq!(bits(&data.read(values, 0..values.elements()).unwrap()), bits(expected), "{name}");
    for start in (0..expected.len()).step_by(7) {
        for end in (start..=expected.len()).step_by(13) {
            let found = data.read(values, start as u64..end as u64).unwrap();
            assert_eq!(bits(&found), bits(&expected[start..end]), "{name} {start}..{end}");
        }
    }
}

#[test]
fn blocks_of_gguf_are_decoded_as_its_own_library_does() {
    let data = Data::open(Path::new("tests/gguf/blocks.gguf")).unwrap();
    let expected = numbers("tests/gguf/blocks.f32");
    assert_eq!(data.values().len(), 11);
    for (values, expected) in data.values().iter().zip(expected.chunks(512)) {
        assert_eq!(values.shape[0], 2);
        check(&data, &values.name, &expected[..values.elements() as usize]);
    }
}

#[test]
fn rows_that_llama_cpp_wove_are_in_their_own_order_again() {
    let data = Data::open(Path::new("tests/gguf/woven.gguf")).unwrap();
    let expected = numbers("tests/gguf/unwoven.f32");
    check(&data, "blk.0.attn_q.weight", &expected[..80]);
    check(&data, "blk.0.attn_k.weight", &expected[80..]);
    check(&data, "blk.0.attn_v.weight", &expected[80..]);
}

#[test]
fn views_of_pytorch_are_read_in_the_order_of_their_shape() {
    for file in ["tests/torch/zip.bin", "tests/torch/stream.bin"] {
        let data = Data::open(Path::new(file)).unwrap();
        let turned: Vec<f32> = (0..4).flat_map(|column| (0..3).map(move |row| (row * 4 + column) as f32)).collect();
        check(&data, "turned", &turned);
        check(&data, "half", &[1.0; 6]);
        check(&data, "steps", &[7.0]);
        check(&data, "mask", &[]);
        let tied = |name: &str| data.read(data.find(name).unwrap(), 0..24).unwrap();
        assert_eq!(tied("embed.weight"), tied("head.weight"));
        // 24 + 6 halves + 12 bf16 + 1 i64: tied tensors are stored once.
        assert_eq!(data.checkpoint().data_bytes(), 24 * 4 + 6 * 2 + 12 * 2 + 8);
    }
}

/// Whatever the layout and the number of threads, the pieces are the whole in its order.
#[test]
fn pieces_are_the_whole_in_order_on_any_number_of_threads() {
    let paths = ["tests/gguf/blocks.gguf", "tests/gguf/woven.gguf", "tests/quantised/first", "tests/torch/zip.bin"];
    for path in paths.into_iter().chain(["tests/gguf/lattices.gguf", "tests/quantised/packed"]) {
        let data = Data::open(Path::new(path)).unwrap();
        for values in data.values().iter().filter(|it| it.unreadable.is_none()) {
            let whole = data.read(values, 0..values.elements()).unwrap();
            let pieces = data.pieces(values, |_, numbers| numbers.to_vec()).unwrap();
            assert_eq!(bits(&pieces.concat()), bits(&whole), "{path} {}", values.name);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let header = br#"{"a":{"dtype":"BF16","shape":[200001],"data_offsets":[0,400002]}}"#;
    let stored = (0..200_001_u32).flat_map(|it| (it as u16).to_le_bytes());
    let file: Vec<u8> = (header.len() as u64).to_le_bytes().into_iter().chain(*header).chain(stored).collect();
    std::fs::write(&path, file).unwrap();
    let data = Data::open(&path).unwrap();
    let values = data.find("a").unwrap();
    let sums = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sum = |range: std::ops::Range<u64>, it: &[f32]| (range, it.iter().map(|it| f64::from(*it)).sum::<f64>());
        pool.install(|| data.pieces(values, sum)).unwrap()
    };
    let ranges: Vec<_> = sums(1).into_iter().map(|it| it.0).collect();
    let whole = (0..200_001_u64).step_by(8_192).map(|it| it..200_001.min(it + 8_192));
    assert_eq!(ranges, whole.collect::<Vec<_>>());
    let told = |sums: Vec<(_, f64)>| sums.into_iter().map(|it| it.1.to_bits()).collect::<Vec<_>>();
    assert_eq!(told(sums(1)), told(sums(3)));
}

#[test]
fn pieces_of_what_cannot_be_read_say_why() {
    let data = Data::open(Path::new("tests/quantised/packed")).unwrap();
    let error = data.pieces(data.find("unread.vptq.weight").unwrap(), |_, it| it.len()).unwrap_err().to_string();
    assert!(error.contains("vptq"), "{error}");
}

#[test]
fn a_range_outside_is_refused_by_name() {
    let data = Data::open(Path::new("tests/gguf/woven.gguf")).unwrap();
    let values = data.find("blk.0.attn_v.weight").unwrap();
    let error = data.read(values, 39..41).unwrap_err().to_string();
    assert!(error.contains("`blk.0.attn_v.weight`") && error.contains("not inside"), "{error}");
}

#[test]
fn quantised_layouts_are_unpacked_under_the_name_and_shape_of_the_plain_weight() {
    let folders =
        [("tests/quantised/first", 9, 10), ("tests/quantised/second", 1, 1), ("tests/quantised/packed", 42, 42)];
    for (folder, count, readable_count) in folders {
        let data = Data::open(Path::new(folder)).unwrap();
        let expected = Data::open(&Path::new(folder).join("expected.st")).unwrap();
        assert_eq!(expected.values().len(), count);
        for it in expected.values() {
            let values = data.find(&it.name).unwrap_or_else(|| panic!("{} is not there", it.name));
            assert_eq!((&values.shape, &values.unreadable), (&it.shape, &None), "{}", it.name);
            check(&data, &it.name, &expected.read(it, 0..it.elements()).unwrap());
        }
        let readable: Vec<&str> =
            data.values().iter().filter(|it| it.unreadable.is_none()).map(|it| it.name.as_str()).collect();
        assert_eq!(readable.len(), readable_count, "scales and zero points are no weights of their own: {readable:?}");
    }
}

#[test]
fn layouts_that_are_not_unpacked_say_which_they_are() {
    let data = Data::open(Path::new("tests/quantised/packed")).unwrap();
    let unread: Vec<_> = data.values().iter().filter(|it| it.unreadable.is_some()).collect();
    assert_eq!(unread.len(), 7);
    for values in unread {
        let layout = values.name.split('.').nth(1).unwrap();
        let why = values.unreadable.as_ref().unwrap();
        assert!(why.contains(layout), "{}: {why}", values.name);
        assert!(data.read(values, 0..1).unwrap_err().to_string().contains(layout));
    }
    let shape = |name: &str| data.find(name).unwrap().shape.clone();
    for name in ["aqlm", "eetq", "marlin", "quip", "tiled"] {
        assert_eq!(shape(&format!("unread.{name}.weight")), [8, 64], "{name}");
    }
    assert_eq!(shape("unread.exl3.weight"), [16, 64]);
}

#[test]
fn code_books_of_llama_cpp_are_decoded_as_its_own_library_does() {
    let data = Data::open(Path::new("tests/gguf/lattices.gguf")).unwrap();
    let expected = numbers("tests/gguf/lattices.f32");
    assert_eq!(data.values().len(), 12);
    for (values, expected) in data.values().iter().zip(expected.chunks(512)) {
        check(&data, &values.name, expected);
    }
}

#[test]
fn matrices_of_onnx_are_turned_back_under_the_name_of_their_layer() {
    let data = Data::open(Path::new("tests/onnx/plain.onnx")).unwrap();
    check(&data, "encoder.layer.0.query.weight", &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    check(&data, "head.weight", &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    check(&data, "norm.weight", &[1.0, 2.0, 3.0]);
    assert_eq!(data.find("head.weight").unwrap().shape, [2, 3]);
    check(&data, "varints", &[7.0, 8.0, 300.0]);
    assert!(data.find("val_9").is_none());
}

#[test]
fn integers_of_onnx_are_decoded_with_scale_and_zero_point() {
    let data = Data::open(Path::new("tests/onnx/quantised.onnx")).unwrap();
    check(&data, "a.weight", &[-64.0, 63.5, 2.0, 4.0]);
    check(&data, "b.weight", &[0.5, -0.5, 4.0, -4.0]);
    check(&data, "layer.query.weight", &[1.0, 4.0, 2.0, 8.0, 3.0, 12.0]);
    assert_eq!(data.values().len(), 3);
}

#[test]
fn arrays_of_numpy_are_read_row_by_row_whatever_their_order() {
    let data = Data::open(Path::new("tests/numpy/orders.npz")).unwrap();
    let expected = numbers("tests/numpy/orders.f32");
    let mut at = 0;
    for it in data.values() {
        let end = at + it.elements() as usize;
        check(&data, &it.name, &expected[at..end]);
        at = end;
    }
    assert_eq!((data.values().len(), at), (8, expected.len()));
    let is_turned = |name: &str| data.checkpoint().tensors.iter().any(|it| it.name == name && it.view.is_some());
    assert!(is_turned("f.matrix") && is_turned("f.cube") && !is_turned("c.matrix"));
}

#[test]
fn data_of_onnx_beside_the_model_is_read_in_its_folder_and_refused_without() {
    let data = Data::open(Path::new("tests/onnx/external")).unwrap();
    check(&data, "a.weight", &[1.0, 2.0]);
    let alone = Data::open(Path::new("tests/onnx/external/model.onnx")).unwrap();
    alone.read(alone.find("a.weight").unwrap(), 0..2).unwrap_err();
}
