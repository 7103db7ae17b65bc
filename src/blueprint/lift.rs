//! Lifts layer and expert indices out of tensor names, whatever the naming scheme.
//!
//! No word such as `layers` or `experts` is looked for: a number is an index where the things it counts are alike, and
//! the outer of two indices is the layer unless the layers of the other tensors say otherwise. A number before whole
//! lists of layers (`0.auto_model.layers.5`, `module_list.1.layers.5`) counts wrappers or models and is part of their
//! names.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::template::{Template, ranges};

/// The most numbers of one name that can be indices; further ones stay part of the name.
const MAX_SLOTS: usize = 8;

/// Templates of tensors given as name, element type and shape, in the order they first occur.
pub(crate) fn lift<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a str, &'a [u64])>) -> Vec<Template> {
    let tensors: Vec<_> = tensors.into_iter().collect();
    let mut names: Vec<Name<'a>> = tensors.iter().map(|(name, _, _)| Name::parse(name)).collect();
    for slot in 0..MAX_SLOTS {
        if names.iter().all(|it| it.slots.len() <= slot) {
            break;
        }
        decide(&mut names, slot);
    }
    let layers = main_layers(&names);
    collect(&names, &tensors, &layers)
}

/// A name with the numbers in it that may be indices.
struct Name<'a> {
    text: &'a str,
    slots: Vec<Slot>,
}

struct Slot {
    start: usize,
    end: usize,
    index: u32,
    /// Whether dots stand on both sides of it, as in `layers.0.`; `ln1` and `layers_0` hold an embedded number.
    is_whole: bool,
    is_index: bool,
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let (mut slots, mut at) = (Vec::new(), 0);
        while at < bytes.len() && slots.len() < MAX_SLOTS {
            let length = bytes[at..].iter().take_while(|it| it.is_ascii_digit()).count();
            let end = at + length;
            let (before, after) = (at.checked_sub(1).map(|it| bytes[it]), bytes.get(end).copied());
            let is_bounded = matches!(after, None | Some(b'.' | b'/' | b'_'));
            if (1..=5).contains(&length)
                && is_bounded
                && let Ok(index) = text[at..end].parse()
            {
                let is_whole = matches!(before, None | Some(b'.' | b'/')) && after != Some(b'_');
                slots.push(Slot { start: at, end, index, is_whole, is_index: false });
            }
            at = end.max(at + 1);
        }
        Self { text, slots }
    }

    /// The text before a slot, with the indices found so far taken out.
    fn container(&self, slot: usize) -> String {
        self.masked(0, self.slots[slot].start, |it| it.is_index)
    }

    /// The text after a slot, with every whole number taken out.
    fn rest(&self, slot: usize) -> String {
        self.masked(self.slots[slot].end, self.text.len(), |it| it.is_whole)
    }

    fn masked(&self, start: usize, end: usize, is_masked: impl Fn(&Slot) -> bool) -> String {
        let (mut masked, mut at) = (String::with_capacity(end - start), start);
        for slot in self.slots.iter().filter(|it| it.start >= start && it.end <= end && is_masked(it)) {
            masked.push_str(&self.text[at..slot.start]);
            masked.push('*');
            at = slot.end;
        }
        masked.push_str(&self.text[at..end]);
        masked
    }

    /// The places of the first two indices.
    fn indices(&self) -> (Option<usize>, Option<usize>) {
        let mut found = (0..self.slots.len()).filter(|it| self.slots[*it].is_index);
        (found.next(), found.next())
    }
}

/// What stands behind one text before a slot: for each number, the texts after it.
#[derive(Default)]
struct Container {
    items: BTreeMap<u32, BTreeSet<String>>,
    is_whole: bool,
    is_inside_layer: bool,
}

