//! How often a derivation changes what: the assumptions of the score, each with its reason.
//!
//! They are round numbers for what a company does to a model that it starts from, not fitted to any folder. What is
//! known to bear on them: of the released fine-tunes whose lists of tensors the catalogue was compared with
//! (`file_list`), about one in six changed the rows of its vocabulary (by +6, +2, -399, …) and none changed a width; a
//! test holds them against the pairs of the catalogue whose makers state that the one comes from the other. Halving or
//! doubling any of them moves a score by one bit for each property that it is about.

/// The share of models that are another size of a design rather than that design with its sizes: a family's next
/// release, or a model built by its code.
pub(crate) const OTHER_SIZE: f64 = 0.1;

/// Sizes that only surgery changes (pruning of width, upcycling), and what a derivation does to each: one in fifty,
/// since few can do it and it costs training. Depth is cheaper: layers are stacked or cut with a few lines of code.
pub(crate) const SIZES: &[(&str, &str, f64)] = &[
    // dimension, field of a configuration, chance of a change
    ("hidden", "hidden_size", 0.01),
    ("heads", "num_attention_heads", 0.01),
    ("kv_heads", "num_key_value_heads", 0.02),
    ("head_dim", "head_dim", 0.01),
    ("ffn", "intermediate_size", 0.02),
    ("experts", "num_experts", 0.02),
    ("expert_ffn", "moe_intermediate_size", 0.02),
    ("query_rank", "q_lora_rank", 0.01),
    ("kv_rank", "kv_lora_rank", 0.01),
    ("query_width", "", 0.01),
    ("key_value_width", "", 0.02),
    ("layers", "num_hidden_layers", 0.05),
];

/// What is known by heads where heads are known.
pub(crate) const WIDTHS: [&str; 2] = ["query_width", "key_value_width"];

/// Fields of a configuration, and how often a derivation writes another value.
///
/// What the weights were trained with changes rarely (the activation, the epsilon of the norms); what adapts a model to
/// longer texts or to conversation changes often; class names change with a renamed fork or a task head.
pub(crate) const FIELDS: &[(&str, f64)] = &[
    ("model_type", OTHER_KIND),
    ("architectures", OTHER_CLASS),
    ("hidden_act", 0.01),
    ("rms_norm_eps", 0.03),
    ("layer_norm_eps", 0.03),
    ("rope_theta", 0.1),
    ("rope_scaling", 0.2),
    ("rotary_pct", 0.01),
    ("partial_rotary_factor", 0.02),
    ("rope_ratio", 0.1),
    ("max_position_embeddings", 0.15),
    ("sliding_window", 0.15),
    ("tie_word_embeddings", 0.05),
    ("attention_bias", 0.02),
    ("mlp_bias", 0.02),
    ("parallel_attn", 0.01),
    ("use_parallel_residual", 0.01),
    ("alibi", 0.01),
    ("bos_token_id", 0.1),
    ("eos_token_id", 0.25),
    ("pad_token_id", 0.3),
    ("initializer_range", 0.03),
    ("num_experts_per_tok", 0.05),
    ("n_shared_experts", 0.02),
    ("first_k_dense_replace", 0.02),
    ("routed_scaling_factor", 0.03),
    ("scoring_func", 0.02),
    ("qk_nope_head_dim", 0.01),
    ("qk_rope_head_dim", 0.01),
    ("v_head_dim", 0.01),
    ("full_attention_interval", 0.02),
    ("tokenizer_class", 0.1),
];

/// Fields that go with the tokenizer, as the vocabulary does: another value says nothing of the design.
pub(crate) const WITH_TOKENIZER: [&str; 4] = ["bos_token_id", "eos_token_id", "pad_token_id", "tokenizer_class"];

/// A fork gives the model a kind of its own,
pub(crate) const OTHER_KIND: f64 = 0.05;
/// and mostly does where it renames tensors, or where a conversion brings it into another program's form.
pub(crate) const OTHER_KIND_RENAMED: f64 = 0.5;
/// A task head or a fork gives it a class of its own,
pub(crate) const OTHER_CLASS: f64 = 0.1;
/// and mostly does where the kind is another too.
pub(crate) const OTHER_CLASS_AND_KIND: f64 = 0.8;

/// What happens to the number of vocabulary rows.
pub(crate) struct Vocabulary {
    /// It stays.
    pub(crate) same: f64,
    /// A few tokens are added, or rows are padded to a round number: up to [`FEW_ROWS`] more.
    pub(crate) few: f64,
    /// Padding is taken off, or a few tokens: up to [`FEW_ROWS`] fewer.
    pub(crate) few_less: f64,
    /// A language is added: up to [`GROWTH`] times as many.
    pub(crate) more: f64,
    /// More rows are cut.
    pub(crate) fewer: f64,
    /// Another tokenizer is put in its place.
    pub(crate) other: f64,
}

/// Two in three keep it: a changed vocabulary is the commonest of all changes.
pub(crate) const VOCABULARY: Vocabulary =
    Vocabulary { same: 0.65, few: 0.13, few_less: 0.03, more: 0.12, fewer: 0.02, other: 0.05 };

/// Up to how many rows are padding or a few tokens.
pub(crate) const FEW_ROWS: u64 = 512;

/// How much a vocabulary grows at most where a language is added.
pub(crate) const GROWTH: f64 = 8.0;

/// How deep a model is stacked from a shallower one at most.
pub(crate) const DEEPER: f64 = 2.0;

/// Groups of tensors that one side has and the other has not: what is put beside a model, or left out of its files.
pub(crate) const ADDED_HEAD: f64 = 0.1;
/// A head that is tied to the embedding, or that a reward model replaced.
pub(crate) const MISSING_HEAD: f64 = 0.1;
/// Biases are added to few models and cut from few.
pub(crate) const BIASES: f64 = 0.02;
/// Norms likewise.
pub(crate) const NORMS: f64 = 0.02;
/// Known blocks beside what is there, such as a sparse-attention indexer.
pub(crate) const ADDED_BLOCK: f64 = 0.02;
/// Matrices of no known role: a value head, an adapter, something put in so that two models look unlike.
pub(crate) const ADDED_UNKNOWN: f64 = 0.05;
/// Blocks that are taken out.
pub(crate) const MISSING_BLOCK: f64 = 0.003;
/// Projections fused or split, as converters do.
pub(crate) const FUSED: f64 = 0.02;

/// Prediction layers that the entry states and the model lacks: most derivations leave them out.
pub(crate) const MISSING_PREDICTION: f64 = 0.5;
/// Prediction layers that the entry does not state.
pub(crate) const ADDED_PREDICTION: f64 = 0.1;

/// A few names are changed, as Yi's two were.
pub(crate) const SOME_RENAMED: f64 = 0.02;
/// What each further name costs in bits where some are changed.
pub(crate) const EACH_NAME: f64 = 2.0;
/// All names are those of another program, as after a conversion.
pub(crate) const ALL_RENAMED: f64 = 0.05;

/// A stated name (`_name_or_path`, the name in a GGUF header) that is an entry's is another's: a path was left from an
/// earlier experiment, or a sibling is meant.
pub(crate) const OTHER_NAME: f64 = 0.25;

/// A stated size that does not agree: quantized or partial files, other element types, layers beside the model.
pub(crate) const OTHER_BYTES: f64 = 0.15;
