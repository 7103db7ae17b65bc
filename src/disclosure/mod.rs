//! What a model says of itself: cards, notices, licenses, and what its configurations carry from elsewhere.
//!
//! *What it gives*: dated facts, each with file, line, quote and digest. *Limitations*: whether a statement is
//! true, and what was said elsewhere. A mention is no descent; a sentence that no rule covers was read and not
//! understood, which is less than silence. Everything is hostile text: lengths are limited, nothing is run, and nothing
//! is fetched that a file points to.

mod documents;
mod forms;
mod lexemes;
mod licenses;
mod markdown;
mod names;
mod patterns;
mod prose;
mod rules;
#[cfg(test)]
mod tests;
mod tokens;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::Value;

use crate::bytes::{Place, limits};
use crate::checkpoint::read_json;
use crate::disclosure::documents::{Document, Role, gather, one, unread};
use crate::disclosure::names::{Names, OwnName};
use crate::disclosure::prose::Sentence;
use crate::fact::{
    DocumentFacts, Mention, ModelName, NotUnderstood, SelfDescription, StatedAbout, Statement, ToldIn, Unexamined,
    last_part, letters,
};

/// Version of the format of a description.
const SCHEMA: &str = "unshell/disclose/1";

/// Sentences that were not understood and are listed.
const MOST_LISTED: usize = 200;

/// Names of other models that are listed for one model.
const MOST_MENTIONS: usize = 500;

/// Statements of one model that are kept.
const MOST_STATEMENTS: usize = 2_000;

/// What the header of the weights says beside the tensors.
pub struct Header<'a> {
    /// The file it is in.
    pub file: &'a DocumentFacts,
    /// Its keys.
    pub metadata: &'a BTreeMap<String, String>,
}

/// Reads what the files of a place say. What cannot be read is listed in the answer; nothing of it fails.
pub fn read(place: &dyn Place, model: &ModelName, header: Option<&Header<'_>>) -> SelfDescription {
    let mut unexamined = Vec::new();
    let documents = gather(place, &mut unexamined);
    let called = called(model, &documents);
    let own = own_name(&called);
    let mut reading = Reading { own, called, name: model.name.clone(), unexamined, ..Reading::default() };
    for document in &documents {
        reading.document(document);
    }
    if let Some(header) = header {
        reading.header(header);
    }
    reading.finish(model, &documents, place.date())
}

/// The card of a repository on a hub.
const CARD: &str = "README.md";

/// What the form at the head of the card says, and nothing else of the place; nothing where there is no card.
pub fn card_head(place: &dyn Place) -> Vec<Statement> {
    let document = place.holds(CARD).then(|| one(place, CARD, Role::Card, &mut Vec::new())).flatten();
    document.map(|it| forms::head(&it, &it.text).statements).unwrap_or_default()
}

/// Its name, that of its place, and the title of its card.
fn called(model: &ModelName, documents: &[Document]) -> Vec<String> {
    let title = documents.iter().find(|it| it.role == Role::Card).and_then(|it| title(&it.text));
    let names = [Some(model.name.clone()), Some(model.location.clone()), title].into_iter().flatten();
    let mut names: Vec<String> = names.map(|it| it.split('@').next().unwrap_or(&it).to_owned()).collect();
    names.dedup();
    names
}

fn own_name(called: &[String]) -> OwnName {
    let names: Vec<&str> = called.iter().map(String::as_str).collect();
    Names::builtin().own(&names)
}

/// Names that are in the text of cards and notices that readers see, wherever they stand: what may name a source is
/// no silence.
pub fn named_in(place: &dyn Place, names: &BTreeSet<String>) -> Vec<Mention> {
    let documents = gather(place, &mut Vec::new());
    let mut found = Vec::new();
    for document in documents.iter().filter(|it| matches!(it.role, Role::Card | Role::Notice)) {
        let text = markdown::without_comments(&document.text, 1).0;
        for name in names.iter().filter(|it| letters(it).len() > 2) {
            let wanted = letters(name);
            let mut lines = text.lines().zip(1_u64..).filter(|(line, _)| letters(line).contains(&wanted));
            if let Some((_, line)) = lines.next() {
                let times = 1_u64.saturating_add(lines.count() as u64);
                found.push(Mention { model: name.clone(), file: document.name.clone(), line, times });
            }
        }
    }
    found
}

/// The first heading of a card, where it is one word: a name.
fn title(text: &str) -> Option<String> {
    let heading = text.lines().take(200).find_map(|it| it.trim().strip_prefix("# "))?;
    let heading = heading.trim().trim_matches(['*', '`', '_']);
    (heading.len() < 100 && heading.split_whitespace().count() <= 2).then(|| heading.replace(' ', "-"))
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    own: OwnName,
    called: Vec<String>,
    name: String,
    statements: Vec<Statement>,
    mentions: Vec<Mention>,
    not_understood: Vec<NotUnderstood>,
    has_card: bool,
    headers: Vec<DocumentFacts>,
    /// Mentions that were not kept.
    left_out: u64,
    unexamined: Vec<Unexamined>,
}

impl Reading {
    fn document(&mut self, document: &Document) {
        match document.role {
            Role::Card => self.card(document),
            Role::Notice => {
                let passages = markdown::plain(&document.text);
                self.sentences(document, &passages);
            }
            Role::License => {}
            Role::Merge => self.statements.extend(forms::merge(document)),
            Role::Template => {
                self.statements.extend(traces::template_traces(document, &document.text, &self.own));
            }
            Role::Configuration => self.configuration(document),
        }
    }

