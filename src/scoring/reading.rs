//! One criterion: what the readers answered, how much of it their evidence proves, and the levels that remain possible.
//!
//! A level is a range from what is proven to what was answered: weak evidence proves little and rules nothing out.
//! Where a low level would itself accuse, an answer on weak evidence is no answer, and a 4 that is not proven counts as
//! a 3.

use std::collections::BTreeSet;

use crate::case::{Answer, Case, LedgerEntry, Level};
use crate::evidence::{Basis, ConditionKind, Whose};
use crate::fact::{Argument, Interval, Message};
use crate::rubric::{Criterion, EvidenceRules, Grade, Rubric, WeakEvidence};
use crate::scoring::situation::{READINGS, SCALE, pillar_of};
use crate::scoring::{CriterionScore, Reading};

/// A refusal is no proof of absence, but the room it leaves is small.
pub(crate) const REFUSED: Interval = Interval { low: 0.0, high: 1.0 };

/// So many readers must agree that a criterion does not apply.
const READERS_TO_LEAVE_OUT: usize = 2;

/// From this level on an answer praises, and a statement against interest counts with its plain grade.
const PRAISE: u8 = 3;

/// The level that is read where a 4 is not proven.
const NEXT_TO_HIGHEST: u8 = 3;

/// Reads one criterion for one model. `whose` is what was measured, for the criterion that asks whose the weights are.
pub(crate) fn read(
    rubric: &Rubric,
    case: &Case,
    criterion: &Criterion,
    subject: &str,
    whose: Option<&Whose>,
) -> CriterionScore {
    let all = case.answers.iter();
    let answers: Vec<(&str, &Answer)> =
        all.filter_map(|(analyst, answers)| Some((analyst.as_str(), answers.on(subject, &criterion.id)?))).collect();
    let support = Cited::of(case, criterion, &answers);
    let notes = support.notes.clone();
    let mut reader = Reader { rules: &rubric.evidence, case, criterion, notes, unproven: BTreeSet::new() };
    let outcome = reader.reconcile(&answers);
    let outcome = match whose {
        Some(whose) => reader.measured(outcome, whose, &answers),
        None => outcome,
    };
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
        adjustments: reader.notes.clone(),
        grade: whose.filter(|it| it.basis == Basis::Measured).map(|_| Grade::A).or(support.grade),
        evidence: support.cited.into_iter().collect(),
        origins: u64::try_from(support.origins.len()).unwrap_or(u64::MAX),
        covered: outcome.covered,
        readings: outcome.readings,
        unproven: reader.unproven.into_iter().collect(),
        measured: whose.is_some_and(|it| it.closed && it.basis != Basis::Reported),
        confident: outcome.covered && support.grade.is_some_and(|it| it <= Grade::B),
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
        evidence: answer.evidence.clone(),
    }
}

/// The answer that all readers gave.
fn agreed(answers: &[(&str, &Answer)]) -> Option<Level> {
    let first = answers.first()?.1.level;
    answers.iter().all(|(_, it)| it.level == first).then_some(first)
}

/// The evidence that the answers to one criterion cite.
#[derive(Debug)]
struct Cited {
    /// Every id that an answer cites.
    cited: BTreeSet<String>,
    /// The best grade among those that count here.
    grade: Option<Grade>,
    /// Origins of those that count here.
    origins: BTreeSet<String>,
    notes: Vec<Message>,
}

impl Cited {
    fn of(case: &Case, criterion: &Criterion, answers: &[(&str, &Answer)]) -> Self {
        let cited: BTreeSet<String> = answers.iter().flat_map(|(_, it)| it.evidence.iter().cloned()).collect();
        let entries: Vec<&LedgerEntry> = cited.iter().filter_map(|id| case.ledger.get(id)).collect();
        let (altered, intact): (Vec<_>, Vec<_>) = entries.into_iter().partition(|it| it.is_altered());
        let (counting, ignored): (Vec<_>, Vec<_>) =
            intact.into_iter().partition(|it| criterion.kinds.contains(&it.kind));
        let mut notes = Vec::new();
        note_entries(&mut notes, "ignored.altered", &altered);
        note_entries(&mut notes, "ignored.kind", &ignored);
        let ids: Vec<String> = counting.iter().map(|it| it.id.clone()).collect();
        let support = case.support_by(&ids, |it| grade_of(criterion, it, 0));
        Self { grade: support.grade, origins: support.origins, cited, notes }
    }
}

