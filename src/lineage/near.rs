//! The known models that a model may come from: those that it names, and those that share the sizes that a derivation
//! keeps.
//!
//! Near is a known model, published no later than a day and not the company's, that has the same width, feed-forward
//! width and head size (depth, vocabulary and experts are free), or nine tenths of its tokens at the same width, or
//! that the model's files or card name. It says what has to be tested, and nothing of descent.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{AccessState, Catalog, Entry, SCHEME};
use crate::fact::StatedAbout;
use crate::lineage::identify::Looking;
use crate::lineage::likelihood::{Named, StatedNames, Traits};
use crate::lineage::{Model, card_head};

/// How many are listed at most.
pub const MOST_NEAR: usize = 12;

/// The share of the model's tokens from which a vocabulary counts as another's.
const TOKENS: f64 = 0.9;

/// What makes a known model near.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NearBy {
    /// The model's files or its card name it.
    Name,
    /// Width, feed-forward width and head size are the same.
    Sizes,
    /// Nine tenths of the tokens are the same, and so is the width.
    Tokens,
}

/// A known model that has to be tested.
#[derive(Clone, Debug, PartialEq)]
pub struct NearModel {
    /// `catalog:ORG/NAME`.
    pub reference: String,
    /// What makes it near.
    pub by: Vec<NearBy>,
    /// Its score, as `identify` has it.
    pub bits: f64,
    /// The days on which it may have been published; `None` if that is not sourced, so that it may have been in time.
    pub published: Option<(NaiveDate, NaiveDate)>,
    /// Whether its files can be had; `None` if that is not sourced.
    pub access: Option<AccessState>,
}

/// What is asked of the catalogue.
pub struct NearQuestion<'a> {
    /// The day of the model's first release, the last day of it where it is an interval.
    pub no_later_than: NaiveDate,
    /// Whether an entry is the company's own, by place.
    pub is_own: &'a dyn Fn(&Entry) -> bool,
    /// Names of models in the card, as it has them.
    pub named: &'a [String],
    /// The share of the model's tokens that an entry has; `None` if its tokens are not at hand.
    pub tokens: &'a dyn Fn(&Entry) -> Option<f64>,
}

/// The nearest known models, likeliest first, at most [`MOST_NEAR`]; and how many there are in all.
pub fn near(model: &Model, catalog: &Catalog, question: &NearQuestion<'_>) -> (Vec<NearModel>, usize) {
    let looking = Looking::new(catalog);
    let subject = Traits::of(&model.blueprint);
    let of_card = card_head(model).into_iter().filter(|it| it.about == StatedAbout::Parent).flat_map(|it| it.values);
    let of_card: Vec<String> = of_card.collect();
    let stated: Vec<String> = model.stated_names.iter().chain(&of_card).chain(question.named).cloned().collect();
    let names = StatedNames::look_up(&stated, catalog);
    // Each name that is stated makes its model near, and not the longest alone.
    let each: Vec<StatedNames> =
        stated.iter().map(|it| StatedNames::look_up(std::slice::from_ref(it), catalog)).collect();
    let named = |id: &str| each.iter().any(|it| matches!(it.of(id), Named::This { .. }));
    let mut found: Vec<NearModel> = looking
        .all(&subject, &names)
        .into_iter()
        .filter(|(entry, ..)| !(question.is_own)(entry) && may_be_in_time(entry, question.no_later_than))
        .filter_map(|(entry, traits, bits)| {
            let by = reasons(&subject, traits, named(entry.id()), (question.tokens)(entry));
            (!by.is_empty()).then(|| near_model(entry, by, bits))
        })
        .collect();
    found.sort_by(|left, right| right.bits.total_cmp(&left.bits).then_with(|| left.reference.cmp(&right.reference)));
    let all = found.len();
    found.truncate(MOST_NEAR);
    (found, all)
}

fn near_model(entry: &Entry, by: Vec<NearBy>, bits: f64) -> NearModel {
    NearModel {
        reference: format!("{SCHEME}{}", entry.id()),
        by,
        bits,
        published: entry.published().map(|it| (it.first, it.last)),
        access: entry.access().map(|it| it.state),
    }
}

