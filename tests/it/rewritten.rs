//! The relation of two models is that of their numbers, in whatever layout a program writes them: members of the
//! families, re-written in memory, keep the relation of the plain member. And what is no weight, no training and no
//! witness is not taken for one: zeros, roundings, tokens that never occur, numbers with a mean.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use unshell::blueprint::{Blueprint, Config};
use unshell::checkpoint::Data;
use unshell::fact::{Weights, WeightsRelation};

use crate::weights::{Memory, Tiny, all_pairs, tiny, weights};

/// Shape and numbers of each tensor, and what a configuration says.
#[derive(Clone)]
struct Model {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    config: Value,
}

const SUBJECTS: &[&str] = &[
    "base_a",
    "base_b",
    "base_c",
    "base_same_init",
    "cpt_long",
    "depth_up",
    "distilled",
    "ft_code",
    "ft_legal",
    "int8_dq",
    "lora_merged",
    "merge_slerp",
    "prune_layers",
    "vocab_ext",
];
const REFERENCES: &[&str] = &["base_a", "base_b", "ft_code"];

impl Model {
    fn member(name: &str) -> Self {
        let folder = Path::new("tests/families/small").join(name);
        let data = Data::open(&folder).unwrap();
        let tensors = data.values().iter().map(|it| {
            let shape = it.shape.iter().map(|size| usize::try_from(*size).unwrap()).collect();
            (it.name.clone(), (shape, data.read(it, 0..it.elements()).unwrap()))
        });
        let config = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
        Self { tensors: tensors.collect(), config }
    }

    fn tiny(&self) -> Tiny {
        let shapes: BTreeMap<&String, Vec<u64>> =
            self.tensors.iter().map(|it| (it.0, it.1.0.iter().map(|size| *size as u64).collect())).collect();
        let tensors = shapes.iter().map(|it| (it.0.as_str(), "F32", it.1.as_slice()));
        let blueprint = Blueprint::from_tensors(tensors, Config::new(&self.config));
        let numbers = self.tensors.iter().map(|it| (it.0.clone(), it.1.1.clone())).collect();
        Tiny { blueprint, numbers: Memory(numbers) }
    }

    fn size(&self, key: &str) -> usize {
        usize::try_from(self.config[key].as_u64().unwrap()).unwrap()
    }

    fn head_size(&self) -> usize {
        self.size("hidden_size") / self.size("num_attention_heads")
    }

    /// Every tensor under a new name and shape with new numbers.
    fn map(&self, one: impl Fn(&str, &[usize], &[f32]) -> (String, Vec<usize>, Vec<f32>)) -> Self {
        let tensors = self.tensors.iter().map(|(name, (shape, numbers))| {
            let (name, shape, numbers) = one(name, shape, numbers);
            (name, (shape, numbers))
        });
        Self { tensors: tensors.collect(), config: self.config.clone() }
    }

    /// Joins tensors of each layer into one; `rows` says which row of which comes where.
    fn joined(&self, parts: &[&str], whole: &str, rows: impl Fn(&[usize]) -> Vec<(usize, usize)>) -> Self {
        let mut out = self.clone();
        let firsts: Vec<String> = self.tensors.keys().filter(|it| it.contains(parts[0])).cloned().collect();
        for first in firsts {
            let each: Vec<(Vec<usize>, Vec<f32>)> =
                parts.iter().map(|it| out.tensors.remove(&first.replace(parts[0], it)).unwrap()).collect();
            let (columns, counts) = (each[0].0[1], each.iter().map(|it| it.0[0]).collect::<Vec<_>>());
            let order = rows(&counts);
            let numbers: Vec<f32> = order
                .iter()
                .flat_map(|(part, row)| each[*part].1[row * columns..(row + 1) * columns].to_vec())
                .collect();
            out.tensors.insert(first.replace(parts[0], whole), (vec![order.len(), columns], numbers));
        }
        out
    }
}

/// Rows of queries and keys with the halves of each head woven into each other.
fn woven(model: &Model) -> Model {
    let size = model.head_size();
    model.map(|name, shape, numbers| {
        if !name.contains("q_proj") && !name.contains("k_proj") {
            return (name.to_owned(), shape.to_vec(), numbers.to_vec());
        }
        let columns = shape[1];
        let row = |it: usize| {
            let (head, at) = (it / size, it % size);
            head * size + at % 2 * (size / 2) + at / 2
        };
        let rows = (0..shape[0]).map(row);
        let numbers = rows.flat_map(|it| numbers[it * columns..(it + 1) * columns].to_vec()).collect();
        (name.to_owned(), shape.to_vec(), numbers)
    })
}

