//! Adapters: small matrices that change a base model, and no model themselves. Programs differ in what they call the
//! two factors of a change and which way round they store them; read as numbers, all are told as PEFT tells them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bytes::{grouped, limits, shown};
use crate::checkpoint::error::list;

/// What the configuration of an adapter says; all of it are words of a stranger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// The model that it changes, as its author calls it: a repository, or a path on the author's disk.
    pub base: Option<String>,
    /// The rank of its matrices.
    pub rank: Option<u64>,
    /// Which modules of the base it changes, sorted; a single text may be a pattern for their names.
    pub target_modules: Vec<String>,
}

/// How the configuration of an adapter is called.
pub(crate) const CONFIG: &str = "adapter_config.json";

/// The layout that needs no word.
const USUAL: &str = "adapter-peft";

/// What PEFT puts in front of every name.
const PREFIX: &str = "base_model.model.";

/// How one program calls the two factors of a change.
struct Dialect {
    /// Its id in the list of all layouts.
    layout: &'static str,
    /// What stands behind the module for the factor that reads, and for the one that writes.
    factors: [&'static str; 2],
    /// Whether the factors are stored `[in, rank]` and `[rank, out]`.
    is_turned: bool,
    /// What the program calls a module of its own, and how Hugging Face calls it.
    modules: &'static [(&'static str, &'static str)],
}

/// llama.cpp's words. Rows of queries and keys may be in an order of its own, and how many heads there are does not
/// stand in an adapter, so these two keep a name that says so.
const GGUF_MODULES: &[(&str, &str)] = &[
    ("attn_q", "self_attn.attn_q"),
    ("attn_k", "self_attn.attn_k"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// In the order in which they are tried: the longer ends first.
const DIALECTS: &[Dialect] = &[
    Dialect {
        layout: "adapter-gguf",
        factors: [".weight.lora_a", ".weight.lora_b"],
        is_turned: false,
        modules: GGUF_MODULES,
    },
    Dialect {
        layout: "adapter-peft",
        factors: [".lora_A.default.weight", ".lora_B.default.weight"],
        is_turned: false,
        modules: &[],
    },
    Dialect { layout: "adapter-peft", factors: [".lora_A.weight", ".lora_B.weight"], is_turned: false, modules: &[] },
    Dialect { layout: "adapter-peft", factors: [".lora_A", ".lora_B"], is_turned: false, modules: &[] },
    Dialect {
        layout: "adapter-torchtune",
        factors: [".lora_a.weight", ".lora_b.weight"],
        is_turned: false,
        modules: &[],
    },
    Dialect { layout: "adapter-mlx", factors: [".lora_a", ".lora_b"], is_turned: true, modules: &[] },
];

/// The id of the layout that the factors among these names are written in.
pub(crate) fn layout_of<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    names.find_map(|name| factor(name)).map(|it| it.2.layout)
}

/// Words of matrices and vectors that only an adapter has.
const WORDS: &[&str] = &["lora_", "hada_w", "ia3_l", "vera_lambda", "oft_", "boft_", "lokr_w", "prompt_embeddings"];

/// Whether a file is called as PEFT or MLX calls the weights of an adapter; MLX numbers those that it saves on the way.
pub(crate) fn is_weights(name: &str) -> bool {
    let numbered = name.split_once('_').filter(|it| !it.0.is_empty() && it.0.bytes().all(|it| it.is_ascii_digit()));
    is_last_weights(name) || numbered.is_some_and(|it| it.1.starts_with("adapters."))
}

/// Whether a file is called as those weights of an adapter that were saved last.
pub(crate) fn is_last_weights(name: &str) -> bool {
    let ending = name.strip_prefix("adapter_model.").or_else(|| name.strip_prefix("adapters."));
    ending.is_some_and(|ending| !ending.is_empty() && !ending.contains('.'))
}

/// The module that a factor changes, which of the two it is, and how it is written.
fn factor(name: &str) -> Option<(&str, usize, &'static Dialect)> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    DIALECTS.iter().find_map(|dialect| {
        let (side, module) =
            (0..).zip(dialect.factors).find_map(|(side, end)| Some((side, name.strip_suffix(end)?)))?;
        Some((module, side, dialect))
    })
}

