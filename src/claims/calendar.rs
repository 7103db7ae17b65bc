//! Do the days between the start and the release suffice for the run?
//!
//! Claimed hours are hours by the clock, so no availability is taken off them, and both ends of the window count.

use crate::claims::compute::availability;
use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::training::{self, Doubt, Unnamed};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, BandMark, Bands, Check, Outcome};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "calendar";

/// Works the check out; on other accelerators only where the usual one would not do.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, training::USES, |said| {
        let check = attempt(said, Unnamed::Usual);
        if check.outcome <= Outcome::Normal { check } else { attempt(said, Unnamed::Any) }
    })
}

fn attempt(said: &Said<'_>, unnamed: Unnamed) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let window = training::window(&mut sheet);
    if let Some(days) = window.filter(|it| *it < 0.0) {
        sheet.remark(Message::new("remark.calendar.release_before_start"));
        return sheet.settle(Outcome::Impossible, (Amount::exactly(days), "days"));
    }
    let stated = days_stated(&mut sheet);
    let needed = match stated {
        Some(days) => Some(Needed { days, are_hours_claimed: true, are_gpus_claimed: true, doubt: Doubt::default() }),
        None => days_reckoned(&mut sheet, unnamed),
    };
    let Some((window, needed)) = window.zip(needed) else { return sheet.not_computable(None) };
    let marks = marks(sheet.bands, window, &needed);
    let bound = marks.last().and_then(|it| it.from).unwrap_or(window);
    let bands = sheet.bands;
    let check = sheet.conclude((needed.days, "days"), marks, "remark.calendar", Forgive::All);
    training::soften(check, needed.days.reach.low, bound, needed.doubt, bands)
}

/// Days of the run, and what they rest on.
struct Needed {
    days: Amount,
    are_hours_claimed: bool,
    are_gpus_claimed: bool,
    doubt: Doubt,
}

/// Days of the run as stated, or as hours and accelerators give them; of two the more, since both were said.
fn days_stated(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    let days = sheet.number(About::TrainingDays);
    let parts = sheet.number(About::GpuHours).zip(sheet.number(About::Gpus));
    let reckoned = parts.map(|(hours, gpus)| {
        let expression = format!("{} ÷ ({} × 24)", figure(hours), figure(gpus));
        sheet.step("step.days_by_hours", expression, hours.over(gpus.times(Amount::exactly(24.0))), "days")
    });
    let reckoned_longer = reckoned.filter(|one| days.is_none_or(|other| one.said.low > other.said.low));
    reckoned_longer.or(days)
}

/// Days that hours on a usual cluster, or the work on the claimed one, would take.
fn days_reckoned(sheet: &mut Worksheet<'_>, unnamed: Unnamed) -> Option<Needed> {
    let claimed = training::hours(sheet);
    let mut doubt = Doubt { are_hours_bought: claimed.is_some_and(|it| it.are_bought), is_dense_assumed: false };
    let hours = match claimed {
        Some(hours) => hours.count,
        None => {
            let work = training::work(sheet)?;
            doubt.is_dense_assumed = work.is_dense_assumed;
            training::hours_needed(sheet, work, unnamed)?
        }
    };
    let (gpus, are_gpus_claimed) = cluster(sheet);
    let mut speed = gpus.times(Amount::exactly(24.0));
    let mut expression = format!("{} ÷ ({} × 24", figure(hours), figure(gpus));
    if claimed.is_none() {
        let availability = availability(sheet);
        speed = speed.times(availability);
        expression = format!("{expression} × {}", figure(availability));
    }
    let days = sheet.step("step.days_needed", format!("{expression})"), hours.over(speed), "days");
    Some(Needed { days, are_hours_claimed: claimed.is_some(), are_gpus_claimed, doubt })
}

/// Accelerators used at once: as claimed, or what large published runs had.
fn cluster(sheet: &mut Worksheet<'_>) -> (Amount, bool) {
    if let Some(gpus) = sheet.number_or_miss(About::Gpus) {
        return (gpus, true);
    }
    let typical = sheet.bands.cluster.typical;
    let (from, to) = (f64::from(typical.from), f64::from(typical.to));
    sheet.assume(Message::new("assumption.typical_cluster").with("from", from).with("to", to));
    (Amount::of(Interval::new(from, to)), false)
}

/// Bounds for the days needed, in multiples of the days there were.
///
/// Days that were stated, or that hours by the clock give, fit or do not fit. Where the hours were reckoned from the
/// work, the lower end supposes the best availability and the best usual utilization; how much longer than the window
/// it may be follows from how much better than that machines can get.
fn marks(bands: &Bands, window: f64, needed: &Needed) -> Vec<BandMark> {
    let best = bands.normal_utilization().high;
    let reckoned = (window * bands.highest(Outcome::Ask) / best, window / best / bands.availability.to);
    let (ask, implausible) = if needed.are_hours_claimed { (window, window) } else { reckoned };
    let bounds = [(Outcome::Normal, window), (Outcome::Ask, ask), (Outcome::Implausible, implausible)];
    let mut marks: Vec<BandMark> = Vec::new();
    for (outcome, to) in bounds {
        let from = marks.last().and_then(|it| it.to);
        if from.is_none_or(|it| it < to) {
            marks.push(BandMark { outcome, from, to: Some(to) });
        }
    }
    // On a cluster that we assumed nothing can be impossible.
    let gravest = if needed.are_gpus_claimed { Outcome::Impossible } else { Outcome::Implausible };
    let last = marks.last().and_then(|it| it.to);
    marks.retain(|it| it.outcome < gravest);
    let from = marks.last().and_then(|it| it.to).or(last);
    marks.push(BandMark { outcome: gravest, from, to: None });
    marks
}
