//! What released models call their tensors: the hint a name gives about a role. Data, and the few rules that read it.
//!
//! A hint is only a hint: `roles` checks it against the shapes. The same word means different things in different
//! families (`post_attention_layernorm`, `w1`, `gate`, `c_proj`), so the table is read by scope and with the siblings.

use std::collections::BTreeSet;

use crate::blueprint::part::{Component, Part};

/// Words for one module, by the part of the model they stand in.
type Words = &'static [(&'static str, &'static [&'static str])];

/// Inside an attention block.
const ATTENTION: Words = &[
    ("query", &["q_proj", "wq", "q", "query", "q_lin", "to_q", "query_proj", "q_linear", "attn_q"]),
    ("key", &["k_proj", "wk", "k", "key", "k_lin", "to_k", "key_proj", "k_linear", "attn_k"]),
    ("value", &["v_proj", "wv", "v", "value", "v_lin", "to_v", "value_proj", "v_linear", "attn_v"]),
    (
        "query_key_value",
        &[
            "qkv_proj",
            "w_pack",
            "wqkv",
            "c_attn",
            "query_key_value",
            "qkv",
            "in_proj",
            "att_proj",
            "to_qkv",
            "attn_qkv",
        ],
    ),
    ("key_value", &["kv_proj", "key_value", "wkv", "kv", "to_kv"]),
    (
        "output",
        &["o_proj", "wo", "o", "out_proj", "dense", "c_proj", "to_out", "proj", "out_lin", "linear_out", "attn_output"],
    ),
    ("query_norm", &["q_norm", "query_layernorm", "q_layernorm", "q_ln", "query_norm", "attn_q_norm"]),
    ("key_norm", &["k_norm", "key_layernorm", "k_layernorm", "k_ln", "key_norm", "attn_k_norm"]),
    ("inner_norm", &["norm", "sub_norm", "ln_x", "attn_sub_norm", "o_norm"]),
    ("sinks", &["sinks", "attn_sinks", "attn_sink", "attention_sink", "learnable_sink_param"]),
    ("gate", &["output_gate", "gate", "g_proj", "linear_gate"]),
    ("query_conv", &["q_conv1d"]),
    ("key_conv", &["k_conv1d"]),
    ("value_conv", &["v_conv1d"]),
    ("output_down", &["wo_a"]),
    ("output_up", &["wo_b"]),
    ("query_down", &["q_a_proj", "wq_a", "attn_q_a"]),
    ("query_down_norm", &["q_a_layernorm", "q_a_norm", "attn_q_a_norm"]),
    ("query_up", &["q_b_proj", "wq_b", "attn_q_b"]),
    ("key_value_down", &["kv_a_proj_with_mqa", "kv_a_proj", "wkv_a", "wkv_a_with_mqa", "attn_kv_a_mqa"]),
    ("key_value_down_norm", &["kv_a_layernorm", "kv_a_norm", "kv_norm", "attn_kv_a_norm"]),
    ("key_value_up", &["kv_b_proj", "wkv_b", "attn_kv_b"]),
    ("key_up", &["k_b_proj", "attn_k_b"]),
    ("value_up", &["v_b_proj", "attn_v_b"]),
    ("receptance", &["receptance"]),
];

/// Inside a feed-forward block, an expert or a shared expert. `w1`, `w2`, `w3`, `v1` are read with their siblings.
const FEED_FORWARD: Words = &[
    ("gate", &["gate_proj", "wi_0", "ffn_gate", "w_gate", "linear_gate"]),
    (
        "up",
        &[
            "up_proj",
            "c_fc",
            "fc1",
            "fc_in",
            "dense_h_to_4h",
            "wi",
            "wi_1",
            "lin1",
            "ffn_up",
            "w_up",
            "dense",
            "key",
            "ff_proj",
        ],
    ),
    (
        "down",
        &[
            "down_proj",
            "fc2",
            "fc_out",
            "dense_4h_to_h",
            "c_proj",
            "wo",
            "lin2",
            "ffn_down",
            "w_down",
            "value",
            "output_linear",
            "ff_out",
        ],
    ),
    ("gate_up", &["gate_up_proj", "gate_up", "gate_up_fused_proj", "input_linear", "w12", "up_gate_proj"]),
    ("receptance", &["receptance"]),
    ("inner_norm", &["ffn_layernorm", "norm", "sub_norm"]),
];