/// The grade an entry has for an answer: as a record of what was said, where that is what is asked; without what a
/// statement against interest gains, where the answer praises.
fn grade_of(criterion: &Criterion, entry: &LedgerEntry, level: u8) -> Grade {
    match (criterion.asks_what_was_said, level >= PRAISE) {
        (true, _) => entry.said_grade,
        (false, true) => entry.plain_grade,
        (false, false) => entry.grade,
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
    /// How many readers read it off an anchor, two at most.
    readings: u8,
}

const NO_ANSWER: Outcome = Outcome { interval: Some(SCALE), level: None, covered: false, readings: 0 };

/// One reader's level: what is proven of it, and what was answered.
#[derive(Clone, Copy, Debug)]
struct Read {
    proven: u8,
    answered: u8,
    covered: bool,
}

#[derive(Debug)]
struct Reader<'a> {
    rules: &'a EvidenceRules,
    case: &'a Case,
    criterion: &'a Criterion,
    notes: Vec<Message>,
    unproven: BTreeSet<u8>,
}

impl Reader<'_> {
    /// One answer counts as it is; several make the range that holds them all. A reader without an answer takes nothing
    /// away from one who has.
    fn reconcile(&mut self, answers: &[(&str, &Answer)]) -> Outcome {
        let left_out = answers.iter().filter(|(_, it)| it.level == Level::NotApplicable).count();
        if left_out >= READERS_TO_LEAVE_OUT && left_out == answers.len() {
            self.note(Message::new("left_out.not_applicable"));
            return Outcome { interval: None, level: None, covered: false, readings: 0 };
        }
        if answers.is_empty() {
            self.note(Message::new("widened.unanswered"));
        }
        let read: Vec<Read> = answers.iter().filter_map(|(_, it)| self.level_of(it)).collect();
        if !read.is_empty() {
            return self.joined(&read, answers);
        }
        if answers.iter().any(|(_, it)| self.is_refused(it)) {
            self.note(Message::new("lowered.refused"));
            return Outcome { interval: Some(REFUSED), ..NO_ANSWER };
        }
        NO_ANSWER
    }

    /// A reading on weaker evidence that agrees with what another proved does not undo the proof.
    ///
    /// What one of several readers left open was read by the others alone. It raises no verdict, since nobody can tell
    /// what the reader who left it open would have found: its low end is the bottom of the scale.
    fn joined(&mut self, read: &[Read], answers: &[(&str, &Answer)]) -> Outcome {
        let proven = read.iter().map(|it| it.proven).max().unwrap_or(0);
        let of_readers = read.iter().map(|it| it.proven.max(it.answered.min(proven))).min().unwrap_or(0);
        let answered = answers.iter().filter(|(_, it)| matches!(it.level, Level::At(_))).count();
        let is_left_open = answered < self.case.answers.len();
        if is_left_open {
            self.note(Message::new("widened.left_open"));
        }
        let low = if is_left_open { 0 } else { of_readers };
        let high = read.iter().map(|it| it.answered).max().unwrap_or(0);
        if read.iter().any(|it| it.answered != high) {
            self.note(Message::new("widened.readers_differ"));
        }
        Outcome {
            interval: Some(Interval::new(f64::from(low), f64::from(high))),
            level: (low == high).then_some(low),
            covered: read.iter().any(|it| it.covered),
            readings: u8::try_from(read.len()).unwrap_or(READINGS).min(READINGS),
        }
    }

    /// What one answer is worth; none where it is no answer.
    fn level_of(&mut self, answer: &Answer) -> Option<Read> {
        match answer.level {
            Level::At(level) => return self.supported(level, answer),
            Level::Unknown => self.note(Message::new("widened.unknown")),
            Level::NotObservable => self.note(Message::new("widened.not_observable")),
            Level::NotApplicable => self.note(Message::new("widened.not_applicable_alone")),
            Level::Refused if self.is_refused(answer) => {}
            Level::Refused if self.criterion.weak_evidence == WeakEvidence::Unknown => {
                self.note(Message::new("widened.refused"));
            }
            Level::Refused => self.note(Message::new("widened.refused_without_letter")),
        }
        None
    }

    /// Declined in writing, with the letter in the ledger. Where a low level accuses, declining proves nothing.
    fn is_refused(&self, answer: &Answer) -> bool {
        answer.level == Level::Refused
            && self.criterion.weak_evidence == WeakEvidence::Cap
            && self.case.support(&answer.evidence).is_at_least(Grade::D)
    }

    /// A level as far as the evidence of this answer proves it.
    fn supported(&mut self, answered: u8, answer: &Answer) -> Option<Read> {
        let Some(found) = self.grade(answer, answered) else {
            self.note(Message::new("weak.no_evidence"));
            return None;
        };
        let proves = |level: u8| self.grade(answer, level).is_some_and(|it| self.buys(it, level));
        if self.criterion.weak_evidence == WeakEvidence::Unknown {
            let level = if answered > NEXT_TO_HIGHEST && !proves(answered) { NEXT_TO_HIGHEST } else { answered };
            if !proves(level) {
                self.note(self.because("widened.weak_evidence", found, answered));
                if found <= Grade::D {
                    self.unproven.insert(answered);
                }
                return None;
            }
            if level < answered {
                self.note(self.because("cap.grade", found, answered).with("to", f64::from(level)));
            }
            return Some(Read { proven: level, answered: level, covered: true });
        }
        let proven = (0..=answered).rev().find(|level| proves(*level)).unwrap_or(0);
        if proven < answered {
            self.note(self.because("cap.grade", found, answered).with("to", f64::from(proven)));
        }
        Some(Read { proven, answered, covered: found <= Grade::D })
    }

    /// The best grade of the evidence of one answer, for a level.
    fn grade(&self, answer: &Answer, level: u8) -> Option<Grade> {
        let of_kind =
            |id: &&String| self.case.ledger.get(*id).is_some_and(|it| self.criterion.kinds.contains(&it.kind));
        let ids: Vec<String> = answer.evidence.iter().filter(of_kind).cloned().collect();
        self.case.support_by(&ids, |it| grade_of(self.criterion, it, level)).grade
    }

    /// Whether evidence of a grade suffices for a level of this criterion.
    fn buys(&self, grade: Grade, level: u8) -> bool {
        let cap = self.rules.grades.get(&grade).map_or(0, |it| it.cap);
        level <= cap && self.criterion.needs.get(&level).is_none_or(|weakest| grade <= *weakest)
    }

    fn because(&self, key: &str, grade: Grade, answered: u8) -> Message {
        let message = Message::new(key).with("grade", grade.letter()).with("from", f64::from(answered));
        let needed = self.criterion.needs.get(&answered).copied();
        let by_cap = self.rules.grades.iter().rev().find(|(_, rule)| rule.cap >= answered).map(|(it, _)| *it);
        // Grades run from best to worst, so the stricter of the two is the smaller.
        let weakest = needed.into_iter().chain(by_cap).min().unwrap_or(Grade::A);
        message.with("needed", weakest.letter())
    }

    /// Whose weights they are is measured; an answer only lowers it. Where a relation was measured and nothing shows
    /// who was first, only what the company itself admits tells more than the measurement did.
    fn measured(&mut self, outcome: Outcome, whose: &Whose, answers: &[(&str, &Answer)]) -> Outcome {
        let hangs_on_order = !whose.closed && whose.conditions.iter().any(|it| it.kind == ConditionKind::Order);
        // Against what was measured, and where the order alone is open, opinion accuses nobody.
        let is_measured = whose.closed && whose.basis == Basis::Measured;
        let may_lower = !(hangs_on_order || is_measured) || answers.iter().all(|(_, it)| self.cites_admission(it));
        let levels = if may_lower { lowered(&whose.levels, outcome) } else { whose.levels.clone() };
        let is_lowered = levels != whose.levels;
        self.notes.extend(whose.because.iter().cloned());
        if is_lowered {
            self.note(Message::new("whose.answered"));
        } else if outcome.level.is_some() && outcome.level != single(&levels) {
            self.note(Message::new("whose.answer_not_used"));
        }
        let (low, high) = (levels.first().copied().unwrap_or(0), levels.last().copied().unwrap_or(4));
        Outcome {
            interval: Some(Interval::new(f64::from(low), f64::from(high))),
            level: single(&levels),
            covered: whose.closed || whose.basis == Basis::Reported || is_lowered,
            readings: 0,
        }
    }

    fn cites_admission(&self, answer: &Answer) -> bool {
        let is_admission = |kind: &str| self.rules.kinds.get(kind).is_some_and(|it| it.admission);
        let of_kind = |id: &&String| self.case.ledger.get(*id).is_some_and(|it| is_admission(&it.kind));
        let ids: Vec<String> = answer.evidence.iter().filter(of_kind).cloned().collect();
        self.case.support_of_statement(&ids).shows()
    }

    fn note(&mut self, message: Message) {
        if !self.notes.contains(&message) {
            self.notes.push(message);
        }
    }
}

fn single(levels: &[u8]) -> Option<u8> {
    match levels {
        [only] => Some(*only),
        _ => None,
    }
}

/// The levels of a measurement, lowered by an answer that has its evidence. An answer raises nothing.
fn lowered(levels: &[u8], answer: Outcome) -> Vec<u8> {
    let Some(level) = answer.level.filter(|_| answer.covered) else { return levels.to_vec() };
    let highest = levels.last().copied().unwrap_or(level);
    if level > 2 || level >= highest {
        return levels.to_vec();
    }
    let kept: Vec<u8> = levels.iter().copied().filter(|it| *it <= level).collect();
    if kept.is_empty() { vec![level] } else { kept }
}
