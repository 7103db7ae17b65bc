//! How far a comparison looks at weights.

use crate::lineage::Model;
use crate::weights::{Effort, Plan, Watch};

/// Bytes that models behind an address may have in all, for a quick look at them to go on by itself: a minute or two on
/// an ordinary line.
pub(super) const FREELY: u64 = 2_000_000_000;

/// How far to look at weights, and who is told how far the work is.
pub struct Look<'a> {
    /// Where to begin; where nothing is said, `standard` for two models on this machine, and otherwise a quick look.
    pub effort: Option<Effort>,
    /// How many references the subject is held against in all.
    pub references: usize,
    /// Who hears of progress.
    pub watch: &'a dyn Watch,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self { effort: None, references: 1, watch: &() }
    }
}

impl Look<'_> {
    /// A quick look goes on by itself where it does not decide, unless that would fetch many gigabytes that nobody
    /// asked for.
    pub(super) fn plan(&self, subject: &Model, reference: &Model) -> Plan {
        let far = || [subject, reference].into_iter().filter(|it| it.is_far());
        let usual = if far().count() > 0 { Effort::Quick } else { Effort::Standard };
        let bytes = far().map(|it| it.data_bytes.unwrap_or(u64::MAX)).fold(0, u64::saturating_add);
        Plan { effort: self.effort.unwrap_or(usual), goes_on: bytes <= FREELY, references: self.references }
    }
}
