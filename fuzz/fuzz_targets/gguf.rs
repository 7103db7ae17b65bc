//! Any file that begins as GGUF does.
#![no_main]

use std::path::Path;

use unshell::bytes::Memory;
use unshell::checkpoint::Checkpoint;

libfuzzer_sys::fuzz_target!(|rest: &[u8]| {
    let bytes = [b"GGUF", rest].concat();
    let _ = Checkpoint::from_source(Path::new("model.gguf"), &Memory::new(bytes));
});
