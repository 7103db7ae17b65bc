//! Attention heads of two layers in the same coordinates.
//!
//! Two statistics. Value dimensions carry a sign that changes nothing, exactly as hidden units do: `(row of V, columns
//! of O)` may be turned together, so that their cosines, dimension by dimension, are a random-sign test. It is silent
//! where the basis between value and output was changed; then the product `O V` of a head, which no such change
//! touches, is compared with that of every other head of the reference, and how far the matched head stands above those
//! is a calibrated z.
//!
//! Some heads of the subject are held; those of the reference pass by them one after the other.
//!
//! References: Y. Zheng et al., `HuRef`, `NeurIPS` 2024, for invariant products (broken by norm gains that are not
//! folded first); the null of the sign test is in [`random_sign`](crate::weights::statistics::random_sign).

use crate::checkpoint::Error;
use crate::linalg::duplicates::{are_copies, sketched};
use crate::linalg::matrix::Matrix;
use crate::linalg::regression::Sums;
use crate::weights::matching::column_norms::{ColumnSizes, Halves};
use crate::weights::matching::common::Pair;
use crate::weights::matching::heads::{Attention, Band, Beside, Group, Head, Held, product, trace};
use crate::weights::model::budget::spread;

/// Rows of values that tell whether two groups of heads are copies of each other.
const TELLING_ROWS: usize = 16;

/// Rows of each half whose columns are measured, up to whole heads; all where there are no more.
const COLUMN_ROWS: usize = 256;

/// What two layers' heads say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heads {
    /// Cosines of value dimensions, by position, where both sides have the same heads.
    pub(crate) signs: Vec<f64>,
    /// The coin of each: the position of the same dimension in the first group that the reference's group is a copy of.
    pub(crate) coins: Vec<usize>,
    /// Heads of the subject, each with the reference's head that looks for the most alike, by `QᵀK`.
    pub(crate) matched: Vec<(usize, usize)>,
    /// How far `OV` of matched heads stands above `OV` of other heads.
    pub(crate) z: f64,
    /// Of `OV` products of matched heads.
    pub(crate) products: Sums,
    /// Of `QᵀK` products of matched heads.
    pub(crate) looks: Sums,
    /// Of queries of matched heads as they stand, dimension by dimension.
    pub(crate) plain: Sums,
    /// Sizes of the columns of query, key and value projection; of a rotated stream in the reference's coordinates too.
    pub(crate) columns: [ColumnSizes; 2],
}

/// Compares at most so many heads of a layer with all heads of another.
pub(crate) fn compare(subject: &Attention<'_>, reference: &Attention<'_>, most: usize) -> Result<Heads, Error> {
    let chosen = spread(subject.heads(), most);
    let mut places = if subject.shape() == reference.shape() { Some(Places::new(subject, reference)?) } else { None };
    let mut heads = Heads::default();
    let mut written = Matrix::new(chosen.len(), reference.heads(), Vec::new());
    for some in chosen.chunks(subject.held()) {
        let held = Held::of(subject, some)?;
        let seen = pass(&held, reference, places.as_mut())?;
        if let Some(places) = places.take() {
            places.say(&mut heads);
        }
        for (head, row) in some.iter().zip(&seen) {
            let scores = written.data.chunks_exact_mut(reference.heads().max(1)).nth(heads.matched.len());
            let best = heads.add(row);
            scores.unwrap_or_default().iter_mut().zip(row).for_each(|(to, it)| *to = alike(&it.writes) as f32);
            heads.matched.push((*head, best));
        }
    }
    heads.columns = columns(subject, reference)?;
    heads.z = standing(&written, &heads.matched.iter().map(|it| it.1).collect::<Vec<_>>());
    Ok(heads)
}

