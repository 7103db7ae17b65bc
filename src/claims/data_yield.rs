//! Is the ratio of clean tokens to raw data one that anybody has reached?

use crate::claims::worksheet::{Worksheet, figure, quotient};
use crate::claims::{About, Bands, Check, Claim};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "data_yield";

const PETABYTE: f64 = 1e15;

/// Works the check out.
pub(crate) fn check(claims: &[Claim], bands: &Bands) -> Check {
    let mut sheet = Worksheet::new(ID, claims, bands);
    let tokens = clean_tokens(&mut sheet);
    let raw = sheet.number(About::RawData);
    if raw.is_none() {
        sheet.miss(About::RawData);
    }
    let Some((tokens, raw)) = tokens.zip(raw) else { return sheet.not_computable(None) };
    let petabytes = Interval::new(raw.low / PETABYTE, raw.high / PETABYTE);
    let expression = format!("{} ÷ {}", figure(tokens), figure(petabytes));
    let ratio = sheet.step("step.data_yield", expression, quotient(tokens, petabytes), "tokens_per_petabyte");
    let bands = sheet.bands.data_yield.clone();
    sheet.source(&bands.sources);
    sheet.remark(Message::new("remark.define_raw"));
    sheet.conclude((ratio, "tokens_per_petabyte"), bands.marks, "remark.data_yield")
}

fn clean_tokens(sheet: &mut Worksheet<'_>) -> Option<Interval> {
    if let Some(tokens) = sheet.number(About::CleanTokens) {
        return Some(tokens);
    }
    sheet.miss(About::CleanTokens);
    let tokens = sheet.number(About::TrainingTokens)?;
    sheet.assume(Message::new("assumption.seen_once"));
    Some(tokens)
}
