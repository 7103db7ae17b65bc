//! The attention heads of a layer, read on demand: how wide a model is decides how many are held at once, and not how
//! much memory they take.

use std::borrow::Cow;
use std::ops::Range;

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, Rows, dot};
use crate::weights::matching::common;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::spread;
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Bytes of what neighbouring heads write that are read at once. A head alone would be a short stretch of every row,
/// where the output projection lies in rows, and as many reads as there are rows.
const BAND: usize = 64 << 20;

/// A layer with more heads is none of a language model, and what its heads say together would have no bound.
const MOST: usize = 2_048;

/// Heads that tell what all have in common.
const TELLING: usize = 4;

/// Bytes of heads that are held until every head of the other side was seen beside them.
const HELD: usize = 256 << 20;

/// Bytes that comparing the attention of one layer of two models holds, about: its four projections on both sides, or
/// as much as may be held of them, and the products of keys and of values.
pub(crate) fn attention_bytes(subject: &Net<'_>, reference: &Net<'_>) -> usize {
    let side = |net: &Net<'_>| {
        let widest = net.layers.iter().filter_map(|it| it.query.as_ref()).map(Slot::outputs).max();
        let rows = net.heads.saturating_mul(net.head_dim).max(widest.unwrap_or(0));
        let size = if net.head_dim > 0 { net.head_dim } else { SIZES.iter().copied().max().unwrap_or(1) };
        let projections = rows.saturating_mul(net.hidden).saturating_mul(4 * size_of::<f32>());
        let products = rows.saturating_mul(size).saturating_mul(4 * size_of::<f32>());
        projections.min(HELD + BAND).saturating_add(products)
    };
    side(subject).saturating_add(side(reference))
}

/// Sizes of a head that released models have, tried where nothing says it.
const SIZES: &[usize] = &[128, 64, 256, 96, 80, 112, 192, 160, 512, 48, 40, 32, 16, 8];

/// How rows are cut into heads: heads, groups of them that share keys and values, and dimensions of each.
pub(crate) type Cut = (usize, usize, usize);

/// The ways to cut the heads of two layers: the known one of each side; where one side alone knows the size of its
/// heads, that; and where none does, every usual size that fits both. A side whose projections are not all there has
/// none.
pub(crate) fn cuts((subject, one): (&Net<'_>, &Layer), (reference, other): (&Net<'_>, &Layer)) -> Vec<[Cut; 2]> {
    let known = (known(subject, one), known(reference, other));
    let both = |size: usize| Some([cut(one, size)?, cut(other, size)?]);
    match known {
        (Some(ours), Some(theirs)) => vec![[ours, theirs]],
        (Some(ours), None) => cut(other, ours.2).map(|it| [ours, it]).into_iter().collect(),
        (None, Some(theirs)) => cut(one, theirs.2).map(|it| [it, theirs]).into_iter().collect(),
        (None, None) => SIZES.iter().filter_map(|it| both(*it)).collect(),
    }
}

/// What a model says of its heads, where that fits its projections.
fn known(net: &Net<'_>, layer: &Layer) -> Option<Cut> {
    let size = if net.head_dim > 0 { net.head_dim } else { net_size(net, layer)? };
    cut(layer, size).filter(|it| *it == (net.heads, net.kv_heads, size))
}

fn net_size(net: &Net<'_>, layer: &Layer) -> Option<usize> {
    layer.query.as_ref()?.outputs().checked_div(net.heads)
}

/// The heads of a layer, were each of this size; `None` if its projections cannot be cut so.
fn cut(layer: &Layer, size: usize) -> Option<Cut> {
    let (query, key) = (layer.query.as_ref()?.outputs(), layer.key.as_ref()?.outputs());
    let fits = size > 0 && query > 0 && key > 0 && query.is_multiple_of(size) && key.is_multiple_of(size);
    let (heads, groups) = fits.then(|| (query / size, key / size))?;
    (heads <= MOST && heads.is_multiple_of(groups)).then_some((heads, groups, size))
}

