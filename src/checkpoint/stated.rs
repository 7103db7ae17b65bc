//! Shapes that no header has: of a packed weight only words are described, and what its matrix was stands in the data
//! beside it. Weights that are alike in all but the numbers in their names are read once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::bytes::{self, Place, Source, in_order, limits};
use crate::checkpoint::ranks::masked;
use crate::checkpoint::{Checkpoint, Error, Tensor, json};

/// A tensor that states a shape.
struct State {
    /// How its name ends; what stands before is the module.
    end: &'static str,
    /// How the name of the packed weight ends.
    words: &'static str,
    read: fn(&[u8], &str) -> Option<Vec<u64>>,
}

const STATES: &[State] = &[
    State { end: ".weight.quant_state.bitsandbytes__nf4", words: ".weight", read: by_json },
    State { end: ".weight.quant_state.bitsandbytes__fp4", words: ".weight", read: by_json },
    State { end: ".weight_shape", words: ".weight_packed", read: by_numbers },
    State { end: ".shape", words: ".W_q", read: by_numbers },
];

/// Reads parts of the files of a checkpoint, by their numbers.
pub(crate) struct Reader<'a> {
    pub(crate) at_once: usize,
    pub(crate) read: &'a (dyn Fn(usize, Range<u64>) -> Result<Vec<u8>, bytes::Error> + Sync),
}

/// The checkpoint with the shapes that its files state, read from its place.
pub(crate) fn from_place(checkpoint: Checkpoint, place: &dyn Place) -> Result<Checkpoint, Error> {
    let names: Vec<String> = checkpoint.files.iter().map(|it| it.name.clone()).collect();
    let open: Mutex<BTreeMap<usize, Arc<dyn Source>>> = Mutex::default();
    let source = |file: usize| {
        if let Some(source) = open.lock().unwrap_or_else(PoisonError::into_inner).get(&file) {
            return Ok(Arc::clone(source));
        }
        let name = names.get(file).cloned().unwrap_or_default();
        let source = place.open(&name)?;
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(file, Arc::clone(&source));
        Ok::<_, bytes::Error>(source)
    };
    let read = |file: usize, range: Range<u64>| Ok(source(file)?.read_at(range)?.into_owned());
    Ok(with_shapes(checkpoint, &Reader { at_once: place.at_once(), read: &read })?)
}

/// The checkpoint with the shapes that its files state.
pub(crate) fn with_shapes(mut checkpoint: Checkpoint, reader: &Reader<'_>) -> Result<Checkpoint, bytes::Error> {
    let wanted = wanted(&checkpoint);
    let firsts: Vec<&Tensor> = wanted.values().filter_map(|(of, _)| checkpoint.tensors.get(*of)).collect();
    let texts = in_order(&firsts, reader.at_once, |it| (reader.read)(it.file, it.data.clone()))?;
    let read = texts.iter().fold(0_u64, |sum, it| sum.saturating_add(it.len() as u64));
    let mut shapes = BTreeMap::new();
    for ((first, text), (_, names)) in firsts.iter().zip(&texts).zip(wanted.values()) {
        let state = STATES.iter().find(|it| first.name.ends_with(it.end));
        let shape = state.and_then(|it| (it.read)(text, &first.dtype.to_string())).filter(|it| is_sound(it));
        shapes.extend(shape.iter().flat_map(|shape| names.iter().map(|name| (name.clone(), shape.clone()))));
    }
    checkpoint.stated_shapes = shapes;
    checkpoint.bytes_read = checkpoint.bytes_read.saturating_add(read);
    Ok(checkpoint)
}

/// One tensor to be read for each kind of them, with the names of all weights of the kind.
type Wanted = BTreeMap<(String, Vec<u64>), (usize, Vec<String>)>;

fn wanted(checkpoint: &Checkpoint) -> Wanted {
    let by_name: BTreeMap<&str, &Tensor> = checkpoint.tensors.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut wanted = Wanted::new();
    for (at, it) in checkpoint.tensors.iter().enumerate() {
        let is_short = it.bytes() <= limits::STATED_SHAPE && it.view.is_none() && it.file < checkpoint.files.len();
        let found = STATES.iter().find_map(|state| Some((it.name.strip_suffix(state.end)?, state.words)));
        let Some((module, end)) = found.filter(|_| is_short) else { continue };
        let Some(words) = by_name.get(format!("{module}{end}").as_str()) else { continue };
        let key = (masked(&it.name), words.shape.clone());
        if wanted.len() < limits::STATED_SHAPES || wanted.contains_key(&key) {
            wanted.entry(key).or_insert_with(|| (at, Vec::new())).1.push(format!("{module}.weight"));
        }
    }
    wanted
}

/// A shape of few dimensions, with as many elements as can be counted.
fn is_sound(shape: &[u64]) -> bool {
    let elements = shape.iter().try_fold(1_u64, |product, it| product.checked_mul(*it));
    (1..=4).contains(&shape.len()) && elements.is_some_and(|it| it > 0)
}

/// JSON values of the state that bitsandbytes keeps beside a weight: about a dozen.
const STATE_VALUES: usize = 256;

/// The state of bitsandbytes.
fn by_json(text: &[u8], _: &str) -> Option<Vec<u64>> {
    state(text)?.get("shape")?.as_array()?.iter().map(Value::as_u64).collect()
}

/// The state that bitsandbytes keeps beside a weight.
pub(crate) fn state(text: &[u8]) -> Option<Value> {
    json::read(text, STATE_VALUES).ok().map(|it| it.value)
}

fn by_numbers(text: &[u8], dtype: &str) -> Option<Vec<u64>> {
    let number = |it: i64| u64::try_from(it).ok();
    match dtype {
        "I64" => text.as_chunks().0.iter().map(|it| number(i64::from_le_bytes(*it))).collect(),
        "I32" => text.as_chunks().0.iter().map(|it| number(i64::from(i32::from_le_bytes(*it)))).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_as_their_programs_write_them() {
        assert_eq!(by_json(br#"{"quant_type":"nf4","shape":[16,32]}"#, "U8"), Some(vec![16, 32]));
        assert_eq!(by_json(br#"{"shape":[-1,32]}"#, "U8"), None);
        assert_eq!(by_numbers(&[16, 0, 0, 0, 32, 0, 0, 0], "I32"), Some(vec![16, 32]));
        assert_eq!(by_numbers(&[255; 8], "I64"), None);
        assert!(!is_sound(&[]) && !is_sound(&[0, 4]) && !is_sound(&[u64::MAX, 2]) && is_sound(&[4, 4]));
    }
}
