//! The sheet a check is worked out on: claims in, steps and assumptions noted, a [`Check`] out.

use chrono::NaiveDate;

use crate::claims::contradictions::Said;
use crate::claims::figure::Amount;
use crate::claims::{About, BandMark, Bands, Check, ClaimValue, Counted, Outcome, Quantity, Step};
use crate::fact::{Interval, Message};

/// One check while it is being worked out.
///
/// Whatever is taken from a claim is remembered as something the result rests on.
#[derive(Debug)]
pub(crate) struct Worksheet<'a> {
    said: &'a Said<'a>,
    pub(crate) bands: &'a Bands,
    check: Check,
    /// The mildest outcome that is left, whatever the arithmetic gives.
    least: Outcome,
}

/// What rounding of the stated figures may do to an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgive {
    /// Whatever it explains: the result is compared with the bands with all that may have been rounded.
    All,
    /// Nothing implausible or impossible, but a question stays a question.
    Grave,
}

impl<'a> Worksheet<'a> {
    pub(crate) fn new(id: &str, said: &'a Said<'a>) -> Self {
        let check = Check {
            id: id.to_owned(),
            outcome: Outcome::NotComputable,
            assumed: false,
            result: None,
            bands: Vec::new(),
            steps: Vec::new(),
            rests_on: Vec::new(),
            assumptions: Vec::new(),
            allowances: Vec::new(),
            missing: Vec::new(),
            remarks: Vec::new(),
            sources: Vec::new(),
            bands_date: said.bands.date,
        };
        Self { said, bands: said.bands, check, least: Outcome::NotComputable }
    }

