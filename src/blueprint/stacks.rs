//! Several lists of layers in one checkpoint: a language model beside a talker, an encoder, a draft model, second
//! experts, or a list that somebody appended. Each is a model of its own, and one of them is the language model.
//!
//! Which one is decided by what surrounds the lists: the token embedding, the head and the last norm belong to the
//! list that they are beside; then by the configuration, and by size. A list that nothing around it distinguishes from
//! that one, of the same width and at least half the size, to which neither its name nor the configuration gives
//! another purpose, may be the language model as well: it is a *rival*, and both are judged.
//!
//! **Limitations.** Two lists that each have a norm or a head of their own are taken at their word.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::config::Config;
use crate::blueprint::naming;
use crate::blueprint::part::{Component, Part};

/// Words of a list that say what it is for, where that is not the language model.
const PURPOSES: &[&str] = &[
    "talker",
    "tts",
    "speech",
    "audio",
    "voice",
    "vocoder",
    "codec",
    "wave",
    "token2wav",
    "flow",
    "dit",
    "diffusion",
    "image",
    "vision",
    "visual",
    "video",
    "unet",
    "vae",
    "draft",
    "drafter",
    "eagle",
    "medusa",
    "hydra",
    "mtp",
    "nextn",
    "reward",
    "critic",
];

/// Words that a list of layers is usually called by.
const LIST_WORDS: &[&str] = &["layers", "layer", "blocks", "block", "blk", "h"];

/// What is at both ends of a language model.
const ENDS: [&str; 3] = ["token_embedding", "output", "output_norm"];

/// So many matrices that have a second one of the same role make a second block, and not a stray tensor.
const TWINS: usize = 3;

/// A list of layers beside the language model's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stack {
    /// What it is called, e.g. `tts.model.layers`.
    pub(crate) word: String,
    /// What its names begin with, up to the layer's index.
    prefixes: Vec<String>,
    /// What its names have in them where they are among those of another list.
    infix: Option<String>,
    /// A word that names of this stack have and those of a model by itself do not.
    mark: Option<String>,
    /// Modules outside the layers that are its own, with its point.
    modules: BTreeSet<String>,
    /// Whether it may be the language model as well.
    pub(crate) is_rival: bool,
}

/// All lists beside the language model's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stacks {
    /// What the language model's own list is called; `None` if there is no other.
    pub(crate) main: Option<String>,
    pub(crate) beside: Vec<Stack>,
}

impl Stacks {
    /// The list beside the language model's that a tensor of this name belongs to.
    pub(crate) fn of(&self, name: &str) -> Option<&Stack> {
        self.beside.iter().find(|it| it.holds(name))
    }
}

impl Stack {
    fn holds(&self, name: &str) -> bool {
        let is_listed = self.prefixes.iter().any(|it| name.starts_with(it.as_str()));
        is_listed && self.infix.as_ref().is_none_or(|it| name.contains(it.as_str()))
            || self.modules.iter().any(|it| name.starts_with(it.as_str()) || name == it.trim_end_matches('.'))
    }

    /// A name as a model by itself has it.
    pub(crate) fn own_name(&self, name: &str) -> String {
        let plain = self.infix.as_ref().map_or_else(|| name.to_owned(), |it| name.replacen(it.as_str(), "", 1));
        self.mark.as_ref().map_or(plain.clone(), |it| without(&plain, it)).replace("..", ".")
    }
}

/// A name without a word that is joined to others by underscores.
fn without(name: &str, word: &str) -> String {
    let segments = name.split('.').map(|segment| {
        let kept: Vec<&str> = segment.split('_').filter(|it| *it != word).collect();
        if kept.is_empty() { segment.to_owned() } else { kept.join("_") }
    });
    segments.collect::<Vec<_>>().join(".")
}

