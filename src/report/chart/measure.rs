//! How much room text takes, without asking a font: a little more than it needs in the fonts we know.

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Place {
    /// Left edge.
    pub(in crate::report) x: f64,
    /// Upper edge.
    pub(in crate::report) y: f64,
    /// Width.
    pub(in crate::report) width: f64,
    /// Height.
    pub(in crate::report) height: f64,
}

impl Place {
    /// Whether two rectangles share more than an edge.
    pub(in crate::report) fn meets(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// Width of a line of text in points.
pub(in crate::report) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|it| advance(it) * size).sum()
}

/// Breaks text into lines no wider than `width` where words and scripts allow it.
pub(in crate::report) fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in parts(text) {
        let line = lines.last_mut().expect("starts with one");
        if !line.is_empty() && text_width(&format!("{line}{}", part.trim_end()), size) > width {
            *line = line.trim_end().to_owned();
            lines.push(part.trim_start().to_owned());
        } else {
            line.push_str(&part);
        }
    }
    let last = lines.last_mut().expect("starts with one");
    *last = last.trim_end().to_owned();
    lines
}

/// Words with the space behind them, and single wide characters with the punctuation that must not start a line.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut may_break = true;
    for it in text.chars() {
        let never_first = "，。、；：？！）》」』”’…,.;:?!)%".contains(it);
        if never_first || !(may_break || is_wide(it)) {
            match parts.last_mut() {
                Some(part) => part.push(it),
                None => parts.push(it.to_string()),
            }
        } else {
            parts.push(it.to_string());
        }
        may_break = it == ' ' || is_wide(it) && !"（《「『“‘".contains(it);
    }
    parts
}

fn is_wide(it: char) -> bool {
    let is_letter = matches!(u32::from(it), 0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..);
    is_letter || matches!(u32::from(it), 0xFE30..=0xFE4F | 0xFF00..=0xFF60)
}

/// Advance of a character as a share of the font size.
fn advance(it: char) -> f64 {
    match it {
        _ if is_wide(it) => 1.0,
        'i' | 'j' | 'l' | '|' | '\'' | '.' | ',' | ':' | ';' | '!' | 'I' => 0.3,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' => 0.92,
        'A'..='Z' | '&' => 0.68,
        '0'..='9' => 0.56,
        '●' | '○' | '◆' | '■' | '□' | '▲' | '▼' | '“' | '”' | '×' | '→' => 1.0,
        _ => 0.57,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_twice_as_wide_and_breaks_anywhere_but_before_punctuation() {
        assert!(text_width("套壳", 10.0) > 1.9 * text_width("ab", 10.0) * 0.8);
        assert_eq!(wrap("数据管线，已核", 10.0, 42.0), ["数据管", "线，已核"]);
        assert_eq!(wrap("some parts shared", 10.0, 60.0), ["some parts", "shared"]);
        assert_eq!(wrap("unbreakable", 10.0, 5.0), ["unbreakable"]);
    }
}
