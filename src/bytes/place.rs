//! Where the files of a model lie: a folder or a single file, on this machine or far away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bytes::{Error, File, Source, limits};

/// One file, or a folder of files, wherever they are.
///
/// What is read of a model is read through this, so that a folder and a repository are the same to every format.
pub trait Place: std::fmt::Debug + Send + Sync {
    /// The path or address as errors show it.
    fn path(&self) -> &Path;

    /// The name of the file, if the place is a single one.
    fn single(&self) -> Option<&str>;

    /// The names of its files; those in folders below are not among them.
    fn names(&self) -> Result<Names, Error>;

    /// Whether a file is there; `name` may lead into folders below, with `/`, and never out of the place.
    fn holds(&self, name: &str) -> bool;

    /// Opens the file of a name.
    fn open(&self, name: &str) -> Result<Arc<dyn Source>, Error>;

    /// The folder on this machine, if it is one.
    fn local(&self) -> Option<&Path>;

    /// The day of its newest change, where whoever keeps it says so.
    fn date(&self) -> Option<chrono::NaiveDate> {
        None
    }

    /// What whoever keeps the place says of where the model comes from; nothing of files on this machine. It is asked
    /// for when this is called, and is somebody's word.
    ///
    /// # Errors
    /// A hub that does not answer.
    fn origins(&self) -> Result<Vec<StatedOrigin>, Error> {
        Ok(Vec::new())
    }

    /// How many files are worth reading at once: many where each answer has a long way.
    fn at_once(&self) -> usize {
        1
    }

    /// How errors show one of its files.
    fn path_of(&self, name: &str) -> PathBuf {
        if self.single().is_some() { self.path().to_owned() } else { self.path().join(name) }
    }

    /// All bytes of a file that may have at most `limit` of them.
    fn read_whole(&self, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let source = self.open(name)?;
        if source.len() > limit {
            let name = self.path_of(name).to_string_lossy().into_owned();
            return Err(Error::TooLong { name, length: source.len(), limit });
        }
        Ok(source.read_at(0..source.len())?.into_owned())
    }
}

/// A model that another is said to come from, or a name that it had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatedOrigin {
    /// `ORG/NAME`.
    pub name: String,
    /// `renamed`, `duplicated` or `base model`.
    pub how: &'static str,
    /// The repository that says so.
    pub said_of: String,
}

/// The names of the files of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// In Unicode, sorted.
    pub names: BTreeSet<String>,
    /// How many others there are.
    pub not_unicode: usize,
}

/// A folder or file on this machine.
#[derive(Debug)]
pub struct LocalPlace {
    path: PathBuf,
    /// Its name, if it is a file.
    single: Option<String>,
}

impl LocalPlace {
    /// The folder or file at this path; whether it is there is found out when it is read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let single = if path.is_dir() { None } else { Some(last_part(&path)) };
        Self { path, single }
    }
}

impl Place for LocalPlace {
    fn path(&self) -> &Path {
        &self.path
    }

    fn single(&self) -> Option<&str> {
        self.single.as_deref()
    }

    fn names(&self) -> Result<Names, Error> {
        match &self.single {
            Some(name) => Ok(Names { names: BTreeSet::from([name.clone()]), not_unicode: 0 }),
            None => names_up_to(limits::FOLDER_ENTRIES, &self.path),
        }
    }

    fn holds(&self, name: &str) -> bool {
        fs::metadata(self.path_of(name)).is_ok()
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, Error> {
        Ok(Arc::new(File::open(self.path_of(name))?))
    }

    fn local(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// The last part of a path as text; that of the folder itself for `.` and `..`.
pub fn last_part(path: &Path) -> String {
    let resolved = if path.file_name().is_none() { path.canonicalize().ok() } else { None };
    let path = resolved.as_deref().unwrap_or(path);
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Names of everything in the folder that is not a folder itself, sorted. Names that are not Unicode are only counted,
/// as none of a model's usual names can be among them.
fn names_up_to(limit: usize, folder: &Path) -> Result<Names, Error> {
    let failed = |error| Error::io("list", folder, error);
    let mut found = Names::default();
    for (count, entry) in fs::read_dir(folder).map_err(failed)?.enumerate() {
        if count >= limit {
            return Err(Error::TooManyEntries { path: folder.to_owned(), limit });
        }
        let entry = entry.map_err(failed)?;
        match entry.file_name().into_string() {
            Ok(_) if entry.path().is_dir() => {}
            Ok(name) => drop(found.names.insert(name)),
            Err(_) => found.not_unicode = found.not_unicode.saturating_add(1),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_current_folder_is_its_own() {
        assert_eq!(last_part(Path::new("models/yi/")), "yi");
        assert_ne!(last_part(Path::new(".")), ".");
    }

    #[test]
    fn a_folder_with_more_entries_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(names_up_to(3, folder.path()).unwrap().names.len(), 3);
        let error = names_up_to(2, folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("has more than 2 entries"), "{error}");
    }

    #[test]
    fn a_file_is_a_place_with_one_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        fs::write(&path, "0123").unwrap();
        let place = LocalPlace::new(&path);
        assert_eq!((place.single(), place.path_of("m.safetensors")), (Some("m.safetensors"), path));
        assert_eq!(place.read_whole("m.safetensors", 4).unwrap(), b"0123");
        assert!(matches!(place.read_whole("m.safetensors", 3), Err(Error::TooLong { length: 4, limit: 3, .. })));
    }
}
