//! Any graph behind the first fields of an ONNX file, with a file of data beside it.
#![no_main]

use unshell_fuzz::{Folder, read_all};

libfuzzer_sys::fuzz_target!(|rest: &[u8]| {
    // `ir_version` 8 and an empty `producer_name`.
    let model = [&[0x08, 0x08, 0x12, 0x00], rest].concat();
    read_all(Folder::new([("model.onnx", model), ("model.onnx.data", vec![0x3c; 4_096])]));
});
