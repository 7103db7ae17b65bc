//! From statistics to one relation, by named rules in a fixed order.
//!
//! `all-equal`, `shared-start`, `start-or-derived`, `body-signs`, `body-agreement`, `part-only`, `norms-only`, `learned-alike`, `nothing-found`, `too-little`.
//! Towers beside the language model add `tower-only` ([`towers`](crate::weights::with_towers)). Where one side is an adapter the rules are those of [`adapter`](crate::weights::adapter). The
//! body is what stands behind the gates of the feed-forward blocks; where there are no gates, the blocks themselves.

use crate::chance;
use crate::fact::{ComponentRelation, PKind, Power, RELATED, Statistic, Weights, WeightsRelation};
use crate::weights::measure::{AGREEING_SHARE, Measured};
use crate::weights::random_sign::RandomSign;

/// The level of a decision: one in a million, after paying for every test of the same kind.
pub(crate) const LEVEL: f64 = -6.0;

/// A calibrated statistic must go further, since its law is only approximate.
const CALIBRATED_LEVEL: f64 = -12.0;

/// How much of what training wrote must be kept for derivation rather than a shared start. Under derivation the regression
/// slope of the later model on the earlier one is 1, however long the later one was trained; two trainings from one start
/// share only what the data force on both.
/// The less both were trained, the more of what gains hold is forced alike: up to 0.55 between models of one start that were
/// trained as long as is usual here, 0.78 in a family trained at half the rate. Of two that were trained at different rates the slope may
/// be anything, which is why it alone is not enough.
pub(crate) const RETAINED: f64 = 0.8;

/// Below this it is a shared start; between the two nobody is told anything that might be wrong.
const SHARED: f64 = 0.55;

/// The least correlation of gains that still tells derivation. The slope alone says nothing where one side was trained at another
/// rate, or had its gains scaled and the next weights scaled back: it grows with the spread of the one. Trainings from one
/// start, at one rate or two, agree to 0.58 at most in eight families; derived models do less after very long training alone.
const GAINS_AGREE: f64 = 0.6;

/// From here on gains are taken to say something about what was kept.
const GAINS_SPEAK: f64 = -3.0;

/// Cosine of token rows from which on they are taken to be trained on and not replaced.
const ROWS_SPEAK: f64 = 0.3;

/// Correlation of gains from which on the body's silence is not taken for independence. Models that share an embedding and no
/// other weight stay well below.
const GAINS_COSINE: f64 = 0.5;

/// So many gains speak for themselves: their slope is then known to about 0.05.
const ENOUGH_GAINS: usize = 256;

/// Cosine of token rows from which on they are called the same part.
const TOKEN_COSINE: f64 = 0.5;

/// The same where coordinates had to be re-ordered, turned in sign or rotated first. Embeddings of unrelated models learn a like
/// geometry from like text, and a map that is made from them brings it out; a copy keeps nearly all of it.
const MAPPED_COSINE: f64 = 0.9;

/// Fewer units say nothing by their silence.
const ENOUGH_UNITS: usize = 48;

/// Tests that may decide about one pair: signs of units matched and in place, in a quick look and in the next, agreement, value
/// dimensions, products of heads.
const TESTS: usize = 6;

/// Decides. Where a subject is held against several references, every p-value pays for their number before a rule sees it.
pub(crate) fn decide(measured: &Measured, references: usize) -> Weights {
    let evidence = Evidence::of(measured, references);
    let (relation, rule) = evidence.decide();
    let mut weights = Weights {
        statistics: statistics(measured, &evidence),
        components: components(measured, &evidence, relation),
        ..Weights::default()
    };
    weights.relation = relation;
    weights.rule = Some(rule.to_owned());
    weights.log10_p = Some(evidence.log10_p);
    weights.p_kind = Some(evidence.kind);
    weights.power = Some(power(measured));
    weights.reasons = reasons(measured, &evidence, relation);
    weights
}

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Evidence {
    unit_signs: f64,
    place_signs: f64,
    agreement: f64,
    agreeing: f64,
    value_signs: f64,
    head_z: f64,
    same: bool,
    body: bool,
    attention: bool,
    tokens: bool,
    gains: f64,
    kept_gains: f64,
    /// Norm gains speak for a relation and nothing else does.
    norms: bool,
    /// Token rows agree by a rotation as those of unrelated models may, and no better.
    alike: bool,
    /// How much of what training wrote is kept; none where nothing shows it.
    pub(crate) retained: Option<f64>,
    /// Whether gains or sizes of columns told it, which every start has alike.
    is_seed_free: bool,
    /// Whether gains and sizes of columns contradict each other.
    is_at_odds: bool,
    /// Whether gains tell it, and agree too little for their slope to mean anything or are at odds with sizes of columns.
    is_faint: bool,
    log10_p: f64,
    kind: PKind,
    units: usize,
}

