//! Two models in one layout: what their files do not state is tried, and the layout that fits is named.
//!
//! **What is tried.** Norm weights that are stored less one; the order of rows that rotate together; query, key and
//! value in one projection side by side, by head or by group; gates and ups that take turns; square matrices with rows
//! and columns exchanged. All of these leave what a model computes unchanged, and programs that everybody uses write
//! them.
//!
//! **Statistic.** The mean cosine of sampled rows of both models at their places, under each combination of layouts.
//! Where the streams have other coordinates no combination stands out, and then the products of rows within a head,
//! which no rotation of the stream changes, are compared instead.
//!
//! **Null.** Rows in a wrong order are unrelated: the mean of `n` cosines in `d` dimensions has a standard deviation of
//! `1 / √(n d)`. Another combination than the stated one is taken where it stands six such deviations of a difference
//! above it.
//!
//! **What it costs.** Tests whose values depend on what was chosen multiply their p-value by the number of combinations
//! that were tried (Bonferroni). The order of rows that rotate together changes no p-value, and multiplies none.

use crate::blueprint::Conversion;
use crate::checkpoint::Error;
use crate::linalg::matrix::{Matrix, cosine};
use crate::stats::levels::LEVEL;
use crate::weights::Watch;
use crate::weights::align::layers::Sketched;
use crate::weights::matching::choose_basis;
use crate::weights::matching::matched::Measured;
use crate::weights::matching::measure::measure;
use crate::weights::model::basis::Stream;
use crate::weights::model::budget::{Budget, spread};
use crate::weights::model::empty::empty;
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::orders::Orders;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Layers and rows of a projection that are looked at.
const LAYERS: usize = 3;
const ROWS: usize = 64;

/// Standard deviations of a difference from which on another layout than the stated one is taken.
const STANDS_OUT: f64 = 6.0;

/// How alike the products of rows must be where coordinates differ, and how much more than in the stated layout.
const ALIKE: f64 = 0.6;
const MORE_ALIKE: f64 = 0.3;

/// How much better gates must match for names to be doubted. Unrelated gates match as well either way.
const FAR_BETTER: f64 = 1.5;

/// Both models in one layout.
#[derive(Clone)]
pub(crate) struct Canonical<'a> {
    pub(crate) subject: Net<'a>,
    pub(crate) reference: Net<'a>,
    /// How many combinations were tried that the tests of attention depend on.
    pub(crate) attention_tries: usize,
    /// And those of hidden units.
    pub(crate) unit_tries: usize,
    /// The layouts in which the two files differ, by their ids.
    pub(crate) apart: Vec<&'static str>,
    /// Whether what the one file calls gate is what the other calls up projection.
    is_gate_called_up: bool,
}

/// Brings two models into one layout.
pub(crate) fn canonical<'a>(subject: &Net<'a>, reference: &Net<'a>) -> Result<Canonical<'a>, Error> {
    let mut pair = Canonical::new(without_empty(subject)?, without_empty(reference)?);
    pair.heads();
    pair.norms()?;
    if subject.hidden == reference.hidden && !subject.is_fingerprint() && !reference.is_fingerprint() {
        pair.exchanged()?;
        pair.attention()?;
        pair.units()?;
    }
    let stated = pair.subject.orders.apart(pair.reference.orders);
    pair.apart.extend(stated);
    Ok(pair)
}

/// Brings two models into one layout and measures them. Where hidden units show no relation, gates and ups are also
/// taken the other way round: in one projection, since a file does not say which rows are which, and by their names
/// where gates then match far better.
pub(crate) fn measured<'a>(
    subject: &Net<'a>,
    reference: &Net<'a>,
    tokens: Option<&[(u32, u32)]>,
    budget: &Budget,
    watch: &dyn Watch,
) -> Result<(Canonical<'a>, Measured), Error> {
    let pair = canonical(subject, reference)?;
    let measured = measure(&pair.subject, &pair.reference, tokens, budget, watch)?;
    let is_found = |it: &Measured| !it.kept().is_empty() || it.place_signs.log10_p() <= LEVEL;
    let tries = |pair: &Canonical<'_>| (pair.attention_tries, pair.unit_tries);
    let other = match pair.other_units() {
        _ if is_found(&measured) => None,
        None => pair.other_names(&measured.stream, budget)?,
        found => found,
    };
    if let Some(other) = other {
        let again = measure(&other.subject, &other.reference, tokens, budget, watch)?;
        let tries = tries(&other);
        if is_found(&again) {
            return Ok((other, Measured { tries, ..again }));
        }
        return Ok((pair, Measured { tries, ..measured }));
    }
    let tries = tries(&pair);
    Ok((pair, Measured { tries, ..measured }))
}

