//! How two blueprints relate where one side has names and no shapes, as an index without weights has.
//!
//! Names that are known tell the parts of a model; they prove nothing about sizes. So the strongest that is said is
//! "same family", sizes are those that a configuration states, and a name that nobody knows leaves the relation open.

use crate::blueprint::Blueprint;
use crate::blueprint::form::{Comparing, one_sided};
use crate::blueprint::part::{Component, Part, Variant};
use crate::blueprint::projection;
use crate::blueprint::template::{length, ranges};
use crate::fact::{Form, FormRelation};

/// Holds one blueprint against another by names, roles and layers, whatever shapes either has.
pub(crate) fn compare(subject: &Blueprint, reference: &Blueprint) -> Form {
    let sides = [subject, reference].map(without_shapes);
    let mut comparing = Comparing::new(&sides[0], &sides[1]);
    comparing.same_dimensions = false;
    comparing.set_aside();
    comparing.matching.run_by_names();
    let projections = projection::find_by_names(&mut comparing.matching);
    comparing.look_at_pairs();
    let unanswered = comparing.look_at_the_unanswered();
    comparing.look_at_dimensions();
    let relation = comparing.relation_by_names(unanswered);
    comparing.same_dimensions = false;
    comparing.told(relation, projections)
}

/// What stays without an answer, weighed by what its name says.
#[derive(Clone, Copy, Debug, Default)]
struct Unanswered {
    /// A part that is known, and that the other side does not have.
    known: bool,
    /// A part that nobody knows by its name.
    unknown: bool,
}

/// The same blueprint without shapes, each part as the files store it.
fn without_shapes(blueprint: &Blueprint) -> Blueprint {
    let parts = blueprint.parts.iter().map(|it| {
        let stored = without_shape(&it.stored);
        Part { variants: stored.clone(), stored, ..it.clone() }
    });
    Blueprint { parts: parts.collect(), is_by_names: true, ..blueprint.clone() }
}

/// One variant for all layers and experts, whatever the shapes were.
fn without_shape(variants: &[Variant]) -> Vec<Variant> {
    let all = |of: fn(&Variant) -> &Vec<std::ops::RangeInclusive<u32>>| {
        ranges(&variants.iter().flat_map(|it| of(it).iter().cloned().flatten()).collect())
    };
    vec![Variant { shape: Vec::new(), layers: all(|it| &it.layers), experts: all(|it| &it.experts) }]
}

impl Comparing<'_> {
    fn look_at_the_unanswered(&mut self) -> Unanswered {
        let open = [self.matching.open_subject.clone(), self.matching.open_reference.clone()];
        let mut unanswered = Unanswered::default();
        for (side, open) in open.into_iter().enumerate() {
            for part in open.into_iter().map(|it| &self.sides[side].parts[it]) {
                let is_small = is_small(part) || self.lone_heads.contains(&part.name);
                unanswered.known |= !is_small && !part.role.is_unknown();
                unanswered.unknown |= !is_small && part.role.is_unknown();
                let kind = if side == 0 { "only-in-subject" } else { "only-in-reference" };
                let count: u64 = part.variants.iter().map(|it| length(&it.layers).max(1)).sum();
                let times = if count > 1 { format!(" x {count}") } else { String::new() };
                self.differences.push(one_sided(kind, &part.name, side, &format!("{}{times}", part.role)));
            }
        }
        unanswered
    }

    fn relation_by_names(&self, unanswered: Unanswered) -> FormRelation {
        let has_pairs = self.matching.pairs.iter().any(|it| !is_small(&self.matching.subject[it.subject]));
        if unanswered.unknown {
            FormRelation::Undetermined
        } else if unanswered.known || !has_pairs || self.shares_no_norm() {
            FormRelation::Different
        } else {
            FormRelation::SameFamily
        }
    }
}

