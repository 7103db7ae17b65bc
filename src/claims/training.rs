//! Quantities that several checks need: the work of a training run, the speed of its accelerators, the hours and days
//! it had.

use chrono::NaiveDate;

use crate::claims::bands::Accelerator;
use crate::claims::document::OTHER;
use crate::claims::figure::Amount;
use crate::claims::worksheet::{Worksheet, figure};
use crate::claims::{About, Bands, Check, Outcome};
use crate::fact::{Argument, Interval, Message};

/// What the checks on a training run may use.
pub(crate) const USES: &[About] = &[
    About::Parameters,
    About::ActiveParameters,
    About::ContextLength,
    About::TrainingTokens,
    About::CleanTokens,
    About::Flop,
    About::GpuHours,
    About::Gpus,
    About::GpuModel,
    About::Precision,
    About::Mfu,
    About::Hfu,
    About::TrainingDays,
    About::Cost,
    About::TrainingStart,
    About::Release,
];

/// What to take for an accelerator that nobody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// The usual one.
    Usual,
    /// Any of those that had been announced: for results that would not be plausible on the usual one.
    Any,
}

/// The work of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// FLOP.
    pub(crate) flop: Amount,
    /// Whether it is only assumed that every parameter works on every token.
    pub(crate) is_dense_assumed: bool,
}

/// FLOP of the training run: 6 × active parameters × tokens, with what mixtures and long context add.
pub(crate) fn work(sheet: &mut Worksheet<'_>) -> Option<Work> {
    let reckoned = reckoned_work(sheet);
    if reckoned.is_some() {
        return reckoned;
    }
    let flop = sheet.number(About::Flop)?;
    let flop = sheet.step("step.flop_stated", figure(flop), flop, "flop");
    Some(Work { flop, is_dense_assumed: false })
}

/// The same, from parameters and tokens alone.
pub(crate) fn reckoned_work(sheet: &mut Worksheet<'_>) -> Option<Work> {
    let working = working_parameters(sheet);
    let tokens = tokens_seen(sheet);
    let (working, tokens) = (working?, tokens?);
    let expression = format!("6 × {} × {}", figure(working.count), figure(tokens));
    let six = Amount::exactly(6.0).times(working.count).times(tokens);
    let six = sheet.step("step.training_compute", expression, six, "flop");
    let flop =
        if working.is_mixture { with_mixture_overhead(sheet, six) } else { with_attention(sheet, six, working.count) };
    Some(Work { flop, is_dense_assumed: working.is_dense_assumed })
}

/// Parameters that work on each token.
struct Working {
    count: Amount,
    is_mixture: bool,
    is_dense_assumed: bool,
}

/// As claimed; where nothing was claimed, as counted; never silently all of them where the model is a mixture of
/// experts.
fn working_parameters(sheet: &mut Worksheet<'_>) -> Option<Working> {
    let active = sheet.number(About::ActiveParameters);
    let total = sheet.number(About::Parameters);
    let counted = sheet.counted();
    if let Some(count) = active {
        let is_mixture = total.is_none_or(|total| count.said.high < total.said.low);
        return Some(Working { count, is_mixture, is_dense_assumed: false });
    }
    if counted.is_mixture() || sheet.calls_itself_a_mixture() {
        sheet.miss(About::ActiveParameters);
        let Some(active) = counted.active_parameters.filter(|_| counted.is_mixture()) else {
            sheet.remark(Message::new("remark.active_unknown"));
            return None;
        };
        let count = Amount::exactly(active as f64);
        let count = sheet.step("step.counted_active", figure(count), count, "parameters");
        return Some(Working { count, is_mixture: true, is_dense_assumed: false });
    }
    if let Some(count) = total {
        let is_dense_assumed = counted.parameters.is_none();
        if is_dense_assumed {
            sheet.assume(Message::new("assumption.dense"));
        }
        return Some(Working { count, is_mixture: false, is_dense_assumed });
    }
    sheet.miss(About::Parameters);
    let count = Amount::exactly(counted.parameters? as f64);
    let count = sheet.step("step.counted_parameters", figure(count), count, "parameters");
    Some(Working { count, is_mixture: false, is_dense_assumed: false })
}

