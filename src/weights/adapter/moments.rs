//! Second moments of a model's projections, and the parts of an adapter that gradients make alike to them.
//!
//! An adapter starts its `B` at zero, so that all of `B` is gradients of the base. The gradient of a value dimension
//! came back through the output projection, that of a query through the keys, that of a key through the queries, and
//! that of an up-projected unit through the down projection: over the outputs of a module, `B Bᵀ` takes after `Oᵀ O`,
//! `K Kᵀ`, `Q Qᵀ`, `Dᵀ D`. Both sides are brought to one form here, one square matrix for each group of heads.

use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, norm};
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Which outputs of a layer are spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outputs {
    Value,
    Query,
    Key,
    /// The up projection of a dense feed-forward block.
    Up,
}

impl Outputs {
    /// Whether dimensions come in the pairs that rotary positions turn.
    pub(crate) fn is_rotary(self) -> bool {
        matches!(self, Self::Query | Self::Key)
    }
}

/// How the heads of a model are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) dim: usize,
}

impl Heads {
    pub(crate) fn of(net: &Net<'_>) -> Option<Self> {
        let (heads, kv_heads, dim) = (net.heads, net.kv_heads, net.head_dim);
        (kv_heads > 0 && dim > 0 && heads.is_multiple_of(kv_heads)).then_some(Self { heads, kv_heads, dim })
    }

    /// How many rows a projection has.
    pub(crate) fn rows(self, outputs: Outputs) -> usize {
        self.dim * if outputs == Outputs::Query { self.heads } else { self.kv_heads }
    }

    fn queries(self) -> usize {
        self.heads / self.kv_heads
    }
}

/// At most so many units of a feed-forward block are looked at, evenly chosen.
const UNITS: usize = 512;

/// Which units of a block with so many are looked at.
pub(crate) fn sampled(units: usize) -> Vec<usize> {
    let count = units.min(UNITS);
    (0..count).map(|it| it * units / count.max(1)).collect()
}

/// Second moments of the reference's side, correlations, one matrix for each group of heads (one in all for units);
/// none where the layer lacks the projection or its shape does not fit.
pub(crate) fn of_layer(net: &Net<'_>, layer: &Layer, outputs: Outputs) -> Result<Option<Vec<Matrix>>, Error> {
    let Some(heads) = Heads::of(net) else { return Ok(None) };
    let norm = layer.attention_norm.as_ref();
    let folded = |slot: &Option<Slot>, rows: usize| -> Result<Option<Matrix>, Error> {
        let slot = slot.as_ref().filter(|it| it.outputs() == rows && it.inputs() == net.hidden);
        slot.map(|it| net.folded(it, norm)).transpose()
    };
    let rows = match outputs {
        Outputs::Value => {
            let fits = |it: &&Slot| it.inputs() == heads.heads * heads.dim && it.outputs() == net.hidden;
            let output = layer.output.as_ref().filter(fits);
            output.map(|it| it.load(net.numbers)).transpose()?.map(|it| it.transposed())
        }
        Outputs::Query => folded(&layer.key, heads.rows(Outputs::Key))?,
        Outputs::Key => folded(&layer.query, heads.rows(Outputs::Query))?,
        Outputs::Up => return units(net, layer),
    };
    // What came back through the output projection or the queries did so through every head of a group.
    let each = if outputs == Outputs::Query { 1 } else { heads.queries() };
    Ok(rows.map(|rows| groups(&rows, heads.kv_heads, each, heads.dim).into_iter().map(correlations).collect()))
}

/// Moments of what units write into the stream.
fn units(net: &Net<'_>, layer: &Layer) -> Result<Option<Vec<Matrix>>, Error> {
    let [ffn] = &layer.ffns[..] else { return Ok(None) };
    let Some(down) = ffn.down.as_ref().filter(|it| it.outputs() == net.hidden) else { return Ok(None) };
    let written = down.load(net.numbers)?.transposed();
    let written = written.gather(&sampled(written.rows));
    Ok(Some(vec![correlations(written.times_transposed(&written))]))
}

/// The same of an adapter: the space that the columns of its `B` span, over the same dimensions. `basis` has
/// orthonormal columns.
pub(crate) fn of_space(basis: &Matrix, outputs: Outputs, heads: Heads) -> Vec<Matrix> {
    match outputs {
        Outputs::Up => {
            let units = basis.gather(&sampled(basis.rows));
            vec![units.times_transposed(&units)]
        }
        Outputs::Query => groups(basis, heads.kv_heads, heads.queries(), heads.dim),
        Outputs::Value | Outputs::Key => groups(basis, heads.kv_heads, 1, heads.dim),
    }
}

/// For each group the sum of `X Xᵀ` over its heads, `X` the rows of one head.
fn groups(rows: &Matrix, count: usize, each: usize, dim: usize) -> Vec<Matrix> {
    let head = |at: usize| {
        let rows = rows.gather(&(at * dim..(at + 1) * dim).collect::<Vec<_>>());
        rows.times_transposed(&rows)
    };
    let group = |at: usize| {
        let mut sum = Matrix::new(dim, dim, Vec::new());
        for moments in (at * each..(at + 1) * each).map(head) {
            sum.data.iter_mut().zip(&moments.data).for_each(|(it, other)| *it += other);
        }
        sum
    };
    (0..count).map(group).collect()
}

/// Every entry over the lengths of its two dimensions, which no sign changes: a large dimension weighs no more than
/// others.
pub(crate) fn correlations(mut moments: Matrix) -> Matrix {
    let lengths: Vec<f32> = (0..moments.rows).map(|it| moments.row(it)[it].max(0.0).sqrt()).collect();
    let size = moments.cols.max(1);
    for (row, numbers) in moments.data.chunks_exact_mut(size).enumerate() {
        for (number, length) in numbers.iter_mut().zip(&lengths) {
            let both = lengths[row] * length;
            *number = if both > 0.0 { *number / both } else { 0.0 };
        }
    }
    moments
}

/// At most so many coordinates of the stream are looked at, evenly chosen.
const COORDINATES: usize = 512;

/// Moments of the token rows of the head behind the gain of the last norm, or of the embedding where the head is tied
/// to it, over evenly chosen coordinates, with these. None where neither can be read.
pub(crate) fn of_tokens(net: &Net<'_>) -> Result<Option<(Vec<usize>, Matrix)>, Error> {
    const TOKENS: usize = 8_192;
    let Some(slot) = net.head.as_ref().or(net.embedding.as_ref()).filter(|it| it.inputs() == net.hidden) else {
        return Ok(None);
    };
    let step = slot.outputs().div_ceil(TOKENS).max(1);
    let mut rows =
        net.folded_rows(slot, &(0..slot.outputs()).step_by(step).collect::<Vec<_>>(), net.final_norm.as_ref())?;
    rows.centre_columns();
    let count = net.hidden.min(COORDINATES);
    let kept: Vec<usize> = (0..count).map(|it| it * net.hidden / count.max(1)).collect();
    let columns = rows.transposed().gather(&kept);
    let moments = columns.times_transposed(&columns);
    Ok((norm(&moments.data) > 0.0).then_some((kept, moments)))
}
