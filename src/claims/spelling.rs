//! Numbers as people write them: `3.1T`, `3,100`, `~3`, `2-3`, `at least 3`, `超过3万亿`, `3000余万元`.

use crate::claims::figure::FigureKind;

/// Longest text that is read as a number with its unit.
pub(crate) const LONGEST: usize = 200;

/// A number or range, and the words around it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spelled {
    /// How it was stated.
    pub(crate) kind: FigureKind,
    /// What stands before the number once the qualifier is taken off, e.g. `$`.
    pub(crate) lead: String,
    /// The number, or the lower end, with the words up to the second number.
    pub(crate) first: Part,
    /// The upper end of a range, with the words behind it.
    pub(crate) second: Option<Part>,
}

/// A number and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// The number as the digits say it.
    pub(crate) number: f64,
    /// Half of its last digit.
    pub(crate) half: f64,
    /// Scale and unit behind it.
    pub(crate) tail: String,
}

/// Why a text is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// There is no digit in it.
    NoNumber,
    /// `3,1`: a decimal comma, or a separator at the wrong place.
    Comma,
    /// More than two numbers, or a lower end above the upper one.
    Range,
    /// A minus sign, zero, or a number beyond every scale.
    Size,
}

const QUALIFIERS: &[(&str, FigureKind)] = &[
    ("at least", FigureKind::AtLeast),
    ("no less than", FigureKind::AtLeast),
    ("not less than", FigureKind::AtLeast),
    ("no fewer than", FigureKind::AtLeast),
    ("more than", FigureKind::AtLeast),
    ("over ", FigureKind::AtLeast),
    ("above ", FigureKind::AtLeast),
    (">=", FigureKind::AtLeast),
    ("≥", FigureKind::AtLeast),
    (">", FigureKind::AtLeast),
    ("超过", FigureKind::AtLeast),
    ("超", FigureKind::AtLeast),
    ("逾", FigureKind::AtLeast),
    ("至少", FigureKind::AtLeast),
    ("不少于", FigureKind::AtLeast),
    ("不低于", FigureKind::AtLeast),
    ("at most", FigureKind::AtMost),
    ("no more than", FigureKind::AtMost),
    ("not more than", FigureKind::AtMost),
    ("up to", FigureKind::AtMost),
    ("less than", FigureKind::AtMost),
    ("fewer than", FigureKind::AtMost),
    ("under ", FigureKind::AtMost),
    ("below ", FigureKind::AtMost),
    ("<=", FigureKind::AtMost),
    ("≤", FigureKind::AtMost),
    ("<", FigureKind::AtMost),
    ("不超过", FigureKind::AtMost),
    ("不多于", FigureKind::AtMost),
    ("不到", FigureKind::AtMost),
    ("至多", FigureKind::AtMost),
    ("最多", FigureKind::AtMost),
    ("低于", FigureKind::AtMost),
    ("approximately", FigureKind::About),
    ("approx.", FigureKind::About),
    ("approx", FigureKind::About),
    ("about", FigureKind::About),
    ("around", FigureKind::About),
    ("roughly", FigureKind::About),
    ("nearly", FigureKind::About),
    ("almost", FigureKind::About),
    ("circa", FigureKind::About),
    ("ca.", FigureKind::About),
    ("~", FigureKind::About),
    ("≈", FigureKind::About),
    ("大约", FigureKind::About),
    ("约为", FigureKind::About),
    ("约", FigureKind::About),
    ("将近", FigureKind::About),
    ("接近", FigureKind::About),
    ("近", FigureKind::About),
];

/// Words behind the number, or between its parts, that qualify it.
const TRAILING: &[(&str, FigureKind)] = &[
    ("or more", FigureKind::AtLeast),
    ("以上", FigureKind::AtLeast),
    ("+", FigureKind::AtLeast),
    ("余", FigureKind::AtLeast),
    ("多", FigureKind::AtLeast),
    ("or less", FigureKind::AtMost),
    ("以下", FigureKind::AtMost),
    ("以内", FigureKind::AtMost),
    ("左右", FigureKind::About),
    ("上下", FigureKind::About),
];

