//! What the company's own files say, as if an analyst had entered it: parents and claims with the file they are in.
//!
//! A file that was read is an original with a digest (grade B), and a statement in it is one of whoever published the
//! model. That holds for what harms the company and for what serves it alike. Text that readers do not see, traces of
//! tools, and names of the company's own earlier models are left out. What an analyst entered on the same part stands
//! beside it.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, DeclaredParent, Disclosed, LedgerEntry};
use crate::claims::{About, Claim, ClaimValue};
use crate::disclosure::{is_model_name, is_own_name, is_public};
use crate::evidence::disclosure::{self, counts};
use crate::evidence::{Bearing, Disclosure, Order, Relation, Source};
use crate::fact::{Argument, SelfDescription, StatedAbout, StatedPart, Statement, Text, last_part, letters, stem};
use crate::rubric::Grade;

/// How ids of entries begin that the program makes for files it read.
const READ: &str = "\u{1f}read";

/// Ways of naming a part, where it is not known since when the words stand there.
const NAMED: [Disclosed; 4] = [Disclosed::AtRelease, Disclosed::Later, Disclosed::WhenAsked, Disclosed::AfterExposure];

/// What a statement is quoted as, on the memo and in facts.
pub(crate) fn place(statement: &Statement) -> String {
    match statement.line {
        Some(line) => format!("{}:{line}", statement.file),
        None => statement.file.clone(),
    }
}

/// Whether an id is one of an entry that the program made.
pub(crate) fn is_read(id: &str) -> bool {
    id.starts_with(READ)
}

/// The case with what each subject's files say added to it.
pub(crate) fn with_read<'a>(case: &Case, said: impl Fn(&str) -> Option<&'a SelfDescription>) -> Case {
    let mut case = case.clone();
    for idx in 0..case.subjects.len() {
        let id = case.subjects[idx].id.clone();
        if let Some(said) = said(&id) {
            add(&mut case, idx, &id, said);
        }
    }
    case
}

fn add(case: &mut Case, idx: usize, id: &str, said: &SelfDescription) {
    let date = said.date.unwrap_or(case.date);
    let entry_id = |it: &Statement| format!("{READ}\u{1f}{id}\u{1f}{}", place(it));
    let mut used: Vec<&Statement> = Vec::new();
    for it in parents(said) {
        let Some(part) = part_word(it.part) else { continue };
        let others = it.values.iter().filter(|model| !is_own_name(said, model) && is_model_name(model));
        let typed = case.subjects[idx].declared_parents.iter().filter(|it| !it.evidence.iter().all(|it| is_read(it)));
        let is_typed = typed.filter(|it| it.part == part).any(|it| counts(case, it));
        for model in others.filter(|_| !is_typed) {
            case.subjects[idx].declared_parents.push(DeclaredParent {
                model: model.clone(),
                part: part.to_owned(),
                when: None,
                date: Some(date),
                evidence: vec![entry_id(it)],
            });
            used.push(it);
        }
    }
    for (claimed, about) in [(StatedAbout::FromScratch, About::FromScratch), (StatedAbout::OwnWork, About::OwnWork)] {
        let contradicts = about == About::FromScratch && names_weights(said);
        let found = public(said).find(|it| it.about == claimed && is_of_body(it));
        let Some(it) = found.filter(|_| !contradicts && !is_claimed(case, id, about)) else { continue };
        case.claims.push(claim(id, about, it, date, entry_id(it)));
        used.push(it);
    }
    for it in used {
        let entry = entry(case, it, entry_id(it), date);
        case.ledger.insert(entry.id.clone(), entry);
    }
}

fn public(said: &SelfDescription) -> impl Iterator<Item = &Statement> {
    said.statements.iter().filter(|it| is_public(it))
}

fn parents(said: &SelfDescription) -> impl Iterator<Item = &Statement> {
    public(said).filter(|it| it.about == StatedAbout::Parent)
}

/// Whether a statement is about the model as a whole and not about its tokenizer.
fn is_of_body(it: &Statement) -> bool {
    matches!(it.part, None | Some(StatedPart::Weights | StatedPart::Unspecified))
}

/// Whether the files name a model of others that the weights come from: then "from scratch" beside it is no plain
/// statement.
fn names_weights(said: &SelfDescription) -> bool {
    let of_weights = |it: &&Statement| matches!(it.part, Some(StatedPart::Weights | StatedPart::Unspecified));
    parents(said).filter(of_weights).any(|it| it.values.iter().any(|model| !is_own_name(said, model)))
}

fn is_claimed(case: &Case, id: &str, about: About) -> bool {
    case.claims_about(id).iter().any(|it| it.about == about)
}

/// The words of the case for a part; `None` if the statement leaves it open, since that admits nothing.
fn part_word(part: Option<StatedPart>) -> Option<&'static str> {
    match part? {
        StatedPart::Weights => Some("weights"),
        StatedPart::Architecture => Some("architecture"),
        StatedPart::Tokenizer => Some("tokenizer"),
        StatedPart::Data => Some("data"),
        StatedPart::Code => Some("code"),
        StatedPart::Unspecified => None,
    }
}

