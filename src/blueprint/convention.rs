//! In which order programs write rows, and what they add to numbers: data, and what undoes each.
//!
//! The canonical form is that of Hugging Face's Llama: queries, keys and values one behind the other, the two halves
//! of a head that rotate together apart, gates before ups, norms as they multiply, matrices `[out, in]`. Where a
//! configuration or the names do not say which form a file has, the candidates are told and whoever compares must try
//! them.

use crate::blueprint::Blueprint;
use crate::blueprint::config::Config;

/// What brings a tensor into the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Neighbors of a head rotate together: its even rows come first.
    RotaryNeighbors,
    /// Query, key and value head by head: all queries first.
    ByHead,
    /// The queries of a group, its key and its value, group by group: all queries first.
    ByGroup,
    /// Gate and up rows take turns: all gates first.
    Alternating,
    /// Numbers are stored less one.
    AddOne,
    /// Rows and columns are exchanged.
    Turned,
}

/// How many heads a projection has, and the size of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Heads of the queries.
    pub queries: u64,
    /// Heads of the keys, and of the values.
    pub keys: u64,
    /// Rows of one head.
    pub size: u64,
}

/// One convention.
#[derive(Debug)]
pub struct Convention {
    /// Its id in the list of all layouts.
    pub layout: &'static str,
    /// What brings it into the canonical form.
    pub conversion: Conversion,
    /// The roles that it may be about; one that ends in a point stands for all that begin so.
    roles: &'static [&'static str],
    /// What `model_type` says of models that are written so by Hugging Face's own library.
    families: &'static [&'static str],
    /// Words of tensors that only programs have which write so.
    words: &'static [&'static str],
}

/// Every convention.
pub const CONVENTIONS: &[Convention] = &[
    Convention {
        layout: "rotary-neighbors",
        conversion: Conversion::RotaryNeighbors,
        roles: &["attention.query", "attention.key"],
        families: &[],
        words: &["tok_embeddings"],
    },
    Convention {
        layout: "qkv-by-head",
        conversion: Conversion::ByHead,
        roles: &["attention.query_key_value"],
        families: &["bloom", "gpt_neox", "gpt_neox_japanese", "persimmon"],
        words: &[],
    },
    Convention {
        layout: "qkv-by-group",
        conversion: Conversion::ByGroup,
        roles: &["attention.query_key_value"],
        families: &["falcon", "internlm2", "RefinedWeb", "RefinedWebModel"],
        words: &["wqkv"],
    },
    Convention {
        layout: "gate-up-alternating",
        conversion: Conversion::Alternating,
        roles: &["ffn.gate_up", "expert.ffn.gate_up", "shared_expert.gate_up"],
        families: &["gpt_oss"],
        words: &[],
    },
    Convention {
        layout: "norm-about-zero",
        conversion: Conversion::AddOne,
        roles: &[
            "attention.norm",
            "ffn.norm",
            "attention.post_norm",
            "ffn.post_norm",
            "output_norm",
            "attention.query_norm",
            "attention.key_norm",
        ],
        families: &[
            "gemma",
            "gemma2",
            "gemma3",
            "gemma3_text",
            "gemma3n_text",
            "nemotron",
            "qwen3_5",
            "qwen3_next",
            "recurrent_gemma",
        ],
        words: &[],
    },
    Convention {
        layout: "linear-turned",
        conversion: Conversion::Turned,
        roles: &["attention.", "ffn.", "expert.ffn.", "output"],
        families: &["gpt2", "llama4", "llama4_text", "openai-gpt"],
        words: &["gate_up_fused_proj"],
    },
];

/// A convention that a tensor may be written in.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Which one.
    pub convention: &'static Convention,
    /// Whether the configuration or the names say so; otherwise it is only possible.
    pub is_stated: bool,
}

impl Convention {
    fn is_about(&self, role: &str) -> bool {
        self.roles.iter().any(|it| *it == role || it.ends_with('.') && role.starts_with(it))
    }

    fn is_stated(&self, config: &Config, names: &[&str]) -> bool {
        let family = config.get("model_type").and_then(|it| it.as_str()).unwrap_or_default();
        let has_word = |word: &&str| names.iter().any(|name| name.split(['.', '/']).any(|it| it == *word));
        self.families.contains(&family) || self.words.iter().any(has_word)
    }
}

