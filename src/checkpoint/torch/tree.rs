//! From nested dictionaries to names: `{"a": {"b": tensor}}` is the tensor `a.b`.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::bytes::{counted, limits, shown};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::finding;
use crate::checkpoint::torch::problem::Problem;
use crate::checkpoint::torch::value::{Place, Value, Values, View};
use crate::fact::Finding;

/// Keys under which training programs keep the weights, beside the state of the optimiser and the like.
const WRAPPERS: &[&str] = &["state_dict", "model_state_dict", "model", "module"];

/// Where a module keeps its parts; no part of a name.
const PARTS: &[&str] = &["_parameters", "_buffers", "_modules"];

/// The tensors of a pickle under their names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// In the order of the pickle.
    pub(crate) tensors: Vec<(String, Arc<View>)>,
    /// The settings of the model that a training program keeps beside its weights.
    pub(crate) config: Option<Json>,
    pub(crate) findings: Vec<Finding>,
}

/// Names every tensor that can be reached from `root`.
pub(crate) fn named(values: &Values, root: Place) -> Result<Named, Problem> {
    let mut findings = Vec::new();
    let mut place = root;
    let mut config = None;
    while let Some((key, inner)) = wrapped(values, place)? {
        findings.push(wrapper(values, place, key)?);
        config = config.or_else(|| settings(values, place));
        place = inner;
    }
    let walk = walk(values, place)?;
    findings.extend(walk.other_values());
    Ok(Named { tensors: walk.tensors, config, findings })
}

/// Keys under which training programs keep what the model is built like, the surest first.
const SETTINGS: &[&str] = &["model_args", "model_config", "hyper_parameters", "config"];

/// How many settings are taken.
const MOST_SETTINGS: usize = 256;

/// The settings beside the weights: those that are plain values.
fn settings(values: &Values, place: Place) -> Option<Json> {
    let Value::Dict(items) = values.get(place) else { return None };
    let of_key = |key: &&str| {
        let (_, it) = items.iter().rev().find(|(name, _)| is_text(values, *name, key))?;
        let Value::Dict(fields) = values.get(*it) else { return None };
        let plain = fields.iter().filter_map(|(key, it)| match values.get(*key) {
            Value::Text(key) => Some((key.to_string(), plain(values.get(*it))?)),
            _ => None,
        });
        let fields: serde_json::Map<String, Json> = plain.take(MOST_SETTINGS).collect();
        (!fields.is_empty()).then_some(Json::Object(fields))
    };
    SETTINGS.iter().find_map(of_key)
}

fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(it) => Some((*it).into()),
        Value::Int(it) => Some((*it).into()),
        Value::Number(it) => it.parse().ok().and_then(serde_json::Number::from_f64).map(Json::Number),
        Value::Text(it) => Some((&**it).into()),
        _ => None,
    }
}

/// The weights inside a dictionary that holds none itself.
fn wrapped(values: &Values, place: Place) -> Result<Option<(&'static str, Place)>, Problem> {
    let Value::Dict(items) = values.get(place) else { return Ok(None) };
    if items.iter().any(|(_, it)| matches!(values.get(*it), Value::View(_))) {
        return Ok(None);
    }
    for key in WRAPPERS {
        let inner = items.iter().rev().find(|(name, _)| is_text(values, *name, key)).map(|(_, it)| *it);
        let inner = inner.filter(|it| *it != place && matches!(values.get(*it), Value::Dict(_) | Value::Call(_)));
        if let Some(inner) = inner.filter(|it| walk(values, *it).is_ok_and(|walk| !walk.tensors.is_empty())) {
            return Ok(Some((key, inner)));
        }
    }
    Ok(None)
}

fn wrapper(values: &Values, place: Place, key: &'static str) -> Result<Finding, Problem> {
    let Value::Dict(items) = values.get(place) else { return Ok(finding("wrapped-weights", Some(key), String::new())) };
    let mut left_out = Vec::new();
    let mut tensors = 0_usize;
    for (name, it) in items.iter().filter(|(name, _)| !is_text(values, *name, key)) {
        tensors = tensors.saturating_add(walk(values, *it)?.tensors.len());
        left_out.push(part(values, *name));
    }
    let beside = match left_out.len() {
        0 => "nothing stands beside it".to_owned(),
        _ => format!("beside it, and not described: {} with {}", list(&left_out), counted(tensors, "tensor")),
    };
    let detail = format!("the tensors stand under the key {}, which was left out of their names; {beside}", shown(key));
    Ok(finding("wrapped-weights", Some(key), detail))
}

