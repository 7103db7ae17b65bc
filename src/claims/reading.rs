//! Value and unit of a claim, as written, to a figure in base units.

use crate::claims::document::{Mistake, mistake};
use crate::claims::figure::{Figure, FigureKind};
use crate::claims::spelling::{self, LONGEST, Part, Spelled, Unreadable};
use crate::claims::unit::{Bare, Currency, Expected, Measure, Tail};
use crate::claims::worksheet::rounded;
use crate::claims::{About, Bands};

/// What value and unit were read as.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    about: About,
    /// In base units; money in its own currency.
    pub(crate) figure: Figure,
    /// Value and unit as they were written.
    pub(crate) written: String,
    /// The currency of money.
    pub(crate) currency: Option<Currency>,
}

impl Reading {
    /// Whether it is money in yuan.
    pub(crate) fn is_yuan(&self) -> bool {
        self.currency == Some(Currency::Renminbi)
    }

    /// The figure with its base unit.
    pub(crate) fn shown(&self) -> String {
        let shown = shown(self.figure, self.about);
        if self.is_yuan() { shown.replace("USD", "CNY") } else { shown }
    }
}

/// A figure with its base unit, as everybody reads it: `about 3e12 tokens`.
pub(crate) fn shown(figure: Figure, about: About) -> String {
    let Expected::Number(measure) = about.expected() else { return String::new() };
    let number = match figure.kind {
        FigureKind::Exact => plainly(figure.low),
        FigureKind::About => format!("about {}", plainly(figure.low)),
        FigureKind::Range => format!("{} to {}", plainly(figure.low), plainly(figure.high)),
        FigureKind::AtLeast => format!("at least {}", plainly(figure.low)),
        FigureKind::AtMost => format!("at most {}", plainly(figure.low)),
    };
    format!("{number} {}", measure.base)
}

/// A number to twelve digits; from ten million on, with its power of ten.
fn plainly(number: f64) -> String {
    let short = rounded(number);
    if (1e-4..1e7).contains(&short) { short.to_string() } else { format!("{short:e}") }
}

/// How a value about it may be written.
pub(crate) fn example(about: About) -> String {
    let Expected::Number(measure) = about.expected() else { return String::new() };
    format!("write digits here and the unit under `unit`, one of {}", listed(measure))
}

