//! The zip archive around a pickle: its directory, and where in the file the data of each entry is.
//!
//! Only what `torch.save` writes is accepted: entries that are stored as they are, one beside the other. Nothing is
//! ever unpacked, so there is nothing to inflate. The directory is read here and not by a library, because every
//! library at hand reserves memory by the numbers that a stranger claims before it looks at them.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::bytes::{Cursor, Source, grouped, limits, shown};
use crate::checkpoint::Refusal;
use crate::checkpoint::placement::{self, Piece};
use crate::checkpoint::torch::problem::Problem;

/// Length of the record that ends an archive, without its comment.
const END: u64 = 22;
/// Length of the pointer to the 64-bit end record.
const LOCATOR: u64 = 20;
/// Length of the 64-bit end record.
const END_64: u64 = 56;
/// Length of what precedes the data of an entry, without its name.
const LOCAL: u64 = 30;

/// The entries of an archive.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Where the data of each entry is, by name, in bytes of the file.
    pub(crate) entries: BTreeMap<String, Range<u64>>,
}

/// One entry as the directory describes it.
struct Listed {
    name: String,
    size: u64,
    header: u64,
}

impl Archive {
    /// Reads and checks the directory, and the header in front of each entry.
    pub(crate) fn read(source: &dyn Source) -> Result<Self, Refusal> {
        let (directory, count) = directory(source)?;
        let text = source.read_at(directory.clone())?;
        let listed = listed(&text, count)?;
        let mut entries = BTreeMap::new();
        for it in listed {
            let data = data_of(source, &it, directory.start)?;
            if entries.insert(it.name.clone(), data).is_some() {
                return Err(hostile(&it.name, "is in the archive twice; programs disagree on which one counts").into());
            }
        }
        no_overlap(&entries)?;
        Ok(Self { entries })
    }

    /// Where the data of an entry is.
    pub(crate) fn entry(&self, name: &str) -> Option<Range<u64>> {
        self.entries.get(name).cloned()
    }
}

/// Where the directory is, and how many entries it has; both within limits.
fn directory(source: &dyn Source) -> Result<(Range<u64>, usize), Refusal> {
    let length = source.len();
    let start = length.saturating_sub(END.saturating_add(u64::from(u16::MAX)).saturating_add(LOCATOR));
    let tail = source.read_at(start..length)?;
    let at = end_record(&tail).ok_or_else(|| archive("it has no directory at its end"))?;
    let record = tail.get(at..).unwrap_or_default();
    let at = start.saturating_add(at as u64);
    let (directory, count, end) = match locator(source, at)? {
        Some(end) => {
            let (directory, count) = end_record_64(source, end)?;
            agree(record, &directory, count)?;
            (directory, count, end)
        }
        None => {
            let (directory, count) =
                end_fields(record).ok_or_else(|| archive("its directory spans several files or is cut off"))?;
            (directory, count, at)
        }
    };
    if directory.end != end {
        let (found, end) = (grouped(directory.end), grouped(end));
        return Err(archive(&format!("its directory ends at byte {found}, expected {end}")).into());
    }
    if directory.end.saturating_sub(directory.start) > limits::ARCHIVE_DIRECTORY {
        let limit = grouped(limits::ARCHIVE_DIRECTORY);
        return Err(archive(&format!("its directory is longer than the limit of {limit} bytes")).into());
    }
    let count = usize::try_from(count).ok().filter(|count| *count <= limits::ARCHIVE_ENTRIES).ok_or_else(|| {
        archive(&format!(
            "it claims {} entries, and the limit is {}",
            grouped(count),
            grouped(limits::ARCHIVE_ENTRIES as u64)
        ))
    })?;
    Ok((directory, count))
}

/// The last place where an end record fits whose comment reaches exactly to the end.
fn end_record(tail: &[u8]) -> Option<usize> {
    let fits = |at: usize| {
        let mut cursor = Cursor::new(tail.get(at..)?);
        let is_record = cursor.take(4)? == b"PK\x05\x06";
        cursor.take(16)?;
        let comment = cursor.u16()?;
        (is_record && cursor.rest().len() == usize::from(comment)).then_some(at)
    };
    (0..tail.len()).rev().find_map(fits)
}

