//! The format that `torch.save` wrote before version 1.6: five pickles one behind the other, then the storages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::bytes::{Cursor, Source, grouped, limits, shown};
use crate::checkpoint::Refusal;
use crate::checkpoint::placement;
use crate::checkpoint::torch::pickle::{self, Pickled};
use crate::checkpoint::torch::problem::Problem;
use crate::checkpoint::torch::value::{Storage, Value};

/// The first pickle, which is nothing but a number.
pub(crate) const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// The number of the only version there ever was.
const VERSION: i64 = 1_001;

/// How much is read at first.
const FIRST: u64 = 64 << 10;

/// A file in this format.
#[derive(Debug)]
pub(crate) struct Legacy {
    pub(crate) pickled: Pickled,
    /// Where the data of each storage is.
    pub(crate) storages: BTreeMap<String, Range<u64>>,
    /// All pickles together.
    pub(crate) text: Vec<u8>,
}

/// Reads the pickles and finds the storages behind them.
pub(crate) fn read(source: &dyn Source) -> Result<Legacy, Refusal> {
    let pickles = pickles(source)?;
    let storages = storages(source, &pickles)?;
    Ok(Legacy { pickled: pickles.weights, storages, text: pickles.text })
}

struct Pickles {
    weights: Pickled,
    /// Keys of the storages in the order of the file.
    keys: Vec<String>,
    text: Vec<u8>,
}

/// How long the pickles are is only known once they were followed, so more is read until they end.
fn pickles(source: &dyn Source) -> Result<Pickles, Refusal> {
    let mut length = FIRST.min(source.len());
    loop {
        let text = source.read_at(0..length)?;
        match follow(&text) {
            Err(problem) if problem.is_truncated() && length < source.len().min(limits::PICKLE) => {
                length = length.saturating_mul(8).min(source.len()).min(limits::PICKLE);
            }
            result => return Ok(result?),
        }
    }
}

fn follow(text: &[u8]) -> Result<Pickles, Problem> {
    let mut at = MAGIC.len();
    let mut next = || {
        let pickled = pickle::follow(text.get(at..).unwrap_or_default())?;
        at = at.saturating_add(pickled.length);
        Ok(pickled)
    };
    let version = next()?;
    if !matches!(version.values.get(version.root), Value::Int(VERSION)) {
        let found = version.values.described(version.root);
        return Err(Problem::Storages { why: format!("the format has version {found}, expected {VERSION}") });
    }
    byte_order(&next()?)?;
    let weights = next()?;
    let keys = next()?;
    let keys = keys_of(&keys)?;
    Ok(Pickles { weights, keys, text: text.get(..at).unwrap_or_default().to_vec() })
}

fn byte_order(system: &Pickled) -> Result<(), Problem> {
    let Value::Dict(items) = system.values.get(system.root) else { return Ok(()) };
    let is_big = items.iter().any(|(key, value)| {
        let is_key = matches!(system.values.get(*key), Value::Text(key) if &**key == "little_endian");
        is_key && matches!(system.values.get(*value), Value::Bool(false))
    });
    if is_big { Err(Problem::Storages { why: BIG_ENDIAN.into() }) } else { Ok(()) }
}

/// What is said of data whose bytes are in the other order.
pub(crate) const BIG_ENDIAN: &str = "their byte order is big-endian, expected little-endian";

fn keys_of(pickled: &Pickled) -> Result<Vec<String>, Problem> {
    let wrong = |place| Problem::Storages {
        why: format!("found {} behind the weights, expected the list of their keys", pickled.values.described(place)),
    };
    let Value::List(items) = pickled.values.get(pickled.root) else { return Err(wrong(pickled.root)) };
    let key = |place: &usize| match pickled.values.get(*place) {
        Value::Text(key) => Ok(key.to_string()),
        _ => Err(wrong(*place)),
    };
    items.iter().map(key).collect()
}

/// Each storage is its number of elements and then its data.
fn storages(source: &dyn Source, pickles: &Pickles) -> Result<BTreeMap<String, Range<u64>>, Refusal> {
    let mut known: BTreeMap<&str, &Storage> = BTreeMap::new();
    for it in pickles.weights.values.iter() {
        if let Value::Storage(it) = it {
            known.entry(&it.key).or_insert(it);
        }
    }
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut at = pickles.text.len() as u64;
    for key in &pickles.keys {
        let storage = known.get(key.as_str()).filter(|_| seen.insert(key));
        let Some(storage) = storage else {
            return Err(storages_wrong(format!("the key {} is listed twice, or by no tensor", shown(key))));
        };
        let data = one_storage(source, at, storage)?;
        at = data.end;
        found.insert(key.clone(), data);
    }
    if at < source.len() {
        let left = grouped(source.len().saturating_sub(at));
        return Err(storages_wrong(format!("{left} bytes behind the last one belong to none")));
    }
    Ok(found)
}

fn one_storage(source: &dyn Source, at: u64, storage: &Storage) -> Result<Range<u64>, Refusal> {
    let start = at.saturating_add(8);
    let beyond = || {
        let (key, bytes, length) = (shown(&storage.key), grouped(storage.bytes), grouped(source.len()));
        Refusal::from(Problem::Cut {
            why: format!("{key} has {bytes} bytes from byte {}, and the file has {length}", grouped(start)),
        })
    };
    let end = placement::end(start, storage.bytes, source.len()).ok_or_else(beyond)?;
    let count = Cursor::new(&source.read_at(at..start)?).u64().unwrap_or_default();
    if count.checked_mul(storage.element.bytes) != Some(storage.bytes) {
        let expected = storage.bytes.checked_div(storage.element.bytes).unwrap_or_default();
        let (key, count, expected) = (shown(&storage.key), grouped(count), grouped(expected));
        return Err(storages_wrong(format!("{key} has {count} elements in front of its data, expected {expected}")));
    }
    Ok(start..end)
}

fn storages_wrong(why: String) -> Refusal {
    Problem::Storages { why }.into()
}
