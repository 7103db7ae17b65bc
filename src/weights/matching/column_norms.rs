//! How large the columns are that read each dimension of the stream: what stands for norm gains where those were folded
//! away.
//!
//! **Statistic.** The rows of gate and up projection of matched units, and those of query, key and value projections of
//! layers that answer each other, norm gains folded in, each of length one; of every column the root of its mean
//! square, relative to the mean of all columns. A start draws all columns alike, so that what sets one above another
//! was written by training, as gains are: mostly it is the gain. A finite number of rows adds a scatter that the start
//! is answerable for, and which two models of one start share; so rows are halved, and products are taken of one half
//! of the subject with the *other* half of the reference, whose rows have no number in common. Units are halved by
//! number; of attention the queries are one half, and keys and values the other, so that no head has to be matched. The
//! slope of such products is how much of what training wrote is kept, and their correlation how well the two agree,
//! whatever the spread of each. What blocks say and what attention says is weighed by its precision, and where the two
//! contradict each other, nothing is said.
//!
//! **Null and error.** None is tested: it tells derivation from a shared start where the bodies are related already.
//! Its standard error follows from the correlations of the halves; one is taken off the correlation before it is used,
//! and where it is large, nothing is said: columns that hardly differ know nothing.
//!
//! **Assumptions.** One start for all columns of a matrix, units that were matched, and queries that are no copy of
//! keys or values. Neither the order, sign or scale of units matters. A rotation makes all columns nearly alike, so
//! that a rotated model is looked at in the coordinates of the other one, whichever of the two it is; of two models
//! that were both rotated columns say nothing. Never in more coordinates than a model has: what is carried there has
//! columns as large as the map makes them, on both sides alike.
//!
//! **What it cannot tell.** Data alone may force columns apart alike in two models of one start, as with gains. Of
//! attention only what queries have in common with keys and values is seen.
//!
//! Reference: the estimate by halves is that of C. Spearman, "Correlation calculated from faulty data", Brit. J.
//! Psychol. 3 (1910).

use crate::linalg::matrix::{Matrix, dot};
use crate::linalg::regression::Sums;

/// The largest standard error of a slope that is used.
const SURE: f64 = 0.25;

/// Standard errors that two slopes may lie apart.
const CONTRADICTION: f64 = 2.0;

/// Sums of squares of the columns of one pair of blocks, by half.
#[derive(Default)]
pub(crate) struct Halves {
    subject: [Vec<f64>; 2],
    reference: [Vec<f64>; 2],
}

impl Halves {
    /// Adds rows of units that answer each other; the first of them is the `first` of all.
    pub(crate) fn see(&mut self, subject: &Matrix, reference: &Matrix, first: usize) {
        for (sums, rows) in [(&mut self.subject, subject), (&mut self.reference, reference)] {
            sums.iter_mut().for_each(|it| it.resize(rows.cols, 0.0));
            rows.iter().enumerate().for_each(|(at, row)| add(&mut sums[(first + at) % 2], row));
        }
    }

    /// Adds rows that all belong to one half: where the halves are projections of different kinds, rows need no answer.
    pub(crate) fn see_half(&mut self, half: usize, subject: &Matrix, reference: &Matrix) {
        for (sums, rows) in [(&mut self.subject, subject), (&mut self.reference, reference)] {
            sums[half].resize(rows.cols, 0.0);
            rows.iter().for_each(|row| add(&mut sums[half], row));
        }
    }

    /// What the columns say; nothing where they do not answer each other.
    pub(crate) fn sizes(&self) -> ColumnSizes {
        let all = [&self.subject[0], &self.subject[1], &self.reference[0], &self.reference[1]];
        let columns = all[0].len();
        if all.iter().any(|it| it.len() != columns) {
            return ColumnSizes::default();
        }
        // A coordinate that one side lacks has no size.
        let kept: Vec<usize> = (0..columns).filter(|at| all.iter().all(|it| it[*at] > 0.0)).collect();
        let [a, b, c, d] = all.map(|it| relative(&kept.iter().map(|at| it[*at]).collect::<Vec<_>>()));
        ColumnSizes {
            count: kept.len(),
            across: Sums { both: (dot(&a, &d) + dot(&b, &c)) / 2.0, subject: dot(&a, &b), reference: dot(&c, &d) },
            subject: [dot(&a, &a), dot(&b, &b)],
            reference: [dot(&c, &c), dot(&d, &d)],
        }
    }
}

fn add(sums: &mut [f64], row: &[f32]) {
    let length = dot(row, row);
    if length > 0.0 {
        sums.iter_mut().zip(row).for_each(|(sum, it)| *sum += f64::from(*it).powi(2) / length);
    }
}

