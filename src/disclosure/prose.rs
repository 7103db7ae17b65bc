//! Sentences of a card: which are statements, which name models only, and which were read and not understood.

use crate::disclosure::markdown::{Kind as Passages, Passage, sentences};
use crate::disclosure::names::{Names, Own, OwnName};
use crate::disclosure::patterns::{Match, Pattern, begins_run};
use crate::disclosure::rules::{Rule, Rules};
use crate::disclosure::tokens::{Kind, LONGEST, Token, tokens};
use crate::fact::{StatedAbout, StatedPart};

/// Sentences of one file that are looked at.
const MOST_SENTENCES: usize = 20_000;

/// What a sentence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) about: StatedAbout,
    pub(crate) part: Option<StatedPart>,
    pub(crate) relation: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) rule: String,
}

/// One sentence, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) line: u64,
    pub(crate) quote: String,
    pub(crate) hidden: bool,
    pub(crate) said: Vec<Said>,
    /// Other models that it names and that no statement covers.
    pub(crate) mentioned: Vec<String>,
    /// Why it is no statement, where it may matter.
    pub(crate) not_understood: Option<&'static str>,
}

/// Reads every sentence of a file; the second value is how many were left out.
pub(crate) fn read(passages: &[Passage], own: &OwnName) -> (Vec<Sentence>, usize) {
    let all = passages.iter().flat_map(|passage| sentences(&passage.text).into_iter().map(move |it| (passage, it)));
    let mut found = Vec::new();
    let mut left_out = 0_usize;
    for (idx, (passage, (at, text))) in all.enumerate() {
        if idx >= MOST_SENTENCES {
            left_out = left_out.saturating_add(1);
            continue;
        }
        let sentence = sentence(passage.kind, text, own, passage.line_at(at));
        found.extend(
            Some(sentence).filter(|it| !it.said.is_empty() || !it.mentioned.is_empty() || it.not_understood.is_some()),
        );
    }
    (found, left_out)
}

fn sentence(kind: Passages, text: &str, own: &OwnName, line: u64) -> Sentence {
    let hidden = kind == Passages::Hidden;
    let mut read =
        Sentence { line, quote: cut(text), hidden, said: Vec::new(), mentioned: Vec::new(), not_understood: None };
    let all = tokens(text, Names::builtin(), own);
    if all.len() > LONGEST {
        read.mentioned = models(&all);
        read.not_understood = Some("too_long");
        return read;
    }
    let is_question = text.trim_end().ends_with(['?', '？']);
    for segment in segments(&all) {
        read.segment(kind, &segment, is_question);
    }
    read.mentioned.sort();
    read.mentioned.dedup();
    if !read.said.is_empty() {
        let covered = |it: &String| !read.said.iter().any(|said| said.models.contains(it));
        read.mentioned = read.mentioned.iter().filter(|it| covered(it)).cloned().collect();
        read.not_understood = None;
    }
    read
}

impl Sentence {
    fn segment(&mut self, kind: Passages, segment: &[Token], is_question: bool) {
        let (said, refused) = statements(segment, is_question);
        self.mentioned.extend(models(segment));
        let outside = match kind {
            Passages::Prose | Passages::Hidden => None,
            Passages::Heading => Some("heading"),
            Passages::Quote => Some("quoted"),
            Passages::Table => Some("table"),
        };
        match outside {
            None => {
                for it in said {
                    self.add(it);
                }
                self.not_understood = self.not_understood.or(refused);
            }
            Some(why) if !said.is_empty() || refused.is_some_and(|it| it != "no_rule") => {
                self.not_understood = Some(why);
            }
            Some(_) => {}
        }
    }

    /// One statement on a part and a model is enough; one that names the part beats one that leaves it open.
    fn add(&mut self, said: Said) {
        let same = |it: &Said| it.about == said.about && it.models == said.models;
        let is_open = |it: &Said| it.part == Some(StatedPart::Unspecified);
        if self.said.iter().any(|it| same(it) && (it.part == said.part || is_open(&said))) {
            return;
        }
        self.said.retain(|it| !(same(it) && is_open(it)));
        self.said.push(said);
    }
}

/// The sentence without what is in brackets, and each bracket's contents.
fn segments(all: &[Token]) -> Vec<Vec<Token>> {
    let (mut outer, mut inner): (Vec<Token>, Vec<Vec<Token>>) = (Vec::new(), Vec::new());
    let mut open = false;
    for token in all {
        match token.text.as_str() {
            "(" | "[" if token.is_break() => {
                open = true;
                inner.push(Vec::new());
            }
            ")" | "]" if token.is_break() => open = false,
            _ => match inner.last_mut().filter(|_| open) {
                Some(last) => last.push(token.clone()),
                None => outer.push(token.clone()),
            },
        }
    }
    std::iter::once(outer).chain(inner).filter(|it| !it.is_empty()).collect()
}

