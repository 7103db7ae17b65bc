//! Does the quote say the number that value and unit say? A slip of scale is told while the case is read.

use crate::claims::figure::Figure;
use crate::claims::spelling::{self, Part};
use crate::claims::unit::{Currency, Measure, Tail, scales};
use crate::claims::{About, unit::Expected};

/// Two numbers that differ by less than this are one.
const SAME: f64 = 0.005;

/// A number that the quote holds, in base units.
#[derive(Clone, Debug, PartialEq)]
struct Mention {
    value: f64,
    tail: Tail,
    words: String,
}

/// Where a quote has the claim's digits at another scale or in another currency: its words.
///
/// Nothing is said where the quote holds the number as it was entered, or no number of this kind with these digits.
pub(crate) fn other_scale(about: About, figure: Figure, currency: Option<Currency>, quote: &str) -> Option<String> {
    let Expected::Number(measure) = about.expected() else { return None };
    let mentions = mentions(measure, quote);
    let is_said = |it: &Mention| {
        [figure.low, figure.high].iter().any(|end| is_same(it.value, *end)) && it.tail.currency == currency
    };
    if mentions.iter().any(is_said) {
        return None;
    }
    let is_firm = |it: &&Mention| it.tail.is_named || (it.tail.is_scaled && measure.base == "parameters");
    let slip = mentions.iter().filter(is_firm).find(|it| {
        [figure.low, figure.high].iter().any(|end| is_power_of_ten(it.value / end))
            || (it.tail.currency != currency && is_same(it.value, figure.low))
    })?;
    Some(slip.words.clone())
}

fn is_same(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() < SAME
}

/// Whether a ratio is 10, 100, … or a tenth, a hundredth, …
fn is_power_of_ten(ratio: f64) -> bool {
    let exponent = ratio.log10();
    exponent.abs() > 0.5 && (exponent - exponent.round()).abs() < SAME / 3.0
}

/// Every number of the quote with the unit of this measure, or with a scale and no other unit.
fn mentions(measure: &Measure, quote: &str) -> Vec<Mention> {
    let text = spelling::plain(quote);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(|it: char| it.is_ascii_digit()).map(|it| it + from) {
        let end = text[start..]
            .find(|it: char| !(it.is_ascii_digit() || ".,".contains(it)))
            .map_or(text.len(), |it| it + start);
        let digits = text[start..end].trim_end_matches(['.', ',']);
        if let Ok(spelled) = spelling::read(digits) {
            found.extend(mention(measure, &spelled.first, digits, &text[end..], lead(&text[..start])));
        }
        from = end;
    }
    found
}

/// The sign of money before a number.
fn lead(before: &str) -> &'static str {
    let before = before.trim_end().to_lowercase();
    let signs = ["us$", "$", "usd", "rmb", "cny"];
    signs.into_iter().find(|it| before.ends_with(it)).unwrap_or_default()
}

fn mention(measure: &Measure, part: &Part, digits: &str, after: &str, lead: &str) -> Option<Mention> {
    let words = longest_tail(measure, after, lead)?;
    let tail = measure
        .tail(&format!("{words} {}", if measure.is_money() { lead } else { "" }))
        .or_else(|| measure.tail(&words))?;
    let shown = format!("{digits} {words}");
    Some(Mention { value: part.number * tail.factor, tail, words: shown.trim().to_owned() })
}

/// The longest run of words behind the number that is scale and unit; it must end where a word ends.
fn longest_tail(measure: &Measure, after: &str, lead: &str) -> Option<String> {
    let candidates = std::iter::once("").chain(scales());
    let mut best: Option<String> = None;
    let lower = after.to_lowercase();
    let head = lower.trim_start_matches([' ', '-']);
    for scale in candidates {
        let Some(rest) = head.strip_prefix(scale) else { continue };
        let named = rest.trim_start_matches([' ', '-', '个', '多', '余']);
        for noun in measure.names().into_iter().chain([""]) {
            // Without a noun the scale itself must end where a word ends.
            let behind = if noun.is_empty() { Some(rest) } else { named.strip_prefix(noun) };
            let Some(behind) = behind else { continue };
            let is_whole = !ends_latin(scale, noun) || !behind.starts_with(|it: char| it.is_ascii_alphanumeric());
            let words = format!("{scale} {noun}").trim().to_owned();
            let stands = measure.tail(&words).is_some() || (measure.is_money() && !lead.is_empty() && noun.is_empty());
            let is_free = !noun.is_empty() || !is_of_another_kind(measure, behind);
            if is_whole && stands && is_free && best.as_ref().is_none_or(|it| it.len() < words.len()) {
                best = Some(words);
            }
        }
    }
    best
}

fn ends_latin(scale: &str, noun: &str) -> bool {
    let last = if noun.is_empty() { scale } else { noun };
    last.chars().next_back().is_some_and(|it| it.is_ascii_alphanumeric())
}

/// Whether a word of another measure follows: `7T tokens` says nothing about parameters.
fn is_of_another_kind(measure: &Measure, behind: &str) -> bool {
    let behind = behind.trim_start();
    About::ALL.iter().any(|about| match about.expected() {
        Expected::Number(other) if other.base != measure.base => {
            other.names().iter().any(|it| it.len() > 1 && behind.starts_with(it))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(about: About, value: f64, quote: &str, slip: Option<&str>) {
        assert_eq!(other_scale(about, Figure::exact(value), None, quote).as_deref(), slip, "{quote}");
    }

    #[test]
    fn a_slip_of_scale_is_found() {
        check(About::TrainingTokens, 3e9, "trained on 3 trillion tokens", Some("3 trillion tokens"));
        check(About::Parameters, 3.4e13, "34B parameters", Some("34 b parameters"));
        check(About::Parameters, 3.4e13, "our 34B model", Some("34 b"));
        check(About::TrainingTokens, 2.5e12, "使用2.5亿词元训练", Some("2.5 亿 词元"));
    }

    #[test]
    fn what_fits_or_says_nothing_passes() {
        check(About::TrainingTokens, 3e12, "trained on 3 trillion tokens", None);
        check(About::TrainingTokens, 3e12, "从3PB原始数据精选到3T token高质量数据", None);
        check(About::RawData, 3e15, "从3PB原始数据精选到3T token高质量数据", None);
        check(About::Parameters, 3.4e10, "based on 6B and 34B pretrained language models", None);
        check(About::Parameters, 7e9, "70亿参数，使用2.5万亿token训练", None);
        // Digits alone, another kind of number, and another number are no slip.
        check(About::TrainingTokens, 2e9, "a 2B model trained on two trillion tokens", None);
        check(About::Parameters, 7e9, "trained on 7T tokens", None);
        check(About::TrainingTokens, 3e12, "q", None);
        check(About::TrainingTokens, 3e12, "version 3 was trained in 2023", None);
        check(About::GpuHours, 180_000.0, "7B took 180k hours", None);
        check(About::Gpus, 1200.0, "1200 卡", None);
    }

    #[test]
    fn a_wrong_currency_is_found() {
        let figure = Figure::exact(3e7);
        let slip = |currency, quote| other_scale(About::Cost, figure, Some(currency), quote);
        assert_eq!(slip(Currency::Renminbi, "成本约3000万美元").as_deref(), Some("3000 万 美元"));
        assert_eq!(slip(Currency::Renminbi, "成本约3000万元"), None);
        assert_eq!(slip(Currency::Dollar, "it cost $30M"), None);
        assert_eq!(slip(Currency::Dollar, "it cost $30B").as_deref(), Some("30 b"));
    }
}
