//! What the rules look at.

use std::cmp::Ordering;

use crate::fact::PKind;
use crate::stats::levels::{ASYMPTOTIC_LEVEL, LEVEL};
use crate::stats::tail;
use crate::weights::align::token_rows::Tokens;
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};
use crate::weights::matching::symmetry::Symmetry;
use crate::weights::model::basis::Stream;

/// How much of what training wrote must be kept for derivation rather than a shared start. Under derivation the
/// regression slope of the later model on the earlier one is 1, however long the later one was trained; two trainings
/// from one start share only what the data force on both.
/// The less both were trained, the more of what gains hold is forced alike: up to 0.55 between models of one start that
/// were trained as long as is usual here, 0.78 in a family trained at half the rate. Of two that were trained at
/// different rates the slope may be anything, which is why it alone is not enough.
pub(crate) const RETAINED: f64 = 0.8;

/// Below this it is a shared start; between the two nobody is told anything that might be wrong.
pub(crate) const SHARED: f64 = 0.55;

/// The least correlation of gains, or of sizes of columns, that still tells derivation. The slope alone says nothing
/// where one side was trained at another rate, or had its gains scaled and the next weights scaled back: it grows with
/// the spread of the one. Trainings from one start, at one rate or two, agree to 0.58 at most in eight families;
/// derived models do less after very long training alone.
const GAINS_AGREE: f64 = 0.6;

/// Cosine of the weights of matched units from which on no two trainings are in between, whatever the start: each would
/// have changed it by less than a seventh of its size, and such a model has learned nothing yet.
const UNTRAINED: f64 = 0.98;

/// From here on gains are taken to say something about what was kept.
const GAINS_SPEAK: f64 = -3.0;

/// Cosine of token rows from which on they are taken to be trained on and not replaced.
const ROWS_SPEAK: f64 = 0.3;

/// Correlation of gains from which on the body's silence is not taken for independence. Models that share an embedding
/// and no other weight stay well below.
const GAINS_COSINE: f64 = 0.5;

/// Fewer units say nothing by their silence.
pub(crate) const ENOUGH_UNITS: usize = 48;

/// The least share of the parameters in layers that must be readable and have a place in a comparison for silence, or a
/// part alone, to be an answer: where more than half of a body was not read, what was read speaks for the smaller part
/// of it.
pub(crate) const LEAST_READ: f64 = 0.5;

/// So many gains speak for themselves: their slope is then known to about 0.05.
const ENOUGH_GAINS: usize = 256;

/// Cosine of token rows from which on they are called the same part.
pub(crate) const TOKEN_COSINE: f64 = 0.5;

/// The same where coordinates had to be re-ordered, turned in sign or rotated first. Embeddings of unrelated models
/// learn a like geometry from like text, and a map that is made from them brings it out; a copy keeps nearly all of it.
const MAPPED_COSINE: f64 = 0.9;

/// Share of what was looked at that is the same, from which on nothing else is asked.
const MOSTLY: f64 = 0.5;

/// Such a share of equal neurons is no shared start, whatever else was kept.
const SOME: f64 = 0.1;

