//! What the comparison of blueprints must hold over the whole catalogue, and over names and shapes made up to break it.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use unshell::blueprint::{Blueprint, Config, Template, compare_blueprints};
use unshell::catalog::Catalog;
use unshell::fact::{Form, FormRelation};
use unshell::lineage::{Model, compare, inspect};

fn entry(name: &str) -> &'static Blueprint {
    Catalog::builtin().find(name).unwrap().blueprint().unwrap()
}

fn all() -> impl Iterator<Item = (&'static str, &'static Blueprint)> {
    Catalog::builtin().entries().iter().filter_map(|it| Some((it.id(), it.blueprint()?)))
}

fn form(subject: &str, reference: &str) -> Form {
    compare_blueprints(entry(subject), entry(reference))
}

/// Compares both ways: the answer is the same but for the sides.
#[track_caller]
fn check(subject: &str, reference: &str, relation: FormRelation, same_dimensions: bool) -> Form {
    let found = form(subject, reference);
    assert_eq!((found.relation, found.same_dimensions), (relation, same_dimensions), "{subject} {reference}");
    is_mirrored(&found, &form(reference, subject), subject, reference);
    found
}

#[track_caller]
fn is_mirrored(one: &Form, other: &Form, subject: &str, reference: &str) {
    let names = format!("{subject} against {reference}");
    assert_eq!((one.relation, one.same_dimensions), (other.relation, other.same_dimensions), "{names}");
    assert_eq!(one.differences.len(), other.differences.len(), "{names}");
    assert_eq!(one.projections.len(), other.projections.len(), "{names}");
    let mut turned: Vec<_> = other.renames.iter().map(|it| (&it.reference, &it.subject)).collect();
    turned.sort();
    assert_eq!(one.renames.iter().map(|it| (&it.subject, &it.reference)).collect::<Vec<_>>(), turned, "{names}");
}

fn renames(form: &Form) -> Vec<(&str, &str)> {
    form.renames.iter().map(|it| (it.subject.as_str(), it.reference.as_str())).collect()
}

const YI_RENAMES: [(&str, &str); 2] = [
    ("model.layers.{i}.ln1.weight", "model.layers.{i}.input_layernorm.weight"),
    ("model.layers.{i}.ln2.weight", "model.layers.{i}.post_attention_layernorm.weight"),
];

#[test]
fn yi_is_llama_with_two_names_changed_and_dimensions_of_its_own() {
    let mut count = 0;
    for (name, _) in all().filter(|(name, _)| name.starts_with("meta-llama/Llama-2-")) {
        let form = check("01-ai/Yi-34B@2023-11", name, FormRelation::SameUpToRenaming, false);
        assert_eq!(renames(&form), YI_RENAMES);
        assert!(form.differences.iter().all(|it| it.kind == "dimension"), "{:?}", form.differences);
        count += 1;
    }
    assert!(count >= 3);
    let form = check("01-ai/Yi-34B@2023-11", "01-ai/Yi-34B", FormRelation::SameUpToRenaming, true);
    assert_eq!(renames(&form), YI_RENAMES);
    assert_eq!(form.differences, []);
}

#[test]
fn fused_projections_are_recognised_both_ways() {
    let llama = "meta-llama/Llama-2-7b-hf";
    let split = ["q", "k", "v"].map(|it| format!("model.layers.{{i}}.self_attn.{it}_proj.weight"));
    let form = check("baichuan-inc/Baichuan-7B", llama, FormRelation::FusedOrSplit, false);
    assert_eq!(form.renames, []);
    assert_eq!(form.projections[0].subject, ["model.layers.{i}.self_attn.W_pack.weight"]);
    assert_eq!(form.projections[0].reference, split);
    let form = check("internlm/internlm2-7b", llama, FormRelation::FusedOrSplit, false);
    assert_eq!(form.projections[0].subject, ["model.layers.{i}.attention.wqkv.weight"]);
    assert_eq!(form.projections[0].kind, "subject fuses");
    assert_eq!(form.renames.len(), 8);
}

