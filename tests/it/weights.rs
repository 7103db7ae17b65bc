//! Whose weights: the null holds for independent models of one shape, data and order; and a family with known lineage
//! comes out as it was made. `tests/families/README.md` tells how the models were made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use unshell::blueprint::{Blueprint, Config, Template};
use unshell::catalog::Catalog;
use unshell::checkpoint::{Data, Error};
use unshell::fact::{PKind, StatisticId, Weights, WeightsRelation};
use unshell::lineage::{Look, Model, compare_with_weights};
use unshell::remote::Reach;
use unshell::weights::{Effort, Finite, Net, Numbers, Plan, deciding, relate};

/// A model of the null ensemble, in memory.
pub(crate) struct Tiny {
    pub(crate) blueprint: Blueprint,
    pub(crate) numbers: Memory,
}

pub(crate) struct Memory(pub(crate) BTreeMap<String, Vec<f32>>);

impl Numbers for Memory {
    fn read(&self, name: &str, elements: std::ops::Range<u64>) -> Result<Vec<f32>, Error> {
        let range = elements.start as usize..elements.end as usize;
        Ok(self.0.get(name).and_then(|it| it.get(range)).map(<[f32]>::to_vec).unwrap_or_default())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

pub(crate) fn tiny(name: &str) -> Tiny {
    let config: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("tests/families/nulls/config.json").unwrap()).unwrap();
    let data = Data::open(Path::new(&format!("tests/families/nulls/{name}.safetensors"))).unwrap();
    let tensors = data.values().iter().map(|it| (it.name.as_str(), "BF16", it.shape.as_slice()));
    let blueprint = Blueprint::from_tensors(tensors, Config::new(&config));
    let numbers = data.values().iter().map(|it| (it.name.clone(), data.read(it, 0..it.elements()).unwrap())).collect();
    Tiny { blueprint, numbers: Memory(numbers) }
}

/// The same shapes with numbers drawn anew, gains near one.
pub(crate) fn drawn(like: &Tiny, seed: u64) -> Tiny {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let mut normal = move || (uniform() + uniform() + uniform() + uniform()) * 1.7;
    let numbers = like.numbers.0.iter().map(|(name, numbers)| {
        let (centre, spread) = if name.contains("norm") { (1.0, 0.02) } else { (0.0, 0.1) };
        (name.clone(), numbers.iter().map(|_| centre + spread * normal()).collect())
    });
    Tiny { blueprint: like.blueprint.clone(), numbers: Memory(numbers.collect()) }
}

pub(crate) fn weights(subject: &Tiny, reference: &Tiny) -> Weights {
    let finite = (Finite::new(&subject.numbers), Finite::new(&reference.numbers));
    let nets = (Net::new(&subject.blueprint, &finite.0), Net::new(&reference.blueprint, &finite.1));
    relate(&nets.0, &nets.1, None, Plan { effort: Effort::Standard, goes_on: true, references: 1 }, &()).unwrap()
}

/// Every answer for these pairs, in their order, on all cores.
fn each<'a>(models: &'a [Tiny], pairs: &[(usize, usize)]) -> Vec<Weights> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts = pairs.chunks(pairs.len().div_ceil(cores).max(1));
        let run = |part: &'a [(usize, usize)]| part.iter().map(|(a, b)| weights(&models[*a], &models[*b])).collect();
        let running: Vec<_> = parts
            .map(|part| part.to_vec())
            .map(|part| {
                let part: &'a [(usize, usize)] = Vec::leak(part);
                scope.spawn(move || -> Vec<Weights> { run(part) })
            })
            .collect();
        running.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

pub(crate) fn all_pairs(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other))).collect()
}

/// The largest excess of the distribution of p-values over the uniform one: one-sided Kolmogorov-Smirnov.
pub(crate) fn excess(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    p.iter().enumerate().map(|(at, p)| (at + 1) as f64 / count - p).fold(0.0, f64::max)
}

