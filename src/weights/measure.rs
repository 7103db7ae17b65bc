//! Every measurement on a pair of models, in the order of the work: align, map layers, match units and heads, test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::checkpoint::Error;
use crate::weights::Watch;
use crate::weights::alignment::{Fit, candidates};
use crate::weights::attention::{self, Heads};
use crate::weights::column_sizes::{ColumnSizes, Estimate};
use crate::weights::effort::{Budget, of_each, spread};
use crate::weights::equality::{self, Equality};
use crate::weights::gains::{self, Gains};
use crate::weights::heads::{Attention, attention_bytes};
use crate::weights::layer_map::{self, Answer, Sketched};
use crate::weights::matrix::cosine;
use crate::weights::net::{FeedForward, Net};
use crate::weights::random_sign::RandomSign;
use crate::weights::relation::LEVEL;
use crate::weights::stream::Stream;
use crate::weights::symmetry::Symmetry;
use crate::weights::tokens::{self, Side, Tokens};
use crate::weights::unit_graph::matched_gates;
use crate::weights::units::{self, Block, Sums, Units, block_bytes};

/// Share of units that must agree before a pair of layers is said to answer each other.
pub(crate) const AGREEING_SHARE: f64 = 0.1;

/// A held-out cosine of embeddings from which on a map is taken at its word.
const SURE_FIT: f64 = 0.5;

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
}

/// Measures, as far as the budget reaches.
pub(crate) fn measure(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    budget: &Budget,
    watch: &dyn Watch,
) -> Result<Measured, Error> {
    watch.tell("aligning", 0, 1);
    let rows = tokens::shared(subject, reference, tokens, budget.tokens);
    let sketched = Sketched::default();
    let (fits, stream, distances) = align(subject, reference, &rows, budget, &sketched)?;
    let embedding = tokens::compare(Side::embedding(subject), Side::embedding(reference), &rows, &stream)?;
    let head = tokens::compare(Side::head(subject), Side::head(reference), &rows, &stream)?;
    let groups = like_layers(reference, &(0..reference.layers.len()).collect::<Vec<_>>())?;
    let mut measured = Measured {
        equality: equality::compare(subject, reference)?,
        fits,
        distances,
        gains: gains_in_place(subject, reference)?,
        crowd: (subject.hidden, crowd(reference)),
        embedding,
        head,
        shared_tokens: tokens.map(<[_]>::len),
        stream,
        place_signs: place_signs(subject, reference, &groups, budget)?,
        groups,
        ..Measured::default()
    };
    let pair = Pair { subject, reference, sketched: &sketched, budget, watch };
    measured.layers(&pair)?;
    measured.heads(&pair)?;
    let kept: Vec<Answer> = measured.kept().into_iter().map(|at| measured.answers[at].clone()).collect();
    // Where units show a relation at their places alone, their layers answer each other in order, and so do the gains.
    let is_in_place = kept.is_empty() && measured.place_signs.log10_p() <= LEVEL;
    measured.kept_gains =
        if is_in_place { measured.gains.clone() } else { gains::compare(subject, reference, &kept, &measured.stream)? };
    Ok(measured)
}

/// Two models, and how far to look.
struct Pair<'a> {
    subject: &'a Net<'a>,
    reference: &'a Net<'a>,
    sketched: &'a Sketched,
    budget: &'a Budget,
    watch: &'a dyn Watch,
}

/// What the units of one pair of blocks say.
struct Found {
    subject_expert: usize,
    reference_expert: usize,
    has_gate: bool,
    units: Units,
    /// The coin of each pair of units.
    coins: Vec<usize>,
}

