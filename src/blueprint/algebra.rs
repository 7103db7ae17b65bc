//! Shapes in named dimensions: what each role should look like, checked against what it does look like.

use crate::blueprint::dimensions::Dimensions;

/// For each axis of a role the expressions that may hold, the likeliest first.
type Axes = &'static [&'static [&'static str]];

const HIDDEN: &[&str] = &["hidden"];
const QUERY: &[&str] = &["heads*head_dim", "query_width", "2*heads*head_dim"];
const KEY: &[&str] = &["kv_heads*head_dim", "key_value_width"];
const VALUE_IN: &[&str] = &["heads*head_dim", "heads*value_head_dim", "query_width"];
const FUSED: &[&str] = &["(heads+2*kv_heads)*head_dim", "query_width+2*key_value_width"];

/// What the shape of each role is made of; a role may have several shapes.
const ROLES: &[(&str, Axes)] = &[
    ("token_embedding", &[&["vocab"], HIDDEN]),
    ("token_embedding.norm", &[HIDDEN]),
    ("output", &[&["vocab"], HIDDEN]),
    ("output_norm", &[HIDDEN]),
    ("position_embedding", &[&["positions"], HIDDEN]),
    ("segment_embedding", &[&["segments"], HIDDEN]),
    ("pooler", &[HIDDEN, HIDDEN]),
    ("attention.query", &[QUERY, HIDDEN]),
    ("attention.key", &[KEY, HIDDEN]),
    ("attention.value", &[KEY, HIDDEN]),
    ("attention.query_key_value", &[FUSED, HIDDEN]),
    ("attention.output", &[HIDDEN, VALUE_IN]),
    ("attention.gate", &[QUERY, HIDDEN]),
    ("attention.query_norm", &[&["head_dim", "heads*head_dim", "query_width"]]),
    ("attention.key_norm", &[&["head_dim", "kv_heads*head_dim", "key_value_width"]]),
    ("attention.query_norm", &[&["heads"], &["head_dim"]]),
    ("attention.key_norm", &[&["kv_heads"], &["head_dim"]]),
    ("attention.inner_norm", &[VALUE_IN]),
    ("attention.sinks", &[&["heads"]]),
    ("attention.norm", &[HIDDEN]),
    ("attention.post_norm", &[HIDDEN]),
    ("attention.query_down", &[&["query_rank"], HIDDEN]),
    ("attention.query_down_norm", &[&["query_rank"]]),
    ("attention.query_up", &[&["heads*(nope_head_dim+rope_head_dim)"], &["query_rank"]]),
    ("attention.key_value_down", &[&["kv_rank+rope_head_dim"], HIDDEN]),
    ("attention.key_value_down_norm", &[&["kv_rank"]]),
    ("attention.key_value_up", &[&["heads*(nope_head_dim+value_head_dim)"], &["kv_rank"]]),
    ("ffn.gate", &[&["ffn"], HIDDEN]),
    ("ffn.up", &[&["ffn"], HIDDEN]),
    ("ffn.down", &[HIDDEN, &["ffn"]]),
    ("ffn.gate_up", &[&["2*ffn"], HIDDEN]),
    ("ffn.norm", &[HIDDEN]),
    ("ffn.post_norm", &[HIDDEN]),
    ("mixer.norm", &[HIDDEN]),
    ("expert.ffn.gate", &[&["expert_ffn"], HIDDEN]),
    ("expert.ffn.up", &[&["expert_ffn"], HIDDEN]),
    ("expert.ffn.down", &[HIDDEN, &["expert_ffn"]]),
    ("expert.ffn.gate_up", &[&["2*expert_ffn"], HIDDEN]),
    ("shared_expert.gate", &[&["shared_ffn"], HIDDEN]),
    ("shared_expert.up", &[&["shared_ffn"], HIDDEN]),
    ("shared_expert.down", &[HIDDEN, &["shared_ffn"]]),
    ("shared_expert.gate_up", &[&["2*shared_ffn"], HIDDEN]),
    ("shared_expert.router", &[&["1"], HIDDEN]),
    ("router", &[&["experts"], HIDDEN]),
    ("router.correction", &[&["experts"]]),
    ("ssm.in", &[&["2*inner"], HIDDEN]),
    ("ssm.out", &[HIDDEN, &["inner"]]),
    ("ssm.conv", &[&["inner"], &["1"], &["conv_kernel"]]),
    ("ssm.x", &[&["dt_rank+2*state"], &["inner"]]),
    ("ssm.dt", &[&["inner"], &["dt_rank"]]),
    ("ssm.a", &[&["inner"], &["state"]]),
    ("ssm.d", &[&["inner"]]),
    ("ssm.dt_norm", &[&["dt_rank"]]),
    ("ssm.b_norm", &[&["state"]]),
    ("ssm.c_norm", &[&["state"]]),
];

/// The shape of a tensor in named dimensions, the number itself where no name fits.
pub(crate) fn algebra(role: Option<&str>, shape: &[u64], dimensions: &Dimensions) -> Vec<String> {
    let role = role.map(|it| it.strip_prefix("prediction.").unwrap_or(it));
    let best = role.into_iter().flat_map(axes).find_map(|expected| {
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        fit(&expected, shape, dimensions)
            .or_else(|| stacked(&expected, shape, dimensions))
            .or_else(|| fit(&reversed, shape, dimensions))
    });
    best.unwrap_or_else(|| shape.iter().map(|it| plain_name(*it, dimensions)).collect())
}

/// The shapes a role may have. A bias has the first axis of its weight.
fn axes(role: &str) -> impl Iterator<Item = Vec<&'static [&'static str]>> {
    let (weight, is_bias) = role.strip_suffix(".bias").map_or((role, false), |it| (it, true));
    let known = ROLES.iter().filter(move |(known, _)| *known == weight);
    known.map(move |(_, axes)| if is_bias { axes[..1].to_vec() } else { axes.to_vec() })
}

