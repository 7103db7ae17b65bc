//! How near the shapes of a model and of a catalogue entry are.

use crate::fact::{Closeness, Difference, Form, FormRelation};
use crate::lineage::likelihood::{Scored, Traits};
use crate::lineage::present::Held;

/// The share of an entry's tensors from which the rest of a model counts as put beside it.
const WHOLE: f64 = 0.995;

/// How near the shapes of a match are.
pub(super) fn closeness(form: &Form, held: &Held, subject: &Traits, entry: &Traits) -> Closeness {
    let by_form = closeness_of_form(form);
    if by_form != Closeness::OtherDimensions && form.relation != FormRelation::Different {
        return by_form;
    }
    let is_whole = held.missing.is_empty() && held.present.values.is_some_and(|it| it >= WHOLE);
    if is_whole && subject.size("layers") == entry.size("layers") {
        return Closeness::Additions;
    }
    if held.is_same_layer && subject.size("layers") != entry.size("layers") && has_same_sizes(subject, entry) {
        return Closeness::OtherDepth;
    }
    Closeness::OtherDimensions
}

/// Whether all sizes that both sides have are equal but for the depth.
fn has_same_sizes(subject: &Traits, entry: &Traits) -> bool {
    subject.sizes().all(|(name, size)| name == "layers" || entry.size(name).is_none_or(|it| it == size))
}

pub(super) fn closeness_of_form(form: &Form) -> Closeness {
    let is_vocabulary = |it: &&Difference| it.item == "vocab" && matches!(it.kind.as_str(), "dimension" | "vocabulary");
    let (vocabulary, others): (Vec<_>, Vec<_>) =
        form.differences.iter().filter(|it| is_of_shape(it)).partition(is_vocabulary);
    let is_padded = || form.normalised.iter().any(|it| it.kind == "vocabulary-padding");
    match (others.is_empty(), vocabulary.first()) {
        (false, _) => Closeness::OtherDimensions,
        (true, Some(difference)) if difference.kind == "dimension" => Closeness::OtherVocabulary,
        (true, Some(_)) => Closeness::PaddedVocabulary,
        (true, None) if is_padded() => Closeness::PaddedVocabulary,
        (true, None) if form.same_dimensions => Closeness::SameShapes,
        (true, None) => Closeness::OtherDimensions,
    }
}

/// The same, where no shape was there to be seen: `same` only where nothing that is known contradicts it.
pub(super) fn closeness_by_names(held: &Held, scored: &Scored, subject: &Traits, entry: &Traits) -> Closeness {
    let has_head = |it: &Traits| it.roles.contains("output");
    let lone_heads = usize::from(has_head(entry) && !has_head(subject));
    let is_there = held.missing.len() <= lone_heads && subject.size("hidden").is_some();
    if !is_there || scored.sizes_apart > 0 || scored.has_other_bytes || scored.is_fused_otherwise {
        Closeness::OtherDimensions
    } else if !held.additions.is_empty() && (has_head(entry) || !has_head(subject) || held.additions.len() > 1) {
        Closeness::Additions
    } else if subject.size("layers") != entry.size("layers") {
        Closeness::OtherDepth
    } else if scored.fields_apart > 0 || scored.is_called_another && subject.vocabulary == entry.vocabulary {
        Closeness::StatedOtherConfiguration
    } else if subject.vocabulary == entry.vocabulary {
        Closeness::Stated
    } else {
        Closeness::StatedOtherVocabulary
    }
}

/// Whether a difference is one of names and shapes; element types and set-aside components are not.
fn is_of_shape(difference: &Difference) -> bool {
    matches!(
        difference.kind.as_str(),
        "dimension" | "vocabulary" | "shape" | "layers" | "only-in-subject" | "only-in-reference"
    )
}
