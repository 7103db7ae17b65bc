//! How often each value occurs among the houses of the catalogue: the null of the score.
//!
//! The unit is the lineage, as in `catalog::rarity`: a house counts once, however many models it has. A value that `k`
//! of the `n` lineages that state it have is drawn with `(k + 1/2) / (n + 1)`; what nobody has shares the half that is
//! left.

use std::collections::{BTreeMap, BTreeSet};

use crate::lineage::likelihood::traits::Traits;

/// Widest range of sizes that the share left for unseen sizes is spread over, evenly in the logarithm.
const SIZES_SPAN: f64 = 1e6;

/// Houses by value, for each property.
#[derive(Debug, Default)]
pub(crate) struct Background {
    values: BTreeMap<String, Houses>,
    given: BTreeMap<(String, String), Houses>,
}

#[derive(Debug, Default)]
struct Houses {
    all: BTreeSet<String>,
    having: BTreeMap<String, BTreeSet<String>>,
}

impl Houses {
    fn add(&mut self, value: String, house: &str) {
        self.all.insert(house.to_owned());
        self.having.entry(value).or_default().insert(house.to_owned());
    }

    fn counts(&self, value: &str) -> (f64, f64) {
        (self.having.get(value).map_or(0, BTreeSet::len) as f64, self.all.len() as f64)
    }
}

impl Background {
    /// Counts what the entries have; each comes with its house.
    pub(crate) fn of<'a>(entries: impl Iterator<Item = (&'a str, &'a Traits)>) -> Self {
        let mut background = Self::default();
        for (house, traits) in entries {
            for (property, value) in traits.values() {
                background.values.entry(property).or_default().add(value, house);
            }
            for (property, given, value) in traits.pairs() {
                background.given.entry((property, given)).or_default().add(value, house);
            }
        }
        background
    }

    /// The chance that a house has this value of a property, a word or a flag.
    pub(crate) fn word(&self, property: &str, value: &str) -> f64 {
        let (having, all) = self.values.get(property).map_or((0.0, 0.0), |it| it.counts(value));
        (having + 0.5) / (all + 1.0)
    }

    /// The chance that a house has this size.
    pub(crate) fn size(&self, property: &str, size: u64) -> f64 {
        let (having, all) = self.values.get(property).map_or((0.0, 0.0), |it| it.counts(&size.to_string()));
        (having + 0.5 * spread(size)) / (all + 1.0)
    }

    /// The chance that a house that has this width has this size.
    pub(crate) fn size_given(&self, property: &str, size: u64, hidden: Option<u64>) -> f64 {
        let alone = self.size(property, size);
        hidden.map_or(alone, |it| self.given(property, &it.to_string(), &size.to_string(), alone))
    }

    /// The chance that a house whose models are like this in one property has this value of another.
    pub(crate) fn word_given(&self, property: &str, value: &str, given: &str) -> f64 {
        self.given(property, given, value, self.word(property, value))
    }

    /// The share among those that are given, drawn towards the share among all as by one house more.
    fn given(&self, property: &str, given: &str, value: &str, alone: f64) -> f64 {
        let houses = self.given.get(&(property.to_owned(), given.to_owned()));
        let (having, all) = houses.map_or((0.0, 0.0), |it| it.counts(value));
        (having + alone) / (all + 1.0)
    }
}

/// The share of one size where sizes are spread evenly in the logarithm.
pub(crate) fn spread(size: u64) -> f64 {
    1.0 / (size.max(1) as f64 * SIZES_SPAN.ln())
}
