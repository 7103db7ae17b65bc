//! What is known of one model and its company at once, and the questions that gates and the decision table put to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{Fact, Facts, Interval, Truth, Unknown, Value};
use crate::rubric::{Condition, Criterion, LevelFact, Rubric, Scalar};

/// Lowest and highest level of the scale.
pub(crate) const SCALE: Interval = Interval { low: 0.0, high: 4.0 };

/// What is known about one criterion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// From what is proven to what was answered; none where it does not apply.
    pub(crate) interval: Option<Interval>,
    /// Whether it has an answer on evidence that counts.
    pub(crate) covered: bool,
    /// How many readers read it off an anchor, each of whom may have read it wrongly; none for what was measured.
    pub(crate) readings: u8,
    /// Levels that were answered on evidence too weak to count: not proven, and not ruled out.
    pub(crate) unproven: u8,
}

/// Errors of more readers than this are not independent enough to average out.
pub(crate) const READINGS: u8 = 2;

impl Standing {
    /// A criterion that is known to be at one level.
    pub(crate) fn at(level: u8) -> Self {
        Self { interval: Some(Interval::exactly(f64::from(level))), covered: true, readings: READINGS, unproven: 0 }
    }
}

/// What is known of one model, in the order of the rubric's criteria.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) rubric: &'a Rubric,
    /// Facts of the case and of the model.
    pub(crate) facts: Facts,
    /// Readers who answered so much that two of them make a final memo, by the share that is asked.
    pub(crate) readers: Vec<ReaderShare>,
    pub(crate) standings: Vec<Standing>,
    /// Levels of the criterion that asks whose the weights are.
    pub(crate) levels: Vec<u8>,
    /// Values that facts may have that were stated as several; by key.
    pub(crate) partial: BTreeMap<String, Vec<String>>,
}

/// How much one reader answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReaderShare {
    /// Share of the weight.
    pub(crate) share: f64,
    /// Whether every criterion that a gate asks for is among it.
    pub(crate) has_all_asked: bool,
}

/// One way in which the facts that are not known could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// Whether the weights are somebody else's.
    pub(crate) derived: bool,
    /// Values of facts that are not known.
    pub(crate) facts: BTreeMap<String, String>,
}

/// An end of the ranges: what is proven and nothing else, or all that was answered and what was not asked at its best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The lower ends.
    Low,
    /// The upper ends.
    High,
}

impl End {
    /// Both.
    pub(crate) const BOTH: [Self; 2] = [Self::Low, Self::High];

    /// The level at this end of a range.
    pub(crate) fn of(self, interval: Interval) -> f64 {
        match self {
            Self::Low => interval.low,
            Self::High => interval.high,
        }
    }
}