fn claim(subject: &str, about: About, it: &Statement, date: chrono::NaiveDate, source: String) -> Claim {
    Claim {
        id: place(it),
        subject: Some(subject.to_owned()),
        about,
        value: ClaimValue::Yes(true),
        quote: Text::plain(it.quote.clone()),
        unit: None,
        understood: "true".to_owned(),
        conversion: None,
        source: vec![source],
        date,
    }
}

/// The file as an entry of the ledger: an original that was read, with its digest.
fn entry(case: &Case, it: &Statement, id: String, date: chrono::NaiveDate) -> LedgerEntry {
    LedgerEntry {
        id,
        kind: "public_repository".to_owned(),
        method: "examine_original".to_owned(),
        title: Text::plain(place(it)),
        file: None,
        sha256: None,
        actual_sha256: None,
        url: None,
        published: Some(date),
        collected: case.date,
        expires: case.date,
        origin: "files of the model".to_owned(),
        against_interest: false,
        downgrades: Vec::new(),
        note: None,
        grade: Grade::B,
        plain_grade: Grade::B,
        said_grade: Grade::B,
        graded_by: vec!["method".to_owned()],
    }
}

/// What is known of the weights once they were measured: denied, named, named wrongly, or not named where readers look.
///
/// A denial counts where the model that it names was measured to be the source. Silence counts where a card was read
/// whole, names no source, and mentions the measured one nowhere: a sentence that was not understood may name it, and
/// leaves it open.
pub(crate) fn completed(
    mut disclosures: BTreeMap<String, Disclosure>,
    case: &Case,
    said: Option<&SelfDescription>,
    relations: &[Relation],
) -> BTreeMap<String, Disclosure> {
    for it in disclosures.values_mut() {
        if it.evidence.iter().all(|it| is_read(it)) {
            it.source = Source::Read;
            let place = |id: &String| id.splitn(3, '\u{1f}').last().unwrap_or(id).to_owned();
            it.evidence = it.evidence.iter().map(place).collect();
        }
    }
    let derived: Vec<&Relation> = relations.iter().filter(|it| !it.own && it.bearing == Bearing::Derived).collect();
    if let Some(typed) = disclosures.get_mut("weights").filter(|it| it.source == Source::Typed) {
        typed.values = of_another(typed, relations, &derived).unwrap_or_else(|| typed.values.clone());
        return disclosures;
    }
    let Some(said) = said else { return disclosures };
    let date = said.date.unwrap_or(case.date);
    let found = denied(said, &derived, date)
        .or_else(|| wrong(&disclosures, relations, &derived, date))
        .or_else(|| disclosures.get("weights").cloned())
        .or_else(|| unspecified(said, date))
        .or_else(|| silent(said, &derived, date));
    disclosures.extend(found.map(|it| ("weights".to_owned(), it)));
    disclosures
}

fn read(values: &[&str], parents: Vec<String>, date: chrono::NaiveDate, evidence: Vec<String>) -> Disclosure {
    Disclosure {
        values: values.iter().map(|it| (*it).to_owned()).collect(),
        parents,
        source: Source::Read,
        date: Some(date),
        evidence,
    }
}

fn denied(said: &SelfDescription, derived: &[&Relation], date: chrono::NaiveDate) -> Option<Disclosure> {
    let mut denials = public(said).filter(|it| it.about == StatedAbout::ParentDenied);
    let found = denials.find(|it| it.values.iter().any(|model| derived.iter().any(|it| is_called(it, model))))?;
    Some(read(&["denied"], found.values.clone(), date, vec![place(found)]))
}

/// What an entered name is worth where another model was measured to be the source: that one is not named if what was
/// named was measured to be none; if it was not compared it may be kin to the source, and both are possible.
fn of_another(typed: &Disclosure, relations: &[Relation], derived: &[&Relation]) -> Option<Vec<String>> {
    let earlier: Vec<&&Relation> = derived.iter().filter(|it| it.order == Order::ReferenceEarlier).collect();
    let names_it = |model: &String| earlier.iter().any(|it| is_called(it, model));
    let may_name_it = |model: &String| earlier.iter().any(|it| is_near(it, model));
    let is_admitted = |it: &&&Relation| match it.order_because.arguments.get("model") {
        Some(Argument::Name(model)) => typed.parents.contains(model),
        _ => false,
    };
    let is_named = typed.parents.iter().any(names_it) || earlier.iter().any(is_admitted);
    let is_kind = typed.values.iter().all(|it| disclosure::NAMED.iter().any(|named| named.word() == it));
    if earlier.is_empty() || is_named || !is_kind {
        return None;
    }
    let is_clear = |it: &&Relation| matches!(it.bearing, Bearing::Clear | Bearing::ClearButPart);
    let all_clear = typed.parents.iter().all(|model| relations.iter().filter(is_clear).any(|it| is_called(it, model)));
    let silent = "silent".to_owned();
    match (all_clear, typed.parents.iter().any(may_name_it)) {
        (true, _) => Some(vec![silent]),
        // Another model of one family is a slip of the pen as likely as a wrong name.
        (false, true) => None,
        (false, false) => Some(typed.values.iter().cloned().chain([silent]).collect()),
    }
}

