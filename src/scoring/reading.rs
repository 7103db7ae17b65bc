//! One criterion: what the analysts answered, what their evidence buys of it, and the levels that remain possible.

use std::collections::BTreeSet;

use crate::case::{Answer, Case, LedgerEntry, Level};
use crate::fact::{Argument, Interval, Message};
use crate::rubric::{Criterion, EvidenceRules, Grade, Rubric, WeakEvidence};
use crate::scoring::pin::Pin;
use crate::scoring::situation::{SCALE, pillar_of};
use crate::scoring::{CriterionScore, Reading};

/// A refusal is no proof of absence, but the room it leaves is small.
pub(crate) const REFUSED: Interval = Interval { low: 0.0, high: 1.0 };

/// So many analysts must agree that a criterion does not apply.
const READERS_TO_LEAVE_OUT: usize = 2;

/// Reads one criterion. `pin` is what was measured or admitted about it, which no answer overrides.
pub(crate) fn read(rubric: &Rubric, case: &Case, criterion: &Criterion, pin: Option<&Pin>) -> CriterionScore {
    let answers: Vec<(&str, &Answer)> = case
        .answers
        .iter()
        .filter_map(|(analyst, answers)| Some((analyst.as_str(), answers.answers.get(&criterion.id)?)))
        .collect();
    let support = Support::of(case, criterion, &answers);
    let mut reader = Reader { rules: &rubric.evidence, case, criterion, notes: support.notes.clone() };
    let outcome = reader.reconcile(&answers);
    let outcome = match pin {
        Some(pin) => reader.pinned(outcome, pin),
        None => outcome,
    };
    let notes = reader.notes;
    CriterionScore {
        id: criterion.id.clone(),
        version: criterion.version.clone(),
        pillar: pillar_of(criterion).to_owned(),
        weight: criterion.weight,
        question: criterion.question.clone(),
        levels: criterion.levels.clone(),
        interval: outcome.interval,
        answered: agreed(&answers),
        level: outcome.level,
        adjustments: notes,
        grade: pin.map_or(support.grade, |it| best(support.grade, it.grade)),
        evidence: support
            .cited
            .into_iter()
            .chain(pin.iter().flat_map(|it| it.evidence.clone()))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        origins: u64::try_from(support.origins.len()).unwrap_or(u64::MAX),
        covered: outcome.covered,
        confident: outcome.covered && support.strong_origins.len() >= 2,
        readers: answers.iter().map(|(analyst, answer)| reading(analyst, answer)).collect(),
        ask_for: criterion.ask_for.clone(),
    }
}

fn reading(analyst: &str, answer: &Answer) -> Reading {
    Reading {
        analyst: analyst.to_owned(),
        level: answer.level,
        reason: answer.reason.clone(),
        would_change: answer.would_change.clone(),
    }
}

/// The answer that all analysts gave.
fn agreed(answers: &[(&str, &Answer)]) -> Option<Level> {
    let first = answers.first()?.1.level;
    answers.iter().all(|(_, it)| it.level == first).then_some(first)
}

/// The better of two grades.
fn best(one: Option<Grade>, other: Option<Grade>) -> Option<Grade> {
    one.into_iter().chain(other).min()
}

/// The evidence behind the answers to one criterion.
#[derive(Debug)]
struct Support {
    /// Every id that an answer cites.
    cited: BTreeSet<String>,
    /// The best grade among those that count here.
    grade: Option<Grade>,
    /// Origins of those that count here.
    origins: BTreeSet<String>,
    /// Origins of those that count here, are of grade A or B, and have not expired.
    strong_origins: BTreeSet<String>,
    notes: Vec<Message>,
}

impl Support {
    fn of(case: &Case, criterion: &Criterion, answers: &[(&str, &Answer)]) -> Self {
        let cited: BTreeSet<String> = answers.iter().flat_map(|(_, it)| it.evidence.iter().cloned()).collect();
        let entries: Vec<&LedgerEntry> = cited.iter().filter_map(|id| case.ledger.get(id)).collect();
        let (altered, intact): (Vec<_>, Vec<_>) = entries.into_iter().partition(|it| it.is_altered());
        let (counting, ignored): (Vec<_>, Vec<_>) =
            intact.into_iter().partition(|it| criterion.kinds.contains(&it.kind));
        let mut notes = Vec::new();
        note_entries(&mut notes, "ignored.altered", &altered);
        note_entries(&mut notes, "ignored.kind", &ignored);
        let is_strong = |it: &&&LedgerEntry| it.grade <= Grade::B && it.expires >= case.date;
        Self {
            grade: counting.iter().map(|it| it.grade).min(),
            origins: counting.iter().map(|it| it.origin.clone()).collect(),
            strong_origins: counting.iter().filter(is_strong).map(|it| it.origin.clone()).collect(),
            cited,
            notes,
        }
    }
}

fn note_entries(notes: &mut Vec<Message>, key: &str, entries: &[&LedgerEntry]) {
    if !entries.is_empty() {
        let ids = entries.iter().map(|it| Argument::from(it.id.as_str())).collect();
        notes.push(Message::new(key).with("evidence", Argument::List(ids)));
    }
}

/// What came of the answers.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    interval: Option<Interval>,
    level: Option<u8>,
    covered: bool,
}

const NO_ANSWER: Outcome = Outcome { interval: Some(SCALE), level: None, covered: false };

#[derive(Debug)]
struct Reader<'a> {
    rules: &'a EvidenceRules,
    case: &'a Case,
    criterion: &'a Criterion,
    notes: Vec<Message>,
}

