//! The rows of query and key projections, which llama.cpp's converter puts into another order for some architectures.
//!
//! Models of the Llama family rotate the first half of each head against the second; llama.cpp rotates neighbours. Its
//! converter weaves the two halves of each head into each other, and this is undone when the data is read.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::checkpoint::gguf::value::Value;
use crate::checkpoint::{Tensor, View};

/// Architectures whose converter does it.
const WOVEN: &[&str] = &[
    "arctic",
    "baichuan",
    "deci",
    "granite",
    "granitemoe",
    "internlm2",
    "llama",
    "minicpm",
    "mistral3",
    "olmo",
    "smollm3",
    "xverse",
];

/// Parts of a layer that are woven, and the keys that say how many heads they have; the first that is there counts.
const PARTS: &[(&str, &[&str])] =
    &[("attn_q", &["attention.head_count"]), ("attn_k", &["attention.head_count_kv", "attention.head_count"])];

/// Notes on each woven tensor how its rows are found.
pub(crate) fn unweave(keys: &BTreeMap<String, Value>, tensors: &mut [Tensor]) {
    let Some(Value::One(Json::String(architecture))) = keys.get("general.architecture") else { return };
    if !WOVEN.contains(&architecture.as_str()) {
        return;
    }
    for tensor in tensors {
        let Some((layer, part)) = woven(&tensor.name) else { continue };
        let heads = part.iter().find_map(|key| keys.get(&format!("{architecture}.{key}")));
        let heads = heads.and_then(|value| in_layer(value, layer));
        tensor.view = heads.and_then(|heads| View::unwoven(&tensor.shape, heads));
    }
}

/// The layer of a projection of queries or keys, and the keys with its number of heads.
fn woven(name: &str) -> Option<(usize, &'static [&'static str])> {
    let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    let part = rest.strip_suffix(".weight").or_else(|| rest.strip_suffix(".bias"))?;
    let (_, keys) = PARTS.iter().find(|(it, _)| *it == part)?;
    Some((layer.parse().ok()?, keys))
}

/// A number for all layers, or one for each.
fn in_layer(value: &Value, layer: usize) -> Option<u64> {
    match value {
        Value::One(value) => value.as_u64(),
        Value::List(values) => values.get(layer)?.as_u64(),
        Value::Counted(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::checkpoint::Dtype;

    #[track_caller]
    fn check(architecture: &str, name: &str, heads: Option<u64>) {
        let mut keys = BTreeMap::from([("general.architecture".to_owned(), Value::One(json!(architecture)))]);
        keys.insert(format!("{architecture}.attention.head_count"), Value::One(json!(4)));
        keys.insert(format!("{architecture}.attention.head_count_kv"), Value::List(vec![json!(2), json!(1)]));
        let mut tensors = [Tensor {
            name: name.into(),
            dtype: Dtype::named("F32"),
            shape: vec![8, 3],
            file: 0,
            data: 0..96,
            view: None,
        }];
        unweave(&keys, &mut tensors);
        assert_eq!(tensors[0].view, heads.and_then(|heads| View::unwoven(&[8, 3], heads)));
    }

    #[test]
    fn only_queries_and_keys_of_the_family_are_woven() {
        check("llama", "blk.0.attn_q.weight", Some(4));
        check("llama", "blk.1.attn_k.weight", Some(1));
        check("llama", "blk.0.attn_k.bias", Some(2));
        check("llama", "blk.0.attn_v.weight", None);
        check("llama", "blk.0.attn_q_norm.weight", None);
        check("qwen2", "blk.0.attn_q.weight", None);
    }
}
