//! PyTorch files: what the real writer wrote is read as it was meant, and any opcodes are survived.
//!
//! `tests/torch/make.py` says how the files were made.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use unshell::bytes::Memory;
use unshell::checkpoint::Checkpoint;

use crate::draft_torch::{Entry, archive};

/// A file of the real writer, as one line a tensor and one a finding.
fn described(name: &str) -> Vec<String> {
    let checkpoint = Checkpoint::open(&Path::new("tests/torch").join(name)).unwrap();
    let tensors = checkpoint.tensors.iter().map(|it| format!("{} {} {:?}", it.name, it.dtype, it.shape));
    tensors.chain(checkpoint.findings.iter().map(|it| format!("! {}", it.code))).collect()
}

#[test]
fn both_formats_of_the_real_writer_are_read_alike() {
    let expected = [
        "embed.weight F32 [6, 4]",
        "half F16 [2, 3]",
        "head.weight F32 [6, 4]",
        "mask BOOL [0, 5]",
        "steps I64 []",
        "turned BF16 [4, 3]",
        "! empty-tensors",
        "! shared-data",
        "! strided-view",
    ];
    assert_eq!(described("zip.bin"), expected);
    assert_eq!(described("stream.bin"), expected);
}

#[test]
fn the_data_is_where_the_table_says() {
    for name in ["zip.bin", "stream.bin"] {
        let path = Path::new("tests/torch").join(name);
        let (bytes, checkpoint) = (std::fs::read(&path).unwrap(), Checkpoint::open(&path).unwrap());
        let data = |name: &str| {
            let range = &checkpoint.tensors.iter().find(|it| it.name == name).unwrap().data;
            &bytes[range.start as usize..range.end as usize]
        };
        assert_eq!(data("steps"), 7_i64.to_le_bytes());
        assert_eq!(data("half"), [0x00, 0x3c].repeat(6));
        assert_eq!(data("turned")[..6], [0, 0, 0x80, 0x3f, 0, 0x40]);
        assert_eq!(data("embed.weight"), data("head.weight"));
    }
}

#[test]
fn a_training_snapshot_and_a_whole_module_are_described() {
    assert_eq!(described("training.pt"), ["a F8_E4M3 [2]", "b F32 [2]", "! wrapped-weights"]);
    let expected = ["layer.bias F32 [2]", "layer.weight F32 [2, 3]", "! other-values"];
    let module = described("module.pt");
    assert_eq!(module[..3], expected);
    assert!(module[3..].iter().all(|it| it == "! pickle-calls") && module.len() > 4, "{module:?}");
}

fn open(bytes: Vec<u8>) {
    let _ = Checkpoint::from_source(Path::new("model.bin"), &Memory::new(bytes));
}

/// Opcodes that take an argument, with a small one, among any others.
fn opcodes() -> impl Strategy<Value = Vec<u8>> {
    let tame = prop_oneof![
        Just(b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec()),
        Just(b"ctorch\nFloatStorage\n".to_vec()),
        Just(b"ccollections\nOrderedDict\n".to_vec()),
        Just(b"cos\nsystem\n".to_vec()),
        Just(b"X\x07\0\0\0storage".to_vec()),
        (0_u8..4).prop_map(|it| vec![b'K', it]),
        (0_u8..4).prop_map(|it| vec![b'q', it]),
        (0_u8..4).prop_map(|it| vec![b'h', it]),
        proptest::sample::select(&b"(0122}])tlde\x85\x86\x87\x8f\x90\x91\x92\x93\x94asuRbo\x81QNN((((ttt"[..])
            .prop_map(|it| vec![it]),
        any::<u8>().prop_map(|it| vec![it]),
    ];
    vec(tame, 0..60).prop_map(|parts| parts.concat())
}

/// `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: 2 * usual.cases, failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_opcodes_are_survived(opcodes in opcodes()) {
        let pickle = [&b"\x80\x02}"[..], &opcodes, b"."].concat();
        open(pickle.clone());
        let entry = |name: &str, body| Entry { name: name.into(), body, ..Entry::default() };
        open(archive(&[entry("a/data.pkl", pickle), entry("a/data/storage", vec![0; 8])], None));
    }

    #[test]
    fn a_changed_byte_of_a_real_file_is_survived(
        name in proptest::sample::select(&["zip.bin", "stream.bin", "module.pt"][..]),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = std::fs::read(Path::new("tests/torch").join(name)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        open(bytes.clone());
        bytes.truncate(at);
        open(bytes);
    }
}