#[test]
fn relations_of_released_models() {
    use FormRelation::{Different, Identical, SameFamily};
    check("moonshotai/Kimi-K2-Instruct", "deepseek-ai/DeepSeek-V3", SameFamily, false);
    check("huggyllama/llama-7b", "openlm-research/open_llama_7b", Identical, true);
    check("huggyllama/llama-7b", "openai-community/gpt2", Different, false);
    check("mistralai/Mixtral-8x7B-v0.1", "meta-llama/Llama-2-7b-hf", Different, false);
    check("meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf", SameFamily, false);
    // Biases alone.
    check("Qwen/Qwen2-7B", "meta-llama/Llama-2-7b-hf", SameFamily, false);
    // Norms after the blocks and not before them, though one name is the same.
    check("allenai/OLMo-2-1124-7B", "meta-llama/Llama-2-7b-hf", SameFamily, false);
}

#[test]
fn a_few_more_vocabulary_rows_are_told_and_forgiven() {
    let form = check("huggyllama/llama-7b", "codellama/CodeLlama-7b-hf", FormRelation::Identical, true);
    assert_eq!(form.differences.len(), 1);
    assert_eq!(form.differences[0].kind, "vocabulary");
    assert!(form.normalised.iter().all(|it| it.kind == "vocabulary-padding" && it.side == "reference"));
}

#[test]
fn every_blueprint_is_identical_to_itself() {
    for (name, blueprint) in all() {
        let form = compare_blueprints(blueprint, blueprint);
        assert_eq!((form.relation, form.same_dimensions), (FormRelation::Identical, true), "{name}");
        assert_eq!((form.differences, form.renames), (vec![], vec![]), "{name}");
    }
}

#[test]
fn a_comparison_does_not_depend_on_the_side() {
    let all: Vec<_> = all().collect();
    for (one, (subject, our)) in all.iter().enumerate() {
        for (other, (reference, their)) in all.iter().enumerate().skip(one + 1) {
            if (one * 31 + other) % 19 == 0 {
                let there = compare_blueprints(our, their);
                is_mirrored(&there, &compare_blueprints(their, our), subject, reference);
            }
        }
    }
}

/// The same tensors under names that say nothing, in the same order.
fn scrambled(blueprint: &Blueprint) -> Blueprint {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let rename = |it: &Template| {
        let next = names.len();
        let list = if it.name.contains("mtp_layers") { "b" } else { "a" };
        let name = names.entry(it.name.clone()).or_insert_with(|| match it.name.as_str() {
            name if name.contains("{j}") => format!("{list}.{{i}}.c.{{j}}.x{next}"),
            name if name.contains("{i}") => format!("{list}.{{i}}.x{next}"),
            _ => format!("y{next}"),
        });
        Template { name: name.clone(), ..it.clone() }
    };
    Blueprint::from_templates(blueprint.templates().iter().map(rename).collect(), blueprint.config().clone())
}

#[test]
fn names_that_say_nothing_hide_no_blueprint() {
    for (name, blueprint) in all() {
        let form = compare_blueprints(&scrambled(blueprint), blueprint);
        assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameUpToRenaming, true), "{name}");
        assert_eq!(form.differences, [], "{name}");
        is_mirrored(&form, &compare_blueprints(blueprint, &scrambled(blueprint)), "scrambled", name);
    }
}

#[test]
fn names_that_say_nothing_hide_no_family() {
    for subject in ["01-ai/Yi-34B@2023-11", "huggyllama/llama-7b", "mistralai/Mistral-7B-v0.1"] {
        for reference in ["meta-llama/Llama-2-70b-hf", "meta-llama/Llama-2-13b-hf", "meta-llama/Meta-Llama-3-8B"] {
            let form = compare_blueprints(&scrambled(entry(subject)), entry(reference));
            assert_eq!(form.relation, FormRelation::SameUpToRenaming, "{subject} {reference}");
            assert!(form.renames.iter().any(|it| it.by == "order"), "a norm cannot be told from the other by shape");
        }
    }
    let form = compare_blueprints(&scrambled(entry("internlm/internlm2-7b")), entry("meta-llama/Llama-2-70b-hf"));
    assert_eq!(form.relation, FormRelation::FusedOrSplit);
}