/// Both models with their norm weights as they multiply, and nothing else evened out: for a quick look.
pub(crate) fn with_norms<'a>(subject: &Net<'a>, reference: &Net<'a>) -> Result<(Net<'a>, Net<'a>), Error> {
    let mut pair = Canonical::new(subject.clone(), reference.clone());
    pair.norms()?;
    Ok((pair.subject, pair.reference))
}

/// What is reported of layouts and of empty matrices, one sentence each.
pub(crate) fn reasons(pair: &Canonical<'_>) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for layout in &pair.apart {
        reasons.push(format!(
            "the two files differ by the layout `{layout}`, which programs that everybody uses write and which leaves \
             what the model computes unchanged; both were compared in one layout"
        ));
    }
    if pair.is_gate_called_up {
        reasons.push(
            "the matrices that one file calls gate are those that the other calls up projection; they were compared by \
             what they hold, and the p-value is corrected for both readings"
                .to_owned(),
        );
    }
    for (side, net) in [("subject", &pair.subject), ("reference", &pair.reference)] {
        let all: f64 = net.tensors.values().map(|it| it.elements as f64).sum();
        let empty: f64 = net.empty.values().map(|it| *it as f64).sum();
        let some: Vec<&str> = net.empty.keys().take(2).map(String::as_str).collect();
        if !net.empty.is_empty() {
            reasons.push(format!(
                "{} matrices of the {side} ({:.1} % of its numbers) hold nothing but zeros or no finite number, such \
                 as {}: they count for no layer, head or statistic",
                net.empty.len(),
                100.0 * empty / all.max(1.0),
                some.join(", ")
            ));
        }
    }
    reasons
}

fn without_empty<'a>(net: &Net<'a>) -> Result<Net<'a>, Error> {
    let mut net = net.clone();
    let empty = if net.is_fingerprint() { Default::default() } else { empty(&net)? };
    if !empty.is_empty() {
        net.take_out(empty);
    }
    Ok(net)
}

impl<'a> Canonical<'a> {
    fn new(subject: Net<'a>, reference: Net<'a>) -> Self {
        Self { subject, reference, attention_tries: 1, unit_tries: 1, apart: Vec::new(), is_gate_called_up: false }
    }