/// Sizes of the columns of some heads on both sides: of queries as one half, and of keys and values as the other.
fn columns(subject: &Attention<'_>, reference: &Attention<'_>) -> Result<[ColumnSizes; 2], Error> {
    let [ours, theirs] = [subject.some_rows(COLUMN_ROWS)?, reference.some_rows(COLUMN_ROWS)?];
    let mut halves = [Halves::default(), Halves::default()];
    for (half, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        halves[0].see_half(half, ours, theirs);
        if let Some((ours, theirs)) = reference.back(ours).zip(reference.back(theirs)) {
            halves[1].see_half(half, &ours, &theirs);
        }
    }
    Ok(halves.map(|it| it.sizes()))
}

/// What one head of each side look for and write, together.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    looks: Sums,
    writes: Sums,
    plain: Sums,
}

impl Heads {
    /// Takes what one head and all heads of the other side say, and tells which of them it answers.
    fn add(&mut self, row: &[Seen]) -> usize {
        let alike = |it: usize| alike(&row[it].looks);
        let best = (0..row.len()).max_by(|a, b| alike(*a).total_cmp(&alike(*b))).unwrap_or(0);
        if let Some(Seen { looks, writes, plain }) = row.get(best) {
            for (sums, it) in [(&mut self.looks, looks), (&mut self.products, writes), (&mut self.plain, plain)] {
                sums.add(it.both, it.subject, it.reference);
            }
        }
        best
    }
}

fn alike(sums: &Sums) -> f64 {
    sums.both / (sums.subject * sums.reference).max(f64::MIN_POSITIVE).sqrt()
}

/// Sees the held heads beside every head of the reference: one row for each of them.
fn pass(held: &Held<'_>, reference: &Attention<'_>, mut places: Option<&mut Places>) -> Result<Vec<Vec<Seen>>, Error> {
    let ours = held.each();
    let mut seen = vec![Vec::with_capacity(reference.heads()); ours.len()];
    let mut shared: Option<Shared> = None;
    for range in reference.bands() {
        let band = Band::of(reference, range.clone())?;
        let beside = if places.is_some() { Some(held.beside(&range)?) } else { None };
        for number in range {
            let (query, group) = (band.query(number)?, reference.group(number));
            let is_new = shared.as_ref().is_none_or(|it| it.group.number != group);
            if is_new {
                shared = Some(Shared::of(held, Group::of(reference, group)?));
            }
            let Some(shared) = &shared else { continue };
            if let (Some(places), Some(beside)) = (places.as_deref_mut(), &beside) {
                places.head(beside, number, &band);
                if is_new {
                    places.group(beside, &shared.group)?;
                }
            }
            let head = band.head(number, &query, &shared.group);
            seen.iter_mut().zip(&ours).for_each(|(row, (group, one))| row.push(shared.see(one, *group, &head)));
        }
    }
    Ok(seen)
}

/// A group of the reference, with the products of its keys and values and those that are held: heads share them.
struct Shared {
    group: Group,
    keys: Vec<Matrix>,
    values: Vec<Matrix>,
}

impl Shared {
    fn of(held: &Held<'_>, group: Group) -> Self {
        let keys = held.groups().iter().map(|it| it.key.times_transposed(&group.key)).collect();
        let values = held.groups().iter().map(|it| it.value.times_transposed(&group.value)).collect();
        Self { group, keys, values }
    }

    fn see(&self, one: &Head<'_>, group: usize, other: &Head<'_>) -> Seen {
        let queries = one.query.times_transposed(other.query);
        let looks = product(&queries, &self.keys[group]);
        let writes = product(&one.output.times_transposed(other.output), &self.values[group]);
        Seen {
            looks: Sums { both: looks, subject: one.looks, reference: other.looks },
            writes: Sums { both: writes, subject: one.writes, reference: other.writes },
            plain: Sums { both: trace(&queries), subject: one.size, reference: other.size },
        }
    }
}

/// What stands at the same place on both sides, gathered head by head.
struct Places {
    /// Cosines of value dimensions, and sums over the heads of a group of those of what they write.
    values: Vec<f64>,
    written: Vec<f64>,
    coins: Vec<usize>,
    /// The first of every set of groups that are copies of each other, with some rows of its values.
    firsts: Vec<(usize, Matrix)>,
    /// Heads of a group, and dimensions of a head.
    each: usize,
    dim: usize,
    /// What values have in common on both sides, and what heads write.
    common: [Pair; 2],
}

