//! Cards in two languages, each with what it states written beside it; and cards that were broken by hand of chance.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bytes::LocalPlace;
use crate::disclosure::rules::Rules;
use crate::disclosure::{Names, read};
use crate::fact::{ModelName, Origin, SelfDescription, StatedAbout};

fn cards() -> Vec<PathBuf> {
    let mut cards: Vec<PathBuf> = fs::read_dir("tests/cards").unwrap().map(|it| it.unwrap().path()).collect();
    cards.sort();
    cards
}

fn name() -> ModelName {
    ModelName {
        name: "acme/Nimbus-7B".into(),
        location: "hf:acme/Nimbus-7B".into(),
        origin: Origin::Checkpoint,
        revision: None,
    }
}

fn said(folder: &Path) -> SelfDescription {
    read(&LocalPlace::new(folder), &name(), None)
}

/// What a card states, one line a statement; and sentences that were not understood.
fn told(said: &SelfDescription) -> Vec<String> {
    let word = |it: serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    let forms = [
        StatedAbout::License,
        StatedAbout::Dataset,
        StatedAbout::Language,
        StatedAbout::Tag,
        StatedAbout::Library,
        StatedAbout::Name,
    ];
    let statements = said.statements.iter().filter(|it| !forms.contains(&it.about)).map(|it| {
        let about = word(serde_json::to_value(it.about).unwrap());
        let part = it.part.map_or("-".into(), |it| word(serde_json::to_value(it).unwrap()));
        let relation = match (it.about, &it.relation) {
            (StatedAbout::FromScratch | StatedAbout::ParentDenied, _) => String::new(),
            (_, relation) => format!(" {}", relation.as_deref().unwrap_or("-")),
        };
        let hidden = if it.hidden { "hidden " } else { "" };
        let line = it.line.map_or(String::new(), |it| format!(":{it}"));
        format!("{}{line} {hidden}{about} {part}{relation} [{}]", it.file, it.values.join(", "))
    });
    let open = said.not_understood.iter().map(|it| format!("{}:{} ? {}", it.file, it.line, it.why));
    let mut all: Vec<String> = statements.chain(open).collect();
    all.sort();
    all
}

#[test]
fn every_card_is_understood_as_a_reader_would() {
    let mut wrong = Vec::new();
    let cards = cards();
    for card in &cards {
        let text = fs::read_to_string(card.join("expected.txt")).unwrap();
        let mut expected: Vec<&str> = text.lines().collect();
        expected.sort_unstable();
        let found = told(&said(card));
        if found != expected {
            wrong.push(format!("{}\n  found    {found:#?}\n  expected {expected:#?}", card.display()));
        }
    }
    assert!(wrong.is_empty() && cards.len() >= 40, "{} of {} cards\n{}", wrong.len(), cards.len(), wrong.join("\n"));
}

/// A step of a small generator, the same on every machine.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn no_card_that_was_changed_at_random_stops_the_reader() {
    let texts: Vec<(String, Vec<u8>)> = cards()
        .iter()
        .flat_map(|it| fs::read_dir(it).unwrap().map(|it| it.unwrap().path()).collect::<Vec<_>>())
        .filter(|it| !it.ends_with("expected.txt"))
        .map(|it| (it.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&it).unwrap()))
        .collect();
    let bits: &[&[u8]] = &[
        b"<!--",
        b"-->",
        b"---\n",
        b"|",
        b"```",
        b"[",
        b"](",
        b"\xff\xfe",
        b"\xe5",
        "基于".as_bytes(),
        b"<div hidden>",
        b"\0",
        b"not ",
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut state = 20_261_130;
    let mut statements = 0;
    for round in 0..10_000 {
        let (name_of_file, text) = &texts[next(&mut state) % texts.len()];
        let mut text = text.clone();
        for _ in 0..=next(&mut state) % 6 {
            let at = next(&mut state) % (text.len() + 1);
            match next(&mut state) % 4 {
                0 => drop(text.splice(at..at, bits[next(&mut state) % bits.len()].iter().copied())),
                1 => text.truncate(at),
                2 => drop(text.drain(at..(at + next(&mut state) % 20).min(text.len()))),
                _ => text.extend_from_within(..at),
            }
        }
        fs::write(folder.path().join(name_of_file), &text).unwrap();
        let found = said(folder.path());
        statements += found.statements.len();
        for it in &found.statements {
            assert!(it.quote.chars().count() <= 401 && it.sha256.len() == 64, "round {round}");
        }
        fs::remove_file(folder.path().join(name_of_file)).unwrap();
    }
    assert!(statements > 1_000, "{statements}");
}

#[test]
fn the_data_of_this_room_can_be_read() {
    assert!(Rules::builtin().rules.len() > 20);
    let own = Names::builtin().own(&["acme/Nimbus-7B"]);
    assert_eq!(Names::builtin().at_start("Llama-2", &own).map(|it| it.1), Some(7));
}

#[test]
fn a_folder_without_a_card_says_nothing_and_a_long_card_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let found = said(folder.path());
    assert!(!found.has_card && found.statements.is_empty() && found.documents.is_empty());
    fs::write(folder.path().join("README.md"), "x".repeat(2 << 20)).unwrap();
    let found = said(folder.path());
    assert!(!found.has_card && found.unexamined.iter().any(|it| it.what == "documents"), "{:?}", found.unexamined);
}