/// Whether tensors of these names are those of an adapter: they change modules whose own weights are not among them.
pub(crate) fn are_of_adapter<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: BTreeSet<&str> = names.map(|it| it.strip_prefix(PREFIX).unwrap_or(it)).collect();
    let modules: BTreeSet<&str> = names.iter().filter_map(|it| factor(it)).map(|it| it.0).collect();
    let is_there = |end: &str, module: &str| names.contains(format!("{module}{end}").as_str());
    let has_base = |it: &&&str| [".weight", ".base_layer.weight"].iter().any(|end| is_there(end, it));
    let with_base = modules.iter().filter(has_base).count();
    !modules.is_empty() && with_base.saturating_mul(2) < modules.len()
}

/// Whether a file that is called as an adapter's may be one: most of its tensors are what only adapters have, or
/// there are few of them.
pub(crate) fn may_be_adapter<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    const FEW: usize = 8;
    let names: Vec<&str> = names.collect();
    let words = names.iter().filter(|name| WORDS.iter().any(|it| name.contains(it))).count();
    words > 0 || names.len() <= FEW
}

/// How a factor is told: under PEFT's name, and whether rows and columns are to be exchanged.
pub(crate) fn canonical(name: &str) -> Option<(String, bool)> {
    let (module, side, dialect) = factor(name)?;
    let module = match module.rsplit_once('.') {
        Some((front, own)) if !dialect.modules.is_empty() => {
            let plain = dialect.modules.iter().find(|it| it.0 == own).map_or(own, |it| it.1);
            format!("{}.{plain}", front.replacen("blk.", "model.layers.", 1))
        }
        _ => module.to_owned(),
    };
    let end = if side == 0 { "lora_A" } else { "lora_B" };
    Some((format!("{PREFIX}{module}.{end}.weight"), dialect.is_turned))
}

