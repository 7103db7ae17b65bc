//! What released models call their tensors: the hint a name gives about a role, by rules over the words of `words`.
//!
//! A hint is only a hint: `roles` checks it against the shapes. The same word means different things in different
//! families (`post_attention_layernorm`, `w1`, `gate`, `c_proj`), so the table is read by scope and with the siblings.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::naming::words::{
    ADAPTER, ATTENTION, ATTENTION_SCOPE, COMPRESSOR, CROSS, DELTA, FEED_FORWARD, FEED_FORWARD_SCOPE, HYPER,
    HYPER_BLOCKS, INDEXER, LATENT, LAYER, OUTSIDE, PIPELINE, PREDICTION, ROUTER, ROUTERS, SHARED, SHARED_SCOPE,
    STACKED, STATE_SPACE, STATE_SPACE_SCOPE, Words,
};
use crate::blueprint::part::{Component, Part};

/// A name taken apart.
pub(crate) struct Parsed {
    /// Lower-case segments of the module, indices taken out.
    pub(crate) module: Vec<String>,
    /// Whether the tensor is added rather than multiplied.
    pub(crate) is_bias: bool,
    in_layer: bool,
    in_expert: bool,
}

impl Parsed {
    /// Takes a template name apart.
    pub(crate) fn new(name: &str) -> Self {
        let plain = name.replace("{i}", "").replace("{j}", "").to_lowercase();
        let mut module: Vec<String> =
            plain.split(['.', '/']).filter(|it| !it.is_empty()).map(|it| it.trim_matches('_').to_owned()).collect();
        let mut is_bias = false;
        match module.last().map(String::as_str) {
            Some("weight" | "gamma" | "kernel") => drop(module.pop()),
            Some("scale") if !module.iter().any(|it| it == "router") => drop(module.pop()),
            Some("bias" | "beta") if !module.iter().any(|it| it == "act_fn") => {
                module.pop();
                is_bias = true;
            }
            Some(last) if last.ends_with("_bias") && last != "dt_bias" => {
                let stripped = last.trim_end_matches("_bias").to_owned();
                module.pop();
                module.push(stripped);
                is_bias = true;
            }
            _ => {}
        }
        // Two norms or blocks of one layer, told apart by a number behind the word.
        while module.len() > 1 && module.last().is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
            module.pop();
        }
        let in_expert = name.contains("{j}") || module.iter().any(|it| it == "experts" || it.ends_with(STACKED));
        if let Some(last) = module.pop() {
            module.extend(last.ends_with(SHARED).then(|| "shared_expert".to_owned()));
            module.push(last.trim_end_matches(STACKED).trim_end_matches(SHARED).to_owned());
        }
        Self { module, is_bias, in_layer: name.contains("{i}"), in_expert }
    }

    fn has(&self, words: &[&str]) -> bool {
        self.module.iter().any(|it| words.contains(&it.as_str()))
    }

    fn last(&self) -> &str {
        self.module.last().map_or("", String::as_str)
    }

    /// The mark among siblings of the module that it is in, should queries be there.
    fn with_queries(&self) -> String {
        let path = self.module.len().saturating_sub(1);
        format!("{{queries}} {}", self.module[..path].join("."))
    }

    fn parent(&self) -> &str {
        self.module.len().checked_sub(2).map_or("", |it| self.module[it].as_str())
    }
}

/// The role a name hints at; `siblings` are the last words of all modules of the model.
pub(crate) fn hint(part: &Part, siblings: &BTreeSet<String>) -> Option<String> {
    let mut parsed = Parsed::new(&part.plain);
    parsed.in_expert |= part.has_experts();
    if let Some(adapter) = parsed.module.iter().find_map(|it| look(ADAPTER, it)) {
        return Some(adapter.to_owned());
    }
    let stands_once = part.count() == 1;
    let role = if !parsed.in_layer {
        outside(&parsed)?
    } else {
        // A model written as one long pipeline numbers its embedding and its head like layers.
        let only_step = || if stands_once { look(PIPELINE, parsed.last()).map(str::to_owned) } else { None };
        let prediction = || prediction(&parsed).filter(|_| part.component == Component::Prediction);
        only_step().or_else(prediction).or_else(|| inside(&parsed, siblings))?
    };
    Some(if parsed.is_bias { format!("{role}.bias") } else { role })
}

