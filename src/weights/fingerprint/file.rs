//! A fingerprint as a file: safetensors, with everything that is no number as JSON under one key of its metadata.
//!
//! Matrices are kept as `I8`, each row with a scale of its own in `NAME.scale`; vectors as `F32`. The same model gives
//! the same bytes. Nothing in a file is believed: the digest is over all numbers, and every size is checked against
//! what the JSON says before anything is made of it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::bytes::{Hasher, limits};
use crate::weights::fingerprint::{About, FORMAT, FORMAT_ROWS, Fingerprint};

/// The largest number that eight bits hold with a sign.
const LEVELS: f32 = 127.0;

/// Why a file is no fingerprint that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is none at all.
    #[error("it is no fingerprint: {0}")]
    Other(String),
    /// Another version made it.
    #[error("it is a fingerprint of format {found}, and this program reads {FORMAT} and {FORMAT_ROWS}")]
    Version {
        /// The format that it names.
        found: String,
    },
    /// Its numbers are not those that were written.
    #[error("its numbers were changed: their SHA-256 is {found}, and the file says {expected}")]
    Changed {
        /// What the numbers give.
        found: String,
        /// What the file says.
        expected: String,
    },
    /// Sizes do not fit each other.
    #[error("`{item}` has {found} numbers, expected {expected}")]
    Size {
        /// Name of the tensor.
        item: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: String,
    },
}