impl Blueprint {
    /// Every convention that tensors of a role may be written in, those that are stated first.
    pub fn conventions(&self, role: &str) -> Vec<Candidate> {
        let names: Vec<&str> = self.templates().iter().map(|it| it.name.as_str()).collect();
        let about = CONVENTIONS.iter().filter(|it| it.is_about(role));
        let mut all: Vec<Candidate> =
            about.map(|it| Candidate { convention: it, is_stated: it.is_stated(self.config(), &names) }).collect();
        all.sort_by_key(|it| !it.is_stated);
        all
    }
}

impl Conversion {
    /// Which stored row each canonical one is, of a matrix of so many rows; none where heads and rows do not fit
    /// together, or rows stay where they are.
    pub fn rows(self, rows: u64, heads: Heads) -> Option<Vec<u64>> {
        match self {
            Self::RotaryNeighbors => neighbors(rows, heads.size),
            Self::ByHead if heads.keys == heads.queries => grouped(rows, heads),
            Self::ByGroup => grouped(rows, heads),
            Self::Alternating => alternating(rows),
            Self::ByHead | Self::AddOne | Self::Turned => None,
        }
    }
}

/// Row `i` of the first half of a head is stored at `2 i`, of the second at `2 i + 1`.
fn neighbors(rows: u64, size: u64) -> Option<Vec<u64>> {
    let half = size.checked_div(2).filter(|it| *it > 0 && it * 2 == size && rows.is_multiple_of(size))?;
    let stored = |row: u64| {
        let (head, at) = (row / size, row % size);
        head * size + at % half * 2 + at / half
    };
    Some((0..rows).map(stored).collect())
}

/// A group is its queries, its key and its value; a head with a key of its own is a group.
fn grouped(rows: u64, Heads { queries, keys, size }: Heads) -> Option<Vec<u64>> {
    let each = queries.checked_div(keys).filter(|it| it.checked_mul(keys) == Some(queries) && *it > 0)?;
    let heads = queries.checked_add(keys.checked_mul(2)?)?;
    let fits = size > 0 && heads.checked_mul(size) == Some(rows);
    let first_of = |head: u64| match head.checked_sub(queries) {
        None => head / each * (each + 2) + head % each,
        Some(key) if key < keys => key * (each + 2) + each,
        Some(key) => (key - keys) * (each + 2) + each + 1,
    };
    fits.then(|| (0..rows).map(|row| first_of(row / size) * size + row % size).collect())
}