fn fit(expected: &[&'static [&'static str]], shape: &[u64], dimensions: &Dimensions) -> Option<Vec<String>> {
    if expected.len() != shape.len() || expected.is_empty() {
        return None;
    }
    let axis = |(names, size): (&&[&'static str], &u64)| {
        let holds = |name: &&&str| evaluate(name, dimensions) == Some(*size);
        names.iter().find(holds).map(|it| (*it).to_owned())
    };
    expected.iter().zip(shape).map(axis).collect()
}

/// Experts stacked along an axis of their own, or along the rows.
fn stacked(expected: &[&'static [&'static str]], shape: &[u64], dimensions: &Dimensions) -> Option<Vec<String>> {
    let experts = dimensions.get("experts").filter(|it| *it > 1)?;
    let reversed: Vec<_> = expected.iter().rev().copied().collect();
    match shape {
        [count, rest @ ..] if *count == experts && rest.len() == expected.len() => {
            let one = fit(expected, rest, dimensions).or_else(|| fit(&reversed, rest, dimensions))?;
            Some(std::iter::once("experts".to_owned()).chain(one).collect())
        }
        [rows, columns] if rows % experts == 0 => {
            let one = [rows / experts, *columns];
            let mut one = fit(expected, &one, dimensions).or_else(|| fit(&reversed, &one, dimensions))?;
            one[0] = format!("experts*{}", one[0]);
            Some(one)
        }
        _ => None,
    }
}

/// The dimension of that size, where exactly one is.
fn plain_name(size: u64, dimensions: &Dimensions) -> String {
    let told = dimensions.told();
    let mut having = told.iter().filter(|(name, it)| *it == size && !matches!(*name, "layers" | "heads" | "kv_heads"));
    match (having.next(), having.next()) {
        (Some((name, _)), None) if size > 1 => (*name).to_owned(),
        _ => size.to_string(),
    }
}

/// The value of a sum of products of dimensions and numbers, with brackets; none where a dimension is not known.
fn evaluate(expression: &str, dimensions: &Dimensions) -> Option<u64> {
    let mut reader = Reader { rest: expression, dimensions };
    let value = reader.sum()?;
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    dimensions: &'a Dimensions,
}

impl Reader<'_> {
    fn sum(&mut self) -> Option<u64> {
        let mut total = self.product()?;
        while self.skip('+') {
            total = total.checked_add(self.product()?)?;
        }
        Some(total)
    }

    fn product(&mut self) -> Option<u64> {
        let mut total = self.atom()?;
        while self.skip('*') {
            total = total.checked_mul(self.atom()?)?;
        }
        Some(total)
    }

    fn atom(&mut self) -> Option<u64> {
        if self.skip('(') {
            let inner = self.sum()?;
            return self.skip(')').then_some(inner);
        }
        let end = self.rest.find(['+', '*', '(', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.parse().ok().or_else(|| self.dimensions.get(word))
    }

    fn skip(&mut self, symbol: char) -> bool {
        self.rest.strip_prefix(symbol).map(|it| self.rest = it).is_some()
    }
}
