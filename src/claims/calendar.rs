//! Do the days between the start and the release suffice for the run?

use crate::claims::training::{self, Unnamed};
use crate::claims::worksheet::{Worksheet, figure, product, quotient};
use crate::claims::{About, BandMark, Bands, Check, Claim, Outcome};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "calendar";

/// Works the check out; on faster accelerators only where the slowest would not do.
pub(crate) fn check(claims: &[Claim], bands: &Bands) -> Check {
    let check = attempt(claims, bands, Unnamed::Slowest);
    if check.outcome <= Outcome::Normal { check } else { attempt(claims, bands, Unnamed::Any) }
}

fn attempt(claims: &[Claim], bands: &Bands, unnamed: Unnamed) -> Check {
    let mut sheet = Worksheet::new(ID, claims, bands);
    let window = training::window(&mut sheet);
    if let Some(days) = window.filter(|it| *it < 0.0) {
        sheet.remark(Message::new("remark.calendar.release_before_start"));
        return sheet.settle(Outcome::Impossible, (Interval::exactly(days), "days"));
    }
    let claimed = training::hours_claimed(&mut sheet);
    let hours = match claimed {
        Some(hours) => Some(hours),
        None => training::work(&mut sheet).map(|work| training::hours_needed(&mut sheet, work, unnamed)),
    };
    let Some((window, hours)) = window.zip(hours) else { return sheet.not_computable(None) };
    let (gpus, are_gpus_claimed) = cluster(&mut sheet);
    let availability = training::availability(&mut sheet);
    let speed = product(product(gpus, Interval::exactly(24.0)), availability);
    let expression = format!("{} ÷ ({} × 24 × {})", figure(hours), figure(gpus), figure(availability));
    let days = sheet.step("step.days_needed", expression, quotient(hours, speed), "days");
    let marks = marks(sheet.bands, window, claimed.is_some(), are_gpus_claimed);
    sheet.conclude((days, "days"), marks, "remark.calendar")
}

/// Accelerators used at once: as claimed, or what large published runs had.
fn cluster(sheet: &mut Worksheet<'_>) -> (Interval, bool) {
    if let Some(gpus) = sheet.number(About::Gpus) {
        return (gpus, true);
    }
    sheet.miss(About::Gpus);
    let typical = sheet.bands.cluster.typical;
    let (from, to) = (f64::from(typical.from), f64::from(typical.to));
    sheet.assume(Message::new("assumption.typical_cluster").with("from", from).with("to", to));
    (Interval::new(from, to), false)
}

/// Bounds for the days needed, in multiples of the days there were.
///
/// The lower end of the days needed supposes the best availability and, where no hours were claimed, the best usual
/// utilisation. How much longer than the window it may be follows from how much better than that machines can get.
fn marks(bands: &Bands, window: f64, are_hours_claimed: bool, are_gpus_claimed: bool) -> Vec<BandMark> {
    let best = bands.normal_utilisation().high;
    let (usual, at_peak) =
        if are_hours_claimed { (1.0, 1.0) } else { (bands.highest(Outcome::Ask) / best, 1.0 / best) };
    let ask = window * usual;
    let implausible = window * at_peak / bands.availability.to;
    let mut marks = vec![BandMark { outcome: Outcome::Normal, from: None, to: Some(window) }];
    if ask > window {
        marks.push(BandMark { outcome: Outcome::Ask, from: Some(window), to: Some(ask) });
    }
    if are_gpus_claimed {
        marks.push(BandMark { outcome: Outcome::Implausible, from: Some(ask), to: Some(implausible) });
        marks.push(BandMark { outcome: Outcome::Impossible, from: Some(implausible), to: None });
    } else {
        // On a cluster that we assumed nothing can be impossible.
        marks.push(BandMark { outcome: Outcome::Implausible, from: Some(ask), to: None });
    }
    marks
}
