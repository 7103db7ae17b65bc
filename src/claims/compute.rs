//! Could the claimed run have happened on the claimed machines? Implied utilization, or the cluster it would take.
//!
//! Rests on `6 × active parameters × tokens` for the work of a run. Model utilization counts no recomputed work, so a
//! figure that a company states as hardware utilization may be a third higher than what comes out here.

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::training::{self, Doubt, Unnamed, Work};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check, Outcome};
use crate::fact::{Argument, Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "compute";

/// A stated utilization this much below the implied one is a rounding.
const STATED_TOLERANCE: f64 = 1.1;

/// Recomputation makes 8 FLOP of 6 at most, so that of the hardware's utilization at least this share is the model's.
const MODEL_SHARE: f64 = 0.75;

/// Works the check out; on other accelerators only where the usual one would not do.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, training::USES, |said| {
        let check = attempt(said, Unnamed::Usual);
        if check.outcome <= Outcome::Normal { check } else { attempt(said, Unnamed::Any) }
    })
}

fn attempt(said: &Said<'_>, unnamed: Unnamed) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    if let Some((active, total)) = training::active_above_total(&mut sheet) {
        let expression = format!("{} ÷ {}", figure(active), figure(total));
        let share = sheet.step("step.active_share", expression, active.over(total), "share");
        sheet.remark(Message::new("remark.active_above_total"));
        return sheet.settle(Outcome::Impossible, (share, "share"));
    }
    accelerator_in_time(&mut sheet);
    let work = training::work(&mut sheet);
    let hours = training::hours(&mut sheet);
    let Some(work) = work else { return sheet.not_computable(None) };
    if let Some(hours) = hours {
        let doubt = Doubt { is_dense_assumed: work.is_dense_assumed, are_hours_bought: hours.are_bought };
        return utilization(sheet, work, hours.count, doubt, unnamed);
    }
    let Some(days) = training::window(&mut sheet).filter(|it| *it > 0.0) else {
        training::hours_needed(&mut sheet, work, unnamed);
        return sheet.not_computable(Some((work.flop, "flop")));
    };
    match sheet.number(About::Gpus) {
        Some(gpus) => utilization_at_least(sheet, work, gpus, days, unnamed),
        None => cluster(sheet, work, days, unnamed),
    }
}

/// The share of the peak that the claimed hours imply.
fn utilization(mut sheet: Worksheet<'_>, work: Work, hours: Amount, doubt: Doubt, unnamed: Unnamed) -> Check {
    let Some(peak) = training::peak(&mut sheet, unnamed) else {
        return sheet.not_computable(Some((work.flop, "flop")));
    };
    let most = hours.times(Amount::exactly(3600.0)).times(peak);
    let expression = format!("{} × 3600 × {}", figure(hours), figure(peak));
    sheet.step("step.compute_at_peak", expression, most, "flop");
    let expression = format!("{} ÷ {}", figure(work.flop), figure(most));
    let share = sheet.step("step.utilization", expression, work.flop.over(most), "share");
    held_against_utilization(sheet, share, doubt)
}

/// The share of the peak that the claimed machines would have had to reach had they run all the time there was.
fn utilization_at_least(mut sheet: Worksheet<'_>, work: Work, gpus: Amount, days: f64, unnamed: Unnamed) -> Check {
    let Some(peak) = training::peak(&mut sheet, unnamed) else {
        return sheet.not_computable(Some((work.flop, "flop")));
    };
    let expression = format!("{} × 24 × {days}", figure(gpus));
    let hours = gpus.times(Amount::exactly(24.0 * days));
    let hours = sheet.step("step.hours_at_most", expression, hours, "gpu_hours");
    let least = work.flop.over(hours.times(Amount::exactly(3600.0)).times(peak));
    let expression = format!("{} ÷ ({} × 3600 × {})", figure(work.flop), figure(hours), figure(peak));
    // It may have run for a part of the time only, so every higher share up to the peak is possible as well.
    let up = |it: Interval| Interval { low: it.low, high: it.low.max(1.0) };
    let share = Amount { said: up(least.said), reach: up(least.reach) };
    let share = sheet.step("step.utilization_at_least", expression, share, "share");
    let doubt = Doubt { is_dense_assumed: work.is_dense_assumed, are_hours_bought: false };
    held_against_utilization(sheet, share, doubt)
}

