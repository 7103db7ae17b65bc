//! Any index, and any config.json, of a folder that is only in memory.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use unshell::bytes::{Error, Memory, Names, Place, Source};
use unshell::checkpoint::Checkpoint;

/// The text of both files, and whether the files that an index names are there.
#[derive(Debug)]
struct Folder<'a>(&'a [u8], bool);

const INDEX: &str = "model.safetensors.index.json";
const CONFIG: &str = "config.json";

impl Place for Folder<'_> {
    fn path(&self) -> &Path {
        Path::new("folder")
    }

    fn single(&self) -> Option<&str> {
        None
    }

    fn names(&self) -> Result<Names, Error> {
        let names = [INDEX, CONFIG].map(str::to_owned);
        Ok(Names { names: BTreeSet::from(names), not_unicode: 0 })
    }

    fn holds(&self, name: &str) -> bool {
        assert!(!name.starts_with('/') && !name.split('/').any(|it| it == ".."), "{name} leads outside");
        self.1
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, Error> {
        assert!(!name.starts_with('/') && !name.split('/').any(|it| it == ".."), "{name} leads outside");
        match name {
            INDEX | CONFIG => Ok(Arc::new(Memory::new(self.0))),
            _ => Err(Error::Missing { path: name.into() }),
        }
    }

    fn local(&self) -> Option<&Path> {
        None
    }
}

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let _ = Checkpoint::from_place(&Folder(text, true));
    if let Ok(checkpoint) = Checkpoint::from_place(&Folder(text, false)) {
        assert!(checkpoint.outline.is_some() && checkpoint.tensors.is_empty());
    }
});