impl Evidence {
    pub(crate) fn of(measured: &Measured, references: usize) -> Self {
        let tests = TESTS.saturating_mul(references.max(1));
        let units = measured.total(|it| it.possible);
        let agreeing = measured.total(|it| it.agreeing);
        let matched = if measured.has_gate { measured.unit_signs.log10_p() } else { 0.0 };
        let unit_signs = chance::smallest_of(matched, tests);
        let place_signs = chance::smallest_of(measured.place_signs.log10_p(), tests);
        let agreement = chance::smallest_of(chance::agreeing_points(agreeing, measured.blocks.len()), tests);
        let value_signs = chance::smallest_of(measured.value_signs.log10_p(), tests);
        let layers = measured.head_z.len().max(1) as f64;
        let head_z = chance::smallest_of(chance::normal(measured.head_z.iter().sum::<f64>() / layers.sqrt()), tests);
        let agreeing_share = agreeing as f64 / units.max(1) as f64;
        let by_agreement = agreement <= CALIBRATED_LEVEL && agreeing_share >= AGREEING_SHARE;
        let signs = unit_signs.min(place_signs);
        let by_signs = signs <= LEVEL;
        let attention = value_signs <= LEVEL || head_z <= CALIBRATED_LEVEL && measured.products.cosine() >= 0.3;
        let (log10_p, kind) = match (by_signs, by_agreement) {
            (true, _) => (signs, PKind::Exact),
            (false, true) => (agreement, PKind::Calibrated),
            _ if measured.has_gate => (signs, PKind::Exact),
            _ => (agreement, PKind::Calibrated),
        };
        let rows = [&measured.embedding, &measured.head].into_iter().filter(|it| it.count >= 16);
        let rows = rows.map(|it| it.cosine).fold(0.0, f64::max);
        let enough = token_cosine(measured);
        let gains = chance::smallest_of(measured.gains.log10_p(), references.max(1));
        let retained = retained(measured);
        let is_at_odds = do_gains_speak(measured) && are_at_odds(measured);
        Self {
            unit_signs,
            place_signs,
            agreement,
            agreeing: agreeing_share,
            value_signs,
            head_z,
            same: measured.equality.is_same,
            body: by_signs || by_agreement,
            attention,
            tokens: rows >= enough,
            gains,
            kept_gains: chance::smallest_of(measured.kept_gains.log10_p(), references.max(1)),
            norms: gains <= CALIBRATED_LEVEL && measured.gains.sums.cosine() >= GAINS_COSINE,
            alike: rows >= TOKEN_COSINE && rows < enough,
            retained: retained.map(|it| it.0),
            is_seed_free: retained.is_some_and(|it| it.1),
            is_at_odds,
            is_faint: is_at_odds || do_gains_speak(measured) && measured.kept_gains.agreement < GAINS_AGREE,
            log10_p,
            kind,
            units,
        }
    }

    fn decide(&self) -> (WeightsRelation, &'static str) {
        match () {
            () if self.same => (WeightsRelation::Identical, "all-equal"),
            () if self.body && self.is_seed_free && !self.is_at_odds && self.retained.is_some_and(|it| it < SHARED) => {
                (WeightsRelation::SharedInit, "shared-start")
            }
            () if self.body && (self.is_faint || self.retained.is_some_and(|it| it < RETAINED)) => {
                (WeightsRelation::Undetermined, RELATED)
            }
            () if self.body && self.kind == PKind::Exact => (WeightsRelation::Derived, "body-signs"),
            () if self.body => (WeightsRelation::Derived, "body-agreement"),
            () if self.attention || self.tokens => (WeightsRelation::ComponentDerived, "part-only"),
            () if self.norms => (WeightsRelation::Undetermined, "norms-only"),
            () if self.alike && self.units >= ENOUGH_UNITS => (WeightsRelation::Independent, "learned-alike"),
            () if self.units >= ENOUGH_UNITS => (WeightsRelation::Independent, "nothing-found"),
            () => (WeightsRelation::Undetermined, "too-little"),
        }
    }
}

/// From which cosine on token rows are called the same part.
fn token_cosine(measured: &Measured) -> f64 {
    let is_plain = matches!(measured.stream.word(), "same coordinates" | "chosen coordinates");
    if is_plain { TOKEN_COSINE } else { MAPPED_COSINE }
}

