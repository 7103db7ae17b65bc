//! How many parameters each part of a model has, whether or not they can be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::Placed;

/// The parts of a model, in the order in which they are reported.
pub(crate) const PARTS: [&str; 6] = ["embeddings", "head", "attention", "feed-forward", "norms", OTHERS];

/// What is in layers and is none of these: state-space blocks, latent attention, roles that are not known.
pub(crate) const OTHERS: &str = "other-blocks";

/// Parameters by part and layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sizes {
    /// By part, layer and tensor; experts of one tensor are added up.
    tensors: BTreeMap<(&'static str, Option<u32>), BTreeMap<String, u64>>,
    /// Stored elements in layers that are packed in a way that nobody reads here.
    unread: u64,
}

impl Sizes {
    pub(crate) fn of(placed: &[Placed], unread: u64) -> Self {
        let mut sizes = Self { unread, ..Self::default() };
        for it in placed {
            let Some(part) = part_of(it.roles.first().map_or("", String::as_str), it.layer.is_some()) else { continue };
            let elements = it.shape.iter().copied().fold(1, u64::saturating_mul);
            let all = sizes.tensors.entry((part, it.layer)).or_default().entry(it.name.clone()).or_default();
            *all = all.saturating_add(elements);
        }
        sizes
    }

    /// Parameters of a part.
    pub(crate) fn elements(&self, part: &str) -> u64 {
        sum(self.tensors.iter().filter(|it| it.0.0 == part).flat_map(|it| it.1.values()))
    }

    /// Whether the model has such a part.
    pub(crate) fn has(&self, part: &str) -> bool {
        self.tensors.keys().any(|it| it.0 == part)
    }

    /// The share of a part that is in tensors that are used, in these layers; a part outside the layers is in all.
    pub(crate) fn share(&self, part: &str, used: &BTreeSet<String>, layers: &BTreeSet<u32>) -> f64 {
        let of_part = || self.tensors.iter().filter(|it| it.0.0 == part);
        let all = sum(of_part().flat_map(|it| it.1.values()));
        let is_in = |layer: &Option<u32>| layer.is_none_or(|it| layers.contains(&it));
        let seen = of_part().filter(|it| is_in(&it.0.1)).flat_map(|it| it.1).filter(|it| used.contains(it.0));
        ratio(sum(seen.map(|it| it.1)), all)
    }

    /// The share of all that is in layers and in tensors that are used.
    pub(crate) fn share_in_layers(&self, used: &BTreeSet<String>) -> f64 {
        let layered = || self.tensors.iter().filter(|it| it.0.1.is_some()).flat_map(|it| it.1);
        let all = sum(layered().map(|it| it.1)).saturating_add(self.unread);
        ratio(sum(layered().filter(|it| used.contains(it.0)).map(|it| it.1)), all)
    }
}

fn sum<'a>(sizes: impl Iterator<Item = &'a u64>) -> u64 {
    sizes.fold(0, |sum, it| sum.saturating_add(*it))
}

/// Of nothing everything was seen.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

pub(crate) fn part_of(role: &str, is_layered: bool) -> Option<&'static str> {
    let is_norm = role.contains("norm");
    match role {
        "token_embedding" => Some("embeddings"),
        "output" => Some("head"),
        _ if is_norm && (is_layered || role == "output_norm") => Some("norms"),
        _ if !is_layered => None,
        _ if ["ffn.", "expert.", "shared_expert.", "router"].iter().any(|it| role.starts_with(it)) => {
            Some("feed-forward")
        }
        _ if role.starts_with("attention.") => Some("attention"),
        _ => Some(OTHERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_counts_as_not_seen() {
        let placed = |name: &str, role: &str, layer: Option<u32>| Placed {
            name: name.to_owned(),
            roles: vec![role.to_owned()],
            layer,
            shape: vec![4, 5],
            ..Placed::default()
        };
        let all = [
            placed("e", "token_embedding", None),
            placed("0.q", "attention.query", Some(0)),
            placed("0.up", "ffn.up", Some(0)),
            placed("1.up", "ffn.up", Some(1)),
            placed("1.x", "ssm.in", Some(1)),
        ];
        let sizes = Sizes::of(&all, 20);
        let used = BTreeSet::from(["e", "0.q", "0.up", "1.up"].map(str::to_owned));
        assert!((sizes.share_in_layers(&used) - 0.6).abs() < 1e-12);
        assert!((sizes.share("feed-forward", &used, &BTreeSet::from([1])) - 0.5).abs() < 1e-12);
        assert!((sizes.share("embeddings", &used, &BTreeSet::new()) - 1.0).abs() < 1e-12);
        assert!(sizes.share(OTHERS, &used, &BTreeSet::from([1])) < 1e-12 && !sizes.has("norms"));
    }
}