/// Meta's names and order, without any configuration.
fn of_meta(model: &Model) -> Model {
    let words = [
        ("model.", ""),
        ("self_attn.q_proj", "attention.wq"),
        ("self_attn.k_proj", "attention.wk"),
        ("self_attn.v_proj", "attention.wv"),
        ("self_attn.o_proj", "attention.wo"),
        ("mlp.gate_proj", "feed_forward.w1"),
        ("mlp.down_proj", "feed_forward.w2"),
        ("mlp.up_proj", "feed_forward.w3"),
        ("input_layernorm", "attention_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("embed_tokens", "tok_embeddings"),
        ("lm_head", "output"),
    ];
    let mut out = woven(model).map(|name, shape, numbers| {
        let name = words.iter().fold(name.to_owned(), |name, it| name.replace(it.0, it.1));
        (name, shape.to_vec(), numbers.to_vec())
    });
    out.config = json!({});
    out
}

/// Query, key and value in one projection, group by group, under a name that states nothing.
fn by_group(model: &Model) -> Model {
    let (size, keys) = (model.head_size(), model.size("num_key_value_heads"));
    let each = model.size("num_attention_heads") / keys * size;
    let mut out = model.joined(&["q_proj", "k_proj", "v_proj"], "query_key_value", |_| {
        let group = |it: usize| {
            let queries = (it * each..(it + 1) * each).map(|row| (0, row));
            let beside = |part| (it * size..(it + 1) * size).map(move |row| (part, row));
            queries.chain(beside(1)).chain(beside(2)).collect::<Vec<_>>()
        };
        (0..keys).flat_map(group).collect()
    });
    out.config["model_type"] = json!("own");
    out
}

fn one_behind_the_other(counts: &[usize]) -> Vec<(usize, usize)> {
    counts.iter().enumerate().flat_map(|(part, count)| (0..*count).map(move |row| (part, row))).collect()
}

fn side_by_side(model: &Model) -> Model {
    model.joined(&["q_proj", "k_proj", "v_proj"], "qkv_proj", one_behind_the_other).joined(
        &["gate_proj", "up_proj"],
        "gate_up_proj",
        one_behind_the_other,
    )
}

/// Gates and ups that take turns.
fn alternating(model: &Model) -> Model {
    let turns = |counts: &[usize]| (0..counts[0]).flat_map(|row| [(0, row), (1, row)]).collect();
    model.joined(&["gate_proj", "up_proj"], "gate_up_proj", turns)
}

/// Norm weights less one.
fn about_zero(model: &Model) -> Model {
    model.map(|name, shape, numbers| {
        let less = if name.contains("norm") { 1.0 } else { 0.0 };
        (name.to_owned(), shape.to_vec(), numbers.iter().map(|it| it - less).collect())
    })
}

/// Every projection as `[in, out]`, the head too.
fn exchanged(model: &Model) -> Model {
    model.map(|name, shape, numbers| {
        if !name.contains("proj") && !name.contains("lm_head") {
            return (name.to_owned(), shape.to_vec(), numbers.to_vec());
        }
        let (rows, columns) = (shape[0], shape[1]);
        let numbers = (0..columns).flat_map(|at| (0..rows).map(move |row| numbers[row * columns + at])).collect();
        (name.to_owned(), vec![columns, rows], numbers)
    })
}

/// Norm weights that say nothing, and what reads after them makes up for it.
fn new_norm_weights(model: &Model) -> Model {
    let new = |name: &str, at: usize| 0.6 + 0.01 * ((at * 37 + name.len() * 11) % 83) as f32;
    let old = |norm: &str| &model.tensors[norm].1;
    model.map(|name, shape, numbers| {
        let norm = match name.rsplit_once(".self_attn").map(|it| (it.0, "input_layernorm")) {
            Some(it) if !name.contains("o_proj") => Some(it),
            _ if name.contains("gate_proj") || name.contains("up_proj") => {
                name.rsplit_once(".mlp").map(|it| (it.0, "post_attention_layernorm"))
            }
            _ => None,
        };
        let norm = norm.map(|(layer, norm)| format!("{layer}.{norm}.weight"));
        let norm = norm.or_else(|| (name == "lm_head.weight").then(|| "model.norm.weight".to_owned()));
        let numbers = match norm {
            Some(norm) => {
                let by = |at: usize| old(&norm)[at % shape[1]] / new(&norm, at % shape[1]);
                numbers.iter().enumerate().map(|(at, it)| it * by(at)).collect()
            }
            None if name.contains("norm") => (0..numbers.len()).map(|at| new(name, at)).collect(),
            None => numbers.to_vec(),
        };
        (name.to_owned(), shape.to_vec(), numbers)
    })
}

/// Two coordinates more, which nothing writes and everything reads.
fn dead_dimensions(model: &Model) -> Model {
    let hidden = model.size("hidden_size");
    let noise = |at: usize| ((at * 7_919 + 13) % 1_009) as f32 / 504.5 - 1.0;
    let mut out = model.map(|name, shape, numbers| {
        let is_written = name.contains("o_proj") || name.contains("down_proj");
        let (shape, numbers) = match shape {
            [_] => (vec![hidden + 2], [numbers, &[1.0, 1.0]].concat()),
            [rows, columns] if is_written => (vec![rows + 2, *columns], [numbers, &vec![0.0; 2 * columns]].concat()),
            [rows, _] => {
                let is_embedding = name.contains("embed");
                let beside = |row: usize, at: usize| if is_embedding { 0.0 } else { noise(row * 2 + at) };
                let wide = numbers.chunks(hidden).enumerate();
                let wide = wide.flat_map(|(row, it)| [it, &[beside(row, 0), beside(row, 1)]].concat()).collect();
                (vec![*rows, hidden + 2], wide)
            }
            _ => unreachable!("{name}"),
        };
        (name.to_owned(), shape, numbers)
    });
    out.config["head_dim"] = json!(model.head_size());
    out.config["hidden_size"] = json!(hidden + 2);
    out
}

type Rewritten = fn(&Model) -> Model;

/// How a model is written anew, and whether its numbers are the same ones.
const LAYOUTS: &[(&str, Rewritten, bool)] = &[
    ("woven", woven, true),
    ("of Meta", of_meta, true),
    ("by group", by_group, true),
    ("side by side", side_by_side, true),
    ("alternating", alternating, true),
    ("about zero", about_zero, false),
    ("exchanged", exchanged, true),
    ("new norm weights", new_norm_weights, false),
    ("dead dimensions", dead_dimensions, false),
    ("all at once", |model| about_zero(&exchanged(&by_group(&alternating(&woven(model))))), false),
];

/// Any layout of any member has the relation of the plain member to any other; and no layout is reported as a
/// re-arrangement by whoever wrote it, or as training.
#[test]
fn a_layout_changes_no_relation() {
    let is_full = std::env::var_os("UNSHELL_FULL").is_some();
    let every = if is_full { 1 } else { 9 };
    let members: BTreeMap<&str, Model> = SUBJECTS.iter().map(|it| (*it, Model::member(it))).collect();
    let pairs = SUBJECTS.iter().flat_map(|one| REFERENCES.iter().map(move |other| (*one, *other)));
    let cases: Vec<_> = pairs.flat_map(|pair| LAYOUTS.iter().map(move |it| (pair, it))).step_by(every).collect();
    assert!(cases.len() >= if is_full { 400 } else { 40 });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for some in cases.chunks(cases.len().div_ceil(cores)) {
            let members = &members;
            scope.spawn(move || some.iter().for_each(|(pair, layout)| keeps_its_relation(members, *pair, **layout)));
        }
    });
}

