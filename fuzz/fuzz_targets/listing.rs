//! Any answer of a hub; whatever names it gives must lead nowhere else.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    for name in unshell::remote::names_in_answer(text) {
        assert!(!name.starts_with('/') && !name.contains('\\') && !name.split('/').any(|it| it == ".."), "{name}");
    }
});
