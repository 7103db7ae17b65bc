//! How two blueprints relate by form, with every difference. It says nothing about weights, ever.
//!
//! The relation is that of the language models: towers and prediction layers that only one side has are set aside and
//! told as differences.

use std::collections::BTreeSet;

use crate::blueprint::Blueprint;
use crate::blueprint::algebra::algebra;
use crate::blueprint::buffer;
use crate::blueprint::by_names;
use crate::blueprint::matching::{Matching, Pair, Sign, place};
use crate::blueprint::part::{Component, Part};
use crate::blueprint::projection;
use crate::blueprint::template::{ranges, written};
use crate::fact::{Difference, DimensionPair, Form, FormRelation, Normalisation, Projection, Rename};

/// The most rows by which two vocabularies may differ and still count as one, padded or with a few tokens added.
/// Released fine-tunes differ by 2 to 399 rows from their base.
const PADDING_ROWS: u64 = 512;

/// The largest share of the smaller vocabulary that such rows may be: one in twenty.
const PADDING_SHARE: u64 = 20;

/// The largest share of a model that tensors of no known role may be and still count as put beside it: one in twenty. A
/// value head is one row, and adapters of the usual ranks are one in a hundred.
const ADDITION_SHARE: u64 = 20;

/// Roles of the norms on the residual stream, with or without `.bias`.
const NORMS: [&str; 6] =
    ["attention.norm", "attention.post_norm", "ffn.norm", "ffn.post_norm", "output_norm", "token_embedding.norm"];

/// Holds one blueprint against another.
pub fn compare_blueprints(subject: &Blueprint, reference: &Blueprint) -> Form {
    if subject.is_by_names || reference.is_by_names {
        return by_names::compare(subject, reference);
    }
    let mut comparing = Comparing::new(subject, reference);
    comparing.set_aside();
    comparing.matching.run();
    let found = projection::find(&mut comparing.matching, subject, reference);
    comparing.same_dimensions &= found.same_dimensions;
    comparing.forgive_buffers();
    comparing.look_at_pairs();
    comparing.look_at_the_rest();
    comparing.look_at_dimensions();
    comparing.finish(found.projections)
}

/// Whether two vocabulary sizes differ by padding or a few added tokens only.
pub(crate) fn is_padding(one: u64, other: u64) -> bool {
    let rows = one.abs_diff(other);
    rows <= PADDING_ROWS && rows.saturating_mul(PADDING_SHARE) <= one.min(other)
}

/// Two blueprints on their way to a relation.
pub(super) struct Comparing<'a> {
    pub(super) sides: [&'a Blueprint; 2],
    pub(super) matching: Matching<'a>,
    pub(super) same_dimensions: bool,
    /// Whether something keeps the two from answering each other one to one, though all matrices have an answer.
    is_loose: bool,
    has_unanswered_matrix: bool,
    pub(super) differences: Vec<Difference>,
    normalised: Vec<Normalisation>,
    /// Heads that only one side has: they do not make two models different architectures.
    pub(super) lone_heads: Vec<String>,
}

const SIDES: [&str; 2] = ["subject", "reference"];

impl<'a> Comparing<'a> {
    pub(super) fn new(subject: &'a Blueprint, reference: &'a Blueprint) -> Self {
        let mut comparing = Self {
            sides: [subject, reference],
            matching: Matching::new(&subject.parts, &reference.parts),
            same_dimensions: true,
            is_loose: false,
            has_unanswered_matrix: false,
            differences: Vec::new(),
            normalised: Vec::new(),
            lone_heads: Vec::new(),
        };
        for (side, blueprint) in SIDES.iter().zip(comparing.sides) {
            let told = blueprint.notes.iter().filter(|it| it.kind != "name-contradicts-shape");
            comparing.normalised.extend(told.map(|it| normalisation(side, it.kind, &it.item)));
        }
        comparing
    }

    fn open(&mut self, side: usize) -> &mut Vec<usize> {
        if side == 0 { &mut self.matching.open_subject } else { &mut self.matching.open_reference }
    }