/// Whether an entry may have been published by then; what is not known rules nothing out.
fn may_be_in_time(entry: &Entry, day: NaiveDate) -> bool {
    entry.published().is_none_or(|it| it.first <= day)
}

fn reasons(subject: &Traits, entry: &Traits, is_named: bool, tokens: Option<f64>) -> Vec<NearBy> {
    let has_width = is_equal(subject.size("hidden"), entry.size("hidden"));
    let has_sizes = has_width && has_feed_forward(subject, entry) && is_equal(head_size(subject), head_size(entry));
    let has_tokens = has_width && tokens.is_some_and(|it| it >= TOKENS);
    let all = [(is_named, NearBy::Name), (has_sizes, NearBy::Sizes), (has_tokens, NearBy::Tokens)];
    all.into_iter().filter(|it| it.0).map(|it| it.1).collect()
}

/// The dense width where both have one, and otherwise that of an expert: experts that were made from a dense block have
/// its width.
fn has_feed_forward(subject: &Traits, entry: &Traits) -> bool {
    let widths = |it: &Traits| [it.size("ffn"), it.size("expert_ffn")];
    let ([ours, of_our_experts], [theirs, of_their_experts]) = (widths(subject), widths(entry));
    is_equal(ours, theirs)
        || is_equal(of_our_experts, of_their_experts)
        || is_equal(of_our_experts, theirs)
        || is_equal(ours, of_their_experts)
}

fn head_size(traits: &Traits) -> Option<u64> {
    traits.size("head_dim").or_else(|| traits.size("hidden")?.checked_div(traits.size("heads")?))
}

fn is_equal(ours: Option<u64>, theirs: Option<u64>) -> bool {
    ours.is_some() && ours == theirs
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::remote::Reach;

    fn found(id: &str, day: &str, own: &str, named: &[String]) -> (Vec<String>, usize) {
        let catalog = Catalog::builtin();
        let model = Model::open(&format!("catalog:{id}"), Path::new(""), catalog, &Reach::local()).unwrap();
        let is_own = |entry: &Entry| entry.owner() == own;
        let question = NearQuestion { no_later_than: day.parse().unwrap(), is_own: &is_own, named, tokens: &|_| None };
        let (found, all) = near(&model, catalog, &question);
        (found.into_iter().map(|it| it.reference.trim_start_matches(SCHEME).to_owned()).collect(), all)
    }

    #[test]
    fn near_has_the_sizes_that_a_derivation_keeps_and_was_there_before() {
        let (found, _) = found("upstage/SOLAR-10.7B-v1.0", "2023-12-31", "upstage", &[]);
        assert!(found.contains(&"mistralai/Mistral-7B-v0.1".to_owned()), "{found:?}");
        let is_later = |id: &String| {
            let published = Catalog::builtin().find(id).and_then(Entry::published);
            published.is_some_and(|it| it.first > "2023-12-31".parse().unwrap())
        };
        assert!(!found.iter().any(is_later), "published later: {found:?}");
        assert!(!found.contains(&"mistralai/Mistral-Nemo-Base-2407".to_owned()), "{found:?}");
        assert!(found.iter().all(|it| !it.starts_with("upstage/")), "{found:?}");
    }

    #[test]
    fn yi_34b_has_no_model_of_its_sizes_before_it() {
        let (found, _) = found("01-ai/Yi-34B@2023-11", "2023-11-02", "01-ai", &[]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_name_in_the_card_makes_a_model_near() {
        let named = ["Based on Llama-2-70B".to_owned()];
        let (found, _) = found("01-ai/Yi-34B@2023-11", "2023-11-02", "01-ai", &named);
        assert_eq!(found, ["meta-llama/Llama-2-70b-hf"]);
    }

    #[test]
    fn at_most_twelve_are_listed_and_all_are_counted() {
        let (found, all) = found("TigerResearch/tigerbot-70b-base-v1", "2026-12-31", "TigerResearch", &[]);
        assert!(found.len() <= MOST_NEAR && all >= found.len(), "{all}");
        assert!(found.contains(&"meta-llama/Llama-2-70b-hf".to_owned()), "{found:?}");
    }
}
