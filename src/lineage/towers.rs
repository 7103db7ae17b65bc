//! Towers beside the language model: each of the subject's against each of the reference's, as models of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::blueprint::{Blueprint, Tower};
use crate::checkpoint::Error;
use crate::fact::{Unexamined, Weights};
use crate::lineage::Model;
use crate::lineage::unexamined::not_examined;
use crate::weights::{Net, Numbers, Plan, Watch, closeness, relate};

/// A smaller share of a model is not worth a line.
const LEAST_SHARE: f64 = 0.001;

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

    /// Those of a subject whose reference keeps none.
    pub(super) fn none_of(subject: &Blueprint) -> Self {
        Self(subject.towers(), Vec::new())
    }

    /// The subject's tensors that no comparison looks at: projectors between towers, and towers that the other side lacks.
    pub(super) fn left_out(&self, subject: &Model, net: &Net<'_>) -> Option<Unexamined> {
        let compared: BTreeSet<&String> = match self.comparisons() {
            0 => BTreeSet::new(),
            _ => self.0.iter().flat_map(|it| it.names.values()).collect(),
        };
        let left: Vec<(&String, &u64)> = net.others().iter().filter(|it| !compared.contains(it.0)).collect();
        let numbers: u64 = left.iter().map(|it| it.1).fold(0, |sum, it| sum.saturating_add(*it));
        let share = numbers as f64 / subject.blueprint.parameters().unwrap_or(0).max(1) as f64;
        (share >= LEAST_SHARE).then(|| {
            let some: Vec<&str> = left.iter().take(3).map(|it| it.0.as_str()).collect();
            let detail = format!(
                "{}: {} tensors ({:.1} % of its parameters) have no place in any comparison, such as {}",
                subject.name.name,
                left.len(),
                share * 100.0,
                some.join(", ")
            );
            not_examined("tensors", "not-compared", &detail)
        })
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
