//! Whether rows of matrices point the same way, where they stand.
//!
//! **Statistic.** Of sampled rows of every matrix, in the layers that answer each other: the mean cosine of a row with
//! its own answer.
//!
//! **Null.** A row is as near to its own answer as to the next row of the same matrix: what all rows of a matrix have
//! in common, such as outlying columns, is in both. The mean of the differences, in standard errors taken from their
//! own spread, is read as normal, so that the p-value is calibrated; rows of one layer are not wholly independent of
//! each other.
//!
//! **What it cannot tell.** It is silent for the least re-ordering of units, heads or coordinates, and cannot tell a
//! shared start from derivation. It shows what anyone would try first, and what a disguise takes away.
//!
//! References: Student, "The probable error of a mean", Biometrika 6 (1908), for paired differences.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::linalg::matrix::cosine;
use crate::stats::levels::LEVEL;
use crate::stats::tail;
use crate::weights::statistics::{Compared, Definition, Family, Observation, PLACE, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::RowCosines], role: Role::Supports, observe };

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    Ok(compared.rows.as_ref().map(|it| it.0.observation(PLACE)).into_iter().collect())
}

/// Cosines of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cosines {
    rows: u64,
    own: f64,
    /// Of a row's cosine with its answer over that with the next row: sum, and sum of squares.
    above: f64,
    squares: f64,
}

impl Cosines {
    pub(crate) fn look(&mut self, own: &[f32], answer: &[f32], next: &[f32]) {
        let cosine_of = cosine(own, answer);
        let above = cosine_of - cosine(own, next);
        self.rows += 1;
        self.own += cosine_of;
        self.above += above;
        self.squares += above * above;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How far the mean of the differences stands above nothing; their spread is at least that of rounding.
    fn standing(&self) -> f64 {
        let count = self.rows.max(1) as f64;
        let mean = self.above / count;
        let variance = (self.squares / count - mean * mean).max(1e-6);
        mean / (variance / count).sqrt()
    }

    /// What they say of a part.
    pub(crate) fn observation(&self, component: &str) -> Observation {
        Observation {
            id: StatisticId::RowCosines,
            component: component.to_owned(),
            value: self.own / self.rows.max(1) as f64,
            samples: usize::try_from(self.rows).unwrap_or(usize::MAX),
            kind: PKind::Asymptotic,
            null: "unrelated models: a row points no more towards its answer than towards the next row".to_owned(),
            support: Support::test(tail::normal(self.standing()), Family::References, LEVEL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    /// Rows that all have something in common, as those of trained matrices do.
    fn rows(count: usize, related: f32, seed: u64) -> Cosines {
        let mut random = Random::new(seed);
        let common: Vec<f32> = (0..96).map(|at| if at < 3 { 4.0 } else { 0.0 }).collect();
        let mut drawn = || -> Vec<f32> { common.iter().map(|it| it + random.normal()).collect() };
        let mut cosines = Cosines::default();
        for _ in 0..count {
            let (own, other, next) = (drawn(), drawn(), drawn());
            let answer: Vec<f32> = own.iter().zip(&other).map(|(a, b)| related * a + (1.0 - related) * b).collect();
            cosines.look(&own, &answer, &next);
        }
        cosines
    }

    #[test]
    fn what_all_rows_share_is_no_witness() {
        let z: Vec<f64> = (0..400).map(|seed| rows(60, 0.0, seed).standing()).collect();
        let above = |level: f64| z.iter().filter(|it| **it > level).count();
        assert!(above(1.645) < 35 && above(3.5) < 3, "{} {}", above(1.645), above(3.5));
        assert!(rows(60, 0.0, 1).observation(PLACE).value > 0.1);
    }

    #[test]
    fn rows_that_were_taken_over_speak() {
        let observation = rows(60, 0.5, 9).observation(PLACE);
        assert!(matches!(observation.support, Support::Test(it) if it.log10_p < -20.0), "{observation:?}");
    }
}
