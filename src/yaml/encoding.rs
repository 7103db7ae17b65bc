//! Bytes in, text out: size, byte-order mark, and the encodings that editors write without being asked.

use crate::yaml::{LARGEST_FILE, Problem};

const SAVE_AS: &str = "save it again as UTF-8 (Notepad: File > Save As > Encoding: UTF-8)";

/// The text of a file, without its byte-order mark.
pub(crate) fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Problem>> {
    if bytes.len() > LARGEST_FILE {
        let message = format!("the file has {} bytes, and at most {LARGEST_FILE} are read", bytes.len());
        let problem = Problem::of_file(file, "too-large", message);
        return Err(Box::new(
            problem.hint("keep documents as files below `documents/` and point to them from the ledger"),
        ));
    }
    if let Some(name) = utf_16(bytes) {
        let message = format!("the file is {name}, expected UTF-8");
        return Err(Box::new(Problem::of_file(file, "wrong-encoding", message).hint(SAVE_AS)));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf_8(file, bytes, error.valid_up_to()))?;
    match text.char_indices().find(|(_, it)| is_no_text(*it)) {
        None => Ok(text),
        Some((at, it)) => {
            let line = 1 + text.bytes().take(at).filter(|it| *it == b'\n').count();
            let message = format!("line {line} has the control character {}, which is no text", it.escape_unicode());
            let problem = Problem::of_file(file, "control-character", message);
            Err(Box::new(problem.hint("delete it, or check that the right file was put here")))
        }
    }
}

/// Control characters, and marks that turn the direction of writing: both make a file say one thing and show another.
fn is_no_text(it: char) -> bool {
    it.is_control() && !matches!(it, '\t' | '\n' | '\r' | '\u{85}')
        || matches!(it, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// "Unicode" in Windows Notepad is UTF-16 with a mark; without one, every other byte of plain text is zero.
fn utf_16(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some("UTF-16 (what Notepad calls \"Unicode\")"),
        [0xFE, 0xFF, ..] => return Some("UTF-16 big-endian"),
        _ => {}
    }
    let head = bytes.get(..bytes.len().min(64) & !1)?;
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|it| **it == 0).count();
    let half = head.len() / 2;
    (half >= 2 && (zeros(1) == half && zeros(0) == 0 || zeros(0) == half && zeros(1) == 0))
        .then_some("UTF-16 without a byte-order mark")
}

fn not_utf_8(file: &str, bytes: &[u8], at: usize) -> Box<Problem> {
    let line = 1 + bytes.iter().take(at).filter(|it| **it == b'\n').count();
    let guess =
        if looks_like_gbk(bytes) { "; it looks like GBK, what Notepad on a Chinese Windows calls ANSI" } else { "" };
    Box::new(Problem::of_file(file, "wrong-encoding", format!("line {line} is not UTF-8{guess}")).hint(SAVE_AS))
}

/// Whether every byte above 0x80 leads a pair that GBK has.
fn looks_like_gbk(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(lead) = rest.next() {
        if *lead >= 0x80 {
            let is_pair = matches!(rest.next(), Some(trail) if matches!(trail, 0x40..=0x7E | 0x80..=0xFE));
            if !is_pair || !matches!(lead, 0x81..=0xFE) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let found = decode("case.yaml", bytes).map_or_else(|problem| problem.message, str::to_owned);
        assert_eq!(found, expected);
    }

    #[test]
    fn what_editors_write_is_read_or_named() {
        check(b"\xEF\xBB\xBFa: 1\r\n", "a: 1\r\n");
        check(b"", "");
        check(b"\xFF\xFEa\0:\0", "the file is UTF-16 (what Notepad calls \"Unicode\"), expected UTF-8");
        check(b"a\0:\0 \x001\0", "the file is UTF-16 without a byte-order mark, expected UTF-8");
        check(
            b"ok: 1\ntitle: \xB4\xF3\xC4\xA3\xD0\xCD\n",
            "line 2 is not UTF-8; it looks like GBK, what Notepad on a Chinese Windows calls ANSI",
        );
        check(b"a: \xC3\x28\n\xFF", "line 1 is not UTF-8");
        check(b"abc\0", "line 1 has the control character \\u{0}, which is no text");
        check("a: b\nc: \u{202E}d".as_bytes(), "line 2 has the control character \\u{202e}, which is no text");
        check(&vec![b'a'; LARGEST_FILE + 1], "the file has 1048577 bytes, and at most 1048576 are read");
    }
}
