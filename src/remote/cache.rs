//! What was fetched before, on disk: blocks of files and short documents, each verified when it is read back.
//!
//! A file of the cache is written beside its place and renamed, so that two processes never see half of one; the worst
//! they do to each other is to forget a block. Nothing is trusted: a file that does not have its own digest is fetched
//! again.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::bytes::{Cursor, Hasher, limits, sha256};

/// Size of a block, the smallest thing that is fetched and kept.
pub(crate) const BLOCK: u64 = 16 << 10;

/// Blocks of one file of the cache: one bit each.
pub(crate) const BLOCKS_PER_CHUNK: u64 = 64;

const MAGIC: &[u8; 8] = b"unshell1";

/// Digits of a digest in hexadecimal.
const DIGEST: usize = 64;

/// How much is written before the size of the whole is looked at again.
const LOOK_AFTER: u64 = 32 << 20;

/// A folder of fetched bytes that stays below a size.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    limit: u64,
    written: AtomicU64,
    /// Why the first write failed, if one did.
    trouble: Mutex<Option<String>>,
}

impl Cache {
    pub(crate) fn new(root: PathBuf, limit: u64) -> Self {
        Self { root, limit, written: AtomicU64::new(LOOK_AFTER), trouble: Mutex::new(None) }
    }

    /// Why nothing is kept, if nothing is.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The blocks of a chunk that are there, by their number in the file of this length.
    pub(crate) fn blocks(&self, key: &str, chunk: u64, length: u64) -> BTreeMap<u64, Vec<u8>> {
        let path = self.chunk_path(key, chunk);
        let Some(bytes) = self.read(&path, BLOCK.saturating_mul(BLOCKS_PER_CHUNK).saturating_add(128)) else {
            return BTreeMap::new();
        };
        unpack(&bytes, chunk, length).unwrap_or_else(|| {
            let _ = fs::remove_file(&path);
            BTreeMap::new()
        })
    }

    /// Adds blocks of one chunk to those that are there.
    pub(crate) fn keep_blocks(&self, key: &str, chunk: u64, length: u64, new: &BTreeMap<u64, Vec<u8>>) {
        let mut all = self.blocks(key, chunk, length);
        all.extend(new.iter().map(|(block, bytes)| (*block, bytes.clone())));
        self.write(&self.chunk_path(key, chunk), &pack(&all, chunk));
    }

    /// A short document that was kept under this key.
    pub(crate) fn note(&self, key: &str) -> Option<Vec<u8>> {
        let bytes = self.read(&self.note_path(key), limits::API_ANSWER.saturating_add(DIGEST as u64))?;
        let (digest, text) = bytes.split_at_checked(DIGEST)?;
        (sha256(text).as_bytes() == digest).then(|| text.to_vec())
    }

    /// Keeps a short document.
    pub(crate) fn keep_note(&self, key: &str, text: &[u8]) {
        self.write(&self.note_path(key), &[sha256(text).as_bytes(), text].concat());
    }

    fn chunk_path(&self, key: &str, chunk: u64) -> PathBuf {
        self.root.join("blocks").join(sha256(key.as_bytes())).join(format!("{chunk:08x}"))
    }

    fn note_path(&self, key: &str) -> PathBuf {
        self.root.join("notes").join(sha256(key.as_bytes()))
    }

    fn read(&self, path: &Path, limit: u64) -> Option<Vec<u8>> {
        crate::bytes::read_whole(path, limit).ok()
    }

    /// A cache that cannot be written is no reason to stop; it is told once, at the end.
    fn write(&self, path: &Path, contents: &[u8]) {
        let folder = path.parent().unwrap_or(&self.root);
        let written = self.make_folder(folder).and_then(|()| {
            let mut sibling = tempfile::Builder::new().prefix(".part-").tempfile_in(folder)?;
            sibling.write_all(contents)?;
            sibling.persist(path).map_err(|error| error.error)
        });
        if let Err(error) = written {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert_with(|| format!("{}: {error}", self.root.display()));
            return;
        }
        let size = contents.len() as u64;
        if self.written.fetch_add(size, Ordering::Relaxed).saturating_add(size) >= LOOK_AFTER {
            self.written.store(0, Ordering::Relaxed);
            self.shrink();
        }
    }

    /// Models may be private, so on Unix nobody else may look into the folder.
    fn make_folder(&self, folder: &Path) -> std::io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    }

    /// Removes the oldest files until nine tenths of the limit are left.
    fn shrink(&self) {
        let mut files = Vec::new();
        files_below(&self.root, 3, &mut files);
        let mut size = files.iter().map(|it| it.size).fold(0, u64::saturating_add);
        if size <= self.limit {
            return;
        }
        files.sort_by(|one, other| (one.time, &one.path).cmp(&(other.time, &other.path)));
        let goal = self.limit.saturating_sub(self.limit / 10);
        for file in files {
            if size <= goal {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                size = size.saturating_sub(file.size);
            }
        }
    }
}