/// The p-values of one statistic, what was paid for several tests given back.
pub(crate) fn p_values(answers: &[Weights], id: &str, component: &str) -> Vec<f64> {
    let tests = match (id, component) {
        ("norm-weights", _) => 1.0,
        // Two looks at what is the same: neurons that were matched, and rows at their places.
        ("equal-weights", "feed-forward" | "feed-forward, in place") => 12.0,
        _ => 6.0,
    };
    let of = |it: &Weights| {
        let statistic = it.statistics.iter().find(|it| it.id.word() == id && it.component == component)?;
        let log10_p = statistic.log10_p?;
        Some(if log10_p == 0.0 { 1.0 } else { 10_f64.powf(log10_p) / tests })
    };
    answers.iter().filter_map(of).collect()
}

/// Statistics that rules read and that have no null distribution: heuristics, by their own word. Token rows are not
/// compared here, since no vocabulary is at hand.
const WITHOUT_A_LAW: [StatisticId; 3] = [StatisticId::BasisFit, StatisticId::Retention, StatisticId::TokenRows];

/// A new statistic that decides must support a relation of a model with itself.
#[test]
fn every_test_that_decides_supports_a_model_against_itself() {
    let model = tiny("null-000");
    let answer = weights(&model, &model);
    for id in deciding().into_iter().filter(|it| !WITHOUT_A_LAW.contains(it)) {
        let found: Vec<_> = answer.statistics.iter().filter(|it| it.id == id).collect();
        assert!(!found.is_empty() && found.iter().all(|it| it.supports_relation), "{id}: {found:?}");
    }
}

/// All 4,950 pairs trained on the same data in the same order, and 5,050 never trained.
#[test]
#[ignore = "minutes; .ci/full runs it"]
fn ten_thousand_independent_pairs_in_full_are_never_called_derived() {
    never_derived(100, 101);
}

/// The same of 780 and of 820 pairs: a p-value that is too small by 0.06 anywhere is still found.
#[test]
fn independent_pairs_of_one_shape_are_never_called_derived() {
    never_derived(40, 41);
}

/// All pairs of so many models that were trained on the same data in the same order, and of so many never trained: no
/// derivation, and p-values that are no smaller than uniform ones.
#[expect(clippy::print_stdout, reason = "the Kolmogorov-Smirnov figures are shown with --nocapture")]
fn never_derived(trained: usize, random: u64) {
    let trained: Vec<Tiny> = (0..trained).map(|it| tiny(&format!("null-{it:03}"))).collect();
    let random: Vec<Tiny> = (0..random).map(|it| drawn(&trained[0], 1_000 + it)).collect();
    for (models, name) in [(trained, "trained"), (random, "random")] {
        let answers = each(&models, &all_pairs(models.len()));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        answers.iter().for_each(|it| *counts.entry(format!("{:?}", it.relation)).or_default() += 1);
        let independent = answers.iter().filter(|it| it.relation == WeightsRelation::Independent).count();
        assert_eq!(independent, answers.len(), "{name}: {counts:?}");
        // The critical value of the one-sided test at one in a hundred.
        for statistic in answers.iter().flat_map(|it| &it.statistics) {
            assert!(!statistic.supports_relation, "{name}: {statistic:?}");
        }
        // Every test that rules read, on every part that it was made on.
        let tested: BTreeSet<(StatisticId, &str)> = answers
            .iter()
            .flat_map(|it| &it.statistics)
            .filter(|it| deciding().contains(&it.id) && it.log10_p.is_some())
            .map(|it| (it.id, it.component.as_str()))
            .collect();
        for id in deciding().into_iter().filter(|it| !WITHOUT_A_LAW.contains(it)) {
            assert!(tested.iter().any(|it| it.0 == id), "{name}: {id} was tested nowhere");
        }
        for (id, component) in tested {
            let p = p_values(&answers, id.word(), component);
            assert_eq!(p.len(), answers.len(), "{id}");
            let critical = 1.52 / (p.len() as f64).sqrt();
            let excess = excess(p);
            println!("{name} {id} {component}: excess {excess:.4}, critical {critical:.4}");
            assert!(excess <= critical, "{name} {id} {component}: {excess} > {critical}");
        }
    }
}

