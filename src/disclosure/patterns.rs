//! Rows of elements that sentences are compared with; `rules.yaml` says how they are written.

use crate::disclosure::lexemes::is_han;
use crate::disclosure::names::{Names, OwnName};
use crate::disclosure::tokens::{Kind, Token, tokens};

/// Words that a gap may take in, and Chinese characters.
const GAP_WORDS: usize = 8;
const GAP_CHARACTERS: usize = 12;

/// Steps of one match, so that no sentence can keep the reader busy.
const STEPS: usize = 20_000;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    elements: Vec<Element>,
}

#[derive(Clone, Debug)]
enum Element {
    /// One of several runs of tokens; may be left out where the flag is set.
    Words(Vec<Vec<String>>, bool),
    Gap,
    Start,
    Itself,
    Model,
    Repository,
}

/// Where a pattern was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Tokens that are names of other models.
    pub(crate) models: Vec<usize>,
    /// Tokens that a gap took in.
    pub(crate) skipped: Vec<usize>,
}

impl Pattern {
    /// Reads a row; what cannot be an element is a word that no sentence has, and a test finds it.
    pub(crate) fn parse(text: &str) -> Self {
        Self { elements: text.split_whitespace().map(element).collect() }
    }

    /// Every place where the row fits, one for each start.
    pub(crate) fn find(&self, tokens: &[Token], itself: &[Self]) -> Vec<Match> {
        let mut steps = STEPS;
        (0..tokens.len())
            .filter_map(|start| {
                let mut found = Match { start, end: start, models: Vec::new(), skipped: Vec::new() };
                fits(&self.elements, tokens, start, itself, &mut found, &mut steps).then_some(found)
            })
            .collect()
    }

    /// Whether the row fits anywhere.
    pub(crate) fn is_in(&self, tokens: &[Token]) -> bool {
        let mut steps = STEPS;
        (0..tokens.len()).any(|start| {
            let mut found = Match { start, end: start, models: Vec::new(), skipped: Vec::new() };
            fits(&self.elements, tokens, start, &[], &mut found, &mut steps)
        })
    }
}

fn element(text: &str) -> Element {
    match text {
        "~" => Element::Gap,
        "^" => Element::Start,
        "{self}" => Element::Itself,
        "{model}" => Element::Model,
        "{repo}" => Element::Repository,
        _ => {
            let (text, is_optional) = match text.strip_suffix('?') {
                Some(text) if !text.is_empty() => (text, true),
                _ => (text, false),
            };
            Element::Words(text.split('|').map(run).collect(), is_optional)
        }
    }
}

/// The tokens of one alternative: Chinese runs character by character, `_` represents a space.
fn run(text: &str) -> Vec<String> {
    let nobody = OwnName::default();
    let words = text.replace('_', " ");
    let found = tokens(&words, Names::builtin(), &nobody);
    found.into_iter().map(|it| it.text).collect()
}

fn fits(
    elements: &[Element],
    tokens: &[Token],
    at: usize,
    itself: &[Pattern],
    found: &mut Match,
    steps: &mut usize,
) -> bool {
    let Some((first, rest)) = elements.split_first() else {
        found.end = at;
        return true;
    };
    *steps = steps.saturating_sub(1);
    if *steps == 0 {
        return false;
    }
    match first {
        Element::Start => at == 0 && fits(rest, tokens, at, itself, found, steps),
        Element::Gap => gap(rest, tokens, at, itself, found, steps),
        Element::Words(runs, is_optional) => {
            let one = runs.iter().any(|run| {
                let fit = run
                    .iter()
                    .enumerate()
                    .all(|(idx, word)| tokens.get(at.saturating_add(idx)).is_some_and(|it| it.text == *word));
                fit && !run.is_empty() && fits(rest, tokens, at.saturating_add(run.len()), itself, found, steps)
            });
            one || *is_optional && fits(rest, tokens, at, itself, found, steps)
        }
        Element::Itself => {
            if tokens.get(at).is_some_and(Token::is_own) {
                return fits(rest, tokens, at.saturating_add(1), itself, found, steps);
            }
            itself.iter().any(|it| {
                let mut inner = Match { start: at, end: at, models: Vec::new(), skipped: Vec::new() };
                fits(&it.elements, tokens, at, &[], &mut inner, steps)
                    && fits(rest, tokens, inner.end, itself, found, steps)
            })
        }
        Element::Model | Element::Repository => {
            let any = matches!(first, Element::Repository);
            let Some(name) = tokens.get(at).and_then(Token::other_model) else { return false };
            if !any && !name.is_model {
                return false;
            }
            found.models.push(at);
            if fits(rest, tokens, at.saturating_add(1), itself, found, steps) {
                return true;
            }
            found.models.pop();
            false
        }
    }
}