fn keeps_its_relation(
    members: &BTreeMap<&str, Model>,
    (one, other): (&str, &str),
    (layout, rewritten, is_same): (&str, Rewritten, bool),
) {
    let (subject, reference) = (&members[one], members[other].tiny());
    let plain = weights(&subject.tiny(), &reference);
    let found = weights(&rewritten(subject).tiny(), &reference);
    let whole = |it: WeightsRelation| match it {
        WeightsRelation::Identical if !is_same => WeightsRelation::Derived,
        it => it,
    };
    // Norm weights that say nothing may leave open whether a start or a model was shared, and close nothing else.
    if plain.relation == WeightsRelation::SharedInit && found.relation == WeightsRelation::Undetermined && !is_same {
        return;
    }
    let about = format!("{one} against {other}, {layout}: {:#?} {:#?}", found.reasons, found.statistics);
    assert_eq!(whole(found.relation), whole(plain.relation), "{about}");
    let said: Vec<&str> = found.recipe.iter().map(|it| it.step.word()).collect();
    let kinds: Vec<&str> = found.disguises.iter().map(|it| it.kind.word()).collect();
    let is_new = |it: &&str| !plain.disguises.iter().any(|known| known.kind.word() == *it);
    let told: Vec<&&str> = kinds.iter().filter(|it| is_new(it) && is_same).collect();
    assert!(told.is_empty(), "{told:?} {about}");
    let had_training = plain.recipe.iter().any(|it| it.step.word() == "continued-pretraining");
    assert!(had_training || !said.contains(&"continued-pretraining"), "{said:?} {about}");
}