    /// Components and tied heads that only one side has.
    pub(super) fn set_aside(&mut self) {
        for side in [0, 1] {
            let (own, other) = (self.sides[side], self.sides[1 - side]);
            let has = |blueprint: &Blueprint, kind: fn(&Component) -> bool| {
                blueprint.parts.iter().any(|it| kind(&it.component))
            };
            if has(own, is_tower) && !has(other, is_tower) {
                self.set_component_aside(side, "component", is_tower);
            }
            if has(own, is_prediction) && !has(other, is_prediction) {
                self.set_component_aside(side, "prediction-layers", is_prediction);
            }
        }
        for side in [0, 1] {
            self.set_head_aside(side);
            self.forgive_pooler(side);
        }
    }

    /// The pooler of an encoder is a head on its first token: exporters leave it out where the product does not use it.
    fn forgive_pooler(&mut self, side: usize) {
        let is_pooler = |it: &&Part| it.role.is("pooler") || it.role.is("pooler.bias");
        let [own, other] = [side, 1 - side].map(|it| &self.sides[it].parts);
        if !other.iter().any(|it| is_pooler(&it)) {
            self.lone_heads.extend(own.iter().filter(is_pooler).map(|it| it.name.clone()));
        }
    }

    fn set_component_aside(&mut self, side: usize, kind: &'static str, is_kind: fn(&Component) -> bool) {
        let parts = &self.sides[side].parts;
        let names: BTreeSet<String> = parts.iter().filter(|it| is_kind(&it.component)).map(component_name).collect();
        for name in names {
            let inside = parts.iter().filter(|it| is_kind(&it.component) && component_name(it) == name);
            let (tensors, elements) = inside.fold((0_u64, 0_u64), |sum, it| {
                (sum.0.saturating_add(it.count()), sum.1.saturating_add(it.elements()))
            });
            self.normalised.push(normalisation(SIDES[side], kind, &name));
            let counted = if self.sides[side].is_by_names { String::new() } else { format!(", {elements} parameters") };
            let told = format!("{tensors} tensors{counted}");
            self.differences.push(one_sided("component", &name, side, &told));
        }
        self.open(side).retain(|it| !is_kind(&parts[*it].component));
    }

    /// A head that is the token embedding again, stored by one side only. Where the configuration does not say that it
    /// is, the head is set aside all the same, and told.
    fn set_head_aside(&mut self, side: usize) {
        let (Some(head), None) = (head(self.sides[side]), head(self.sides[1 - side])) else { return };
        let name = self.sides[side].parts[head].name.clone();
        match self.sides[side].config.flag("tie_word_embeddings") {
            Some(false) => {
                self.lone_heads.push(name);
                return;
            }
            Some(true) => {}
            None => {
                let told = "stores a head; its configuration does not say whether it is tied";
                self.differences.push(one_sided("tied-head", &name, side, told));
            }
        }
        self.normalised.push(normalisation(SIDES[side], "tied-head", &name));
        self.open(side).retain(|it| *it != head);
    }

    /// An unanswered vector that has the very shape and place of a buffer on the other side is that buffer renamed.
    fn forgive_buffers(&mut self) {
        for side in [0, 1] {
            let own = self.sides[side];
            let mut buffers: Vec<_> =
                self.sides[1 - side].templates.iter().filter(|it| buffer::is_buffer(it)).collect();
            for idx in self.open(side).clone() {
                let part = &own.parts[idx];
                let same = |it: &&crate::blueprint::Template| {
                    part.variants.len() == 1
                        && part.variants[0].shape == it.shape
                        && part.variants[0].layers == it.layers
                };
                if let Some(at) = buffers.iter().position(|it| part.role.is_unknown() && same(it)) {
                    buffers.remove(at);
                    self.normalised.push(normalisation(SIDES[side], "buffer", &part.name));
                    self.open(side).retain(|it| *it != idx);
                }
            }
        }
    }

    pub(super) fn look_at_pairs(&mut self) {
        for pair in self.matching.pairs.clone() {
            let (ours, theirs) = (&self.matching.subject[pair.subject], &self.matching.reference[pair.reference]);
            self.look_at_prefix(ours, theirs);
            self.look_at_shapes(ours, theirs);
            self.look_at_layers(ours, theirs);
            if !ours.dtypes.is_empty() && !theirs.dtypes.is_empty() && ours.dtypes != theirs.dtypes {
                let words = |part: &Part| part.dtypes.iter().cloned().collect::<Vec<_>>().join(", ");
                self.differences.push(difference("dtype", &ours.name, &words(ours), &words(theirs)));
            }
        }
    }

