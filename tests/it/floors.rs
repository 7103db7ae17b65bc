//! The floors of the house: who may import whom.

use std::{fs, path::Path};

/// Every room, from the ground up, and the rooms it may import.
///
/// A room may only name rooms above it in this list, so imports run one way.
const ROOMS: &[(&str, &str)] = &[
    ("fact", ""),
    ("shelf", ""),
    ("bytes", ""),
    ("yaml", ""),
    ("checkpoint", "bytes fact"),
    ("blueprint", "bytes fact checkpoint"),
    ("catalog", "fact shelf yaml checkpoint blueprint"),
    ("lineage", "fact bytes checkpoint blueprint catalog"),
    ("rubric", "fact shelf bytes yaml"),
    ("claims", "fact shelf yaml"),
    ("case", "fact bytes yaml rubric claims catalog"),
    ("evidence", "fact bytes catalog lineage rubric claims case"),
    ("scoring", "fact rubric claims case evidence"),
    ("report", "fact shelf yaml rubric claims case scoring"),
    ("cli", "fact shelf bytes yaml checkpoint blueprint catalog lineage rubric claims case evidence scoring report"),
];

#[test]
fn the_list_runs_one_way() {
    for (idx, (room, may_import)) in ROOMS.iter().enumerate() {
        for target in may_import.split(' ').filter(|it| !it.is_empty()) {
            let is_below = ROOMS[..idx].iter().any(|(below, _)| *below == target);
            assert!(is_below, "`{room}` may not list `{target}`");
        }
    }
}

#[test]
fn rooms_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for (room, may_import) in ROOMS {
        let mut check = |path: &Path, text: &str| {
            for (idx, line) in text.lines().enumerate() {
                for target in imports(line) {
                    if target != *room && !may_import.split(' ').any(|it| it == target) {
                        wrong.push(format!("{}:{}: `{room}` must not import `{target}`", path.display(), idx + 1));
                    }
                }
            }
        };
        visit(&Path::new("src").join(room), &mut check);
        visit(&Path::new("src").join(room).with_extension("rs"), &mut check);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Other spellings would hide an import from the test above. A test module may `use super::*`.
#[test]
fn imports_are_spelled_out() {
    visit(Path::new("src"), &mut |path, text| {
        let text = text.replace("use super::*", "");
        for spelling in ["crate::{", "super::"] {
            let escapes = text.match_indices(spelling).any(|(at, _)| !text[..at].ends_with("pub(in "));
            assert!(!escapes, "{}: write `use crate::<room>::…`, not `{spelling}`", path.display());
        }
    });
}

#[test]
fn every_room_is_listed() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_listed = ROOMS.iter().any(|(room, _)| *room == name);
        assert!(!path.is_dir() || is_listed, "list `src/{name}` in ROOMS");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    visit(Path::new("src"), &mut |path, text| {
        assert!(text.starts_with("//! "), "{}: start with a `//!` line", path.display());
    });
}

/// The rooms named by `crate::<room>` on a line of code; comments do not count.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|it: char| !(it.is_ascii_lowercase() || it == '_'));
        Some(&rest[..end.unwrap_or(rest.len())]).filter(|it| !it.is_empty())
    })
}

fn visit(path: &Path, found: &mut dyn FnMut(&Path, &str)) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            visit(&entry.unwrap().path(), found);
        }
    } else if path.is_file() && path.extension().is_some_and(|it| it == "rs") {
        found(path, &fs::read_to_string(path).unwrap());
    }
}
