//! Any file, read as whatever it looks like: zip archives, pickles of both kinds, and what is neither.
#![no_main]

use std::path::Path;

use unshell::bytes::Memory;
use unshell::checkpoint::Checkpoint;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Checkpoint::from_source(Path::new("pytorch_model.bin"), &Memory::new(bytes));
});