/// Tests that may decide about one pair: signs of units matched and in place, in a quick look and in the next,
/// agreement, value dimensions, products of heads.
const TESTS: usize = 6;

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) unit_signs: f64,
    pub(crate) place_signs: f64,
    pub(crate) agreement: f64,
    pub(crate) agreeing: f64,
    pub(crate) value_signs: f64,
    pub(crate) head_z: f64,
    pub(crate) same: bool,
    /// Neurons or rows of blocks that are the same, or those of attention: log10 p and share of the clearer.
    pub(crate) equal: (f64, f64),
    pub(crate) equal_attention: (f64, f64),
    /// log10 p of matched neurons, and of rows of blocks at their places.
    pub(crate) equal_by_part: [f64; 2],
    pub(crate) body: bool,
    pub(crate) attention: bool,
    pub(crate) tokens: bool,
    pub(crate) gains: f64,
    pub(crate) kept_gains: f64,
    /// Norm gains speak for a relation and nothing else does.
    pub(crate) norms: bool,
    /// Token rows agree by a rotation as those of unrelated models may, and no better.
    pub(crate) alike: bool,
    /// How much of what training wrote is kept; `None` if nothing shows it.
    pub(crate) retained: Option<f64>,
    /// Whether gains or sizes of columns told it, which every start has alike.
    pub(crate) is_seed_free: bool,
    /// Whether nothing else than numbers that a start has of its own speaks for derivation.
    pub(crate) is_by_start: bool,
    /// Whether gains and sizes of columns contradict each other.
    pub(crate) is_at_odds: bool,
    /// Whether gains or sizes of columns tell it, and agree too little for their slope to mean anything or are at odds.
    pub(crate) is_faint: bool,
    pub(crate) log10_p: f64,
    pub(crate) kind: PKind,
    /// Units that a test could speak of.
    pub(crate) units: usize,
    /// Whether enough of both bodies was read, and enough units tested, for silence to say something.
    pub(crate) is_read: bool,
    pub(crate) coins: Coins,
    /// Whether signs or agreement of neurons show a relation.
    pub(crate) is_matched: bool,
    /// References that the subject is compared with.
    pub(crate) references: usize,
}

/// What the tests of hidden units take for granted, where at least one of the models keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coins {
    /// Signs behind gates.
    pub(crate) are_fair: bool,
    /// Gate and up projection are one look, in both.
    pub(crate) are_tied: bool,
}

impl Coins {
    fn of(measured: &Measured) -> Self {
        let both = |is: fn(&Symmetry) -> bool| measured.symmetry.iter().all(is);
        Self { are_fair: !both(Symmetry::is_broken), are_tied: both(Symmetry::is_tied) }
    }

    fn do_units_speak(self, has_gate: bool) -> bool {
        has_gate && self.are_fair || !self.are_tied
    }

    pub(crate) fn reason(self, has_gate: bool) -> Option<&'static str> {
        match self {
            Self { are_fair: false, are_tied: true } => Some(
                "in both models gates and what stands behind them are tied, which no initialisation that is symmetric \
                 about zero does: neither signs of hidden units nor their agreement were used",
            ),
            Self { are_fair: false, .. } if has_gate => Some(
                "in both models up or down projections point the way of their gates, which no initialisation that is \
                 symmetric about zero does: signs of hidden units are no fair coins there, and were not used",
            ),
            Self { are_tied: true, .. } => Some(
                "in both models the two projections that hidden units are matched by are nearly the same, so that \
                 their agreement says nothing and was not used",
            ),
            _ => None,
        }
    }
}

impl Evidence {
    /// Whether weights that are the same decide.
    pub(crate) fn is_equal(&self) -> bool {
        are_equal(self.equal)
    }

    /// Whether so many are the same that it is no start that both left.
    pub(crate) fn has_equal(&self) -> bool {
        self.equal.0 <= ASYMPTOTIC_LEVEL && self.equal.1 >= SOME
    }

