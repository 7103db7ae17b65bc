//! Hidden units of two feed-forward blocks, matched by their gates and tested by what the gates do not show.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::checkpoint::Error;
use crate::weights::assignment::Best;
use crate::weights::column_sizes::{ColumnSizes, Halves};
use crate::weights::copies::{groups, sketched};
use crate::weights::matrix::{Matrix, cosine, dot, norm};
use crate::weights::net::{FeedForward, Layer, Net};
use crate::weights::stream::Stream;
use crate::weights::symmetry::Following;

/// Bytes of one side's rows that are held at once.
pub(crate) const TILE: usize = 32 << 20;

/// A feed-forward block whose units are read on demand: each of its matrices as `[units, stream]`, in one set of coordinates.
pub(crate) struct Block<'a> {
    net: &'a Net<'a>,
    layer: &'a Layer,
    ffn: &'a FeedForward,
    stream: &'a Stream,
}

impl<'a> Block<'a> {
    /// A block, carried along by a map of the stream; none where it is not complete or does not fit together.
    pub(crate) fn of(net: &'a Net<'a>, layer: &'a Layer, ffn: &'a FeedForward, stream: &'a Stream) -> Option<Self> {
        let (up, down) = (ffn.up.as_ref()?, ffn.down.as_ref()?);
        let fits = up.inputs() == net.hidden && down.outputs() == net.hidden && up.outputs() == down.inputs();
        let gate_fits = ffn.gate.as_ref().is_none_or(|it| (it.outputs(), it.inputs()) == (up.outputs(), up.inputs()));
        (fits && gate_fits).then_some(Self { net, layer, ffn, stream })
    }

    fn units(&self) -> usize {
        self.ffn.units()
    }

    pub(crate) fn has_gate(&self) -> bool {
        self.ffn.gate.is_some()
    }

    /// Rows of the gate, norm gains folded in; none for a block without one.
    fn gates(&self, units: &[usize]) -> Result<Option<Matrix>, Error> {
        let norm = self.layer.ffn_norm.as_ref();
        let rows = self.ffn.gate.as_ref().map(|it| self.net.folded_rows(it, units, norm)).transpose()?;
        Ok(rows.map(|it| self.stream.apply(it)))
    }

    fn ups(&self, units: &[usize]) -> Result<Matrix, Error> {
        let Some(up) = &self.ffn.up else { return Ok(Matrix::default()) };
        Ok(self.stream.apply(self.net.folded_rows(up, units, self.layer.ffn_norm.as_ref())?))
    }

    /// What units write into the stream.
    fn downs(&self, units: &[usize]) -> Result<Matrix, Error> {
        let Some(down) = &self.ffn.down else { return Ok(Matrix::default()) };
        Ok(self.stream.apply(down.load_columns(self.net.numbers, units)?))
    }

    /// What units look for, what that is multiplied with where there are gates, and what they write.
    pub(crate) fn rows(&self, units: &[usize]) -> Result<(Matrix, Option<Matrix>, Matrix), Error> {
        let (ups, downs) = (self.ups(units)?, self.downs(units)?);
        Ok(match self.gates(units)? {
            Some(gates) => (gates, Some(ups), downs),
            None => (ups, None, downs),
        })
    }

    /// At most so many units, those that do the most: by the lengths of their gate, of what it is multiplied with and of what
    /// they write, so that units which were added and write nothing are not among them. In the order of their numbers.
    pub(crate) fn largest(&self, most: usize) -> Result<Vec<usize>, Error> {
        let mut lengths = Vec::with_capacity(self.units());
        for tile in self.tiles().filter(|_| self.units() > most) {
            let (keys, ups, downs) = self.rows(&tile.collect::<Vec<_>>())?;
            let size = |it: usize| ups.as_ref().map_or(1.0, |ups| norm(ups.row(it))) * norm(downs.row(it));
            lengths.extend(keys.iter().enumerate().map(|(at, key)| norm(key) * size(at)));
        }
        let mut units: Vec<usize> = (0..self.units()).collect();
        if units.len() > most {
            units.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]));
            units.truncate(most);
            units.sort_unstable();
        }
        Ok(units)
    }

    /// The coin of each unit by its number: the number of the first unit of those that it is a copy of.
    pub(crate) fn coins(&self) -> Result<BTreeMap<usize, usize>, Error> {
        let mut kinds = [Matrix::default(), Matrix::default()];
        for tile in self.tiles() {
            let units: Vec<usize> = tile.collect();
            for (all, rows) in kinds.iter_mut().zip([self.ups(&units)?, self.downs(&units)?]) {
                all.append(sketched(rows));
            }
        }
        let number = |it: usize| self.ffn.number(it);
        Ok(groups(kinds.into()).into_iter().enumerate().map(|(unit, first)| (number(unit), number(first))).collect())
    }

    /// What units are matched by.
    fn keys(&self, units: &[usize]) -> Result<Matrix, Error> {
        Ok(match self.gates(units)? {
            Some(gate) => gate.unit_rows(),
            None => self.ups(units)?.unit_rows(),
        })
    }

    /// What they are matched by a second time, without regard to sign.
    fn second_keys(&self, units: &[usize]) -> Result<Matrix, Error> {
        Ok(if self.has_gate() { self.ups(units)?.unit_rows() } else { self.downs(units)?.unit_rows() })
    }

    /// The units in as many runs as keep one of them below the size of a tile.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (units, most) = (self.units(), tile(self.net.hidden));
        (0..units).step_by(most).map(move |it| it..(it + most).min(units))
    }
}

