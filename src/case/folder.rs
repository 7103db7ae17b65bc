//! The case folder on disk: which files it has, that they are inside it, and what went in with which hash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::bytes;
use crate::case::InputFile;
use crate::yaml::{Document, LARGEST_FILE, Problem, Problems};

/// Most analysts of one case.
const MOST_ANALYSTS: usize = 64;
/// Most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 4096;
/// Largest document that is hashed, in bytes: above any report, recording or log archive that is sent around.
const LARGEST_DOCUMENT: u64 = 16 << 30;

/// An open case folder, and every file that was read from it so far.
pub(crate) struct Folder {
    path: PathBuf,
    /// With links and `..` resolved; what is not below it is not part of the case.
    root: PathBuf,
    inputs: BTreeMap<String, InputFile>,
}

/// Why a document has no hash.
pub(crate) enum Refused {
    /// It is not there.
    Missing,
    /// It is there, and may not or cannot be read.
    Because(String),
}

impl Folder {
    /// Opens the folder; nothing in it is read yet.
    pub(crate) fn open(path: &Path, problems: &mut Problems) -> Option<Self> {
        let shown = path.display().to_string();
        let refuse = |message: &str, hint: String| Problem::of_file(&shown, "case-folder", message).hint(hint);
        match path.metadata() {
            Err(_) => {
                problems.push(refuse("there is no such case folder", format!("`unshell init {shown}` starts one")));
            }
            Ok(it) if !it.is_dir() => problems.push(refuse(
                "this is a file, expected a case folder",
                "name the folder that `case.yaml` is in".to_owned(),
            )),
            Ok(_) => match path.canonicalize() {
                Ok(root) => return Some(Self { path: path.to_owned(), root, inputs: BTreeMap::new() }),
                Err(error) => problems.push(refuse(&error.to_string(), "check who may read the folder".to_owned())),
            },
        }
        None
    }

    /// The folder's own name: the short id of the case.
    pub(crate) fn name(&self) -> String {
        self.root.file_name().map_or_else(|| "case".to_owned(), |it| it.to_string_lossy().into_owned())
    }

    /// The path as the person gave it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How a file of the folder is named in problems.
    pub(crate) fn shown(&self, file: &str) -> String {
        self.path.join(file).display().to_string()
    }

    /// Reads and parses one YAML file; `hint` says what to do where there is none.
    pub(crate) fn document(&mut self, file: &str, hint: &str, problems: &mut Problems) -> Option<Document> {
        let shown = self.shown(file);
        let path = match self.inside(file) {
            Ok(path) => path,
            Err(Refused::Missing) => {
                let problem = Problem::of_file(shown, "missing-file", format!("there is no `{file}`"));
                problems.push(problem.hint(self.hint_for_missing(file, hint)));
                return None;
            }
            Err(Refused::Because(why)) => {
                problems.push(Problem::of_file(shown, "unreadable", why).hint("put the file itself into the folder"));
                return None;
            }
        };
        let bytes = match bytes::read_whole(&path, LARGEST_FILE as u64) {
            Ok(bytes) => bytes,
            Err(error) => {
                let problem = Problem::of_file(shown, "unreadable", error.to_string());
                problems.push(match error.hint() {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
                return None;
            }
        };
        self.note(file, bytes.len() as u64, bytes::sha256(&bytes));
        Document::parse(&shown, &bytes, problems)
    }

    /// `case.yml` instead of `case.yaml` is a slip that deserves its own advice.
    fn hint_for_missing(&self, file: &str, otherwise: &str) -> String {
        let short = file.replace(".yaml", ".yml");
        if short != file && self.root.join(&short).exists() {
            format!("rename `{short}` to `{file}`")
        } else {
            otherwise.to_owned()
        }
    }

    /// Stems of the files in `answers/`, sorted.
    pub(crate) fn analysts(&self, problems: &mut Problems) -> Vec<String> {
        let mut stems = Vec::new();
        let entries = fs::read_dir(self.root.join("answers")).into_iter().flatten().take(MOST_ENTRIES);
        for name in entries.filter_map(Result::ok).map(|it| it.file_name().to_string_lossy().into_owned()) {
            if name.starts_with(['.', '~', '#']) {
                continue;
            }
            if let Some(stem) = name.strip_suffix(".yaml") {
                stems.push(stem.to_owned());
            } else if let Some(stem) = stem_of_slip(&name) {
                let problem =
                    Problem::of_file(self.shown(&format!("answers/{name}")), "file-name", "answers end in `.yaml`");
                problems.push(problem.hint(format!("rename it to `{stem}.yaml`")));
            }
        }
        stems.sort();
        if stems.len() > MOST_ANALYSTS {
            let message = format!("there are {} files of answers, and at most {MOST_ANALYSTS} are read", stems.len());
            problems
                .push(Problem::of_file(self.shown("answers"), "too-many-files", message).hint("one file an analyst"));
            stems.truncate(MOST_ANALYSTS);
        }
        stems
    }

    /// SHA-256 of a file below `documents/`.
    pub(crate) fn hash_document(&mut self, file: &str) -> Result<String, Refused> {
        let relative = format!("documents/{}", file.replace('\\', "/"));
        if let Some(input) = self.inputs.get(&relative) {
            return Ok(input.sha256.clone());
        }
        let path = self.inside(&relative)?;
        let length = path.metadata().map_err(|error| Refused::Because(error.to_string()))?.len();
        if length > LARGEST_DOCUMENT {
            return Err(Refused::Because(format!(
                "the file has {length} bytes, and at most {LARGEST_DOCUMENT} are read"
            )));
        }
        let sha256 = bytes::sha256_of_file(&path).map_err(|error| Refused::Because(error.to_string()))?;
        self.note(&relative, length, sha256.clone());
        Ok(sha256)
    }

    /// Every file that was read, by path.
    pub(crate) fn into_inputs(self) -> Vec<InputFile> {
        self.inputs.into_values().collect()
    }

    /// The real path of a file of the folder; a path or a link that leads out of the folder is refused.
    fn inside(&self, file: &str) -> Result<PathBuf, Refused> {
        let relative = Path::new(file);
        if !relative.components().all(|it| matches!(it, Component::Normal(_))) {
            return Err(Refused::Because(format!("`{file}` leads out of the case folder")));
        }
        let path = self.root.join(relative);
        if path.symlink_metadata().is_err() {
            return Err(Refused::Missing);
        }
        let real =
            path.canonicalize().map_err(|_| Refused::Because(format!("`{file}` is a link that leads nowhere")))?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(Refused::Because(format!("`{file}` is a link that leads out of the case folder")))
        }
    }

    fn note(&mut self, file: &str, bytes: u64, sha256: String) {
        self.inputs.insert(file.to_owned(), InputFile { path: file.to_owned(), bytes, sha256 });
    }
}
/// The stem of a name that was meant to end in `.yaml`: as other editors write it, or as Notepad saves it.
fn stem_of_slip(name: &str) -> Option<&str> {
    let lower = name.to_ascii_lowercase();
    let ending = [".yaml.txt", ".yml.txt", ".yaml", ".yml"].into_iter().find(|it| lower.ends_with(it))?;
    name.get(..name.len() - ending.len())
}
