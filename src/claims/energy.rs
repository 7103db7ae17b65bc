//! Does the energy fit the hours? Energy per accelerator-hour, over the board power of the accelerator.

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::training::{hours_stated, hull};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "energy";

const USES: &[About] = &[About::Energy, About::GpuHours, About::Gpus, About::TrainingDays, About::GpuModel];

/// Watt-hours in a megawatt-hour.
const MEGAWATT_HOUR: f64 = 1e6;

/// Works the check out.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let Some(energy) = sheet.number_or_miss(About::Energy) else { return sheet.not_computable(None) };
    let Some(hours) = hours_stated(&mut sheet) else { return sheet.not_computable(None) };
    let Some(board) = board_power(&mut sheet) else { return sheet.not_computable(None) };
    let power = energy.times(Amount::exactly(MEGAWATT_HOUR)).over(hours);
    let expression = format!("{} × 1e6 ÷ {}", figure(energy), figure(hours));
    let power = sheet.step("step.power", expression, power, "watts");
    let expression = format!("{} ÷ {}", figure(power), figure(board));
    let ratio = sheet.step("step.power_ratio", expression, power.over(board), "times");
    let bands = sheet.bands.energy.clone();
    sheet.source(&bands.sources);
    sheet.conclude((ratio, "times"), bands.marks, "remark.energy", Forgive::Grave)
}

/// Board power of the accelerator; of every one on the list where none was named; none where its maker published none.
fn board_power(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    let bands = sheet.bands;
    let Some(name) = sheet.name(About::GpuModel) else {
        sheet.miss(About::GpuModel);
        sheet.assume(Message::new("assumption.any_power"));
        let powers: Vec<Interval> =
            bands.accelerators.iter().filter_map(|it| it.power).map(Interval::exactly).collect();
        return hull(&powers).map(Amount::of);
    };
    let accelerator = bands.accelerator(&name);
    let Some(power) = accelerator.and_then(|it| it.power) else {
        sheet.remark(Message::new("remark.power_unknown").with("accelerator", name));
        return None;
    };
    sheet.source(accelerator.map_or(&[], |it| it.sources.as_slice()));
    Some(Amount::exactly(power))
}
