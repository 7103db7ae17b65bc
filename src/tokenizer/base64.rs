//! Base64 with the standard alphabet, as tiktoken's files have it. Reference: RFC 4648, section 4.

/// The bytes of a text; none where it is not base64. Padding may be left out, and bits behind the last byte must be 0.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if digits.len() < text.len() && !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let bits = group.iter().try_fold(0_u32, |bits, digit| Some((bits << 6) | value(*digit)?))?;
        match group.len() {
            4 => bytes.extend(bits.to_be_bytes().iter().skip(1)),
            3 if bits & 3 == 0 => bytes.extend((bits >> 2).to_be_bytes().iter().skip(2)),
            2 if bits & 15 == 0 => bytes.extend((bits >> 4).to_be_bytes().iter().skip(3)),
            _ => return None,
        }
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let from = |start: u8, first: u32| u32::from(digit.saturating_sub(start)).saturating_add(first);
    match digit {
        b'A'..=b'Z' => Some(from(b'A', 0)),
        b'a'..=b'z' => Some(from(b'a', 26)),
        b'0'..=b'9' => Some(from(b'0', 52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(decode(text.as_bytes()).as_deref(), expected);
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba")]
        {
            check(text, Some(bytes.as_bytes()));
        }
        check("/+8", Some(&[0xff, 0xef]));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["Z", "Zm9vY", "Zm9v=", "Z===", "Zh==", "Zm9=", "Zm-_", "Zm 9", "=", "Zg=Z"] {
            check(text, None);
        }
    }
}