    /// The same with gates and ups in the other order on one side, where a file has both in one projection and rows at
    /// their places do not say which.
    fn other_units(&self) -> Option<Self> {
        let is_fused = |net: &Net<'_>| net.layers.iter().flat_map(|it| &it.ffns).any(|it| it.fused.is_some());
        let mut other = self.clone();
        other.unit_tries += 1;
        let turned = |net: &mut Net<'_>| {
            net.order(Orders { is_alternating: !net.orders.is_alternating, ..net.orders });
        };
        match (is_fused(&self.subject), is_fused(&self.reference)) {
            (true, _) => turned(&mut other.subject),
            (false, true) => turned(&mut other.reference),
            (false, false) => return None,
        }
        other.apart.push("gate-up-alternating");
        Some(other)
    }

    /// The same with what the subject calls gate taken for the up projection, where gates then match far better. Names
    /// are what the file's author wrote; the test that follows is corrected for both readings.
    fn other_names(&self, stream: &Stream, budget: &Budget) -> Result<Option<Self>, Error> {
        let are_gated = |net: &Net<'_>| {
            let mut all = net.layers.iter().flat_map(|it| &it.ffns).peekable();
            all.peek().is_some() && all.all(|it| it.gate.is_some() && it.up.is_some())
        };
        let is_carried = stream.width(self.reference.hidden) == Some(self.subject.hidden);
        let are_whole = !self.subject.is_fingerprint() && !self.reference.is_fingerprint();
        if !(is_carried && are_whole && are_gated(&self.subject) && are_gated(&self.reference)) {
            return Ok(None);
        }
        let mut other = self.clone();
        for FeedForward { gate, up, .. } in other.subject.layers.iter_mut().flat_map(|it| &mut it.ffns) {
            std::mem::swap(gate, up);
        }
        other.unit_tries += 1;
        other.is_gate_called_up = true;
        let score =
            |net: &Net<'_>| choose_basis::gate_score(net, &self.reference, stream, budget, &Sketched::default());
        let (plain, exchanged) = (score(&self.subject)?, score(&other.subject)?);
        Ok((exchanged > FAR_BETTER * plain).then_some(other))
    }

    /// Heads that one side does not state are the other's, where both have queries and keys of one size.
    fn heads(&mut self) {
        let sizes = |net: &Net<'_>| {
            let layer = net.layers.iter().find(|it| it.stored[0].is_some() || it.fused.is_some())?;
            let outputs = |slot: &Option<Slot>| slot.as_ref().map(Slot::outputs);
            Some((outputs(&layer.stored[0]), outputs(&layer.stored[1]), outputs(&layer.fused), net.hidden))
        };
        let (ours, theirs) = (sizes(&self.subject), sizes(&self.reference));
        if ours.is_none() || ours != theirs {
            return;
        }
        let all = |net: &Net<'_>| (net.heads, net.kv_heads, net.head_dim);
        let known = |net: &Net<'_>| net.heads > 0 && net.kv_heads > 0 && net.head_dim > 0;
        match (known(&self.subject), known(&self.reference)) {
            (false, true) => take_heads(&mut self.subject, all(&self.reference)),
            (true, false) => take_heads(&mut self.reference, all(&self.subject)),
            _ => {}
        }
    }

    /// Adds one to norm weights that are stored less one.
    fn norms(&mut self) -> Result<(), Error> {
        let (ours, theirs) = (Norms::of(&self.subject)?, Norms::of(&self.reference)?);
        let offsets = offsets(&ours, &theirs);
        if offsets.0 != offsets.1 {
            self.apart.push("norm-about-zero");
        }
        self.subject.norm_offset += offsets.0;
        self.reference.norm_offset += offsets.1;
        Ok(())
    }

    /// Square projections of which one file has rows and columns exchanged.
    fn exchanged(&mut self) -> Result<(), Error> {
        let mut is_apart = false;
        for kind in 0..SQUARES {
            let (mut plain, mut turned) = (Score::default(), Score::default());
            for (one, other) in self.layers() {
                let slots = (square(&self.subject.layers[one], kind), square(&self.reference.layers[other], kind));
                let (Some(ours), Some(theirs)) = slots else { continue };
                let Some(exchanged) = ours.exchanged().filter(|_| theirs.exchanged().is_some()) else { continue };
                let rows = spread(ours.outputs(), ROWS);
                let theirs = theirs.load_rows(self.reference.numbers, &rows)?;
                plain.look(&ours.load_rows(self.subject.numbers, &rows)?, &theirs);
                turned.look(&exchanged.load_rows(self.subject.numbers, &rows)?, &theirs);
            }
            if turned.stands_above(&plain) {
                // The side whose other matrices lie as `[in, out]` has taken this one for such.
                let lies =
                    |net: &Net<'_>| net.layers.iter().find_map(|it| square(it, kind)).is_some_and(Slot::is_turned);
                let net =
                    if lies(&self.reference) && !lies(&self.subject) { &mut self.reference } else { &mut self.subject };
                exchange(net, kind);
                is_apart = true;
            }
        }
        if is_apart {
            self.apart.push("linear-turned");
        }
        Ok(())
    }

    /// Pairs of layers with one index, evenly spread.
    fn layers(&self) -> Vec<(usize, usize)> {
        let count = self.subject.layers.len().min(self.reference.layers.len());
        spread(count, LAYERS).into_iter().map(|it| (it, it)).collect()
    }

    /// The orders of query, key and value rows.
    fn attention(&mut self) -> Result<(), Error> {
        let stated = (self.subject.orders, self.reference.orders);
        let is_fused = |net: &Net<'_>| net.layers.iter().any(|it| it.fused.is_some());
        let fused = |net: &Net<'_>| match is_fused(net) {
            true => vec![None, Some(Conversion::ByHead), Some(Conversion::ByGroup)],
            false => vec![net.orders.fused],
        };
        let mut combinations = vec![stated];
        let flipped = |it: Orders| Orders { is_woven: !it.is_woven, ..it };
        let (ours, theirs) = (fused(&self.subject), fused(&self.reference));
        self.attention_tries = ours.len() * theirs.len();
        for one in &ours {
            for other in &theirs {
                let pair = (Orders { fused: *one, ..stated.0 }, Orders { fused: *other, ..stated.1 });
                combinations.extend([pair, (flipped(pair.0), pair.1), (pair.0, flipped(pair.1))]);
            }
        }
        let kinds: [Kind; 3] = [|it| it.query.as_ref(), |it| it.key.as_ref(), |it| it.value.as_ref()];
        self.choose(&combinations, &kinds)
    }

    /// The order of gates and ups that are in one projection.
    fn units(&mut self) -> Result<(), Error> {
        let stated = (self.subject.orders, self.reference.orders);
        let is_fused = |net: &Net<'_>| net.layers.iter().flat_map(|it| &it.ffns).any(|it| it.fused.is_some());
        let flipped = |it: Orders| Orders { is_alternating: !it.is_alternating, ..it };
        let mut combinations = vec![stated];
        if is_fused(&self.subject) {
            combinations.push((flipped(stated.0), stated.1));
        }
        if is_fused(&self.reference) {
            combinations.push((stated.0, flipped(stated.1)));
        }
        self.unit_tries = combinations.len();
        let kinds: [Kind; 2] = [|it| it.ffns.first()?.gate.as_ref(), |it| it.ffns.first()?.up.as_ref()];
        self.choose(&combinations, &kinds)
    }

    /// Takes the combination under which rows agree most; the first is the stated one, and stands unless another is
    /// clearly better.
    fn choose(&mut self, combinations: &[(Orders, Orders)], kinds: &[Kind]) -> Result<(), Error> {
        let Some((stated, others)) = combinations.split_first() else { return Ok(()) };
        if others.is_empty() {
            return Ok(());
        }
        let first = self.score(*stated, kinds)?;
        let scores: Vec<_> =
            others.iter().map(|it| Ok((self.score(*it, kinds)?, *it))).collect::<Result<_, Error>>()?;
        let mut best = (first, *stated);
        for (score, other) in &scores {
            if score.0.mean() > best.0.0.mean() && score.0.stands_above(&first.0) {
                best = (*score, *other);
            }
        }
        if best.1 == *stated && first.0.is_silent() {
            for (score, other) in &scores {
                let is_better = score.1.mean() > best.0.1.mean() && score.1.mean() >= ALIKE;
                if is_better && score.1.mean() >= first.1.mean() + MORE_ALIKE {
                    best = (*score, *other);
                }
            }
        }
        self.order(best.1);
        Ok(())
    }

    fn order(&mut self, (ours, theirs): (Orders, Orders)) {
        if self.subject.orders != ours {
            self.subject.order(ours);
        }
        if self.reference.orders != theirs {
            self.reference.order(theirs);
        }
    }

    /// How alike rows are under two orders: at their places, and by their products with each other.
    fn score(&mut self, orders: (Orders, Orders), kinds: &[Kind]) -> Result<(Score, Score), Error> {
        self.order(orders);
        let (mut rows, mut products) = (Score::default(), Score::default());
        for (one, other) in self.layers() {
            for kind in kinds {
                let slots = (kind(&self.subject.layers[one]), kind(&self.reference.layers[other]));
                let (Some(ours), Some(theirs)) = slots else { continue };
                if (ours.outputs(), ours.inputs()) != (theirs.outputs(), theirs.inputs()) {
                    continue;
                }
                let norms = |layer: &Layer| (layer.attention_norm.clone(), layer.ffn_norm.clone());
                let is_attention = kinds.len() == 3;
                let of =
                    |(attention, ffn): (Option<String>, Option<String>)| if is_attention { attention } else { ffn };
                let ours_norm = of(norms(&self.subject.layers[one]));
                let theirs_norm = of(norms(&self.reference.layers[other]));
                let chosen: Vec<usize> = (0..ours.outputs().min(ROWS)).collect();
                let ours = self.subject.folded_rows(ours, &chosen, ours_norm.as_ref())?;
                let theirs = self.reference.folded_rows(theirs, &chosen, theirs_norm.as_ref())?;
                rows.look(&ours, &theirs);
                products.look(&ours.angles(), &theirs.angles());
            }
        }
        Ok((rows, products))
    }
}

