//! A folder in Hugging Face layout: which of its files are the model, and what else lies there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bytes::{Place, counted, grouped, in_order, limits};
use crate::checkpoint::assembly::{Assembly, Part};
use crate::checkpoint::findings::{finding, finding_in, unprintable_names};
use crate::checkpoint::index::Index;
use crate::checkpoint::plan::{Naming, Plan};
use crate::checkpoint::surroundings::{cached_name, links_outside, unread_weights};
use crate::checkpoint::{Adapter, Checkpoint, Error, adapter, config, stated};
use crate::fact::Finding;

/// Opens a folder.
pub(crate) fn open(place: &dyn Place) -> Result<Checkpoint, Error> {
    let listed = place.names()?;
    let names = listed.names;
    let mut assembly = Assembly::default();
    if listed.not_unicode > 0 {
        let detail = format!("not in Unicode, so not looked at: {}", counted(listed.not_unicode, "file name"));
        assembly.findings.push(finding("unprintable-name", None, detail));
    }
    assembly.config = config::read(place, &names, &mut assembly);
    assembly.adapter = config::one(place, adapter::CONFIG, &names, &mut assembly).map(|it| Adapter::of(&it));
    let naming = Naming::of(&names);
    let index = read_index(place, naming, &names, &mut assembly)?;
    let plan = Plan::make(place, naming, &names, index.as_ref().map(|(name, index)| (name.as_str(), index)))?;
    read_headers(place, &plan, &mut assembly)?;
    if let Some((name, index)) = index.as_ref().filter(|_| plan.is_index_alone) {
        index_alone(place, name, index, &mut assembly)?;
    }
    data_beside(place, &mut assembly)?;
    if let Some((name, index)) = index.filter(|_| plan.by_index) {
        let (held, data_bytes) = assembly.held();
        let is_untied = assembly.config.as_ref().is_some_and(|it| it.get("tie_word_embeddings") == Some(&false.into()));
        let findings = index.compare(&held, data_bytes, !is_untied);
        let findings = findings.map_err(|refusal| Error::of(&place.path_of(&name), refusal))?;
        assembly.findings.extend(findings.into_iter().map(|it| Finding { file: Some(name.clone()), ..it }));
    }
    parts_belong_together(place.path(), &mut assembly)?;
    unread_weights(place, &names, &mut assembly);
    links_outside(place, &names.union(&plan.read).cloned().collect(), &mut assembly);
    assembly.findings.extend(plan.findings);
    let checkpoint = assembly.finish(place.path())?;
    let checkpoint = stated::from_place(checkpoint, place)?;
    Ok(Checkpoint { name: cached_name(place).unwrap_or(checkpoint.name), ..checkpoint })
}

/// Reads the header of every file of the plan, as many at once as the place is good for.
fn read_headers(place: &dyn Place, plan: &Plan, assembly: &mut Assembly) -> Result<(), Error> {
    let names: Vec<&String> = plan.read.iter().collect();
    let parts = in_order(&names, place.at_once(), |name| Part::read(name, &place.path_of(name), &*place.open(name)?))?;
    // A projector, an adapter or a table of importance beside a model is no part of it.
    let has_model = parts.iter().any(|it| !it.is_beside_a_model());
    for part in parts.into_iter().filter(|it| !has_model || !it.is_beside_a_model()) {
        assembly.weights(part);
    }
    Ok(())
}

