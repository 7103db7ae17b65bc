//! The product of two matrices, which most of the time goes into.
//!
//! Every number of a product is one chain: up to [`DEPTH`] fused multiplications and additions in their order, then the
//! sum of those pieces. Processors differ in how many chains they work on at once, never in a chain; so that the same
//! numbers come out on every machine and with any number of threads. A processor without fused multiplication has it
//! computed, which is slow and gives the same numbers.
//!
//! Reference: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34 (2008): one
//! side is packed so that a piece of it stays in the nearest cache while rows of the other side pass by.

use std::ops::Range;

use rayon::prelude::*;

use crate::linalg::matrix::{Matrix, Rows};

/// How many products are summed in one piece; such a piece of a panel, 32 KB, stays in the caches next to the
/// processor.
const DEPTH: usize = 256;

/// Columns of a product that are worked on together.
const PANEL: usize = 32;

/// Rows that are packed together: a multiple of what any processor works on at once.
const GROUP: usize = 12;

/// Rows that are one piece of work, at most.
const BAND: usize = 4 * GROUP;

/// Numbers of the other side that are packed at a time.
const PACKED: usize = 2 << 20;

/// Steps in depth of them, at most: a multiple of [`DEPTH`], so that pieces stay what they are.
const PACKED_DEPTH: usize = 32 * DEPTH;

/// Steps in depth that are turned round at once.
const TURNED: usize = 64;

/// So many multiplications are done faster by one thread.
const SMALL: usize = 1 << 21;

/// The other side of a product.
#[derive(Clone, Copy)]
pub(crate) enum Other<'a> {
    /// Each of its rows makes a column of the product.
    Turned(Rows<'a>),
    /// Each of its columns does.
    Plain(Rows<'a>),
}

impl Other<'_> {
    /// Columns of the product.
    fn width(self) -> usize {
        match self {
            Self::Turned(rows) => rows.rows,
            Self::Plain(rows) => rows.cols,
        }
    }

    /// Steps in depth.
    fn depth(self) -> usize {
        match self {
            Self::Turned(rows) => rows.cols,
            Self::Plain(rows) => rows.rows,
        }
    }

    /// Some columns of the product as panels: for each step in depth, one number a column; filled up with zeros.
    fn packed(self, columns: Range<usize>, steps: Range<usize>, pool: Pool) -> Packed {
        let mut panels = vec![[0.0; PANEL]; columns.len().div_ceil(PANEL) * steps.len()];
        pool.run(panels.chunks_mut(steps.len()).collect(), |at, panel| {
            let from = columns.start + at * PANEL;
            self.pack(from..(from + PANEL).min(columns.end), steps.clone(), panel);
        });
        Packed { panels, columns, steps }
    }

    fn pack(self, columns: Range<usize>, steps: Range<usize>, panel: &mut [[f32; PANEL]]) {
        match self {
            // Turned round in pieces that stay in the nearest cache.
            Self::Turned(rows) => {
                for (steps, panel) in runs(steps, TURNED).zip(panel.chunks_mut(TURNED)) {
                    for (at, column) in columns.clone().enumerate() {
                        for (out, number) in panel.iter_mut().zip(&rows.row(column)[steps.clone()]) {
                            out[at] = *number;
                        }
                    }
                }
            }
            Self::Plain(rows) => {
                for (out, step) in panel.iter_mut().zip(steps) {
                    out[..columns.len()].copy_from_slice(&rows.row(step)[columns.clone()]);
                }
            }
        }
    }
}

/// What is packed of the other side.
struct Packed {
    panels: Vec<[f32; PANEL]>,
    columns: Range<usize>,
    steps: Range<usize>,
}

/// `rows * other`; both have as many steps in depth.
pub(crate) fn product(rows: Rows<'_>, other: Other<'_>) -> Matrix {
    let (depth, width) = (rows.cols, other.width());
    let mut product = Matrix::new(rows.rows, width, Vec::new());
    // Anything else would compare numbers that do not answer each other.
    assert_eq!(depth, other.depth(), "both sides of a product have as many steps in depth");
    if depth == 0 || product.data.is_empty() {
        return product;
    }
    let pool = Pool::of(rows.rows.saturating_mul(depth).saturating_mul(width));
    let most = (PACKED / depth.min(PACKED_DEPTH)).max(PANEL) / PANEL * PANEL;
    // Few rows are still work for all cores.
    let band = (rows.rows / 8).clamp(1, BAND).next_multiple_of(GROUP);
    let arch = pulp::Arch::new();
    for columns in runs(0..width, most) {
        for steps in runs(0..depth, PACKED_DEPTH) {
            let packed = &other.packed(columns.clone(), steps, pool);
            let bands = product.data.chunks_mut(width * band).zip(rows.data.chunks(depth * band)).collect();
            pool.run(bands, |_, (out, rows)| arch.dispatch(Band { rows, depth, packed, out, width }));
        }
    }
    product
}

