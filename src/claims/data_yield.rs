//! Is the ratio of clean tokens to raw data one that anybody has reached?

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::Amount;
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, Check};
use crate::fact::Message;

/// Id of the check.
pub(crate) const ID: &str = "data_yield";

const USES: &[About] = &[About::CleanTokens, About::TrainingTokens, About::RawData];

const PETABYTE: f64 = 1e15;

/// Works the check out.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, attempt)
}

fn attempt(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let tokens = clean_tokens(&mut sheet);
    let raw = sheet.number_or_miss(About::RawData);
    let Some((tokens, raw)) = tokens.zip(raw) else { return sheet.not_computable(None) };
    let petabytes = raw.over(Amount::exactly(PETABYTE));
    let expression = format!("{} ÷ {}", figure(tokens), figure(petabytes));
    let ratio = sheet.step("step.data_yield", expression, tokens.over(petabytes), "tokens_per_petabyte");
    let bands = sheet.bands.data_yield.clone();
    sheet.source(&bands.sources);
    sheet.remark(Message::new("remark.define_raw"));
    sheet.conclude((ratio, "tokens_per_petabyte"), bands.marks, "remark.data_yield", Forgive::Grave)
}

fn clean_tokens(sheet: &mut Worksheet<'_>) -> Option<Amount> {
    if let Some(tokens) = sheet.number_or_miss(About::CleanTokens) {
        return Some(tokens);
    }
    let tokens = sheet.number(About::TrainingTokens)?;
    sheet.assume(Message::new("assumption.seen_once"));
    Some(tokens)
}
