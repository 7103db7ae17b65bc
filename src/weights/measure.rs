//! Every measurement on a pair of models, in the order of the work: align, map layers, match units and heads, test.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::weights::attention::{self, Attention};
use crate::weights::equality::{self, Equality};
use crate::weights::gains::{self, Gains};
use crate::weights::layer_map::{self, Answer};
use crate::weights::matrix::{Matrix, cosine};
use crate::weights::net::{Net, Slot};
use crate::weights::random_sign::RandomSign;
use crate::weights::stream::{Fit, Stream, candidates};
use crate::weights::units::{self, Block, Sums, Units};

/// At most so many tokens make an alignment.
const TOKENS: usize = 4_096;

/// Share of units that must agree before a pair of layers is said to answer each other.
pub(crate) const AGREEING_SHARE: f64 = 0.1;

/// A held-out cosine of embeddings from which on a map is taken at its word.
const SURE_FIT: f64 = 0.5;

/// Rows of tokens that both models have, in the subject's coordinates; those alone that had no part in the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tokens {
    /// Number of rows compared.
    pub(crate) count: usize,
    /// Mean cosine row by row, without the mean row.
    pub(crate) cosine: f64,
    /// Of all numbers, means taken away.
    pub(crate) sums: Sums,
}

/// One pair of blocks of two layers that answer each other.
#[derive(Clone, Debug)]
pub(crate) struct BlockPair {
    /// Position in the list of answers.
    pub(crate) answer: usize,
    pub(crate) subject_expert: usize,
    pub(crate) units: Units,
}

/// All that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Number for number.
    pub(crate) equality: Equality,
    /// Every map that was tried, with its held-out cosine.
    pub(crate) fits: Vec<(&'static str, f64)>,
    pub(crate) stream: Stream,
    pub(crate) answers: Vec<Answer>,
    pub(crate) blocks: Vec<BlockPair>,
    pub(crate) has_gate: bool,
    /// Whether every pair of blocks has as many units on both sides; pruning moves units, and disguises nothing.
    pub(crate) has_one_width: bool,
    /// Hidden units, behind their gates.
    pub(crate) unit_signs: RandomSign,
    /// Hidden units at the same place of the same layer, where both sides have the same coordinates and as many units.
    pub(crate) place_signs: RandomSign,
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
    /// Layer by layer and dimension by dimension as they stand: nothing that was chosen on the way has a part in it.
    pub(crate) gains: Gains,
    /// Of the layers whose units agree, carried along with the stream.
    pub(crate) kept_gains: Gains,
    pub(crate) embedding: Tokens,
    pub(crate) head: Tokens,
    /// Number of tokens that both vocabularies have, where they were compared.
    pub(crate) shared_tokens: Option<usize>,
}

/// Measures.
pub(crate) fn measure(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
) -> Result<Measured, Error> {
    let rows = token_rows(subject, reference, tokens);
    let (fits, stream, answers) = align(subject, reference, &rows)?;
    let embedding = tokens_of(&subject.embedding, &reference.embedding, subject, reference, &rows, &stream, false)?;
    let head = tokens_of(&subject.head, &reference.head, subject, reference, &rows, &stream, true)?;
    let mut measured = Measured {
        equality: equality::compare(subject, reference)?,
        fits,
        gains: gains_in_place(subject, reference)?,
        kept_gains: Gains::default(),
        stream,
        answers,
        blocks: Vec::new(),
        has_gate: true,
        has_one_width: true,
        unit_signs: RandomSign::default(),
        place_signs: place_signs(subject, reference)?,
        crowd: (subject.hidden, crowd(reference)),
        value_signs: RandomSign::default(),
        head_z: Vec::new(),
        heads_moved: 0,
        heads: 0,
        products: Sums::default(),
        looks: Sums::default(),
        plain_heads: Sums::default(),
        embedding,
        head,
        shared_tokens: tokens.map(<[_]>::len),
    };
    let groups = like_layers(reference)?;
    for at in 0..measured.answers.len() {
        measured.blocks(subject, reference, at, &groups)?;
        measured.heads(subject, reference, at, &groups)?;
    }
    let kept: Vec<Answer> = measured.kept().into_iter().map(|at| measured.answers[at].clone()).collect();
    measured.kept_gains = gains::compare(subject, reference, &kept, &measured.stream)?;
    Ok(measured)
}