/// Numbers of one tensor as they are stored.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Fingerprint {
    /// The key of its file's metadata, by which it is told from other safetensors files.
    pub const KEY: &str = "unshell";

    /// Rounds every matrix to what its file keeps, and signs the numbers: a fingerprint in memory and one that was read
    /// again are the same.
    pub(super) fn seal(&mut self) {
        let stored = self.stored();
        self.about.sha256 = digest(&stored);
        self.numbers = numbers(&stored);
        self.bytes = self.to_bytes().len() as u64;
    }

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = self.stored();
        let views = stored.iter().map(|(name, it)| {
            let view = TensorView::new(it.dtype, it.shape.clone(), &it.bytes);
            (name.clone(), view.expect("as many bytes as the shape says"))
        });
        let about = serde_json::to_string(&self.about).expect("our own types have string keys");
        let metadata = HashMap::from([(Self::KEY.to_owned(), about)]);
        serialize(views, Some(metadata)).expect("names are unique and sizes are right")
    }

    /// Reads a file again.
    ///
    /// # Errors
    /// Where it is no fingerprint, of another version, or was changed since it was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let about = Self::about_of(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(|it| Unreadable::Other(it.to_string()))?;
        let mut stored = BTreeMap::new();
        for (name, view) in file.iter() {
            let it = Stored { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
            stored.insert(name.to_owned(), it);
        }
        let found = digest(&stored);
        if found != about.sha256 {
            return Err(Unreadable::Changed { found, expected: about.sha256 });
        }
        let read = Self { numbers: numbers(&stored), about, bytes: bytes.len() as u64 };
        read.check()?;
        Ok(read)
    }

    /// What a fingerprint says of its model, from the first bytes of its file alone: nothing of its numbers is read or
    /// checked.
    ///
    /// # Errors
    /// Where it is no fingerprint, or of another version.
    pub fn describe(file: &mut dyn std::io::Read) -> Result<About, Unreadable> {
        let other = |it: String| Unreadable::Other(it);
        let mut length = [0_u8; 8];
        file.read_exact(&mut length).map_err(|it| other(it.to_string()))?;
        let length = u64::from_le_bytes(length);
        if length > limits::HEADER.min(limits::FINGERPRINT) {
            return Err(other(format!("its header is {length} bytes long, more than is taken")));
        }
        let mut header = Vec::new();
        std::io::Read::take(file, length).read_to_end(&mut header).map_err(|it| other(it.to_string()))?;
        let header: serde_json::Value = serde_json::from_slice(&header).map_err(|it| other(it.to_string()))?;
        let text = header.get("__metadata__").and_then(|it| it.get(Self::KEY)).and_then(|it| it.as_str());
        Self::read_about(text)
    }

    fn about_of(bytes: &[u8]) -> Result<About, Unreadable> {
        let other = |it: String| Unreadable::Other(it);
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|it| other(it.to_string()))?;
        Self::read_about(header.metadata().as_ref().and_then(|it| it.get(Self::KEY)).map(String::as_str))
    }

    fn read_about(text: Option<&str>) -> Result<About, Unreadable> {
        let other = |it: String| Unreadable::Other(it);
        let text = text.ok_or_else(|| other(format!("its metadata has no `{}`", Self::KEY)))?;
        let value: serde_json::Value = serde_json::from_str(text).map_err(|it| other(it.to_string()))?;
        let format = value.get("format").and_then(|it| it.as_str()).unwrap_or("(none)");
        if format != FORMAT && format != FORMAT_ROWS {
            return Err(Unreadable::Version { found: format.chars().take(64).collect() });
        }
        serde_json::from_value(value).map_err(|it| other(it.to_string()))
    }

    /// Every tensor has the size that the JSON gives it, and there are no others; every number is finite.
    fn check(&self) -> Result<(), Unreadable> {
        let sizes = self.sizes()?;
        for (item, numbers) in &self.numbers {
            let expected = sizes.get(item.as_str()).copied().unwrap_or(0);
            if numbers.len() != expected {
                let expected = if expected == 0 { "no such tensor".into() } else { expected.to_string() };
                return Err(Unreadable::Size { item: item.clone(), found: numbers.len(), expected });
            }
            if numbers.iter().any(|it| !it.is_finite()) {
                return Err(Unreadable::Other(format!("`{item}` has numbers that are not finite")));
            }
        }
        let tokens = self.about.token_ids.len();
        match self.about.tokens.as_ref().map(Vec::len) {
            Some(found) if found != tokens => {
                Err(Unreadable::Size { item: "tokens".into(), found, expected: tokens.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// How many numbers each tensor has that there may be.
    fn sizes(&self) -> Result<BTreeMap<String, usize>, Unreadable> {
        let about = &self.about;
        let wide = about.hidden == 0 || about.hidden > limits::STREAM;
        if wide || self.numbers.values().all(Vec::is_empty) {
            let expected = format!("a stream of 1 to {} dimensions, and numbers", limits::STREAM);
            return Err(Unreadable::Size { item: "hidden".into(), found: about.hidden as usize, expected });
        }
        let hidden = about.hidden as usize;
        let mut sizes = BTreeMap::new();
        let mut add = |name: String, rows: usize| sizes.insert(name, rows.saturating_mul(hidden));
        add("tokens".into(), about.token_ids.len());
        add("head".into(), about.token_ids.len());
        add("final_norm".into(), 1);
        let mut last = None;
        for layer in &about.layers {
            if last.replace(layer.index).is_some_and(|it| it >= layer.index) {
                return Err(Unreadable::Other(format!("layer {} comes twice or out of order", layer.index)));
            }
            let name = |part: &str| format!("layers.{}.{part}", layer.index);
            add(name("attention_norm"), 1);
            add(name("ffn_norm"), 1);
            add(name("sketch"), crate::weights::align::layers::PROBES);
            if !layer.values.is_sorted_by(|one, next| one < next) {
                return Err(Unreadable::Other(format!("rows of layer {} come twice or out of order", layer.index)));
            }
            add(name("value"), layer.values.len());
            for (block, it) in layer.blocks.iter().enumerate() {
                let rises = it.units.is_sorted_by(|one, next| one < next);
                if !rises || it.units.last().is_some_and(|unit| *unit >= it.width) || it.width > limits::STREAM * 64 {
                    return Err(Unreadable::Other(format!(
                        "block {block} of layer {} names units it has not",
                        layer.index
                    )));
                }
                for part in ["gate", "up", "down"] {
                    add(name(&format!("blocks.{block}.{part}")), it.units.len());
                }
            }
        }
        Ok(sizes)
    }

    fn stored(&self) -> BTreeMap<String, Stored> {
        let hidden = self.about.hidden as usize;
        let mut stored = BTreeMap::new();
        for (name, numbers) in &self.numbers {
            if name.ends_with("norm") {
                let bytes = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
                stored.insert(name.clone(), Stored { dtype: Dtype::F32, shape: vec![numbers.len()], bytes });
                continue;
            }
            let scales: Vec<f32> = numbers.chunks(hidden.max(1)).map(scale).collect();
            let rows = numbers.chunks(hidden.max(1)).zip(&scales);
            let bytes =
                rows.flat_map(|(row, scale)| row.iter().map(|it| rounded(*it, *scale).to_le_bytes()[0])).collect();
            let shape = vec![scales.len(), hidden];
            stored.insert(name.clone(), Stored { dtype: Dtype::I8, shape, bytes });
            let bytes = scales.iter().flat_map(|it| it.to_le_bytes()).collect();
            stored.insert(format!("{name}.scale"), Stored { dtype: Dtype::F32, shape: vec![scales.len()], bytes });
        }
        stored
    }
}

/// A power of two, so that rounding a second time changes nothing.
fn scale(row: &[f32]) -> f32 {
    let largest = row.iter().map(|it| it.abs()).filter(|it| it.is_finite()).fold(0.0, f32::max);
    if largest > 0.0 { (largest / LEVELS).log2().ceil().exp2() } else { 0.0 }
}

fn rounded(number: f32, scale: f32) -> i8 {
    if scale > 0.0 { (number / scale).round().clamp(-LEVELS, LEVELS) as i8 } else { 0 }
}

/// The numbers behind what is stored.
fn numbers(stored: &BTreeMap<String, Stored>) -> BTreeMap<String, Vec<f32>> {
    let floats =
        |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect() };
    let mut all = BTreeMap::new();
    for (name, it) in stored.iter().filter(|(name, _)| !name.ends_with(".scale")) {
        let numbers = match it.dtype {
            Dtype::I8 => {
                let scales = stored.get(&format!("{name}.scale")).map(|it| floats(&it.bytes)).unwrap_or_default();
                let width = it.shape.get(1).copied().unwrap_or(0).max(1);
                let rows = it.bytes.chunks(width).zip(scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |it| f32::from(i8::from_le_bytes([*it])) * scale))
                    .collect()
            }
            _ => floats(&it.bytes),
        };
        all.insert(name.clone(), numbers);
    }
    all
}

/// Over name, shape and bytes of everything.
fn digest(stored: &BTreeMap<String, Stored>) -> String {
    let mut hasher = Hasher::default();
    for (name, it) in stored {
        hasher.update(format!("{name} {:?} {:?}\n", it.dtype, it.shape).as_bytes());
        hasher.update(&it.bytes);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fingerprint::{KeptBlock, KeptLayer};

    fn small() -> Fingerprint {
        let mut about = About::named("small", "models/small", None, Some(100));
        (about.hidden, about.token_ids, about.tokens) = (4, vec![7, 9], Some(vec!["6162".into(), "ff".into()]));
        about.layers = vec![KeptLayer {
            index: 0,
            blocks: vec![KeptBlock { width: 10, units: vec![0, 5], number: None }],
            values: Vec::new(),
        }];
        let rows = |seed: u32| (0..8).map(|it| ((it * 7 + seed) % 11) as f32 * 0.13 - 0.6).collect::<Vec<f32>>();
        let numbers = BTreeMap::from([
            ("tokens".to_owned(), rows(1)),
            ("layers.0.ffn_norm".to_owned(), vec![1.0, 1.5, 0.25, 0.1]),
            ("layers.0.blocks.0.gate".to_owned(), rows(2)),
            ("layers.0.blocks.0.up".to_owned(), rows(3)),
            ("layers.0.blocks.0.down".to_owned(), rows(4)),
        ]);
        let mut small = Fingerprint { about, numbers, bytes: 0 };
        small.seal();
        small
    }

    #[test]
    fn what_is_written_is_read_again() {
        let small = small();
        let bytes = small.to_bytes();
        let read = Fingerprint::from_bytes(&bytes).unwrap();
        assert_eq!(read, small);
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.tokens().unwrap(), [(b"ab".to_vec(), 0), (vec![0xff], 1)]);
        assert_eq!(read.numbers["layers.0.ffn_norm"], [1.0, 1.5, 0.25, 0.1]);
    }

    #[test]
    fn a_changed_number_is_seen() {
        let mut bytes = small().to_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(matches!(Fingerprint::from_bytes(&bytes), Err(Unreadable::Changed { .. })));
    }

    #[test]
    fn another_version_and_another_file_are_told() {
        let mut other = small();
        other.about.format = "unshell-fingerprint/3".into();
        let found = Fingerprint::from_bytes(&other.to_bytes());
        assert_eq!(found, Err(Unreadable::Version { found: "unshell-fingerprint/3".into() }));
        for bytes in [&b""[..], b"not one", &small().to_bytes()[..40]] {
            assert!(matches!(Fingerprint::from_bytes(bytes), Err(Unreadable::Other(_))));
        }
    }

    /// The digest is right, and the JSON lies about sizes.
    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let mut lying = small();
        lying.about.token_ids.push(3);
        assert!(matches!(Fingerprint::from_bytes(&lying.to_bytes()), Err(Unreadable::Size { .. })));
        let mut lying = small();
        lying.about.layers[0].blocks[0].units.push(6);
        assert!(matches!(Fingerprint::from_bytes(&lying.to_bytes()), Err(Unreadable::Size { .. })));
    }

    /// What would index beyond a block, take gigabytes, or be counted twice.
    #[test]
    fn what_no_model_has_is_refused() {
        let lies: [fn(&mut Fingerprint); 5] = [
            |it| it.about.layers[0].blocks[0].units = vec![0, 10],
            |it| it.about.layers[0].blocks[0].units = vec![5, 5],
            |it| it.about.layers.push(it.about.layers[0].clone()),
            |it| it.about.hidden = 1 << 26,
            |it| it.about.layers.clear(),
        ];
        for lie in lies {
            let mut lying = small();
            lie(&mut lying);
            assert!(lying.check().is_err(), "{:?}", lying.about);
        }
        let mut lying = small();
        lying.numbers.insert("layers.0.ffn_norm".into(), vec![f32::NAN; 4]);
        assert!(lying.check().is_err());
    }
}
