//! The factors of an adapter, by the layer and the module that they change.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::linalg::low_rank;
use crate::linalg::matrix::Matrix;
use crate::weights::adapter::moments::Outputs;
use crate::weights::model::tensors::Numbers;

/// The two factors of one changed module: the change is `B A`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    a: String,
    b: String,
    pub(crate) rank: usize,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    /// What the outputs are; none for a module that says nothing here.
    pub(crate) what: Option<Outputs>,
    /// Whether the module reads the stream.
    pub(crate) reads_stream: bool,
    /// Whether it is the gate of a feed-forward block.
    pub(crate) is_gate: bool,
}

/// An adapter as the tests see it.
pub struct Factors<'a> {
    numbers: &'a dyn Numbers,
    /// By layer, then by the name of the module.
    pub(crate) changes: BTreeMap<u32, BTreeMap<String, Change>>,
    /// Tensors that are no pair of factors of a layer.
    pub(crate) left_out: Vec<String>,
}

/// A factor's name, rows and columns.
type Stored = (String, u64, u64);

/// What the name of every factor begins with.
const PREFIX: &str = "base_model.model.";

impl<'a> Factors<'a> {
    /// Pairs the factors of an adapter up. `tensors` are names and shapes.
    pub fn new<'b>(tensors: impl Iterator<Item = (&'b str, &'b [u64])>, numbers: &'a dyn Numbers) -> Self {
        let mut pairs: BTreeMap<String, [Option<Stored>; 2]> = BTreeMap::new();
        let mut left_out = Vec::new();
        for (name, shape) in tensors {
            let (Some((module, side)), &[rows, cols], true) = (parted(name), shape, numbers.has(name)) else {
                left_out.push(name.to_owned());
                continue;
            };
            pairs.entry(module).or_default()[side] = Some((name.to_owned(), rows, cols));
        }
        let mut factors = Self { numbers, changes: BTreeMap::new(), left_out };
        let mut fitting = Vec::new();
        for (module, both) in pairs {
            match both {
                [Some(a), Some(b)] if a.1 == b.2 && a.1 > 0 => fitting.push((module, a, b)),
                alone => factors.left_out.extend(alone.into_iter().flatten().map(|it| it.0)),
            }
        }
        for (module, a, b) in fitting {
            let Some(layer) = layer(&module) else {
                factors.left_out.extend([a.0, b.0]);
                continue;
            };
            let change = change(a, b, &module);
            factors.changes.entry(layer).or_default().insert(module, change);
        }
        factors
    }

    /// Names of tensors that are no pair of factors of a layer.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// How many columns the `B` of value modules have, by layer.
    pub(crate) fn value_ranks(&self) -> BTreeMap<u32, usize> {
        let value = |all: &BTreeMap<String, Change>| {
            all.values().find(|it| it.what == Some(Outputs::Value)).map(|it| it.rank.min(low_rank::COLUMNS))
        };
        self.changes.iter().filter_map(|(layer, all)| Some((*layer, value(all)?))).collect()
    }

    /// An orthonormal basis of what the columns of `B` span.
    pub(crate) fn space(&self, change: &Change) -> Result<Matrix, Error> {
        let length = (change.outputs * change.rank) as u64;
        let b = Matrix::new(change.outputs, change.rank, self.numbers.read(&change.b, 0..length)?);
        Ok(low_rank::leading(&b))
    }

    /// `A`, one row for each direction of the stream that is listened to.
    pub(crate) fn listened(&self, change: &Change) -> Result<Matrix, Error> {
        let length = (change.inputs * change.rank) as u64;
        Ok(Matrix::new(change.rank, change.inputs, self.numbers.read(&change.a, 0..length)?))
    }
}

fn change(a: Stored, b: Stored, module: &str) -> Change {
    let own = module.trim_end_matches(".weight").rsplit('.').next().unwrap_or_default();
    let what = match own {
        "v_proj" | "wv" | "value" => Some(Outputs::Value),
        "q_proj" | "wq" | "query" => Some(Outputs::Query),
        "k_proj" | "wk" | "key" => Some(Outputs::Key),
        // Experts of a mixture are told apart by more than their layer.
        "up_proj" if !module.contains("expert") => Some(Outputs::Up),
        _ => None,
    };
    let is_gate = own == "gate_proj" && !module.contains("expert");
    let (rank, outputs, inputs) = (a.1 as usize, b.1 as usize, a.2 as usize);
    Change { a: a.0, b: b.0, rank, outputs, inputs, what, reads_stream: what.is_some() || is_gate, is_gate }
}

/// The layer that a module stands in.
fn layer(module: &str) -> Option<u32> {
    module.split('.').find_map(|it| it.parse().ok())
}

/// The module of a factor as its base names it, and which of the two factors it is.
fn parted(name: &str) -> Option<(String, usize)> {
    let name = name.strip_prefix(PREFIX)?;
    let sides = [".lora_A.", ".lora_B."];
    let (side, (module, _)) = sides.iter().enumerate().find_map(|(side, it)| Some((side, name.split_once(it)?)))?;
    Some((format!("{module}.weight"), side))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct All;

    impl Numbers for All {
        fn read(&self, _: &str, elements: std::ops::Range<u64>) -> Result<Vec<f32>, Error> {
            Ok(elements.map(|it| it as f32).collect())
        }

        fn has(&self, _: &str) -> bool {
            true
        }
    }

    #[test]
    fn factors_are_paired_by_layer_and_module() {
        let stem = "base_model.model.model.layers.";
        let names = [
            (format!("{stem}0.self_attn.v_proj.lora_A.weight"), [4, 32]),
            (format!("{stem}0.self_attn.v_proj.lora_B.weight"), [16, 4]),
            (format!("{stem}1.mlp.up_proj.lora_A.default.weight"), [4, 32]),
            (format!("{stem}1.mlp.up_proj.lora_B.default.weight"), [64, 4]),
            (format!("{stem}1.mlp.down_proj.lora_B.weight"), [32, 4]),
            ("base_model.model.lm_head.weight".to_owned(), [100, 32]),
        ];
        let factors = Factors::new(names.iter().map(|(name, shape)| (name.as_str(), &shape[..])), &All);
        let found: Vec<_> =
            factors.changes.iter().flat_map(|(layer, all)| all.values().map(|it| (*layer, it))).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        let (value, up) = (found[0], found[1]);
        assert_eq!((value.0, value.1.what, value.1.outputs, value.1.rank), (0, Some(Outputs::Value), 16, 4));
        assert_eq!((up.0, up.1.what, up.1.inputs), (1, Some(Outputs::Up), 32));
        assert_eq!(
            factors.left_out,
            ["base_model.model.lm_head.weight", "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight"]
        );
        assert_eq!((factors.listened(up.1).unwrap().rows, factors.space(value.1).unwrap().rows), (4, 16));
    }
}
