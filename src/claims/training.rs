//! Quantities that several checks need: the work of a training run, the speed of its accelerators, the days it had.

use crate::claims::worksheet::{Worksheet, figure, product, quotient};
use crate::claims::{About, Bands};
use crate::fact::{Argument, Interval, Message};

/// What to take for an accelerator that nobody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// The slowest one: what is plausible on it is plausible on the others.
    Slowest,
    /// Any of those on the list: for results that would not be plausible on the slowest.
    Any,
}

/// FLOP of the training run: 6 × active parameters × tokens.
pub(crate) fn work(sheet: &mut Worksheet<'_>) -> Option<Interval> {
    let active = sheet.number(About::ActiveParameters);
    let total = sheet.number(About::Parameters);
    let tokens = tokens_seen(sheet);
    let Some(parameters) = active.or(total) else {
        sheet.miss(About::Parameters);
        return None;
    };
    let tokens = tokens?;
    let dense = product(product(Interval::exactly(6.0), parameters), tokens);
    let expression = format!("6 × {} × {}", figure(parameters), figure(tokens));
    let dense = sheet.step("step.training_compute", expression, dense, "flop");
    let is_mixture = active.is_some_and(|active| total.is_none_or(|total| active.high < total.low));
    if is_mixture {
        return Some(with_mixture_overhead(sheet, dense));
    }
    if active.is_none() {
        sheet.assume(Message::new("assumption.dense"));
    }
    Some(dense)
}

/// Active and total parameters, where fewer parameters are claimed than are said to be active for a token.
pub(crate) fn active_above_total(sheet: &mut Worksheet<'_>) -> Option<(Interval, Interval)> {
    let (active, total) = sheet.number(About::ActiveParameters).zip(sheet.number(About::Parameters))?;
    (active.low > total.high).then_some((active, total))
}

fn tokens_seen(sheet: &mut Worksheet<'_>) -> Option<Interval> {
    if let Some(tokens) = sheet.number(About::TrainingTokens) {
        return Some(tokens);
    }
    sheet.miss(About::TrainingTokens);
    let tokens = sheet.number(About::CleanTokens)?;
    sheet.assume(Message::new("assumption.seen_once"));
    Some(tokens)
}

fn with_mixture_overhead(sheet: &mut Worksheet<'_>, dense: Interval) -> Interval {
    let overhead = sheet.bands.mixture_overhead.clone();
    sheet.source(&overhead.sources);
    sheet.assume(Message::new("assumption.mixture_overhead").with("from", overhead.from).with("to", overhead.to));
    let expression = format!("{} × {}", figure(dense), figure(overhead.interval()));
    sheet.step("step.mixture_overhead", expression, product(dense, overhead.interval()), "flop")
}

/// Accelerator-hours as claimed, or as the claimed cost buys at published prices.
pub(crate) fn hours_claimed(sheet: &mut Worksheet<'_>) -> Option<Interval> {
    if let Some(hours) = sheet.number(About::GpuHours) {
        return Some(hours);
    }
    sheet.miss(About::GpuHours);
    let cost = sheet.number(About::Cost)?;
    let price = sheet.bands.hour_price.clone();
    sheet.source(&price.sources);
    sheet.assume(Message::new("assumption.hour_price").with("from", price.from).with("to", price.to));
    let expression = format!("{} ÷ {}", figure(cost), figure(price.interval()));
    Some(sheet.step("step.hours_bought", expression, quotient(cost, price.interval()), "gpu_hours"))
}

/// Accelerator-hours the work takes at the utilisation that comparable runs reach.
pub(crate) fn hours_needed(sheet: &mut Worksheet<'_>, work: Interval, unnamed: Unnamed) -> Interval {
    let peak = peak(sheet, unnamed);
    let utilisation = sheet.bands.normal_utilisation();
    let sources = sheet.bands.utilisation.sources.clone();
    sheet.source(&sources);
    sheet.assume(
        Message::new("assumption.normal_utilisation")
            .with("from", Argument::Share(utilisation.low))
            .with("to", Argument::Share(utilisation.high)),
    );
    let speed = product(product(peak, utilisation), Interval::exactly(3600.0));
    let expression = format!("{} ÷ (3600 × {} × {})", figure(work), figure(peak), figure(utilisation));
    sheet.step("step.hours_needed", expression, quotient(work, speed), "gpu_hours")
}

