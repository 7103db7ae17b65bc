//! How long the answers take: `inspect`, `compare` and `identify` on local headers, and a case from YAML to four memos.
//!
//! `cargo bench -p unshell-benches --bench answers`. Nothing here fails for being slow: the numbers are for reading.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and stop")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::lineage::{self, Model};
use unshell::remote::Reach;
use unshell::report::{self, FontSources, Format};
use unshell::{evidence, rubric, scoring};

const SUBJECT: &str = "catalog:01-ai/Yi-34B@2023-11";
/// A case in the source tree: benches run in the folder of their package.
const CASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/yi-34b");
const REFERENCE: &str = "catalog:meta-llama/Llama-2-70b-hf";

fn models(bench: &mut Criterion) {
    let catalog = Catalog::builtin();
    let open = |location| Model::open(location, Path::new("."), catalog, &Reach::local()).unwrap();
    let (subject, reference) = (open(SUBJECT), open(REFERENCE));
    bench.bench_function("inspect a catalogued 34B blueprint", |it| it.iter(|| lineage::inspect(black_box(&subject))));
    bench.bench_function("compare two blueprints", |it| {
        it.iter(|| lineage::compare(black_box(&subject), &reference, catalog));
    });
    bench.bench_function("identify among all entries", |it| {
        it.iter(|| lineage::identify(black_box(&subject), catalog, 10));
    });
}

fn case(bench: &mut Criterion) {
    let folder = Path::new(CASE);
    let case = Case::read_with_models(folder).unwrap();
    let rubric = rubric::find(&case.rubric, folder).unwrap();
    let evidence = evidence::collect(&case, Catalog::builtin(), &Reach::local(), &[]).unwrap();
    let card = scoring::score(&rubric, &case, &evidence);
    let mut group = bench.benchmark_group("the Yi-34B case");
    group.sample_size(10);
    group.bench_function("read", |it| it.iter(|| Case::read_with_models(black_box(folder)).unwrap()));
    group.bench_function("collect", |it| {
        it.iter(|| evidence::collect(black_box(&case), Catalog::builtin(), &Reach::local(), &[]).unwrap());
    });
    group.bench_function("score", |it| it.iter(|| scoring::score(&rubric, black_box(&case), &evidence)));
    let fonts = FontSources { folders: Vec::new(), system: false };
    let mut formats = vec![("HTML memos", Format::Html)];
    if cfg!(feature = "pdf") {
        formats.push(("PDF memos", Format::Pdf));
    }
    for (name, format) in formats {
        group.bench_function(name, |it| {
            it.iter(|| report::memos(black_box(&card), &case.languages, &[format], &fonts).unwrap());
        });
    }
}

criterion_group!(answers, models, case);
criterion_main!(answers);
