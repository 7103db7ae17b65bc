//! Hidden units of two feed-forward blocks, matched by their gates and tested by what the gates do not show.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::weights::assignment::mutual_best;
use crate::weights::matrix::{Matrix, cosine, dot, norm};
use crate::weights::net::{FeedForward, Layer, Net};
use crate::weights::stream::Stream;

/// A feed-forward block in one set of coordinates: `[units, stream]` each.
pub(crate) struct Block {
    gate: Option<Matrix>,
    up: Matrix,
    /// Turned round, so that a row is what one unit writes.
    down: Matrix,
}

impl Block {
    /// Loads a block, norm gains folded in; none where it is not complete.
    pub(crate) fn load(net: &Net<'_>, layer: &Layer, ffn: &FeedForward) -> Result<Option<Self>, Error> {
        let (Some(up), Some(down)) = (&ffn.up, &ffn.down) else { return Ok(None) };
        let norm = layer.ffn_norm.as_ref();
        let gate = ffn.gate.as_ref().map(|it| net.folded(it, norm)).transpose()?;
        let (up, down) = (net.folded(up, norm)?, down.load(net.numbers)?.transposed());
        let fits = up.cols == net.hidden && down.cols == net.hidden && up.rows == down.rows;
        Ok(fits.then_some(Self { gate, up, down }))
    }

    pub(crate) fn mapped(&self, stream: &Stream) -> Self {
        Self {
            gate: self.gate.as_ref().map(|it| stream.apply(it)),
            up: stream.apply(&self.up),
            down: stream.apply(&self.down),
        }
    }

    fn key(&self) -> &Matrix {
        self.gate.as_ref().unwrap_or(&self.up)
    }
}

/// Sums from which the slope and the cosine of one set of numbers on another follow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) both: f64,
    pub(crate) subject: f64,
    pub(crate) reference: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, both: f64, subject: f64, reference: f64) {
        self.both += both;
        self.subject += subject;
        self.reference += reference;
    }

    pub(crate) fn rows(&mut self, subject: &[f32], reference: &[f32], scale: f64) {
        self.add(scale * dot(subject, reference), scale * scale * dot(subject, subject), dot(reference, reference));
    }

    pub(crate) fn cosine(&self) -> f64 {
        let lengths = (self.subject * self.reference).sqrt();
        if lengths > 0.0 { self.both / lengths } else { 0.0 }
    }

    /// How much of the one is kept in the other: the larger of the two regression slopes. 1 where one side is the other
    /// plus something unrelated to it, whichever side that is. `scale` is how much larger the subject is by its units.
    pub(crate) fn retained(&self, scale: f64) -> f64 {
        let slope = |size: f64| if size > 0.0 { self.both / size } else { 0.0 };
        (slope(self.reference) / scale).max(slope(self.subject) * scale)
    }
}

/// What matched units of one pair of blocks say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Units {
    /// Units of the smaller block: the most that can be matched.
    pub(crate) possible: usize,
    /// Whether both blocks have as many units.
    pub(crate) is_one_width: bool,
    /// Matched pairs, subject unit first.
    pub(crate) pairs: Vec<(usize, usize)>,
    /// Sum of the gates' cosines over the pairs.
    pub(crate) gate_cosine: f64,
    /// For each matched reference unit: cosines of what stands behind the gate. Their sign is what the test is about.
    pub(crate) signs: BTreeMap<usize, f64>,
    /// Units that the up projection, matched by itself without regard to sign, gives the same partner as the gate does.
    pub(crate) agreeing: usize,
    /// Units whose up and down projections both have the other sign.
    pub(crate) turned: usize,
    /// Units whose nearest unit has the same number.
    pub(crate) in_place: usize,
    /// Sum of |cosine| of up projections.
    pub(crate) up_cosine: f64,
    /// Spread of the logarithm of the units' scale between gate-side and down-side.
    pub(crate) scale_spread: f64,
    pub(crate) gate: Sums,
    pub(crate) up: Sums,
    pub(crate) down: Sums,
}

/// Matches the units of two blocks in the same coordinates.
pub(crate) fn compare(subject: &Block, reference: &Block) -> Units {
    let scores = subject.key().clone().unit_rows().times_transposed(&reference.key().clone().unit_rows());
    let pairs = mutual_best(&scores);
    let mut units =
        Units { possible: scores.rows.min(scores.cols), is_one_width: scores.rows == scores.cols, ..Units::default() };
    let ups = Matrix { data: up_scores(subject, reference), rows: scores.rows, cols: scores.cols };
    let by_up: BTreeMap<usize, usize> = mutual_best(&ups).into_iter().map(|(row, col, _)| (row, col)).collect();
    let mut scales = Vec::with_capacity(pairs.len());
    for (row, col, gate_cosine) in pairs {
        let (up_s, up_r) = (subject.up.row(row), reference.up.row(col));
        let (down_s, down_r) = (subject.down.row(row), reference.down.row(col));
        let (up, down) = (cosine(up_s, up_r), cosine(down_s, down_r));
        units.pairs.push((row, col));
        units.gate_cosine += gate_cosine;
        units.signs.insert(col, if subject.gate.is_some() { up + down } else { down });
        units.agreeing += usize::from(by_up.get(&row) == Some(&col));
        units.turned += usize::from(up < 0.0 && down < 0.0);
        units.in_place += usize::from(row == col);
        units.up_cosine += up.abs();
        let scale = norm(up_s) / norm(up_r).max(f64::MIN_POSITIVE);
        scales.push(scale.max(1e-12).ln());
        if let (Some(gate_s), Some(gate_r)) = (&subject.gate, &reference.gate) {
            units.gate.rows(gate_s.row(row), gate_r.row(col), 1.0);
        }
        units.up.rows(up_s, up_r, up.signum());
        // A unit may be scaled up in front and down behind; only the product is the model's.
        units.down.rows(down_s, down_r, down.signum() * if subject.gate.is_some() { scale } else { 1.0 });
    }
    units.scale_spread = spread(&scales);
    units
}

/// What stands behind the gates of units at the same place; nothing where there are no gates or not as many units.
pub(crate) fn in_place(subject: &Block, reference: &Block) -> Vec<f64> {
    if subject.gate.is_none() || reference.gate.is_none() || subject.up.rows != reference.up.rows {
        return Vec::new();
    }
    let ups = subject.up.iter().zip(reference.up.iter());
    let downs = subject.down.iter().zip(reference.down.iter());
    ups.zip(downs).map(|(up, down)| cosine(up.0, up.1) + cosine(down.0, down.1)).collect()
}

/// |cosines| of up projections; for a block without a gate, of down projections, since the up projection is the key then.
fn up_scores(subject: &Block, reference: &Block) -> Vec<f32> {
    let side = |it: &Block| if it.gate.is_some() { it.up.clone() } else { it.down.clone() }.unit_rows();
    let scores = side(subject).times_transposed(&side(reference));
    scores.data.into_iter().map(f32::abs).collect()
}

fn spread(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    (numbers.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}
