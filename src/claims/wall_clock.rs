//! Do hours, accelerators and days of the run agree? No accelerator has more than 24 hours a day.

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};

/// Id of the check.
pub(crate) const ID: &str = "wall_clock";

const USES: &[About] = &[About::GpuHours, About::Gpus, About::TrainingDays];

/// Works the check out.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let hours = sheet.number_or_miss(About::GpuHours);
    let gpus = sheet.number_or_miss(About::Gpus);
    let days = sheet.number_or_miss(About::TrainingDays);
    let (Some(hours), Some((gpus, days))) = (hours, gpus.zip(days)) else { return sheet.not_computable(None) };
    let expression = format!("{} ÷ ({} × 24 × {})", figure(hours), figure(gpus), figure(days));
    let clock = gpus.times(days).times(Amount::exactly(24.0));
    let ratio = sheet.step("step.clock_ratio", expression, hours.over(clock), "share");
    let bands = sheet.bands.wall_clock.clone();
    sheet.source(&bands.sources);
    sheet.conclude((ratio, "share"), bands.marks, "remark.wall_clock", Forgive::All)
}
