//! Could the claimed fine-tuning have happened in the claimed hours?
//!
//! A full fine-tune takes 6 FLOP per parameter and token, one with a frozen base 4: forward 2, gradients of
//! activations 2, and none of weights but the adapter's.

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::training::{Unnamed, peak};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "fine_tune";

const USES: &[About] = &[
    About::FineTuneTokens,
    About::FineTuneHours,
    About::Parameters,
    About::ActiveParameters,
    About::GpuModel,
    About::Precision,
    About::Release,
];

/// Works the check out; an accelerator that nobody named may have been any.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let tokens = sheet.number_or_miss(About::FineTuneTokens);
    let hours = sheet.number_or_miss(About::FineTuneHours);
    let Some((tokens, hours)) = tokens.zip(hours) else { return sheet.not_computable(None) };
    let Some(parameters) = parameters(&mut sheet) else { return sheet.not_computable(None) };
    sheet.allow(Message::new("allowance.frozen_base"));
    let factor = Amount::of(Interval::new(4.0, 6.0));
    let expression = format!("{} × {} × {}", figure(factor), figure(parameters), figure(tokens));
    let work = factor.times(parameters).times(tokens);
    let work = sheet.step("step.fine_tune_compute", expression, work, "flop");
    let Some(peak) = peak(&mut sheet, Unnamed::Any) else { return sheet.not_computable(Some((work, "flop"))) };
    let most = hours.times(Amount::exactly(3600.0)).times(peak);
    let expression = format!("{} ÷ ({} × 3600 × {})", figure(work), figure(hours), figure(peak));
    let share = sheet.step("step.utilization", expression, work.over(most), "share");
    let bands = sheet.bands.fine_tune.clone();
    sheet.source(&bands.sources);
    sheet.conclude((share, "share"), bands.marks, "remark.fine_tune", Forgive::Grave)
}

/// Parameters that work on each token. A mixture whose active ones nobody knows uses no more than all and no fewer than
/// the sparsest on record.
fn parameters(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    let active = sheet.number(About::ActiveParameters);
    let total = sheet.number(About::Parameters);
    let counted = sheet.counted();
    let from_files = counted.active_parameters.or(counted.parameters).map(|it| Amount::exactly(it as f64));
    if let Some(active) = active {
        return Some(active);
    }
    if counted.is_mixture() || sheet.calls_itself_a_mixture() {
        sheet.miss(About::ActiveParameters);
        let share = Amount::of(sheet.bands.mixture_share.interval());
        let known = counted.active_parameters.filter(|_| counted.is_mixture()).map(|it| Amount::exactly(it as f64));
        return known.or_else(|| {
            sheet.assume(Message::new("assumption.any_sparsity"));
            total.map(|it| it.times(share))
        });
    }
    if total.is_none() {
        sheet.miss(About::Parameters);
    }
    total.or(from_files)
}