/// Takes every list of layers but the language model's out of it: their parts become towers of their own.
pub(crate) fn separate(parts: &mut [Part], config: &Config) -> Stacks {
    let groups = groups(parts);
    let mut stacks = Stacks::default();
    if groups.len() > 1 {
        let ranked = Ranked::of(&groups, parts, config);
        stacks.main = Some(groups[ranked.main].word());
        stacks.beside = ranked.beside(&groups, parts, config);
    }
    let main: Vec<usize> =
        (0..parts.len()).filter(|it| is_layered(&parts[*it]) && stacks.of(&parts[*it].name).is_none()).collect();
    for second in second_blocks(&main, parts, config) {
        stacks.main.get_or_insert_with(|| list_of(&parts[main[0]]).trim_end_matches('.').to_owned());
        stacks.beside.push(second);
    }
    for part in parts.iter_mut().filter(|it| it.component == Component::Language) {
        if let Some(stack) = stacks.of(&part.name) {
            part.component = Component::Tower(stack.word.clone());
        }
    }
    stacks
}

fn is_layered(part: &Part) -> bool {
    part.component == Component::Language && part.is_layered()
}

/// The name up to its layer index.
pub(crate) fn list_of(part: &Part) -> &str {
    part.name.split("{i}").next().unwrap_or_default()
}

/// Lists whose layers are those of one model.
#[derive(Clone, Debug)]
struct Group {
    prefixes: Vec<String>,
    parts: Vec<usize>,
    roles: BTreeMap<usize, String>,
    layers: BTreeSet<u32>,
    is_complete: bool,
}

impl Group {
    fn new(prefix: &str, members: Vec<usize>, parts: &[Part]) -> Self {
        let siblings = naming::siblings(members.iter().map(|it| parts[*it].name.as_str()));
        let hint = |it: &usize| Some((*it, naming::hint(&parts[*it], &siblings)?));
        let roles: BTreeMap<usize, String> = members.iter().filter_map(hint).collect();
        let layers = members.iter().flat_map(|it| layers(&parts[*it])).collect();
        let matrices = members.iter().filter(|it| parts[**it].is_matrix()).count();
        let has = |of: &dyn Fn(&str) -> bool| roles.values().any(|it| of(it));
        let (mixes, feeds) = (has(&mixes), has(&feeds));
        let is_complete = mixes && feeds || !mixes && !feeds && matrices > 3;
        Self { prefixes: vec![prefix.to_owned()], parts: members, roles, layers, is_complete }
    }

    /// Whether both have a tensor of one role in one layer.
    fn collides_with(&self, other: &Self, parts: &[Part]) -> bool {
        self.roles.iter().any(|(ours, role)| {
            let same = other.roles.iter().filter(|it| it.1 == role);
            same.into_iter().any(|(theirs, _)| shares_layers(&parts[*ours], &parts[*theirs]))
        })
    }

    fn join(&mut self, other: Self) {
        self.prefixes.extend(other.prefixes);
        self.parts.extend(other.parts);
        self.roles.extend(other.roles);
        self.layers.extend(other.layers);
        self.is_complete = self.roles.values().any(|it| mixes(it)) && self.roles.values().any(|it| feeds(it));
    }

    fn word(&self) -> String {
        self.prefixes[0].trim_end_matches('.').to_owned()
    }

    /// The modules that the list is in.
    fn home(&self) -> Vec<&str> {
        let mut home: Vec<&str> = self.prefixes[0].trim_end_matches('.').split('.').collect();
        home.pop();
        home
    }

    /// The word that the list's own name has beside a usual one, e.g. `mimo` of `mimo_layers`.
    fn mark(&self) -> Option<String> {
        let name = self.prefixes[0].trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let (usual, own): (Vec<&str>, Vec<&str>) =
            name.split('_').filter(|it| !it.is_empty()).partition(|it| LIST_WORDS.contains(it));
        let [mark] = own[..] else { return None };
        (!usual.is_empty()).then(|| mark.to_owned())
    }

    fn words(&self) -> BTreeSet<&str> {
        self.prefixes.iter().flat_map(|it| it.split(['.', '_'])).filter(|it| !it.is_empty()).collect()
    }

    fn elements(&self, parts: &[Part]) -> u64 {
        self.parts.iter().fold(0, |sum, it| sum.saturating_add(parts[*it].elements()))
    }