/// Bytes that a look at a block of each of two models holds, at most: of each its three projections, or a tile of each, with what
/// they were read from; and the products of two tiles by two kinds of rows.
pub(crate) fn block_bytes(subject: &Net<'_>, reference: &Net<'_>) -> usize {
    let units = |net: &Net<'_>| {
        let units = net.layers.iter().flat_map(|it| &it.ffns).map(FeedForward::units).max().unwrap_or(0);
        units.min(tile(net.hidden))
    };
    let (ours, theirs) = (units(subject), units(reference));
    let rows = ours.saturating_mul(subject.hidden).saturating_add(theirs.saturating_mul(reference.hidden));
    (6 * size_of::<f32>()).saturating_mul(rows).saturating_add(2 * size_of::<f32>() * ours * theirs)
}

/// Units of a tile: few enough for the products of two tiles to be no larger than two of them.
fn tile(hidden: usize) -> usize {
    (TILE / hidden.max(1).saturating_mul(size_of::<f32>())).clamp(16, 4_096)
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
    /// For each pair, how far what stands behind the gates follows them: inside the subject, and inside the reference.
    pub(crate) following: Vec<[Following; 2]>,
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
    /// Sizes of the columns of gate and up projection; of a rotated stream in the reference's coordinates too.
    pub(crate) columns: [ColumnSizes; 2],
}

/// What is read of units.
type Read<'a> = dyn Fn(&Block<'a>, &[usize]) -> Result<Matrix, Error> + Sync;

/// Each unit's best by products of what is read of both sides, which are read tile by tile, so that memory does not grow with
/// the blocks.
fn best<'a>(subject: &Block<'a>, reference: &Block<'a>, read: &Read<'a>, is_signed: bool) -> Result<Best, Error> {
    let mut best = Best::new(subject.units(), reference.units());
    for cols in reference.tiles() {
        let theirs = read(reference, &cols.clone().collect::<Vec<_>>())?;
        for rows in subject.tiles() {
            let mut products = read(subject, &rows.clone().collect::<Vec<_>>())?.times_transposed(&theirs);
            if !is_signed {
                products.data.iter_mut().for_each(|it| *it = it.abs());
            }
            best.see(&products, rows.start, cols.start);
        }
    }
    Ok(best)
}

/// How well gates match: the cosines of those that are each other's best, over all that could be matched.
pub(crate) fn gate_score<'a>(subject: &Block<'a>, reference: &Block<'a>) -> Result<f64, Error> {
    let pairs = best(subject, reference, &Block::keys, true)?.mutual();
    let possible = subject.units().min(reference.units());
    Ok(pairs.iter().map(|it| it.2).sum::<f64>() / possible.max(1) as f64)
}

/// Matches the units of two blocks in the same coordinates.
pub(crate) fn compare<'a>(subject: &Block<'a>, reference: &Block<'a>) -> Result<Units, Error> {
    let (ours, theirs) = (subject.units(), reference.units());
    let by = |read: &Read<'a>, is_signed| best(subject, reference, read, is_signed);
    let (by_key, by_other) = rayon::join(|| by(&Block::keys, true), || by(&Block::second_keys, false));
    let (by_key, by_other) = (by_key?, by_other?);
    let pairs = by_key.mutual();
    let agreed: BTreeSet<(usize, usize)> = by_other.mutual().into_iter().map(|it| (it.0, it.1)).collect();
    let mut units = Units {
        possible: ours.min(theirs),
        is_one_width: subject.ffn.width == reference.ffn.width,
        gate_cosine: pairs.iter().map(|it| it.2).sum(),
        agreeing: pairs.iter().filter(|it| agreed.contains(&(it.0, it.1))).count(),
        ..Units::default()
    };
    let mut seen = Seen::default();
    let most = reference.tiles().next().map_or(1, |it| it.len());
    for some in pairs.chunks(most) {
        let pairs: Vec<(usize, usize)> = some.iter().map(|it| (it.0, it.1)).collect();
        units.look(subject, reference, &pairs, &mut seen)?;
    }
    units.scale_spread = spread(&seen.scales);
    units.columns = [seen.columns.sizes(), seen.columns_back.sizes()];
    Ok(units)
}

