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
    "FLOAT4E2M1",
];

/// Fields of `TensorProto` that hold data.
const RAW: u64 = 9;
const FLOATS: u64 = 4;
const DOUBLES: u64 = 10;

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
            (RAW | FLOATS | DOUBLES | 5 | 6 | 7 | 11, Value::Bytes(range)) => self.data(number, range)?,
            (4 | 5 | 7 | 10 | 11, _) => return Err(self.wrong("has its numbers one by one, as no writer of today has")),
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
            // Whole numbers of other fields take as many bytes as they need.
            let fits = match field {
                RAW => true,
                FLOATS => self.kind == 1,
                DOUBLES => self.kind == 11,
                _ => false,
            };
            if !fits {
                dtype = Dtype::Unknown { name: format!("{dtype} in varints") };
            }
            (data, None)
        };
        let found = data.end.saturating_sub(data.start);
        if let Some(size) = size.filter(|size| *size != found && !dtype.is_unknown()) {
            let (found, expected) = (grouped(found), grouped(size));
            return Err(self.wrong(&format!("has {found} bytes of data, expected {expected}")));
        }
        Ok(Stored { name: self.name, dtype, shape: self.shape, data, external })
    }

    fn dtype(&self) -> Dtype {
        let known = usize::try_from(self.kind).ok().and_then(|kind| TYPES.get(kind));
        known.map_or_else(|| Dtype::Unknown { name: format!("ONNX_{}", self.kind) }, |name| Dtype::named(name))
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
        dtype.bytes(elements).map(Some).ok_or_else(|| self.wrong("has more bytes than 64 bits count"))
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
