//! Is an adapter one of this model: an exact test, and how much of the model's second moments the adapter carries.
//!
//! **Statistic.** Over the outputs of each module the space that the columns of `B` span is held against the second
//! moments of the reference that its gradients came through ([`moments`]), pair by pair of dimensions.
//!
//! **Null.** The model that the adapter was trained on and the reference were initialised independently. Value
//! dimensions (of value and output projection together), rotary pairs (of query and key) and up-projected units (of up
//! and down) may be turned in sign without a change to anything, so that [`sign_pairs`] bounds the p-value exactly.
//! Rotary pairs are looked at only in architectures whose pairs are known to be `i` and `i + n/2`. Layers that are
//! copies of each other, and modules that share coins, are added up before they are tested. Where layers or heads were
//! re-ordered, the best arrangement is tested and paid for by the number of all arrangements.
//!
//! **Carried.** The sum of what value dimensions show, over the sum that an adapter of this very model would show if
//! its gradients pointed in all directions of the stream alike: columns of `B` drawn with the reference's own moments.
//! An adapter of this model carries 1 and a little more, since gradients favour directions that training wrote; an
//! adapter of a model that merely started alike carries what is left of the start. 1 is what the theory gives and was
//! not fitted to anything; its standard deviation is that of the draws.
//!
//! **What it cannot tell.** A model that hardly moved from its start carries as much as an adapter's base; a base that
//! was trained far since, or an adapter that was trained very long, carries less than 1 and comes out undetermined. A
//! reference whose value dimensions were mixed among each other shows nothing: no adapter would work on it, either.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::linalg::assignment::assign;
use crate::linalg::cholesky::cholesky;
use crate::linalg::low_rank::leading;
use crate::linalg::matrix::Matrix;
use crate::linalg::random::Random;
use crate::stats::levels::LEVEL;
use crate::stats::sign_pairs;
use crate::stats::sign_pairs::Pairs;
use crate::stats::tail;
use crate::weights::adapter::factors::{Change, Factors};
use crate::weights::adapter::moments;
use crate::weights::adapter::moments::{Heads, Outputs};
use crate::weights::matching::duplicate_layers::like_layers;
use crate::weights::model::view::Net;

/// What has to be known of a model before an adapter is held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symmetries {
    /// Whether dimensions `i` and `i + n/2` of a head are one rotary pair.
    pub has_rotary_halves: bool,
    /// Whether norms take the mean away, so that coordinates of the stream may not be turned one by one.
    pub has_means: bool,
}

/// How many adapters of the reference are drawn.
const DRAWS: u64 = 48;

/// One group of heads of one module.
type Groups = BTreeMap<Outputs, Vec<Matrix>>;

/// Which layer of the reference, and which of its groups of heads, each group of an adapted layer is held against.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) adapted: u32,
    /// Position in the reference's list of layers.
    pub(crate) layer: usize,
    pub(crate) groups: Vec<usize>,
}

/// What an adapter shows of a reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    /// Base-10 logarithm of the p-value, arrangements paid for.
    pub(crate) log10_p: f64,
    /// The same of the token rows' moments in what the adapter listens to.
    pub(crate) stream_log10_p: f64,
    /// In standard deviations of the null.
    pub(crate) standing: f64,
    pub(crate) stream_standing: f64,
    /// Signs that could be told apart.
    pub(crate) coins: usize,
    pub(crate) stream_coins: usize,
    /// How much of the reference's moments is carried, with the standard deviation of a draw; none without value
    /// modules.
    pub(crate) carried: Option<(f64, f64)>,
    /// What an adapter of this very model would typically have given.
    pub(crate) expected: Option<f64>,
    pub(crate) places: Vec<Place>,
    /// Whether layers or heads had to be re-ordered.
    pub(crate) is_moved: bool,
    /// Modules that were held against something, and modules that were not.
    pub(crate) tested: usize,
    pub(crate) untested: usize,
    /// Whether at least one module does not fit the reference's shape.
    pub(crate) unfit: usize,
}

