//! `NumPy`'s archive of arrays: a zip archive of `.npy` entries. Reference: `numpy.lib.format`.
//!
//! The header of an array is a piece of Python. It is read as the one form that `NumPy` writes, and nothing of it is
//! run; arrays of objects, which `NumPy` would unpickle, are named and not read.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::bytes::{Cursor, Hasher, Source, grouped, limits, shown};
use crate::checkpoint::findings::{finding, unprintable_names};
use crate::checkpoint::torch::Archive;
use crate::checkpoint::{Dtype, Format, Likeness, Refusal, Table, Tensor, View};

mod header;

use self::header::Header;

pub(crate) const FORMAT: Format = Format { name: "npz", endings: &["npz"], recognise, read };

/// The first bytes of an array.
const MAGIC: &[u8] = b"\x93NUMPY";
/// How the entry of an array ends.
const ENDING: &str = ".npy";
/// Bytes before the text of the header, in its second version.
const FRONT: u64 = 12;

fn recognise(head: &[u8], _length: u64) -> Likeness {
    let name = || {
        let mut cursor = Cursor::new(head);
        let is_zip = cursor.take(4)? == b"PK\x03\x04";
        cursor.take(22)?;
        let length = usize::from(cursor.u16()?);
        cursor.take(2)?;
        // A long name is cut off, and tells nothing.
        is_zip.then(|| cursor.take(length)).flatten()
    };
    let is_array = name().is_some_and(|it| it.ends_with(ENDING.as_bytes()));
    if is_array { Likeness::Certain } else { Likeness::No }
}

fn read(source: &dyn Source) -> Result<Table, Refusal> {
    let archive = Archive::read(source).map_err(as_ours)?;
    let (mut tensors, mut unused) = (Vec::new(), Vec::new());
    let (mut read_bytes, mut hasher) = (0_u64, Hasher::default());
    for (name, place) in &archive.entries {
        let Some(tensor) = name.strip_suffix(ENDING).filter(|it| !it.is_empty()) else {
            unused.push(name.as_str());
            continue;
        };
        let (header, start) = front(source, name, place)?;
        hasher.update(&header);
        read_bytes = read_bytes.saturating_add(header.len() as u64);
        let text = header.get(start..).unwrap_or_default();
        let read = Header::read(text).ok_or_else(|| wrong(name, "its header is none that NumPy writes"))?;
        let data = place.start.saturating_add(header.len() as u64)..place.end;
        tensors.push(array(name, tensor, read, data)?);
    }
    let mut findings = Vec::new();
    if let Some(first) = unused.first() {
        let detail =
            format!("no array is in {} of the archive's entries: {}", grouped(unused.len() as u64), shown(first));
        findings.push(finding("unused-entries", Some(first), detail));
    }
    if tensors.is_empty() {
        findings.push(finding("no-tensors", None, "the archive has no array".into()));
    }
    findings.extend(unprintable_names(tensors.iter().map(|it| it.name.as_str())));
    Ok(Table {
        tensors,
        metadata: BTreeMap::new(),
        config: None,
        split: None,
        outside: BTreeMap::new(),
        findings,
        read_bytes,
        read_sha256: hasher.finish(),
    })
}

/// All bytes in front of an array's data, and where in them the text of the header begins.
fn front(source: &dyn Source, name: &str, place: &Range<u64>) -> Result<(Vec<u8>, usize), Refusal> {
    let head = source.read_at(place.start..place.end.min(place.start.saturating_add(FRONT)))?;
    let lengths = || {
        let mut cursor = Cursor::new(&head);
        let is_array = cursor.take(MAGIC.len())? == MAGIC;
        let version = cursor.u8()?;
        cursor.u8()?;
        let length = match version {
            1 => u64::from(cursor.u16()?),
            2 | 3 => u64::from(cursor.u32()?),
            _ => return None,
        };
        is_array.then(|| Some((length, head.len().checked_sub(cursor.rest().len())?))).flatten()
    };
    let (length, start) = lengths().ok_or_else(|| wrong(name, "it does not begin as an array of NumPy"))?;
    if length > limits::NUMPY_HEADER {
        let (length, limit) = (grouped(length), grouped(limits::NUMPY_HEADER));
        return Err(wrong(name, &format!("its header has {length} bytes, and the limit is {limit}")));
    }
    let end = place.start.saturating_add(start as u64).saturating_add(length);
    if end > place.end {
        return Err(wrong(name, "its header reaches beyond its end"));
    }
    Ok((source.read_at(place.start..end)?.into_owned(), start))
}

fn array(entry: &str, name: &str, header: Header, data: Range<u64>) -> Result<Tensor, Refusal> {
    if header.shape.len() > limits::RANK {
        return Err(wrong(entry, &format!("it has more than {} dimensions", limits::RANK)));
    }
    let dtype = header.dtype();
    let elements = header.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
    let bytes = elements.and_then(|it| if dtype.is_unknown() { Some(None) } else { dtype.bytes(it).map(Some) });
    let expected = bytes.ok_or_else(|| wrong(entry, "it has more bytes than 64 bits count"))?;
    let found = data.end.saturating_sub(data.start);
    if let Some(expected) = expected.filter(|it| *it != found) {
        let (found, expected) = (grouped(found), grouped(expected));
        return Err(wrong(entry, &format!("it has {found} bytes of data, expected {expected}")));
    }
    let view = (header.is_fortran && header.shape.len() > 1).then(|| fortran(&header.shape));
    Ok(Tensor { name: name.to_owned(), dtype, shape: header.shape, file: 0, data, view })
}

/// The first dimension is the fastest. The product of all sizes is known to fit.
fn fortran(shape: &[u64]) -> View {
    let strides = shape.iter().scan(1_u64, |stride, size| {
        let here = *stride;
        *stride = stride.saturating_mul(*size);
        Some(here)
    });
    View::strided(shape, &strides.collect::<Vec<_>>())
}

impl Header {
    /// The element type under the name of safetensors; big-endian and private ones under their own.
    fn dtype(&self) -> Dtype {
        let name = match self.descr.as_str() {
            "<f8" => "F64",
            "<f4" => "F32",
            "<f2" => "F16",
            "|b1" => "BOOL",
            "|u1" => "U8",
            "|i1" => "I8",
            "<u2" => "U16",
            "<i2" => "I16",
            "<u4" => "U32",
            "<i4" => "I32",
            "<u8" => "U64",
            "<i8" => "I64",
            "<c8" => "C64",
            other => return Dtype::Unknown { name: format!("numpy {other}") },
        };
        Dtype::named(name)
    }
}

fn wrong(entry: &str, why: &str) -> Refusal {
    Refusal::Broken { message: format!("its entry {}: {why}", shown(entry)), hint: Some(HINT.into()) }
}

/// A refusal of the archive, which here was not written by PyTorch.
fn as_ours(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Broken { message, .. } => Refusal::Broken { message, hint: Some(HINT.into()) },
        other @ Refusal::Bytes(_) => other,
    }
}

const HINT: &str =
    "`numpy.savez` writes no such file, and `savez_compressed` packs its entries; save it again with `numpy.savez`";