impl Pair<'_> {
    /// Compares the blocks of two layers: each of the subject's with those of the reference that it answers best.
    fn blocks(&self, answer: &Answer, stream: &Stream) -> Result<Vec<Found>, Error> {
        let Pair { subject, reference, budget, .. } = *self;
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let theirs: Vec<FeedForward> = other.ffns.iter().map(|it| some_units(it, budget.units)).collect();
        let mut found = Vec::new();
        for subject_expert in spread(one.ffns.len(), budget.experts) {
            let ffn = &one.ffns[subject_expert];
            let Some(block) = Block::of(subject, one, ffn, &Stream::Same) else { continue };
            // Experts are tried in their own order first, and a dense block is the only answer there is.
            let mut best: Option<(usize, Units)> = None;
            for (number, their) in theirs.iter().enumerate() {
                let Some(their) = Block::of(reference, other, their, stream) else { continue };
                let units = units::compare(&block, &their)?;
                if best.as_ref().is_none_or(|it| units.match_score() > it.1.match_score()) {
                    best = Some((number, units));
                }
            }
            let Some((reference_expert, units)) = best else { continue };
            // Experts of one layer may be copies of each other: units of one number share a coin, and so do copies in one.
            let coins = match Block::of(reference, other, &theirs[reference_expert], &Stream::Same) {
                Some(their) => their.coins()?,
                None => BTreeMap::new(),
            };
            let coins = units.pairs.iter().map(|(_, col)| coins.get(col).copied().unwrap_or(*col)).collect();
            found.push(Found { subject_expert, reference_expert, has_gate: ffn.gate.is_some(), units, coins });
        }
        Ok(found)
    }

    /// Compares the heads of two layers; none where a side has none that fit together.
    fn heads(&self, answer: &Answer, stream: &Stream) -> Result<Option<Heads>, Error> {
        let (one, other) = (&self.subject.layers[answer.subject], &self.reference.layers[answer.reference]);
        let ours = Attention::of(self.subject, one, &Stream::Same)?;
        let theirs = Attention::of(self.reference, other, stream)?;
        ours.zip(theirs).map(|(ours, theirs)| attention::compare(&ours, &theirs, self.budget.heads)).transpose()
    }
}

impl Measured {
    /// Compares the layers that answer each other. Where not all of them may be looked at and both sides have as many, they
    /// are first taken in their own order, and mapped where that does not hold.
    fn layers(&mut self, pair: &Pair<'_>) -> Result<(), Error> {
        let Pair { subject, reference, sketched, budget, .. } = *pair;
        let count = subject.layers.len().max(reference.layers.len());
        // Where no map was found between streams of different widths there is nothing to compare units in.
        let is_carried = self.stream.width(reference.hidden) == Some(subject.hidden);
        if is_carried && count > budget.layers && subject.layers.len() == reference.layers.len() {
            let answers = some_of(layer_map::in_order(subject, reference), budget.layers);
            self.compare(pair, answers)?;
            if self.kept().len() == self.answers.len() {
                return Ok(());
            }
        }
        let all = layer_map::find(subject, reference, &self.stream, sketched)?;
        let count = all.len();
        let at_hand = all.into_iter().filter(|it| !reference.layers[it.reference].ffns.is_empty()).collect();
        self.compare(pair, some_of(at_hand, budget.layers))?;
        self.has_all_layers = self.answers.len() == count && !reference.is_fingerprint();
        Ok(())
    }

    /// Compares the units of these layers, and forgets those of others.
    fn compare(&mut self, pair: &Pair<'_>, answers: Vec<Answer>) -> Result<(), Error> {
        self.answers = answers;
        (self.has_gate, self.has_one_width) = (true, true);
        (self.blocks, self.unit_signs, self.symmetry) = (Vec::new(), RandomSign::default(), <[Symmetry; 2]>::default());
        let begun = AtomicUsize::new(0);
        let found = of_each(&self.answers, block_bytes(pair.subject, pair.reference), |answer| {
            pair.watch.tell("comparing layers", begun.fetch_add(1, Ordering::Relaxed), self.answers.len());
            pair.blocks(answer, &self.stream)
        })?;
        for (at, found) in found.into_iter().enumerate() {
            found.into_iter().for_each(|it| self.take(at, it));
        }
        Ok(())
    }

    /// Takes what the units of one pair of blocks say.
    fn take(&mut self, answer: usize, found: Found) {
        let Found { subject_expert, reference_expert, has_gate, units, coins } = found;
        self.has_gate &= has_gate;
        self.has_one_width &= units.is_one_width;
        let group = self.groups[self.answers[answer].reference];
        for (((row, col), following), coin) in units.pairs.iter().zip(&units.following).zip(coins) {
            let coin = (group, 0, coin);
            self.unit_signs.add(coin, units.signs.get(col).copied().unwrap_or_default());
            self.symmetry[0].add((group, subject_expert, *row), following[0]);
            self.symmetry[1].add(coin, following[1]);
        }
        self.blocks.push(BlockPair { answer, subject_expert, reference_expert, units });
    }

