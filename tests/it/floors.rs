//! The table of rooms in `ARCHITECTURE.md` is the law of imports; this reads it and holds every source file against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A row of the table: which rooms this one may import, and how many rooms stand above it.
struct Room {
    floor: usize,
    may_import: Vec<String>,
}

#[test]
fn a_room_names_only_rooms_above_it() {
    let rooms = rooms();
    for (name, room) in &rooms {
        for target in &room.may_import {
            let floor = rooms.get(target).unwrap_or_else(|| panic!("`{name}` lists unknown room `{target}`")).floor;
            assert!(floor < room.floor, "`{name}` lists `{target}`, which does not stand above it");
        }
    }
}

#[test]
fn sources_import_only_what_their_room_may() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for path in sources() {
        let Some(room) = room_of(&path) else { continue };
        let may_import = &rooms[&room].may_import;
        for (line, target) in imports(&fs::read_to_string(&path).unwrap()) {
            if target != room && rooms.contains_key(&target) && !may_import.contains(&target) {
                wrong.push(format!("{}:{line}: `{room}` may not import `{target}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_sources_is_a_room_and_every_room_has_sources() {
    let on_disk: Vec<String> = sources().iter().filter_map(|path| room_of(path)).collect();
    let rooms = rooms();
    for room in &on_disk {
        assert!(rooms.contains_key(room), "`src/{room}` has no row in ARCHITECTURE.md");
    }
    for room in rooms.keys() {
        assert!(on_disk.contains(room), "ARCHITECTURE.md names `{room}`, which has no sources");
    }
}

/// Relative paths and brace groups at the crate's root would hide an import from the test above.
#[test]
fn imports_are_spelled_from_the_root() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap().replace("use super::*;", "");
        for hidden in ["super::", "crate::{"] {
            assert!(!text.contains(hidden), "{}: `{hidden}` hides which room is meant", path.display());
        }
    }
}

#[test]
fn every_source_says_first_what_it_is_for() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}: the first line should be `//! ` and a sentence", path.display());
    }
}

/// Circles that are left, each with the folder they are in. The list may only get shorter: a circle that is gone must
/// leave it.
const CIRCLES_LEFT: &[(&str, &[&str])] = &[
    ("blueprint", &["by_names", "form"]),
    ("blueprint", &["normalise", "quantisation"]),
    ("checkpoint::data", &["recipe", "unpacking"]),
    ("checkpoint::packing", &["shapes", "table"]),
    ("claims", &["bands", "figure", "spelling"]),
    ("claims", &["contradictions", "worksheet"]),
    ("claims", &["document", "reading"]),
    ("rubric", &["decision", "gates", "validate"]),
    ("tokenizer", &["added", "huggingface"]),
    ("yaml", &["check", "cursor", "document"]),
];

/// Inside a room too imports run one way: of the files and folders of one folder none leads back to itself.
#[test]
fn no_folder_has_a_circle_of_imports() {
    let modules = Modules::read();
    let found: Vec<(String, Vec<String>)> = modules.folders().into_iter().flat_map(|it| modules.circles(&it)).collect();
    let name = |(folder, files): &(String, Vec<String>)| format!("src/{folder}: {}", files.join(" -> "));
    let known: Vec<(String, Vec<String>)> = CIRCLES_LEFT
        .iter()
        .map(|(folder, files)| ((*folder).to_owned(), files.iter().map(|it| (*it).to_owned()).collect()))
        .collect();
    let new: Vec<String> = found.iter().filter(|it| !known.contains(it)).map(name).collect();
    assert!(new.is_empty(), "imports lead back to where they began; move what ties these down:\n{}", new.join("\n"));
    let gone: Vec<String> = known.iter().filter(|it| !found.contains(it)).map(name).collect();
    assert!(gone.is_empty(), "these circles are open now, take them off the list:\n{}", gone.join("\n"));
}

#[test]
fn a_circle_is_found_and_what_leads_to_it_is_not() {
    let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "e")];
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        graph.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(circles(&graph), [vec!["b".to_owned(), "c".to_owned()]]);
}

#[test]
fn grouped_imports_are_taken_apart() {
    let found =
        paths("use crate::a::{self, b::{C, d}};\n// crate::no\nlet x = crate::e::f(1);\n#[cfg(test)]\nmod tests {}\n");
    assert_eq!(found, ["a", "a::b::C", "a::b::d", "e::f"]);
}

/// Every module of the crate with the paths that it names, test modules left out.
struct Modules {
    /// By the module's path, such as `weights::model`.
    named: BTreeMap<String, Vec<String>>,
    /// What a folder's `mod.rs` hands on of its children: the name, and where it comes from.
    handed_on: BTreeMap<String, String>,
}

impl Modules {
    fn read() -> Self {
        let mut modules = Self { named: BTreeMap::new(), handed_on: BTreeMap::new() };
        for path in sources() {
            let Some(module) = module_of(&path) else { continue };
            let text = fs::read_to_string(&path).unwrap();
            if path.ends_with("mod.rs") {
                for path in handed_on(&text) {
                    let name = path.rsplit("::").next().unwrap_or_default().to_owned();
                    modules.handed_on.insert(format!("{module}::{name}"), format!("{module}::{path}"));
                }
            }
            modules.named.insert(module, paths(&text));
        }
        modules
    }

