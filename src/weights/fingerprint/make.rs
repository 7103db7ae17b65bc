//! Takes a fingerprint of a model.

use std::collections::BTreeMap;

use crate::blueprint::Blueprint;
use crate::bytes::hex;
use crate::checkpoint::Error;
use crate::weights::align::layers::{probes, sketches};
use crate::weights::fingerprint::{About, FORMAT, Fingerprint, KeptBlock, KeptLayer};
use crate::weights::model::budget::spread;
use crate::weights::model::layer::FeedForward;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Experts of one layer that are kept.
const EXPERTS: usize = 8;

/// How much of a model is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Tokens.
    pub tokens: usize,
    /// Layers of which units are kept; gains and sketches are kept of all.
    pub layers: usize,
    /// Hidden units of each such layer.
    pub units: usize,
}

impl Room {
    /// For a stream of this width: two million numbers of token rows, three million of hidden units, and never less
    /// than an exact test needs. Small models are kept whole.
    pub fn of(hidden: usize) -> Self {
        let hidden = hidden.max(1);
        let units = ((1 << 18) / hidden).clamp(64, 512);
        let layers = ((3 << 20) / (3 * units * hidden)).max(4);
        Self { tokens: ((1 << 21) / hidden).clamp(256, 4_096), layers, units }
    }
}

impl Fingerprint {
    /// Takes one. `tokens` are the ids of tokens with their texts, in the order in which they are wanted; none where no
    /// vocabulary could be read. `about` names the model; what else it says is filled in.
    ///
    /// # Errors
    /// A file of the model that cannot be read.
    pub fn take(
        net: &Net<'_>,
        blueprint: &Blueprint,
        tokens: Option<Vec<(u32, Vec<u8>)>>,
        about: About,
        room: Room,
    ) -> Result<Self, Error> {
        let mut taken = Self { about, numbers: BTreeMap::new(), bytes: 0 };
        taken.about.templates = blueprint.templates().to_vec();
        taken.about.config = blueprint.config().fields().clone();
        taken.about.hidden = net.hidden as u64;
        taken.keep_tokens(net, tokens, room.tokens)?;
        taken.keep_layers(net, room)?;
        taken.keep_sketches(net)?;
        taken.seal();
        Ok(taken)
    }

    pub(super) fn keep_tokens(
        &mut self,
        net: &Net<'_>,
        tokens: Option<Vec<(u32, Vec<u8>)>>,
        most: usize,
    ) -> Result<(), Error> {
        let rows = net.embedding.as_ref().or(net.head.as_ref()).map_or(0, Slot::outputs);
        let kept: Vec<(u32, Option<Vec<u8>>)> = match tokens {
            Some(tokens) => {
                let inside = tokens.into_iter().filter(|it| (it.0 as usize) < rows);
                inside.take(most).map(|(id, text)| (id, Some(text))).collect()
            }
            None => spread(rows, most).into_iter().map(|it| (it as u32, None)).collect(),
        };
        self.about.tokens = kept.iter().map(|it| it.1.as_deref().map(hex)).collect();
        self.about.token_ids = kept.iter().map(|it| it.0).collect();
        self.about.vocabulary = (rows > 0).then_some(rows as u64);
        let ids: Vec<usize> = kept.iter().map(|it| it.0 as usize).collect();
        for (name, slot) in [("tokens", &net.embedding), ("head", &net.head)] {
            if let Some(slot) = slot.as_ref().filter(|it| it.inputs() == net.hidden && it.outputs() >= rows) {
                self.numbers.insert(name.to_owned(), slot.load_rows(net.numbers, &ids)?.data);
            }
        }
        self.keep_vector(net, net.final_norm.as_ref(), "final_norm")
    }

    fn keep_layers(&mut self, net: &Net<'_>, room: Room) -> Result<(), Error> {
        let with_blocks: Vec<usize> = (0..net.layers.len()).filter(|it| !net.layers[*it].ffns.is_empty()).collect();
        let chosen: Vec<usize> = spread(with_blocks.len(), room.layers).into_iter().map(|it| with_blocks[it]).collect();
        for (at, layer) in net.layers.iter().enumerate() {
            let name = |part: &str| format!("layers.{}.{part}", layer.index);
            self.keep_vector(net, layer.attention_norm.as_ref(), &name("attention_norm"))?;
            self.keep_vector(net, layer.ffn_norm.as_ref(), &name("ffn_norm"))?;
            let mut blocks = Vec::new();
            if chosen.contains(&at) {
                let experts = spread(layer.ffns.len(), EXPERTS);
                let units = (room.units / experts.len().max(1)).max(16);
                for (block, expert) in experts.into_iter().enumerate() {
                    let prefix = name(&format!("blocks.{block}"));
                    blocks.push(self.keep_block(net, &layer.ffns[expert], units, &prefix)?);
                }
            }
            self.about.layers.push(KeptLayer { index: layer.index, blocks, values: Vec::new() });
        }
        Ok(())
    }

    fn keep_block(&mut self, net: &Net<'_>, ffn: &FeedForward, most: usize, prefix: &str) -> Result<KeptBlock, Error> {
        let units = spread(ffn.units(), most);
        for (part, slot) in [("gate", &ffn.gate), ("up", &ffn.up)] {
            if let Some(slot) = slot.as_ref().filter(|it| it.inputs() == net.hidden) {
                self.numbers.insert(format!("{prefix}.{part}"), slot.load_rows(net.numbers, &units)?.data);
            }
        }
        if let Some(slot) = ffn.down.as_ref().filter(|it| it.outputs() == net.hidden) {
            self.numbers.insert(format!("{prefix}.down"), slot.load_columns(net.numbers, &units)?.data);
        }
        Ok(KeptBlock { width: ffn.width as u64, units: units.into_iter().map(|it| it as u64).collect(), number: None })
    }

    fn keep_sketches(&mut self, net: &Net<'_>) -> Result<(), Error> {
        let sketches = sketches(net, &probes(net.hidden))?;
        for (layer, sketch) in net.layers.iter().zip(sketches) {
            if let Some(sketch) = sketch {
                self.numbers.insert(format!("layers.{}.sketch", layer.index), sketch.data);
            }
        }
        Ok(())
    }

    pub(super) fn keep_vector(&mut self, net: &Net<'_>, name: Option<&String>, as_name: &str) -> Result<(), Error> {
        if let Some(numbers) = net.norm(name)?.filter(|it| it.len() == net.hidden) {
            self.numbers.insert(as_name.to_owned(), numbers);
        }
        Ok(())
    }
}

impl About {
    /// Of a model of this name, with everything else still to be filled in.
    pub fn named(name: &str, location: &str, revision: Option<String>, data_bytes: Option<u64>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            name: name.to_owned(),
            location: location.to_owned(),
            revision,
            made_by: format!("unshell {}", env!("CARGO_PKG_VERSION")),
            data_bytes,
            templates: Vec::new(),
            config: BTreeMap::new(),
            tokens: None,
            token_ids: Vec::new(),
            vocabulary: None,
            hidden: 0,
            layers: Vec::new(),
            sha256: String::new(),
            salt: None,
            license: None,
        }
    }
}
