//! Which models a library shall hold: a list as people write it, or the entries of the catalogue.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;

use crate::bytes::{Location, limits};
use crate::catalog::{AccessState, Catalog, Entry};
use crate::library::Error;

/// A model that shall be in a library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wish {
    /// Where it is.
    pub location: String,
    /// Why nothing is fetched of it, where that is known beforehand.
    pub gated: Option<String>,
}

/// Terms under which anybody may use a model, as they are named.
const OPEN: [&str; 6] = ["apache", "mit", "bsd", "cc-by-4.0", "cc0", "openmdw"];

/// Reads a list: one model a line; `#` begins a remark. A model that is named twice is there once.
///
/// # Errors
/// A line that names no model, and a list that names none.
pub fn from_text(path: &Path, text: &str) -> Result<Vec<Wish>, Error> {
    let wrong = |line: usize, reason: String| Error::List { path: path.to_owned(), line, reason };
    let mut wishes = BTreeSet::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let location = line.split('#').next().unwrap_or_default().trim();
        if location.is_empty() {
            continue;
        }
        match Location::parse(location).map_err(|it| wrong(at + 1, it.to_string()))? {
            Location::Catalog(_) => {
                return Err(wrong(at + 1, format!("`{location}` is a blueprint without weights")));
            }
            Location::Path(_) | Location::Hub(_) | Location::Web(_) => {}
        }
        wishes.insert(Wish { location: location.to_owned(), gated: None });
        if wishes.len() > limits::FOLDER_ENTRIES {
            return Err(wrong(at + 1, format!("it names more than {} models", limits::FOLDER_ENTRIES)));
        }
    }
    if wishes.is_empty() { Err(wrong(1, "it names no model".to_owned())) } else { Ok(wishes.into_iter().collect()) }
}

/// The entries of the catalogue that are on a hub: published since a day, where one is given, and under open terms,
/// where that is asked. One that was taken back or never published is none; a gated one is listed as such.
pub fn from_catalog(catalog: &Catalog, since: Option<NaiveDate>, open_only: bool) -> Vec<Wish> {
    let is_wanted = |it: &&Entry| {
        let access = it.access().map(|it| it.state);
        !matches!(access, Some(AccessState::Withdrawn | AccessState::None))
            && it.blueprint().is_some()
            && since.is_none_or(|day| it.published().is_some_and(|it| it.last >= day))
            && (!open_only || it.licence().is_some_and(|it| is_open(&it.terms)))
    };
    let wish = |it: &Entry| {
        let gated = it.access().filter(|it| it.state == AccessState::Gated);
        let name = it.id().split('@').next().unwrap_or(it.id());
        Wish { location: format!("hf:{name}"), gated: gated.map(|it| it.source.clone()) }
    };
    let wishes: BTreeSet<Wish> = catalog.entries().iter().filter(is_wanted).map(wish).collect();
    wishes.into_iter().collect()
}

fn is_open(terms: &str) -> bool {
    let terms = terms.to_lowercase();
    OPEN.iter().any(|it| terms.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_model_a_line() {
        let read = |text: &str| from_text(Path::new("list.txt"), text);
        let wishes = read("# seeds\nhf:b/two\n\nhf:a/one@main # base\nhf:b/two\n").unwrap();
        assert_eq!(wishes.iter().map(|it| it.location.as_str()).collect::<Vec<_>>(), ["hf:a/one@main", "hf:b/two"]);
        for (text, line) in [("hf:a/b\ncatalog:a/b\n", 2), ("", 1), ("# nothing\n", 1), ("hf:a\n", 1)] {
            let Err(Error::List { line: found, .. }) = read(text) else { panic!("{text}") };
            assert_eq!(found, line, "{text}");
        }
    }

    #[test]
    fn the_catalogue_gives_what_is_on_a_hub() {
        let catalog = Catalog::builtin();
        let all = from_catalog(catalog, None, false);
        let open = from_catalog(catalog, None, true);
        let late = from_catalog(catalog, "2026-01-01".parse().ok(), false);
        assert!(all.len() > 200 && open.len() < all.len() && late.len() < all.len() / 2 && !late.is_empty());
        assert!(open.iter().all(|it| all.contains(it)));
        assert!(all.iter().any(|it| it.gated.is_some()));
    }
}