/// Directly in a layer.
const LAYER: Words = &[
    (
        "attention.norm",
        &[
            "input_layernorm",
            "ln_1",
            "ln1",
            "norm_1",
            "norm1",
            "attention_norm",
            "attention_layernorm",
            "attn_norm",
            "self_attn_layer_norm",
            "ln_attn",
            "pre_attention_layernorm",
            "layernorm_before",
            "attn_ln",
            "layer_norm1",
            "input_norm",
            "attention_layer_norm",
            "layer_norm_1",
            "pre_attn_norm",
            "ln",
        ],
    ),
    (
        "ffn.norm",
        &[
            "post_attention_layernorm",
            "ln_2",
            "ln2",
            "norm_2",
            "norm2",
            "ffn_norm",
            "feedforward_layernorm",
            "ln_mlp",
            "pre_ff_layernorm",
            "pre_feedforward_layernorm",
            "layernorm_after",
            "mlp_norm",
            "layer_norm2",
            "ff_norm",
            "pre_mlp_layernorm",
            "layer_norm_2",
            "final_layer_norm",
            "mlp_ln",
            "post_attention_norm",
        ],
    ),
    (
        "attention.post_norm",
        &["post_self_attn_layernorm", "post_attn_norm", "sa_layer_norm", "attn_post_norm", "attn_output_norm"],
    ),
    (
        "ffn.post_norm",
        &[
            "post_feedforward_layernorm",
            "post_mlp_layernorm",
            "post_ffn_norm",
            "output_layer_norm",
            "post_mlp_norm",
            "post_ffw_norm",
            "ffn_post_norm",
            "layer_output_norm",
        ],
    ),
    ("mixer.norm", &["norm"]),
    ("ffn.norm_2", &["pre_feedforward_layernorm_2"]),
    ("ffn.post_norm_1", &["post_feedforward_layernorm_1"]),
    ("ffn.post_norm_2", &["post_feedforward_layernorm_2"]),
    ("layer.scale", &["layer_scalar"]),
    ("residual.attention.norm", &["self_attention_res_norm"]),
    ("residual.attention.projection", &["self_attention_res_proj"]),
    ("residual.ffn.norm", &["mlp_res_norm"]),
    ("residual.ffn.projection", &["mlp_res_proj"]),
    ("ffn.up", &["fc1"]),
    ("ffn.down", &["fc2"]),
];

/// Inside a state-space or linear-attention block.
const STATE_SPACE: Words = &[
    ("in", &["in_proj", "in_proj_qkvz", "in"]),
    ("qkv", &["in_proj_qkv"]),
    ("z", &["in_proj_z"]),
    ("alpha", &["in_proj_a"]),
    ("beta", &["in_proj_b"]),
    ("beta_alpha", &["in_proj_ba"]),
    ("conv", &["conv1d"]),
    ("x", &["x_proj", "x"]),
    ("dt", &["dt_proj", "dt"]),
    ("a", &["a_log", "a"]),
    ("d", &["d"]),
    ("out", &["out_proj", "out"]),
    ("norm", &["norm"]),
    ("dt_norm", &["dt_layernorm"]),
    ("b_norm", &["b_layernorm"]),
    ("c_norm", &["c_layernorm"]),
];

/// Linear attention that stands in an attention block: delta rules with a decay of low rank.
const DELTA: Words = &[
    ("ssm.a", &["a_log"]),
    ("ssm.dt", &["dt"]),
    ("ssm.dt.bias", &["dt_bias"]),
    ("ssm.decay_down", &["f_a_proj"]),
    ("ssm.decay_up", &["f_b_proj"]),
    ("ssm.beta", &["b_proj"]),
];

