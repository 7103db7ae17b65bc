//! A case in few words, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::case::{Answer, Answers, Case, Kind, LedgerEntry, Level, Subject, Waiver};
use crate::evidence::{Basis, ConditionKind, EVIDENCE_SCHEMA, Evidence, ModelFacts, OpenBranch, OpenCondition, Whose};
use crate::fact::{CatalogReach, Fact, Facts, Text, Unknown, Value};
use crate::rubric::{Grade, Rubric};
use crate::scoring::{CriterionScore, GateOutcome, Scorecard, score_with};

/// Samples in tests: enough for shares to within two percent.
const SAMPLES: usize = 1_000;

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

/// Whose weights, settled at these levels.
pub(crate) fn settled(levels: &[u8]) -> Whose {
    Whose {
        levels: levels.to_vec(),
        closed: true,
        basis: Basis::Measured,
        because: Vec::new(),
        conditions: Vec::new(),
        examined: 1,
        references: 1,
    }
}

/// Nothing settles whose the weights are, and a test would.
pub(crate) fn open() -> Whose {
    let branch = |fact: &str, levels: &[u8]| OpenBranch {
        fact: fact.to_owned(),
        levels: levels.to_vec(),
        closed: true,
        distinctive: None,
    };
    Whose {
        closed: false,
        basis: Basis::Open,
        conditions: vec![OpenCondition {
            kind: ConditionKind::Test,
            references: vec!["Base".to_owned()],
            branches: vec![branch("independent", &[3]), branch("derived", &[0, 1, 2])],
        }],
        ..settled(&[0, 1, 2, 3, 4])
    }
}

impl Draft {
    /// Nobody answered anything, nothing was claimed, and no derivation was found.
    pub(crate) fn new() -> Self {
        let rubric = crate::rubric::find("llm-originality", Path::new("")).expect("the shipped rubric is valid");
        let date = day("2026-11-23");
        let mut ledger = BTreeMap::new();
        for criterion in &rubric.criteria {
            for grade in Grade::ALL {
                for origin in 1..=2 {
                    let id = format!("{}{origin}-{}", grade.letter(), criterion.id);
                    ledger.insert(id.clone(), entry(&id, &criterion.kinds[0], grade, &format!("origin-{origin}")));
                }
            }
        }
        let subject = Subject {
            id: "acme-1".to_owned(),
            name: Text::plain("Acme-1"),
            kind: Kind::Files,
            location: Some("model".to_owned()),
            published: None,
            trained: None,
            sold: true,
            flagship: false,
            upstream: None,
            reported_tests: Vec::new(),
            declared_parents: Vec::new(),
        };
        let case = Case {
            folder: PathBuf::from("acme"),
            id: "acme".to_owned(),
            title: Text::plain("Acme-1"),
            company: Text::plain("Acme"),
            date,
            valid_until: None,
            recipient: None,
            rubric: "llm-originality".to_owned(),
            languages: vec!["en".to_owned()],
            subjects: vec![subject],
            references: Vec::new(),
            owners: Vec::new(),
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
            digest: String::new(),
            date,
            inputs: Vec::new(),
            subjects: Vec::new(),
            models: vec![model("acme-1")],
            facts: Facts::from([("ledger.tampered".to_owned(), fact(Value::Yes(false)))]),
            catalog: CatalogReach {
                size: 211,
                entries: 217,
                newest: "catalog:acme/old".to_owned(),
                newest_date: "2026-01-01".to_owned(),
            },
            unexamined: Vec::new(),
        };
        Self { rubric, case, evidence }
    }

    /// Two readers answer everything alike at one level, on evidence of one grade; C3 asks for a witnessed run.
    pub(crate) fn all(level: u8, grade: &str) -> Self {
        let draft = Self::new();
        let line = |id: &str| format!("{id} {level} {}1", if id == "C3" { "A" } else { grade });
        let ids: Vec<String> = draft.rubric.criteria.iter().map(|it| it.id.clone()).filter(|it| it != "T1").collect();
        let lines = ids.iter().map(|it| line(it)).collect::<Vec<_>>().join("; ");
        draft.both(&lines)
    }

