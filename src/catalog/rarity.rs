//! How telling it is that two configurations share a value.
//!
//! The unit is the *lineage*: everyone whose design comes from one house counts once, so that nine Qwens do not make a
//! value common by themselves. The lineages of the two models that are compared are left out, since a house agreeing
//! with itself says nothing. With `n` lineages left that state a field and `k` of them that have the value (in any of
//! their models), the surprise is
//!
//! ```text
//! bits = -log2((k + 1) / (n + 1))
//! ```
//!
//! Its null: the subject drew its value as a lineage of the catalogue does, without regard to the reference. The `+ 1`
//! counts the shared value itself as one more draw, so a value nobody else has is worth `log2(n + 1)` bits and no more:
//! a small catalogue cannot give great certainty.
//!
//! What it cannot tell: values hang together (a hidden size suggests a head count), so bits of several fields do not
//! add up; the shared shape fields are therefore counted as one combination too. Fashion changes, and the catalogue is
//! no random sample. And sharing every value says that a design was taken over, never whose weights fill it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::catalog::{Catalog, Entry};
use crate::fact::{ConfigAgreement, Difference, SharedValue};

/// Fewer bits than this and a shared value counts as common: more than one lineage in eight has it.
pub const TELLING_BITS: f64 = 3.0;

/// The fields that fix the shapes of the tensors, in the order they are told. The vocabulary is not one of them: it
/// goes with the tokenizer, and releases pad it at will.
pub const SHAPE_FIELDS: [&str; 14] = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "head_dim",
    "num_experts",
    "moe_intermediate_size",
    "n_shared_experts",
    "q_lora_rank",
    "kv_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "v_head_dim",
];

/// Fields that say how a model is stored or run, not what was designed.
pub(crate) const NOT_DESIGN: [&str; 8] = [
    "torch_dtype",
    "transformers_version",
    "_name_or_path",
    "use_cache",
    "auto_map",
    "_attn_implementation",
    "init_device",
    "quantization_config",
];

/// The fields of one configuration.
pub(crate) type Fields = BTreeMap<String, Value>;

/// One lineage-sorted view of all configurations.
struct Population<'a> {
    lineages: BTreeMap<&'a str, Vec<&'a Fields>>,
}

/// The fields by which a configuration is recognised as that of an entry, so that its lineage is left out.
const MARKS: [&str; 6] =
    ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size", "model_type"];

/// What two configurations share and where they differ.
pub(crate) fn agreement(catalog: &Catalog, subject: &Fields, reference: &Fields) -> ConfigAgreement {
    let population = Population::without(&[subject, reference], catalog);
    let mut agreement = ConfigAgreement::default();
    let mut shared_shape = Vec::new();
    for (field, left) in subject {
        let Some(right) = reference.get(field).filter(|it| !it.is_null() && !left.is_null()) else { continue };
        if NOT_DESIGN.contains(&field.as_str()) {
            continue;
        }
        if !is_same(left, right) {
            agreement.different.push(difference(field, left, right));
            continue;
        }
        if SHAPE_FIELDS.contains(&field.as_str()) {
            shared_shape.push(field.as_str());
        }
        let shared = population.weigh(&[field], subject);
        if shared.bits >= TELLING_BITS { agreement.telling.push(shared) } else { agreement.common.push(shared) }
    }
    shared_shape.sort_by_key(|field| SHAPE_FIELDS.iter().position(|it| it == field));
    if shared_shape.len() > 1 {
        agreement.combination = Some(population.weigh(&shared_shape, subject));
    }
    for list in [&mut agreement.telling, &mut agreement.common] {
        list.sort_by(|left, right| right.bits.total_cmp(&left.bits).then_with(|| left.field.cmp(&right.field)));
    }
    agreement
}

impl<'a> Population<'a> {
    /// All lineages but those of the given sides.
    fn without(sides: &[&Fields], catalog: &'a Catalog) -> Self {
        let is_own = |entry: &Entry| sides.iter().any(|side| is_of_entry(side, entry));
        let own: BTreeSet<&str> = catalog.entries().iter().filter(|it| is_own(it)).map(Entry::lineage).collect();
        let mut lineages: BTreeMap<&str, Vec<&Fields>> = BTreeMap::new();
        for entry in catalog.entries().iter().filter(|it| !own.contains(it.lineage())) {
            lineages.entry(entry.lineage()).or_default().push(entry.config().fields());
        }
        Self { lineages }
    }

