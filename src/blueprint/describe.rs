//! A blueprint told as facts: parameters, dimensions, templates with roles and algebra, element types.

use std::collections::BTreeMap;

use crate::blueprint::Blueprint;
use crate::blueprint::algebra::algebra;
use crate::blueprint::buffer;
use crate::blueprint::part::Part;
use crate::blueprint::quantisation::Stored;
use crate::blueprint::template::Template;
use crate::fact::{Dimension, DtypeCount, TemplateFacts};

impl Blueprint {
    /// Number of tensors, buffers included.
    pub fn tensors(&self) -> u64 {
        self.templates.iter().fold(0, |sum: u64, it| sum.saturating_add(it.count()))
    }

    /// Number of parameters: elements of all tensors but buffers and the scales of quantisation. A head that the
    /// configuration says is tied counts once, packed weights count unpacked. None where shapes are not known, be it of
    /// single packed weights only.
    pub fn parameters(&self) -> Option<u64> {
        let is_opaque = |it: &Stored| matches!(it, Stored::Opaque(_));
        if self.is_by_names || self.stored.iter().any(is_opaque) {
            return None;
        }
        let all = self.parts.iter().fold(0_u64, |sum, it| sum.saturating_add(it.elements()));
        Some(all.saturating_sub(self.tied_head().map_or(0, Part::elements)))
    }

    /// Stored elements in layers that are packed in a way that nobody reads here, companions left out.
    pub(crate) fn unread_in_layers(&self) -> u64 {
        let is_unread =
            |(it, stored): &(&Template, &Stored)| matches!(stored, Stored::Opaque(_)) && !it.layers.is_empty();
        let unread = self.templates.iter().zip(&self.stored).filter(is_unread);
        unread.fold(0, |sum, (it, _)| sum.saturating_add(it.total_elements()))
    }

    /// A stored head that is the token embedding again: the configuration says so, and the shapes allow it.
    pub(crate) fn tied_head(&self) -> Option<&Part> {
        let part = |role: &str| self.parts.iter().find(|it| it.role.is(role));
        let (head, embedding) = (part("output")?, part("token_embedding")?);
        let is_tied = self.config.flag("tie_word_embeddings") == Some(true) && head.shape() == embedding.shape();
        let is_tied = is_tied && !self.is_by_names;
        is_tied.then_some(head)
    }

    /// The named dimensions, in a fixed order.
    pub fn dimensions(&self) -> Vec<Dimension> {
        let told = self.dimensions.told().into_iter();
        told.map(|(name, size)| Dimension { name: name.to_owned(), size }).collect()
    }

    /// One named dimension.
    pub fn dimension(&self, name: &str) -> Option<u64> {
        self.dimensions.get(name)
    }

    /// Its templates with roles and algebra, in the order of the file.
    pub fn template_facts(&self) -> Vec<TemplateFacts> {
        self.templates.iter().zip(&self.stored).map(|(template, stored)| self.facts_of(template, stored)).collect()
    }

    fn facts_of(&self, template: &Template, stored: &Stored) -> TemplateFacts {
        let plain = if let Stored::Packed(plain, _) = stored { Some(plain) } else { None };
        let name = plain.map_or(&template.name, |it| &it.name);
        let holds = |it: &&Part| {
            let is_inside = |range: &std::ops::RangeInclusive<u32>| {
                it.variants.iter().flat_map(|variant| &variant.layers).any(|own| own.contains(range.start()))
            };
            it.name == *name && (template.layers.is_empty() || template.layers.iter().any(is_inside))
        };
        let part = self.parts.iter().find(holds);
        let role = if buffer::is_buffer(template) {
            "buffer".to_owned()
        } else if *stored == Stored::Companion {
            "quantisation.scale".to_owned()
        } else {
            part.map_or_else(|| "unknown".to_owned(), |it| it.role.to_string())
        };
        let only = part.and_then(|it| it.role.only()).filter(|_| plain.is_none());
        TemplateFacts {
            template: template.name.clone(),
            role,
            shape: (!self.is_by_names).then(|| template.shape.clone()),
            algebra: algebra(only, &template.shape, &self.dimensions),
            count: template.count(),
            dtype: template.dtype.clone(),
        }
    }

    /// Element types by name, with tensors and elements; empty for a catalogue entry.
    pub fn dtype_counts(&self) -> Vec<DtypeCount> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for template in &self.templates {
            if let Some(dtype) = &template.dtype {
                let count = counts.entry(dtype).or_default();
                count.0 = count.0.saturating_add(template.count());
                count.1 = count.1.saturating_add(template.total_elements());
            }
        }
        let facts = counts.into_iter();
        facts.map(|(dtype, (tensors, elements))| DtypeCount { dtype: dtype.to_owned(), tensors, elements }).collect()
    }
}
