//! What is beside a language model, each as a model of its own: towers, and other lists of layers.
//!
//! Towers are compared with towers. Lists of layers are compared with those of the reference and against its language
//! model, and the subject's language model against the reference's lists: a talker may be somebody's language model,
//! and the other way round.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::blueprint::{Blueprint, Kind, Tower};
use crate::checkpoint::Error;
use crate::fact::{Unexamined, Weights};
use crate::lineage::Model;
use crate::lineage::unexamined::not_examined;
use crate::weights::{Net, Numbers, Plan, Stacked, Watch, closeness, relate};

/// A smaller share of a model is not worth a line.
const LEAST_SHARE: f64 = 0.001;

/// How a comparison is made: tokens that both vocabularies have, how far to look, and who hears of it.
pub(super) type Held<'a> = (Option<&'a [(u32, u32)]>, Plan, &'a dyn Watch);

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

    fn stored(&self, name: &str) -> Option<crate::checkpoint::Stored> {
        self.numbers.stored(self.names.get(name)?)
    }
}

/// The towers of both sides.
pub(super) struct Towers {
    ours: Vec<Tower>,
    theirs: Vec<Tower>,
    /// Whether the subject's lists of layers are compared, with the reference's language model at least.
    holds_stacks: bool,
}

impl Towers {
    pub(super) fn of(subject: &Blueprint, reference: &Blueprint) -> Self {
        Self { ours: subject.towers(), theirs: reference.towers(), holds_stacks: true }
    }

    /// Those of a subject whose reference keeps its language model alone.
    pub(super) fn beside(subject: &Blueprint) -> Self {
        Self { ours: subject.towers(), theirs: Vec::new(), holds_stacks: true }
    }

    /// Those of a subject, none of which is looked at.
    pub(super) fn unseen(subject: &Blueprint) -> Self {
        Self { ours: subject.towers(), theirs: Vec::new(), holds_stacks: false }
    }

    /// The subject's tensors that no comparison looks at: projectors between towers, and towers that the other side
    /// lacks.
    pub(super) fn left_out(&self, subject: &Model, net: &Net<'_>) -> Option<Unexamined> {
        let is_held = |it: &&Tower| !self.theirs.is_empty() || self.holds_stacks && it.kind != Kind::Encoder;
        let compared: BTreeSet<&String> = self.ours.iter().filter(is_held).flat_map(|it| it.names.values()).collect();
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
        let stacks = |towers: &[Tower]| towers.iter().filter(|it| it.kind != Kind::Encoder).count();
        self.ours
            .len()
            .saturating_mul(self.theirs.len())
            .saturating_add(stacks(&self.ours))
            .saturating_add(stacks(&self.theirs))
    }

    /// The answer on the language model: the closest of the reference's lists of layers where that is closer than its
    /// language model is, with what that list is called.
    pub(super) fn language(
        &self,
        weights: Weights,
        net: &Net<'_>,
        theirs: &dyn Numbers,
        (tokens, plan, watch): Held<'_>,
    ) -> Result<Weights, Error> {
        let mut closest = weights;
        for other in self.theirs.iter().filter(|it| it.kind != Kind::Encoder) {
            let numbers = Within { numbers: theirs, names: &other.names };
            let weights = relate(net, &Net::new(&other.blueprint, &numbers), tokens, plan, watch)?;
            if closeness(&weights) > closeness(&closest) {
                closest =
                    weights.beside(&format!("the reference's list of layers that answers best is `{}`", other.word));
            }
        }
        Ok(closest)
    }

    /// For each tower of the subject the closest of the reference's, and what their weights say.
    pub(super) fn relate(
        &self,
        (ours, theirs): (&dyn Numbers, &dyn Numbers),
        main: &Net<'_>,
        (tokens, plan, watch): Held<'_>,
    ) -> Result<Vec<Stacked>, Error> {
        let mut found = Vec::new();
        for own in &self.ours {
            let numbers = Within { numbers: ours, names: &own.names };
            let net = Net::new(&own.blueprint, &numbers);
            let tokens = tokens.filter(|_| own.kind == Kind::Rival);
            let mut closest: Option<Weights> = None;
            let mut take = |weights: Weights| {
                if closest.as_ref().is_none_or(|it| closeness(&weights) > closeness(it)) {
                    closest = Some(weights);
                }
            };
            if own.kind != Kind::Encoder {
                take(relate(&net, main, tokens, plan, watch)?);
            }
            for other in &self.theirs {
                let numbers = Within { numbers: theirs, names: &other.names };
                take(relate(&net, &Net::new(&other.blueprint, &numbers), None, plan, watch)?);
            }
            found.extend(closest.map(|weights| Stacked { word: own.word.clone(), kind: own.kind, weights }));
        }
        Ok(found)
    }
}
