//! Finding the map between the streams of two models.
//!
//! Token embeddings show it, since the same token stands behind the same text: correlation of coordinates over shared
//! tokens where the coordinates were only re-ordered, dropped or turned in sign; the orthogonal polar factor
//! (Procrustes) where they were rotated. Correlations are gone over tile by tile; a rotation takes three matrices of
//! the width by the width.
//!
//! References: P. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966);
//! B. Zeng et al., AWM, ICLR 2026 (assignment on embedding coordinates). The map is made without the signs that
//! [`random_sign`](crate::weights::statistics::random_sign) tests, so that it takes nothing from the test's exactness.

use crate::linalg::orthogonal::{orthonormal, polar};
use std::ops::Range;

use crate::linalg::assignment::{Best, assign};
use crate::linalg::matrix::{Matrix, cosine};
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::TILE;

/// A map with how well it carries tokens it was not made from: the mean cosine of held-out embedding rows.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub(crate) stream: Stream,
    pub(crate) held_out: f64,
}

/// A held-out cosine from which on no other map is looked for: none could carry the rows much better.
pub(crate) const SETTLED: f64 = 0.9;

/// How alike the distances between tokens must be for a rotation of a wide stream to be looked for. A rotation keeps
/// them all, so that a copy shows nearly 1.
const SAME_DISTANCES: f64 = 0.5;

/// The maps that the rows of shared tokens suggest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    /// The simplest first, until one carries the rows.
    pub(crate) fits: Vec<Fit>,
    /// How alike the distances between tokens are, where that is why no rotation was looked for.
    pub(crate) distances: Option<f64>,
}

/// Looks for maps, the simplest first, until one carries the rows. A rotation of a stream that is wider than this costs
/// much, and is looked for where the distances between tokens allow one.
pub(crate) fn candidates(halves: Halves, widest: usize) -> Candidates {
    let mut found = Candidates::default();
    let Halves { fit: (subject, reference), test } = halves;
    let (tokens, wide) = (subject.rows + test.0.rows, subject.cols.max(reference.cols));
    if subject.cols == reference.cols {
        found.fits.push(Fit::of(Stream::Same, &test));
    }
    let is_settled = |fits: &[Fit]| fits.iter().any(|it| it.held_out >= SETTLED);
    if tokens < 16 || is_settled(&found.fits) {
        return found;
    }
    let (subject, reference) = (turned(subject), turned(reference));
    found.fits.extend(signed(&subject, &reference).map(|it| Fit::of(it, &test)));
    if is_settled(&found.fits) {
        return found;
    }
    if wide > widest {
        let alike = same_distances(&test.0, &test.1);
        if alike < SAME_DISTANCES {
            found.distances = Some(alike);
            return found;
        }
    }
    found.fits.extend(rotated(&subject, &reference).map(|it| Fit::of(it, &test)));
    found
}

/// The transpose; what was turned is not kept beside it.
fn turned(matrix: Matrix) -> Matrix {
    matrix.transposed()
}

/// Cosine of the products of all pairs of token rows on one side with those on the other, which no rotation changes.
fn same_distances(subject: &Matrix, reference: &Matrix) -> f64 {
    const ROWS: usize = 1_024;
    let some: Vec<usize> = (0..subject.rows.min(reference.rows).min(ROWS)).collect();
    cosine(&subject.gather(&some).angles().data, &reference.gather(&some).angles().data)
}

/// Token rows of subject and reference in two halves, means taken away: even ones make a map, odd ones judge it. Row
/// `t` of both is the same token.
pub(crate) struct Halves {
    fit: (Matrix, Matrix),
    test: (Matrix, Matrix),
}

impl Halves {
    /// Of rows of both sides that answer each other.
    pub(crate) fn split(subject: &Matrix, reference: &Matrix) -> Self {
        let parts = |rows: &Matrix| [0, 1].map(|first| rows.gather(&(first..rows.rows).step_by(2).collect::<Vec<_>>()));
        Self::of(parts(subject), parts(reference))
    }

    /// Of even rows and odd rows of both sides.
    pub(crate) fn of([even, odd]: [Matrix; 2], [their_even, their_odd]: [Matrix; 2]) -> Self {
        let centred = |mut rows: Matrix| {
            rows.centre_columns();
            rows
        };
        Self { fit: (centred(even), centred(their_even)), test: (centred(odd), centred(their_odd)) }
    }
}

