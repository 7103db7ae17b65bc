//! What a file really is, where it is not a weights file that is read here.

use crate::checkpoint::containers::is_tar;

/// One kind of file, told by its first bytes.
#[derive(Debug)]
pub(crate) struct Kind {
    /// With its article.
    pub(crate) what: &'static str,
    pub(crate) hint: &'static str,
    /// Whether it holds weights.
    pub(crate) weights: bool,
    recognise: fn(&[u8]) -> bool,
}

const LATER: &str =
    "this version reads safetensors, GGUF, PyTorch and ONNX files; ask for the safetensors files of the same model";
const DAMAGED: &str = "the download did not give the file; download it again and compare its size with the publisher's";
const NOT_WEIGHTS: &str = "name the file or folder that holds the weights";

/// In the order in which they are tried; the first that fits is the answer.
const KINDS: &[Kind] = &[
    Kind { what: "empty", hint: DAMAGED, weights: false, recognise: <[u8]>::is_empty },
    Kind {
        what: "a Git LFS pointer, which stands for the file and is not the file",
        hint: "run `git lfs pull` in the repository, or download the file itself",
        weights: false,
        recognise: |head| head.starts_with(b"version https://git-lfs"),
    },
    Kind { what: "a zip archive", hint: "unpack it, and name the folder", weights: false, recognise: is_zip },
    Kind {
        what: "an HDF5 file (Keras, TensorFlow)",
        hint: LATER,
        weights: true,
        recognise: |head| head.starts_with(b"\x89HDF\r\n\x1a\n"),
    },
    Kind { what: "a NumPy array", hint: LATER, weights: true, recognise: |head| head.starts_with(b"\x93NUMPY") },
    Kind {
        what: "a tar archive",
        hint: "unpack it with `tar -xf`, and name the folder",
        weights: false,
        recognise: is_tar,
    },
    Kind {
        what: "a compressed file",
        hint: "unpack it, and name the folder",
        weights: false,
        recognise: |head| {
            [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"BZh", b"Rar!"]
                .iter()
                .any(|magic| head.starts_with(magic))
        },
    },
    Kind {
        what: "a web page",
        hint: "the server answered with a page (a login or an error), not with the file; download it again",
        weights: false,
        recognise: |head| {
            let text = head.trim_ascii_start().to_ascii_lowercase();
            [&b"<!doctype"[..], b"<html", b"<head", b"<?xml"].iter().any(|start| text.starts_with(start))
        },
    },
    Kind {
        what: "JSON text",
        hint: "name the folder if it is the index or the configuration; a server's error message looks like this too",
        weights: false,
        recognise: |head| matches!(head.trim_ascii_start(), [b'{' | b'[', ..]) && is_text(head),
    },
    Kind { what: "a PDF document", hint: NOT_WEIGHTS, weights: false, recognise: |head| head.starts_with(b"%PDF-") },
    Kind {
        what: "a program",
        hint: NOT_WEIGHTS,
        weights: false,
        recognise: |head| head.starts_with(b"\x7fELF") || head.starts_with(b"MZ\x90"),
    },
    Kind {
        what: "plain text",
        hint: "a server may have answered with a message instead of the file; look at what it says",
        weights: false,
        recognise: is_text,
    },
    Kind {
        what: "nothing but zero bytes at its start",
        hint: "space was set aside for a download that never filled it; download it again",
        weights: false,
        recognise: |head| head.len() >= 64 && head.iter().all(|byte| *byte == 0),
    },
];

/// The kind of file that begins with these bytes, if it is a known one.
pub(crate) fn recognise(head: &[u8]) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| (kind.recognise)(head))
}

fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Whether it reads as text: no control characters, and UTF-8 up to a character that may be cut at the end.
fn is_text(head: &[u8]) -> bool {
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_utf8 && !head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let check = |head: &[u8], expected: &str| {
            let what = recognise(head).map_or("unknown", |kind| kind.what);
            assert!(what.contains(expected), "{what}");
        };
        check(b"", "empty");
        check(b"PK\x03\x04\0\0\x08\x08\0\0weights.npy", "a zip archive");
        check(b"\n<!DOCTYPE html><html>", "web page");
        check(b"{\"error\":\"Invalid credentials\"}", "JSON");
        check(b"Entry not found", "text");
        check("模型".as_bytes(), "text");
        check("模型".as_bytes().split_last().unwrap().1, "text");
        check(&[0; 128], "zero bytes");
        check(b"\x01\x02\x03", "unknown");
    }
}
