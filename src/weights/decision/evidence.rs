//! What the rules look at.

use std::cmp::Ordering;

use crate::fact::{PKind, StatisticId};
use crate::stats::levels::{ASYMPTOTIC_LEVEL, LEVEL};
use crate::weights::decision::correction::Correction;
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};
use crate::weights::model::basis::Stream;
use crate::weights::statistics::neuron_assumptions::Assumptions;
use crate::weights::statistics::retention::{GAINS_AGREE, Kept, are_at_odds, do_gains_speak};
use crate::weights::statistics::token_rows::{TOKEN_COSINE, own_token};
use crate::weights::statistics::{Family, Observation, head_products, norm_weights, partner_agreement, random_sign};

/// Cosine of the weights of matched units from which on no two trainings are in between, whatever the start: each would
/// have changed it by less than a seventh of its size, and such a model has learned nothing yet.
const UNTRAINED: f64 = 0.98;

/// Correlation of gains from which on the body's silence is not taken for independence. Models that share an embedding
/// and no other weight stay well below.
const GAINS_COSINE: f64 = 0.5;

/// Fewer units say nothing by their silence.
pub(crate) const ENOUGH_UNITS: usize = 48;

/// The least share of the parameters in layers that must be readable and have a place in a comparison for silence, or a
/// part alone, to be an answer: where more than half of a body was not read, what was read speaks for the smaller part
/// of it.
pub(crate) const LEAST_READ: f64 = 0.5;

/// Share of what was looked at that is the same, from which on nothing else is asked.
const MOSTLY: f64 = 0.5;

/// Such a share of equal neurons is no shared start, whatever else was kept.
const SOME: f64 = 0.1;

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) unit_signs: f64,
    pub(crate) agreeing: f64,
    pub(crate) value_signs: f64,
    pub(crate) head_z: f64,
    pub(crate) same: bool,
    /// Neurons or rows of blocks that are the same: log10 p and share of the clearer.
    pub(crate) equal: (f64, f64),
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
    pub(crate) coins: Assumptions,
    /// Whether signs or agreement of neurons show a relation.
    pub(crate) is_matched: bool,
    /// By how many tests p-values are corrected.
    pub(crate) correction: Correction,
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

    /// From what matching measured, and what the deciding statistics observed there.
    pub(crate) fn of(measured: &Measured, observed: &[Observation], correction: &Correction) -> Self {
        let found = |id, component| correction.found(observed, id, component);
        let unit_signs = found(StatisticId::RandomSign, random_sign::MATCHED);
        let place_signs = found(StatisticId::RandomSign, random_sign::IN_PLACE);
        let value_signs = found(StatisticId::RandomSign, random_sign::VALUES);
        let agreement = found(StatisticId::PartnerAgreement, partner_agreement::NEURONS);
        let head_z = found(StatisticId::HeadProducts, head_products::HEADS);
        let gains = found(StatisticId::NormWeights, norm_weights::NORMS);
        let coins = Assumptions::of(measured);
        let units = measured.total(|it| it.possible);
        let testable = if coins.do_units_speak(measured.has_gate) { units } else { 0 };
        let agreeing = partner_agreement::share(measured);
        let by_agreement = agreement <= ASYMPTOTIC_LEVEL && agreeing >= AGREEING_SHARE;
        let signs = unit_signs.min(place_signs);
        let equal = equal(measured, coins, correction);
        let [_, in_attention] = &measured.equal_rows;
        let equal_attention = (correction.apply(Family::Attention, in_attention.log10_p()), in_attention.share());
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
        let are_alike = rows.clone().any(|it| it.cosine >= TOKEN_COSINE);
        let tokens = rows.clone().any(|it| correction.holds(&own_token(measured, it)));
        let kept = Kept::of(measured);
        let is_seed_free = kept.is_some_and(|it| it.agreement.is_some());
        let is_at_odds = do_gains_speak(measured) && are_at_odds(measured);
        Self {
            unit_signs,
            agreeing,
            value_signs,
            head_z,
            same: measured.equality.is_same,
            equal,
            body: by_signs || by_agreement || by_equality,
            attention,
            tokens,
            gains,
            kept_gains: correction.apply(Family::References, measured.kept_gains.log10_p()),
            norms: gains <= ASYMPTOTIC_LEVEL && measured.gains.sums.cosine() >= GAINS_COSINE,
            alike: are_alike && !tokens,
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
            correction: *correction,
            is_matched: by_signs || by_agreement,
        }
    }
}

/// What weights that are the same say of the body: matched neurons, or rows of its blocks at their places.
fn equal(measured: &Measured, coins: Assumptions, correction: &Correction) -> (f64, f64) {
    // A rotation is made of rows, and where gates and ups are tied those that it was made of would be all there is.
    let is_fitted = matches!(measured.stream, Stream::Rotated(_)) && coins.are_tied;
    let [rows, _] = &measured.equal_rows;
    let units = Some(&measured.equal_units).filter(|_| !is_fitted);
    let said =
        units.into_iter().chain([rows]).map(|it| (correction.apply(Family::EqualWeights, it.log10_p()), it.share()));
    said.max_by(|one, other| {
        (are_equal(*one), one.1).partial_cmp(&(are_equal(*other), other.1)).unwrap_or(Ordering::Equal)
    })
    .unwrap_or_default()
}

/// Whether most of what was looked at is the same.
pub(crate) fn are_equal((log10_p, share): (f64, f64)) -> bool {
    log10_p <= ASYMPTOTIC_LEVEL && share >= MOSTLY
}

/// The mean cosine of matched units by what they are matched by and by what stands behind it, whichever is less; units
/// may be scaled, each as it likes.
fn least_unit_cosine(measured: &Measured) -> f64 {
    let (pairs, key, behind) = measured.kept_units().fold((0, 0.0, 0.0), |(pairs, key, behind), it| {
        (pairs + it.pairs.len(), key + it.gate_cosine, behind + it.up_cosine)
    });
    f64::min(key, behind) / pairs.max(1) as f64
}
