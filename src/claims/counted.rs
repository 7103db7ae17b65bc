//! Does the model hold what is claimed of it? Parameters, vocabulary and context, claimed against counted in its files.

use serde::{Deserialize, Serialize};

use crate::claims::contradictions::{Said, gravest};
use crate::claims::figure::{Amount, Figure};
use crate::claims::worksheet::{Forgive, Worksheet, figure};
use crate::claims::{About, BandMark, Check, Outcome};
use crate::fact::{Interval, Message};

/// Id of the check.
pub(crate) const ID: &str = "counted";

const USES: &[About] = &[About::Parameters, About::ActiveParameters, About::Vocabulary, About::ContextLength];

/// What the program counted in the files of one model; `None` where nothing was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// All parameters.
    pub parameters: Option<u64>,
    /// Parameters that work on each token, where the model is a mixture of experts.
    pub active_parameters: Option<u64>,
    /// Experts of a layer; more than one makes a mixture.
    pub experts: Option<u64>,
    /// Layers.
    pub layers: Option<u64>,
    /// Hidden size.
    pub hidden_size: Option<u64>,
    /// Tokens of the vocabulary: rows of the embedding.
    pub vocabulary: Option<u64>,
    /// Positions the configuration allows.
    pub context_length: Option<u64>,
}

impl Counted {
    /// Whether the files show a mixture of experts.
    pub fn is_mixture(&self) -> bool {
        let fewer = self.active_parameters.zip(self.parameters).is_some_and(|(active, all)| active < all);
        self.experts.is_some_and(|it| it > 1) || fewer
    }

    fn of(&self, about: About) -> Option<u64> {
        match about {
            About::Parameters => self.parameters,
            About::ActiveParameters => self.active_parameters,
            About::Vocabulary => self.vocabulary,
            About::ContextLength => self.context_length,
            _ => None,
        }
    }
}

/// Works the check out: the gravest of what can be compared.
pub(crate) fn check(said: &Said<'_>) -> Check {
    gravest(said, USES, |said| {
        let checks = USES.iter().filter_map(|about| compared(said, *about));
        let first = checks.reduce(|one, other| if other.outcome > one.outcome { other } else { one });
        first.unwrap_or_else(|| nothing_to_compare(said))
    })
}

fn nothing_to_compare(said: &Said<'_>) -> Check {
    let mut sheet = Worksheet::new(ID, said);
    if sheet.number_or_miss(About::Parameters).is_some() {
        sheet.remark(Message::new("remark.counted.not_read"));
    }
    sheet.not_computable(None)
}

fn compared(said: &Said<'_>, about: About) -> Option<Check> {
    let mut sheet = Worksheet::new(ID, said);
    let claimed = sheet.number(about)?;
    let counted = said.counted.of(about).filter(|it| *it > 0)? as f64;
    let expression = format!("{counted} ÷ {}", figure(claimed));
    let ratio = Amount::exactly(counted).over(claimed);
    let ratio = sheet.step(step(about), expression, ratio, "times");
    let remark = Message::new("remark.counted.numbers").with("about", crate::claims::worksheet::about_term(about));
    let point = f64::midpoint(claimed.said.low, claimed.said.high);
    let point = if claimed.said.high > 100.0 * claimed.said.low { claimed.said.low } else { point };
    sheet.remark(remark.with("claimed", point).with("counted", counted));
    let bands = sheet.bands.counted.clone();
    sheet.source(&bands.sources);
    // What the last stated digit rounds is normal; beyond it the figure is taken at its word.
    let is_rounded =
        said.values(about).filter_map(of_value).any(|it| rounds_to(it, counted, sheet.bands.rounding.name));
    let marks = marks(about, bands.marks);
    let amount = Amount::of(if is_rounded { Interval::exactly(1.0) } else { ratio.said });
    let mut check = sheet.conclude((amount, "times"), marks, "remark.counted", Forgive::Grave);
    check.result = check.result.map(|it| crate::claims::Quantity { value: ratio.said, ..it });
    Some(check)
}

fn of_value(value: &crate::claims::ClaimValue) -> Option<Figure> {
    match value {
        crate::claims::ClaimValue::Number(figure) => Some(*figure),
        _ => None,
    }
}

/// Whether the counted number, rounded to the digits that were stated, gives the stated one.
fn rounds_to(claimed: Figure, counted: f64, at_most: f64) -> bool {
    let share = claimed.half_digit.min(at_most);
    let said = claimed.said();
    (said.low * (1.0 - share)..=said.high * (1.0 + share)).contains(&counted)
}

fn step(about: About) -> &'static str {
    match about {
        About::ActiveParameters => "step.counted_active_ratio",
        About::Vocabulary => "step.counted_vocabulary_ratio",
        About::ContextLength => "step.counted_context_ratio",
        _ => "step.counted_ratio",
    }
}

/// Active parameters and the length of context are counted by more than one rule, so that they are asked about at
/// most; a model may take in less than its configuration allows.
fn marks(about: About, marks: Vec<BandMark>) -> Vec<BandMark> {
    match about {
        About::ActiveParameters => mild(marks),
        About::ContextLength => {
            let from = marks.iter().find(|it| it.outcome == Outcome::Normal).and_then(|it| it.from);
            vec![
                BandMark { outcome: Outcome::Ask, from: None, to: from },
                BandMark { outcome: Outcome::Normal, from, to: None },
            ]
        }
        _ => marks,
    }
}

fn mild(marks: Vec<BandMark>) -> Vec<BandMark> {
    let normal = marks.into_iter().find(|it| it.outcome == Outcome::Normal);
    let Some(normal) = normal else { return Vec::new() };
    let (from, to) = (normal.from, normal.to);
    let below = BandMark { outcome: Outcome::Ask, from: None, to: from };
    vec![below, normal, BandMark { outcome: Outcome::Ask, from: to, to: None }]
}
