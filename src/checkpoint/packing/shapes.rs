//! The shape that a packed weight has without packing, layout by layout; none where the parts are not those of the
//! layout.

use crate::checkpoint::packing::Site;
use crate::checkpoint::packing::table::Size;

/// The most bits that a packed whole number has.
const MOST_BITS: u64 = 8;

fn known(shape: Vec<u64>) -> Option<Size> {
    Some(Size::Known(shape))
}

/// Where the data beside it says the shape.
pub(super) fn stated(site: &Site<'_>) -> Option<Size> {
    Some(site.around.stated_shape(&site.plain).map_or(Size::Unknown, |it| Size::Known(it.to_vec())))
}

pub(super) fn unknown(_: &Site<'_>) -> Option<Size> {
    Some(Size::Unknown)
}

/// `[in * bits / 32, out]`; the scales are `[groups, out]`.
pub(super) fn gptq(site: &Site<'_>) -> Option<Size> {
    let ([words, out], [_, of_scales]) = (site.words.shape, site.beside(".scales")?.shape) else { return None };
    if out != of_scales || !site.words.may_be("I32") {
        return None;
    }
    if let Some([inputs]) = site.beside(".g_idx").map(|it| it.shape) {
        return known(vec![*out, *inputs]);
    }
    let by_zeros = || {
        let zeros = site.beside(".qzeros")?;
        let [_, packed] = zeros.shape else { return None };
        packed.checked_mul(32)?.checked_div(*out)
    };
    let bits = site.setting("bits").or_else(by_zeros).unwrap_or(4);
    let inputs = words.checked_mul(32)?.checked_div(bits).filter(|_| (1..=MOST_BITS).contains(&bits))?;
    known(vec![*out, inputs])
}

/// `[in, out * bits / 32]`.
pub(super) fn awq(site: &Site<'_>) -> Option<Size> {
    let ([inputs, _], [_, out]) = (site.words.shape, site.beside(".scales")?.shape) else { return None };
    site.words.may_be("I32").then(|| Size::Known(vec![*out, *inputs]))
}

/// `[out, in / n]` with n numbers in 32 bits, which no number crosses.
pub(super) fn compressed(site: &Site<'_>) -> Option<Size> {
    let [front @ .., words] = site.words.shape else { return None };
    if !site.words.may_be("I32") {
        return None;
    }
    if let Some(shape) = site.around.stated_shape(&site.plain) {
        return known(shape.to_vec());
    }
    let bits = site.setting("bits").unwrap_or(4);
    let each = 32_u64.checked_div(bits).filter(|it| *it > 0)?;
    // Where numbers do not fill the words, the last one may be padding.
    if each.checked_mul(bits) != Some(32) {
        return Some(Size::Unknown);
    }
    known(with_columns(front, words.checked_mul(each)?))
}

/// `[.., out, in / 2]` bytes, with a scale of eight bits for 16 or 32 numbers.
pub(super) fn fp4(site: &Site<'_>) -> Option<Size> {
    let scale = site.beside(".weight_scale")?;
    let ([front @ .., bytes], [of_scale @ .., groups]) = (site.words.shape, scale.shape) else { return None };
    let columns = bytes.checked_mul(2)?;
    let group = columns.checked_div(*groups)?;
    let fits = front == of_scale && group.checked_mul(*groups) == Some(columns);
    let is_nv = scale.dtype == "F8_E4M3" && group == 16;
    let is_mx = ["U8", "F8_E8M0"].contains(&&*scale.dtype) && group == 32;
    (site.words.dtype == "U8" && fits && (is_nv || is_mx)).then(|| Size::Known(with_columns(front, columns)))
}

/// MXFP4: `[.., rows, blocks, 16]` bytes hold `[.., rows, 32 x blocks]` numbers of four bits.
pub(super) fn blocks(site: &Site<'_>) -> Option<Size> {
    let [front @ .., blocks, bytes] = site.words.shape else { return None };
    let columns = blocks.checked_mul(*bytes)?.checked_mul(2)?;
    known(with_columns(front, columns))
}

/// `[.., out, in * bits / 32]` words, with scales `[.., out, groups]`.
pub(super) fn mlx(site: &Site<'_>) -> Option<Size> {
    let scales = site.beside(".scales")?;
    let ([front @ .., words], [of_scale @ .., groups]) = (site.words.shape, scales.shape) else { return None };
    if site.words.dtype != "U32" || front != of_scale || *groups == 0 {
        return None;
    }
    let total = words.checked_mul(32)?;
    let Some(bits) = site.setting("bits").or_else(|| usual_bits(total, *groups)) else { return Some(Size::Unknown) };
    let columns = total.checked_div(bits).filter(|it| it.checked_mul(bits) == Some(total))?;
    let fits = (1..=MOST_BITS).contains(&bits) && columns.is_multiple_of(*groups);
    fits.then(|| Size::Known(with_columns(front, columns)))
}

