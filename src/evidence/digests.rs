//! Which files were examined: the SHA-256 of each, of the whole where all of it can be read at little cost.

use std::collections::BTreeMap;

use crate::bytes::{self, Location};
use crate::case::{Case, Subject};
use crate::evidence::FileDigest;
use crate::fact::FileFacts;
use crate::lineage::Model;

/// Files on this machine up to this size are read whole for their digest: half a minute of reading at most. Of larger
/// ones the digest of the part that was read is kept, and what the hub states.
const WHOLE: u64 = 8 << 30;

/// The files of every subject, by its id.
pub(crate) fn of_all(
    case: &Case,
    subjects: &[(&Subject, Model)],
) -> Result<BTreeMap<String, Vec<FileDigest>>, bytes::Error> {
    let of_one = |(subject, model): &(&Subject, Model)| {
        let location = subject.location.as_deref().unwrap_or_default();
        Ok((subject.id.clone(), of_model(case, location, &model.files)?))
    };
    subjects.iter().map(of_one).collect()
}

fn of_model(case: &Case, location: &str, files: &[FileFacts]) -> Result<Vec<FileDigest>, bytes::Error> {
    let folder = match case.model(location)? {
        Location::Path(path) if path.is_file() => path.parent().map(std::path::Path::to_path_buf),
        Location::Path(path) => Some(path),
        Location::Catalog(_) | Location::Hub(_) | Location::Web(_) => None,
    };
    let digest = |file: &FileFacts| {
        let here = folder.as_ref().map(|it| it.join(&file.name)).filter(|it| file.bytes <= WHOLE && it.is_file());
        Ok(FileDigest {
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: here.map(|path| bytes::sha256_of_file(&path)).transpose()?,
            stated: file.version.clone(),
            read_sha256: file.read_sha256.clone(),
            read_bytes: file.read_bytes,
        })
    };
    files.iter().map(digest).collect()
}
