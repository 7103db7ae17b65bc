//! Does the company contradict itself? Figures for one thing that cannot be roundings of each other.

use crate::claims::contradictions::{Group, Said, groups, spread};
use crate::claims::figure::Amount;
use crate::claims::worksheet::{Worksheet, about_term, rounded};
use crate::claims::{Check, Outcome};
use crate::fact::{Argument, Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "consistency";

/// Figures that are further apart than this are no two editions of one figure.
const FAR_APART: f64 = 1.5;

/// Works the check out. Nothing is impossible here: a later figure may correct an earlier one, and that is the
/// question.
pub(crate) fn check(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    let groups = groups(said.all, said.bands);
    if groups.is_empty() {
        return sheet.not_computable(None);
    }
    let mut worst = Outcome::Normal;
    let mut widest = 1.0_f64;
    for group in &groups {
        sheet.rest_on(group.about);
        let Some((outcome, ratio)) = contradiction(&mut sheet, group) else { continue };
        worst = worst.max(outcome);
        widest = widest.max(ratio);
    }
    if worst == Outcome::Normal {
        sheet.remark(Message::new("remark.consistency.normal"));
    }
    sheet.settle(worst, (Amount::exactly(widest), "times"))
}

/// How grave a contradiction is, and how far its figures are apart.
fn contradiction(sheet: &mut Worksheet<'_>, group: &Group<'_>) -> Option<(Outcome, f64)> {
    if !group.contradict {
        return None;
    }
    let ids = Argument::List(group.claims.iter().map(|it| it.id.as_str().into()).collect());
    let remark =
        Message::new("remark.consistency.contradict").with("about", about_term(group.about)).with("claims", ids);
    sheet.remark(remark);
    let Some(Interval { low, high }) = spread(&group.claims) else { return Some((Outcome::Ask, 1.0)) };
    let ratio = rounded(high / low);
    let expression = format!("{} ÷ {}", shown(high), shown(low));
    sheet.step("step.contradiction", expression, Amount::exactly(ratio), "times");
    Some((if ratio > FAR_APART { Outcome::Implausible } else { Outcome::Ask }, ratio))
}

fn shown(number: f64) -> String {
    crate::claims::worksheet::figure(Amount::exactly(number))
}
