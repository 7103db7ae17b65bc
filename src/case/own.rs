//! Which place a location means, so that one model under two spellings is one model, and whose place it is.

use std::path::{Component, Path, PathBuf};

use crate::bytes::Location;

/// A place, however it was spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder or file with links and `..` resolved, as far as it is there.
    Path(PathBuf),
    /// A name on a hub or in the catalog, or an address.
    Named(String),
}

impl Place {
    /// The place that a location means; none where the location is not valid.
    pub(crate) fn of(location: &str, folder: &Path) -> Option<Self> {
        Some(match Location::parse(location.trim()).ok()? {
            Location::Path(path) => Self::Path(resolved(&folder.join(path))),
            Location::Hub(it) => Self::Named(format!("{}:{}", it.hub.scheme(), it.name.to_lowercase())),
            Location::Catalog(name) => Self::Named(format!("catalog:{}", name.to_lowercase())),
            Location::Web(address) => Self::Named(address.trim_end_matches('/').to_owned()),
        })
    }

    /// Whether both are one model: the same place, or a folder and a file in it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(other)) => {
                one == other
                    || one.parent() == Some(other) && one.is_file()
                    || other.parent() == Some(one) && other.is_file()
            }
            _ => self == other,
        }
    }
}

/// The path with links resolved, or without `.`, `..` and slashes at the end where it is not there.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        path.components().fold(PathBuf::new(), |mut so_far, part| {
            match part {
                Component::CurDir => {}
                Component::ParentDir if so_far.file_name().is_some() => {
                    so_far.pop();
                }
                other => so_far.push(other),
            }
            so_far
        })
    })
}

/// Whether a location is in one of the company's accounts.
pub(crate) fn is_owned(location: &str, owners: &[&str]) -> bool {
    let (scheme, name) = match Location::parse(location.trim()) {
        Ok(Location::Hub(it)) => (it.hub.scheme().to_owned(), it.name),
        Ok(Location::Catalog(name)) => ("catalog".to_owned(), name),
        _ => return false,
    };
    let Some((account, _)) = name.split_once('/') else { return false };
    owners.iter().any(|written| {
        let (hub, owner) = written.split_once(':').map_or((None, *written), |(hub, it)| (Some(hub), it));
        owner.trim().eq_ignore_ascii_case(account) && hub.is_none_or(|it| it.eq_ignore_ascii_case(&scheme))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: bool) {
        let place = |it: &str| Place::of(it, Path::new("tests/families/small")).unwrap();
        assert_eq!(place(one).is(&place(other)), expected, "{one} and {other}");
    }

    #[test]
    fn one_model_under_two_spellings_is_one() {
        check("base_a", "base_a/", true);
        check("base_a", "./../small/base_a", true);
        check("base_a", std::env::current_dir().unwrap().join("tests/families/small/base_a").to_str().unwrap(), true);
        check("not/there", "./not/x/../there/", true);
        check("base_a", "base_b", false);
        check("hf:Acme/Model", "hf:acme/model", true);
        check("hf:acme/model", "ms:acme/model", false);
    }

    #[test]
    fn an_account_is_the_companys_where_the_case_shows_it() {
        let owners = ["hf:acme"];
        assert!(is_owned("hf:ACME/model", &owners));
        assert!(!is_owned("ms:acme/model", &owners) && !is_owned("hf:acme-labs/model", &owners));
        assert!(!is_owned("models/acme", &owners));
    }
}
