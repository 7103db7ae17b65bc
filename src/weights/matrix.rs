//! Dense matrices of `f32`, row by row, and the one product that everything here is made of.
//!
//! Sums run in a fixed order over fixed lanes, so that the same numbers come out on every machine and with any number of
//! threads. `pulp` picks wider instructions where the processor has them; they add and multiply lane by lane, and round as
//! narrow ones do.

use std::ops::Range;

use rayon::prelude::*;

/// How many partial sums a dot product keeps.
const LANES: usize = 16;

/// So many multiplications are done faster by one thread.
const SMALL: usize = 1 << 20;

/// So many rows are one piece of work.
const BAND: usize = 16;

/// Numbers of the other side that are gone over again and again.
const CACHED: usize = 32 << 10;

/// Numbers that are turned round at once.
const TURNED: usize = 4 << 20;

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

    /// `self * otherᵀ`: the dot products of all rows of one with all rows of the other.
    pub(crate) fn times_transposed(&self, other: &Self) -> Self {
        self.all().times_transposed(other.all())
    }

    /// Cosines of all rows with each other, without those of a row with itself.
    pub(crate) fn angles(&self) -> Self {
        let rows = self.clone().unit_rows();
        let mut angles = rows.times_transposed(&rows);
        (0..angles.rows).for_each(|it| angles.data[it * angles.cols + it] = 0.0);
        angles
    }

    /// `self * other`; the other is turned round piece by piece, so that it is never held twice.
    pub(crate) fn times(&self, other: &Self) -> Self {
        let (width, most) = (other.cols, (TURNED / other.rows.max(1)).max(BAND));
        if width <= most {
            return self.times_transposed(&other.transposed());
        }
        let mut product = Self::new(self.rows, width, Vec::new());
        for from in (0..width).step_by(most) {
            let part = self.times_transposed(&other.columns(from..(from + most).min(width)));
            for (out, row) in product.data.chunks_exact_mut(width).zip(part.iter()) {
                out[from..from + row.len()].copy_from_slice(row);
            }
        }
        product
    }

    /// Neighbouring columns, one a row.
    fn columns(&self, columns: Range<usize>) -> Self {
        let mut data = Vec::with_capacity(columns.len() * self.rows);
        self.iter().for_each(|row| data.extend_from_slice(&row[columns.clone()]));
        Self { rows: self.rows, cols: columns.len(), data }.transposed()
    }
}

/// Neighbouring rows of a matrix, where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    rows: usize,
    cols: usize,
    data: &'a [f32],
}

impl<'a> Rows<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        self.data.chunks_exact(self.cols.max(1))
    }

    /// `self * otherᵀ`.
    pub(crate) fn times_transposed(self, other: Rows<'_>) -> Matrix {
        let mut data = vec![0.0; self.rows * other.rows];
        let arch = pulp::Arch::new();
        let some_rows = |out: &mut [f32], rows: &[f32]| arch.dispatch(Dots { rows, other, out });
        let (width, cols) = (other.rows.max(1), self.cols.max(1));
        // Other threads cost more than they give where there is little to do; the sums are the same either way.
        if self.data.len().saturating_mul(other.rows) < SMALL {
            some_rows(&mut data, self.data);
        } else {
            // Few rows are still work for all cores.
            let band = (self.rows / 8).clamp(1, BAND);
            let parts = data.par_chunks_mut(width * band).zip(self.data.par_chunks(cols * band));
            parts.for_each(|(out, rows)| some_rows(out, rows));
        }
        Matrix { rows: self.rows, cols: other.rows, data }
    }
}

/// The work of one core, in a form that is compiled once for each kind of instructions; a closure would not be.
struct Dots<'a> {
    rows: &'a [f32],
    other: Rows<'a>,
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        dots(self.rows, self.other, self.out);
    }
}

/// Dot products of some rows with all rows of a matrix; of so many of those at a time that they stay in the cache.
#[inline(always)]
fn dots(rows: &[f32], other: Rows<'_>, out: &mut [f32]) {
    let (cols, width) = (other.cols.max(1), other.rows.max(1));
    let block = (CACHED / cols).max(4) / 4 * 4;
    for (at, others) in other.data.chunks(block * cols).enumerate() {
        let first = at * block;
        let count = others.len() / cols;
        for (row, out) in rows.chunks_exact(cols).zip(out.chunks_exact_mut(width)) {
            for (four, others) in out[first..first + count].chunks_mut(4).zip(others.chunks(4 * cols)) {
                four_dots(row, others, four);
            }
        }
    }
}

/// Dot products of one row with up to four others that lie behind each other.
#[inline(always)]
fn four_dots(row: &[f32], others: &[f32], out: &mut [f32]) {
    let cols = row.len();
    if out.len() < 4 || cols == 0 {
        for (out, other) in out.iter_mut().zip(others.chunks_exact(cols.max(1))) {
            *out = dot_f32(row, other);
        }
        return;
    }
    let (one, rest) = others.split_at(cols);
    let (two, rest) = rest.split_at(cols);
    let (three, four) = rest.split_at(cols);
    let mut sums = [[0.0_f32; LANES]; 4];
    let (chunks, tail) = row.as_chunks::<LANES>();
    let parts = [one, two, three, four].map(|it| it.as_chunks::<LANES>());
    for (at, chunk) in chunks.iter().enumerate() {
        for (sum, part) in sums.iter_mut().zip(&parts) {
            for lane in 0..LANES {
                sum[lane] += chunk[lane] * part.0[at][lane];
            }
        }
    }
    for ((out, sum), part) in out.iter_mut().zip(&sums).zip(&parts) {
        *out = sum.iter().sum::<f32>() + tail.iter().zip(part.1).map(|(a, b)| a * b).sum::<f32>();
    }
}

#[inline(always)]
fn dot_f32(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let ((ones, tail), (others, other_tail)) = (one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
    for (a, b) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + tail.iter().zip(other_tail).map(|(a, b)| a * b).sum::<f32>()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_what_they_should_be() {
        let number = |it: usize| ((it * 37 % 17) as f32) - 8.0;
        let one = Matrix::new(5, 19, (0..95).map(number).collect());
        let other = Matrix::new(7, 19, (0..133).map(|it| number(it + 3)).collect());
        let product = one.times_transposed(&other);
        for row in 0..5 {
            for col in 0..7 {
                let plain: f32 = one.row(row).iter().zip(other.row(col)).map(|(a, b)| a * b).sum();
                assert_eq!(product.row(row)[col], plain);
            }
        }
        assert_eq!(one.times(&other.transposed()), product);
        assert_eq!(one.transposed().transposed(), one);
        assert_eq!(one.transposed().row(3), [0, 1, 2, 3, 4].map(|row| one.row(row)[3]));
        assert_eq!(Matrix::default().transposed(), Matrix::default());
        assert_eq!(one.part(1..3).times_transposed(other.all()).data, product.data[7..21]);
        assert_eq!(one.columns(2..5), one.transposed().gather(&[2, 3, 4]));
    }

    /// A matrix that is turned round piece by piece gives the same sums.
    #[test]
    fn pieces_give_what_the_whole_gives() {
        let number = |it: usize| ((it * 37 % 101) as f32) * 0.01 - 0.5;
        let other = Matrix::new(1 << 16, 100, (0..100 << 16).map(number).collect());
        let one = Matrix::new(2, 1 << 16, (0..2 << 16).map(|it| number(it + 5)).collect());
        assert_eq!(one.times(&other), one.times_transposed(&other.transposed()));
    }
}
