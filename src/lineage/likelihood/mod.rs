//! How much all that is known of a model speaks for a catalogue entry: one sum of bits, with its summands.
//!
//! For each property the summand is `log2(P(value | entry) / P(value | nobody's))`:
//!
//! * **Under the entry** the model is built like it or derived from it, and each property stays with the chance `1 - c`
//!   or changes with the chance `c` of `changes.rs`. A changed value is drawn as anybody draws it, so that it costs
//!   `log2 c`; where a derivation has ways of its own (rows added to a vocabulary, layers stacked or cut) it is
//!   drawn by those.
//! * **Under the null** somebody without regard to the entry draws each property as the houses of the catalogue do
//!   (`background.rs`), sizes given the width of the stream.
//! * A model that is another size of the entry's design draws its sizes as under the null; one in ten is taken to
//!   be one, and the two ways are summed.
//!
//! A property that either side does not state adds nothing. Properties are taken to be independent but for sizes given
//! the width; they are not, so the sum says more bits than there are. It orders entries under one and the same model;
//! it is no probability of descent, and no weight takes part in it. Where two entries differ by less than a bit, that
//! is a factor of two, and nothing distinguishes them.

mod background;
mod changes;
mod names;
mod traits;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use background::Background;

pub(crate) use names::{Named, StatedNames};
pub(crate) use traits::{Traits, split};

use crate::fact::{Score, ScorePart};
use crate::lineage::likelihood::changes as c;

/// What is known of a model beside its blueprint.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// Which entries the names that it states are those of.
    pub(crate) named: Named,
    /// Whether the size that an index states is that of the entry with the model's vocabulary; `None` if nothing is
    /// stated.
    pub(crate) bytes_agree: Option<bool>,
    /// The share of houses with an entry of that size.
    pub(crate) bytes_background: f64,
    /// Whether prediction layers of released files are known of the entry.
    pub(crate) entry_predicts: bool,
}

/// A score on its way.
#[derive(Debug, Default)]
pub(crate) struct Scored {
    parts: Vec<ScorePart>,
    /// Summands of sizes and vocabulary, which another size of the design would draw anew.
    of_sizes: f64,
    rest: f64,
    /// Sizes that are not the entry's, depth and vocabulary apart.
    pub(crate) sizes_apart: u64,
    /// Whether the size that an index states is another.
    pub(crate) has_other_bytes: bool,
    /// Whether projections are fused on one side alone.
    pub(crate) is_fused_otherwise: bool,
    /// Groups of tensors that one side has and the other has not.
    pub(crate) groups_apart: u64,
    /// Fields of the configuration, those of the tokenizer apart, that both state and that are not the same.
    pub(crate) fields_apart: u64,
    /// Whether the model states another entry's name.
    pub(crate) is_called_another: bool,
}

impl Scored {
    /// All bits: the two ways to be like the entry summed.
    pub(crate) fn bits(&self) -> f64 {
        self.rest + sum(self.of_sizes + (1.0 - c::OTHER_SIZE).log2(), c::OTHER_SIZE.log2())
    }

    /// Whether the sizes speak for another size of the design rather than for the entry.
    pub(crate) fn is_other_size(&self) -> bool {
        self.of_sizes + (1.0 - c::OTHER_SIZE).log2() < c::OTHER_SIZE.log2()
    }

    /// The score as the answer has it, rounded so that no platform's logarithm shows.
    pub(crate) fn into_score(mut self) -> Score {
        let both = self.bits() - self.rest - self.of_sizes;
        if self.is_other_size() {
            self.add("sizes", "another size of the design", None, both, false);
        }
        for part in &mut self.parts {
            part.bits = rounded(part.bits);
        }
        self.parts.retain(|it| it.bits != 0.0);
        let bits = self.parts.iter().map(|it| it.bits).sum::<f64>();
        Score { bits: rounded(bits), parts: self.parts }
    }

    fn add(&mut self, group: &str, item: &str, sides: Option<(String, String)>, bits: f64, is_size: bool) {
        if is_size {
            self.of_sizes += bits;
        } else {
            self.rest += bits;
        }
        let (subject, reference) = sides.map_or((None, None), |(subject, reference)| (Some(subject), Some(reference)));
        self.parts.push(ScorePart { group: group.to_owned(), item: item.to_owned(), subject, reference, bits });
    }
}

/// `log2(2^a + 2^b)`.
fn sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + (1.0 + (low - high).exp2()).log2()
}

fn rounded(bits: f64) -> f64 {
    let bits = (bits * 100.0).round() / 100.0;
    if bits == 0.0 { 0.0 } else { bits } // Never -0.
}

/// Holds what is known of a model against an entry.
pub(crate) fn score(subject: &Traits, entry: &Traits, beside: &Beside, background: &Background) -> Scored {
    let mut scored = Scored::default();
    sizes(subject, entry, background, &mut scored);
    vocabulary(subject, entry, background, &mut scored);
    tensors(subject, entry, background, &mut scored);
    naming(subject, entry, background, &mut scored);
    fields(subject, entry, background, &mut scored);
    stated(subject, beside, &mut scored);
    scored
}

