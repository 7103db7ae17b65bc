//! Correction for the number of tests, in one place: Bonferroni over the tests that may decide, over references, and
//! over every layout and every way to cut heads that was tried.

use crate::fact::{Statistic, StatisticId};
use crate::stats::levels::rounded;
use crate::stats::tail;
use crate::weights::matching::matched::Measured;
use crate::weights::statistics::{Family, Observation, Support, Test};

/// Tests that may decide about one pair: signs of units matched and in place, in a quick look and in the next,
/// agreement, value dimensions, products of heads.
const TESTS: usize = 6;

/// By how many tests each family is corrected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correction {
    neurons: usize,
    attention: usize,
    references: usize,
}

impl Correction {
    /// For a pair of which so much was tried, of a subject that is compared with so many references.
    pub(crate) fn of(measured: &Measured, references: usize) -> Self {
        let references = references.max(1);
        let tests = TESTS.saturating_mul(references);
        let (attention, neurons) = measured.tries;
        Self {
            neurons: tests.saturating_mul(neurons.max(1)),
            // Where heads are not known, every way to cut them is one more test.
            attention: tests.saturating_mul(attention.max(1)).saturating_mul(measured.cuts.max(1)),
            references,
        }
    }

    /// The corrected p-value, base-10 logarithms.
    pub(crate) fn apply(&self, family: Family, log10_p: f64) -> f64 {
        let tests = match family {
            Family::Neurons => self.neurons,
            Family::EqualWeights => self.neurons.saturating_mul(2),
            Family::Attention => self.attention,
            Family::References => self.references,
        };
        tail::smallest_of(log10_p, tests)
    }

    /// Whether a test is at its level, and its effect large enough.
    pub(crate) fn holds(&self, test: &Test) -> bool {
        test.is_large && self.apply(test.family, test.log10_p) <= test.level
    }

    /// The corrected p-value of one statistic on one part; 0 (certainty) where there is none.
    pub(crate) fn found(&self, observations: &[Observation], id: StatisticId, component: &str) -> f64 {
        let found = observations.iter().find(|it| it.id == id && it.component == component);
        found.and_then(|it| self.log10_p(it)).unwrap_or(0.0)
    }

    fn log10_p(&self, observation: &Observation) -> Option<f64> {
        match &observation.support {
            Support::Test(test) => Some(self.apply(test.family, test.log10_p)),
            Support::Filter(_) | Support::Heuristic(_) | Support::OfRelated(_) => None,
        }
    }

    /// An observation as it is reported.
    pub(crate) fn reported(&self, observation: Observation, is_related: bool) -> Statistic {
        let log10_p = self.log10_p(&observation).map(rounded);
        let supports_relation = match &observation.support {
            Support::Test(test) | Support::Filter(test) => self.holds(test),
            Support::Heuristic(is) => *is,
            Support::OfRelated(is) => *is && is_related,
        };
        Statistic {
            id: observation.id,
            component: observation.component,
            value: rounded(observation.value),
            samples: observation.samples as u64,
            log10_p,
            p_kind: observation.kind,
            null: observation.null,
            supports_relation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_pays_for_its_own_tests() {
        let measured = Measured { tries: (2, 3), cuts: 4, ..Measured::default() };
        let correction = Correction::of(&measured, 5);
        let left = |family| (10_f64.powf(correction.apply(family, -9.0) + 9.0)).round();
        assert_eq!(left(Family::References), 5.0);
        assert_eq!(left(Family::Neurons), 90.0);
        assert_eq!(left(Family::EqualWeights), 180.0);
        assert_eq!(left(Family::Attention), 240.0);
        assert_eq!(correction.apply(Family::Neurons, -0.5), 0.0, "no probability above one");
    }

    #[test]
    fn no_reference_is_corrected_as_one() {
        let one = Correction::of(&Measured::default(), 0);
        assert_eq!(one.apply(Family::References, -3.0), -3.0);
    }
}