#[test]
fn children_are_derived_from_their_parents_and_from_no_other() {
    let parents: Vec<Tiny> = (0..8).map(|it| tiny(&format!("null-{it:03}"))).collect();
    for kind in ["child", "cpt"] {
        for (own, number) in (0..8).enumerate() {
            let child = tiny(&format!("{kind}-{number:03}"));
            for (other, parent) in parents.iter().enumerate() {
                let answer = weights(&child, parent);
                let expected = if other == own { WeightsRelation::Derived } else { WeightsRelation::Independent };
                assert_eq!(answer.relation, expected, "{kind}-{number:03} null-{other:03} {:#?}", answer.reasons);
                assert!(other != own || answer.p_kind == Some(PKind::Exact));
            }
        }
    }
}

/// The same function without the embeddings: every coordinate of the stream at another place, and half of them turned
/// in sign, as LLaMA-shaped models allow it; token rows drawn anew.
pub(crate) fn disguised(model: &Tiny, hidden: usize) -> Tiny {
    let place = |at: usize| (at * 5 + 3) % hidden;
    let sign = |at: usize| if at.is_multiple_of(2) { 1.0 } else { -1.0 };
    let new = drawn(model, 77);
    let turned = model.numbers.0.iter().map(|(name, numbers)| {
        if name.contains("embed_tokens") || name.contains("lm_head") {
            return (name.clone(), new.numbers.0[name].clone());
        }
        let is_written = name.contains("o_proj") || name.contains("down_proj");
        // Rows of one coordinate each where it is written, columns where it is read; a gain has no sign.
        let inner = if is_written { numbers.len() / hidden } else { 1 };
        let mut turned = numbers.clone();
        for (at, number) in numbers.iter().enumerate() {
            let (outer, coordinate, inside) = (at / (hidden * inner), at / inner % hidden, at % inner);
            let sign = if name.contains("norm") { 1.0 } else { sign(coordinate) };
            turned[(outer * hidden + place(coordinate)) * inner + inside] = sign * number;
        }
        (name.clone(), turned)
    });
    Tiny { blueprint: model.blueprint.clone(), numbers: Memory(turned.collect()) }
}

/// New embeddings in front of a body in other coordinates leave hidden units alone to align by.
#[test]
fn a_disguised_body_behind_new_embeddings_is_found_and_no_other() {
    let parents: Vec<Tiny> = (0..8).map(|it| tiny(&format!("null-{it:03}"))).collect();
    for (own, number) in (0..8).enumerate() {
        let child = disguised(&tiny(&format!("child-{number:03}")), 32);
        for (other, parent) in parents.iter().enumerate() {
            let answer = weights(&child, parent);
            let expected = if other == own { WeightsRelation::Derived } else { WeightsRelation::Independent };
            assert_eq!(answer.relation, expected, "child-{number:03} null-{other:03} {:#?}", answer.statistics);
        }
    }
}

/// The same function with gains so many times as large and what reads behind them as many times smaller.
fn rescaled(model: &Tiny, factor: f32) -> Tiny {
    let reads = ["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"];
    let scaled = model.numbers.0.iter().map(|(name, numbers)| {
        let by = match () {
            () if name.contains("layernorm") => factor,
            () if reads.iter().any(|it| name.contains(it)) => 1.0 / factor,
            () => 1.0,
        };
        (name.clone(), numbers.iter().map(|it| it * by).collect())
    });
    Tiny { blueprint: model.blueprint.clone(), numbers: Memory(scaled.collect()) }
}