/// The projections of one layer, of which each head is read in one set of coordinates, norm gains folded in.
pub(crate) struct Attention<'a> {
    net: &'a Net<'a>,
    query: &'a Slot,
    key: &'a Slot,
    value: &'a Slot,
    output: &'a Slot,
    gain: Option<Vec<f32>>,
    stream: &'a Stream,
    /// The map that the other side is carried along by.
    other: Option<&'a Stream>,
    heads: usize,
    kv_heads: usize,
    dim: usize,
    /// Heads whose outputs are read at once, and heads that may be held.
    at_once: (usize, usize),
}

impl<'a> Attention<'a> {
    /// The heads of a layer as the model says them.
    #[cfg(test)]
    pub(crate) fn of(net: &'a Net<'a>, layer: &'a Layer, stream: &'a Stream) -> Result<Option<Self>, Error> {
        Self::cut(net, layer, stream, (net.heads, net.kv_heads, net.head_dim))
    }

    /// The heads of a layer cut in one way, carried along by a map of the stream; `None` if the projections are not all
    /// there or do not fit together.
    pub(crate) fn cut(
        net: &'a Net<'a>,
        layer: &'a Layer,
        stream: &'a Stream,
        (heads, kv_heads, dim): Cut,
    ) -> Result<Option<Self>, Error> {
        let all = (&layer.query, &layer.key, &layer.value, &layer.output);
        let (Some(query), Some(key), Some(value), Some(output)) = all else { return Ok(None) };
        let fits = query.outputs() == heads * dim
            && key.outputs() == kv_heads * dim
            && value.outputs() == kv_heads * dim
            && output.inputs() == heads * dim
            && kv_heads > 0
            && heads <= MOST
            && heads.is_multiple_of(kv_heads);
        if !fits || [query, key, value].iter().any(|it| it.inputs() != net.hidden) || output.outputs() != net.hidden {
            return Ok(None);
        }
        let gain = net.norm(layer.attention_norm.as_ref())?.filter(|it| it.len() == net.hidden);
        let fit = |bytes: usize| (bytes / (dim * net.hidden * size_of::<f32>()).max(1)).max(1);
        let at_once = (fit(BAND), fit(HELD / 4)); // of what is held there are four projections
        Ok(Some(Self { net, query, key, value, output, gain, stream, other: None, heads, kv_heads, dim, at_once }))
    }

    /// The same without what a map of the other side's stream leaves out.
    pub(crate) fn within(self, other: &'a Stream) -> Self {
        Self { other: other.has_outside().then_some(other), ..self }
    }

    fn carried(&self, rows: Matrix) -> Matrix {
        let rows = self.stream.apply(self.net.visible(rows));
        match self.other {
            Some(other) => other.within(rows),
            None => rows,
        }
    }

    /// The same with other limits.
    #[cfg(test)]
    pub(crate) fn with(self, at_once: (usize, usize)) -> Self {
        Self { at_once, ..self }
    }

    pub(crate) fn heads(&self) -> usize {
        self.heads
    }

    /// Heads, groups of them that share keys and values, and dimensions of each.
    pub(crate) fn shape(&self) -> (usize, usize, usize) {
        (self.heads, self.kv_heads, self.dim)
    }

