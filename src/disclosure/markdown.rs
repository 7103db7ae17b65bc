//! Cuts a card into passages: what a reader of the page sees as sentences, and what is in tables, quotes, code and
//! comments.
//!
//! A small reader of Markdown and HTML that never fails: whatever it does not know is prose, which is the careful side,
//! since a rule has to understand a sentence before it counts.

use crate::disclosure::lexemes::front;

/// What kind of text a passage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sentences and items of lists.
    Prose,
    Heading,
    /// A quotation of others.
    Quote,
    Table,
    /// In a comment, or hidden by its style.
    Hidden,
}

/// A piece of text, with the line each of its parts is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// Where each line of the file begins in `text`, in bytes, with its number from 1.
    lines: Vec<(usize, u64)>,
}

impl Passage {
    fn new(kind: Kind, text: &str, line: u64) -> Self {
        let mut passage = Self { kind, text: String::new(), lines: Vec::new() };
        passage.push(text, line);
        passage
    }

    fn push(&mut self, text: &str, line: u64) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), line));
        self.text.push_str(text.trim());
    }

    /// The line that a byte of the text is in.
    pub(crate) fn line_at(&self, at: usize) -> u64 {
        let behind = self.lines.partition_point(|(start, _)| *start <= at);
        self.lines.get(behind.saturating_sub(1)).map_or(1, |it| it.1)
    }
}

/// The passages of a text whose first line has the number `first`.
pub(crate) fn passages(text: &str, first: u64) -> Vec<Passage> {
    let (visible, mut found) = without_comments(text, first);
    let mut blocks = Blocks { found: Vec::new(), open: None, fence: None, table: 0, hidden: None };
    for (line, number) in visible.split('\n').zip(first..) {
        blocks.line(line.trim_end_matches('\r'), number);
    }
    blocks.close();
    found.extend(blocks.found);
    found.retain(|it| !it.text.trim().is_empty());
    found
}

/// The passages of a file without markup, as a notice is.
pub(crate) fn plain(text: &str) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1..) {
        match (line.trim().is_empty(), is_open, found.last_mut()) {
            (true, ..) => is_open = false,
            (false, true, Some(last)) => last.push(line, number),
            _ => {
                found.push(Passage::new(Kind::Prose, line, number));
                is_open = true;
            }
        }
    }
    found
}

/// The text with its HTML comments blanked out, and what stood in them. Inside code fences nothing is a comment.
pub(crate) fn without_comments(text: &str, first: u64) -> (String, Vec<Passage>) {
    let (mut visible, mut found) = (String::with_capacity(text.len()), Vec::new());
    let mut number = first;
    let mut comment: Option<Passage> = None;
    let mut fence: Option<&str> = None;
    for line in text.split('\n') {
        if comment.is_none() {
            fence = fence_after(fence, line);
        }
        let mut rest = line;
        let mut kept = String::new();
        while !rest.is_empty() {
            match comment.take() {
                None if fence.is_some() => {
                    kept.push_str(rest);
                    rest = "";
                }
                None => match rest.split_once("<!--") {
                    Some((before, behind)) => {
                        kept.push_str(before);
                        comment = Some(Passage::new(Kind::Hidden, "", number));
                        rest = behind;
                    }
                    None => {
                        kept.push_str(rest);
                        rest = "";
                    }
                },
                Some(mut open) => match rest.split_once("-->") {
                    Some((inside, behind)) => {
                        open.push(inside, number);
                        found.push(open);
                        rest = behind;
                    }
                    None => {
                        open.push(rest, number);
                        comment = Some(open);
                        rest = "";
                    }
                },
            }
        }
        visible.push_str(&kept);
        visible.push('\n');
        number = number.saturating_add(1);
    }
    found.extend(comment);
    (visible, found)
}

/// The mark that closes the code block, after this line.
fn fence_after<'a>(open: Option<&'a str>, line: &str) -> Option<&'a str> {
    let start = line.trim_start();
    match open {
        Some(mark) if start.starts_with(mark) => None,
        Some(mark) => Some(mark),
        None => ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark)),
    }
}