impl Fit {
    /// Carries rows along that the map was not made from, some at a time.
    fn of(stream: Stream, (subject, reference): &(Matrix, Matrix)) -> Self {
        let mut sum = 0.0;
        for rows in tiles(subject.rows, subject.cols.max(reference.cols)) {
            let theirs = stream.apply(reference.gather(&rows.clone().collect::<Vec<_>>()));
            sum += subject.part(rows).iter().zip(theirs.iter()).map(|(a, b)| cosine(a, b)).sum::<f64>();
        }
        Self { stream, held_out: sum / subject.rows.max(1) as f64 }
    }
}

/// Rows of this width in as many runs as keep one of them, and the products of two of them, below the size of a tile.
fn tiles(rows: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let most = (TILE / (width.max(1) * size_of::<f32>())).clamp(16, 2_048);
    (0..rows).step_by(most).map(move |it| it..(it + most).min(rows))
}

/// Sizes of the correlations of some coordinates with some others, of which each is a row.
fn sizes(subject: &Matrix, reference: &Matrix) -> Matrix {
    let mut sizes = subject.times_transposed(reference);
    sizes.data.iter_mut().for_each(|it| *it = it.abs());
    sizes
}

/// Coordinates of length one, so that their products are correlations.
fn unit(coordinates: &Matrix, chosen: &[usize]) -> Matrix {
    coordinates.gather(chosen).unit_rows()
}

/// Coordinates that are each other's best, with the size of their correlation; never more than a tile of correlations
/// at once.
fn mutual(subject: &Matrix, reference: &Matrix) -> Vec<(usize, usize, f64)> {
    let mut best = Best::new(subject.rows, reference.rows);
    for cols in tiles(reference.rows, reference.cols) {
        let theirs = unit(reference, &cols.clone().collect::<Vec<_>>());
        for rows in tiles(subject.rows, subject.cols) {
            let ours = unit(subject, &rows.clone().collect::<Vec<_>>());
            best.see(&sizes(&ours, &theirs), rows.start, cols.start);
        }
    }
    best.mutual()
}

/// The choice of coordinates with the largest correlations over shared tokens; a row of both is a coordinate.
fn signed(subject: &Matrix, reference: &Matrix) -> Option<Stream> {
    let mutual = mutual(subject, reference);
    // The largest of d² correlations of t unrelated numbers each.
    let chance = (2.0 * ((subject.rows * reference.rows) as f64).ln() / subject.cols as f64).sqrt();
    let sure = mutual.iter().filter(|it| it.2 > chance).count();
    if sure * 3 < subject.rows.min(reference.rows) {
        return None;
    }
    let mut source: Vec<Option<usize>> = vec![None; subject.rows];
    mutual.iter().for_each(|(row, col, _)| source[*row] = Some(*col));
    // What is nobody's mutual best is few where the map is real, and is assigned as a whole.
    let rows: Vec<usize> = (0..subject.rows).filter(|it| source[*it].is_none()).collect();
    let used: std::collections::BTreeSet<usize> = source.iter().flatten().copied().collect();
    let cols: Vec<usize> = (0..reference.rows).filter(|it| !used.contains(it)).collect();
    if !rows.is_empty() && rows.len() <= cols.len() {
        let left = sizes(&unit(subject, &rows), &unit(reference, &cols));
        for (row, col) in assign(&left).into_iter().enumerate() {
            source[rows[row]] = Some(cols[col]);
        }
    }
    let sign =
        |row: usize, col: usize| unit(subject, &[row]).times_transposed(&unit(reference, &[col])).data[0].signum();
    let source = source.into_iter().enumerate().map(|(row, col)| col.map(|col| (col, sign(row, col)))).collect();
    Some(Stream::Signed { source })
}

/// The orthogonal factor of `subject referenceᵀ`, coordinates as rows; none where it does not come to rest. Fewer rows
/// of tokens than coordinates show no more of a rotation than what it does to the space that they span, and the rest of
/// it is left at nothing: that is looked for within those two spaces, which costs the cube of the rows and not of the
/// width.
fn rotated(subject: &Matrix, reference: &Matrix) -> Option<Stream> {
    if subject.cols >= subject.rows.min(reference.rows) {
        return polar(subject.times_transposed(reference)).map(Stream::Rotated);
    }
    let (ours, lower) = orthonormal(subject.clone());
    let (theirs, their_lower) = orthonormal(reference.clone());
    let within = polar(lower.transposed().times(&their_lower))?;
    Some(Stream::Rotated(ours.times(&within).times_transposed(&theirs)))
}

