//! Reads the text back out of a PDF that we wrote, the way a reader's copy-and-paste does: character codes through the
//! font's `ToUnicode` table. For tests; it knows only what our own PDFs contain.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

/// The text of each page in the order it is drawn, without white space.
pub(in crate::report) fn pages(pdf: &[u8]) -> Vec<String> {
    let objects: Objects<'_> = bodies(pdf).collect();
    let root = objects.keys().map(|it| head(&objects, *it)).find(|it| it.contains("/Type/Pages")).expect("a page tree");
    let kids = between(&root, "/Kids[", "]").expect("pages");
    let numbers: Vec<u32> = kids.split(" 0 R").filter_map(|it| it.trim().parse().ok()).collect();
    numbers.iter().map(|page| page_text(&objects, *page)).collect()
}

/// Every object's number, and the file from its beginning on.
type Objects<'pdf> = BTreeMap<u32, &'pdf [u8]>;

/// The dictionary of an object.
fn head(objects: &Objects<'_>, number: u32) -> String {
    let body = &objects[&number];
    let body = &body[..body.len().min(20_000)];
    let end = find(body, b"\nendobj").into_iter().chain(find(body, b"\nstream")).min().unwrap_or(body.len());
    String::from_utf8_lossy(&body[..end]).into_owned()
}

fn bodies(pdf: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + find(&pdf[from..], b" 0 obj\n")?;
        from = at + 7;
        let line = pdf[..at].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        Some((std::str::from_utf8(&pdf[line..at]).ok().and_then(|it| it.parse().ok()).unwrap_or(0), &pdf[from..]))
    })
}

fn page_text(objects: &Objects<'_>, page: u32) -> String {
    let page = head(objects, page);
    let resources = head(objects, reference(&page, "/Resources ").expect("resources"));
    let names = between(&resources, "/Font<<", ">>").unwrap_or_default();
    let mut fonts = BTreeMap::new();
    for name in names.split('/').filter(|it| !it.is_empty()) {
        let (name, target) = name.split_once(' ').expect("a font and its object");
        let font = head(objects, target.split(' ').next().and_then(|it| it.parse().ok()).expect("a number"));
        fonts.insert(name.to_owned(), to_unicode(&stream(objects, reference(&font, "/ToUnicode ").expect("a table"))));
    }
    drawn(&stream(objects, reference(&page, "/Contents ").expect("contents")), &fonts)
}

/// The words that a content stream draws.
fn drawn(content: &[u8], fonts: &BTreeMap<String, BTreeMap<u16, String>>) -> String {
    let (mut text, mut name, mut font) = (String::new(), String::new(), None);
    // Strings count only where an operator draws them: others say a language or a description.
    let mut codes = Vec::new();
    let mut at = 0;
    while at < content.len() {
        match content[at] {
            b'(' => {
                let (found, end) = literal(content, at + 1);
                codes.extend(found);
                at = end;
            }
            b'<' if content.get(at + 1) == Some(&b'<') => at += 2,
            b'<' => {
                let end = at + find(&content[at..], b">").expect("a closed string");
                let hex: Vec<u8> = content[at + 1..end].iter().copied().filter(u8::is_ascii_hexdigit).collect();
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
                codes.extend(hex.chunks(2).map(byte));
                at = end + 1;
            }
            _ => {
                let rest = &content[at + 1..];
                let is_between = b" \n\r\t)>[]".contains(&content[at]);
                let length = rest.iter().position(|it| b" \n\r\t()<>[]/".contains(it)).unwrap_or(rest.len());
                let end = at + 1 + if is_between { 0 } else { length };
                let word = String::from_utf8_lossy(&content[at..end]).into_owned();
                match word.as_str() {
                    "Tf" => font = fonts.get(&name),
                    "Tj" | "TJ" => show(&std::mem::take(&mut codes), font, &mut text),
                    "BDC" => codes.clear(),
                    _ => name = word.strip_prefix('/').map_or(name, str::to_owned),
                }
                at = end;
            }
        }
    }
    text.retain(|it| !it.is_whitespace());
    text
}

fn show(codes: &[u8], table: Option<&BTreeMap<u16, String>>, text: &mut String) {
    let Some(table) = table else { return };
    for code in codes.chunks_exact(2) {
        let code = u16::from_be_bytes([code[0], code[1]]);
        text.push_str(table.get(&code).map_or("\u{FFFD}", String::as_str));
    }
}

fn literal(content: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let (mut codes, mut depth) = (Vec::new(), 1);
    loop {
        let byte = content[at];
        at += 1;
        match byte {
            b'\\' => {
                let escaped = content[at];
                at += 1;
                if escaped.is_ascii_digit() {
                    let digits = std::str::from_utf8(&content[at - 1..at + 2]).unwrap();
                    codes.push(u8::from_str_radix(digits, 8).unwrap());
                    at += 2;
                } else {
                    let known = [(b'n', b'\n'), (b'r', b'\r'), (b't', b'\t'), (b'b', 8), (b'f', 12)];
                    codes.push(known.iter().find(|(it, _)| *it == escaped).map_or(escaped, |(_, byte)| *byte));
                }
            }
            b'(' => depth += 1,
            b')' if depth == 1 => return (codes, at),
            b')' => depth -= 1,
            _ => codes.push(byte),
        }
        if byte == b'(' || byte == b')' {
            codes.push(byte);
        }
    }
}

/// A `ToUnicode` table: code to text.
fn to_unicode(table: &[u8]) -> BTreeMap<u16, String> {
    let table = String::from_utf8_lossy(table);
    let mut found = BTreeMap::new();
    for block in table.split("beginbfchar").skip(1) {
        let block = block.split("endbfchar").next().unwrap_or_default();
        let codes: Vec<&str> = block.split('<').skip(1).filter_map(|it| it.split('>').next()).collect();
        for pair in codes.chunks_exact(2) {
            let units: Vec<u16> = (0..pair[1].len() / 4).map(|it| hex(&pair[1][it * 4..it * 4 + 4])).collect();
            found.insert(hex(pair[0]), String::from_utf16(&units).unwrap());
        }
    }
    assert!(!table.contains("beginbfrange"), "ranges are not read here");
    found
}

fn hex(digits: &str) -> u16 {
    u16::from_str_radix(digits, 16).expect("hexadecimal digits")
}

fn stream(objects: &Objects<'_>, number: u32) -> Vec<u8> {
    let body = objects[&number];
    let start = find(body, b"\nstream\n").expect("a stream") + 8;
    let head = String::from_utf8_lossy(&body[..start]).into_owned();
    let digits = between(&head, "/Length ", "/").or_else(|| between(&head, "/Length ", ">")).expect("a length");
    let length: usize = digits.trim_end_matches('>').trim().parse().expect("a number");
    let bytes = &body[start..start + length];
    if head.contains("FlateDecode") {
        return miniz_oxide::inflate::decompress_to_vec_zlib(bytes).expect("deflated");
    }
    bytes.to_vec()
}

fn reference(object: &str, key: &str) -> Option<u32> {
    object.split_once(key)?.1.split(' ').next()?.parse().ok()
}

fn between<'text>(text: &'text str, from: &str, to: &str) -> Option<&'text str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}
