//! Text in, a tree out that knows where everything stands; everything that makes YAML dangerous is refused here.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::yaml::{Place, Problem};

/// Deepest nesting that is read. What we read nests a dozen levels; every walk over a tree recurses at most so far.
pub(crate) const DEEPEST: usize = 64;
/// Most values in one file, before aliases.
const MOST_NODES: usize = 200_000;
/// Most that aliases may add, as values plus bytes of text. A tree shares what they name; a walk over it does not.
const MOST_EXPANDED: usize = 4 << 20;

/// One value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Where it stands. Of a list or mapping only the first line, which is what a label can underline.
    pub(crate) span: Range<usize>,
    /// Levels of nesting inside it, itself included.
    height: usize,
    /// Values and bytes of text inside it, aliases followed.
    weight: usize,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar { text: String, is_plain: bool },
    Sequence(Vec<Arc<Node>>),
    Mapping(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Arc<Node>,
}

impl Node {
    /// Whether nothing stands here: `key:` with no value, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        let is_word = |text: &str| matches!(text, "" | "~" | "null" | "Null" | "NULL");
        matches!(&self.kind, Kind::Scalar { text, is_plain: true } if is_word(text))
    }
}

/// What building a tree gave: the tree, unless something forbids one, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) root: Option<Arc<Node>>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads the one document in `text`. A syntax error comes back as the parser gave it.
pub(crate) fn build(file: &str, source: &Arc<str>, text: &str) -> Result<Tree, ScanError> {
    let options = granit_parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    let mut builder = Builder::new(file, source);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next?;
        if builder.take(event, span).is_break() {
            builder.tree.root = None;
            break;
        }
    }
    Ok(builder.tree)
}

struct Builder<'a> {
    file: &'a str,
    source: &'a Arc<str>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Arc<Node>>,
    nodes: usize,
    expanded: usize,
    documents: usize,
    tree: Tree,
}

/// A list or mapping whose end has not come yet.
struct Open {
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Arc<Node>>),
    Mapping {
        entries: Vec<Entry>,
        /// Where each key stood first.
        seen: BTreeMap<String, usize>,
        /// The key whose value comes next; none where a list or mapping stood in its place.
        key: Option<(Option<String>, Range<usize>)>,
    },
}

impl<'a> Builder<'a> {
    fn new(file: &'a str, source: &'a Arc<str>) -> Self {
        let tree = Tree::default();
        Self { file, source, open: vec![], anchors: BTreeMap::new(), nodes: 0, expanded: 0, documents: 0, tree }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> ControlFlow<()> {
        self.refuse_tag(&event, &span);
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) => self.start_document(range)?,
            Event::Scalar(text, style, anchor, _) => {
                let kind = Kind::Scalar { text: text.into_owned(), is_plain: style == ScalarStyle::Plain };
                if style == ScalarStyle::Plain {
                    self.refuse_cut_text(&kind, &range);
                }
                self.place(kind, range, anchor)?;
            }
            Event::Alias(anchor) => self.alias(anchor, range)?,
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { start: range.start, anchor, content: Content::Sequence(Vec::new()) });
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping { entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.open.push(Open { start: range.start, anchor, content });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// A number sign after a space begins a comment, so that `No #1 of 5` is read as `No`. Comments are written with a
    /// space after the sign; a text that seems to go on after one is refused.
    fn refuse_cut_text(&mut self, kind: &Kind, range: &Range<usize>) {
        let Kind::Scalar { text, .. } = kind else { return };
        // A line may hold a whole file: only what follows the value is looked at.
        let rest = self.source.get(range.end..).unwrap_or_default();
        let comment = rest.trim_start_matches([' ', '\t']);
        let goes_on = comment.strip_prefix('#').is_some_and(|it| it.starts_with(char::is_alphanumeric));
        if goes_on && comment.len() < rest.len() && text.contains(char::is_alphabetic) {
            let cut: String = comment.chars().take_while(|it| !it.is_control()).take(13).collect();
            let message = format!("the text ends before `{cut}`: YAML takes a number sign after a space for a comment");
            let hint = "put the text into quotation marks; a comment has a space after its `#`";
            self.problem("cut-text", range.clone(), &message, hint);
        }
    }

    fn start_document(&mut self, range: Range<usize>) -> ControlFlow<()> {
        self.documents += 1;
        if self.documents == 1 {
            return ControlFlow::Continue(());
        }
        let message = "a second document starts here, and a file holds one";
        self.problem(
            "several-documents",
            range,
            message,
            "remove the line `---`, or put the second part into a file of its own",
        );
        ControlFlow::Break(())
    }

    fn close(&mut self) -> ControlFlow<()> {
        let Some(open) = self.open.pop() else { return ControlFlow::Continue(()) };
        let kind = match open.content {
            Content::Sequence(items) => Kind::Sequence(items),
            Content::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        let rest = self.source.get(open.start..).unwrap_or_default();
        let line = rest.find(['\r', '\n']).unwrap_or(rest.len());
        self.place(kind, open.start..open.start + line, open.anchor)
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, kind: Kind, span: Range<usize>, anchor: usize) -> ControlFlow<()> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message = format!("the file has more than {MOST_NODES} values");
            self.problem("too-many-values", span, message, "split the file");
            return ControlFlow::Break(());
        }
        let node = Arc::new(measured(kind, span));
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.attach(node);
        ControlFlow::Continue(())
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>) -> ControlFlow<()> {
        let Some(node) = self.anchors.get(&anchor).map(Arc::clone) else {
            let message = "the alias names a value that it is itself part of";
            self.problem("alias", span, message, "write the value out instead of using `*`");
            return ControlFlow::Break(());
        };
        self.expanded = self.expanded.saturating_add(node.weight);
        if self.expanded > MOST_EXPANDED || self.open.len() + node.height > DEEPEST {
            let message = "the aliases up to here stand for more than is read";
            self.problem("alias", span, message, "write the values out instead of using `*`");
            return ControlFlow::Break(());
        }
        self.attach(node);
        ControlFlow::Continue(())
    }