/// The rotation that is nearest to a square matrix.
#[cfg(test)]
pub(crate) fn rotation(matrix: &Matrix) -> Stream {
    let size = matrix.rows;
    let unit = (0..size * size).map(|it| f32::from(u8::from(it % (size + 1) == 0))).collect();
    rotated(&Matrix::new(size, size, unit), &turned(matrix.clone())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::assignment::mutual_best;
    use crate::linalg::matrix::dot;
    use crate::linalg::random::drawn;

    fn look(subject: &Matrix, reference: &Matrix, widest: usize) -> Candidates {
        candidates(Halves::split(subject, reference), widest)
    }

    /// Tile by tile the same coordinates answer each other as in one matrix of all correlations.
    #[test]
    fn tiles_of_correlations_give_what_the_whole_gives() {
        let (subject, reference) = (drawn(2_100, 12, 9), drawn(2_060, 12, 10));
        let whole = sizes(&subject.clone().unit_rows(), &reference.clone().unit_rows());
        assert!(tiles(subject.rows, 12).count() == 2 && tiles(reference.rows, 12).count() == 2);
        assert_eq!(mutual(&subject, &reference), mutual_best(&whole));
    }

    #[test]
    fn a_signed_permutation_is_found_again() {
        let reference = drawn(400, 24, 1);
        let source: Vec<Option<(usize, f32)>> =
            (0..24).map(|it| Some(((it * 7 + 3) % 24, if it % 3 == 0 { -1.0 } else { 1.0 }))).collect();
        let truth = Stream::Signed { source };
        let found = look(&truth.apply(reference.clone()), &reference, 64);
        assert!(found.fits.iter().any(|it| it.stream == truth && it.held_out > 0.999), "{found:?}");
    }

    #[test]
    fn a_rotation_is_found_again_and_to_fewer_coordinates_too() {
        let reference = drawn(400, 24, 2);
        // A rotation to as many coordinates is found exactly; to fewer, as well as 200 rows show which ones.
        for (width, least) in [(24, 0.999), (16, 0.95)] {
            let Some(Stream::Rotated(truth)) = rotated(&drawn(400, width, 3).transposed(), &reference.transposed())
            else {
                panic!("no rotation")
            };
            let found = look(&Stream::Rotated(truth).apply(reference.clone()), &reference, 64);
            let best = found.fits.iter().map(|it| it.held_out).fold(0.0, f64::max);
            assert!(best > least, "{width} {best}");
        }
    }

    /// In a stream that is too wide to try, distances tell whether there may be a rotation.
    #[test]
    fn a_rotation_of_a_wide_stream_is_looked_for_where_distances_allow_it() {
        let reference = drawn(400, 24, 6);
        let Some(truth) = rotated(&drawn(400, 24, 7).transposed(), &reference.transposed()) else {
            panic!("no rotation")
        };
        let found = look(&truth.apply(reference.clone()), &reference, 8);
        assert!(found.distances.is_none() && found.fits.iter().any(|it| it.held_out > 0.999), "{found:?}");
        let unrelated = look(&drawn(400, 24, 8), &reference, 8);
        assert!(unrelated.distances.is_some_and(|it| it < 0.1) && unrelated.fits.len() == 1, "{unrelated:?}");
    }

    /// Rows that do not span the stream are carried exactly, and what is at a right angle to them all is left at
    /// nothing.
    #[test]
    fn of_a_rotation_of_a_wide_stream_few_rows_show_their_part() {
        let (rows, truth) = (drawn(30, 90, 11), rotation(&drawn(90, 90, 12)));
        let ours = truth.apply(rows.clone());
        let Some(found) = rotated(&ours.transposed(), &rows.transposed()) else { panic!("no rotation") };
        let apart = |one: &Matrix, other: &Matrix| {
            one.data.iter().zip(&other.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(apart(&found.apply(rows.clone()), &ours) < 1e-3, "{}", apart(&found.apply(rows.clone()), &ours));
        let Stream::Rotated(map) = &found else { panic!("no rotation") };
        let size: f64 = dot(&map.data, &map.data);
        assert!((size - 30.0).abs() < 0.01, "{size}");
        // The same rows twice span no more.
        let twice = |rows: &Matrix| Matrix::new(60, 90, [rows.data.clone(), rows.data.clone()].concat()).transposed();
        let Some(again) = rotated(&twice(&ours), &twice(&rows)) else { panic!("no rotation") };
        assert!(apart(&again.apply(rows.clone()), &ours) < 1e-2, "{}", apart(&again.apply(rows.clone()), &ours));
    }

    #[test]
    fn unrelated_rows_fit_nothing() {
        let found = look(&drawn(400, 24, 4), &drawn(400, 24, 5), 64);
        assert!(found.fits.iter().all(|it| it.held_out < 0.1), "{found:?}");
    }
}
