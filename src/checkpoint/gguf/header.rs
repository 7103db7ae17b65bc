//! The header as it is written: the fixed part, the keys, the tensors.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::bytes::{limits, shown};
use crate::checkpoint::gguf::problem::Problem;
use crate::checkpoint::gguf::reader::Reader;
use crate::checkpoint::gguf::value::Value;
use crate::checkpoint::{Dtype, Refusal};

/// What the header says.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) keys: BTreeMap<String, Value>,
    pub(crate) tensors: Vec<WrittenTensor>,
}

/// A tensor's entry.
#[derive(Debug)]
pub(crate) struct WrittenTensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    /// Slowest first, the other way round than it is written.
    pub(crate) shape: Vec<u64>,
    /// From the start of the data.
    pub(crate) begin: u64,
}

/// The shortest key: the length of its name, one letter, its type, one byte.
const SHORTEST_KEY: u64 = 14;
/// The shortest tensor: the length of its name, one letter, its rank, its type, its offset.
const SHORTEST_TENSOR: u64 = 25;

const ALIGNMENT: &str = "general.alignment";
const USUAL_ALIGNMENT: u32 = 32;

/// Reads all of it; `length` is that of the file.
pub(crate) fn read(reader: &mut Reader<'_>, length: u64) -> Result<Written, Refusal> {
    let (tensors, keys) = counts(reader, length)?;
    let mut read = BTreeMap::new();
    for number in 1..=keys {
        let (key, value) = key(reader, number)?;
        if read.insert(key.clone(), value).is_some() {
            return Err(Problem::KeyTwice { key }.into());
        }
    }
    let tensors = (1..=tensors).map(|number| tensor(reader, number)).collect::<Result<_, _>>()?;
    Ok(Written { keys: read, tensors })
}

/// Reads the fixed part alone, and says how many keys follow.
pub(crate) fn count_of_keys(reader: &mut Reader<'_>, length: u64) -> Result<u64, Refusal> {
    counts(reader, length).map(|(_, keys)| keys)
}

/// The number of tensors and of keys, both checked.
fn counts(reader: &mut Reader<'_>, length: u64) -> Result<(u64, u64), Refusal> {
    reader.skip(4)?; // The magic bytes, by which the format was recognised.
    version(reader.u32()?)?;
    let tensors = reader.u64()?;
    let keys = reader.u64()?;
    fits("tensors", tensors, limits::TENSORS as u64, SHORTEST_TENSOR, length)?;
    fits("keys", keys, limits::GGUF_KEYS, SHORTEST_KEY, length)?;
    Ok((tensors, keys))
}

impl Written {
    /// A power of two that every offset of a tensor is a multiple of.
    pub(crate) fn alignment(&self) -> Result<u64, Problem> {
        let stated = match self.keys.get(ALIGNMENT) {
            None => Some(USUAL_ALIGNMENT),
            Some(Value::One(value)) => value.as_u64().and_then(|it| u32::try_from(it).ok()),
            Some(_) => None,
        };
        let alignment = stated.filter(|it| it.is_power_of_two() && *it <= limits::GGUF_ALIGNMENT).map(u64::from);
        alignment.ok_or_else(|| {
            let found = self.keys.get(ALIGNMENT).map(Value::told).unwrap_or_default();
            let expected = format!("a power of two up to {}", limits::GGUF_ALIGNMENT);
            Problem::KeyWrong { key: ALIGNMENT, found: shown(found), expected }
        })
    }

    /// A key that must be a whole number where it is there.
    pub(crate) fn number(&self, key: &'static str) -> Result<Option<u64>, Problem> {
        let Some(value) = self.keys.get(key) else { return Ok(None) };
        let number = if let Value::One(value) = value { Json::as_u64(value) } else { None };
        let wrong =
            || Problem::KeyWrong { key, found: shown(value.told()), expected: "a whole number of at least 0".into() };
        number.ok_or_else(wrong).map(Some)
    }
}

fn version(found: u32) -> Result<(), Problem> {
    match found {
        2 | 3 => Ok(()),
        _ if matches!(found.swap_bytes(), 1..=3) => Err(Problem::BigEndian),
        _ => Err(Problem::Version { found }),
    }
}

/// Refuses a count before anything is done so many times.
fn fits(what: &'static str, found: u64, limit: u64, shortest: u64, length: u64) -> Result<(), Problem> {
    if found > limit {
        return Err(Problem::TooMany { what, found, limit });
    }
    if found.saturating_mul(shortest) > length {
        return Err(Problem::MoreThanFits { what, found, length });
    }
    Ok(())
}

fn key(reader: &mut Reader<'_>, number: u64) -> Result<(String, Value), Refusal> {
    let key = key_name(reader, number)?;
    let value = Value::read(reader)?;
    Ok((key, value))
}

/// The name of the next key; its value is behind it.
pub(crate) fn key_name(reader: &mut Reader<'_>, number: u64) -> Result<String, Refusal> {
    reader.item = format!("key number {number}");
    let key = reader.text(limits::GGUF_KEY)?;
    if key.is_empty() {
        return Err(Problem::NoName { item: reader.item.clone() }.into());
    }
    reader.item = format!("key {}", shown(&key));
    Ok(key)
}

fn tensor(reader: &mut Reader<'_>, number: u64) -> Result<WrittenTensor, Refusal> {
    reader.item = format!("tensor number {number}");
    let name = reader.text(limits::TENSOR_NAME as u64)?;
    if name.is_empty() {
        return Err(Problem::NoName { item: reader.item.clone() }.into());
    }
    reader.item = format!("tensor {}", shown(&name));
    let rank = u64::from(reader.u32()?);
    if rank > limits::RANK as u64 {
        return Err(Problem::RankTooHigh { tensor: name, rank }.into());
    }
    let mut shape = (0..rank).map(|_| reader.u64()).collect::<Result<Vec<_>, _>>()?;
    shape.reverse();
    let dtype = Dtype::of_ggml(reader.u32()?);
    let begin = reader.u64()?;
    Ok(WrittenTensor { name, dtype, shape, begin })
}