    /// The width of its stream: the commonest size of its matrices, each counted once.
    fn hidden(&self, parts: &[Part]) -> Option<u64> {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for part in self.parts.iter().map(|it| &parts[*it]) {
            let sizes: BTreeSet<u64> = part.shape().iter().copied().filter(|it| *it > 1).collect();
            sizes.into_iter().for_each(|it| *counts.entry(it).or_default() += 1);
        }
        counts.into_iter().max_by_key(|(size, count)| (*count, Reverse(*size))).map(|it| it.0)
    }
}

fn mixes(role: &str) -> bool {
    role.starts_with("attention.query") || role.starts_with("attention.key_value") || role.starts_with("ssm.")
}

fn feeds(role: &str) -> bool {
    role.ends_with("ffn.down") || role.ends_with("ffn.up") || role.ends_with("ffn.gate_up")
}

fn layers(part: &Part) -> BTreeSet<u32> {
    part.variants.iter().flat_map(|it| it.layers.iter().cloned().flatten()).collect()
}

fn shares_layers(one: &Part, other: &Part) -> bool {
    let ranges = |part: &Part| part.variants.iter().flat_map(|it| it.layers.clone()).collect::<Vec<_>>();
    let theirs = ranges(other);
    ranges(one).iter().any(|a| theirs.iter().any(|b| a.start() <= b.end() && b.start() <= a.end()))
}

/// The lists of a model. One that holds only some kinds of tensors, such as the experts of all layers, belongs to the
/// list whose layers it completes; one whose words are unknown stays with the first.
fn groups(parts: &[Part]) -> Vec<Group> {
    let mut lists: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate().filter(|it| is_layered(it.1)) {
        lists.entry(list_of(part)).or_default().push(at);
    }
    let all = lists.into_iter().map(|(prefix, members)| Group::new(prefix, members, parts));
    let (mut groups, rest): (Vec<Group>, Vec<Group>) = all.partition(|it| it.is_complete);
    for list in rest {
        let is_unknown = list.roles.is_empty() && !groups.is_empty();
        let fits = |it: &&mut Group| is_unknown || !it.collides_with(&list, parts) && completes(&list, it);
        let near =
            |it: &&mut Group| (shared_words(&it.prefixes[0], &list.prefixes[0]), Reverse(it.prefixes[0].clone()));
        match groups.iter_mut().filter(fits).max_by_key(near) {
            Some(group) => group.join(list),
            None => groups.push(list),
        }
    }
    groups
}

/// Whether a list is in layers that the other has, or both hold halves of the same layers.
fn completes(list: &Group, other: &Group) -> bool {
    list.layers.is_subset(&other.layers) || !other.is_complete && other.layers.is_subset(&list.layers)
}

fn shared_words(one: &str, other: &str) -> usize {
    one.split('.').zip(other.split('.')).take_while(|(a, b)| a == b).count()
}

/// What each list has of the ends of a language model.
struct Ranked {
    main: usize,
    /// For each list and each end: 2 where it is its own, 1 where others may share it, 0 where it has none.
    ends: Vec<[u8; 3]>,
    /// Parts outside the layers that one list alone has, by list.
    modules: Vec<BTreeSet<String>>,
    /// Rows of the token embedding that each has.
    rows: Vec<u64>,
}

impl Ranked {
    fn of(groups: &[Group], parts: &[Part], config: &Config) -> Self {
        let mut ranked = Self {
            main: 0,
            ends: vec![[0; 3]; groups.len()],
            modules: vec![BTreeSet::new(); groups.len()],
            rows: vec![0; groups.len()],
        };
        let marks: Vec<Option<String>> = groups.iter().map(Group::mark).collect();
        let outside = parts.iter().filter(|it| it.component == Component::Language && !it.is_layered());
        let mut shared = Vec::new();
        for part in outside {
            let (holders, is_marked) = holders(groups, &marks, &part.name);
            let end = end_of(part, is_marked.then(|| marks[holders[0]].clone()).flatten());
            if let [only] = holders[..] {
                ranked.modules[only].insert(module(&part.name));
                if let Some(end) = end {
                    ranked.ends[only][end] = 2;
                    ranked.note_rows(only, end, part);
                }
            } else if let Some(end) = end {
                shared.push((holders, end, part));
            }
        }
        let own = ranked.ends.clone();
        for (holders, end, part) in shared {
            // A list that has one of its own needs none that is further away.
            let needy: Vec<usize> = holders.into_iter().filter(|it| own[*it][end] != 2).collect();
            let has = if needy.len() == 1 { 2 } else { 1 };
            for holder in needy {
                ranked.ends[holder][end] = ranked.ends[holder][end].max(has);
                ranked.note_rows(holder, end, part);
            }
        }
        ranked.main = ranked.first(groups, parts, config);
        ranked
    }

