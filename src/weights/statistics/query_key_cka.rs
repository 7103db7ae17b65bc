//! Aligned CKA of queries and keys: do they see the coordinates of the stream alike.
//!
//! **Statistic.** For the query and the key projection of layers that answer each other, in the same coordinates: the
//! unbiased centred kernel alignment of `W_qᵀ W_q` and of `W_kᵀ W_k`, sampled coordinates of the stream as the samples.
//! No order, sign, scale or rotation inside a head shows in it.
//!
//! **Null.** The same with the coordinates of one side shifted against the other's, some times over: unrelated models
//! see their coordinates in no order of each other's. It speaks for a relation six standard deviations of the shifts
//! above their mean. A rule of thumb, without a p-value: shifts are few, and coordinates that all models of a kind
//! treat alike (outlying ones that share an index) would raise it.
//!
//! **What it cannot tell.** Nothing where the stream could not be aligned; of the feed-forward blocks nothing at all.
//!
//! References: S. Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019; L. Song et
//! al., "Feature Selection via Dependence Maximization", JMLR 13 (2012), for the unbiased estimate; B. Zeng et al.,
//! AWM, ICLR 2026.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::linalg::matrix::{Matrix, dot};
use crate::weights::matching::matched::Measured;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::TILE;
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::statistics::{Compared, Definition, Observation, Role, Support};

/// So many coordinates of the stream are looked at, evenly chosen.
const COORDINATES: usize = 256;

/// At most so many layers, the first ones that answer each other.
const LAYERS: usize = 8;

/// How many shifts make the null.
const SHIFTS: usize = 12;

/// How many standard deviations of the shifts are asked for.
const SURE: f64 = 6.0;

/// And how much: the few shifts do not see what all models of like text learn alike, which comes to 0.22.
const LEAST: f64 = 0.3;

pub(crate) const DEFINITION: Definition =
    Definition { ids: &[StatisticId::QueryKeyCka], role: Role::Supports, observe };

/// None where no query and key of one width of stream could be compared.
fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let (Some((subject, reference)), measured) = (compared.nets, compared.measured) else { return Ok(Vec::new()) };
    let (mut own, mut shifted, mut count) = (0.0, vec![0.0; SHIFTS], 0_usize);
    for answer in measured.answers.iter().take(LAYERS) {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        for (ours, theirs) in kernels(subject, one, reference, other, measured)? {
            own += alignment(&ours, &theirs, 0);
            for (at, sum) in shifted.iter_mut().enumerate() {
                *sum += alignment(&ours, &theirs, (at + 1) * ours.rows / (SHIFTS + 1));
            }
            count += 1;
        }
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let each = |sum: f64| sum / count as f64;
    let mean = each(shifted.iter().sum::<f64>() / SHIFTS as f64);
    let spread = (shifted.iter().map(|it| (each(*it) - mean).powi(2)).sum::<f64>() / (SHIFTS - 1) as f64).sqrt();
    Ok(vec![Observation {
        id: StatisticId::QueryKeyCka,
        component: "attention".to_owned(),
        value: each(own),
        samples: count,
        kind: PKind::Heuristic,
        null: format!("shifted coordinates: {mean:.3}, spread {spread:.3}"),
        support: Support::Heuristic(each(own) > LEAST && each(own) > mean + SURE * spread),
    }])
}

/// The kernels of query and key on both sides, over the same coordinates.
fn kernels(
    subject: &Net<'_>,
    one: &Layer,
    reference: &Net<'_>,
    other: &Layer,
    measured: &Measured,
) -> Result<Vec<(Matrix, Matrix)>, Error> {
    let mut kernels = Vec::new();
    for (ours, theirs) in [(&one.query, &other.query), (&one.key, &other.key)] {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        let width = ours.inputs();
        if measured.stream.width(theirs.inputs()) == Some(width) && width >= 8 {
            let count = width.min(COORDINATES);
            let chosen: Vec<usize> = (0..count).map(|it| it * width / count).collect();
            let kernel = |seen: Matrix| centred(seen.times_transposed(&seen));
            let ours = seen(subject, ours, one.attention_norm.as_ref(), &Stream::Same, &chosen)?;
            let theirs = seen(reference, theirs, other.attention_norm.as_ref(), &measured.stream, &chosen)?;
            kernels.push((kernel(ours), kernel(theirs)));
        }
    }
    Ok(kernels)
}

/// What a projection makes of some coordinates of the stream, one a row, the gain of the norm folded in. A rotation
/// alone takes all coordinates for each, and rows are then read some at a time.
fn seen(net: &Net<'_>, slot: &Slot, norm: Option<&String>, stream: &Stream, chosen: &[usize]) -> Result<Matrix, Error> {
    let source: Vec<Option<(usize, f32)>> = match stream {
        Stream::Same => chosen.iter().map(|it| Some((*it, 1.0))).collect(),
        Stream::Signed { source } => chosen.iter().map(|it| source[*it]).collect(),
        Stream::Rotated(map) => {
            let some = Stream::Rotated(map.gather(chosen));
            let mut seen = Matrix { rows: 0, cols: chosen.len(), data: Vec::new() };
            let rows: Vec<usize> = (0..slot.outputs()).collect();
            for rows in rows.chunks((TILE / (slot.inputs().max(1) * size_of::<f32>())).max(16)) {
                some.apply(net.folded_rows(slot, rows, norm)?).iter().for_each(|row| seen.push(row));
            }
            return Ok(seen.transposed());
        }
    };
    let columns: Vec<usize> = source.iter().flatten().map(|it| it.0).collect();
    let loaded = slot.load_columns(net.numbers, &columns)?;
    let gain = net.norm(norm)?.filter(|it| it.len() == slot.inputs());
    let mut seen = Matrix::new(chosen.len(), slot.outputs(), Vec::new());
    let places = seen.data.chunks_exact_mut(loaded.cols.max(1)).zip(&source).filter_map(|(to, it)| Some((to, (*it)?)));
    for ((to, (col, sign)), row) in places.zip(loaded.iter()) {
        let gain = gain.as_ref().map_or(1.0, |it| it[col]);
        to.iter_mut().zip(row).for_each(|(to, it)| *to = it * gain * sign);
    }
    Ok(seen)
}