/// Other models that are named, each once.
fn models(tokens: &[Token]) -> Vec<String> {
    let mut names: Vec<String> = tokens
        .iter()
        .filter_map(Token::other_model)
        .filter(|it| it.is_model && it.own == Own::No)
        .map(|it| it.written.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What a segment states; and why not, where a rule fits and a guard holds it, or a word of weight is in it.
fn statements(segment: &[Token], is_question: bool) -> (Vec<Said>, Option<&'static str>) {
    let rules = Rules::builtin();
    let (mut said, mut refused) = (Vec::new(), None);
    for rule in &rules.rules {
        for found in rule.patterns.iter().flat_map(|it| it.find(segment, &rules.itself)) {
            match judged(rules, rule, segment, &found, is_question) {
                Ok(it) if !said.contains(&it) => said.push(it),
                Ok(_) => {}
                Err(why) => refused = refused.or(Some(why)),
            }
        }
    }
    // A denial is none of descent, whatever else seems to fit.
    let denied: Vec<Said> = said.iter().filter(|it| it.about == StatedAbout::ParentDenied).cloned().collect();
    let is_denied_part = |it: &Said| matches!(it.part, None | Some(StatedPart::Weights | StatedPart::Unspecified));
    for it in &denied {
        said.retain(|other| {
            !is_denied_part(other)
                || other.about != StatedAbout::Parent
                || !other.models.iter().any(|m| it.models.contains(m))
        });
    }
    let is_of_weight = || rules.triggers.iter().any(|it| it.is_in(segment));
    let why = refused.or_else(|| (said.is_empty() && is_of_weight()).then_some("no_rule"));
    (said, why)
}

/// What the match of a rule states, or the guard that holds it.
fn judged(
    rules: &Rules,
    rule: &Rule,
    segment: &[Token],
    found: &Match,
    is_question: bool,
) -> Result<Said, &'static str> {
    let is_denial = rule.about == StatedAbout::ParentDenied;
    let clause = clause(segment, found);
    if is_question {
        return Err("question");
    }
    if segment[found.start..found.end].iter().any(|it| it.quoted && !matches!(it.kind, Kind::Model(_))) {
        return Err("quoted");
    }
    let anywhere = |patterns: &[Pattern]| patterns.iter().any(|it| it.is_in(segment));
    if anywhere(&rules.guards.attributed) {
        return Err("attributed");
    }
    if anywhere(&rules.guards.comparison) {
        return Err("comparison");
    }
    if !is_denial && is_negated(rules, segment, found, &clause) {
        return Err("negated");
    }
    let before = &segment[clause.start..found.start.max(clause.start)];
    let inside = &segment[clause.start..found.end];
    if rules.guards.hypothetical.iter().any(|it| it.is_in(inside)) {
        return Err("hypothetical");
    }
    let is_others = rules.guards.other_subject.iter().any(|it| it.is_in(inside));
    let other_before = before.iter().any(|it| it.other_model().is_some_and(|it| it.own == Own::No));
    if is_others || other_before && !before.iter().any(Token::is_own) {
        return Err("other_subject");
    }
    let part = part(rules, rule, segment, found, &clause)?;
    if is_denial && !is_whole_denial(segment, found) {
        return Err("negated");
    }
    let models = found.models.iter().filter_map(|at| Some(segment.get(*at)?.other_model()?.written.clone()));
    let mut models: Vec<String> = models.chain(and_others(segment, found, rule)).collect();
    models.sort();
    models.dedup();
    Ok(Said { about: rule.about, part, relation: rule.relation.clone(), models, rule: rule.id.clone() })
}

/// The part of the segment between punctuation, `and` and the like, around a match.
fn clause(segment: &[Token], found: &Match) -> std::ops::Range<usize> {
    const JOINS: &[&str] = &["and", "but", "while", "whereas", "which"];
    let is_edge = |it: &Token| it.is_break() || JOINS.contains(&it.text.as_str());
    let start = segment[..found.start].iter().rposition(is_edge).map_or(0, |it| it.saturating_add(1));
    let tail = segment[found.end..].iter().position(is_edge).unwrap_or(segment.len().saturating_sub(found.end));
    start..found.end.saturating_add(tail)
}

/// A negation in the match or in its clause; one that is earlier counts where words join the two ("not true that
/// …").
fn is_negated(rules: &Rules, segment: &[Token], found: &Match, clause: &std::ops::Range<usize>) -> bool {
    const JOINS: &[&str] = &["that", "true", "case", "mean", "imply", "whether", "说明", "意味"];
    let harmless: Vec<Match> = rules.guards.not_negated.iter().flat_map(|it| it.find(segment, &[])).collect();
    let negations = rules.guards.negated.iter().flat_map(|it| it.find(segment, &[]));
    let is_joined = |from: usize| (from..found.start).any(|at| JOINS.iter().any(|it| begins_run(segment, at, it)));
    negations
        .filter(|it| !harmless.iter().any(|no| no.start <= it.start && it.end <= no.end))
        .any(|it| (clause.start..clause.end).contains(&it.start) || it.start < clause.start && is_joined(it.start))
}

/// The part that a match is about. A word for another part before it, in it or, where no model is named, after it
/// decides.
fn part(
    rules: &Rules,
    rule: &Rule,
    segment: &[Token],
    found: &Match,
    clause: &std::ops::Range<usize>,
) -> Result<Option<StatedPart>, &'static str> {
    let is_fixed = rule.part.is_some_and(|it| !matches!(it, StatedPart::Weights | StatedPart::Unspecified))
        || rule.about == StatedAbout::ParentDenied;
    if is_fixed {
        return Ok(rule.part);
    }
    let names_model = !found.models.is_empty();
    let end = if names_model { found.end } else { clause.end };
    let from = if names_model { clause.start } else { clause.start.max(found.start.saturating_sub(4)) };
    let noun = (from..end).rev().find_map(|at| rules.nouns.iter().find(|(word, _)| begins_run(segment, at, word)));
    // What was trained from scratch is the noun; "trained from scratch on our data" is about the model.
    let noun = noun.filter(|(_, part)| names_model || *part != Some(StatedPart::Data));
    let noun = noun.filter(|(word, _)| rule.about != StatedAbout::OwnWork || word != "data");
    if names_model && found.models.iter().any(|at| is_another_thing(rules, segment, *at)) {
        return Err("no_rule");
    }
    match noun {
        None => Ok(rule.part),
        Some((_, None)) => Err("other_subject"),
        Some((_, Some(StatedPart::Code))) if !names_model => Err("other_subject"),
        Some((_, part)) => Ok(*part),
    }
}

