//! What towers beside the language model add to a relation: they are parts, and a part that was taken over is said as
//! such.
//!
//! The language model decides the relation: adding an encoder for pictures that somebody else trained is usual and no
//! fault, and that it is theirs is told beside. Where there is no language model to compare, and a tower was taken
//! over, a part is derived (rule `tower-only`).
//!
//! Another list of layers (a talker, a draft model, second experts) that was taken over makes a part derived even where
//! the language model shows nothing (rule `stack-only`): such a list is a language model in all but its use.

use crate::blueprint::Kind;
use crate::fact::{ComponentRelation, RuleId, Statistic, Weights, WeightsRelation};

/// How close a relation is, and of two alike how small the p-value is: the closest compares greatest.
pub fn closeness(weights: &Weights) -> (u8, u64) {
    (weights.relation.closeness(), weights.log10_p.map_or(0, |it| (-it).max(0.0) as u64))
}

/// One tower or list of layers of the subject, and what its weights say.
#[derive(Clone, Debug)]
pub struct Stacked {
    /// What it is called.
    pub word: String,
    /// What kind it is.
    pub kind: Kind,
    /// The closest relation that it has.
    pub weights: Weights,
}

impl Weights {
    /// The same, with one more reason.
    pub(crate) fn beside(mut self, reason: &str) -> Self {
        self.reasons.push(reason.to_owned());
        self
    }
}

/// Adds what the weights of towers say to the answer on the language model, whose list of layers may have a name.
///
/// Where several lists may be the language model, the closest relation of them is the answer: which one is computed
/// with is the company's word, and a list that is never used would decide otherwise.
pub fn with_towers(weights: Weights, main: Option<&str>, towers: Vec<Stacked>) -> Weights {
    let (rivals, towers): (Vec<Stacked>, Vec<Stacked>) = towers.into_iter().partition(|it| it.kind == Kind::Rival);
    let mut answer = match main {
        Some(main) if !rivals.is_empty() => closest_of(weights, main, rivals),
        _ => weights,
    };
    let is_body = |it: &ComponentRelation| !matches!(it.component.as_str(), "embeddings" | "head" | "norms");
    let has_body = answer.components.iter().any(is_body);
    for Stacked { word, kind, weights } in towers {
        answer.components.push(component(&word, &weights));
        answer.statistics.extend(weights.statistics.iter().map(|it| of_tower(&word, it)));
        answer.reasons.extend(reason(&word, kind, &weights));
        let is_part = matches!(weights.relation, WeightsRelation::Derived | WeightsRelation::Identical);
        let rule = match (answer.rule, answer.relation, kind) {
            (Some(RuleId::TooLittle), _, _) if !has_body => RuleId::TowerOnly,
            (_, WeightsRelation::Independent, Kind::Stack) => RuleId::StackOnly,
            _ => continue,
        };
        if is_part {
            (answer.relation, answer.rule) = (WeightsRelation::ComponentDerived, Some(rule));
        }
    }
    answer
}

/// Of lists that may be the language model the answer on the closest, the others beside it as parts.
fn closest_of(weights: Weights, main: &str, rivals: Vec<Stacked>) -> Weights {
    let mut all = vec![Stacked { word: main.to_owned(), kind: Kind::Rival, weights }];
    all.extend(rivals);
    let names: Vec<String> = all.iter().map(|it| format!("`{}`", it.word)).collect();
    // Of equally close ones the first.
    let key = |it: &usize| (body_of(&all[*it].weights).closeness(), closeness(&all[*it].weights));
    let at = (0..all.len()).rev().max_by_key(key).unwrap_or(0);
    let Stacked { word, weights: mut answer, .. } = all.remove(at);
    answer.reasons.push(format!(
        "{} are lists of layers of which each may be the language model; all were compared, and the answer is on \
         `{word}`, whose relation is the closest",
        names.join(" and ")
    ));
    for mut other in all {
        other.weights.relation = body_of(&other.weights);
        answer.components.push(component(&other.word, &other.weights));
        answer.statistics.extend(other.weights.statistics.iter().map(|it| of_tower(&other.word, it)));
        answer.reasons.extend(reason(&other.word, Kind::Stack, &other.weights));
    }
    answer
}