fn held_against_utilization(mut sheet: Worksheet<'_>, share: Amount, doubt: Doubt) -> Check {
    stated_utilization(&mut sheet, share);
    let (bands, all) = (sheet.bands.utilization.clone(), sheet.bands);
    sheet.source(&bands.sources);
    let check = sheet.conclude((share, "share"), bands.marks, "remark.utilization", Forgive::Grave);
    training::soften(check, share.reach.low, 1.0, doubt, all)
}

/// A stated utilization is asked about where it lies above every run on record, or below what the hours imply.
fn stated_utilization(sheet: &mut Worksheet<'_>, implied: Amount) {
    let record = sheet.bands.highest(Outcome::Ask);
    for (about, model_share) in [(About::Mfu, 1.0), (About::Hfu, MODEL_SHARE)] {
        let Some(stated) = sheet.number(about) else { continue };
        let term = crate::claims::worksheet::about_term(about);
        if stated.reach.low * model_share > record {
            sheet.raise(Outcome::Ask, Message::new("remark.stated_above_record").with("about", term));
        } else if implied.reach.low > stated.said.high * STATED_TOLERANCE {
            let remark = Message::new("remark.implied_above_stated").with("about", term);
            sheet.raise(Outcome::Ask, remark.with("stated", Argument::Share(stated.said.high)));
        }
    }
}

/// A model that was out before its accelerator was announced is a question: makers and a few customers are earlier.
fn accelerator_in_time(sheet: &mut Worksheet<'_>) {
    let Some((name, release)) = sheet.name(About::GpuModel).zip(sheet.day(About::Release)) else { return };
    let Some(announced) = sheet.bands.accelerator(&name).and_then(|it| it.announced) else { return };
    if release < announced {
        let remark = Message::new("remark.accelerator_too_late").with("accelerator", name);
        sheet.raise(Outcome::Ask, remark.with("date", announced.to_string()));
    }
}

/// The cluster that the run would take inside its window, compared with clusters on record.
fn cluster(mut sheet: Worksheet<'_>, work: Work, days: f64, unnamed: Unnamed) -> Check {
    sheet.miss(About::Gpus);
    let Some(hours) = training::hours_needed(&mut sheet, work, unnamed) else {
        return sheet.not_computable(Some((work.flop, "flop")));
    };
    let availability = availability(&mut sheet);
    let time = Amount::exactly(24.0 * days).times(availability);
    let expression = format!("{} ÷ (24 × {days} × {})", figure(hours), figure(availability));
    let gpus = sheet.step("step.cluster_needed", expression, hours.over(time), "gpus");
    if let Some(largest) = sheet.bands.largest_run() {
        sheet.source(std::slice::from_ref(&largest.source));
        let remark = Message::new("remark.largest_cluster").with("model", largest.model.as_str());
        sheet.remark(remark.with("gpus", f64::from(largest.gpus)));
    }
    let marks = sheet.bands.cluster_marks();
    sheet.conclude((gpus, "gpus"), marks, "remark.cluster", Forgive::Grave)
}

/// Share of the time that a cluster computes; for hours that were reckoned from the work, never for claimed ones.
pub(crate) fn availability(sheet: &mut Worksheet<'_>) -> Amount {
    let availability = sheet.bands.availability.clone();
    sheet.source(&availability.sources);
    let (from, to) = (Argument::Share(availability.from), Argument::Share(availability.to));
    sheet.assume(Message::new("assumption.availability").with("from", from).with("to", to));
    Amount::of(availability.interval())
}
