//! What an answer tells beside the relation: its parts, every statistic, the power, and reasons in words.

use crate::fact::{ComponentRelation, PKind, Power, Statistic, WeightsRelation};
use crate::weights::measure::{AGREEING_SHARE, Measured};
use crate::weights::random_sign::RandomSign;
use crate::weights::relation::{CALIBRATED_LEVEL, Evidence, LEVEL, RETAINED, TOKEN_COSINE, rounded, token_cosine};

pub(super) fn components(measured: &Measured, evidence: &Evidence, whole: WeightsRelation) -> Vec<ComponentRelation> {
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

pub(super) fn statistics(measured: &Measured, evidence: &Evidence) -> Vec<Statistic> {
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
            evidence.coins.are_fair.then_some(evidence.unit_signs),
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
            evidence.coins.are_fair.then_some(evidence.place_signs),
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
            (!evidence.coins.are_tied).then_some(evidence.agreement),
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
pub(super) fn power(measured: &Measured) -> Power {
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

pub(super) fn reasons(measured: &Measured, evidence: &Evidence, relation: WeightsRelation) -> Vec<String> {
    let mut reasons = Vec::new();
    let signs = &measured.unit_signs;
    if measured.has_gate && evidence.coins.are_fair && signs.count() > 0 {
        reasons.push(format!(
            "signs of {} matched hidden units: log10 p = {:.1}, where fair coins are what independent starts give",
            signs.count(),
            evidence.unit_signs
        ));
    }
    reasons.extend(evidence.coins.reason(measured.has_gate).map(str::to_owned));
    if evidence.units > 0 && !evidence.coins.are_tied {
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
