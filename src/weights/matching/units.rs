//! Hidden units of two feed-forward blocks, matched by their gates and tested by what the gates do not show.

use crate::linalg::regression::Sums;
use crate::weights::model::block::Block;
use crate::weights::model::budget::spread;
use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::Error;
use crate::linalg::assignment::Best;
use crate::linalg::matrix::{Matrix, cosine, norm};
use crate::weights::matching::column_norms::{ColumnSizes, Halves};
use crate::weights::matching::common;
use crate::weights::matching::equal_weights::{self, SAME};
use crate::weights::matching::symmetry::Following;

/// What matched units of one pair of blocks say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Units {
    /// Units of the smaller block: the most that can be matched.
    pub(crate) possible: usize,
    /// Units of the reference's block, among which each one's partner was looked for.
    pub(crate) crowd: usize,
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
    /// For each pair, whether it is the same but for rounding.
    pub(crate) same: Vec<bool>,
    /// Squares of the cosines of gates that do not answer each other, and how many.
    pub(crate) others: (f64, f64),
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

/// Each unit's best by products of what is read of both sides, which are read tile by tile, so that memory does not
/// grow with the blocks.
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
        crowd: theirs,
        is_one_width: subject.width() == reference.width(),
        gate_cosine: pairs.iter().map(|it| it.2).sum(),
        agreeing: pairs.iter().filter(|it| agreed.contains(&(it.0, it.1))).count(),
        ..Units::default()
    };
    let mut seen = Seen { common: Common::of(subject, reference)?, ..Seen::default() };
    let most = reference.tiles().next().map_or(1, |it| it.len());
    for some in pairs.chunks(most) {
        let pairs: Vec<(usize, usize)> = some.iter().map(|it| (it.0, it.1)).collect();
        units.look(subject, reference, &pairs, &mut seen)?;
    }
    units.scale_spread = spread_of(&seen.scales);
    units.columns = [seen.columns.sizes(), seen.columns_back.sizes()];
    Ok(units)
}

/// What is added up over the tiles.
#[derive(Default)]
struct Seen {
    scales: Vec<f64>,
    columns: Halves,
    columns_back: Halves,
    common: Common,
}

/// What up projections of all units have in common, and what units write; subject first.
#[derive(Default)]
struct Common {
    up: common::Pair,
    down: common::Pair,
}

/// What the rows of one kind of a block have in common.
type Direction<'a> = dyn Fn(&Block<'_>) -> Result<Option<Vec<f32>>, Error> + 'a;

/// Units that tell what all have in common.
const TELLING: usize = 256;

impl Common {
    fn of(subject: &Block<'_>, reference: &Block<'_>) -> Result<Self, Error> {
        let some = |block: &Block<'_>| spread(block.units(), TELLING);
        let up = |block: &Block<'_>| Ok::<_, Error>(common::direction(&block.ups(&some(block))?));
        let down = |block: &Block<'_>| Ok::<_, Error>(common::direction(&block.downs(&some(block))?));
        // The second side is read only where the first has one.
        let both = |of: &Direction<'_>| {
            let ours = of(subject)?;
            let theirs = if ours.is_some() { of(reference)? } else { None };
            Ok::<_, Error>(common::Pair::of(ours, theirs))
        };
        Ok(Self { up: both(&up)?, down: both(&down)? })
    }
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
            if let Some((ours, theirs)) = reference.back(ours).zip(reference.back(theirs)) {
                seen.columns_back.see(&ours, &theirs, before);
            }
        }
        let (plain_ups, their_plain_ups) = seen.common.up.taken_out(ups.clone(), their_ups.clone());
        let (plain_downs, their_plain_downs) = seen.common.down.taken_out(downs.clone(), their_downs.clone());
        let keys = gates.as_ref().map_or((&ups, &their_ups), |it| (&it.0, &it.1));
        let others = equal_weights::others(keys.0, keys.1);
        self.others = (self.others.0 + others.0, self.others.1 + others.1);
        for (at, (row, col)) in pairs.iter().enumerate() {
            let key = cosine(keys.0.row(at), keys.1.row(at));
            let (col, row) = (reference.number(*col), subject.number(*row));
            let up = cosine(plain_ups.row(at), their_plain_ups.row(at));
            let down = cosine(plain_downs.row(at), their_plain_downs.row(at));
            self.pairs.push((row, col));
            let behind = if gates.is_some() { up } else { down };
            self.same.push(key >= SAME && behind.abs() >= SAME);
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

/// What stands behind the gates of the reference's units and the subject's at the same place, as `(unit, cosines)`;
/// nothing where there are no gates or not as many units in the whole block.
pub(crate) fn in_place(subject: &Block<'_>, reference: &Block<'_>) -> Result<Vec<(usize, f64)>, Error> {
    if !subject.has_gate() || !reference.has_gate() || subject.width() != reference.width() {
        return Ok(Vec::new());
    }
    let (common, mut found) = (Common::of(subject, reference)?, Vec::new());
    for tile in reference.tiles() {
        let theirs: Vec<usize> = tile.collect();
        let numbers: Vec<usize> = theirs.iter().map(|it| reference.number(*it)).collect();
        let (ups, their_ups) = common.up.taken_out(subject.ups(&numbers)?, reference.ups(&theirs)?);
        let (downs, their_downs) = common.down.taken_out(subject.downs(&numbers)?, reference.downs(&theirs)?);
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

fn spread_of(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    (numbers.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}