/// The part that picks which earlier tokens sparse attention looks at.
const INDEXER: Words = &[
    ("query_up", &["wq_b"]),
    ("key", &["wk", "index_k_proj"]),
    ("query", &["index_q_proj"]),
    ("key_norm", &["k_norm", "index_k_norm"]),
    ("query_norm", &["index_q_norm"]),
    ("weights", &["weights_proj"]),
];

/// The part that joins the keys and values of several tokens into one.
const COMPRESSOR: Words = &[("position", &["ape"]), ("norm", &["norm"]), ("gate", &["wgate"]), ("key_value", &["wkv"])];

/// Between the stream and experts that work in fewer dimensions.
const LATENT: Words = &[
    ("expert.latent_down", &["fc1_latent_proj", "routed_expert_down_proj"]),
    ("expert.latent_up", &["fc2_latent_proj", "routed_expert_up_proj"]),
    ("expert.latent_norm", &["routed_expert_norm"]),
];

/// What connects several residual streams: the block it stands before, by words of its name, and its own part.
const HYPER_BLOCKS: Words = &[("attention", &["attn"]), ("ffn", &["ffn", "mlp"]), ("output", &["head"])];
const HYPER: Words = &[("mix", &["fn"]), ("base", &["base"]), ("scale", &["scale"])];

/// Outside the layers.
const OUTSIDE: Words = &[
    (
        "token_embedding",
        &[
            "embed_tokens",
            "wte",
            "word_embeddings",
            "embed_in",
            "tok_embeddings",
            "embeddings",
            "token_embd",
            "embedding",
            "token_embedding",
            "shared",
            "emb",
            "ff_out_embedding",
        ],
    ),
    ("position_embedding", &["wpe", "embed_positions", "position_embeddings", "position_embd", "pos_emb"]),
    ("segment_embedding", &["token_type_embeddings", "segment_embeddings", "token_types"]),
    (
        "token_embedding.norm",
        &["word_embeddings_layernorm", "embed_layer_norm", "layernorm_embedding", "embedding_norm", "token_embd_norm"],
    ),
    ("output", &["lm_head", "output", "embed_out", "output_layer", "head"]),
    (
        "output_norm",
        &[
            "norm",
            "ln_f",
            "final_layernorm",
            "final_layer_norm",
            "norm_f",
            "ln_out",
            "final_norm",
            "ln_final",
            "output_norm",
        ],
    ),
    ("pooler", &["pooler"]),
    ("residual.output.norm", &["output_attn_res_norm"]),
    ("residual.output.projection", &["output_attn_res_proj"]),
];

/// Low-rank matrices beside a weight of a base model that is not here.
const ADAPTER: Words = &[
    ("adapter.down", &["lora_a", "lora_embedding_a"]),
    ("adapter.up", &["lora_b", "lora_embedding_b"]),
    ("adapter.magnitude", &["lora_magnitude_vector"]),
];

/// In layers that predict further tokens.
const PREDICTION: Words = &[
    ("projection", &["eh_proj", "input_proj"]),
    ("token_norm", &["enorm", "token_layernorm"]),
    ("hidden_norm", &["hnorm", "hidden_layernorm"]),
    ("output_norm", &["norm", "final_layernorm"]),
    ("output", &["head"]),
    ("token_embedding", &["embed_tokens"]),
];

/// Steps of a model that is one pipeline.
const PIPELINE: Words = &[("token_embedding", &["wte", "embd"]), ("output", &["linear", "lm_head"])];

const CROSS: &[&str] = &["encoder_attn", "encdecattention", "crossattention", "cross_attn", "cross_attention"];
const ATTENTION_SCOPE: &[&str] = &[
    "self_attn",
    "attn",
    "attention",
    "self_attention",
    "selfattention",
    "self",
    "norm_attn_norm",
    "multi_head_attention",
];
const STATE_SPACE_SCOPE: &[&str] = &["mamba", "linear_attn", "ssm", "mixer"];
const FEED_FORWARD_SCOPE: &[&str] = &[
    "mlp",
    "mlps",
    "ffn",
    "feed_forward",
    "feedforward",
    "block_sparse_moe",
    "moe",
    "densereludense",
    "intermediate",
    "ff",
    "experts",
];
const SHARED_SCOPE: &[&str] = &["shared_expert", "shared_experts", "shared_mlp", "share_expert"];
/// Inside a router.
const ROUTER: Words =
    &[("router", &["classifier"]), ("router.scale", &["scale"]), ("router.expert_scale", &["per_expert_scale"])];