fn outside(parsed: &Parsed) -> Option<String> {
    let last = parsed.last();
    if let Some(role) = hyper_connection(parsed) {
        return Some(role);
    }
    if last == "layernorm" && parsed.parent() == "embeddings" {
        return Some("token_embedding.norm".into());
    }
    if parsed.has(&["pooler"]) {
        return Some("pooler".into());
    }
    look(OUTSIDE, last).map(str::to_owned)
}

/// `hc_attn_fn`, `hc_head_base`, and the same word by word.
fn hyper_connection(parsed: &Parsed) -> Option<String> {
    let words: Vec<&str> = parsed.module.iter().flat_map(|it| it.split('_')).collect();
    let part = look(HYPER, words.last()?)?;
    let block = words.iter().rev().find_map(|it| look(HYPER_BLOCKS, it))?;
    words.contains(&"hc").then(|| format!("hyper_connection.{block}.{part}"))
}

/// Parts that came with sparse and compressed attention, and stand beside the attention they serve.
fn beside_attention(parsed: &Parsed) -> Option<String> {
    let last = parsed.last();
    let scope = if parsed.has(&["indexer"]) || last.starts_with("index_") { "indexer." } else { "" };
    if parsed.has(&["compressor"]) {
        return look(COMPRESSOR, last).map(|it| format!("{scope}compressor.{it}"));
    }
    look(INDEXER, last).filter(|_| !scope.is_empty()).map(|it| format!("{scope}{it}"))
}

fn inside(parsed: &Parsed, siblings: &BTreeSet<String>) -> Option<String> {
    let last = parsed.last();
    if let Some(role) = hyper_connection(parsed) {
        return Some(role);
    }
    if parsed.has(&["indexer", "compressor"]) || last.starts_with("index_") {
        return beside_attention(parsed);
    }
    if let Some(role) = look(LATENT, last) {
        return Some(role.to_owned());
    }
    if siblings.contains("a_log")
        && parsed.has(ATTENTION_SCOPE)
        && let Some(role) = look(DELTA, last)
    {
        return Some(role.to_owned());
    }
    if parsed.has(&["act_fn"]) {
        return Some(format!("ffn.activation.{last}"));
    }
    if last == "layernorm" {
        // BERT normalises after the sum, inside the two `output` modules.
        return Some(if parsed.has(ATTENTION_SCOPE) { "attention.post_norm" } else { "ffn.post_norm" }.into());
    }
    if let Some(role) = layer_norm(last, siblings)
        && !is_within_block(parsed)
    {
        return Some(role.to_owned());
    }
    if parsed.has(STATE_SPACE_SCOPE) && !siblings.contains("wqkv") {
        let state = look(STATE_SPACE, last.strip_suffix("_bias").unwrap_or(last)).map(|it| state_space(it, last));
        // One list of mixers may hold attention and feed-forward blocks too.
        return state.or_else(|| feed_forward(parsed, siblings)).or_else(|| attention(parsed));
    }
    if parsed.has(CROSS) {
        return look(ATTENTION, last).map(|it| format!("cross_attention.{it}"));
    }
    if let Some(word) = last.strip_prefix("cross_") {
        return look(ATTENTION, word).map(|it| format!("cross_attention.{it}"));
    }
    if let Some(word) = last.strip_prefix("ssm_") {
        return look(STATE_SPACE, word).map(|it| format!("ssm.{it}"));
    }
    if parsed.has(ATTENTION_SCOPE)
        || last.starts_with("attn_")
        || parsed.has(STATE_SPACE_SCOPE) && !parsed.has(FEED_FORWARD_SCOPE)
    {
        return attention(parsed);
    }
    // Whatever a module is called: where queries are, and keys or values, the other projections are attention's too.
    let of_attention = || attention(parsed).filter(|_| siblings.contains(&parsed.with_queries()));
    of_attention().or_else(|| feed_forward(parsed, siblings))
}

fn prediction(parsed: &Parsed) -> Option<String> {
    let is_own = parsed.module.len() <= 3 && !parsed.has(ATTENTION_SCOPE) && !parsed.has(FEED_FORWARD_SCOPE);
    look(PREDICTION, parsed.last()).filter(|_| is_own).map(str::to_owned)
}

fn state_space(word: &str, last: &str) -> String {
    if last == "dt_bias" { "ssm.dt.bias".into() } else { format!("ssm.{word}") }
}

