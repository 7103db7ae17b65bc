//! Where a configuration, the names and the shapes of one model contradict each other.

use std::collections::BTreeSet;

use crate::blueprint::Blueprint;
use crate::blueprint::form::is_padding;
use crate::blueprint::matching::place;
use crate::blueprint::part::{Component, Part};
use crate::blueprint::quantisation::{Stored, packed_by_layout};
use crate::bytes::counted;
use crate::checkpoint::reads_numbers;
use crate::fact::Finding;

/// Every code that the findings on a blueprint may carry: the code, what it means, and what to do.
pub const FINDINGS: &[(&str, &str, &str)] = &[
    (
        "config-contradicts-shapes",
        "`config.json` states a size that the tensors do not have. The files and the configuration do not belong together, or one of them was edited.",
        "Ask which of the two is right, and for the other; a loader will refuse the pair or load it wrongly.",
    ),
    (
        "head-missing",
        "`config.json` says that the head is a matrix of its own, and the files hold none.",
        "Ask for the missing file, or whether the head is tied to the token embedding.",
    ),
    (
        "layers-missing",
        "Layer numbers below the deepest one stand on no tensor.",
        "Ask for the missing files; where layers were taken out on purpose, ask from which model.",
    ),
    (
        "lora-adapter",
        "The files hold low-rank matrices that change another model, and not that model.",
        "Ask for the base model; everything that matters about ownership is there.",
    ),
    (
        "lora-unmerged",
        "The files hold a model and beside its weights low-rank matrices that change them: an adapter that was not merged. The weights were compared as they are, without the change.",
        "Ask whether the product is the two together; merge them to compare it.",
    ),
    (
        "name-contradicts-shape",
        "A tensor's name says one thing and its shape another, as after a careless or a deliberate renaming. Its role was taken from the shape.",
        "Ask how the names came to be; compare with the reference by `unshell compare`.",
    ),
    (
        "other-tower",
        "Some tensors belong to a tower beside the language model, such as a vision encoder.",
        "A tower has an origin of its own: ask for it, and examine it apart.",
    ),
    (
        "packed-unread",
        "Some matrices are packed in a layout of which this version reads no numbers, or whose sizes nothing in the files tells. They have no part in any comparison of weights; where sizes are not known, no parameters are counted and no size is held against the configuration.",
        "Ask for the weights before they were packed; `unshell explain` says of each layout what it is.",
    ),
    (
        "prediction-layers",
        "Some layers predict further tokens beside the model's own layers. Published parameter counts often leave them out.",
        "Nothing; keep them in mind when counting parameters.",
    ),
    (
        "tied-head-stored",
        "The head is the token embedding again and is stored all the same. It is counted once.",
        "Nothing; some writers store it, some do not.",
    ),
    (
        "vocabulary-padding",
        "The token embedding has a few more rows than the vocabulary has tokens, usually to reach a round number.",
        "Nothing; rows without a token are never trained, and tell apart a copy from a model of its own.",
    ),
];