/// Active and total parameters, where fewer parameters are claimed than are said to be active for a token.
pub(crate) fn active_above_total(sheet: &mut Worksheet<'_>) -> Option<(Amount, Amount)> {
    let (active, total) = sheet.number(About::ActiveParameters).zip(sheet.number(About::Parameters))?;
    (active.reach.low > total.reach.high).then_some((active, total))
}

fn tokens_seen(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    if let Some(tokens) = sheet.number_or_miss(About::TrainingTokens) {
        return Some(tokens);
    }
    let tokens = sheet.number(About::CleanTokens)?;
    sheet.assume(Message::new("assumption.seen_once"));
    Some(tokens)
}

fn with_mixture_overhead(sheet: &mut Worksheet<'_>, six: Amount) -> Amount {
    let overhead = sheet.bands.mixture_overhead.clone();
    sheet.source(&overhead.sources);
    sheet.allow(Message::new("allowance.mixture_overhead").with("from", overhead.from).with("to", overhead.to));
    let factor = Amount::of(overhead.interval());
    let expression = format!("{} × {}", figure(six), figure(factor));
    sheet.step("step.mixture_overhead", expression, six.times(factor), "flop")
}

/// Attention adds 6 × layers × hidden size × length for each token (causal, forward and backward). Most of a run sees
/// short texts, so that the range begins with nothing added.
fn with_attention(sheet: &mut Worksheet<'_>, six: Amount, parameters: Amount) -> Amount {
    let claimed = sheet.number(About::ContextLength).map(|it| it.said.high);
    let Some(length) = claimed.or(sheet.counted().context_length.map(|it| it as f64)) else { return six };
    let share = attention_share(sheet, parameters, length);
    // Below a tenth it is lost in the rounding of the other figures.
    if share < 0.1 {
        return six;
    }
    let factor = Amount::of(Interval::new(1.0, 1.0 + share));
    sheet.allow(Message::new("allowance.attention").with("length", length).with("to", factor.said.high));
    let expression = format!("{} × {}", figure(six), figure(factor));
    sheet.step("step.attention", expression, six.times(factor), "flop")
}

/// What attention adds at most, as a share of 6 × parameters.
///
/// With layers L, hidden size d and length s it is L·d·s ÷ N. Where the files were not counted: N ≈ 12·L·d² and a usual
/// d ÷ L give d, and the share is s ÷ (12·d).
fn attention_share(sheet: &mut Worksheet<'_>, parameters: Amount, length: f64) -> f64 {
    let counted = sheet.counted();
    if let (Some(layers), Some(hidden)) = (counted.layers, counted.hidden_size) {
        return layers as f64 * hidden as f64 * length / parameters.said.low;
    }
    let shape = sheet.bands.width_over_depth.clone();
    sheet.source(&shape.sources);
    let hidden = (parameters.said.low * shape.from / 12.0).cbrt();
    length / (12.0 * hidden)
}

/// Accelerator-hours, and whether they had to be reckoned from money.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hours {
    pub(crate) count: Amount,
    pub(crate) are_bought: bool,
}

/// Accelerator-hours as claimed, or as accelerators and days of the run give them.
pub(crate) fn hours_stated(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    if let Some(hours) = sheet.number_or_miss(About::GpuHours) {
        return Some(hours);
    }
    let (gpus, days) = sheet.number(About::Gpus).zip(sheet.number(About::TrainingDays))?;
    let expression = format!("{} × 24 × {}", figure(gpus), figure(days));
    let hours = gpus.times(days).times(Amount::exactly(24.0));
    Some(sheet.step("step.hours_by_clock", expression, hours, "gpu_hours"))
}

