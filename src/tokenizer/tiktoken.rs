//! tiktoken's files: one token a line, its bytes in base64 and its rank, which is its id too.

use crate::bytes::{limits, shown};
use crate::tokenizer::base64;
use crate::tokenizer::draft::Draft;
use crate::tokenizer::{Class, Kind, Token};

/// Reads a whole file. Special tokens stand in code beside it, which is not run.
pub(crate) fn read(text: &[u8]) -> Result<Draft, String> {
    let mut draft = Draft::new(Kind::Bpe);
    let mut ranked: Vec<(u64, Vec<u8>)> = Vec::new();
    for (number, line) in (1_u64..).zip(text.split(|it| *it == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if ranked.len() >= limits::VOCABULARY_IDS {
            return Err(format!("it has more than {} tokens", limits::VOCABULARY_IDS));
        }
        let broken =
            || format!("line {number} is {}, expected base64 and a rank", shown(String::from_utf8_lossy(line)));
        let (bytes, rank) = pair(line).ok_or_else(broken)?;
        draft.put(rank, Token { bytes: bytes.clone().into(), class: Class::Text })?;
        ranked.push((rank, bytes));
    }
    if ranked.is_empty() {
        return Err("it has no tokens".into());
    }
    ranked.sort();
    ranked.into_iter().filter(|(_, bytes)| bytes.len() > 1).try_for_each(|(_, bytes)| draft.merge(bytes))?;
    Ok(draft)
}

fn pair(line: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (text, rank) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    Some((base64::decode(text.as_bytes())?, rank.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_at_their_ranks_and_longer_ones_are_merges() {
        let draft = read(b"YQ== 0\nYg== 1\r\nYWI= 3\n\nIHQ= 2\n").unwrap();
        let seen: Vec<&[u8]> = draft.tokens.iter().flatten().map(|it| &*it.bytes).collect();
        assert_eq!(seen, [&b"a"[..], b"b", b" t", b"ab"]);
        assert_eq!(draft.merges, [Box::from(*b" t"), Box::from(*b"ab")]);
    }

    #[test]
    fn broken_lines_are_named() {
        let refused = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(refused(""), "it has no tokens");
        assert_eq!(refused("YQ== 0\n*** 1"), "line 2 is `*** 1`, expected base64 and a rank");
        assert_eq!(refused("YQ== -1"), "line 1 is `YQ== -1`, expected base64 and a rank");
        assert_eq!(refused("YQ=="), "line 1 is `YQ==`, expected base64 and a rank");
        assert_eq!(
            refused("YQ== 99999999999999999999"),
            "line 1 is `YQ== 99999999999999999999`, expected base64 and a rank"
        );
        assert_eq!(refused("YQ== 9999999999"), "it gives a token the id 9,999,999,999, and ids end below 2,097,152");
    }
}