/// Dense peak of the accelerators in FLOP per second; a range where it is not stated which, or in what format.
pub(crate) fn peak(sheet: &mut Worksheet<'_>, unnamed: Unnamed) -> Interval {
    let models = sheet.names(About::GpuModel);
    let formats = sheet.names(About::Precision);
    if models.is_empty() {
        sheet.miss(About::GpuModel);
    }
    if formats.is_empty() {
        sheet.miss(About::Precision);
    }
    let considered = considered(sheet, &models, unnamed);
    let mut peaks = peaks(sheet.bands, &considered, &formats);
    if peaks.is_empty() {
        sheet.assume(Message::new("assumption.format_without_peak").with("precision", formats.join(", ")));
        peaks = self::peaks(sheet.bands, &considered, &[]);
    }
    if formats.is_empty() && models.is_empty() && unnamed == Unnamed::Slowest {
        sheet.assume(Message::new("assumption.precision").with("precision", sheet.bands.assumed_precision.as_str()));
    }
    for accelerator in sheet.bands.accelerators.iter().filter(|it| considered.contains(&it.name)) {
        sheet.source(&accelerator.sources);
    }
    let low = peaks.iter().copied().min_by(f64::total_cmp).unwrap_or(f64::MIN_POSITIVE);
    let high = peaks.iter().copied().max_by(f64::total_cmp).unwrap_or(f64::MAX);
    let names = considered.join(", ");
    sheet.step("step.peak", names, Interval::new(low, high), "flop_per_second")
}

/// The accelerators to reckon with.
fn considered(sheet: &mut Worksheet<'_>, named: &[String], unnamed: Unnamed) -> Vec<String> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let names = match unnamed {
        Unnamed::Slowest => vec![sheet.bands.assumed_accelerator.clone()],
        Unnamed::Any => sheet.bands.accelerators.iter().map(|it| it.name.clone()).collect(),
    };
    let key = match unnamed {
        Unnamed::Slowest => "assumption.slowest_accelerator",
        Unnamed::Any => "assumption.any_accelerator",
    };
    sheet.assume(Message::new(key).with("accelerator", names.join(", ")));
    names
}

/// Peaks of these accelerators in these formats; in every format they have where none is named.
fn peaks(bands: &Bands, accelerators: &[String], formats: &[String]) -> Vec<f64> {
    bands
        .accelerators
        .iter()
        .filter(|it| accelerators.contains(&it.name))
        .flat_map(|it| it.peaks.iter())
        .filter(|(format, _)| formats.is_empty() || formats.contains(format))
        .map(|(_, peak)| *peak)
        .collect()
}

/// Days from the first possible day of training to the release; notes what is missing where there are none.
pub(crate) fn window(sheet: &mut Worksheet<'_>) -> Option<f64> {
    let start = sheet.days(About::TrainingStart);
    let release = sheet.days(About::Release);
    if start.is_empty() {
        sheet.miss(About::TrainingStart);
    }
    if release.is_empty() {
        sheet.miss(About::Release);
    }
    // Where claims differ, the longest window they allow.
    let (start, release) = (start.first()?, release.last()?);
    let between = i32::try_from((*release - *start).num_days()).ok()?;
    // What starts and is out on one day had that day.
    let (days, added) = if between == 0 { (1.0, " + 1") } else { (f64::from(between), "") };
    let expression = format!("{release} − {start}{added}");
    sheet.step("step.window", expression, Interval::exactly(days), "days");
    Some(days)
}

/// Share of the time that a cluster computes.
pub(crate) fn availability(sheet: &mut Worksheet<'_>) -> Interval {
    let availability = sheet.bands.availability.clone();
    sheet.source(&availability.sources);
    let assumption = Message::new("assumption.availability");
    let (from, to) = (Argument::Share(availability.from), Argument::Share(availability.to));
    sheet.assume(assumption.with("from", from).with("to", to));
    availability.interval()
}