/// The same file under another word in its configuration, which says that its rows are by group.
#[test]
fn the_same_numbers_are_identical_whatever_the_configuration_says() {
    let mut model = by_group(&Model::member("base_a"));
    let plain = model.tiny();
    model.config["model_type"] = json!("falcon");
    assert_eq!(weights(&plain, &model.tiny()).relation, WeightsRelation::Identical);
    // And under names that say nothing.
    let renamed =
        model.map(|name, shape, numbers| (name.replace("self_attn", "mixer.one"), shape.to_vec(), numbers.to_vec()));
    assert_eq!(weights(&renamed.tiny(), &model.tiny()).relation, WeightsRelation::Identical);
}

/// The matrices of some layers hold nothing.
fn emptied(model: &Model, is_empty: impl Fn(&str) -> bool, by: f32) -> Model {
    model.map(|name, shape, numbers| {
        let numbers = if is_empty(name) { vec![by; numbers.len()] } else { numbers.to_vec() };
        (name.to_owned(), shape.to_vec(), numbers)
    })
}

#[test]
fn what_holds_nothing_is_told_and_counts_for_nothing() {
    let model = Model::member("base_a");
    let plain = model.tiny();
    for nothing in [0.0, f32::NAN] {
        // The download stopped after the embedding.
        let cut = emptied(&model, |it| it.contains("proj") || it.contains("lm_head"), nothing).tiny();
        let answer = weights(&cut, &plain);
        assert!(!matches!(answer.relation, WeightsRelation::Independent | WeightsRelation::Identical), "{answer:#?}");
        assert!(answer.reasons.iter().any(|it| it.contains("hold nothing")), "{:#?}", answer.reasons);
        assert_ne!(weights(&cut, &cut).relation, WeightsRelation::Identical);
        let all = emptied(&model, |_| true, nothing).tiny();
        assert_eq!(weights(&all, &all).relation, WeightsRelation::Undetermined);
        // One layer never arrived, and nothing was pruned, dropped or added.
        let part = emptied(&model, |it| it.contains("layers.1.") && it.contains("proj"), nothing).tiny();
        let answer = weights(&part, &plain);
        assert_eq!(answer.relation, WeightsRelation::Derived);
        assert_eq!(answer.recipe, [], "{:#?}", answer.recipe);
        assert_eq!(answer.disguises, []);
    }
}

fn steps(answer: &Weights) -> Vec<&str> {
    answer.recipe.iter().map(|it| it.step.word()).collect()
}

/// A cast is a cast, also beside one tensor that the other side lacks.
#[test]
fn a_cast_is_no_adapter_and_no_training() {
    let model = Model::member("base_other_data");
    let reference = model.map(|name, shape, numbers| {
        let by = |at: usize| 1.0 + 0.001 * ((at * 37) % 7) as f32;
        (name.to_owned(), shape.to_vec(), numbers.iter().enumerate().map(|(at, it)| it * by(at)).collect())
    });
    let mut cast = reference.map(|name, shape, numbers| {
        let numbers = numbers.iter().map(|it| f32::from_bits(it.to_bits() & 0xffff_0000)).collect();
        (name.to_owned(), shape.to_vec(), numbers)
    });
    // Cut off instead of rounded is a whole step away, and no cast.
    let answer = weights(&cast.tiny(), &reference.tiny());
    assert!(!steps(&answer).contains(&"cast"), "{:?}", answer.recipe);
    cast = reference.map(|name, shape, numbers| {
        let nearest = |it: &f32| f32::from_bits((it.to_bits() + 0x7fff + (it.to_bits() >> 16 & 1)) & 0xffff_0000);
        let is_kept = name.contains("gate_proj");
        let numbers = numbers.iter().map(|it| if is_kept { *it } else { nearest(it) }).collect();
        (name.to_owned(), shape.to_vec(), numbers)
    });
    cast.tensors.insert("value_head.weight".into(), (vec![1, 32], vec![0.5; 32]));
    let answer = weights(&cast.tiny(), &reference.tiny());
    assert_eq!((answer.relation, steps(&answer)), (WeightsRelation::Derived, vec!["cast"]), "{:?}", answer.recipe);
}

