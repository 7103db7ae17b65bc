//! Any header, and a configuration behind it, of a folder whose weights may be packed or scaled: GPTQ, AWQ, FP8, MXFP4.
#![no_main]

use unshell_fuzz::{Folder, read_all, safetensors};

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let cut = text.iter().position(|it| *it == b'\n').unwrap_or(text.len());
    let (header, config) = text.split_at(cut);
    read_all(Folder::new([("model.safetensors", safetensors(header)), ("config.json", config.to_vec())]));
});
