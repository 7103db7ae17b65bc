//! How quantised files call what stands beside a packed weight, and the shape that the weight has without packing.

/// Ends of names that stand beside a weight which keeps its own name and shape.
const BESIDE: &[&str] = &[
    ".weight_scale_inv",
    ".weight_scale",
    ".input_scale",
    ".weight_scale_2",
    ".weight_zero_point",
    ".k_scale",
    ".v_scale",
    ".weight.absmax",
    ".weight.quant_map",
    ".weight.nested_absmax",
    ".weight.nested_quant_map",
    ".weight.quant_state.bitsandbytes__nf4",
    ".weight.quant_state.bitsandbytes__fp4",
    ".SCB",
    ".weight_format",
];

/// Ends of names that a packed matrix of GPTQ or AWQ has beside it.
const PACKED: &[&str] = &[".qweight", ".qzeros", ".scales", ".g_idx"];

/// The end of the name of a matrix that compressed-tensors packed, and of what stands beside it.
const COMPRESSED: &str = ".weight_packed";
const BESIDE_COMPRESSED: &[&str] = &[".weight_scale", ".weight_shape", ".weight_zero_point", ".weight_g_idx"];

/// What a tensor is to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Itself.
    Keep,
    /// Scales, zero points and the like, which stand beside a weight.
    Companion,
    /// A packed weight, with the name and the shape that it has without packing.
    Packed {
        /// Name of the plain weight.
        name: String,
        /// Shape of the plain weight.
        shape: Vec<u64>,
    },
}

/// What a tensor is, from its name and shape and those of the others.
pub(crate) fn treated<'a>(name: &str, shape: &[u64], shape_of: &dyn Fn(&str) -> Option<&'a [u64]>) -> Treatment {
    let is_there = |name: String| shape_of(&name).is_some();
    for end in BESIDE {
        if let Some(base) = name.strip_suffix(end)
            && (is_there(format!("{base}.weight")) || end.starts_with(".weight."))
        {
            return Treatment::Companion;
        }
    }
    if let Some(base) = name.strip_suffix("_scale_inv").or_else(|| name.strip_suffix("_scales"))
        && (is_there(base.to_owned()) || is_there(format!("{base}_blocks")))
    {
        return Treatment::Companion;
    }
    if BESIDE_COMPRESSED.iter().any(|it| name.strip_suffix(it).is_some_and(|it| is_there(format!("{it}{COMPRESSED}"))))
    {
        return Treatment::Companion;
    }
    let blocks = name.strip_suffix("_blocks").and_then(|base| Some((base.to_owned(), from_blocks(shape)?)));
    let compressed = || Some((format!("{}.weight", name.strip_suffix(COMPRESSED)?), from_words(shape)?));
    match blocks.or_else(compressed) {
        Some((name, shape)) => Treatment::Packed { name, shape },
        None => packed_matrix(name, shape, shape_of),
    }
}

/// MXFP4: `[.., rows, blocks, 16]` bytes hold `[.., rows, 32 x blocks]` numbers of four bits.
fn from_blocks(shape: &[u64]) -> Option<Vec<u64>> {
    let [front @ .., blocks, bytes] = shape else { return None };
    let columns = blocks.checked_mul(*bytes)?.checked_mul(2)?;
    Some(front.iter().copied().chain([columns]).collect())
}

/// Words of 32 bits hold eight numbers of four bits, which is what compressed-tensors packs.
fn from_words(shape: &[u64]) -> Option<Vec<u64>> {
    let [rows, words] = shape else { return None };
    Some(vec![*rows, words.checked_mul(8)?])
}

fn packed_matrix<'a>(name: &str, shape: &[u64], shape_of: &dyn Fn(&str) -> Option<&'a [u64]>) -> Treatment {
    let Some((base, end)) = PACKED.iter().find_map(|it| Some((name.strip_suffix(it)?, *it))) else {
        return Treatment::Keep;
    };
    let beside = |end: &str| shape_of(&format!("{base}{end}"));
    if beside(".qweight").is_none() || beside(".scales").is_none() {
        return Treatment::Keep;
    }
    if end != ".qweight" {
        return Treatment::Companion;
    }
    let shape = matrix_shape(shape, beside(".scales"), beside(".qzeros"), beside(".g_idx"));
    shape.map_or(Treatment::Keep, |shape| Treatment::Packed { name: format!("{base}.weight"), shape })
}

/// GPTQ packs `[in / n, out]`, AWQ `[in, out / n]`, with n numbers in 32 bits; the scales are `[groups, out]`.
fn matrix_shape(
    packed: &[u64],
    scales: Option<&[u64]>,
    zeros: Option<&[u64]>,
    groups: Option<&[u64]>,
) -> Option<Vec<u64>> {
    let ([rows, columns], Some([_, out])) = (packed, scales) else { return None };
    if columns != out {
        return Some(vec![*out, *rows]);
    }
    if let Some([inner]) = groups {
        return Some(vec![*out, *inner]);
    }
    let bits = match zeros {
        Some([_, packed_out]) if *out > 0 => packed_out.checked_mul(32)?.checked_div(*out)?,
        _ => 4,
    };
    let numbers = 32_u64.checked_div(bits).filter(|it| *it > 0)?;
    Some(vec![*out, rows.checked_mul(numbers)?])
}
