//! The initialisers of a graph as they are stored. Reference: `onnx.proto`, message `TensorProto`.

use std::ops::Range;

use crate::bytes::{Fields, Wire, grouped, limits, shown};
use crate::checkpoint::index::stays_inside;
use crate::checkpoint::onnx::broken;
use crate::checkpoint::onnx::wire::{Value, Walk};
use crate::checkpoint::{Dtype, Refusal};

/// One initialiser.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<u64>,
    pub(super) data: Range<u64>,
    /// The file that holds its data, where that is not the model's own.
    pub(super) external: Option<String>,
}

/// What was read so far.
#[derive(Default)]
struct Draft {
    name: String,
    kind: u64,
    shape: Vec<u64>,
    /// The data, and the number of the field that held it.
    data: Option<(u64, Range<u64>)>,
    is_external: bool,
    location: Option<String>,
    offset: u64,
    length: Option<u64>,
}

/// Element types by their numbers in ONNX, under the names of safetensors where it has them.
const TYPES: &[&str] = &[
    "UNDEFINED",
    "F32",
    "U8",
    "I8",
    "U16",
    "I16",
    "I32",
    "I64",
    "STRING",
    "BOOL",
    "F16",
    "F64",
    "U32",
    "U64",
    "C64",
    "C128",
    "BF16",
    "F8_E4M3",
    "F8_E4M3FNUZ",
    "F8_E5M2",
    "F8_E5M2FNUZ",
    "UINT4",
    "INT4",
    "F4",
];

/// Fields of `TensorProto` that hold data.
const RAW: u64 = 9;
const FLOATS: u64 = 4;
const DOUBLES: u64 = 10;
const INT32S: u64 = 5;
const STRINGS: u64 = 6;
const INT64S: u64 = 7;
const UINT64S: u64 = 11;

impl Stored {
    /// Reads the message at a place of the file.
    pub(super) fn read(walk: &mut Walk<'_>, range: Range<u64>) -> Result<Self, Refusal> {
        let mut draft = Draft::default();
        let mut at = range.start;
        while let Some(field) = walk.field(&mut at, range.end)? {
            draft.take(walk, field.number, field.value)?;
        }
        draft.finish()
    }
}

impl Draft {
    fn take(&mut self, walk: &mut Walk<'_>, number: u64, value: Value) -> Result<(), Refusal> {
        match (number, value) {
            (1, Value::Number(size)) => self.shape.push(size),
            (1, Value::Bytes(range)) => self.sizes(&walk.bytes(range, PACKED_SIZES, "a tensor's shape")?)?,
            (2, Value::Number(kind)) => self.kind = kind,
            (8, Value::Bytes(range)) => self.name = walk.text(range, limits::TENSOR_NAME as u64, "a tensor's name")?,
            (RAW | FLOATS | DOUBLES | INT32S | INT64S | UINT64S | STRINGS, Value::Bytes(range)) => {
                self.data(number, range)?;
            }
            (FLOATS | INT32S | INT64S | DOUBLES | UINT64S, _) => {
                return Err(self.wrong("has its numbers one by one, as no writer of today has"));
            }
            (13, Value::Bytes(range)) => self.outside(&walk.bytes(range, LOCATION, "a place of external data")?)?,
            (14, Value::Number(place)) => self.is_external = place == 1,
            _ => {}
        }
        if self.shape.len() > limits::RANK {
            return Err(self.wrong(&format!("has more than {} dimensions", limits::RANK)));
        }
        Ok(())
    }

    fn data(&mut self, field: u64, range: Range<u64>) -> Result<(), Refusal> {
        match self.data.replace((field, range)) {
            // Texts stand one by one, and are never read.
            Some((STRINGS, _)) if field == STRINGS => Ok(()),
            Some(_) => Err(self.wrong("has its data twice; programs disagree on which counts")),
            None => Ok(()),
        }
    }

    fn sizes(&mut self, packed: &[u8]) -> Result<(), Refusal> {
        let mut cursor = crate::bytes::Cursor::new(packed);
        while !cursor.rest().is_empty() {
            let size = crate::bytes::varint(&mut cursor).ok_or_else(|| self.wrong("has a broken shape"))?;
            self.shape.push(size);
        }
        Ok(())
    }

