//! A case from what models say of themselves: `unshell init CASE --from MODEL`.
//!
//! What is read becomes proposals in `proposed.yaml`, with copies of the files in `documents/`. Nothing of it counts
//! until an analyst accepts it; a second run writes the proposals anew and touches nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bytes::{self, Location, Place};
use crate::case::Case;
use crate::catalog::Catalog;
use crate::cli::Failure;
use crate::disclosure::{is_model_name, is_own_name, is_public};
use crate::fact::{SelfDescription, StatedAbout, StatedPart, Statement};
use crate::lineage::{self, Model};
use crate::remote::Reach;

/// The file of proposals.
pub(crate) const FILE: &str = "proposed.yaml";

/// Relatives by form that are proposed as references, of one model.
const RELATIVES: usize = 3;

/// Bytes of one file that is copied.
const LONGEST_COPY: u64 = 8 << 20;

/// What is in `proposed.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposed {
    /// `unshell/proposed/1`.
    pub(crate) schema: String,
    /// The proposals, each with the line that accepting it writes.
    pub(crate) proposed: Vec<Proposal>,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposal {
    /// Its id, by which it is accepted alone.
    pub(crate) id: String,
    /// Where it would be written.
    pub(crate) into: Into,
    /// The model it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// Where it was read.
    pub(crate) because: String,
    /// Proposals that it needs: evidence that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<String>,
    /// The entry as it would be in the file, in one line of YAML.
    pub(crate) entry: String,
}

/// A list that a proposal would be written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Into {
    /// `evidence` of `evidence.yaml`.
    Evidence,
    /// `claims` of `case.yaml`.
    Claims,
    /// `declared_parents` of a model.
    DeclaredParents,
    /// `references` of `case.yaml`.
    References,
}

/// One model that a case is started from.
pub(crate) struct Source {
    /// Its id in the case.
    pub(crate) id: String,
    /// As it was given.
    pub(crate) given: String,
    pub(crate) said: SelfDescription,
    /// Other models to compare with, as locations, each with the reason.
    pub(crate) references: Vec<(String, String)>,
    pub(crate) place: std::sync::Arc<dyn Place>,
}

/// Reads what each of the models says, and looks for its relatives.
pub(crate) fn read(from: &[String], reach: &Reach) -> Result<Vec<Source>, Failure> {
    from.iter().zip(1..).map(|(given, number)| one(given, &format!("model-{number}"), reach)).collect()
}

fn one(given: &str, id: &str, reach: &Reach) -> Result<Source, Failure> {
    let (base, catalog) = (Path::new(""), Catalog::builtin());
    let said = lineage::disclose(given, base, catalog, reach)?;
    let found = reach.find(Location::parse(given)?, base)?;
    let Some(found) = found else { return Err(Failure::new(format!("`{given}` has no files that could be read"))) };
    // Its form needs a header; a folder with a card alone has none.
    let model = Model::open(given, base, catalog, reach).ok();
    let references = references(&said, model.as_ref(), catalog, reach);
    Ok(Source { id: id.to_owned(), given: given.to_owned(), said, references, place: found.place })
}

/// Parents that the files name, where they can be had, then the nearest relatives by form.
fn references(
    said: &SelfDescription,
    model: Option<&Model>,
    catalog: &Catalog,
    reach: &Reach,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let parents = said.statements.iter().filter(|it| is_public(it) && it.about == StatedAbout::Parent);
    let of_weights = parents.filter(|it| matches!(it.part, Some(StatedPart::Weights | StatedPart::Unspecified)));
    for statement in of_weights {
        for name in statement.values.iter().filter(|it| !is_own_name(said, it)) {
            let because = format!("{} names it", place(statement));
            found.extend(located(name, catalog, reach).map(|it| (it, because)));
        }
    }
    if let Some(model) = model {
        let near = lineage::identify(model, catalog, RELATIVES.saturating_mul(2)).matches;
        let own = |it: &str| is_own_name(said, it.trim_start_matches("catalog:"));
        let near = near.into_iter().filter(|it| !own(&it.reference)).take(RELATIVES);
        found.extend(near.map(|it| (it.reference, "it is built alike".to_owned())));
    }
    let mut seen = BTreeSet::new();
    found.retain(|it| seen.insert(it.0.clone()));
    found
}

/// Where a model of a name can be had: a hub that answers, or the catalogue.
fn located(name: &str, catalog: &Catalog, reach: &Reach) -> Option<String> {
    let hub = format!("hf:{name}");
    let is_repository = name.split('/').count() == 2 && is_model_name(name);
    let answers = |it: &str| Location::parse(it).ok().and_then(|it| reach.find(it, Path::new("")).ok()).is_some();
    if is_repository && answers(&hub) {
        return Some(hub);
    }
    catalog.find(name).map(|it| format!("catalog:{}", it.id()))
}

