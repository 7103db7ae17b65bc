//! Does rounding explain a change, all of it?
//!
//! **Statistic.** Of rows of a projection: the share of numbers whose reference lies within half a step of the type
//! that the subject is stored as, and how large the change is against what that rounding gives. The step is read off
//! the numbers themselves, group by group: the spacing of a lattice, or the last bit of a short float after its scale;
//! of types that have neither, a step is what a range of so many values has.
//!
//! **Null.** The subject is the reference, rounded. Nothing is then further away than half a step but what a scale
//! clips, which is allowed for one number in fifty. Programs that choose roundings together (GPTQ, importance matrices)
//! go one step further, and so far that is allowed for types of four bits and fewer.
//!
//! **Limitations.** A training whose changes are much smaller than a step leaves no trace that this would see.

use crate::checkpoint::Stored;
use crate::linalg::matrix::Matrix;

/// Numbers that share a scale in nearly every type, or a multiple of them does.
const GROUP: usize = 32;

/// The share of numbers that may lie further away than half a step.
const CLIPPED: f64 = 0.02;

/// What is added to half a step for the precision that scales are kept in.
const SLACK: f64 = 1.02;

/// Which rounding a type is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Grid {
    /// A float of so many bits after the point, and its least exponent, without a scale.
    Float(i32, i32),
    /// A float of so many bits after the point, multiplied by a scale.
    Scaled(i32),
    /// So many bits of a lattice, or of a book of values.
    Values(u64),
}

impl Grid {
    fn of(stored: &Stored) -> Option<Self> {
        let word = stored.word.as_str();
        match (word, stored.bits) {
            ("F32" | "F64", _) => None,
            ("BF16", _) => Some(Self::Float(7, -126)),
            ("F16", _) => Some(Self::Float(10, -14)),
            _ if word.starts_with("F8_E4M3") => Some(Self::Scaled(3)),
            _ if word.starts_with("F8_E5M2") => Some(Self::Scaled(2)),
            (_, bits @ 1..=8) => Some(Self::Values(bits)),
            _ => None,
        }
    }

    /// How many steps a number may be off.
    fn steps(self) -> f64 {
        match self {
            Self::Values(0..=4) => 1.5,
            _ => 0.5,
        }
    }
}

/// What rounding was found to explain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rounding {
    /// Numbers that were compared with a step.
    numbers: u64,
    /// Numbers that are further away than the rounding allows.
    beyond: u64,
    /// Whether rows were seen that no step is known for.
    has_unknown: bool,
    /// As what the subject is stored.
    pub(crate) word: String,
}

impl Rounding {
    /// Adds some rows of both, and as what each is stored.
    pub(crate) fn add(&mut self, ours: (&Matrix, &Stored), theirs: (&Matrix, &Stored)) {
        // A type that says nothing by itself may still hold numbers that were rounded to a shorter float before.
        let grids: Vec<(Grid, String)> = match (Grid::of(ours.1), Grid::of(theirs.1)) {
            (Some(grid), _) => vec![(grid, ours.1.word.clone())],
            (None, None) => vec![(Grid::Float(7, -126), "BF16".into()), (Grid::Float(10, -14), "F16".into())],
            (None, Some(_)) => Vec::new(),
        };
        let counted = grids.iter().map(|(grid, word)| (beyond(*grid, ours.0, theirs.0), word));
        match counted.min_by_key(|it| it.0) {
            Some((beyond, word)) => {
                self.numbers += ours.0.data.len() as u64;
                self.beyond += beyond;
                if self.word.is_empty() || &self.word == word {
                    self.word.clone_from(word);
                } else if !self.word.split(", ").any(|it| it == word) {
                    self.word = format!("{}, {word}", self.word);
                }
            }
            None => self.has_unknown = true,
        }
    }

    /// Rows were seen of which rounding explains nothing.
    pub(crate) fn know_nothing(&mut self) {
        self.has_unknown = true;
    }

    /// Whether it explains the change; a cast without a scale clips nothing.
    pub(crate) fn explains(&self) -> bool {
        let is_cast = self.word.split(", ").all(|it| it == "BF16" || it == "F16");
        let most = if is_cast { 0.0 } else { CLIPPED * self.numbers as f64 };
        self.numbers > 0 && !self.has_unknown && self.beyond as f64 <= most
    }
}

/// How many numbers of the reference are further from the subject's than rounding allows.
fn beyond(grid: Grid, subject: &Matrix, reference: &Matrix) -> u64 {
    let mut beyond = 0;
    for (ours, theirs) in subject.iter().zip(reference.iter()) {
        for (one, other) in ours.chunks(GROUP).zip(theirs.chunks(GROUP)) {
            let steps = steps(grid, one, other);
            let is_beyond = |((one, other), step): ((&f32, &f32), &f64)| {
                let apart = (f64::from(*one) - f64::from(*other)).abs();
                apart > grid.steps() * SLACK * step && one != other
            };
            beyond += one.iter().zip(other).zip(&steps).filter(|it| is_beyond(*it)).count() as u64;
        }
    }
    beyond
}

/// The step at each number of a group.
fn steps(grid: Grid, ours: &[f32], theirs: &[f32]) -> Vec<f64> {
    match grid {
        Grid::Float(bits, least) => theirs.iter().map(|it| last_bit(f64::from(*it), bits, least)).collect(),
        Grid::Scaled(bits) => short_floats(ours, bits),
        Grid::Values(bits) => {
            let step = lattice(ours, bits).unwrap_or_else(|| even(ours, bits));
            vec![step; ours.len()]
        }
    }
}