/// Whether what stands after the name of a model makes it another thing: its license, its outputs.
fn is_another_thing(rules: &Rules, segment: &[Token], at: usize) -> bool {
    let behind = at.saturating_add(1);
    let skip = usize::from(segment.get(behind).is_some_and(|it| it.text == "的"));
    let next = behind.saturating_add(skip);
    let is_marked =
        segment.get(behind).is_some_and(|it| it.text.starts_with('-') && it.text.len() > 1 && it.text != "-based");
    is_marked || rules.behind_name.iter().any(|it| begins_run(segment, next, it))
}

/// Whether a denial ends with the model it names, so that nothing takes it back ("not derived from X alone").
fn is_whole_denial(segment: &[Token], found: &Match) -> bool {
    const GOES_ON: &[&str] =
        &["or", "nor", "and", "或", "和", "的", "any", "in", "checkpoint", "checkpoints", "weights", "model", "models"];
    let last = found.models.last().map_or(found.end, |it| it.saturating_add(1)).max(found.end);
    match segment.get(last) {
        None => true,
        Some(it) => it.is_break() || GOES_ON.contains(&it.text.as_str()),
    }
}

/// Models that are named after the first, joined to it: "a merge of A, B and C".
fn and_others(segment: &[Token], found: &Match, rule: &Rule) -> Vec<String> {
    const JOINS: &[&str] = &["and", ",", "&", "+", "/", "or", "nor", "与", "和", "或", "及"];
    let is_merge = rule.relation.as_deref() == Some("merge") || rule.about == StatedAbout::ParentDenied;
    let Some(mut at) = found.models.last().copied().filter(|_| is_merge || rule.about == StatedAbout::Parent) else {
        return Vec::new();
    };
    let mut more = Vec::new();
    loop {
        let mut next = at.saturating_add(1);
        let mut joined = false;
        while segment.get(next).is_some_and(|it| JOINS.contains(&it.text.as_str())) {
            joined = true;
            next = next.saturating_add(1);
        }
        let Some(name) = segment.get(next).filter(|_| joined).and_then(Token::other_model) else { return more };
        // Behind a comma, and before a verb, another sentence may begin with a name of its own.
        let is_list_end = segment.get(next.saturating_add(1)).is_none_or(|it| it.is_break() || it.kind == Kind::Han);
        let has_comma = segment.get(at.saturating_add(1)).is_some_and(Token::is_break);
        if !is_merge && (has_comma || !is_list_end) {
            return more;
        }
        more.push(name.written.clone());
        at = next;
    }
}

/// A quote of at most 400 characters.
pub(crate) fn cut(text: &str) -> String {
    const LONGEST_QUOTE: usize = 400;
    let text = text.trim();
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
