//! Where a projection lies in its file, and how some of its rows or columns are read without the others.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::blueprint::Placed;
use crate::checkpoint::Error;
use crate::linalg::matrix::Matrix;
use crate::weights::model::tensors::Numbers;

/// So many elements are read at once.
const PIECE: u64 = 1 << 20;

/// A projection as `[out, in]`, whichever way it is stored, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    name: String,
    /// Sizes as stored, of one expert where experts are stacked.
    stored: (u64, u64),
    /// Which expert of a stack.
    stacked: u64,
    is_turned: bool,
    /// The outputs that are meant, in their order; projections of one kind share it.
    rows: Arc<[Range<u64>]>,
    /// The inputs that are meant; none where all are.
    cols: Option<Vec<u64>>,
}

impl Slot {
    /// The place of a matrix; none for what is no matrix.
    pub(crate) fn of(placed: &Placed, is_turned: bool) -> Option<Self> {
        let [rows, cols] = placed.shape[..] else { return None };
        let outputs = if is_turned { cols } else { rows };
        let stacked = placed.stacked.and(placed.expert).map_or(0, u64::from);
        let all = whole(outputs);
        Some(Self { name: placed.name.clone(), stored: (rows, cols), stacked, is_turned, rows: all, cols: None })
    }

    /// The whole of a tensor that has nothing beside it.
    pub(crate) fn plain(name: &str, stored: (u64, u64), is_turned: bool) -> Self {
        let outputs = if is_turned { stored.1 } else { stored.0 };
        Self { name: name.to_owned(), stored, stacked: 0, is_turned, rows: whole(outputs), cols: None }
    }

    /// The same projection with these outputs of the whole alone.
    pub(crate) fn part(&self, rows: Arc<[Range<u64>]>) -> Self {
        Self { rows, ..self.clone() }
    }

    /// The whole matrix with rows and columns exchanged, where it is square and nothing of it is left out.
    pub(crate) fn exchanged(&self) -> Option<Self> {
        let is_whole = self.cols.is_none() && *self.rows == *whole(self.stored.0);
        (self.stored.0 == self.stored.1 && is_whole).then(|| Self { is_turned: !self.is_turned, ..self.clone() })
    }

    /// These outputs alone, counted among those that are meant.
    pub(crate) fn some_rows(&self, chosen: &[usize]) -> Self {
        let all = self.row_numbers();
        Self { rows: runs(chosen.iter().filter_map(|it| all.get(*it)).copied()), ..self.clone() }
    }

    /// These inputs alone, counted among those that are meant.
    pub(crate) fn some_columns(&self, chosen: &[usize]) -> Self {
        let all = self.column_numbers();
        Self { cols: Some(chosen.iter().filter_map(|it| all.get(*it)).copied().collect()), ..self.clone() }
    }

    /// The tensor it lies in.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it lies as `[in, out]`, so that one output is a column.
    pub(crate) fn is_turned(&self) -> bool {
        self.is_turned
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.rows.iter().map(|it| it.end - it.start).sum::<u64>() as usize
    }

    /// Number of inputs.
    pub(crate) fn inputs(&self) -> usize {
        self.cols.as_ref().map_or_else(|| self.all_inputs() as usize, Vec::len)
    }

    fn all_inputs(&self) -> u64 {
        if self.is_turned { self.stored.0 } else { self.stored.1 }
    }

    /// The whole matrix.
    pub(crate) fn load(&self, numbers: &dyn Numbers) -> Result<Matrix, Error> {
        self.read(numbers, &self.row_numbers(), &self.column_numbers())
    }

    /// Some rows, in the order given, without reading the others where they lie in rows.
    pub(crate) fn load_rows(&self, numbers: &dyn Numbers, rows: &[usize]) -> Result<Matrix, Error> {
        let all = self.row_numbers();
        let rows: Vec<u64> = rows.iter().filter_map(|it| all.get(*it)).copied().collect();
        self.read(numbers, &rows, &self.column_numbers())
    }

    /// Some columns, in the order given, one a row: what one input writes.
    pub(crate) fn load_columns(&self, numbers: &dyn Numbers, columns: &[usize]) -> Result<Matrix, Error> {
        let all = self.column_numbers();
        let columns: Vec<u64> = columns.iter().filter_map(|it| all.get(*it)).copied().collect();
        if self.is_turned {
            return self.stored_part(numbers, &columns, &self.row_numbers());
        }
        Ok(self.stored_part(numbers, &self.row_numbers(), &columns)?.transposed())
    }

    fn row_numbers(&self) -> Vec<u64> {
        self.rows.iter().cloned().flatten().collect()
    }

    fn column_numbers(&self) -> Vec<u64> {
        self.cols.clone().unwrap_or_else(|| (0..self.all_inputs()).collect())
    }

    fn read(&self, numbers: &dyn Numbers, rows: &[u64], columns: &[u64]) -> Result<Matrix, Error> {
        if self.is_turned {
            return Ok(self.stored_part(numbers, columns, rows)?.transposed());
        }
        self.stored_part(numbers, rows, columns)
    }

