//! The grade of a piece of evidence on one day, by the rubric's rules.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::case::document::EntryAsWritten;
use crate::rubric::{EvidenceRules, Grade, Requirement};

/// A grade, and what made it that grade, as keys in the order they took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graded {
    pub(crate) grade: Grade,
    /// Without what it gains as a statement against interest.
    pub(crate) plain: Grade,
    /// As a record of what was said.
    pub(crate) said: Grade,
    pub(crate) by: Vec<String>,
}

/// The last day an entry counts in full: the day the rubric's period for its kind ends, or its own where that is
/// earlier.
pub(crate) fn last_day(entry: &EntryAsWritten, rules: &EvidenceRules) -> NaiveDate {
    let days = rules.kinds.get(&entry.kind).map_or(0, |it| it.valid_days);
    let end = entry.collected.checked_add_days(chrono::Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX);
    entry.expires.map_or(end, |it| it.min(end))
}

/// The method gives the start, if the entry has what the method requires; a statement against interest raises it by
/// one, never above B (only a test of our own gives A); staleness and every downgrade lower it by one.
pub(crate) fn graded(entry: &EntryAsWritten, rules: &EvidenceRules, day: NaiveDate) -> Graded {
    let method = rules.methods.get(&entry.method);
    let start = method.map_or(Grade::E, |it| it.grade);
    let said = method.and_then(|it| it.said).unwrap_or(start);
    let mut graded = Graded { grade: start, plain: start, said, by: vec!["method".to_owned()] };
    let lacking = method.into_iter().flat_map(|it| &it.requires).find(|it| !has(entry, **it));
    if let (Some(lacking), Some(otherwise)) = (lacking, method.and_then(|it| it.otherwise)) {
        graded.fall_to(otherwise, lacks(*lacking));
    }
    if is_against_interest(entry, rules) && graded.grade > Grade::B {
        graded.grade = next(graded.grade, Grade::ALL.iter().rev());
        graded.by.push("against_interest".to_owned());
    }
    for downgrade in entry.downgrades.iter().collect::<BTreeSet<_>>() {
        graded.lower(downgrade.word());
    }
    if day > last_day(entry, rules) {
        graded.lower("stale");
    }
    graded.said = graded.said.min(graded.grade);
    graded
}

fn has(entry: &EntryAsWritten, requirement: Requirement) -> bool {
    match requirement {
        Requirement::File => entry.file.is_some() && entry.sha256.is_some(),
        Requirement::Address => entry.url.is_some(),
        Requirement::Date => entry.published.is_some(),
    }
}

fn lacks(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::File => "lacks_file",
        Requirement::Address => "lacks_address",
        Requirement::Date => "lacks_date",
    }
}

/// By the nature of its kind, or by a note that says why.
fn is_against_interest(entry: &EntryAsWritten, rules: &EvidenceRules) -> bool {
    let by_kind = rules.kinds.get(&entry.kind).is_some_and(|it| it.admission);
    entry.against_interest && (by_kind || entry.note.as_ref().is_some_and(|it| !it.is_empty()))
}

impl Graded {
    fn lower(&mut self, why: &str) {
        for grade in [&mut self.grade, &mut self.plain, &mut self.said] {
            *grade = next(*grade, Grade::ALL.iter());
        }
        self.by.push(why.to_owned());
    }

    fn fall_to(&mut self, floor: Grade, why: &str) {
        for grade in [&mut self.grade, &mut self.plain, &mut self.said] {
            *grade = (*grade).max(floor);
        }
        self.by.push(why.to_owned());
    }
}

/// The grade after this one in the given order; the last one stays.
fn next<'a>(grade: Grade, mut order: impl Iterator<Item = &'a Grade>) -> Grade {
    order.find(|it| **it == grade);
    order.next().copied().unwrap_or(grade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::document::Downgrade;
    use crate::rubric;

    #[track_caller]
    fn check(method: &str, against_interest: bool, downgrades: &[Downgrade], day: &str, expected: &str) {
        let rules = rubric::find("llm-originality", std::path::Path::new("")).unwrap().evidence;
        let entry = EntryAsWritten {
            id: "EV-1".into(),
            kind: "public_page".into(),
            method: method.into(),
            title: crate::fact::Text::plain("page"),
            url: Some("https://example.org".into()),
            file: Some("page.pdf".into()),
            sha256: Some("0".repeat(64)),
            published: Some("2023-12-01".parse().unwrap()),
            collected: "2024-01-01".parse().unwrap(),
            expires: Some("2024-03-31".parse().unwrap()),
            origin: "x".into(),
            against_interest,
            downgrades: downgrades.to_vec(),
            note: Some(crate::fact::Text::plain("it admits a loss")),
        };
        let found = graded(&entry, &rules, day.parse().unwrap());
        assert_eq!(format!("{} {}", found.grade.letter(), found.by.join(" ")), expected);
    }

    #[test]
    fn each_rule_moves_the_grade_by_one() {
        check("public_record", false, &[], "2024-03-31", "C method");
        check("public_record", false, &[], "2024-04-01", "D method stale");
        check("public_record", true, &[], "2024-03-31", "B method against_interest");
        check("examine_original", true, &[], "2024-03-31", "B method");
        check("test", true, &[], "2024-03-31", "A method");
        check("interview", true, &[Downgrade::Imprecise], "2024-03-31", "D method against_interest imprecise");
        let all = [Downgrade::Indirect, Downgrade::Inconsistent, Downgrade::Imprecise, Downgrade::Selected];
        check("test", false, &all, "2024-04-01", "E method indirect inconsistent imprecise selected stale");
    }

    #[test]
    fn a_method_asks_for_what_it_names() {
        let rules = rubric::find("llm-originality", std::path::Path::new("")).unwrap().evidence;
        let grade = |text: &str| {
            let head = "{id: a, kind: public_page, title: t, collected: 2024-01-01, origin: o";
            let entry: EntryAsWritten =
                crate::yaml::read("entry.yaml", format!("{head}, {text}}}").as_bytes()).unwrap();
            let found = graded(&entry, &rules, "2024-02-01".parse().unwrap());
            format!("{} {} {}", found.grade.letter(), found.said.letter(), found.by.join(" "))
        };
        let file = format!("file: page.pdf, sha256: {}", "0".repeat(64));
        assert_eq!(grade("method: test"), "D D method lacks_file");
        assert_eq!(grade(&format!("method: test, {file}")), "A A method");
        assert_eq!(grade("method: public_record"), "D D method lacks_address");
        let page = "method: public_record, url: 'https://example.org', published: 2023-12-01";
        assert_eq!(grade(page), "C B method");
        // Against interest by its kind, or by a note that says why.
        assert_eq!(grade(&format!("{page}, against_interest: true")), "C B method");
        assert_eq!(
            grade(&format!("{page}, against_interest: true, note: it admits it")),
            "B B method against_interest"
        );
    }

    #[test]
    fn an_entry_without_an_end_counts_for_the_period_of_its_kind() {
        let rules = rubric::find("llm-originality", std::path::Path::new("")).unwrap().evidence;
        let text = "{id: a, kind: public_page, method: test, title: t, collected: 2024-01-01, origin: o}";
        let entry: EntryAsWritten = crate::yaml::read("entry.yaml", text.as_bytes()).unwrap();
        let days = rules.kinds["public_page"].valid_days;
        assert_eq!(last_day(&entry, &rules) - entry.collected, chrono::TimeDelta::days(i64::from(days)));
    }
}
