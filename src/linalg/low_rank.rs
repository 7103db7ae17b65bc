//! What a low-rank factor spans, whatever basis it is written in.
//!
//! The two factors of an adapter are one another's by any invertible `r × r` matrix between them: only the space that
//! the columns span is the adapter's own. [`leading`] gives an orthonormal basis of it, and of its strongest
//! directions alone where it fills so much of its surroundings that it would show nothing. Everything is read off
//! `BᵀB`, in which the sign of no row shows, so that tests of those signs stay exact.
//!
//! Reference: C. Jacobi's rotations, as in G. Golub, C. Van Loan, "Matrix Computations", 4th ed., section 8.5.

use crate::linalg::matrix::{Matrix, dot};

/// So many columns are looked at; the first ones of more.
pub(crate) const COLUMNS: usize = 256;

/// A space of more than one in so many directions of its surroundings is cut down to its strongest.
const SHARE: usize = 4;

/// Directions weaker than this share of the strongest are rounding.
const WEAKEST: f64 = 1e-9;

/// An orthonormal basis of the leading directions of the columns, `[rows, directions]`.
pub(crate) fn leading(factor: &Matrix) -> Matrix {
    let columns = factor.transposed();
    let columns = Matrix::new(
        columns.rows.min(COLUMNS),
        columns.cols,
        columns.data[..columns.rows.min(COLUMNS) * columns.cols].to_vec(),
    );
    let gram: Vec<Vec<f64>> = columns.iter().map(|one| columns.iter().map(|other| dot(one, other)).collect()).collect();
    let directions = eigen(gram);
    let strongest = directions.first().map_or(0.0, |it| it.0);
    let most = columns.rows.min(factor.rows / SHARE).max(1);
    let kept = directions.iter().take(most).filter(|it| it.0 > strongest * WEAKEST && it.0 > 0.0);
    let mut basis = Matrix::new(0, factor.rows, Vec::new());
    for (size, weights) in kept {
        let mut direction = vec![0.0_f64; factor.rows];
        for (column, weight) in columns.iter().zip(weights) {
            direction.iter_mut().zip(column).for_each(|(it, number)| *it += weight * f64::from(*number));
        }
        basis.data.extend(direction.iter().map(|it| (it / size.sqrt()) as f32));
        basis.rows += 1;
    }
    basis.transposed()
}

/// Eigenvalues with their vectors, the largest first, of a symmetric matrix: cyclic Jacobi rotations.
fn eigen(mut matrix: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let size = matrix.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|it| (0..size).map(|at| f64::from(u8::from(at == it))).collect()).collect();
    let trace: f64 = (0..size).map(|it| matrix[it][it].abs()).sum();
    for _ in 0..30 {
        let rest: f64 = (0..size).map(|row| matrix[row][..row].iter().map(|it| it * it).sum::<f64>()).sum();
        if rest.sqrt() <= trace * 1e-14 {
            break;
        }
        for row in 1..size {
            for col in 0..row {
                rotate(&mut matrix, &mut vectors, row, col);
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> =
        vectors.into_iter().enumerate().map(|(at, vector)| (matrix[at][at], vector)).collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found
}

/// Makes one entry zero; `vectors` holds the eigenvectors as rows.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], row: usize, col: usize) {
    let off = matrix[row][col];
    if off == 0.0 {
        return;
    }
    let theta = (matrix[row][row] - matrix[col][col]) / (2.0 * off);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |one: &mut f64, other: &mut f64| {
        (*one, *other) = (cosine * *one + sine * *other, cosine * *other - sine * *one);
    };
    for line in matrix.iter_mut() {
        let (mut one, mut other) = (line[row], line[col]);
        turn(&mut one, &mut other);
        (line[row], line[col]) = (one, other);
    }
    for lines in [&mut *matrix, vectors] {
        let (before, after) = lines.split_at_mut(row);
        after[0].iter_mut().zip(before[col].iter_mut()).for_each(|(one, other)| turn(one, other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    fn projection(factor: &Matrix) -> Matrix {
        let basis = leading(factor);
        basis.times_transposed(&basis)
    }

    #[track_caller]
    fn close(one: &Matrix, other: &Matrix) {
        let apart = one.data.iter().zip(&other.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!((one.rows, one.cols) == (other.rows, other.cols) && apart < 1e-4, "{apart}");
    }

    #[test]
    fn another_basis_of_the_same_columns_spans_the_same() {
        let factor = drawn(40, 5, 1);
        close(&projection(&factor), &projection(&factor.times(&drawn(5, 5, 2))));
        close(&projection(&factor).times(&factor), &factor);
    }

    #[test]
    fn a_space_that_fills_everything_is_cut_to_its_strongest_directions() {
        let mut factor = drawn(16, 16, 3);
        factor.data.chunks_exact_mut(16).for_each(|row| row[..4].iter_mut().for_each(|it| *it *= 100.0));
        let basis = leading(&factor);
        assert_eq!((basis.rows, basis.cols), (16, 4));
        let strong = Matrix::new(16, 4, factor.iter().flat_map(|row| row[..4].to_vec()).collect());
        let kept = basis.times_transposed(&basis).times(&strong);
        let lost: f64 = kept.data.iter().zip(&strong.data).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        assert!(lost < 0.01 * dot(&strong.data, &strong.data), "{lost}");
    }

    #[test]
    fn a_factor_of_zeros_spans_nothing() {
        assert_eq!(leading(&Matrix::new(8, 2, vec![0.0; 16])).cols, 0);
    }
}
