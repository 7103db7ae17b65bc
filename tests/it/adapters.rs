//! Adapters against models: the null holds for independent bases of one shape, data and order, and an adapter finds its
//! base. `tests/families/README.md` tells how the files were made.

use std::path::Path;

use unshell::blueprint::{Blueprint, Config};
use unshell::catalog::Catalog;
use unshell::checkpoint::Data;
use unshell::fact::{Comparison, Weights, WeightsRelation};
use unshell::lineage::{Look, Model, compare_with_weights};
use unshell::remote::Reach;
use unshell::weights::{Factors, Net, Symmetries, relate_adapter};

const SYMMETRIES: Symmetries = Symmetries { has_rotary_halves: true, has_means: false };

fn compared(subject: &str, reference: &str) -> Comparison {
    let open = |name: &str| {
        let path = format!("tests/families/{name}");
        Model::open(&path, Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
    };
    compare_with_weights(&open(subject), &open(reference), Catalog::builtin(), &Look::default()).unwrap()
}

#[track_caller]
fn check(subject: &str, reference: &str, relation: WeightsRelation, rule: &str) -> Weights {
    let weights = compared(subject, reference).weights;
    assert_eq!((weights.relation, weights.rule.map(|it| it.word())), (relation, Some(rule)), "{:#?}", weights.reasons);
    weights
}

fn carried(weights: &Weights) -> f64 {
    weights.statistics.iter().find(|it| it.id.word() == "adapter-carried").unwrap().value
}

#[test]
fn an_adapter_finds_its_base_and_no_other() {
    let own = check("adapters/lora", "adapters/base_a", WeightsRelation::Derived, "adapter-signs");
    assert!(own.log10_p.unwrap() < -15.0 && carried(&own) > 1.0, "{:#?}", own.statistics);
    let other = check("adapters/lora", "adapters/base_b", WeightsRelation::Independent, "adapter-silent");
    assert!(carried(&other).abs() < 0.3 && other.power.unwrap().least_cosine < 1.0, "{:#?}", other.statistics);
}

#[test]
fn a_shared_start_is_not_called_derived() {
    let start =
        check("adapters/lora", "adapters/base_same_init", WeightsRelation::Undetermined, "adapter-initialization");
    assert!(start.log10_p.unwrap() < -6.0 && carried(&start) < 1.0, "{:#?}", start.statistics);
}

#[test]
fn the_sides_may_be_exchanged() {
    let (one, other) = (compared("adapters/lora", "adapters/base_a"), compared("adapters/base_a", "adapters/lora"));
    assert_eq!(one.weights, other.weights);
    let notes: Vec<&str> =
        one.unexamined.iter().filter(|it| it.why == "adapter").map(|it| it.detail.as_str()).collect();
    assert!(notes.len() == 1 && notes[0].contains("`base_a`, which is a claim"), "{notes:?}");
}

#[test]
fn what_cannot_be_told_says_so() {
    let two = check("adapters/lora", "adapters/lora", WeightsRelation::Undetermined, "adapter-unfit");
    assert!(two.log10_p.is_none() && two.reasons[0].contains("both are adapters"), "{:?}", two.reasons);
    let unfit = check("adapters/lora", "small/base_a", WeightsRelation::Undetermined, "adapter-unfit");
    assert!(unfit.reasons.iter().any(|it| it.contains("do not fit")), "{:?}", unfit.reasons);
    // Heads of 8 dimensions and 8 columns: not even its own base would be found.
    check("small/lora_adapter", "small/base_a", WeightsRelation::Undetermined, "adapter-weak");
    check("small/lora_adapter", "small/base_b", WeightsRelation::Undetermined, "adapter-weak");
}

fn null(number: usize, adapter: &Factors<'_>) -> Weights {
    let text = std::fs::read_to_string("tests/families/nulls/config.json").unwrap();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let data = Data::open(Path::new(&format!("tests/families/nulls/null-{number:03}.safetensors"))).unwrap();
    let tensors = data.values().iter().map(|it| (it.name.as_str(), "BF16", it.shape.as_slice()));
    let blueprint = Blueprint::from_tensors(tensors, Config::new(&config));
    relate_adapter(adapter, &Net::new(&blueprint, &data), SYMMETRIES, 1).unwrap()
}

/// 99 models of the shape, data and order of the adapter's base, each from a start of its own: p-values no smaller than
/// uniform ones, and nobody accused. The base itself stands above all of them.
#[test]
fn independent_bases_are_never_called_its_base() {
    let data = Data::open(Path::new("tests/families/adapters/lora-null-000")).unwrap();
    let tensors = data.values().iter().map(|it| (it.name.as_str(), it.shape.as_slice()));
    let adapter = Factors::new(tensors, &data);
    let answers: Vec<Weights> = (1..100).map(|it| null(it, &adapter)).collect();
    for component in ["adapted modules", "token coordinates"] {
        let statistic = |it: &Weights| {
            let found =
                it.statistics.iter().find(|it| it.id.word() == "adapter-moments" && it.component == component).unwrap();
            (found.value, found.log10_p.unwrap())
        };
        let mut p: Vec<f64> = answers.iter().map(|it| 10_f64.powf(statistic(it).1)).collect();
        p.sort_by(f64::total_cmp);
        let above = p.iter().enumerate().filter(|it| *it.1 < 1.0).map(|(at, p)| (at + 1) as f64 / 99.0 - p);
        let excess = above.fold(0.0, f64::max);
        assert!(excess <= 1.52 / 99_f64.sqrt(), "{component}: {excess}");
        let highest = answers.iter().map(|it| statistic(it).0).fold(f64::NEG_INFINITY, f64::max);
        let own = statistic(&null(0, &adapter)).0;
        assert!(highest < 4.5 && (component != "adapted modules" || own > highest), "{component}: {own}, {highest}");
    }
    let accused = answers.iter().filter(|it| {
        !matches!(it.relation, WeightsRelation::Independent | WeightsRelation::Undetermined)
            || it.rule.map(|it| it.word()) == Some("adapter-initialization")
    });
    assert_eq!(accused.count(), 0);
}