impl Situation<'_> {
    /// The same with one criterion known otherwise.
    pub(crate) fn with(&self, idx: usize, standing: Standing) -> Self {
        let mut other = self.clone();
        if let Some(slot) = other.standings.get_mut(idx) {
            *slot = standing;
        }
        if self.rubric.criteria.get(idx).is_some_and(|it| it.id == self.rubric.axes.derived_criterion) {
            other.levels = standing.interval.map(whole_levels).unwrap_or_default();
        }
        other
    }

    /// The same with other levels of "whose weights".
    pub(crate) fn with_levels(&self, levels: &[u8], covered: bool) -> Self {
        let mut other = self.clone();
        if let Some(slot) = self.position(&self.rubric.axes.derived_criterion) {
            let (low, high) = (levels.first().copied().unwrap_or(0), levels.last().copied().unwrap_or(4));
            let interval = Some(Interval::new(f64::from(low), f64::from(high)));
            other.standings[slot] = Standing { interval, covered, readings: 0, unproven: 0 };
        }
        other.levels = levels.to_vec();
        other
    }

    /// The same where it is known whether a distinctive part is another's.
    pub(crate) fn with_distinctive(&self, is: bool) -> Self {
        let mut other = self.clone();
        other.facts.insert(DISTINCTIVE.to_owned(), Fact { value: Value::Yes(is), seen_in: Vec::new() });
        other
    }

    /// Criteria with their standing.
    pub(crate) fn criteria(&self) -> impl Iterator<Item = (&Criterion, &Standing)> {
        self.rubric.criteria.iter().zip(&self.standings)
    }

    /// Position of a criterion.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.rubric.criteria.iter().position(|it| it.id == id)
    }

    /// Levels a criterion may have; none where it does not apply or does not exist.
    pub(crate) fn interval(&self, id: &str) -> Option<Interval> {
        self.position(id).and_then(|idx| self.standings.get(idx)).and_then(|it| it.interval)
    }

    /// Mean of the criteria that `belongs` takes, by weight.
    pub(crate) fn mean(&self, belongs: impl Fn(&Criterion) -> bool) -> Option<Interval> {
        let parts = self.criteria().filter(|(criterion, _)| belongs(criterion));
        let mean = Interval::weighted_mean(parts.filter_map(|(it, standing)| Some((it.weight, standing.interval?))))?;
        Some(Interval { low: even(mean.low), high: even(mean.high) })
    }

    /// Mean of an axis of the decision table. Whose weights they are is an axis by itself, so the criterion that
    /// answers it takes no part in another: it would count twice.
    pub(crate) fn axis_mean(&self, axis: &str) -> Option<Interval> {
        let mean = self.rubric.axes.means.get(axis)?;
        self.mean(|it| it.id != self.rubric.axes.derived_criterion && mean.takes(&it.id, pillar_of(it)))
    }

    /// Share of the weight that `holds` is true of, among criteria of a pillar (or all) that apply. One for a pillar
    /// where none does, since nothing is missing there; none for a whole case where none does, since nothing is known
    /// of it.
    pub(crate) fn share(&self, pillar: Option<&str>, holds: impl Fn(usize, &Standing) -> bool) -> f64 {
        let (mut part, mut total) = (0.0, 0.0);
        for (idx, (criterion, standing)) in self.criteria().enumerate() {
            if pillar.is_some_and(|it| it != pillar_of(criterion)) || standing.interval.is_none() {
                continue;
            }
            total += criterion.weight;
            part += if holds(idx, standing) { criterion.weight } else { 0.0 };
        }
        match pillar {
            _ if total > 0.0 => even(part / total),
            Some(_) => 1.0,
            None => 0.0,
        }
    }

    /// Share of the weight that has an answer on evidence that counts.
    pub(crate) fn coverage(&self, pillar: Option<&str>) -> f64 {
        self.share(pillar, |_, standing| standing.covered)
    }

    /// Share of all weight that was declared not applicable.
    pub(crate) fn not_applicable(&self) -> f64 {
        let total: f64 = self.rubric.criteria.iter().map(|it| it.weight).sum();
        let left_out: f64 = self.criteria().filter(|(_, it)| it.interval.is_none()).map(|(it, _)| it.weight).sum();
        // The sum of nothing is -0 in floating point, and would be printed so.
        if left_out > 0.0 { even(left_out / total) } else { 0.0 }
    }

    /// Whether the weights are somebody else's.
    pub(crate) fn derived(&self) -> Truth {
        let bound = self.rubric.axes.derived_at_most;
        let (may, may_not) = (self.levels.iter().any(|it| *it <= bound), self.levels.iter().any(|it| *it > bound));
        match (may, may_not) {
            (true, false) => Truth::Yes,
            (false, true) => Truth::No,
            _ => Truth::Maybe,
        }
    }

    /// Every way in which the facts that are not known could be; a rubric of more than
    /// [`MOST_WORLDS`](crate::rubric::MOST_WORLDS) is refused when it is read.
    pub(crate) fn worlds(&self) -> Vec<World> {
        let derived: &[bool] = match self.derived() {
            Truth::Yes => &[true],
            Truth::No => &[false],
            Truth::Maybe => &[true, false],
        };
        let world = |derived: &bool| World { derived: *derived, facts: BTreeMap::new() };
        let mut worlds: Vec<World> = derived.iter().map(world).collect();
        for level_fact in &self.rubric.axes.level_facts {
            worlds = with_each(worlds, &level_fact.fact, &self.values_of(level_fact));
        }
        for key in self.unproven_statements() {
            worlds = with_each(worlds, key, &UNPROVEN.map(str::to_owned).into());
        }
        if self.facts.get(DISTINCTIVE).is_some_and(|it| it.value == Value::Unknown(Unknown::Unexamined)) {
            worlds = with_each(worlds, DISTINCTIVE, &["no", "yes"].map(str::to_owned).into());
        }
        worlds
    }

    /// Statements that were entered on evidence too weak to accuse anybody and too good for hearsay.
    fn unproven_statements(&self) -> impl Iterator<Item = &str> {
        let is_unproven = |(key, fact): &(&String, &crate::fact::Fact)| {
            key.starts_with("claim.") && fact.value == Value::Unknown(Unknown::Unexamined)
        };
        self.facts.iter().filter(is_unproven).map(|it| it.0.as_str())
    }

    /// The values that a fact may have: as it was stated, or as the levels of a criterion leave it.
    pub(crate) fn values_of(&self, level_fact: &LevelFact) -> BTreeSet<String> {
        if let Some(Value::Word(word)) = self.facts.get(&level_fact.fact).map(|it| &it.value) {
            return BTreeSet::from([word.clone()]);
        }
        let position = self.position(&level_fact.criterion);
        let standing = position.and_then(|it| self.standings.get(it));
        let of_levels = |levels: Vec<u8>| -> BTreeSet<String> {
            levels.iter().flat_map(|it| level_fact.values.get(it).into_iter().flatten().cloned()).collect()
        };
        let by_level = match standing.filter(|it| it.readings > 0).and_then(|it| it.interval) {
            Some(interval) => of_levels(whole_levels(interval)),
            None => {
                let unproven = standing.map_or(0, |it| it.unproven);
                let answered = of_levels((0..=4).filter(|level| unproven & (1 << level) != 0).collect());
                level_fact.unanswered.iter().cloned().chain(answered).collect()
            }
        };
        let Some(partial) = self.partial.get(&level_fact.fact) else { return by_level };
        let both: BTreeSet<String> = by_level.iter().filter(|it| partial.contains(it)).cloned().collect();
        if both.is_empty() { partial.iter().cloned().collect() } else { both }
    }

    /// Whether a condition holds in every world and at both ends, in none, or in some.
    pub(crate) fn truth(&self, condition: &Condition) -> Truth {
        let worlds = self.worlds();
        let found: BTreeSet<Truth> =
            worlds.iter().flat_map(|world| End::BOTH.map(|end| self.truth_in(condition, world, end))).collect();
        match found.iter().collect::<Vec<_>>().as_slice() {
            [only] => **only,
            _ => Truth::Maybe,
        }
    }

    /// Whether a condition holds in one world, with every level at one end of its range.
    pub(crate) fn truth_in(&self, condition: &Condition, world: &World, end: End) -> Truth {
        let part = |it: &Condition| self.truth_in(it, world, end);
        match condition {
            Condition::All(parts) => Truth::all(parts.iter().map(part)),
            Condition::Any(parts) => Truth::any(parts.iter().map(part)),
            Condition::Not(it) => !part(it),
            Condition::LevelAtMost { criterion, level } => self.level_at_most(criterion, *level, world, end),
            Condition::Fact { key, is } => self.fact_is(key, is, world),
            Condition::ReadersBelow { count, share } => Truth::from(self.full_readers(*share) < *count),
            Condition::CoverageBelow { pillar, share } => Truth::from(self.coverage(pillar.as_deref()) < *share),
            Condition::NotApplicableAbove(share) => Truth::from(self.not_applicable() > *share),
        }
    }

    /// Readers who answered this share of the weight and every criterion that a gate asks for.
    pub(crate) fn full_readers(&self, share: f64) -> u32 {
        let full = self.readers.iter().filter(|it| it.has_all_asked && it.share >= share).count();
        u32::try_from(full).unwrap_or(u32::MAX)
    }

    /// A criterion that does not apply is not below anything; what a gate asks for always applies.
    fn level_at_most(&self, criterion: &str, bound: u8, world: &World, end: End) -> Truth {
        if criterion == self.rubric.axes.derived_criterion && bound == self.rubric.axes.derived_at_most {
            return Truth::from(world.derived);
        }
        match self.interval(criterion) {
            Some(interval) => Truth::from(end.of(interval) <= f64::from(bound)),
            None => Truth::No,
        }
    }

    fn fact_is(&self, key: &str, expected: &Scalar, world: &World) -> Truth {
        if let (Some(value), Scalar::Word(expected)) = (world.facts.get(key), expected) {
            return Truth::from(value == expected);
        }
        if let (Some(value), Scalar::Yes(expected)) = (world.facts.get(key), expected) {
            return Truth::from((value == "yes") == *expected);
        }
        let Some(fact) = self.facts.get(key) else { return Truth::Maybe };
        match (&fact.value, expected) {
            (Value::Unknown(_), _) => Truth::Maybe,
            (Value::Yes(value), Scalar::Yes(expected)) => Truth::from(value == expected),
            (Value::Word(value), Scalar::Word(expected)) => Truth::from(value == expected),
            (Value::Yes(_) | Value::Word(_) | Value::Number(_), _) => Truth::No,
        }
    }

    /// What a condition looked at, with the values in short.
    pub(crate) fn rests_on(&self, condition: &Condition) -> Vec<String> {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(|it| self.rests_on(it)).collect(),
            Condition::Not(part) => self.rests_on(part),
            Condition::LevelAtMost { criterion, .. } => {
                let value = self.interval(criterion).map_or_else(|| "not applicable".to_owned(), shortly);
                vec![format!("{criterion}: {value}")]
            }
            Condition::Fact { key, .. } => vec![format!("{key}: {}", self.value_of(key))],
            Condition::ReadersBelow { share, .. } => vec![format!("readers: {}", self.full_readers(*share))],
            Condition::NotApplicableAbove(_) => vec![format!("not applicable: {:.2}", self.not_applicable())],
            Condition::CoverageBelow { pillar, .. } => {
                let name = pillar.as_ref().map_or_else(|| "coverage".to_owned(), |it| format!("coverage.{it}"));
                vec![format!("{name}: {:.2}", self.coverage(pillar.as_deref()))]
            }
        }
    }

    fn value_of(&self, key: &str) -> String {
        if let Some(level_fact) = self.rubric.axes.level_facts.iter().find(|it| it.fact == key) {
            return self.values_of(level_fact).into_iter().collect::<Vec<_>>().join(" or ");
        }
        match self.facts.get(key).map(|it| &it.value) {
            Some(Value::Yes(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
            Some(Value::Word(word)) => word.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Unknown(_)) | None => "unknown".to_owned(),
        }
    }
}