fn alternating(rows: u64) -> Option<Vec<u64>> {
    let half = rows / 2;
    (half * 2 == rows && half > 0).then(|| (0..rows).map(|row| row % half * 2 + row / half).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::checkpoint::{About, Data, LAYOUTS};

    /// A matrix of a member of the families as rows.
    fn rows_of(name: &str) -> Vec<Vec<f32>> {
        let data = Data::open(Path::new("tests/families/small/base_a")).unwrap();
        let values = data.find(name).unwrap();
        let columns = values.shape.get(1).copied().unwrap_or(1) as usize;
        data.read(values, 0..values.elements()).unwrap().chunks(columns).map(<[f32]>::to_vec).collect()
    }

    fn heads_of() -> Heads {
        let config = std::fs::read_to_string("tests/families/small/base_a/config.json").unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        let number = |key: &str| config.get(key).and_then(serde_json::Value::as_u64);
        let (queries, keys) = (number("num_attention_heads").unwrap(), number("num_key_value_heads").unwrap());
        let size = number("head_dim").unwrap_or_else(|| number("hidden_size").unwrap() / queries);
        Heads { queries, keys, size }
    }

    #[track_caller]
    fn check(conversion: Conversion, canonical: &[Vec<f32>], stored: &[Vec<f32>], heads: Heads) {
        assert_ne!(canonical, stored, "the layout changes nothing here");
        let rows = conversion.rows(stored.len() as u64, heads).unwrap();
        let found: Vec<Vec<f32>> = rows.iter().map(|row| stored[*row as usize].clone()).collect();
        assert_eq!(found, canonical);
    }

    const BLOCK: &str = "model.layers.1";

    #[test]
    fn rows_that_meta_weaves_are_those_of_the_plain_member_again() {
        let heads = heads_of();
        for name in ["q_proj", "k_proj"] {
            let plain = rows_of(&format!("{BLOCK}.self_attn.{name}.weight"));
            let mut stored = Vec::new();
            for head in plain.chunks(heads.size as usize) {
                let (first, second) = head.split_at(heads.size as usize / 2);
                stored.extend(first.iter().zip(second).flat_map(|(one, other)| [one.clone(), other.clone()]));
            }
            check(Conversion::RotaryNeighbors, &plain, &stored, heads);
        }
    }

    #[test]
    fn fused_projections_by_group_and_by_head_are_those_of_the_plain_member_again() {
        let heads = heads_of();
        let [query, key, value] =
            ["q_proj", "k_proj", "v_proj"].map(|it| rows_of(&format!("{BLOCK}.self_attn.{it}.weight")));
        let size = heads.size as usize;
        let each = (heads.queries / heads.keys) as usize * size;
        let mut stored = Vec::new();
        for group in 0..heads.keys as usize {
            stored.extend_from_slice(&query[group * each..(group + 1) * each]);
            stored.extend_from_slice(&key[group * size..(group + 1) * size]);
            stored.extend_from_slice(&value[group * size..(group + 1) * size]);
        }
        check(Conversion::ByGroup, &[query.clone(), key, value].concat(), &stored, heads);
        // With a key for each query: the same query stands for all three, in three signs.
        let signed =
            |sign: f32| query.iter().map(|row| row.iter().map(|it| it * sign).collect()).collect::<Vec<Vec<f32>>>();
        let parts = [signed(1.0), signed(2.0), signed(3.0)];
        let by_head: Vec<Vec<f32>> = (0..heads.queries as usize)
            .flat_map(|head| parts.iter().flat_map(move |it| it[head * size..(head + 1) * size].to_vec()))
            .collect();
        check(Conversion::ByHead, &parts.concat(), &by_head, Heads { keys: heads.queries, ..heads });
    }

    #[test]
    fn gates_and_ups_that_take_turns_are_those_of_the_plain_member_again() {
        let [gate, up] = ["gate_proj", "up_proj"].map(|it| rows_of(&format!("{BLOCK}.mlp.{it}.weight")));
        let stored: Vec<Vec<f32>> =
            gate.iter().zip(&up).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
        check(Conversion::Alternating, &[gate, up].concat(), &stored, heads_of());
    }

    #[test]
    fn heads_that_do_not_fit_are_refused() {
        let heads = |queries, keys, size| Heads { queries, keys, size };
        assert_eq!(Conversion::RotaryNeighbors.rows(12, heads(2, 2, 3)), None);
        assert_eq!(Conversion::RotaryNeighbors.rows(12, heads(2, 2, 0)), None);
        assert_eq!(Conversion::ByGroup.rows(12, heads(3, 2, 2)), None);
        assert_eq!(Conversion::ByGroup.rows(16, heads(u64::MAX, 1, 2)), None);
        assert_eq!(Conversion::ByHead.rows(16, heads(4, 2, 2)), None);
        assert_eq!(Conversion::Alternating.rows(3, heads(1, 1, 1)), None);
        assert_eq!(Conversion::AddOne.rows(4, heads(1, 1, 1)), None);
    }

    #[test]
    fn what_configuration_and_names_say_goes_first() {
        let of = |model_type: &str, name: &str, role: &str| {
            let config = Config::new(&json!({ "model_type": model_type }));
            let shape: &[u64] = &[24, 8];
            let blueprint = Blueprint::from_tensors([(name, "F32", shape)], config);
            let all = blueprint.conventions(role);
            all.iter().map(|it| (it.convention.layout, it.is_stated)).collect::<Vec<_>>()
        };
        let fused = "attention.query_key_value";
        assert_eq!(of("gpt_neox", "x", fused)[..2], [("qkv-by-head", true), ("qkv-by-group", false)]);
        assert_eq!(of("own", "layers.0.attention.wqkv.weight", fused)[0], ("qkv-by-group", true));
        assert_eq!(of("gemma3_text", "x", "output_norm"), [("norm-about-zero", true)]);
        assert_eq!(of("own", "x", "output_norm"), [("norm-about-zero", false)]);
        assert_eq!(of("own", "tok_embeddings.weight", "attention.key")[0], ("rotary-neighbors", true));
        assert_eq!(of("gpt_oss", "x", "expert.ffn.gate_up")[0], ("gate-up-alternating", true));
    }

    #[test]
    fn every_order_in_the_list_of_layouts_is_here() {
        let listed: Vec<&str> = LAYOUTS.iter().filter(|it| it.about == About::Order).map(|it| it.id).collect();
        assert_eq!(listed, CONVENTIONS.iter().map(|it| it.layout).collect::<Vec<_>>());
    }
}
