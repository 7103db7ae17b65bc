//! What stands beside a weight and is none: scales, zero points, code books, states.

use crate::checkpoint::packing::{Around, PACKINGS, Seen};

/// Ends of names that stand beside a weight which keeps its own name and shape.
const BESIDE: &[&str] = &[
    ".weight_scale_inv",
    ".weight_scale",
    ".weight_scale_2",
    ".weight_scales",
    ".weight_zero_point",
    ".weight_offset",
    ".weight_format",
    ".weights_scaling_factor",
    ".activation_scaling_factor",
    ".input_scale",
    ".input_offset",
    ".input_zero_point",
    ".output_scale",
    ".pre_quant_scale",
    ".deq_scale",
    ".quant_bias",
    ".SCB",
    ".k_scale",
    ".v_scale",
];

/// Ends of names of single numbers that stand in a module without a weight.
const SINGLE: &[&str] = &[
    ".q_scale",
    ".k_scale",
    ".v_scale",
    ".kv_scale",
    ".prob_scale",
    ".prob_output_scale",
    ".q_zero_point",
    ".k_zero_point",
    ".v_zero_point",
    ".kv_zero_point",
    ".output_scale",
    ".k_proj.output_scale",
];

/// Ends of whole names, where the weight's own name stands before them.
const BEHIND: &[&str] = &["_scale_inv", "_scales"];

/// How torchao calls the part of a weight that holds its numbers; all its other parts stand beside it.
const WORDS_OF_TORCHAO: &[&str] = &["qdata", "int_data"];

/// Whether a tensor stands beside a weight and is none.
pub(super) fn is_companion(name: &str, seen: &Seen<'_>, around: &dyn Around) -> bool {
    let is_there = |name: String| around.seen(&name).is_some();
    let beside = |end: &&str| name.strip_suffix(*end).is_some_and(|base| is_there(format!("{base}.weight")));
    // llama.cpp keeps a scale of a whole matrix under a word that others have for norms.
    let of_whole = || name.strip_suffix(".scale").is_some_and(|base| is_there(format!("{base}.weight")));
    let single = || seen.is_single() && (SINGLE.iter().any(|it| name.ends_with(it)) || of_whole());
    let behind = |end: &&str| name.strip_suffix(*end).is_some_and(|base| is_there(base.to_owned()));
    let of_packed = || PACKINGS.iter().any(|it| it.has_beside(name, around));
    let of_torchao = || {
        let (module, end) = name.rsplit_once("._weight_").filter(|it| !WORDS_OF_TORCHAO.contains(&it.1))?;
        let words = WORDS_OF_TORCHAO.iter().map(|it| format!("{module}._weight_{it}"));
        Some(!end.is_empty() && words.chain([format!("{module}.weight")]).any(is_there))
    };
    BESIDE.iter().any(beside) || single() || BEHIND.iter().any(behind) || of_torchao() == Some(true) || of_packed()
}
