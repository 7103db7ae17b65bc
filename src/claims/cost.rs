//! Does the money fit the hours? The price of an accelerator-hour that both imply.

use crate::claims::contradictions::{Said, gravest};
use crate::claims::training::hours_stated;
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};

/// Id of the check.
pub(crate) const ID: &str = "cost";

const USES: &[About] = &[About::Cost, About::GpuHours, About::Gpus, About::TrainingDays];

/// Works the check out.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let cost = sheet.number_or_miss(About::Cost);
    let hours = hours_stated(&mut sheet);
    let Some((cost, hours)) = cost.zip(hours) else { return sheet.not_computable(None) };
    let expression = format!("{} ÷ {}", figure(cost), figure(hours));
    let price = sheet.step("step.hour_price", expression, cost.over(hours), "usd_per_gpu_hour");
    let bands = sheet.bands.cost.clone();
    sheet.source(&bands.sources);
    sheet.conclude((price, "usd_per_gpu_hour"), bands.marks, "remark.cost", Forgive::Grave)
}