impl Matrix {
    /// `self * otherᵀ`: the dot products of all rows of one with all rows of the other.
    pub(crate) fn times_transposed(&self, other: &Self) -> Self {
        self.all().times_transposed(other.all())
    }

    /// Cosines of all rows with each other, without those of a row with itself.
    pub(crate) fn angles(&self) -> Self {
        let rows = self.clone().unit_rows();
        let mut angles = rows.times_transposed(&rows);
        (0..angles.rows).for_each(|it| angles.data[it * angles.cols + it] = 0.0);
        angles
    }

    /// `self * other`.
    pub(crate) fn times(&self, other: &Self) -> Self {
        product(self.all(), Other::Plain(other.all()))
    }
}

impl Rows<'_> {
    /// `self * otherᵀ`.
    pub(crate) fn times_transposed(self, other: Rows<'_>) -> Matrix {
        product(self, Other::Turned(other))
    }
}

/// A range in runs of at most so many.
fn runs(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(most).map(move |from| from..(from + most).min(end))
}

/// Whether work is spread over the cores; what comes out is the same.
#[derive(Clone, Copy)]
enum Pool {
    One,
    All,
}

impl Pool {
    /// Other threads cost more than they give where there is little to do.
    fn of(multiplications: usize) -> Self {
        if multiplications < SMALL { Self::One } else { Self::All }
    }

    fn run<T: Send>(self, work: Vec<T>, one: impl Fn(usize, T) + Sync) {
        match self {
            Self::One => work.into_iter().enumerate().for_each(|(at, it)| one(at, it)),
            Self::All => work.into_par_iter().enumerate().for_each(|(at, it)| one(at, it)),
        }
    }
}

/// Some rows with what is packed: the work of one core.
struct Band<'a> {
    rows: &'a [f32],
    depth: usize,
    packed: &'a Packed,
    /// These rows of the product, all columns of them.
    out: &'a mut [f32],
    width: usize,
}

impl pulp::WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let all = &self.packed.steps;
        let groups = (self.rows.len() / self.depth).div_ceil(GROUP);
        let mut packed = vec![[0.0; GROUP]; groups * DEPTH.min(all.len())];
        for steps in runs(all.clone(), DEPTH) {
            let packed = &mut packed[..groups * steps.len()];
            pack_rows(self.rows, self.depth, steps.clone(), packed);
            let panels = self.packed.panels.chunks_exact(all.len());
            for (columns, panel) in runs(self.packed.columns.clone(), PANEL).zip(panels) {
                let panel = &panel[steps.start - all.start..steps.end - all.start];
                let outs = self.out.chunks_mut(GROUP * self.width);
                for (group, out) in packed.chunks_exact(steps.len()).zip(outs) {
                    let mut sums = [[0.0; PANEL]; GROUP];
                    chains(simd, group, panel, &mut sums);
                    for (row, sums) in out.chunks_exact_mut(self.width).zip(&sums) {
                        row[columns.clone()].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                    }
                }
            }
        }
    }
}

/// Rows in groups: for each step in depth, one number a row.
fn pack_rows(rows: &[f32], depth: usize, steps: Range<usize>, groups: &mut [[f32; GROUP]]) {
    for (group, rows) in groups.chunks_exact_mut(steps.len()).zip(rows.chunks(GROUP * depth)) {
        for (at, row) in rows.chunks_exact(depth).enumerate() {
            for (out, number) in group.iter_mut().zip(&row[steps.clone()]) {
                out[at] = *number;
            }
        }
    }
}

