//! A map between two streams from hidden units alone, for models whose token rows show none: embeddings that were
//! replaced, in a body that was then permuted or rotated.
//!
//! What a rotation of the stream cannot change are the angles between the rows of one block. First each unit has a
//! description of its own: how long its gate is, how long what stands behind it is, and the angles between the three,
//! whatever the unit's sign and scale. Units whose descriptions are each other's nearest are a guess, of which few are
//! right. Then a unit is described by the angles of its gate with the gates of all units that were matched so far, and
//! matched again: a guess that is right here and there spreads over the whole block within a few rounds, and one that
//! is wrong everywhere does not. Gates matched so are handed to the same search that token rows are handed to.
//!
//! The random-sign test stays exact: the description does not change where a unit's up and down projections both turn
//! in sign, and neither does the match.
//!
//! **Null.** Angles of matched gates in unrelated models agree by less than 0.3 after so many rounds (176 units in 64
//! dimensions; less in wider ones). A wrong map costs time and no more: what comes of it is tested as any other map is.
//!
//! Layers are tried in their order first, the first, the middle and the last; where none of those shows anything, each
//! with every other as far as `PAIRS` goes, since they may be stored under any number.
//!
//! **What it cannot tell.** Experts other than the first are not tried, and a fingerprint holds too few units. Of
//! models of more than eight layers in another order not all pairs are tried.
//!
//! References: V. Lyzinski, D. Fishkind and C. Priebe, "Seeded graph matching for correlated Erdős-Rényi graphs", JMLR
//! 15 (2014); P. Schönemann, Psychometrika 31 (1966) for the rotation.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::Error;
use crate::linalg::assignment::mutual_best;
use crate::linalg::matrix::{Matrix, cosine, norm};
use crate::stats::permutation::scores;
use crate::weights::align::search::Halves;
use crate::weights::model::basis::Stream;
use crate::weights::model::block::{Block, block_bytes};
use crate::weights::model::budget::of_each;
use crate::weights::model::layer::Layer;
use crate::weights::model::view::Net;

/// So many units of a block are looked at: those that do the most, which are the same in models that are related.
const UNITS: usize = 512;

/// How often units are matched anew.
const ROUNDS: usize = 12;

/// How alike the angles of matched gates must be.
const ALIKE: f64 = 0.5;

/// Up to so many pairs of layers are all tried where layers do not answer each other in their order: those of models of
/// eight layers. Of deeper ones every layer of the reference is tried beside the middle one of the subject, and where
/// that finds its partner beside the first and the last.
const PAIRS: usize = 64;

/// After so many rounds a guess that spreads is well above what unrelated gates come to, and any other is given up.
const FIRST_ROUNDS: usize = 4;
const SPREADING: f64 = 0.3;

/// Fewer units are matched by chance.
const LEAST: usize = 16;

/// Gates of units that answer each other, row by row, each side in its own coordinates; none where no layer shows any.
pub(crate) fn matched_gates(subject: &Net<'_>, reference: &Net<'_>) -> Result<Option<Halves>, Error> {
    if subject.is_fingerprint() || reference.is_fingerprint() {
        return Ok(None);
    }
    let (ours, theirs) = (subject.layers.len(), reference.layers.len());
    let tried = layer_pairs(ours, theirs);
    let mut found = gates_of(subject, reference, &tried)?;
    if found.0.rows < LEAST {
        // Layers may be stored under any number.
        let is_small = ours.saturating_mul(theirs) <= PAIRS;
        let chosen: Vec<usize> = if is_small { (0..ours).collect() } else { vec![ours / 2] };
        found = gates_of(subject, reference, &beside_all(&chosen, theirs, &tried))?;
        if !is_small && found.0.rows >= LEAST {
            // One layer shows no more of a rotation than its gates span.
            let more = gates_of(subject, reference, &beside_all(&[0, ours - 1], theirs, &tried))?;
            found.0.append(more.0);
            found.1.append(more.1);
        }
    }
    Ok((found.0.rows >= LEAST).then(|| Halves::split(&found.0, &found.1)))
}

