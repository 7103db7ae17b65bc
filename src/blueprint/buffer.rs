//! Tensors that are not weights: rotary tables, causal masks, position numbers. By anchored patterns and by shape.
//!
//! The last words alone would take real weights for buffers: `c_attn.bias` and `ln_attn.bias` are weights.

use crate::blueprint::template::Template;

/// Last words that are buffers whatever their shape.
const TABLES: &[&str] =
    &["inv_freq", "position_ids", "token_type_ids", "cos_cached", "sin_cached", "relative_position_index", "tid2eid"];

/// Modules of llama.cpp whose `weight` is such a table.
const TABLE_MODULES: &[&str] = &["rope_freqs", "rope_factors_long", "rope_factors_short", "attn_rot_embd"];

/// Blocks whose `bias` and `masked_bias` may be a causal mask.
const ATTENTION: &[&str] = &["attn", "attention", "self_attn", "self_attention"];

/// Whether the tensors of a template are computed, not trained.
pub(crate) fn is_buffer(template: &Template) -> bool {
    let mut words = template.name.rsplit(['.', '/']);
    let (last, parent) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_mask_name = ATTENTION.contains(&parent);
    TABLES.contains(&last)
        || TABLE_MODULES.contains(&parent)
        || is_causal_mask(&template.shape)
        || is_mask_name && last == "masked_bias" && template.elements() == 1
        // An attention block has no matrix of its own for such a bias; where no shape is known, that has to do.
        || is_mask_name && last == "bias" && matches!(template.shape.len(), 0 | 4)
}

/// `[1, 1, n, n]`, the shape of a mask over n positions; no weight has it.
fn is_causal_mask(shape: &[u64]) -> bool {
    matches!(shape, [1, 1, rows, columns] if rows == columns && *rows >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, shape: &[u64], expected: bool) {
        let template =
            Template { name: name.into(), shape: shape.to_vec(), layers: vec![], experts: vec![], dtype: None };
        assert_eq!(is_buffer(&template), expected, "{name} {shape:?}");
    }

    #[test]
    fn weights_whose_names_look_like_buffers_are_weights() {
        check("transformer.h.{i}.attn.c_attn.bias", &[6144], false);
        check("transformer.h.{i}.ln_attn.bias", &[8192], false);
        check("h.{i}.attn.bias", &[8192], false);
        check("h.{i}.attention.dense.bias", &[8192], false);
    }

    #[test]
    fn buffers_are_found_by_name_and_by_shape() {
        check("model.layers.{i}.self_attn.rotary_emb.inv_freq", &[64], true);
        check("transformer.rotary_pos_emb.inv_freq", &[32], true);
        check("h.{i}.attn.bias", &[1, 1, 1024, 1024], true);
        check("h.{i}.attn.masked_bias", &[], true);
        check("a.{i}.x", &[1, 1, 2048, 2048], true);
        check("embeddings.position_ids", &[1, 512], true);
        check("rope_freqs.weight", &[64], true);
    }
}