    fn note_rows(&mut self, holder: usize, end: usize, part: &Part) {
        if end == 0 {
            self.rows[holder] = part.shape().first().copied().unwrap_or(0);
        }
    }

    fn first(&self, groups: &[Group], parts: &[Part], config: &Config) -> usize {
        let depth = config.number("num_hidden_layers");
        let width = config.number("hidden_size");
        let key = |at: &usize| {
            let group = &groups[*at];
            (
                group.is_complete,
                !has_purpose(groups, *at, config),
                self.ends[*at].iter().map(|it| u32::from(*it > 0)).sum::<u32>(),
                group.mark().is_none(),
                depth == Some(group.layers.len() as u64),
                width.is_some() && width == group.hidden(parts),
                self.ends[*at].iter().map(|it| u32::from(*it)).sum::<u32>(),
                group.elements(parts),
                Reverse(group.prefixes[0].clone()),
            )
        };
        (0..groups.len()).max_by_key(key).unwrap_or(0)
    }

    fn beside(&self, groups: &[Group], parts: &[Part], config: &Config) -> Vec<Stack> {
        let others = groups.iter().enumerate().filter(|it| it.0 != self.main);
        let stack = |(at, group): (usize, &Group)| Stack {
            word: group.word(),
            prefixes: group.prefixes.clone(),
            infix: None,
            mark: group.mark(),
            modules: self.modules[at].clone(),
            is_rival: self.is_rival(at, groups, parts, config),
        };
        others.map(stack).collect()
    }

    fn is_rival(&self, at: usize, groups: &[Group], parts: &[Part], config: &Config) -> bool {
        let (group, main) = (&groups[at], &groups[self.main]);
        // Nothing outside the layers distinguishes the two: what the one has, the other may have as well.
        let shares =
            self.ends[at].iter().zip(self.ends[self.main]).all(|(own, main)| *own < 2 && (*own > 0 || main == 0));
        let is_whole = self.ends[at][0] == 2 && self.ends[at][1] == 2 && self.rows[at] * 2 >= self.rows[self.main];
        group.is_complete
            && (shares || is_whole)
            && !has_purpose(groups, at, config)
            && group.hidden(parts) == main.hidden(parts)
            && group.elements(parts).saturating_mul(2) >= main.elements(parts)
    }
}

/// Whether a word that not all lists have says what a list is for, or the configuration has a field for it.
fn has_purpose(groups: &[Group], at: usize, config: &Config) -> bool {
    let words = groups[at].words();
    let own: Vec<&str> = words.into_iter().filter(|word| groups.iter().any(|it| !it.words().contains(word))).collect();
    let has_decoder = groups.iter().any(|it| it.words().contains("decoder"));
    let is_purpose = |it: &&str| PURPOSES.contains(it) || *it == "encoder" && has_decoder;
    let mark = groups[at].mark();
    let is_field = |it: &String| mark.as_ref().is_some_and(|mark| it.split('_').any(|word| word == mark));
    own.iter().any(is_purpose) || config.fields().keys().any(is_field)
}

/// The lists that a tensor outside the layers may belong to, and whether a mark in its name says so.
fn holders(groups: &[Group], marks: &[Option<String>], name: &str) -> (Vec<usize>, bool) {
    let words: BTreeSet<&str> = name.split(['.', '_']).collect();
    let is_marked = |it: &usize| marks[*it].as_ref().is_some_and(|mark| words.contains(mark.as_str()));
    let marked: Vec<usize> = (0..groups.len()).filter(is_marked).collect();
    if !marked.is_empty() {
        return (marked, true);
    }
    let mut path: Vec<&str> = name.split('.').collect();
    // The parameter and the module that has it are no place.
    path.truncate(path.len().saturating_sub(2));
    let homes: Vec<Vec<&str>> = groups.iter().map(Group::home).collect();
    let depth = |it: &usize| homes[*it].iter().zip(&path).take_while(|(a, b)| a == b).count();
    let deepest = (0..groups.len()).map(|it| depth(&it)).max().unwrap_or(0);
    let near: Vec<usize> = (0..groups.len()).filter(|it| depth(it) == deepest).collect();
    let exact: Vec<usize> = near.iter().copied().filter(|it| !path.is_empty() && homes[*it] == path).collect();
    (if exact.is_empty() { near } else { exact }, false)
}