impl Blueprint {
    /// What a reader should know before trusting the description, in a fixed order.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.names_against_shapes());
        findings.extend(self.missing_layers());
        findings.extend(self.adapter());
        findings.extend(self.unread_packings());
        if !self.config.is_empty() && self.has_known_shapes() {
            findings.extend(self.config_against_shapes());
            findings.extend(self.heads_against_shapes());
            findings.extend(self.head_against_config());
        }
        findings.extend(self.other_components());
        findings
    }

    fn names_against_shapes(&self) -> impl Iterator<Item = Finding> {
        self.notes.iter().filter(|it| it.kind == "name-contradicts-shape").map(|it| Finding {
            code: it.kind.to_owned(),
            file: None,
            item: Some(it.item.clone()),
            detail: "its name says one thing and its shape another; the role was taken from the shape".into(),
        })
    }

    /// Whether the shape of every matrix is known; where it is not, nothing can be held against the configuration.
    fn has_known_shapes(&self) -> bool {
        !self.stored.iter().any(|it| matches!(it, Stored::Opaque(_)))
    }

    /// Matrices that are packed in a way that nobody reads here.
    pub(crate) fn unread_packings(&self) -> Vec<Finding> {
        let counts = packed_by_layout(&self.templates, &self.stored);
        let unread = counts.into_iter().filter(|((layout, is_known), _)| !is_known || !reads_numbers(layout));
        let tell = |((layout, is_known), count): ((&str, bool), u64)| {
            let sizes = if is_known { "their sizes are known" } else { "their sizes are not" };
            let numbers = if reads_numbers(layout) { "" } else { ", and this version does not read their numbers" };
            let matrices = counted(usize::try_from(count).unwrap_or(usize::MAX), "tensor");
            finding("packed-unread", Some(layout), format!("{matrices} packed as `{layout}`: {sizes}{numbers}"))
        };
        unread.map(tell).collect()
    }

    /// Layers that no tensor stands in, below the deepest one.
    fn missing_layers(&self) -> Option<Finding> {
        let lists = self.parts.iter().filter(|it| it.component == Component::Language && it.is_layered());
        let layers: BTreeSet<u32> = lists.flat_map(place).collect();
        let (first, last) = (*layers.first()?, *layers.last()?);
        let count = u64::from(last) - u64::from(first) + 1;
        let missing = count.saturating_sub(layers.len() as u64);
        (missing > 0).then(|| {
            finding(
                "layers-missing",
                None,
                format!(
                    "the layers run from {first} to {last}, and {missing} of those {count} are not in the {}",
                    if self.is_by_names { "index" } else { "files" }
                ),
            )
        })
    }

    /// Low-rank matrices: of an adapter, or beside the weights that they change.
    fn adapter(&self) -> Option<Finding> {
        let is_factor = |it: &&Part| it.role.names().iter().any(|role| role.starts_with("adapter."));
        let count: u64 = self.parts.iter().filter(is_factor).map(Part::count).sum();
        let is_changed =
            |it: &&Part| it.name.contains(".base_layer.") || it.role.is("attention.query") || it.role.is("ffn.down");
        let (code, detail) = if self.parts.iter().any(|it| is_changed(&it)) {
            ("lora-unmerged", format!("{count} tensors are low-rank matrices beside the weights that they change"))
        } else {
            let detail =
                format!("{count} tensors are low-rank adapter matrices, which change a base model and are not one");
            ("lora-adapter", detail)
        };
        (count > 0).then(|| finding(code, None, detail))
    }

    /// Sizes that the configuration states and the shapes show.
    fn config_against_shapes(&self) -> Vec<Finding> {
        let pairs = [
            ("hidden_size", "hidden"),
            ("num_hidden_layers", "layers"),
            ("vocab_size", "vocab"),
            ("intermediate_size", "ffn"),
            ("num_experts", "experts"),
            ("moe_intermediate_size", "expert_ffn"),
        ];
        pairs.iter().filter_map(|(field, dimension)| self.size_against_config(field, dimension)).collect()
    }

    fn size_against_config(&self, field: &str, dimension: &str) -> Option<Finding> {
        let (stated, shown) = (self.config.number(field)?, self.dimensions.get(dimension)?);
        let is_other_width = || {
            // Families with experts use one field for the dense or for the expert width; Qwen states gate and up as
            // one.
            let widths = ["ffn", "expert_ffn", "shared_ffn"].map(|it| self.dimensions.get(it));
            widths.contains(&Some(stated)) || stated.checked_div(2) == Some(shown)
        };
        if stated == shown || field == "intermediate_size" && is_other_width() {
            return None;
        }
        if field == "vocab_size" && stated < shown && is_padding(stated, shown) {
            let rows = shown - stated;
            let detail =
                format!("the token embedding has {shown} rows, {rows} more than the {stated} of the vocabulary");
            return Some(finding("vocabulary-padding", Some(field), detail));
        }
        let detail = format!("`config.json` says {stated}, the tensors show {shown}");
        Some(finding("config-contradicts-shapes", Some(field), detail))
    }

    /// The widths that layers have of a projection, where they have several; empty where all layers have one.
    fn several_widths(&self, role: &str) -> BTreeSet<u64> {
        let parts = self.parts.iter().filter(|it| it.component == Component::Language && it.role.is(role));
        let widths: BTreeSet<u64> =
            parts.flat_map(|it| &it.variants).filter_map(|it| it.shape.first().copied()).collect();
        if widths.len() > 1 { widths } else { BTreeSet::new() }
    }

    /// Queries and keys of layers that differ, as in models that alternate between full and sliding attention: each
    /// width must be heads times head size of some kind of layer that the configuration states. It says nothing where
    /// the configuration states lists of heads, one for each layer, or blocks of its own.
    fn differing_layers_against_config(&self) -> Vec<Finding> {
        let fields = self.config.fields();
        let is_listed = fields.iter().any(|(name, value)| is_about_heads(name) && !value.is_number());
        if is_listed || fields.contains_key("block_configs") {
            return Vec::new();
        }
        let stated = self.widths_of_stated_heads();
        let look = |(role, field): (&str, &str)| {
            let strange: BTreeSet<u64> = self.several_widths(role).difference(&stated).copied().collect();
            let shown: Vec<String> = strange.iter().map(u64::to_string).collect();
            let projection = role.trim_start_matches("attention.");
            let detail = format!(
                "layers differ in their {projection} projections, and no heads that `config.json` states are {} wide",
                shown.join(" or ")
            );
            (!strange.is_empty()).then(|| finding("config-contradicts-shapes", Some(field), detail))
        };
        [("attention.query", "num_attention_heads"), ("attention.key", "num_key_value_heads")]
            .into_iter()
            .filter_map(look)
            .collect()
    }

    /// Every number of heads times every size of a head, with a gate beside each query and without.
    fn widths_of_stated_heads(&self) -> BTreeSet<u64> {
        let numbers = |is: fn(&str) -> bool| -> Vec<u64> {
            let mut found = Vec::new();
            self.config.fields().iter().for_each(|(name, value)| numbers_of(name, value, is, &mut found));
            found
        };
        let (mut heads, mut sizes) = (numbers(is_of_heads), numbers(is_of_head_size));
        heads.push(1); // One key for all heads.
        let (hidden, all) = (self.config.number("hidden_size"), self.config.number("num_attention_heads"));
        sizes.extend(hidden.zip(all).and_then(|(hidden, all)| hidden.checked_div(all)));
        let products = heads.iter().flat_map(|it| sizes.iter().map(|size| it.saturating_mul(*size)));
        products.flat_map(|it| [it, it.saturating_mul(2)]).collect()
    }

    /// Heads times head size against the widths of the attention projections. Latent attention has its own sizes.
    fn heads_against_shapes(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (Some(heads), Some(width)) =
            (self.config.number("num_attention_heads"), self.dimensions.get("query_width"))
        else {
            return findings;
        };
        if self.dimensions.get("kv_rank").is_some() || heads == 0 {
            return findings;
        }
        if ["attention.query", "attention.key"].iter().any(|it| !self.several_widths(it).is_empty()) {
            return self.differing_layers_against_config();
        }
        let head_dim = self.config.number("head_dim");
        let product = head_dim.and_then(|it| it.checked_mul(heads));
        let is_gated = product.and_then(|it| it.checked_mul(2)) == Some(width); // A gate beside each query.
        if width % heads != 0 || product.is_some_and(|it| it != width) && !is_gated {
            let size = head_dim.map_or(String::new(), |it| format!(" of {it}"));
            let detail = format!("`config.json` says {heads} heads{size}, the query projection is {width} wide");
            findings.push(finding("config-contradicts-shapes", Some("num_attention_heads"), detail));
        }
        let size = head_dim.filter(|_| product == Some(width) || is_gated).or(width.checked_div(heads));
        let stated = self.config.number("num_key_value_heads");
        if let (Some(stated), Some(size), Some(shown)) = (stated, size, self.dimensions.get("key_value_width"))
            && stated.checked_mul(size) != Some(shown)
        {
            let detail =
                format!("`config.json` says {stated} key-value heads of {size}, the key projection is {shown} wide");
            findings.push(finding("config-contradicts-shapes", Some("num_key_value_heads"), detail));
        }
        findings
    }

    fn head_against_config(&self) -> Option<Finding> {
        let has = |role: &str| self.parts.iter().any(|it| it.role.may_be(role));
        if self.tied_head().is_some() {
            let detail = "the head is stored although it is tied to the token embedding; it is counted once";
            return Some(finding("tied-head-stored", Some("tie_word_embeddings"), detail.to_owned()));
        }
        let is_missing =
            self.config.flag("tie_word_embeddings") == Some(false) && has("token_embedding") && !has("output");
        let holder = if self.is_by_names { "the index names" } else { "the files hold" };
        let detail = format!("`config.json` says the head is not tied, and {holder} no head");
        is_missing.then(|| finding("head-missing", Some("tie_word_embeddings"), detail))
    }

    /// Towers and prediction layers beside the language model.
    fn other_components(&self) -> Vec<Finding> {
        let names: BTreeSet<&Component> =
            self.parts.iter().map(|it| &it.component).filter(|it| **it != Component::Language).collect();
        let tell = |component: &Component| {
            let parts = self.parts.iter().filter(|it| it.component == *component);
            let (tensors, elements) = parts.fold((0_u64, 0_u64), |sum, it| {
                (sum.0.saturating_add(it.count()), sum.1.saturating_add(it.elements()))
            });
            let counted = if self.is_by_names { String::new() } else { format!(" with {elements} parameters") };
            let held = format!("{tensors} tensors{counted}");
            match component {
                Component::Tower(name) if self.stacks.beside.iter().any(|it| it.word == *name) => {
                    let detail = format!("{held} belong to another list of layers beside the language model's");
                    finding("other-tower", Some(name), detail)
                }
                Component::Tower(name) => {
                    finding("other-tower", Some(name), format!("{held} belong to a tower beside the language model"))
                }
                Component::Prediction | Component::Language => {
                    finding("prediction-layers", None, format!("{held} predict further tokens beside the model's own"))
                }
            }
        };
        names.into_iter().map(tell).collect()
    }
}

/// Numbers of the fields that `is` takes, those of nested settings included: a kind of layer may have its own.
fn numbers_of(name: &str, value: &serde_json::Value, is: fn(&str) -> bool, found: &mut Vec<u64>) {
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, it)| numbers_of(name, it, is, found)),
        serde_json::Value::Number(number) if is(name) => found.extend(number.as_u64()),
        _ => {}
    }
}

fn is_about_heads(field: &str) -> bool {
    field.contains("head")
        && !["lm_head", "vision", "audio", "head_type"].iter().any(|it| field.contains(it))
        && (is_of_heads(field) || is_of_head_size(field))
}

fn is_of_heads(field: &str) -> bool {
    ["heads", "head_num", "query_group", "attention_group"].iter().any(|it| field.contains(it))
}

fn is_of_head_size(field: &str) -> bool {
    field.contains("head_dim") || field.contains("head_size")
}

fn finding(code: &str, item: Option<&str>, detail: String) -> Finding {
    Finding { code: code.to_owned(), file: None, item: item.map(str::to_owned), detail }
}
