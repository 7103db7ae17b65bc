//! Could the claimed run have happened on the claimed machines? Implied utilisation, or the cluster it would take.
//!
//! Rests on `6 × active parameters × tokens` for the work of a run. Model utilisation counts no recomputed work, so a
//! figure that a company states as hardware utilisation may be a third higher than what comes out here.

use crate::claims::training::{self, Unnamed};
use crate::claims::worksheet::{Worksheet, figure, product, quotient};
use crate::claims::{About, Bands, Check, Claim, Outcome};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "compute";

/// Works the check out; on faster accelerators only where the slowest would not do.
pub(crate) fn check(claims: &[Claim], bands: &Bands) -> Check {
    let check = attempt(claims, bands, Unnamed::Slowest);
    if check.outcome <= Outcome::Normal { check } else { attempt(claims, bands, Unnamed::Any) }
}

fn attempt(claims: &[Claim], bands: &Bands, unnamed: Unnamed) -> Check {
    let mut sheet = Worksheet::new(ID, claims, bands);
    if let Some((active, total)) = training::active_above_total(&mut sheet) {
        let expression = format!("{} ÷ {}", figure(active), figure(total));
        let share = sheet.step("step.active_share", expression, quotient(active, total), "share");
        sheet.remark(Message::new("remark.active_above_total"));
        return sheet.settle(Outcome::Impossible, (share, "share"));
    }
    let work = training::work(&mut sheet);
    let hours = training::hours_claimed(&mut sheet);
    let Some(work) = work else { return sheet.not_computable(None) };
    if let Some(hours) = hours {
        return utilisation(sheet, work, hours, unnamed);
    }
    let Some(days) = training::window(&mut sheet) else {
        training::hours_needed(&mut sheet, work, unnamed);
        return sheet.not_computable(Some((work, "flop")));
    };
    if days <= 0.0 {
        return sheet.not_computable(Some((work, "flop")));
    }
    match sheet.number(About::Gpus) {
        Some(gpus) => utilisation_at_least(sheet, work, gpus, days, unnamed),
        None => cluster(sheet, work, days, unnamed),
    }
}

/// The share of the peak that the claimed hours imply.
fn utilisation(mut sheet: Worksheet<'_>, work: Interval, hours: Interval, unnamed: Unnamed) -> Check {
    let peak = training::peak(&mut sheet, unnamed);
    let most = product(product(hours, Interval::exactly(3600.0)), peak);
    let expression = format!("{} × 3600 × {}", figure(hours), figure(peak));
    sheet.step("step.compute_at_peak", expression, most, "flop");
    let expression = format!("{} ÷ {}", figure(work), figure(most));
    let share = sheet.step("step.utilisation", expression, quotient(work, most), "share");
    held_against_utilisation(sheet, share)
}

/// The share of the peak that the claimed machines would have had to reach had they run all the time there was.
fn utilisation_at_least(
    mut sheet: Worksheet<'_>,
    work: Interval,
    gpus: Interval,
    days: f64,
    unnamed: Unnamed,
) -> Check {
    let peak = training::peak(&mut sheet, unnamed);
    let availability = training::availability(&mut sheet);
    let hours = gpus.high * 24.0 * days * availability.high;
    let expression = format!("{} × 24 × {days} × {}", figure(gpus), availability.high);
    sheet.step("step.hours_at_most", expression, Interval::exactly(hours), "gpu_hours");
    let least = work.low / (hours * 3600.0 * peak.high);
    let expression = format!("{} ÷ ({} × 3600 × {})", figure(work), figure(Interval::exactly(hours)), figure(peak));
    // It may have run for a part of the time only, so every higher share up to the peak is possible as well.
    let share = Interval { low: least, high: least.max(1.0) };
    sheet.step("step.utilisation_at_least", expression, share, "share");
    held_against_utilisation(sheet, share)
}

fn held_against_utilisation(mut sheet: Worksheet<'_>, share: Interval) -> Check {
    let bands = sheet.bands.utilisation.clone();
    sheet.source(&bands.sources);
    sheet.conclude((share, "share"), bands.marks, "remark.utilisation")
}

/// The cluster that the run would take inside its window, held against clusters on record.
fn cluster(mut sheet: Worksheet<'_>, work: Interval, days: f64, unnamed: Unnamed) -> Check {
    sheet.miss(About::Gpus);
    let hours = training::hours_needed(&mut sheet, work, unnamed);
    let availability = training::availability(&mut sheet);
    let time = product(Interval::exactly(24.0 * days), availability);
    let expression = format!("{} ÷ (24 × {days} × {})", figure(hours), figure(availability));
    let gpus = sheet.step("step.cluster_needed", expression, quotient(hours, time), "gpus");
    if let Some(largest) = sheet.bands.largest_run() {
        sheet.source(std::slice::from_ref(&largest.source));
        let remark = Message::new("remark.largest_cluster").with("model", largest.model.as_str());
        sheet.remark(remark.with("gpus", f64::from(largest.gpus)));
    }
    let marks = sheet.bands.cluster_marks();
    sheet.conclude((gpus, "gpus"), marks, "remark.cluster")
}
