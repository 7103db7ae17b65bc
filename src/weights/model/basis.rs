//! The map from a reference's residual stream to a subject's: none, a signed choice of coordinates, or a rotation.
//!
//! Two models that compute the same may hold their stream in different coordinates; how the map is found stands in
//! [`alignment`](crate::weights::align::search).

use crate::linalg::matrix::Matrix;

/// How a reference's coordinates become the subject's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Stream {
    /// Coordinate by coordinate the same.
    #[default]
    Same,
    /// Subject coordinate `i` is the reference's `source[i].0`, times `source[i].1`.
    Signed {
        /// One entry a subject coordinate; none where nothing answers it.
        source: Vec<Option<(usize, f32)>>,
    },
    /// `[subject, reference]`, rows or columns orthonormal.
    Rotated(Matrix),
}

impl Stream {
    /// Rows in the reference's coordinates, as rows in the subject's.
    pub(crate) fn apply(&self, rows: Matrix) -> Matrix {
        match self {
            Self::Same => rows,
            Self::Signed { source } => {
                let mut data = Vec::with_capacity(rows.rows * source.len());
                for row in rows.iter() {
                    data.extend(source.iter().map(|it| it.map_or(0.0, |(col, sign)| row[col] * sign)));
                }
                Matrix { rows: rows.rows, cols: source.len(), data }
            }
            Self::Rotated(map) => rows.times_transposed(map),
        }
    }

    /// How many coordinates a stream of this width has once it is carried along; none where the map is of another
    /// width.
    pub(crate) fn width(&self, reference: usize) -> Option<usize> {
        match self {
            Self::Same => Some(reference),
            Self::Signed { source } => source.iter().flatten().all(|it| it.0 < reference).then_some(source.len()),
            Self::Rotated(map) => (map.cols == reference).then_some(map.rows),
        }
    }

    /// Whether some of the subject's stream is nothing of the reference's: coordinates without an answer, or a space
    /// around the one that the reference's stream was carried into.
    pub(crate) fn has_outside(&self) -> bool {
        match self {
            Self::Same => false,
            Self::Signed { source } => source.iter().any(Option::is_none),
            Self::Rotated(map) => map.rows > map.cols,
        }
    }

    /// Rows in the subject's coordinates without what lies outside: nothing of the reference's is there to be compared
    /// with, and what reads a space that nobody writes may be anything.
    pub(crate) fn within(&self, mut rows: Matrix) -> Matrix {
        match self {
            Self::Signed { source } if self.has_outside() => {
                for row in rows.data.chunks_exact_mut(source.len().max(1)) {
                    row.iter_mut().zip(source).filter(|it| it.1.is_none()).for_each(|it| *it.0 = 0.0);
                }
                rows
            }
            Self::Rotated(map) if self.has_outside() && rows.cols == map.rows => rows.times(map).times_transposed(map),
            _ => rows,
        }
    }

    /// Rows in the subject's coordinates, as rows in the reference's; the transpose of [`Stream::apply`].
    pub(crate) fn back(&self, rows: &Matrix, reference: usize) -> Matrix {
        match self {
            Self::Same => rows.clone(),
            Self::Signed { source } => {
                let mut data = vec![0.0; rows.rows * reference];
                for (out, row) in data.chunks_exact_mut(reference.max(1)).zip(rows.iter()) {
                    for (number, (col, sign)) in row.iter().zip(source).filter_map(|(it, to)| Some((it, to.as_ref()?)))
                    {
                        out[*col] = number * sign;
                    }
                }
                Matrix { rows: rows.rows, cols: reference, data }
            }
            Self::Rotated(map) => rows.times(map),
        }
    }

    /// Whether it is a rotation after which nothing is in more coordinates than before. Sizes of columns are looked at
    /// in the coordinates before such a one too; carried into more than they had, rows of both sides would show the
    /// sizes of the map.
    pub(crate) fn is_compact_rotation(&self) -> bool {
        matches!(self, Self::Rotated(map) if map.cols <= map.rows)
    }

    /// One word for it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Same => "same coordinates",
            Self::Signed { source } if self.is_ordered() && source.iter().flatten().all(|it| it.1 > 0.0) => {
                "chosen coordinates"
            }
            Self::Signed { source } if source.iter().flatten().all(|it| it.1 > 0.0) => "permuted coordinates",
            Self::Signed { .. } if self.is_ordered() => "coordinates with other signs",
            Self::Signed { .. } => "permuted coordinates with other signs",
            Self::Rotated(_) => "rotated",
        }
    }

    /// Whether a choice of coordinates keeps their order, as pruning does and a permutation does not.
    pub(crate) fn is_ordered(&self) -> bool {
        match self {
            Self::Signed { source } => {
                let mut kept = source.iter().flatten().map(|it| it.0);
                let mut last = kept.next();
                kept.all(|it| last.replace(it).is_some_and(|before| before < it))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_is_the_transpose() {
        let stream = Stream::Signed { source: vec![Some((2, -1.0)), None, Some((0, 1.0))] };
        let there = stream.apply(Matrix::new(1, 4, vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(there.data, [-3.0, 0.0, 1.0]);
        assert_eq!(stream.back(&there, 4).data, [1.0, 0.0, 3.0, 0.0]);
    }
}