fn place(statement: &Statement) -> String {
    statement.line.map_or(statement.file.clone(), |it| format!("{}:{it}", statement.file))
}

/// Copies the files that were read into the case and writes the proposals; what the case has already is not proposed
/// again. Gives the number of proposals.
pub(crate) fn write(folder: &Path, sources: &[Source], date: NaiveDate) -> Result<usize, Failure> {
    let case = Case::read(folder)?;
    let mut proposed = Vec::new();
    for source in sources {
        let id = case.subjects.iter().find(|it| it.location.as_deref() == Some(source.given.as_str()));
        let id = id.map_or_else(|| source.id.clone(), |it| it.id.clone());
        copy(folder, &id, source)?;
        proposed.extend(of_source(&case, &id, source, date));
    }
    let file = Proposed { schema: "unshell/proposed/1".to_owned(), proposed };
    let path = folder.join(FILE);
    bytes::replace(&path, text(&file).as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    Ok(file.proposed.len())
}

/// The name of a copy: its digest in front, so that a file that changed gets a copy of its own.
fn copy_name(subject: &str, file: &str, sha256: &str) -> String {
    let plain: String =
        file.chars().map(|it| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '_' }).collect();
    format!("{subject}/{}-{plain}", sha256.get(..12).unwrap_or(sha256))
}