const ROUTERS: &[&str] = &["gate", "router", "wg", "layer", "ffn_gate_inp"];

/// What llama.cpp puts behind a word of the feed-forward block where it is that of the experts, or of the shared
/// expert.
const STACKED: &str = "_exps";
const SHARED: &str = "_shexp";

/// A name taken apart.
pub(crate) struct Parsed {
    /// Lower-case segments of the module, indices taken out.
    pub(crate) module: Vec<String>,
    /// Whether the tensor is added rather than multiplied.
    pub(crate) is_bias: bool,
    in_layer: bool,
    in_expert: bool,
}

impl Parsed {
    /// Takes a template name apart.
    pub(crate) fn new(name: &str) -> Self {
        let plain = name.replace("{i}", "").replace("{j}", "").to_lowercase();
        let mut module: Vec<String> =
            plain.split(['.', '/']).filter(|it| !it.is_empty()).map(|it| it.trim_matches('_').to_owned()).collect();
        let mut is_bias = false;
        match module.last().map(String::as_str) {
            Some("weight" | "gamma" | "kernel") => drop(module.pop()),
            Some("scale") if !module.iter().any(|it| it == "router") => drop(module.pop()),
            Some("bias" | "beta") if !module.iter().any(|it| it == "act_fn") => {
                module.pop();
                is_bias = true;
            }
            Some(last) if last.ends_with("_bias") && last != "dt_bias" => {
                let stripped = last.trim_end_matches("_bias").to_owned();
                module.pop();
                module.push(stripped);
                is_bias = true;
            }
            _ => {}
        }
        // Two norms or blocks of one layer, told apart by a number behind the word.
        while module.len() > 1 && module.last().is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
            module.pop();
        }
        let in_expert = name.contains("{j}") || module.iter().any(|it| it == "experts" || it.ends_with(STACKED));
        if let Some(last) = module.pop() {
            module.extend(last.ends_with(SHARED).then(|| "shared_expert".to_owned()));
            module.push(last.trim_end_matches(STACKED).trim_end_matches(SHARED).to_owned());
        }
        Self { module, is_bias, in_layer: name.contains("{i}"), in_expert }
    }

    fn has(&self, words: &[&str]) -> bool {
        self.module.iter().any(|it| words.contains(&it.as_str()))
    }

    fn last(&self) -> &str {
        self.module.last().map_or("", String::as_str)
    }

    fn parent(&self) -> &str {
        self.module.len().checked_sub(2).map_or("", |it| self.module[it].as_str())
    }
}

/// The role a name hints at; `siblings` are the last words of all modules of the model.
pub(crate) fn hint(part: &Part, siblings: &BTreeSet<String>) -> Option<String> {
    let mut parsed = Parsed::new(&part.plain);
    parsed.in_expert |= part.has_experts();
    if let Some(adapter) = parsed.module.iter().find_map(|it| look(ADAPTER, it)) {
        return Some(adapter.to_owned());
    }
    let stands_once = part.count() == 1;
    let role = if !parsed.in_layer {
        outside(&parsed)?
    } else {
        // A model written as one long pipeline numbers its embedding and its head like layers.
        let only_step = || if stands_once { look(PIPELINE, parsed.last()).map(str::to_owned) } else { None };
        let prediction = || prediction(&parsed).filter(|_| part.component == Component::Prediction);
        only_step().or_else(prediction).or_else(|| inside(&parsed, siblings))?
    };
    Some(if parsed.is_bias { format!("{role}.bias") } else { role })
}

fn outside(parsed: &Parsed) -> Option<String> {
    let last = parsed.last();
    if let Some(role) = hyper_connection(parsed) {
        return Some(role);
    }
    if last == "layernorm" && parsed.parent() == "embeddings" {
        return Some("token_embedding.norm".into());
    }
    if parsed.has(&["pooler"]) {
        return Some("pooler".into());
    }
    look(OUTSIDE, last).map(str::to_owned)
}

