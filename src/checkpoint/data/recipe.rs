//! How the numbers of one entry are made from what is stored.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::checkpoint::data::code_book::CodeBook;
use crate::checkpoint::data::exl2::Exl2;
use crate::checkpoint::data::grouped::Grouped;
use crate::checkpoint::data::hqq::Hqq;
use crate::checkpoint::data::packed::Packed;
use crate::checkpoint::data::scaled::{PowerScaled, Scaled};
use crate::checkpoint::data::store::Store;
use crate::checkpoint::data::ternary::Ternary;
use crate::checkpoint::data::unpacking::Unpacking;
use crate::checkpoint::data::{Stored, Values, decode};
use crate::checkpoint::view::View;
use crate::checkpoint::{Around, Checkpoint, Dtype, Error, Seen, Settings, Tensor, Treatment, adapter, treated};

/// From which tensors, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recipe {
    /// One tensor as it is, by its number in the checkpoint.
    Plain(usize),
    /// One tensor whose elements are told in another order than they are stored.
    Viewed(usize, View),
    /// Whole numbers in words along the inputs or outputs, with scales and zero points beside them.
    Packed(Box<Packed>),
    /// Rows of packed numbers with scales by group.
    Grouped(Box<Grouped>),
    /// Numbers of a code book of sixteen.
    CodeBook(CodeBook),
    /// Groups of different numbers of bits.
    Exl2(Box<Exl2>),
    /// A matrix that was cut into groups.
    Hqq(Box<Hqq>),
    /// Three values, four rows in one.
    Ternary(Ternary),
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
        match treated(&it.name, &seen(it), &tensors) {
            Treatment::Companion => {}
            Treatment::Keep => values.push(tensors.kept(index, it)),
            Treatment::Packed { name, shape, packing } => {
                let unpacking = Unpacking { tensors: &tensors, packing, index, words: it, shape: &shape, plain: &name };
                let (recipe, unreadable) = match unpacking.recipe() {
                    Ok(recipe) => (recipe, None),
                    Err(why) => (Recipe::Plain(index), Some(why)),
                };
                let stored = packed(packing.layout, it, &shape);
                values.push(Values { name, shape, unreadable, stored, recipe });
            }
            Treatment::Opaque { name, packing } => {
                let why = format!("it is packed as {}, and nothing in the files tells its shape", packing.layout);
                let shape = it.shape.clone();
                let stored = packed(packing.layout, it, &shape);
                values.push(Values { name, shape, unreadable: Some(why), stored, recipe: Recipe::Plain(index) });
            }
        }
    }
    if checkpoint.adapter.is_some() {
        values = values.into_iter().map(|it| factor(it, checkpoint)).collect();
    }
    values.sort_by(|one, other| one.name.cmp(&other.name));
    without_twins(values)
}

/// A factor of an adapter under the name, and the way round, in which PEFT writes it.
fn factor(values: Values, checkpoint: &Checkpoint) -> Values {
    let Some((name, is_turned)) = adapter::canonical(&values.name) else { return values };
    let turned = match (&values.recipe, values.shape.as_slice()) {
        (Recipe::Plain(index), [rows, columns]) if is_turned && values.unreadable.is_none() => {
            let shape = [*columns, *rows];
            // One that is stored as a view keeps its place, and the test says that it does not fit.
            let is_plain = checkpoint.tensors.get(*index).is_some_and(|it| it.view.is_none());
            is_plain.then(|| (shape.to_vec(), Recipe::Viewed(*index, View::transposed(shape))))
        }
        _ => None,
    };
    let (shape, recipe) = turned.unwrap_or((values.shape, values.recipe));
    Values { name, shape, recipe, ..values }
}

/// The type of a tensor that is no packing.
fn plain(dtype: &Dtype) -> Stored {
    let word = dtype.to_string();
    let digits = |text: &str| text.chars().find_map(|it| it.to_digit(10)).map_or(0, u64::from);
    let bits = match dtype {
        // Q4_K, IQ3_S: the first digit is that of the bits of one number.
        Dtype::Block(_) => digits(&word),
        _ => dtype.bits().unwrap_or(0),
    };
    Stored { word, bits }
}

/// The type of a packed tensor: as many bits as its words have for one number.
fn packed(layout: &str, words: &Tensor, shape: &[u64]) -> Stored {
    let numbers = shape.iter().copied().fold(1, u64::saturating_mul);
    let bits = words.data.end.saturating_sub(words.data.start).saturating_mul(8).checked_div(numbers);
    Stored { word: layout.to_owned(), bits: bits.unwrap_or(0) }
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

fn seen(tensor: &Tensor) -> Seen<'_> {
    Seen { shape: &tensor.shape, dtype: tensor.dtype.to_string().into() }
}

/// The tensors of a checkpoint by name, and what its configuration says about packing.
pub(super) struct Tensors<'a> {
    by_name: BTreeMap<&'a str, (usize, &'a Tensor)>,
    stated: &'a BTreeMap<String, Vec<u64>>,
    pub(super) settings: Settings,
}

