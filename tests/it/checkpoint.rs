//! Properties of the safetensors reader: it reads what the `safetensors` crate writes, agrees with it on whatever both
//! accept, and survives any bytes.

use std::collections::HashMap;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use unshell::bytes::Memory;
use unshell::checkpoint::Checkpoint;

use crate::hostile::agree;

const DTYPES: &[Dtype] = &[
    Dtype::BOOL,
    Dtype::F4,
    Dtype::F6_E2M3,
    Dtype::F6_E3M2,
    Dtype::U8,
    Dtype::I8,
    Dtype::F8_E5M2,
    Dtype::F8_E4M3,
    Dtype::F8_E8M0,
    Dtype::I16,
    Dtype::U16,
    Dtype::F16,
    Dtype::BF16,
    Dtype::I32,
    Dtype::U32,
    Dtype::F32,
    Dtype::C64,
    Dtype::F64,
    Dtype::I64,
    Dtype::U64,
];

fn open(bytes: Vec<u8>) -> Result<Checkpoint, unshell::checkpoint::Error> {
    Checkpoint::from_source(Path::new("model.safetensors"), &Memory::new(bytes))
}

fn dtype() -> impl Strategy<Value = Dtype> {
    proptest::sample::select(DTYPES)
}

/// Sizes with zeros among them; the last one is even, so that it makes whole bytes for most sub-byte types.
fn shape() -> impl Strategy<Value = Vec<usize>> {
    (vec(0_usize..5, 0..4), prop_oneof![Just(8_usize), Just(4)]).prop_map(|(mut sizes, last)| {
        if !sizes.is_empty() {
            sizes.push(last);
        }
        sizes
    })
}

/// A file as the crate writes it.
fn written() -> impl Strategy<Value = Vec<u8>> {
    let tensors = vec(("[a-z词.0-9]{1,12}", dtype(), shape()), 0..6);
    let metadata = proptest::option::of(proptest::collection::hash_map("[a-z]{0,5}", ".{0,8}", 0..3));
    (tensors, metadata).prop_map(|(tensors, metadata)| {
        // The crate writes broken JSON for an empty map beside no tensors.
        let metadata = metadata.filter(|it| !it.is_empty());
        let zeros = vec![0_u8; 8 * 5 * 5 * 5 * 8];
        let view = |dtype: Dtype, shape: Vec<usize>| {
            let bits = shape.iter().product::<usize>() * dtype.bitsize();
            TensorView::new(dtype, shape, &zeros[..bits / 8]).ok()
        };
        let tensors: HashMap<String, TensorView<'_>> =
            tensors.into_iter().filter_map(|(name, dtype, shape)| Some((name, view(dtype, shape)?))).collect();
        serialize(tensors, metadata).unwrap()
    })
}

/// A header that is nearly right: its offsets, sizes and types may be off by a little.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let nudge = || prop_oneof![6 => Just(0_i64), 1 => -8_i64..9, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    let name = prop_oneof![8 => "[ab]{1,2}", 1 => Just("__metadata__".to_owned()), 1 => Just(String::new())];
    let dtype = prop_oneof![8 => dtype().prop_map(|it| it.to_string()), 1 => Just("U4".to_owned())];
    let tensor = (name, dtype, shape(), nudge(), nudge());
    (vec(tensor, 0..5), nudge(), "[ \n]{0,2}").prop_map(|(tensors, tail, padding)| {
        let mut at = 0_i64;
        let mut entries = Vec::new();
        for (name, dtype, shape, begin, end) in tensors {
            let bits = DTYPES.iter().find(|it| it.to_string() == dtype).map_or(4, Dtype::bitsize);
            let size = (shape.iter().product::<usize>() * bits / 8) as i64;
            let (from, to) = (at.saturating_add(begin), at.saturating_add(size).saturating_add(end));
            entries
                .push(format!("{name:?}:{{\"dtype\":{dtype:?},\"shape\":{shape:?},\"data_offsets\":[{from},{to}]}}"));
            at = to.clamp(0, 1 << 16);
        }
        let header = format!("{{{}}}{padding}", entries.join(","));
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + at.saturating_add(tail).clamp(0, 1 << 16) as usize, 0);
        bytes
    })
}

fn both_agree(bytes: Vec<u8>) {
    if let (Ok((header, theirs)), Ok(ours)) = (SafeTensors::read_metadata(&bytes), open(bytes.clone())) {
        agree(header, &theirs, &ours);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_crate_writes_is_read(bytes in written()) {
        let (header, theirs) = SafeTensors::read_metadata(&bytes).unwrap();
        let ours = open(bytes.clone()).unwrap();
        agree(header, &theirs, &ours);
        prop_assert_eq!(ours.data_bytes(), (bytes.len() - 8 - header) as u64);
        let harmless = ["no-tensors", "unprintable-name", "empty-tensors"];
        prop_assert!(ours.findings.iter().all(|it| harmless.contains(&it.code.as_str())));
    }

    #[test]
    fn a_header_that_is_nearly_right_is_read_as_the_crate_reads_it(bytes in nearly_right()) {
        both_agree(bytes);
    }

    #[test]
    fn a_changed_byte_is_survived(mut bytes in written(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let at = at.index(bytes.len());
        bytes[at] = byte;
        both_agree(bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
        let _ = open(bytes);
    }

    #[test]
    fn any_text_as_a_header_is_survived(text in "[\\[\\]{}\",:0-9a-z_. -]{0,60}") {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.bytes());
        both_agree(bytes);
    }
}
