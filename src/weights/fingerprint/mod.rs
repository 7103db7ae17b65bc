//! What is kept of a reference so that others can be held against it without its files: norm gains of all layers, the
//! rows of some tokens, some hidden units of some layers, and a sketch of every layer's gate.
//!
//! A fingerprint is a model with most of it left out. The same tests run on it; they have fewer units, and power to
//! match. Rows are kept in eight bits with a scale each, which turns them by less than half a degree. It holds no
//! attention, says nothing on single numbers (identical, cast, quantised), and shows no rotation of a stream that is
//! wider than its tokens are many.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::blueprint::{Blueprint, Config, Template};
use crate::bytes::from_hex;
use crate::checkpoint::Error;
use crate::linalg::matrix::Matrix;
use crate::weights::model::layer::{FeedForward, Layer};
use crate::weights::model::projection::Slot;
use crate::weights::model::tensors::Numbers;
use crate::weights::model::view::Net;

mod file;
mod keep_rows;
mod make;
mod rows;

pub use file::Unreadable;
pub use keep_rows::Rows;
pub use make::Room;
pub use rows::relate_rows;

/// The format's name and version.
pub(crate) const FORMAT: &str = "unshell-fingerprint/1";

/// The second format: rows alone, which a server gives in ranges. Some units of every layer, at places that nobody
/// knows who does not know its salt; no sketch of a whole matrix, and nothing that lies in columns.
pub(crate) const FORMAT_ROWS: &str = "unshell-fingerprint/2";

/// A model as far as it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// What it is of.
    pub about: About,
    /// Numbers of each tensor, row by row.
    numbers: BTreeMap<String, Vec<f32>>,
    /// Size of its file.
    pub bytes: u64,
}

/// What a fingerprint says of its model, as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// `unshell-fingerprint/1`, or `unshell-fingerprint/2` where it holds rows alone.
    pub format: String,
    /// Short name of the model.
    pub name: String,
    /// Where it was read, as it was given.
    pub location: String,
    /// The commit that was read, of a repository on a hub.
    pub revision: Option<String>,
    /// The program that made it.
    pub made_by: String,
    /// Bytes of the model's data.
    pub data_bytes: Option<u64>,
    /// What the model is built like.
    pub templates: Vec<Template>,
    /// Its configuration.
    pub config: BTreeMap<String, Value>,
    /// The text of each kept token, in hexadecimal digits; none where no vocabulary could be read.
    pub tokens: Option<Vec<String>>,
    /// The id of each kept token.
    pub token_ids: Vec<u32>,
    /// Rows of the embedding, the kept ones among them.
    pub vocabulary: Option<u64>,
    /// Size of the stream.
    pub hidden: u64,
    /// Every layer.
    pub layers: Vec<KeptLayer>,
    /// SHA-256 of all numbers as they are stored, in the order of their names.
    pub sha256: String,
    /// What says which units were kept, where that is no secret of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The license that its card names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// What is kept of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLayer {
    /// Its number.
    pub index: u32,
    /// Its feed-forward blocks or experts, where any are kept.
    pub blocks: Vec<KeptBlock>,
    /// Rows of the value projection that are kept, where units have no gates and say nothing by their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<u64>,
}

/// What is kept of one feed-forward block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptBlock {
    /// Units of the whole block.
    pub width: u64,
    /// The units that are kept.
    pub units: Vec<u64>,
    /// Which of the layer's blocks it is, where not all are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

impl Fingerprint {
    /// Whether it holds rows alone.
    pub fn is_rows(&self) -> bool {
        self.about.format == FORMAT_ROWS
    }

    /// What the model is built like.
    pub fn blueprint(&self) -> Blueprint {
        let config = Config::from_fields(self.about.config.iter().map(|(name, value)| (name.clone(), value.clone())));
        Blueprint::from_templates(self.about.templates.clone(), config)
    }

    /// The kept tokens as `(text, row)`; none where no vocabulary could be read.
    pub fn tokens(&self) -> Option<Vec<(Vec<u8>, u32)>> {
        let texts = self.about.tokens.as_ref()?;
        Some(texts.iter().zip(0..).filter_map(|(it, row)| Some((from_hex(it)?, row))).collect())
    }

    /// The model, as far as it is kept.
    pub fn net(&self) -> Net<'_> {
        let hidden = self.about.hidden as usize;
        let mut net = Net::empty(self, hidden);
        let rows = |name: &str| self.numbers.get(name).map_or(0, |it| it.len() / hidden.max(1)) as u64;
        let slot = |name: &str, is_turned: bool| {
            let count = rows(name);
            (count > 0).then(|| Slot::plain(name, (count, hidden as u64), is_turned))
        };
        net.embedding = slot("tokens", false);
        net.head = slot("head", false);
        net.vocabulary = self.about.vocabulary.map(|it| it as usize);
        net.final_norm = self.vector("final_norm", &mut net);
        let mut sketches = Vec::new();
        for kept in &self.about.layers {
            let at = kept.index;
            let name = |part: &str| format!("layers.{at}.{part}");
            let blocks = kept.blocks.iter().enumerate().map(|(block, it)| FeedForward {
                gate: slot(&name(&format!("blocks.{block}.gate")), false),
                up: slot(&name(&format!("blocks.{block}.up")), false),
                down: slot(&name(&format!("blocks.{block}.down")), true),
                width: it.width as usize,
                fused: None,
                chosen: Some(it.units.iter().map(|it| *it as usize).collect()),
            });
            let layer = Layer {
                index: at,
                ffns: blocks.collect(),
                attention_norm: self.vector(&name("attention_norm"), &mut net),
                ffn_norm: self.vector(&name("ffn_norm"), &mut net),
                value: slot(&name("value"), false),
                ..Layer::default()
            };
            net.layers.push(layer);
            let sketch = self.numbers.get(&name("sketch"));
            sketches.push(sketch.map(|it| Matrix::new(it.len() / hidden.max(1), hidden, it.clone())));
        }
        net.sketches = Some(sketches);
        net
    }

    fn vector(&self, name: &str, net: &mut Net<'_>) -> Option<String> {
        let length = self.numbers.get(name)?.len();
        net.know_length(name, length as u64);
        Some(name.to_owned())
    }
}

impl Numbers for Fingerprint {
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        let range = elements.start as usize..elements.end as usize;
        Ok(self.numbers.get(name).and_then(|it| it.get(range)).map(<[f32]>::to_vec).unwrap_or_default())
    }

    fn has(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }
}