    /// Compares the heads of the layers that answer each other.
    fn heads(&mut self, pair: &Pair<'_>) -> Result<(), Error> {
        let found = of_each(&self.answers, attention_bytes(pair.subject, pair.reference), |answer| {
            pair.heads(answer, &self.stream)
        })?;
        for (at, heads) in found.into_iter().enumerate().filter_map(|(at, it)| Some((at, it?))) {
            let group = self.groups[self.answers[at].reference];
            self.head_columns.push((at, heads.columns));
            for (coin, value) in heads.coins.iter().zip(&heads.signs) {
                self.value_signs.add((group, 0, *coin), *value);
            }
            self.head_z.push(heads.z);
            self.heads += heads.matched.len();
            self.heads_moved += heads.matched.iter().filter(|(row, col)| row != col).count();
            for (sums, it) in [
                (&mut self.products, heads.products),
                (&mut self.looks, heads.looks),
                (&mut self.plain_heads, heads.plain),
            ] {
                sums.add(it.both, it.subject, it.reference);
            }
        }
        Ok(())
    }

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

    /// Sizes of columns over the same blocks and the attention beside them, each in the coordinates of the side where they differ
    /// more clearly.
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

/// At most so many of these layers, evenly spread.
fn some_of(answers: Vec<Answer>, most: usize) -> Vec<Answer> {
    let chosen = spread(answers.len(), most);
    chosen.into_iter().map(|it| answers[it].clone()).collect()
}

/// At most so many units of a block, evenly spread.
fn some_units(ffn: &FeedForward, most: usize) -> FeedForward {
    if ffn.units() <= most { ffn.clone() } else { ffn.some(&spread(ffn.units(), most)) }
}

/// Gains of models of one width, layers in their own order and coordinates as they stand.
pub(crate) fn gains_in_place(subject: &Net<'_>, reference: &Net<'_>) -> Result<Gains, Error> {
    if subject.hidden != reference.hidden {
        return Ok(Gains::default());
    }
    let count = subject.layers.len().min(reference.layers.len());
    let answers = (0..count).map(|it| Answer { subject: it, reference: it, similarity: 0.0, margin: 0.0 });
    gains::compare(subject, reference, &answers.collect::<Vec<_>>(), &Stream::Same)
}

/// The signs of units at the same place, without any alignment: silent for the least re-ordering, and with all units of all
/// layers the most sensitive test there is for long training.
fn place_signs(subject: &Net<'_>, reference: &Net<'_>, groups: &[usize], budget: &Budget) -> Result<RandomSign, Error> {
    let mut signs = RandomSign::default();
    if subject.hidden != reference.hidden {
        return Ok(signs);
    }
    let layers = some_of(layer_map::in_order(subject, reference), budget.layers);
    let found =
        of_each(&layers, block_bytes(subject, reference), |it| place_signs_of(subject, reference, it.subject, budget))?;
    for (layer, found) in layers.iter().zip(found) {
        found.into_iter().for_each(|(unit, value)| signs.add((groups[layer.subject], 0, unit), value));
    }
    Ok(signs)
}

/// Of one layer: the coin of each unit, and what it shows.
fn place_signs_of(
    subject: &Net<'_>,
    reference: &Net<'_>,
    layer: usize,
    budget: &Budget,
) -> Result<Vec<(usize, f64)>, Error> {
    let (one, other) = (&subject.layers[layer], &reference.layers[layer]);
    let ([ours], [theirs]) = (&one.ffns[..], &other.ffns[..]) else { return Ok(Vec::new()) };
    let theirs = some_units(theirs, budget.units);
    let blocks = (Block::of(subject, one, ours, &Stream::Same), Block::of(reference, other, &theirs, &Stream::Same));
    let (Some(ours), Some(theirs)) = blocks else { return Ok(Vec::new()) };
    let found = units::in_place(&ours, &theirs)?;
    let coins = if found.is_empty() { BTreeMap::new() } else { theirs.coins()? };
    Ok(found.into_iter().map(|(unit, value)| (coins.get(&unit).copied().unwrap_or(unit), value)).collect())
}

/// Units of the widest block.
fn crowd(net: &Net<'_>) -> usize {
    net.layers.iter().flat_map(|it| &it.ffns).map(|it| it.width).max().unwrap_or(0)
}

/// A map that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    /// What it was made from.
    pub(crate) rows: &'static str,
    pub(crate) word: &'static str,
    pub(crate) held_out: f64,
}