/// Accelerator-hours as stated, or as the claimed cost buys at published prices.
pub(crate) fn hours(sheet: &mut Worksheet<'_>) -> Option<Hours> {
    if let Some(count) = hours_stated(sheet) {
        return Some(Hours { count, are_bought: false });
    }
    let cost = sheet.number(About::Cost)?;
    let price = sheet.bands.hour_price.clone();
    sheet.source(&price.sources);
    sheet.assume(Message::new("assumption.hour_price").with("from", price.from).with("to", price.to));
    let rate = Amount::of(price.interval());
    let expression = format!("{} ÷ {}", figure(cost), figure(rate));
    let count = sheet.step("step.hours_bought", expression, cost.over(rate), "gpu_hours");
    Some(Hours { count, are_bought: true })
}

/// Accelerator-hours the work takes at the stated utilization, or at one that comparable runs reach.
pub(crate) fn hours_needed(sheet: &mut Worksheet<'_>, work: Work, unnamed: Unnamed) -> Option<Amount> {
    let peak = peak(sheet, unnamed)?;
    let utilization = utilization(sheet);
    let speed = peak.times(utilization).times(Amount::exactly(3600.0));
    let expression = format!("{} ÷ (3600 × {} × {})", figure(work.flop), figure(peak), figure(utilization));
    Some(sheet.step("step.hours_needed", expression, work.flop.over(speed), "gpu_hours"))
}

fn utilization(sheet: &mut Worksheet<'_>) -> Amount {
    let stated = sheet.number(About::Mfu);
    let sources = sheet.bands.utilization.sources.clone();
    sheet.source(&sources);
    // Nobody is judged by a utilization of his own that no run on record reached.
    let usual = sheet.bands.normal_utilization();
    if let Some(stated) = stated.filter(|it| it.said.high <= usual.high) {
        return stated;
    }
    let (from, to) = (Argument::Share(usual.low), Argument::Share(usual.high));
    sheet.assume(Message::new("assumption.normal_utilization").with("from", from).with("to", to));
    Amount::of(usual)
}

/// Dense peak of the accelerators in FLOP per second; a range where it is not stated which, or in what format. None
/// where the accelerator is one of which no peak is known.
pub(crate) fn peak(sheet: &mut Worksheet<'_>, unnamed: Unnamed) -> Option<Amount> {
    let model = sheet.name(About::GpuModel);
    let format = sheet.name(About::Precision);
    if model.is_none() {
        sheet.miss(About::GpuModel);
    }
    if format.is_none() {
        sheet.miss(About::Precision);
    }
    if let Some(other) = model.as_deref().and_then(|it| it.strip_prefix(OTHER)) {
        sheet.remark(Message::new("remark.peak_unknown").with("accelerator", other));
        return None;
    }
    let considered = considered(sheet, model.as_deref(), unnamed);
    let format = usable_format(sheet, model.is_some(), &considered, format);
    let peaks = peaks(&considered, format.as_deref());
    let range = hull(&peaks)?;
    if format.is_none() && considered.len() == 1 && range.low < range.high && model.is_some() {
        sheet.assume(Message::new("assumption.any_format"));
    }
    for accelerator in &considered {
        sheet.source(&accelerator.sources);
    }
    let names = considered.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    Some(sheet.step("step.peak", names, Amount::of(range), "flop_per_second"))
}

/// The format to reckon in: the one that was named, unless none of the accelerators is known to have it.
fn usable_format(
    sheet: &mut Worksheet<'_>,
    is_model_named: bool,
    considered: &[&Accelerator],
    format: Option<String>,
) -> Option<String> {
    let Some(format) = format else {
        if !is_model_named && considered.len() == 1 {
            let assumed = sheet.bands.assumed_precision.clone();
            sheet.assume(Message::new("assumption.precision").with("precision", assumed.as_str()));
            return Some(assumed);
        }
        return None;
    };
    if considered.iter().any(|it| it.peaks.contains_key(&format)) {
        return Some(format);
    }
    let names = Argument::List(considered.iter().map(|it| it.name.as_str().into()).collect());
    if is_model_named && considered.iter().all(|it| it.lacks.contains(&format)) {
        let remark = Message::new("remark.format_lacking").with("precision", format).with("accelerator", names);
        sheet.raise(Outcome::Implausible, remark);
    } else {
        sheet.assume(Message::new("assumption.format_without_peak").with("precision", format));
    }
    None
}