    pub(crate) fn of(measured: &Measured, references: usize) -> Self {
        let tests = TESTS.saturating_mul(references.max(1));
        let (attention_tests, tests) =
            (tests.saturating_mul(measured.tries.0.max(1)), tests.saturating_mul(measured.tries.1.max(1)));
        let units = measured.total(|it| it.possible);
        let agreeing = measured.total(|it| it.agreeing);
        let coins = Coins::of(measured);
        let testable = if coins.do_units_speak(measured.has_gate) { units } else { 0 };
        let said = |is_usable: bool, log10_p: f64| if is_usable { tail::smallest_of(log10_p, tests) } else { 0.0 };
        let unit_signs = said(measured.has_gate && coins.are_fair, measured.unit_signs.log10_p());
        let place_signs = said(coins.are_fair, measured.place_signs.log10_p());
        let agreement = said(!coins.are_tied, tail::agreeing_points(agreeing, measured.blocks.len()));
        // Where heads are not known, every way to cut them is one more test.
        let attention_tests = attention_tests.saturating_mul(measured.cuts.max(1));
        let value_signs = tail::smallest_of(measured.value_signs.log10_p(), attention_tests);
        let layers = measured.head_z.len().max(1) as f64;
        let head_z =
            tail::smallest_of(tail::normal(measured.head_z.iter().sum::<f64>() / layers.sqrt()), attention_tests);
        let agreeing_share = agreeing as f64 / units.max(1) as f64;
        let by_agreement = agreement <= ASYMPTOTIC_LEVEL && agreeing_share >= AGREEING_SHARE;
        let signs = unit_signs.min(place_signs);
        let equal = equal(measured, coins, tests);
        let [_, in_attention] = &measured.equal_rows;
        let equal_attention = (tail::smallest_of(in_attention.log10_p(), attention_tests), in_attention.share());
        let by_equality = are_equal(equal);
        let by_signs = signs <= LEVEL;
        let attention = value_signs <= LEVEL
            || head_z <= ASYMPTOTIC_LEVEL && measured.products.cosine() >= 0.3
            || are_equal(equal_attention);
        let (log10_p, kind) = match (by_signs, by_agreement) {
            (true, _) => (signs, PKind::Exact),
            (false, true) => (agreement, PKind::Asymptotic),
            (false, false) if by_equality => (equal.0, PKind::Asymptotic),
            _ if measured.has_gate => (signs, PKind::Exact),
            _ => (agreement, PKind::Asymptotic),
        };
        let rows = [&measured.embedding, &measured.head].into_iter().filter(|it| it.count >= 16);
        let rows = rows.map(|it| it.cosine).fold(0.0, f64::max);
        let enough = token_cosine(measured);
        let is_taken_over = |it: &&Tokens| it.count >= 16 && it.cosine >= enough && it.find_their_own(references);
        let tokens = [&measured.embedding, &measured.head].iter().any(is_taken_over);
        let gains = tail::smallest_of(measured.gains.log10_p(), references.max(1));
        let kept = Kept::of(measured);
        let is_seed_free = kept.is_some_and(|it| it.agreement.is_some());
        let is_at_odds = do_gains_speak(measured) && are_at_odds(measured);
        Self {
            unit_signs,
            place_signs,
            agreement,
            agreeing: agreeing_share,
            value_signs,
            head_z,
            same: measured.equality.is_same,
            equal,
            equal_attention,
            equal_by_part: [&measured.equal_units, &measured.equal_rows[0]]
                .map(|it| tail::smallest_of(it.log10_p(), 2 * tests)),
            body: by_signs || by_agreement || by_equality,
            attention,
            tokens,
            gains,
            kept_gains: tail::smallest_of(measured.kept_gains.log10_p(), references.max(1)),
            norms: gains <= ASYMPTOTIC_LEVEL && measured.gains.sums.cosine() >= GAINS_COSINE,
            alike: rows >= TOKEN_COSINE && !tokens,
            retained: kept.map(|it| it.share),
            is_seed_free,
            is_by_start: !is_seed_free && least_unit_cosine(measured) < UNTRAINED,
            is_at_odds,
            is_faint: is_at_odds || kept.and_then(|it| it.agreement).is_some_and(|it| it < GAINS_AGREE),
            log10_p,
            kind,
            units: testable,
            is_read: testable >= ENOUGH_UNITS && measured.read_share.is_none_or(|it| it >= LEAST_READ),
            coins,
            references,
            is_matched: by_signs || by_agreement,
        }
    }
}

/// What weights that are the same say of the body: matched neurons, or rows of its blocks at their places.
fn equal(measured: &Measured, coins: Coins, tests: usize) -> (f64, f64) {
    // A rotation is made of rows, and where gates and ups are tied those that it was made of would be all there is.
    let is_fitted = matches!(measured.stream, Stream::Rotated(_)) && coins.are_tied;
    let [rows, _] = &measured.equal_rows;
    let units = Some(&measured.equal_units).filter(|_| !is_fitted);
    let said = units.into_iter().chain([rows]).map(|it| (tail::smallest_of(it.log10_p(), 2 * tests), it.share()));
    said.max_by(|one, other| {
        (are_equal(*one), one.1).partial_cmp(&(are_equal(*other), other.1)).unwrap_or(Ordering::Equal)
    })
    .unwrap_or_default()
}