/// Roots, relative to their mean and without it.
fn relative(squares: &[f64]) -> Vec<f32> {
    let mean = squares.iter().map(|it| it.sqrt()).sum::<f64>() / squares.len().max(1) as f64;
    squares.iter().map(|it| (it.sqrt() / mean - 1.0) as f32).collect()
}

/// Products of relative column sizes, summed over layers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ColumnSizes {
    /// Columns of all layers.
    pub(crate) count: usize,
    /// Between halves that have no row in common.
    across: Sums,
    /// Of each half with itself.
    subject: [f64; 2],
    reference: [f64; 2],
}

impl ColumnSizes {
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.across.add(other.across.both, other.across.subject, other.across.reference);
        let own = self.subject.iter_mut().chain(&mut self.reference);
        own.zip(other.subject.iter().chain(&other.reference)).for_each(|(sum, it)| *sum += it);
    }

    /// What the sums say; nothing where a side shows no size of its own.
    pub(crate) fn estimate(&self) -> Option<Estimate> {
        let Sums { both, subject, reference } = self.across;
        // The slope on the side that has less of its own.
        let (size, halves) = if subject < reference { (subject, self.subject) } else { (reference, self.reference) };
        if self.count == 0 || size <= 0.0 || subject.max(reference) <= 0.0 {
            return None;
        }
        let slope = both / size;
        // Two products with other rows make the one mean, and one product the other.
        let crossed = self.subject[0] * self.reference[1] + self.subject[1] * self.reference[0];
        let scatter = crossed / size.powi(2) / 4.0 + (slope / size).powi(2) * halves[0] * halves[1];
        let error = (scatter / self.count as f64).sqrt();
        Some(Estimate { slope, error, agreement: self.across.cosine().min(1.0) })
    }
}

/// A slope with its standard error, and a correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    slope: f64,
    error: f64,
    agreement: f64,
}

