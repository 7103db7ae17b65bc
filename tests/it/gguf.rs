//! Builds tiny GGUF files out of the directives that `tests/hostile/README.md` lists; and what models under the names
//! of llama.cpp must give.

use std::fs;
use std::path::Path;

use unshell::blueprint::{Blueprint, Template, compare_blueprints};
use unshell::bytes::Memory;
use unshell::catalog::Catalog;
use unshell::checkpoint::Checkpoint;
use unshell::fact::FormRelation;

/// A file that is being described. Counts are made to fit unless they are given.
#[derive(Default)]
pub(crate) struct Draft {
    version: u32,
    keys: Entries,
    tensors: Entries,
    alignment: usize,
}

/// Entries one behind the other, and how many the header claims.
#[derive(Default)]
struct Entries {
    bytes: Vec<u8>,
    count: u64,
    claimed: Option<u64>,
}

const TYPES: &[&str] = &["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "text", "array", "u64", "i64", "f64"];

impl Draft {
    pub(crate) fn new(version: &str) -> Self {
        Self { version: version.parse().unwrap(), alignment: 32, ..Self::default() }
    }

    /// Takes a directive in, if it is one of a GGUF file.
    pub(crate) fn takes(&mut self, directive: &str, rest: &str) -> bool {
        match directive {
            "key" => self.keys.push(&key(rest)),
            "key-hex" => self.keys.push(&from_hex(rest)),
            "tensor" => self.tensors.push(&tensor(rest)),
            "tensor-hex" => self.tensors.push(&from_hex(rest)),
            "keys" => self.keys.claimed = rest.parse().ok(),
            "tensors" => self.tensors.claimed = rest.parse().ok(),
            "align" => self.alignment = rest.parse().unwrap(),
            _ => return false,
        }
        true
    }

    /// The header, filled up to the alignment.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tensors.claimed.unwrap_or(self.tensors.count).to_le_bytes());
        bytes.extend(self.keys.claimed.unwrap_or(self.keys.count).to_le_bytes());
        bytes.extend(&self.keys.bytes);
        bytes.extend(&self.tensors.bytes);
        bytes.resize(bytes.len().next_multiple_of(self.alignment), 0);
        bytes
    }
}

impl Entries {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.count += 1;
    }
}

/// `NAME TYPE VALUE`, or `NAME [TYPE] VALUE VALUE …`.
fn key(text: &str) -> Vec<u8> {
    let (name, rest) = text.split_once(' ').unwrap();
    let (kind, values) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut bytes = written(name);
    match kind.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        None => {
            bytes.extend(number_of(kind).to_le_bytes());
            bytes.extend(value(kind, values));
        }
        Some(kind) => {
            let values: Vec<&str> = values.split_whitespace().collect();
            bytes.extend(number_of("array").to_le_bytes());
            bytes.extend(number_of(kind).to_le_bytes());
            bytes.extend((values.len() as u64).to_le_bytes());
            bytes.extend(values.iter().flat_map(|it| value(kind, it)));
        }
    }
    bytes
}

