//! Any header, behind its right length and before some data.
#![no_main]

use unshell_fuzz::{Folder, read_all};

libfuzzer_sys::fuzz_target!(|header: &[u8]| {
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 64]].concat();
    read_all(Folder::new([("model.safetensors", bytes)]));
});