    fn attach(&mut self, node: Arc<Node>) {
        let Some(Open { content, .. }) = self.open.last_mut() else {
            self.tree.root = Some(node);
            return;
        };
        match content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { key, .. } if key.is_none() => {
                let span = node.span.clone();
                match &node.kind {
                    Kind::Scalar { text, .. } => *key = Some((Some(text.clone()), span)),
                    _ => {
                        *key = Some((None, span.clone()));
                        let hint = "a key is one word; put text that starts with `[`, `{` or `?` into quotes";
                        self.problem("key", span, "a list or mapping stands where a key belongs", hint);
                    }
                }
            }
            Content::Mapping { .. } => self.attach_entry(node),
        }
    }

    fn attach_entry(&mut self, value: Arc<Node>) {
        let source = Arc::clone(self.source);
        let Some(Open { content: Content::Mapping { entries, seen, key }, .. }) = self.open.last_mut() else { return };
        let Some((Some(key), key_span)) = key.take() else { return };
        if key == "<<" {
            self.problem("merge-key", key_span, "merge keys (`<<`) are not read", "write the keys out");
        } else if let Some(first) = seen.get(&key) {
            let line = Place { source, span: *first..*first }.line();
            let message = format!("the key `{key}` stands here a second time; the first is on line {line}");
            self.problem("duplicate-key", key_span, message, "keep one of the two");
        } else {
            seen.insert(key.clone(), key_span.start);
            entries.push(Entry { key, key_span, value });
        }
    }

    /// A tag asks for a type by name; we know from the key which type belongs there.
    fn refuse_tag(&mut self, event: &Event<'_>, span: &Span) {
        let Some(tag) = event.tag() else { return };
        let range = span.tag_span().and_then(|it| it.byte_range()).or(span.byte_range()).unwrap_or_default();
        let message = format!("tags such as `{}` are not read", tag.original());
        self.problem("tag", range, message, "leave the tag out; a choice is written as `name: value`");
    }

    fn problem(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>, hint: &str) {
        let place = Some(Place { source: Arc::clone(self.source), span });
        self.tree.problems.push(Problem { place, ..Problem::of_file(self.file, code, message).hint(hint) });
    }
}

fn measured(kind: Kind, span: Range<usize>) -> Node {
    let (height, weight) = match &kind {
        Kind::Scalar { text, .. } => (1, text.len()),
        Kind::Sequence(items) => measure(items.iter()),
        Kind::Mapping(entries) => {
            let keys: usize = entries.iter().map(|it| it.key.len()).sum();
            let (height, weight) = measure(entries.iter().map(|it| &it.value));
            (height, weight.saturating_add(keys))
        }
    };
    Node { kind, span, height, weight: weight.saturating_add(1) }
}

fn measure<'a>(children: impl Iterator<Item = &'a Arc<Node>>) -> (usize, usize) {
    children.fold((1, 0), |(height, weight), child| {
        (height.max(child.height.saturating_add(1)), weight.saturating_add(child.weight))
    })
}
