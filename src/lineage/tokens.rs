//! Which tokens two models share, by their text.

use std::collections::BTreeMap;
use std::path::Path;

use crate::bytes::{limits, read_whole};
use crate::lineage::Model;

/// Ids of tokens that both vocabularies have, subject first; none where either has no `tokenizer.json` that can be read.
pub(super) fn shared(subject: &Model, reference: &Model) -> Option<Vec<(u32, u32)>> {
    let ours = vocabulary(subject.path.as_deref()?)?;
    let theirs = vocabulary(reference.path.as_deref()?)?;
    let pairs = ours.iter().filter_map(|(token, id)| Some((*id, *theirs.get(token)?)));
    let mut pairs: Vec<(u32, u32)> = pairs.collect();
    pairs.sort_unstable();
    Some(pairs)
}

fn vocabulary(path: &Path) -> Option<BTreeMap<String, u32>> {
    let text = read_whole(&path.join("tokenizer.json"), limits::INDEX).ok()?;
    let document: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let vocabulary = document.get("model")?.get("vocab")?.as_object()?;
    Some(vocabulary.iter().filter_map(|(token, id)| Some((token.clone(), u32::try_from(id.as_u64()?).ok()?))).collect())
}
