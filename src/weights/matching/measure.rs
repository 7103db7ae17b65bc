//! Every measurement on a pair of models, in the order of the work: align, map layers, match units and heads, test.

use crate::weights::matching::choose_basis::align;
use crate::weights::matching::duplicate_layers::like_layers;
use crate::weights::matching::matched::{BlockPair, Measured};
use crate::weights::model::block::some_units;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::checkpoint::Error;
use crate::stats::levels::LEVEL;
use crate::stats::sign_test::RandomSign;
use crate::stats::tail;
use crate::weights::Watch;
use crate::weights::align::layers;
use crate::weights::align::layers::Sketched;
use crate::weights::align::token_rows;
use crate::weights::align::token_rows::Side;
use crate::weights::matching::attention;
use crate::weights::matching::attention::Heads;
use crate::weights::matching::equal_weights::{self, Equal};
use crate::weights::matching::equality;
use crate::weights::matching::examined::examined;
use crate::weights::matching::heads;
use crate::weights::matching::heads::{Attention, Cut, attention_bytes};
use crate::weights::matching::norm_weights;
use crate::weights::matching::norm_weights::Gains;
use crate::weights::matching::symmetry::Symmetry;
use crate::weights::matching::units;
use crate::weights::matching::units::Units;
use crate::weights::model::basis::Stream;
use crate::weights::model::block::{Block, block_bytes};
use crate::weights::model::budget::{Budget, of_each, spread};
use crate::weights::model::layer::FeedForward;
use crate::weights::model::layer_pair::Answer;
use crate::weights::model::view::Net;

/// Measures, as far as the budget reaches.
pub(crate) fn measure(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    budget: &Budget,
    watch: &dyn Watch,
) -> Result<Measured, Error> {
    watch.tell("aligning", 0, 1);
    let rows = token_rows::shared(subject, reference, tokens, budget.tokens);
    let rows = [
        token_rows::distinct(&Side::embedding(subject), &Side::embedding(reference), &rows)?,
        token_rows::distinct(&Side::head(subject), &Side::head(reference), &rows)?,
    ];
    let sketched = Sketched::default();
    let (fits, stream, distances) = align(subject, reference, &rows, budget, &sketched)?;
    let embedding = token_rows::compare(Side::embedding(subject), Side::embedding(reference), &rows[0], &stream)?;
    let head = token_rows::compare(Side::head(subject), Side::head(reference), &rows[1], &stream)?;
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
    measured.read_share = Some(subject.read_share().min(reference.read_share()));
    measured.examined = examined(subject, &measured);
    measured.equal_rows = equal_weights::in_place(subject, reference, &measured.index_aligned(&pair))?;
    let kept: Vec<Answer> = measured.kept().into_iter().map(|at| measured.answers[at].clone()).collect();
    // Where units show a relation at their places alone, their layers answer each other in order, and so do the gains.
    let is_in_place = kept.is_empty() && measured.place_signs.log10_p() <= LEVEL;
    measured.kept_gains = if is_in_place {
        measured.gains.clone()
    } else {
        norm_weights::compare(subject, reference, &kept, &measured.stream)?
    };
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
            let Some(block) = Block::of(subject, one, ffn, &Stream::Same).map(|it| it.within(stream)) else { continue };
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
            // Experts of one layer may be copies of each other: units of one number share a coin, and so do copies in
            // one.
            let coins = match Block::of(reference, other, &theirs[reference_expert], &Stream::Same) {
                Some(their) => their.coins()?,
                None => BTreeMap::new(),
            };
            let coins = units.pairs.iter().map(|(_, col)| coins.get(col).copied().unwrap_or(*col)).collect();
            found.push(Found { subject_expert, reference_expert, has_gate: ffn.gate.is_some(), units, coins });
        }
        Ok(found)
    }

    /// Compares the heads of two layers, cut in one way; `None` if a side has none that fit together.
    fn heads(&self, answer: &Answer, stream: &Stream, cut: [Cut; 2]) -> Result<Option<Heads>, Error> {
        let (one, other) = (&self.subject.layers[answer.subject], &self.reference.layers[answer.reference]);
        let ours = Attention::cut(self.subject, one, &Stream::Same, cut[0])?.map(|it| it.within(stream));
        let theirs = Attention::cut(self.reference, other, stream, cut[1])?;
        ours.zip(theirs).map(|(ours, theirs)| attention::compare(&ours, &theirs, self.budget.heads)).transpose()
    }
}

impl Measured {
    /// Compares the layers that answer each other. Where not all of them may be looked at and both sides have as many,
    /// they are first taken in their own order, and mapped where that does not hold.
    fn layers(&mut self, pair: &Pair<'_>) -> Result<(), Error> {
        let Pair { subject, reference, sketched, budget, .. } = *pair;
        let count = subject.layers.len().max(reference.layers.len());
        if self.is_carried(pair) && count > budget.layers && subject.layers.len() == reference.layers.len() {
            let answers = some_of(layers::in_order(subject, reference), budget.layers);
            self.compare(pair, answers)?;
            if self.kept().len() == self.answers.len() {
                return Ok(());
            }
        }
        let all = layers::find(subject, reference, &self.stream, sketched)?;
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
        self.equal_units = Equal::default();
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
        let crowd = units.crowd;
        for (((row, col), following), coin) in units.pairs.iter().zip(&units.following).zip(&coins) {
            let coin = (group, 0, *coin);
            self.unit_signs.add(coin, units.signs.get(col).copied().unwrap_or_default());
            self.symmetry[0].add((group, subject_expert, *row), following[0]);
            self.symmetry[1].add(coin, following[1]);
        }
        let same = units.same.iter().zip(&coins).filter(|it| *it.0).map(|it| (group, 0, *it.1));
        self.equal_units.add(same, units.possible, crowd);
        self.equal_units.add_others(units.others);
        self.blocks.push(BlockPair { answer, subject_expert, reference_expert, units });
    }

