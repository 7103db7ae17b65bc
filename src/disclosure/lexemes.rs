//! Where a word ends, and which characters are Chinese; a text cut to a length.

/// The length in bytes of the word that a text begins with; 0 where it begins with none.
pub(crate) fn lexeme(rest: &str) -> usize {
    let is_inner = |it: char| it.is_alphanumeric() && !is_han(it) || "-_.+/'@&".contains(it);
    let starts = |it: char| it.is_alphanumeric() && !is_han(it) || it == '-';
    if !rest.starts_with(starts) {
        return 0;
    }
    let end = rest.find(|it| !is_inner(it)).unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches(['.', '\'', '/', '&', '+', '-', '@']);
    word.len()
}

/// Whether a character is Chinese.
pub(crate) fn is_han(it: char) -> bool {
    matches!(it, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

/// The first bytes of a text, cut between characters.
pub(crate) fn front(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    &text[..end]
}