    /// Weighs values that are shared together: a lineage holds them if one of its models has them all. Of several
    /// values the first has to be stated: a house whose design has no such thing as the others does not have them all.
    fn weigh(&self, fields: &[&str], values: &Fields) -> SharedValue {
        let states = |it: &&Fields| fields.first().and_then(|field| it.get(*field)).is_some_and(|it| !it.is_null());
        let holds = |it: &&Fields| fields.iter().all(|field| is_equal(it.get(*field), values.get(*field)));
        let count = |has: &dyn Fn(&&Fields) -> bool| self.lineages.values().filter(|it| it.iter().any(has)).count();
        let (holders, population) = (count(&holds) as u64, count(&states) as u64);
        let words: Vec<_> = fields.iter().filter_map(|field| values.get(*field)).map(Value::to_string).collect();
        SharedValue {
            field: fields.join(" x "),
            value: words.join(" x "),
            holders,
            population,
            bits: bits(holders, population),
        }
    }
}

/// Whether a side is this entry: all that tells entries apart is stated by both and equal.
fn is_of_entry(side: &Fields, entry: &Entry) -> bool {
    let fields = entry.config().fields();
    let are_marks_equal = MARKS.iter().all(|field| is_equal(side.get(*field), fields.get(*field)));
    let stated = fields.iter().filter(|(field, value)| !value.is_null() && !NOT_DESIGN.contains(&field.as_str()));
    are_marks_equal && stated.into_iter().all(|(field, value)| side.get(field).is_none_or(|it| is_same(it, value)))
}

/// Rounded to a thousandth, so that no platform's logarithm shows.
fn bits(holders: u64, population: u64) -> f64 {
    let share = (holders as f64 + 1.0) / (population as f64 + 1.0);
    let bits = (-share.log2() * 1000.0).round() / 1000.0;
    bits.max(0.0) // Never -0.
}

fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    left.zip(right).is_some_and(|(left, right)| is_same(left, right))
}

/// Whether two values mean the same: `10000` is `10000.0`, and the last bit of a float is no difference.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => (left - right).abs() <= 1e-12 * left.abs().max(right.abs()),
        _ => left == right,
    }
}

fn difference(field: &str, subject: &Value, reference: &Value) -> Difference {
    Difference {
        kind: "field".to_owned(),
        item: field.to_owned(),
        subject: Some(subject.to_string()),
        reference: Some(reference.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(subject: &str, reference: &str) -> ConfigAgreement {
        let catalog = Catalog::builtin();
        let config = |id| catalog.find(id).unwrap().config();
        catalog.agreement(config(subject), config(reference))
    }

    fn shared<'a>(agreement: &'a ConfigAgreement, field: &str) -> &'a SharedValue {
        agreement.telling.iter().chain(&agreement.common).find(|it| it.field == field).unwrap()
    }

    #[test]
    fn the_formula_counts_the_shared_value_itself() {
        assert_eq!(bits(0, 0), 0.0); // Nobody states it, so it tells nothing.
        assert_eq!(bits(0, 31), 5.0);
        assert_eq!(bits(31, 31), 0.0);
        assert_eq!(bits(7, 15), 1.0);
    }

    #[test]
    fn yi_34b_has_shapes_of_its_own() {
        let agreement = agree("01-ai/Yi-34B@2023-11", "01-ai/Yi-1.5-34B");
        let combination = agreement.combination.unwrap();
        assert!(combination.field.starts_with("hidden_size x num_hidden_layers x num_attention_heads"));
        assert_eq!(combination.value, "7168 x 60 x 56 x 8 x 20480");
        assert_eq!(combination.holders, 0);
        assert!(combination.bits > 5.0, "{combination:?}");
    }

    #[test]
    fn thirty_two_layers_are_common() {
        let agreement = agree("01-ai/Yi-6B@2023-11", "meta-llama/Llama-2-7b-hf");
        let layers = shared(&agreement, "num_hidden_layers");
        assert!(layers.holders > 15 && layers.bits < 2.0, "{layers:?}");
        assert!(agreement.common.contains(layers));
        assert!(agreement.different.iter().any(|it| it.item == "rope_theta" || it.item == "vocab_size"));
    }

    #[test]
    fn a_house_does_not_speak_for_itself() {
        let agreement = agree("Qwen/Qwen2-7B", "Qwen/Qwen2.5-7B");
        let hidden = shared(&agreement, "hidden_size"); // 3584, else of Gemma 2 only
        assert_eq!(hidden.value, "3584");
        assert!(hidden.holders <= 3, "{hidden:?}");
        let lineages: BTreeSet<_> = Catalog::builtin().entries().iter().map(Entry::lineage).collect();
        assert!(hidden.population < lineages.len() as u64);
    }

    #[test]
    fn a_number_is_the_same_with_and_without_a_point() {
        let config = |value| std::iter::once(("rope_theta".to_owned(), value)).collect::<Fields>();
        let catalog = Catalog::builtin();
        let agreement = agreement(catalog, &config(10_000.into()), &config(10_000.0.into()));
        assert_eq!(agreement.different, []);
        assert_eq!(agreement.common.len(), 1);
        assert_eq!(agreement.combination, None);
    }
}
