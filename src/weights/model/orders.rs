//! In which order a file has the rows of its projections, and the projections in the canonical order.
//!
//! What configuration and names state is applied when a net is made. What they do not state is a candidate, which
//! [`layouts`](crate::weights::matching::layouts) tries on a pair of models.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::blueprint::{Blueprint, Conversion, Heads};
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::projection::{Slot, runs};

/// The orders that one file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Neighbors of a query or key head rotate together.
    pub(crate) is_woven: bool,
    /// How query, key and value lie in one projection; `None` if they lie one after the other.
    pub(crate) fused: Option<Conversion>,
    /// Gate and up rows take turns in one projection.
    pub(crate) is_alternating: bool,
}

impl Orders {
    /// What configuration and names state.
    pub(crate) fn stated(blueprint: &Blueprint) -> Self {
        let stated = |role: &str| -> Vec<Conversion> {
            let all = blueprint.conventions(role).into_iter();
            all.filter(|it| it.is_stated).map(|it| it.convention.conversion).collect()
        };
        let has = |role: &str, conversion| stated(role).contains(&conversion);
        Self {
            is_woven: has("attention.query", Conversion::RotaryNeighbors),
            fused: stated("attention.query_key_value")
                .into_iter()
                .find(|it| matches!(it, Conversion::ByHead | Conversion::ByGroup)),
            is_alternating: has("ffn.gate_up", Conversion::Alternating),
        }
    }

    /// The layouts in which these orders differ from others, by their ids in the list of all layouts.
    pub(crate) fn apart(self, other: Self) -> Vec<&'static str> {
        let fused = |it: Self| match it.fused {
            Some(Conversion::ByHead) => Some("qkv-by-head"),
            Some(_) => Some("qkv-by-group"),
            None => None,
        };
        let mut apart = Vec::new();
        if self.is_woven != other.is_woven {
            apart.push("rotary-neighbors");
        }
        if self.fused != other.fused {
            apart.extend(fused(self).or(fused(other)));
        }
        if self.is_alternating != other.is_alternating {
            apart.push("gate-up-alternating");
        }
        apart
    }
}

/// Rows of a projection, in an order.
type Rows = Arc<[Range<u64>]>;

/// Brings the projections of layers into the canonical order; orders of one shape are made once.
pub(crate) struct Ordering {
    orders: Orders,
    heads: Heads,
    made: BTreeMap<(u8, u64), Option<Rows>>,
}

impl Ordering {
    pub(crate) fn new(orders: Orders, heads: Heads) -> Self {
        Self { orders, heads, made: BTreeMap::new() }
    }

    /// Sets query, key and value, and gate and up projections, from what is stored.
    pub(crate) fn apply(&mut self, layer: &mut Layer) {
        if let Some(fused) = layer.fused.clone() {
            let [query, key, value] = self.unfused(&fused).map(|rows| fused.part(rows));
            layer.stored = [Some(query), Some(key)];
            layer.value = Some(value);
        }
        for (stored, slot) in layer.stored.clone().into_iter().zip([&mut layer.query, &mut layer.key]) {
            if let Some(stored) = stored {
                *slot = Some(self.unwoven(stored));
            }
        }
        layer.ffns.iter_mut().for_each(|it| self.halved(it));
    }

    /// A query or key projection with the halves of each head apart.
    fn unwoven(&mut self, slot: Slot) -> Slot {
        if !self.orders.is_woven {
            return slot;
        }
        let rows = slot.outputs() as u64;
        match self.rows(Conversion::RotaryNeighbors, rows) {
            Some(order) => {
                let order: Vec<usize> = order.iter().cloned().flatten().map(|it| it as usize).collect();
                slot.some_rows(&order)
            }
            None => slot,
        }
    }

    /// The rows of query, key and value in one fused projection.
    fn unfused(&mut self, fused: &Slot) -> [Rows; 3] {
        let Heads { queries, keys, size } = self.heads;
        let all = fused.outputs() as u64;
        let query = if (queries + 2 * keys) * size == all { queries * size } else { all / 3 };
        let key = (all - query) / 2;
        let parts = [0..query, query..query + key, query + key..all];
        let order = self.orders.fused.and_then(|it| self.rows(it, all));
        let Some(order) = order else { return parts.map(runs) };
        let order: Vec<u64> = order.iter().cloned().flatten().collect();
        parts.map(|it| runs(order[it.start as usize..it.end as usize].iter().copied()))
    }

    /// Gate and up projection from one that is both.
    fn halved(&mut self, ffn: &mut FeedForward) {
        let Some(fused) = ffn.fused.clone() else { return };
        let (all, half) = (fused.outputs() as u64, fused.outputs() as u64 / 2);
        let [gate, up] = if self.orders.is_alternating {
            [0, 1].map(|first| self.every_second(first, all))
        } else {
            [runs(0..half), runs(half..all)]
        };
        (ffn.gate, ffn.up) = (Some(fused.part(gate)), Some(fused.part(up)));
    }

    fn every_second(&mut self, first: u8, all: u64) -> Rows {
        let make = || Some(runs((u64::from(first)..all / 2 * 2).step_by(2)));
        self.made.entry((first, all)).or_insert_with(make).clone().unwrap_or_default()
    }

    fn rows(&mut self, conversion: Conversion, rows: u64) -> Option<Rows> {
        let key = match conversion {
            Conversion::RotaryNeighbors => 2,
            Conversion::ByHead => 3,
            _ => 4,
        };
        let heads = self.heads;
        self.made.entry((key, rows)).or_insert_with(|| conversion.rows(rows, heads).map(runs)).clone()
    }
}