#[test]
fn swapped_names_do_not_deceive() {
    let honest = entry("meta-llama/Llama-2-70b-hf");
    let swap = |it: &Template| {
        let name = if it.name.contains("down_proj") {
            it.name.replace("down_proj", "up_proj")
        } else {
            it.name.replace("up_proj", "down_proj")
        };
        Template { name, ..it.clone() }
    };
    let swapped = honest.templates().iter().map(swap).collect();
    let swapped = Blueprint::from_templates(swapped, honest.config().clone());
    assert!(swapped.findings().iter().any(|it| it.code == "name-contradicts-shape"));
    let form = compare_blueprints(&swapped, honest);
    assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameUpToRenaming, true));
    let down = "model.layers.{i}.mlp.down_proj.weight";
    assert!(form.renames.iter().any(|it| it.reference == down && it.subject != down), "{:?}", form.renames);
}

#[test]
fn names_of_another_block_do_not_deceive() {
    let honest = entry("meta-llama/Llama-2-70b-hf");
    let swaps = [
        ("self_attn.q_proj", "mlp.w1"),
        ("self_attn.k_proj", "mlp.w2"),
        ("self_attn.v_proj", "mlp.w3"),
        ("self_attn.o_proj", "mlp.w4"),
        ("mlp.gate_proj", "attn.x1"),
        ("mlp.up_proj", "attn.x2"),
        ("mlp.down_proj", "attn.x3"),
    ];
    let rename = |it: &Template| {
        let name = swaps.iter().find(|(old, _)| it.name.contains(old)).map(|(old, new)| it.name.replace(old, new));
        Template { name: name.unwrap_or_else(|| it.name.clone()), ..it.clone() }
    };
    let renamed = honest.templates().iter().map(rename).collect();
    let form = compare_blueprints(&Blueprint::from_templates(renamed, honest.config().clone()), honest);
    assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameUpToRenaming, true), "{:?}", form.differences);
}

#[test]
fn parameters_are_those_the_catalogue_counts() {
    for it in Catalog::builtin().entries() {
        let (Some(blueprint), Some(design)) = (it.blueprint(), it.design()) else { continue };
        // The catalogue counts the head that Falcon-7B stores although it is tied.
        if it.id() != "tiiuae/falcon-7b" {
            assert_eq!(blueprint.parameters(), Some(design.parameters), "{}", it.id());
        }
    }
}

#[test]
fn no_shape_of_the_catalogue_contradicts_its_configuration() {
    let told: Vec<String> = all()
        .flat_map(|(name, blueprint)| blueprint.findings().into_iter().map(move |it| format!("{name}: {}", it.code)))
        .collect();
    assert_eq!(told, ["XiaomiMiMo/MiMo-7B-Base: prediction-layers", "tiiuae/falcon-7b: tied-head-stored"]);
}

