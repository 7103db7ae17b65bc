//! A look at what stands in its place: norm gains, some token rows, some hidden units. It reads some megabytes of a
//! model of any size.
//!
//! It can say "derived" and "shared start", since units at the same place are an exact
//! [random-sign test](crate::weights::statistics::random_sign) without any alignment. It can never say "independent":
//! the least re-ordering makes it silent.

use crate::checkpoint::Error;
use crate::linalg::duplicates;
use crate::linalg::matrix::cosine;
use crate::stats::sign_test::RandomSign;
use crate::weights::align::layers;
use crate::weights::align::token_rows;
use crate::weights::matching::duplicate_layers::like_layers;
use crate::weights::matching::matched::Measured;
use crate::weights::matching::measure::gains_in_place;
use crate::weights::model::budget::spread;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Bytes of rows that are read of each side, as numbers of four bytes.
const BYTES: usize = 20 << 20;

/// Layers whose units are looked at.
const LAYERS: usize = 4;

/// Rows that lie behind each other are read at once.
const RUN: usize = 32;

/// Looks; nothing where the two streams are not of one width.
pub(crate) fn measure(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
) -> Result<Option<Measured>, Error> {
    if subject.hidden != reference.hidden || subject.hidden == 0 {
        return Ok(None);
    }
    let rows = (BYTES / (subject.hidden * size_of::<f32>())).max(RUN);
    let place_signs = units(subject, reference, rows * 3 / 4)?;
    let shared = runs(tokens.unwrap_or_default(), rows / 4);
    let gains = gains_in_place(subject, reference)?;
    Ok(Some(Measured {
        kept_gains: gains.clone(),
        gains,
        embedding: token_rows::in_place(subject, reference, &shared)?,
        shared_tokens: tokens.map(<[_]>::len),
        has_gate: true,
        crowd: (subject.hidden, 2),
        place_signs,
        ..Measured::default()
    }))
}

/// Signs of the up projections of units at the same place, of a few layers and one run of units in each.
fn units(subject: &Net<'_>, reference: &Net<'_>, rows: usize) -> Result<RandomSign, Error> {
    let mut signs = RandomSign::default();
    let layers = layers::in_order(subject, reference);
    let cheap: Vec<usize> = layers.iter().map(|it| it.subject).filter(|it| is_cheap(subject, reference, *it)).collect();
    let layers: Vec<usize> = spread(cheap.len(), LAYERS).into_iter().map(|it| cheap[it]).collect();
    let groups = like_layers(reference, &layers)?;
    for at in layers {
        let (one, other) = (&subject.layers[at], &reference.layers[at]);
        let ([ours], [theirs]) = (&one.ffns[..], &other.ffns[..]) else { continue };
        let (Some(up), Some(their_up)) = (&ours.up, &theirs.up) else { continue };
        let some: Vec<usize> = (0..theirs.units().min(rows / LAYERS)).collect();
        let numbers: Vec<usize> = some.iter().map(|it| theirs.number(*it)).collect();
        let ups = subject.folded_rows(up, &numbers, one.ffn_norm.as_ref())?;
        let their_ups = reference.folded_rows(their_up, &some, other.ffn_norm.as_ref())?;
        let cosines: Vec<f64> = ups.iter().zip(their_ups.iter()).map(|(a, b)| cosine(a, b)).collect();
        for (first, value) in duplicates::groups(vec![duplicates::sketched(their_ups)]).into_iter().zip(cosines) {
            signs.add((groups[at], 0, numbers[first]), value);
        }
    }
    Ok(signs)
}

/// Whether a layer of both has one dense block with a gate, of one size and stored row by row: what is stored column by
/// column would have to be read whole.
fn is_cheap(subject: &Net<'_>, reference: &Net<'_>, at: usize) -> bool {
    let ([ours], [theirs]) = (&subject.layers[at].ffns[..], &reference.layers[at].ffns[..]) else { return false };
    let slots = [&ours.gate, &ours.up, &theirs.gate, &theirs.up];
    let are_rows = slots.iter().all(|it| it.as_ref().is_some_and(|it| !it.is_turned()));
    let inputs = |it: &Option<Slot>| it.as_ref().map(Slot::inputs);
    are_rows && ours.width == theirs.width && inputs(&ours.up) == inputs(&theirs.up)
}

/// At most so many of these, in runs that lie behind each other.
fn runs(tokens: &[(u32, u32)], most: usize) -> Vec<(usize, usize)> {
    let chunks: Vec<&[(u32, u32)]> = tokens.chunks(RUN).collect();
    let chosen = spread(chunks.len(), (most / RUN).max(1));
    chosen.into_iter().flat_map(|it| chunks[it]).map(|it| (it.0 as usize, it.1 as usize)).collect()
}