/// Tests an adapter against one of so many references.
pub(crate) fn test(
    adapter: &Factors<'_>,
    reference: &Net<'_>,
    symmetries: Symmetries,
    references: usize,
) -> Result<Shown, Error> {
    let Some(heads) = Heads::of(reference) else { return Ok(Shown::default()) };
    let mut shown = Shown::default();
    let spaces = spaces(adapter, reference, heads, symmetries.has_rotary_halves, &mut shown)?;
    let theirs = moments_of(reference, &spaces)?;
    let like = like_layers(reference, &(0..reference.layers.len()).collect::<Vec<_>>())?;
    let ranks = adapter.value_ranks();
    let sides = Sides { ours: &spaces, theirs: &theirs, like: &like, ranks: &ranks };
    let in_place = sides.in_place(reference);
    let straight = sides.blocks(&in_place);
    shown.log10_p = sign_pairs::log10_p(straight.values());
    shown.places = in_place;
    if shown.log10_p > LEVEL
        && let Some((moved, paid)) = sides.best()
    {
        let log10_p = sign_pairs::log10_p(sides.blocks(&moved).values()) + paid;
        if log10_p < shown.log10_p {
            (shown.log10_p, shown.is_moved, shown.places) = (log10_p, moved != shown.places, moved);
        }
    }
    // Both arrangements may decide, and the stream beside them.
    let tests = 4 * references.max(1);
    shown.log10_p = tail::smallest_of(shown.log10_p, tests);
    let blocks = sides.blocks(&shown.places);
    shown.standing = sign_pairs::standing(blocks.values());
    shown.coins = blocks.values().map(Pairs::coins).sum();
    carried(&sides, &mut shown, heads, tests);
    if !symmetries.has_means {
        stream(adapter, reference, &mut shown, tests)?;
    }
    Ok(shown)
}

/// The spaces of all modules that can be held against something, by layer.
fn spaces(
    adapter: &Factors<'_>,
    reference: &Net<'_>,
    heads: Heads,
    has_rotary: bool,
    shown: &mut Shown,
) -> Result<BTreeMap<u32, Groups>, Error> {
    let units = reference.layers.iter().find_map(|it| it.ffns.first()?.up.as_ref().map(|it| it.outputs()));
    let mut spaces: BTreeMap<u32, Groups> = BTreeMap::new();
    for (layer, changes) in &adapter.changes {
        for change in changes.values() {
            let rows = |what| if what == Outputs::Up { units.unwrap_or(0) } else { heads.rows(what) };
            match change.what {
                Some(what) if change.inputs != reference.hidden || change.outputs != rows(what) => shown.unfit += 1,
                Some(what) if has_rotary || !what.is_rotary() => {
                    let space = moments::of_space(&adapter.space(change)?, what, heads);
                    spaces.entry(*layer).or_default().insert(what, space);
                    shown.tested += 1;
                }
                _ => shown.untested += 1,
            }
        }
    }
    Ok(spaces)
}

/// The moments of every layer of the reference, of the kinds that the adapter changes.
fn moments_of(reference: &Net<'_>, spaces: &BTreeMap<u32, Groups>) -> Result<Vec<Groups>, Error> {
    let mut kinds: Vec<Outputs> = spaces.values().flat_map(BTreeMap::keys).copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of_layer = |layer| {
        let mut groups = Groups::new();
        for kind in &kinds {
            if let Some(moments) = moments::of_layer(reference, layer, *kind)? {
                groups.insert(*kind, moments);
            }
        }
        Ok(groups)
    };
    reference.layers.iter().map(of_layer).collect()
}

/// Which coins a block shares: those of values, of rotary pairs, or of units; of which group of like layers; of which
/// heads.
type Coin = (u8, usize, usize);

struct Sides<'a> {
    ours: &'a BTreeMap<u32, Groups>,
    theirs: &'a [Groups],
    like: &'a [usize],
    /// Columns of the value modules' `B`, by layer.
    ranks: &'a BTreeMap<u32, usize>,
}