    /// Compares the heads of the layers that answer each other. Where nothing says how many heads a side has, every
    /// usual size of a head that fits is tried, and the cut under which values or their products speak most is kept.
    fn heads(&mut self, pair: &Pair<'_>) -> Result<(), Error> {
        let answers = self.index_aligned(pair);
        let cuts = answers.iter().map(|it| {
            let layers = (&pair.subject.layers[it.subject], &pair.reference.layers[it.reference]);
            heads::cuts((pair.subject, layers.0), (pair.reference, layers.1))
        });
        let cuts = cuts.filter(|it| !it.is_empty()).min_by_key(Vec::len).unwrap_or_default();
        let mut best = Self::default();
        for cut in &cuts {
            let mut tried = Self { answers: answers.clone(), groups: self.groups.clone(), ..Self::default() };
            tried.heads_of(pair, &self.stream, *cut)?;
            if best.head_z.is_empty() || tried.heads_say() > best.heads_say() {
                best = tried;
            }
        }
        self.cuts = cuts.len();
        (self.head_columns, self.value_signs, self.head_z) = (best.head_columns, best.value_signs, best.head_z);
        (self.heads, self.heads_moved) = (best.heads, best.heads_moved);
        (self.products, self.looks, self.plain_heads) = (best.products, best.looks, best.plain_heads);
        Ok(())
    }

    /// Where no map was found between streams of different widths there is nothing to compare units or heads in.
    fn is_carried(&self, pair: &Pair<'_>) -> bool {
        self.stream.width(pair.reference.hidden) == Some(pair.subject.hidden)
    }

    /// The layers that answer each other; where no units agree, what maps layers maps nothing, and those of one number.
    fn index_aligned(&self, pair: &Pair<'_>) -> Vec<Answer> {
        let in_order = layers::in_order(pair.subject, pair.reference);
        if self.is_carried(pair) && self.kept().is_empty() && !in_order.is_empty() {
            return some_of(in_order, pair.budget.layers);
        }
        self.answers.clone()
    }

    /// How much the heads say: the smaller of the two logarithms of chances, turned in sign.
    fn heads_say(&self) -> f64 {
        let layers = self.head_z.len().max(1) as f64;
        let by_products = tail::normal(self.head_z.iter().sum::<f64>() / layers.sqrt());
        -self.value_signs.log10_p().min(by_products)
    }

    /// Compares heads, cut in one way.
    fn heads_of(&mut self, pair: &Pair<'_>, stream: &Stream, cut: [Cut; 2]) -> Result<(), Error> {
        let found = of_each(&self.answers, attention_bytes(pair.subject, pair.reference), |answer| {
            pair.heads(answer, stream, cut)
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
}

/// At most so many of these layers, evenly spread.
fn some_of(answers: Vec<Answer>, most: usize) -> Vec<Answer> {
    let chosen = spread(answers.len(), most);
    chosen.into_iter().map(|it| answers[it].clone()).collect()
}

/// Gains of models of one width, layers in their own order and coordinates as they stand.
pub(crate) fn gains_in_place(subject: &Net<'_>, reference: &Net<'_>) -> Result<Gains, Error> {
    if subject.hidden != reference.hidden {
        return Ok(Gains::default());
    }
    let count = subject.layers.len().min(reference.layers.len());
    let answers = (0..count).map(|it| Answer { subject: it, reference: it, similarity: 0.0, margin: 0.0 });
    norm_weights::compare(subject, reference, &answers.collect::<Vec<_>>(), &Stream::Same)
}

/// The signs of units at the same place, without any alignment: silent for the least re-ordering, and with all units of
/// all layers the most sensitive test there is for long training.
fn place_signs(subject: &Net<'_>, reference: &Net<'_>, groups: &[usize], budget: &Budget) -> Result<RandomSign, Error> {
    let mut signs = RandomSign::default();
    if subject.hidden != reference.hidden {
        return Ok(signs);
    }
    let layers = some_of(layers::in_order(subject, reference), budget.layers);
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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::linalg::random::Random;
    use crate::weights::model::layer::Layer;
    use crate::weights::model::projection::Slot;
    use crate::weights::model::tensors::Numbers;

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
        (net.heads, net.kv_heads, net.head_dim) = (2, 2, hidden / 2);
        net.layers = (0..LAYERS)
            .map(|at| {
                let name = |what: &str| format!("{at}.{what}");
                let (gate, up) = (slot(&name("gate"), UNITS, hidden), slot(&name("up"), UNITS, hidden));
                let down = slot(&name("down"), hidden, UNITS);
                let ffns = vec![FeedForward { gate, up, down, width: UNITS, ..FeedForward::default() }];
                let square = |what: &str| slot(&name(what), hidden, hidden);
                let (query, key, value, output) = (square("q"), square("k"), square("v"), square("o"));
                Layer { ffns, query, key, value, output, ..Layer::default() }
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

    /// Streams of different widths between which no map was found are not compared, however alike the depth of the
    /// models.
    #[test]
    fn nothing_is_compared_between_streams_that_no_map_joins() {
        for (ours, theirs) in [(48, 32), (32, 48)] {
            let (one, other) = (Drawn(1), Drawn(2));
            let measured = measured(&net(&one, ours, ours), &net(&other, theirs, theirs));
            assert_eq!((measured.answers.len(), measured.blocks.len(), measured.heads), (0, 0, 0), "{ours} {theirs}");
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
