//! What was not examined, each line with the references or parts that it is about, so that it is understood alone.

use crate::fact::Unexamined;
use crate::report::page::{PieceKind, Words};
use crate::report::view::Writer;
use crate::scoring::SubjectLineage;

/// Reasons whose English detail names the model and the tensors in question.
const NAMES_A_PART: &[&str] = &["adapter", "not-compared", "not-decoded", "not-finite"];

/// The reason of a description that reads no weights: comparisons may have read them.
const BY_FORM: &str = "by-form";

/// A detail may list every tensor of a model.
const LONGEST: usize = 240;

/// One thing that was not looked at, for one reason.
struct Gap<'a> {
    what: &'a str,
    why: &'a str,
    details: Vec<&'a str>,
    /// The subject, and the references against which it was not looked at; none where it was looked at nowhere.
    against: Option<(&'a SubjectLineage, Vec<&'a str>)>,
}

impl<'a> Gap<'a> {
    fn is(&self, it: &Unexamined, subject: Option<&SubjectLineage>) -> bool {
        let own = self.against.as_ref().map(|it| it.0.id.as_str());
        self.what == it.what && self.why == it.why && own == subject.map(|it| it.id.as_str())
    }

    fn take(&mut self, it: &'a Unexamined) {
        if !self.details.contains(&it.detail.as_str()) {
            self.details.push(&it.detail);
        }
    }
}

/// One line for each.
pub(in crate::report) fn items(writer: &Writer<'_>) -> Vec<Words> {
    let gaps = gaps(writer);
    if gaps.is_empty() {
        return vec![Words::plain(writer.say("lineage.nothing_unexamined"))];
    }
    gaps.iter().map(|it| said(writer, it)).collect()
}

/// What was not looked at anywhere in the case, each once; what concerns single references, once for each subject.
fn gaps<'a>(writer: &Writer<'a>) -> Vec<Gap<'a>> {
    let card = writer.card;
    let mut gaps: Vec<Gap<'a>> = Vec::new();
    for subject in &card.subjects {
        let described = || subject.inspection.unexamined.iter().chain(&subject.identification.unexamined);
        described().for_each(|it| put(&mut gaps, it, None));
        for comparison in &subject.comparisons {
            let is_known = |it: &Unexamined| described().any(|other| other.what == it.what && other.why == it.why);
            for it in comparison.unexamined.iter().filter(|it| !is_known(it)) {
                put(&mut gaps, it, Some((subject, &comparison.reference.location)));
            }
        }
    }
    for it in &card.unexamined {
        if !gaps.iter().any(|gap| gap.what == it.what && gap.why == it.why) {
            put(&mut gaps, it, None);
        }
    }
    gaps
}

fn put<'a>(gaps: &mut Vec<Gap<'a>>, it: &'a Unexamined, pair: Option<(&'a SubjectLineage, &'a str)>) {
    let subject = pair.map(|it| it.0);
    let at = gaps.iter().position(|gap| gap.is(it, subject)).unwrap_or_else(|| {
        let against = subject.map(|it| (it, Vec::new()));
        gaps.push(Gap { what: &it.what, why: &it.why, details: Vec::new(), against });
        gaps.len() - 1
    });
    gaps[at].take(it);
    if let (Some((_, references)), Some((_, reference))) = (&mut gaps[at].against, pair) {
        references.push(reference);
    }
}

/// What, against which references, and why.
fn said(writer: &Writer<'_>, gap: &Gap<'_>) -> Words {
    let what = Words::strong(writer.word("unexamined", gap.what));
    let whom = against(writer, gap);
    what.then(whom).and(PieceKind::Plain, writer.say("style.colon")).then(why(writer, gap))
}

/// Where it was not looked at: in the description alone, or against which references of which subject.
fn against(writer: &Writer<'_>, gap: &Gap<'_>) -> Words {
    let Some((subject, references)) = &gap.against else {
        let is_described = gap.why == BY_FORM;
        let words = is_described.then(|| Words::plain(writer.say("lineage.unexamined_described")));
        return words.unwrap_or_default();
    };
    let words = match writer.card.subjects.len() {
        0 | 1 => Words::plain(writer.say("lineage.unexamined_against")),
        _ => Words::plain(writer.fill("lineage.unexamined_of", &[("subject", &writer.text(&subject.name))])),
    };
    if references.len() > 1 && references.len() == subject.comparisons.len() {
        return words.and(PieceKind::Plain, writer.say("lineage.every_reference"));
    }
    let references: Vec<String> = references.iter().map(|it| writer.called(it)).collect();
    words.then(writer.ids(&references))
}

/// The reason in the memo's language; where the detail names tensors, the detail too.
fn why(writer: &Writer<'_>, gap: &Gap<'_>) -> Words {
    let detail = gap.details.iter().map(|it| shortened(it)).collect::<Vec<_>>().join("; ");
    let reason = writer.known_or(&format!("unexamined.why.{}", gap.why), &detail);
    if !NAMES_A_PART.contains(&gap.why) {
        return reason;
    }
    reason.and(PieceKind::Plain, writer.say("style.sentence_gap")).then(writer.in_language(&detail, "en"))
}

fn shortened(detail: &str) -> String {
    if detail.chars().count() <= LONGEST {
        return detail.to_owned();
    }
    detail.chars().take(LONGEST).chain(['…']).collect()
}
