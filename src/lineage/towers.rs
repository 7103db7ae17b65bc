//! Towers beside the language model: each of the subject's against each of the reference's, as models of their own.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::blueprint::{Blueprint, Tower};
use crate::checkpoint::Error;
use crate::fact::Weights;
use crate::weights::{Net, Numbers, Plan, Watch, closeness, relate};

/// The numbers of a tower, by the names that they have in a model of its own.
struct Within<'a> {
    numbers: &'a dyn Numbers,
    names: &'a BTreeMap<String, String>,
}

impl Numbers for Within<'_> {
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        self.names.get(name).map_or_else(|| Ok(Vec::new()), |it| self.numbers.read(it, elements))
    }

    fn has(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|it| self.numbers.has(it))
    }
}

/// The towers of both sides.
pub(super) struct Towers(Vec<Tower>, Vec<Tower>);

impl Towers {
    pub(super) fn of(subject: &Blueprint, reference: &Blueprint) -> Self {
        Self(subject.towers(), reference.towers())
    }

    /// How many comparisons they take.
    pub(super) fn comparisons(&self) -> usize {
        self.0.len().saturating_mul(self.1.len())
    }

    /// For each tower of the subject the closest of the reference's: both words, and what their weights say.
    pub(super) fn relate(
        &self,
        (ours, theirs): (&dyn Numbers, &dyn Numbers),
        plan: Plan,
        watch: &dyn Watch,
    ) -> Result<Vec<(String, Weights)>, Error> {
        let mut found = Vec::new();
        for own in &self.0 {
            let numbers = Within { numbers: ours, names: &own.names };
            let net = Net::new(&own.blueprint, &numbers);
            let mut closest: Option<Weights> = None;
            for other in &self.1 {
                let numbers = Within { numbers: theirs, names: &other.names };
                let weights = relate(&net, &Net::new(&other.blueprint, &numbers), None, plan, watch)?;
                if closest.as_ref().is_none_or(|it| closeness(&weights) > closeness(it)) {
                    closest = Some(weights);
                }
            }
            found.extend(closest.map(|it| (own.word.clone(), it)));
        }
        Ok(found)
    }
}