/// `hc_attn_fn`, `hc_head_base`, and the same word by word.
fn hyper_connection(parsed: &Parsed) -> Option<String> {
    let words: Vec<&str> = parsed.module.iter().flat_map(|it| it.split('_')).collect();
    let part = look(HYPER, words.last()?)?;
    let block = words.iter().rev().find_map(|it| look(HYPER_BLOCKS, it))?;
    words.contains(&"hc").then(|| format!("hyper_connection.{block}.{part}"))
}

/// Parts that came with sparse and compressed attention, and stand beside the attention they serve.
fn beside_attention(parsed: &Parsed) -> Option<String> {
    let last = parsed.last();
    let scope = if parsed.has(&["indexer"]) || last.starts_with("index_") { "indexer." } else { "" };
    if parsed.has(&["compressor"]) {
        return look(COMPRESSOR, last).map(|it| format!("{scope}compressor.{it}"));
    }
    look(INDEXER, last).filter(|_| !scope.is_empty()).map(|it| format!("{scope}{it}"))
}

fn inside(parsed: &Parsed, siblings: &BTreeSet<String>) -> Option<String> {
    let last = parsed.last();
    if let Some(role) = hyper_connection(parsed) {
        return Some(role);
    }
    if parsed.has(&["indexer", "compressor"]) || last.starts_with("index_") {
        return beside_attention(parsed);
    }
    if let Some(role) = look(LATENT, last) {
        return Some(role.to_owned());
    }
    if siblings.contains("a_log")
        && parsed.has(ATTENTION_SCOPE)
        && let Some(role) = look(DELTA, last)
    {
        return Some(role.to_owned());
    }
    if parsed.has(&["act_fn"]) {
        return Some(format!("ffn.activation.{last}"));
    }
    if last == "layernorm" {
        // BERT normalises after the sum, inside the two `output` modules.
        return Some(if parsed.has(ATTENTION_SCOPE) { "attention.post_norm" } else { "ffn.post_norm" }.into());
    }
    if let Some(role) = layer_norm(last, siblings)
        && !is_within_block(parsed)
    {
        return Some(role.to_owned());
    }
    if parsed.has(STATE_SPACE_SCOPE) && !siblings.contains("wqkv") {
        let state = look(STATE_SPACE, last.strip_suffix("_bias").unwrap_or(last)).map(|it| state_space(it, last));
        // One list of mixers may hold attention and feed-forward blocks too.
        return state.or_else(|| feed_forward(parsed, siblings)).or_else(|| attention(parsed));
    }
    if parsed.has(CROSS) {
        return look(ATTENTION, last).map(|it| format!("cross_attention.{it}"));
    }
    if let Some(word) = last.strip_prefix("cross_") {
        return look(ATTENTION, word).map(|it| format!("cross_attention.{it}"));
    }
    if let Some(word) = last.strip_prefix("ssm_") {
        return look(STATE_SPACE, word).map(|it| format!("ssm.{it}"));
    }
    if parsed.has(ATTENTION_SCOPE)
        || last.starts_with("attn_")
        || parsed.has(STATE_SPACE_SCOPE) && !parsed.has(FEED_FORWARD_SCOPE)
    {
        return attention(parsed);
    }
    feed_forward(parsed, siblings)
}

fn prediction(parsed: &Parsed) -> Option<String> {
    let is_own = parsed.module.len() <= 3 && !parsed.has(ATTENTION_SCOPE) && !parsed.has(FEED_FORWARD_SCOPE);
    look(PREDICTION, parsed.last()).filter(|_| is_own).map(str::to_owned)
}

fn state_space(word: &str, last: &str) -> String {
    if last == "dt_bias" { "ssm.dt.bias".into() } else { format!("ssm.{word}") }
}