impl Adapter {
    /// What a configuration says; a field of another kind than PEFT or MLX writes counts as not there.
    pub(crate) fn of(config: &Value) -> Self {
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let inner = config.get("lora_parameters").unwrap_or(&Value::Null);
        let field = |names: &[&str]| names.iter().find_map(|it| config.get(*it).or_else(|| inner.get(*it)));
        let mut target_modules: Vec<String> = match field(&["target_modules", "keys"]) {
            Some(Value::String(pattern)) => vec![pattern.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(text).take(limits::ADAPTER_TARGETS).collect(),
            _ => Vec::new(),
        };
        target_modules.sort();
        target_modules.dedup();
        let base = field(&["base_model_name_or_path", "model"]).and_then(text).filter(|it| !it.is_empty());
        Self { base, rank: field(&["r", "rank"]).and_then(Value::as_u64), target_modules }
    }

    /// One sentence for the finding; `layout` is how its factors are written, where that is known.
    pub(crate) fn detail(&self, layout: Option<&str>) -> String {
        let base = self
            .base
            .as_ref()
            .map_or_else(|| "a base that is not named".into(), |it| format!("the base {}", shown(it)));
        let rank = self.rank.map_or_else(|| "an unknown rank".into(), |it| format!("rank {}", grouped(it)));
        let targets = match self.target_modules.as_slice() {
            [] => "modules that are not named".into(),
            names => list(names),
        };
        let written = layout.filter(|it| *it != USUAL).map_or_else(String::new, |it| format!(", written as `{it}`"));
        format!("it is an adapter to {base}, of {rank}, for {targets}{written}; the base itself is not in these files")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &str, base: Option<&str>, rank: Option<u64>, targets: &[&str]) {
        let expected = Adapter {
            base: base.map(str::to_owned),
            rank,
            target_modules: targets.iter().map(|it| (*it).to_owned()).collect(),
        };
        assert_eq!(Adapter::of(&serde_json::from_str(config).unwrap()), expected);
    }

    #[test]
    fn fields_of_another_kind_are_not_there() {
        let usual = r#"{"base_model_name_or_path":"org/base","r":8,"target_modules":["v_proj","q_proj","v_proj"]}"#;
        check(usual, Some("org/base"), Some(8), &["q_proj", "v_proj"]);
        check(r#"{"base_model_name_or_path":"","r":-1,"target_modules":"all-linear"}"#, None, None, &["all-linear"]);
        check(r#"{"base_model_name_or_path":[1],"r":"8","target_modules":[1,{},"q"]}"#, None, None, &["q"]);
        check("{}", None, None, &[]);
        let mlx = r#"{"model":"org/base","lora_parameters":{"rank":8,"keys":["self_attn.q_proj"]}}"#;
        check(mlx, Some("org/base"), Some(8), &["self_attn.q_proj"]);
    }

    #[test]
    fn no_more_targets_are_kept_than_the_limit() {
        let names: Vec<String> = (0..limits::ADAPTER_TARGETS * 2).map(|it| it.to_string()).collect();
        let adapter = Adapter::of(&serde_json::json!({ "target_modules": names }));
        assert_eq!(adapter.target_modules.len(), limits::ADAPTER_TARGETS);
    }

    #[test]
    fn adapters_change_modules_whose_weights_are_not_there() {
        let are = |names: &[&str]| are_of_adapter(names.iter().copied());
        assert!(are(&["base_model.model.model.layers.0.q_proj.lora_A.weight"]));
        assert!(are(&["layers.0.q_proj.lora_a", "layers.0.q_proj.lora_b"]));
        assert!(are(&["blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"]));
        // A full copy of the head beside the factors of other modules is saved with some adapters.
        assert!(are(&["base_model.model.h.0.q.lora_A.weight", "base_model.model.lm_head.weight"]));
        // A whole model under PEFT's names is one, with factors beside its weights or without any.
        assert!(!are(&["base_model.model.h.0.q.lora_A.weight", "base_model.model.h.0.q.base_layer.weight"]));
        assert!(!are(&["h.0.q.lora_A.default.weight", "h.0.q.weight"]));
        assert!(!are(&["base_model.model.h.0.q.weight"]));
        assert!(!are(&[]));
    }

    #[test]
    fn factors_of_every_program_get_one_name() {
        let check = |name: &str, expected: &str, is_turned: bool| {
            assert_eq!(canonical(name), Some((format!("base_model.model.{expected}"), is_turned)));
        };
        let plain = "model.layers.3.self_attn.v_proj.lora_B.weight";
        check(&format!("base_model.model.{plain}"), plain, false);
        check(plain, plain, false);
        check("model.layers.3.self_attn.v_proj.lora_B.default.weight", plain, false);
        check("model.layers.3.self_attn.v_proj.lora_b", plain, true);
        check("model.layers.3.self_attn.v_proj.lora_b.weight", plain, false);
        check("blk.3.attn_v.weight.lora_b", plain, false);
        check("blk.3.ffn_up.weight.lora_a", "model.layers.3.mlp.up_proj.lora_A.weight", false);
        assert_eq!(canonical("model.layers.3.self_attn.v_proj.weight"), None);
    }

    #[test]
    fn every_dialect_is_in_the_list_of_layouts() {
        use crate::checkpoint::{About, LAYOUTS};
        let listed: BTreeSet<&str> = LAYOUTS.iter().filter(|it| it.about == About::Adapter).map(|it| it.id).collect();
        assert_eq!(listed, DIALECTS.iter().map(|it| it.layout).collect());
    }

    #[test]
    fn files_are_called_as_their_programs_call_them() {
        assert!(is_weights("adapter_model.bin") && !is_weights("adapter_model.") && !is_weights("adapter_model.x.bin"));
        assert!(is_weights("0000100_adapters.safetensors") && !is_last_weights("0000100_adapters.safetensors"));
        assert!(!is_weights("my_adapters.safetensors"));
        assert!(is_weights("adapters.safetensors") && !is_weights("adapters.safetensors.index.json"));
        assert!(may_be_adapter(["prompt_embeddings"].into_iter()));
        assert!(!may_be_adapter((0..9).map(|_| "base_model.model.h.0.q.weight")));
    }
}