/// Whether most of what was looked at is the same.
pub(crate) fn are_equal((log10_p, share): (f64, f64)) -> bool {
    log10_p <= ASYMPTOTIC_LEVEL && share >= MOSTLY
}

/// From which cosine on token rows are called the same part.
pub(crate) fn token_cosine(measured: &Measured) -> f64 {
    let is_plain = matches!(measured.stream.word(), "same coordinates" | "chosen coordinates");
    if is_plain { TOKEN_COSINE } else { MAPPED_COSINE }
}

/// Whether there are enough gains, they agree at all, and they were not written over: gains that were scaled one by
/// one, with the next weights scaled back, agree by little, where the sizes of columns that they are folded into agree
/// as before.
fn do_gains_speak(measured: &Measured) -> bool {
    let gains = &measured.kept_gains;
    let is_written_over = || {
        gains.agreement < GAINS_AGREE
            && measured.columns().and_then(|it| it.agreement()).is_some_and(|it| it >= GAINS_AGREE)
    };
    gains.count > 0 && gains.dimensions >= 16 && gains.log10_p() <= GAINS_SPEAK && !is_written_over()
}

/// The mean cosine of matched units by what they are matched by and by what stands behind it, whichever is less; units
/// may be scaled, each as it likes.
fn least_unit_cosine(measured: &Measured) -> f64 {
    let (pairs, key, behind) = measured.kept_units().fold((0, 0.0, 0.0), |(pairs, key, behind), it| {
        (pairs + it.pairs.len(), key + it.gate_cosine, behind + it.up_cosine)
    });
    f64::min(key, behind) / pairs.max(1) as f64
}

/// Whether gains and sizes of columns say opposite things, as where gains were written over and the next weights made
/// up for it.
fn are_at_odds(measured: &Measured) -> bool {
    let gains = measured.kept_gains.sums.retained(1.0);
    let columns = measured.columns().and_then(|it| it.retained());
    columns.is_some_and(|it| gains < SHARED && it >= RETAINED || gains >= RETAINED && it < SHARED / 2.0)
}

/// How much of what training wrote is kept.
#[derive(Clone, Copy, Debug)]
struct Kept {
    share: f64,
    /// How well the numbers that told it agree, whatever their spread; none where they were not those that every start
    /// has alike.
    agreement: Option<f64>,
}

impl Kept {
    /// Gains start at one in every model, so that all of what they hold was written by training; where there are few of
    /// them, token rows, which start small, speak beside them.
    ///
    /// Gains that show nothing although the body is related were folded or scaled away. Then the sizes of columns,
    /// which such gains are still in, stand for them, and beside those token rows and what blocks write into the
    /// stream. The stream may have been scaled as a whole, and what is written is measured by the size of the token
    /// rows, which such a scale multiplies alike. Without sizes of columns nobody is told of a shared start, since what
    /// blocks write fades with training too.
    fn of(measured: &Measured) -> Option<Self> {
        let tokens = [&measured.embedding, &measured.head].into_iter().find(|it| it.cosine >= ROWS_SPEAK);
        let gains = &measured.kept_gains;
        if do_gains_speak(measured) {
            let kept = gains.sums.retained(1.0);
            let beside =
                tokens.filter(|_| gains.count * gains.dimensions < ENOUGH_GAINS).map(|it| it.sums.retained(1.0));
            let share = beside.map_or(kept, |it| f64::midpoint(kept, it));
            return Some(Self { share, agreement: Some(gains.agreement) });
        }
        let down = measured.sums(|it| it.down);
        let scale = tokens.map_or(1.0, |it| (it.sums.subject / it.sums.reference.max(f64::MIN_POSITIVE)).sqrt());
        let rows = tokens.map(|it| it.sums.retained(scale));
        let written = (down.reference > 0.0).then(|| rows.unwrap_or(f64::INFINITY).min(down.retained(scale)))?;
        let columns = measured.columns();
        let share = columns.and_then(|it| it.retained()).map_or(written, |it| f64::midpoint(it, written.min(1.0)));
        Some(Self { share, agreement: columns.and_then(|it| it.agreement()) })
    }
}
