//! How the numbers of one entry are made from what is stored.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::checkpoint::data::packed::{Packed, Parts};
use crate::checkpoint::data::scaled::{PowerScaled, Scaled};
use crate::checkpoint::data::store::Store;
use crate::checkpoint::data::{Values, decode};
use crate::checkpoint::{Checkpoint, Error, Tensor, Treatment, treated};

/// From which tensors, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recipe {
    /// One tensor as it is, by its number in the checkpoint.
    Plain(usize),
    /// Whole numbers in words, with scales and zero points beside them.
    Packed(Box<Packed>),
    /// Elements that are multiplied by scales beside them.
    Scaled(Scaled),
    /// Blocks of four bits with exponents beside them.
    PowerScaled(PowerScaled),
}

/// About how many numbers of a packed matrix are unpacked at once.
const BAND: u64 = 1 << 20;

/// Everything that can be read, sorted by name.
pub(super) fn values(checkpoint: &Checkpoint) -> Vec<Values> {
    let tensors = Tensors::of(checkpoint);
    let mut values: Vec<Values> = Vec::with_capacity(checkpoint.tensors.len());
    for (index, it) in checkpoint.tensors.iter().enumerate() {
        let shape_of = |name: &str| tensors.get(name).map(|(_, it)| it.shape.as_slice());
        match treated(&it.name, &it.shape, &shape_of) {
            Treatment::Companion => {}
            Treatment::Keep => values.push(tensors.kept(index, it)),
            Treatment::Packed { name, shape } => {
                let (recipe, unreadable) = match tensors.packed(index, it, &shape) {
                    Ok(recipe) => (recipe, None),
                    Err(why) => (Recipe::Plain(index), Some(why)),
                };
                values.push(Values { name, shape, unreadable, recipe });
            }
        }
    }
    values.sort_by(|one, other| one.name.cmp(&other.name));
    without_twins(values)
}

/// A file may hold a weight and a packed weight of the same name; which of them the model computes with is not known.
fn without_twins(values: Vec<Values>) -> Vec<Values> {
    let mut kept: Vec<Values> = Vec::with_capacity(values.len());
    for it in values {
        match kept.last_mut().filter(|last| last.name == it.name) {
            Some(last) => last.unreadable = Some("it is there twice, packed and not packed".into()),
            None => kept.push(it),
        }
    }
    kept
}

/// The tensors of a checkpoint by name, and what its configuration says about quantisation.
struct Tensors<'a> {
    by_name: BTreeMap<&'a str, (usize, &'a Tensor)>,
    is_second_version: bool,
    /// Whether it comes with the graph that says how it is computed with.
    is_graph: bool,
    block: Option<[u64; 2]>,
}

impl<'a> Tensors<'a> {
    fn of(checkpoint: &'a Checkpoint) -> Self {
        let stated = checkpoint.config.as_ref().and_then(|it| it.get("quantization_config"));
        let is_second_version = stated.and_then(|it| it.get("checkpoint_format")?.as_str()) == Some("gptq_v2");
        let block = stated.and_then(|it| {
            let sizes = it.get("weight_block_size")?.as_array()?;
            Some([sizes.first()?.as_u64()?, sizes.get(1)?.as_u64()?])
        });
        let by_name = checkpoint.tensors.iter().enumerate().map(|(index, it)| (it.name.as_str(), (index, it)));
        let is_graph = checkpoint.format == "onnx";
        Self { by_name: by_name.collect(), is_second_version, is_graph, block }
    }

    fn get(&self, name: &str) -> Option<(usize, &'a Tensor)> {
        self.by_name.get(name).copied()
    }

    /// A tensor that keeps its name and shape, with its scales where it has some.
    fn kept(&self, index: usize, it: &Tensor) -> Values {
        let (recipe, unreadable) = match self.scaled(index, it) {
            None => (Recipe::Plain(index), decode::unreadable(&it.dtype)),
            Some(Ok(scaled)) => (Recipe::Scaled(scaled), None),
            Some(Err(why)) => (Recipe::Plain(index), Some(why)),
        };
        Values { name: it.name.clone(), shape: it.shape.clone(), unreadable, recipe }
    }

