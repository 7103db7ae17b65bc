//! The table of rooms in `ARCHITECTURE.md` is the law of imports; this reads it and holds every source file against it.

use std::collections::BTreeMap;
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
