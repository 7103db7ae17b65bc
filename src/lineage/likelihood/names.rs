//! Names that a model states of itself, and the catalogue entries that they are the names of.

use crate::catalog::Catalog;

/// Words at the end of an entry's name that a path leaves out or puts in as it likes.
const ENDINGS: &[&str] = &["hf", "base", "chat", "it", "pt", "instruct", "bf16", "sft", "pretrain", "chatbot", "v0"];

/// Whose name a model states.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Named {
    /// No entry's.
    #[default]
    Nobody,
    /// This entry's.
    This {
        /// As it was stated.
        name: String,
        /// The chance that somebody without regard to the entry states its name: the entries of that name, of all.
        entries: f64,
    },
    /// Another entry's.
    Another {
        /// As it was stated.
        name: String,
    },
}

/// The entries that stated names are the names of.
#[derive(Debug, Default)]
pub(crate) struct StatedNames {
    found: Option<(String, Vec<String>)>,
    share: f64,
}

impl StatedNames {
    /// Looks up every stated name; the longest name of an entry that one of them holds counts.
    pub(crate) fn look_up(stated: &[String], catalog: &Catalog) -> Self {
        let mut best: (usize, String, Vec<String>) = Default::default();
        for name in stated {
            let words = words(name);
            for entry in catalog.entries() {
                let short = entry.id().split_once('/').map_or(entry.id(), |it| it.1);
                let own = without_endings(self::words(short.split('@').next().unwrap_or(short)));
                if own.len() < 2 || !holds(&words, &own) || own.len() < best.0 {
                    continue;
                }
                if own.len() > best.0 {
                    best = (own.len(), name.clone(), Vec::new());
                }
                best.2.push(entry.id().to_owned());
            }
        }
        let share = best.2.len() as f64 / catalog.entries().len().max(1) as f64;
        Self { found: (best.0 > 0).then_some((best.1, best.2)), share }
    }

    /// What the stated names say of one entry.
    pub(crate) fn of(&self, id: &str) -> Named {
        match &self.found {
            None => Named::Nobody,
            Some((name, ids)) if ids.iter().any(|it| it == id) => {
                Named::This { name: name.clone(), entries: self.share }
            }
            Some((name, _)) => Named::Another { name: name.clone() },
        }
    }
}

/// Lower-case words of letters or of digits: `Llama-2-7b` and `llama2_7B` are the same three.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut kind = None;
    for character in name.to_lowercase().chars() {
        let own = match character {
            '0'..='9' => Some(0),
            it if it.is_alphabetic() => Some(1),
            _ => None,
        };
        match (own, words.last_mut()) {
            (Some(_), Some(last)) if own == kind => last.push(character),
            (Some(_), _) => words.push(character.to_string()),
            (None, _) => {}
        }
        kind = own;
    }
    words
}

fn without_endings(mut words: Vec<String>) -> Vec<String> {
    while words.len() > 2 && words.last().is_some_and(|it| ENDINGS.contains(&it.as_str())) {
        words.pop();
    }
    words
}

fn holds(words: &[String], own: &[String]) -> bool {
    words.windows(own.len()).any(|it| it == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stated: &str, expected: &[&str]) {
        let found = StatedNames::look_up(&[stated.to_owned()], Catalog::builtin()).found;
        assert_eq!(found.map(|it| it.1).unwrap_or_default(), expected, "{stated}");
    }

    #[test]
    fn a_stated_name_is_that_of_an_entry() {
        check("/data/models/chatglm2-6b", &["THUDM/chatglm2-6b"]);
        check("meta-llama/Meta-Llama-3-70B-Instruct", &["meta-llama/Meta-Llama-3-70B"]);
        check("NousResearch/llama2_7B", &["meta-llama/Llama-2-7b-hf"]);
        check("Qwen2.5-14B-Instruct-1M", &["Qwen/Qwen2.5-14B"]);
    }

    #[test]
    fn a_name_that_no_entry_has_says_nothing() {
        for name in ["", "output_a/", "rp_800b", "checkpoint-1200", "our-own-70b", "/mnt/llama"] {
            check(name, &[]);
        }
    }
}