fn copy(folder: &Path, id: &str, source: &Source) -> Result<(), Failure> {
    let failed = |error: String| Failure::new(error).hint("check who may write to the case folder");
    for document in source.said.documents.iter().filter(|it| is_kept(source, &it.name)) {
        let target = folder.join("documents").join(copy_name(id, &document.name, &document.sha256));
        if target.exists() {
            continue;
        }
        fs::create_dir_all(target.parent().unwrap_or(folder)).map_err(|error| failed(error.to_string()))?;
        let text = source.place.read_whole(&document.name, LONGEST_COPY).map_err(|error| failed(error.to_string()))?;
        if bytes::sha256(&text) != document.sha256 {
            return Err(Failure::new(format!("{} changed while it was read", document.name)).hint("run it again"));
        }
        bytes::replace(&target, &text).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

/// A file with weights in it is no document.
fn is_kept(source: &Source, name: &str) -> bool {
    source.said.documents.iter().any(|it| it.name == name) && !name.to_lowercase().ends_with(".gguf")
}

fn of_source(case: &Case, id: &str, source: &Source, date: NaiveDate) -> Vec<Proposal> {
    let said = &source.said;
    let mut found = Vec::new();
    let statements: Vec<&Statement> = said.statements.iter().filter(|it| is_proposed(said, it)).collect();
    let mut files: Vec<&str> = statements.iter().map(|it| it.file.as_str()).collect();
    files.extend(said.licenses.iter().map(|it| it.file.as_str()));
    files.sort_unstable();
    files.dedup();
    let number = |prefix: &str, count: usize| format!("{prefix}-{}-{}", id.to_uppercase(), count.saturating_add(1));
    for (count, document) in said.documents.iter().filter(|it| files.contains(&it.name.as_str())).enumerate() {
        let is_known = case.ledger.values().any(|it| it.sha256.as_deref() == Some(document.sha256.as_str()));
        if !is_known && is_kept(source, &document.name) {
            let entry_id = number("EV", count);
            found.push(Proposal {
                entry: evidence(&entry_id, id, source, document, date),
                id: entry_id,
                into: Into::Evidence,
                subject: None,
                because: format!("{} of {}", document.name, source.given),
                needs: Vec::new(),
            });
        }
    }
    let evidence_of = |file: &str, proposals: &[Proposal]| {
        let document = said.documents.iter().find(|it| it.name == file);
        let known =
            case.ledger.values().find(|it| it.sha256.is_some() && it.sha256 == document.map(|it| it.sha256.clone()));
        let proposal = proposals.iter().find(|it| it.because.starts_with(&format!("{file} of ")));
        known.map(|it| it.id.clone()).or_else(|| proposal.map(|it| it.id.clone()))
    };
    for (count, statement) in statements.iter().enumerate() {
        let Some(evidence) = evidence_of(&statement.file, &found) else { continue };
        let proposal_id = number("ST", count);
        let (into, entry) = match statement.about {
            StatedAbout::Parent => (Into::DeclaredParents, parent(case, id, said, statement, &evidence, date)),
            _ => (Into::Claims, claim(case, id, statement, &evidence, date, &proposal_id)),
        };
        let Some(entry) = entry else { continue };
        let needs = if case.ledger.contains_key(&evidence) { Vec::new() } else { vec![evidence] };
        let subject = Some(id.to_owned());
        found.push(Proposal { id: proposal_id, into, subject, because: place(statement), needs, entry });
    }
    for (count, (location, because)) in source.references.iter().enumerate() {
        if !case.references.iter().any(|it| it.location == *location) {
            found.push(Proposal {
                id: number("RF", count),
                into: Into::References,
                subject: None,
                because: because.clone(),
                needs: Vec::new(),
                entry: quoted(location),
            });
        }
    }
    found
}

/// Parents of others, and statements on the making of the model; nothing that readers do not see.
fn is_proposed(said: &SelfDescription, it: &Statement) -> bool {
    let names_others = || it.values.iter().any(|model| !is_own_name(said, model) && is_model_name(model));
    let is_whole = || matches!(it.part, None | Some(StatedPart::Weights));
    is_public(it)
        && match it.about {
            StatedAbout::Parent => it.part != Some(StatedPart::Unspecified) && names_others(),
            StatedAbout::FromScratch | StatedAbout::OwnWork => is_whole(),
            _ => false,
        }
}

fn evidence(
    entry_id: &str,
    subject: &str,
    source: &Source,
    document: &crate::fact::DocumentFacts,
    date: NaiveDate,
) -> String {
    let is_hub = matches!(Location::parse(&source.given), Ok(Location::Hub(_) | Location::Web(_)));
    let kind = if is_hub { "public_repository" } else { "model_bytes" };
    let commit = source.said.model.revision.as_ref().map(|it| format!(" at commit {it}")).unwrap_or_default();
    let title = format!("{} of {}{commit}", document.name, source.given);
    let file = copy_name(subject, &document.name, &document.sha256);
    let published = source.said.date.map(|it| format!(", published: {it}")).unwrap_or_default();
    format!(
        "{{id: {}, kind: {kind}, method: examine_copy, title: {}, file: {}, sha256: {}{published}, collected: {date}, origin: {}}}",
        quoted(entry_id),
        quoted(&title),
        quoted(&file),
        quoted(&document.sha256),
        quoted(&format!("files of {}", source.given)),
    )
}

fn parent(
    case: &Case,
    id: &str,
    said: &SelfDescription,
    statement: &Statement,
    evidence: &str,
    date: NaiveDate,
) -> Option<String> {
    let part = serde_json::to_value(statement.part?).ok()?;
    let part = part.as_str()?;
    let model = statement.values.iter().find(|it| !is_own_name(said, it) && is_model_name(it))?;
    let subject = case.subject(id);
    let is_known = subject.is_some_and(|it| it.declared_parents.iter().any(|it| it.model == *model && it.part == part));
    let date = said.date.unwrap_or(date);
    (!is_known)
        .then(|| format!("{{model: {}, part: {part}, date: {date}, evidence: [{}]}}", quoted(model), quoted(evidence)))
}

fn claim(
    case: &Case,
    id: &str,
    statement: &Statement,
    evidence: &str,
    date: NaiveDate,
    proposal_id: &str,
) -> Option<String> {
    let about = serde_json::to_value(statement.about).ok()?;
    let about = about.as_str()?;
    let is_known = case.claims_about(id).iter().any(|it| it.about.word() == about);
    (!is_known).then(|| {
        format!(
            "{{id: {}, subject: {}, about: {about}, value: true, quote: {}, source: [{}], date: {date}}}",
            quoted(&proposal_id.replace("ST-", "CL-")),
            quoted(id),
            quoted(&statement.quote),
            quoted(evidence)
        )
    })
}

/// Text in double quotes, which JSON and YAML write alike; characters that YAML refuses are left out.
pub(crate) fn quoted(text: &str) -> String {
    let clean: String = text.chars().filter(|it| !bytes::is_unprintable(&it.to_string())).collect();
    serde_json::Value::from(clean).to_string()
}

pub(crate) fn text(file: &Proposed) -> String {
    let mut out = String::from(
        "# Written by `unshell init --from`: what the files of the models say, as entries that the case could have.\n\
         # Nothing here counts until it is accepted: `unshell accept CASE` for all, `unshell accept CASE ID` for one.\n\
         # Running `unshell init --from` again writes this file anew and touches no other of yours.\n",
    );
    out.push_str(&format!("schema: {}\n", file.schema));
    if file.proposed.is_empty() {
        out.push_str("proposed: []\n");
        return out;
    }
    out.push_str("proposed:\n");
    for it in &file.proposed {
        let into = serde_json::to_value(it.into).unwrap_or_default();
        out.push_str(&format!("  - id: {}\n    into: {}\n", quoted(&it.id), into.as_str().unwrap_or_default()));
        if let Some(subject) = &it.subject {
            out.push_str(&format!("    subject: {}\n", quoted(subject)));
        }
        out.push_str(&format!("    because: {}\n", quoted(&it.because)));
        if !it.needs.is_empty() {
            let needs: Vec<String> = it.needs.iter().map(|it| quoted(it)).collect();
            out.push_str(&format!("    needs: [{}]\n", needs.join(", ")));
        }
        out.push_str(&format!("    entry: {}\n", quoted(&it.entry)));
    }
    out
}
