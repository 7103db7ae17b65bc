//! The released models that are known, and how rare each of their values is.
//!
//! `catalog/models/<family>.yaml` is written by people and compiled into the program (see `src/build.rs`). Here it
//! becomes valid entries, or a list of everything that is wrong with it. Nothing outside the catalogue can be
//! recognised, so [`Catalog::reach`] belongs beside every answer that rests on it.

mod check;
mod document;
mod draft;
mod entry;
mod honesty;
mod indices;
mod published;
mod rarity;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use check::Problem;
pub use document::{
    Access, AccessState, Basis, BlueprintAsWritten, ConfigAsWritten, CountCheck, Date, EntryAsWritten, FamilyAsWritten,
    FileList, IndicesAsWritten, Licence, Maker, NameCheck, Parentage, Precision, PublishedCount, TemplateAsWritten,
    Tokenizer, TrainingTokens, Trap,
};
pub use draft::{About, draft};
pub use entry::{Design, Entry, PredictionLayers, Template};
pub use indices::Indices;
pub use published::{DatePrecision, Published};
pub use rarity::{SHAPE_FIELDS, TELLING_BITS};

use crate::blueprint::Config;
use crate::fact::{CatalogReach, ConfigAgreement};

/// How a catalogue entry is named wherever a model can be named: `catalog:ORG/NAME`.
pub const SCHEME: &str = "catalog:";

/// Entries in the order of their ids.
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    by_id: BTreeMap<String, usize>,
    twins: Twins,
}

/// Sets of entries that names and shapes cannot tell apart, as found when the catalogue was made.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twins {
    /// Every shape is equal.
    pub same_shapes: Vec<Vec<String>>,
    /// Every shape is equal but for the rows of embedding and head.
    pub same_up_to_vocabulary: Vec<Vec<String>>,
}

impl Catalog {
    /// The catalogue that ships inside the program.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
            let families: Vec<FamilyAsWritten> =
                serde_json::from_str(embedded::FAMILIES).expect("a test reads every family");
            let twins = serde_json::from_str(embedded::TWINS).expect("a test reads the twins");
            Catalog::new(families, twins).expect("a test checks every entry")
        });
        &BUILTIN
    }

    /// Checks families as people wrote them; gives every problem there is.
    pub fn new(families: Vec<FamilyAsWritten>, twins: Twins) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut entries = Vec::new();
        for family in families {
            entries.extend(check::family(family, &mut problems));
        }
        entries.sort_by(|left, right| left.id().cmp(right.id()));
        check::ids_are_unique(&entries, &mut problems);
        let by_id: BTreeMap<_, _> = entries.iter().enumerate().map(|(idx, it)| (it.id().to_owned(), idx)).collect();
        check::twins_exist(&twins, &by_id, &mut problems);
        if problems.is_empty() { Ok(Self { entries, by_id, twins }) } else { Err(problems) }
    }

    /// All entries, sorted by id.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry `ORG/NAME`; `catalog:ORG/NAME` is understood too.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let name = name.strip_prefix(SCHEME).unwrap_or(name);
        self.by_id.get(name).map(|idx| &self.entries[*idx])
    }

    /// Up to three ids that a reader may have meant by `name`, best first.
    pub fn suggest(&self, name: &str) -> Vec<&str> {
        let wanted = name.strip_prefix(SCHEME).unwrap_or(name).to_lowercase();
        let mut scored: Vec<(f64, &str)> =
            self.entries.iter().map(|it| (likeness(&wanted, &it.id().to_lowercase()), it.id())).collect();
        scored.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
        scored.into_iter().filter(|(score, _)| *score > 0.75).take(3).map(|(_, id)| id).collect()
    }

    /// The other members of the entry's twin set: all shapes equal, or equal up to the vocabulary.
    pub fn twins(&self, id: &str) -> (Vec<&str>, Vec<&str>) {
        let others = |sets: &'_ [Vec<String>]| -> Vec<String> {
            let set = sets.iter().find(|set| set.iter().any(|it| it == id));
            set.into_iter().flatten().filter(|it| *it != id).cloned().collect()
        };
        let same = others(&self.twins.same_shapes);
        let padded: Vec<_> =
            others(&self.twins.same_up_to_vocabulary).into_iter().filter(|it| !same.contains(it)).collect();
        let known = |ids: Vec<String>| ids.iter().filter_map(|it| self.find(it)).map(Entry::id).collect();
        (known(same), known(padded))
    }

    /// What two configurations share, weighted by how rare each value is (the formula and its limits: `rarity.rs`).
    pub fn agreement(&self, subject: &Config, reference: &Config) -> ConfigAgreement {
        rarity::agreement(self, subject.fields(), reference.fields())
    }

    /// How far the catalogue reaches: its size, and its newest entry that can be compared.
    pub fn reach(&self) -> CatalogReach {
        let comparable = || self.entries.iter().filter(|it| it.design().is_some());
        let dated = comparable().filter_map(|it| Some((it.released()?.date.as_str(), it.id())));
        // Of two with one date, the first by name.
        let newest = dated.max_by(|left, right| left.0.cmp(right.0).then_with(|| right.1.cmp(left.1)));
        let (date, id) = newest.unwrap_or_default();
        CatalogReach {
            size: comparable().count() as u64,
            entries: self.entries.len() as u64,
            newest: if id.is_empty() { String::new() } else { format!("{SCHEME}{id}") },
            newest_date: date.to_owned(),
        }
    }
}

/// How much two lower-case names are alike, 0 to 1; a name without its organisation counts as that name.
fn likeness(wanted: &str, id: &str) -> f64 {
    let short = id.split_once('/').map_or(id, |(_, name)| name);
    let whole = strsim::jaro_winkler(wanted, id);
    if wanted.contains('/') { whole } else { whole.max(strsim::jaro_winkler(wanted, short)) }
}

/// The catalogue as `src/build.rs` compiled it: the YAML files as JSON, which reads ten times as fast.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
}

#[cfg(test)]
mod tests;