    /// A weight with scales beside it.
    fn scaled(&self, index: usize, it: &Tensor) -> Option<Result<Scaled, String>> {
        let base = it.name.strip_suffix(".weight");
        let beside = |end: &str| self.get(&format!("{}{end}", base?));
        if self.get(&format!("{}.absmax", it.name)).is_some() {
            return Some(Err("it is packed by bitsandbytes into four bits, which this version does not unpack".into()));
        }
        let highest = beside(".SCB").filter(|_| it.dtype.to_string() == "I8");
        let scale = self.get(&format!("{}_scale_inv", it.name)).or_else(|| beside(".weight_scale"));
        let (factor, (place, scale)) = match (highest, scale) {
            (Some(highest), _) => (1.0 / 127.0, highest),
            (None, scale) => (1.0, scale?),
        };
        let dtype = it.dtype.to_string();
        let zero = beside(".weight_zero_point");
        // Bytes without a sign hold two numbers each in some layouts, but not where a graph says what is done with
        // them.
        let is_byte = dtype == "U8" && (zero.is_some() || self.is_graph);
        let is_half = self.is_graph && ["INT4", "UINT4"].contains(&dtype.as_str());
        if !dtype.starts_with("F8_") && dtype != "I8" && !is_byte && !is_half {
            return Some(Err(format!(
                "its elements are {dtype} with scales beside them, which this version does not unpack"
            )));
        }
        let beside = [Some(scale), zero.map(|it| it.1)];
        let unreadable = beside.into_iter().flatten().find_map(|it| decode::unreadable(&it.dtype)).map(Err);
        Some(unreadable.unwrap_or_else(|| Scaled::new((it, scale), [index, place], zero, self.block, factor)))
    }

    /// A packed weight.
    fn packed(&self, index: usize, it: &Tensor, shape: &[u64]) -> Result<Recipe, String> {
        if let Some(base) = it.name.strip_suffix("_blocks") {
            let lacks = || "its scales are not there".to_owned();
            let (scales, tensor) = self.get(&format!("{base}_scales")).ok_or_else(lacks)?;
            let recipe = Recipe::PowerScaled(PowerScaled { blocks: index, scales });
            return PowerScaled::unreadable(it, tensor).map_or(Ok(recipe), Err);
        }
        let Some(base) = it.name.strip_suffix(".qweight") else {
            return Err("it is packed by compressed-tensors, which this version does not unpack".into());
        };
        let beside = |end: &str| self.get(&format!("{base}{end}"));
        let lacks = |what: &str| format!("it is packed, and its {what} are not there");
        let zeros = beside(".qzeros").ok_or_else(|| lacks("zero points"))?;
        let scales = beside(".scales").ok_or_else(|| lacks("scales"))?;
        if let Some(why) = decode::unreadable(&scales.1.dtype) {
            return Err(why);
        }
        let order = beside(".g_idx");
        let tensors = Parts { words: it, zeros: zeros.1, scales: scales.1, order: order.map(|it| it.1) };
        let parts = Parts { words: index, zeros: zeros.0, scales: scales.0, order: order.map(|it| it.0) };
        Packed::new(shape, tensors, parts, self.is_second_version).map(|it| Recipe::Packed(Box::new(it)))
    }
}

impl Recipe {
    /// The elements of a range that is known to be inside.
    pub(super) fn read(&self, store: &Store, values: &Values, range: Range<u64>) -> Result<Vec<f32>, Error> {
        match self {
            Self::Plain(index) => store.floats(*index, range),
            Self::Packed(packed) => by_rows(values, range, &|rows| packed.rows(store, rows)),
            Self::Scaled(scaled) => scaled.read(store, range),
            Self::PowerScaled(scaled) => scaled.read(store, range),
        }
    }
}

/// Cuts a range out of whole rows, of which a few are held at once.
fn by_rows(
    values: &Values,
    range: Range<u64>,
    read: &dyn Fn(Range<u64>) -> Result<Vec<f32>, Error>,
) -> Result<Vec<f32>, Error> {
    let columns = values.shape.last().copied().unwrap_or(1).max(1);
    let at_once = BAND.checked_div(columns).unwrap_or(1).max(1);
    let (mut numbers, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let first = at.checked_div(columns).unwrap_or_default();
        let last = range.end.div_ceil(columns).min(first.saturating_add(at_once));
        let band = read(first..last)?;
        let start = first.saturating_mul(columns);
        let end = range.end.min(last.saturating_mul(columns));
        let place = |it: u64| usize::try_from(it.saturating_sub(start)).unwrap_or(usize::MAX);
        numbers.extend_from_slice(band.get(place(at)..place(end)).unwrap_or_default());
        at = end;
    }
    Ok(numbers)
}
