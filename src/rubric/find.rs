//! Finds a rubric: by id on the shelf inside the program, or by path.

use std::path::{Path, PathBuf};

use crate::bytes::{read_whole, sha256};
use crate::rubric::Rubric;
use crate::rubric::document::RubricAsWritten;
use crate::rubric::validate::validate;
use crate::shelf;
use crate::yaml::{Document, LARGEST_FILE, Problem, Problems, did_you_mean, list_of_names};

/// Ids of the rubrics that ship inside the program, sorted.
pub fn shelf_ids() -> Vec<&'static str> {
    let stem = |path: &'static str| path.strip_suffix(".yaml").filter(|it| !it.contains('/'));
    shelf::RUBRICS.iter().filter_map(|(path, _)| stem(path)).collect()
}

/// The rubric that a case or a command names: an id on the shelf, or a path, which is taken from the folder `base`.
///
/// # Errors
/// Says which ids there are where the name is none of them, and tells every mistake of a file that is no valid rubric.
pub fn find(name: &str, base: &Path) -> Result<Rubric, Problems> {
    match source(name, base)? {
        Source::Shelf(file, bytes) => read(&file, bytes),
        Source::File(path) => read_file(&path),
    }
}

/// The bytes of the rubric that [`find`] would read, and the name to show for them.
pub fn find_bytes(name: &str, base: &Path) -> Result<(String, Vec<u8>), Problems> {
    match source(name, base)? {
        Source::Shelf(file, bytes) => Ok((file, bytes.to_vec())),
        Source::File(path) => Ok((path.display().to_string(), file_bytes(&path)?)),
    }
}

/// Reads a rubric from its file.
pub fn read_file(path: &Path) -> Result<Rubric, Problems> {
    read(&path.display().to_string(), &file_bytes(path)?)
}

/// Reads a rubric from bytes; `file` is the name to show, and its stem is the id the rubric has to have.
pub fn read(file: &str, bytes: &[u8]) -> Result<Rubric, Problems> {
    let mut problems = Problems::new();
    let written = Document::parse(file, bytes, &mut problems).and_then(|document| {
        let stem = Path::new(file).file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        validate(&document.root(), stem, &mut problems);
        document.read::<RubricAsWritten>(&mut problems)
    });
    problems.result_or(written.map(|it| it.into_rubric(sha256(bytes))))
}

enum Source {
    Shelf(String, &'static [u8]),
    File(PathBuf),
}

fn source(name: &str, base: &Path) -> Result<Source, Problems> {
    let on_shelf = shelf::find(shelf::RUBRICS, &format!("{name}.yaml")).filter(|_| shelf_ids().contains(&name));
    if let Some(bytes) = on_shelf {
        return Ok(Source::Shelf(format!("{name}.yaml"), bytes));
    }
    let is_path = name.contains(['/', '\\']) || name.ends_with(".yaml") || name.ends_with(".yml");
    if is_path {
        return Ok(Source::File(base.join(name)));
    }
    let ids = shelf_ids();
    let problem = Problem::of_file(name, "unknown-rubric", format!("there is no rubric `{name}`"));
    Err(problem.hint(hint_for(name, &ids)).into())
}

fn hint_for(name: &str, ids: &[&str]) -> String {
    match did_you_mean(name, ids.iter().copied()) {
        Some(id) => format!("did you mean `{id}`?"),
        None => {
            format!("there is {}; the path of a rubric of your own ends in `.yaml`", list_of_names(ids.iter().copied()))
        }
    }
}

fn file_bytes(path: &Path) -> Result<Vec<u8>, Problems> {
    read_whole(path, LARGEST_FILE as u64).map_err(|error| {
        let problem = Problem::of_file(path.display().to_string(), "unreadable", error.to_string());
        Problems::from(match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        })
    })
}