/// A norm of DBRX stands in its attention block and is the layer's all the same.
fn is_within_block(parsed: &Parsed) -> bool {
    let is_norm_block = parsed.parent() == "norm_attn_norm" || parsed.parent() == "self_attn";
    let is_bare = matches!(parsed.last(), "norm" | "fc1" | "fc2");
    let has_block = parsed.has(ATTENTION_SCOPE) || parsed.has(STATE_SPACE_SCOPE) || parsed.has(FEED_FORWARD_SCOPE);
    has_block && (is_bare || !is_norm_block)
}

fn attention(parsed: &Parsed) -> Option<String> {
    look(ATTENTION, parsed.last()).map(|it| format!("attention.{it}"))
}

fn layer_norm(last: &str, siblings: &BTreeSet<String>) -> Option<&'static str> {
    let has = |word: &str| siblings.contains(word);
    match last {
        // Gemma 2 and 3 norm both sides of each block; OLMo 2 only after it. In Llama the same word is the norm before
        // the feed-forward block.
        "post_attention_layernorm" if has("pre_feedforward_layernorm") => Some("attention.post_norm"),
        "post_attention_layernorm" if has("post_feedforward_layernorm") && !has("input_layernorm") => {
            Some("attention.post_norm")
        }
        // llama.cpp's word for the norm behind the attention, beside `ffn_norm`; alone it is the norm before the
        // feed-forward block.
        "post_attention_norm" if has("ffn_norm") => Some("attention.post_norm"),
        // DBRX has both norms around its attention; the second one feeds the experts all the same.
        _ => look(LAYER, last),
    }
}

fn feed_forward(parsed: &Parsed, siblings: &BTreeSet<String>) -> Option<String> {
    let scope = if parsed.has(SHARED_SCOPE) {
        "shared_expert"
    } else if parsed.in_expert {
        "expert.ffn"
    } else {
        "ffn"
    };
    let last = parsed.last();
    if last == "shared_expert_gate" || last == "ffn_gate_inp" && parsed.has(SHARED_SCOPE) {
        return Some("shared_expert.router".into());
    }
    if matches!(last, "e_score_correction" | "exp_probs_b" | "expert") && (last != "expert" || parsed.is_bias) {
        return Some("router.correction".into());
    }
    if parsed.parent() == "router"
        && let Some(role) = look(ROUTER, last)
    {
        return Some(role.to_owned());
    }
    if ROUTERS.contains(&last)
        && !parsed.in_expert
        && !parsed.has(SHARED_SCOPE)
        && (last != "gate" || has_experts(siblings))
    {
        return Some("router".into());
    }
    if last == "dense" {
        // BERT's `intermediate.dense` and `output.dense`.
        let word = if parsed.parent() == "output" { "down" } else { "up" };
        return Some(format!("{scope}.{word}"));
    }
    let word = numbered(last, siblings).or_else(|| look(FEED_FORWARD, last))?;
    Some(format!("{scope}.{word}"))
}

fn has_experts(siblings: &BTreeSet<String>) -> bool {
    siblings.contains("{experts}")
}

/// `w1`, `w2`, `w3`, `v1` and a bare `gate`, which mean what their siblings leave.
fn numbered(last: &str, siblings: &BTreeSet<String>) -> Option<&'static str> {
    let has = |word: &str| siblings.contains(word);
    match last {
        "w1" if has("w3") || has("v1") => Some("gate"),
        "w1" => Some("up"),
        "w2" if has("w3") || has("v1") || !has("c_proj") => Some("down"),
        "w2" => Some("gate"),
        "w3" | "v1" => Some("up"),
        "gate" => Some("gate"),
        _ => None,
    }
}

fn look(words: Words, word: &str) -> Option<&'static str> {
    words.iter().find(|(_, known)| known.contains(&word)).map(|(role, _)| *role)
}

/// The last words of the modules of a model, `{experts}` where it has any, and a mark for each module with queries, and
/// keys or values.
pub(crate) fn siblings<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut siblings = BTreeSet::new();
    let mut projections: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        let parsed = Parsed::new(name);
        if parsed.in_expert {
            siblings.insert("{experts}".to_owned());
        }
        if parsed.in_layer && !parsed.has(FEED_FORWARD_SCOPE) {
            projections.entry(parsed.with_queries()).or_default().extend(look(ATTENTION, parsed.last()));
        }
        siblings.extend(parsed.module.last().cloned());
    }
    let is_attention = |it: &BTreeSet<&str>| it.contains("query") && (it.contains("key") || it.contains("value"));
    siblings.extend(projections.into_iter().filter(|it| is_attention(&it.1)).map(|it| it.0));
    siblings
}