    fn look_at_prefix(&mut self, ours: &Part, theirs: &Part) {
        if ours.plain == theirs.plain && ours.prefix() != theirs.prefix() {
            for (side, part) in SIDES.iter().zip([ours, theirs]) {
                if !part.prefix().is_empty() {
                    self.normalised.push(normalisation(side, "prefix", part.prefix()));
                }
            }
        }
    }

    /// Shapes of a pair, the vocabulary and the orientation evened out. A shape whose named dimensions are the same on
    /// both sides is told by those dimensions alone.
    fn look_at_shapes(&mut self, ours: &Part, theirs: &Part) {
        let our_shapes: Vec<&[u64]> = ours.variants.iter().map(|it| it.shape.as_slice()).collect();
        let their_shapes: Vec<&[u64]> = theirs.variants.iter().map(|it| it.shape.as_slice()).collect();
        if our_shapes == their_shapes || ours.stored == theirs.stored {
            return;
        }
        let (one, other) = (ours.shape(), theirs.shape());
        if ours.variants.len() == 1 && theirs.variants.len() == 1 {
            if is_vocabulary(ours) && is_vocabulary(theirs) && differ_by_padding(one, other) {
                let longer = usize::from(other.first() > one.first());
                let part = if longer == 0 { ours } else { theirs };
                self.normalised.push(normalisation(SIDES[longer], "vocabulary-padding", &part.name));
                return;
            }
            if one.iter().rev().eq(other) {
                self.normalised.push(normalisation(SIDES[0], "transposed", &ours.name));
                return;
            }
        }
        self.same_dimensions = false;
        let words = |part: &Part, side: usize| algebra(part.role.only(), part.shape(), &self.sides[side].dimensions);
        let (our_words, their_words) = (words(ours, 0), words(theirs, 1));
        if our_words.len() > 1 && our_words != their_words && our_words.iter().rev().eq(&their_words) {
            self.normalised.push(normalisation(SIDES[0], "transposed", &ours.name));
            return;
        }
        if !is_same_algebra(ours, &our_words, &their_words) {
            let both = |words: &[String], shape: &[u64]| format!("[{}] = {}", words.join(", "), shape_words(shape));
            self.is_loose |= ours.role.only().is_some() && theirs.role.only().is_some() && !ours.is_matrix();
            let (our_words, their_words) = (both(&our_words, one), both(&their_words, other));
            self.differences.push(difference("shape", &ours.name, &our_words, &their_words));
        }
    }

    /// In which layers, and in how many experts, a pair stands.
    fn look_at_layers(&mut self, ours: &Part, theirs: &Part) {
        let layers = |side: usize| self.sides[side].dimensions.get("layers").unwrap_or_default();
        let covers = [ours.covers(layers(0)), theirs.covers(layers(1))];
        let is_same = place(ours) == place(theirs);
        let experts = |part: &Part| part.count() / part.layer_count().max(1);
        let has_same_experts = experts(ours) == experts(theirs) || ours.stored == theirs.stored;
        self.same_dimensions &= is_same && has_same_experts;
        if !is_same && covers != [true, true] && ours.component == Component::Language && ours.is_layered() {
            let words = |part: &Part| written(&ranges(&place(part)));
            self.differences.push(difference("layers", &ours.name, &words(ours), &words(theirs)));
            self.is_loose |= covers[0] != covers[1];
        }
    }

    fn look_at_the_rest(&mut self) {
        let open = [self.matching.open_subject.clone(), self.matching.open_reference.clone()];
        let is_beside = self.is_small_addition(&open);
        for (side, open) in open.into_iter().enumerate() {
            for idx in open {
                let part = &self.sides[side].parts[idx];
                let is_forgiven = is_beside || self.lone_heads.contains(&part.name);
                self.has_unanswered_matrix |= part.is_matrix() && !is_forgiven;
                self.is_loose = true;
                self.same_dimensions &= !part.is_matrix() || is_forgiven;
                let kind = if side == 0 { "only-in-subject" } else { "only-in-reference" };
                let count = part.count();
                let times = if count > 1 { format!(" x {count}") } else { String::new() };
                let told = format!("{} {}{times}", part.role, shape_words(part.shape()));
                self.differences.push(one_sided(kind, &part.name, side, &told));
            }
        }
    }

