//! Reads a file that is mapped into memory, on two threads or as many as there are cores: a sum of its 64-bit words.
//!
//! `rustc -O benches/mapped/mapped.rs -o target/mapped && target/mapped FILE`. Not part of the crate, which forbids the
//! `unsafe` that a mapping needs; `benches/stream.rs` builds and runs it where there is a `rustc`. Prints the seconds
//! of a first pass over a fresh mapping, and of a second one, whose pages are in place already.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::time::Instant;

unsafe extern "C" {
    fn mmap(address: *mut c_void, length: usize, protection: c_int, flags: c_int, file: c_int, at: i64) -> *mut c_void;
}

const READ: c_int = 1;
const SHARED: c_int = 1;

fn words(block: &[u8]) -> u64 {
    block.as_chunks().0.iter().fold(0, |sum: u64, it| sum.wrapping_add(u64::from_le_bytes(*it)))
}

fn pass(bytes: &[u8], threads: usize) -> (f64, u64) {
    let start = Instant::now();
    let parts: Vec<&[u8]> = bytes.chunks(bytes.len().div_ceil(threads)).collect();
    let sums = std::thread::scope(|scope| {
        let running: Vec<_> = parts.into_iter().map(|it| scope.spawn(|| words(it))).collect();
        running.into_iter().map(|it| it.join().expect("no sum panics")).collect::<Vec<_>>()
    });
    (start.elapsed().as_secs_f64(), sums.into_iter().fold(0, u64::wrapping_add))
}

fn main() {
    let path = std::env::args_os().nth(1).expect("name a file");
    let file = File::open(path).expect("a file that can be opened");
    let length = usize::try_from(file.metadata().expect("a length").len()).expect("a length that can be mapped");
    // SAFETY: the file is ours and stays as it is while this runs; the mapping is only read, and ends with the process.
    let bytes = unsafe {
        let start = mmap(std::ptr::null_mut(), length, READ, SHARED, file.as_raw_fd(), 0);
        assert!(start.addr() != usize::MAX, "the file cannot be mapped");
        std::slice::from_raw_parts(start.cast::<u8>(), length)
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let (first, second) = (pass(bytes, threads), pass(bytes, threads));
    assert_eq!(first.1, second.1);
    println!("{} {}", first.0, second.0);
}
