//! How the few known names turn their arguments into storages, tensors and dictionaries.

use std::sync::Arc;

use crate::bytes::{grouped, limits, shown};
use crate::checkpoint::torch::value::{BYTE, Call, ElementType, Known, Place, Storage, Value, Values, View};

/// What was found, and what was expected.
type Wrong = (String, &'static str);

/// A storage from its persistent id: `('storage', class, key, device, elements)`, in older files with a view behind it.
pub(crate) fn storage(values: &Values, id: Place) -> Result<Value, Wrong> {
    let wrong = || (values.described(id), "('storage', class, key, device, number of elements)");
    let Value::Tuple(fields) = values.get(id) else { return Err(wrong()) };
    let (Some([kind, class, key, _device, elements]), view) = (fields.first_chunk(), fields.get(5)) else {
        return Err(wrong());
    };
    if !matches!(values.get(*kind), Value::Text(kind) if &**kind == "storage") {
        return Err(wrong());
    }
    if !view.is_none_or(|view| matches!(values.get(*view), Value::None)) || fields.len() > 6 {
        return Err((values.described(id), "a storage that is no view of another one"));
    }
    let element = match values.get(*class) {
        Value::Known(Known::Storage(element)) => *element,
        Value::Known(Known::Untyped) => BYTE,
        Value::Import(_) | Value::Call(_) => return Ok(undescribed(values, *class)),
        _ => return Err((values.described(*class), "a storage class")),
    };
    let key = match values.get(*key) {
        Value::Text(key) if !key.is_empty() && key.len() <= limits::TENSOR_NAME => Arc::clone(key),
        Value::Int(key) => key.to_string().into(),
        _ => return Err((values.described(*key), "a short text as key of a storage")),
    };
    let bytes = whole(values, *elements)?.checked_mul(element.bytes);
    let bytes = bytes.ok_or_else(|| (values.described(*elements), "a size that fits into 64 bits"))?;
    Ok(Value::Storage(Box::new(Storage { key, element, bytes })))
}

/// What a known name gives for these arguments.
pub(crate) fn known(values: &Values, name: Known, arguments: Place) -> Result<Value, Wrong> {
    let Value::Tuple(fields) = values.get(arguments) else {
        return Err((values.described(arguments), "a tuple of arguments"));
    };
    match name {
        Known::OrderedDict => ordered(values, fields),
        Known::Parameter => match fields.first().map(|it| (it, values.get(*it))) {
            Some((_, Value::View(view))) => Ok(Value::View(Arc::clone(view))),
            Some((it, Value::Call(_) | Value::Import(_))) => Ok(undescribed(values, *it)),
            _ => Err((values.described(arguments), "a tensor as the first argument")),
        },
        _ => tensor(values, name, arguments, fields),
    }
}

/// A dictionary, empty or of pairs as Python 2 wrote them.
fn ordered(values: &Values, fields: &[Place]) -> Result<Value, Wrong> {
    let Some(first) = fields.first() else { return Ok(Value::Dict(Vec::new())) };
    let wrong = || (values.described(*first), "a list of pairs");
    let (Value::List(items) | Value::Tuple(items)) = values.get(*first) else { return Err(wrong()) };
    let pair = |item: &Place| match values.get(*item) {
        Value::List(pair) | Value::Tuple(pair) => pair.as_array::<2>().map(|[key, value]| (*key, *value)),
        _ => None,
    };
    items.iter().map(|item| pair(item).ok_or_else(wrong)).collect::<Result<_, _>>().map(Value::Dict)
}

fn tensor(values: &Values, name: Known, arguments: Place, fields: &[Place]) -> Result<Value, Wrong> {
    let Some([storage, offset, shape, strides]) = fields.first_chunk() else {
        return Err((values.described(arguments), "a storage, an offset, sizes and strides"));
    };
    let mut needed = vec![*storage, *offset, *shape, *strides];
    needed.extend(if name == Known::TensorOfType { fields.get(6) } else { None });
    if let Some(it) = needed.iter().find(|it| matches!(values.get(**it), Value::Call(_) | Value::Import(_))) {
        return Ok(undescribed(values, *it));
    }
    let Value::Storage(over) = values.get(*storage) else { return Err((values.described(*storage), "a storage")) };
    let element = match (name, fields.get(6).map(|it| values.get(*it))) {
        (Known::Tensor, _) => over.element,
        (_, Some(Value::Known(Known::ElementType(element)))) => *element,
        _ => return Err((values.described(arguments), "an element type as the seventh argument")),
    };
    let (offset, shape, strides) = (whole(values, *offset)?, sizes(values, *shape)?, sizes(values, *strides)?);
    if shape.len() != strides.len() {
        let found = format!("{} sizes and {} strides", shape.len(), strides.len());
        return Err((found, "as many strides as sizes"));
    }
    let (begin, end) = extent(element, offset, &shape, &strides).ok_or_else(|| {
        (format!("the shape {shape:?} with the strides {strides:?}"), "a size that fits into 64 bits")
    })?;
    if end > over.bytes {
        let (key, bytes) = (shown(&over.key), grouped(over.bytes));
        let found = format!("{} {shape:?} with an end at byte {} of its storage {key}", element.name, grouped(end));
        return Err((format!("{found}, which has {bytes}"), "a tensor inside its storage"));
    }
    let storage = Storage::clone(over);
    Ok(Value::View(Arc::new(View { storage, element, shape, strides, begin, end })))
}

/// The first and last byte of a view in its storage.
fn extent(element: ElementType, offset: u64, shape: &[u64], strides: &[u64]) -> Option<(u64, u64)> {
    shape.iter().try_fold(element.bytes, |product, size| product.checked_mul(*size))?;
    let begin = offset.checked_mul(element.bytes)?;
    if shape.contains(&0) {
        return Some((begin, begin));
    }
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(offset, |last, (size, stride)| last.checked_add(size.checked_sub(1)?.checked_mul(*stride)?))?;
    Some((begin, last.checked_add(1)?.checked_mul(element.bytes)?))
}

fn sizes(values: &Values, place: Place) -> Result<Vec<u64>, Wrong> {
    match values.get(place) {
        Value::Tuple(items) | Value::List(items) if items.len() <= limits::RANK => {
            items.iter().map(|it| whole(values, *it)).collect()
        }
        Value::Tuple(items) | Value::List(items) => {
            Err((format!("{} dimensions", grouped(items.len() as u64)), "at most 64"))
        }
        _ => Err((values.described(place), "a tuple of whole numbers")),
    }
}

fn whole(values: &Values, place: Place) -> Result<u64, Wrong> {
    let number = match values.get(place) {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    };
    number.ok_or_else(|| (values.described(place), "a whole number from 0"))
}

/// What rests on a call that was not made is not known either.
fn undescribed(values: &Values, place: Place) -> Value {
    let path = match values.get(place) {
        Value::Call(call) => Arc::clone(&call.path),
        Value::Import(path) => Arc::clone(path),
        _ => "".into(),
    };
    Value::Call(Box::new(Call { path, state: None, items: Vec::new() }))
}
