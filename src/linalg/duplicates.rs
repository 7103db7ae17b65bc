//! Which units of a model are copies of each other: copies have one coin, and not one each.
//!
//! The random-sign test takes units to be drawn one by one. A model that was made wider by copying its units, or
//! whose keys and values were repeated for every head, holds groups of them that were drawn once; told apart they
//! would count as many times, and two such models could look related by chance. Grouping more units than there are
//! copies costs power alone, since any groups will do whose signs are independent; so the bound is low.
//!
//! Rows are compared by sketches where they are long: every number goes with a sign of its own into one of a few
//! sums, which keeps cosines in the mean with a standard deviation of one by the root of their number.
//!
//! Reference: M. Charikar, K. Chen, M. Farach-Colton, "Finding frequent items in data streams", ICALP 2002, for the
//! sketch.

use crate::linalg::matrix::{Matrix, cosine};
use crate::linalg::random::Random;

/// Numbers of a sketch.
const SKETCH: usize = 128;

/// Mean of the |cosines| of all kinds of rows from which on two units are copies; 45 pairs in a million of unrelated
/// ones reach it where rows have 32 numbers and units two of them, and the fewer the longer rows are.
const COPIES: f64 = 0.5;

/// Units that are held against all before them at once.
const BAND: usize = 256;

/// The first unit of each one's group, by what the rows of the same number in all of `kinds` say together; long rows
/// may be sketches ([`sketched`]).
pub(crate) fn groups(kinds: Vec<Matrix>) -> Vec<usize> {
    let kinds: Vec<Matrix> = kinds.into_iter().map(Matrix::unit_rows).collect();
    let units = kinds.iter().map(|it| it.rows).min().unwrap_or(0);
    let enough = COPIES * kinds.len() as f64;
    let mut groups = Vec::with_capacity(units);
    for from in (0..units).step_by(BAND) {
        let to = (from + BAND).min(units);
        let cosines: Vec<Matrix> = kinds.iter().map(|it| it.part(from..to).times_transposed(it.part(0..to))).collect();
        for unit in from..to {
            let alike = |it: usize| cosines.iter().map(|all| f64::from(all.row(unit - from)[it].abs())).sum::<f64>();
            let is_first = |it: &usize| groups[*it] == *it;
            let like = (0..unit).filter(is_first).find(|it| alike(*it) >= enough);
            groups.push(like.unwrap_or(unit));
        }
    }
    groups
}

/// Whether two sets of rows are copies of each other, row by row.
pub(crate) fn are_copies(one: &Matrix, other: &Matrix) -> bool {
    let alike: f64 = one.iter().zip(other.iter()).map(|(a, b)| cosine(a, b).abs()).sum();
    one.rows == other.rows && one.rows > 0 && alike >= COPIES * one.rows as f64
}

/// Rows of a bounded length with the cosines of these; short ones as they are.
pub(crate) fn sketched(rows: Matrix) -> Matrix {
    if rows.cols <= SKETCH {
        return rows;
    }
    let mut random = Random::new(rows.cols as u64);
    let places: Vec<(usize, f32)> =
        (0..rows.cols).map(|_| ((random.next() % SKETCH as u64) as usize, random.sign())).collect();
    let mut sketches = Matrix::new(rows.rows, SKETCH, Vec::new());
    for (sketch, row) in sketches.data.chunks_exact_mut(SKETCH).zip(rows.iter()) {
        row.iter().zip(&places).for_each(|(it, (place, sign))| sketch[*place] += sign * it);
    }
    sketches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    /// Each row so many times, every copy with something of its own, a scale and a sign.
    fn copied(rows: &Matrix, times: usize, own: f32, seed: u64) -> Matrix {
        let mut random = Random::new(seed);
        let numbers: Vec<usize> = (0..rows.rows * times).map(|it| it / times).collect();
        let mut copies = rows.gather(&numbers);
        for row in copies.data.chunks_exact_mut(rows.cols) {
            let scale = random.sign() * 3.0;
            row.iter_mut().for_each(|it| *it = scale * (*it + own * random.normal()));
        }
        copies
    }

    #[test]
    fn units_that_were_drawn_one_by_one_have_a_group_each() {
        let kinds = vec![drawn(600, 64, 1), drawn(600, 64, 2)];
        assert_eq!(groups(kinds), (0..600).collect::<Vec<_>>());
        assert_eq!(groups(Vec::new()), [0_usize; 0]);
    }

    #[test]
    fn copies_are_found_whatever_their_sign_scale_and_later_training() {
        for cols in [64, 1_000] {
            let (ups, downs) = (drawn(100, cols, 3), drawn(100, cols, 4));
            let kinds = [copied(&ups, 8, 0.5, 5), copied(&downs, 8, 0.5, 6)].map(sketched);
            let expected: Vec<usize> = (0..800).map(|it| it / 8 * 8).collect();
            assert_eq!(groups(kinds.into()), expected, "{cols}");
        }
    }

    /// Copies of one kind of row are copies.
    #[test]
    fn one_kind_in_common_is_enough() {
        let kinds = vec![copied(&drawn(50, 64, 7), 4, 0.0, 8), drawn(200, 64, 9)];
        assert_eq!(groups(kinds), (0..200).map(|it| it / 4 * 4).collect::<Vec<_>>());
    }
}