fn listed(measure: &Measure) -> String {
    measure.examples.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

/// Reads value and unit; the unit may stand in either.
pub(crate) fn read(about: About, value: &str, unit: Option<&str>, bands: &Bands) -> Result<Reading, Mistake> {
    let Expected::Number(measure) = about.expected() else { return Err(mistake("value", "no number", "")) };
    if value.len() + unit.map_or(0, str::len) > LONGEST {
        return Err(mistake("value", format!("it is longer than {LONGEST} bytes"), example(about)));
    }
    let spelled = spelling::read(value).map_err(|it| unreadable(about, value, it))?;
    let (spelled, written) = with_unit(spelled, value, unit, measure)?;
    let last = spelled.second.as_ref().unwrap_or(&spelled.first);
    let tail = |part: &Part| tail_of(about, &spelled.lead, part, unit, bands);
    let last_tail = tail(last)?;
    // In `2-3 T tokens` the first number takes the unit of the second.
    let waits = spelled.second.is_none() || spelled.first.tail.is_empty();
    let first_tail = if waits { last_tail } else { tail(&spelled.first)? };
    let value = |part: &Part, tail: Tail| rounded(part.number * tail.factor);
    let half_digit = rounded((last.half / last.number).max(spelled.first.half / spelled.first.number));
    let (low, high) = (value(&spelled.first, first_tail), value(last, last_tail));
    let figure = Figure { kind: spelled.kind, low, high, half_digit };
    within_reason(about, measure, figure)?;
    Ok(Reading { about, figure, written, currency: last_tail.currency })
}

/// Puts the unit behind the last number, unless it stands there already.
fn with_unit(
    mut spelled: Spelled,
    value: &str,
    unit: Option<&str>,
    measure: &Measure,
) -> Result<(Spelled, String), Mistake> {
    let value = value.trim();
    let Some(unit) = unit.map(spelling::plain) else { return Ok((spelled, value.to_owned())) };
    let last = spelled.second.as_mut().unwrap_or(&mut spelled.first);
    let own = measure.tail(&last.tail).filter(|it| it.is_named);
    if own.is_some() && own == measure.tail(&unit) {
        return Ok((spelled, value.to_owned()));
    }
    if own.is_some() {
        let message = format!("the value has its unit already, and `{unit}` is another one");
        return Err(mistake("unit", message, "take one of them out"));
    }
    last.tail = format!("{} {unit}", last.tail).trim().to_owned();
    Ok((spelled, format!("{value} {unit}")))
}

/// Scale and unit of one number.
fn tail_of(about: About, lead: &str, part: &Part, unit: Option<&str>, bands: &Bands) -> Result<Tail, Mistake> {
    let Expected::Number(measure) = about.expected() else { return Err(mistake("value", "no number", "")) };
    let words = format!("{} {lead}", without_accelerator(about, &part.tail, bands));
    named(about, measure, part, words.trim(), unit)
}

/// The unit, or what is wrong with it.
fn named(about: About, measure: &Measure, part: &Part, words: &str, unit: Option<&str>) -> Result<Tail, Mistake> {
    let one_of = format!("one of {}", listed(measure));
    let hint = |words: &str| match measure.meant(words) {
        Some(meant) => format!("{meant} {one_of}"),
        None => one_of.clone(),
    };
    let tail = measure.tail(words);
    // 34 parameters are nobody's; 34,388,917,248 are written out.
    let is_bare =
        words.is_empty() && (measure.bare == Bare::Nothing || measure.bare == Bare::Word && part.number < 1e6);
    if is_bare {
        return Err(mistake("unit", "a number needs its unit", hint(words)));
    }
    let field = if unit.is_some() { "unit" } else { "value" };
    tail.ok_or_else(|| {
        mistake(field, format!("unit `{words}` is not one of those for `{}`", about.word()), hint(words))
    })
}

/// `2048 H800` and `H800 hours` name the accelerator where others write GPU.
fn without_accelerator(about: About, tail: &str, bands: &Bands) -> String {
    if !matches!(about, About::Gpus | About::GpuHours | About::FineTuneHours) {
        return tail.to_owned();
    }
    let is_accelerator = |it: &&str| bands.accelerator(it).is_some() && it.len() > 1;
    let words: Vec<&str> = tail.split(' ').collect();
    let kept: Vec<&str> = words.iter().copied().filter(|it| !is_accelerator(it)).collect();
    if kept.is_empty() && about == About::Gpus { "gpus".to_owned() } else { kept.join(" ") }
}

fn within_reason(about: About, measure: &Measure, figure: Figure) -> Result<(), Mistake> {
    if figure.low > figure.high {
        return Err(mistake(
            "value",
            "the range ends before it begins",
            "write it from the smaller number to the larger",
        ));
    }
    if figure.high > measure.most {
        let message = format!("{} is beyond anything `{}` can be", shown(figure, about), about.word());
        return Err(mistake("value", message, "check the number against its unit: the scale may stand in both"));
    }
    Ok(())
}

fn unreadable(about: About, value: &str, why: Unreadable) -> Mistake {
    match why {
        Unreadable::NoNumber if value.eq_ignore_ascii_case("nan") || value.contains("inf") => {
            mistake("value", format!("{value} is not a positive number"), "leave the claim out if it is not known")
        }
        Unreadable::NoNumber => {
            mistake("value", format!("`{value}` has no digits, and `{}` takes a number", about.word()), example(about))
        }
        Unreadable::Comma => mistake(
            "value",
            format!("`{value}` cannot be read as one number"),
            "write decimals with a point (`3.1`) and thousands in groups of three (`3,100`)",
        ),
        Unreadable::Range => mistake(
            "value",
            format!("`{value}` holds more than two numbers"),
            "write one number, or a range from the smaller to the larger (`2-3`)",
        ),
        Unreadable::Size => {
            mistake("value", format!("{value} is not a positive number"), "leave the claim out if it is not known")
        }
    }
}
