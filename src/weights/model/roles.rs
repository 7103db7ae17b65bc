//! Which role each tensor has, and which way round its matrix is stored.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::blueprint::Placed;

/// A tensor with the one role that it is taken to have.
pub(crate) struct Settled {
    pub(crate) placed: Placed,
    pub(crate) role: String,
}

/// Gives each tensor one role. Those that a name gives come first, and a tensor whose roles are all taken gets none: nothing
/// that is put beside a model's own tensors takes their place. Where several tensors of a layer may have several roles, they
/// get them in the order of their names, and so the same in every layer; a wrong guess makes a test silent and never loud.
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

/// Whether the projections of a model lie as `[in, out]`, told by those that are not square.
pub(crate) fn lies_turned(placed: &[Placed], hidden: u64) -> bool {
    let mut votes = 0_i64;
    for it in placed.iter().filter(|it| it.shape.len() == 2 && it.shape[0] != it.shape[1]) {
        let [rows, cols] = it.shape[..] else { continue };
        for role in &it.roles {
            match role.rsplit('.').next().unwrap_or_default() {
                "gate" | "up" | "gate_up" | "query_key_value" | "key" | "value" => {
                    votes += i64::from(rows == hidden) - i64::from(cols == hidden);
                }
                "down" => votes += i64::from(cols == hidden) - i64::from(rows == hidden),
                _ => {}
            }
        }
    }
    votes > 0
}

/// Whether one projection lies as `[in, out]`: its shape tells, or where it is square, the others.
pub(crate) fn turned(placed: &Placed, role: &str, hidden: u64, is_turned: bool) -> bool {
    let [rows, cols] = placed.shape[..] else { return false };
    let is_output = role.ends_with("down") || role == "attention.output";
    let stream = if is_output { rows } else { cols };
    let other = if is_output { cols } else { rows };
    match (stream == hidden, other == hidden) {
        (true, false) => false,
        (false, true) => true,
        _ => is_turned,
    }
}

/// One range of rows.
pub(crate) fn only(range: Range<u64>) -> Vec<Range<u64>> {
    std::iter::once(range).collect()
}
