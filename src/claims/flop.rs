//! Does the compute that is stated follow from parameters and tokens?

use crate::claims::contradictions::{Said, gravest};
use crate::claims::training::reckoned_work;
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};

/// Id of the check.
pub(crate) const ID: &str = "flop";

const USES: &[About] = &[
    About::Flop,
    About::Parameters,
    About::ActiveParameters,
    About::TrainingTokens,
    About::CleanTokens,
    About::ContextLength,
];

/// Works the check out.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let stated = sheet.number_or_miss(About::Flop);
    let Some(stated) = stated else { return sheet.not_computable(None) };
    let Some(work) = reckoned_work(&mut sheet) else { return sheet.not_computable(None) };
    let expression = format!("{} ÷ {}", figure(stated), figure(work.flop));
    let ratio = sheet.step("step.flop_ratio", expression, stated.over(work.flop), "times");
    let bands = sheet.bands.flop.clone();
    sheet.source(&bands.sources);
    sheet.conclude((ratio, "times"), bands.marks, "remark.flop", Forgive::Grave)
}
