//! What a list of evidence shows: its best grade, and from how many origins.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, LedgerEntry};
use crate::fact::letters;
use crate::rubric::Grade;

/// What a list of evidence shows, of those entries that are intact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// The best grade.
    pub grade: Option<Grade>,
    /// Origins of the entries of grade C or better, without case, spaces and punctuation: near-equal spellings are one.
    pub origins: BTreeSet<String>,
}

impl Support {
    /// Whether it suffices for a fact that an accusation rests on: an original (B), or two independent origins (C).
    pub fn shows(&self) -> bool {
        self.grade.is_some_and(|it| it <= Grade::B) || self.origins.len() >= 2
    }

    /// Whether it is at least of a grade.
    pub fn is_at_least(&self, grade: Grade) -> bool {
        self.grade.is_some_and(|it| it <= grade)
    }
}

impl Case {
    /// What evidence shows of a matter of fact.
    pub fn support(&self, evidence: &[String]) -> Support {
        self.support_by(evidence, |it| it.grade)
    }

    /// What evidence shows of what somebody said in public.
    pub fn support_of_statement(&self, evidence: &[String]) -> Support {
        self.support_by(evidence, |it| it.said_grade)
    }

    /// The same with the grade that a use of the evidence asks for.
    pub fn support_by(&self, evidence: &[String], grade: impl Fn(&LedgerEntry) -> Grade) -> Support {
        of(&self.ledger, evidence, grade)
    }
}

/// What entries of a ledger show, with the grade that a use of them asks for.
pub(crate) fn of(
    ledger: &BTreeMap<String, LedgerEntry>,
    evidence: &[String],
    grade: impl Fn(&LedgerEntry) -> Grade,
) -> Support {
    let entries = evidence.iter().filter_map(|id| ledger.get(id)).filter(|it| !it.is_altered());
    let mut support = Support::default();
    for entry in entries {
        let grade = grade(entry);
        support.grade = Some(support.grade.map_or(grade, |it| it.min(grade)));
        if grade <= Grade::C {
            support.origins.insert(letters(&entry.origin));
        }
    }
    support
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_origins_of_grade_c_show_what_one_does_not() {
        let support = |grade, origins: &[&str]| Support {
            grade: Some(grade),
            origins: origins.iter().map(|it| (*it).to_owned()).collect(),
        };
        assert!(support(Grade::B, &["a"]).shows() && support(Grade::C, &["a", "b"]).shows());
        assert!(!support(Grade::C, &["a"]).shows() && !Support::default().shows());
    }
}