    /// Answers as `CRITERION LEVEL EVIDENCE…; …`: evidence `C1` is the entry of grade C and origin 1 for that
    /// criterion.
    pub(crate) fn answers(mut self, analyst: &str, lines: &str) -> Self {
        let slot = self.case.answers.entry(analyst.to_owned()).or_insert_with(|| Answers {
            analyst: analyst.to_owned(),
            name: Text::plain(analyst),
            signed: day("2026-11-20"),
            answers: BTreeMap::new(),
            models: BTreeMap::new(),
        });
        for line in lines.split(';').map(str::trim).filter(|it| !it.is_empty()) {
            let mut words = line.split(' ');
            let criterion = words.next().unwrap().to_owned();
            let level = level(words.next().unwrap());
            let evidence = words.map(|it| format!("{it}-{criterion}")).collect();
            slot.answers.insert(criterion, Answer { level, evidence, reason: Text::plain("seen"), would_change: None });
        }
        self
    }

    /// The same answer of both readers.
    pub(crate) fn both(self, lines: &str) -> Self {
        self.answers("chen", lines).answers("li", lines)
    }

    /// A fact of the first model.
    pub(crate) fn word(mut self, key: &str, word: &str) -> Self {
        self.evidence.models[0].facts.insert(key.to_owned(), fact(Value::Word(word.to_owned())));
        self
    }

    pub(crate) fn yes(mut self, key: &str) -> Self {
        self.evidence.models[0].facts.insert(key.to_owned(), fact(Value::Yes(true)));
        self
    }

    pub(crate) fn whose(mut self, whose: Whose) -> Self {
        self.evidence.models[0].whose = whose;
        self
    }

    /// A second model of the company, sold or not.
    pub(crate) fn with_model(mut self, id: &str, sold: bool, whose: Whose) -> Self {
        let mut subject = self.case.subjects[0].clone();
        (subject.id, subject.name, subject.sold) = (id.to_owned(), Text::plain(id), sold);
        self.case.subjects.push(subject);
        let mut facts = model(id);
        (facts.sold, facts.flagship, facts.whose) = (sold, false, whose);
        self.evidence.models.push(facts);
        self
    }

    pub(crate) fn waive(mut self, gate: &str, approver: &str, expires: &str) -> Self {
        let reason = Text::plain("cured in escrow");
        let waiver = Waiver { gate: gate.to_owned(), approver: approver.to_owned(), reason, expires: day(expires) };
        self.case.waivers.push(waiver);
        self
    }

    pub(crate) fn score(&self) -> Scorecard {
        score_with(&self.rubric, &self.case, &self.evidence, SAMPLES)
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

fn fact(value: Value) -> Fact {
    Fact { value, seen_in: Vec::new() }
}

fn model(id: &str) -> ModelFacts {
    let words = [
        ("claim.from_scratch", "none"),
        ("claim.own_work", "none"),
        ("claims.worst", "normal"),
        ("model.kind", "files"),
        ("weights.title", "clear"),
    ];
    let mut facts: Facts =
        words.into_iter().map(|(key, word)| (key.to_owned(), fact(Value::Word(word.to_owned())))).collect();
    for key in ["counted.contradicted", "borrowed.distinctive"] {
        facts.insert(key.to_owned(), fact(Value::Yes(false)));
    }
    facts.insert("disclosed.weights".to_owned(), fact(Value::Unknown(Unknown::NotAsked)));
    ModelFacts {
        id: id.to_owned(),
        kind: Kind::Files,
        sold: true,
        flagship: true,
        files: Vec::new(),
        relations: Vec::new(),
        whose: settled(&[3]),
        disclosures: BTreeMap::new(),
        stated: Vec::new(),
        facts,
        checks: Vec::new(),
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
        plain_grade: grade,
        said_grade: grade,
        graded_by: vec!["method".to_owned()],
    }
}