impl Measured {
    fn blocks(&mut self, subject: &Net<'_>, reference: &Net<'_>, at: usize, groups: &[usize]) -> Result<(), Error> {
        let answer = self.answers[at].clone();
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let mut theirs = Vec::new();
        for ffn in &other.ffns {
            theirs.push(Block::load(reference, other, ffn)?.map(|it| it.mapped(&self.stream)));
        }
        for (expert, ffn) in one.ffns.iter().enumerate() {
            let Some(block) = Block::load(subject, one, ffn)? else { continue };
            // Experts are tried in their own order first, and a dense block is the only answer there is.
            let tried = theirs.iter().enumerate().filter_map(|(it, block)| Some((it, block.as_ref()?)));
            let compared = tried.map(|(it, their)| (it, units::compare(&block, their)));
            let best = compared.max_by(|a, b| match_score(&a.1).total_cmp(&match_score(&b.1)).then(b.0.cmp(&a.0)));
            let Some((_, units)) = best else { continue };
            self.has_gate &= ffn.gate.is_some();
            self.has_one_width &= units.is_one_width;
            // Experts of one layer may be copies of each other: units of one number share a coin.
            for (unit, value) in &units.signs {
                self.unit_signs.add((groups[answer.reference], 0, *unit), *value);
            }
            self.blocks.push(BlockPair { answer: at, subject_expert: expert, units });
        }
        Ok(())
    }

    fn heads(&mut self, subject: &Net<'_>, reference: &Net<'_>, at: usize, groups: &[usize]) -> Result<(), Error> {
        let answer = &self.answers[at];
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let (Some(ours), Some(theirs)) = (Attention::load(subject, one)?, Attention::load(reference, other)?) else {
            return Ok(());
        };
        let heads = attention::compare(&ours, &theirs.mapped(&self.stream));
        for (dimension, value) in heads.signs.iter().enumerate() {
            self.value_signs.add((groups[answer.reference], 0, dimension), *value);
        }
        self.head_z.push(heads.z);
        self.heads += heads.matched.len();
        self.heads_moved += heads.matched.iter().enumerate().filter(|(row, col)| row != *col).count();
        for (sums, it) in
            [(&mut self.products, heads.products), (&mut self.looks, heads.looks), (&mut self.plain_heads, heads.plain)]
        {
            sums.add(it.both, it.subject, it.reference);
        }
        Ok(())
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
        let kept = self.kept();
        let blocks = self.blocks.iter().filter(|it| kept.is_empty() || kept.contains(&it.answer));
        blocks.map(|it| kind(&it.units)).fold(Sums::default(), |mut all, it| {
            all.add(it.both, it.subject, it.reference);
            all
        })
    }
}

/// How well units were matched, without their signs: cosines of gates over all that could be matched.
fn match_score(units: &Units) -> f64 {
    units.gate_cosine / units.possible.max(1) as f64
}

/// Which rows of the two embeddings are the same token: those of shared tokens, or the same ids where nothing is known.
fn token_rows(subject: &Net<'_>, reference: &Net<'_>, tokens: Option<&[(u32, u32)]>) -> Vec<(usize, usize)> {
    let size = |net: &Net<'_>| net.embedding.as_ref().or(net.head.as_ref()).map_or(0, Slot::outputs);
    let (ours, theirs) = (size(subject), size(reference));
    let all: Vec<(usize, usize)> = match tokens {
        Some(tokens) => {
            tokens.iter().map(|it| (it.0 as usize, it.1 as usize)).filter(|it| it.0 < ours && it.1 < theirs).collect()
        }
        None => (0..ours.min(theirs)).map(|it| (it, it)).collect(),
    };
    let step = all.len().div_ceil(TOKENS).max(1);
    all.into_iter().step_by(step).collect()
}