fn sizes(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    let hidden = subject.size("hidden");
    let has_heads = [subject, entry].iter().all(|it| it.size("heads").is_some());
    for (name, _, change) in c::SIZES.iter().filter(|it| !(has_heads && c::WIDTHS.contains(&it.0))) {
        let (Some(ours), Some(theirs)) = (subject.size(name), entry.size(name)) else { continue };
        let by_chance = match *name {
            "hidden" => background.size(name, ours),
            _ => background.size_given(name, ours, hidden),
        };
        let likely = match (ours == theirs, *name) {
            (true, _) => 1.0 - change,
            (false, "layers") => change * depth(ours, theirs).max(by_chance * 0.1),
            (false, _) => change * by_chance,
        };
        scored.sizes_apart += u64::from(ours != theirs && *name != "layers");
        let sides = Some((ours.to_string(), theirs.to_string()));
        scored.add("sizes", name, sides, (likely / by_chance).log2(), true);
    }
}

/// The chance of a depth where layers are stacked or cut: evenly up to twice as many.
fn depth(ours: u64, theirs: u64) -> f64 {
    let most = theirs as f64 * c::DEEPER;
    if ours as f64 <= most { 1.0 / most } else { 0.0 }
}

fn vocabulary(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    let (Some(ours), Some(theirs)) = (subject.vocabulary, entry.vocabulary) else { return };
    let by_chance = background.size("vocabulary", ours);
    let v = &c::VOCABULARY;
    let mut likely = v.other * by_chance;
    if ours == theirs {
        likely += v.same;
    } else if ours < theirs {
        likely += v.fewer / theirs as f64;
        if theirs - ours <= c::FEW_ROWS {
            likely += v.few_less / c::FEW_ROWS as f64;
        }
    } else {
        if ours - theirs <= c::FEW_ROWS {
            likely += v.few / c::FEW_ROWS as f64;
        }
        if ours as f64 <= theirs as f64 * c::GROWTH {
            likely += v.more / (ours as f64 * c::GROWTH.ln());
        }
    }
    let sides = Some((ours.to_string(), theirs.to_string()));
    scored.add("vocabulary", "vocab", sides, (likely / by_chance).log2(), true);
}

/// What the two are made of: groups of tensors that one side lacks, compared with how common the whole is.
fn tensors(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    let by_chance = background.word("signature", subject.signature());
    let mut likely = 1.0 - c::ADDED_BLOCK - c::MISSING_BLOCK - c::BIASES - c::NORMS;
    let mut apart = Vec::new();
    for (group, chance) in
        groups(&subject.roles, &entry.roles, true).into_iter().chain(groups(&entry.roles, &subject.roles, false))
    {
        likely *= chance;
        scored.groups_apart += u64::from(!group.ends_with("output"));
        apart.push(group);
    }
    let mut strange: BTreeSet<&str> = subject.unknown.difference(&entry.unknown).map(|it| stem(it)).collect();
    strange.extend(entry.unknown.difference(&subject.unknown).map(|it| stem(it)));
    for stem in strange {
        likely *= c::ADDED_UNKNOWN;
        scored.groups_apart += 1;
        apart.push(format!("? {stem}"));
    }
    if subject.fused != entry.fused {
        likely *= c::FUSED;
        scored.is_fused_otherwise = true;
        apart.push("fused or split projections".to_owned());
    }
    let item = if apart.is_empty() { "same roles".to_owned() } else { apart.join(", ") };
    scored.add("tensors", &item, None, (likely / by_chance).log2(), false);
    if subject.predicts != (entry.predicts) {
        prediction(subject, scored);
    }
}

fn prediction(subject: &Traits, scored: &mut Scored) {
    let chance = if subject.predicts { c::ADDED_PREDICTION } else { c::MISSING_PREDICTION };
    let item = if subject.predicts { "+ prediction layers" } else { "- prediction layers" };
    scored.add("prediction layers", item, None, chance.log2(), false);
}

/// The first word of a name outside brackets: parts of one block are put in or taken out together.
fn stem(name: &str) -> &str {
    let inner = name.rsplit_once("{i}.").map_or(name, |it| it.1);
    inner.split('.').next().unwrap_or(inner)
}

/// Roles that the one has and the other has not, by group, each with the chance of it.
fn groups(having: &BTreeSet<String>, other: &BTreeSet<String>, is_added: bool) -> Vec<(String, f64)> {
    let sign = if is_added { "+" } else { "-" };
    let mut groups: std::collections::BTreeMap<String, f64> = std::collections::BTreeMap::new();
    for role in having.difference(other) {
        let (group, chance) = match role.as_str() {
            "output" | "output.bias" => ("output", if is_added { c::ADDED_HEAD } else { c::MISSING_HEAD }),
            it if it.ends_with(".bias") => ("biases", c::BIASES),
            it if it.ends_with("norm") => ("norms", c::NORMS),
            it => (it.split('.').next().unwrap_or(it), if is_added { c::ADDED_BLOCK } else { c::MISSING_BLOCK }),
        };
        groups.insert(format!("{sign} {group}"), chance);
    }
    groups.into_iter().collect()
}