/// All chains of a group and a panel, some at a time: sums in 24 of 32 wide registers, or in twelve where there may
/// be no more than 16.
#[inline(always)]
fn chains<S: pulp::Simd>(simd: S, group: &[[f32; GROUP]], panel: &[[f32; PANEL]], sums: &mut [[f32; PANEL]; GROUP]) {
    if S::F32_LANES >= 16 {
        some_chains::<S, 12>(simd, group, panel, sums);
    } else {
        some_chains::<S, 6>(simd, group, panel, sums);
    }
}

#[inline(always)]
fn some_chains<S: pulp::Simd, const HELD: usize>(
    simd: S,
    group: &[[f32; GROUP]],
    panel: &[[f32; PANEL]],
    sums: &mut [[f32; PANEL]; GROUP],
) {
    for rows in (0..GROUP).step_by(HELD) {
        for col in (0..PANEL / S::F32_LANES).step_by(2) {
            let mut held = [[simd.splat_f32s(0.0); 2]; HELD];
            for (numbers, others) in group.iter().zip(panel) {
                let (others, _) = S::as_simd_f32s(others);
                let (one, two) = (others[col], others[col + 1]);
                for row in 0..HELD {
                    let number = simd.splat_f32s(numbers[rows + row]);
                    held[row][0] = simd.mul_add_f32s(number, one, held[row][0]);
                    held[row][1] = simd.mul_add_f32s(number, two, held[row][1]);
                }
            }
            for row in 0..HELD {
                let (out, _) = S::as_mut_simd_f32s(&mut sums[rows + row]);
                (out[col], out[col + 1]) = (held[row][0], held[row][1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::drawn;

    /// What the documentation promises, written plainly.
    fn chain(row: &[f32], other: &[f32]) -> f32 {
        let pieces = row.chunks(DEPTH).zip(other.chunks(DEPTH));
        pieces
            .map(|(row, other)| row.iter().zip(other).fold(0.0, |sum, (a, b)| a.mul_add(*b, sum)))
            .fold(0.0, |sum, it| sum + it)
    }

    /// Every number is its chain to the last bit, at the edges of groups, panels, pieces and packed blocks too.
    #[test]
    fn a_product_is_made_of_chains() {
        for (height, depth, width) in [
            (1, 1, 1),
            (5, 19, 7),
            (12, 256, 32),
            (13, 257, 33),
            (61, 600, 95),
            (3, PACKED_DEPTH + 300, PACKED / PACKED_DEPTH + 33),
            (97, 3, 1),
        ] {
            let (one, other) = (drawn(height, depth, 1), drawn(width, depth, 2));
            let product = one.times_transposed(&other);
            for row in 0..height {
                for col in 0..width {
                    let expected = chain(one.row(row), other.row(col));
                    assert_eq!(product.row(row)[col].to_bits(), expected.to_bits(), "{height} {depth} {width}");
                }
            }
            assert_eq!(one.times(&other.transposed()), product);
        }
    }

    /// Processors that do one chain after the other give the same numbers as those that do many.
    #[test]
    fn processors_agree() {
        let (one, other) = (drawn(13, 300, 3), drawn(40, 300, 4));
        let packed = &Other::Turned(other.all()).packed(0..40, 0..300, Pool::One);
        let mut out = vec![0.0; 13 * 40];
        let band = Band { rows: &one.data, depth: 300, packed, out: &mut out, width: 40 };
        pulp::WithSimd::with_simd(band, pulp::Scalar::new());
        assert_eq!(one.times_transposed(&other).data, out);
    }

    #[test]
    fn products_are_what_they_should_be() {
        let number = |it: usize| ((it * 37 % 17) as f32) - 8.0;
        let one = Matrix::new(5, 19, (0..95).map(number).collect());
        let other = Matrix::new(7, 19, (0..133).map(|it| number(it + 3)).collect());
        let product = one.times_transposed(&other);
        for row in 0..5 {
            for col in 0..7 {
                let plain: f32 = one.row(row).iter().zip(other.row(col)).map(|(a, b)| a * b).sum();
                assert_eq!(product.row(row)[col], plain);
            }
        }
        assert_eq!(one.times(&other.transposed()), product);
        assert_eq!(one.transposed().transposed(), one);
        assert_eq!(one.transposed().row(3), [0, 1, 2, 3, 4].map(|row| one.row(row)[3]));
        assert_eq!(Matrix::default().transposed(), Matrix::default());
        assert_eq!(one.part(1..3).times_transposed(other.all()).data, product.data[7..21]);
    }
}
