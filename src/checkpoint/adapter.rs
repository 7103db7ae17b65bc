//! Adapters in PEFT's layout: small matrices that change a base model, and no model themselves.

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

/// What every name in the weights of an adapter begins with.
const PREFIX: &str = "base_model.";

/// Whether a file is called as PEFT calls the weights of an adapter.
pub(crate) fn is_weights(name: &str) -> bool {
    name.strip_prefix("adapter_model.").is_some_and(|ending| !ending.is_empty() && !ending.contains('.'))
}

/// Whether tensors of these names are those of an adapter.
pub(crate) fn are_of_adapter<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.next().is_some_and(|first| first.starts_with(PREFIX)) && names.all(|it| it.starts_with(PREFIX))
}

impl Adapter {
    /// What a configuration says; a field of another kind than PEFT writes counts as not there.
    pub(crate) fn of(config: &Value) -> Self {
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let mut target_modules: Vec<String> = match config.get("target_modules") {
            Some(Value::String(pattern)) => vec![pattern.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(text).take(limits::ADAPTER_TARGETS).collect(),
            _ => Vec::new(),
        };
        target_modules.sort();
        target_modules.dedup();
        let base = config.get("base_model_name_or_path").and_then(text).filter(|it| !it.is_empty());
        Self { base, rank: config.get("r").and_then(Value::as_u64), target_modules }
    }

    /// One sentence for the finding.
    pub(crate) fn detail(&self) -> String {
        let base = self
            .base
            .as_ref()
            .map_or_else(|| "a base that is not named".into(), |it| format!("the base {}", shown(it)));
        let rank = self.rank.map_or_else(|| "an unknown rank".into(), |it| format!("rank {}", grouped(it)));
        let targets = match self.target_modules.as_slice() {
            [] => "modules that are not named".into(),
            names => list(names),
        };
        format!("it is an adapter to {base}, of {rank}, for {targets}; the base itself is not in these files")
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
    }

    #[test]
    fn no_more_targets_are_kept_than_the_limit() {
        let names: Vec<String> = (0..limits::ADAPTER_TARGETS * 2).map(|it| it.to_string()).collect();
        let adapter = Adapter::of(&serde_json::json!({ "target_modules": names }));
        assert_eq!(adapter.target_modules.len(), limits::ADAPTER_TARGETS);
    }

    #[test]
    fn adapters_are_told_by_the_names_of_all_their_tensors() {
        let lora = "base_model.model.layers.0.q_proj.lora_A.weight";
        assert!(are_of_adapter([lora, lora].into_iter()));
        assert!(!are_of_adapter([lora, "lm_head.weight"].into_iter()));
        assert!(!are_of_adapter(std::iter::empty()));
        assert!(is_weights("adapter_model.bin") && !is_weights("adapter_model.") && !is_weights("adapter_model.x.bin"));
    }
}
