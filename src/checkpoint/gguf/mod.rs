//! The GGUF format of llama.cpp, versions 2 and 3: keys with values, a table of tensors, then the data, aligned.
//!
//! The header alone is read. Sizes are written fastest first; they are given slowest first, as everywhere else. The
//! vocabulary stands in the header too: it is gone over without being held in memory, and only its length is kept.

use std::collections::BTreeMap;

use crate::bytes::{Source, counted, grouped, limits, shown};
use crate::checkpoint::findings::{few, finding, unprintable_names};
use crate::checkpoint::placement::aligned;
use crate::checkpoint::{Dtype, Format, Likeness, Refusal, Split, Table};
use crate::fact::Finding;

mod config;
mod header;
mod layout;
mod problem;
mod reader;
mod rows;
mod value;
mod vocabulary;

use self::header::Written;
use self::layout::Data;
use self::problem::Problem;
use self::reader::Reader;

pub use self::vocabulary::GgufVocabulary;

pub(crate) const FORMAT: Format = Format { name: "gguf", endings: &["gguf"], recognise, read };

const MAGIC: &[u8] = b"GGUF";

/// Keys that tell which part of a model a file is; they differ between its parts.
const SPLIT: &str = "split.";

fn recognise(head: &[u8], _: u64) -> Likeness {
    if head.starts_with(MAGIC) { Likeness::Certain } else { Likeness::No }
}

fn read(source: &dyn Source) -> Result<Table, Refusal> {
    let mut reader = Reader::new(source);
    let written = header::read(&mut reader, source.len())?;
    let read_bytes = reader.at();
    let alignment = written.alignment()?;
    let start = aligned(read_bytes, alignment);
    let data = Data { start, length: source.len().saturating_sub(start), alignment };
    let split = split(&written)?;
    let mut findings = findings(&written, split);
    let config = config::config(&written.keys);
    let metadata = metadata(&written);
    let (mut tensors, behind) = layout::check(written.tensors, data)?;
    rows::unweave(&written.keys, &mut tensors);
    findings.extend((behind > 0).then(|| trailing(behind)));
    let outside = BTreeMap::new();
    Ok(Table { tensors, metadata, config, split, outside, findings, read_bytes, read_sha256: reader.digest() })
}

/// Which part of a model the file is, where it says so.
fn split(written: &Written) -> Result<Option<Split>, Problem> {
    let number = |key| written.number(key);
    let (Some(index), Some(count)) = (number("split.no")?, number("split.count")?) else { return Ok(None) };
    if count > limits::SHARDS as u64 {
        return Err(Problem::TooMany { what: "parts", found: count, limit: limits::SHARDS as u64 });
    }
    if index >= count.max(1) {
        let expected = format!("less than the {count} of `split.count`");
        return Err(Problem::KeyWrong { key: "split.no", found: index.to_string(), expected });
    }
    Ok((count > 1).then_some(Split { index, count, tensors: number("split.tensors.count")? }))
}

fn metadata(written: &Written) -> BTreeMap<String, String> {
    let stay = written.keys.iter().filter(|(key, _)| !key.starts_with(SPLIT));
    stay.map(|(key, value)| (key.clone(), value.told())).collect()
}

/// What is legal, or can be described all the same, and is worth knowing.
fn findings(written: &Written, split: Option<Split>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The first part of a model may hold nothing but the keys.
    if written.tensors.is_empty() && split.is_none() {
        findings.push(finding("no-tensors", None, "the header describes no tensor".into()));
    }
    findings.extend(unknown_dtypes(written));
    findings.extend(unprintable_names(written.tensors.iter().map(|it| it.name.as_str())));
    findings
}

fn unknown_dtypes(written: &Written) -> Vec<Finding> {
    let mut by_type: BTreeMap<&Dtype, Vec<&str>> = BTreeMap::new();
    for it in written.tensors.iter().filter(|it| it.dtype.is_unknown()) {
        by_type.entry(&it.dtype).or_default().push(&it.name);
    }
    let describe = |(dtype, names): (&Dtype, Vec<&str>)| {
        let detail = format!(
            "the element type {} of {} is none of the format's that this version knows; the first is {}",
            shown(dtype.to_string()),
            counted(names.len(), "tensor"),
            shown(names.iter().min().unwrap_or(&"")),
        );
        finding("unknown-dtype", Some(&dtype.to_string()), detail)
    };
    few("unknown-dtype", by_type.into_iter().map(describe))
}

fn trailing(bytes: u64) -> Finding {
    finding("trailing-bytes", None, format!("{} bytes behind the last tensor belong to none", grouped(bytes)))
}