/// `NAME TYPE OFFSET SIZE SIZE …`, sizes as they are written: fastest first.
fn tensor(text: &str) -> Vec<u8> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap();
    let (kind, offset): (u32, u64) = (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
    let sizes: Vec<u64> = words.map(|it| it.parse().unwrap()).collect();
    let mut bytes = written(name);
    bytes.extend((sizes.len() as u32).to_le_bytes());
    bytes.extend(sizes.iter().flat_map(|it| it.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

fn number_of(kind: &str) -> u32 {
    TYPES.iter().position(|it| *it == kind).unwrap_or_else(|| panic!("no type {kind:?}")) as u32
}

fn value(kind: &str, text: &str) -> Vec<u8> {
    match kind {
        "u8" | "bool" => text.parse::<u8>().unwrap().to_le_bytes().to_vec(),
        "i8" => text.parse::<i8>().unwrap().to_le_bytes().to_vec(),
        "u16" => text.parse::<u16>().unwrap().to_le_bytes().to_vec(),
        "i16" => text.parse::<i16>().unwrap().to_le_bytes().to_vec(),
        "u32" => text.parse::<u32>().unwrap().to_le_bytes().to_vec(),
        "i32" => text.parse::<i32>().unwrap().to_le_bytes().to_vec(),
        "f32" => text.parse::<f32>().unwrap().to_le_bytes().to_vec(),
        "u64" => text.parse::<u64>().unwrap().to_le_bytes().to_vec(),
        "i64" => text.parse::<i64>().unwrap().to_le_bytes().to_vec(),
        "f64" => text.parse::<f64>().unwrap().to_le_bytes().to_vec(),
        "text" => written(text),
        other => panic!("no value of type {other:?}"),
    }
}

fn written(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.bytes());
    bytes
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// The header of the fixture `gguf-plain`.
fn plain() -> Vec<u8> {
    let mut draft = Draft::new("3");
    for line in fs::read_to_string("tests/hostile/gguf-plain.txt").unwrap().lines() {
        let (directive, rest) = line.split_once(' ').unwrap();
        draft.takes(directive, rest);
    }
    draft.bytes()
}

/// Names, shapes and places as the reader of the Python package `gguf` 0.19.0 gives them for the same bytes, sizes
/// turned round.
#[test]
fn a_file_is_read_as_another_reader_reads_it() {
    let mut bytes = plain();
    bytes.resize(bytes.len() + 12_832, 0);
    let checkpoint = Checkpoint::from_source(Path::new("model.gguf"), &Memory::new(bytes)).unwrap();
    let found: Vec<_> = checkpoint
        .tensors
        .iter()
        .map(|it| (it.name.as_str(), it.dtype.to_string(), it.shape.clone(), it.data.start, it.bytes()))
        .collect();
    let expected = [
        ("blk.0.ffn_down.weight", "F16".to_owned(), vec![64, 96], 1_152, 12_288),
        ("output_norm.weight", "F32".to_owned(), vec![64], 13_440, 256),
        ("token_embd.weight", "Q8_0".to_owned(), vec![4, 64], 864, 272),
    ];
    assert_eq!(found, expected);
    let told = |key: &str| checkpoint.metadata.get(key).map(String::as_str);
    assert_eq!(told("llama.attention.head_count_kv"), Some("[2,2]"));
    assert_eq!(told("tokenizer.ggml.tokens"), Some("[4 values]"));
    assert_eq!(told("tokenizer.ggml.scores"), Some("[0.0,0.0,-1.0,-2.0]"));
    assert_eq!(told("tokenizer.ggml.add_bos_token"), Some("true"));
}

/// Every byte of a header may be changed and every file cut; nothing of it may panic.
#[test]
fn a_changed_or_missing_byte_is_survived() {
    let bytes = plain();
    let open = |bytes: Vec<u8>| Checkpoint::from_source(Path::new("model.gguf"), &Memory::new(bytes));
    for at in 0..bytes.len() {
        assert!(open(bytes[..at].to_vec()).is_err(), "cut at {at}");
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = byte;
            drop(open(changed));
        }
    }
}

/// What Hugging Face's names are in llama.cpp: the longest end that fits is replaced.
const NAMES: &[(&str, &str)] = &[
    ("model.embed_tokens.weight", "token_embd.weight"),
    ("model.norm.weight", "output_norm.weight"),
    ("lm_head.weight", "output.weight"),
    (".input_layernorm.weight", ".attn_norm.weight"),
    (".self_attn.q_proj.weight", ".attn_q.weight"),
    (".self_attn.k_proj.weight", ".attn_k.weight"),
    (".self_attn.v_proj.weight", ".attn_v.weight"),
    (".self_attn.q_proj.bias", ".attn_q.bias"),
    (".self_attn.k_proj.bias", ".attn_k.bias"),
    (".self_attn.v_proj.bias", ".attn_v.bias"),
    (".self_attn.o_proj.weight", ".attn_output.weight"),
    (".self_attn.q_norm.weight", ".attn_q_norm.weight"),
    (".self_attn.k_norm.weight", ".attn_k_norm.weight"),
    (".self_attn.q_a_proj.weight", ".attn_q_a.weight"),
    (".self_attn.q_a_layernorm.weight", ".attn_q_a_norm.weight"),
    (".self_attn.q_b_proj.weight", ".attn_q_b.weight"),
    (".self_attn.kv_a_proj_with_mqa.weight", ".attn_kv_a_mqa.weight"),
    (".self_attn.kv_a_layernorm.weight", ".attn_kv_a_norm.weight"),
    (".self_attn.kv_b_proj.weight", ".attn_kv_b.weight"),
    (".post_feedforward_layernorm.weight", ".post_ffw_norm.weight"),
    (".pre_feedforward_layernorm.weight", ".ffn_norm.weight"),
    (".mlp.gate_proj.weight", ".ffn_gate.weight"),
    (".mlp.up_proj.weight", ".ffn_up.weight"),
    (".mlp.down_proj.weight", ".ffn_down.weight"),
    (".mlp.gate.weight", ".ffn_gate_inp.weight"),
    (".mlp.gate.e_score_correction_bias", ".exp_probs_b.bias"),
    (".mlp.shared_expert_gate.weight", ".ffn_gate_inp_shexp.weight"),
    (".mlp.shared_expert.gate_proj.weight", ".ffn_gate_shexp.weight"),
    (".mlp.shared_expert.up_proj.weight", ".ffn_up_shexp.weight"),
    (".mlp.shared_expert.down_proj.weight", ".ffn_down_shexp.weight"),
    (".mlp.shared_experts.gate_proj.weight", ".ffn_gate_shexp.weight"),
    (".mlp.shared_experts.up_proj.weight", ".ffn_up_shexp.weight"),
    (".mlp.shared_experts.down_proj.weight", ".ffn_down_shexp.weight"),
    (".mlp.experts.{j}.gate_proj.weight", ".ffn_gate_exps.weight"),
    (".mlp.experts.{j}.up_proj.weight", ".ffn_up_exps.weight"),
    (".mlp.experts.{j}.down_proj.weight", ".ffn_down_exps.weight"),
    (".block_sparse_moe.gate.weight", ".ffn_gate_inp.weight"),
    (".block_sparse_moe.experts.{j}.w1.weight", ".ffn_gate_exps.weight"),
    (".block_sparse_moe.experts.{j}.w3.weight", ".ffn_up_exps.weight"),
    (".block_sparse_moe.experts.{j}.w2.weight", ".ffn_down_exps.weight"),
];

/// A template as llama.cpp's converter would store it: other names, experts stacked.
fn converted(template: &Template, has_norm_behind: bool) -> Template {
    let behind = if has_norm_behind { ".post_attention_norm.weight" } else { ".ffn_norm.weight" };
    let own = [(".post_attention_layernorm.weight", behind)];
    let fits = |(theirs, _): &&(&str, &str)| template.name.ends_with(theirs);
    let (theirs, ours) = NAMES.iter().chain(&own).find(fits).unwrap_or_else(|| panic!("no name for {}", template.name));
    let layer = if theirs.starts_with('.') { "blk.{i}" } else { "" };
    let count: u32 = template.experts.iter().map(|it| it.end() - it.start() + 1).sum();
    let stacked = (count > 0).then_some(u64::from(count));
    let shape = stacked.into_iter().chain(template.shape.iter().copied()).collect();
    Template { name: format!("{layer}{ours}"), shape, experts: Vec::new(), ..template.clone() }
}

#[test]
fn models_under_the_names_of_llama_cpp_are_the_same_models() {
    let check = |name: &str| {
        let theirs = Catalog::builtin().find(name).unwrap().blueprint().unwrap();
        let has_norm_behind = theirs.templates().iter().any(|it| it.name.contains("pre_feedforward_layernorm"));
        let templates = theirs.templates().iter().filter(|it| !it.name.ends_with("rotary_emb.inv_freq"));
        let mut templates: Vec<Template> = templates.map(|it| converted(it, has_norm_behind)).collect();
        let rope = Template { name: "rope_freqs.weight".into(), shape: vec![64], ..templates[0].clone() };
        templates.push(rope);
        let ours = Blueprint::from_templates(templates, theirs.config().clone());
        let form = compare_blueprints(&ours, theirs);
        assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameUpToRenaming, true), "{name}: {form:#?}");
        let unknown = ours.template_facts().into_iter().find(|it| it.role == "unknown" || it.role.contains('|'));
        assert!(unknown.is_none_or(|it| it.template == "rope_freqs.weight"), "{name}");
    };
    check("meta-llama/Llama-2-7b-hf");
    check("Qwen/Qwen2-7B");
    check("Qwen/Qwen3-8B");
    check("google/gemma-2-9b");
    check("mistralai/Mixtral-8x7B-v0.1");
    check("Qwen/Qwen1.5-MoE-A2.7B");
    check("deepseek-ai/DeepSeek-V2-Lite");
}
