//! Quantised files: the tensors beside a packed weight are marked as companions, and the weight gets its own shape
//! back.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::normalise::Note;
use crate::blueprint::template::Template;
use crate::checkpoint::{self, Treatment};

type Named<'a> = BTreeMap<&'a str, &'a Template>;

/// The templates without companions, packed weights under their plain name and shape. What was done is noted.
pub(crate) fn without_companions(templates: &[Template], notes: &mut Vec<Note>) -> Vec<Template> {
    let named: Named<'_> = templates.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut kept = Vec::with_capacity(templates.len());
    for template in templates {
        match treated(template, &named) {
            (Treatment::Companion, _) => notes.push(Note::new("quantisation-scale", template.name.clone())),
            (_, None) => kept.push(template.clone()),
            (_, Some(plain)) => {
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
    let is_companion = |it: &&Template| treated(it, &named).0 == Treatment::Companion;
    templates.iter().filter(is_companion).map(|it| it.name.clone()).collect()
}

/// The weight that a packed tensor stands for.
pub(crate) fn unpacked(template: &Template, templates: &[Template]) -> Option<Template> {
    let named: Named<'_> = templates.iter().map(|it| (it.name.as_str(), it)).collect();
    treated(template, &named).1
}

/// A template's treatment; a packed one with its plain template.
fn treated(template: &Template, named: &Named<'_>) -> (Treatment, Option<Template>) {
    let shape_of = |name: &str| named.get(name).map(|it| it.shape.as_slice());
    let treatment = checkpoint::treated(&template.name, &template.shape, &shape_of);
    let plain = match &treatment {
        Treatment::Packed { name, shape } => {
            Some(Template { name: name.clone(), shape: shape.clone(), ..template.clone() })
        }
        Treatment::Keep => packed_by_name(template, named),
        Treatment::Companion => None,
    };
    (treatment, plain)
}

/// A packed weight of which only the name is known, and that scales are beside it.
fn packed_by_name(template: &Template, named: &Named<'_>) -> Option<Template> {
    let base = template.name.strip_suffix(".qweight").filter(|_| template.shape.is_empty())?;
    named
        .contains_key(format!("{base}.scales").as_str())
        .then(|| Template { name: format!("{base}.weight"), ..template.clone() })
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
            &[("q.weight_packed", &[64, 16]), ("q.weight_scale", &[64, 1]), ("q.weight_shape", &[2])],
            &[("q.weight", &[64, 128])],
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