/// A norm of DBRX stands in its attention block and is the layer's all the same.
fn is_within_block(parsed: &Parsed) -> bool {
    let is_norm_block = parsed.parent() == "norm_attn_norm" || parsed.parent() == "self_attn";
    let is_bare = matches!(parsed.last(), "norm" | "fc1" | "fc2");
    let has_block = parsed.has(ATTENTION_SCOPE) || parsed.has(STATE_SPACE_SCOPE) || parsed.has(FEED_FORWARD_SCOPE);
    has_block && (is_bare || !is_norm_block)
}

fn attention(parsed: &Parsed) -> Option<String> {
    look(ATTENTION, parsed.last()).map(|it| format!("attention.{it}"))
}

fn layer_norm(last: &str, siblings: &BTreeSet<String>) -> Option<&'static str> {
    let has = |word: &str| siblings.contains(word);
    match last {
        // Gemma 2 and 3 norm both sides of each block; OLMo 2 only after it. In Llama the same word is the norm before
        // the feed-forward block.
        "post_attention_layernorm" if has("pre_feedforward_layernorm") => Some("attention.post_norm"),
        "post_attention_layernorm" if has("post_feedforward_layernorm") && !has("input_layernorm") => {
            Some("attention.post_norm")
        }
        // llama.cpp's word for the norm behind the attention, beside `ffn_norm`; alone it is the norm before the
        // feed-forward block.
        "post_attention_norm" if has("ffn_norm") => Some("attention.post_norm"),
        // DBRX has both norms around its attention; the second one feeds the experts all the same.
        _ => look(LAYER, last),
    }
}

fn feed_forward(parsed: &Parsed, siblings: &BTreeSet<String>) -> Option<String> {
    let scope = if parsed.has(SHARED_SCOPE) {
        "shared_expert"
    } else if parsed.in_expert {
        "expert.ffn"
    } else {
        "ffn"
    };
    let last = parsed.last();
    if last == "shared_expert_gate" || last == "ffn_gate_inp" && parsed.has(SHARED_SCOPE) {
        return Some("shared_expert.router".into());
    }
    if matches!(last, "e_score_correction" | "exp_probs_b" | "expert") && (last != "expert" || parsed.is_bias) {
        return Some("router.correction".into());
    }
    if parsed.parent() == "router"
        && let Some(role) = look(ROUTER, last)
    {
        return Some(role.to_owned());
    }
    if ROUTERS.contains(&last)
        && !parsed.in_expert
        && !parsed.has(SHARED_SCOPE)
        && (last != "gate" || has_experts(siblings))
    {
        return Some("router".into());
    }
    if last == "dense" {
        // BERT's `intermediate.dense` and `output.dense`.
        let word = if parsed.parent() == "output" { "down" } else { "up" };
        return Some(format!("{scope}.{word}"));
    }
    let word = numbered(last, siblings).or_else(|| look(FEED_FORWARD, last))?;
    Some(format!("{scope}.{word}"))
}

fn has_experts(siblings: &BTreeSet<String>) -> bool {
    siblings.contains("{experts}")
}

/// `w1`, `w2`, `w3`, `v1` and a bare `gate`, which mean what their siblings leave.
fn numbered(last: &str, siblings: &BTreeSet<String>) -> Option<&'static str> {
    let has = |word: &str| siblings.contains(word);
    match last {
        "w1" if has("w3") || has("v1") => Some("gate"),
        "w1" => Some("up"),
        "w2" if has("w3") || has("v1") || !has("c_proj") => Some("down"),
        "w2" => Some("gate"),
        "w3" | "v1" => Some("up"),
        "gate" => Some("gate"),
        _ => None,
    }
}

fn look(words: Words, word: &str) -> Option<&'static str> {
    words.iter().find(|(_, known)| known.contains(&word)).map(|(role, _)| *role)
}

/// The last words of the modules of a model, and `{experts}` where it has any.
pub(crate) fn siblings<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut siblings = BTreeSet::new();
    for name in names {
        let parsed = Parsed::new(name);
        if parsed.in_expert {
            siblings.insert("{experts}".to_owned());
        }
        siblings.extend(parsed.module.last().cloned());
    }
    siblings
}
