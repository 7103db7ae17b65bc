//! One array of NumPy in an archive that is sound: any header, any data. Whole archives are the target `torch`.
#![no_main]

use unshell_fuzz::{Folder, read_all};

libfuzzer_sys::fuzz_target!(|array: &[u8]| {
    read_all(Folder::new([("arrays.npz", archive(b"a.npy", array))]));
});

/// A zip archive of one stored entry.
fn archive(name: &[u8], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    let name_length = (name.len() as u16).to_le_bytes();
    let shared = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0; 4], &length, &length, &name_length, &[0; 2]].concat();
    let front = [b"PK\x03\x04", &shared[..], name, data].concat();
    let directory = [b"PK\x01\x02\x14\x00", &shared[..], &[0; 14], name].concat();
    let end = [
        b"PK\x05\x06",
        &[0, 0, 0, 0, 1, 0, 1, 0][..],
        &(directory.len() as u32).to_le_bytes(),
        &(front.len() as u32).to_le_bytes(),
        &[0; 2],
    ]
    .concat();
    [front, directory, end].concat()
}