/// With groups of 64, MLX's own choice, where that gives a number of bits that MLX has.
fn usual_bits(total: u64, groups: u64) -> Option<u64> {
    let bits = total.checked_div(groups.checked_mul(64)?)?;
    let is_whole = bits.checked_mul(64)?.checked_mul(groups) == Some(total);
    (is_whole && [2, 3, 4, 5, 6, 8].contains(&bits)).then_some(bits)
}

/// Four rows in one, and one scale for all.
pub(super) fn ternary(site: &Site<'_>) -> Option<Size> {
    let [rows, columns] = site.words.shape else { return None };
    let scale = site.beside(".weight_scale")?;
    let is_plain = site.beside(".weight_zero_point").is_none() && !site.around.settings().is_graph;
    let fits = site.words.dtype == "U8" && scale.is_single() && !scale.dtype.starts_with("F8") && is_plain;
    fits.then(|| Some(Size::Known(vec![rows.checked_mul(4)?, *columns]))).flatten()
}

pub(super) fn exl2(site: &Site<'_>) -> Option<Size> {
    let order = site.beside(".q_invperm")?;
    let ([_, out], [inputs]) = (site.words.shape, order.shape) else { return None };
    known(vec![*out, *inputs])
}

/// Two numbers in a byte; the scales are `[groups, out]`.
pub(super) fn int4(site: &Site<'_>) -> Option<Size> {
    let scale = site.beside("._weight_scale")?;
    let ([out, bytes], [groups, of_scale]) = (site.words.shape, scale.shape) else { return None };
    let columns = bytes.checked_mul(2)?;
    let fits = ["I8", "U8"].contains(&&*site.words.dtype) && out == of_scale && *groups > 0;
    let is_turned = !is_by_rows(scale.shape, site.words.shape);
    (fits && is_turned && columns.is_multiple_of(*groups)).then(|| Size::Known(vec![*out, columns]))
}

/// Whether scales stand row by row beside a matrix: `[rows, groups]`.
fn is_by_rows(scale: &[u64], matrix: &[u64]) -> bool {
    let ([rows, groups], [all, columns]) = (scale, matrix) else { return false };
    rows == all && *groups > 0 && columns.is_multiple_of(*groups)
}

/// One element a number.
pub(super) fn same(site: &Site<'_>) -> Option<Size> {
    let is_one = site.words.dtype == "I8" || site.words.dtype.starts_with("F8_");
    is_one.then(|| Size::Known(site.words.shape.to_vec()))
}

/// `[out / 8, in / (16 t), 32, t / 2]` words of eight numbers.
pub(super) fn tiled(site: &Site<'_>) -> Option<Size> {
    let [outputs, inputs, 32, inner] = site.words.shape else { return None };
    known(vec![outputs.checked_mul(8)?, inputs.checked_mul(*inner)?.checked_mul(32)?])
}

/// `[in, out]` bytes in an order of their own.
pub(super) fn turned_bytes(site: &Site<'_>) -> Option<Size> {
    let [inputs, out] = site.words.shape else { return None };
    (site.words.dtype == "I8").then(|| Size::Known(vec![*out, *inputs]))
}

/// `[in / 16, 2 out]` words of eight numbers.
pub(super) fn marlin(site: &Site<'_>) -> Option<Size> {
    let [tiles, words] = site.words.shape else { return None };
    site.words.may_be("I32").then(|| Some(Size::Known(vec![words.checked_div(2)?, tiles.checked_mul(16)?]))).flatten()
}

/// Codes `[out / a, in / b, books]` and code books `[books, entries, a, b]`.
pub(super) fn aqlm(site: &Site<'_>) -> Option<Size> {
    let books = site.beside(".codebooks")?;
    let ([outputs, inputs, _], [_, _, high, wide]) = (site.words.shape, books.shape) else { return None };
    known(vec![outputs.checked_mul(*high)?, inputs.checked_mul(*wide)?])
}

/// Eight numbers an index.
pub(super) fn quip(site: &Site<'_>) -> Option<Size> {
    let [out, indices] = site.words.shape else { return None };
    let is_wide = ["I64", "I16"].contains(&&*site.words.dtype);
    Some(if is_wide { Size::Known(vec![*out, indices.checked_mul(8)?]) } else { Size::Unknown })
}

/// Tiles of 16 by 16: `[in / 16, out / 16, 16 bits]`.
pub(super) fn exl3(site: &Site<'_>) -> Option<Size> {
    let [inputs, outputs, _] = site.words.shape else { return None };
    known(vec![outputs.checked_mul(16)?, inputs.checked_mul(16)?])
}

fn with_columns(front: &[u64], columns: u64) -> Vec<u64> {
    front.iter().copied().chain([columns]).collect()
}