/// Finds the files that weights files have their data in.
fn data_beside(place: &dyn Place, assembly: &mut Assembly) -> Result<(), Error> {
    let outside = assembly.outside();
    if outside.len() > limits::SHARDS {
        return Err(Error::TooMany { path: place.path().to_owned(), what: "data files", limit: limits::SHARDS });
    }
    let missing: Vec<String> = outside.keys().filter(|it| !place.holds(it)).cloned().collect();
    if !missing.is_empty() {
        let (of, by) = (outside.len(), "the graph".to_owned());
        return Err(Error::MissingFiles { folder: place.path().to_owned(), missing, of, by });
    }
    for (name, reach) in outside {
        let source = place.open(&name)?;
        if reach > source.len() {
            let (found, expected) = (grouped(source.len()), grouped(reach));
            let message = format!("it has {found} bytes, and tensors reach to byte {expected}");
            let hint = Some("the download may have been cut off; compare its size with the publisher's".into());
            return Err(Error::Broken { file: place.path_of(&name), message, hint });
        }
        assembly.data(&name, &*source);
    }
    Ok(())
}

/// Takes in what an index says of files that are not there.
fn index_alone(place: &dyn Place, name: &str, index: &Index, assembly: &mut Assembly) -> Result<(), Error> {
    let outline = index.outline().map_err(|refusal| Error::of(&place.path_of(name), refusal))?;
    let unprintable = unprintable_names(outline.names.iter().map(String::as_str));
    assembly.findings.extend(unprintable.map(|it| Finding { file: Some(name.to_owned()), ..it }));
    let named = format!("{} in {}", counted(outline.names.len(), "tensor"), files_in_words(outline.files));
    let size =
        outline.stated_bytes.map_or(String::new(), |it| format!(", {} bytes of data by its own word", grouped(it)));
    let detail = format!("it names {named}, none of which is in the folder{size}");
    assembly.findings.push(finding_in(name, "index-only", None, detail));
    assembly.outline = Some(outline);
    Ok(())
}

fn files_in_words(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "file")
}

/// Parts that say how many they are must all be there, whatever their names say.
fn parts_belong_together(folder: &Path, assembly: &mut Assembly) -> Result<(), Error> {
    let mut indices: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (_, split) in assembly.splits() {
        indices.entry(split.count).or_default().insert(split.index);
    }
    for (count, indices) in indices {
        let missing = (0..count).filter(|index| !indices.contains(index));
        let missing: Vec<String> = missing.map(|index| format!("part {}", index.saturating_add(1))).collect();
        if !missing.is_empty() {
            let (of, by) = (usize::try_from(count).unwrap_or(usize::MAX), "`split.count`".to_owned());
            return Err(Error::MissingFiles { folder: folder.to_owned(), missing, of, by });
        }
    }
    let stated = assembly.splits().find_map(|(name, split)| Some((name.to_owned(), split.tensors?)));
    let found = assembly.tensor_count() as u64;
    if let Some((name, stated)) = stated.filter(|(_, stated)| *stated != found) {
        let detail = format!("all parts should have {stated} tensors together, and have {found}");
        assembly.findings.push(finding_in(&name, "split-disagrees", Some("split.tensors.count"), detail));
    }
    Ok(())
}

fn read_index(
    place: &dyn Place,
    naming: &Naming,
    names: &BTreeSet<String>,
    assembly: &mut Assembly,
) -> Result<Option<(String, Index)>, Error> {
    let any = || names.iter().find(|name| name.ends_with(naming.index_ending));
    let Some(name) = names.get(naming.index).or_else(any) else { return Ok(None) };
    let text = place.read_whole(name, limits::INDEX)?;
    assembly.text(name, &text);
    let index = Index::read(&text).map_err(|refusal| Error::of(&place.path_of(name), refusal))?;
    Ok(Some((name.clone(), index)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LocalPlace;
    use std::fs;

    #[test]
    #[cfg(target_os = "linux")]
    fn names_that_are_not_unicode_are_counted() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let header = br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header, b"x"].concat();
        fs::write(folder.path().join("model.safetensors"), &file).unwrap();
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.safetensors")), &file).unwrap();
        let checkpoint = open(&LocalPlace::new(folder.path())).unwrap();
        let details: Vec<_> = checkpoint.findings.iter().map(|it| it.detail.as_str()).collect();
        assert_eq!(details, ["not in Unicode, so not looked at: 1 file name"]);
    }
}
