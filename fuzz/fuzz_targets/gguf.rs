//! Any file that begins as GGUF does, described and read.
#![no_main]

use unshell_fuzz::{Folder, read_all};

libfuzzer_sys::fuzz_target!(|rest: &[u8]| {
    read_all(Folder::new([("model.gguf", [b"GGUF", rest].concat())]));
});