/// Every map that was tried with its fit, the one that was chosen, and why no rotation was looked for.
type Aligned = (Vec<Tried>, Stream, Option<f64>);

/// Chooses the map between the streams: by held-out rows of tokens, or of gates where tokens show no map, if one of them carries
/// those clearly; else by how well gates then match.
fn align(
    subject: &Net<'_>,
    reference: &Net<'_>,
    rows: &[(usize, usize)],
    budget: &Budget,
    sketched: &Sketched,
) -> Result<Aligned, Error> {
    let (mut tried, mut fits, mut distances): (Vec<Tried>, Vec<Fit>, Option<f64>) = (Vec::new(), Vec::new(), None);
    for what in ["embeddings", "head", "hidden units"] {
        let halves = match what {
            "embeddings" => tokens::halves(Side::embedding(subject), Side::embedding(reference), rows)?,
            "head" => tokens::halves(Side::head(subject), Side::head(reference), rows)?,
            _ => matched_gates(subject, reference)?,
        };
        let Some(halves) = halves else { continue };
        let found = candidates(halves, budget.rotated);
        let told = |it: &Fit| Tried { rows: what, word: it.stream.word(), held_out: it.held_out };
        tried.extend(found.fits.iter().map(told));
        fits.extend(found.fits);
        distances = distances.or(found.distances);
        if fits.iter().any(|it| it.held_out >= SURE_FIT) {
            break;
        }
    }
    // Token rows that are narrower than the stream show maps of another width.
    fits.retain(|it| it.stream.width(reference.hidden) == Some(subject.hidden));
    if fits.is_empty() && subject.hidden == reference.hidden {
        fits.push(Fit { stream: Stream::Same, held_out: 0.0 });
    }
    let best = fits.iter().map(|it| it.held_out).fold(0.0, f64::max);
    if best >= SURE_FIT
        && let Some(at) = fits.iter().position(|it| it.held_out >= best - 0.1)
    {
        return Ok((tried, fits.swap_remove(at).stream, None));
    }
    let mut chosen: Option<(f64, Stream)> = None;
    for fit in fits {
        let score = gate_score(subject, reference, &fit.stream, budget, sketched)?;
        if chosen.as_ref().is_none_or(|it| score > it.0) {
            chosen = Some((score, fit.stream));
        }
    }
    Ok((tried, chosen.map_or(Stream::Same, |it| it.1), distances))
}

/// How well the gates of the first and the middle layer match, without a look at what stands behind them. Where not all
/// layers may be looked at, layers are taken in their own order.
fn gate_score(
    subject: &Net<'_>,
    reference: &Net<'_>,
    stream: &Stream,
    budget: &Budget,
    sketched: &Sketched,
) -> Result<f64, Error> {
    let is_small = subject.layers.len().max(reference.layers.len()) <= budget.layers;
    let answers = if is_small {
        layer_map::find(subject, reference, stream, sketched)?
    } else {
        layer_map::in_order(subject, reference)
    };
    let mut score = 0.0;
    for answer in answers.iter().step_by((answers.len() / 2).max(1)).take(2) {
        let (one, other) = (&subject.layers[answer.subject], &reference.layers[answer.reference]);
        let (Some(ours), Some(theirs)) = (one.ffns.first(), other.ffns.first()) else { continue };
        let theirs = some_units(theirs, budget.units);
        let blocks = (Block::of(subject, one, ours, &Stream::Same), Block::of(reference, other, &theirs, stream));
        if let (Some(ours), Some(theirs)) = blocks {
            score += units::gate_score(&ours, &theirs)?;
        }
    }
    Ok(score)
}

