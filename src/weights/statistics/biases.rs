//! Biases: seed-free numbers as gains are, since every model starts them at zero.
//!
//! **Statistic.** Per role and layer, the normal scores of the biases are correlated; the sum over layers and roles is
//! compared with its law when the dimensions of one model are re-ordered, each role by itself and all layers alike, as
//! for [`gains`](crate::weights::matching::norm_weights).
//!
//! **Null.** Independent training; no dimension of one model is tied to one of the other. The tail is the normal one,
//! so that the p-value is calibrated. Biases of queries and keys are left out, alone or fused with those of values:
//! rotary positions give each dimension of a head a frequency of its own, and unrelated models treat frequencies alike.
//!
//! **What it cannot tell.** It looks at places alone, and is silent for dimensions that were re-ordered; most
//! LLaMA-shaped models have no biases. It cannot tell a shared start from derivation.
//!
//! References: as for gains; that biases start at zero is the rule of GPT-2, BERT and their descendants.

use std::collections::BTreeSet;

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::LEVEL;
use crate::stats::permutation::{Permuted, scores};
use crate::weights::matching::norm_weights::is_flat;
use crate::weights::model::view::Net;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::Biases], role: Role::Supports, observe };

/// None where the two have no biases of one length in common.
fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let (Some((subject, reference)), measured) = (compared.nets, compared.measured) else { return Ok(Vec::new()) };
    let mut permuted = Permuted::default();
    if subject.hidden != reference.hidden || reference.is_fingerprint() {
        return Ok(Vec::new());
    }
    let roles = |net: &Net<'_>| -> BTreeSet<String> {
        let all = net.layers.iter().flat_map(|it| it.biases.keys()).filter(|it| !is_positional(it));
        all.cloned().collect()
    };
    for role in roles(subject) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for answer in &measured.answers {
            let names = (&subject.layers[answer.subject].biases, &reference.layers[answer.reference].biases);
            let pair = (subject.vector(names.0.get(&role))?, reference.vector(names.1.get(&role))?);
            let (Some(a), Some(b)) = pair else { continue };
            let is_first = ours.first().is_none_or(|it: &Vec<f32>| it.len() == a.len());
            if a.len() == b.len() && is_first && !is_flat(&a) && !is_flat(&b) {
                ours.push(scores(&a));
                theirs.push(scores(&b));
            }
        }
        permuted.add(&ours, &theirs);
    }
    let observation = || Observation {
        id: StatisticId::Biases,
        component: "biases, in place".to_owned(),
        value: permuted.correlation(),
        samples: permuted.numbers,
        kind: PKind::Asymptotic,
        null: "independent training: dimensions of one model are in no order of the other's".to_owned(),
        support: Support::test(permuted.log10_p(), Family::References, LEVEL),
    };
    Ok((permuted.numbers > 0).then(observation).into_iter().collect())
}

fn is_positional(role: &str) -> bool {
    role.contains("query") || role.contains("key")
}
