//! How names and numbers from outside are printed: nothing in them can move the cursor or pass for our own words.

/// The longest name that is printed whole, in characters.
const LONGEST: usize = 120;

/// A name in backticks, control and invisible characters written as `\u{…}`, very long names cut.
pub fn shown(name: impl AsRef<str>) -> String {
    let name = name.as_ref();
    let mut out = String::from("`");
    for (count, it) in name.chars().enumerate() {
        if count == LONGEST {
            out.push_str(&format!("…` ({} bytes)", grouped(name.len() as u64)));
            return out;
        }
        if is_invisible(it) || it == '`' { out.extend(it.escape_unicode()) } else { out.push(it) }
    }
    out.push('`');
    out
}

/// A number with a comma at every thousand.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().abs_diff(at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 tensor`, `2,048 tensors`.
pub fn counted(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// Whether a name holds characters that [`shown`] has to escape, backticks apart.
pub fn is_unprintable(name: &str) -> bool {
    name.chars().any(is_invisible)
}

/// Control characters, and those that are drawn as nothing or turn the direction of writing.
fn is_invisible(it: char) -> bool {
    let drawn_as_nothing = ['\u{ad}', '\u{feff}'].contains(&it);
    let zero_width = matches!(it, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}');
    it.is_control() || drawn_as_nothing || zero_width || matches!(it, '\u{2028}'..='\u{202e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(shown("model.norm.weight"), "`model.norm.weight`");
        assert_eq!(shown("词表"), "`词表`");
        assert_eq!(shown("a\u{1b}[2Jb\n"), "`a\\u{1b}[2Jb\\u{a}`");
        assert_eq!(shown("\u{202e}txt"), "`\\u{202e}txt`");
        assert_eq!(shown("a`b"), "`a\\u{60}b`");
        assert!(shown("x".repeat(5_000)).ends_with("x…` (5,000 bytes)"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(9_216), "9,216");
        assert_eq!((counted(1, "byte"), counted(2_048, "tensor")), ("1 byte".into(), "2,048 tensors".into()));
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }
}
