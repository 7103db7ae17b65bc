//! Rows of tokens that both models have: some make the map between the streams, the others judge it and are compared.
//!
//! Rows are read some at a time, and of each no more is kept than is asked for.

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, cosine};
use crate::linalg::regression::Sums;
use crate::weights::align::search::Halves;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::TILE;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Rows of tokens that both models have, in the subject's coordinates; those alone that had no part in the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tokens {
    /// Number of rows compared.
    pub(crate) count: usize,
    /// Mean cosine row by row, without the mean row.
    pub(crate) cosine: f64,
    /// Of all numbers, means taken away.
    pub(crate) sums: Sums,
}

/// The embedding or the head of a model.
pub(crate) struct Side<'a> {
    net: &'a Net<'a>,
    slot: Option<&'a Slot>,
    /// The final gain, where it is to be folded in.
    norm: Option<&'a String>,
}

impl<'a> Side<'a> {
    pub(crate) fn embedding(net: &'a Net<'a>) -> Self {
        Self { net, slot: net.embedding.as_ref(), norm: None }
    }

    pub(crate) fn head(net: &'a Net<'a>) -> Self {
        Self { net, slot: net.head.as_ref(), norm: net.final_norm.as_ref() }
    }

    /// Rows that there are, in runs of which each is read at once; every run but the last has as many even rows as odd ones.
    fn read<'b>(
        &'b self,
        slot: &'b Slot,
        rows: &'b [usize],
    ) -> impl Iterator<Item = Result<Matrix, Error>> + use<'a, 'b> {
        let most = (TILE / (slot.inputs().max(1) * size_of::<f32>())).max(16).next_multiple_of(2);
        rows.chunks(most).map(|it| self.net.folded_rows(slot, it, self.norm))
    }
}

/// Two slots, and rows of each that answer each other; none where there are none.
type Both<'a> = Option<((&'a Slot, Vec<usize>), (&'a Slot, Vec<usize>))>;

fn both<'a>(subject: &Side<'a>, reference: &Side<'a>, rows: &[(usize, usize)]) -> Both<'a> {
    let (ours, theirs) = (subject.slot?, reference.slot?);
    let one: Vec<usize> = rows.iter().map(|it| it.0).filter(|it| *it < ours.outputs()).collect();
    let other: Vec<usize> = rows.iter().map(|it| it.1).filter(|it| *it < theirs.outputs()).collect();
    (one.len() == other.len() && !one.is_empty()).then_some(((ours, one), (theirs, other)))
}

/// Which rows of the two embeddings are the same token: those of shared tokens, or the same ids where nothing is known.
pub(crate) fn shared(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    most: usize,
) -> Vec<(usize, usize)> {
    let size = |net: &Net<'_>| net.embedding.as_ref().or(net.head.as_ref()).map_or(0, Slot::outputs);
    let (ours, theirs) = (size(subject), size(reference));
    let all: Vec<(usize, usize)> = match tokens {
        Some(tokens) => {
            tokens.iter().map(|it| (it.0 as usize, it.1 as usize)).filter(|it| it.0 < ours && it.1 < theirs).collect()
        }
        None => (0..ours.min(theirs)).map(|it| (it, it)).collect(),
    };
    let step = all.len().div_ceil(most.max(1)).max(1);
    all.into_iter().step_by(step).collect()
}

/// Rows of shared tokens of both models, each in its own coordinates.
pub(crate) fn halves(subject: Side<'_>, reference: Side<'_>, rows: &[(usize, usize)]) -> Result<Option<Halves>, Error> {
    let Some((ours, theirs)) = both(&subject, &reference, rows) else { return Ok(None) };
    let split = |side: &Side<'_>, (slot, rows): &(&Slot, Vec<usize>)| -> Result<[Matrix; 2], Error> {
        let mut halves = [rows.len().div_ceil(2), rows.len() / 2].map(|it| empty(it, slot.inputs()));
        for part in side.read(slot, rows) {
            part?.iter().enumerate().for_each(|(at, row)| halves[at % 2].push(row));
        }
        Ok(halves)
    };
    Ok(Some(Halves::of(split(&subject, &ours)?, split(&reference, &theirs)?)))
}

fn empty(rows: usize, cols: usize) -> Matrix {
    Matrix { rows: 0, cols, data: Vec::with_capacity(rows * cols) }
}

/// Rows of these tokens, coordinates as they stand.
pub(crate) fn in_place(subject: &Net<'_>, reference: &Net<'_>, rows: &[(usize, usize)]) -> Result<Tokens, Error> {
    let count = |net: &Net<'_>| net.embedding.as_ref().map_or(0, Slot::outputs);
    let (ours, theirs) = (count(subject), count(reference));
    let rows: Vec<(usize, usize)> = rows.iter().copied().filter(|it| it.0 < ours && it.1 < theirs).collect();
    compare(Side::embedding(subject), Side::embedding(reference), &rows, &Stream::Same)
}

/// Compares rows that had no part in the map.
pub(crate) fn compare(
    subject: Side<'_>,
    reference: Side<'_>,
    rows: &[(usize, usize)],
    stream: &Stream,
) -> Result<Tokens, Error> {
    let Some((ours, theirs)) = both(&subject, &reference, rows) else { return Ok(Tokens::default()) };
    if stream.width(theirs.0.inputs()) != Some(ours.0.inputs()) {
        return Ok(Tokens::default());
    }
    // The even rows made the map, and fit it by construction where coordinates are many and tokens few.
    let held_out = |side: &Side<'_>, (slot, rows): &(&Slot, Vec<usize>), stream: &Stream| -> Result<Matrix, Error> {
        let mut kept = empty(rows.len() / 2, ours.0.inputs());
        for part in side.read(slot, rows) {
            let part = part?;
            let odd = part.gather(&(1..part.rows).step_by(2).collect::<Vec<_>>());
            stream.apply(odd).iter().for_each(|row| kept.push(row));
        }
        kept.centre_columns();
        Ok(kept)
    };
    let (one, other) = (held_out(&subject, &ours, &Stream::Same)?, held_out(&reference, &theirs, stream)?);
    let mut tokens = Tokens { count: one.rows, ..Tokens::default() };
    for (a, b) in one.iter().zip(other.iter()) {
        tokens.cosine += cosine(a, b) / one.rows as f64;
        tokens.sums.rows(a, b, 1.0);
    }
    Ok(tokens)
}
