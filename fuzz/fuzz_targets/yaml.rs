//! Any YAML, read as a rubric: the preflight, the reader, and the validation behind both.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let _ = unshell::rubric::read("rubric.yaml", text);
});