/// Full-width forms, dashes and odd spaces as plain ones.
pub(crate) fn plain(text: &str) -> String {
    let plain: String = text.chars().map(plain_char).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn plain_char(it: char) -> char {
    match it {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(it) - 0xfee0).unwrap_or(it),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{301c}' | '\u{223c}' => '~',
        '\u{ffe5}' => '¥',
        other => other,
    }
}

/// Reads a text as a number, a range or a bound, with the words around it.
pub(crate) fn read(text: &str) -> Result<Spelled, Unreadable> {
    let (kind, text) = qualified(&plain(text));
    let text = text.strip_prefix("between ").map_or_else(|| text.clone(), |it| it.replacen(" and ", "-", 1));
    let Some(start) = text.find(|it: char| it.is_ascii_digit()) else { return without_digits(kind, &text) };
    let lead = text[..start].trim().to_owned();
    if lead.ends_with('-') {
        return Err(Unreadable::Size);
    }
    let (first, rest) = number(&text[start..])?;
    let Some((between, after)) = range_at(rest) else {
        let only = part(first, rest)?;
        return Ok(Spelled { kind, lead, first: only, second: None });
    };
    let (second, rest) = number(after)?;
    let (first, second) = (part(first, between)?, part(second, rest)?);
    Ok(Spelled { kind: FigureKind::Range, lead, first, second: Some(second) })
}

/// `万卡` is one 万卡.
fn without_digits(kind: FigureKind, text: &str) -> Result<Spelled, Unreadable> {
    if !text.starts_with(['万', '千', '百', '亿']) {
        return Err(Unreadable::NoNumber);
    }
    let first = Part { number: 1.0, half: 0.5, tail: text.to_owned() };
    Ok(Spelled { kind, lead: String::new(), first, second: None })
}

fn part((number, half): (f64, f64), tail: &str) -> Result<Part, Unreadable> {
    if tail.contains(|it: char| it.is_ascii_digit()) && number_follows(tail) {
        return Err(Unreadable::Range);
    }
    if !(number > 0.0 && number.is_finite()) {
        return Err(Unreadable::Size);
    }
    Ok(Part { number, half, tail: tail.trim().to_owned() })
}

/// Whether a number stands by itself in a tail: `3 - 4 - 5`, but not `2048 H800`.
fn number_follows(tail: &str) -> bool {
    tail.split([' ', '-', '~']).any(|it| it.starts_with(|it: char| it.is_ascii_digit()))
}

/// Takes off what says how the number is meant.
fn qualified(text: &str) -> (FigureKind, String) {
    let lower = text.to_lowercase();
    let before = QUALIFIERS.iter().find(|(word, _)| lower.starts_with(word));
    let rest = before.map_or(text, |(word, _)| text[word.len()..].trim_start());
    let behind = TRAILING.iter().find(|(word, _)| rest.contains(word) && before.is_none());
    match (before, behind) {
        (Some((_, kind)), _) => (*kind, rest.to_owned()),
        (None, Some((word, kind))) => (*kind, plain(&rest.replacen(word, " ", 1))),
        (None, None) => (FigureKind::Exact, rest.to_owned()),
    }
}

/// The number at the start of a text with half of its last digit, and what follows.
fn number(text: &str) -> Result<((f64, f64), &str), Unreadable> {
    let end = text.find(|it: char| !(it.is_ascii_digit() || ".,_".contains(it))).unwrap_or(text.len());
    let digits = text[..end].trim_end_matches(['.', ',']);
    let (exponent, rest) = exponent(&text[digits.len()..]);
    let whole = digits.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let is_first_short = groups.next().is_some_and(|it| whole == it || (1..=3).contains(&it.len()));
    if digits.matches('.').count() > 1 || !is_first_short || groups.any(|it| it.len() != 3) {
        return Err(Unreadable::Comma);
    }
    let bare: String = digits.chars().filter(|it| !",_".contains(*it)).collect();
    let value: f64 = format!("{bare}e{exponent}").parse().map_err(|_| Unreadable::Comma)?;
    Ok(((value, half_digit(&bare, exponent)), rest))
}

