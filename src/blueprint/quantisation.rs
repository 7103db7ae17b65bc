//! Quantised files: the tensors beside a packed weight are marked as companions, and the weight gets its own shape back.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::normalise::Note;
use crate::blueprint::template::Template;

/// Ends of names that stand beside a weight which keeps its own name and shape.
const BESIDE: &[&str] = &[
    ".weight_scale_inv",
    ".weight_scale",
    ".input_scale",
    ".weight_scale_2",
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

type Named<'a> = BTreeMap<&'a str, &'a Template>;

/// The templates without companions, packed weights under their plain name and shape. What was done is noted.
pub(crate) fn without_companions(templates: &[Template], notes: &mut Vec<Note>) -> Vec<Template> {
    let named: Named<'_> = templates.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut kept = Vec::with_capacity(templates.len());
    for template in templates {
        match treated(template, &named) {
            Treatment::Keep => kept.push(template.clone()),
            Treatment::Companion => notes.push(Note::new("quantisation-scale", template.name.clone())),
            Treatment::Packed(plain) => {
                notes.push(Note::new("quantisation-packing", template.name.clone()));
                kept.push(plain);
            }
        }
    }
    kept
}

/// The names of all companions; their elements are not parameters.
pub(crate) fn companions(templates: &[Template]) -> BTreeSet<String> {
    let named: Named<'_> = templates.iter().map(|it| (it.name.as_str(), it)).collect();
    let is_companion = |it: &&Template| matches!(treated(it, &named), Treatment::Companion);
    templates.iter().filter(is_companion).map(|it| it.name.clone()).collect()
}

/// The weight that a packed tensor stands for.
pub(crate) fn unpacked(template: &Template, templates: &[Template]) -> Option<Template> {
    let named: Named<'_> = templates.iter().map(|it| (it.name.as_str(), it)).collect();
    match treated(template, &named) {
        Treatment::Packed(plain) => Some(plain),
        Treatment::Keep | Treatment::Companion => None,
    }
}

enum Treatment {
    Keep,
    Companion,
    Packed(Template),
}

fn treated(template: &Template, named: &Named<'_>) -> Treatment {
    let name = template.name.as_str();
    for end in BESIDE {
        if let Some(base) = name.strip_suffix(end)
            && (named.contains_key(format!("{base}.weight").as_str()) || end.starts_with(".weight."))
        {
            return Treatment::Companion;
        }
    }
    if let Some(base) = name.strip_suffix("_scale_inv").or_else(|| name.strip_suffix("_scales"))
        && (named.contains_key(base) || named.contains_key(format!("{base}_blocks").as_str()))
    {
        return Treatment::Companion;
    }
    if let Some(plain) = name.strip_suffix("_blocks").and_then(|base| from_blocks(template, base)) {
        return Treatment::Packed(plain);
    }
    packed_matrix(template, named)
}

/// MXFP4: `[.., rows, blocks, 16]` bytes hold `[.., rows, 32 x blocks]` numbers of four bits.
fn from_blocks(template: &Template, base: &str) -> Option<Template> {
    let [front @ .., blocks, bytes] = template.shape.as_slice() else { return None };
    let columns = blocks.checked_mul(*bytes)?.checked_mul(2)?;
    let shape = front.iter().copied().chain([columns]).collect();
    Some(Template { name: base.to_owned(), shape, ..template.clone() })
}

fn packed_matrix(template: &Template, named: &Named<'_>) -> Treatment {
    let Some((base, end)) = PACKED.iter().find_map(|it| Some((template.name.strip_suffix(it)?, *it))) else {
        return Treatment::Keep;
    };
    let beside = |end: &str| named.get(format!("{base}{end}").as_str()).map(|it| it.shape.as_slice());
    if beside(".qweight").is_none() || beside(".scales").is_none() {
        return Treatment::Keep;
    }
    if end != ".qweight" {
        return Treatment::Companion;
    }
    let shape = matrix_shape(&template.shape, beside(".scales"), beside(".qzeros"), beside(".g_idx"));
    let plain = |shape| Template { name: format!("{base}.weight"), shape, ..template.clone() };
    shape.map_or(Treatment::Keep, |it| Treatment::Packed(plain(it)))
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
        Some([_, packed_out]) if *out > 0 => packed_out.checked_mul(32)? / out,
        _ => 4,
    };
    (1..=32).contains(&bits).then(|| rows.checked_mul(32 / bits).map(|inner| vec![*out, inner]))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tensors: &[(&str, &[u64])], expected: &[(&str, &[u64])]) {
        let template = |(name, shape): &(&str, &[u64])| Template {
            name: (*name).into(),
            shape: shape.to_vec(),
            layers: vec![],
            experts: vec![],
            dtype: None,
        };
        let templates: Vec<Template> = tensors.iter().map(template).collect();
        let plain = without_companions(&templates, &mut Vec::new());
        let found: Vec<(&str, &[u64])> = plain.iter().map(|it| (it.name.as_str(), it.shape.as_slice())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn companions_go_and_packed_weights_get_their_shape_back() {
        check(&[("q.weight", &[512, 256]), ("q.weight_scale_inv", &[4, 2])], &[("q.weight", &[512, 256])]);
        check(
            &[("e.down_proj_blocks", &[32, 2880, 90, 16]), ("e.down_proj_scales", &[32, 2880, 90])],
            &[("e.down_proj", &[32, 2880, 2880])],
        );
        check(
            &[("q.qweight", &[512, 4096]), ("q.qzeros", &[32, 512]), ("q.scales", &[32, 4096]), ("q.g_idx", &[4096])],
            &[("q.weight", &[4096, 4096])],
        );
        check(
            &[("q.qweight", &[512, 1024]), ("q.qzeros", &[32, 128]), ("q.scales", &[32, 1024])],
            &[("q.weight", &[1024, 4096])],
        );
        check(
            &[("q.qweight", &[4096, 128]), ("q.qzeros", &[32, 128]), ("q.scales", &[32, 1024])],
            &[("q.weight", &[1024, 4096])],
        );
    }

    #[test]
    fn a_name_that_only_looks_like_a_companion_stays() {
        check(&[("q.weight_scale_inv", &[4])], &[("q.weight_scale_inv", &[4])]);
        check(&[("norm.scales", &[4])], &[("norm.scales", &[4])]);
    }
}
