//! The best one-to-one matching of rows to columns.
//!
//! Reference: R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
//! problems", Computing 38 (1987). Cubic in the number of rows in the worst case.

use crate::linalg::matrix::Matrix;

/// Assigns each row another column so that the sum of `score` is largest; `rows <= cols`.
pub(crate) fn assign(score: &Matrix) -> Vec<usize> {
    let (rows, cols) = (score.rows, score.cols);
    let mut row_price = vec![0.0_f64; rows + 1];
    let mut col_price = vec![0.0_f64; cols + 1];
    let mut owner = vec![0_usize; cols + 1];
    for row in 1..=rows {
        owner[0] = row;
        augment(score, &mut row_price, &mut col_price, &mut owner);
    }
    let mut assigned = vec![0; rows];
    for (col, row) in owner.iter().enumerate().skip(1).filter(|(_, row)| **row > 0) {
        assigned[row - 1] = col - 1;
    }
    assigned
}

/// Finds a column for the row that `owner[0]` names, along the cheapest path of re-assignments.
fn augment(score: &Matrix, row_price: &mut [f64], col_price: &mut [f64], owner: &mut [usize]) {
    let cols = score.cols;
    let mut slack = vec![f64::INFINITY; cols + 1];
    let mut before = vec![0_usize; cols + 1];
    let mut is_used = vec![false; cols + 1];
    let mut at = 0;
    while owner[at] != 0 {
        is_used[at] = true;
        let row = owner[at];
        let (mut step, mut next) = (f64::INFINITY, 0);
        for col in 1..=cols {
            if is_used[col] {
                continue;
            }
            let cost = -f64::from(score.data[(row - 1) * cols + col - 1]) - row_price[row] - col_price[col];
            if cost < slack[col] {
                (slack[col], before[col]) = (cost, at);
            }
            if slack[col] < step {
                (step, next) = (slack[col], col);
            }
        }
        for col in 0..=cols {
            if is_used[col] {
                row_price[owner[col]] += step;
                col_price[col] -= step;
            } else {
                slack[col] -= step;
            }
        }
        at = next;
    }
    while at != 0 {
        owner[at] = owner[before[at]];
        at = before[at];
    }
}

/// The best of every row and of every column, over scores that come tile by tile. Ties go to the lower index.
pub(crate) struct Best {
    of_row: Vec<(f32, usize)>,
    of_col: Vec<(f32, usize)>,
}

impl Best {
    pub(crate) fn new(rows: usize, cols: usize) -> Self {
        Self { of_row: vec![(f32::NEG_INFINITY, 0); rows], of_col: vec![(f32::NEG_INFINITY, 0); cols] }
    }

    /// Takes a tile whose first entry stands at `row` and `col`; tiles come in the order of their rows and columns.
    pub(crate) fn see(&mut self, tile: &Matrix, row: usize, col: usize) {
        for (at, (numbers, of_row)) in tile.iter().zip(&mut self.of_row[row..]).enumerate() {
            for (number, (along, of_col)) in numbers.iter().zip(self.of_col[col..].iter_mut().enumerate()) {
                if *number > of_row.0 {
                    *of_row = (*number, col + along);
                }
                if *number > of_col.0 {
                    *of_col = (*number, row + at);
                }
            }
        }
    }

    /// Pairs that are each other's best, as `(row, column, score)` in row order.
    pub(crate) fn mutual(&self) -> Vec<(usize, usize, f64)> {
        let is_mutual = |row: usize, col: usize| self.of_col.get(col).is_some_and(|it| it.1 == row && it.0.is_finite());
        let pairs = self.of_row.iter().enumerate().filter(|(row, (_, col))| is_mutual(*row, *col));
        pairs.map(|(row, (score, col))| (row, *col, f64::from(*score))).collect()
    }
}

/// Pairs that are each other's best, as `(row, column, score)` in row order. Ties go to the lower index.
pub(crate) fn mutual_best(score: &Matrix) -> Vec<(usize, usize, f64)> {
    let mut best = Best::new(score.rows, score.cols);
    best.see(score, 0, 0);
    best.mutual()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assignment_is_the_best_of_all() {
        let mut seed = 7_u64;
        for size in 1..6 {
            let numbers = (0..size * 5).map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 40) as f32
            });
            let score = Matrix::new(size, 5, numbers.collect());
            let sum = |cols: &[usize]| cols.iter().enumerate().map(|(row, col)| score.row(row)[*col]).sum::<f32>();
            let mut best = f32::NEG_INFINITY;
            every_choice(size, &mut Vec::new(), &mut |cols| best = best.max(sum(cols)));
            assert_eq!(sum(&assign(&score)), best);
        }
    }

    fn every_choice(left: usize, chosen: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
        if left == 0 {
            return visit(chosen);
        }
        for col in 0..5 {
            if !chosen.contains(&col) {
                chosen.push(col);
                every_choice(left - 1, chosen, visit);
                chosen.pop();
            }
        }
    }

    #[test]
    fn mutual_best_leaves_the_rest_out() {
        let score = Matrix::new(2, 3, vec![0.9, 0.8, 0.1, 0.95, 0.2, 0.1]);
        assert_eq!(mutual_best(&score).iter().map(|it| (it.0, it.1)).collect::<Vec<_>>(), [(1, 0)]);
    }

    #[test]
    fn tiles_give_what_the_whole_gives() {
        let score = Matrix::new(6, 8, (0..48).map(|it| (it * 29 % 13) as f32).collect());
        let mut best = Best::new(6, 8);
        for col in [0, 4] {
            for row in [0, 3] {
                let part = |it: usize| score.row(row + it)[col..col + 4].to_vec();
                best.see(&Matrix::new(3, 4, (0..3).flat_map(part).collect()), row, col);
            }
        }
        assert_eq!(best.mutual(), mutual_best(&score));
    }
}