/// Which projection of a layer is looked at.
type Kind = fn(&Layer) -> Option<&Slot>;

fn take_heads(net: &mut Net<'_>, (heads, kv_heads, head_dim): (usize, usize, usize)) {
    (net.heads, net.kv_heads, net.head_dim) = (heads, kv_heads, head_dim);
    net.order(net.orders);
}

/// Kinds of projections that may be square.
const SQUARES: usize = 7;

fn square(layer: &Layer, kind: usize) -> Option<&Slot> {
    let ffn = || match &layer.ffns[..] {
        [ffn] => Some(ffn),
        _ => None,
    };
    let slot = match kind {
        0 => &layer.stored[0],
        1 => &layer.stored[1],
        2 => &layer.value,
        3 => &layer.output,
        4 => &ffn()?.gate,
        5 => &ffn()?.up,
        _ => &ffn()?.down,
    };
    slot.as_ref()
}

fn exchange(net: &mut Net<'_>, kind: usize) {
    let turn = |slot: &mut Option<Slot>| {
        if let Some(turned) = slot.as_ref().and_then(Slot::exchanged) {
            *slot = Some(turned);
        }
    };
    for layer in &mut net.layers {
        match kind {
            0 | 1 => turn(&mut layer.stored[kind]),
            2 => turn(&mut layer.value),
            3 => turn(&mut layer.output),
            _ => {
                for ffn in &mut layer.ffns {
                    turn(match kind {
                        4 => &mut ffn.gate,
                        5 => &mut ffn.up,
                        _ => &mut ffn.down,
                    });
                }
            }
        }
    }
    net.order(net.orders);
}

