//! The sheet a check is worked out on: claims in, steps and assumptions noted, a [`Check`] out.

use chrono::NaiveDate;

use crate::claims::{About, BandMark, Bands, Check, Claim, ClaimValue, Outcome, Quantity, Step};
use crate::fact::{Interval, Message};

/// One check while it is being worked out.
///
/// Whatever is taken from a claim is remembered as something the result rests on.
#[derive(Debug)]
pub(crate) struct Worksheet<'a> {
    claims: &'a [Claim],
    pub(crate) bands: &'a Bands,
    check: Check,
}

impl<'a> Worksheet<'a> {
    pub(crate) fn new(id: &str, claims: &'a [Claim], bands: &'a Bands) -> Self {
        let check = Check {
            id: id.to_owned(),
            outcome: Outcome::NotComputable,
            result: None,
            bands: Vec::new(),
            steps: Vec::new(),
            rests_on: Vec::new(),
            assumptions: Vec::new(),
            missing: Vec::new(),
            remarks: Vec::new(),
            sources: Vec::new(),
            bands_date: bands.date,
        };
        Self { claims, bands, check }
    }

    /// The number claimed about something; a range where several claims differ.
    pub(crate) fn number(&mut self, about: About) -> Option<Interval> {
        let numbers = self.values(about, |value| match value {
            ClaimValue::Number(number) => Some(*number),
            ClaimValue::Date(_) | ClaimValue::Yes(_) | ClaimValue::Name(_) => None,
        });
        let low = numbers.iter().copied().min_by(f64::total_cmp)?;
        let high = numbers.iter().copied().max_by(f64::total_cmp)?;
        if low < high {
            self.assume(Message::new("assumption.claims_differ").with("about", about_term(about)));
        }
        Some(Interval::new(low, high))
    }

    /// Every day claimed about something, in ascending order.
    pub(crate) fn days(&mut self, about: About) -> Vec<NaiveDate> {
        let mut days = self.values(about, |value| match value {
            ClaimValue::Date(day) => Some(*day),
            ClaimValue::Number(_) | ClaimValue::Yes(_) | ClaimValue::Name(_) => None,
        });
        days.sort_unstable();
        days
    }

    /// Every name claimed about something, in the order of the case.
    pub(crate) fn names(&mut self, about: About) -> Vec<String> {
        self.values(about, |value| match value {
            ClaimValue::Name(name) => Some(name.clone()),
            ClaimValue::Number(_) | ClaimValue::Yes(_) | ClaimValue::Date(_) => None,
        })
    }

    fn values<T>(&mut self, about: About, pick: impl Fn(&ClaimValue) -> Option<T>) -> Vec<T> {
        let mut values = Vec::new();
        for claim in self.claims.iter().filter(|it| it.about == about) {
            if let Some(value) = pick(&claim.value) {
                values.push(value);
                if !self.check.rests_on.contains(&claim.id) {
                    self.check.rests_on.push(claim.id.clone());
                }
            }
        }
        values
    }

    /// Notes a line of arithmetic and hands its result on.
    pub(crate) fn step(&mut self, what: &str, expression: String, value: Interval, unit: &str) -> Interval {
        let result = quantity((value, unit));
        let value = result.value;
        self.check.steps.push(Step { what: Message::new(what), expression, result });
        value
    }

    /// Notes something that nobody stated and that was assumed.
    pub(crate) fn assume(&mut self, what: Message) {
        if !self.check.assumptions.contains(&what) {
            self.check.assumptions.push(what);
        }
    }

    /// Notes a claim that would make the check better.
    pub(crate) fn miss(&mut self, about: About) {
        if !self.check.missing.contains(&about) {
            self.check.missing.push(about);
        }
    }

    /// Notes what the outcome means or what to ask.
    pub(crate) fn remark(&mut self, what: Message) {
        self.check.remarks.push(what);
    }

    /// Notes where figures come from.
    pub(crate) fn source(&mut self, sources: &[String]) {
        for source in sources {
            if !self.check.sources.contains(source) {
                self.check.sources.push(source.clone());
            }
        }
    }

    /// Nothing can be said, or only what `result` says.
    pub(crate) fn not_computable(mut self, result: Option<(Interval, &str)>) -> Check {
        self.check.result = result.map(quantity);
        self.remark(Message::new("remark.not_computable"));
        self.check
    }