/// What the weights of a list say on its body. Token rows are shared between lists, and tell none from the others.
fn body_of(weights: &Weights) -> WeightsRelation {
    if weights.relation != WeightsRelation::ComponentDerived {
        return weights.relation;
    }
    let body = weights.components.iter().find(|it| it.component == "feed-forward");
    body.map_or(WeightsRelation::Undetermined, |it| it.relation)
}

fn component(tower: &str, own: &Weights) -> ComponentRelation {
    let body = own.components.iter().find(|it| it.component == "feed-forward");
    ComponentRelation {
        component: tower.to_owned(),
        relation: own.relation,
        log10_p: own.log10_p,
        p_kind: own.p_kind,
        cosine: body.and_then(|it| it.cosine),
        examined: body.and_then(|it| it.examined.clone()),
    }
}

fn of_tower(tower: &str, statistic: &Statistic) -> Statistic {
    Statistic { component: format!("{tower}: {}", statistic.component), ..statistic.clone() }
}

fn reason(tower: &str, kind: Kind, own: &Weights) -> Option<String> {
    let said = match own.relation {
        WeightsRelation::Identical => "has the reference's numbers",
        WeightsRelation::Derived => "was made from the reference's",
        WeightsRelation::SharedInit => "shares a start with the reference's",
        WeightsRelation::ComponentDerived => "has parts of the reference's",
        WeightsRelation::Undetermined => "is related to the reference's or not; what was seen does not tell",
        WeightsRelation::Independent => "shows no derivation from the reference's",
        WeightsRelation::Unexamined => return None,
    };
    let what = if kind == Kind::Encoder { "a tower" } else { "a list of layers" };
    Some(format!("{tower}, {what} beside the language model, {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(relation: WeightsRelation, rule: RuleId) -> Weights {
        Weights { relation, rule: Some(rule), log10_p: Some(-30.0), ..Weights::default() }
    }

    #[track_caller]
    fn check(whole: (WeightsRelation, RuleId), tower: WeightsRelation, expected: (WeightsRelation, RuleId)) {
        let weights = answer(tower, RuleId::BodyAgreement);
        let towers = vec![Stacked { word: "vision_tower".to_owned(), kind: Kind::Encoder, weights }];
        let found = with_towers(answer(whole.0, whole.1), None, towers);
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

    #[test]
    fn a_list_of_layers_is_a_part_and_a_rival_may_be_the_whole() {
        use WeightsRelation::{ComponentDerived, Derived, Independent};
        let beside = |kind, relation| {
            let weights = answer(relation, RuleId::BodySigns);
            let beside = vec![Stacked { word: "tts.layers".to_owned(), kind, weights }];
            with_towers(answer(Independent, RuleId::NothingFound), Some("llm.layers"), beside)
        };
        let part = beside(Kind::Stack, Derived);
        assert_eq!((part.relation, part.rule), (ComponentDerived, Some(RuleId::StackOnly)));
        assert_eq!(beside(Kind::Stack, Independent).relation, Independent);
        let rival = beside(Kind::Rival, Derived);
        assert_eq!((rival.relation, rival.rule), (Derived, Some(RuleId::BodySigns)));
        assert_eq!(rival.components.last().map(|it| it.component.as_str()), Some("llm.layers"));
        assert!(rival.reasons.iter().any(|it| it.contains("the answer is on `tts.layers`")));
    }

    /// Rows that two lists share are no closer relation of the one whose body is unrelated.
    #[test]
    fn shared_rows_do_not_choose_between_lists() {
        use WeightsRelation::{ComponentDerived, Independent, SharedInit};
        let mut noise = answer(ComponentDerived, RuleId::PartOnly);
        let body = component("feed-forward", &answer(Independent, RuleId::NothingFound));
        noise.components.push(body);
        let beside = vec![Stacked { word: "spare.layers".to_owned(), kind: Kind::Rival, weights: noise }];
        let found = with_towers(answer(SharedInit, RuleId::SharedInitialization), Some("layers"), beside);
        assert_eq!((found.relation, found.rule), (SharedInit, Some(RuleId::SharedInitialization)));
        assert_eq!(found.components.last().map(|it| it.relation), Some(Independent));
    }
}
