//! What a tensor does, and how sure that is.

use std::fmt;

/// What one tensor does, or the few things it may do where nothing tells them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    /// Candidates, sorted; none where neither name nor shape tells.
    names: Vec<String>,
    by: By,
}

/// What a role rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum By {
    /// Nothing: the role is not known.
    #[default]
    Nothing,
    /// The name says it and the shape does not object.
    Name,
    /// The shape and the place among the others say it.
    Shape,
}

impl Role {
    /// A role that a known name gives.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self { names: vec![name.into()], by: By::Name }
    }

    /// Roles that the shape leaves over.
    pub(crate) fn one_of(names: &[&str]) -> Self {
        let mut names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        names.sort();
        Self { names, by: By::Shape }
    }

    /// The role, where there is only one it can be.
    pub(crate) fn only(&self) -> Option<&str> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// All roles it may have, sorted.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether nothing tells it.
    pub(crate) fn is_unknown(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a known name gives it.
    pub(crate) fn is_named(&self) -> bool {
        self.by == By::Name
    }

    /// The role, where it is the one given.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.only() == Some(name)
    }

    /// The role is the only one, or one of several, that it can be.
    pub(crate) fn may_be(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }

    /// Whether two tensors can do the same; what is not known excludes nothing.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.is_unknown() || other.is_unknown() || self.names.iter().any(|it| other.may_be(it))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() { formatter.write_str("unknown") } else { formatter.write_str(&self.names.join(" | ")) }
    }
}
