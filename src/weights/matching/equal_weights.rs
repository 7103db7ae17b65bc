//! Weights that are the same: neurons that match, and rows at their places, by direction.
//!
//! **Statistics.** How many matched neurons have a gate and an up projection that both point the way of their partner's
//! to a cosine of 0.98, norm weights folded in, in whatever coordinates; and how many sampled rows of the matrices do
//! so at their places as they are stored, what all rows of a matrix have in common taken away. Rounding to eight bits
//! keeps 0.9999, to four bits 0.99; no training that changes anything keeps it in most of a model.
//!
//! **Null.** Rows of unrelated models have the directions of independent draws in so many dimensions as the spread of
//! the cosines of rows that do *not* answer each other shows: `d = 1 / E cos²`. One pair is then as near with a
//! probability of at most `(1 - 0.98²)^((d - 1) / 2)`; the best of a block of `m` of at most `m` times that; `k` of `n`
//! by chance of at most
//! `(e n q / k)^k`. The law of directions is a model of what training leaves, so that the p-value is asymptotic.
//! Neurons that are copies of each other inside a model count once.
//!
//! **Limitations.** Models that left one start and learned next to nothing are equal too.

use std::collections::BTreeSet;

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, cosine};
use crate::stats::tail;
use crate::weights::model::budget::spread;
use crate::weights::model::layer::Layer;
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// From which cosine on two rows are the same but for rounding.
pub(crate) const SAME: f64 = 0.98;

/// Rows of a matrix that are looked at.
const ROWS: usize = 32;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Equal {
    /// Those that are the same, copies once.
    same: BTreeSet<(usize, usize, usize)>,
    /// How many could have been.
    pub(crate) possible: usize,
    /// Squares of the cosines of rows that do not answer each other.
    squares: f64,
    others: f64,
    /// Rows among which the answer was looked for.
    crowd: usize,
}

impl Equal {
    /// Adds what one block says: neurons that are the same, how many there are, and among how many they were looked
    /// for.
    pub(crate) fn add(&mut self, same: impl IntoIterator<Item = (usize, usize, usize)>, possible: usize, crowd: usize) {
        self.same.extend(same);
        self.possible += possible;
        self.crowd = self.crowd.max(crowd);
    }

    /// Adds rows that do not answer each other.
    pub(crate) fn add_others(&mut self, (squares, count): (f64, f64)) {
        self.squares += squares;
        self.others += count;
    }

    pub(crate) fn share(&self) -> f64 {
        self.same.len() as f64 / self.possible.max(1) as f64
    }

    /// Dimensions that directions have, as far as they differ.
    fn dimensions(&self) -> f64 {
        if self.squares > 0.0 { self.others / self.squares } else { 0.0 }
    }

    pub(crate) fn log10_p(&self) -> f64 {
        let one = (self.dimensions() - 1.0) / 2.0 * (1.0 - SAME * SAME).log10();
        tail::so_many(self.same.len(), self.possible, one + (self.crowd.max(1) as f64).log10())
    }
}

/// Squares of the cosines of rows of one with the rows after their answers, and how many.
pub(crate) fn others(ours: &Matrix, theirs: &Matrix) -> (f64, f64) {
    let behind = theirs.iter().skip(1);
    ours.iter().zip(behind).fold((0.0, 0.0), |(sum, count), (a, b)| (sum + cosine(a, b).powi(2), count + 1.0))
}

/// Rows at their places, of feed-forward blocks and of attention.
pub(crate) fn in_place(subject: &Net<'_>, reference: &Net<'_>, answers: &[Answer]) -> Result<[Equal; 2], Error> {
    let mut found = <[Equal; 2]>::default();
    if subject.hidden != reference.hidden || subject.is_fingerprint() || reference.is_fingerprint() {
        return Ok(found);
    }
    for answer in answers {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        for (part, kinds) in [kinds_of_blocks(one, other), kinds_of_attention(one, other)].into_iter().enumerate() {
            for (kind, (ours, theirs)) in kinds.into_iter().enumerate() {
                let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
                if (ours.outputs(), ours.inputs()) == (theirs.outputs(), theirs.inputs()) {
                    let rows = spread(ours.outputs(), ROWS);
                    let ours = centred(ours.load_rows(subject.numbers, &rows)?);
                    let theirs = centred(theirs.load_rows(reference.numbers, &rows)?);
                    look(&mut found[part], (answer.reference, kind), &ours, &theirs);
                }
            }
        }
    }
    Ok(found)
}

type Pairs<'a> = Vec<(Option<&'a Slot>, Option<&'a Slot>)>;

fn kinds_of_blocks<'a>(one: &'a Layer, other: &'a Layer) -> Pairs<'a> {
    let ([ours], [theirs]) = (&one.ffns[..], &other.ffns[..]) else { return Vec::new() };
    [(&ours.gate, &theirs.gate), (&ours.up, &theirs.up), (&ours.down, &theirs.down)]
        .map(|(ours, theirs)| (ours.as_ref(), theirs.as_ref()))
        .into()
}

fn kinds_of_attention<'a>(one: &'a Layer, other: &'a Layer) -> Pairs<'a> {
    [(&one.query, &other.query), (&one.key, &other.key), (&one.value, &other.value), (&one.output, &other.output)]
        .map(|(ours, theirs)| (ours.as_ref(), theirs.as_ref()))
        .into()
}

fn centred(mut rows: Matrix) -> Matrix {
    rows.centre_columns();
    rows
}

fn look(equal: &mut Equal, place: (usize, usize), ours: &Matrix, theirs: &Matrix) {
    let same = ours.iter().zip(theirs.iter()).enumerate().filter(|(_, (a, b))| cosine(a, b) >= SAME);
    let same: Vec<_> = same.map(|(row, _)| (place.0, place.1, row)).collect();
    equal.add(same, ours.rows, 1);
    equal.add_others(others(ours, theirs));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    fn of(ours: &Matrix, theirs: &Matrix) -> Equal {
        let mut equal = Equal::default();
        look(&mut equal, (0, 0), ours, theirs);
        equal
    }

    #[test]
    fn copies_are_found_and_unrelated_rows_never() {
        for seed in 0..50 {
            let (one, other) = (drawn(64, 24, seed), drawn(64, 24, 1_000 + seed));
            assert!(of(&one, &other).log10_p() > -1.0, "{seed}");
            let mut near = one.clone();
            near.data.iter_mut().zip(&other.data).for_each(|(it, noise)| *it += 0.1 * noise);
            let equal = of(&near, &one);
            assert!(equal.share() > 0.9 && equal.log10_p() < -100.0, "{} {}", equal.share(), equal.log10_p());
        }
    }

    /// Where all rows point one way, a near row is no witness.
    #[test]
    fn rows_of_few_dimensions_say_nothing() {
        let narrow = |seed| drawn(64, 2, seed);
        assert!(of(&narrow(1), &narrow(2)).log10_p() > -6.0);
    }
}
