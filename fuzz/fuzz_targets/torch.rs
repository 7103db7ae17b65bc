//! Any file, read as whatever it looks like: zip archives, pickles of both kinds, and what is neither.
#![no_main]

use unshell_fuzz::{Folder, read_all};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read_all(Folder::new([("pytorch_model.bin", bytes.to_vec())]));
});