/// Whether there are enough gains, and they agree at all.
fn do_gains_speak(measured: &Measured) -> bool {
    let gains = &measured.kept_gains;
    gains.count > 0 && gains.dimensions >= 16 && gains.log10_p() <= GAINS_SPEAK
}

/// Whether gains and sizes of columns say opposite things, as where gains were written over and the next weights made up for it.
fn are_at_odds(measured: &Measured) -> bool {
    let gains = measured.kept_gains.sums.retained(1.0);
    let columns = measured.columns().retained();
    columns.is_some_and(|it| gains < SHARED && it >= RETAINED || gains >= RETAINED && it < SHARED / 2.0)
}

/// How much of what training wrote is kept. Gains start at one in every model, so that all of what they hold was written by
/// training; where there are few of them, token rows, which start small, speak beside them.
///
/// Gains that show nothing although the body is related were folded or scaled away. Then token rows and what blocks write
/// into the stream stand for them, and beside those the sizes of columns, which gains that were folded away are still in. The
/// stream may have been scaled as a whole, and what is written is measured by the size of the token rows, which such a scale
/// multiplies alike.
///
/// The second of the answer is whether numbers that every start has alike told it: without them nobody is told of a shared
/// start, since what blocks write fades with training too.
fn retained(measured: &Measured) -> Option<(f64, bool)> {
    let down = measured.sums(|it| it.down);
    let tokens = [&measured.embedding, &measured.head].into_iter().find(|it| it.cosine >= ROWS_SPEAK);
    let gains = &measured.kept_gains;
    if do_gains_speak(measured) {
        let kept = gains.sums.retained(1.0);
        let beside = tokens.filter(|_| gains.count * gains.dimensions < ENOUGH_GAINS).map(|it| it.sums.retained(1.0));
        return Some((beside.map_or(kept, |it| f64::midpoint(kept, it)), true));
    }
    let scale = tokens.map_or(1.0, |it| (it.sums.subject / it.sums.reference.max(f64::MIN_POSITIVE)).sqrt());
    let rows = tokens.map(|it| it.sums.retained(scale));
    let written = (down.reference > 0.0).then(|| rows.unwrap_or(f64::INFINITY).min(down.retained(scale)))?;
    let columns = measured.columns().retained();
    Some((columns.map_or(written, |it| f64::midpoint(it, written.min(1.0))), columns.is_some()))
}

fn components(measured: &Measured, evidence: &Evidence, whole: WeightsRelation) -> Vec<ComponentRelation> {
    // A part that is related is related as the whole is: no part is called derived under a shared start.
    let related = match whole {
        WeightsRelation::SharedInit => WeightsRelation::SharedInit,
        WeightsRelation::Identical => WeightsRelation::Identical,
        WeightsRelation::Undetermined if evidence.body => WeightsRelation::Undetermined,
        _ => WeightsRelation::Derived,
    };
    let found = |is: bool| if is { related } else { WeightsRelation::Independent };
    let part = |component: &str, relation, log10_p, p_kind, cosine| ComponentRelation {
        component: component.to_owned(),
        relation,
        log10_p,
        p_kind,
        cosine: Some(rounded(cosine)),
    };
    let mut parts = Vec::new();
    for (name, it) in [("embeddings", &measured.embedding), ("head", &measured.head)] {
        if it.count >= 16 {
            let relation = match it.cosine {
                cosine if cosine >= token_cosine(measured) => related,
                // A rotation brings out what unrelated models learn alike; rows may or may not have been taken over.
                cosine if cosine >= TOKEN_COSINE => WeightsRelation::Undetermined,
                _ => WeightsRelation::Independent,
            };
            parts.push(part(name, relation, None, Some(PKind::Heuristic), it.cosine));
        }
    }
    if !measured.head_z.is_empty() {
        let (log10_p, kind) = if evidence.value_signs <= LEVEL {
            (evidence.value_signs, PKind::Exact)
        } else {
            (evidence.head_z, PKind::Calibrated)
        };
        parts.push(part(
            "attention",
            found(evidence.attention),
            Some(rounded(log10_p)),
            Some(kind),
            measured.products.cosine(),
        ));
    }
    if evidence.units > 0 {
        parts.push(part(
            "feed-forward",
            found(evidence.body),
            Some(rounded(evidence.log10_p)),
            Some(evidence.kind),
            unit_cosine(measured, evidence.body),
        ));
    }
    if measured.gains.count > 0 {
        // Where coordinates were re-ordered, gains agree behind the map alone, which was made without them.
        let (log10_p, cosine) = [(evidence.gains, &measured.gains), (evidence.kept_gains, &measured.kept_gains)]
            .into_iter()
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or((0.0, 0.0), |it| (it.0, it.1.sums.cosine()));
        parts.push(part(
            "norms",
            found(log10_p <= LEVEL && cosine > 0.3),
            Some(rounded(log10_p)),
            Some(PKind::Calibrated),
            cosine,
        ));
    }
    parts
}

