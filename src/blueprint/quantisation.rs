//! Quantised files: the tensors beside a packed weight are marked as companions, and the weight gets its own shape
//! back.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::config::Config;
use crate::blueprint::normalise::Note;
use crate::blueprint::placed::placed_name;
use crate::blueprint::template::Template;
use crate::checkpoint::{Around, Seen, Settings, Treatment, treated};

/// What a template of the files stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stored {
    /// For itself.
    Plain,
    /// For scales and the like, whose elements are no parameters.
    Companion,
    /// For a packed weight, with the template that it has without packing and the layout's id.
    Packed(Template, &'static str),
    /// For a packed weight whose own shape nothing tells.
    Opaque(&'static str),
}

/// What is known beside names, element types and shapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// Shapes of plain weights that stand in the data beside packed ones.
    pub(crate) stated_shapes: BTreeMap<String, Vec<u64>>,
    /// Whether the model comes with the graph that says how it is computed with.
    pub(crate) is_graph: bool,
}

/// What each template stands for, in their order.
pub(crate) fn stored(templates: &[Template], config: &Config, known: &Known) -> Vec<Stored> {
    let settings = Settings::of(&|field| config.get(field), known.is_graph);
    let mut named: BTreeMap<&str, Vec<&Template>> = BTreeMap::new();
    for it in templates {
        named.entry(&it.name).or_default().push(it);
    }
    let all = templates.iter().map(|template| {
        let around = Others { named: &named, settings: &settings, stated: &known.stated_shapes, template };
        let plain = |name: String, shape: Vec<u64>| Template { name, shape, ..template.clone() };
        match treated(&template.name, &seen(template), &around) {
            Treatment::Keep => Stored::Plain,
            Treatment::Companion => Stored::Companion,
            Treatment::Packed { name, shape, packing } => Stored::Packed(plain(name, shape), packing.layout),
            Treatment::Opaque { packing, .. } => Stored::Opaque(packing.layout),
        }
    });
    all.collect()
}

/// The templates without companions, packed weights under their plain name and shape. What was done is noted.
pub(crate) fn without_companions(templates: &[Template], stored: &[Stored], notes: &mut Vec<Note>) -> Vec<Template> {
    let mut kept = Vec::with_capacity(templates.len());
    for (template, stored) in templates.iter().zip(stored) {
        let mut note = |kind| notes.push(Note::new(kind, template.name.clone()));
        match stored {
            Stored::Plain => kept.push(template.clone()),
            Stored::Companion => note("quantisation-scale"),
            Stored::Opaque(_) => note("quantisation-unknown"),
            Stored::Packed(plain, _) => {
                note("quantisation-packing");
                kept.push(plain.clone());
            }
        }
    }
    kept
}

/// How many tensors are packed, by layout and by whether their shapes are known.
pub(crate) fn packed_by_layout(templates: &[Template], stored: &[Stored]) -> BTreeMap<(&'static str, bool), u64> {
    let mut counts = BTreeMap::new();
    for (template, stored) in templates.iter().zip(stored) {
        let key = match stored {
            Stored::Packed(_, layout) => (*layout, true),
            Stored::Opaque(layout) => (*layout, false),
            Stored::Plain | Stored::Companion => continue,
        };
        let count: &mut u64 = counts.entry(key).or_default();
        *count = count.saturating_add(template.count());
    }
    counts
}

fn seen(template: &Template) -> Seen<'_> {
    Seen { shape: &template.shape, dtype: template.dtype.as_deref().unwrap_or_default().into() }
}

/// The other templates of a model, as one of them sees them: of several with one name the one that shares its layers.
struct Others<'a> {
    named: &'a BTreeMap<&'a str, Vec<&'a Template>>,
    settings: &'a Settings,
    stated: &'a BTreeMap<String, Vec<u64>>,
    template: &'a Template,
}

impl Others<'_> {
    /// A name with the first layer and expert of the template.
    fn first_of(&self, name: &str) -> String {
        let first = |ranges: &[std::ops::RangeInclusive<u32>]| ranges.first().map(|it| *it.start());
        placed_name(name, first(&self.template.layers), first(&self.template.experts))
    }
}

impl Around for Others<'_> {
    fn seen(&self, name: &str) -> Option<Seen<'_>> {
        let of_name = self.named.get(name)?;
        let layers: BTreeSet<u32> = self.template.layers.iter().cloned().flatten().collect();
        let shares = |it: &&&Template| it.layers.iter().cloned().flatten().any(|layer| layers.contains(&layer));
        let sharing = if of_name.len() > 1 { of_name.iter().find(shares) } else { None };
        sharing.or_else(|| of_name.first()).map(|it| seen(it))
    }

    fn stated_shape(&self, name: &str) -> Option<&[u64]> {
        self.stated.get(&self.first_of(name)).map(Vec::as_slice)
    }

    fn settings(&self) -> &Settings {
        self.settings
    }

    fn as_configured(&self, module: &str) -> String {
        self.first_of(module)
    }
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
        let stored = stored(&templates, &Config::default(), &Known::default());
        let plain = without_companions(&templates, &stored, &mut Vec::new());
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

    /// Layers of one name that are packed in different numbers of bits are told apart.
    #[test]
    fn each_layer_has_the_scales_of_its_own() {
        let template = |name: &str, dtype: &str, shape: &[u64], layers: std::ops::RangeInclusive<u32>| Template {
            name: name.into(),
            shape: shape.to_vec(),
            layers: vec![layers],
            experts: vec![],
            dtype: Some(dtype.into()),
        };
        let templates = [
            template("h.{i}.q.weight", "U8", &[8, 32], 0..=1),
            template("h.{i}.q.weight", "BF16", &[8, 64], 2..=3),
            template("h.{i}.q.weight_scale", "F8_E4M3", &[8, 4], 0..=1),
        ];
        let found = stored(&templates, &Config::default(), &Known::default());
        assert!(matches!(&found[0], Stored::Packed(plain, "fp4") if plain.shape == [8, 64]), "{found:?}");
        assert_eq!(found[1..], [Stored::Plain, Stored::Companion]);
    }
}
