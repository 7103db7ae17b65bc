//! Sampled rows of every matrix where they stand, for the statistics that need no alignment.

use crate::checkpoint::Error;
use crate::weights::matching::matched::Measured;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::statistics::near_values::Counts;
use crate::weights::statistics::row_cosines::Cosines;

/// So many rows of a matrix are looked at, evenly chosen, and the next row of each.
const ROWS: usize = 8;

/// Their directions and their numbers; none for models of another width.
pub(crate) fn sampled(
    subject: &Net<'_>,
    reference: &Net<'_>,
    measured: &Measured,
) -> Result<Option<(Cosines, Counts)>, Error> {
    if subject.hidden != reference.hidden || subject.is_fingerprint() || reference.is_fingerprint() {
        return Ok(None);
    }
    let (mut counts, mut cosines) = (Counts::default(), Cosines::default());
    for answer in &measured.answers {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        for (ours, theirs) in one.matrices().into_iter().zip(other.matrices()) {
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                rows((subject, ours), (reference, theirs), |own, answer, next| {
                    counts.look(own, answer, next);
                    cosines.look(own, answer, next);
                })?;
            }
        }
    }
    Ok((!cosines.is_empty()).then_some((cosines, counts)))
}

/// Hands over rows of the one with their answers and the next rows of the other.
pub(crate) fn rows(
    ours: (&Net<'_>, &Slot),
    theirs: (&Net<'_>, &Slot),
    mut look: impl FnMut(&[f32], &[f32], &[f32]),
) -> Result<(), Error> {
    let (rows, cols) = (ours.1.outputs(), ours.1.inputs());
    if rows < 2 || (rows, cols) != (theirs.1.outputs(), theirs.1.inputs()) {
        return Ok(());
    }
    let count = rows.min(ROWS);
    let chosen: Vec<usize> = (0..count).map(|it| it * rows / count).collect();
    let next: Vec<usize> = chosen.iter().map(|it| (it + 1) % rows).collect();
    let one = ours.1.load_rows(ours.0.numbers, &chosen)?;
    let other = theirs.1.load_rows(theirs.0.numbers, &chosen)?;
    let beside = theirs.1.load_rows(theirs.0.numbers, &next)?;
    (0..count).for_each(|row| look(one.row(row), other.row(row), beside.row(row)));
    Ok(())
}
