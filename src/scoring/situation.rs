//! What is known about every criterion at once, and the questions that gates and the decision table put to it.

use crate::fact::{Facts, Interval, Truth, Value};
use crate::rubric::{Band, Condition, Criterion, Rubric, Scalar};

/// Lowest and highest level of the scale.
pub(crate) const SCALE: Interval = Interval { low: 0.0, high: 4.0 };

/// What is known about one criterion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// Levels it may have; none where it does not apply.
    pub(crate) interval: Option<Interval>,
    /// Whether it has an answer.
    pub(crate) covered: bool,
}

impl Standing {
    /// A criterion that is known to be at one level.
    pub(crate) fn at(level: u8) -> Self {
        Self { interval: Some(Interval::exactly(f64::from(level))), covered: true }
    }
}

/// What is known, in the order of the rubric's criteria.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) rubric: &'a Rubric,
    pub(crate) facts: &'a Facts,
    pub(crate) analysts: u32,
    pub(crate) standings: Vec<Standing>,
}

impl Situation<'_> {
    /// The same with one criterion known otherwise.
    pub(crate) fn with(&self, idx: usize, standing: Standing) -> Self {
        let mut other = self.clone();
        if let Some(slot) = other.standings.get_mut(idx) {
            *slot = standing;
        }
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

    /// Mean of the criteria of some pillars, as an axis of the decision table. Whose weights they are is an axis of its
    /// own, so the criterion that answers it takes no part in another: it would count twice.
    pub(crate) fn axis_mean(&self, pillars: &[String]) -> Option<Interval> {
        let derived = &self.rubric.axes.derived_criterion;
        self.mean(|it| it.id != *derived && pillars.iter().any(|pillar| pillar == pillar_of(it)))
    }

    /// Share of the weight that `holds` is true of, among criteria of a pillar (or all) that apply. One for a pillar where
    /// none does, since nothing is missing there; none for a whole case where none does, since nothing is known of it.
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

    /// Share of the weight that has an answer.
    pub(crate) fn coverage(&self, pillar: Option<&str>) -> f64 {
        self.share(pillar, |_, standing| standing.covered)
    }

    /// Whether the weights are somebody else's.
    pub(crate) fn derived(&self) -> Truth {
        let axes = &self.rubric.axes;
        match self.interval(&axes.derived_criterion) {
            Some(interval) => level_at_most(Some(interval), axes.derived_at_most),
            None => Truth::Maybe,
        }
    }

    /// The situation if the weights are somebody else's and if they are not; only those that are possible.
    pub(crate) fn worlds(&self) -> Vec<(bool, Self)> {
        let axes = &self.rubric.axes;
        let bound = f64::from(axes.derived_at_most);
        let Some((idx, interval)) = self.position(&axes.derived_criterion).zip(self.interval(&axes.derived_criterion))
        else {
            return vec![(true, self.clone()), (false, self.clone())];
        };
        let standing = |interval| Standing { interval: Some(interval), ..self.standings[idx] };
        let mut worlds = Vec::new();
        if self.derived() != Truth::No {
            let part = Interval { low: interval.low, high: interval.high.min(bound) };
            worlds.push((true, self.with(idx, standing(part))));
        }
        if self.derived() != Truth::Yes {
            let part = Interval { low: interval.low.max(bound + 1.0), high: interval.high };
            worlds.push((false, self.with(idx, standing(part))));
        }
        worlds
    }

    /// Bands that an axis mean may fall into, in ascending order; all where there is no mean.
    pub(crate) fn bands(&self, mean: Option<Interval>) -> Vec<Band> {
        let axes = &self.rubric.axes;
        let mean = mean.unwrap_or(SCALE);
        let mut bands = Vec::new();
        if mean.low < axes.low_below {
            bands.push(Band::Low);
        }
        if mean.high >= axes.low_below && mean.low < axes.high_from {
            bands.push(Band::Medium);
        }
        if mean.high >= axes.high_from {
            bands.push(Band::High);
        }
        bands
    }

    /// Whether a condition holds, as far as it can be told.
    pub(crate) fn truth(&self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(parts) => Truth::all(parts.iter().map(|it| self.truth(it))),
            Condition::Any(parts) => Truth::any(parts.iter().map(|it| self.truth(it))),
            Condition::Not(part) => !self.truth(part),
            Condition::LevelAtMost { criterion, level } => level_at_most(self.interval(criterion), *level),
            Condition::Fact { key, is } => self.fact_is(key, is),
            Condition::AnalystsBelow(count) => Truth::from(self.analysts < *count),
            Condition::CoverageBelow { pillar, share } => Truth::from(self.coverage(pillar.as_deref()) < *share),
        }
    }

    fn fact_is(&self, key: &str, expected: &Scalar) -> Truth {
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
            Condition::AnalystsBelow(_) => vec![format!("analysts: {}", self.analysts)],
            Condition::CoverageBelow { pillar, .. } => {
                let name = pillar.as_ref().map_or_else(|| "coverage".to_owned(), |it| format!("coverage.{it}"));
                vec![format!("{name}: {:.2}", self.coverage(pillar.as_deref()))]
            }
        }
    }

    fn value_of(&self, key: &str) -> String {
        match self.facts.get(key).map(|it| &it.value) {
            Some(Value::Yes(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
            Some(Value::Word(word)) => word.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Unknown(_)) | None => "unknown".to_owned(),
        }
    }
}

/// The pillar of a criterion: the letters of its id.
pub(crate) fn pillar_of(criterion: &Criterion) -> &str {
    criterion.id.trim_end_matches(|it: char| it.is_ascii_digit())
}

/// Whether a level is at or below a bound. Levels are whole numbers, so `[1.5, 2.5]` can only be level 2.
///
/// A criterion that does not apply is not below anything.
fn level_at_most(interval: Option<Interval>, bound: u8) -> Truth {
    let Some(interval) = interval else { return Truth::No };
    let whole = Interval { low: interval.low.ceil(), high: interval.high.floor() };
    whole.at_most(f64::from(bound))
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