    /// Whether one side is the other whole and a little besides that is no known part of a language model: a value
    /// head, an adapter, or a tensor put in so that the two look unlike.
    fn is_small_addition(&self, open: &[Vec<usize>; 2]) -> bool {
        let is_lone_head = |part: &Part| self.lone_heads.contains(&part.name);
        let open = [0, 1].map(|side| {
            let parts = open[side].iter().map(|it| &self.sides[side].parts[*it]);
            parts.filter(|it| !is_lone_head(it)).collect::<Vec<_>>()
        });
        let (side, added) = match &open {
            [added, none] if none.is_empty() => (0, added),
            [none, added] if none.is_empty() => (1, added),
            _ => return false,
        };
        let elements =
            |parts: &mut dyn Iterator<Item = &Part>| parts.fold(0_u64, |sum, it| sum.saturating_add(it.elements()));
        let all = elements(&mut self.sides[side].parts.iter());
        added.iter().all(|it| it.role.is_unknown() && it.component == Component::Language)
            && elements(&mut added.iter().copied()).saturating_mul(ADDITION_SHARE) <= all
    }

    /// Where all shapes are equal and some roles rest on shapes alone, two readings of one shape are no difference.
    pub(super) fn look_at_dimensions(&mut self) {
        let are_all_named = self.sides.iter().all(|it| it.parts.iter().all(|part| part.role.is_named()));
        let is_equal = self.same_dimensions && !self.is_loose && !are_all_named;
        for pair in self.dimensions() {
            let (Some(ours), Some(theirs)) = (pair.subject, pair.reference) else { continue };
            if ours != theirs && (!is_equal || pair.name == "vocab") {
                let kind = if pair.name == "vocab" && is_padding(ours, theirs) { "vocabulary" } else { "dimension" };
                self.differences.push(difference(kind, &pair.name, &ours.to_string(), &theirs.to_string()));
            }
        }
    }

    fn dimensions(&self) -> Vec<DimensionPair> {
        let told = self.sides.map(|it| it.dimensions.told());
        let is_told = |name: &str| told.iter().flatten().any(|(it, _)| *it == name);
        let names = crate::blueprint::dimensions::ORDER.iter().filter(|it| is_told(it));
        let pair = |name: &&str| DimensionPair {
            name: (*name).to_owned(),
            subject: self.sides[0].dimensions.get(name),
            reference: self.sides[1].dimensions.get(name),
        };
        names.map(pair).collect()
    }

    fn finish(self, projections: Vec<Projection>) -> Form {
        let relation = self.relation(!projections.is_empty());
        self.told(relation, projections)
    }

    fn relation(&self, has_projections: bool) -> FormRelation {
        let has_matrices = self.matching.pairs.iter().any(|it| self.matching.subject[it.subject].is_matrix());
        let has_renames = self.matching.pairs.iter().any(|it| self.rename(it).is_some());
        if self.has_unanswered_matrix || !has_matrices || self.shares_no_norm() {
            FormRelation::Different
        } else if self.is_loose {
            FormRelation::SameFamily
        } else if has_projections {
            FormRelation::FusedOrSplit
        } else if has_renames {
            FormRelation::SameUpToRenaming
        } else if self.same_dimensions {
            FormRelation::Identical
        } else {
            FormRelation::SameFamily
        }
    }

    /// All that was found, in a fixed order, under the relation.
    pub(super) fn told(mut self, relation: FormRelation, projections: Vec<Projection>) -> Form {
        let mut renames: Vec<Rename> = self.matching.pairs.iter().filter_map(|it| self.rename(it)).collect();
        renames.sort();
        self.differences.sort();
        self.normalised.sort();
        self.normalised.dedup();
        let dimensions = self.dimensions();
        let same_dimensions = self.same_dimensions && relation != FormRelation::Different;
        Form {
            relation,
            same_dimensions,
            renames,
            projections,
            dimensions,
            differences: self.differences,
            normalised: self.normalised,
        }
    }