/// The same function with gains folded into what reads behind them, and the stream turned about.
fn rotated(model: &Tiny, hidden: usize) -> Tiny {
    let axis: Vec<f32> = (0..hidden).map(|it| ((it * 7 + 3) % 11) as f32 - 5.0).collect();
    let size: f32 = axis.iter().map(|it| it * it).sum();
    // A reflection turns every coordinate into all others.
    let turn = |row: &mut [f32]| {
        let along = 2.0 * row.iter().zip(&axis).map(|(a, b)| a * b).sum::<f32>() / size;
        row.iter_mut().zip(&axis).for_each(|(it, axis)| *it -= along * axis);
    };
    let gain = |name: &str| {
        let of_layer = |part: &str, norm: &str| Some(format!("{}.{norm}.weight", name.split_once(part)?.0));
        let norm = of_layer(".mlp", "post_attention_layernorm").or_else(|| of_layer(".self_attn", "input_layernorm"));
        &model.numbers.0[&norm.unwrap_or_else(|| "model.norm.weight".to_owned())]
    };
    let turned = model.numbers.0.iter().map(|(name, numbers)| {
        let mut numbers = numbers.clone();
        match () {
            () if name.contains("norm") => numbers.fill(1.0),
            () if name.contains("o_proj") || name.contains("down_proj") => {
                let inner = numbers.len() / hidden;
                for col in 0..inner {
                    let mut column: Vec<f32> = (0..hidden).map(|row| numbers[row * inner + col]).collect();
                    turn(&mut column);
                    column.into_iter().enumerate().for_each(|(row, it)| numbers[row * inner + col] = it);
                }
            }
            () => {
                let gain = gain(name);
                for row in numbers.chunks_exact_mut(hidden) {
                    if !name.contains("embed_tokens") {
                        row.iter_mut().zip(gain).for_each(|(it, gain)| *it *= gain);
                    }
                    turn(row);
                }
            }
        }
        (name.clone(), numbers)
    });
    Tiny { blueprint: model.blueprint.clone(), numbers: Memory(turned.collect()) }
}

/// The same model with the first coordinates of its stream alone.
pub(crate) fn narrowed(model: &Tiny, hidden: usize, kept: usize) -> Tiny {
    let cut = |name: &str, numbers: &[f32]| -> Vec<f32> {
        let is_written = name.contains("o_proj") || name.contains("down_proj");
        if is_written {
            return numbers[..numbers.len() / hidden * kept].to_vec();
        }
        numbers.chunks_exact(hidden).flat_map(|row| row[..kept].to_vec()).collect()
    };
    let shapes: Vec<(String, Vec<u64>)> = (model.blueprint.placed().into_iter())
        .map(|it| {
            let is_written = it.name.contains("o_proj") || it.name.contains("down_proj");
            let mut shape = it.shape;
            let at = if is_written { 0 } else { shape.len() - 1 };
            shape[at] = kept as u64;
            (it.name, shape)
        })
        .collect();
    let tensors = shapes.iter().map(|(name, shape)| (name.as_str(), "F32", shape.as_slice()));
    let config =
        serde_json::json!({"hidden_size": kept, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8});
    let numbers = model.numbers.0.iter().map(|(name, numbers)| (name.clone(), cut(name, numbers))).collect();
    Tiny { blueprint: Blueprint::from_tensors(tensors, Config::new(&config)), numbers: Memory(numbers) }
}

/// Carried into a wider rotated stream both sides have the sizes of columns that the map gives them: nobody's training.
#[test]
fn a_narrowed_model_of_one_start_is_not_derived_from_a_rotated_one() {
    for (one, other) in all_pairs(8) {
        let started = [one, other].map(|it| tiny(&format!("shared-init-{it:03}")));
        let answer = weights(&narrowed(&started[0], 32, 24), &rotated(&started[1], 32));
        assert_ne!(answer.relation, WeightsRelation::Derived, "{one} {other} {:#?}", answer.statistics);
    }
}

/// A slope grows with the spread of one side, and accuses nobody by itself.
#[test]
fn larger_gains_make_no_derivation_of_a_shared_start() {
    for (one, other) in [(0, 1), (2, 3), (4, 5), (6, 7)] {
        let started = [one, other].map(|it| tiny(&format!("shared-init-{it:03}")));
        for factor in [2.0, 3.0] {
            let answer = weights(&rescaled(&started[0], factor), &started[1]);
            assert_ne!(answer.relation, WeightsRelation::Derived, "{one} {other} {factor} {:#?}", answer.statistics);
        }
    }
}

