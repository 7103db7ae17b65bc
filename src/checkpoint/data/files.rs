//! The files of a checkpoint, opened when they are read and only so many at a time.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bytes::{self, Place, Source};
use crate::fact::FileFacts;

/// How many files are kept open. A model may have thousands, and a process usually 1,024 descriptors in all.
const OPEN: usize = 64;

/// Files that are read by their number in the checkpoint.
pub(crate) struct Files {
    place: Arc<dyn Place>,
    /// Name and length of each when its header was read.
    files: Vec<(String, u64)>,
    /// The last ones that were used, the latest at the end.
    open: Mutex<VecDeque<(usize, Arc<dyn Source>)>>,
    read: AtomicU64,
}

impl Files {
    /// The files of a place; none is opened yet.
    pub(crate) fn new(place: Arc<dyn Place>, files: &[FileFacts]) -> Self {
        let files = files.iter().map(|it| (it.name.clone(), it.bytes)).collect();
        Self { place, files, open: Mutex::default(), read: AtomicU64::new(0) }
    }

    /// What the whole of them is called in errors.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Reads exactly this range of a file.
    pub(crate) fn read(&self, file: usize, range: Range<u64>) -> Result<Vec<u8>, bytes::Error> {
        let bytes = self.source(file)?.read_at(range)?.into_owned();
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// The same into a buffer that is used again.
    pub(crate) fn read_into(&self, file: usize, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), bytes::Error> {
        self.source(file)?.read_into(range, buffer)?;
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// How many bytes were read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn source(&self, file: usize) -> Result<Arc<dyn Source>, bytes::Error> {
        if let Some(source) = self.opened(file) {
            return Ok(source);
        }
        // Opened without the lock: a remote file takes its time, and others shall not wait for it.
        let source = self.open_file(file)?;
        let mut open = self.lock();
        open.push_back((file, Arc::clone(&source)));
        while open.len() > OPEN {
            open.pop_front();
        }
        Ok(source)
    }

    fn opened(&self, file: usize) -> Option<Arc<dyn Source>> {
        let mut open = self.lock();
        let at = open.iter().position(|(opened, _)| *opened == file)?;
        let used = open.remove(at)?;
        let source = Arc::clone(&used.1);
        open.push_back(used);
        Some(source)
    }

    fn open_file(&self, file: usize) -> Result<Arc<dyn Source>, bytes::Error> {
        let name = || format!("file {file} of {}", self.path().display());
        let (name, length) = self.files.get(file).ok_or_else(|| bytes::Error::Missing { path: name().into() })?;
        let source = self.place.open(name)?;
        if source.len() != *length {
            let name = self.place.path_of(name).to_string_lossy().into_owned();
            return Err(bytes::Error::Changed { name, before: *length, now: source.len() });
        }
        Ok(source)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(usize, Arc<dyn Source>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LocalPlace;
    use std::fs;

    fn facts(name: String) -> FileFacts {
        FileFacts { name, bytes: 4, read_sha256: String::new(), read_bytes: 0, version: None }
    }

    #[test]
    fn many_files_are_read_with_few_descriptors() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<FileFacts> = (0..200).map(|it| facts(format!("{it}.bin"))).collect();
        for (at, it) in names.iter().enumerate() {
            fs::write(folder.path().join(&it.name), u32::try_from(at).unwrap().to_le_bytes()).unwrap();
        }
        let files = Files::new(Arc::new(LocalPlace::new(folder.path())), &names);
        for at in (0..200).chain((0..200).rev()) {
            assert_eq!(files.read(at, 0..4).unwrap(), u32::try_from(at).unwrap().to_le_bytes());
            assert!(files.lock().len() <= OPEN);
        }
        assert_eq!(files.bytes_read(), 1_600);
    }

    #[test]
    fn a_file_that_became_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "12345").unwrap();
        let files = Files::new(Arc::new(LocalPlace::new(folder.path())), &[facts("a".into())]);
        let error = files.read(0, 0..4).unwrap_err();
        assert!(matches!(error, bytes::Error::Changed { before: 4, now: 5, .. }), "{error}");
        assert!(matches!(files.read(1, 0..4), Err(bytes::Error::Missing { .. })));
    }
}