    /// Rows and columns as stored. Whole rows are read in long pieces; a run of columns that is a small part of a row
    /// is read by itself.
    fn stored_part(&self, numbers: &dyn Numbers, rows: &[u64], columns: &[u64]) -> Result<Matrix, Error> {
        let width = self.stored.1;
        let span = columns.iter().min().zip(columns.iter().max()).map_or(0..0, |(least, most)| *least..most + 1);
        let is_whole = (span.end - span.start).saturating_mul(4) >= width;
        let runs: Vec<&[u64]> = if is_whole {
            let most = (PIECE / width.max(1)).max(1) as usize;
            rows.chunk_by(|one, next| *next == one + 1).flat_map(|it| it.chunks(most)).collect()
        } else {
            rows.chunks(1).collect()
        };
        let read = if is_whole { 0..width } else { span };
        let picked: Vec<usize> = columns.iter().map(|it| (it - read.start) as usize).collect();
        let is_all = picked.len() as u64 == read.end - read.start && picked.iter().enumerate().all(|it| it.0 == *it.1);
        // What is one piece is handed on as it was read.
        if let ([run], true) = (&runs[..], is_all) {
            return Ok(Matrix::new(rows.len(), columns.len(), self.stored_rows(numbers, run, &read)?));
        }
        let mut data = vec![0.0; rows.len() * columns.len()];
        let filled: Result<(), Error> =
            pieces(&mut data, &runs, columns.len()).into_par_iter().try_for_each(|(run, out)| {
                let found = self.stored_rows(numbers, run, &read)?;
                let row_size = ((read.end - read.start) as usize).max(1);
                if is_all {
                    out.iter_mut().zip(&found).for_each(|(to, it)| *to = *it);
                    return Ok(());
                }
                for (out, row) in out.chunks_exact_mut(picked.len().max(1)).zip(found.chunks(row_size)) {
                    out.iter_mut().zip(&picked).for_each(|(to, it)| *to = row.get(*it).copied().unwrap_or(0.0));
                }
                Ok(())
            });
        filled.map(|()| Matrix::new(rows.len(), columns.len(), data))
    }

    /// Neighbouring rows as stored, or a stretch of one row.
    fn stored_rows(&self, numbers: &dyn Numbers, run: &[u64], columns: &Range<u64>) -> Result<Vec<f32>, Error> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(Vec::new()) };
        let start = self.stacked.saturating_mul(self.stored.0.saturating_mul(self.stored.1));
        let at = |row: u64, col: u64| start.saturating_add(row.saturating_mul(self.stored.1)).saturating_add(col);
        let (mut from, end) = (at(*first, columns.start), at(*last, columns.end));
        let mut data = Vec::with_capacity(end.saturating_sub(from) as usize);
        while from < end {
            let next = from.saturating_add(4 * PIECE).min(end);
            data.extend(numbers.read(&self.name, from..next)?);
            from = next;
        }
        Ok(data)
    }
}

/// All of so many rows.
fn whole(rows: u64) -> Arc<[Range<u64>]> {
    Arc::new([Range { start: 0, end: rows }])
}

/// Row numbers in an order, as runs of those that follow each other.
pub(crate) fn runs(rows: impl IntoIterator<Item = u64>) -> Arc<[Range<u64>]> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(last) if last.end == row => last.end = row + 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs.into()
}

/// Each run of rows with the place where its numbers go, so that they are not held twice.
fn pieces<'a, 'b>(mut data: &'a mut [f32], runs: &[&'b [u64]], columns: usize) -> Vec<(&'b [u64], &'a mut [f32])> {
    let mut pieces = Vec::with_capacity(runs.len());
    for run in runs {
        let (here, behind) = data.split_at_mut(run.len() * columns);
        pieces.push((*run, here));
        data = behind;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted(Vec<f32>);

    impl Numbers for Counted {
        fn read(&self, _: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
            Ok(self.0[elements.start as usize..elements.end as usize].to_vec())
        }

        fn has(&self, _: &str) -> bool {
            true
        }
    }

    /// Every way to ask for a part gives the part of the whole.
    #[test]
    fn a_part_is_a_part_of_the_whole() {
        let (outputs, inputs) = (7, 40);
        let whole = Matrix::new(outputs, inputs, (0..280).map(|it| it as f32).collect());
        for is_turned in [false, true] {
            let stored = if is_turned { whole.transposed() } else { whole.clone() };
            let shape = vec![stored.rows as u64, stored.cols as u64];
            let placed = Placed { name: "it".to_owned(), shape, ..Placed::default() };
            let slot = Slot::of(&placed, is_turned).unwrap();
            let numbers = Counted(stored.data.clone());
            assert_eq!((slot.outputs(), slot.inputs()), (outputs, inputs));
            assert_eq!(slot.load(&numbers).unwrap(), whole);
            for rows in [vec![3], vec![5, 2, 3], vec![]] {
                assert_eq!(slot.load_rows(&numbers, &rows).unwrap(), whole.gather(&rows));
                assert_eq!(slot.some_rows(&rows).load(&numbers).unwrap(), whole.gather(&rows));
            }
            for columns in [vec![4, 5, 6], vec![39, 0, 7], (0..40).collect()] {
                let expected = whole.transposed().gather(&columns);
                assert_eq!(slot.load_columns(&numbers, &columns).unwrap(), expected);
                assert_eq!(slot.some_columns(&columns).load(&numbers).unwrap().transposed(), expected);
            }
            let part = slot.some_rows(&[1, 6]).some_columns(&[9, 3]);
            assert_eq!(part.load(&numbers).unwrap().data, [49.0, 43.0, 249.0, 243.0]);
        }
    }
}
