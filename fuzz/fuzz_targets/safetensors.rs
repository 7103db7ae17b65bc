//! Any header, behind its right length and before some data.
#![no_main]

use std::path::Path;

use unshell::bytes::Memory;
use unshell::checkpoint::Checkpoint;

libfuzzer_sys::fuzz_target!(|header: &[u8]| {
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 64]].concat();
    let _ = Checkpoint::from_source(Path::new("model.safetensors"), &Memory::new(bytes));
});