/// Gains of models of one width, layers in their own order and coordinates as they stand.
fn gains_in_place(subject: &Net<'_>, reference: &Net<'_>) -> Result<Gains, Error> {
    if subject.hidden != reference.hidden {
        return Ok(Gains::default());
    }
    let count = subject.layers.len().min(reference.layers.len());
    let answers = (0..count).map(|it| Answer { subject: it, reference: it, similarity: 0.0, margin: 0.0 });
    gains::compare(subject, reference, &answers.collect::<Vec<_>>(), &Stream::Same)
}

/// The signs of units at the same place, without any alignment: silent for the least re-ordering, and with all units of all
/// layers the most sensitive test there is for long training.
fn place_signs(subject: &Net<'_>, reference: &Net<'_>) -> Result<RandomSign, Error> {
    let mut signs = RandomSign::default();
    if subject.hidden != reference.hidden {
        return Ok(signs);
    }
    let groups = like_layers(reference)?;
    for (at, (one, other)) in subject.layers.iter().zip(&reference.layers).enumerate() {
        let ([ours], [theirs]) = (&one.ffns[..], &other.ffns[..]) else { continue };
        let blocks = (Block::load(subject, one, ours)?, Block::load(reference, other, theirs)?);
        let (Some(ours), Some(theirs)) = blocks else { continue };
        for (unit, value) in units::in_place(&ours, &theirs).into_iter().enumerate() {
            signs.add((groups[at], 0, unit), value);
        }
    }
    Ok(signs)
}

/// Units of the widest block.
fn crowd(net: &Net<'_>) -> usize {
    let widths = net.layers.iter().flat_map(|it| &it.ffns).filter_map(|it| it.key());
    widths.map(Slot::outputs).max().unwrap_or(0)
}

/// Every map that was tried with its fit, the one that was chosen, and the layers that then answer each other.
type Aligned = (Vec<(&'static str, f64)>, Stream, Vec<Answer>);

/// Chooses the map between the streams: by held-out embeddings where they are clear, else by how well gates then match.
fn align(subject: &Net<'_>, reference: &Net<'_>, rows: &[(usize, usize)]) -> Result<Aligned, Error> {
    let mut fits: Vec<Fit> = Vec::new();
    for (ours, theirs, is_head) in
        [(&subject.embedding, &reference.embedding, false), (&subject.head, &reference.head, true)]
    {
        if let Some((ours, theirs)) = token_matrices(ours, theirs, subject, reference, rows, is_head)? {
            fits.extend(candidates(&ours, &theirs));
        }
        if fits.iter().any(|it| it.held_out >= SURE_FIT) {
            break;
        }
    }
    if fits.is_empty() && subject.hidden == reference.hidden {
        fits.push(Fit { stream: Stream::Same, held_out: 0.0 });
    }
    let tried = fits.iter().map(|it| (it.stream.word(), it.held_out)).collect();
    let best = fits.iter().map(|it| it.held_out).fold(0.0, f64::max);
    if best >= SURE_FIT
        && let Some(fit) = fits.iter().find(|it| it.held_out >= best - 0.1)
    {
        let answers = layer_map::find(subject, reference, &fit.stream)?;
        return Ok((tried, fit.stream.clone(), answers));
    }
    let mut chosen: Option<(f64, Stream, Vec<Answer>)> = None;
    for fit in fits {
        let answers = layer_map::find(subject, reference, &fit.stream)?;
        let score = gate_score(subject, reference, &fit.stream, &answers)?;
        if chosen.as_ref().is_none_or(|it| score > it.0) {
            chosen = Some((score, fit.stream, answers));
        }
    }
    let (_, stream, answers) = chosen.unwrap_or((0.0, Stream::Same, Vec::new()));
    Ok((tried, stream, answers))
}

/// How well the gates of the first and the middle layer match, without a look at what stands behind them.
fn gate_score(subject: &Net<'_>, reference: &Net<'_>, stream: &Stream, answers: &[Answer]) -> Result<f64, Error> {
    let mut score = 0.0;
    for answer in answers.iter().step_by((answers.len() / 2).max(1)).take(2) {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let (Some(ours), Some(theirs)) = (one.ffns.first(), other.ffns.first()) else { continue };
        let blocks = (Block::load(subject, one, ours)?, Block::load(reference, other, theirs)?);
        if let (Some(ours), Some(theirs)) = blocks {
            score += match_score(&units::compare(&ours, &theirs.mapped(stream)));
        }
    }
    Ok(score)
}

/// Rows of shared tokens of both models, each in its own coordinates; the head with the final gain folded in.
fn token_matrices(
    ours: &Option<Slot>,
    theirs: &Option<Slot>,
    subject: &Net<'_>,
    reference: &Net<'_>,
    rows: &[(usize, usize)],
    is_head: bool,
) -> Result<Option<(Matrix, Matrix)>, Error> {
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(None) };
    let load = |net: &Net<'_>, slot: &Slot, rows: Vec<usize>| -> Result<Matrix, Error> {
        let rows: Vec<usize> = rows.into_iter().filter(|it| *it < slot.outputs()).collect();
        net.folded_rows(slot, &rows, net.final_norm.as_ref().filter(|_| is_head))
    };
    let one = load(subject, ours, rows.iter().map(|it| it.0).collect())?;
    let other = load(reference, theirs, rows.iter().map(|it| it.1).collect())?;
    Ok((one.rows == other.rows && one.rows > 0).then_some((one, other)))
}

