//! The header's keys as fields of a configuration, under the names that `config.json` has for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::checkpoint::gguf::value::Value;

/// A key behind the name of the architecture, and the field it is.
const FIELDS: &[(&str, &str)] = &[
    ("attention.head_count", "num_attention_heads"),
    ("attention.head_count_kv", "num_key_value_heads"),
    ("attention.key_length", "head_dim"),
    ("attention.kv_lora_rank", "kv_lora_rank"),
    ("attention.layer_norm_epsilon", "layer_norm_eps"),
    ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
    ("attention.q_lora_rank", "q_lora_rank"),
    ("attention.sliding_window", "sliding_window"),
    ("attn_logit_softcapping", "attn_logit_softcapping"),
    ("block_count", "num_hidden_layers"),
    ("context_length", "max_position_embeddings"),
    ("embedding_length", "hidden_size"),
    ("expert_count", "num_experts"),
    ("expert_feed_forward_length", "moe_intermediate_size"),
    ("expert_shared_count", "n_shared_experts"),
    ("expert_shared_feed_forward_length", "shared_expert_intermediate_size"),
    ("expert_used_count", "num_experts_per_tok"),
    ("expert_weights_scale", "routed_scaling_factor"),
    ("feed_forward_length", "intermediate_size"),
    ("final_logit_softcapping", "final_logit_softcapping"),
    ("leading_dense_block_count", "first_k_dense_replace"),
    ("nextn_predict_layers", "num_nextn_predict_layers"),
    ("rope.freq_base", "rope_theta"),
    ("vocab_size", "vocab_size"),
];

/// Keys of the tokenizer, and the fields they are.
const TOKENS: &[(&str, &str)] = &[
    ("tokenizer.ggml.bos_token_id", "bos_token_id"),
    ("tokenizer.ggml.eos_token_id", "eos_token_id"),
    ("tokenizer.ggml.padding_token_id", "pad_token_id"),
];

const VOCABULARY: &str = "tokenizer.ggml.tokens";

/// The configuration that the keys state; none where they name no architecture, or none of its sizes.
pub(crate) fn config(keys: &BTreeMap<String, Value>) -> Option<Json> {
    let Some(Value::One(Json::String(architecture))) = keys.get("general.architecture") else { return None };
    let mut fields = Map::new();
    for (key, field) in FIELDS {
        let value = keys.get(&format!("{architecture}.{key}")).and_then(stated);
        fields.extend(value.map(|it| ((*field).to_owned(), it)));
    }
    for (key, field) in TOKENS {
        fields.extend(keys.get(*key).and_then(Value::json).map(|it| ((*field).to_owned(), it)));
    }
    if let Some(tokens) = keys.get(VOCABULARY).and_then(Value::length) {
        fields.entry("vocab_size").or_insert_with(|| tokens.into());
    }
    if fields.contains_key("kv_lora_rank") {
        // With latent attention the key's length counts the compressed vector, and is no size of a head.
        fields.remove("head_dim");
    }
    (!fields.is_empty()).then_some(Json::Object(fields))
}

/// A value; of a list with one value for all layers that value. Writers put 0 where a model has none of something.
fn stated(value: &Value) -> Option<Json> {
    let value = match value {
        Value::List(values) => match values.as_slice() {
            [first, rest @ ..] if rest.iter().all(|it| it == first) => first.clone(),
            _ => value.json()?,
        },
        _ => value.json()?,
    };
    (value.as_u64() != Some(0)).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(keys: &[(&str, Value)], expected: Option<Json>) {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        assert_eq!(config(&keys), expected);
    }

    fn one(value: Json) -> Value {
        Value::One(value)
    }

    #[test]
    fn keys_of_the_architecture_become_fields() {
        check(
            &[
                ("general.architecture", one(json!("llama"))),
                ("llama.block_count", one(json!(4))),
                ("llama.expert_count", one(json!(0))),
                ("llama.feed_forward_length", Value::List(vec![json!(8), json!(8)])),
                ("llama.attention.head_count_kv", Value::List(vec![json!(1), json!(2)])),
                ("qwen2.embedding_length", one(json!(64))),
                ("tokenizer.ggml.tokens", Value::Counted(512)),
                ("tokenizer.ggml.bos_token_id", one(json!(0))),
            ],
            Some(json!({
                "num_hidden_layers": 4, "intermediate_size": 8, "num_key_value_heads": [1, 2], "vocab_size": 512,
                "bos_token_id": 0,
            })),
        );
        check(&[("llama.block_count", one(json!(4)))], None);
    }

    #[test]
    fn latent_attention_has_no_size_of_a_head() {
        check(
            &[
                ("general.architecture", one(json!("deepseek2"))),
                ("deepseek2.attention.key_length", one(json!(576))),
                ("deepseek2.attention.kv_lora_rank", one(json!(512))),
            ],
            Some(json!({"kv_lora_rank": 512})),
        );
    }
}