/// Which end of a language model a part is.
fn end_of(part: &Part, mark: Option<String>) -> Option<usize> {
    let plain = mark.map_or_else(|| part.plain.clone(), |it| without(&part.plain, &it));
    let role = naming::hint(&Part { plain, ..part.clone() }, &BTreeSet::new())?;
    ENDS.iter().position(|it| *it == role)
}

/// The module of a name, with its point.
fn module(name: &str) -> String {
    name.rsplit_once('.').map_or_else(|| format!("{name}."), |it| format!("{}.", it.0))
}

/// Second blocks inside the language model's own layers, such as a second set of projections for pictures: several
/// matrices that have a twin of the same role whose name differs by one word, always the same.
fn second_blocks(main: &[usize], parts: &[Part], config: &Config) -> Vec<Stack> {
    let Some(first) = main.first() else { return Vec::new() };
    let group = Group::new(list_of(&parts[*first]), main.to_vec(), parts);
    let mut by_infix: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (ours, role) in &group.roles {
        for (theirs, _) in group.roles.iter().filter(|it| it.1 == role && it.0 != ours) {
            let (one, other) = (&parts[*ours], &parts[*theirs]);
            if let Some(infix) = infix(&one.name, &other.name).filter(|_| shares_layers(one, other)) {
                by_infix.entry(infix).or_default().insert(*theirs);
            }
        }
    }
    let is_block = |it: &BTreeSet<usize>| it.iter().filter(|it| parts[**it].is_matrix()).count() >= TWINS;
    let mut seconds = Vec::new();
    for (infix, twins) in by_infix.into_iter().filter(|it| is_block(&it.1)) {
        let prefixes: BTreeSet<String> = twins.iter().map(|it| list_of(&parts[*it]).to_owned()).collect();
        let mark = infix.trim_matches(['_', '.']).to_owned();
        let outside = parts.iter().filter(|it| it.component == Component::Language && !it.is_layered());
        let modules: BTreeSet<String> =
            outside.filter(|it| it.name.contains(infix.as_str())).map(|it| module(&it.name)).collect();
        let second =
            Group::new(&prefixes.iter().next().cloned().unwrap_or_default(), twins.into_iter().collect(), parts);
        let has_field = config.fields().keys().any(|it| it.contains(mark.as_str()));
        let has_purpose = has_field || mark.split('_').any(|it| PURPOSES.contains(&it));
        let is_large =
            second.elements(parts).saturating_mul(2) >= group.elements(parts).saturating_sub(second.elements(parts));
        seconds.push(Stack {
            word: format!("{}/{mark}", second.word()),
            prefixes: prefixes.into_iter().collect(),
            infix: Some(infix),
            mark: None,
            is_rival: second.is_complete && modules.is_empty() && !has_purpose && is_large,
            modules,
        });
    }
    seconds
}

/// What is in the longer of two names and not in the shorter, which are otherwise the same.
fn infix(shorter: &str, longer: &str) -> Option<String> {
    let extra = longer.len().checked_sub(shorter.len()).filter(|it| *it > 0)?;
    let (one, other) = (shorter.as_bytes(), longer.as_bytes());
    let front = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    // Of several places where it may begin, the last that leaves whole words.
    let at = (0..=front).rev().find(|at| {
        let infix = longer.get(*at..at + extra);
        infix.is_some_and(|it| it.starts_with(['_', '.']) || it.ends_with(['_', '.']))
            && one.get(*at..) == other.get(at + extra..)
    })?;
    Some(longer[at..at + extra].to_owned()).filter(|it| !it.bytes().any(|byte| byte.is_ascii_digit() || byte == b'{'))
}
