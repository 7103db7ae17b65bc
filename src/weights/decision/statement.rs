//! Every statistic as a fact.

use crate::fact::{PKind, Statistic, StatisticId};
use crate::stats::levels::{ASYMPTOTIC_LEVEL, LEVEL, rounded};
use crate::weights::decision::evidence::{Evidence, RETAINED, token_cosine};
use crate::weights::matching::matched::{AGREEING_SHARE, Measured};

pub(super) fn statistics(measured: &Measured, evidence: &Evidence) -> Vec<Statistic> {
    let mut all = Vec::new();
    for tried in &measured.fits {
        let null = "unrelated models: the held-out cosine of rows is near 0, unless both learned the same geometry";
        all.push(Statistic {
            id: StatisticId::BasisFit,
            component: format!("{}, {}", tried.rows, tried.word),
            value: rounded(tried.held_out),
            samples: measured.embedding.count as u64,
            log10_p: None,
            p_kind: PKind::Heuristic,
            null: null.to_owned(),
            supports_relation: false,
        });
    }
    let mut add = |id: StatisticId,
                   component: &str,
                   value: f64,
                   samples: usize,
                   log10_p: Option<f64>,
                   p_kind,
                   null: &str,
                   supports_relation| {
        all.push(Statistic {
            id,
            component: component.to_owned(),
            value: rounded(value),
            samples: samples as u64,
            log10_p: log10_p.map(rounded),
            p_kind,
            null: null.to_owned(),
            supports_relation,
        });
    };
    let signs = &measured.unit_signs;
    if measured.has_gate && signs.count() > 0 {
        add(
            StatisticId::RandomSign,
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
            StatisticId::RandomSign,
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
            StatisticId::PartnerAgreement,
            "feed-forward",
            evidence.agreeing,
            possible,
            (!evidence.coins.are_tied).then_some(evidence.agreement),
            PKind::Asymptotic,
            "independent models: gate and up projections agree on a match no more often than two random permutations",
            evidence.agreement <= ASYMPTOTIC_LEVEL && evidence.agreeing >= AGREEING_SHARE,
        );
    }
    for (component, it, log10_p) in [
        ("feed-forward", &measured.equal_units, evidence.equal_by_part[0]),
        ("feed-forward, in place", &measured.equal_rows[0], evidence.equal_by_part[1]),
        ("attention, in place", &measured.equal_rows[1], evidence.equal_attention.0),
    ] {
        if it.possible > 0 {
            add(
                StatisticId::EqualWeights,
                component,
                it.share(),
                it.possible,
                Some(log10_p),
                PKind::Asymptotic,
                "unrelated models: directions of rows are independent draws, and none comes within a cosine of 0.98",
                log10_p <= ASYMPTOTIC_LEVEL,
            );
        }
    }
    let values = &measured.value_signs;
    if values.count() > 0 {
        add(
            StatisticId::RandomSign,
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
            StatisticId::HeadProducts,
            "attention",
            measured.products.cosine(),
            measured.heads,
            Some(evidence.head_z),
            PKind::Asymptotic,
            "heads matched by what they look for write no more alike than heads that do not match",
            evidence.head_z <= ASYMPTOTIC_LEVEL,
        );
    }
    if measured.gains.count > 0 {
        let samples = measured.gains.count * measured.gains.dimensions;
        let log10_p = evidence.gains;
        add(
            StatisticId::NormWeights,
            "norms",
            measured.gains.sums.cosine(),
            samples,
            Some(log10_p),
            PKind::Asymptotic,
            "independent training: dimensions of one model are in no order of the other's",
            log10_p <= LEVEL,
        );
    }
    if let Some(retained) = evidence.retained {
        add(
            StatisticId::Retention,
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
                StatisticId::TokenRows,
                name,
                it.cosine,
                it.count,
                None,
                PKind::Heuristic,
                "unrelated models: rows of the same token have a cosine near 0 after alignment",
                it.cosine >= token_cosine(measured) && it.find_their_own(evidence.references),
            );
        }
    }
    all
}