fn is_text(values: &Values, place: Place, text: &str) -> bool {
    matches!(values.get(place), Value::Text(it) if &**it == text)
}

/// A key as part of a name.
fn part(values: &Values, key: Place) -> String {
    match values.get(key) {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        _ => values.described(key),
    }
}

fn walk(values: &Values, place: Place) -> Result<Walk<'_>, Problem> {
    let mut walk = Walk { values, tensors: Vec::new(), others: Vec::new(), other_count: 0, steps: 0 };
    walk.at("", place, 0)?;
    Ok(walk)
}

struct Walk<'a> {
    values: &'a Values,
    tensors: Vec<(String, Arc<View>)>,
    /// Names of the first few values that are no tensors.
    others: Vec<String>,
    other_count: usize,
    steps: usize,
}

/// How many values that are no tensors are named.
const OTHERS_NAMED: usize = 8;

impl Walk<'_> {
    fn at(&mut self, name: &str, place: Place, depth: usize) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > limits::PICKLE_VALUES {
            return Err(Problem::Repetition);
        }
        if depth > limits::PICKLE_DEPTH {
            return Err(Problem::Depth);
        }
        let deeper = depth.saturating_add(1);
        match self.values.get(place) {
            Value::View(view) => return self.tensor(name, view),
            Value::Dict(items) => {
                for (key, it) in items {
                    self.at(&self.joined(name, *key)?, *it, deeper)?;
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                for (number, it) in items.iter().enumerate() {
                    self.at(&join(name, &number.to_string())?, *it, deeper)?;
                }
            }
            Value::Call(call) => {
                for (key, it) in &call.items {
                    self.at(&self.joined(name, *key)?, *it, deeper)?;
                }
                if let Some(state) = call.state {
                    self.state(name, state, deeper)?;
                }
            }
            Value::Known(_) | Value::Import(_) => {}
            _ => self.other(name),
        }
        Ok(())
    }

    /// The attributes of an object. Where it keeps its parts is no part of their names.
    fn state(&mut self, name: &str, state: Place, depth: usize) -> Result<(), Problem> {
        let Value::Dict(items) = self.values.get(state) else { return self.at(name, state, depth) };
        for (key, it) in items {
            let is_part = PARTS.iter().any(|part| is_text(self.values, *key, part));
            let inner = if is_part { name.to_owned() } else { self.joined(name, *key)? };
            self.at(&inner, *it, depth)?;
        }
        Ok(())
    }

    fn tensor(&mut self, name: &str, view: &Arc<View>) -> Result<(), Problem> {
        if self.tensors.len() >= limits::TENSORS {
            return Err(Problem::TooManyTensors);
        }
        let name = if name.is_empty() { "tensor" } else { name };
        self.tensors.push((name.to_owned(), Arc::clone(view)));
        Ok(())
    }

    fn other(&mut self, name: &str) {
        self.other_count = self.other_count.saturating_add(1);
        if self.others.len() < OTHERS_NAMED && !name.is_empty() {
            self.others.push(name.to_owned());
        }
    }

    fn joined(&self, name: &str, key: Place) -> Result<String, Problem> {
        join(name, &part(self.values, key))
    }

    fn other_values(&self) -> Option<Finding> {
        let first = self.others.first()?;
        let count = counted(self.other_count, "value");
        let detail = format!("not described, as no tensor: {count}, the first of them {}", shown(first));
        Some(finding("other-values", Some(first), detail))
    }
}

fn join(name: &str, part: &str) -> Result<String, Problem> {
    let joined = if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    if joined.len() > limits::TENSOR_NAME {
        let why = format!("has a name longer than the limit of {} bytes", limits::TENSOR_NAME);
        return Err(Problem::Tensor { tensor: joined, why });
    }
    Ok(joined)
}
