//! Numbers and dates as a language writes them.

use chrono::{Datelike, NaiveDate};

use crate::fact::Interval;

/// How a language writes numbers and dates; read from the `style.*` keys of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberStyle {
    /// Words for large numbers, largest first: from which number on, and what is written behind it.
    pub scales: Vec<(f64, String)>,
    /// Pattern of a date with `{year}`, `{month}` and `{day}`.
    pub date: String,
    /// Names of the months.
    pub months: Vec<String>,
}

/// From here on a number is written as a power of ten.
const SCIENTIFIC_FROM: f64 = 1e16;
/// Below this a number is written as a power of ten.
const SCIENTIFIC_BELOW: f64 = 1e-3;

impl NumberStyle {
    /// A count or a measured number, to three significant digits once it is large or broken.
    pub fn number(&self, value: f64) -> String {
        let size = value.abs();
        if !value.is_finite() {
            return "∞".to_owned();
        }
        if size != 0.0 && !(SCIENTIFIC_BELOW..SCIENTIFIC_FROM).contains(&size) {
            return scientific(value);
        }
        match self.scales.iter().find(|(from, _)| size >= *from) {
            Some((from, word)) => format!("{}{word}", three_digits(value / from)),
            None => three_digits(value),
        }
    }

    /// A range, or one number where both ends are written alike.
    pub fn range(&self, value: Interval) -> String {
        join_range(self.number(value.low), self.number(value.high))
    }

    /// A day.
    pub fn date(&self, day: NaiveDate) -> String {
        let month = self.months.get(day.month0() as usize).cloned().unwrap_or_else(|| day.month().to_string());
        self.date
            .replace("{year}", &day.year().to_string())
            .replace("{month}", &month)
            .replace("{day}", &day.day().to_string())
    }
}

/// A whole number with its thousands apart.
pub(in crate::report) fn exact(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share between 0 and 1 as a percentage: whole above 10%, one decimal below.
pub(in crate::report) fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = usize::from(value.abs() < 10.0 && value.round() != value);
    format!("{}%", trim(format!("{value:.decimals$}")))
}

/// A range of shares, or one share where both ends are written alike.
pub(in crate::report) fn percent_range(value: Interval) -> String {
    join_range(percent(value.low), percent(value.high))
}

/// A range of shares in whole percent, or one share where both ends are alike.
pub(in crate::report) fn whole_percents(low: u8, high: u8) -> String {
    if low == high { format!("{low}%") } else { format!("{low}–{high}%") }
}

/// A level on the 0-4 scale, to one decimal.
pub(in crate::report) fn level(value: f64) -> String {
    format!("{value:.1}")
}

/// A range of levels, or one level where both ends are written alike.
pub(in crate::report) fn level_range(value: Interval) -> String {
    join_range(level(value.low), level(value.high))
}

/// Powers of ten inside an expression, as people write them: `3.4e10` becomes `3.4×10¹⁰`.
pub(in crate::report) fn prettify(expression: &str) -> String {
    let mut text = String::new();
    let mut rest = expression;
    while let Some(at) = rest.find(['e', 'E']) {
        let (before, after) = rest.split_at(at);
        let exponent = after[1..].trim_start_matches('+');
        let digits = exponent.find(|it: char| !it.is_ascii_digit() && it != '-').unwrap_or(exponent.len());
        let is_power = before.ends_with(|it: char| it.is_ascii_digit()) && exponent[..digits].parse::<i32>().is_ok();
        text.push_str(before);
        if is_power {
            text.push_str("×10");
            text.push_str(&superscript(&exponent[..digits]));
            rest = &exponent[digits..];
        } else {
            text.push_str(&after[..1]);
            rest = &after[1..];
        }
    }
    text + rest
}

fn join_range(low: String, high: String) -> String {
    if low == high { low } else { format!("{low}–{high}") }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{} × 10{}", trim(mantissa.to_owned()), superscript(exponent))
}

fn superscript(digits: &str) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    digits.chars().map(|it| it.to_digit(10).map_or('⁻', |digit| RAISED[digit as usize])).collect()
}

/// Whole numbers whole and grouped; broken ones to three significant digits.
fn three_digits(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || value.fract() == 0.0 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", exact(size.round() as u64));
    }
    let decimals = if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    trim(format!("{value:.decimals$}")).replace('-', "−")
}

fn trim(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(scales: &[(f64, &str)]) -> NumberStyle {
        NumberStyle {
            scales: scales.iter().map(|(from, word)| (*from, (*word).to_owned())).collect(),
            date: "{year}年{month}月{day}日".to_owned(),
            months: Vec::new(),
        }
    }

    #[test]
    fn numbers_are_written_as_the_language_writes_them() {
        let english = style(&[(1e12, "T"), (1e9, "B"), (1e6, "M")]);
        let chinese = style(&[(1e12, " 万亿"), (1e8, " 亿"), (1e4, " 万")]);
        for (value, in_english, in_chinese) in [
            (0.0, "0", "0"),
            (543.0, "543", "543"),
            (34_388_917_248.0, "34.4B", "344 亿"),
            (34e9, "34B", "340 亿"),
            (3.1e12, "3.1T", "3.1 万亿"),
            (1.41e6, "1.41M", "141 万"),
            (12_345.0, "12,345", "1.23 万"),
            (6.324e23, "6.3 × 10²³", "6.3 × 10²³"),
            (2e-5, "2 × 10⁻⁵", "2 × 10⁻⁵"),
            (57.34, "57.3", "57.3"),
            (0.405, "0.405", "0.405"),
            (-2.5, "−2.5", "−2.5"),
        ] {
            assert_eq!(english.number(value), in_english);
            assert_eq!(chinese.number(value), in_chinese);
        }
    }

    #[test]
    fn dates_shares_levels_and_powers() {
        let day = NaiveDate::from_ymd_opt(2025, 1, 15).unwrap();
        assert_eq!(style(&[]).date(day), "2025年1月15日");
        assert_eq!(percent(0.614), "61%");
        assert_eq!(percent(0.058), "5.8%");
        assert_eq!([whole_percents(61, 73), whole_percents(100, 100)], ["61–73%", "100%"]);
        assert_eq!(level_range(Interval::new(2.0, 3.44)), "2.0–3.4");
        assert_eq!(exact(34_388_917_248), "34,388,917,248");
        assert_eq!(prettify("6 × 3.4e10 × 3.1e12"), "6 × 3.4×10¹⁰ × 3.1×10¹²");
        assert_eq!(prettify("tokens / raw bytes"), "tokens / raw bytes");
    }
}
