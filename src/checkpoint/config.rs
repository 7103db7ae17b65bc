//! The configuration beside a model: `config.json`, or what other programs write instead of it, read as Python reads
//! it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bytes::{Place, counted, limits, shown};
use crate::checkpoint::assembly::Assembly;
use crate::checkpoint::findings::finding_in;
use crate::checkpoint::{json, kind};

const CONFIG: &str = "config.json";

/// What stands for `config.json` where that is not there: Meta and Mistral describe their own checkpoints in it.
const INSTEAD: &[&str] = &["params.json"];

/// Where AutoGPTQ kept what it says about packing before configurations had a place for it.
const PACKING: (&str, &str) = ("quantize_config.json", "quantization_config");

/// The configuration of a folder.
pub(crate) fn read(place: &dyn Place, names: &BTreeSet<String>, assembly: &mut Assembly) -> Option<Value> {
    let has_own = names.contains(CONFIG);
    let instead = || INSTEAD.iter().copied().filter(|_| !has_own);
    let mut config = std::iter::once(CONFIG).chain(instead()).find_map(|name| one(place, name, names, assembly));
    let (file, field) = PACKING;
    let is_stated = config.as_ref().is_some_and(|it| it.get(field).is_some());
    if !is_stated && let Some(packing) = one(place, file, names, assembly) {
        let fields = config.get_or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(fields) = fields.as_object_mut() {
            fields.insert(field.to_owned(), packing);
        }
    }
    config
}

/// Reads one file of JSON. The weights can be described without it, so whatever is wrong with it is a finding.
pub(crate) fn one(place: &dyn Place, name: &str, names: &BTreeSet<String>, assembly: &mut Assembly) -> Option<Value> {
    if !names.contains(name) {
        return None;
    }
    match object(place, name, assembly) {
        Ok(value) => Some(value),
        Err(why) => {
            assembly.findings.push(finding_in(name, "config-unreadable", None, why));
            None
        }
    }
}

fn object(place: &dyn Place, name: &str, assembly: &mut Assembly) -> Result<Value, String> {
    let stored = place.read_whole(name, limits::CONFIG).map_err(|error| error.to_string())?;
    assembly.text(name, &stored);
    let unusual = json::from_utf16(&stored);
    if unusual.is_some() {
        let detail = "it is text in UTF-16, which programs that expect UTF-8 do not read".to_owned();
        assembly.findings.push(finding_in(name, "config-as-python", None, detail));
    }
    let text = unusual.unwrap_or(stored);
    let document = match json::read(&text, limits::CONFIG_VALUES) {
        Ok(document) => document,
        Err(why) => as_python(name, &text, assembly).ok_or_else(|| what_it_is_instead(&text).unwrap_or(why))?,
    };
    if !document.value.is_object() {
        return Err(format!("it is {}, expected an object", json::kind_of(&document.value)));
    }
    assembly.findings.extend(document.repeated.iter().map(|key| {
        let detail = format!("the key {} stands in it twice; the last value was taken", shown(key));
        finding_in(name, "config-repeated-key", Some(key), detail)
    }));
    Ok(document.value)
}

/// The text read again with what Python writes for numbers that are none left out, and a finding that says so.
fn as_python(name: &str, text: &[u8], assembly: &mut Assembly) -> Option<json::Document> {
    let (text, count) = json::without_infinities(text)?;
    let document = json::read(&text, limits::CONFIG_VALUES).ok()?;
    let values = counted(count, "value");
    let detail = format!("{values} written as `NaN` or `Infinity`, as Python writes them, which JSON does not have");
    assembly.findings.push(finding_in(name, "config-as-python", None, detail));
    Some(document)
}

/// A better reason than a mistake in JSON, where the text was never meant as JSON.
fn what_it_is_instead(text: &[u8]) -> Option<String> {
    let kind = kind::recognise(text.get(..text.len().min(128))?)?;
    let says_something = !["plain text", "JSON text"].contains(&kind.what);
    says_something.then(|| format!("it is {}", kind.what))
}
