//! The Cholesky factor of a positive semi-definite matrix, and forward substitution.

use crate::linalg::matrix::{Matrix, dot};

/// Lower triangle `L` of a symmetric matrix, `L Lᵀ`; a pivot that rounding has taken below zero counts as nothing.
pub(crate) fn cholesky(matrix: &Matrix) -> Matrix {
    let size = matrix.rows;
    let mut lower = Matrix::new(size, size, Vec::new());
    for row in 0..size {
        for col in 0..=row {
            let before = dot(&lower.row(row)[..col], &lower.row(col)[..col]);
            let left = f64::from(matrix.row(row)[col]) - before;
            let pivot = f64::from(lower.data[col * size + col]);
            lower.data[row * size + col] = match row == col {
                true => left.max(0.0).sqrt() as f32,
                false if pivot > 1e-6 => (left / pivot) as f32,
                false => 0.0,
            };
        }
    }
    lower
}

/// Puts in place of `b` the `x` with `L x = b`; where a pivot is nothing, so is what it would divide.
pub(crate) fn solve(lower: &Matrix, b: &mut [f32]) {
    for at in 0..b.len() {
        let pivot = f64::from(lower.row(at)[at]);
        let left = f64::from(b[at]) - dot(&lower.row(at)[..at], &b[..at]);
        b[at] = if pivot > 1e-6 { (left / pivot) as f32 } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    #[test]
    fn the_lower_triangle_makes_the_matrix_again() {
        let factor = drawn(12, 30, 4);
        let moments = factor.times_transposed(&factor);
        let lower = cholesky(&moments);
        let product = lower.times_transposed(&lower);
        let apart = product.data.iter().zip(&moments.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
    }
}