    /// What the program counted in the files.
    pub(crate) fn counted(&self) -> &'a Counted {
        self.said.counted
    }

    /// The number claimed about something; of several that agree the one that was stated most precisely.
    pub(crate) fn number(&mut self, about: About) -> Option<Amount> {
        let rounding = &self.bands.rounding;
        let figures = self.said.values(about).filter_map(|value| match value {
            ClaimValue::Number(figure) => Some(*figure),
            ClaimValue::Date(_) | ClaimValue::Yes(_) | ClaimValue::Name(_) => None,
        });
        let width = |it: Interval| it.high / it.low;
        let figure =
            figures.min_by(|one, other| width(one.reach(rounding)).total_cmp(&width(other.reach(rounding))))?;
        let amount = Amount { said: figure.said(), reach: figure.reach(rounding) };
        self.rest_on(about);
        if figure.is_open() {
            self.assume(Message::new("assumption.open_end").with("about", about_term(about)));
        }
        Some(amount)
    }

    /// The day claimed about something.
    pub(crate) fn day(&mut self, about: About) -> Option<NaiveDate> {
        let day = self.said.values(about).find_map(|value| match value {
            ClaimValue::Date(day) => Some(*day),
            ClaimValue::Number(_) | ClaimValue::Yes(_) | ClaimValue::Name(_) => None,
        })?;
        self.rest_on(about);
        Some(day)
    }

    /// The name claimed about something.
    pub(crate) fn name(&mut self, about: About) -> Option<String> {
        let name = self.said.values(about).find_map(|value| match value {
            ClaimValue::Name(name) => Some(name.clone()),
            ClaimValue::Number(_) | ClaimValue::Yes(_) | ClaimValue::Date(_) => None,
        })?;
        self.rest_on(about);
        Some(name)
    }

    /// The same, noted as missing where nobody said it.
    pub(crate) fn number_or_miss(&mut self, about: About) -> Option<Amount> {
        let number = self.number(about);
        if number.is_none() {
            self.miss(about);
        }
        number
    }

    /// Whether the company calls the model a mixture of experts in any of the words on record.
    pub(crate) fn calls_itself_a_mixture(&self) -> bool {
        self.said.calls_itself_a_mixture()
    }

    /// Every claim about it is something the result rests on, also one that says something else.
    pub(crate) fn rest_on(&mut self, about: About) {
        for claim in self.said.all.iter().filter(|it| it.about == about) {
            if !self.check.rests_on.contains(&claim.id) {
                self.check.rests_on.push(claim.id.clone());
            }
        }
    }

    /// Notes a line of arithmetic and hands its result on.
    pub(crate) fn step(&mut self, what: &str, expression: String, value: Amount, unit: &str) -> Amount {
        self.check.steps.push(Step { what: Message::new(what), expression, result: quantity(value.said, unit) });
        value
    }

    /// Notes something that nobody stated and that was assumed. Such a check praises nobody.
    pub(crate) fn assume(&mut self, what: Message) {
        self.check.assumed = true;
        if !self.check.assumptions.contains(&what) {
            self.check.assumptions.push(what);
        }
    }

    /// Notes a range that was allowed for where practice differs, in the company's favor.
    pub(crate) fn allow(&mut self, what: Message) {
        if !self.check.allowances.contains(&what) {
            self.check.allowances.push(what);
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
        if !self.check.remarks.contains(&what) {
            self.check.remarks.push(what);
        }
    }

    /// Notes something that makes the outcome at least this grave, whatever the arithmetic gives.
    pub(crate) fn raise(&mut self, outcome: Outcome, why: Message) {
        self.least = self.least.max(outcome);
        self.remark(why);
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
    pub(crate) fn not_computable(mut self, result: Option<(Amount, &str)>) -> Check {
        self.check.result = result.map(|(value, unit)| quantity(value.said, unit));
        self.check.outcome = self.least;
        self.remark(Message::new("remark.not_computable"));
        self.check
    }

    /// The outcome is already known to be this one.
    pub(crate) fn settle(mut self, outcome: Outcome, result: (Amount, &str)) -> Check {
        self.check.outcome = outcome.max(self.least);
        self.check.result = Some(quantity(result.0.said, result.1));
        self.check
    }

    /// Holds the result against bands. The mildest band that it touches is the outcome: what a company has not been
    /// asked yet is not compared with it. Where the range goes on into graver bands, a remark says so.
    pub(crate) fn conclude(
        mut self,
        result: (Amount, &str),
        bands: Vec<BandMark>,
        remarks: &str,
        forgive: Forgive,
    ) -> Check {
        let (amount, unit) = result;
        let outcome = judged(amount, &bands, forgive);
        self.check.outcome = outcome.max(self.least);
        let side = if forgive == Forgive::All { amount.reach } else { amount.said };
        self.remark(Message::new(format!("{remarks}.{}", remark_word(outcome, &bands, side))));
        let gravest = touched(amount.said, &bands).max().unwrap_or(outcome);
        if gravest > outcome && amount.said.low < amount.said.high {
            let key = if self.check.assumed { "remark.range_reaches" } else { "remark.range_reaches_stated" };
            self.remark(Message::new(key).with("outcome", outcome_term(gravest)));
        } else if gravest > outcome {
            self.remark(Message::new("remark.rounding_explains").with("outcome", outcome_term(gravest)));
        }
        self.check.result = Some(quantity(amount.said, unit));
        let round = |it: BandMark| BandMark { from: it.from.map(rounded), to: it.to.map(rounded), ..it };
        self.check.bands = bands.into_iter().map(round).collect();
        self.check
    }
}

/// The mildest band that the result touches.
fn judged(amount: Amount, bands: &[BandMark], forgive: Forgive) -> Outcome {
    let mildest = |it: Interval| touched(it, bands).min().unwrap_or(Outcome::NotComputable);
    let (said, rounded) = (mildest(amount.said), mildest(amount.reach));
    match forgive {
        Forgive::All => rounded,
        Forgive::Grave if said >= Outcome::Implausible => rounded.max(Outcome::Ask),
        Forgive::Grave => said,
    }
}

/// A question above the usual is another question than one below it.
fn remark_word(outcome: Outcome, bands: &[BandMark], result: Interval) -> String {
    let normal = bands.iter().find(|it| it.outcome == Outcome::Normal);
    let is_below = normal.and_then(|it| it.from).is_some_and(|from| result.high < from);
    if outcome > Outcome::Normal && is_below { format!("{}_low", outcome.word()) } else { outcome.word().to_owned() }
}

fn touched(result: Interval, bands: &[BandMark]) -> impl Iterator<Item = Outcome> {
    bands.iter().filter(move |it| touches(it, result)).map(|it| it.outcome)
}

fn touches(band: &BandMark, result: Interval) -> bool {
    band.to.is_none_or(|to| result.low <= to) && band.from.is_none_or(|from| result.high >= from)
}

fn quantity(value: Interval, unit: &str) -> Quantity {
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

/// A number or a range for an expression, to four significant digits.
pub(crate) fn figure(amount: Amount) -> String {
    let (low, high) = (one_figure(amount.said.low), one_figure(amount.said.high));
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
        assert_eq!(figure(Amount::of(Interval::new(0.15, 0.52))), "(0.15–0.52)");
        assert_eq!(figure(Amount::exactly(6.0)), "6");
    }
}