impl Places {
    fn new(subject: &Attention<'_>, all: &Attention<'_>) -> Result<Self, Error> {
        let ([value, output], [their_value, their_output]) = (subject.common()?, all.common()?);
        let common = [Pair::of(value, their_value), Pair::of(output, their_output)];
        let (heads, kv_heads, dim) = all.shape();
        let written = vec![0.0; kv_heads * dim];
        let each = heads / kv_heads;
        let values = Vec::with_capacity(written.len());
        Ok(Self { values, written, coins: Vec::new(), firsts: Vec::new(), each, dim, common })
    }

    fn head(&mut self, beside: &Beside<'_>, number: usize, band: &Band<'_>) {
        let both = beside.output(number).iter().zip(band.output(number).iter());
        let first = number / self.each * self.dim;
        for (sum, (a, b)) in self.written[first..].iter_mut().zip(both) {
            *sum += self.common[1].cosine(a, b);
        }
    }

    /// Groups come in their order.
    fn group(&mut self, beside: &Beside<'_>, group: &Group) -> Result<(), Error> {
        let value = beside.value(group.number)?;
        let common = &self.common[0];
        self.values.extend(value.iter().zip(group.value.iter()).map(|(a, b)| common.cosine(a, b)));
        let first = self.first_of(group);
        self.coins.extend(first * self.dim..(first + 1) * self.dim);
        Ok(())
    }

    /// The first group that has the same values; the first rows tell, since copies have them in common.
    fn first_of(&mut self, group: &Group) -> usize {
        let rows: Vec<usize> = (0..group.value.rows.min(TELLING_ROWS)).collect();
        let rows = sketched(group.value.gather(&rows));
        if let Some((number, _)) = self.firsts.iter().find(|it| are_copies(&it.1, &rows)) {
            return *number;
        }
        self.firsts.push((group.number, rows));
        group.number
    }

    fn say(self, heads: &mut Heads) {
        let written = self.written.iter().map(|it| it / self.each as f64);
        heads.signs = self.values.iter().zip(written).map(|(value, written)| value + written).collect();
        heads.coins = self.coins;
    }
}

/// How far the mean of the matched entries is above that of the others, as a z-score: Student's t with the variance of
/// the others, whose few entries are allowed for (Wallace's approximation of the normal deviate of the same tail).
fn standing(scores: &Matrix, matched: &[usize]) -> f64 {
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for (row, numbers) in scores.iter().enumerate() {
        for (col, number) in numbers.iter().enumerate() {
            if matched.get(row) == Some(&col) {
                chosen.push(f64::from(*number));
            } else {
                others.push(f64::from(*number));
            }
        }
    }
    if others.len() < 6 || chosen.is_empty() {
        return 0.0;
    }
    let mean = |it: &[f64]| it.iter().sum::<f64>() / it.len() as f64;
    let centre = mean(&others);
    let degrees = (others.len() - 1) as f64;
    let spread = (others.iter().map(|it| (it - centre).powi(2)).sum::<f64>() / degrees).sqrt();
    let error = spread * (1.0 / chosen.len() as f64 + 1.0 / others.len() as f64).sqrt();
    if error > 0.0 { student((mean(&chosen) - centre) / error, degrees) } else { 0.0 }
}

/// The normal deviate with the tail of Student's t, to about 0.02.
///
/// Reference: D. L. Wallace, "Bounds on normal approximations to Student's and the chi-square distributions", Ann.
/// Math. Stat. 30 (1959).
fn student(t: f64, degrees: f64) -> f64 {
    let scale = (8.0 * degrees + 1.0) / (8.0 * degrees + 3.0);
    scale * (degrees * (t * t / degrees).ln_1p()).sqrt() * t.signum()
}

#[cfg(test)]
mod tests;
