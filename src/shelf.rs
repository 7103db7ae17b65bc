//! The rubrics, templates, catalogue and example cases that ship inside the program.

include!(concat!(env!("OUT_DIR"), "/shelf.rs"));

/// The bytes of one file of a shelf, by its path there.
pub fn find(shelf: &'static [(&'static str, &'static [u8])], path: &str) -> Option<&'static [u8]> {
    let idx = shelf.binary_search_by_key(&path, |(name, _)| name).ok()?;
    Some(shelf[idx].1)
}

/// The files of a shelf below `folder` (given without a closing slash), with their paths inside it.
pub fn below(
    shelf: &'static [(&'static str, &'static [u8])],
    folder: &str,
) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    shelf.iter().filter_map(move |(path, bytes)| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((rest, *bytes))
    })
}
