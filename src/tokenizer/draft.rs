//! A vocabulary while it is being read: every id and every length meets its limit here.

use std::collections::HashSet;

use crate::bytes::{counted, grouped, limits, shown};
use crate::fact::Finding;
use crate::tokenizer::findings::finding;
use crate::tokenizer::{Class, Kind, Rules, Token};

/// What a format's reader fills in; it says in one clause, which goes on from the file's name, why it cannot.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) tokens: Vec<Option<Token>>,
    pub(crate) merges: Vec<Box<[u8]>>,
    pub(crate) normaliser: Option<Rules>,
    pub(crate) pre_tokeniser: Option<Rules>,
    pub(crate) repeated_keys: Vec<String>,
    /// Texts that are added by hand further on in the file.
    pub(crate) added: HashSet<String>,
    /// Texts that are not spelled as the rest; how many, and the first.
    odd: (usize, String),
    /// Ids that two tokens have; how many, and the first.
    twice: (usize, u32),
    made: HashSet<Box<[u8]>>,
}

impl Draft {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            tokens: Vec::new(),
            merges: Vec::new(),
            normaliser: None,
            pre_tokeniser: None,
            repeated_keys: Vec::new(),
            added: HashSet::new(),
            odd: (0, String::new()),
            twice: (0, 0),
            made: HashSet::new(),
        }
    }

    /// Puts a token in its place. One that is there already gives way, and if it is another, that is told.
    pub(crate) fn put(&mut self, id: u64, token: Token) -> Result<(), String> {
        let place = usize::try_from(id).ok().filter(|it| *it < limits::VOCABULARY_IDS);
        let Some(place) = place else {
            let limit = grouped(limits::VOCABULARY_IDS as u64);
            return Err(format!("it gives a token the id {}, and ids end below {limit}", grouped(id)));
        };
        check_length(token.bytes.len())?;
        if place >= self.tokens.len() {
            self.tokens.resize(place.saturating_add(1), None);
        }
        let before = self.tokens.get_mut(place).and_then(|it| it.replace(token.clone()));
        if before.is_some_and(|it| it.bytes != token.bytes) {
            self.twice.0 = self.twice.0.saturating_add(1);
            self.twice.1 = if self.twice.0 == 1 { u32::try_from(id).unwrap_or(u32::MAX) } else { self.twice.1 };
        }
        Ok(())
    }

    /// What the next merge makes; a token that is made twice keeps its first rank.
    pub(crate) fn merge(&mut self, made: Vec<u8>) -> Result<(), String> {
        if self.merges.len() >= limits::VOCABULARY_MERGES {
            return Err(format!("it has more than {} merges", grouped(limits::VOCABULARY_MERGES as u64)));
        }
        check_length(made.len())?;
        let made: Box<[u8]> = made.into();
        if self.made.insert(made.clone()) {
            self.merges.push(made);
        }
        Ok(())
    }

    /// Notes a text that is not spelled as the rest.
    pub(crate) fn odd(&mut self, text: &str) {
        if self.odd.0 == 0 {
            text.clone_into(&mut self.odd.1);
        }
        self.odd.0 = self.odd.0.saturating_add(1);
    }

    /// Whether an id has a token of this class already.
    pub(crate) fn class_of(&self, id: u64) -> Option<Class> {
        let token = self.tokens.get(usize::try_from(id).ok()?)?;
        token.as_ref().map(|it| it.class)
    }

    /// What is worth knowing about the file.
    pub(crate) fn findings(&self, file: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.twice.0 > 0 {
            let detail =
                format!("two tokens have one id: {}, the first is {}", counted(self.twice.0, "id"), self.twice.1);
            findings.push(finding(file, "tokenizer-id-twice", None, detail));
        }
        if self.odd.0 > 0 {
            let detail = format!(
                "{} not spelled as the rest; the first is {}",
                counted(self.odd.0, "token"),
                shown(&self.odd.1)
            );
            findings.push(finding(file, "tokenizer-odd-token", None, detail));
        }
        findings.extend(self.repeated_keys.iter().map(|key| {
            let detail = format!("the key {} stands in it twice; the last value was taken", shown(key));
            finding(file, "tokenizer-repeated-key", Some(key), detail)
        }));
        findings
    }
}

fn check_length(length: usize) -> Result<(), String> {
    if length as u64 > limits::TOKEN_BYTES {
        let (length, limit) = (grouped(length as u64), grouped(limits::TOKEN_BYTES));
        return Err(format!("a token is {length} bytes long, and the limit is {limit}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token { bytes: text.as_bytes().into(), class: Class::Text }
    }

    #[test]
    fn an_id_beyond_the_limit_reserves_nothing() {
        let mut draft = Draft::new(Kind::Bpe);
        let why = draft.put(4_000_000_000, token("a")).unwrap_err();
        assert_eq!(why, "it gives a token the id 4,000,000,000, and ids end below 2,097,152");
        assert_eq!(draft.tokens.capacity(), 0);
        assert!(draft.put(u64::MAX, token("a")).is_err());
    }

    #[test]
    fn the_later_token_counts_and_is_told_if_it_is_another() {
        let mut draft = Draft::new(Kind::Bpe);
        draft.put(1, token("a")).unwrap();
        draft.put(1, Token { class: Class::Special, ..token("a") }).unwrap();
        assert_eq!(draft.findings("f"), []);
        draft.put(1, token("b")).unwrap();
        assert_eq!(draft.tokens, [None, Some(token("b"))]);
        assert_eq!(draft.findings("f")[0].detail, "two tokens have one id: 1 id, the first is 1");
    }

    #[test]
    fn a_merge_that_makes_what_is_made_already_is_not_counted() {
        let mut draft = Draft::new(Kind::Bpe);
        for made in ["ab", "abc", "ab"] {
            draft.merge(made.into()).unwrap();
        }
        assert_eq!(draft.merges.len(), 2);
        let why = draft.merge(vec![0; 70_000]).unwrap_err();
        assert_eq!(why, "a token is 70,000 bytes long, and the limit is 65,536");
    }
}
