//! What every part of the view needs: the scorecard, the language, numbering, and a list of what could not be said.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::case::Level;
use crate::claims::{Outcome, Quantity};
use crate::fact::{Interval, Message, Text, Truth};
use crate::report::chart::Drawing;
use crate::report::drawings::Drawings;
use crate::report::number::{exact, level_range, percent_range, prettify};
use crate::report::page::{
    Align, Block, Cell as TableCell, Column, Figure, Piece, PieceKind, Section, Table, Tone, Words,
};
use crate::report::{Error, Language};
use crate::scoring::{CriterionScore, Scorecard};

/// Writes the parts of one memo.
pub(in crate::report) struct Writer<'memo> {
    /// What the memo is about.
    pub(in crate::report) card: &'memo Scorecard,
    /// The words it is written in.
    pub(in crate::report) language: &'memo Language,
    drawings: &'memo Drawings,
    tables: Cell<u32>,
    figures: Cell<u32>,
    sections: Cell<u32>,
    appendices: Cell<u32>,
    headings: Cell<u32>,
    problems: RefCell<BTreeSet<String>>,
    broken: RefCell<Option<Error>>,
}

impl<'memo> Writer<'memo> {
    pub(in crate::report) fn new(card: &'memo Scorecard, language: &'memo Language, drawings: &'memo Drawings) -> Self {
        let zero = || Cell::new(0);
        Self {
            card,
            language,
            drawings,
            tables: zero(),
            figures: zero(),
            sections: zero(),
            appendices: zero(),
            headings: zero(),
            problems: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    /// Ends writing: an error with everything that could not be said.
    pub(in crate::report) fn finish(self) -> Result<(), Error> {
        if let Some(error) = self.broken.into_inner() {
            return Err(error);
        }
        let problems: Vec<_> = self.problems.into_inner().into_iter().collect();
        let tag = self.language.tag().to_owned();
        if problems.is_empty() { Ok(()) } else { Err(Error::Unsayable { tag, problems }) }
    }

    /// The sentence under a key.
    pub(in crate::report) fn say(&self, key: &str) -> String {
        self.fill(key, &[])
    }

    /// The sentence under a key with its placeholders filled.
    pub(in crate::report) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.language.fill(key, values).unwrap_or_else(|problem| self.note(problem))
    }

    /// What the engine said.
    pub(in crate::report) fn message(&self, message: &Message) -> String {
        self.language.message(message).unwrap_or_else(|problem| self.note(problem))
    }

    /// The word under `<family>.<code>`, or the code itself where the language has none: codes of a later version.
    pub(in crate::report) fn word(&self, family: &str, code: &str) -> String {
        self.language.get(&format!("{family}.{code}")).unwrap_or(code).to_owned()
    }

    /// What the program says in its own word for a fact or code of another room, in English where the language has
    /// none.
    pub(in crate::report) fn known_or(&self, key: &str, detail: &str) -> Words {
        match self.language.get(key) {
            Some(sentence) if !sentence.contains('{') => Words::plain(sentence),
            _ => self.in_language(detail, "en"),
        }
    }

    /// A text of the rubric or the case in the memo's language, unmarked.
    pub(in crate::report) fn text(&self, text: &Text) -> String {
        self.language.words(text).trim().to_owned()
    }

    /// A text that a person wrote; one in another language carries a mark.
    pub(in crate::report) fn words(&self, text: &Text) -> Words {
        let words = self.text(text);
        let tag = self.language.tag();
        if text.get(tag).is_some() {
            return Words::plain(words);
        }
        let stated = text.languages().find(|it| text.get(it).is_some_and(|other| other.trim() == words));
        match stated.filter(|it| *it != "und").map(str::to_owned).or_else(|| guess_language(&words, tag)) {
            Some(language) => self.in_language(&words, &language),
            None => Words::plain(words),
        }
    }

    /// Words in a language that may not be the memo's.
    pub(in crate::report) fn in_language(&self, words: &str, language: &str) -> Words {
        if language == self.language.tag() {
            return Words::plain(words);
        }
        let mark = match self.language.get(&format!("mark.{language}")) {
            Some(mark) => mark.to_owned(),
            None => self.fill("mark.other", &[("language", language)]),
        };
        let piece =
            Piece { text: words.to_owned(), kind: PieceKind::Plain, language: Some(language.to_owned()), link: None };
        Words(vec![piece]).and(PieceKind::Quiet, format!(" {mark}"))
    }

    /// Several words as one phrase.
    pub(in crate::report) fn list(&self, parts: impl IntoIterator<Item = String>) -> String {
        self.language.list(&parts.into_iter().collect::<Vec<_>>())
    }

    /// Several words of which one holds, as one phrase.
    pub(in crate::report) fn either(&self, parts: impl IntoIterator<Item = String>) -> String {
        let parts: Vec<_> = parts.into_iter().collect();
        match parts.as_slice() {
            [first @ .., last] if !first.is_empty() => {
                format!("{}{}{last}", first.join(&self.say("style.list")), self.say("style.list_or"))
            }
            _ => parts.concat(),
        }
    }

    /// Ids or short notes side by side, without a word before the last.
    pub(in crate::report) fn series(&self, parts: impl IntoIterator<Item = String>) -> String {
        parts.into_iter().collect::<Vec<_>>().join(&self.say("style.list"))
    }

    /// Ids as the language puts them in a row.
    pub(in crate::report) fn ids(&self, ids: &[String]) -> Words {
        let between = self.say("style.list");
        let mut words = Words::default();
        for (idx, id) in ids.iter().enumerate() {
            let before = if idx == 0 { "" } else { between.as_str() };
            words = words.and(PieceKind::Plain, before).and(PieceKind::Code, id);
        }
        if ids.is_empty() { Words::quiet(self.say("word.none")) } else { words }
    }

    /// A measured number with its unit.
    pub(in crate::report) fn quantity(&self, quantity: &Quantity) -> String {
        self.in_unit(quantity.value, &quantity.unit)
    }

    /// A range in a unit.
    pub(in crate::report) fn in_unit(&self, value: Interval, unit: &str) -> String {
        let key = format!("unit.{unit}");
        let number = match unit {
            "share" => percent_range(value),
            "bytes" => self.bytes(value),
            _ => self.language.numbers.range(value),
        };
        if self.language.get(&key).is_some() { self.fill(&key, &[("n", &number)]) } else { format!("{number} {unit}") }
    }

    fn bytes(&self, value: Interval) -> String {
        const STEPS: [(f64, &str); 5] = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
        let (size, word) = STEPS.into_iter().find(|(size, _)| value.high >= *size).unwrap_or((1.0, "B"));
        let scaled = Interval::new(value.low / size, value.high / size);
        format!("{} {word}", self.language.numbers.range(scaled))
    }

    /// An expression with its powers of ten as people write them.
    pub(in crate::report) fn expression(&self, expression: &str) -> String {
        prettify(expression)
    }

    /// The word for an answer without a level, or the level with its name.
    pub(in crate::report) fn level(&self, level: Level) -> String {
        match level {
            Level::At(at) => {
                let name = self.card.rubric.levels.get(usize::from(at)).map(|it| self.text(it)).unwrap_or_default();
                format!("{at} {name}").trim().to_owned()
            }
            Level::Unknown => self.say("level.unknown"),
            Level::Refused => self.say("level.refused"),
            Level::NotObservable => self.say("level.not_observable"),
            Level::NotApplicable => self.say("level.not_applicable"),
        }
    }

    /// The range of a score, or that there is none.
    pub(in crate::report) fn score(&self, score: Option<Interval>) -> String {
        score.map_or_else(|| self.say("word.not_applicable"), level_range)
    }

    /// The criterion with this id.
    pub(in crate::report) fn criterion(&self, id: &str) -> Option<&'memo CriterionScore> {
        self.card.criteria.iter().find(|it| it.id == id)
    }

