//! A blueprint held against the configuration fields of its own entry.
//!
//! A field that fixes a shape is looked up among the templates by their role labels. What one side does not state is no
//! contradiction; a `null` in the file is a statement: `q_lora_rank: null` says that the query is not compressed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::blueprint::Config;
use crate::catalog::entry::{Design, Template};
use crate::catalog::indices::Indices;

/// One sentence for each field that the templates contradict.
pub(crate) fn contradictions(design: &Design, config: &Config, written: &BTreeMap<String, Value>) -> Vec<String> {
    let model = Model { templates: &design.templates, layers: design.layers, config };
    let mut found = Vec::new();
    found.extend(model.vocabulary_and_stream());
    found.extend(model.latent(written));
    found.extend(model.heads());
    found.extend(model.feed_forward());
    found.extend(model.experts());
    found.extend(model.biases());
    found
}

struct Model<'a> {
    templates: &'a [Template],
    layers: u64,
    config: &'a Config,
}

impl Model<'_> {
    fn with(&self, role: &str) -> Option<&Template> {
        self.templates.iter().find(|it| it.role == role)
    }

    fn size(&self, role: &str, axis: usize) -> Option<u64> {
        self.with(role)?.shape.get(axis).copied()
    }

    fn vocabulary_and_stream(&self) -> Vec<String> {
        let shown = [
            ("vocab_size", self.size("token_embedding", 0)),
            ("hidden_size", self.size("output_norm", 0)),
            ("num_hidden_layers", Some(self.layers)),
        ];
        shown.into_iter().filter_map(|(field, shown)| differs(field, self.config.number(field), shown)).collect()
    }

    fn latent(&self, written: &BTreeMap<String, Value>) -> Vec<String> {
        let rank = |field: &str, down: &str, norm: &str| {
            let stated = written.get(field)?;
            let shown = self.size(norm, 0).or_else(|| self.size(down, 0));
            match (stated.as_u64(), shown) {
                (None, Some(shown)) if stated.is_null() => {
                    Some(format!("`{field}` is null and the blueprint has a rank of {shown} for it"))
                }
                (Some(stated), None) => {
                    Some(format!("`{field}` is {stated} and the blueprint has nothing of that rank"))
                }
                (stated, shown) => differs(field, stated, shown),
            }
        };
        // What is projected down for keys and values holds the rotated part too, so there the norm alone shows the
        // rank.
        let norms = ["attention.query_down_norm", "attention.key_value_down_norm"];
        [rank("q_lora_rank", "attention.query_down", norms[0]), rank("kv_lora_rank", norms[1], norms[1])]
            .into_iter()
            .flatten()
            .collect()
    }

    fn heads(&self) -> Vec<String> {
        if self.config.number("kv_lora_rank").is_some() {
            return Vec::new();
        }
        let number = |field: &str| self.config.number(field);
        let head_dim =
            number("head_dim").or_else(|| number("hidden_size")?.checked_div(number("num_attention_heads")?));
        let shown = [
            ("num_attention_heads", self.size("attention.query", 0)),
            ("num_key_value_heads", self.size("attention.key", 0)),
        ];
        let told = |(field, shown): (&str, Option<u64>)| {
            let (shown, stated) = (shown?, number(field)?.checked_mul(head_dim?)?);
            // A gate in the query projection doubles it.
            let is_gated = field == "num_attention_heads" && stated.checked_mul(2) == Some(shown);
            differs(field, Some(stated), Some(shown)).filter(|_| !is_gated)
        };
        shown.into_iter().filter_map(told).collect()
    }

    /// Families with experts use `intermediate_size` for the dense or for the expert width, and state one that
    /// nothing has where no layer is dense.
    fn feed_forward(&self) -> Option<String> {
        let stated = self.config.number("intermediate_size").filter(|_| self.with("ffn.down").is_some())?;
        let roles = ["ffn.down", "expert.ffn.down", "shared_expert.down"];
        let shown: Vec<u64> = roles.iter().filter_map(|it| self.with(it)).flat_map(|it| it.shape.clone()).collect();
        // Qwen's first generation states gate and up as one width.
        let is_shown = shown.contains(&stated) || stated % 2 == 0 && shown.contains(&(stated / 2));
        (!is_shown)
            .then(|| format!("`intermediate_size` says {stated}, and no feed-forward matrix of the blueprint has it"))
    }

    fn experts(&self) -> Option<String> {
        let shown = self.templates.iter().filter_map(|it| it.experts.as_ref().map(Indices::count)).max();
        differs("num_experts", self.config.number("num_experts").filter(|_| shown.is_some()), shown)
    }

    fn biases(&self) -> Option<String> {
        const ROLES: [&str; 4] =
            ["attention.query.bias", "attention.key.bias", "attention.value.bias", "attention.query_key_value.bias"];
        let stated = self.config.flag("attention_bias").or_else(|| self.config.flag("qkv_bias"))?;
        let shown = ROLES.iter().any(|it| self.with(it).is_some());
        (stated != shown).then(|| format!("`attention_bias` is {stated} and the blueprint says otherwise"))
    }
}

fn differs(field: &str, stated: Option<u64>, shown: Option<u64>) -> Option<String> {
    let (stated, shown) = (stated?, shown?);
    (stated != shown).then(|| format!("`{field}` says {stated}, the blueprint has {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// What is found where one field of an entry is another.
    fn with(id: &str, field: &str, value: Value) -> Vec<String> {
        let entry = Catalog::builtin().find(id).unwrap();
        let mut fields = entry.config_fields().clone();
        fields.insert(field.to_owned(), value);
        contradictions(entry.design().unwrap(), &Config::from_fields(fields.clone()), &fields)
    }

    #[test]
    fn a_field_that_is_another_is_found() {
        for (id, field, value) in [
            ("huggyllama/llama-7b", "vocab_size", Value::from(31_999)),
            ("huggyllama/llama-7b", "hidden_size", Value::from(4_100)),
            ("huggyllama/llama-7b", "num_hidden_layers", Value::from(33)),
            ("huggyllama/llama-7b", "num_attention_heads", Value::from(24)),
            ("huggyllama/llama-7b", "num_key_value_heads", Value::from(8)),
            ("huggyllama/llama-7b", "intermediate_size", Value::from(11_000)),
            ("huggyllama/llama-7b", "attention_bias", Value::from(true)),
            ("deepseek-ai/DeepSeek-V2", "q_lora_rank", Value::Null),
            ("deepseek-ai/DeepSeek-V2-Lite", "q_lora_rank", Value::from(1_536)),
            ("deepseek-ai/DeepSeek-V3", "n_routed_experts", Value::from(255)),
        ] {
            assert!(!with(id, field, value.clone()).is_empty(), "{id} with {field} {value}");
        }
        assert_eq!(with("huggyllama/llama-7b", "vocab_size", Value::from(32_000)), Vec::<String>::new());
    }
}
