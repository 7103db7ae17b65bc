//! How often was the data seen, and does what is said of it agree with the tokens?

use crate::claims::contradictions::{Said, gravest};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};

/// Id of the check.
pub(crate) const ID: &str = "epochs";

const USES: &[About] = &[About::Epochs, About::CleanTokens, About::TrainingTokens];

/// Works the check out: the number of passes, and where all three are stated whether they agree.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, |said| {
        let passes = passes(said);
        match agreement(said) {
            Some(agreement) if agreement.outcome > passes.outcome => agreement,
            _ => passes,
        }
    })
}

/// Passes as the tokens give them, or as stated.
fn passes(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let tokens = sheet.number_or_miss(About::TrainingTokens).zip(sheet.number_or_miss(About::CleanTokens));
    let implied = tokens.map(|(seen, clean)| {
        let expression = format!("{} ÷ {}", figure(seen), figure(clean));
        sheet.step("step.epochs", expression, seen.over(clean), "epochs")
    });
    let Some(passes) = implied.or_else(|| sheet.number_or_miss(About::Epochs)) else {
        return sheet.not_computable(None);
    };
    let bands = sheet.bands.epochs.clone();
    sheet.source(&bands.sources);
    sheet.conclude((passes, "epochs"), bands.marks, "remark.epochs", Forgive::Grave)
}

/// Clean tokens times passes, over the tokens seen.
fn agreement(said: &Said<'_>) -> Option<Check> {
    let mut sheet = Worksheet::new(ID, said);
    let (clean, passes) = sheet.number(About::CleanTokens).zip(sheet.number(About::Epochs))?;
    let seen = sheet.number(About::TrainingTokens)?;
    let expression = format!("{} × {} ÷ {}", figure(clean), figure(passes), figure(seen));
    let ratio = sheet.step("step.passes", expression, clean.times(passes).over(seen), "times");
    let bands = sheet.bands.passes.clone();
    sheet.source(&bands.sources);
    Some(sheet.conclude((ratio, "times"), bands.marks, "remark.passes", Forgive::Grave))
}