/// Decides for every name whether its number at `slot` is an index.
fn decide(names: &mut [Name<'_>], slot: usize) {
    let mut containers: BTreeMap<String, Container> = BTreeMap::new();
    for name in names.iter().filter(|it| it.slots.len() > slot) {
        let container = containers.entry(name.container(slot)).or_default();
        container.is_whole = name.slots[slot].is_whole;
        container.is_inside_layer = name.slots[..slot].iter().any(|it| it.is_index);
        container.items.entry(name.slots[slot].index).or_default().insert(name.rest(slot));
    }
    let mut lists: BTreeSet<String> =
        containers.into_iter().filter(|(_, it)| it.is_list()).map(|(key, _)| key).collect();
    for wrapper in wrappers(names, slot, &lists) {
        lists.remove(&wrapper);
    }
    for name in names.iter_mut().filter(|it| it.slots.len() > slot) {
        let is_index = lists.contains(&name.container(slot));
        name.slots[slot].is_index = is_index;
    }
}

/// What is in one list of things, by the text between its number and the next whole one.
#[derive(Default)]
struct Inner {
    items: BTreeSet<u32>,
    modules: BTreeSet<String>,
}

/// Fewer modules make no layer.
const LEAST_MODULES: usize = 4;

/// Those of some lists whose items hold whole lists of layers: most of what is in an item is in lists further
/// in, and each of these has as many modules as a layer has. An expert has fewer, and a layer more beside its experts.
fn wrappers(names: &[Name<'_>], slot: usize, lists: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, (BTreeSet<u32>, BTreeMap<String, Inner>)> = BTreeMap::new();
    for name in names.iter().filter(|it| it.slots.len() > slot) {
        let container = name.container(slot);
        if name.slots.iter().take(slot).any(|it| it.is_index) || !lists.contains(&container) {
            continue;
        }
        let (items, inner) = seen.entry(container).or_default();
        items.insert(name.slots[slot].index);
        let next = (slot + 1..name.slots.len()).find(|it| name.slots[*it].is_whole);
        let (between, module_of) = match next {
            Some(next) => (
                name.text[name.slots[slot].end..name.slots[next].start].to_owned(),
                name.masked(name.slots[next].end, name.text.len(), |it| it.is_whole),
            ),
            None => (String::new(), name.masked(name.slots[slot].end, name.text.len(), |it| it.is_whole)),
        };
        let inner = inner.entry(between).or_default();
        inner.items.extend(next.map(|it| name.slots[it].index));
        inner.modules.insert(parent(&module_of).to_owned());
    }
    let is_wrapper = |(items, inner): &(BTreeSet<u32>, BTreeMap<String, Inner>)| {
        let least = items.len().min(2);
        let is_rich = |it: &&Inner| it.items.len() >= least && it.modules.len() >= LEAST_MODULES;
        let rich: usize = inner.values().filter(is_rich).map(|it| it.modules.len()).sum();
        let all: usize = inner.values().map(|it| it.modules.len()).sum();
        rich > all - rich
    };
    seen.into_iter().filter(|(_, it)| is_wrapper(it)).map(|(key, _)| key).collect()
}

/// The module that a tensor is in.
fn parent(rest: &str) -> &str {
    rest.rsplit_once('.').map_or(rest, |it| it.0)
}

impl Container {
    /// Whether its items are alike, as layers and experts are, and the steps of a pipeline (`mlp.0`, `mlp.2`) or the
    /// parts of one layer (`ln1`, `ln2`; `layer.0` attention, `layer.1` feed-forward) are not.
    fn is_list(&self) -> bool {
        let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
        for rest in self.items.values().flatten() {
            *holders.entry(rest).or_default() += 1;
        }
        let modules: BTreeSet<&str> = holders.keys().map(|it| module(it)).collect();
        let repeated = holders.values().filter(|it| **it > 1).count();
        let are_alike = repeated * 2 >= holders.len();
        match (self.items.len(), self.is_whole) {
            (1, true) => modules.len() >= 3,
            (_, true) => are_alike && (modules.len() >= 3 || modules.len() == 2 && self.items.len() >= 3),
            (count, false) => are_alike && modules.len() >= 2 && self.counts_up(count),
        }
    }

    fn counts_up(&self, count: usize) -> bool {
        let first = self.items.keys().next().copied().unwrap_or_default();
        let last = self.items.keys().next_back().copied().unwrap_or_default();
        let has_no_gap = first <= 1 && (last - first) as usize + 1 == count;
        has_no_gap && count >= if self.is_inside_layer { 4 } else { 2 }
    }
}

/// The name without its last part where that only says weight or bias.
fn module(rest: &str) -> &str {
    let rest = rest.strip_suffix("weight").or_else(|| rest.strip_suffix("bias")).unwrap_or(rest);
    rest.trim_end_matches(['.', '/', '_'])
}

/// The list that most tensors with one index stand in: its container and its indices.
fn main_layers(names: &[Name<'_>]) -> (String, BTreeSet<u32>) {
    let mut lists: BTreeMap<String, (usize, BTreeSet<u32>)> = BTreeMap::new();
    for name in names {
        if let (Some(slot), None) = name.indices() {
            let list = lists.entry(name.container(slot)).or_default();
            list.0 += 1;
            list.1.insert(name.slots[slot].index);
        }
    }
    let main = lists.into_iter().max_by_key(|(_, it)| it.0);
    main.map(|(container, it)| (container, it.1)).unwrap_or_default()
}

type Key<'a> = (String, &'a [u64], &'a str);

fn collect(names: &[Name<'_>], tensors: &[(&str, &str, &[u64])], layers: &(String, BTreeSet<u32>)) -> Vec<Template> {
    let swapped = swapped_containers(names, layers);
    let mut order: Vec<Key<'_>> = Vec::new();
    let mut found: BTreeMap<Key<'_>, BTreeMap<Option<u32>, BTreeSet<u32>>> = BTreeMap::new();
    for (name, (_, dtype, shape)) in names.iter().zip(tensors) {
        let (template, layer, expert) = name.template(&swapped);
        let key = (template, *shape, *dtype);
        let by_layer = found.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            BTreeMap::new()
        });
        by_layer.entry(layer).or_default().extend(expert);
    }
    order.iter().flat_map(|key| templates_of(key, &found[key])).collect()
}

/// One template for each set of layers that have the same experts.
fn templates_of(key: &Key<'_>, by_layer: &BTreeMap<Option<u32>, BTreeSet<u32>>) -> Vec<Template> {
    let mut by_experts: Vec<(&BTreeSet<u32>, BTreeSet<u32>)> = Vec::new();
    for (layer, experts) in by_layer {
        match by_experts.iter_mut().find(|(it, _)| *it == experts) {
            Some((_, layers)) => layers.extend(layer),
            None => by_experts.push((experts, layer.iter().copied().collect())),
        }
    }
    let (name, shape, dtype) = key;
    let template = |(experts, layers): (&BTreeSet<u32>, BTreeSet<u32>)| Template {
        name: name.clone(),
        shape: shape.to_vec(),
        layers: ranges(&layers),
        experts: ranges(experts),
        dtype: (!dtype.is_empty()).then(|| (*dtype).to_owned()),
    };
    by_experts.into_iter().map(template).collect()
}

/// The containers whose outer index is the expert: the inner one then runs over the main layers, the outer does not.
fn swapped_containers(names: &[Name<'_>], (main, layers): &(String, BTreeSet<u32>)) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    for name in names {
        if let (Some(outer), Some(inner)) = name.indices()
            && name.container(outer) != *main
        {
            let pair = seen.entry(name.container(inner)).or_default();
            pair.0.insert(name.slots[outer].index);
            pair.1.insert(name.slots[inner].index);
        }
    }
    let is_swapped = |(outer, inner): &(BTreeSet<u32>, BTreeSet<u32>)| inner == layers && outer != layers;
    seen.into_iter().filter(|(_, it)| is_swapped(it)).map(|(key, _)| key).collect()
}

impl Name<'_> {
    /// The name with `{i}` and `{j}`, the layer and the expert.
    fn template(&self, swapped: &BTreeSet<String>) -> (String, Option<u32>, Option<u32>) {
        let (outer, inner) = self.indices();
        let is_swapped = inner.is_some_and(|it| swapped.contains(&self.container(it)));
        let (layer, expert) = if is_swapped { (inner, outer) } else { (outer, inner) };
        let (mut template, mut at) = (String::with_capacity(self.text.len() + 4), 0);
        for (place, slot) in self.slots.iter().enumerate() {
            let mark = if Some(place) == layer { "{i}" } else { "{j}" };
            if Some(place) == layer || Some(place) == expert {
                template.push_str(&self.text[at..slot.start]);
                template.push_str(mark);
                at = slot.end;
            }
        }
        template.push_str(&self.text[at..]);
        (template, layer.map(|it| self.slots[it].index), expert.map(|it| self.slots[it].index))
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::template::{length, written};

    use super::*;

    /// Lifts names with one shape, and gives `template [layers] [experts]` for each.
    fn check(names: &[&str], expected: &[&str]) {
        let shape: &[u64] = &[2, 3];
        let found = lift(names.iter().map(|it| (*it, "F32", shape)));
        let words = |it: &Template| format!("{} [{}] [{}]", it.name, written(&it.layers), written(&it.experts));
        assert_eq!(found.iter().map(words).collect::<Vec<_>>(), expected);
    }

    fn layers(count: u32, rests: &[&str], prefix: &str) -> Vec<String> {
        (0..count).flat_map(|idx| rests.iter().map(move |it| format!("{prefix}{idx}{it}"))).collect()
    }

    fn check_layers(prefix: &str, rests: &[&str], expected: &[&str]) {
        let names = layers(3, rests, prefix);
        check(&names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn layers_of_any_scheme_are_lifted() {
        let rests = [".ln1.weight", ".attn.q.weight", ".mlp.w1.weight"];
        check_layers(
            "h.",
            &rests,
            &["h.{i}.ln1.weight [0-2] []", "h.{i}.attn.q.weight [0-2] []", "h.{i}.mlp.w1.weight [0-2] []"],
        );
        check_layers(
            "a_",
            &rests,
            &["a_{i}.ln1.weight [0-2] []", "a_{i}.attn.q.weight [0-2] []", "a_{i}.mlp.w1.weight [0-2] []"],
        );
        check_layers("block", &[".x", ".y"], &["block{i}.x [0-2] []", "block{i}.y [0-2] []"]);
        check_layers("q.", &[".a", ".b"], &["q.{i}.a [0-2] []", "q.{i}.b [0-2] []"]);
    }

    #[test]
    fn numbers_that_are_part_of_a_name_stay() {
        check(
            &["ln_1.weight", "ln_2.weight", "ln_1.bias", "ln_2.bias"],
            &["ln_1.weight [] []", "ln_2.weight [] []", "ln_1.bias [] []", "ln_2.bias [] []"],
        );
        check(
            &["projector.0.weight", "projector.0.bias", "projector.2.weight", "projector.2.bias"],
            &[
                "projector.0.weight [] []",
                "projector.0.bias [] []",
                "projector.2.weight [] []",
                "projector.2.bias [] []",
            ],
        );
        check(
            &["mlp.dense_4h_to_h.weight", "conv1d.weight"],
            &["mlp.dense_4h_to_h.weight [] []", "conv1d.weight [] []"],
        );
    }

    #[test]
    fn experts_are_told_from_layers() {
        let mut names = layers(3, &[".norm", ".gate"], "layers.");
        for layer in 1..3 {
            names.extend(layers(4, &[".up", ".gate", ".down"], &format!("layers.{layer}.experts.")));
        }
        check(
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
            &[
                "layers.{i}.norm [0-2] []",
                "layers.{i}.gate [0-2] []",
                "layers.{i}.experts.{j}.up [1-2] [0-3]",
                "layers.{i}.experts.{j}.gate [1-2] [0-3]",
                "layers.{i}.experts.{j}.down [1-2] [0-3]",
            ],
        );
    }

    #[test]
    fn an_expert_outside_the_layers_is_still_the_expert() {
        let mut names = layers(3, &[".norm", ".gate"], "layers.");
        for expert in 0..2 {
            names.extend(layers(3, &[".up", ".gate", ".down"], &format!("experts.{expert}.layers.")));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let shape: &[u64] = &[1];
        let found = lift(names.iter().map(|it| (*it, "F32", shape)));
        assert_eq!(found[2].name, "experts.{j}.layers.{i}.up");
        assert_eq!((length(&found[2].layers), length(&found[2].experts)), (3, 2));
    }

    #[test]
    fn a_number_before_whole_lists_of_layers_is_no_layer() {
        let modules = [".q.weight", ".k.weight", ".o.weight", ".up.weight", ".down.weight", ".norm.weight"];
        for prefix in ["0.auto_model.", "module_list.0.", "a.3.b.2."] {
            let mut names = layers(3, &modules, &format!("{prefix}layers."));
            names.extend(["emb.weight", "norm.weight"].map(|it| format!("{prefix}{it}")));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let found = lift(names.iter().map(|it| (*it, "F32", [1_u64].as_slice())));
            assert_eq!(found[0].name, format!("{prefix}layers.{{i}}.q.weight"));
            assert_eq!((length(&found[0].layers), found.len()), (3, 8));
        }
        // Two models in one list are two lists of layers.
        let both: Vec<String> = (0..2).flat_map(|it| layers(3, &modules, &format!("models.{it}.layers."))).collect();
        let found = lift(both.iter().map(|it| (it.as_str(), "F32", [1_u64].as_slice())));
        assert_eq!((found.len(), found[0].name.as_str()), (12, "models.0.layers.{i}.q.weight"));
    }

    #[test]
    fn the_parts_of_a_block_are_not_layers() {
        let mut names = Vec::new();
        for block in 0..4 {
            for rest in ["0.Attention.q", "0.Attention.k", "0.norm", "1.Dense.wi", "1.Dense.wo", "1.norm"] {
                names.push(format!("block.{block}.layer.{rest}"));
            }
        }
        let found = lift(names.iter().map(|it| (it.as_str(), "F32", [1_u64].as_slice())));
        assert_eq!(found[0].name, "block.{i}.layer.0.Attention.q");
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn layers_of_other_shapes_are_other_templates() {
        let tensors = [("b.0.x", [2_u64]), ("b.0.y", [9]), ("b.1.x", [3]), ("b.1.y", [9]), ("b.2.y", [9])];
        let found = lift(tensors.iter().map(|(name, shape)| (*name, "F32", shape.as_slice())));
        let shapes: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.shape[0])).collect();
        assert_eq!(shapes, [("b.{i}.x", 2), ("b.{i}.y", 9), ("b.{i}.x", 3)]);
    }

    #[test]
    fn a_name_of_digits_only_and_huge_numbers_are_read() {
        check(
            &["0", "123456.x", "layers.4294967296.a", "é.1.ü"],
            &["0 [] []", "123456.x [] []", "layers.4294967296.a [] []", "é.1.ü [] []"],
        );
    }
}