#[test]
fn a_configuration_of_another_model_is_found_out() {
    let llama = entry("huggyllama/llama-7b");
    let config = serde_json::json!({
        "hidden_size": 4096, "num_hidden_layers": 40, "vocab_size": 31999, "intermediate_size": 13824,
        "num_attention_heads": 32, "head_dim": 96, "num_key_value_heads": 8,
    });
    let blueprint = Blueprint::from_templates(llama.templates().to_vec(), Config::new(&config));
    let told: Vec<String> =
        blueprint.findings().iter().map(|it| format!("{} {}", it.code, it.item.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        told,
        [
            "config-contradicts-shapes num_hidden_layers",
            "vocabulary-padding vocab_size",
            "config-contradicts-shapes intermediate_size",
            "config-contradicts-shapes num_attention_heads",
            "config-contradicts-shapes num_key_value_heads",
        ]
    );
}

#[test]
fn what_is_put_beside_a_model_does_not_hide_it() {
    let llama = entry("huggyllama/llama-7b");
    let with = |added: &[(&str, &[u64])]| {
        let mut templates: Vec<Template> = llama.templates().to_vec();
        let layer = templates.iter().find(|it| !it.layers.is_empty()).unwrap().clone();
        for (name, shape) in added {
            let layers = if name.contains("{i}") { layer.layers.clone() } else { Vec::new() };
            templates.push(Template { name: (*name).to_owned(), shape: shape.to_vec(), layers, ..layer.clone() });
        }
        Blueprint::from_templates(templates, llama.config().clone())
    };
    let check = |subject: &Blueprint, relation: FormRelation, different: usize| {
        let form = compare_blueprints(subject, llama);
        assert_eq!((form.relation, form.differences.len()), (relation, different), "{:?}", form.differences);
        is_mirrored(&form, &compare_blueprints(llama, subject), "with more", "llama");
    };
    check(&with(&[("v_head.summary.weight", &[2, 4096])]), FormRelation::SameFamily, 1);
    check(
        &with(&[("model.layers.{i}.xa", &[8, 4096]), ("model.layers.{i}.xb", &[4096, 8])]),
        FormRelation::SameFamily,
        2,
    );
    // As much again as a tenth of the model is something else.
    check(&with(&[("model.layers.{i}.xa", &[4096, 4096])]), FormRelation::Different, 1);
}

#[test]
fn what_files_add_to_a_model_is_evened_out_and_told() {
    let llama = entry("huggyllama/llama-7b");
    let mut templates: Vec<Template> = llama.templates().to_vec();
    for it in &mut templates {
        it.name = format!("language_model.{}", it.name);
    }
    let layer = templates.iter().find(|it| !it.layers.is_empty()).unwrap().clone();
    let mut add = |name: &str, shape: &[u64], layers: &[_]| {
        let (name, shape, layers) = (name.to_owned(), shape.to_vec(), layers.to_vec());
        templates.push(Template { name, shape, layers, ..layer.clone() });
    };
    add("language_model.model.layers.{i}.self_attn.rotary_emb.inv_freq", &[64], &layer.layers);
    add("language_model.model.layers.{i}.mlp.up_proj.weight_scale_inv", &[86, 32], &layer.layers);
    add("vision_tower.patch_embed.weight", &[1024, 3, 14, 14], &[]);
    let subject = Blueprint::from_templates(templates, llama.config().clone());
    let form = compare_blueprints(&subject, llama);
    assert_eq!((form.relation, form.same_dimensions), (FormRelation::Identical, true));
    let kinds: Vec<&str> = form.normalised.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["prefix", "buffer", "component", "prefix", "prefix", "quantisation-scale"]);
    assert_eq!(form.differences.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(), ["component"]);
}

/// As exporters of sentence encoders do.
#[test]
fn an_encoder_without_its_pooler_is_of_the_same_family() {
    let layer: &[(&str, &[u64])] = &[
        ("attention.self.query.weight", &[64, 64]),
        ("attention.self.key.weight", &[64, 64]),
        ("attention.self.value.weight", &[64, 64]),
        ("attention.output.dense.weight", &[64, 64]),
        ("attention.output.LayerNorm.weight", &[64]),
        ("intermediate.dense.weight", &[256, 64]),
        ("output.dense.weight", &[64, 256]),
        ("output.LayerNorm.weight", &[64]),
    ];
    let layers =
        (0..3).flat_map(|at| layer.iter().map(move |(it, shape)| (format!("encoder.layer.{at}.{it}"), *shape)));
    let mut tensors: Vec<(String, &[u64])> = layers.collect();
    tensors.push(("embeddings.word_embeddings.weight".into(), &[1000, 64]));
    let without =
        Blueprint::from_tensors(tensors.iter().map(|(it, shape)| (it.as_str(), "F32", *shape)), Config::default());
    tensors.extend([("pooler.dense.weight".into(), &[64, 64][..]), ("pooler.dense.bias".into(), &[64])]);
    let with =
        Blueprint::from_tensors(tensors.iter().map(|(it, shape)| (it.as_str(), "F32", *shape)), Config::default());
    for (one, other) in [(&with, &without), (&without, &with)] {
        let form = compare_blueprints(one, other);
        assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameFamily, true), "{:?}", form.differences);
        assert_eq!(form.differences.len(), 2);
    }
}