impl Around for Tensors<'_> {
    fn seen(&self, name: &str) -> Option<Seen<'_>> {
        self.get(name).map(|it| seen(it.1))
    }

    fn stated_shape(&self, name: &str) -> Option<&[u64]> {
        self.stated.get(name).map(Vec::as_slice)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl<'a> Tensors<'a> {
    fn of(checkpoint: &'a Checkpoint) -> Self {
        let field = |field: &str| checkpoint.config.as_ref().and_then(|it| it.get(field));
        let settings = Settings::of(&field, checkpoint.format == "onnx");
        let by_name = checkpoint.tensors.iter().enumerate().map(|(index, it)| (it.name.as_str(), (index, it)));
        Self { by_name: by_name.collect(), stated: &checkpoint.stated_shapes, settings }
    }

    pub(super) fn get(&self, name: &str) -> Option<(usize, &'a Tensor)> {
        self.by_name.get(name).copied()
    }

    /// A tensor that keeps its name and shape, with its scales where it has some.
    fn kept(&self, index: usize, it: &Tensor) -> Values {
        let (recipe, unreadable) = match self.scaled(index, it) {
            None => (Recipe::Plain(index), decode::unreadable(&it.dtype)),
            Some(Ok(scaled)) => (Recipe::Scaled(scaled), None),
            Some(Err(why)) => (Recipe::Plain(index), Some(why)),
        };
        let stored = plain(&it.dtype);
        Values { name: it.name.clone(), shape: it.shape.clone(), unreadable, stored, recipe }
    }

    /// A weight with scales beside it.
    fn scaled(&self, index: usize, it: &Tensor) -> Option<Result<Scaled, String>> {
        let base = it.name.strip_suffix(".weight");
        let beside = |end: &str| self.get(&format!("{}{end}", base?));
        let dtype = it.dtype.to_string();
        let highest = beside(".SCB").filter(|_| dtype == "I8");
        // llama.cpp keeps a scale of the whole matrix beside one type only.
        let whole = beside(".scale").filter(|_| dtype == "NVFP4");
        let ends = [".weight_scale", "._weight_scale", ".weights_scaling_factor"];
        let scale = self.get(&format!("{}_scale_inv", it.name)).or_else(|| ends.iter().find_map(|end| beside(end)));
        let (factor, (place, scale)) = match (highest, scale.or(whole)) {
            (Some(highest), _) => (1.0 / 127.0, highest),
            (None, scale) => (1.0, scale?),
        };
        let zero = [".weight_zero_point", "._weight_zero_point", ".weight_offset"].iter().find_map(|end| beside(end));
        // Bytes without a sign hold two numbers each in some layouts, but not where a graph says what is done with
        // them.
        let is_byte = dtype == "U8" && (zero.is_some() || self.settings.is_graph);
        let is_half = self.settings.is_graph && ["INT4", "UINT4"].contains(&dtype.as_str());
        if !dtype.starts_with("F8_") && dtype != "I8" && dtype != "NVFP4" && !is_byte && !is_half {
            return Some(Err(format!(
                "its elements are {dtype} with scales beside them, which this version does not unpack"
            )));
        }
        Some(self.scaled_by([index, place], (it, scale), zero, factor))
    }

    /// A weight with these scales and zero points.
    pub(super) fn scaled_by(
        &self,
        places: [usize; 2],
        (it, scale): (&Tensor, &Tensor),
        zero: Option<(usize, &Tensor)>,
        factor: f32,
    ) -> Result<Scaled, String> {
        let beside = [Some(scale), zero.map(|it| it.1)];
        match beside.into_iter().flatten().find_map(|it| decode::unreadable(&it.dtype)) {
            Some(why) => Err(why),
            None => Scaled::new((it, scale), places, zero, self.settings.block(), factor),
        }
    }
}

impl Recipe {
    /// The elements of a range that is known to be inside.
    pub(super) fn read(&self, store: &Store, values: &Values, range: Range<u64>) -> Result<Vec<f32>, Error> {
        match self {
            Self::Plain(index) => store.floats(*index, range),
            Self::Viewed(index, view) => store.floats_by(*index, view, range),
            Self::Packed(packed) => by_rows(values, range, &|rows| packed.rows(store, rows)),
            Self::Grouped(grouped) => by_rows(values, range, &|rows| grouped.rows(store, rows)),
            Self::Exl2(exl2) => by_rows(values, range, &|rows| exl2.rows(store, rows)),
            Self::Ternary(ternary) => by_rows(values, range, &|rows| ternary.rows(store, rows)),
            Self::CodeBook(book) => in_bands(range, &|range| book.read(store, range)),
            Self::Hqq(hqq) => hqq.read(store, range),
            Self::Scaled(scaled) => scaled.read(store, range),
            Self::PowerScaled(scaled) => scaled.read(store, range),
        }
    }
}

/// Goes over a range in parts of which little is held beside the result.
fn in_bands(range: Range<u64>, read: &dyn Fn(Range<u64>) -> Result<Vec<f32>, Error>) -> Result<Vec<f32>, Error> {
    let (mut numbers, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let end = range.end.min(at.saturating_add(BAND));
        numbers.append(&mut read(at..end)?);
        at = end;
    }
    Ok(numbers)
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