impl Sides<'_> {
    /// Every layer and every group of heads where it stands.
    fn in_place(&self, reference: &Net<'_>) -> Vec<Place> {
        let place = |layer: &u32| {
            let at = reference.layers.iter().position(|it| it.index == *layer)?;
            let groups = (0..self.groups()).collect();
            Some(Place { adapted: *layer, layer: at, groups })
        };
        self.ours.keys().filter_map(place).collect()
    }

    fn groups(&self) -> usize {
        let heads = self.ours.values().flat_map(|it| it.iter().filter(|it| *it.0 != Outputs::Up));
        heads.map(|it| it.1.len()).max().unwrap_or(1)
    }

    /// What all modules show in one arrangement, by the coins that they share.
    fn blocks(&self, places: &[Place]) -> BTreeMap<Coin, Pairs> {
        let mut blocks: BTreeMap<Coin, Pairs> = BTreeMap::new();
        for place in places {
            for (kind, one, other, group) in self.meeting(place) {
                let word = match kind {
                    Outputs::Value => 0,
                    Outputs::Query | Outputs::Key => 1,
                    Outputs::Up => 2,
                };
                let coin = (word, self.like[place.layer], group);
                blocks.entry(coin).or_default().add(&pairs(kind, one, other));
            }
        }
        blocks.into_iter().map(|(coin, it)| (coin, it.normalised())).collect()
    }

    /// What meets in one place: kind, ours, theirs, and which of their groups it is.
    fn meeting(&self, place: &Place) -> Vec<(Outputs, &Matrix, &Matrix, usize)> {
        let (Some(ours), Some(theirs)) = (self.ours.get(&place.adapted), self.theirs.get(place.layer)) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (kind, groups) in ours {
            let Some(others) = theirs.get(kind) else { continue };
            for (at, one) in groups.iter().enumerate() {
                let group = if *kind == Outputs::Up { Some(at) } else { place.groups.get(at).copied() };
                all.extend(group.and_then(|group| Some((*kind, one, others.get(group)?, group))));
            }
        }
        all
    }

    /// The arrangement in which every layer stands highest, with the base-10 logarithm of how many there are.
    fn best(&self) -> Option<(Vec<Place>, f64)> {
        let groups = self.groups();
        let places = self.ours.keys().map(|layer| {
            let each = (0..self.theirs.len()).filter_map(|at| self.arranged(*layer, at, groups));
            each.max_by(|one, other| one.1.total_cmp(&other.1)).map(|it| it.0)
        });
        let places: Vec<Place> = places.collect::<Option<_>>()?;
        let orders: f64 = (1..=groups).map(|it| (it as f64).log10()).sum();
        let paid = places.len() as f64 * ((self.theirs.len() as f64).log10() + orders);
        Some((places, paid))
    }

    /// The order of groups in which one layer stands highest against one of the reference, and how high.
    fn arranged(&self, adapted: u32, layer: usize, groups: usize) -> Option<(Place, f64)> {
        let mut scores = Matrix::new(groups, groups, Vec::new());
        let mut alone = 0.0;
        for shift in 0..groups {
            let turned: Vec<usize> = (0..groups).map(|it| (it + shift) % groups).collect();
            let place = Place { adapted, layer, groups: turned };
            alone = 0.0;
            for (kind, one, other, group) in self.meeting(&place) {
                let standing = sign_pairs::standing(std::iter::once(&pairs(kind, one, other)));
                if kind == Outputs::Up {
                    alone += standing;
                } else {
                    let row = (group + groups - shift) % groups;
                    scores.data[row * groups + group] += standing as f32;
                }
            }
        }
        let order = assign(&scores);
        let sum: f64 = order.iter().enumerate().map(|(row, col)| f64::from(scores.row(row)[*col])).sum();
        let place = Place { adapted, layer, groups: order };
        (!self.meeting(&place).is_empty()).then_some((place, sum + alone))
    }
}

fn pairs(kind: Outputs, one: &Matrix, other: &Matrix) -> Pairs {
    if kind.is_rotary() { Pairs::of_rotary(one, other) } else { Pairs::of(one, other) }
}

