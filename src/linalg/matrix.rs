//! Dense matrices of `f32`, row by row.

use std::ops::Range;

use rayon::prelude::*;

/// So many numbers are turned round faster by one thread.
const SMALL: usize = 1 << 20;

/// So many rows are one piece of work.
const BAND: usize = 16;

/// A matrix in row-major order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) data: Vec<f32>,
}

impl Matrix {
    /// `data` has `rows * cols` numbers; fewer are filled up with zeros.
    pub(crate) fn new(rows: usize, cols: usize, mut data: Vec<f32>) -> Self {
        data.resize(rows.saturating_mul(cols), 0.0);
        Self { rows, cols, data }
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.cols.max(1))
    }

    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let mut data = Vec::with_capacity(rows.len() * self.cols);
        rows.iter().for_each(|row| data.extend_from_slice(self.row(*row)));
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &[f32]) {
        self.data.extend_from_slice(row);
        self.rows += 1;
    }

    /// Adds rows of the same length below these, or takes them where there are none yet.
    pub(crate) fn append(&mut self, mut rows: Self) {
        if self.rows == 0 {
            *self = rows;
            return;
        }
        self.data.append(&mut rows.data);
        self.rows += rows.rows;
    }

    /// Neighbouring rows, where they lie.
    pub(crate) fn part(&self, rows: Range<usize>) -> Rows<'_> {
        let data = &self.data[rows.start * self.cols..rows.end * self.cols];
        Rows { rows: rows.len(), cols: self.cols, data }
    }

    /// All rows, where they lie.
    pub(crate) fn all(&self) -> Rows<'_> {
        Rows { rows: self.rows, cols: self.cols, data: &self.data }
    }

    pub(crate) fn transposed(&self) -> Self {
        let mut data = vec![0.0; self.data.len()];
        let rows = self.rows.max(1);
        let columns = |(at, out): (usize, &mut [f32])| {
            let first = at * BAND;
            for (row, numbers) in self.iter().enumerate() {
                for (col, number) in numbers[first..].iter().take(out.len() / rows).enumerate() {
                    out[col * rows + row] = *number;
                }
            }
        };
        if self.data.len() < SMALL {
            data.chunks_mut(rows * BAND).enumerate().for_each(columns);
        } else {
            data.par_chunks_mut(rows * BAND).enumerate().for_each(columns);
        }
        Self { rows: self.cols, cols: self.rows, data }
    }

    /// Multiplies each column by its factor.
    pub(crate) fn scale_columns(&mut self, factors: &[f32]) {
        for row in self.data.chunks_exact_mut(self.cols.max(1)) {
            for (number, factor) in row.iter_mut().zip(factors) {
                *number *= factor;
            }
        }
    }

    /// Takes the mean of each column away.
    pub(crate) fn centre_columns(&mut self) {
        let mut means = vec![0.0_f64; self.cols];
        for row in self.iter() {
            for (mean, number) in means.iter_mut().zip(row) {
                *mean += f64::from(*number);
            }
        }
        for row in self.data.chunks_exact_mut(self.cols.max(1)) {
            for (number, mean) in row.iter_mut().zip(&means) {
                *number -= (*mean / self.rows.max(1) as f64) as f32;
            }
        }
    }

    /// Rows of length one; rows of zeros stay as they are.
    pub(crate) fn unit_rows(mut self) -> Self {
        let cols = self.cols.max(1);
        self.data.chunks_exact_mut(cols).for_each(|row| {
            let length = norm(row);
            if length > 0.0 {
                row.iter_mut().for_each(|it| *it = (f64::from(*it) / length) as f32);
            }
        });
        self
    }
}

/// Neighbouring rows of a matrix, where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) data: &'a [f32],
}

impl<'a> Rows<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        self.data.chunks_exact(self.cols.max(1))
    }

    pub(crate) fn row(self, row: usize) -> &'a [f32] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }
}

/// Dot product in double precision.
pub(crate) fn dot(one: &[f32], other: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 4];
    let ((ones, tail), (others, other_tail)) = (one.as_chunks::<4>(), other.as_chunks::<4>());
    for (a, b) in ones.iter().zip(others) {
        for lane in 0..4 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail.iter().zip(other_tail).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
}

/// Length of a row.
pub(crate) fn norm(row: &[f32]) -> f64 {
    dot(row, row).sqrt()
}

/// Cosine of two rows; 0 where one of them is nothing but zeros.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let lengths = norm(one) * norm(other);
    if lengths > 0.0 { dot(one, other) / lengths } else { 0.0 }
}