#[test]
fn a_model_is_named_by_path_or_by_catalogue() {
    let catalog = Catalog::builtin();
    let base = Path::new("");
    let subject = Model::open("catalog:01-ai/Yi-34B@2023-11", base, catalog, &unshell::remote::Reach::local()).unwrap();
    let reference =
        Model::open("catalog:meta-llama/Llama-2-70b-hf", base, catalog, &unshell::remote::Reach::local()).unwrap();
    assert_eq!(inspect(&subject).parameters, Some(34_388_917_248));
    let comparison = compare(&subject, &reference, catalog);
    assert_eq!(comparison.unexamined[0].why, "catalogue-entry");
    let unknown = Model::open("catalog:01-ai/Yi-34", base, catalog, &unshell::remote::Reach::local()).unwrap_err();
    assert_eq!(unknown.to_string(), "the catalogue has no entry `01-ai/Yi-34`");
    assert!(unknown.hint().unwrap().contains("`catalog:01-ai/Yi-34B`"));
    let bare = Model::open("catalog:xai-org/grok-1", base, catalog, &unshell::remote::Reach::local()).unwrap_err();
    assert!(bare.to_string().contains("has no blueprint"), "{bare}");
    assert!(Model::open("no/such/folder", base, catalog, &unshell::remote::Reach::local()).is_err());
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "(model\\.|transformer\\.|é\\.)?(layers|h|block)[._]?[0-9]{1,3}\\.(mlp\\.)?(experts\\.[0-9]{1,2}\\.)?[a-z_0-9]{1,8}(\\.weight|\\.bias)?",
        "[a-z.{}0-9_]{0,12}",
        Just("model.layers.0.self_attn.q_proj.weight".to_owned()),
        Just("model.layers.0.mlp.gate.weight".to_owned()),
        Just("lm_head.weight".to_owned()),
    ]
}

fn sizes() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(prop_oneof![Just(0_u64), 1..9_u64, Just(4096), Just(u64::MAX)], 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Any names and shapes: nothing panics, and a model is never different from itself unless it has no matrix.
    #[test]
    fn names_and_shapes_from_strangers(tensors in proptest::collection::btree_map(names(), sizes(), 0..24)) {
        let tensors = || tensors.iter().map(|(name, shape)| (name.as_str(), "F32", shape.as_slice()));
        let config = serde_json::json!({"hidden_size": u64::MAX, "num_attention_heads": 0, "head_dim": u64::MAX});
        for config in [Config::default(), Config::new(&config)] {
            let blueprint = Blueprint::from_tensors(tensors(), config);
            let _ = (blueprint.findings(), blueprint.template_facts());
            let _ = (blueprint.dtype_counts(), blueprint.parameters());
            prop_assert_eq!(blueprint.tensors(), tensors().count() as u64);
            let form = compare_blueprints(&blueprint, &blueprint);
            prop_assert!(matches!(form.relation, FormRelation::Identical | FormRelation::Different));
            prop_assert!(form.renames.is_empty() && form.differences.is_empty(), "{:?}", form);
            let _ = compare_blueprints(&blueprint, entry("huggyllama/llama-7b"));
            let by_names = Blueprint::from_names(tensors().map(|it| it.0), blueprint.config().clone());
            prop_assert_eq!((by_names.tensors(), by_names.parameters()), (blueprint.tensors(), None));
            let form = compare_blueprints(&by_names, &by_names);
            prop_assert!(form.relation != FormRelation::Identical && form.renames.is_empty(), "{:?}", form);
            let _ = (compare_blueprints(&by_names, &blueprint), by_names.findings(), by_names.template_facts());
        }
    }
}

/// A module is attention's where queries and keys are in it, whatever it is called.
#[test]
fn an_output_projection_is_attentions_beside_its_queries() {
    let names = [
        ("self_attn.q_proj", "blk.wq"),
        ("self_attn.k_proj", "blk.wk"),
        ("self_attn.v_proj", "blk.wv"),
        ("self_attn.o_proj", "blk.wo"),
        ("mlp.gate_proj", "mlp.w1"),
        ("mlp.up_proj", "mlp.w3"),
        ("mlp.down_proj", "mlp.w2"),
    ];
    let renamed = entry("01-ai/Yi-6B").templates().iter().cloned().map(|mut it| {
        names.iter().for_each(|(from, to)| it.name = it.name.replace(from, to));
        it
    });
    let renamed = Blueprint::from_templates(renamed.collect(), Config::default());
    let found = compare_blueprints(&renamed, entry("01-ai/Yi-6B"));
    assert_eq!(found.relation, FormRelation::SameUpToRenaming, "{found:#?}");
    let told = renames(&found);
    assert!(told.iter().any(|it| it.0.ends_with("blk.wo.weight") && it.1.ends_with("o_proj.weight")), "{told:?}");
}