/// Cosines of index-aligned rows.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    cosines: f64,
    rows: f64,
    numbers: f64,
}

impl Score {
    fn look(&mut self, ours: &Matrix, theirs: &Matrix) {
        for (one, other) in ours.iter().zip(theirs.iter()) {
            self.cosines += cosine(one, other);
            self.rows += 1.0;
            self.numbers += one.len() as f64;
        }
    }

    fn mean(&self) -> f64 {
        self.cosines / self.rows.max(1.0)
    }

    /// Whether the difference of the means is no chance.
    fn stands_above(&self, other: &Self) -> bool {
        self.mean() - other.mean() >= STANDS_OUT * (2.0 / self.numbers.max(1.0)).sqrt()
    }

    /// Whether the mean is what unrelated rows have.
    fn is_silent(&self) -> bool {
        self.mean() < STANDS_OUT / self.numbers.max(1.0).sqrt()
    }
}

/// Norm weights of some layers as they are stored.
struct Norms {
    vectors: Vec<Vec<f32>>,
    /// Whether they cannot multiply as they stand, or the configuration says so.
    are_about_zero: bool,
}

impl Norms {
    fn of(net: &Net<'_>) -> Result<Self, Error> {
        let mut vectors = Vec::new();
        for at in spread(net.layers.len(), 2 * LAYERS) {
            let layer = &net.layers[at];
            for name in [&layer.attention_norm, &layer.ffn_norm] {
                vectors.extend(net.norm(name.as_ref())?.filter(|it| it.len() == net.hidden && !it.is_empty()));
            }
        }
        let are_about_zero = vectors.iter().filter(|it| is_about_zero(it)).count() * 2 > vectors.len();
        Ok(Self { vectors, are_about_zero })
    }
}

/// A weight of nothing or less would silence or turn its coordinate; where a tenth are such, they are stored less one.
fn is_about_zero(weights: &[f32]) -> bool {
    weights.iter().filter(|it| **it <= 0.0).count() * 10 > weights.len()
}

/// What is to be added on each side.
fn offsets(ours: &Norms, theirs: &Norms) -> (f32, f32) {
    let pairs = || ours.vectors.iter().zip(&theirs.vectors).filter(|it| it.0.len() == it.1.len());
    let apart: Vec<f64> = pairs().filter_map(|(one, other)| additive(one, other)).collect();
    let most = |is: &dyn Fn(f64) -> bool| apart.iter().filter(|it| is(**it)).count() * 3 >= pairs().count().max(1) * 2;
    let (above, below) = (most(&|it| (it - 1.0).abs() < 0.4), most(&|it| (it + 1.0).abs() < 0.4));
    match (above, below) {
        (true, _) => (0.0, 1.0),
        (_, true) => (1.0, 0.0),
        _ => (f32::from(u8::from(ours.are_about_zero)), f32::from(u8::from(theirs.are_about_zero))),
    }
}

/// The median of the differences, where what differs is a number that was added: the differences are less spread than
/// the weights themselves, or the weights below cannot multiply as they stand.
fn additive(one: &[f32], other: &[f32]) -> Option<f64> {
    let differences: Vec<f64> = one.iter().zip(other).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
    let numbers = |it: &[f32]| it.iter().map(|it| f64::from(*it)).collect::<Vec<_>>();
    let (median, left) = (middle(differences.clone()), spread_of(&differences));
    let lower = if median > 0.0 { other } else { one };
    let least = spread_of(&numbers(one)).min(spread_of(&numbers(other)));
    (is_about_zero(lower) || left < 0.5 * least).then_some(median)
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

fn spread_of(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    (numbers.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}
