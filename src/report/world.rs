//! Everything typst may see of a memo: one template, the view as JSON, the charts. No disk, no network, no clock.

use std::collections::BTreeMap;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::report::Error;
use crate::report::fonts::Fonts;

/// The world of one memo.
pub(in crate::report) struct MemoWorld {
    library: LazyHash<Library>,
    fonts: Fonts,
    template: Source,
    files: BTreeMap<String, Bytes>,
}

impl MemoWorld {
    /// A world of a template and files by their path, e.g. `/view.json`.
    pub(in crate::report) fn new(
        template: &str,
        files: BTreeMap<String, Vec<u8>>,
        fonts: Fonts,
    ) -> Result<Self, Error> {
        let id = file_id("/memo.typ")?;
        let files = files.into_iter().map(|(path, bytes)| (path, Bytes::new(bytes))).collect();
        let template = Source::new(id, template.to_owned());
        Ok(Self { library: LazyHash::new(Library::default()), fonts, template, files })
    }
}

impl World for MemoWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.store.book()
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(not_there(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = id.get().vpath().get_with_slash();
        self.files.get(path).cloned().ok_or_else(|| not_there(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.store.font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn not_there(id: FileId) -> FileError {
    FileError::NotFound(id.get().vpath().get_with_slash().into())
}

fn file_id(path: &str) -> Result<FileId, Error> {
    let path = VirtualPath::new(path).map_err(|error| Error::Typesetting { problems: vec![format!("{error:?}")] })?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}
