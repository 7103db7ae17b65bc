//! A case in few words, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::case::{Answer, Answers, Case, DeclaredParent, LedgerEntry, Level, Subject, Waiver};
use crate::evidence::{EVIDENCE_SCHEMA, Evidence};
use crate::fact::{CatalogReach, Fact, Facts, Text, Unknown, Value};
use crate::rubric::{Grade, Rubric};
use crate::scoring::{CriterionScore, GateOutcome, Scorecard, score};

/// A case and its evidence while they are being put together.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) rubric: Rubric,
    pub(crate) case: Case,
    pub(crate) evidence: Evidence,
}

pub(crate) fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
}

impl Draft {
    /// Nobody answered anything; nothing was claimed.
    ///
    /// The ledger has one entry for each grade and origin: `A1`, `A2`, `B1`, … of kind `document`, and `MA`, `MB`, `MC`
    /// of kind `model_bytes`.
    pub(crate) fn new() -> Self {
        let rubric = crate::rubric::read("small.yaml", include_bytes!("small.yaml")).expect("the test rubric is valid");
        let date = day("2026-11-23");
        let mut ledger = BTreeMap::new();
        for grade in [Grade::A, Grade::B, Grade::C, Grade::D, Grade::E] {
            for origin in 1..=2 {
                let entry = entry(&format!("{grade:?}{origin}"), "document", grade, &format!("origin-{origin}"));
                ledger.insert(entry.id.clone(), entry);
            }
            let entry = entry(&format!("M{grade:?}"), "model_bytes", grade, "files");
            ledger.insert(entry.id.clone(), entry);
        }
        let case = Case {
            folder: PathBuf::from("acme"),
            id: "acme".to_owned(),
            title: Text::plain("Acme-1"),
            company: Text::plain("Acme"),
            date,
            valid_until: None,
            recipient: None,
            rubric: "small".to_owned(),
            languages: vec!["en".to_owned()],
            subjects: vec![Subject {
                id: "acme-1".to_owned(),
                location: "model".to_owned(),
                name: Text::plain("Acme-1"),
                declared_parents: Vec::new(),
            }],
            references: Vec::new(),
            claims: Vec::new(),
            ledger,
            answers: BTreeMap::new(),
            waivers: Vec::new(),
            reply: None,
            inputs: Vec::new(),
        };
        let evidence = Evidence {
            schema: EVIDENCE_SCHEMA.to_owned(),
            tool_version: "0.1.0".to_owned(),
            date,
            inputs: Vec::new(),
            subjects: Vec::new(),
            checks: Vec::new(),
            facts: Facts::new(),
            catalog: CatalogReach {
                size: 211,
                entries: 217,
                newest: "catalog:acme/old".to_owned(),
                newest_date: "2026-01-01".to_owned(),
            },
            unexamined: Vec::new(),
        };
        Self { rubric, case, evidence }
            .fact("claims.worst", Value::Word("normal".to_owned()))
            .fact("claim.from_scratch", Value::Unknown(Unknown::NotAsked))
            .fact("weights.relation", Value::Word("unexamined".to_owned()))
    }

    /// Two readers answer everything alike: `R1=3 D1=2 D2=2 T2=2 A1=3`, and the weights are unknown.
    pub(crate) fn answered() -> Self {
        let lines = "R1 3 C1; D1 2 C1; D2 2 C1; T1 unknown; T2 2 C1; A1 3 C1";
        Self::new().answers("chen", lines).answers("li", lines)
    }

    /// Answers as `CRITERION LEVEL EVIDENCE…; …`.
    pub(crate) fn answers(mut self, analyst: &str, lines: &str) -> Self {
        let slot = self.case.answers.entry(analyst.to_owned()).or_insert_with(|| Answers {
            analyst: analyst.to_owned(),
            name: Text::plain(analyst),
            signed: day("2026-11-20"),
            answers: BTreeMap::new(),
        });
        for line in lines.split(';').map(str::trim).filter(|it| !it.is_empty()) {
            let mut words = line.split(' ');
            let criterion = words.next().unwrap().to_owned();
            let level = level(words.next().unwrap());
            let evidence = words.map(str::to_owned).collect();
            slot.answers.insert(criterion, Answer { level, evidence, reason: Text::plain("seen"), would_change: None });
        }
        self
    }

    /// The same answer of both readers.
    pub(crate) fn both(self, lines: &str) -> Self {
        self.answers("chen", lines).answers("li", lines)
    }

    pub(crate) fn fact(mut self, key: &str, value: Value) -> Self {
        self.evidence.facts.insert(key.to_owned(), Fact { value, seen_in: Vec::new() });
        self
    }

    pub(crate) fn word(self, key: &str, word: &str) -> Self {
        self.fact(key, Value::Word(word.to_owned()))
    }

    pub(crate) fn waive(mut self, gate: &str, approver: &str, expires: &str) -> Self {
        let reason = Text::plain("cured in escrow");
        let waiver = Waiver { gate: gate.to_owned(), approver: approver.to_owned(), reason, expires: day(expires) };
        self.case.waivers.push(waiver);
        self
    }

    pub(crate) fn declare(mut self, part: &str, evidence: &[&str]) -> Self {
        self.case.subjects[0].declared_parents.push(DeclaredParent {
            model: "Llama".to_owned(),
            part: part.to_owned(),
            evidence: evidence.iter().map(|it| (*it).to_owned()).collect(),
        });
        self
    }

    pub(crate) fn score(&self) -> Scorecard {
        score(&self.rubric, &self.case, &self.evidence)
    }

    pub(crate) fn verdict(&self) -> String {
        self.score().verdict.id
    }

    pub(crate) fn criterion(&self, id: &str) -> CriterionScore {
        self.score().criteria.into_iter().find(|it| it.id == id).unwrap()
    }

    pub(crate) fn gate(&self, id: &str) -> GateOutcome {
        self.score().gates.into_iter().find(|it| it.id == id).unwrap()
    }
}

fn level(word: &str) -> Level {
    match word {
        "unknown" => Level::Unknown,
        "refused" => Level::Refused,
        "not_observable" => Level::NotObservable,
        "not_applicable" => Level::NotApplicable,
        digit => Level::At(digit.parse().unwrap()),
    }
}

fn entry(id: &str, kind: &str, grade: Grade, origin: &str) -> LedgerEntry {
    LedgerEntry {
        id: id.to_owned(),
        kind: kind.to_owned(),
        method: "test".to_owned(),
        title: Text::plain(id),
        file: None,
        sha256: None,
        actual_sha256: None,
        url: None,
        published: None,
        collected: day("2026-11-01"),
        expires: day("2027-11-01"),
        origin: origin.to_owned(),
        against_interest: false,
        downgrades: Vec::new(),
        note: None,
        grade,
        graded_by: vec!["method".to_owned()],
    }
}