    /// One key and value of where external data is.
    fn outside(&mut self, entry: &[u8]) -> Result<(), Refusal> {
        let (mut key, mut value) = (String::new(), String::new());
        for field in Fields::of(entry) {
            let field = field.map_err(broken)?;
            let text = |it: Wire<'_>| String::from_utf8(it.bytes().unwrap_or_default().to_vec()).ok();
            let text = text(field.value).ok_or_else(|| self.wrong("has external data at a place that is no text"))?;
            match field.number {
                1 => key = text,
                2 => value = text,
                _ => {}
            }
        }
        let number = || {
            let wrong =
                || self.wrong(&format!("has external data with the {key} {}, expected a number", shown(&value)));
            value.parse::<u64>().map_err(|_| wrong())
        };
        match key.as_str() {
            "location" => self.location = Some(value),
            "offset" => self.offset = number()?,
            "length" => self.length = Some(number()?),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Stored, Refusal> {
        let mut dtype = self.dtype();
        let size = self.size(&dtype)?;
        let (data, external) = if self.is_external {
            let location = self.location.clone().ok_or_else(|| self.wrong("has external data and no place for it"))?;
            if !stays_inside(&location) {
                return Err(self.leads_outside(&location));
            }
            let length = self.length.or(size).ok_or_else(|| self.wrong("has external data of unknown length"))?;
            let end = self.offset.checked_add(length).ok_or_else(|| self.wrong("has external data beyond 64 bits"))?;
            (self.offset..end, Some(location))
        } else {
            let (field, data) = self.data.clone().unwrap_or((RAW, 0..0));
            dtype = self.in_field(field, dtype);
            (data, None)
        };
        let found = data.end.saturating_sub(data.start);
        if let Dtype::Varints(_) = dtype {
            self.varints_fit(found)?;
        } else if let Some(size) = size.filter(|size| *size != found && !dtype.is_unknown()) {
            let (found, expected) = (grouped(found), grouped(size));
            return Err(self.wrong(&format!("has {found} bytes of data, expected {expected}")));
        }
        Ok(Stored { name: self.name, dtype, shape: self.shape, data, external })
    }

    /// The type of elements that stand in a field: some hold bytes, and some whole numbers of as many bytes as they
    /// need.
    fn in_field(&self, field: u64, dtype: Dtype) -> Dtype {
        let is_plain = matches!((field, self.kind), (RAW, _) | (FLOATS, 1) | (DOUBLES, 11));
        let is_varint = match field {
            INT32S => matches!(self.kind, 2..=6 | 9 | 10 | 16..=20),
            INT64S => self.kind == 7,
            UINT64S => matches!(self.kind, 12 | 13),
            _ => false,
        };
        match dtype {
            plain if is_plain => plain,
            Dtype::Known(known) if is_varint => Dtype::Varints(known),
            other => Dtype::Unknown { name: format!("{other} in the field {field}") },
        }
    }

    /// A varint takes one byte to ten.
    fn varints_fit(&self, found: u64) -> Result<(), Refusal> {
        let elements =
            self.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size)).unwrap_or(u64::MAX);
        if elements <= found && found <= elements.saturating_mul(10) {
            return Ok(());
        }
        let (found, elements) = (grouped(found), grouped(elements));
        Err(self.wrong(&format!("has {found} bytes of data, expected one to ten for each of {elements} numbers")))
    }

    fn dtype(&self) -> Dtype {
        let known = usize::try_from(self.kind).ok().and_then(|kind| TYPES.get(kind));
        known.map_or_else(|| Dtype::Unknown { name: format!("ONNX_{}", self.kind) }, |name| Dtype::of_onnx(name))
    }

    /// Bytes of its data, where the type says it.
    fn size(&self, dtype: &Dtype) -> Result<Option<u64>, Refusal> {
        let negative = self.shape.iter().find(|size| i64::try_from(**size).is_err());
        if let Some(size) = negative {
            return Err(self.wrong(&format!("has the size {}", size.cast_signed())));
        }
        let elements = self.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let elements = elements.ok_or_else(|| self.wrong("has more elements than 64 bits count"))?;
        if dtype.is_unknown() {
            return Ok(None);
        }
        // Of an odd number of halves the last byte holds one and nothing.
        let is_half = matches!(dtype.to_string().as_str(), "INT4" | "UINT4" | "F4");
        let stored = if is_half { elements.checked_next_multiple_of(2) } else { Some(elements) };
        stored.and_then(|it| dtype.bytes(it)).map(Some).ok_or_else(|| self.wrong("has more bytes than 64 bits count"))
    }

    fn wrong(&self, what: &str) -> Refusal {
        broken(format!("tensor {} {what}", shown(&self.name)))
    }

    fn leads_outside(&self, location: &str) -> Refusal {
        let (name, location) = (shown(&self.name), shown(location));
        Refusal::Broken {
            message: format!("tensor {name} has its data in {location}, which is not a plain path inside the folder"),
            hint: Some(
                "a model that points outside of its folder can make a loader read other files; do not load it".into(),
            ),
        }
    }
}

/// Bytes of a shape of the highest rank.
const PACKED_SIZES: u64 = 10 * limits::RANK as u64;
/// Bytes of one key and value of where external data is.
const LOCATION: u64 = 8_192;