struct Blocks {
    found: Vec<Passage>,
    open: Option<Passage>,
    fence: Option<&'static str>,
    /// How many HTML tables are open.
    table: usize,
    /// The element that hides its contents.
    hidden: Option<String>,
}

impl Blocks {
    fn close(&mut self) {
        self.found.extend(self.open.take());
    }

    fn line(&mut self, line: &str, number: u64) {
        let was_code = self.fence.is_some();
        self.fence = fence_after(self.fence, line);
        if was_code || self.fence.is_some() {
            return self.close();
        }
        let trimmed = line.trim();
        if let Some(text) = link_comment(trimmed) {
            self.close();
            return self.found.push(Passage::new(Kind::Hidden, text, number));
        }
        let lower = trimmed.to_ascii_lowercase();
        if let Some(element) = self.hidden.clone() {
            self.found.push(Passage::new(Kind::Hidden, &plain_text(trimmed), number));
            if lower.contains(&format!("</{element}")) {
                self.hidden = None;
            }
            return;
        }
        if let Some((element, is_closed)) = hiding_element(&lower) {
            self.close();
            self.found.push(Passage::new(Kind::Hidden, &plain_text(trimmed), number));
            self.hidden = (!is_closed).then_some(element);
            return;
        }
        let was_table = self.table > 0;
        self.table = self.table.saturating_add(lower.matches("<table").count());
        let is_table = was_table || self.table > 0 || is_table_row(trimmed);
        self.table = self.table.saturating_sub(lower.matches("</table").count());
        if is_table {
            self.close();
            return self.found.push(Passage::new(Kind::Table, &plain_text(trimmed), number));
        }
        self.block(trimmed, number);
    }

    fn block(&mut self, trimmed: &str, number: u64) {
        if trimmed.is_empty() {
            return self.close();
        }
        if let Some(heading) = heading(trimmed) {
            self.close();
            return self.found.push(Passage::new(Kind::Heading, &plain_text(heading), number));
        }
        if is_underline(trimmed) {
            if let Some(open) = self.open.as_mut().filter(|it| it.kind == Kind::Prose) {
                open.kind = Kind::Heading;
            }
            return self.close();
        }
        if let Some(quote) = trimmed.strip_prefix('>') {
            let text = plain_text(quote.trim_start_matches(['>', ' ']));
            match self.open.as_mut().filter(|it| it.kind == Kind::Quote) {
                Some(open) => open.push(&text, number),
                None => {
                    self.close();
                    self.open = Some(Passage::new(Kind::Quote, &text, number));
                }
            }
            return;
        }
        let (item, is_item) = list_item(trimmed);
        let breaks = is_item || starts_block(trimmed);
        let text = plain_text(item);
        match self.open.as_mut().filter(|_| !breaks) {
            // A line of a quotation goes on without its mark.
            Some(open) => open.push(&text, number),
            None => {
                self.close();
                self.open = Some(Passage::new(Kind::Prose, &text, number));
            }
        }
        if trimmed.ends_with("<br>") || trimmed.ends_with("</p>") || trimmed.ends_with("</li>") {
            self.close();
        }
    }
}

/// `[//]: # (text)` and `[comment]: <> (text)`, which no page shows.
fn link_comment(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('[')?.split_once("]:")?.1.trim_start();
    let rest = rest.strip_prefix('#').or_else(|| rest.strip_prefix("<>"))?.trim();
    Some(rest.trim_matches(['(', ')', '"', '\'']))
}

/// An element that hides what is in it, and whether it ends on the same line.
fn hiding_element(lower: &str) -> Option<(String, bool)> {
    const HIDES: &[&str] = &["display:none", "display: none", "visibility:hidden", "visibility: hidden", "font-size:0"];
    let tag = lower.split('<').skip(1).find(|it| {
        let inside = it.split('>').next().unwrap_or_default();
        HIDES.iter().any(|hides| inside.contains(hides)) || inside.ends_with(" hidden")
    })?;
    let element: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
    let is_closed = lower.contains(&format!("</{element}"));
    (!element.is_empty()).then_some((element, is_closed))
}

