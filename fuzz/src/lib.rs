//! What the targets share: folders that are only in memory, and reading all that they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use unshell::bytes::{Error, Memory, Names, Place, Source};
use unshell::checkpoint::Data;

/// More numbers of one tensor are not read: a view may have many more than are stored.
const NUMBERS: u64 = 1 << 16;

/// A folder of files by name, or a single file where there is only one.
#[derive(Debug)]
pub struct Folder(BTreeMap<String, Vec<u8>>);

impl Folder {
    pub fn new<const N: usize>(files: [(&str, Vec<u8>); N]) -> Self {
        Self(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
    }
}

impl Place for Folder {
    fn path(&self) -> &Path {
        Path::new("folder")
    }

    fn single(&self) -> Option<&str> {
        if self.0.len() == 1 { self.0.keys().next().map(String::as_str) } else { None }
    }

    fn names(&self) -> Result<Names, Error> {
        Ok(Names { names: self.0.keys().cloned().collect::<BTreeSet<_>>(), not_unicode: 0 })
    }

    fn holds(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, Error> {
        assert!(!name.starts_with('/') && !name.split('/').any(|it| it == ".."), "{name} leads outside");
        let bytes = self.0.get(name).ok_or_else(|| Error::Missing { path: name.into() })?;
        Ok(Arc::new(Memory::new(bytes.clone())))
    }

    fn local(&self) -> Option<&Path> {
        None
    }
}

/// Describes a folder, and reads the first numbers of everything that it holds.
pub fn read_all(folder: Folder) {
    let Ok(data) = Data::from_place(Arc::new(folder)) else { return };
    for values in data.values() {
        let end = values.elements().min(NUMBERS);
        if let Ok(numbers) = data.read(values, 0..end) {
            assert_eq!(numbers.len() as u64, end, "{}", values.name);
        }
    }
}

/// A safetensors file of any header, and some data behind it.
pub fn safetensors(header: &[u8]) -> Vec<u8> {
    let data: Vec<u8> = (0..4_096_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    [&(header.len() as u64).to_le_bytes()[..], header, &data].concat()
}
