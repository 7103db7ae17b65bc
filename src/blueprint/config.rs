//! A configuration with one name for each field, whatever the family calls it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fact::ConfigField;

/// The fields of a `config.json` under their common names. A field that is null counts as absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    fields: BTreeMap<String, Value>,
}

/// What families call a field, and the name it gets here.
const ALIASES: &[(&str, &str)] = &[
    ("n_embd", "hidden_size"),
    ("n_embed", "hidden_size"),
    ("d_model", "hidden_size"),
    ("dim", "hidden_size"),
    ("model_dim", "hidden_size"),
    ("n_layer", "num_hidden_layers"),
    ("n_layers", "num_hidden_layers"),
    ("num_layers", "num_hidden_layers"),
    ("n_head", "num_attention_heads"),
    ("n_heads", "num_attention_heads"),
    ("num_heads", "num_attention_heads"),
    ("ffn_hidden_size", "intermediate_size"),
    ("n_inner", "intermediate_size"),
    ("d_ff", "intermediate_size"),
    ("ffn_dim", "intermediate_size"),
    ("hidden_dim", "intermediate_size"),
    ("multi_query_group_num", "num_key_value_heads"),
    ("num_attention_groups", "num_key_value_heads"),
    ("num_kv_heads", "num_key_value_heads"),
    ("n_head_kv", "num_key_value_heads"),
    ("n_kv_heads", "num_key_value_heads"),
    ("kv_channels", "head_dim"),
    ("attention_head_dim", "head_dim"),
    ("d_head", "head_dim"),
    ("padded_vocab_size", "vocab_size"),
    ("n_vocab", "vocab_size"),
    ("n_positions", "max_position_embeddings"),
    ("n_ctx", "max_position_embeddings"),
    ("seq_length", "max_position_embeddings"),
    ("max_seq_len", "max_position_embeddings"),
    ("max_sequence_length", "max_position_embeddings"),
    ("layernorm_epsilon", "layer_norm_eps"),
    ("layer_norm_epsilon", "layer_norm_eps"),
    ("layer_norm_eps", "layer_norm_eps"),
    ("rotary_emb_base", "rope_theta"),
    ("hidden_activation", "hidden_act"),
    ("activation_function", "hidden_act"),
    ("num_local_experts", "num_experts"),
    ("n_routed_experts", "num_experts"),
    ("moe_num_experts", "num_experts"),
    ("moe_topk", "num_experts_per_tok"),
    ("moe_top_k", "num_experts_per_tok"),
    ("moe_k", "num_experts_per_tok"),
    ("experts_per_token", "num_experts_per_tok"),
    ("num_shared_expert", "n_shared_experts"),
    ("num_shared_experts", "n_shared_experts"),
    ("moe_num_shared_experts", "n_shared_experts"),
    ("share_expert_dim", "shared_expert_intermediate_size"),
    ("dtype", "torch_dtype"),
];

/// Where families of several towers keep the language model's own fields, tried in this order.
const NESTED: &[&str] = &["text_config", "language_config", "llm_config", "text_model_config"];

/// Objects whose fields belong to the model itself (MPT and DBRX).
const INLINE: &[&str] = &["ffn_config", "attn_config"];

impl Config {
    /// Reads the fields of a `config.json` object; anything but an object has none.
    pub fn new(value: &Value) -> Self {
        let mut fields = BTreeMap::new();
        if let Some(object) = value.as_object() {
            insert_all(&mut fields, object);
            for nested in NESTED.iter().filter_map(|it| object.get(*it)?.as_object()) {
                insert_all(&mut fields, nested);
            }
            for inline in INLINE.iter().filter_map(|it| object.get(*it)?.as_object()) {
                insert_all(&mut fields, inline);
            }
        }
        Self { fields }
    }

    /// Fields that are already given one by one, as a catalogue entry has them.
    pub fn from_fields(fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self::new(&Value::Object(fields.into_iter().collect()))
    }

    /// All fields by name.
    pub fn fields(&self) -> &BTreeMap<String, Value> {
        &self.fields
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The value of a field, by its common name.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// A field that is a whole number.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.get(field)?.as_u64()
    }

    /// A field that is yes or no.
    pub fn flag(&self, field: &str) -> Option<bool> {
        self.get(field)?.as_bool()
    }

    /// The fields as the answers state them, sorted by name.
    pub fn facts(&self) -> Vec<ConfigField> {
        let facts = self.fields.iter();
        facts.map(|(field, value)| ConfigField { field: field.clone(), value: value.to_string() }).collect()
    }
}

/// A field's own common name wins over an alias, and an outer object over a nested one.
fn insert_all(fields: &mut BTreeMap<String, Value>, object: &serde_json::Map<String, Value>) {
    let known = |name: &str| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, common)| *common);
    let (plain, aliased): (Vec<_>, Vec<_>) =
        object.iter().filter(|(_, value)| !value.is_null()).partition(|(name, _)| known(name).is_none());
    for (name, value) in plain {
        fields.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for (name, value) in aliased {
        let common = known(name).expect("partitioned by it");
        fields.entry(common.to_owned()).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn aliases_get_one_name() {
        let config = Config::new(&json!({"n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": null}));
        assert_eq!(config.number("hidden_size"), Some(768));
        assert_eq!(config.number("num_hidden_layers"), Some(12));
        assert_eq!(config.get("intermediate_size"), None);
    }

    #[test]
    fn the_common_name_wins_over_an_alias() {
        let config = Config::new(&json!({"n_embed": 1, "hidden_size": 2, "n_embd": 3}));
        assert_eq!(config.number("hidden_size"), Some(2));
    }

    #[test]
    fn the_text_model_of_several_towers_is_lifted() {
        let config = Config::new(&json!({
            "model_type": "tower", "vision_config": {"hidden_size": 1024},
            "text_config": {"model_type": "inner", "hidden_size": 4096, "num_kv_heads": 8}
        }));
        assert_eq!(config.number("hidden_size"), Some(4096));
        assert_eq!(config.number("num_key_value_heads"), Some(8));
        assert_eq!(config.get("model_type"), Some(&json!("tower")));
    }

    #[test]
    fn anything_but_an_object_has_no_fields() {
        assert!(Config::new(&json!([1, 2])).is_empty());
    }
}
