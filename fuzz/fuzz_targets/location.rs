//! Any location; what is printed of it must be read back as the same.
#![no_main]

use unshell::bytes::Location;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(location @ (Location::Hub(_) | Location::Web(_))) = Location::parse(text) {
        assert_eq!(Location::parse(&location.to_string()).ok(), Some(location));
    }
});