/// Mean cosine of what stands behind the gates of matched units, whatever their sign and scale; of unrelated units with their
/// signs, since sizes alone would seem to say something.
fn unit_cosine(measured: &Measured, is_related: bool) -> f64 {
    let pairs = measured.total(|it| it.pairs.len()).max(1) as f64;
    if is_related {
        return measured.blocks.iter().map(|it| it.units.up_cosine).sum::<f64>() / pairs;
    }
    measured.unit_signs.mean() / if measured.has_gate { 2.0 } else { 1.0 }
}

fn statistics(measured: &Measured, evidence: &Evidence) -> Vec<Statistic> {
    let mut all = Vec::new();
    for tried in &measured.fits {
        let null = "unrelated models: the held-out cosine of rows is near 0, unless both learned the same geometry";
        all.push(Statistic {
            id: "stream-fit".to_owned(),
            component: format!("{}, {}", tried.rows, tried.word),
            value: rounded(tried.held_out),
            samples: measured.embedding.count as u64,
            log10_p: None,
            p_kind: PKind::Heuristic,
            null: null.to_owned(),
            speaks_for: false,
        });
    }
    let mut add = |id: &str,
                   component: &str,
                   value: f64,
                   samples: usize,
                   log10_p: Option<f64>,
                   p_kind,
                   null: &str,
                   speaks_for| {
        all.push(Statistic {
            id: id.to_owned(),
            component: component.to_owned(),
            value: rounded(value),
            samples: samples as u64,
            log10_p: log10_p.map(rounded),
            p_kind,
            null: null.to_owned(),
            speaks_for,
        });
    };
    let signs = &measured.unit_signs;
    if measured.has_gate && signs.count() > 0 {
        add(
            "random-sign",
            "feed-forward",
            signs.mean(),
            signs.count(),
            Some(evidence.unit_signs),
            PKind::Exact,
            "independent initialisation: signs of matched units are fair coins",
            evidence.unit_signs <= LEVEL,
        );
    }
    let places = &measured.place_signs;
    if places.count() > 0 {
        add(
            "random-sign",
            "feed-forward, in place",
            places.mean(),
            places.count(),
            Some(evidence.place_signs),
            PKind::Exact,
            "independent initialisation: signs of units at the same place are fair coins",
            evidence.place_signs <= LEVEL,
        );
    }
    let possible = measured.total(|it| it.possible);
    if possible > 0 {
        add(
            "agreement",
            "feed-forward",
            evidence.agreeing,
            possible,
            Some(evidence.agreement),
            PKind::Calibrated,
            "independent models: gate and up projection do not name the same partner more often than two random permutations",
            evidence.agreement <= CALIBRATED_LEVEL && evidence.agreeing >= AGREEING_SHARE,
        );
    }
    let values = &measured.value_signs;
    if values.count() > 0 {
        add(
            "random-sign",
            "attention",
            values.mean(),
            values.count(),
            Some(evidence.value_signs),
            PKind::Exact,
            "independent initialisation: signs of value dimensions are fair coins",
            evidence.value_signs <= LEVEL,
        );
    }
    if !measured.head_z.is_empty() {
        add(
            "head-products",
            "attention",
            measured.products.cosine(),
            measured.heads,
            Some(evidence.head_z),
            PKind::Calibrated,
            "heads matched by what they look for write no more alike than heads that do not match",
            evidence.head_z <= CALIBRATED_LEVEL,
        );
    }
    if measured.gains.count > 0 {
        let samples = measured.gains.count * measured.gains.dimensions;
        let log10_p = evidence.gains;
        add(
            "norm-gains",
            "norms",
            measured.gains.sums.cosine(),
            samples,
            Some(log10_p),
            PKind::Calibrated,
            "independent training: dimensions of one model are in no order of the other's",
            log10_p <= LEVEL,
        );
    }
    if let Some(retained) = evidence.retained {
        add(
            "retention",
            "body",
            retained,
            possible,
            None,
            PKind::Heuristic,
            "two trainings from one start keep less than 0.8 of what each wrote",
            evidence.body && retained >= RETAINED,
        );
    }
    for (name, it) in [("embeddings", &measured.embedding), ("head", &measured.head)] {
        if it.count > 0 {
            add(
                "token-rows",
                name,
                it.cosine,
                it.count,
                None,
                PKind::Heuristic,
                "unrelated models: rows of the same token have a cosine near 0 after alignment",
                it.cosine >= token_cosine(measured),
            );
        }
    }
    all
}