fn is_table_row(line: &str) -> bool {
    let bars = line.matches('|').count().saturating_sub(2 * line.matches("<|").count());
    line.starts_with('|') && !line.starts_with("|>") || bars >= 2 && !line.contains("<|")
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let marks = line.len().saturating_sub(rest.len());
    let is_html = line.len() > 3 && line.to_ascii_lowercase().starts_with("<h") && line.as_bytes()[2].is_ascii_digit();
    match marks {
        1..=6 if rest.starts_with([' ', '\t']) || rest.is_empty() => Some(rest.trim().trim_end_matches('#')),
        _ if is_html => Some(line),
        _ => None,
    }
}

fn is_underline(line: &str) -> bool {
    line.len() >= 2 && (line.bytes().all(|it| it == b'=') || line.bytes().all(|it| it == b'-'))
}

/// What is after the mark of a list, and whether there is one.
fn list_item(line: &str) -> (&str, bool) {
    if let Some(rest) = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return (rest, true);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    match [". ", ") "].iter().find_map(|mark| rest.strip_prefix(mark)) {
        Some(rest) if (1..=3).contains(&digits) => (rest, true),
        _ => (line, false),
    }
}

fn starts_block(line: &str) -> bool {
    const BLOCKS: &[&str] = &["<p", "<li", "<div", "<ul", "<details", "<summary", "<center", "**"];
    BLOCKS.iter().any(|it| line.starts_with(it))
}

/// The words of a line without marks of emphasis, links, pictures and tags. A link to a model is followed by its name.
fn plain_text(line: &str) -> String {
    let linked = without_links(line);
    let mut out = String::with_capacity(linked.len());
    let mut rest = linked.as_str();
    while let Some(it) = rest.chars().next() {
        let behind = &rest[it.len_utf8()..];
        rest = match it {
            '<' if behind.starts_with(|it: char| it.is_ascii_alphabetic() || it == '/' || it == '!') => {
                out.push(' ');
                behind.split_once('>').map_or("", |(_, behind)| behind)
            }
            '*' | '`' => behind,
            '_' if behind.starts_with('_') => behind.get(1..).unwrap_or_default(),
            '\\' if behind.starts_with(|it: char| it.is_ascii_punctuation()) => {
                let next = behind.chars().next().unwrap_or_default();
                out.push(next);
                behind.get(next.len_utf8()..).unwrap_or_default()
            }
            // Drawn as nothing.
            '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{ad}' | '\u{feff}' => behind,
            _ => {
                out.push(it);
                behind
            }
        };
    }
    out
}