/// The directory's place and number of entries, of an archive in one file.
fn end_fields(record: &[u8]) -> Option<(Range<u64>, u64)> {
    let mut cursor = Cursor::new(record);
    cursor.take(4)?;
    let (disk, start_disk, here, count) = (cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let (size, start) = (u64::from(cursor.u32()?), u64::from(cursor.u32()?));
    let whole = disk == 0 && start_disk == 0 && here == count;
    whole.then(|| (start..start.saturating_add(size), u64::from(count)))
}

/// Where the 64-bit end record is, if there is a pointer to one.
fn locator(source: &dyn Source, end: u64) -> Result<Option<u64>, Refusal> {
    let Some(start) = end.checked_sub(LOCATOR) else { return Ok(None) };
    let text = source.read_at(start..end)?;
    let mut cursor = Cursor::new(&text);
    if cursor.take(4) != Some(b"PK\x06\x07") {
        return Ok(None);
    }
    let fields = (cursor.u32(), cursor.u64(), cursor.u32());
    let (Some(0), Some(record), Some(1)) = fields else {
        return Err(archive("it spans several files").into());
    };
    let expected = start.saturating_sub(END_64);
    if record != expected {
        let (record, expected) = (grouped(record), grouped(expected));
        return Err(archive(&format!("its 64-bit end record is at byte {record}, expected {expected}")).into());
    }
    Ok(Some(record))
}

fn end_record_64(source: &dyn Source, at: u64) -> Result<(Range<u64>, u64), Refusal> {
    let text = source.read_at(at..at.saturating_add(END_64))?;
    let fields = || {
        let mut cursor = Cursor::new(&text);
        let is_record = cursor.take(4)? == b"PK\x06\x06" && cursor.u64()? == END_64.saturating_sub(12);
        cursor.take(4)?;
        let disks = (cursor.u32()?, cursor.u32()?);
        let (here, count, size, start) = (cursor.u64()?, cursor.u64()?, cursor.u64()?, cursor.u64()?);
        let whole = is_record && disks == (0, 0) && here == count;
        whole.then(|| start.checked_add(size).map(|end| (start..end, count))).flatten()
    };
    fields().ok_or_else(|| archive("its 64-bit end record is broken").into())
}

/// Where the short end record states numbers of its own, they must be those of the 64-bit one.
fn agree(record: &[u8], directory: &Range<u64>, count: u64) -> Result<(), Problem> {
    let size = directory.end.saturating_sub(directory.start);
    let short = end_fields(record);
    let same = |short: u64, long: u64, unset: u64| short == long || short == unset;
    let agrees = short.is_some_and(|(place, entries)| {
        same(entries, count, u64::from(u16::MAX))
            && same(place.start, directory.start, u64::from(u32::MAX))
            && same(place.end.saturating_sub(place.start), size, u64::from(u32::MAX))
    });
    if agrees { Ok(()) } else { Err(archive("its two end records disagree")) }
}

fn listed(text: &[u8], count: usize) -> Result<Vec<Listed>, Problem> {
    let mut cursor = Cursor::new(text);
    let mut entries = Vec::new();
    for number in 0..count {
        let Some(it) = one_listed(&mut cursor) else {
            return Err(archive(&format!("its directory breaks off at entry {number} of {count}")));
        };
        entries.push(it?);
    }
    if cursor.rest().is_empty() { Ok(entries) } else { Err(archive("its directory holds more than it claims")) }
}

/// The next entry of the directory; `None` where it ends in the middle of one.
fn one_listed(cursor: &mut Cursor<'_>) -> Option<Result<Listed, Problem>> {
    if cursor.take(4)? != b"PK\x01\x02" {
        return None;
    }
    cursor.take(4)?;
    let (flags, method) = (cursor.u16()?, cursor.u16()?);
    cursor.take(8)?;
    let (packed, size) = (cursor.u32()?, cursor.u32()?);
    let (name, extra, comment) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    cursor.take(8)?;
    let header = cursor.u32()?;
    let name = cursor.take(usize::from(name))?;
    let extra = cursor.take(usize::from(extra))?;
    cursor.take(usize::from(comment))?;
    let name = String::from_utf8_lossy(name).into_owned();
    let [size, packed, header] = long_numbers(extra, [size, packed, header])?;
    Some(acceptable(&name, flags, method, size, packed).map(|()| Listed { name, size, header }))
}

/// Numbers that did not fit into 32 bits stand in an extra field, in this order.
fn long_numbers(extra: &[u8], short: [u32; 3]) -> Option<[u64; 3]> {
    let mut fields = Cursor::new(extra);
    let mut long = Cursor::new(&[]);
    while let (Some(id), Some(length)) = (fields.u16(), fields.u16()) {
        let field = fields.take(usize::from(length))?;
        if id == 1 {
            long = Cursor::new(field);
        }
    }
    let mut number = |short: u32| if short == u32::MAX { long.u64() } else { Some(u64::from(short)) };
    let [size, packed, header] = short;
    Some([number(size)?, number(packed)?, number(header)?])
}

fn acceptable(name: &str, flags: u16, method: u16, size: u64, packed: u64) -> Result<(), Problem> {
    let entry = || name.to_owned();
    let is_plain = !name.is_empty()
        && !name.contains(['\\', ':', '\0', '\u{fffd}'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_plain {
        return Err(hostile(name, "is not a plain path inside the archive"));
    }
    if name.len() > limits::TENSOR_NAME {
        return Err(hostile(name, "has a name longer than any that `torch.save` writes"));
    }
    if flags & 1 != 0 {
        return Err(hostile(name, "is encrypted"));
    }
    if method != 0 {
        let why = format!("it is compressed (method {method}), expected it stored as it is");
        return Err(Problem::Entry { entry: entry(), why });
    }
    if size != packed {
        let why = format!("it has {} bytes in the archive and claims {}", grouped(packed), grouped(size));
        return Err(Problem::Entry { entry: entry(), why });
    }
    Ok(())
}

/// Where the data of an entry is, once the header in front of it bears the same name.
fn data_of(source: &dyn Source, it: &Listed, end: u64) -> Result<Range<u64>, Refusal> {
    let name_start = it.header.saturating_add(LOCAL);
    let name_end = name_start.saturating_add(it.name.len() as u64);
    if name_end > end {
        return Err(Problem::Entry { entry: it.name.clone(), why: "it is not inside the file".into() }.into());
    }
    let header = source.read_at(it.header..name_end)?;
    let fields = || {
        let mut cursor = Cursor::new(&header);
        let is_header = cursor.take(4)? == b"PK\x03\x04";
        cursor.take(22)?;
        let (name, extra) = (cursor.u16()?, cursor.u16()?);
        let same = is_header && usize::from(name) == it.name.len() && cursor.rest() == it.name.as_bytes();
        same.then_some(u64::from(extra))
    };
    let Some(extra) = fields() else {
        return Err(hostile(&it.name, "has another name in front of its data than in the directory").into());
    };
    let start = name_end.saturating_add(extra);
    match placement::end(start, it.size, end) {
        Some(data_end) => Ok(start..data_end),
        None => {
            let why = format!("its {} bytes reach beyond the data of the file", grouped(it.size));
            Err(Problem::Entry { entry: it.name.clone(), why }.into())
        }
    }
}

fn no_overlap(entries: &BTreeMap<String, Range<u64>>) -> Result<(), Problem> {
    let pieces = entries.iter().map(|(name, data)| Piece { name, data: data.clone() });
    match placement::first_overlap(pieces) {
        Some((one, next)) => {
            Err(hostile(next.name, &format!("begins inside the data of the entry {}", shown(one.name))))
        }
        None => Ok(()),
    }
}

fn archive(why: &str) -> Problem {
    Problem::Archive { why: why.to_owned() }
}

fn hostile(entry: &str, why: &str) -> Problem {
    Problem::Hostile { entry: entry.to_owned(), why: why.to_owned() }
}
