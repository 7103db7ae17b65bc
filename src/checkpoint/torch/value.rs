//! What a pickle describes: plain values, tensors, and calls that nobody made.

use std::sync::Arc;

use crate::bytes::{counted, grouped, shown};

/// The place of a value in [`Values`]. Values refer to each other by place, so that dropping them cannot overflow the
/// stack and a value that is named a thousand times exists once.
pub(crate) type Place = usize;

/// One thing that a pickle describes.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A number of another kind, as text.
    Number(Box<str>),
    /// So many bytes.
    Bytes(usize),
    Text(Arc<str>),
    Tuple(Vec<Place>),
    /// A list or a set.
    List(Vec<Place>),
    Dict(Vec<(Place, Place)>),
    /// A name that is known to be harmless.
    Known(Known),
    /// A name that is on no list, by its import path.
    Import(Arc<str>),
    /// What a call would give that was not made.
    Call(Box<Call>),
    Storage(Box<Storage>),
    View(Arc<View>),
}

/// A call that was not made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) path: Arc<str>,
    /// What it would be given afterwards: its state, and what would be put into it.
    pub(crate) state: Option<Place>,
    pub(crate) items: Vec<(Place, Place)>,
}

/// The names that a pickle of tensors needs. None of them is ever called; they say how to read what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// `torch._utils._rebuild_tensor_v2` and its like: storage, offset, sizes, strides.
    Tensor,
    /// The same with an element type of its own.
    TensorOfType,
    Parameter,
    OrderedDict,
    /// A storage class; its element type is that of the tensors over it.
    Storage(ElementType),
    /// A storage class of bytes.
    Untyped,
    ElementType(ElementType),
}

/// A type of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementType {
    /// Name as safetensors has it.
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
}

/// A piece of data that tensors are views of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) key: Arc<str>,
    pub(crate) element: ElementType,
    /// Length in bytes, as the pickle claims it.
    pub(crate) bytes: u64,
}

/// A tensor: a view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) storage: Storage,
    pub(crate) element: ElementType,
    pub(crate) shape: Vec<u64>,
    pub(crate) strides: Vec<u64>,
    /// Where in the storage its elements are, in bytes.
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl View {
    /// Whether its elements lie in the order of its shape, without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = Some(1_u64);
        self.shape.contains(&0)
            || self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
                let fits = *size == 1 || expected == Some(*stride);
                expected = expected.and_then(|it| it.checked_mul(*size));
                fits
            })
    }
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Values(Vec<Value>);

impl Values {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    pub(crate) fn add(&mut self, value: Value) -> Place {
        self.0.push(value);
        self.0.len().saturating_sub(1)
    }

    pub(crate) fn get(&self, place: Place) -> &Value {
        self.0.get(place).unwrap_or(&Value::None)
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut Value> {
        self.0.get_mut(place)
    }

    /// A value in a few words.
    pub(crate) fn described(&self, place: Place) -> String {
        self.described_to(place, 2)
    }

    /// `levels` is how deep to look: what a stranger nests without end must end here.
    fn described_to(&self, place: Place, levels: usize) -> String {
        match self.get(place) {
            Value::None => "none".into(),
            Value::Bool(it) => it.to_string(),
            Value::Int(it) => it.to_string(),
            Value::Number(it) => it.to_string(),
            Value::Bytes(length) => counted(*length, "byte"),
            Value::Text(it) => shown(it),
            Value::Tuple(items) if levels > 0 => format!("({})", self.few(items, levels)),
            Value::List(items) if levels > 0 => format!("[{}]", self.few(items, levels)),
            Value::Tuple(items) | Value::List(items) => format!("a list of {}", counted(items.len(), "value")),
            Value::Dict(items) => format!("a dictionary of {}", counted(items.len(), "value")),
            Value::Known(_) => "a name of PyTorch's own".into(),
            Value::Import(path) => format!("the import {}", shown(path)),
            Value::Call(call) => format!("what {} would give", shown(&call.path)),
            Value::Storage(it) => format!("the storage {}", shown(&it.key)),
            Value::View(it) => format!("a tensor {} {:?}", it.element.name, it.shape),
        }
    }

    fn few(&self, items: &[Place], levels: usize) -> String {
        const SHOWN: usize = 4;
        let levels = levels.saturating_sub(1);
        let mut shown: Vec<String> = items.iter().take(SHOWN).map(|it| self.described_to(*it, levels)).collect();
        if let Some(more) = items.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            shown.push(format!("{} more", grouped(more as u64)));
        }
        shown.join(", ")
    }
}

/// Element types: class of storage, name in `torch`, name in safetensors, bytes. Not every type has a class.
const ELEMENT_TYPES: &[(&str, &[&str], &str, u64)] = &[
    ("BFloat16Storage", &["bfloat16"], "BF16", 2),
    ("BoolStorage", &["bool"], "BOOL", 1),
    ("ByteStorage", &["uint8"], "U8", 1),
    ("CharStorage", &["int8"], "I8", 1),
    ("ComplexDoubleStorage", &["complex128", "cdouble"], "C128", 16),
    ("ComplexFloatStorage", &["complex64", "cfloat"], "C64", 8),
    ("DoubleStorage", &["float64", "double"], "F64", 8),
    ("FloatStorage", &["float32", "float"], "F32", 4),
    ("HalfStorage", &["float16", "half"], "F16", 2),
    ("IntStorage", &["int32", "int"], "I32", 4),
    ("LongStorage", &["int64", "long"], "I64", 8),
    ("ShortStorage", &["int16", "short"], "I16", 2),
    ("", &["uint16"], "U16", 2),
    ("", &["uint32"], "U32", 4),
    ("", &["uint64"], "U64", 8),
    ("", &["float8_e4m3fn"], "F8_E4M3", 1),
    ("", &["float8_e4m3fnuz"], "F8_E4M3FNUZ", 1),
    ("", &["float8_e5m2"], "F8_E5M2", 1),
    ("", &["float8_e5m2fnuz"], "F8_E5M2FNUZ", 1),
    ("", &["float8_e8m0fnu"], "F8_E8M0", 1),
];

/// What a name stands for, if it is on the list. The list is closed: `torch.storage` also has functions that load
/// another pickle, so whole modules are never let through.
pub(crate) fn known(module: &str, name: &str) -> Option<Known> {
    let element = |fits: &dyn Fn(&str, &[&str]) -> bool| {
        let row = ELEMENT_TYPES.iter().find(|(class, names, ..)| fits(class, names));
        row.map(|(.., name, bytes)| ElementType { name, bytes: *bytes })
    };
    let class = || element(&|class, _| class == name).filter(|_| !name.is_empty()).map(Known::Storage);
    let named = || element(&|_, names| names.contains(&name)).map(Known::ElementType);
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Some(Known::Tensor),
        ("torch._utils", "_rebuild_tensor_v3") => Some(Known::TensorOfType),
        ("torch._utils", "_rebuild_parameter") => Some(Known::Parameter),
        ("collections", "OrderedDict") => Some(Known::OrderedDict),
        ("torch", "UntypedStorage") | ("torch.storage", "UntypedStorage" | "_UntypedStorage") => Some(Known::Untyped),
        ("torch", _) => class().or_else(named),
        ("torch.cuda" | "torch.storage", _) => class(),
        _ => None,
    }
}

/// The type of the elements of an untyped storage.
pub(crate) const BYTE: ElementType = ElementType { name: "U8", bytes: 1 };
