//! Rows of tokens that both models have: some make the map between the streams, the others judge it and are compared.
//!
//! Rows are read some at a time, and of each no more is kept than is asked for.

use crate::checkpoint::Error;
use crate::linalg::duplicates::sketched;
use crate::linalg::matrix::{Matrix, cosine};
use crate::linalg::regression::Sums;
use crate::stats::tail;
use crate::weights::align::search::Halves;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::{TILE, spread};
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
    /// How many rows look most like that of their own token, of how many that were asked.
    pub(crate) own: (usize, usize),
}

impl Tokens {
    /// Base-10 logarithm of the p-value that so many rows find their own token, were tokens a random permutation.
    pub(crate) fn own_token_log10_p(&self) -> f64 {
        tail::agreeing_points(self.own.0, 1)
    }

    /// Whether most of the rows that were asked find their own token.
    pub(crate) fn do_most_find_their_own(&self) -> bool {
        self.own.0 * 2 >= self.own.1
    }
}

/// Rows that are compared with the others at once.
const BAND: usize = 256;

/// Cosine from which on rows of one model are near copies of each other, as those of tokens are that never occurred;
/// and how large a share of a model's rows such a group must be.
const COPIES: f64 = 0.9;
const GROUP: f64 = 0.01;

/// Rows that are asked which token of the other side they look most like.
const ASKED: usize = 512;

/// Those of some rows that are no near copies of many others in their own model: rows of tokens that never occurred end
/// at one vector, and a map that carries one vector carries them all.
pub(crate) fn distinct(
    subject: &Side<'_>,
    reference: &Side<'_>,
    rows: &[(usize, usize)],
) -> Result<Vec<(usize, usize)>, Error> {
    let Some((ours, theirs)) = both(subject, reference, rows) else { return Ok(rows.to_vec()) };
    if ours.1.len() != rows.len() {
        return Ok(rows.to_vec());
    }
    let (one, other) = (subject.are_copies(&ours)?, reference.are_copies(&theirs)?);
    let kept = rows.iter().zip(one.iter().zip(&other)).filter(|it| !it.1.0 && !it.1.1);
    Ok(kept.map(|it| *it.0).collect())
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

    /// Which rows are near copies of many others, by those of a sample.
    fn are_copies(&self, (slot, rows): &(&Slot, Vec<usize>)) -> Result<Vec<bool>, Error> {
        let mut sketches = Matrix::default();
        for part in self.read(slot, rows) {
            sketches.append(sketched(part?));
        }
        let sketches = sketches.unit_rows();
        let sample = sketches.gather(&spread(sketches.rows, ASKED));
        let most = (GROUP * sample.rows as f64).max(4.0) as usize;
        let mut copies = Vec::with_capacity(sketches.rows);
        for from in (0..sketches.rows).step_by(BAND) {
            let band = sketches.part(from..(from + BAND).min(sketches.rows)).times_transposed(sample.all());
            // A row may be near to itself.
            copies.extend(band.iter().map(|row| row.iter().filter(|it| f64::from(**it) >= COPIES).count() > most + 1));
        }
        Ok(copies)
    }

    /// Rows that there are, in runs of which each is read at once; every run but the last has as many even rows as odd
    /// ones.
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

/// How many of some rows look most like the row of the same place, among as many of the other side.
fn own(one: &Matrix, other: &Matrix) -> (usize, usize) {
    let some = spread(one.rows, ASKED);
    let products = one.gather(&some).unit_rows().times_transposed(&other.gather(&some).unit_rows());
    let is_own = |(at, row): (usize, &[f32])| {
        let own = row.get(at).copied().unwrap_or_default();
        own > 0.0 && row.iter().enumerate().all(|(it, number)| it == at || *number < own)
    };
    (products.iter().enumerate().filter(|it| is_own(*it)).count(), some.len())
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
    tokens.own = own(&one, &other);
    Ok(tokens)
}
