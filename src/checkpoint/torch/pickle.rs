//! Follows a pickle's opcodes and notes what they describe. Nothing is imported, nothing is called.
//!
//! A pickle is a program for a stack machine whose values are Python objects. Here they are descriptions
//! ([`Value`]): what the closed list of names knows becomes a tensor, a storage or a dictionary, and everything else
//! a note of the call that loading the file would make.

use std::collections::BTreeMap;

use crate::bytes::{Cursor, grouped, limits, shown};
use crate::checkpoint::torch::calls::Calls;
use crate::checkpoint::torch::opcode;
use crate::checkpoint::torch::problem::Problem;
use crate::checkpoint::torch::rebuild;
use crate::checkpoint::torch::value::{Call, Known, Place, Value, Values, known};

/// What a pickle describes.
#[derive(Debug)]
pub(crate) struct Pickled {
    pub(crate) values: Values,
    pub(crate) root: Place,
    pub(crate) calls: Calls,
    /// How many bytes it takes.
    pub(crate) length: usize,
}

/// Follows the pickle that these bytes begin with, up to its end.
pub(crate) fn follow(bytes: &[u8]) -> Result<Pickled, Problem> {
    let mut machine = Machine {
        cursor: Cursor::new(bytes),
        length: bytes.len(),
        at: 0,
        opcode: "",
        values: Values::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        calls: Calls::default(),
        dimensions: 0,
    };
    machine.values.add(Value::None);
    match machine.run() {
        Ok(root) => {
            let length = machine.position();
            Ok(Pickled { values: machine.values, root, calls: machine.calls, length })
        }
        // Python runs a broken pickle up to the break.
        Err(problem) => Err(match machine.calls.paths() {
            Some(paths) => Problem::AfterCalls { problem: Box::new(problem), paths },
            None => problem,
        }),
    }
}

/// The place of the first value, which is none: it stands for the key of what has no key.
const NO_KEY: Place = 0;

/// The stack machine.
struct Machine<'a> {
    cursor: Cursor<'a>,
    length: usize,
    /// Where the opcode is that is being followed, and its name.
    at: u64,
    opcode: &'static str,
    values: Values,
    stack: Vec<Place>,
    /// How long the stack was at each `MARK`.
    marks: Vec<usize>,
    memo: BTreeMap<u64, Place>,
    calls: Calls,
    /// Dimensions of all tensors so far: they take memory that the number of values does not show.
    dimensions: usize,
}

impl<'a> Machine<'a> {
    /// Follows opcodes up to the end, and gives what is left on top.
    fn run(&mut self) -> Result<Place, Problem> {
        for _ in 0..limits::PICKLE_OPCODES {
            self.at = self.position() as u64;
            let Some(code) = self.cursor.u8() else {
                return Err(Problem::Truncated { at: self.at, opcode: "the next opcode" });
            };
            self.opcode = opcode::name(code).ok_or(Problem::UnknownOpcode { at: self.at, opcode: code })?;
            if self.opcode == "STOP" {
                return self.pop();
            }
            self.step(code)?;
        }
        Err(self.limit("opcodes", limits::PICKLE_OPCODES))
    }