/// The names of parts that both sides have, without prefixes.
fn naming(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    let shared = subject.names.iter().filter_map(|(role, name)| Some((name, entry.names.get(role)?)));
    let shared: Vec<_> = shared.collect();
    if shared.is_empty() {
        return;
    }
    let changed: BTreeSet<(&str, &str)> =
        shared.iter().filter(|it| it.0 != it.1).map(|it| (word_of(it.0), word_of(it.1))).collect();
    let by_chance = background.word("scheme", subject.scheme());
    let all = c::ALL_RENAMED * by_chance;
    let likely = match changed.len() {
        0 => 1.0 - c::SOME_RENAMED - c::ALL_RENAMED + all,
        several => all.max(c::SOME_RENAMED * (-c::EACH_NAME * several as f64).exp2()),
    };
    let item = match changed.first() {
        None => "same names".to_owned(),
        Some((ours, theirs)) => format!("{} of {} renamed, e.g. {theirs} -> {ours}", changed.len(), shared.len()),
    };
    scored.add("names", &item, None, (likely / by_chance).log2(), false);
}

/// The last word of a module, which is what a renaming changes.
fn word_of(name: &str) -> &str {
    let module = name.trim_end_matches(".weight").trim_end_matches(".bias");
    module.rsplit('.').next().unwrap_or(module)
}

fn fields(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    program(subject, entry, background, scored);
    for (field, change) in c::FIELDS {
        let (Some(ours), Some(theirs)) = (subject.field(field), entry.field(field)) else { continue };
        if matches!(*field, "model_type" | "architectures") {
            continue;
        }
        let bits = match ours == theirs {
            true => ((1.0 - change) / background.word(field, &ours.to_string())).log2(),
            false => change.log2(),
        };
        scored.fields_apart += u64::from(ours != theirs && !c::WITH_TOKENIZER.contains(field));
        scored.add("configuration", field, Some((short(ours), short(theirs))), bits, false);
    }
}

/// The kind of a model and its class go with each other and with the names of its tensors: one program reads them all.
/// What is the same is compared with how common it is given the others, and what changes together is one change.
fn program(subject: &Traits, entry: &Traits, background: &Background, scored: &mut Scored) {
    let (Some(ours), Some(theirs)) = (subject.field("model_type"), entry.field("model_type")) else {
        return class(subject, entry, |it| background.word("architectures", it), c::OTHER_CLASS, scored);
    };
    let is_same = ours == theirs;
    let change = if subject.scheme() == entry.scheme() { c::OTHER_KIND } else { c::OTHER_KIND_RENAMED };
    let by_chance = background.word_given("model_type", &ours.to_string(), subject.scheme());
    let bits = if is_same { ((1.0 - change) / by_chance).log2() } else { change.log2() };
    scored.add("configuration", "model_type", Some((short(ours), short(theirs))), bits, false);
    let change = if is_same { c::OTHER_CLASS } else { c::OTHER_CLASS_AND_KIND };
    let of_class = |it: &str| background.word_given("architectures", it, &ours.to_string());
    class(subject, entry, of_class, change, scored);
}

fn class(subject: &Traits, entry: &Traits, by_chance: impl Fn(&str) -> f64, change: f64, scored: &mut Scored) {
    let (Some(ours), Some(theirs)) = (subject.field("architectures"), entry.field("architectures")) else { return };
    let is_same = !subject.classes().is_disjoint(entry.classes());
    let bits = if is_same { ((1.0 - change) / by_chance(&theirs.to_string())).log2() } else { change.log2() };
    scored.add("configuration", "architectures", Some((short(ours), short(theirs))), bits, false);
}

/// A value in few characters.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

/// What the model states of itself beside its configuration.
fn stated(subject: &Traits, beside: &Beside, scored: &mut Scored) {
    match &beside.named {
        Named::Nobody => {}
        Named::This { name, entries } => {
            let bits = ((1.0 - c::OTHER_NAME) / entries).log2();
            scored.add("stated name", name, None, bits, false);
        }
        Named::Another { name } => {
            scored.is_called_another = true;
            scored.add("stated name", name, None, c::OTHER_NAME.log2(), false);
        }
    }
    if let Some(agree) = beside.bytes_agree {
        let (likely, by_chance) = match agree {
            true => (1.0 - c::OTHER_BYTES, beside.bytes_background),
            false => (c::OTHER_BYTES, 1.0 - beside.bytes_background),
        };
        scored.has_other_bytes = !agree;
        let item = if agree { "agrees" } else { "does not agree" };
        scored.add("stated size", item, None, (likely / by_chance).log2(), false);
    }
    // An entry's prediction layers are known by themselves where its blueprint leaves them out.
    if subject.predicts && beside.entry_predicts {
        scored.add("prediction layers", "known of the entry", None, -c::ADDED_PREDICTION.log2(), false);
    }
}
