//! Writes a file so that a reader sees the old contents or the new ones, and never a part.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::bytes::Error;

/// Replaces `path` by `contents`, or makes it; on any error the old file stays as it was.
///
/// The bytes go into a temporary file beside it, reach the disk, and are renamed over it. A symbolic link is replaced
/// by the file, not followed.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::io("write", path, error);
    let old = fs::symlink_metadata(path).ok();
    if old.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(Error::NotAFile { path: path.to_owned(), kind: "a folder" });
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut sibling = new_sibling(folder).map_err(|error| Error::io("write into", folder, error))?;
    sibling.write_all(contents).map_err(failed)?;
    if let Some(old) = old.filter(fs::Metadata::is_file) {
        sibling.as_file().set_permissions(old.permissions()).map_err(failed)?;
    }
    sibling.as_file().sync_all().map_err(failed)?;
    sibling.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(folder);
    Ok(())
}

/// A temporary file with the permissions any new file of this user has; the default would be readable by nobody else.
fn new_sibling(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unshell-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Makes the rename itself durable. Not every file system can, and the file is whole either way.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = fs::File::open(folder).and_then(|it| it.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn makes_and_replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memo.html");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names_in(folder.path()), ["memo.html"]);
    }

    #[test]
    fn a_folder_or_a_missing_one_is_an_error_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        assert!(matches!(replace(&folder.path().join("out"), b""), Err(Error::NotAFile { .. })));
        let error = replace(&folder.path().join("none/memo.html"), b"").unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
        assert_eq!(names_in(folder.path()), ["out"]);
    }

    #[test]
    #[cfg(unix)]
    fn permissions_stay_and_links_are_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("memo"), folder.path().join("link"));
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        replace(&link, b"own").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
    }
}