    fn card(&mut self, document: &Document) {
        let head = forms::head(document, &document.text);
        if let Some(problem) = head.problem {
            let detail = format!("the form at the head of {} was not read whole: {problem}", document.name);
            self.unexamined.push(unread("card", "unreadable", detail));
        }
        self.statements.extend(head.statements);
        let passages = markdown::passages(head.body, head.first_line);
        self.has_card |= passages.iter().any(|it| it.kind == markdown::Kind::Prose);
        self.sentences(document, &passages);
    }

    fn sentences(&mut self, document: &Document, passages: &[markdown::Passage]) {
        let (sentences, left_out) = prose::read(passages, &self.own);
        if left_out > 0 {
            let detail = format!("{left_out} sentences at the end of {} were not read", document.name);
            self.unexamined.push(unread("card", "too-long", detail));
        }
        for sentence in sentences {
            self.sentence(document, sentence);
        }
    }

    fn sentence(&mut self, document: &Document, sentence: Sentence) {
        let Sentence { line, quote, hidden, said, mentioned, not_understood } = sentence;
        for it in said {
            self.statements.push(Statement {
                about: it.about,
                part: it.part,
                relation: it.relation,
                values: it.models,
                told_in: ToldIn::Prose,
                hidden,
                file: document.name.clone(),
                line: Some(line),
                quote: quote.clone(),
                sha256: document.sha256.clone(),
                rule: it.rule,
            });
        }
        if let Some(why) = not_understood {
            self.not_understood.push(NotUnderstood {
                file: document.name.clone(),
                line,
                quote,
                models: mentioned.clone(),
                why: why.to_owned(),
                hidden,
            });
        }
        for model in mentioned.into_iter().filter(|_| !hidden) {
            let is_full = self.mentions.len() >= MOST_MENTIONS;
            match self.mentions.iter_mut().find(|it| it.model == model && it.file == document.name) {
                Some(known) => known.times = known.times.saturating_add(1),
                None if is_full => self.left_out = self.left_out.saturating_add(1),
                None => self.mentions.push(Mention { model, file: document.name.clone(), line, times: 1 }),
            }
        }
    }

    fn configuration(&mut self, document: &Document) {
        let config: Value = match read_json(document.text.as_bytes(), limits::CONFIG_VALUES) {
            Ok(read) => read.value,
            Err(why) => {
                self.unexamined.push(unread("configuration", "unreadable", format!("{}: {why}", document.name)));
                return;
            }
        };
        if document.name == "adapter_config.json" {
            self.statements.extend(forms::adapter(document, &config));
        }
        self.statements.extend(traces::of_configuration(document, &config, &self.own));
    }

    fn header(&mut self, header: &Header<'_>) {
        let document = Document {
            name: header.file.name.clone(),
            role: Role::Configuration,
            text: String::new(),
            bytes: header.file.bytes,
            sha256: header.file.sha256.clone(),
        };
        let found = forms::header(&document, header.metadata, &self.name);
        if !found.is_empty() {
            self.headers.push(header.file.clone());
        }
        self.statements.extend(found);
        if let Some(template) = header.metadata.get("tokenizer.chat_template") {
            self.statements.extend(traces::template_traces(&document, template, &self.own));
        }
    }

    fn finish(mut self, model: &ModelName, documents: &[Document], date: Option<NaiveDate>) -> SelfDescription {
        if self.statements.len() > MOST_STATEMENTS {
            let detail = format!("{} statements, of which the first {MOST_STATEMENTS} are kept", self.statements.len());
            self.unexamined.push(unread("card", "too-many", detail));
            self.statements.truncate(MOST_STATEMENTS);
        }
        if self.left_out > 0 {
            let detail = format!("{} mentions of further models are not listed", self.left_out);
            self.unexamined.push(unread("card", "too-many", detail));
        }
        let licenses = licenses::of_model(documents, &self.statements, &self.name);
        let facts = documents.iter().map(Document::facts).chain(self.headers);
        let count = self.not_understood.len() as u64;
        self.not_understood.truncate(MOST_LISTED);
        SelfDescription {
            schema: SCHEMA.to_owned(),
            model: model.clone(),
            called: self.called,
            date,
            documents: facts.collect(),
            has_card: self.has_card,
            statements: self.statements,
            mentions: self.mentions,
            not_understood: self.not_understood,
            not_understood_count: count,
            licenses,
            unexamined: self.unexamined,
            bytes_read: documents.iter().fold(0, |sum, it| sum.saturating_add(it.bytes)),
        }
    }
}

/// Whether a statement is one of the company to readers, as opposed to a trace or a comment.
pub fn is_public(statement: &Statement) -> bool {
    !statement.hidden && statement.about != StatedAbout::Trace
}

/// Whether a name is the model's own or an earlier one of its maker: of its account on a hub, or of its family where no
/// other family is called so.
pub fn is_own_name(said: &SelfDescription, name: &str) -> bool {
    let account = |it: &str| it.rsplit(':').next().and_then(|it| Some(it.split_once('/')?.0.to_lowercase()));
    let is_hub = said.model.location.starts_with("hf:") || said.model.location.starts_with("ms:");
    if is_hub && account(&said.model.location).is_some_and(|it| Some(it) == account(name)) {
        return true;
    }
    let own = own_name(&said.called);
    let last = last_part(name);
    Names::builtin().at_start(last, &own).is_some_and(|(it, _)| it.own != names::Own::No)
}

/// Whether a name can be that of a model, as opposed to a path or a word.
pub fn is_model_name(name: &str) -> bool {
    name.contains('/') && !name.starts_with(['.', '/', '~']) || Names::builtin().is_model(name)
}
