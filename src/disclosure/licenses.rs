//! Which license a text is, what a form names, and what a license asks of those who pass a model on.
//!
//! *Licenses of AI models* are decided by features of their own: a title at the head, and terms that are in it. *All
//! others* are decided by their words: runs of three, against the texts of the SPDX list. Words that a text has and the
//! license has not weigh more than words that it lacks, since one more condition makes another license. No legal
//! advice: a reading by features.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::disclosure::documents::{Document, Role};
use crate::fact::{DutyFacts, LicenseFacts, StatedAbout, StatedPart, Statement, last_part, letters};
use crate::shelf;
use crate::yaml;

/// How far into a text its title is looked for, in characters.
const HEAD: usize = 1_500;

/// Runs of words that a text may have beyond those of a license.
const MORE: f64 = 0.03;

/// Runs of words of a license that a text may lack: an appendix on how to use it.
const LESS: f64 = 0.20;

/// From here on a text that is none of the list is said to be like one.
const ALIKE: f64 = 0.6;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    licenses: Vec<Family>,
    common: Vec<Common>,
}

/// A license of AI models.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Family {
    pub(crate) id: String,
    name: String,
    title: Vec<String>,
    terms: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    #[serde(default)]
    hub: Vec<String>,
    #[serde(default)]
    families: Vec<String>,
    duties: Vec<Duty>,
}

/// What usual licenses of programs ask.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Common {
    spdx: Vec<String>,
    #[serde(default)]
    families: Vec<String>,
    duties: Vec<Duty>,
}

/// One thing that a license asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Duty {
    id: String,
    section: String,
    asks: String,
    check: String,
}

/// What a text was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) percent: u8,
}

fn data() -> &'static Written {
    static DATA: LazyLock<Written> = LazyLock::new(|| {
        let file = "disclosure/licenses.yaml";
        let bytes = shelf::find(shelf::CATALOG, file).expect("it ships inside the program");
        yaml::read(file, bytes).expect("a test reads it")
    });
    &DATA
}

/// The families of AI licenses.
#[cfg(test)]
pub(crate) fn families() -> &'static [Family] {
    &data().licenses
}

/// Which license a text is; `unknown` where it is neither a family's nor on the SPDX list.
pub(crate) fn recognise(text: &str) -> Recognised {
    of_family(text).or_else(|| of_list(text)).unwrap_or_else(|| Recognised {
        id: "unknown".to_owned(),
        name: "none of the licenses that are known here".to_owned(),
        percent: 0,
    })
}

/// The family of AI licenses whose title and terms a text has.
fn of_family(text: &str) -> Option<Recognised> {
    let head = even(&text.chars().take(HEAD).collect::<String>());
    let all = even(text);
    let fits = |it: &&Family| {
        let has = |text: &str, words: &str| words.split('|').any(|it| holds(text, &even(it)));
        it.title.iter().any(|title| has(&head, title))
            && it.terms.iter().all(|term| has(&all, term))
            && !it.not.iter().any(|not| has(&head, not))
    };
    // Of several the one with the longest title: "nvidia nemotron open model license" holds the words of none other.
    let length = |it: &&Family| it.title.iter().filter(|title| holds(&head, &even(title))).map(String::len).max();
    let found = data().licenses.iter().filter(fits).max_by_key(length)?;
    Some(Recognised { id: found.id.clone(), name: found.name.clone(), percent: 100 })
}

/// Whether whole words are in a text.
fn holds(text: &str, words: &str) -> bool {
    let is_cut = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || it == '.');
    text.match_indices(words).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let mut behind = text[at.saturating_add(found.len())..].chars();
        let next = behind.next();
        // A dot goes on with a version only before a digit: "llama 3.1".
        let goes_on = next == Some('.') && behind.next().is_some_and(|it| it.is_ascii_digit());
        !(is_cut(before) || next.is_some_and(|it| it.is_ascii_alphanumeric()) || goes_on)
    })
}

/// Lower case, quotation marks and emphasis left out, one space between words.
fn even(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_space = true;
    for it in text.chars().flat_map(char::to_lowercase) {
        match it {
            '*' | '#' | '_' | '"' | '\'' | '“' | '”' | '‘' | '’' | '`' => {}
            '‑' | '–' | '—' => {
                out.push('-');
                is_space = false;
            }
            _ if it.is_whitespace() => {
                if !is_space {
                    out.push(' ');
                }
                is_space = true;
            }
            _ => {
                out.push(it);
                is_space = false;
            }
        }
    }
    out
}

/// The texts of the SPDX list as runs of three words.
struct List {
    licenses: Vec<(&'static str, usize)>,
    by_run: HashMap<u64, Vec<u16>>,
}

fn list() -> &'static List {
    static LIST: LazyLock<List> = LazyLock::new(|| {
        let mut list = List { licenses: Vec::new(), by_run: HashMap::new() };
        for (id, text) in spdx::text::LICENSE_TEXTS {
            let runs = runs(text);
            let Ok(number) = u16::try_from(list.licenses.len()) else { break };
            list.licenses.push((id, runs.len()));
            for run in runs {
                list.by_run.entry(run).or_default().push(number);
            }
        }
        list
    });
    &LIST
}

