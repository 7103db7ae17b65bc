//! Which role each tensor has, and which way round its matrix is stored.

use std::collections::BTreeMap;

use crate::blueprint::Placed;

/// A tensor with the one role that it is taken to have.
pub(crate) struct Settled {
    pub(crate) placed: Placed,
    pub(crate) role: String,
}

/// Gives each tensor one role. Those that a name gives come first, and a tensor whose roles are all taken gets none:
/// nothing that is put beside a model's own tensors takes their place. Where several tensors of a layer may have
/// several roles, they get them in the order of their names, and so the same in every layer; a wrong guess makes a test
/// silent and never loud.
pub(crate) fn settled(placed: Vec<Placed>) -> Vec<Settled> {
    let mut taken: BTreeMap<(Option<u32>, Option<u32>), Vec<String>> = BTreeMap::new();
    let mut settled: Vec<Settled> = Vec::with_capacity(placed.len());
    let (named, guessed): (Vec<Placed>, Vec<Placed>) = placed.into_iter().partition(|it| it.is_named);
    for it in named.into_iter().chain(guessed) {
        let taken = taken.entry((it.layer, it.expert)).or_default();
        let Some(role) = it.roles.iter().find(|role| !taken.contains(role)).cloned() else { continue };
        taken.push(role.clone());
        settled.push(Settled { placed: it, role });
    }
    settled
}

/// Which way round the projections of each kind lie: those of attention, of dense blocks, and of experts, which some
/// programs write the other way round than the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turned {
    attention: i64,
    dense: i64,
    experts: i64,
}

impl Turned {
    /// Told by the matrices that are not square.
    pub(crate) fn of(placed: &[Placed], hidden: u64) -> Self {
        let mut votes = Self::default();
        for it in placed.iter().filter(|it| it.shape.len() == 2 && it.shape[0] != it.shape[1]) {
            let [rows, cols] = it.shape[..] else { continue };
            for role in &it.roles {
                let reads = i64::from(rows == hidden) - i64::from(cols == hidden);
                *votes.kind(role) += match role.rsplit('.').next().unwrap_or_default() {
                    "gate" | "up" | "gate_up" | "query_key_value" | "query" | "key" | "value" => reads,
                    "down" => -reads,
                    "output" if role.starts_with("attention.") => -reads,
                    _ => 0,
                };
            }
        }
        votes
    }

    fn kind(&mut self, role: &str) -> &mut i64 {
        match role {
            _ if role.starts_with("expert.") => &mut self.experts,
            _ if role.starts_with("attention.") => &mut self.attention,
            _ => &mut self.dense,
        }
    }

    /// Whether a square projection of this role lies as `[in, out]`: those of its kind tell, or where all of them are
    /// square, the next kind.
    fn is(self, role: &str) -> bool {
        let Self { attention, dense, experts } = self;
        let order = match role {
            _ if role.starts_with("expert.") => [experts, dense, attention],
            _ if role.starts_with("attention.") => [attention, dense, experts],
            _ => [dense, attention, experts],
        };
        order.into_iter().find(|it| *it != 0).is_some_and(|it| it > 0)
    }
}

/// Whether one projection lies as `[in, out]`: its shape tells, or where it is square, the others.
pub(crate) fn turned(placed: &Placed, role: &str, hidden: u64, others: Turned) -> bool {
    let [rows, cols] = placed.shape[..] else { return false };
    let is_output = role.ends_with("down") || role == "attention.output";
    let stream = if is_output { rows } else { cols };
    let other = if is_output { cols } else { rows };
    match (stream == hidden, other == hidden) {
        (true, false) => false,
        (false, true) => true,
        _ => others.is(role),
    }
}
