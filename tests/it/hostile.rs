//! Checkpoints as a stranger might hand them over: each must be described or refused in exactly these words.
//!
//! The folders are described in `tests/hostile/*.txt`; `tests/hostile/README.md` says how.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use unshell::bytes::Memory;
use unshell::checkpoint::{Checkpoint, Dtype, FINDINGS};

use crate::draft_torch::{Entry, Long, archive, opcodes};
use crate::gguf::{self, from_hex};

const FIXTURES: &str = "tests/hostile";

/// Files longer than this are sparse, and are not given to the crate, which wants them in memory.
const LONGEST_IN_MEMORY: u64 = 4 << 20;

#[test]
fn every_fixture_gives_the_expected_words() {
    let mut wrong = String::new();
    for path in fixtures() {
        let expected = path.with_extension("expected");
        let got = outcome(&fs::read_to_string(&path).unwrap());
        if std::env::var_os("UNSHELL_ACCEPT").is_some() {
            fs::write(&expected, &got).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n");
        if got != expected {
            writeln!(wrong, "{}\n--- expected\n{expected}--- got\n{got}", path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A finding that nothing can cause is no finding; one without a fixture may be one.
#[test]
fn every_finding_has_a_fixture_that_causes_it() {
    let mut caused = BTreeSet::new();
    for path in fixtures() {
        let text = fs::read_to_string(path.with_extension("expected")).unwrap();
        let codes = text.lines().filter_map(|line| line.strip_prefix("finding ")?.split([' ', ':']).next());
        caused.extend(codes.map(str::to_owned));
    }
    let listed: BTreeSet<String> = FINDINGS.iter().map(|(code, ..)| (*code).to_owned()).collect();
    assert_eq!(caused, listed);
}

#[test]
fn every_expected_text_has_a_fixture() {
    for entry in fs::read_dir(FIXTURES).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "expected") {
            assert!(path.with_extension("txt").exists(), "{} has no fixture", path.display());
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let entries = fs::read_dir(FIXTURES).unwrap().map(|it| it.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
    paths.retain(|path| cfg!(unix) || can_be_built_everywhere(&fs::read_to_string(path).unwrap()));
    paths.sort();
    assert!(paths.len() > 100, "the fixtures are not where the test looks");
    paths
}

/// Whether a folder needs no pipes, no links and no sparse files.
fn can_be_built_everywhere(text: &str) -> bool {
    !["\npipe ", "\nlink ", "\ndata 200000000000"].iter().any(|directive| text.contains(directive))
}

/// Builds the folder that `text` describes, opens it, and tells what came of it.
fn outcome(text: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().canonicalize().unwrap().join("model");
    let outside = folder.with_file_name("outside");
    for folder in [&folder, &outside] {
        fs::create_dir(folder).unwrap();
    }
    let built = Builder { folder: folder.clone(), outside: outside.clone(), ..Builder::default() }.build(text);
    if let Some(corpus) = std::env::var_os("UNSHELL_CORPUS") {
        keep_as_seeds(&folder, Path::new(&corpus));
    }
    let mut told = told(&Checkpoint::open(&built.opened));
    for file in &built.with_header {
        if fs::metadata(file).unwrap().len() <= LONGEST_IN_MEMORY {
            told.push_str(&told_by_the_crate(file));
        }
    }
    told.replace(folder.to_str().unwrap(), "FOLDER").replace(outside.to_str().unwrap(), "OUTSIDE")
}

/// Hands the files of a folder to the fuzz targets, each without what its target puts in front (`fuzz/seed.sh`).
fn keep_as_seeds(folder: &Path, corpus: &Path) {
    const LONGEST_SEED: u64 = 64 << 10;
    for path in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
        let is_short = fs::symlink_metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= LONGEST_SEED);
        let Some(bytes) = is_short.then(|| fs::read(&path).unwrap()) else { continue };
        let seeds: &[(&str, &[u8])] = match bytes.as_slice() {
            [b'G', b'G', b'U', b'F', rest @ ..] => &[("gguf", rest)],
            [b'{' | b'[', ..] => &[("index", &bytes), ("listing", &bytes)],
            [b'P', b'K', ..] | [0x80, ..] => &[("torch", &bytes)],
            [_, _, _, _, _, _, _, _, header @ ..] => &[("safetensors", header), ("torch", &bytes)],
            _ => &[("torch", &bytes)],
        };
        for (target, seed) in seeds {
            let target = corpus.join(target);
            fs::create_dir_all(&target).unwrap();
            fs::write(target.join(unshell::bytes::sha256(seed)), seed).unwrap();
        }
    }
}

fn told(result: &Result<Checkpoint, unshell::checkpoint::Error>) -> String {
    let checkpoint = match result {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
            return format!("error: {error}\n{hint}");
        }
    };
    let mut told = format!(
        "{} {}: {} files, {} tensors, {} bytes of data, {} bytes read\n",
        checkpoint.format,
        checkpoint.name,
        checkpoint.files.len(),
        checkpoint.tensors.len(),
        checkpoint.data_bytes(),
        checkpoint.bytes_read,
    );
    if let Some(outline) = &checkpoint.outline {
        let names: Vec<String> = outline.names.iter().take(8).map(|it| format!("{it:?}")).collect();
        writeln!(told, "names {} of {}", names.join(" "), outline.names.len()).unwrap();
    }
    for it in &checkpoint.findings {
        let about: Vec<String> = [&it.file, &it.item].into_iter().flatten().map(|it| format!("{it:?}")).collect();
        let about: String = about.iter().map(|it| format!(" {it}")).collect();
        writeln!(told, "finding {}{about}: {}", it.code, it.detail).unwrap();
    }
    if let Some(config) = &checkpoint.config {
        let mut fields: Vec<String> =
            config.as_object().unwrap().iter().map(|(key, it)| format!("{key}={it}")).collect();
        fields.sort();
        writeln!(told, "config {}", fields.join(" ")).unwrap();
    }
    told
}

/// What the `safetensors` crate says of the same bytes. Where both accept, they must have read the same.
fn told_by_the_crate(file: &Path) -> String {
    let bytes = fs::read(file).unwrap();
    let theirs = SafeTensors::read_metadata(&bytes);
    let ours = Checkpoint::from_source(file, &Memory::new(bytes.clone()));
    if let (Ok((header, theirs)), Ok(ours)) = (&theirs, &ours) {
        agree(*header, theirs, ours);
    }
    let verdict = if theirs.is_ok() { "accepts" } else { "refuses" };
    format!("crate {verdict} {}\n", file.file_name().unwrap().to_str().unwrap())
}

/// Our table and the crate's say the same of every tensor.
pub(crate) fn agree(header: usize, theirs: &safetensors::tensor::Metadata, ours: &Checkpoint) {
    assert_eq!(theirs.tensors().len(), ours.tensors.len());
    for it in &ours.tensors {
        let info = theirs.info(&it.name).unwrap_or_else(|| panic!("the crate has no {:?}", it.name));
        let start = 8 + header as u64;
        let offsets = start + info.data_offsets.0 as u64..start + info.data_offsets.1 as u64;
        let shape: Vec<u64> = info.shape.iter().map(|size| *size as u64).collect();
        assert_eq!((&it.dtype, &it.shape, &it.data), (&Dtype::Known(info.dtype), &shape, &offsets), "{}", it.name);
    }
    let metadata = theirs.metadata().clone().unwrap_or_default();
    assert_eq!(metadata.into_iter().collect::<std::collections::BTreeMap<_, _>>(), ours.metadata);
}

/// A folder that is being built from its description.
#[derive(Default)]
struct Builder {
    folder: PathBuf,
    outside: PathBuf,
    file: Option<Draft>,
    built: Built,
}

#[derive(Default)]
struct Built {
    opened: PathBuf,
    with_header: Vec<PathBuf>,
}

/// A file that is being described.
#[derive(Default)]
struct Draft {
    path: PathBuf,
    length: Option<u64>,
    header: Option<Vec<u8>>,
    gguf: Option<gguf::Draft>,
    body: Vec<u8>,
    entries: Vec<Entry>,
    long: Option<Long>,
    sparse: u64,
}

impl Builder {
    fn build(mut self, text: &str) -> Built {
        self.built.opened.clone_from(&self.folder);
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (directive, rest) = line.split_once(' ').unwrap_or((line, ""));
            self.directive(directive, rest);
        }
        self.close();
        self.built
    }

    fn directive(&mut self, directive: &str, rest: &str) {
        if self.file.as_mut().and_then(|it| it.gguf.as_mut()).is_some_and(|it| it.takes(directive, rest)) {
            return;
        }
        match directive {
            "file" => {
                self.close();
                self.file = Some(Draft { path: self.path(rest), ..Draft::default() });
            }
            "header" => self.draft().header().extend(rest.bytes()),
            "header-hex" => self.draft().header().extend(from_hex(rest)),
            "repeat" => {
                let (count, text) = rest.split_once(' ').unwrap();
                let header = self.draft().header();
                (0..count.parse::<u64>().unwrap())
                    .for_each(|it| header.extend(text.replace("{n}", &it.to_string()).bytes()));
            }
            "length" => self.draft().length = Some(rest.parse().unwrap()),
            "gguf" => self.draft().gguf = Some(gguf::Draft::new(rest)),
            "text" => self.draft().body().extend(format!("{rest}\n").bytes()),
            "hex" => self.draft().body().extend(from_hex(rest)),
            "op" => self.draft().body().extend(opcodes(rest)),
            "op-repeat" => {
                let (count, line) = rest.split_once(' ').unwrap();
                let body = self.draft().body();
                (0..count.parse::<u64>().unwrap())
                    .for_each(|it| body.extend(opcodes(&line.replace("{n}", &it.to_string()))));
            }
            "entry" => self.draft().entries.push(Entry { name: rest.to_owned(), ..Entry::default() }),
            "entry-before-data" => self.draft().entry().name_before_data = Some(rest.to_owned()),
            "entry-method" => self.draft().entry().method = rest.parse().unwrap(),
            "entry-claims" => self.draft().entry().claims = Some(rest.parse().unwrap()),
            "zip64" => _ = self.draft().long(),
            "zip64-count" => self.draft().long().count = Some(rest.parse().unwrap()),
            "zip64-short-count" => self.draft().long().short_count = Some(rest.parse().unwrap()),
            "zip64-record" => self.draft().long().record = Some(rest.parse().unwrap()),
            "data" => self.draft().sparse += rest.parse::<u64>().unwrap(),
            "link" => {
                self.close();
                let (name, target) = rest.split_once(' ').unwrap();
                symlink(&self.path(target), &self.path(name));
            }
            "pipe" => {
                assert!(std::process::Command::new("mkfifo").arg(self.path(rest)).status().unwrap().success());
            }
            "open" => self.built.opened = self.path(rest),
            other => panic!("unknown directive {other:?}"),
        }
    }

    fn draft(&mut self) -> &mut Draft {
        self.file.as_mut().expect("begin with `file NAME`")
    }

    fn path(&self, name: &str) -> PathBuf {
        name.strip_prefix("OUTSIDE/").map_or_else(|| self.folder.join(name), |name| self.outside.join(name))
    }

    fn close(&mut self) {
        let Some(draft) = self.file.take() else { return };
        fs::create_dir_all(draft.path.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        if draft.header.is_some() || draft.length.is_some() {
            let header = draft.header.unwrap_or_default();
            bytes.extend(draft.length.unwrap_or(header.len() as u64).to_le_bytes());
            bytes.extend(header);
            self.built.with_header.push(draft.path.clone());
        }
        bytes.extend(draft.gguf.map(|it| it.bytes()).unwrap_or_default());
        if !draft.entries.is_empty() {
            bytes.extend(archive(&draft.entries, draft.long.as_ref()));
        }
        bytes.extend(draft.body);
        fs::write(&draft.path, &bytes).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&draft.path).unwrap();
        file.set_len(bytes.len() as u64 + draft.sparse).unwrap();
    }
}

impl Draft {
    /// Of the last entry, where there is one.
    fn body(&mut self) -> &mut Vec<u8> {
        self.entries.last_mut().map_or(&mut self.body, |it| &mut it.body)
    }

    fn entry(&mut self) -> &mut Entry {
        self.entries.last_mut().expect("begin with `entry NAME`")
    }

    fn long(&mut self) -> &mut Long {
        self.long.get_or_insert_default()
    }

    fn header(&mut self) -> &mut Vec<u8> {
        self.header.get_or_insert_default()
    }
}

#[cfg(unix)]
fn symlink(target: &Path, name: &Path) {
    std::os::unix::fs::symlink(target, name).unwrap();
}

#[cfg(windows)]
fn symlink(target: &Path, name: &Path) {
    std::os::windows::fs::symlink_file(target, name).unwrap();
}
