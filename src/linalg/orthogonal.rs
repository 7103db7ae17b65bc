//! Orthonormal columns and orthogonal factors.

use rayon::prelude::*;

use crate::linalg::cholesky::{cholesky, solve};
use crate::linalg::matrix::{Matrix, norm};

/// Orthonormal columns `Q` and a lower triangle `L` with `Q Lᵀ` the matrix itself: by the Cholesky factor of its
/// columns' products, twice, since once loses half of the digits.
///
/// Reference: Y. Yamamoto et al., "Roundoff error analysis of the `CholeskyQR2` algorithm", ETNA 44 (2015).
pub(crate) fn orthonormal(mut matrix: Matrix) -> (Matrix, Matrix) {
    let size = (matrix.data.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>() / matrix.cols.max(1) as f64).sqrt();
    matrix.data.iter_mut().for_each(|it| *it = (f64::from(*it) / size.max(f64::MIN_POSITIVE)) as f32);
    let once = |matrix: &mut Matrix| {
        let columns = matrix.transposed();
        let lower = cholesky(&columns.times_transposed(&columns));
        matrix.data.par_chunks_mut(lower.cols.max(1)).for_each(|row| solve(&lower, row));
        lower
    };
    let (first, second) = (once(&mut matrix), once(&mut matrix));
    let mut lower = first.times(&second);
    lower.data.iter_mut().for_each(|it| *it = (f64::from(*it) * size) as f32);
    (matrix, lower)
}

/// The orthogonal factor of a matrix, by Newton-Schulz iteration; none where it does not come to rest.
///
/// Reference: N. Higham, "Functions of Matrices", SIAM 2008, section 8.3.
pub(crate) fn polar(matrix: Matrix) -> Option<Matrix> {
    let is_wide = matrix.rows < matrix.cols;
    let mut x = if is_wide { matrix } else { matrix.transposed() }; // rows <= cols: rows become orthonormal
    let scale = spectral_bound(&x)?;
    x.data.iter_mut().for_each(|it| *it = (f64::from(*it) / scale) as f32);
    for _ in 0..40 {
        let correction = x.times_transposed(&x).times(&x);
        let mut change = 0.0_f64;
        for (it, cubed) in x.data.iter_mut().zip(&correction.data) {
            let next = 1.5 * *it - 0.5 * cubed;
            change = change.max(f64::from((next - *it).abs()));
            *it = next;
        }
        if !change.is_finite() {
            return None;
        }
        if change < 1e-6 {
            break;
        }
    }
    Some(if is_wide { x } else { x.transposed() })
}

/// An upper bound of the largest singular value that is not far above it: power steps, with a margin.
fn spectral_bound(matrix: &Matrix) -> Option<f64> {
    let gram = matrix.times_transposed(matrix);
    let mut vector = Matrix::new(1, gram.rows, vec![1.0; gram.rows]).unit_rows();
    let mut size = 0.0;
    for _ in 0..30 {
        let next = vector.times_transposed(&gram);
        size = norm(next.row(0));
        vector = next.unit_rows();
    }
    (size.is_finite() && size > 0.0).then(|| size.sqrt() * 1.05)
}