/// A source is named, it was measured to be none, and another was measured to be one: that one is not named.
fn wrong(
    disclosures: &BTreeMap<String, Disclosure>,
    relations: &[Relation],
    derived: &[&Relation],
    date: chrono::NaiveDate,
) -> Option<Disclosure> {
    let named = disclosures.get("weights")?;
    let is_named = |it: &Relation| named.parents.iter().any(|model| is_called(it, model));
    let earlier = derived.iter().any(|it| it.order == Order::ReferenceEarlier);
    let is_clear = |it: &&Relation| matches!(it.bearing, Bearing::Clear | Bearing::ClearButPart);
    let all_clear = !named.parents.is_empty()
        && named.parents.iter().all(|model| relations.iter().filter(is_clear).any(|it| is_called(it, model)));
    let any_derived_named = derived.iter().any(|it| is_named(it));
    (earlier && all_clear && !any_derived_named)
        .then(|| read(&["silent"], named.parents.clone(), date, named.evidence.clone()))
}

/// "Based on X" names a source and leaves open what was taken.
fn unspecified(said: &SelfDescription, date: chrono::NaiveDate) -> Option<Disclosure> {
    let open: Vec<&Statement> = parents(said).filter(|it| it.part == Some(StatedPart::Unspecified)).collect();
    let models: Vec<String> =
        open.iter().flat_map(|it| &it.values).filter(|it| !is_own_name(said, it)).cloned().collect();
    let words: Vec<&str> = NAMED.iter().map(|it| it.word()).collect();
    (!models.is_empty()).then(|| read(&words, models, date, open.iter().map(|it| place(it)).collect()))
}

fn silent(said: &SelfDescription, derived: &[&Relation], date: chrono::NaiveDate) -> Option<Disclosure> {
    let is_whole = said.has_card && said.unexamined.is_empty();
    if derived.is_empty() || !is_whole {
        return None;
    }
    let may_name = |text: &str| derived.iter().any(|it| is_near(it, text));
    let mentioned = said.mentions.iter().any(|it| may_name(&it.model));
    let open = said.not_understood.iter().filter(|it| !it.hidden);
    let in_sentence = open.clone().any(|it| it.models.iter().any(|model| may_name(model)) || may_name(&it.quote));
    // Another part of the same model may have been named.
    let other_part = parents(said).any(|it| it.values.iter().any(|model| may_name(model)));
    let is_cut = said.not_understood_count > said.not_understood.len() as u64;
    let cards = said.documents.iter().filter(|it| it.name.to_lowercase().ends_with(".md"));
    (!mentioned && !in_sentence && !other_part && !is_cut)
        .then(|| read(&["silent"], Vec::new(), date, cards.map(|it| it.name.clone()).collect()))
}

/// Names of the references, and the words that they begin with: a card that holds one may name the source.
pub(crate) fn names(case: &Case) -> BTreeSet<String> {
    let of = |it: &crate::case::Reference| [it.called().to_owned(), last_part(&it.location).to_owned()];
    let whole: Vec<String> = case.references.iter().flat_map(of).collect();
    let stems = whole.iter().map(|it| stem(it)).filter(|it| it.chars().count() > 3);
    stems.chain(whole.iter().cloned()).collect()
}

/// Whether a reference goes by a name: letters and digits of its name, or of the last part of its place, are the same.
pub(crate) fn is_called(relation: &Relation, name: &str) -> bool {
    let wanted = letters(last_part(name));
    !wanted.is_empty() && [&relation.reference, &relation.location].iter().any(|it| letters(last_part(it)) == wanted)
}

/// Whether a text may speak of a reference: it holds its name, or the family's that the name begins with.
fn is_near(relation: &Relation, text: &str) -> bool {
    let text = letters(text);
    [&relation.reference, &relation.location].iter().any(|it| {
        let (whole, stem) = (letters(last_part(it)), stem(it));
        !whole.is_empty() && text.contains(&whole) || stem.chars().count() > 2 && text.contains(&stem)
    })
}

/// Statements that the memo quotes: where the weights come from, and that the model is the company's own.
pub(crate) fn quoted(said: Option<&SelfDescription>) -> Vec<Statement> {
    let of_weights = |it: &&Statement| match it.about {
        StatedAbout::FromScratch | StatedAbout::OwnWork => is_of_body(it),
        StatedAbout::ParentDenied => true,
        StatedAbout::Parent => matches!(it.part, Some(StatedPart::Weights | StatedPart::Unspecified)),
        _ => false,
    };
    said.into_iter().flat_map(public).filter(of_weights).take(MOST_QUOTED).cloned().collect()
}

/// Statements of one model that are carried into the scorecard.
const MOST_QUOTED: usize = 12;