/// The fact that a distinctive part is another's, which is open where nothing shows who was first.
const DISTINCTIVE: &str = "borrowed.distinctive";

/// What a statement on weak evidence may be.
const UNPROVEN: [&str; 2] = ["none", "shown"];

/// Every world with every value of one more fact.
fn with_each(worlds: Vec<World>, key: &str, values: &BTreeSet<String>) -> Vec<World> {
    let with = |world: &World, value: &String| {
        let mut world = world.clone();
        world.facts.insert(key.to_owned(), value.clone());
        world
    };
    worlds.iter().flat_map(|world| values.iter().map(|it| with(world, it)).collect::<Vec<_>>()).collect()
}

/// The whole levels inside a range.
fn whole_levels(interval: Interval) -> Vec<u8> {
    (0..=4).filter(|it| interval.low <= f64::from(*it) && f64::from(*it) <= interval.high).collect()
}

/// The pillar of a criterion: the letters of its id.
pub(crate) fn pillar_of(criterion: &Criterion) -> &str {
    criterion.id.trim_end_matches(|it: char| it.is_ascii_digit())
}

/// An interval for a list of reasons: `2`, or `0–4`.
pub(crate) fn shortly(interval: Interval) -> String {
    if interval.low == interval.high {
        interval.low.to_string()
    } else {
        format!("{}–{}", interval.low, interval.high)
    }
}

/// Takes out what binary fractions add, so that a mean of exactly 1.5 is not below 1.5.
pub(crate) fn even(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}