/// `[text](address)` as its text, with the name of the model that the address leads to where the text is another.
fn without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('[') {
        let (before, behind) = (&rest[..at], &rest[at.saturating_add(1)..]);
        match link(behind).filter(|(text, ..)| !text.contains('[') || text.starts_with('!')) {
            Some((text, address, tail)) => {
                let is_picture = before.ends_with('!');
                out.push_str(before.strip_suffix('!').unwrap_or(before));
                if !is_picture && !text.starts_with('!') {
                    out.push_str(text);
                    let name = hub_name(address).filter(|it| !text.contains(it.rsplit('/').next().unwrap_or(it)));
                    out.extend(name.iter().flat_map(|it| [" ", it]));
                }
                rest = tail;
            }
            None => {
                out.push_str(before);
                out.push('[');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Bytes of the text of a link, and of its address: a longer one is none.
const LONGEST_LINK: usize = 1_000;

/// The text and the address of a link, and what stands after it.
fn link(behind: &str) -> Option<(&str, &str, &str)> {
    let (text, _) = front(behind, LONGEST_LINK).split_once("](")?;
    let tail = behind.get(text.len().saturating_add(2)..)?;
    let (address, _) = front(tail, LONGEST_LINK).split_once(')')?;
    Some((text, address, tail.get(address.len().saturating_add(1)..)?))
}

/// `ORG/NAME` of an address that is the page of a model, and of none of its files.
fn hub_name(address: &str) -> Option<&str> {
    const HUBS: &[&str] = &["huggingface.co/", "hf.co/", "modelscope.cn/models/", "hf-mirror.com/"];
    let address = address.split_whitespace().next()?.split(['?', '#']).next()?.trim_end_matches('/');
    let rest = HUBS.iter().find_map(|hub| Some(address.split_once(hub)?.1))?;
    let parts: Vec<&str> = rest.split('/').collect();
    (parts.len() == 2 && !["datasets", "spaces", "docs", "papers", "collections", "blog"].contains(&parts[0]))
        .then_some(rest)
}

/// The sentences of a passage, each with the byte it begins at.
pub(crate) fn sentences(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, it)) = chars.next() {
        let end = at.saturating_add(it.len_utf8());
        let is_end = match it {
            '。' | '！' | '？' | '；' => true,
            '!' | '?' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()),
            '.' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()) && !is_abbreviation(&text[start..end]),
            _ => false,
        };
        if is_end {
            found.push((start, &text[start..end]));
            start = end;
        }
    }
    if !text[start..].trim().is_empty() {
        found.push((start, &text[start..]));
    }
    let trimmed = |(at, it): (usize, &'_ str)| {
        let lead = it.len().saturating_sub(it.trim_start().len());
        at.saturating_add(lead)
    };
    found.into_iter().filter(|it| !it.1.trim().is_empty()).map(|it| (trimmed(it), it.1.trim())).collect()
}

fn is_abbreviation(text: &str) -> bool {
    const SHORT: &[&str] = &["e.g.", "i.e.", "et al.", "etc.", "vs.", "cf.", "approx.", "inc.", "no.", "ltd.", "co."];
    let mut from = text.len().saturating_sub(12);
    while !text.is_char_boundary(from) {
        from = from.saturating_add(1);
    }
    let lower = text[from..].to_ascii_lowercase();
    SHORT.iter().any(|it| {
        let before = lower.strip_suffix(it);
        before.is_some_and(|it| !it.ends_with(|it: char| it.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        passages(text, 1).iter().map(|it| format!("{:?} {} {}", it.kind, it.line_at(0), it.text)).collect()
    }

    #[test]
    fn a_card_is_cut_into_what_a_reader_sees() {
        let card = "# Nimbus\n\nFirst line\nsecond **line**.\n- an item\n> said others\n| a | b |\n```\n<!-- code -->\n\
                    ```\n<!-- secret\nbase --> after\n[//]: # (hidden too)\n<span style=\"display:none\">x</span>\n";
        let expected = [
            "Hidden 11 secret base",
            "Heading 1 Nimbus",
            "Prose 3 First line second line.",
            "Prose 5 an item",
            "Quote 6 said others",
            "Table 7 | a | b |",
            "Prose 12 after",
            "Hidden 13 hidden too",
        ];
        let found = kinds(card);
        assert_eq!(&found[..8], expected);
        assert!(found[8].starts_with("Hidden 14"), "{found:?}");
    }

    #[test]
    fn a_link_to_a_model_names_it_and_a_link_to_a_file_does_not() {
        assert_eq!(plain_text("on [this](https://huggingface.co/a/B-7B)."), "on this a/B-7B.");
        assert_eq!(plain_text("on [B-7B](https://huggingface.co/a/B-7B)."), "on B-7B.");
        assert_eq!(plain_text("[license](https://huggingface.co/a/B-7B/blob/main/LICENSE)"), "license");
        assert_eq!(plain_text("![badge](https://x/y) a <|im_start|> b"), " a <|im_start|> b");
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let of = |text: &'static str| sentences(text).into_iter().map(|it| it.1).collect::<Vec<_>>();
        assert_eq!(of("Uses v1.5, e.g. here. Next one? Yes"), ["Uses v1.5, e.g. here.", "Next one?", "Yes"]);
        assert_eq!(of("从零训练。基于它！"), ["从零训练。", "基于它！"]);
        assert_eq!(sentences("a. b")[1].0, 3);
    }
}
