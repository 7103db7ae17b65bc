//! What a configuration says about packing.

use serde_json::Value;

/// Where programs keep what they say about packing; the first that is there counts.
const FIELDS: &[&str] = &["quantization_config", "quantization", "compression_config"];

/// Where models of several towers keep the language model's own fields.
const NESTED: &[&str] = &["text_config", "language_config", "llm_config"];

/// How programs call a setting.
const ALIASES: &[(&str, &[&str])] =
    &[("bits", &["bits", "num_bits", "w_bit", "wbits"]), ("group_size", &["group_size", "q_group_size"])];

/// The object that a configuration has about packing; empty where it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    stated: Value,
    /// Whether the model comes with the graph that says how it is computed with.
    pub(crate) is_graph: bool,
}

impl Settings {
    /// What the fields of a configuration say.
    pub(crate) fn of<'a>(field: &dyn Fn(&str) -> Option<&'a Value>, is_graph: bool) -> Self {
        let here = FIELDS.iter().find_map(|it| field(it)).filter(|it| it.is_object());
        let nested = || NESTED.iter().find_map(|it| FIELDS.iter().find_map(|inner| field(it)?.get(*inner)));
        Self { stated: here.or_else(nested).cloned().unwrap_or_default(), is_graph }
    }

    /// A field that is a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.stated.get(key)?.as_str()
    }

    /// Sizes of a block, rows first.
    pub(crate) fn block(&self) -> Option<[u64; 2]> {
        let sizes = self.stated.get("weight_block_size")?.as_array()?;
        Some([sizes.first()?.as_u64()?, sizes.get(1)?.as_u64()?])
    }

    /// A number that is stated of a module, or of all of them.
    pub(crate) fn number(&self, module: &str, key: &str) -> Option<u64> {
        let names = ALIASES.iter().find(|it| it.0 == key).map_or(&[][..], |it| it.1);
        let of = |object: &Value| names.iter().find_map(|name| object.get(*name)?.as_u64());
        // MLX and AutoRound name single modules; compressed-tensors has groups, which must agree to tell anything.
        let own = [&self.stated, self.stated.get("extra_config").unwrap_or(&Value::Null)];
        let own = own.iter().find_map(|it| of(it.get(module)?));
        own.or_else(|| of(&self.stated)).or_else(|| self.of_groups(&of))
    }

    fn of_groups(&self, of: &dyn Fn(&Value) -> Option<u64>) -> Option<u64> {
        let groups = self.stated.get("config_groups")?.as_object()?;
        let mut numbers = groups.values().map(|it| of(it.get("weights")?));
        let first = numbers.next()??;
        numbers.all(|it| it == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(config: &Value) -> Settings {
        Settings::of(&|field| config.get(field), false)
    }

    #[test]
    fn a_module_of_its_own_goes_before_what_is_said_of_all() {
        let mlx =
            json!({"quantization": {"group_size": 64, "bits": 4, "model.layers.0.mlp": {"group_size": 32, "bits": 8}}});
        let found = settings(&mlx);
        assert_eq!((found.number("model.layers.0.mlp", "bits"), found.number("other", "bits")), (Some(8), Some(4)));
        assert_eq!(found.number("model.layers.0.mlp", "group_size"), Some(32));
    }

    #[test]
    fn groups_that_disagree_tell_nothing() {
        let of = |bits: [u64; 2]| {
            let group = |it: u64| json!({"weights": {"num_bits": it}});
            let groups = json!({"config_groups": {"a": group(bits[0]), "b": group(bits[1])}});
            settings(&json!({"text_config": {"quantization_config": groups}})).number("x", "bits")
        };
        assert_eq!((of([4, 4]), of([4, 8])), (Some(4), None));
        assert_eq!(settings(&json!({"quantization_config": null})), Settings::default());
    }
}
