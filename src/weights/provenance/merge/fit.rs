//! The least-squares fit of references to a subject, matrix by matrix.

/// Numbers of the same places of all models, of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The layer, none for token rows.
    pub(crate) layer: Option<u32>,
    pub(crate) subject: Vec<f64>,
    /// One list for each reference.
    pub(crate) references: Vec<Vec<f64>>,
}

/// Coefficients with their intervals, and what they explain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    /// Value, low, high; one for each reference.
    pub(crate) coefficients: Vec<(f64, f64, f64)>,
    /// Share of the squared distance to the nearest reference.
    pub(crate) explained: f64,
    /// Which reference is nearest.
    pub(crate) nearest: usize,
}

/// Sums of products of what is fitted: the unknowns are a factor of the first reference and one for the difference of
/// each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normal {
    gram: Vec<Vec<f64>>,
    right: Vec<f64>,
    own: f64,
}

impl Normal {
    pub(crate) fn of(sample: &Sample) -> Self {
        let first = &sample.references[0];
        let less = |numbers: &Vec<f64>| -> Vec<f64> { numbers.iter().zip(first).map(|(a, b)| a - b).collect() };
        let mut columns = vec![first.clone()];
        columns.extend(sample.references[1..].iter().map(less));
        let target = less(&sample.subject);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        Self {
            gram: columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect()).collect(),
            right: columns.iter().map(|a| product(a, &target)).collect(),
            own: product(&target, &target),
        }
    }

    fn add(&mut self, other: &Self, sign: f64) {
        for (row, others) in self.gram.iter_mut().zip(&other.gram) {
            row.iter_mut().zip(others).for_each(|(it, more)| *it += sign * more);
        }
        self.right.iter_mut().zip(&other.right).for_each(|(it, more)| *it += sign * more);
        self.own += sign * other.own;
    }

    /// The coefficients of the references; none where two of them are the same.
    pub(crate) fn coefficients(&self) -> Option<Vec<f64>> {
        let solved = solve(self.gram.clone(), self.right.clone())?;
        let others: f64 = solved[1..].iter().sum();
        let mut all = vec![1.0 + solved[0] - others];
        all.extend(&solved[1..]);
        Some(all)
    }

    /// What the coefficients leave of the squared distance.
    fn left(&self, coefficients: &[f64]) -> f64 {
        let others: f64 = coefficients[1..].iter().sum();
        let mut factors = vec![coefficients[0] - 1.0 + others];
        factors.extend(&coefficients[1..]);
        let crossed: f64 = factors.iter().zip(&self.right).map(|(a, b)| a * b).sum();
        let squared: f64 = self
            .gram
            .iter()
            .zip(&factors)
            .map(|(row, a)| a * row.iter().zip(&factors).map(|(g, b)| g * b).sum::<f64>())
            .sum();
        (self.own - 2.0 * crossed + squared).max(0.0)
    }
}

/// Solves a symmetric positive system; none where it is not.
fn solve(mut gram: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for at in 0..size {
        let pivot = gram[at][at];
        if pivot.is_nan() || pivot <= 1e-12 * gram.iter().flatten().fold(0.0_f64, |a, b| a.max(b.abs())) {
            return None;
        }
        for row in at + 1..size {
            let factor = gram[row][at] / pivot;
            let (above, below) = gram.split_at_mut(row);
            below[0].iter_mut().zip(&above[at]).for_each(|(it, other)| *it -= factor * other);
            right[row] -= factor * right[at];
        }
    }
    for at in (0..size).rev() {
        let known: f64 = (at + 1..size).map(|it| gram[at][it] * right[it]).sum();
        right[at] = (right[at] - known) / gram[at][at];
    }
    Some(right)
}

/// Fits the references to the subject over all matrices; none where fewer than two matrices or two references of one
/// kind.
pub(crate) fn fit(samples: &[Sample]) -> Option<Fit> {
    let each: Vec<Normal> = samples.iter().map(Normal::of).collect();
    let mut all = each.first()?.clone();
    each[1..].iter().for_each(|it| all.add(it, 1.0));
    let coefficients = all.coefficients()?;
    let count = each.len() as f64;
    let mut squares = vec![0.0; coefficients.len()];
    for left_out in &each {
        let mut rest = all.clone();
        rest.add(left_out, -1.0);
        let other = rest.coefficients()?;
        squares.iter_mut().zip(other.iter().zip(&coefficients)).for_each(|(it, (a, b))| *it += (a - b).powi(2));
    }
    let width = |at: usize| 1.96 * ((count - 1.0) / count * squares[at]).sqrt();
    let alone = |at: usize| {
        let mut only = vec![0.0; coefficients.len()];
        only[at] = 1.0;
        all.left(&only)
    };
    let nearest = (0..coefficients.len()).min_by(|a, b| alone(*a).total_cmp(&alone(*b)))?;
    let distance = alone(nearest);
    let explained = if distance > 0.0 { 1.0 - all.left(&coefficients) / distance } else { 0.0 };
    let coefficients = coefficients.iter().enumerate().map(|(at, it)| (*it, it - width(at), it + width(at))).collect();
    Some(Fit { coefficients, explained, nearest })
}
