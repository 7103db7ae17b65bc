//! The header as it is written: JSON in, one entry a tensor out. Whether the entries fit together is `layout`'s
//! question.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::bytes::limits;
use crate::checkpoint::json::{self, Notes, Tree};
use crate::checkpoint::safetensors::problem::Problem;

/// The key that holds no tensor.
const METADATA: &str = "__metadata__";

/// A header as it is written, its values of the right types and within limits.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// In header order; a name may still occur twice.
    pub(crate) tensors: Vec<WrittenTensor>,
    /// What the writer put beside the tensors; values that are not text as JSON.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Keys of `metadata` whose value is not text; empty text for the whole of it.
    pub(crate) not_text: Vec<String>,
    /// Keys of `metadata` that occur twice.
    pub(crate) repeated: Vec<String>,
    /// Names of fields that the format does not have.
    pub(crate) extra_fields: BTreeSet<String>,
}

/// One tensor as the header describes it.
#[derive(Debug)]
pub(crate) struct WrittenTensor {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<u64>,
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// Reads the text of a header.
pub(crate) fn read(text: &[u8]) -> Result<Written, Problem> {
    let text = std::str::from_utf8(text).map_err(|error| Problem::NotText { at: error.valid_up_to() })?;
    let trimmed = text.trim_ascii_start();
    if !trimmed.starts_with('{') {
        return Err(Problem::NotAnObject { found: trimmed.chars().take(20).collect() });
    }
    let mut reading = Reading::default();
    let mut json = serde_json::Deserializer::from_str(text);
    match json.deserialize_map(&mut reading).and_then(|()| json.end()) {
        Ok(()) => Ok(reading.written),
        Err(error) => Err(reading.stop.unwrap_or(Problem::NotJson { tensor: reading.at, why: error.to_string() })),
    }
}

/// A header that is being read.
#[derive(Default)]
struct Reading {
    written: Written,
    metadata_seen: bool,
    /// The tensor that is being read, for mistakes in the JSON itself.
    at: Option<String>,
    /// The rule that was broken, which `serde_json` cannot carry.
    stop: Option<Problem>,
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object that describes tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            let result = if key == METADATA { self.metadata(&mut entries)? } else { self.tensor(key, &mut entries)? };
            if let Err(problem) = result {
                self.stop = Some(problem);
                return Err(A::Error::custom("stopped at a broken rule"));
            }
        }
        self.at = None;
        Ok(())
    }
}

impl Reading {
    fn metadata<'de, A: MapAccess<'de>>(&mut self, entries: &mut A) -> Result<Result<(), Problem>, A::Error> {
        if std::mem::replace(&mut self.metadata_seen, true) {
            return Ok(Err(Problem::MetadataTwice));
        }
        self.at = Some(METADATA.to_owned());
        let mut notes = Notes::new(limits::METADATA_VALUES);
        let value = match (entries.next_value_seed(Tree::new(&mut notes)), notes.stop) {
            (Ok(value), _) => value,
            (Err(_), Some(why)) => return Ok(Err(Problem::MetadataLimit { why })),
            (Err(error), None) => return Err(error),
        };
        self.written.repeated = notes.repeated;
        match value {
            Value::Object(map) => self.metadata_entries(map),
            Value::Null => {}
            _ => self.written.not_text.push(String::new()),
        }
        Ok(Ok(()))
    }

    fn metadata_entries(&mut self, map: Map<String, Value>) {
        for (key, value) in map {
            let text = match value {
                Value::String(text) => text,
                other => {
                    self.written.not_text.push(key.clone());
                    other.to_string()
                }
            };
            self.written.metadata.insert(key, text);
        }
    }

    fn tensor<'de, A: MapAccess<'de>>(
        &mut self,
        name: String,
        entries: &mut A,
    ) -> Result<Result<(), Problem>, A::Error> {
        if name.is_empty() {
            return Ok(Err(Problem::NoName));
        }
        if name.len() > limits::TENSOR_NAME {
            return Ok(Err(Problem::NameTooLong { tensor: name }));
        }
        if self.written.tensors.len() >= limits::TENSORS {
            return Ok(Err(Problem::TooManyTensors));
        }
        self.at = Some(name.clone());
        let mut notes = Notes::new(limits::VALUES_PER_TENSOR);
        let value = match (entries.next_value_seed(Tree::new(&mut notes)), notes.stop) {
            (Ok(value), _) => value,
            (Err(_), Some(why)) => return Ok(Err(Problem::DescriptionLimit { tensor: name, why })),
            (Err(error), None) => return Err(error),
        };
        if let Some(field) = notes.repeated.into_iter().next() {
            return Ok(Err(Problem::FieldTwice { tensor: name, field }));
        }
        Ok(self.description(name, value))
    }

    fn description(&mut self, name: String, value: Value) -> Result<(), Problem> {
        let Value::Object(fields) = value else {
            return Err(Problem::NoDescription { tensor: name, found: json::kind_of(&value) });
        };
        let description = Description { tensor: &name, fields: &fields };
        let dtype = description.dtype()?;
        let shape = description.shape()?;
        let (begin, end) = description.data_offsets()?;
        let is_extra = |field: &&String| !["dtype", "shape", "data_offsets"].contains(&field.as_str());
        if self.written.extra_fields.len() < limits::RANK {
            self.written.extra_fields.extend(fields.keys().filter(is_extra).cloned());
        }
        self.written.tensors.push(WrittenTensor { name, dtype, shape, begin, end });
        Ok(())
    }
}

/// The fields of one tensor.
struct Description<'a> {
    tensor: &'a str,
    fields: &'a Map<String, Value>,
}

impl Description<'_> {
    fn dtype(&self) -> Result<String, Problem> {
        match self.field("dtype")? {
            Value::String(name) if name.len() <= limits::DTYPE_NAME => Ok(name.clone()),
            other => Err(self.wrong("dtype", json::kind_of(other), "a short text")),
        }
    }

    fn shape(&self) -> Result<Vec<u64>, Problem> {
        let Value::Array(sizes) = self.field("shape")? else {
            return Err(self.wrong("shape", json::kind_of(self.field("shape")?), "a list of whole numbers"));
        };
        if sizes.len() > limits::RANK {
            return Err(Problem::RankTooHigh { tensor: self.tensor.to_owned(), rank: sizes.len() });
        }
        let whole = |size: &Value| {
            size.as_u64().ok_or_else(|| {
                self.wrong("shape", format!("a list that holds {}", json::kind_of(size)), "a list of whole numbers")
            })
        };
        sizes.iter().map(whole).collect()
    }

    fn data_offsets(&self) -> Result<(u64, u64), Problem> {
        let value = self.field("data_offsets")?;
        let pair = match value.as_array().map(Vec::as_slice) {
            Some([begin, end]) => begin.as_u64().zip(end.as_u64()),
            _ => None,
        };
        pair.ok_or_else(|| {
            let text = value.to_string();
            let found = if text.len() <= 60 { text } else { json::kind_of(value) };
            self.wrong("data_offsets", found, "two whole numbers")
        })
    }

    fn field(&self, field: &'static str) -> Result<&Value, Problem> {
        self.fields.get(field).ok_or_else(|| Problem::FieldMissing { tensor: self.tensor.to_owned(), field })
    }

    fn wrong(&self, field: &'static str, found: String, expected: &'static str) -> Problem {
        Problem::FieldWrong { tensor: self.tensor.to_owned(), field, found, expected }
    }
}