/// What would still have been found, if the streams are in the same coordinates or rows show the map between them.
/// Matched units must find their partner among all others first; units at the same place need none.
fn power(measured: &Measured) -> Power {
    let (dimensions, crowd) = measured.crowd;
    let stands_out = (2.0 * (crowd.max(2) as f64).ln() / dimensions.max(1) as f64).sqrt();
    // A coin adds two cosines, up and down; a quick look has up alone.
    let is_quick = measured.blocks.is_empty() && measured.place_signs.count() > 0;
    let cosines = if is_quick { 1.0 } else { 2.0 };
    let least = |it: &RandomSign| it.least_mean_found(LEVEL, cosines / dimensions.max(1) as f64) / cosines;
    let matched = least(&measured.unit_signs).max(stands_out);
    let in_place = least(&measured.place_signs);
    let bounded = |it: f64| rounded(if it.is_finite() { it.min(1.0) } else { 1.0 });
    let (least_cosine, in_place) = (bounded(matched), bounded(in_place));
    let change = |cosine: f64| (1.0 / (cosine * cosine).max(1e-6) - 1.0).max(0.0).sqrt();
    if is_quick {
        let units = measured.place_signs.count() as u64;
        let detail = format!(
            "with {units} units, each at its own place, derivation that left them a mean cosine of {in_place} would have been \
             found; units at other places were not looked for"
        );
        return Power { least_cosine: in_place, units, detail };
    }
    let units = measured.total(|it| it.possible) as u64;
    let mut detail = format!(
        "with {units} units, derivation that left matched units a mean cosine of {least_cosine} would have been found (a \
         change of {:.1} times the weights' own size), whatever order, sign and scale the units have, where both streams have \
         the same coordinates, or token rows or hidden units show the map",
        change(least_cosine)
    );
    if measured.place_signs.count() > 0 && in_place < least_cosine {
        detail += &format!(
            "; with every unit left at its place, a mean cosine of {in_place} ({:.1} times)",
            change(in_place)
        );
    }
    Power { least_cosine, units, detail }
}

fn reasons(measured: &Measured, evidence: &Evidence, relation: WeightsRelation) -> Vec<String> {
    let mut reasons = Vec::new();
    let signs = &measured.unit_signs;
    if measured.has_gate && signs.count() > 0 {
        reasons.push(format!(
            "signs of {} matched hidden units: log10 p = {:.1}, where fair coins are what independent starts give",
            signs.count(),
            evidence.unit_signs
        ));
    }
    if evidence.units > 0 {
        reasons.push(format!(
            "gate and up projection name the same partner for {:.0} % of hidden units",
            evidence.agreeing * 100.0
        ));
    }
    if let Some(retained) = evidence.retained.filter(|_| evidence.body) {
        // The slope of one on the other; more than all is rounding, or training that went on the same way.
        let share = retained.min(1.0) * 100.0;
        reasons.push(format!(
            "{share:.0} % of what training wrote into the earlier one is found in the later one; how much was trained since is \
             another question"
        ));
    }
    if evidence.norms && relation == WeightsRelation::Undetermined {
        reasons.push(
            "norm gains agree as those of related models do, and nothing else does: the body may be disguised in a way that \
             was not undone"
                .to_owned(),
        );
    }
    if evidence.alike && relation == WeightsRelation::Independent {
        reasons.push(
            "token rows agree after a rotation as those of unrelated models of like text do; a copy would agree better, and \
             whether rows were taken over is left open"
                .to_owned(),
        );
    }
    if let Some(alike) = measured.distances.filter(|_| !evidence.body) {
        reasons.push(format!(
            "no rotation of so wide a stream was looked for: distances between tokens, which a rotation keeps, agree by {alike:.2} \
             only; `--effort deep` looks for one"
        ));
    }
    if evidence.body && relation == WeightsRelation::Undetermined {
        reasons.push(
            "the bodies are related, and whether the one was made from the other or both grew from one start is not told by \
             what was kept"
                .to_owned(),
        );
    }
    if relation == WeightsRelation::Independent {
        reasons.push("no derivation was found at the power stated; that is the most that can be said".to_owned());
    }
    reasons
}

/// Four significant digits: what a reader can use, and the same on every machine.
pub(crate) fn rounded(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return 0.0;
    }
    let digits = 3 - number.abs().log10().floor() as i32;
    format!("{number:.*}", digits.clamp(0, 12) as usize).parse().unwrap_or(number)
}