struct Kept {
    time: SystemTime,
    size: u64,
    path: PathBuf,
}

fn files_below(folder: &Path, depth: usize, found: &mut Vec<Kept>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() && depth > 0 {
            files_below(&entry.path(), depth.saturating_sub(1), found);
        } else if metadata.is_file() {
            let time = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(Kept { time, size: metadata.len(), path: entry.path() });
        }
    }
}

/// Mark, one bit a block, digest of the blocks, the blocks in order.
fn pack(blocks: &BTreeMap<u64, Vec<u8>>, chunk: u64) -> Vec<u8> {
    let first = chunk.saturating_mul(BLOCKS_PER_CHUNK);
    let mut bits = 0_u64;
    let mut data = Vec::new();
    for (block, bytes) in blocks {
        let Some(bit) = block.checked_sub(first).filter(|it| *it < BLOCKS_PER_CHUNK) else { continue };
        bits |= 1_u64.checked_shl(u32::try_from(bit).unwrap_or(u32::MAX)).unwrap_or(0);
        data.extend_from_slice(bytes);
    }
    let bits = bits.to_le_bytes();
    [MAGIC, &bits[..], digest(&bits, &data).as_bytes(), &data].concat()
}

fn unpack(bytes: &[u8], chunk: u64, length: u64) -> Option<BTreeMap<u64, Vec<u8>>> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(MAGIC.len()).filter(|it| it == MAGIC)?;
    let bits = cursor.u64()?;
    let stated = cursor.take(DIGEST)?;
    (digest(&bits.to_le_bytes(), cursor.rest()).as_bytes() == stated).then_some(())?;
    let first = chunk.checked_mul(BLOCKS_PER_CHUNK)?;
    let mut blocks = BTreeMap::new();
    for bit in
        (0..BLOCKS_PER_CHUNK).filter(|bit| bits.checked_shr(u32::try_from(*bit).unwrap_or(0)).unwrap_or(0) & 1 == 1)
    {
        let block = first.checked_add(bit)?;
        let size = block_size(block, length)?;
        blocks.insert(block, cursor.take(size)?.to_vec());
    }
    cursor.rest().is_empty().then_some(blocks)
}

/// How long a block of a file is: the last one may be short.
pub(crate) fn block_size(block: u64, length: u64) -> Option<usize> {
    let left = length.checked_sub(block.checked_mul(BLOCK)?)?;
    usize::try_from(left.min(BLOCK)).ok().filter(|it| *it > 0)
}

fn digest(bits: &[u8], data: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(bits);
    hasher.update(data);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(of: u64) -> (u64, Vec<u8>) {
        (of, vec![of as u8; BLOCK as usize])
    }

    #[test]
    fn blocks_come_back_and_join_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned(), 1 << 30);
        let length = 70 * BLOCK + 5;
        cache.keep_blocks("a", 0, length, &BTreeMap::from([block(0), block(63)]));
        cache.keep_blocks("a", 0, length, &BTreeMap::from([block(7)]));
        cache.keep_blocks("a", 1, length, &BTreeMap::from([(70, vec![9; 5])]));
        assert_eq!(cache.blocks("a", 0, length), BTreeMap::from([block(0), block(7), block(63)]));
        assert_eq!(cache.blocks("a", 1, length), BTreeMap::from([(70, vec![9; 5])]));
        assert!(cache.blocks("b", 0, length).is_empty() && cache.trouble().is_none());
    }

    #[test]
    fn a_changed_byte_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned(), 1 << 30);
        cache.keep_blocks("a", 0, 2 * BLOCK, &BTreeMap::from([block(1)]));
        cache.keep_note("n", b"text");
        for path in [cache.chunk_path("a", 0), cache.note_path("n")] {
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        assert!(cache.blocks("a", 0, 2 * BLOCK).is_empty());
        assert_eq!(cache.note("n"), None);
        cache.keep_note("n", b"text");
        assert_eq!(cache.note("n").unwrap(), b"text");
    }

    #[test]
    fn the_oldest_files_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned(), 10 * BLOCK);
        for chunk in 0..20 {
            cache.keep_blocks("a", chunk, u64::MAX, &BTreeMap::from([block(chunk * BLOCKS_PER_CHUNK)]));
        }
        cache.shrink();
        let mut files = Vec::new();
        files_below(folder.path(), 3, &mut files);
        let size: u64 = files.iter().map(|it| it.size).sum();
        assert!(size <= 10 * BLOCK && size > 5 * BLOCK, "{size}");
        assert_eq!(cache.blocks("a", 19, u64::MAX).len(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = Cache::new(file.clone(), 1 << 30);
        cache.keep_note("n", b"text");
        assert!(cache.trouble().unwrap().starts_with(&file.display().to_string()));
    }
}
