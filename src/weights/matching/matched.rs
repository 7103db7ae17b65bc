//! Everything that matching two models found.

use std::collections::BTreeMap;

use crate::fact::Examined;
use crate::linalg::regression::Sums;
use crate::stats::sign_test::RandomSign;
use crate::weights::align::token_rows::Tokens;
use crate::weights::matching::column_norms::{ColumnSizes, Estimate};
use crate::weights::matching::equal_weights::Equal;
use crate::weights::matching::equality::Equality;
use crate::weights::matching::norm_weights::Gains;
use crate::weights::matching::symmetry::Symmetry;
use crate::weights::matching::units::Units;
use crate::weights::model::basis::Stream;
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::view::Net;

/// Share of units that must agree before a pair of layers is said to answer each other.
pub(crate) const AGREEING_SHARE: f64 = 0.1;

/// One pair of blocks of two layers that answer each other.
#[derive(Clone, Debug)]
pub(crate) struct BlockPair {
    /// Position in the list of answers.
    pub(crate) answer: usize,
    pub(crate) subject_expert: usize,
    pub(crate) reference_expert: usize,
    pub(crate) units: Units,
}

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// How many layouts were tried that the tests of attention depend on, and those of hidden units; 0 where none was.
    pub(crate) tries: (usize, usize),
    /// Number for number.
    pub(crate) equality: Equality,
    /// Every map that was tried: what it was made from, the word for it, and its held-out cosine.
    pub(crate) fits: Vec<Tried>,
    /// How alike the distances between tokens are, where that is why no rotation was looked for.
    pub(crate) distances: Option<f64>,
    pub(crate) stream: Stream,
    pub(crate) answers: Vec<Answer>,
    /// Which layers of the reference are copies of each other: the first of each such group.
    pub(crate) groups: Vec<usize>,
    /// Whether every layer that could be compared was.
    pub(crate) has_all_layers: bool,
    pub(crate) blocks: Vec<BlockPair>,
    pub(crate) has_gate: bool,
    /// Whether every pair of blocks has as many units on both sides; pruning moves units, and disguises nothing.
    pub(crate) has_one_width: bool,
    /// Hidden units, behind their gates.
    pub(crate) unit_signs: RandomSign,
    /// Hidden units at the same place of the same layer, where both sides have the same coordinates and as many units.
    pub(crate) place_signs: RandomSign,
    /// Matched units that are the same but for rounding.
    pub(crate) equal_units: Equal,
    /// Rows at their places that are, of feed-forward blocks and of attention.
    pub(crate) equal_rows: [Equal; 2],
    /// What the compared units say of the subject itself, and of the reference.
    pub(crate) symmetry: [Symmetry; 2],
    /// Size of the stream and the most units of a block of the reference: what units have to stand out from.
    pub(crate) crowd: (usize, usize),
    /// Value dimensions, by position.
    pub(crate) value_signs: RandomSign,
    /// One z a layer: `OV` of heads that were matched by `QK`.
    pub(crate) head_z: Vec<f64>,
    pub(crate) heads_moved: usize,
    pub(crate) heads: usize,
    pub(crate) products: Sums,
    pub(crate) looks: Sums,
    pub(crate) plain_heads: Sums,
    /// Sizes of the columns of attention, with the position of the answer.
    pub(crate) head_columns: Vec<(usize, [ColumnSizes; 2])>,
    /// Layer by layer and dimension by dimension as they stand: nothing that was chosen on the way has a part in it.
    pub(crate) gains: Gains,
    /// Of the layers whose units agree, carried along with the stream.
    pub(crate) kept_gains: Gains,
    pub(crate) embedding: Tokens,
    pub(crate) head: Tokens,
    /// Number of tokens that both vocabularies have, where they were compared.
    pub(crate) shared_tokens: Option<usize>,
    /// The share of the parameters in layers that can be read and have a place in a comparison, of the side that has
    /// less; none where nobody asked.
    pub(crate) read_share: Option<f64>,
    /// How much of each part of the subject was looked at.
    pub(crate) examined: BTreeMap<&'static str, Examined>,
    /// In how many ways rows were cut into heads before one was kept; 1 where heads are known, 0 where none fits.
    pub(crate) cuts: usize,
}

impl Measured {
    /// How far the look reached, in words.
    pub(crate) fn reach(&self, subject: &Net<'_>, is_escalated: bool) -> String {
        let before = if is_escalated { "a quick look did not decide; " } else { "" };
        let (layers, all) = (self.answers.len(), subject.layers.len());
        let units = self.total(|it| it.possible);
        let how = if layers == all { "all" } else { "evenly spread, the others left out" };
        format!("{before}{layers} of {all} layers ({how}), {units} hidden units")
    }

    /// Sum over all blocks of a number of each.
    pub(crate) fn total(&self, number: impl Fn(&Units) -> usize) -> usize {
        self.blocks.iter().map(|it| number(&it.units)).sum()
    }

    /// Which answers have units that agree, and so are answers indeed.
    pub(crate) fn kept(&self) -> Vec<usize> {
        let agree = |it: &&BlockPair| it.units.agreeing as f64 >= AGREEING_SHARE * it.units.possible as f64;
        let mut kept: Vec<usize> = self.blocks.iter().filter(agree).map(|it| it.answer).collect();
        kept.dedup();
        kept
    }

    /// The sums of one kind over all blocks of answers that are answers indeed, or over all where none is.
    pub(crate) fn sums(&self, kind: impl Fn(&Units) -> Sums) -> Sums {
        self.kept_units().map(kind).fold(Sums::default(), |mut all, it| {
            all.add(it.both, it.subject, it.reference);
            all
        })
    }

    /// Sizes of columns over the same blocks and the attention beside them, each in the coordinates of the side where
    /// they differ more clearly.
    pub(crate) fn columns(&self) -> Option<Estimate> {
        let kept = self.kept();
        let heads = self.head_columns.iter().filter(|it| kept.is_empty() || kept.contains(&it.0)).map(|it| &it.1);
        match (clearest(self.kept_units().map(|it| &it.columns)), clearest(heads)) {
            (Some(blocks), Some(heads)) => blocks.with(heads),
            (blocks, heads) => blocks.or(heads),
        }
    }

    pub(crate) fn kept_units(&self) -> impl Iterator<Item = &Units> {
        let kept = self.kept();
        let blocks = self.blocks.iter().filter(move |it| kept.is_empty() || kept.contains(&it.answer));
        blocks.map(|it| &it.units)
    }
}

/// What columns of all layers say, in the clearer of the two coordinates.
fn clearest<'a>(layers: impl Iterator<Item = &'a [ColumnSizes; 2]>) -> Option<Estimate> {
    let sums = layers.fold([ColumnSizes::default(); 2], |mut all, it| {
        all.iter_mut().zip(it).for_each(|(all, it)| all.add(it));
        all
    });
    Estimate::clearest(sums.iter().filter_map(ColumnSizes::estimate))
}

/// A map that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    /// What it was made from.
    pub(crate) rows: &'static str,
    pub(crate) word: &'static str,
    pub(crate) held_out: f64,
}