impl Reader<'_> {
    /// One answer counts as it is; several make the range that holds them all.
    fn reconcile(&mut self, answers: &[(&str, &Answer)]) -> Outcome {
        let left_out = answers.iter().filter(|(_, it)| it.level == Level::NotApplicable).count();
        if left_out >= READERS_TO_LEAVE_OUT && left_out == answers.len() {
            self.note(Message::new("left_out.not_applicable"));
            return Outcome { interval: None, level: None, covered: false };
        }
        let outcomes: Vec<Outcome> = answers.iter().filter_map(|it| self.outcome_of(it)).collect();
        if outcomes.is_empty() && answers.is_empty() {
            self.note(Message::new("widened.unanswered"));
        }
        let Some(joined) = outcomes.iter().copied().reduce(join) else { return NO_ANSWER };
        if outcomes.iter().any(|it| it.interval != joined.interval) {
            self.note(Message::new("widened.readers_differ"));
        }
        joined
    }

    /// What one answer is worth; none where it is no answer.
    fn outcome_of(&mut self, answer: &(&str, &Answer)) -> Option<Outcome> {
        match answer.1.level {
            Level::At(level) => {
                // One reader's evidence must not buy the level that another answered without any.
                let grade = Support::of(self.case, self.criterion, std::slice::from_ref(answer)).grade;
                return Some(self.supported(level, grade));
            }
            // Where a low level is a reproach, declining to show something does not prove it.
            Level::Refused if self.criterion.weak_evidence == WeakEvidence::Unknown => {
                self.note(Message::new("widened.refused"));
            }
            Level::Refused => {
                self.note(Message::new("lowered.refused"));
                return Some(Outcome { interval: Some(REFUSED), level: None, covered: true });
            }
            Level::Unknown => self.note(Message::new("widened.unknown")),
            Level::NotObservable => self.note(Message::new("widened.not_observable")),
            Level::NotApplicable => self.note(Message::new("widened.not_applicable_alone")),
        }
        None
    }

    /// A level as far as the evidence buys it.
    fn supported(&mut self, answered: u8, found: Option<Grade>) -> Outcome {
        // An answer without evidence that counts is an assertion of the analyst.
        let grade = found.unwrap_or(Grade::E);
        if found.is_none() {
            self.note(Message::new("weak.no_evidence"));
        }
        let bought = (0..=answered).rev().find(|level| self.buys(grade, *level));
        let is_weak = bought != Some(answered) || found.is_none();
        if self.criterion.weak_evidence == WeakEvidence::Unknown && is_weak {
            self.note(self.told("widened.weak_evidence", grade, answered));
            return NO_ANSWER;
        }
        let level = bought.unwrap_or(0);
        if level < answered {
            self.note(self.told("cap.grade", grade, answered).with("to", f64::from(level)));
        }
        let half = self.rules.half_width.get(&grade).copied().unwrap_or(1.0).max(0.0);
        let ceiling = (0..=4).rev().find(|it| self.buys(grade, *it)).unwrap_or(0).max(level);
        let middle = f64::from(level);
        let interval = Interval {
            low: (middle - half).max(SCALE.low),
            high: (middle + half).min(f64::from(ceiling)).min(SCALE.high),
        };
        if interval.width() > 0.0 {
            self.note(Message::new("widened.grade").with("grade", format!("{grade:?}")));
        }
        Outcome { interval: Some(interval), level: Some(level), covered: true }
    }

    /// Whether evidence of a grade suffices for a level of this criterion.
    fn buys(&self, grade: Grade, level: u8) -> bool {
        let cap = self.rules.grades.get(&grade).map_or(0, |it| it.cap);
        level <= cap && self.criterion.needs.get(&level).is_none_or(|weakest| grade <= *weakest)
    }

    fn told(&self, key: &str, grade: Grade, answered: u8) -> Message {
        let message = Message::new(key).with("grade", format!("{grade:?}")).with("from", f64::from(answered));
        let needed = self.criterion.needs.get(&answered).copied();
        let by_cap = self.rules.grades.iter().rev().find(|(_, rule)| rule.cap >= answered).map(|(it, _)| *it);
        // Grades run from best to worst, so the stricter of the two is the smaller.
        let weakest = needed.into_iter().chain(by_cap).min().unwrap_or(Grade::A);
        message.with("needed", format!("{weakest:?}"))
    }

    /// What was measured or admitted stands, and an answer counts only as far as it agrees.
    fn pinned(&mut self, outcome: Outcome, pin: &Pin) -> Outcome {
        let agrees =
            outcome.interval.filter(|it| outcome.covered && it.low >= pin.interval.low && it.low <= pin.interval.high);
        self.note(pin.because.clone());
        match agrees {
            Some(interval) => Outcome {
                interval: Some(Interval { high: interval.high.min(pin.interval.high), ..interval }),
                ..outcome
            },
            None => Outcome { interval: Some(pin.interval), level: None, covered: true },
        }
    }

    fn note(&mut self, message: Message) {
        if !self.notes.contains(&message) {
            self.notes.push(message);
        }
    }
}

fn join(one: Outcome, other: Outcome) -> Outcome {
    let interval = one
        .interval
        .zip(other.interval)
        .map(|(one, other)| Interval { low: one.low.min(other.low), high: one.high.max(other.high) });
    let level = one.level.filter(|it| Some(*it) == other.level);
    Outcome { interval, level, covered: one.covered && other.covered }
}