/// The same model with a bias beside each of these projections, drawn and as much of the other's as its share.
fn with_biases(model: &Tiny, other: Option<(&Tiny, f32)>, seed: u64) -> Tiny {
    let new = drawn(model, seed);
    let mut numbers = model.numbers.0.clone();
    for name in model.numbers.0.keys().filter(|it| it.contains("q_proj") || it.contains("down_proj")) {
        let bias = name.replace(".weight", ".bias");
        let own = new.numbers.0[name][..32].to_vec();
        let (theirs, share) = other.map_or((&own, 0.0), |it| (&it.0.numbers.0[&bias], it.1));
        let mixed = own.iter().zip(theirs).map(|(own, other)| share * other + (1.0 - share) * own);
        numbers.insert(bias, mixed.collect());
    }
    let shape = |name: &str, length: usize| -> Vec<u64> {
        let like = model.blueprint.placed().into_iter().find(|it| it.name == name);
        like.map_or_else(|| vec![length as u64], |it| it.shape)
    };
    let tensors: Vec<(String, Vec<u64>)> = numbers.iter().map(|it| (it.0.clone(), shape(it.0, it.1.len()))).collect();
    let tensors = tensors.iter().map(|it| (it.0.as_str(), "F32", it.1.as_slice()));
    let blueprint = Blueprint::from_tensors(tensors, model.blueprint.config().clone());
    Tiny { blueprint, numbers: Memory(numbers) }
}

/// Biases start at zero: those that agree were written by one training.
#[test]
fn biases_speak_where_they_were_taken_over_and_nowhere_else() {
    let statistic = |subject: &Tiny, reference: &Tiny| {
        let answer = weights(subject, reference);
        answer.statistics.into_iter().find(|it| it.id.word() == "biases").unwrap()
    };
    let parent = with_biases(&tiny("null-000"), None, 300);
    let child = statistic(&with_biases(&tiny("child-000"), Some((&parent, 0.9)), 301), &parent);
    assert!(child.supports_relation && child.value > 0.9, "{child:?}");
    // Two layers of 32, of the down projection alone: those of queries follow the frequencies of positions.
    assert_eq!(child.samples, 64);
    let speaking = (0..60).filter(|seed| {
        let other = statistic(&with_biases(&tiny("null-001"), None, 400 + seed), &parent);
        assert!(!other.supports_relation, "{other:?}");
        other.log10_p.is_some_and(|it| it < -1.0)
    });
    assert!(speaking.count() < 15);
}

#[test]
fn models_of_one_start_are_told_from_descendants() {
    let started: Vec<Tiny> = (0..8).map(|it| tiny(&format!("shared-init-{it:03}"))).collect();
    for (one, other) in all_pairs(started.len()) {
        let answer = weights(&started[one], &started[other]);
        // Hardly trained as they are, they keep more of their start than models of use do, and some are left open.
        let rule = answer.rule.map(|it| it.word());
        assert!(
            matches!(rule, Some("shared-initialization" | "initialization-or-derived")),
            "{one} {other} {:#?}",
            answer.statistics
        );
    }
}

