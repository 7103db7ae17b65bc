//! What the parser stumbled over, in words for somebody who does not know YAML's grammar.

use granit_parser::ErrorKind;

/// What is wrong, and what to do about it.
pub(crate) fn explain(kind: &ErrorKind) -> (String, &'static str) {
    let (message, hint) = words(kind);
    (message.to_owned(), hint)
}

fn words(kind: &ErrorKind) -> (&'static str, &'static str) {
    use ErrorKind as It;
    match kind {
        It::RecursionLimitExceeded => (
            "the file nests deeper than 64 levels",
            "the files of a case nest about six levels; check where this came from",
        ),
        It::TabNotAllowed
        | It::TabInBlockIndentation
        | It::TabInIndentation
        | It::TabInPlainScalar
        | It::TabAtBlockScalarStart => {
            ("a tab stands where YAML allows only spaces", "indent with two spaces for each level")
        }
        It::InvalidIndentation
        | It::InvalidBlockScalarIndent
        | It::InvalidQuotedScalarIndent
        | It::InvalidFlowScalarIndent
        | It::ExpectedBlockSequenceEntry
        | It::ExpectedBlockMappingKey => (
            "this line does not line up with the lines above it",
            "entries of one level start in the same column; text that goes on in the next line starts further right",
        ),
        It::SimpleKeyExpected | It::InvalidSimpleKey => {
            ("a key without a colon", "write `key: value`, with a half-width colon and a space after it")
        }
        It::MappingValueNotAllowed | It::InvalidColonPlacement | It::InvalidMappingValueWhitespace => (
            "a colon stands where no key can be",
            "text that contains a colon and a space goes into quotes: `reason: \"note: see page 3\"`",
        ),
        It::UnclosedQuotedScalar | It::DocumentIndicatorInQuotedScalar => {
            ("a quote was opened and never closed", "close it with the same quote character")
        }
        It::InvalidTrailingSingleQuotedScalar | It::InvalidTrailingDoubleQuotedScalar => (
            "text goes on after the closing quote",
            "put the whole text into quotes; inside double quotes write `\\\"` for a quote",
        ),
        It::UnknownQuotedScalarEscape
        | It::InvalidQuotedScalarHexEscape
        | It::InvalidUnicodeEscape
        | It::InvalidLowSurrogate
        | It::InvalidLowSurrogateHexEscape
        | It::MissingLowSurrogate
        | It::UnpairedLowSurrogate => (
            "a backslash in double quotes starts something unknown",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        It::ExpectedFlowMappingSeparator
        | It::ExpectedFlowSequenceSeparator
        | It::UnexpectedEofFlowMapping
        | It::UnexpectedEofFlowSequence
        | It::UnexpectedEofImplicitFlowMapping
        | It::UnclosedFlowCollection { .. } => (
            "a list in `[ ]` or a mapping in `{ }` is not closed, or lacks a comma",
            "separate its parts with half-width commas, close it with the same kind of bracket, \
             and put text with `,` `:` `?` `[` or `{` into quotes",
        ),
        It::MisplacedFlowCollectionEnd | It::MismatchedFlowCollectionEnd { .. } => (
            "a closing bracket that nothing opened",
            "check the brackets of this line; put text with brackets into quotes",
        ),
        It::UnexpectedCharacter { .. } => (
            "a character that cannot start a value",
            "put text that starts with one of @ ` % & * ! | > [ ] { } into quotes",
        ),
        It::UnknownAnchor | It::MissingAnchorOrAliasName => {
            ("text that starts with `*` or `&` has a meaning of its own in YAML", "put the text into quotes")
        }
        It::CommentNotSeparated | It::CommentInterceptedScalar => {
            ("a comment cuts a text in two", "put text with ` #` into quotes, or move the comment to a line of its own")
        }
        It::BlockSequenceEntryNotAllowed | It::BlockEntryInFlowCollection | It::InvalidBlockEntryWhitespace => {
            ("a list item stands where none can be", "start every item of a list on a line of its own with `- `")
        }
        It::BomInsideDocument => {
            ("a byte-order mark in the middle of the file", "delete the invisible character at the start of this line")
        }
        _ => (
            "this is not YAML",
            "compare with the lines around it: `key: value`, lists with `- `, text with special characters in quotes",
        ),
    }
}
