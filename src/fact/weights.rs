//! What weights say: the part of `compare` that may say "derived".

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{DisguiseId, ExpertSource, KeptUnits, RuleId, StatisticId, StepId, TokenMap};

/// What the weights say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Weights {
    /// Decided by weights alone; `unexamined` where none were read.
    pub relation: WeightsRelation,
    /// Base-10 logarithm of the p-value of the test that decided, after paying for the number of tests; null where
    /// nothing was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log10_p: Option<f64>,
    /// What kind of p-value it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_kind: Option<PKind>,
    /// The rule that decided, as `explain` knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// Why, one English sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What would still have been found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// How much was looked at; null where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<EffortSpent>,
    /// Part by part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentRelation>,
    /// Which layer of the reference each layer of the subject answers; only where a relation was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layer_map: Vec<LayerSource>,
    /// Which block of the reference each expert comes from, where either side is a mixture of experts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expert_map: Vec<ExpertSource>,
    /// Which hidden units of the reference were kept, where blocks are narrower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_units: Vec<KeptUnits>,
    /// Which token rows answer which, where vocabularies were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_map: Option<TokenMap>,
    /// How the subject came from the reference, as far as weights show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipe: Vec<RecipeStep>,
    /// Re-arrangements that leave what the model computes unchanged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disguises: Vec<Disguise>,
    /// Every statistic that was computed, those that disagree included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<Statistic>,
    /// How much of the subject answers nothing in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<Novelty>,
}

/// How much was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffortSpent {
    /// What was asked for: `quick`, `standard` or `deep`.
    pub asked: String,
    /// What was done; more than was asked for where a quick look did not decide.
    pub used: String,
    /// The same in words, with what was left out.
    pub detail: String,
    /// Layers of the subject of which units were compared.
    #[serde(default)]
    pub layers_compared: u64,
    /// Layers of the subject; 0 where they were not counted, as for an adapter.
    #[serde(default)]
    pub layers: u64,
}

/// Relation of a subject to one reference, decided by weights alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WeightsRelation {
    /// No weight was read, so nothing is said.
    #[default]
    Unexamined,
    /// Every number is the same.
    Identical,
    /// The body of one was made from the body of the other, or both from a third.
    Derived,
    /// A part of it was, and the body was not.
    ComponentDerived,
    /// They started from the same random numbers and were trained apart.
    SharedInit,
    /// No derivation was found at the power that is stated.
    Independent,
    /// The weights that could be read do not decide.
    Undetermined,
}

impl WeightsRelation {
    /// Every relation, the closest first.
    pub const ALL: &'static [Self] = &[
        Self::Identical,
        Self::Derived,
        Self::ComponentDerived,
        Self::SharedInit,
        Self::Undetermined,
        Self::Independent,
        Self::Unexamined,
    ];

    /// How close a relation is: the one order that headlines, rankings and facts of a case follow. A component that was
    /// taken over is closer than a shared initialization, since it says that weights were taken.
    pub fn closeness(self) -> u8 {
        match self {
            Self::Unexamined => 0,
            Self::Independent => 1,
            Self::Undetermined => 2,
            Self::SharedInit => 3,
            Self::ComponentDerived => 4,
            Self::Derived => 5,
            Self::Identical => 6,
        }
    }

    /// The word for it, as JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unexamined => "unexamined",
            Self::Identical => "identical",
            Self::Derived => "derived",
            Self::ComponentDerived => "component-derived",
            Self::SharedInit => "shared-init",
            Self::Independent => "independent",
            Self::Undetermined => "undetermined",
        }
    }
}

/// What a p-value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PKind {
    /// It holds for every number of samples and every course of training, under the null that is stated.
    Exact,
    /// Its null distribution is an approximation for many samples, checked by simulation.
    Asymptotic,
    /// A heuristic: no null distribution is claimed.
    Heuristic,
}

/// What would still have been found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// The smallest mean cosine between matched units that would have been found at the level of the decision; for an
    /// adapter the smallest share of the second moments that an adapter of the very model would carry.
    pub least_cosine: f64,
    /// Number of units tested; for an adapter, of signs.
    pub units: u64,
    /// The same in words.
    pub detail: String,
}

/// One part of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentRelation {
    /// `embeddings`, `attention`, `feed-forward`, `experts`, `norms`, `head`; a tower beside the language model by its
    /// word in the names of its tensors, such as `vision_tower`; for an adapter `adapted modules` and `token
    /// coordinates`.
    pub component: String,
    /// What its weights alone say.
    pub relation: WeightsRelation,
    /// Base-10 logarithm of its p-value, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log10_p: Option<f64>,
    /// What kind of p-value it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_kind: Option<PKind>,
    /// Cosine of what answers each other, after alignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// How much of it was looked at; null where that was not measured, as for a tower, which has an answer of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examined: Option<Examined>,
}

/// How much of a part of the subject was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Examined {
    /// The share of its parameters that is in layers, experts or token rows that were compared; 0 where nothing of it
    /// was read or had a place in a comparison.
    pub share: f64,
    /// The subject's layers that were compared, as `0-2, 5`; empty for a part outside the layers.
    pub layers: String,
    /// In which coordinates of the residual stream it was compared; empty where it was not.
    pub coordinates: String,
}

/// Where one layer comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerSource {
    /// The subject's layer.
    pub subject: u32,
    /// The reference's layer; null where none answers.
    pub reference: Option<u32>,
    /// Share of its hidden units that have a partner there, gate and up projection agreeing.
    pub units: f64,
    /// Mean cosine of their gates.
    pub cosine: f64,
}

/// One step from the reference to the subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeStep {
    /// What was done.
    pub step: StepId,
    /// How sure it is: `measured`, `likely` or `possible`.
    pub certainty: String,
    /// Its numbers.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// One English sentence.
    pub detail: String,
}

/// A change that leaves the function as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disguise {
    /// Which re-arrangement it is.
    pub kind: DisguiseId,
    /// One English sentence.
    pub detail: String,
}

/// One statistic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statistic {
    /// Which statistic it is, as `explain` knows it.
    pub id: StatisticId,
    /// The component it is about.
    pub component: String,
    /// Its value.
    pub value: f64,
    /// Number of samples.
    pub samples: u64,
    /// Base-10 logarithm of its p-value; null where it has none.
    pub log10_p: Option<f64>,
    /// What kind of p-value that is.
    pub p_kind: PKind,
    /// Its null, in a few words.
    pub null: String,
    /// Whether it supports a relation.
    pub supports_relation: bool,
}

/// How much is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Novelty {
    /// Share of the subject's layers that answer no layer of the reference.
    pub layers: f64,
    /// Share of its tokens that the reference's vocabulary lacks; null where vocabularies were not compared.
    pub vocabulary: Option<f64>,
    /// Share of the numbers in its matrices that answer nothing in the reference: layers without an answer, experts
    /// without one and a router that the reference has none of, rows of tokens that the reference lacks or that were
    /// replaced. What was trained on counts as the reference's. Null where not all of it was looked at.
    pub parameters: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights that were taken are closer than a start in common; what is open is closer than what was cleared.
    #[test]
    fn relations_have_one_order() {
        assert!(WeightsRelation::ALL.windows(2).all(|it| it[0].closeness() > it[1].closeness()));
    }
}
