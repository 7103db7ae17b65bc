//! A regular file, read by position.
//!
//! Files are not mapped into memory: a mapped file that shrinks kills the program, a read that comes up short is an
//! error.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bytes::{Error, Source, limits};

/// A regular file that is open for reading.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    file: fs::File,
    length: u64,
    read: AtomicU64,
}

impl File {
    /// Opens a regular file; anything else is refused before it is opened, since opening a pipe waits for a writer.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let metadata = fs::metadata(&path).map_err(|error| Error::io("open", &path, error))?;
        refuse_unless_regular(&path, &metadata)?;
        let file = fs::File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        let metadata = file.metadata().map_err(|error| Error::io("open", &path, error))?;
        refuse_unless_regular(&path, &metadata)?;
        Ok(Self { path, file, length: metadata.len(), read: AtomicU64::new(0) })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for File {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, Error> {
        let mut buffer = Vec::new();
        self.read_into(range, &mut buffer)?;
        Ok(Cow::Owned(buffer))
    }

    fn read_into(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let name = || self.path.to_string_lossy().into_owned();
        let size = size_of_range(&range, self.length, &name)?;
        let more = size.saturating_sub(buffer.len());
        buffer.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { name: name(), length: size as u64 })?;
        buffer.resize(size, 0);
        read_exact_at(&self.file, buffer, range.start).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::Shrunk { path: self.path.clone(), length: self.length, end: range.end }
            }
            _ => Error::io("read", &self.path, error),
        })?;
        self.read.fetch_add(size as u64, Ordering::Relaxed);
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// All bytes of a regular file that may have at most `limit` of them.
pub fn read_whole(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path)?;
    if file.len() > limit {
        return Err(Error::TooLong { name: path.to_string_lossy().into_owned(), length: file.len(), limit });
    }
    Ok(file.read_at(0..file.len())?.into_owned())
}

/// The size of a range once it is known to lie inside the source and below the limit of a single read.
pub(crate) fn size_of_range(range: &Range<u64>, length: u64, name: &dyn Fn() -> String) -> Result<usize, Error> {
    let size = match range.end.checked_sub(range.start) {
        Some(size) if range.end <= length => size,
        _ => return Err(Error::Beyond { name: name(), start: range.start, end: range.end, length }),
    };
    match usize::try_from(size) {
        Ok(fits) if size <= limits::SINGLE_READ => Ok(fits),
        _ => Err(Error::TooLong { name: name(), length: size, limit: limits::SINGLE_READ }),
    }
}

fn refuse_unless_regular(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::NotAFile { path: path.to_owned(), kind: kind_of(metadata) })
}

#[cfg(unix)]
fn kind_of(metadata: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn kind_of(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { "a device" }
}

#[cfg(unix)]
fn read_exact_at(file: &fs::File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_exact_at(file: &fs::File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !buffer.is_empty() {
        match file.seek_read(buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = std::mem::take(&mut buffer).get_mut(count..).unwrap_or_default();
                at = at.saturating_add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.bytes");
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn reads_exactly_what_was_asked_and_counts_it() {
        let (_folder, path) = file_of(b"0123456789");
        let file = File::open(&path).unwrap();
        assert_eq!(&*file.read_at(2..5).unwrap(), b"234");
        assert_eq!(&*file.read_at(10..10).unwrap(), b"");
        assert_eq!((file.len(), file.bytes_read()), (10, 3));
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "a hostile header may ask for one")]
    fn ranges_outside_are_refused() {
        let (_folder, path) = file_of(b"0123");
        let file = File::open(&path).unwrap();
        for range in [0..5, 3..2, 5..5, 0..u64::MAX, u64::MAX..u64::MAX] {
            assert!(matches!(file.read_at(range), Err(Error::Beyond { length: 4, .. })));
        }
    }

    #[test]
    fn a_read_beyond_the_limit_allocates_nothing() {
        let (_folder, path) = file_of(b"");
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let error = File::open(&path).unwrap().read_at(0..1 << 40).unwrap_err();
        assert!(matches!(error, Error::TooLong { limit: limits::SINGLE_READ, .. }));
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let (_folder, path) = file_of(b"0123456789");
        let file = File::open(&path).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4).unwrap();
        let error = file.read_at(2..8).unwrap_err();
        assert!(matches!(error, Error::Shrunk { length: 10, end: 8, .. }), "{error}");
    }

    #[test]
    fn folders_devices_and_nothing_are_refused() {
        let (folder, path) = file_of(b"");
        let error = File::open(folder.path()).unwrap_err();
        assert!(matches!(error, Error::NotAFile { kind: "a folder", .. }));
        assert!(matches!(File::open(path.with_extension("none")), Err(Error::Missing { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn pipes_and_devices_are_refused_without_waiting() {
        let (folder, _path) = file_of(b"");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(File::open(&pipe), Err(Error::NotAFile { kind: "a named pipe", .. })));
        }
        assert!(matches!(File::open("/dev/null"), Err(Error::NotAFile { kind: "a device", .. })));
    }

    #[test]
    fn a_whole_file_has_a_limit() {
        let (_folder, path) = file_of(b"0123456789");
        assert_eq!(read_whole(&path, 10).unwrap(), b"0123456789");
        assert!(matches!(read_whole(&path, 9), Err(Error::TooLong { length: 10, limit: 9, .. })));
    }
}