    fn step(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            0x80 => self.protocol(),
            0x95 => self.frame(),
            b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | 0x8a | 0x8b | b'G' | b'I' | b'L' | b'F' => self.scalar(code),
            b'X' | 0x8c | 0x8d | b'V' | b'S' | b'T' | b'U' => self.text(code),
            b'B' | b'C' | 0x8e | 0x96 => self.bytes(code),
            b'(' | b'0' | b'1' | b'2' => self.stack_order(code),
            b'}' | b']' | b')' | b't' | 0x85..=0x87 | b'l' | b'd' | 0x8f | 0x91 => self.container(code),
            b'a' | b'e' | 0x90 | b's' | b'u' => self.filling(code),
            b'p' | b'q' | b'r' | 0x94 => self.remember(code),
            b'g' | b'h' | b'j' => self.recall(code),
            b'P' | b'Q' => self.persistent(code),
            b'c' | 0x93 | 0x82..=0x84 => self.import(code),
            _ => self.call(code),
        }
    }

    fn protocol(&mut self) -> Result<(), Problem> {
        let version = self.cut(self.cursor.clone().u8())?;
        self.cursor.take(1);
        if (2..=5).contains(&version) && self.at == 0 {
            return Ok(());
        }
        Err(self.wrong(format!("protocol {version}"), "one of 2 to 5, once, as the first opcode"))
    }

    /// Frames only tell how much to read ahead.
    fn frame(&mut self) -> Result<(), Problem> {
        let length = self.cursor.u64();
        let length = self.cut(length)?;
        let left = self.cursor.rest().len() as u64;
        if length > left {
            return Err(Problem::Truncated { at: self.at, opcode: self.opcode });
        }
        Ok(())
    }

    fn scalar(&mut self, code: u8) -> Result<(), Problem> {
        let value = match code {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'G' => {
                let bytes = self.take(8)?;
                let number = bytes.first_chunk().map_or(0.0, |bytes| f64::from_be_bytes(*bytes));
                Value::Number(number.to_string().into())
            }
            b'F' => Value::Number(self.line()?.into()),
            b'I' | b'L' => self.written_number()?,
            _ => whole_number(self.number_bytes(code)?, code),
        };
        self.push(value)
    }

    /// The little-endian bytes of a whole number.
    fn number_bytes(&mut self, code: u8) -> Result<&'a [u8], Problem> {
        let length = match code {
            b'K' => 1,
            b'M' => 2,
            b'J' => 4,
            0x8a => self.length_of(1)?,
            _ => self.length_of(4)?,
        };
        self.take(length)
    }

    fn written_number(&mut self) -> Result<Value, Problem> {
        let line = self.line()?;
        Ok(match line.as_str() {
            "00" => Value::Bool(false),
            "01" => Value::Bool(true),
            digits => match digits.trim_end_matches('L').parse() {
                Ok(number) => Value::Int(number),
                Err(_) if digits.bytes().all(|it| it.is_ascii_digit() || b"-L".contains(&it)) => {
                    Value::Number(digits.into())
                }
                Err(_) => return Err(self.wrong(shown(digits), "a whole number")),
            },
        })
    }

    fn text(&mut self, code: u8) -> Result<(), Problem> {
        let text = match code {
            b'V' => self.line()?,
            b'S' => self.line()?.trim_matches(['\'', '"']).to_owned(),
            _ => {
                let width = match code {
                    0x8c | b'U' => 1,
                    0x8d => 8,
                    _ => 4,
                };
                let length = self.length_of(width)?;
                let bytes = self.take(length)?;
                self.utf8(bytes)?
            }
        };
        self.push(Value::Text(text.into()))
    }

    fn utf8(&self, bytes: &[u8]) -> Result<String, Problem> {
        if bytes.len() > limits::PICKLE_TEXT {
            return Err(self.limit("bytes in one text", limits::PICKLE_TEXT));
        }
        let text = std::str::from_utf8(bytes).map(str::to_owned);
        text.map_err(|error| self.wrong(format!("byte {} that is not UTF-8", error.valid_up_to()), "text"))
    }

    fn bytes(&mut self, code: u8) -> Result<(), Problem> {
        let width = match code {
            b'C' => 1,
            b'B' => 4,
            _ => 8,
        };
        let length = self.length_of(width)?;
        self.take(length)?;
        self.push(Value::Bytes(length))
    }

    fn stack_order(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            b'(' if self.marks.len() >= limits::PICKLE_DEPTH => Err(self.limit("open marks", limits::PICKLE_DEPTH)),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.pop_mark().map(drop),
            _ => {
                let top = self.top()?;
                self.push_place(top)
            }
        }
    }

    fn container(&mut self, code: u8) -> Result<(), Problem> {
        let value = match code {
            b'}' => Value::Dict(Vec::new()),
            b']' | 0x8f => Value::List(Vec::new()),
            b')' => Value::Tuple(Vec::new()),
            b't' => Value::Tuple(self.pop_mark()?),
            b'l' | 0x91 => Value::List(self.pop_mark()?),
            b'd' => Value::Dict(self.pop_pairs()?),
            _ => {
                let mut items = Vec::new();
                for _ in 0x84..code {
                    items.push(self.pop()?);
                }
                items.reverse();
                Value::Tuple(items)
            }
        };
        self.push(value)
    }

    fn filling(&mut self, code: u8) -> Result<(), Problem> {
        let pairs: Vec<(Place, Place)> = match code {
            b'a' => vec![(NO_KEY, self.pop()?)],
            b'e' | 0x90 => self.pop_mark()?.into_iter().map(|it| (NO_KEY, it)).collect(),
            b's' => {
                let value = self.pop()?;
                vec![(self.pop()?, value)]
            }
            _ => self.pop_pairs()?,
        };
        let keyed = matches!(code, b's' | b'u');
        let target = self.top()?;
        match self.values.get_mut(target) {
            Some(Value::Dict(items)) if keyed => items.extend(pairs),
            Some(Value::List(items)) if !keyed => items.extend(pairs.into_iter().map(|(_, it)| it)),
            Some(Value::Call(call)) => call.items.extend(pairs),
            _ => {
                let expected = if keyed { "a dictionary to fill" } else { "a list to fill" };
                return Err(self.wrong(self.values.described(target), expected));
            }
        }
        Ok(())
    }

    fn remember(&mut self, code: u8) -> Result<(), Problem> {
        let key = match code {
            b'q' => self.length_of(1)? as u64,
            b'r' => self.length_of(4)? as u64,
            b'p' => self.line_number()?,
            _ => self.memo.len() as u64,
        };
        if self.memo.len() >= limits::PICKLE_VALUES {
            return Err(self.limit("remembered values", limits::PICKLE_VALUES));
        }
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, code: u8) -> Result<(), Problem> {
        let key = match code {
            b'h' => self.length_of(1)? as u64,
            b'j' => self.length_of(4)? as u64,
            _ => self.line_number()?,
        };
        match self.memo.get(&key).copied() {
            Some(place) => self.push_place(place),
            None => Err(self.wrong(format!("number {}", grouped(key)), "a value that was remembered before")),
        }
    }

    fn persistent(&mut self, code: u8) -> Result<(), Problem> {
        if code == b'P' {
            let line = self.line()?;
            return Err(self.wrong(shown(line), "the tuple that describes a storage"));
        }
        let id = self.pop()?;
        let value = rebuild::storage(&self.values, id).map_err(|(found, expected)| self.wrong(found, expected))?;
        self.push(value)
    }

    fn import(&mut self, code: u8) -> Result<(), Problem> {
        let (module, name) = match code {
            b'c' => (self.line()?, self.line()?),
            0x93 => {
                let name = self.pop()?;
                let module = self.pop()?;
                (self.text_at(module)?, self.text_at(name)?)
            }
            _ => {
                let width = match code {
                    0x82 => 1,
                    0x83 => 2,
                    _ => 4,
                };
                let bytes = self.take(width)?;
                let number = bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
                ("copyreg extension".to_owned(), number.to_string())
            }
        };
        self.imported(&module, &name)
    }

    /// Importing runs a module, so the mere name of an unknown one is noted.
    fn imported(&mut self, module: &str, name: &str) -> Result<(), Problem> {
        if let Some(known) = known(module, name) {
            return self.push(Value::Known(known));
        }
        if module.len().max(name.len()) > limits::TENSOR_NAME {
            return Err(self.limit("bytes in an import", limits::TENSOR_NAME));
        }
        let path = format!("{module}.{name}");
        let path = self.calls.import(&path, self.at);
        self.push(Value::Import(path))
    }

    fn call(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            b'b' => return self.build(),
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let arguments = self.pop_mark()?;
                self.imported(&module, &name)?;
                let arguments = self.values.add(Value::Tuple(arguments));
                self.stack.push(arguments);
            }
            b'o' => {
                let mut arguments = self.pop_mark()?;
                if arguments.is_empty() {
                    return Err(self.wrong("nothing".into(), "a class and its arguments"));
                }
                let callee = arguments.remove(0);
                let arguments = self.values.add(Value::Tuple(arguments));
                self.stack.extend([callee, arguments]);
            }
            // Named arguments stand behind the others; no allowed name takes any.
            0x92 => drop(self.pop()?),
            _ => {}
        }
        let arguments = self.pop()?;
        let callee = self.pop()?;
        let value = self.result_of(callee, arguments)?;
        self.push(value)
    }

    /// What a call would give, as far as that is known without making it.
    fn result_of(&mut self, callee: Place, arguments: Place) -> Result<Value, Problem> {
        let path = match self.values.get(callee) {
            Value::Known(name @ (Known::Tensor | Known::TensorOfType | Known::Parameter | Known::OrderedDict)) => {
                let value = rebuild::known(&self.values, *name, arguments);
                let value = value.map_err(|(found, expected)| self.wrong(found, expected))?;
                self.dimensions = self.dimensions.saturating_add(dimensions(&value));
                return Ok(value);
            }
            Value::Known(_) => "torch (a type)".to_owned(),
            Value::Import(path) => path.to_string(),
            Value::Call(call) => format!("{}(…)", call.path.trim_end_matches("(…)")),
            _ => return Err(self.wrong(self.values.described(callee), "something that can be called")),
        };
        let path = self.calls.call(&path, self.at, || self.values.described(arguments));
        Ok(Value::Call(Box::new(Call { path, state: None, items: Vec::new() })))
    }

    /// Gives an object its state. Attributes of a dictionary, such as `_metadata`, are no weights.
    fn build(&mut self) -> Result<(), Problem> {
        let state = self.pop()?;
        let target = self.top()?;
        if let Some(Value::Call(call)) = self.values.get_mut(target) {
            call.state = Some(state);
        }
        Ok(())
    }

    fn text_at(&self, place: Place) -> Result<String, Problem> {
        match self.values.get(place) {
            Value::Text(text) => Ok(text.to_string()),
            _ => Err(self.wrong(self.values.described(place), "the name of a module or of something in it")),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), Problem> {
        if self.values.len().saturating_add(self.dimensions) >= limits::PICKLE_VALUES {
            return Err(self.limit("values", limits::PICKLE_VALUES));
        }
        let place = self.values.add(value);
        self.push_place(place)
    }

    fn push_place(&mut self, place: Place) -> Result<(), Problem> {
        if self.stack.len() >= limits::PICKLE_STACK {
            return Err(self.limit("values on the stack", limits::PICKLE_STACK));
        }
        self.stack.push(place);
        Ok(())
    }

    fn pop(&mut self) -> Result<Place, Problem> {
        self.top()?;
        self.stack.pop().ok_or_else(|| self.empty())
    }

    fn top(&self) -> Result<Place, Problem> {
        let above = self.marks.last().copied().unwrap_or(0);
        self.stack.last().copied().filter(|_| self.stack.len() > above).ok_or_else(|| self.empty())
    }

    fn pop_mark(&mut self) -> Result<Vec<Place>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| self.wrong("no mark".into(), "one on the stack"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn pop_pairs(&mut self) -> Result<Vec<(Place, Place)>, Problem> {
        let items = self.pop_mark()?;
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(self.wrong("a key without a value".into(), "pairs"));
        };
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let bytes = self.cursor.take(count);
        self.cut(bytes)
    }

    /// A length that is written in so many bytes.
    fn length_of(&mut self, width: usize) -> Result<usize, Problem> {
        let bytes = self.take(width)?;
        let length = bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        usize::try_from(length).map_err(|_| Problem::Truncated { at: self.at, opcode: self.opcode })
    }

    fn line(&mut self) -> Result<String, Problem> {
        let rest = self.cursor.rest();
        let within = rest.get(..rest.len().min(limits::PICKLE_TEXT)).unwrap_or_default();
        let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
            if within.len() < rest.len() {
                return Err(self.limit("bytes in one text", limits::PICKLE_TEXT));
            }
            return self.cut(None);
        };
        let line = self.take(end)?;
        self.take(1)?;
        self.utf8(line)
    }

    fn line_number(&mut self) -> Result<u64, Problem> {
        let line = self.line()?;
        line.parse().map_err(|_| self.wrong(shown(line), "a whole number"))
    }

    fn position(&self) -> usize {
        self.length.saturating_sub(self.cursor.rest().len())
    }

    fn cut<T>(&self, read: Option<T>) -> Result<T, Problem> {
        read.ok_or(Problem::Truncated { at: self.at, opcode: self.opcode })
    }

    fn empty(&self) -> Problem {
        self.wrong("nothing on the stack".into(), "a value")
    }

    fn wrong(&self, found: String, expected: impl Into<String>) -> Problem {
        Problem::Pickle { at: self.at, opcode: self.opcode, found, expected: expected.into() }
    }

    fn limit(&self, what: &'static str, limit: usize) -> Problem {
        Problem::Limit { at: self.at, what, limit }
    }
}

fn dimensions(value: &Value) -> usize {
    if let Value::View(view) = value { view.shape.len().saturating_mul(2) } else { 0 }
}

/// A whole number from its little-endian bytes; what has a sign is in two's complement.
fn whole_number(bytes: &[u8], code: u8) -> Value {
    if bytes.len() > size_of::<i64>() {
        return Value::Number(format!("a number of {} bytes", bytes.len()).into());
    }
    let negative = !matches!(code, b'K' | b'M') && bytes.last().is_some_and(|byte| *byte >= 0x80);
    let mut whole = if negative { [0xff; size_of::<i64>()] } else { [0; size_of::<i64>()] };
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Value::Int(i64::from_le_bytes(whole))
}
