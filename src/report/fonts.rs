//! The fonts a PDF is set in: those that ship inside, and others only for characters these lack.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;
use typst::foundations::Bytes;
use typst::text::{Font, FontInfo};
use typst_kit::fonts::{FontPath, FontSource, FontStore, scan, system};

use crate::report::{Error, FontSources, MissingCharacter, View};
use crate::shelf;

/// Fonts for one memo, and their families in order of preference.
pub(in crate::report) struct Fonts {
    /// Where typst finds them.
    pub(in crate::report) store: FontStore,
    /// Families in order of preference.
    pub(in crate::report) families: Vec<String>,
}

/// How much of a line is quoted as the place of a character.
const PLACE: usize = 60;

/// The fonts that show every character of a memo.
///
/// # Errors
/// The characters that no font at hand can show, each with the first line it stands in.
pub(in crate::report) fn covering(view: &View, data: &Value, sources: &FontSources) -> Result<Fonts, Error> {
    let mut store = FontStore::new();
    let mut families = Vec::new();
    for font in embedded() {
        families.push(font.info().family.clone());
        store.push((font.clone(), font.info().clone()));
    }
    let mut missing = missing(data);
    if !missing.is_empty() {
        for (path, info) in helpers(sources, &missing) {
            missing.retain(|character, _| !covers(&info, *character));
            families.push(info.family.clone());
            store.push((path, info));
        }
    }
    families.dedup();
    if missing.is_empty() {
        return Ok(Fonts { store, families });
    }
    let tell = |(character, place)| MissingCharacter { character, language: view.language.clone(), place };
    Err(Error::MissingCharacters { missing: missing.into_iter().map(tell).collect() })
}

/// The fonts that ship inside the program.
fn embedded() -> &'static [Font] {
    static FONTS: OnceLock<Vec<Font>> = OnceLock::new();
    FONTS.get_or_init(|| {
        let files = shelf::below(shelf::TEMPLATES, "fonts").filter(|(name, _)| name.ends_with(".ttf"));
        let mut fonts: Vec<_> = files.flat_map(|(_, bytes)| Font::iter(Bytes::new(bytes))).collect();
        fonts.sort_by_key(|it| it.info().variant.weight);
        fonts
    })
}

/// Every character that the embedded fonts lack, with the first line it stands in.
fn missing(data: &Value) -> BTreeMap<char, String> {
    let mut found = BTreeMap::new();
    visit(data, &mut |line| {
        for character in line.chars().filter(|it| is_drawn(*it)) {
            if !embedded().iter().all(|font| covers(font.info(), character)) {
                found.entry(character).or_insert_with(|| line.chars().take(PLACE).collect());
            }
        }
    });
    found
}

fn visit(data: &Value, found: &mut impl FnMut(&str)) {
    match data {
        Value::String(line) => found(line),
        Value::Array(parts) => parts.iter().for_each(|part| visit(part, found)),
        // Charts say nothing that does not stand elsewhere, and a chart is no place to quote.
        Value::Object(parts) => parts.iter().filter(|(key, _)| *key != "svg").for_each(|(_, part)| visit(part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a character leaves ink or takes room: marks of direction and breaking do neither.
fn is_drawn(character: char) -> bool {
    let code = u32::from(character);
    let is_mark = matches!(code, 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2064 | 0xFE00..=0xFE0F | 0xFEFF);
    !character.is_control() && !is_mark
}

fn covers(info: &FontInfo, character: char) -> bool {
    info.coverage.contains(u32::from(character))
}

/// Fonts from outside, as few as it takes: in the order of the folders, then the system, each sorted by name.
fn helpers(sources: &FontSources, missing: &BTreeMap<char, String>) -> Vec<(FontPath, FontInfo)> {
    let mut offered: Vec<(FontPath, FontInfo)> = Vec::new();
    for folder in &sources.folders {
        offered.extend(sorted(scan(folder)));
    }
    if sources.system {
        offered.extend(sorted(system()));
    }
    let mut wanted: BTreeSet<char> = missing.keys().copied().collect();
    let mut chosen = Vec::new();
    for (path, info) in offered {
        let before = wanted.len();
        // A font that says it has a character may turn out not to load.
        if wanted.iter().any(|it| covers(&info, *it)) && path.load().is_some() {
            wanted.retain(|it| !covers(&info, *it));
        }
        if wanted.len() < before {
            chosen.push((path, info));
        }
    }
    chosen
}

/// By weight as far from regular, then family, then path: the order of a file system must never show.
fn sorted(fonts: impl Iterator<Item = (FontPath, FontInfo)>) -> Vec<(FontPath, FontInfo)> {
    let mut fonts: Vec<_> = fonts.collect();
    fonts.sort_by_key(|(path, info)| {
        let weight = info.variant.weight.to_number().abs_diff(400);
        (weight, info.family.clone(), path.path.clone(), path.index)
    });
    fonts
}