    /// Every folder that holds modules.
    fn folders(&self) -> BTreeSet<String> {
        let parent = |it: &String| it.rsplit_once("::").map(|it| it.0.to_owned());
        self.named.keys().filter_map(parent).collect()
    }

    /// The module that a path leads into, re-exports followed; none for what a `mod.rs` defines itself.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut path = path.to_owned();
        while let Some(next) = self.handed_on.get(&path).filter(|next| **next != path) {
            path = next.clone();
        }
        loop {
            if self.named.contains_key(&path) {
                return Some(path);
            }
            path = path.rsplit_once("::")?.0.to_owned();
        }
    }

    /// The circles among what is directly in a folder.
    fn circles(&self, folder: &str) -> Vec<(String, Vec<String>)> {
        let child = |module: &str| -> Option<String> {
            let inside = module.strip_prefix(folder)?.strip_prefix("::")?;
            inside.split("::").next().map(str::to_owned)
        };
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (module, paths) in &self.named {
            let Some(from) = child(module) else { continue };
            let targets = paths.iter().filter_map(|it| child(&self.resolve(it)?)).filter(|it| *it != from);
            graph.entry(from.clone()).or_default().extend(targets);
        }
        circles(&graph).into_iter().map(|it| (folder.to_owned(), it)).collect()
    }
}

/// The module that a file holds: `weights::model` for `src/weights/model/mod.rs`.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?.with_extension("");
    let mut parts: Vec<&str> = inside.iter().map(|it| it.to_str().unwrap()).collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    Some(parts.join("::"))
}

/// What is not in a comment and not in a test module at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every path below `crate::` that a file names, groups taken apart.
fn paths(text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let mut depth = 0_usize;
        let is_part = |it: char| it.is_ascii_alphanumeric() || "_:{}, \n".contains(it);
        let path: String = rest
            .chars()
            .take_while(|it| {
                depth = (depth + usize::from(*it == '{')).saturating_sub(usize::from(*it == '}'));
                is_part(*it) && (depth > 0 || !", \n".contains(*it))
            })
            .collect();
        taken_apart("", &path, &mut found);
    }
    found
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn taken_apart(before: &str, path: &str, found: &mut Vec<String>) {
    let Some((head, group)) = path.split_once('{') else {
        let whole = format!("{before}{}", path.split(" as ").next().unwrap_or_default().trim());
        let whole = whole.trim_end_matches("::").trim_end_matches("::self");
        found.extend((!whole.is_empty()).then(|| whole.to_owned()));
        return;
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0_usize, 0);
    for (at, it) in group.char_indices().chain([(group.len(), ',')]) {
        depth = (depth + usize::from(it == '{')).saturating_sub(usize::from(it == '}'));
        if it == ',' && depth == 0 {
            let part = group[start..at].trim();
            if !part.is_empty() {
                taken_apart(&format!("{before}{}", head.trim()), part, found);
            }
            start = at + 1;
        }
    }
}

/// The paths that `pub use child::name;` hands on.
fn handed_on(text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some(at) = statement.find("pub").filter(|_| statement.contains(" use ")) else { continue };
        let path = statement[at..].split(" use ").nth(1).unwrap_or_default();
        if !path.starts_with("crate::") {
            taken_apart("", path, &mut found);
        }
    }
    found
}

/// Sets of more than one node that lead to each other (strongly connected components), in order.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &String| -> BTreeSet<&String> {
        let mut seen = BTreeSet::new();
        let mut left: Vec<&String> = graph.get(from).into_iter().flatten().collect();
        while let Some(next) = left.pop() {
            if seen.insert(next) {
                left.extend(graph.get(next).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|it| (it, reach(it))).collect();
    let both = |one: &String, other: &String| {
        reached[one].contains(other) && reached.get(other).is_some_and(|it| it.contains(one))
    };
    let mut found: Vec<Vec<String>> = Vec::new();
    for node in graph.keys() {
        let circle: Vec<String> = graph.keys().filter(|it| *it == node || both(node, it)).cloned().collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// The rows between the heading "The rooms" and the next one.
fn rooms() -> BTreeMap<String, Room> {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let section = text.split("\n## ").find(|it| it.starts_with("The rooms")).expect("the section is there");
    let rows: Vec<Vec<Vec<String>>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').skip(1).take(2).map(code_spans).collect())
        .collect();
    let all: Vec<String> = rows.iter().map(|row| row[0][0].clone()).collect();
    let room = |(floor, row): (usize, &Vec<Vec<String>>)| {
        let is_last = floor + 1 == all.len();
        let may_import = if is_last { all[..floor].to_vec() } else { row[1].clone() };
        (row[0][0].clone(), Room { floor, may_import })
    };
    rows.iter().enumerate().map(room).collect()
}

/// The words between backticks.
fn code_spans(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rooms that `crate::<room>` names, with their lines; comments do not count.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        let code = line.split("//").next().expect("split gives at least one part");
        for rest in code.split("crate::").skip(1) {
            let room: String = rest.chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
            found.push((idx + 1, room));
        }
    }
    found
}

/// The first folder (or the file's stem) below `src`, unless it is one of the crate's three roots.
fn room_of(path: &Path) -> Option<String> {
    let first = path.strip_prefix("src").ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    (!["main", "lib", "build"].contains(&name)).then(|| name.to_owned())
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