/// The runs of three words of a text, without lines that name the holder of a copyright.
fn runs(text: &str) -> BTreeSet<u64> {
    let kept = text.lines().filter(|it| {
        let line = it.trim().to_lowercase();
        !(line.starts_with("copyright") || line.starts_with("(c)") || line.starts_with('©'))
    });
    let kept = kept.collect::<Vec<_>>().join("\n").to_lowercase();
    let words: Vec<&str> = kept.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let hash = |run: &[&str]| {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        hasher.finish()
    };
    words.windows(3).map(hash).collect()
}

/// The license of the SPDX list that a text is; or is like, with changes, which makes it another.
fn of_list(text: &str) -> Option<Recognised> {
    let runs = runs(text);
    if runs.len() < 8 {
        return None;
    }
    let list = list();
    let mut shared = vec![0_usize; list.licenses.len()];
    for number in runs.iter().filter_map(|it| list.by_run.get(it)).flatten() {
        if let Some(count) = shared.get_mut(usize::from(*number)) {
            *count = count.saturating_add(1);
        }
    }
    let share = |part: usize, whole: usize| part as f64 / (whole.max(1)) as f64;
    let likeness = |shared: usize, length: usize| share(shared.saturating_mul(2), length.saturating_add(runs.len()));
    let more = |shared: usize| share(runs.len().saturating_sub(shared), runs.len());
    let less = |shared: usize, length: usize| share(length.saturating_sub(shared), length);
    let candidates = || list.licenses.iter().zip(&shared).map(|((id, length), shared)| (*id, *length, *shared));
    let best = |all: &mut dyn Iterator<Item = (&'static str, usize, usize)>| {
        all.max_by(|left, right| {
            likeness(left.2, left.1).total_cmp(&likeness(right.2, right.1)).then_with(|| right.0.cmp(left.0))
        })
    };
    let fits = |it: &(&'static str, usize, usize)| more(it.2) <= MORE && less(it.2, it.1) <= LESS;
    if let Some((id, length, shared)) = best(&mut candidates().filter(fits)) {
        let percent = percent(likeness(shared, length));
        return Some(Recognised { id: id.to_owned(), name: full_name(id), percent });
    }
    let (id, length, shared) = best(&mut candidates())?;
    let percent = percent(likeness(shared, length));
    (likeness(shared, length) >= ALIKE).then(|| Recognised {
        id: "unknown".to_owned(),
        name: format!("like {id}, with other words in it: read it"),
        percent,
    })
}

fn full_name(id: &str) -> String {
    spdx::license_id(id).map_or_else(|| id.to_owned(), |it| it.full_name.to_owned())
}

fn percent(share: f64) -> u8 {
    let rounded = (share * 100.0).round().clamp(0.0, 100.0);
    (0..=100_u8).find(|it| f64::from(*it) >= rounded).unwrap_or(100)
}

/// Every license that the files hold, that a form names, and that a named parent brings along.
pub(crate) fn of_model(documents: &[Document], statements: &[Statement], name: &str) -> Vec<LicenseFacts> {
    let folder = Folder::of(documents, name);
    let mut found: Vec<LicenseFacts> = documents
        .iter()
        .filter(|it| it.role == Role::License)
        .map(|it| (it, folder.texts.get(it.name.as_str())))
        .filter_map(|(document, it)| Some((document, it?)))
        .map(|(document, it)| facts(it, "text", document.name.clone(), document.sha256.clone(), &folder))
        .collect();
    let named = statements.iter().filter(|it| it.about == StatedAbout::License && !it.hidden);
    for statement in named.filter(|it| it.rule != "license_link") {
        for value in &statement.values {
            let is_new = |it: &Recognised| !found.iter().any(|known| known.id == it.id);
            if let Some(it) = by_name(value).filter(is_new) {
                found.push(facts(&it, "named", statement.file.clone(), statement.sha256.clone(), &folder));
            }
        }
    }
    let is_parent = |it: &&Statement| {
        it.about == StatedAbout::Parent
            && !it.hidden
            && matches!(it.part, Some(StatedPart::Weights | StatedPart::Unspecified))
    };
    let mut of_parents: BTreeMap<String, LicenseFacts> = BTreeMap::new();
    for statement in statements.iter().filter(is_parent) {
        for license in statement.values.iter().filter_map(|it| of_parent(it)) {
            let facts = facts(&license, "parent", statement.file.clone(), statement.sha256.clone(), &folder);
            of_parents.entry(facts.id.clone()).or_insert(facts);
        }
    }
    found.extend(of_parents.into_values());
    found
}

/// The license that a form calls so.
fn by_name(name: &str) -> Option<Recognised> {
    let key = name.trim().to_lowercase();
    if matches!(key.as_str(), "" | "other" | "unknown") {
        return None;
    }
    let family = data().licenses.iter().find(|it| it.hub.contains(&key) || letters(&it.name) == letters(&key));
    let of_family = family.map(|it| Recognised { id: it.id.clone(), name: it.name.clone(), percent: 100 });
    let of_list = || {
        let id = spdx::text::LICENSE_TEXTS.iter().map(|it| it.0).find(|it| it.eq_ignore_ascii_case(&key))?;
        Some(Recognised { id: id.to_owned(), name: full_name(id), percent: 100 })
    };
    of_family.or_else(of_list)
}

/// The license that a parent of this name comes with, as far as its name says it.
fn of_parent(name: &str) -> Option<Recognised> {
    let key = last_part(name).to_lowercase().replace([' ', '_'], "-");
    let starts = |families: &[String]| {
        let fits = |it: &&String| {
            key.strip_prefix(it.as_str())
                .is_some_and(|rest| !rest.starts_with('.') && !rest.starts_with(|it: char| it.is_ascii_digit()))
        };
        families.iter().filter(fits).map(String::len).max()
    };
    let of_families = data().licenses.iter().filter_map(|it| Some((starts(&it.families)?, it)));
    let best = of_families.max_by_key(|it| it.0).map(|it| it.1);
    let of_family = best.map(|it| Recognised { id: it.id.clone(), name: it.name.clone(), percent: 100 });
    let of_common = || {
        let id = data().common.iter().find(|it| starts(&it.families).is_some())?.spdx.first()?;
        Some(Recognised { id: id.clone(), name: full_name(id), percent: 100 })
    };
    of_family.or_else(of_common)
}

/// What a folder shows of the duties of licenses.
struct Folder<'a> {
    name: String,
    texts: BTreeMap<&'a str, Recognised>,
    notices: Vec<(&'a str, String)>,
    cards: Vec<(&'a str, String)>,
    has_any: bool,
}

impl<'a> Folder<'a> {
    fn of(documents: &'a [Document], name: &str) -> Self {
        let of = |role: Role| documents.iter().filter(move |it| it.role == role);
        let evened = |it: &'a Document| (it.name.as_str(), even(&it.text));
        Self {
            name: last_part(name).to_lowercase().replace(['-', '_'], " "),
            texts: of(Role::License).map(|it| (it.name.as_str(), recognise(&it.text))).collect(),
            notices: of(Role::Notice).map(evened).collect(),
            cards: of(Role::Card).chain(of(Role::Notice)).map(evened).collect(),
            has_any: !documents.is_empty(),
        }
    }

    /// Whether a duty is met, and why.
    fn state(&self, license: &str, check: &str) -> (&'static str, String) {
        if !self.has_any {
            return ("not_visible", "no file was there to look at".to_owned());
        }
        let (kind, words) = check.split_once(": ").unwrap_or((check, ""));
        let wanted: Vec<String> = words.split('|').map(even).collect();
        let shows = |texts: &[(&'a str, String)]| {
            texts.iter().find(|(_, text)| wanted.iter().any(|it| text.contains(it.as_str()))).map(|it| it.0)
        };
        match kind {
            "license_copy" => match self.texts.iter().find(|(_, it)| it.id == license) {
                Some((file, _)) => ("met", format!("{file} is a copy")),
                None => ("not_met", "no file of this folder is a copy".to_owned()),
            },
            "notice" => match shows(&self.notices) {
                Some(file) => ("met", format!("{file} holds the words")),
                None => ("not_met", "no notice file of this folder holds the words".to_owned()),
            },
            "words" => match shows(&self.cards) {
                Some(file) => ("met", format!("{file} shows it")),
                None => ("not_visible", "the card does not show it; a page elsewhere may".to_owned()),
            },
            "prefix" if self.name.starts_with(words) => ("met", "the name begins so".to_owned()),
            "prefix" => ("not_met", "the name does not begin so".to_owned()),
            _ => ("not_visible", "this cannot be seen in files".to_owned()),
        }
    }
}

fn facts(it: &Recognised, found_as: &str, file: String, sha256: String, folder: &Folder<'_>) -> LicenseFacts {
    let family = data().licenses.iter().find(|family| family.id == it.id).map(|it| it.duties.as_slice());
    let common = || data().common.iter().find(|common| common.spdx.contains(&it.id)).map(|it| it.duties.as_slice());
    let duties = family.or_else(common).unwrap_or_default();
    let duty = |duty: &Duty| {
        // What the maker's own license asks is asked of those who pass the model on.
        let (state, because) = match found_as {
            "parent" => folder.state(&it.id, &duty.check),
            _ => ("not_visible", "it is asked of those who pass this model on".to_owned()),
        };
        DutyFacts {
            id: duty.id.clone(),
            section: duty.section.clone(),
            asks: duty.asks.clone(),
            state: state.to_owned(),
            because,
        }
    };
    LicenseFacts {
        id: it.id.clone(),
        name: it.name.clone(),
        found_as: found_as.to_owned(),
        file,
        sha256,
        likeness_percent: it.percent,
        duties: duties.iter().map(duty).collect(),
    }
}

#[cfg(test)]
mod tests;