    /// The name of a gate, or its id where there is no such gate.
    pub(in crate::report) fn gate(&self, id: &str) -> String {
        let gate = self.card.gates.iter().find(|it| it.id == id);
        gate.map_or_else(|| id.to_owned(), |it| self.text(&it.name))
    }

    /// The name of a model of the case, or its id where there is no such model.
    pub(in crate::report) fn model(&self, id: &str) -> String {
        let model = self.card.models.iter().find(|it| it.id == id);
        model.map_or_else(|| id.to_owned(), |it| self.text(&it.name))
    }

    /// What a reference or another model is called: the name that the case has for it, never a place on somebody's
    /// disk.
    pub(in crate::report) fn called(&self, location: &str) -> String {
        let mut relations = self.card.models.iter().flat_map(|it| &it.relations);
        let known = relations.find(|it| it.location == location);
        let place = location.trim_end_matches('/');
        let last = || place.rsplit(['/', '\\']).next().unwrap_or(place).to_owned();
        known.map_or_else(last, |it| it.reference.clone())
    }

    /// Words that begin a sentence.
    pub(in crate::report) fn sentence(&self, words: &str) -> String {
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// A section of the body.
    pub(in crate::report) fn section(&self, id: &str, key: &str, blocks: Vec<Block>) -> Section {
        let number = next(&self.sections);
        self.headings.set(0);
        Section { id: id.to_owned(), heading: self.numbered("style.section", number, key), is_appendix: false, blocks }
    }

    /// A section behind the body.
    pub(in crate::report) fn appendix(&self, id: &str, key: &str, blocks: Vec<Block>) -> Section {
        let number = next(&self.appendices);
        let letter = char::from_u32('A' as u32 + number - 1).unwrap_or('Z').to_string();
        let heading = self.fill("style.appendix", &[("letter", &letter), ("text", &self.say(key))]);
        self.headings.set(0);
        Section { id: id.to_owned(), heading, is_appendix: true, blocks }
    }

    /// A heading inside a section.
    pub(in crate::report) fn heading(&self, text: &str) -> Block {
        let number = next(&self.headings);
        let counted = self.counted("style.heading", number);
        Block::Heading { text: format!("{counted}{text}") }
    }

    /// A table; it gets its number here, so tables are made in the order of the memo.
    pub(in crate::report) fn table(
        &self,
        key: &str,
        columns: &[(&str, Align, u32)],
        rows: Vec<Vec<TableCell>>,
    ) -> Table {
        self.titled_table(&self.say(key), columns, rows)
    }

    /// A table whose title is not a fixed sentence.
    pub(in crate::report) fn titled_table(
        &self,
        title: &str,
        columns: &[(&str, Align, u32)],
        rows: Vec<Vec<TableCell>>,
    ) -> Table {
        let number = next(&self.tables).to_string();
        let title = self.fill("style.table", &[("number", &number), ("text", title)]);
        let columns = columns
            .iter()
            .map(|(key, align, share)| Column { title: self.say(key), align: *align, share: *share })
            .collect();
        Table { title, columns, rows, note: None }
    }

    /// A chart with its number.
    pub(in crate::report) fn figure(&self, drawing: &Drawing, width: u32) -> Figure {
        let number = next(&self.figures).to_string();
        let caption = self.fill("style.figure", &[("number", &number), ("text", &drawing.title)]);
        let svg = self.drawings.draw(drawing).unwrap_or_else(|error| {
            self.broken.replace(Some(error));
            String::new()
        });
        Figure { name: drawing.id.clone(), caption, description: drawing.description.clone(), svg, width }
    }

    fn numbered(&self, style: &str, number: u32, key: &str) -> String {
        format!("{}{}", self.counted(style, number), self.say(key))
    }

    /// `1  ` or `一、`, as the style key lists them.
    fn counted(&self, style: &str, number: u32) -> String {
        let list = self.say(style);
        let mark = list.split('|').nth(number.saturating_sub(1) as usize).map(str::to_owned);
        mark.unwrap_or_else(|| format!("{number} "))
    }

    fn note(&self, problem: String) -> String {
        self.problems.borrow_mut().insert(problem);
        String::new()
    }
}

/// Symbol and tone of the outcome of a check.
pub(in crate::report) fn outcome_mark(outcome: Outcome) -> (&'static str, Tone, &'static str) {
    match outcome {
        Outcome::NotComputable => ("?", Tone::Open, "outcome.not_computable"),
        Outcome::Normal => ("○", Tone::For, "outcome.normal"),
        Outcome::Ask => ("△", Tone::Open, "outcome.ask"),
        Outcome::Implausible => ("▲", Tone::Against, "outcome.implausible"),
        Outcome::Impossible => ("■", Tone::Against, "outcome.impossible"),
    }
}

/// Symbol and tone of a gate.
pub(in crate::report) fn gate_mark(tripped: Truth, is_waived: bool) -> (&'static str, Tone, &'static str) {
    match (tripped, is_waived) {
        (_, true) => ("◇", Tone::Open, "gate.waived"),
        (Truth::Yes, false) => ("■", Tone::Against, "gate.tripped"),
        (Truth::Maybe, false) => ("?", Tone::Open, "gate.open"),
        (Truth::No, false) => ("○", Tone::For, "gate.clear"),
    }
}

/// Four dots for a level: filled as far as it reaches.
pub(in crate::report) fn dots(level: u8) -> String {
    let filled = usize::from(level.min(4));
    format!("{}{}", "●".repeat(filled), "○".repeat(4 - filled))
}

/// A whole number as text.
pub(in crate::report) fn count(value: u64) -> String {
    exact(value)
}

/// The language of words that nobody stated one for: Chinese where a Chinese character stands, English for a sentence
/// of Latin words; none for names and numbers, which are the same everywhere.
fn guess_language(words: &str, memo: &str) -> Option<String> {
    let has_han = words.chars().any(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it));
    let latin_words =
        words.split_whitespace().filter(|it| it.chars().all(|it| it.is_ascii_alphabetic() || it == ',')).count();
    let language = match (has_han, latin_words) {
        (true, _) => "zh-CN",
        (false, 4..) => "en",
        (false, _) => return None,
    };
    (language != memo).then(|| language.to_owned())
}

fn next(counter: &Cell<u32>) -> u32 {
    counter.set(counter.get() + 1);
    counter.get()
}
