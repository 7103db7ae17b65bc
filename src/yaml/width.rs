//! Full-width punctuation: what a Chinese keyboard types where YAML wants its own.
//!
//! A full-width colon after a key is no syntax to a YAML parser, so the error it gives stands somewhere else and names
//! something else. Here the colon is found, told, and read as the one that was meant, so that the rest of the file is
//! still checked.

use std::ops::Range;

/// The same text with full-width letters, digits and punctuation in their half-width form.
pub fn to_half_width(text: &str) -> String {
    text.chars().map(half_width_character).collect()
}

/// Whether a text that should be an id, number or date has full-width characters.
pub(crate) fn has_full_width(text: &str) -> bool {
    text.chars().any(|it| half_width_character(it) != it)
}

fn half_width_character(it: char) -> char {
    match it {
        // The full-width forms stand in the order of ASCII, from `!` to `~`.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(it) - 0xFEE0).unwrap_or(it),
        '\u{3000}' | '\u{A0}' => ' ',
        '、' => ',',
        '。' => '.',
        '“' | '”' | '„' | '「' | '」' => '"',
        '‘' | '’' => '\'',
        '【' => '[',
        '】' => ']',
        '—' | '–' | '−' => '-',
        _ => it,
    }
}

/// A key with a full-width colon behind it, on a line of its own: the places of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WideColon {
    pub(crate) key: Range<usize>,
    pub(crate) colon: Range<usize>,
}

/// Finds the last key with a full-width colon that starts at or before `limit`, at most a few lines above it.
pub(crate) fn wide_colon_before(text: &str, limit: usize) -> Option<WideColon> {
    const LINES_ABOVE: usize = 4;
    let mut end = text.get(limit..).and_then(|rest| rest.find('\n')).map_or(text.len(), |it| limit + it);
    for _ in 0..LINES_ABOVE {
        let start = text.get(..end)?.rfind('\n').map_or(0, |it| it + 1);
        if let Some(found) = wide_colon_in(text, start..end) {
            return Some(found);
        }
        end = start.checked_sub(1)?;
    }
    None
}

fn wide_colon_in(text: &str, line: Range<usize>) -> Option<WideColon> {
    let written = text.get(line.clone())?;
    let key = written.trim_start_matches([' ', '-', '"', '\'', '“', '{']);
    let start = line.start + (written.len() - key.len());
    let length = key.find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.')))?;
    let rest = key.get(length..)?;
    let colon = rest.trim_start_matches(['"', '\'', '”', ' ']);
    if length == 0 || !colon.starts_with('：') {
        return None;
    }
    let at = start + length + (rest.len() - colon.len());
    Some(WideColon { key: start..start + length, colon: at..at + '：'.len_utf8() })
}

/// Writes a half-width colon over a full-width one, with spaces behind it so that nothing after it moves.
pub(crate) fn mend(text: &mut String, colon: &WideColon) {
    text.replace_range(colon.colon.clone(), ":  ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_forms_have_a_half_width_one() {
        assert_eq!(to_half_width("ＥＶ－００１，“ａ”：［１］"), "EV-001,\"a\":[1]");
        assert!(!has_full_width("plain, \"text\""));
    }

    #[test]
    fn a_wide_colon_is_found_behind_a_key_only() {
        let text = "R1:\n  level：2\n  reason: 规模：大\n";
        let found = wide_colon_before(text, text.len()).unwrap();
        assert_eq!((&text[found.key.clone()], &text[found.colon.clone()]), ("level", "："));
        let mut mended = text.to_owned();
        mend(&mut mended, &found);
        assert_eq!(mended, "R1:\n  level:  2\n  reason: 规模：大\n");
        assert_eq!(wide_colon_before(&mended, mended.len()), None);
    }
}