/// `e12` directly behind the digits.
fn exponent(text: &str) -> (i32, &str) {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return (0, text) };
    let signed = rest.strip_prefix('+').unwrap_or(rest);
    let start = usize::from(signed.starts_with('-'));
    let end = signed[start..].find(|it: char| !it.is_ascii_digit()).map_or(signed.len(), |it| it + start);
    match signed[..end].parse::<i32>() {
        Ok(exponent) if exponent.abs() <= 40 => (exponent, &signed[end..]),
        _ => (0, text),
    }
}

/// Half of the last digit that is not a zero of a whole number.
fn half_digit(digits: &str, exponent: i32) -> f64 {
    let last = match digits.split_once('.') {
        Some((_, decimals)) => -i32::try_from(decimals.len()).unwrap_or(0),
        None => i32::try_from(digits.len() - digits.trim_end_matches('0').len()).unwrap_or(0),
    };
    0.5 * 10f64.powi(last + exponent)
}

/// Where a range goes on: what stands between its numbers, and the text from the second one on.
fn range_at(rest: &str) -> Option<(&str, &str)> {
    for separator in ["-", "~", " to ", "至", "到"] {
        for (at, _) in rest.match_indices(separator) {
            let after = rest[at + separator.len()..].trim_start();
            if after.starts_with(|it: char| it.is_ascii_digit()) {
                return Some((&rest[..at], after));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: FigureKind, numbers: &[f64], tail: &str) {
        let spelled = read(text).unwrap_or_else(|it| panic!("{text}: {it:?}"));
        let last = spelled.second.as_ref().unwrap_or(&spelled.first);
        let found: Vec<f64> =
            std::iter::once(&spelled.first).chain(spelled.second.as_ref()).map(|it| it.number).collect();
        assert_eq!((spelled.kind, found.as_slice(), last.tail.as_str()), (kind, numbers, tail), "{text}");
    }

    #[test]
    fn numbers_ranges_and_bounds() {
        use FigureKind::{About, AtLeast, AtMost, Exact, Range};
        check("3.1T", Exact, &[3.1], "T");
        check("3,100 B tokens", Exact, &[3100.0], "B tokens");
        check("１２ 亿", Exact, &[12.0], "亿");
        check("3e12 tokens", Exact, &[3e12], "tokens");
        check("~3 T tokens", About, &[3.0], "T tokens");
        check("约3万亿", About, &[3.0], "万亿");
        check("3万亿左右", About, &[3.0], "万亿");
        check("2-3 T tokens", Range, &[2.0, 3.0], "T tokens");
        check("2T–3T tokens", Range, &[2.0, 3.0], "T tokens");
        check("2 to 3 T", Range, &[2.0, 3.0], "T");
        check("2至3万亿", Range, &[2.0, 3.0], "万亿");
        check("between 2 and 3 T", Range, &[2.0, 3.0], "T");
        check("at least 3", AtLeast, &[3.0], "");
        check(">3 T", AtLeast, &[3.0], "T");
        check("15T+ tokens", AtLeast, &[15.0], "T tokens");
        check("3000余万元", AtLeast, &[3000.0], "万元");
        check("超过3万亿词元", AtLeast, &[3.0], "万亿词元");
        check("不超过 5 万卡时", AtMost, &[5.0], "万卡时");
        check("up to 4096 GPUs", AtMost, &[4096.0], "GPUs");
        check("万卡", Exact, &[1.0], "万卡");
        check("2048 H800", Exact, &[2048.0], "H800");
        check("1.02M GPU-hours", Exact, &[1.02], "M GPU-hours");
        assert_eq!(read("$3.5M").unwrap().lead, "$");
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, why) in [
            ("three", Unreadable::NoNumber),
            ("3,1 T", Unreadable::Comma),
            ("3.1.2", Unreadable::Comma),
            ("12345,678", Unreadable::Comma),
            ("-3 T", Unreadable::Size),
            ("0 T", Unreadable::Size),
            ("1-2-3 T", Unreadable::Range),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
    }

    #[test]
    fn half_of_the_last_digit() {
        for (text, half) in [("34", 0.5), ("3.10", 0.005), ("34560", 5.0), ("2000000", 5e5), ("3e12", 5e11)] {
            assert_eq!(read(text).unwrap().first.half, half, "{text}");
        }
    }
}