    /// Whether both sides have norms and none of them is where one of the other is: an encoder that normalises after
    /// its blocks and a decoder that does so before them have equal matrices, and are different all the same.
    pub(super) fn shares_no_norm(&self) -> bool {
        let is_norm = |it: &Part| it.role.names().iter().any(|it| NORMS.iter().any(|norm| it.starts_with(norm)));
        let is_shared = self.matching.pairs.iter().any(|it| is_norm(&self.matching.subject[it.subject]));
        !is_shared && self.sides.iter().all(|it| it.parts.iter().any(is_norm))
    }

    fn rename(&self, pair: &Pair) -> Option<Rename> {
        let (ours, theirs) = (&self.matching.subject[pair.subject], &self.matching.reference[pair.reference]);
        (pair.by != Sign::Name && ours.plain != theirs.plain).then(|| Rename {
            subject: ours.name.clone(),
            reference: theirs.name.clone(),
            by: pair.by.word().to_owned(),
        })
    }
}

/// The head: the part known to be one, or the later of two tables that nothing tells apart.
fn head(blueprint: &Blueprint) -> Option<usize> {
    let tables: Vec<usize> = (0..blueprint.parts.len())
        .filter(|it| {
            blueprint.parts[*it].component == Component::Language && blueprint.parts[*it].role.may_be("output")
        })
        .collect();
    let known = tables.iter().copied().find(|it| blueprint.parts[*it].role.is("output"));
    known.or_else(|| (tables.len() == 2).then(|| tables[1]))
}

fn is_tower(component: &Component) -> bool {
    matches!(component, Component::Tower(_))
}

fn is_prediction(component: &Component) -> bool {
    *component == Component::Prediction
}

fn component_name(part: &Part) -> String {
    match &part.component {
        Component::Tower(name) => name.clone(),
        Component::Prediction => "prediction layers".into(),
        Component::Language => "language model".into(),
    }
}

fn is_vocabulary(part: &Part) -> bool {
    ["token_embedding", "output", "output.bias"].iter().any(|it| part.role.may_be(it))
}

fn differ_by_padding(one: &[u64], other: &[u64]) -> bool {
    match (one, other) {
        ([rows, rest @ ..], [other_rows, other_rest @ ..]) => rest == other_rest && is_padding(*rows, *other_rows),
        _ => false,
    }
}

/// Whether two shapes are the same in named dimensions. Widths and heads say the same; a part that may be several
/// things has no algebra to differ in, and neither have numbers that no dimension names.
fn is_same_algebra(part: &Part, one: &[String], other: &[String]) -> bool {
    let plain = |it: &String| match it.as_str() {
        "query_width" => "heads*head_dim".to_owned(),
        "key_value_width" => "kv_heads*head_dim".to_owned(),
        "query_width+2*key_value_width" => "(heads+2*kv_heads)*head_dim".to_owned(),
        other => other.to_owned(),
    };
    let is_number = |it: &String| it.bytes().all(|byte| byte.is_ascii_digit());
    part.role.only().is_none()
        || one.len() == other.len()
            && one.iter().zip(other).all(|(one, other)| {
                plain(one) == plain(other) || is_number(one) && is_number(other) && part.is_matrix() && one == other
            })
}

fn shape_words(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

fn normalisation(side: &str, kind: &str, item: &str) -> Normalisation {
    Normalisation { side: side.to_owned(), kind: kind.to_owned(), item: item.to_owned() }
}

fn difference(kind: &str, item: &str, subject: &str, reference: &str) -> Difference {
    Difference {
        kind: kind.to_owned(),
        item: item.to_owned(),
        subject: Some(subject.to_owned()),
        reference: Some(reference.to_owned()),
    }
}

pub(super) fn one_sided(kind: &str, item: &str, side: usize, told: &str) -> Difference {
    let told = Some(told.to_owned());
    let (subject, reference) = if side == 0 { (told, None) } else { (None, told) };
    Difference { kind: kind.to_owned(), item: item.to_owned(), subject, reference }
}