/// What is added up over the tiles.
#[derive(Default)]
struct Seen {
    scales: Vec<f64>,
    columns: Halves,
    columns_back: Halves,
}

impl Units {
    /// How well units were matched, without their signs: cosines of gates over all that could be matched.
    pub(crate) fn match_score(&self) -> f64 {
        self.gate_cosine / self.possible.max(1) as f64
    }

    /// Adds what matched units show behind their gates.
    fn look(
        &mut self,
        subject: &Block<'_>,
        reference: &Block<'_>,
        pairs: &[(usize, usize)],
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let (ours, theirs): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let (ups, downs) = (subject.ups(&ours)?, subject.downs(&ours)?);
        let (their_ups, their_downs) = (reference.ups(&theirs)?, reference.downs(&theirs)?);
        let gates = subject.gates(&ours)?.zip(reference.gates(&theirs)?);
        let before = seen.scales.len();
        for (ours, theirs) in gates.iter().map(|it| (&it.0, &it.1)).chain([(&ups, &their_ups)]) {
            seen.columns.see(ours, theirs, before);
            if reference.stream.is_compact_rotation() {
                let back = |rows| reference.stream.back(rows, reference.net.hidden);
                seen.columns_back.see(&back(ours), &back(theirs), before);
            }
        }
        for (at, (row, col)) in pairs.iter().enumerate() {
            let (col, row) = (reference.ffn.number(*col), subject.ffn.number(*row));
            let (up, down) = (cosine(ups.row(at), their_ups.row(at)), cosine(downs.row(at), their_downs.row(at)));
            self.pairs.push((row, col));
            let inside = |gates: Option<&Matrix>, ups: &Matrix, downs: &Matrix| following(at, gates, ups, downs);
            self.following.push([
                inside(gates.as_ref().map(|it| &it.0), &ups, &downs),
                inside(gates.as_ref().map(|it| &it.1), &their_ups, &their_downs),
            ]);
            self.signs.insert(col, if gates.is_some() { up + down } else { down });
            self.turned += usize::from(up < 0.0 && down < 0.0);
            self.in_place += usize::from(row == col);
            self.up_cosine += up.abs();
            let scale = norm(ups.row(at)) / norm(their_ups.row(at)).max(f64::MIN_POSITIVE);
            seen.scales.push(scale.max(1e-12).ln());
            if let Some((ours, theirs)) = &gates {
                self.gate.rows(ours.row(at), theirs.row(at), 1.0);
            }
            self.up.rows(ups.row(at), their_ups.row(at), up.signum());
            // A unit may be scaled up in front and down behind; only the product is the model's.
            let scale = if gates.is_some() { scale } else { 1.0 };
            self.down.rows(downs.row(at), their_downs.row(at), down.signum() * scale);
        }
        Ok(())
    }
}

/// What stands behind the gates of the reference's units and the subject's at the same place, as `(unit, cosines)`; nothing
/// where there are no gates or not as many units in the whole block.
pub(crate) fn in_place(subject: &Block<'_>, reference: &Block<'_>) -> Result<Vec<(usize, f64)>, Error> {
    if !subject.has_gate() || !reference.has_gate() || subject.ffn.width != reference.ffn.width {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for tile in reference.tiles() {
        let theirs: Vec<usize> = tile.collect();
        let numbers: Vec<usize> = theirs.iter().map(|it| reference.ffn.number(*it)).collect();
        let (ups, downs) = (subject.ups(&numbers)?, subject.downs(&numbers)?);
        let (their_ups, their_downs) = (reference.ups(&theirs)?, reference.downs(&theirs)?);
        for (at, number) in numbers.into_iter().enumerate() {
            let up = cosine(ups.row(at), their_ups.row(at));
            found.push((number, up + cosine(downs.row(at), their_downs.row(at))));
        }
    }
    Ok(found)
}

/// How far what stands behind the gate of one unit follows it.
fn following(unit: usize, gates: Option<&Matrix>, ups: &Matrix, downs: &Matrix) -> Following {
    let (up, down) = (ups.row(unit), downs.row(unit));
    match gates.map(|it| it.row(unit)) {
        Some(gate) => Following { up: cosine(gate, up), down: cosine(gate, down) },
        None => Following { up: cosine(up, down), down: 0.0 },
    }
}

fn spread(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    (numbers.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}
