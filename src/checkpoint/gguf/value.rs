//! The values of a header's keys: numbers, texts, short lists, and the length of long ones.

use serde_json::Value as Json;

use crate::bytes::limits;
use crate::checkpoint::Refusal;
use crate::checkpoint::gguf::problem::Problem;
use crate::checkpoint::gguf::reader::Reader;

/// The value of one key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number, a text, or yes or no.
    One(Json),
    /// An array of numbers that is short enough to be kept.
    List(Vec<Json>),
    /// Any other array: only its length.
    Counted(u64),
}

impl Value {
    /// Reads a type and the value behind it.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u32()? {
            ARRAY => array(reader, 1),
            TEXT => Ok(Self::One(Json::String(reader.text(limits::GGUF_TEXT)?))),
            kind => Ok(Self::One(number(reader, kind)?)),
        }
    }

    /// As the configuration has it.
    pub(crate) fn json(&self) -> Option<Json> {
        match self {
            Self::One(value) => Some(value.clone()),
            Self::List(values) => Some(Json::Array(values.clone())),
            Self::Counted(_) => None,
        }
    }

    /// As text, for the metadata.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::One(Json::String(text)) => text.clone(),
            Self::One(value) => value.to_string(),
            Self::List(values) => Json::Array(values.clone()).to_string(),
            Self::Counted(length) => format!("[{length} values]"),
        }
    }

    /// How many elements an array has.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::One(_) => None,
            Self::List(values) => u64::try_from(values.len()).ok(),
            Self::Counted(length) => Some(*length),
        }
    }
}

const BOOL: u32 = 7;
const TEXT: u32 = 8;
pub(crate) const ARRAY: u32 = 9;

/// Bytes of one value of each type of fixed size, by the type's number.
const SIZES: &[(u32, u64)] =
    &[(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (BOOL, 1), (10, 8), (11, 8), (12, 8)];

fn array(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Refusal> {
    let item = reader.item.clone();
    if depth > limits::GGUF_DEPTH {
        return Err(Problem::TooDeep { item }.into());
    }
    let kind = reader.u32()?;
    let length = reader.u64()?;
    if length > limits::GGUF_ARRAY {
        return Err(Problem::ArrayTooLong { item, length }.into());
    }
    match SIZES.iter().find(|(known, _)| *known == kind) {
        Some(_) if length <= limits::GGUF_KEPT => {
            return (0..length).map(|_| number(reader, kind)).collect::<Result<_, _>>().map(Value::List);
        }
        Some((_, size)) => reader.skip(length.saturating_mul(*size))?,
        None if kind == TEXT => (0..length).try_for_each(|_| reader.skip_text())?,
        None if kind == ARRAY => {
            (0..length).try_for_each(|_| array(reader, depth.saturating_add(1)).map(drop))?;
        }
        None => return Err(Problem::ValueType { item, found: kind }.into()),
    }
    Ok(Value::Counted(length))
}

/// The texts of an array, whose type has been read; `limit` is the most that are taken.
pub(crate) fn list_of_texts(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<Vec<u8>>, Refusal> {
    let (kind, length) = (reader.u32()?, within(reader, limit)?);
    if kind != TEXT {
        return Err(Problem::ElementType { item: reader.item.clone(), found: kind, expected: "8" }.into());
    }
    reader.must_hold(length.saturating_mul(8))?; // Each text has at least its length.
    (0..length).map(|_| reader.raw_text(limits::TOKEN_BYTES)).collect()
}

/// The numbers of an array, whose type has been read; `limit` is the most that are taken.
pub(crate) fn list_of_numbers(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<Json>, Refusal> {
    let (kind, length) = (reader.u32()?, within(reader, limit)?);
    let Some((_, size)) = SIZES.iter().find(|(known, _)| *known == kind) else {
        let expected = "that of a number";
        return Err(Problem::ElementType { item: reader.item.clone(), found: kind, expected }.into());
    };
    reader.must_hold(length.saturating_mul(*size))?;
    (0..length).map(|_| number(reader, kind)).collect()
}

fn within(reader: &mut Reader<'_>, limit: usize) -> Result<u64, Refusal> {
    let (length, limit) = (reader.u64()?, limit as u64);
    if length > limit {
        return Err(Problem::ListTooLong { item: reader.item.clone(), length, limit }.into());
    }
    Ok(length)
}

/// A value of fixed size.
fn number(reader: &mut Reader<'_>, kind: u32) -> Result<Json, Refusal> {
    Ok(match kind {
        0 => reader.u8()?.into(),
        1 => i8::from_le_bytes(reader.array()?).into(),
        2 => u16::from_le_bytes(reader.array()?).into(),
        3 => i16::from_le_bytes(reader.array()?).into(),
        4 => reader.u32()?.into(),
        5 => i32::from_le_bytes(reader.array()?).into(),
        6 => float(f32::from_le_bytes(reader.array()?)),
        BOOL => match reader.u8()? {
            found @ (0 | 1) => (found == 1).into(),
            found => return Err(Problem::NotABool { item: reader.item.clone(), found }.into()),
        },
        10 => reader.u64()?.into(),
        11 => i64::from_le_bytes(reader.array()?).into(),
        12 => f64::from_le_bytes(reader.array()?).into(),
        found => return Err(Problem::ValueType { item: reader.item.clone(), found }.into()),
    })
}

/// The number that a person would have written: 1e-5 and not 0.000009999999747378752.
fn float(value: f32) -> Json {
    value.to_string().parse::<f64>().map_or(Json::Null, Json::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Memory;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let source = Memory::new(bytes.to_vec());
        let told = match Value::read(&mut Reader::new(&source)) {
            Ok(value) => value.told(),
            Err(Refusal::Broken { message, .. }) => message,
            Err(Refusal::Bytes(error)) => error.to_string(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn each_type_is_read() {
        check(&[0, 0, 0, 0, 255], "255");
        check(&[1, 0, 0, 0, 255], "-1");
        check(&[2, 0, 0, 0, 1, 1], "257");
        check(&[3, 0, 0, 0, 254, 255], "-2");
        check(&[4, 0, 0, 0, 1, 0, 0, 128], "2147483649");
        check(&[5, 0, 0, 0, 255, 255, 255, 255], "-1");
        check(&[&[6, 0, 0, 0][..], &1e-5_f32.to_le_bytes()].concat(), "0.00001");
        check(&[7, 0, 0, 0, 1], "true");
        check(&[8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'], "ab");
        check(&[9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8], "[7,8]");
        check(&[&[10, 0, 0, 0][..], &u64::MAX.to_le_bytes()].concat(), "18446744073709551615");
        check(&[&[11, 0, 0, 0][..], &(-3_i64).to_le_bytes()].concat(), "-3");
        check(&[&[12, 0, 0, 0][..], &0.1_f64.to_le_bytes()].concat(), "0.1");
    }

    #[test]
    fn of_an_array_of_texts_only_the_length_is_kept() {
        let texts = [&[1, 0, 0, 0, 0, 0, 0, 0, b'a'][..]; 3].concat();
        check(&[&[9, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0][..], &texts].concat(), "[3 values]");
    }

    #[test]
    fn numbers_that_are_none_are_null() {
        check(&[&[6, 0, 0, 0][..], &f32::NAN.to_le_bytes()].concat(), "null");
        check(&[&[12, 0, 0, 0][..], &f64::INFINITY.to_le_bytes()].concat(), "null");
    }
}
