//! What is said of each part of the model.

use crate::fact::{ComponentRelation, Examined, PKind, WeightsRelation};
use crate::stats::levels::{LEVEL, rounded};
use crate::weights::decision::evidence::Evidence;
use crate::weights::matching::matched::Measured;
use crate::weights::statistics::token_rows::{TOKEN_COSINE, own_token};

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
        examined: measured.examined.get(component).cloned(),
    };
    let mut parts = Vec::new();
    for (name, it) in [("embeddings", &measured.embedding), ("head", &measured.head)] {
        if it.count >= 16 {
            let relation = match it.cosine {
                _ if evidence.correction.holds(&own_token(measured, it)) => related,
                // A rotation brings out what unrelated models learn alike, and tokens that never occur end at one
                // vector; rows may or may not have been taken over.
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
            (evidence.head_z, PKind::Asymptotic)
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
            Some(PKind::Asymptotic),
            cosine,
        ));
    }
    // A part that the subject has and of which nothing was compared is never left out.
    for (part, examined) in &measured.examined {
        if !parts.iter().any(|it| it.component == *part) {
            parts.push(ComponentRelation {
                component: (*part).to_owned(),
                relation: WeightsRelation::Unexamined,
                log10_p: None,
                p_kind: None,
                cosine: None,
                examined: Some(Examined { share: 0.0, coordinates: String::new(), ..examined.clone() }),
            });
        }
    }
    parts
}

/// Mean cosine of what stands behind the gates of matched units, whatever their sign and scale; of unrelated units with
/// their signs, since sizes alone would seem to say something.
fn unit_cosine(measured: &Measured, is_related: bool) -> f64 {
    let pairs = measured.total(|it| it.pairs.len()).max(1) as f64;
    if is_related {
        return measured.blocks.iter().map(|it| it.units.up_cosine).sum::<f64>() / pairs;
    }
    measured.unit_signs.mean() / if measured.has_gate { 2.0 } else { 1.0 }
}
