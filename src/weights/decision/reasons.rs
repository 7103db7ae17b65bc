//! Why, one sentence each.

use crate::fact::WeightsRelation;
use crate::weights::decision::evidence::{ENOUGH_UNITS, Evidence, LEAST_READ};
use crate::weights::matching::matched::Measured;

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
            "gate and up projections agree on the match for {:.0} % of hidden units",
            evidence.agreeing * 100.0
        ));
    }
    if evidence.has_equal() {
        let (log10_p, share) = evidence.equal;
        reasons.push(format!(
            "{:.0} % of the hidden units, or of the rows of their blocks at their places, are the reference's to a \
             cosine of 0.98 and more: log10 p = {log10_p:.1}, where directions of unrelated models are independent \
             draws",
            share * 100.0
        ));
    }
    if let Some(retained) = evidence.retained.filter(|_| evidence.body) {
        // The slope of one on the other; more than all is rounding, or training that went on the same way.
        let share = retained.min(1.0) * 100.0;
        reasons.push(format!(
            "retention {share:.0} %: the later model keeps that share of the earlier model's learned weights; it may \
             have been trained further, and two short trainings of one start on the same data in the same order would \
             keep as much"
        ));
    }
    if !evidence.body && !evidence.is_read && !evidence.same {
        reasons.push(too_little(measured, evidence));
    }
    if evidence.norms && evidence.is_read && relation == WeightsRelation::Undetermined {
        reasons.push(
            "norm weights agree as those of related models do, and nothing else does: the body was not read, or was \
             re-arranged in a way that was not undone"
                .to_owned(),
        );
    }
    if evidence.alike && relation == WeightsRelation::Independent {
        reasons.push(
            "token rows agree after a rotation as those of unrelated models of like text do; a copy would agree \
             better, and whether rows were taken over is left open"
                .to_owned(),
        );
    }
    if let Some(alike) = measured.distances.filter(|_| !evidence.body) {
        reasons.push(format!(
            "no rotation of so wide a stream was looked for: distances between tokens, which a rotation keeps, agree \
             by {alike:.2} only; `--effort deep` looks for one"
        ));
    }
    if evidence.body && relation == WeightsRelation::Undetermined {
        reasons.push(
            "the bodies are related, and whether the one was made from the other or both grew from one start is not \
             told by what was kept"
                .to_owned(),
        );
    }
    if relation == WeightsRelation::Independent {
        reasons.push("no derivation was found at the power stated; that is the most that can be said".to_owned());
    }
    reasons
}

/// How little of the bodies was read, and what parts say beside it.
fn too_little(measured: &Measured, evidence: &Evidence) -> String {
    let share = measured.read_share.map_or_else(String::new, |it| {
        format!(
            "{:.0} % of the parameters in the layers could be read and have a place in a comparison, and ",
            it * 100.0
        )
    });
    let rows = if evidence.tokens { "; token rows agree, and say nothing on the body" } else { "" };
    format!(
        "{share}{} hidden units could be tested: with less than {:.0} % or fewer than {ENOUGH_UNITS} units neither \
         silence nor a part alone is an answer{rows}",
        evidence.units,
        LEAST_READ * 100.0
    )
}
