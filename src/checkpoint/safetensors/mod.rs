//! The safetensors format: eight bytes of header length, a JSON header, then the data without gaps.
//!
//! One reader of our own answers for everything: the `safetensors` crate refuses a whole header for one element type
//! it does not know, keeps one of two tensors of the same name in silence, and names no numbers in its errors. What
//! the crate knows about element types is used; that both agree on every file both accept is tested.

use std::collections::BTreeMap;

use crate::bytes::{Cursor, Source, counted, limits, sha256, shown};
use crate::checkpoint::findings::{few, finding, unprintable_names};
use crate::checkpoint::{Dtype, Format, Likeness, Refusal, Table};
use crate::fact::Finding;

mod header;
mod layout;
mod problem;

use self::header::{Written, WrittenTensor};
use self::problem::Problem;

pub(crate) const FORMAT: Format = Format { name: "safetensors", endings: &["safetensors"], recognise, read };

/// Bytes of the number that begins the file.
const PREFIX: u64 = size_of::<u64>() as u64;

fn recognise(head: &[u8], length: u64) -> Likeness {
    let mut cursor = Cursor::new(head);
    let Some(claimed) = cursor.u64() else { return Likeness::No };
    let opens_an_object = cursor.rest().trim_ascii_start().first() == Some(&b'{');
    let fits = claimed <= limits::HEADER && claimed <= length.saturating_sub(PREFIX);
    match (opens_an_object, fits) {
        (true, true) => Likeness::Certain,
        (true, false) => Likeness::Possible,
        (false, _) if claimed <= limits::HEADER => Likeness::Possible,
        (false, _) => Likeness::No,
    }
}

fn read(source: &dyn Source) -> Result<Table, Refusal> {
    let header = header_length(source)?;
    let end = PREFIX.saturating_add(header);
    let start = source.read_at(0..end)?;
    let (_, text) = start.split_first_chunk::<{ size_of::<u64>() }>().expect("`end` is at least 8");
    let written = header::read(text)?;
    let findings = findings(text, &written);
    let tensors = layout::check(written.tensors, end, source.len().saturating_sub(end))?;
    Ok(Table {
        tensors,
        metadata: written.metadata,
        config: None,
        split: None,
        outside: BTreeMap::new(),
        findings,
        read_bytes: end,
        read_sha256: sha256(&start),
    })
}

/// The header's length, once it is known to be possible. Nothing is allocated before that.
fn header_length(source: &dyn Source) -> Result<u64, Refusal> {
    let prefix = source.read_at(0..PREFIX)?;
    let claimed = Cursor::new(&prefix).u64().unwrap_or_default();
    let left = source.len().saturating_sub(PREFIX);
    match claimed {
        0 => Err(Problem::EmptyHeader.into()),
        _ if claimed > limits::HEADER => Err(Problem::HeaderTooLong { claimed }.into()),
        _ if claimed > left => Err(Problem::HeaderBeyondFile { claimed, left }.into()),
        _ => Ok(claimed),
    }
}

/// What is legal, or can be described all the same, and is worth knowing. One finding stands for all tensors it is
/// about.
fn findings(text: &[u8], written: &Written) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(padding(text));
    if written.tensors.is_empty() {
        findings.push(finding("no-tensors", None, "the header describes no tensor".into()));
    }
    findings.extend(unknown_dtypes(&written.tensors));
    findings.extend(unprintable_names(written.tensors.iter().map(|it| it.name.as_str())));
    findings.extend(few("header-extra-field", written.extra_fields.iter().map(|field| extra_field(field))));
    findings.extend(few("metadata-not-text", written.not_text.iter().map(|key| not_text(key))));
    findings.extend(few("metadata-repeated-key", written.repeated.iter().map(|key| repeated(key))));
    findings
}

fn extra_field(field: &str) -> Finding {
    let detail = format!("tensors are described with the field {}, which the format does not have", shown(field));
    finding("header-extra-field", Some(field), detail)
}

fn not_text(key: &str) -> Finding {
    let (item, detail) = match key {
        "" => ("__metadata__", "`__metadata__` is not an object".to_owned()),
        key => (key, format!("`__metadata__` has a value for {} that is not text", shown(key))),
    };
    finding("metadata-not-text", Some(item), detail)
}

fn repeated(key: &str) -> Finding {
    let detail = format!("`__metadata__` has the key {} twice; the last value is kept", shown(key));
    finding("metadata-repeated-key", Some(key), detail)
}

/// The format has the header begin with `{` and allows spaces behind it.
fn padding(text: &[u8]) -> Option<Finding> {
    let before = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let behind = text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).filter(|byte| **byte != b' ').count();
    let detail = match (before, behind) {
        (0, 0) => return None,
        (0, _) => format!("white space other than spaces stands behind the header ({})", counted(behind, "byte")),
        (_, _) => format!("white space stands before the header ({})", counted(before, "byte")),
    };
    Some(finding("header-padding", None, detail))
}

fn unknown_dtypes(tensors: &[WrittenTensor]) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&WrittenTensor>> = BTreeMap::new();
    for it in tensors.iter().filter(|it| Dtype::named(&it.dtype).is_unknown()) {
        by_name.entry(&it.dtype).or_default().push(it);
    }
    let describe = |(name, tensors): (&str, Vec<&WrittenTensor>)| {
        let first = tensors.iter().map(|it| it.name.as_str()).min().unwrap_or_default();
        let detail = format!(
            "the element type {} of {} is none of the format's; {}; the first is {}",
            shown(name),
            counted(tensors.len(), "tensor"),
            sizes(&tensors),
            shown(first),
        );
        finding("unknown-dtype", Some(name), detail)
    };
    few("unknown-dtype", by_name.into_iter().map(describe))
}

/// How large one element of an unknown type is, as far as the data tells.
fn sizes(tensors: &[&WrittenTensor]) -> String {
    let bits_of = |it: &&WrittenTensor| {
        let bits = it.end.checked_sub(it.begin)?.checked_mul(8)?;
        let elements = it.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))?;
        (bits > 0 && bits.checked_rem(elements)? == 0).then(|| bits.checked_div(elements)).flatten()
    };
    let sizes: Vec<Option<u64>> = tensors.iter().map(bits_of).collect();
    match sizes.first() {
        Some(Some(bits)) if sizes.iter().all(|it| *it == Some(*bits)) => {
            format!("by the length of the data one element takes {bits} bits")
        }
        _ => "the length of the data gives no single whole number of bits for one element".into(),
    }
}
