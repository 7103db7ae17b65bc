//! The ranking on the catalogue itself, and on changed copies of it.

use std::sync::LazyLock;

use super::*;
use crate::blueprint::{Config, SMALL_LLAMA, Template};
use crate::fact::FormRelation;
use crate::lineage::closeness::closeness_of_form;

fn looking() -> &'static Looking<'static> {
    static LOOKING: LazyLock<Looking<'static>> = LazyLock::new(|| Looking::new(Catalog::builtin()));
    &LOOKING
}

fn rank(blueprint: &Blueprint) -> Vec<Match> {
    looking().rank(blueprint, &StatedNames::default(), None)
}

fn ranked(id: &str) -> Vec<Match> {
    rank(Catalog::builtin().find(id).unwrap().blueprint().unwrap())
}

/// What is wrong with the answer for an entry, if anything.
fn mistaken(entry: &Entry) -> Option<String> {
    let reference = format!("{SCHEME}{}", entry.id());
    let matches = ranked(entry.id());
    let own = matches.iter().find(|it| it.reference == reference);
    let is_first = own.is_some_and(|it| {
        it.rank == 1 && it.relation == FormRelation::Identical && it.closeness == Closeness::SameShapes
    });
    (!is_first).then(|| format!("{reference}: {own:?}, first {:?}", matches.first()))
}

/// Ids at rank 1 by score alone.
fn first(blueprint: &Blueprint) -> BTreeSet<&'static str> {
    let subject = Traits::of(blueprint);
    let scored = looking().scored(&subject, &StatedNames::default(), None);
    let ranks = ranks(&scored);
    scored.iter().zip(ranks).filter(|it| it.1 == 1).map(|it| it.0.0.entry.id()).collect()
}

