//! What towers beside the language model add to a relation: they are parts, and a part that was taken over is said as such.
//!
//! The language model decides the relation: adding an encoder for pictures that somebody else trained is usual and no fault,
//! and that it is theirs is told beside. Where there is no language model to compare, and a tower was taken over, a part is
//! derived (rule `tower-only`).

use crate::fact::{ComponentRelation, RuleId, Statistic, Weights, WeightsRelation};

/// How close a relation is, and of two alike how small the p-value is: the closest compares greatest.
pub fn closeness(weights: &Weights) -> (u8, u64) {
    (weights.relation.closeness(), weights.log10_p.map_or(0, |it| (-it).max(0.0) as u64))
}

/// Adds what the weights of towers say to the answer on the whole.
pub fn with_towers(mut weights: Weights, towers: Vec<(String, Weights)>) -> Weights {
    for (tower, own) in towers {
        weights.components.push(component(&tower, &own));
        weights.statistics.extend(own.statistics.iter().map(|it| of_tower(&tower, it)));
        weights.reasons.extend(reason(&tower, &own));
        let is_part = matches!(own.relation, WeightsRelation::Derived | WeightsRelation::Identical);
        if is_part && weights.rule == Some(RuleId::TooLittle) {
            (weights.relation, weights.rule) = (WeightsRelation::ComponentDerived, Some(RuleId::TowerOnly));
        }
    }
    weights
}

fn component(tower: &str, own: &Weights) -> ComponentRelation {
    let body = own.components.iter().find(|it| it.component == "feed-forward");
    ComponentRelation {
        component: tower.to_owned(),
        relation: own.relation,
        log10_p: own.log10_p,
        p_kind: own.p_kind,
        cosine: body.and_then(|it| it.cosine),
    }
}

fn of_tower(tower: &str, statistic: &Statistic) -> Statistic {
    Statistic { component: format!("{tower}: {}", statistic.component), ..statistic.clone() }
}

fn reason(tower: &str, own: &Weights) -> Option<String> {
    let said = match own.relation {
        WeightsRelation::Identical => "has the reference's numbers",
        WeightsRelation::Derived => "was made from the reference's",
        WeightsRelation::SharedInit => "shares a start with the reference's",
        WeightsRelation::ComponentDerived => "has parts of the reference's",
        WeightsRelation::Undetermined => "is related to the reference's or not; what was seen does not tell",
        WeightsRelation::Independent => "shows no derivation from the reference's",
        WeightsRelation::Unexamined => return None,
    };
    Some(format!("{tower}, a tower beside the language model, {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(relation: WeightsRelation, rule: RuleId) -> Weights {
        Weights { relation, rule: Some(rule), log10_p: Some(-30.0), ..Weights::default() }
    }

    #[track_caller]
    fn check(whole: (WeightsRelation, RuleId), tower: WeightsRelation, expected: (WeightsRelation, RuleId)) {
        let towers = vec![("vision_tower".to_owned(), answer(tower, RuleId::BodyAgreement))];
        let found = with_towers(answer(whole.0, whole.1), towers);
        assert_eq!((found.relation, found.rule), (expected.0, Some(expected.1)));
        assert_eq!(found.components.last().unwrap().relation, tower);
        assert!(found.reasons.last().unwrap().starts_with("vision_tower"));
    }

    #[test]
    fn a_tower_is_a_part_and_decides_where_nothing_else_does() {
        use WeightsRelation::{ComponentDerived, Derived, Independent, SharedInit, Undetermined};
        let nothing = (Independent, RuleId::NothingFound);
        check(nothing, Derived, nothing);
        check(nothing, Independent, nothing);
        check(nothing, SharedInit, nothing);
        check((Undetermined, RuleId::TooLittle), Derived, (ComponentDerived, RuleId::TowerOnly));
        check((Undetermined, RuleId::NormsOnly), Derived, (Undetermined, RuleId::NormsOnly));
        check((Derived, RuleId::BodySigns), Independent, (Derived, RuleId::BodySigns));
    }
}