fn tokens_of(
    ours: &Option<Slot>,
    theirs: &Option<Slot>,
    subject: &Net<'_>,
    reference: &Net<'_>,
    rows: &[(usize, usize)],
    stream: &Stream,
    is_head: bool,
) -> Result<Tokens, Error> {
    let Some((mut one, other)) = token_matrices(ours, theirs, subject, reference, rows, is_head)? else {
        return Ok(Tokens::default());
    };
    let mut other = stream.apply(&other);
    if one.cols != other.cols {
        return Ok(Tokens::default());
    }
    // The even rows made the map, and fit it by construction where coordinates are many and tokens few.
    let held_out: Vec<usize> = (1..one.rows).step_by(2).collect();
    (one, other) = (one.gather(&held_out), other.gather(&held_out));
    one.centre_columns();
    other.centre_columns();
    let mut tokens = Tokens { count: one.rows, ..Tokens::default() };
    for (a, b) in one.iter().zip(other.iter()) {
        tokens.cosine += cosine(a, b) / one.rows as f64;
        tokens.sums.rows(a, b, 1.0);
    }
    Ok(tokens)
}

/// Which layers of a model are copies of each other, as in a depth-scaled one: the first of each such group. The first few
/// units tell, since copies have them in common.
fn like_layers(net: &Net<'_>) -> Result<Vec<usize>, Error> {
    const UNITS: usize = 32;
    let mut firsts: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    let mut groups = Vec::with_capacity(net.layers.len());
    for (at, layer) in net.layers.iter().enumerate() {
        let Some(key) = layer.ffns.first().and_then(|it| it.key()) else {
            groups.push(at);
            continue;
        };
        let units: Vec<usize> = (0..key.outputs().min(UNITS)).collect();
        let rows = net.folded_rows(key, &units, layer.ffn_norm.as_ref())?.data;
        let like = firsts.iter().find(|(_, it)| it.len() == rows.len() && cosine(it, &rows) > 0.2).map(|it| *it.0);
        groups.push(like.unwrap_or(at));
        if like.is_none() {
            firsts.insert(at, rows);
        }
    }
    Ok(groups)
}