/// Which layers of a model are copies of each other, as in a depth-scaled one: the first of each such group. The first few
/// units tell, since copies have them in common. Layers that are not asked about stand for themselves.
pub(crate) fn like_layers(net: &Net<'_>, layers: &[usize]) -> Result<Vec<usize>, Error> {
    const UNITS: usize = 32;
    let mut firsts: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    let mut groups: Vec<usize> = (0..net.layers.len()).collect();
    for at in layers.iter().copied() {
        let layer = &net.layers[at];
        let Some(key) = layer.ffns.first().and_then(|it| it.key()) else { continue };
        let units: Vec<usize> = (0..key.outputs().min(UNITS)).collect();
        let rows = net.folded_rows(key, &units, layer.ffn_norm.as_ref())?.data;
        let like = firsts.iter().find(|(_, it)| it.len() == rows.len() && cosine(it, &rows) > 0.2).map(|it| *it.0);
        groups[at] = like.unwrap_or(at);
        if like.is_none() {
            firsts.insert(at, rows);
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::weights::net::{Layer, Numbers};
    use crate::weights::random::Random;
    use crate::weights::slot::Slot;

    const LAYERS: usize = 3;
    const UNITS: usize = 40;
    const TOKENS: usize = 64;

    /// Numbers that depend on the seed and the name of their tensor alone.
    struct Drawn(u64);

    impl Numbers for Drawn {
        fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
            let seed = name.bytes().fold(self.0, |seed, it| seed.wrapping_mul(257).wrapping_add(u64::from(it)));
            let mut random = Random::new(seed);
            let all: Vec<f32> = (0..elements.end).map(|_| random.normal()).collect();
            Ok(all[elements.start as usize..].to_vec())
        }

        fn has(&self, _: &str) -> bool {
            true
        }
    }

    /// A model with gated blocks alone, and token rows that may be narrower than its stream.
    fn net(numbers: &Drawn, hidden: usize, embedding: usize) -> Net<'_> {
        let mut net = Net::empty(numbers, hidden);
        let slot = |name: &str, rows: usize, cols: usize| Some(Slot::plain(name, (rows as u64, cols as u64), false));
        net.embedding = slot("embedding", TOKENS, embedding);
        net.layers = (0..LAYERS)
            .map(|at| {
                let name = |what: &str| format!("{at}.{what}");
                let (gate, up) = (slot(&name("gate"), UNITS, hidden), slot(&name("up"), UNITS, hidden));
                let down = slot(&name("down"), hidden, UNITS);
                let ffns = vec![FeedForward { gate, up, down, width: UNITS, ..FeedForward::default() }];
                Layer { ffns, ..Layer::default() }
            })
            .collect();
        net
    }

    fn measured(subject: &Net<'_>, reference: &Net<'_>) -> Measured {
        let tokens: Vec<(u32, u32)> = (0..TOKENS as u32).map(|it| (it, it)).collect();
        let budget =
            Budget { layers: 2, units: UNITS, experts: 1, heads: 1, tokens: TOKENS, rotated: 8, changed_rows: 8 };
        measure(subject, reference, Some(&tokens), &budget, &()).unwrap()
    }

    /// Streams of different widths between which no map was found are not compared, however alike the depth of the models.
    #[test]
    fn nothing_is_compared_between_streams_that_no_map_joins() {
        for (ours, theirs) in [(48, 32), (32, 48)] {
            let (one, other) = (Drawn(1), Drawn(2));
            let measured = measured(&net(&one, ours, ours), &net(&other, theirs, theirs));
            assert_eq!((measured.answers.len(), measured.blocks.len()), (0, 0), "{ours} {theirs}");
        }
    }

    /// Token rows that are narrower than the stream say nothing about it; the model is compared where it stands.
    #[test]
    fn narrow_token_rows_make_no_map() {
        let (one, other) = (Drawn(1), Drawn(2));
        let unrelated = measured(&net(&one, 32, 8), &net(&other, 32, 8));
        assert_eq!((&unrelated.stream, unrelated.answers.len()), (&Stream::Same, 2));
        let same = measured(&net(&one, 32, 8), &net(&one, 32, 8));
        assert_eq!(same.kept().len(), same.answers.len());
    }
}