/// The distance of neighbors of a number in a float of so many bits after the point.
fn last_bit(number: f64, bits: i32, least: i32) -> f64 {
    let exponent = if number == 0.0 { least } else { (number.abs().log2().floor() as i32).max(least) };
    2.0_f64.powi(exponent - bits)
}

/// The same for short floats after a scale, which is found as the one under which all numbers of the group have so few
/// bits.
fn short_floats(numbers: &[f32], bits: i32) -> Vec<f64> {
    let fraction = |it: f64| it / 2.0_f64.powi(it.log2().floor() as i32);
    let sizes: Vec<f64> = numbers.iter().map(|it| f64::from(it.abs())).collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return vec![0.0; numbers.len()];
    }
    let of_one = 2.0_f64.powi(bits);
    // Numbers below a few thousandths of the largest may have lost bits of their own.
    let fits = |scale: f64| {
        sizes.iter().filter(|it| **it > largest / 64.0).all(|it| {
            let place = fraction(it / scale) * of_one;
            (place - place.round()).abs() < 4e-3 * of_one
        })
    };
    let candidates = (0..1 << bits).map(|it| largest / (1.0 + f64::from(it) / of_one));
    let scale = candidates.into_iter().find(|it| fits(*it)).unwrap_or(largest);
    let least = largest / 448.0;
    sizes.iter().map(|it| scale * last_bit((it / scale).max(least / scale / 64.0), bits, i32::MIN / 2)).collect()
}

/// The spacing of the lattice that the numbers of a group lie on; `None` if they lie on none.
fn lattice(numbers: &[f32], bits: u64) -> Option<f64> {
    let mut all: Vec<f64> = numbers.iter().map(|it| f64::from(*it)).collect();
    all.sort_by(f64::total_cmp);
    let (first, last) = (*all.first()?, *all.last()?);
    let tiny = (last - first).abs() * 1e-5;
    let gap = all.windows(2).map(|it| it[1] - it[0]).filter(|it| *it > tiny).fold(f64::INFINITY, f64::min);
    let levels = 2.0_f64.powi(i32::try_from(bits).ok()?);
    let lies = |step: f64| {
        (last - first) / step <= levels
            && all.iter().all(|it| {
                let place = (it - first) / step;
                (place - place.round()).abs() < 0.05
            })
    };
    (gap.is_finite()).then(|| (1..=4).map(|it| gap / f64::from(it)).find(|it| lies(*it))).flatten()
}

/// What a range of so many values has for a step, where they are as far apart as they can be.
fn even(numbers: &[f32], bits: u64) -> f64 {
    let largest = numbers.iter().map(|it| f64::from(it.abs())).fold(0.0, f64::max);
    2.0 * largest / (2.0_f64.powi(i32::try_from(bits).unwrap_or(8)) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    fn stored(word: &str, bits: u64) -> Stored {
        Stored { word: word.to_owned(), bits }
    }

    /// Every number to the nearest of so many levels of its group, or to a float of eight bits under a scale of its
    /// row.
    fn rounded(matrix: &Matrix, levels: Option<f32>) -> Matrix {
        let mut out = matrix.clone();
        let short = |it: f32| {
            let step = last_bit(f64::from(it), 3, -6);
            ((f64::from(it) / step).round() * step) as f32
        };
        for row in out.data.chunks_exact_mut(matrix.cols) {
            let largest = |it: &[f32]| it.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            match levels {
                Some(levels) => row.chunks_mut(GROUP).for_each(|group| {
                    let scale = largest(group) / levels;
                    group.iter_mut().for_each(|it| *it = (*it / scale).round() * scale);
                }),
                None => {
                    let scale = largest(row) / 448.0;
                    row.iter_mut().for_each(|it| *it = short(*it / scale) * scale);
                }
            }
        }
        out
    }

    fn explained(subject: &Matrix, reference: &Matrix, stored_as: &Stored) -> bool {
        let mut rounding = Rounding::default();
        rounding.add((subject, stored_as), (reference, &stored("F32", 32)));
        rounding.explains()
    }

    /// The same with a change that is learned before it is rounded.
    fn tuned(matrix: &Matrix, share: f32) -> Matrix {
        let change = drawn(matrix.rows, matrix.cols, 99);
        Matrix::new(
            matrix.rows,
            matrix.cols,
            matrix.data.iter().zip(&change.data).map(|(a, b)| a + share * b).collect(),
        )
    }

    #[test]
    fn a_rounding_explains_itself_and_no_training_beside_it() {
        let base = drawn(32, 96, 3);
        for (levels, word, bits) in [(Some(127.0), "Q8_0", 8), (Some(31.0), "Q6_K", 6), (None, "F8_E4M3", 8)] {
            let stored = stored(word, bits);
            assert!(explained(&rounded(&base, levels), &base, &stored), "{word}");
            let share = if bits == 6 || levels.is_none() { 0.03 } else { 0.01 };
            assert!(!explained(&rounded(&tuned(&base, share), levels), &base, &stored), "{word} {share}");
        }
    }

    #[test]
    fn a_cast_explains_itself_alone() {
        let base = drawn(8, 64, 4);
        let mut cast = base.clone();
        cast.data.iter_mut().for_each(|it| *it = f32::from_bits((it.to_bits() + 0x7fff) & 0xffff_0000));
        assert!(explained(&cast, &base, &stored("F32", 32)) && explained(&cast, &base, &stored("BF16", 16)));
        cast.data[7] *= 1.02;
        assert!(!explained(&cast, &base, &stored("BF16", 16)));
    }
}