/// The accelerators to reckon with.
fn considered<'a>(sheet: &mut Worksheet<'a>, named: Option<&str>, unnamed: Unnamed) -> Vec<&'a Accelerator> {
    let bands = sheet.bands;
    if let Some(name) = named {
        return bands.accelerator(name).into_iter().collect();
    }
    let day = sheet.day(About::Release).unwrap_or(bands.date);
    let is_there = |it: &&Accelerator| it.announced.is_none_or(|announced| announced <= day);
    let considered: Vec<&Accelerator> = match unnamed {
        Unnamed::Usual => bands.accelerator(&bands.assumed_accelerator).into_iter().collect(),
        Unnamed::Any => bands.accelerators.iter().filter(is_there).collect(),
    };
    let names = Argument::List(considered.iter().map(|it| it.name.as_str().into()).collect());
    let key = match unnamed {
        Unnamed::Usual => "assumption.usual_accelerator",
        Unnamed::Any => "assumption.any_accelerator",
    };
    sheet.assume(Message::new(key).with("accelerator", names));
    considered
}

/// Peaks of these accelerators in a format; in every format they have where none is given.
fn peaks(accelerators: &[&Accelerator], format: Option<&str>) -> Vec<Interval> {
    let all = accelerators.iter().flat_map(|it| it.peaks.iter());
    all.filter(|(name, _)| format.is_none_or(|it| it == name.as_str())).map(|(_, peak)| peak.interval()).collect()
}

/// The range that covers all of these.
pub(crate) fn hull(ranges: &[Interval]) -> Option<Interval> {
    let low = ranges.iter().map(|it| it.low).min_by(f64::total_cmp)?;
    let high = ranges.iter().map(|it| it.high).max_by(f64::total_cmp)?;
    Some(Interval { low, high })
}

/// Days from the first possible day of training to the release, both counted; below zero where the release comes first.
pub(crate) fn window(sheet: &mut Worksheet<'_>) -> Option<f64> {
    let start = sheet.day(About::TrainingStart);
    let release = sheet.day(About::Release);
    if start.is_none() {
        sheet.miss(About::TrainingStart);
    }
    if release.is_none() {
        sheet.miss(About::Release);
    }
    let (start, release) = (start?, release?);
    let between = days_between(start, release)?;
    let (days, added) = if between < 0.0 { (between, "") } else { (between + 1.0, " + 1") };
    sheet.step("step.window", format!("{release} − {start}{added}"), Amount::exactly(days), "days");
    Some(days)
}

fn days_between(start: NaiveDate, release: NaiveDate) -> Option<f64> {
    i32::try_from((release - start).num_days()).ok().map(f64::from)
}

/// What a result rests on that another assumption would change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Doubt {
    /// The model may be a mixture of experts, of which fewer parameters work on each token.
    pub(crate) is_dense_assumed: bool,
    /// The hours were reckoned from money, and may have been cheaper.
    pub(crate) are_hours_bought: bool,
}

/// On what was merely assumed nothing is impossible: where the kindest assumption would bring the result, which grows
/// with the work, below the bound where impossibility begins, the outcome is "implausible".
pub(crate) fn soften(mut check: Check, result: f64, bound: f64, doubt: Doubt, bands: &Bands) -> Check {
    if check.outcome != Outcome::Impossible {
        return check;
    }
    let mut kindest = result;
    let mut why = Vec::new();
    if doubt.is_dense_assumed {
        kindest *= bands.mixture_share.from;
        why.push(Message::new("remark.only_if_mixture"));
    }
    if doubt.are_hours_bought {
        kindest *= bands.lowest_price() / bands.hour_price.from;
        why.push(Message::new("remark.only_if_cheaper"));
    }
    if !why.is_empty() && kindest <= bound {
        check.outcome = Outcome::Implausible;
        check.remarks.extend(why);
    }
    check
}