/// Where gates, ups and downs are as they were, nobody trained on.
#[test]
fn a_change_of_attention_alone_is_no_long_training() {
    let (model, other) = (Model::member("base_a"), Model::member("base_b"));
    let changed = model.map(|name, shape, numbers| {
        let theirs = &other.tensors[name].1;
        let by = if name.contains("self_attn") { 0.6 } else { 0.0 };
        (name.to_owned(), shape.to_vec(), numbers.iter().zip(theirs).map(|(a, b)| a + by * b).collect())
    });
    let answer = weights(&changed.tiny(), &model.tiny());
    assert_eq!(answer.relation, WeightsRelation::Derived);
    assert!(!steps(&answer).contains(&"continued-pretraining"), "{:#?}", answer.recipe);
    let told = answer.recipe.iter().find(|it| it.parameters.contains_key("modules")).unwrap();
    assert!(told.detail.contains("key, output, query, value"), "{}", told.detail);
}

/// Numbers with a mean give all rows of a projection a direction in common, in every model made so.
#[test]
fn numbers_with_a_mean_make_nobody_kin() {
    let models: Vec<Tiny> = (0..4).map(|it| tiny(&format!("null-{it:03}"))).collect();
    let shifted: Vec<Tiny> = models
        .iter()
        .map(|model| {
            let numbers = model.numbers.0.iter().map(|(name, numbers)| {
                let size = (numbers.iter().map(|it| it * it).sum::<f32>() / numbers.len() as f32).sqrt();
                let by = if name.contains("proj") { 0.4 * size } else { 0.0 };
                (name.clone(), numbers.iter().map(|it| it + by).collect())
            });
            Tiny { blueprint: model.blueprint.clone(), numbers: Memory(numbers.collect()) }
        })
        .collect();
    for (one, other) in all_pairs(models.len()) {
        let answer = weights(&shifted[one], &shifted[other]);
        assert_eq!(answer.relation, WeightsRelation::Independent, "{one} {other} {:#?}", answer.statistics);
        assert_eq!(weights(&shifted[one], &models[one]).relation, WeightsRelation::Derived, "{one}");
    }
}

/// Rows of tokens that never occur end at one vector; a map that carries it carries them all, and says nothing.
#[test]
fn tokens_that_never_occur_make_nobody_kin() {
    let models: Vec<Tiny> = (0..4).map(|it| tiny(&format!("null-{it:03}"))).collect();
    let unused: Vec<Tiny> = models
        .iter()
        .enumerate()
        .map(|(own, model)| {
            let mut numbers = model.numbers.0.clone();
            for (name, rows) in
                numbers.iter_mut().filter(|it| it.0.contains("embed_tokens") || it.0.contains("lm_head"))
            {
                let vector = |at: usize| ((at * 31 + own * 17 + name.len()) % 13) as f32 / 6.0 - 1.0;
                for (token, row) in rows.chunks_exact_mut(32).enumerate().filter(|it| it.0 % 10 < 7) {
                    row.iter_mut().enumerate().for_each(|(at, it)| *it = 0.1 * *it + vector(at) + 1e-3 * token as f32);
                }
            }
            Tiny { blueprint: model.blueprint.clone(), numbers: Memory(numbers) }
        })
        .collect();
    for (one, other) in all_pairs(models.len()) {
        let answer = weights(&unused[one], &unused[other]);
        assert_eq!(answer.relation, WeightsRelation::Independent, "{one} {other} {:#?}", answer.components);
    }
}
