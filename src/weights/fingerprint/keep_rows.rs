//! Takes a fingerprint of rows alone: what a server gives in ranges, some megabytes of a model of any size.

use std::collections::BTreeMap;

use crate::blueprint::Blueprint;
use crate::bytes::sha256;
use crate::checkpoint::Error;
use crate::weights::fingerprint::{About, FORMAT_ROWS, Fingerprint, KeptBlock, KeptLayer};
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Parameters from which on more may be read.
const LARGE: u64 = 100_000_000_000;

/// Most units of a layer that are kept.
const MOST_UNITS: usize = 64;

/// Fewest of them.
const LEAST_UNITS: usize = 8;

/// Blocks of one layer that are kept, where it has several: the first experts, which every test reads first.
const EXPERTS: usize = 2;

/// How much of a model is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Bytes of units that may be read, in the element type of the files.
    pub bytes: u64,
    /// Bytes of one number there.
    pub width: u64,
    /// Tokens.
    pub tokens: usize,
    /// Says at which places units are kept.
    pub salt: String,
}

impl Rows {
    /// Half of what may be read at all (50 MB, or 120 MB from 100 billion parameters on) goes to units; the rest is for
    /// headers, norms, tokens and the vocabulary.
    pub fn of(parameters: u64, data_bytes: u64, salt: &str) -> Self {
        let bytes = if parameters > LARGE { 64_000_000 } else { 24_000_000 };
        let width = data_bytes.checked_div(parameters).unwrap_or(2).clamp(1, 4);
        Self { bytes, width, tokens: 256, salt: salt.to_owned() }
    }

    /// Units of each layer, of a model that keeps so many layers.
    fn units(&self, layers: usize, hidden: usize, projections: usize) -> usize {
        let unit = (projections.max(1) * hidden.max(1)) as u64 * self.width;
        let each = self.bytes / (layers.max(1) as u64 * unit).max(1);
        (each as usize).clamp(LEAST_UNITS, MOST_UNITS)
    }

    /// A run of consecutive rows, at a place that the salt says.
    fn run(&self, what: &str, rows: usize, most: usize) -> Vec<usize> {
        let count = rows.min(most);
        let digest = sha256(format!("{}\n{what}", self.salt).as_bytes());
        let drawn = u64::from_str_radix(digest.get(..15).unwrap_or_default(), 16).unwrap_or(0);
        let start = (drawn % (rows - count + 1) as u64) as usize;
        (start..start + count).collect()
    }
}

impl Fingerprint {
    /// Takes one of rows alone; `tokens` and `about` as for [`Fingerprint::take`]. A layer whose units have gates keeps
    /// gates and ups of some units; one without keeps rows of the value projection, since signs of units without gates
    /// are no fair coins.
    ///
    /// # Errors
    /// A file of the model that cannot be read.
    pub fn take_rows(
        net: &Net<'_>,
        blueprint: &Blueprint,
        tokens: Option<Vec<(u32, Vec<u8>)>>,
        about: About,
        rows: &Rows,
    ) -> Result<Self, Error> {
        let mut taken = Self { about, numbers: BTreeMap::new(), bytes: 0 };
        taken.about.format = FORMAT_ROWS.to_owned();
        taken.about.salt = Some(rows.salt.clone());
        taken.about.templates = blueprint.templates().to_vec();
        taken.about.config = blueprint.config().fields().clone();
        taken.about.hidden = net.hidden as u64;
        taken.keep_tokens(net, tokens, rows.tokens)?;
        for layer in &net.layers {
            taken.keep_rows_of(net, layer, rows)?;
        }
        taken.seal();
        Ok(taken)
    }

    fn keep_rows_of(&mut self, net: &Net<'_>, layer: &Layer, rows: &Rows) -> Result<(), Error> {
        let name = |part: &str| format!("layers.{}.{part}", layer.index);
        self.keep_vector(net, layer.attention_norm.as_ref(), &name("attention_norm"))?;
        self.keep_vector(net, layer.ffn_norm.as_ref(), &name("ffn_norm"))?;
        let mut kept = KeptLayer { index: layer.index, blocks: Vec::new(), values: Vec::new() };
        let gated = layer.ffns.iter().enumerate().filter(|it| is_gated(net, it.1));
        let gated: Vec<(usize, &FeedForward)> = gated.take(EXPERTS).collect();
        let units = rows.units(net.layers.len(), net.hidden, 2 * gated.len().max(1));
        for (block, (number, ffn)) in gated.iter().enumerate() {
            let chosen = rows.run(&name(&format!("blocks.{number}")), ffn.units(), units);
            for (part, slot) in [("gate", &ffn.gate), ("up", &ffn.up)] {
                self.keep_slot(net, slot.as_ref(), &chosen, &name(&format!("blocks.{block}.{part}")))?;
            }
            let units = chosen.into_iter().map(|it| it as u64).collect();
            kept.blocks.push(KeptBlock { width: ffn.width as u64, units, number: Some(*number as u64) });
        }
        let value = layer.value.as_ref().filter(|it| gated.is_empty() && it.inputs() == net.hidden && !it.is_turned());
        if let Some(value) = value {
            let chosen = rows.run(&name("value"), value.outputs(), units);
            self.keep_slot(net, Some(value), &chosen, &name("value"))?;
            kept.values = chosen.into_iter().map(|it| it as u64).collect();
        }
        self.about.layers.push(kept);
        Ok(())
    }

    fn keep_slot(&mut self, net: &Net<'_>, slot: Option<&Slot>, rows: &[usize], name: &str) -> Result<(), Error> {
        if let Some(slot) = slot {
            self.numbers.insert(name.to_owned(), slot.load_rows(net.numbers, rows)?.data);
        }
        Ok(())
    }

    /// Rows of units and of values that are kept, in all layers.
    pub fn kept_rows(&self) -> usize {
        let units = self.about.layers.iter().flat_map(|it| &it.blocks).map(|it| it.units.len()).sum::<usize>();
        units + self.about.layers.iter().map(|it| it.values.len()).sum::<usize>()
    }
}

/// Whether gate and up are both there, read the stream, and lie row by row: what lies column by column would be read
/// whole.
fn is_gated(net: &Net<'_>, ffn: &FeedForward) -> bool {
    let are_rows = |it: &Option<Slot>| it.as_ref().is_some_and(|it| it.inputs() == net.hidden && !it.is_turned());
    are_rows(&ffn.gate) && are_rows(&ffn.up) && ffn.units() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_salt_says_where_and_the_budget_how_much() {
        let rows = Rows::of(7_000_000_000, 14_000_000_000, "a");
        assert_eq!((rows.width, rows.units(32, 4_096, 2)), (2, 45));
        let run = rows.run("layers.0", 11_008, 45);
        assert_eq!((run.len(), run.last().map(|it| it - run[0])), (45, Some(44)));
        assert_eq!(run, rows.run("layers.0", 11_008, 45));
        assert_ne!(run, Rows::of(7_000_000_000, 14_000_000_000, "b").run("layers.0", 11_008, 45));
        assert_eq!(rows.run("x", 3, 45), [0, 1, 2]);
        assert_eq!(Rows::of(70_000_000_000, 140_000_000_000, "a").units(80, 8_192, 2), 9);
    }
}
