//! The words of released models for what a tensor does, by the part of the model that it is in: data alone.

/// Words for one module, by the part of the model they are in.
pub(super) type Words = &'static [(&'static str, &'static [&'static str])];

/// Inside an attention block.
pub(super) const ATTENTION: Words = &[
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
pub(super) const FEED_FORWARD: Words = &[
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
pub(super) const LAYER: Words = &[
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
pub(super) const STATE_SPACE: Words = &[
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

/// Linear attention that is in an attention block: delta rules with a decay of low rank.
pub(super) const DELTA: Words = &[
    ("ssm.a", &["a_log"]),
    ("ssm.dt", &["dt"]),
    ("ssm.dt.bias", &["dt_bias"]),
    ("ssm.decay_down", &["f_a_proj"]),
    ("ssm.decay_up", &["f_b_proj"]),
    ("ssm.beta", &["b_proj"]),
];

/// The part that picks which earlier tokens sparse attention looks at.
pub(super) const INDEXER: Words = &[
    ("query_up", &["wq_b"]),
    ("key", &["wk", "index_k_proj"]),
    ("query", &["index_q_proj"]),
    ("key_norm", &["k_norm", "index_k_norm"]),
    ("query_norm", &["index_q_norm"]),
    ("weights", &["weights_proj"]),
];

/// The part that joins the keys and values of several tokens into one.
pub(super) const COMPRESSOR: Words =
    &[("position", &["ape"]), ("norm", &["norm"]), ("gate", &["wgate"]), ("key_value", &["wkv"])];

/// Between the stream and experts that work in fewer dimensions.
pub(super) const LATENT: Words = &[
    ("expert.latent_down", &["fc1_latent_proj", "routed_expert_down_proj"]),
    ("expert.latent_up", &["fc2_latent_proj", "routed_expert_up_proj"]),
    ("expert.latent_norm", &["routed_expert_norm"]),
];

/// What connects several residual streams: the block it is before, by words of its name, and its own part.
pub(super) const HYPER_BLOCKS: Words = &[("attention", &["attn"]), ("ffn", &["ffn", "mlp"]), ("output", &["head"])];
pub(super) const HYPER: Words = &[("mix", &["fn"]), ("base", &["base"]), ("scale", &["scale"])];

/// Outside the layers.
pub(super) const OUTSIDE: Words = &[
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
pub(super) const ADAPTER: Words = &[
    ("adapter.down", &["lora_a", "lora_embedding_a"]),
    ("adapter.up", &["lora_b", "lora_embedding_b"]),
    ("adapter.magnitude", &["lora_magnitude_vector"]),
];

/// In layers that predict further tokens.
pub(super) const PREDICTION: Words = &[
    ("projection", &["eh_proj", "input_proj"]),
    ("token_norm", &["enorm", "token_layernorm"]),
    ("hidden_norm", &["hnorm", "hidden_layernorm"]),
    ("output_norm", &["norm", "final_layernorm"]),
    ("output", &["head"]),
    ("token_embedding", &["embed_tokens"]),
];

/// Steps of a model that is one pipeline.
pub(super) const PIPELINE: Words = &[("token_embedding", &["wte", "embd"]), ("output", &["linear", "lm_head"])];

pub(super) const CROSS: &[&str] =
    &["encoder_attn", "encdecattention", "crossattention", "cross_attn", "cross_attention"];
pub(super) const ATTENTION_SCOPE: &[&str] = &[
    "self_attn",
    "attn",
    "attention",
    "self_attention",
    "selfattention",
    "self",
    "norm_attn_norm",
    "multi_head_attention",
];
pub(super) const STATE_SPACE_SCOPE: &[&str] = &["mamba", "linear_attn", "ssm", "mixer"];
pub(super) const FEED_FORWARD_SCOPE: &[&str] = &[
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
pub(super) const SHARED_SCOPE: &[&str] = &["shared_expert", "shared_experts", "shared_mlp", "share_expert"];
/// Inside a router.
pub(super) const ROUTER: Words =
    &[("router", &["classifier"]), ("router.scale", &["scale"]), ("router.expert_scale", &["per_expert_scale"])];
pub(super) const ROUTERS: &[&str] = &["gate", "router", "wg", "layer", "ffn_gate_inp"];

/// What llama.cpp puts after a word of the feed-forward block where it is that of the experts, or of the shared
/// expert.
pub(super) const STACKED: &str = "_exps";
pub(super) const SHARED: &str = "_shexp";