/// Matched gates of these pairs of layers.
fn gates_of(subject: &Net<'_>, reference: &Net<'_>, pairs: &[(usize, usize)]) -> Result<(Matrix, Matrix), Error> {
    let bytes = block_bytes(subject, reference);
    let mut partners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    pairs.iter().for_each(|(one, other)| partners.entry(*other).or_default().push(*one));
    let chosen: BTreeSet<usize> = pairs.iter().map(|it| it.0).collect();
    let chosen: Vec<usize> = chosen.into_iter().collect();
    let graphs = of_each(&chosen, bytes, |it| Graph::of(subject, &subject.layers[*it]))?;
    let graphs: BTreeMap<usize, Graph> =
        chosen.into_iter().zip(graphs).filter_map(|(at, it)| Some((at, it?))).collect();
    // A layer of the reference is read once, whatever it is tried beside.
    let partners: Vec<(usize, Vec<usize>)> = partners.into_iter().collect();
    let gates = of_each(&partners, bytes, |(other, ones)| {
        let Some(other) = Graph::of(reference, &reference.layers[*other])? else { return Ok(Vec::new()) };
        let both = ones.iter().filter_map(|it| graphs.get(it)).map(|one| {
            let (rows, cols): (Vec<usize>, Vec<usize>) = matched(one, &other).into_iter().unzip();
            (one.gates.gather(&rows), other.gates.gather(&cols))
        });
        Ok(both.collect())
    })?;
    let (mut ours, mut theirs) = (Matrix::default(), Matrix::default());
    for (one, other) in gates.into_iter().flatten() {
        ours.append(one);
        theirs.append(other);
    }
    Ok((ours, theirs))
}

/// Some layers of the subject with every layer of the reference, but for the pairs that were tried.
fn beside_all(chosen: &[usize], theirs: usize, tried: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let all = chosen.iter().flat_map(|one| (0..theirs).map(move |other| (*one, other)));
    all.filter(|it| !tried.contains(it)).collect()
}

/// The first, the middle and the last layer; of models that are not as deep, the first and the last.
fn layer_pairs(ours: usize, theirs: usize) -> Vec<(usize, usize)> {
    if ours == 0 || theirs == 0 {
        return Vec::new();
    }
    let mut pairs = vec![(0, 0), (ours - 1, theirs - 1)];
    if ours == theirs {
        pairs.insert(1, (ours / 2, ours / 2));
    }
    pairs.dedup();
    pairs
}

/// The units of one block, by what a rotation of the stream leaves as it is.
struct Graph {
    /// Gates as they stand, norm gains folded in.
    gates: Matrix,
    /// What each unit is like by itself, as normal scores.
    features: Matrix,
    /// Cosines of gates, without those of a gate with itself.
    angles: Matrix,
}

impl Graph {
    fn of(net: &Net<'_>, layer: &Layer) -> Result<Option<Self>, Error> {
        let Some(ffn) = layer.ffns.first() else { return Ok(None) };
        let Some(block) = Block::of(net, layer, ffn, &Stream::Same) else { return Ok(None) };
        let chosen = block.largest(UNITS)?;
        let (gates, ups, downs) = block.rows(&chosen)?;
        Ok(Some(Self::new(gates, ups.as_ref(), &downs)))
    }

    fn new(gates: Matrix, ups: Option<&Matrix>, downs: &Matrix) -> Self {
        Self { features: features(&gates, ups, downs), angles: gates.angles(), gates }
    }
}

/// One row a unit: lengths and angles of its gate, what it is multiplied with, and what it writes.
fn features(gates: &Matrix, ups: Option<&Matrix>, downs: &Matrix) -> Matrix {
    let each = |number: &dyn Fn(usize) -> f64| scores(&(0..gates.rows).map(|it| number(it) as f32).collect::<Vec<_>>());
    let mut columns = vec![
        each(&|it| norm(gates.row(it))),
        each(&|it| norm(downs.row(it)) * ups.map_or(1.0, |ups| norm(ups.row(it)))),
    ];
    match ups {
        Some(ups) => columns.extend([
            each(&|it| cosine(gates.row(it), ups.row(it)).abs()),
            each(&|it| cosine(gates.row(it), downs.row(it)).abs()),
            each(&|it| cosine(ups.row(it), downs.row(it))),
        ]),
        None => columns.push(each(&|it| cosine(gates.row(it), downs.row(it)))),
    }
    Matrix::new(columns.len(), gates.rows, columns.concat()).transposed()
}

/// Units that answer each other; none where the angles between them do not agree.
fn matched(ours: &Graph, theirs: &Graph) -> Vec<(usize, usize)> {
    let mut pairs = mutual(&nearness(&ours.features, &theirs.features));
    for round in 0..ROUNDS {
        if round == FIRST_ROUNDS && agreement(ours, theirs, &pairs) < SPREADING {
            return Vec::new();
        }
        let (rows, cols): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let seen = |angles: &Matrix, others: &[usize]| angles.gather(others).transposed().unit_rows();
        let next = mutual(&seen(&ours.angles, &rows).times_transposed(&seen(&theirs.angles, &cols)));
        if next == pairs {
            break;
        }
        pairs = next;
    }
    if pairs.len() >= LEAST && agreement(ours, theirs, &pairs) >= ALIKE { pairs } else { Vec::new() }
}

/// How alike the angles of matched gates are.
fn agreement(ours: &Graph, theirs: &Graph, pairs: &[(usize, usize)]) -> f64 {
    let (rows, cols): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
    let among = |angles: &Matrix, units: &[usize]| -> Vec<f32> {
        units.iter().flat_map(|row| units.iter().map(|col| angles.row(*row)[*col])).collect()
    };
    cosine(&among(&ours.angles, &rows), &among(&theirs.angles, &cols))
}