    /// The outcome is already known to be this one.
    pub(crate) fn settle(mut self, outcome: Outcome, result: (Interval, &str)) -> Check {
        self.check.outcome = outcome;
        self.check.result = Some(quantity(result));
        self.check
    }

    /// Holds the result against bands. The mildest band that it touches is the outcome: what a company has not been
    /// asked yet is not held against it. Where the range goes on into graver bands, a remark says so.
    pub(crate) fn conclude(mut self, result: (Interval, &str), bands: Vec<BandMark>, remarks: &str) -> Check {
        let touched: Vec<Outcome> = bands.iter().filter(|it| touches(it, result.0)).map(|it| it.outcome).collect();
        let mildest = touched.iter().copied().min().unwrap_or(Outcome::NotComputable);
        let gravest = touched.iter().copied().max().unwrap_or(Outcome::NotComputable);
        self.check.outcome = mildest;
        self.remark(Message::new(format!("{remarks}.{}", remark_word(mildest, &bands, result.0))));
        if gravest > mildest {
            self.remark(Message::new("remark.range_reaches").with("outcome", outcome_term(gravest)));
        }
        self.check.result = Some(quantity(result));
        let round = |it: BandMark| BandMark { from: it.from.map(rounded), to: it.to.map(rounded), ..it };
        self.check.bands = bands.into_iter().map(round).collect();
        self.check
    }
}

/// A question above the usual is another question than one below it.
fn remark_word(outcome: Outcome, bands: &[BandMark], result: Interval) -> &'static str {
    let normal = bands.iter().find(|it| it.outcome == Outcome::Normal);
    let is_below = normal.and_then(|it| it.from).is_some_and(|from| result.high < from);
    match outcome {
        Outcome::Ask if is_below => "ask_low",
        other => other.word(),
    }
}

fn touches(band: &BandMark, result: Interval) -> bool {
    band.to.is_none_or(|to| result.low <= to) && band.from.is_none_or(|from| result.high >= from)
}

fn quantity((value, unit): (Interval, &str)) -> Quantity {
    Quantity { value: Interval { low: rounded(value.low), high: rounded(value.high) }, unit: unit.to_owned() }
}

/// Twelve significant digits: no claim has more, and JSON gives such a number back exactly as it was.
pub(crate) fn rounded(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

/// The word for what a claim is about, as a term of the language files.
pub(crate) fn about_term(about: About) -> Message {
    Message::new(format!("about.{}", about.word()))
}

/// The word for an outcome, as a term of the language files.
pub(crate) fn outcome_term(outcome: Outcome) -> Message {
    Message::new(format!("outcome.{}", outcome.word()))
}

/// The product of two ranges of positive numbers.
pub(crate) fn product(one: Interval, other: Interval) -> Interval {
    Interval::new(one.low * other.low, one.high * other.high)
}

/// The quotient of two ranges of positive numbers.
pub(crate) fn quotient(one: Interval, other: Interval) -> Interval {
    Interval::new(one.low / other.high, one.high / other.low)
}

/// A number or a range for an expression, to four significant digits.
pub(crate) fn figure(value: Interval) -> String {
    let (low, high) = (one_figure(value.low), one_figure(value.high));
    if low == high { low } else { format!("({low}–{high})") }
}

fn one_figure(number: f64) -> String {
    let scientific = format!("{number:.3e}");
    let (digits, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes an integer exponent");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if number != 0.0 && !(-4..6).contains(&exponent) {
        return format!("{digits}e{exponent}");
    }
    let decimals = usize::try_from((3 - exponent).clamp(0, 7)).expect("clamped to a small positive number");
    let plain = format!("{number:.decimals$}");
    if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_four_digits() {
        for (number, expected) in [
            (6.324e23, "6.324e23"),
            (3.4e10, "3.4e10"),
            (0.52, "0.52"),
            (154.0, "154"),
            (298.94, "298.9"),
            (1354.1, "1354"),
            (999_999.0, "1e6"),
            (123_456.0, "123456"),
            (1_082_700.0, "1.083e6"),
            (0.000_12, "0.00012"),
            (0.000_012, "1.2e-5"),
            (0.0, "0"),
        ] {
            assert_eq!(one_figure(number), expected);
        }
        assert_eq!(figure(Interval::new(0.15, 0.52)), "(0.15–0.52)");
        assert_eq!(figure(Interval::exactly(6.0)), "6");
    }
}