/// Without its diagonal, and centred so that its products with others are unbiased.
fn centred(mut kernel: Matrix) -> Matrix {
    let size = kernel.rows;
    for at in 0..size {
        kernel.data[at * size + at] = 0.0;
    }
    let sums: Vec<f64> = kernel.iter().map(|row| row.iter().map(|it| f64::from(*it)).sum()).collect();
    let total: f64 = sums.iter().sum();
    let n = size as f64;
    let mean: Vec<f64> = sums.iter().map(|it| it / (n - 2.0) - total / (2.0 * (n - 1.0) * (n - 2.0))).collect();
    for (row, numbers) in kernel.data.chunks_exact_mut(size.max(1)).enumerate() {
        for (col, number) in numbers.iter_mut().enumerate() {
            *number = if row == col { 0.0 } else { (f64::from(*number) - mean[row] - mean[col]) as f32 };
        }
    }
    kernel
}

/// The alignment of two centred kernels, coordinates of the second shifted by so many.
fn alignment(one: &Matrix, other: &Matrix, shift: usize) -> f64 {
    let size = one.rows;
    let both: f64 = (0..size)
        .map(|row| {
            let shifted = other.row((row + shift) % size);
            let (end, start) = shifted.split_at(shift);
            let ours = one.row(row);
            dot(&ours[..size - shift], start) + dot(&ours[size - shift..], end)
        })
        .sum();
    let lengths = (dot(&one.data, &one.data) * dot(&other.data, &other.data)).sqrt();
    if lengths > 0.0 { both / lengths } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    fn drawn(rows: usize, seed: u64) -> Matrix {
        let mut random = Random::new(seed);
        Matrix::new(rows, 64, (0..rows * 64).map(|_| random.normal()).collect())
    }

    fn kernel(weights: &Matrix) -> Matrix {
        let seen = weights.transposed();
        centred(seen.times_transposed(&seen))
    }

    #[test]
    fn what_happens_inside_a_head_does_not_show() {
        let weights = drawn(32, 51);
        let turned: Vec<usize> = (0..32).rev().collect();
        let other = weights.gather(&turned);
        assert!((alignment(&kernel(&weights), &kernel(&other), 0) - 1.0).abs() < 1e-6);
        assert!(alignment(&kernel(&weights), &kernel(&drawn(32, 52)), 0).abs() < 0.06);
    }

    #[test]
    fn a_shift_takes_coordinates_from_their_answers() {
        let weights = kernel(&drawn(32, 53));
        assert!(alignment(&weights, &weights, 5).abs() < 0.1);
        // Shifting one side and looking at it shifted is looking at it as it was.
        let size = weights.rows;
        let back = Matrix::new(
            size,
            size,
            (0..size * size)
                .map(|at| weights.row((at / size + size - 5) % size)[(at % size + size - 5) % size])
                .collect(),
        );
        assert!((alignment(&weights, &back, 5) - 1.0).abs() < 1e-6);
    }

    struct One(Vec<f32>);

    impl crate::weights::model::tensors::Numbers for One {
        fn read(&self, name: &str, elements: std::ops::Range<u64>) -> Result<Vec<f32>, Error> {
            let some = elements.start as usize..elements.end as usize;
            Ok(if name == "gain" { some.map(|it| 1.0 + it as f32 / 64.0).collect() } else { self.0[some].to_vec() })
        }

        fn has(&self, _: &str) -> bool {
            true
        }
    }

    /// The coordinates that are looked at come out as they are in the whole.
    #[test]
    fn some_coordinates_are_those_of_the_whole() {
        let (weights, chosen) = (drawn(12, 54), [1, 8, 40]);
        let source = (0..48).map(|it| (it != 8).then_some(((it * 5 + 2) % 64, if it % 3 == 0 { -1.0 } else { 1.0 })));
        let streams =
            [Stream::Same, Stream::Signed { source: source.collect() }, Stream::Rotated(drawn(48, 55).unit_rows())];
        let gain: Vec<f32> = (0..64).map(|it| 1.0 + it as f32 / 64.0).collect();
        for is_turned in [false, true] {
            let stored = if is_turned { weights.transposed() } else { weights.clone() };
            let slot = Slot::plain("query", (stored.rows as u64, stored.cols as u64), is_turned);
            let numbers = One(stored.data);
            let mut net = Net::empty(&numbers, 64);
            net.know_length("gain", 64);
            for stream in &streams {
                let mut folded = weights.clone();
                folded.scale_columns(&gain);
                let whole = stream.apply(folded).transposed().gather(&chosen);
                assert_eq!(seen(&net, &slot, Some(&"gain".to_owned()), stream, &chosen).unwrap(), whole);
            }
        }
    }
}