fn mutual(scores: &Matrix) -> Vec<(usize, usize)> {
    mutual_best(scores).into_iter().map(|it| (it.0, it.1)).collect()
}

/// Squared distances of all rows of one to all rows of the other, turned in sign.
fn nearness(ours: &Matrix, theirs: &Matrix) -> Matrix {
    let distance = |a: &[f32], b: &[f32]| -a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let data = ours.iter().flat_map(|a| theirs.iter().map(move |b| distance(a, b))).collect();
    Matrix::new(ours.rows, theirs.rows, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;
    use crate::weights::align::search::rotation;

    const DIMENSIONS: usize = 48;

    fn drawn(rows: usize, cols: usize, random: &mut Random) -> Matrix {
        Matrix::new(rows, cols, (0..rows * cols).map(|_| random.normal()).collect())
    }

    fn graph([gates, ups, downs]: [Matrix; 3]) -> Graph {
        Graph::new(gates, Some(&ups), &downs)
    }

    /// Gate, up and down of a block; units differ in length and in the angle of gate and up, as trained ones do.
    fn block(seed: u64) -> [Matrix; 3] {
        let mut random = Random::new(seed);
        let mut parts = [(); 3].map(|()| drawn(128, DIMENSIONS, &mut random));
        for unit in 0..128 {
            let (size, mixed) = ((0.3 * random.normal()).exp(), 0.5 * random.normal());
            for at in unit * DIMENSIONS..(unit + 1) * DIMENSIONS {
                parts[0].data[at] *= size;
                parts[1].data[at] += mixed * parts[0].data[at];
                parts[2].data[at] += 0.5 * mixed * parts[1].data[at];
            }
        }
        parts
    }

    /// The same trained on a little, in other coordinates, and its units turned round in order and in sign and scaled.
    fn disguised(parts: &[Matrix; 3], seed: u64) -> [Matrix; 3] {
        let mut random = Random::new(seed);
        let turn = drawn(DIMENSIONS, DIMENSIONS, &mut random);
        let turn = rotation(&turn);
        let order: Vec<usize> = (0..128).map(|it| (it * 37 + 11) % 128).collect();
        let mut parts = parts.clone().map(|part| {
            let mut part = part.gather(&order);
            part.data.iter_mut().for_each(|it| *it += 0.15 * random.normal());
            turn.apply(part)
        });
        for at in 0..128 * DIMENSIONS {
            let sign = if (at / DIMENSIONS).is_multiple_of(3) { -1.0 } else { 1.0 };
            parts[1].data[at] *= 2.0 * sign;
            parts[2].data[at] *= 0.5 * sign;
        }
        parts
    }

    #[test]
    fn units_are_found_again_whatever_coordinates_they_are_in() {
        let one = block(1);
        let other = disguised(&one, 2);
        let pairs = matched(&graph(one), &graph(other));
        let right = pairs.iter().filter(|(ours, theirs)| (theirs * 37 + 11) % 128 == *ours).count();
        assert!(right > 110, "{right} of {}", pairs.len());
    }

    /// Turning a unit in sign changes no feature, so that the sign test has its coins yet.
    #[test]
    fn features_do_not_see_the_sign_of_a_unit() {
        let [gates, mut ups, mut downs] = block(3);
        let before = features(&gates, Some(&ups), &downs);
        for part in [&mut ups, &mut downs] {
            part.data.iter_mut().for_each(|it| *it = -*it);
        }
        assert_eq!(features(&gates, Some(&ups), &downs), before);
    }

    #[test]
    fn unrelated_blocks_match_nowhere() {
        for seed in 10..30 {
            let graphs = [seed, seed + 100].map(|seed| graph(block(seed)));
            assert_eq!(matched(&graphs[0], &graphs[1]), [], "{seed}");
        }
    }

    #[test]
    fn layers_are_tried_from_both_ends() {
        assert_eq!(layer_pairs(4, 4), [(0, 0), (2, 2), (3, 3)]);
        assert_eq!(layer_pairs(1, 1), [(0, 0)]);
        assert_eq!(layer_pairs(4, 6), [(0, 0), (3, 5)]);
        assert_eq!(layer_pairs(0, 6), []);
    }

    #[test]
    fn layers_are_tried_under_any_number() {
        let tried = layer_pairs(5, 5);
        assert_eq!(beside_all(&[0, 1, 2, 3, 4], 5, &tried).len(), 22);
        assert_eq!(beside_all(&[15], 30, &layer_pairs(30, 30)).len(), 29, "the pair in order was tried");
        assert_eq!(beside_all(&[], 4, &[]), []);
    }
}