/// Runs over all blueprints on as many threads as there are.
fn over_all<T: Send>(look: impl Fn(&'static Entry) -> Vec<T> + Sync) -> Vec<T> {
    let built: Vec<_> = Catalog::builtin().entries().iter().filter(|it| it.design().is_some()).collect();
    std::thread::scope(|scope| {
        let halves = built.chunks(built.len().div_ceil(2));
        let running: Vec<_> =
            halves.map(|half| scope.spawn(|| half.iter().flat_map(|it| look(it)).collect::<Vec<T>>())).collect();
        running.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn every_blueprint_ranks_itself_first() {
    let wrong = over_all(|it| mistaken(it).into_iter().collect());
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// A change that companies make, by a random number.
type Change = fn(&mut Vec<Template>, &mut serde_json::Map<String, serde_json::Value>, u64);

const CHANGES: [(&str, Change); 5] = [
    ("vocabulary", |templates, config, chance| rows(templates, config, |it| it / 2 + chance % (it * 2))),
    ("padding", |templates, config, chance| {
        let to = [64, 128, 256, 512][(chance % 4) as usize];
        rows(templates, config, |it| (it + 1 + chance % 40).next_multiple_of(to));
    }),
    ("prefix", |templates, _, chance| {
        let prefix = ["base_model.model.", "language_model.", "llm.", "our.own."][(chance % 4) as usize];
        templates.iter_mut().for_each(|it| it.name = format!("{prefix}{}", it.name));
    }),
    ("head", |templates, config, _| {
        templates.retain(|it| !HEADS.contains(&it.name.as_str()));
        config.insert("tie_word_embeddings".into(), true.into());
    }),
    ("layers", |templates, config, _| {
        let last = templates.iter().filter_map(|it| it.layers.last().map(|it| *it.end())).max().unwrap();
        let keep = last + 1 - (last + 1).div_ceil(10);
        for it in templates.iter_mut().filter(|it| !it.layers.is_empty()) {
            let kept = it.layers.iter().filter(|it| *it.start() < keep);
            it.layers = kept.map(|it| *it.start()..=(*it.end()).min(keep - 1)).collect();
            if it.layers.is_empty() {
                it.shape.clear();
            }
        }
        templates.retain(|it| !it.shape.is_empty() || !it.layers.is_empty());
        config.insert("num_hidden_layers".into(), keep.into());
    }),
];

const HEADS: [&str; 6] = [
    "lm_head.weight",
    "embed_out.weight",
    "output.weight",
    "head.weight",
    "transformer.output_layer.weight",
    "lm_head.bias",
];

fn rows(templates: &mut [Template], config: &mut serde_json::Map<String, serde_json::Value>, of: impl Fn(u64) -> u64) {
    let vocabulary = templates.iter().find(|it| is_table(&it.name)).map(|it| it.shape[0]).unwrap();
    for it in templates.iter_mut().filter(|it| it.shape.first() == Some(&vocabulary) && it.layers.is_empty()) {
        it.shape[0] = of(vocabulary);
    }
    config.insert("vocab_size".into(), of(vocabulary).into());
}

fn is_table(name: &str) -> bool {
    ["embed", "wte", "tok_embeddings"].iter().any(|it| name.contains(it)) && !name.contains("norm")
}

/// Every blueprint under every change, with its configuration and without.
#[test]
fn changed_blueprints_rank_themselves_or_their_twins_first() {
    let outcomes = over_all(|entry| {
        let blueprint = entry.blueprint().unwrap();
        let (same, padded) = Catalog::builtin().twins(entry.id());
        let twins: BTreeSet<&str> = same.into_iter().chain(padded).chain([entry.id()]).collect();
        let seed = entry.id().bytes().fold(17_u64, |sum, it| sum.wrapping_mul(1_000_003) ^ u64::from(it)) >> 8;
        let mut outcomes = Vec::new();
        for (kind, change) in CHANGES {
            for with_config in [true, false] {
                let mut templates = blueprint.templates().to_vec();
                let mut config: serde_json::Map<_, _> = blueprint.config().fields().clone().into_iter().collect();
                change(&mut templates, &mut config, seed);
                let config = if with_config { Config::from_fields(config) } else { Config::from_fields([]) };
                let first = first(&Blueprint::from_templates(templates, config));
                let kind = if with_config { kind.to_owned() } else { format!("{kind}, no configuration") };
                outcomes.push((kind, !first.is_disjoint(&twins), entry.id(), first));
            }
        }
        outcomes
    });
    let kinds: BTreeSet<&String> = outcomes.iter().map(|it| &it.0).collect();
    let built = Catalog::builtin().entries().iter().filter(|it| it.design().is_some()).count();
    assert_eq!((kinds.len(), outcomes.len()), (2 * CHANGES.len(), 2 * CHANGES.len() * built));
    for kind in kinds {
        let of_kind: Vec<_> = outcomes.iter().filter(|it| it.0 == *kind).collect();
        let wrong: Vec<_> = of_kind.iter().filter(|it| !it.1).map(|it| format!("{} -> {:?}", it.2, it.3)).collect();
        assert!(wrong.len() * 20 <= of_kind.len(), "{kind}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
    }
}

fn best(matches: &[Match], rank: u64) -> BTreeSet<&str> {
    matches.iter().filter(|it| it.rank == rank).filter_map(|it| it.reference.strip_prefix(SCHEME)).collect()
}

#[test]
fn ties_are_told_as_ties() {
    let plain = Blueprint::from_templates(
        Catalog::builtin().find("meta-llama/Llama-2-7b-hf").unwrap().blueprint().unwrap().templates().to_vec(),
        Config::from_fields([]),
    );
    let matches = rank(&plain);
    let twins = ["huggyllama/llama-7b", "meta-llama/Llama-2-7b-hf", "openlm-research/open_llama_7b"];
    assert_eq!(best(&matches, 1), BTreeSet::from(twins), "{:#?}", &matches[..4]);
    assert!(matches[..3].iter().all(|it| it.tied_with.len() == 2));
    assert_eq!(outcome(&matches), "tied entries");
    assert_eq!(matches[3].rank, 4);
}

#[test]
fn the_same_design_in_other_dimensions_comes_before_a_similar_one() {
    let matches = ranked("moonshotai/Kimi-K2-Instruct");
    assert!(best(&matches, 1).contains("moonshotai/Kimi-K2-Instruct"));
    let other = matches.iter().find(|it| it.reference.ends_with("skt/A.X-K1")).unwrap();
    assert_eq!(other.closeness, Closeness::OtherDimensions);
    assert!(matches.iter().all(|it| !it.reference.ends_with("DeepSeek-V2")), "{matches:#?}");
}

#[test]
fn another_name_ranks_after_the_own() {
    let matches = ranked("01-ai/Yi-34B@2023-11");
    assert_eq!(best(&matches, 1), BTreeSet::from(["01-ai/Yi-34B@2023-11"]));
    assert_eq!(outcome(&matches), "one entry");
    let after: BTreeSet<&str> = matches[1..3].iter().filter_map(|it| it.reference.strip_prefix(SCHEME)).collect();
    assert_eq!(after, BTreeSet::from(["01-ai/Yi-34B", "01-ai/Yi-1.5-34B"]));
    assert_eq!(matches[1].relation, FormRelation::SameUpToRenaming);
    assert_eq!(matches[1].closeness, Closeness::SameShapes);
    assert!(matches[3..].iter().all(|it| it.closeness == Closeness::OtherDimensions), "{:?}", matches[3]);
}

/// What is put beside a model does not hide it: DeepSeek-V3.2 is V3 with five tensors more in each layer.
#[test]
fn additions_are_told_apart() {
    let matches = ranked("deepseek-ai/DeepSeek-V3.2");
    let parent = matches.iter().find(|it| it.reference == "catalog:deepseek-ai/DeepSeek-V3").unwrap();
    assert_eq!(parent.closeness, Closeness::Additions);
    let present = parent.present.unwrap();
    assert_eq!((present.tensors, present.values), (1.0, Some(1.0)));
    assert_eq!((parent.additions.len(), parent.missing.len()), (5, 0), "{:?}", parent.additions);
    assert!(parent.additions.iter().all(|it| it.contains("indexer")));
}

/// Qwen-72B and Qwen1.5-110B state the same sizes and have other names, other biases and other weights.
#[test]
fn same_is_said_only_where_nothing_contradicts_it() {
    let entry = Catalog::builtin().find("Qwen/Qwen-72B").unwrap();
    let blueprint = entry.blueprint().unwrap();
    let names: Vec<String> = blueprint.placed().into_iter().map(|it| it.name).collect();
    let by_names = Blueprint::from_names(names.iter().map(String::as_str), blueprint.config().clone());
    let bytes = entry.design().unwrap().parameters * 2;
    let matches = looking().rank(&by_names, &StatedNames::default(), Some(bytes));
    assert_eq!(best(&matches, 1), BTreeSet::from(["Qwen/Qwen-72B"]));
    assert_eq!(matches[0].closeness, Closeness::Stated);
    let other = matches.iter().find(|it| it.reference.ends_with("Qwen1.5-110B"));
    assert!(other.is_none_or(|it| it.closeness == Closeness::OtherDimensions), "{other:#?}");
}

/// Every pair of a twin set is found as what the catalogue says it is.
#[test]
fn the_twins_of_the_catalogue_are_found() {
    let catalog = Catalog::builtin();
    for entry in catalog.entries().iter().filter(|it| it.design().is_some()) {
        let (same, padded) = catalog.twins(entry.id());
        let form = |id: &str| {
            let twin = catalog.find(id).unwrap();
            closeness_of_form(&compare_blueprints(entry.blueprint().unwrap(), twin.blueprint().unwrap()))
        };
        for id in same {
            assert_eq!(form(id), Closeness::SameShapes, "{} {id}", entry.id());
        }
        for id in padded {
            let found = form(id);
            let is_vocabulary = matches!(found, Closeness::PaddedVocabulary | Closeness::OtherVocabulary);
            assert!(is_vocabulary, "{} {id} {found:?}", entry.id());
        }
    }
}

fn tensors(list: &[(&str, &[u64])], config: serde_json::Value) -> Blueprint {
    let mut all = Vec::new();
    for (name, shape) in list {
        let layers = if name.contains("{i}") { 4 } else { 1 };
        all.extend((0..layers).map(|layer: u32| (name.replace("{i}", &layer.to_string()), *shape)));
    }
    Blueprint::from_tensors(all.iter().map(|(name, shape)| (name.as_str(), "F32", *shape)), Config::new(&config))
}

/// A sentence encoder is in no catalogue of language models, and gets no nearest one for consolation.
#[test]
fn bert_has_no_entry() {
    let bert = tensors(
        &[
            ("embeddings.word_embeddings.weight", &[30522, 384]),
            ("embeddings.position_embeddings.weight", &[512, 384]),
            ("embeddings.token_type_embeddings.weight", &[2, 384]),
            ("embeddings.LayerNorm.weight", &[384]),
            ("embeddings.LayerNorm.bias", &[384]),
            ("encoder.layer.{i}.attention.self.query.weight", &[384, 384]),
            ("encoder.layer.{i}.attention.self.query.bias", &[384]),
            ("encoder.layer.{i}.attention.self.key.weight", &[384, 384]),
            ("encoder.layer.{i}.attention.self.key.bias", &[384]),
            ("encoder.layer.{i}.attention.self.value.weight", &[384, 384]),
            ("encoder.layer.{i}.attention.self.value.bias", &[384]),
            ("encoder.layer.{i}.attention.output.dense.weight", &[384, 384]),
            ("encoder.layer.{i}.attention.output.dense.bias", &[384]),
            ("encoder.layer.{i}.attention.output.LayerNorm.weight", &[384]),
            ("encoder.layer.{i}.attention.output.LayerNorm.bias", &[384]),
            ("encoder.layer.{i}.intermediate.dense.weight", &[1536, 384]),
            ("encoder.layer.{i}.intermediate.dense.bias", &[1536]),
            ("encoder.layer.{i}.output.dense.weight", &[384, 1536]),
            ("encoder.layer.{i}.output.dense.bias", &[384]),
            ("encoder.layer.{i}.output.LayerNorm.weight", &[384]),
            ("encoder.layer.{i}.output.LayerNorm.bias", &[384]),
            ("pooler.dense.weight", &[384, 384]),
            ("pooler.dense.bias", &[384]),
        ],
        serde_json::json!({"model_type": "bert", "hidden_size": 384, "num_attention_heads": 12}),
    );
    let matches = rank(&bert);
    assert_eq!(outcome(&matches), "no entry", "{matches:?}");
}

/// Fused and turned, its matrices are those of GPT-2; its norms lie after the blocks.
#[test]
fn an_encoder_is_no_decoder() {
    let mut list: Vec<(String, Vec<u64>)> = vec![
        ("distilbert.embeddings.word_embeddings.weight".into(), vec![30522, 768]),
        ("distilbert.embeddings.position_embeddings.weight".into(), vec![512, 768]),
        ("distilbert.embeddings.LayerNorm.weight".into(), vec![768]),
        ("distilbert.embeddings.LayerNorm.bias".into(), vec![768]),
    ];
    for (name, rows, columns) in [
        ("attention.q_lin", 768, Some(768)),
        ("attention.k_lin", 768, Some(768)),
        ("attention.v_lin", 768, Some(768)),
        ("attention.out_lin", 768, Some(768)),
        ("sa_layer_norm", 768, None),
        ("ffn.lin1", 3072, Some(768)),
        ("ffn.lin2", 768, Some(3072)),
        ("output_layer_norm", 768, None),
    ] {
        let name = format!("distilbert.transformer.layer.{{i}}.{name}");
        list.push((format!("{name}.weight"), [Some(rows), columns].into_iter().flatten().collect()));
        list.push((format!("{name}.bias"), vec![rows]));
    }
    let list: Vec<(&str, &[u64])> = list.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    let matches = rank(&tensors(&list, serde_json::json!({"model_type": "distilbert"})));
    assert_eq!(outcome(&matches), "no entry", "{:?}", matches.first());
}

#[test]
fn a_small_llama_is_of_the_family_only() {
    let config = serde_json::json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
    });
    let matches = rank(&tensors(SMALL_LLAMA, config));
    assert_eq!(outcome(&matches), "family only");
    assert!(matches.iter().all(|it| it.closeness == Closeness::OtherDimensions && !it.same_dimensions));
    let nearest = Catalog::builtin().find(&matches[0].reference).unwrap().design().unwrap();
    assert!(nearest.templates.iter().any(|it| it.name == "model.layers.{i}.mlp.gate_proj.weight"));
}