impl Estimate {
    /// The one with the smallest error.
    pub(crate) fn clearest(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().min_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// Of two that were made of different numbers: both, each weighed by its precision. None where they contradict each
    /// other, since what is in between is true of neither.
    pub(crate) fn with(self, other: Self) -> Option<Self> {
        if (self.slope - other.slope).abs() > CONTRADICTION * self.error.hypot(other.error) {
            return None;
        }
        let (own, its) = (self.error.powi(-2), other.error.powi(-2));
        let mean = |a: f64, b: f64| (a * own + b * its) / (own + its);
        Some(Self {
            slope: mean(self.slope, other.slope),
            error: (own + its).sqrt().recip(),
            agreement: mean(self.agreement, other.agreement),
        })
    }

    /// How much of what training wrote is kept, at most all of it; none where columns do not differ by much more than
    /// their scatter.
    pub(crate) fn retained(&self) -> Option<f64> {
        (self.error <= SURE).then(|| self.slope.clamp(0.0, 1.0))
    }

    /// How well the sizes that training wrote agree, whatever their spread: the correlation without the scatter of
    /// finite rows, less one standard error; none where a slope would not be used.
    pub(crate) fn agreement(&self) -> Option<f64> {
        let error = if self.slope > 0.0 { self.error * self.agreement / self.slope } else { self.error };
        (self.error <= SURE).then(|| (self.agreement - error).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    const COLUMNS: usize = 512;

    /// A start, what training makes of the sizes of its columns, and rows of their own beside.
    fn trained(start: &Matrix, sizes: &[f32], own: f32, seed: u64) -> Matrix {
        let mut random = Random::new(seed);
        let mut rows = start.clone();
        rows.data.iter_mut().for_each(|it| *it += own * random.normal());
        rows.scale_columns(sizes);
        rows
    }

    fn drawn(rows: usize, seed: u64) -> Matrix {
        let mut random = Random::new(seed);
        Matrix::new(rows, COLUMNS, (0..rows * COLUMNS).map(|_| random.normal()).collect())
    }

    /// Sizes that hold so much of the first and the rest of the second.
    fn mixed(share: f32, seeds: (u64, u64)) -> Vec<f32> {
        let (mut common, mut own) = (Random::new(seeds.0), Random::new(seeds.1));
        let rest = (1.0 - share * share).sqrt();
        (0..COLUMNS).map(|_| 1.0 + 0.15 * (share * common.normal() + rest * own.normal())).collect()
    }

    fn kept(subject: &Matrix, reference: &Matrix) -> Option<f64> {
        let mut halves = Halves::default();
        halves.see(subject, reference, 0);
        halves.sizes().estimate()?.retained()
    }

    /// What two models have from one start has no part in the slope, however much of it they still hold.
    #[test]
    fn one_start_alone_keeps_nothing_of_what_training_wrote() {
        let start = drawn(200, 1);
        let one = trained(&start, &mixed(0.0, (2, 3)), 0.1, 4);
        let other = trained(&start, &mixed(0.0, (2, 5)), 0.1, 6);
        assert!(kept(&one, &other).is_some_and(|it| it < 0.2), "{:?}", kept(&one, &other));
        // A model that was trained on keeps it, though little of its rows is left.
        let sizes = mixed(0.0, (2, 3));
        let later = trained(&start, &sizes, 1.0, 7);
        assert!(kept(&later, &one).unwrap() > 0.8, "{:?}", kept(&later, &one));
    }

    /// A start that was trained twice at two rates has a slope of any size, and agrees no better for it.
    #[test]
    fn a_larger_spread_is_no_agreement() {
        let (one, mut other) = (mixed(0.5_f32.sqrt(), (2, 3)), mixed(0.5_f32.sqrt(), (2, 5)));
        other.iter_mut().for_each(|it| *it = 1.0 + 3.0 * (*it - 1.0));
        let mut halves = Halves::default();
        halves.see(&trained(&drawn(400, 8), &other, 0.0, 0), &trained(&drawn(400, 9), &one, 0.0, 0), 0);
        let sizes = halves.sizes().estimate().unwrap();
        assert!(sizes.retained().unwrap() > 0.8, "{:?}", sizes.retained());
        assert!((0.2..0.6).contains(&sizes.agreement().unwrap()), "{:?}", sizes.agreement());
    }

    /// The slope is the share of the sizes that both have in common.
    #[test]
    fn half_in_common_is_half() {
        let (one, other) = (mixed(0.5_f32.sqrt(), (2, 3)), mixed(0.5_f32.sqrt(), (2, 5)));
        let kept = kept(&trained(&drawn(400, 8), &one, 0.0, 0), &trained(&drawn(400, 9), &other, 0.0, 0)).unwrap();
        assert!((0.3..0.65).contains(&kept), "{kept}");
    }

    /// Neither is a noisy part worse than none, nor is it taken for more than it is.
    #[test]
    fn two_estimates_are_surer_than_one() {
        let (sure, vague) =
            (Estimate { slope: 1.0, error: 0.2, agreement: 0.8 }, Estimate { slope: 0.5, error: 0.4, agreement: 0.3 });
        let both = sure.with(vague).unwrap();
        assert!((both.slope - 0.9).abs() < 1e-9 && (both.agreement - 0.7).abs() < 1e-9, "{both:?}");
        assert!(both.error < 0.2 && Some(both) == vague.with(sure), "{both:?}");
        assert_eq!(sure.with(Estimate { slope: 2.0, ..vague }), None, "they contradict each other");
        assert_eq!(Estimate::clearest([vague, sure]), Some(sure));
    }

    #[test]
    fn columns_of_one_size_say_nothing() {
        let flat = vec![1.0; COLUMNS];
        let (one, other) = (trained(&drawn(60, 10), &flat, 0.0, 0), trained(&drawn(60, 11), &flat, 0.0, 0));
        assert_eq!(kept(&one, &other), None);
        assert_eq!(kept(&Matrix::default(), &Matrix::default()), None);
    }

    /// Why nothing is looked at in more coordinates than it has: unrelated rows then seem to keep everything.
    #[test]
    fn columns_of_a_wider_stream_are_those_of_the_map() {
        let narrow = |seed| Matrix::new(400, 96, drawn(75, seed).data);
        let mut map = Matrix::new(96, COLUMNS, Vec::new());
        map.data = (0..96).flat_map(|it| drawn(1, 20 + it).data).collect();
        let widened = |rows: Matrix| rows.times(&map);
        assert!(kept(&widened(narrow(1)), &widened(narrow(2))).unwrap() > 0.8);
    }

    /// The order, sign and scale of units are nobody's training.
    #[test]
    fn disguised_units_change_nothing() {
        let one = trained(&drawn(200, 12), &mixed(0.0, (2, 3)), 0.0, 0);
        let mut other = one.clone();
        for (at, row) in other.data.chunks_exact_mut(COLUMNS).enumerate() {
            row.iter_mut().for_each(|it| *it *= if at % 3 == 0 { -4.0 } else { 0.5 });
        }
        assert_eq!(kept(&one, &other), kept(&one, &one));
    }
}