    /// The group of a head, whose keys and values are its own.
    pub(crate) fn group(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads)
    }

    /// Heads in runs of which each is read at once.
    pub(crate) fn bands(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (heads, most) = (self.heads, self.at_once.0);
        (0..heads).step_by(most).map(move |it| it..(it + most).min(heads))
    }

    /// How many heads may be held, with all four of their projections.
    pub(crate) fn held(&self) -> usize {
        self.at_once.1
    }

    /// Rows of queries, and of keys and values, of evenly spread heads: as many of these as hold so many rows.
    pub(crate) fn some_rows(&self, rows: usize) -> Result<[Matrix; 2], Error> {
        let mut halves = <[Matrix; 2]>::default();
        let heads = |dims: usize| rows.div_ceil(dims.max(1));
        for head in spread(self.heads, heads(self.dim)) {
            halves[0].append(self.query(head)?);
        }
        for group in spread(self.kv_heads, heads(2 * self.dim)) {
            halves[1].append(self.rows(self.key, group)?);
            halves[1].append(self.rows(self.value, group)?);
        }
        Ok(halves)
    }

    /// Rows in the coordinates that these had before they were carried along; none where there is nothing to go back
    /// to, or where the map would show in them.
    pub(crate) fn back(&self, rows: &Matrix) -> Option<Matrix> {
        self.stream.is_compact_rotation().then(|| self.stream.back(rows, self.net.hidden))
    }

    /// What the values of some groups have in common, and what their heads write.
    pub(crate) fn common(&self) -> Result<[Option<Vec<f32>>; 2], Error> {
        let mut values = Matrix::default();
        for group in spread(self.kv_heads, TELLING) {
            values.append(self.rows(self.value, group)?);
        }
        let outputs = self.outputs(spread(self.heads, TELLING).into_iter())?;
        Ok([common::direction(&values), common::direction(&outputs)])
    }

    fn query(&self, head: usize) -> Result<Matrix, Error> {
        self.rows(self.query, head)
    }

    fn rows(&self, slot: &Slot, at: usize) -> Result<Matrix, Error> {
        let rows: Vec<usize> = (at * self.dim..(at + 1) * self.dim).collect();
        let mut rows = slot.load_rows(self.net.numbers, &rows)?;
        if let Some(gain) = &self.gain {
            rows.scale_columns(gain);
        }
        Ok(self.carried(rows))
    }

    /// What the dimensions of some heads write into the stream, one a row.
    fn outputs(&self, heads: impl Iterator<Item = usize>) -> Result<Matrix, Error> {
        let columns: Vec<usize> = heads.flat_map(|it| it * self.dim..(it + 1) * self.dim).collect();
        Ok(self.carried(self.output.load_columns(self.net.numbers, &columns)?))
    }
}

/// Keys and values that a group of heads shares.
pub(crate) struct Group {
    pub(crate) number: usize,
    pub(crate) key: Matrix,
    pub(crate) value: Matrix,
    keys: Matrix,
    values: Matrix,
}

impl Group {
    pub(crate) fn of(all: &Attention<'_>, number: usize) -> Result<Self, Error> {
        let (key, value) = (all.rows(all.key, number)?, all.rows(all.value, number)?);
        let (keys, values) = (key.times_transposed(&key), value.times_transposed(&value));
        Ok(Self { number, key, value, keys, values })
    }
}

/// One head where it lies, with the squared sizes of its `QᵀK` and of its `OV`.
pub(crate) struct Head<'a> {
    pub(crate) query: Rows<'a>,
    pub(crate) output: Rows<'a>,
    pub(crate) looks: f64,
    pub(crate) writes: f64,
    /// Squared size of its query as it stands.
    pub(crate) size: f64,
}

impl<'a> Head<'a> {
    fn new(query: &'a Matrix, output: Rows<'a>, group: &Group) -> Self {
        let query = query.all();
        let queries = query.times_transposed(query);
        let (looks, size) = (product(&queries, &group.keys), trace(&queries));
        let writes = product(&output.times_transposed(output), &group.values);
        Self { query, output, looks, writes, size }
    }
}

/// Inner product of `aᵀ b` and `cᵀ d`, from `a cᵀ` and `b dᵀ`, without making either.
pub(crate) fn product(left: &Matrix, right: &Matrix) -> f64 {
    dot(&left.data, &right.data)
}

/// Sum of the products of rows that stand at the same place.
pub(crate) fn trace(products: &Matrix) -> f64 {
    products.iter().enumerate().filter_map(|(at, row)| row.get(at)).map(|it| f64::from(*it)).sum()
}