/// How much of the reference's moments value modules carry, and what an adapter of it would have given.
fn carried(sides: &Sides<'_>, shown: &mut Shown, heads: Heads, tests: usize) {
    let met: Vec<(&Place, Vec<&Matrix>, f64, usize)> =
        shown.places.iter().filter_map(|it| value_met(sides, it)).collect();
    if met.is_empty() {
        return;
    }
    let observed: f64 = met.iter().map(|it| it.2).sum();
    let lower: Vec<Vec<Matrix>> = met.iter().map(|it| it.1.iter().map(|it| cholesky(it)).collect()).collect();
    let (mut sums, mut evidence) = (Vec::new(), Vec::new());
    for draw in 0..DRAWS {
        let mut random = Random::new(0x6164_6170_7465_7200 ^ draw);
        let mut blocks: BTreeMap<(usize, usize), Pairs> = BTreeMap::new();
        for ((place, theirs, _, rank), lower) in met.iter().zip(&lower) {
            let drawn = moments::of_space(&leading(&columns(lower, *rank, &mut random)), Outputs::Value, heads);
            for (group, (one, other)) in drawn.iter().zip(theirs).enumerate() {
                blocks.entry((sides.like[place.layer], group)).or_default().add(&Pairs::of(one, other));
            }
        }
        sums.push(blocks.values().map(Pairs::sum).sum::<f64>());
        let blocks: Vec<Pairs> = blocks.into_values().map(Pairs::normalised).collect();
        evidence.push(sign_pairs::log10_p(blocks.iter()));
    }
    let mean = sums.iter().sum::<f64>() / sums.len() as f64;
    let spread = (sums.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (sums.len() - 1) as f64).sqrt();
    if mean > 0.0 {
        shown.carried = Some((observed / mean, spread / mean));
    }
    evidence.sort_by(f64::total_cmp);
    shown.expected = Some(tail::smallest_of(evidence[evidence.len() / 2], tests));
}

/// The value modules of one place: their moments in our order, the sum of what is shown, and the number of directions.
fn value_met<'a>(sides: &Sides<'a>, place: &'a Place) -> Option<(&'a Place, Vec<&'a Matrix>, f64, usize)> {
    let ours = sides.ours.get(&place.adapted)?.get(&Outputs::Value)?;
    let all = sides.theirs.get(place.layer)?.get(&Outputs::Value)?;
    let theirs: Vec<&Matrix> = place.groups.iter().map(|it| all.get(*it)).collect::<Option<_>>()?;
    let sum = ours.iter().zip(&theirs).map(|(one, other)| Pairs::of(one, other).sum()).sum();
    Some((place, theirs, sum, *sides.ranks.get(&place.adapted)?))
}

/// Columns drawn with the moments whose lower triangles these are, one below the other.
fn columns(lower: &[Matrix], count: usize, random: &mut Random) -> Matrix {
    let mut drawn = Matrix::new(0, count, Vec::new());
    for triangle in lower {
        let noise = Matrix::new(triangle.cols, count, (0..triangle.cols * count).map(|_| random.normal()).collect());
        drawn.data.extend(triangle.times(&noise).data);
        drawn.rows += triangle.rows;
    }
    drawn
}

/// What the adapter listens to against the moments of the reference's token rows: coordinates of the stream share one
/// coin over all layers.
fn stream(adapter: &Factors<'_>, reference: &Net<'_>, shown: &mut Shown, tests: usize) -> Result<(), Error> {
    let Some((kept, tokens)) = moments::of_tokens(reference)? else { return Ok(()) };
    let mut sum = Pairs::default();
    for (layer, changes) in &adapter.changes {
        let Some(layer) = reference.layers.iter().find(|it| it.index == *layer) else { continue };
        let read = changes.values().filter(|it| it.reads_stream && it.inputs == reference.hidden);
        for change in read {
            let norm = if is_feed_forward(change) { &layer.ffn_norm } else { &layer.attention_norm };
            let listened = adapter.listened(change)?.transposed().gather(&kept);
            let gains = reference.norm(norm.as_ref())?;
            let gain = |at: usize| gains.as_ref().and_then(|it| it.get(kept[at])).copied().unwrap_or(1.0);
            let mut seen = tokens.clone();
            for (at, number) in seen.data.iter_mut().enumerate() {
                *number *= gain(at / tokens.cols) * gain(at % tokens.cols);
            }
            let seen = moments::correlations(seen);
            sum.add(&Pairs::of(&listened.times_transposed(&listened), &seen));
        }
    }
    shown.stream_coins = sum.coins();
    shown.stream_standing = sign_pairs::standing(std::iter::once(&sum));
    shown.stream_log10_p = tail::smallest_of(sign_pairs::log10_p(std::iter::once(&sum)), tests);
    Ok(())
}

fn is_feed_forward(change: &Change) -> bool {
    change.what == Some(Outputs::Up) || change.is_gate
}