#[test]
fn every_model_is_derived_from_itself_and_every_statistic_says_so() {
    let model = tiny("null-000");
    let answer = weights(&model, &model);
    assert!(matches!(answer.relation, WeightsRelation::Identical | WeightsRelation::Derived));
    let silent: Vec<_> = answer
        .statistics
        .iter()
        .filter(|it| !it.supports_relation && it.id.word() != "basis-fit")
        .map(|it| &it.id)
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

/// A model of this width and vocabulary, numbers drawn.
pub(crate) fn wide(hidden: u64, vocabulary: u64, seed: u64) -> Tiny {
    let config = serde_json::json!({"hidden_size": hidden, "num_attention_heads": 4, "num_key_value_heads": 4});
    let mut shapes = vec![("model.embed_tokens.weight".to_owned(), vec![vocabulary, hidden])];
    shapes.push(("lm_head.weight".to_owned(), vec![vocabulary, hidden]));
    shapes.push(("model.norm.weight".to_owned(), vec![hidden]));
    for layer in 0..2 {
        for (name, shape) in [
            ("self_attn.q_proj", vec![hidden, hidden]),
            ("self_attn.k_proj", vec![hidden, hidden]),
            ("self_attn.v_proj", vec![hidden, hidden]),
            ("self_attn.o_proj", vec![hidden, hidden]),
            ("mlp.gate_proj", vec![2 * hidden, hidden]),
            ("mlp.up_proj", vec![2 * hidden, hidden]),
            ("mlp.down_proj", vec![hidden, 2 * hidden]),
            ("input_layernorm", vec![hidden]),
            ("post_attention_layernorm", vec![hidden]),
        ] {
            shapes.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    let tensors = shapes.iter().map(|(name, shape)| (name.as_str(), "F32", shape.as_slice()));
    let blueprint = Blueprint::from_tensors(tensors, Config::new(&config));
    let zeros = shapes.iter().map(|(name, shape)| (name.clone(), vec![0.0; shape.iter().product::<u64>() as usize]));
    drawn(&Tiny { blueprint, numbers: Memory(zeros.collect()) }, seed)
}

/// With fewer shared tokens than coordinates a rotation fits the tokens it was made from, whatever they are.
#[test]
fn few_tokens_in_many_coordinates_accuse_nobody() {
    for seed in 0..4 {
        // Another width leaves nothing but a rotation to try.
        let (one, other) = (wide(128, 40, 10 + seed), wide(if seed % 2 == 0 { 128 } else { 96 }, 40, 50 + seed));
        let answer = weights(&one, &other);
        assert_eq!(answer.relation, WeightsRelation::Independent, "{:#?}", answer.statistics);
        assert!(answer.components.iter().all(|it| it.relation != WeightsRelation::Derived), "{:#?}", answer.components);
        let rows = answer.statistics.iter().filter(|it| it.id.word() == "token-rows");
        let unfitted: Vec<f64> = rows.map(|it| it.value).collect();
        assert!(unfitted.len() == 2 && unfitted.iter().all(|it| it.abs() < 0.15), "{unfitted:?}");
    }
}

/// The gains of a parent under a body that has nothing else of it: no accusation, and no clean bill either.
#[test]
fn gains_that_agree_are_not_called_independent() {
    let parent = wide(64, 100, 21);
    let mut child = wide(64, 100, 22);
    for (name, numbers) in child.numbers.0.iter_mut().filter(|it| it.0.contains("layernorm")) {
        numbers.clone_from(&parent.numbers.0[name]);
    }
    let answer = weights(&child, &parent);
    assert_eq!((answer.relation, answer.rule.map(|it| it.word())), (WeightsRelation::Undetermined, Some("norms-only")));
}

/// The same numbers with one NaN in every matrix, which a loader may never notice.
#[test]
fn a_nan_in_every_matrix_hides_nothing() {
    let parent = tiny("null-000");
    let mut child = tiny("child-000");
    child.numbers.0.values_mut().for_each(|it| it[7] = f32::NAN);
    assert_eq!(weights(&child, &parent).relation, WeightsRelation::Derived);
}

/// What is no number is not the same as a zero, nor as what was written there.
#[test]
fn what_is_no_number_is_not_the_same_as_zero() {
    let (mut one, mut other) = (tiny("null-000"), tiny("null-000"));
    let name = one.numbers.0.keys().find(|it| it.contains("up_proj")).unwrap().clone();
    let put = |model: &mut Tiny, number: f32| model.numbers.0.get_mut(&name).unwrap()[5] = number;
    put(&mut one, f32::NAN);
    assert_ne!(weights(&one, &other).relation, WeightsRelation::Identical);
    put(&mut other, 0.0);
    assert_ne!(weights(&one, &other).relation, WeightsRelation::Identical);
    put(&mut other, f32::INFINITY);
    assert_eq!(weights(&one, &other).relation, WeightsRelation::Identical);
}

/// A model whose body was changed until what it states as its power is just reached is found; one in place even beyond.
#[test]
fn the_power_that_is_stated_is_the_power_there_is() {
    let base = wide(64, 300, 7);
    let stated = weights(&wide(64, 300, 8), &base).power.unwrap().least_cosine;
    let noise = wide(64, 300, 9);
    let cosine = stated * 1.3;
    let amount = (1.0 / (cosine * cosine) - 1.0).sqrt() as f32;
    let changed = base.numbers.0.iter().map(|(name, numbers)| {
        let is_body = name.contains("mlp") && name.ends_with("proj.weight");
        let by = if is_body { amount } else { 0.0 };
        let other = &noise.numbers.0[name];
        (name.clone(), numbers.iter().zip(other).map(|(a, b)| a + by * b).collect())
    });
    let changed = Tiny { blueprint: base.blueprint.clone(), numbers: Memory(changed.collect()) };
    let answer = weights(&changed, &base);
    let by = |component: &str| {
        let statistic = answer.statistics.iter().find(|it| it.id.word() == "random-sign" && it.component == component);
        statistic.unwrap().log10_p.unwrap()
    };
    assert!(by("feed-forward") <= -6.0 && by("feed-forward, in place") <= -6.0, "{stated} {:#?}", answer.statistics);
}

/// Nothing that was compared, and a tensor that no test has a place for: neither makes two models the same.
#[test]
fn what_was_not_compared_is_not_called_the_same() {
    let base = tiny("null-000");
    let none = || Tiny { blueprint: base.blueprint.clone(), numbers: Memory(BTreeMap::new()) };
    assert_eq!(weights(&base, &base).relation, WeightsRelation::Identical);
    assert_ne!(weights(&none(), &none()).relation, WeightsRelation::Identical);
    let with = |number: f32| {
        let mut templates = base.blueprint.templates().to_vec();
        let extra = Template { name: "model.mixer.a_log".into(), shape: vec![4], ..templates[0].clone() };
        templates.push(Template { layers: Vec::new(), experts: Vec::new(), ..extra });
        let mut numbers = base.numbers.0.clone();
        numbers.insert("model.mixer.a_log".into(), vec![number; 4]);
        Tiny {
            blueprint: Blueprint::from_templates(templates, base.blueprint.config().clone()),
            numbers: Memory(numbers),
        }
    };
    assert_eq!(weights(&with(1.0), &with(1.0)).relation, WeightsRelation::Identical);
    assert_eq!(weights(&with(1.0), &with(2.0)).relation, WeightsRelation::Derived);
}

/// A body that was trained so far that no unit finds its partner, and shows itself at its place: the gains of all
/// layers say what was kept.
#[test]
fn what_shows_itself_in_place_alone_is_no_shared_start() {
    let base = wide(64, 300, 7);
    let noise = wide(64, 300, 9);
    let far = base.numbers.0.iter().map(|(name, numbers)| {
        let is_body = name.contains("mlp") && name.ends_with("proj.weight");
        let (kept, new) = if is_body { (0.2425, 0.9701) } else { (1.0, 0.0) };
        let other = &noise.numbers.0[name];
        (name.clone(), numbers.iter().zip(other).map(|(a, b)| kept * a + new * b).collect())
    });
    let far = Tiny { blueprint: base.blueprint.clone(), numbers: Memory(far.collect()) };
    let answer = weights(&far, &base);
    assert_eq!(answer.relation, WeightsRelation::Derived, "{answer:#?}");
}

/// A folder of models with the truth about every pair.
pub(crate) struct Family {
    pub(crate) folder: PathBuf,
    pub(crate) pairs: Vec<(String, String, String)>,
}

pub(crate) fn family(folder: &Path) -> Family {
    let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let text = |it: &serde_json::Value, key: &str| it[key].as_str().unwrap().to_owned();
    let pairs = manifest["pairs"].as_array().unwrap();
    let pairs = pairs.iter().map(|it| (text(it, "a"), text(it, "b"), text(it, "truth"))).collect();
    Family { folder: folder.to_owned(), pairs }
}

impl Family {
    fn relation(&self, subject: &str, reference: &str) -> WeightsRelation {
        let open = |name: &str| {
            let path = self.folder.join(name);
            Model::open(path.to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
        };
        let comparison =
            compare_with_weights(&open(subject), &open(reference), Catalog::builtin(), &Look::default()).unwrap();
        comparison.weights.relation
    }

    /// How often each relation was found, by truth.
    fn table(&self, pairs: &[&(String, String, String)]) -> BTreeMap<(String, String), Vec<String>> {
        let found: Vec<WeightsRelation> = std::thread::scope(|scope| {
            let halves = pairs.chunks(pairs.len().div_ceil(2).max(1));
            let running: Vec<_> = halves
                .map(|half| scope.spawn(|| half.iter().map(|(a, b, _)| self.relation(b, a)).collect::<Vec<_>>()))
                .collect();
            running.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        let mut table: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for ((a, b, truth), found) in pairs.iter().zip(found) {
            table.entry((truth.clone(), format!("{found:?}"))).or_default().push(format!("{b} < {a}"));
        }
        table
    }
}

/// Whether a pair is one of which nothing more is asked than that it is found related: training on top that was so long
/// that gains agree no better than those of two trainings from one start.
fn is_left_open(pair: &(String, String, String)) -> bool {
    [&pair.0, &pair.1].iter().any(|it| *it == "cpt_very_long")
}

/// Which relations are right for a truth.
fn is_right(truth: &str, found: &str) -> bool {
    match truth {
        "ancestor" | "common_ancestor" => matches!(found, "Derived" | "Identical"),
        "independent" | "behaviour_only" => found == "Independent",
        "shared_init" => found == "SharedInit",
        "embedding_only" => found == "ComponentDerived",
        _ => true,
    }
}

/// What the table says of the must-holds: no false "derived" at all, and few misses. An adapter holds no weights of a
/// model and so has no relation by them; its pairs are left out.
fn holds(family: &Family, every: usize) {
    let pairs: Vec<_> = family.pairs.iter().filter(|it| it.0 != "lora_adapter" && it.1 != "lora_adapter").collect();
    let pairs: Vec<_> = pairs.into_iter().step_by(every).collect();
    let (open, pairs): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|it| it.2.contains("ancestor") && is_left_open(it));
    let unseen = family.table(&open).into_iter().filter(|it| it.0.1 == "Independent");
    assert!(unseen.map(|it| it.1.len()).sum::<usize>() * 20 <= open.len(), "very long training hides a relation");
    let table = family.table(&pairs);
    let count = |truth: &[&str], right: bool| -> usize {
        let cells = table.iter().filter(|it| truth.contains(&it.0.0.as_str()) && is_right(&it.0.0, &it.0.1) == right);
        cells.map(|it| it.1.len()).sum()
    };
    let wrong: Vec<_> = table.iter().filter(|it| !is_right(&it.0.0, &it.0.1)).collect();
    let accused = |it: &&(&(String, String), &Vec<String>)| {
        let is_related = ["ancestor", "common_ancestor", "ambiguous"].contains(&it.0.0.as_str());
        !is_related && ["Derived", "Identical"].contains(&it.0.1.as_str())
    };
    assert!(!wrong.iter().any(|it| accused(&it)), "{wrong:#?}");
    let related = ["ancestor", "common_ancestor"];
    let (found, missed) = (count(&related, true), count(&related, false));
    assert!(missed * 100 <= (found + missed) * 3, "{missed} of {} missed: {wrong:#?}", found + missed);
    let (clear, unclear) = (count(&["independent"], true), count(&["independent"], false));
    assert!(unclear * 100 <= (clear + unclear) * 2, "{wrong:#?}");
    assert!(found > 0 && clear > 0, "the family is empty");
}

#[test]
fn a_small_family_comes_out_as_it_was_made() {
    holds(&family(Path::new("tests/families/small")), 3);
}

/// Another family, which a clone does not carry.
#[test]
#[ignore = "needs UNSHELL_FAMILY; tests/real.sh runs it"]
fn another_family_comes_out_as_it_was_made() {
    let folder = std::env::var("UNSHELL_FAMILY").expect("UNSHELL_FAMILY names a folder");
    holds(&family(Path::new(&folder)), 1);
}