/// Neighbouring heads, of which one query at a time is read.
pub(crate) struct Band<'a> {
    all: &'a Attention<'a>,
    heads: Range<usize>,
    outputs: Matrix,
}

impl<'a> Band<'a> {
    pub(crate) fn of(all: &'a Attention<'a>, heads: Range<usize>) -> Result<Self, Error> {
        Ok(Self { all, outputs: all.outputs(heads.clone())?, heads })
    }

    pub(crate) fn query(&self, head: usize) -> Result<Matrix, Error> {
        self.all.query(head)
    }

    pub(crate) fn output(&self, head: usize) -> Rows<'_> {
        let at = head - self.heads.start;
        self.outputs.part(at * self.all.dim..(at + 1) * self.all.dim)
    }

    pub(crate) fn head<'b>(&'b self, head: usize, query: &'b Matrix, group: &Group) -> Head<'b> {
        Head::new(query, self.output(head), group)
    }
}

/// Some heads that are held, and the groups they belong to, each once.
pub(crate) struct Held<'a> {
    all: &'a Attention<'a>,
    heads: Vec<usize>,
    queries: Vec<Matrix>,
    outputs: Matrix,
    groups: Vec<Group>,
}

impl<'a> Held<'a> {
    /// Reads heads that are given in their order.
    pub(crate) fn of(all: &'a Attention<'a>, heads: &[usize]) -> Result<Self, Error> {
        let queries = heads.iter().map(|it| all.query(*it)).collect::<Result<_, _>>()?;
        let outputs = all.outputs(heads.iter().copied())?;
        let mut groups: Vec<usize> = heads.iter().map(|it| all.group(*it)).collect();
        groups.dedup();
        let groups = groups.into_iter().map(|it| Group::of(all, it)).collect::<Result<_, _>>()?;
        Ok(Self { all, heads: heads.to_vec(), queries, outputs, groups })
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Which of the groups at hand a head belongs to.
    pub(crate) fn group_at(&self, at: usize) -> usize {
        let group = self.all.group(self.heads[at]);
        self.groups.partition_point(|it| it.number < group)
    }

    /// The heads, each with the place of its group.
    pub(crate) fn each(&self) -> Vec<(usize, Head<'_>)> {
        let head = |at: usize| {
            let group = self.group_at(at);
            (group, Head::new(&self.queries[at], self.output(at), &self.groups[group]))
        };
        (0..self.heads.len()).map(head).collect()
    }

    fn output(&self, at: usize) -> Rows<'_> {
        self.outputs.part(at * self.all.dim..(at + 1) * self.all.dim)
    }

    /// The heads of a band on this side too, as far as they are not held already.
    pub(crate) fn beside(&self, band: &Range<usize>) -> Result<Beside<'_>, Error> {
        let has_all = band.clone().all(|it| self.heads.binary_search(&it).is_ok());
        let outputs = if has_all { None } else { Some(Band::of(self.all, band.clone())?) };
        Ok(Beside { held: self, outputs })
    }
}

/// Every head of a band, held or read.
pub(crate) struct Beside<'a> {
    held: &'a Held<'a>,
    outputs: Option<Band<'a>>,
}

impl Beside<'_> {
    pub(crate) fn output(&self, head: usize) -> Rows<'_> {
        match (&self.outputs, self.held.heads.binary_search(&head)) {
            (None, Ok(at)) => self.held.output(at),
            (Some(band), _) => band.output(head),
            (None, Err(_)) => self.held.outputs.part(0..0),
        }
    }

    /// Values of a group.
    pub(crate) fn value(&self, number: usize) -> Result<Cow<'_, Matrix>, Error> {
        let all = self.held.all;
        match self.held.groups.iter().find(|it| it.number == number) {
            Some(it) => Ok(Cow::Borrowed(&it.value)),
            None => all.rows(all.value, number).map(Cow::Owned),
        }
    }
}