/// A gap never runs over punctuation, and not over a name of another model.
fn gap(
    rest: &[Element],
    tokens: &[Token],
    at: usize,
    itself: &[Pattern],
    found: &mut Match,
    steps: &mut usize,
) -> bool {
    let (mut words, mut characters) = (0_usize, 0_usize);
    let taken = found.skipped.len();
    let mut next = at;
    loop {
        if fits(rest, tokens, next, itself, found, steps) {
            return true;
        }
        let Some(token) = tokens.get(next) else { break };
        match token.kind {
            Kind::Punctuation => break,
            Kind::Han => characters = characters.saturating_add(1),
            Kind::Word => words = words.saturating_add(1),
            Kind::Model(_) if token.other_model().is_some() => break,
            Kind::Model(_) => words = words.saturating_add(1),
        }
        if words > GAP_WORDS || characters > GAP_CHARACTERS {
            break;
        }
        found.skipped.push(next);
        next = next.saturating_add(1);
    }
    found.skipped.truncate(taken);
    false
}

/// Whether a token is a Chinese character of a run that begins there.
pub(crate) fn begins_run(tokens: &[Token], at: usize, run: &str) -> bool {
    if !run.starts_with(is_han) {
        return tokens.get(at).is_some_and(|it| it.text == run);
    }
    run.chars().enumerate().all(|(idx, it)| {
        tokens.get(at.saturating_add(idx)).is_some_and(|token| token.text.chars().eq(std::iter::once(it)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, sentence: &str, expected: Option<&[&str]>) {
        let names = Names::builtin();
        let tokens = tokens(sentence, names, &names.own(&["acme/Nimbus-7B"]));
        let found = Pattern::parse(pattern).find(&tokens, &[Pattern::parse("this model")]);
        let models: Option<Vec<&str>> =
            found.first().map(|it| it.models.iter().map(|at| tokens[*at].text.as_str()).collect());
        assert_eq!(models.as_deref(), expected, "{pattern} in {sentence}");
    }

    #[test]
    fn elements_fit_as_they_are_described() {
        check("fine-tuned from ~ {model}", "It is fine-tuned from the great Llama-2-7B.", Some(&["llama-2-7b"]));
        check("fine-tuned from ~ {model}", "fine-tuned from scratch, unlike Llama-2-7B", None);
        check("{self} ~ trained ~ from scratch", "Nimbus-7B was trained entirely from scratch", Some(&[]));
        check("{self} ~ trained ~ from scratch", "This model was trained from scratch", Some(&[]));
        check("{self} ~ trained ~ from scratch", "Llama-2 was trained from scratch", None);
        check("基于 {model} 的? ~ 微调", "基于Llama-2-7B进行指令微调", Some(&["llama-2-7b"]));
        check("based on {model}", "based on acme/some-repo", None);
        check("based on {repo}", "based on acme/some-repo", Some(&["acme/some-repo"]));
        check("^ trained|built from scratch", "Trained from scratch", Some(&[]));
        check("^ trained|built from scratch", "was trained from scratch", None);
    }
}
