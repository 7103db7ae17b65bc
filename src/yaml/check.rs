//! Holds a tree against the JSON Schema of a type and notes every mistake; what passed becomes the typed value.
//!
//! Only what `schemars` writes for our types is understood: it is a checker of those, not of JSON Schema.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_yaml::{Mapping, Value};

use crate::yaml::expected::{Expected, found, is_count};
use crate::yaml::tree::{Kind, Node};
use crate::yaml::{Cursor, Problem, Problems, date, did_you_mean, list_of_names, to_half_width, width};

/// Notes everything that is wrong with the value as a `T`.
pub(crate) fn against<T: JsonSchema>(cursor: &Cursor<'_>, problems: &mut Problems) {
    value_of::<T>(cursor, problems);
}

/// The value as a `T`, or everything that is wrong with it.
pub(crate) fn read<T: DeserializeOwned + JsonSchema>(cursor: &Cursor<'_>, problems: &mut Problems) -> Option<T> {
    let value = value_of::<T>(cursor, problems)?;
    match serde_yaml::with::singleton_map_recursive::deserialize(value) {
        Ok(value) => Some(value),
        Err(error) => {
            // The schema let something pass that the type does not take, such as a key that is an enum.
            problems.push(
                cursor.problem("wrong-type", error.to_string()).hint("compare with the schema: `unshell schema`"),
            );
            None
        }
    }
}

fn value_of<T: JsonSchema>(cursor: &Cursor<'_>, problems: &mut Problems) -> Option<Value> {
    let schema = schemars::schema_for!(T).to_value();
    let mut checker = Checker { problems: Vec::new() };
    let value = checker.value(cursor, Expected::new(&schema));
    let is_good = checker.problems.is_empty();
    problems.extend(checker.problems);
    value.filter(|_| is_good)
}

struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    fn value(&mut self, at: &Cursor<'_>, expected: Expected<'_>) -> Option<Value> {
        let node = at.node()?;
        let branches = expected.branches();
        if node.is_null() && branches.iter().any(|it| it.is("null") || it.types().is_empty()) {
            return Some(Value::Null);
        }
        match &node.kind {
            Kind::Scalar { text, is_plain } => self.scalar(at, text, *is_plain, expected),
            Kind::Sequence(_) => match branches.iter().find(|it| it.is("array") || is_anything(**it)) {
                Some(branch) => self.list(at, *branch),
                None => self.mismatch(at, expected),
            },
            Kind::Mapping(_) => self.mapping_or_choice(at, expected),
        }
    }

    fn list(&mut self, at: &Cursor<'_>, expected: Expected<'_>) -> Option<Value> {
        let items: Vec<_> = at.items().collect();
        if (items.len() as u64) < expected.fewest_items() {
            let message = format!("`{}` is an empty list", at.path());
            self.problems.push(at.problem("empty", message).hint("write at least one item"));
        }
        let values: Vec<_> = items.iter().map(|it| self.value(it, expected.item())).collect();
        values.into_iter().collect::<Option<Vec<_>>>().map(Value::Sequence)
    }

    fn mapping_or_choice(&mut self, at: &Cursor<'_>, expected: Expected<'_>) -> Option<Value> {
        let branches = expected.branches();
        let tags: Vec<_> = branches.iter().filter_map(|it| it.tag()).collect();
        // A single branch with one required key is a struct like any other.
        if branches.len() > 1 && !tags.is_empty() {
            return self.choice(at, &tags);
        }
        match branches.iter().find(|it| it.is("object") || is_anything(**it)) {
            Some(branch) => self.mapping(at, *branch),
            None => self.mismatch(at, expected),
        }
    }

    /// An enum variant written as a mapping with one key.
    fn choice(&mut self, at: &Cursor<'_>, tags: &[(&str, Expected<'_>)]) -> Option<Value> {
        let fields: Vec<_> = at.fields().collect();
        let names = || tags.iter().map(|(name, _)| *name);
        let [(key, child)] = fields.as_slice() else {
            let message =
                format!("`{}` has {} keys, expected one of {}", at.path(), fields.len(), list_of_names(names()));
            self.problems.push(
                at.problem("one-key", message).hint("keep one; several conditions go into `all: [..]` or `any: [..]`"),
            );
            return None;
        };
        let Some((name, expected)) = tags.iter().find(|(name, _)| name == key) else {
            self.unknown_key(child, key, &names().collect::<Vec<_>>());
            return None;
        };
        let value = self.value(child, *expected)?;
        Some(Value::Mapping(Mapping::from_iter([(Value::from(*name), value)])))
    }

    fn mapping(&mut self, at: &Cursor<'_>, expected: Expected<'_>) -> Option<Value> {
        let required = expected.required();
        let mut values = Some(Mapping::new());
        let mut meant = Vec::new();
        for (key, child) in at.fields() {
            let Some(property) = expected.property(key) else {
                meant.extend(self.unknown_key(&child, key, &expected.property_names()));
                continue;
            };
            // A line that was left blank is a line that was left out, where leaving out is allowed.
            if !child.exists() && expected.property_names().contains(&key) && !required.contains(&key) {
                continue;
            }
            let value = self.value(&child, property);
            values = values.zip(value).map(|(mut values, value)| {
                values.insert(key_value(key, expected), value);
                values
            });
        }
        for key in required {
            if at.field(key).node().is_none() {
                values = None;
                // A key that is there under a slip of the pen is told once.
                if !meant.contains(&key) {
                    self.missing_key(at, key, expected);
                }
            }
        }
        values.map(Value::Mapping)
    }

    fn missing_key(&mut self, at: &Cursor<'_>, key: &str, expected: Expected<'_>) {
        let owner = if at.path().is_empty() { "the file".to_owned() } else { format!("`{}`", at.path()) };
        let documentation = expected.documentation_of(key).map(|it| format!(" ({it})")).unwrap_or_default();
        let problem = at.key_problem("missing-key", format!("{owner} has no `{key}`"));
        self.problems.push(
            problem.label(format!("`{key}` is missing here")).hint(format!("add a line `{key}:`{documentation}")),
        );
    }

    /// Notes a key that is not known; gives the known one that was most likely meant.
    fn unknown_key<'k>(&mut self, child: &Cursor<'_>, key: &str, known: &[&'k str]) -> Option<&'k str> {
        let plain = to_half_width(key);
        let plain = plain.split(':').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
        let exact = known.iter().copied().find(|it| width::has_full_width(key) && *it == plain);
        let meant = exact.or_else(|| did_you_mean(key, known.iter().copied()));
        let hint = match meant {
            Some(name) if exact.is_some() => format!("`{key}` has full-width characters or quotes; write `{name}:`"),
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => "keys here are whole numbers, such as `3:`".to_owned(),
            None => format!("known here: {}", list_of_names(known.iter().copied())),
        };
        let problem = child.key_problem("unknown-key", format!("unknown key `{}`", child.path()));
        self.problems.push(problem.label("unknown key").hint(hint));
        meant
    }

    fn scalar(&mut self, at: &Cursor<'_>, text: &str, is_plain: bool, expected: Expected<'_>) -> Option<Value> {
        let branches = expected.branches();
        if branches.iter().any(|it| it.words().contains(&text)) {
            return Some(Value::from(text));
        }
        let open: Vec<_> = branches.into_iter().filter(|it| it.words().is_empty()).collect();
        if is_plain && let Some(value) = plain_value(text, &open) {
            return Some(value);
        }
        let takes_text = open.iter().find(|it| it.is("string") || is_anything(**it));
        match takes_text {
            Some(branch) if branch.is_date() => self.date(at, text),
            Some(_) if !at.node().is_some_and(Node::is_null) => Some(Value::from(text)),
            _ => self.mismatch(at, expected),
        }
    }

    fn date(&mut self, at: &Cursor<'_>, text: &str) -> Option<Value> {
        match date::parse(text) {
            Ok(_) => Some(Value::from(text)),
            Err((message, hint)) => {
                let message = format!("`{}`: {message}", at.path());
                self.problems.push(at.problem("bad-date", message).label("not a date").hint(hint));
                None
            }
        }
    }

    fn mismatch(&mut self, at: &Cursor<'_>, expected: Expected<'_>) -> Option<Value> {
        let node = at.node()?;
        let place = if at.path().is_empty() { "the file".to_owned() } else { format!("`{}`", at.path()) };
        let message = format!("{place}: expected {}, found {}", expected.in_words(), found(node));
        let text = at.text().unwrap_or_default();
        let (code, label) = kind_of_mismatch(node, text, expected);
        let problem = at.problem(code, message).label(label);
        self.problems.push(match hint_for(node, text, expected) {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        None
    }
}

fn is_anything(expected: Expected<'_>) -> bool {
    expected.types().is_empty() && expected.words().is_empty()
}

fn key_value(key: &str, expected: Expected<'_>) -> Value {
    match key.parse::<u64>() {
        Ok(number) if expected.has_numbers_for_keys() && is_count(key) => Value::from(number),
        _ => Value::from(key),
    }
}

/// A number, yes or no, where one is allowed and in range. Anything goes into places without a type.
fn plain_value(text: &str, open: &[Expected<'_>]) -> Option<Value> {
    let any = |name: &str| open.iter().find(|it| it.is(name) || is_anything(**it));
    if let (Some(branch), Ok(number)) = (any("integer").or(any("number")), text.parse::<i64>()) {
        #[expect(clippy::cast_precision_loss, reason = "bounds of integers are small")]
        let is_in_range = branch.has_in_range(number as f64);
        return is_in_range.then(|| Value::from(number));
    }
    if let (Some(branch), Ok(number)) = (any("number"), text.parse::<f64>()) {
        return (number.is_finite() && branch.has_in_range(number)).then(|| Value::from(number));
    }
    match text {
        "true" | "True" | "TRUE" if any("boolean").is_some() => Some(Value::from(true)),
        "false" | "False" | "FALSE" if any("boolean").is_some() => Some(Value::from(false)),
        _ => None,
    }
}

fn kind_of_mismatch(node: &Node, text: &str, expected: Expected<'_>) -> (&'static str, &'static str) {
    let branches = expected.branches();
    let takes_number = branches.iter().any(|it| it.is("integer") || it.is("number"));
    match &node.kind {
        Kind::Sequence(_) => ("wrong-type", "a list"),
        Kind::Mapping(_) => ("wrong-type", "a mapping"),
        Kind::Scalar { .. } if node.is_null() => ("wrong-type", "nothing stands here"),
        Kind::Scalar { is_plain: true, .. } if takes_number && text.parse::<f64>().is_ok() => {
            ("out-of-range", "out of range")
        }
        Kind::Scalar { .. } if branches.iter().any(|it| !it.words().is_empty()) => ("not-in-list", "not in the list"),
        Kind::Scalar { .. } => ("wrong-type", "of another kind"),
    }
}

fn hint_for(node: &Node, text: &str, expected: Expected<'_>) -> Option<String> {
    let branches = expected.branches();
    let words: Vec<&str> = branches.iter().flat_map(|it| it.words()).collect();
    let takes = |name: &str| branches.iter().any(|it| it.is(name));
    let takes_number = takes("integer") || takes("number");
    let half = to_half_width(text);
    let is_bare_text = matches!(node.kind, Kind::Scalar { .. }) && !node.is_null();
    if is_bare_text && half != text && (takes_number || !words.is_empty() || takes("object")) {
        let half = half.replacen(':', ": ", 1);
        return Some(format!(
            "`{text}` has full-width characters; write `{}`",
            half.split_whitespace().collect::<Vec<_>>().join(" ")
        ));
    }
    if let Some(word) = did_you_mean(text, words.iter().copied()) {
        return Some(format!("did you mean `{word}`?"));
    }
    match (&node.kind, text) {
        (Kind::Scalar { is_plain: false, .. }, _) if takes_number && text.parse::<f64>().is_ok() => {
            Some(format!("leave out the quotes: `{text}`"))
        }
        (_, "yes" | "Yes" | "on") if takes("boolean") => Some("write `true`".to_owned()),
        (_, "no" | "No" | "off") if takes("boolean") => Some("write `false`".to_owned()),
        _ if node.is_null() => Some("fill it in, or delete the line".to_owned()),
        _ if is_bare_text && takes("array") => Some(format!("put it into brackets: `[{text}]`")),
        _ if takes_number => Some(hint_for_number(text, expected)),
        _ if !words.is_empty() => Some("write one of them exactly as it stands here".to_owned()),
        _ => None,
    }
}

fn hint_for_number(text: &str, expected: Expected<'_>) -> String {
    let bounds = || expected.branches().into_iter().find_map(|it| Some((it.bound("minimum")?, it.bound("maximum")?)));
    match (number_word(text), text.parse::<f64>().ok().zip(bounds())) {
        (Some(number), _) => format!("write the number `{number}`"),
        (None, Some((number, (_, high)))) if number > high => format!("the highest is {high}"),
        (None, Some((number, (low, _)))) if number < low => format!("the lowest is {low}"),
        (None, Some(_)) => "write a whole number".to_owned(),
        (None, None) => "write it in digits, without a unit".to_owned(),
    }
}

fn number_word(text: &str) -> Option<usize> {
    let english = ["zero", "one", "two", "three", "four"];
    let chinese = ["零", "一", "二", "三", "四"];
    english.iter().position(|it| text.eq_ignore_ascii_case(it)).or_else(|| chinese.iter().position(|it| *it == text))
}
