//! How fast the numbers of a checkpoint can be gone over: blocks of a bf16 file decoded and squared on all cores,
//! against plain reading of the same bytes.
//!
//! `cargo bench -p unshell-benches --bench stream`. Plain reading is a sum of 64-bit words: of a file that is mapped
//! into memory, for the first time and once more when its pages are in place; of bytes in this program's own memory; of
//! blocks that are read. Mapping needs `unsafe`, which this crate forbids, so `benches/mapped/mapped.rs` is a program
//! of its own that is built and run here, where there is a `rustc`. All take turns, and the best of each counts.
//! Nothing fails for being slow.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and stop")]
#![expect(clippy::print_stdout, reason = "the numbers are for reading")]

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use unshell::checkpoint::Data;

/// Bytes of data of the file that is timed, and of the sparse one that only shows how much memory is taken.
const TIMED: u64 = 512 << 20;
const LARGE: u64 = 8 << 30;
/// What the plain readers take at once.
const BLOCK: usize = 128 << 10;
const ROUNDS: usize = 15;

/// A safetensors file of one bf16 tensor; filled with numbers or sparse.
fn file(folder: &Path, length: u64, is_filled: bool) -> PathBuf {
    let path = folder.join(format!("{length}.safetensors"));
    let header = format!(r#"{{"a":{{"dtype":"BF16","shape":[{}],"data_offsets":[0,{length}]}}}}"#, length / 2);
    let header = format!("{header:<96}");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    if is_filled {
        let block: Vec<u8> = (0..1 << 20_u32).flat_map(|it| (0x3c00 | (it % 0x300) as u16).to_le_bytes()).collect();
        (0..length / block.len() as u64).for_each(|_| file.write_all(&block).unwrap());
    }
    file.set_len(104 + length).unwrap();
    path
}

/// The sum of all squares, in an order that no number of cores changes.
fn sum_of_squares(path: &Path) -> f64 {
    let data = Data::open(path).unwrap();
    let squares = |_, numbers: &[f32]| pulp::Arch::new().dispatch(Squares(numbers));
    data.pieces(&data.values()[0], squares).unwrap().into_iter().sum()
}

/// The sum of squares of one piece, compiled once for each kind of instructions.
struct Squares<'a>(&'a [f32]);

impl pulp::NullaryFnOnce for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        const LANES: usize = 32;
        let (lanes, rest) = self.0.as_chunks::<LANES>();
        let mut sums = [0.0_f32; LANES];
        for numbers in lanes {
            for (sum, it) in sums.iter_mut().zip(numbers) {
                *sum += it * it;
            }
        }
        sums.into_iter().chain(rest.iter().map(|it| it * it)).map(f64::from).sum()
    }
}

fn words(block: &[u8]) -> u64 {
    block.as_chunks().0.iter().fold(0, |sum: u64, it| sum.wrapping_add(u64::from_le_bytes(*it)))
}

fn from_memory(bytes: &[u8]) -> u64 {
    bytes.par_chunks(BLOCK).map(words).reduce(|| 0, u64::wrapping_add)
}

fn from_file(path: &Path) -> u64 {
    let file = fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let read = |buffer: &mut Vec<u8>, block: u64| {
        let start = block * BLOCK as u64;
        buffer.resize((length - start).min(BLOCK as u64) as usize, 0);
        file.read_exact_at(buffer, start).unwrap();
        words(buffer)
    };
    (0..length.div_ceil(BLOCK as u64)).into_par_iter().map_init(Vec::new, read).reduce(|| 0, u64::wrapping_add)
}

/// The most memory that this program ever had, in MB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// What the threads of this program had of the processors so far, in seconds: other programs do not count, unlike in
/// seconds on the clock.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn seconds<T>(run: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(run());
    start.elapsed().as_secs_f64()
}

/// The program that maps a file; none where it cannot be built, which is said.
fn mapped(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("mapped");
    let built = Command::new("rustc")
        .args(["-O", "--edition", "2024", concat!(env!("CARGO_MANIFEST_DIR"), "/mapped/mapped.rs"), "-o"])
        .arg(&program)
        .status();
    let is_built = built.as_ref().is_ok_and(|it| it.success());
    if !is_built {
        println!("reading of a mapped file was not measured: rustc gave {built:?}");
    }
    is_built.then_some(program)
}

/// Seconds of the first and of the second pass over a fresh mapping.
fn from_mapping(program: &Path, path: &Path) -> [f64; 2] {
    let output = Command::new(program).arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut seconds = text.split_whitespace().map(|it| it.parse().unwrap());
    [seconds.next().unwrap(), seconds.next().unwrap()]
}

fn stream(bench: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let large = file(folder.path(), LARGE, false);
    let took = seconds(|| sum_of_squares(&large));
    println!(
        "a sparse file of {} GB: {took:.1} s, at most {} MB of memory in this program so far",
        LARGE >> 30,
        peak()
    );
    let path = file(folder.path(), TIMED, true);
    let (took, small) = (seconds(|| sum_of_squares(&path)), peak());
    println!("a file of {} MB, first time: {took:.2} s, at most {small} MB of memory", TIMED >> 20);
    let bytes = fs::read(&path).unwrap();
    let program = mapped(folder.path());
    let mut best = [f64::MAX; 5];
    for _ in 0..ROUNDS {
        let [fresh, again] = program.as_ref().map_or([f64::MAX; 2], |it| from_mapping(it, &path));
        let round = [
            seconds(|| sum_of_squares(&path)),
            fresh,
            again,
            seconds(|| from_memory(&bytes)),
            seconds(|| from_file(&path)),
        ];
        best.iter_mut().zip(round).for_each(|(best, it)| *best = best.min(it));
    }
    let rate = best.map(|it| TIMED as f64 / it / 1e9);
    println!("best of {ROUNDS}, {} threads, GB a second:", rayon::current_num_threads());
    println!("  decoded and squared                  {:6.2}", rate[0]);
    let plain = ["mapped, first pass", "mapped, second pass", "this program's memory", "file, by blocks"];
    for (what, rate_of) in plain.iter().zip(&rate[1..]).filter(|(_, it)| **it > 0.001) {
        println!("  plain: {what:<28}  {rate_of:6.2}   of which that is {:3.0} %", 100.0 * rate[0] / rate_of);
    }

    let taken = |run: &dyn Fn()| {
        let before = processor();
        (0..ROUNDS).for_each(|_| run());
        processor() - before
    };
    let decoded = taken(&|| _ = black_box(sum_of_squares(&path)));
    let plain = taken(&|| _ = black_box(from_file(&path)));
    println!(
        "{ROUNDS} rounds in seconds of processor time: {decoded:.2} decoded and squared, {plain:.2} plain, the file by"
    );
    println!("  blocks: {:.0} % of its rate", 100.0 * plain / decoded);

    let mut group = bench.benchmark_group("512 MB of bf16");
    group.sample_size(10).throughput(Throughput::Bytes(TIMED));
    group.bench_function("decoded and squared", |it| it.iter(|| sum_of_squares(&path)));
    group.bench_function("read from memory, plain", |it| it.iter(|| from_memory(black_box(&bytes))));
    group.bench_function("read from the file, plain", |it| it.iter(|| from_file(&path)));
    group.finish();
}

criterion_group!(benches, stream);
criterion_main!(benches);
