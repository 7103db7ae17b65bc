//! What is said below the level of layers, on models that were made to show it, and of subjects made of several
//! references.

use std::path::Path;

use unshell::catalog::Catalog;
use unshell::fact::{Comparisons, Merge, Weights};
use unshell::lineage::{Look, Model, compare_with_all, compare_with_weights};
use unshell::remote::Reach;

fn open(name: &str) -> Model {
    let path = format!("tests/families/small/{name}");
    Model::open(&path, Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
}

fn weights(subject: &str) -> Weights {
    compare_with_weights(&open(subject), &open("base_a"), Catalog::builtin(), &Look::default()).unwrap().weights
}

#[test]
fn every_expert_names_the_block_it_was_made_from() {
    let map = weights("moe_upcycled").expert_map;
    assert_eq!(map.len(), 3 * 4);
    assert!(map.iter().all(|it| it.reference_layer == Some(it.layer) && it.reference_expert == Some(0)), "{map:?}");
    assert!(weights("ft_code").expert_map.is_empty());
}

#[test]
fn kept_units_add_up_and_lie_inside() {
    let kept = weights("prune_width").kept_units;
    assert_eq!(kept.iter().map(|it| (it.subject, it.reference)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2)]);
    for it in &kept {
        assert_eq!(it.kept.iter().map(|run| run[1]).sum::<u64>(), it.count, "{it:?}");
        assert!(it.count == 48 && it.of == 80 && it.kept.iter().all(|run| run[0] + run[1] <= 80), "{it:?}");
    }
    // Experts that were split off share the units of their block between them.
    let split = weights("experts_split").kept_units;
    let mut first: Vec<u64> = split
        .iter()
        .filter(|it| it.subject == 0)
        .flat_map(|it| it.kept.iter().flat_map(|run| run[0]..run[0] + run[1]))
        .collect();
    first.sort_unstable();
    assert_eq!(first, (0..80).collect::<Vec<_>>());
}

#[test]
fn added_tokens_are_mapped_and_their_start_is_told() {
    let extended = weights("vocab_ext");
    let map = extended.token_map.unwrap();
    assert_eq!((map.kept, map.new, map.dropped, map.moved, map.runs), (256, 32, 0, 0, vec![[0, 0, 256]]));
    let step = extended.recipe.iter().find(|it| it.step.word() == "vocabulary-extended").unwrap();
    assert_eq!((&step.parameters["new"], &step.parameters["initialisation"]), (&32.into(), &"mean".into()), "{step:?}");
    let replaced = weights("tok_swap");
    let map = replaced.token_map.unwrap();
    assert!(map.new == map.dropped && map.moved > 0 && map.kept + map.new == 256, "{map:?}");
    let step = replaced.recipe.iter().find(|it| it.step.word() == "tokens-replaced").unwrap();
    assert_eq!(step.parameters["initialisation"], "drawn", "{step:?}");
}

#[test]
fn new_parameters_are_counted_by_what_answers_nothing() {
    let new = |subject: &str| weights(subject).novelty.unwrap().parameters.unwrap();
    assert_eq!(new("ft_code"), 0.0);
    assert_eq!(new("depth_up"), 0.0);
    // 32 rows of 32 numbers in the embedding and in the head, of all matrices of the model.
    let share = new("vocab_ext");
    assert!((share - 0.0404).abs() < 1e-4, "{share}");
    // Routers alone: three layers of four rows.
    let share = new("moe_upcycled");
    assert!((share - 0.00325).abs() < 1e-5, "{share}");
}

fn all(subject: &str, references: &[&str]) -> Comparisons {
    let references: Vec<Model> = references.iter().map(|it| open(it)).collect();
    compare_with_all(&open(subject), &references, Catalog::builtin(), &Look::default()).unwrap()
}

#[track_caller]
fn merge(subject: &str, references: &[&str], kind: &str) -> Merge {
    let merge = all(subject, references).merge.unwrap();
    assert_eq!(merge.kind, kind, "{merge:#?}");
    merge
}

/// Kinds and coefficients of the family's merges, with their base beside them and without.
#[test]
fn merges_come_out_as_they_were_made() {
    let (siblings, all) = (["ft_code", "ft_legal"], ["base_a", "ft_code", "ft_legal"]);
    let linear = merge("merge_linear", &siblings, "linear");
    for (found, truth) in linear.coefficients.iter().zip([0.6, 0.4]) {
        assert!(
            found.low - 1e-3 <= truth && truth <= found.high + 1e-3 && found.high - found.low < 0.01,
            "{linear:#?}"
        );
    }
    let beside = merge("merge_linear", &all, "linear");
    assert!(beside.coefficients[0].value.abs() < 0.01, "{beside:#?}");
    for references in [&siblings[..], &all[..]] {
        let arc = merge("merge_slerp", references, "slerp");
        assert!(arc.detail.contains("0.400 of the way"), "{arc:#?}");
    }
    let dare = merge("merge_dare", &all, "dare");
    assert!(dare.base.as_ref().unwrap().ends_with("base_a"), "{dare:#?}");
    assert!(dare.scales.iter().all(|it| (it - 1.2).abs() < 0.01), "{dare:#?}");
    assert!(dare.dropped.iter().all(|it| (it - 0.5).abs() < 0.03), "{dare:#?}");
    let ties = merge("merge_ties", &all, "ties");
    assert!(ties.scales.iter().all(|it| (it - 1.0).abs() < 0.01), "{ties:#?}");
    for references in [&siblings[..], &all[..]] {
        let two = merge("interleave_two", references, "interleaved");
        let parents: Vec<&str> = two.layers.iter().map(|it| it.reference.rsplit('/').next().unwrap()).collect();
        assert_eq!(parents, ["ft_code", "ft_legal", "ft_code"], "{two:#?}");
        assert!(two.layers.iter().all(|it| it.is_same) && two.base.is_none(), "{two:#?}");
    }
}

/// A fine-tune of a fine-tune is near both, and no merge of them.
#[test]
fn further_training_is_no_merge() {
    let merge = merge("ft_ft", &["ft_code", "ft_legal"], "unknown");
    assert!(merge.certainty == "possible" && merge.exact < 0.9, "{merge:#?}");
}

#[test]
fn several_references_are_paid_for_and_unrelated_ones_are_no_parents() {
    let alone = compare_with_weights(&open("ft_code"), &open("base_a"), Catalog::builtin(), &Look::default()).unwrap();
    let both = all("ft_code", &["base_a", "base_b"]);
    let paid = both.comparisons[0].weights.log10_p.unwrap() - alone.weights.log10_p.unwrap();
    assert!((paid - 2.0_f64.log10()).abs() < 0.02, "{paid}");
    assert!(both.merge.is_none() && both.no_merge.unwrap().contains("fewer than two"));
}