/// Whether a name says that a tensor is a norm or a bias, which two models of one family may have or not.
fn is_small(part: &Part) -> bool {
    let words = || part.name.rsplit('.').take(2);
    part.component != Component::Language
        || part.role.names().iter().any(|it| it.ends_with("norm") || it.ends_with(".bias"))
        || words().any(|it| it == "bias" || it.to_lowercase().contains("norm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Config, SMALL_LLAMA};

    fn config() -> Config {
        Config::new(&serde_json::json!({"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}))
    }

    fn names(renamed: &[(&str, &str)]) -> Vec<String> {
        let rename = |name: &str| renamed.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
        let layers = |name: &str| (0..3).map(|it| rename(name).replace("{i}", &it.to_string())).collect::<Vec<_>>();
        let mut names: Vec<String> = SMALL_LLAMA.iter().flat_map(|(name, _)| layers(name)).collect();
        names.sort();
        names.dedup();
        names
    }

    fn by_names(renamed: &[(&str, &str)]) -> Blueprint {
        let names = names(renamed);
        Blueprint::from_names(names.iter().map(String::as_str), config())
    }

    fn with_shapes() -> Blueprint {
        let shape = |name: &str| SMALL_LLAMA.iter().find(|(it, _)| it.rsplit('.').nth(1) == name.rsplit('.').nth(1));
        let names = names(&[]);
        let tensors = names.iter().map(|it| (it.as_str(), "F32", shape(it).map_or(&[][..], |it| it.1)));
        Blueprint::from_tensors(tensors, config())
    }

    #[test]
    fn names_say_same_family_and_no_more() {
        let form = compare(&by_names(&[]), &with_shapes());
        assert_eq!((form.relation, form.same_dimensions, form.renames.len()), (FormRelation::SameFamily, false, 0));
        assert!(form.differences.is_empty(), "{:?}", form.differences);
        let sizes: Vec<_> = form.dimensions.iter().map(|it| (it.name.as_str(), it.subject, it.reference)).collect();
        assert!(sizes.contains(&("hidden", Some(64), Some(64))), "{sizes:?}");
        assert!(sizes.contains(&("layers", Some(3), Some(3))), "{sizes:?}");
    }

    #[test]
    fn known_names_answer_each_other_under_other_names() {
        let renamed = [("input_layernorm", "ln1"), ("post_attention_layernorm", "ln2")];
        let form = compare(&by_names(&renamed), &with_shapes());
        assert_eq!((form.relation, form.renames.len()), (FormRelation::SameFamily, 2), "{form:?}");
    }

    #[test]
    fn fused_projections_are_told() {
        let fused = [".q_proj", ".k_proj", ".v_proj"].map(|it| (it, ".qkv_proj"));
        let form = compare(&with_shapes(), &by_names(&fused));
        assert_eq!(form.relation, FormRelation::SameFamily, "{form:?}");
        assert_eq!(form.projections.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(), ["subject splits"]);
    }

    #[test]
    fn a_name_that_nobody_knows_leaves_it_open() {
        let form = compare(&by_names(&[("gate_proj", "zorp"), ("up_proj", "blip")]), &with_shapes());
        assert_eq!(form.relation, FormRelation::Undetermined, "{form:?}");
    }

    #[test]
    fn a_known_part_that_the_other_side_lacks_makes_a_difference() {
        let names: Vec<String> = names(&[]).into_iter().filter(|it| !it.contains("gate_proj")).collect();
        let form = compare(&Blueprint::from_names(names.iter().map(String::as_str), config()), &with_shapes());
        assert_eq!(form.relation, FormRelation::Different, "{form:?}");
    }

    #[test]
    fn packed_weights_go_by_their_plain_name_and_scales_are_none() {
        let packed = |name: &str| {
            let base = name.strip_suffix(".weight").unwrap();
            [".qweight", ".qzeros", ".scales"].map(|end| format!("{base}{end}"))
        };
        let is_packed = |it: &String| it.contains("_proj");
        let names: Vec<String> = names(&[])
            .iter()
            .flat_map(|it| if is_packed(it) { packed(it).to_vec() } else { vec![it.clone()] })
            .collect();
        let form = compare(&Blueprint::from_names(names.iter().map(String::as_str), config()), &with_shapes());
        assert_eq!((form.relation, form.renames.len()), (FormRelation::SameFamily, 0), "{form:?}");
        assert!(form.differences.is_empty(), "{:?}", form.differences);
    }

    #[test]
    fn nothing_is_counted_that_is_not_known() {
        let blueprint = by_names(&[]);
        assert_eq!((blueprint.parameters(), blueprint.tensors()), (None, 30));
        assert!(blueprint.dtype_counts().is_empty());
        assert!(blueprint.template_facts().iter().all(|it| it.shape.is_none() && it.algebra.is_empty()));
    }
}
