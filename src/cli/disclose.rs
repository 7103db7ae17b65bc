//! Reads what a model says of itself.

use std::path::Path;
use std::process::ExitCode;

use crate::bytes::{counted, grouped, shown};
use crate::catalog::Catalog;
use crate::cli::{Failure, Terminal, reach};
use crate::fact::{LicenseFacts, NotUnderstood, SelfDescription, StatedAbout, StatedPart, Statement};
use crate::lineage;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder, `hf:ORG/NAME`, `ms:ORG/NAME` or `https://…`; weights are not needed
    #[arg(value_name = "MODEL")]
    model: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let reach = arguments.reach.reach()?;
    let said = lineage::disclose(&arguments.model, Path::new(""), Catalog::builtin(), &reach)?;
    if arguments.json {
        terminal.print_json(&said);
    } else {
        terminal.print(&page(&said));
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

fn page(said: &SelfDescription) -> String {
    let mut sections = vec![answer(said)];
    if !said.documents.is_empty() {
        let line = |it: &crate::fact::DocumentFacts| {
            format!("  {} ({} bytes, SHA-256 {})", shown(&it.name), grouped(it.bytes), it.sha256)
        };
        sections.push(format!("Files\n{}", lines(said.documents.iter().map(line))));
    }
    sections.push(format!("Statements\n{}", statements(said)));
    if !said.licenses.is_empty() {
        sections.push(format!("Licenses (no legal advice)\n{}", lines(said.licenses.iter().map(license))));
    }
    if !said.mentions.is_empty() {
        let line = |it: &crate::fact::Mention| {
            format!("  {} ({}:{}, {})", shown(&it.model), it.file, it.line, counted_times(it.times))
        };
        sections.push(format!("Named without a statement: no descent\n{}", lines(said.mentions.iter().map(line))));
    }
    if !said.not_understood.is_empty() {
        let more = said.not_understood_count.saturating_sub(said.not_understood.len() as u64);
        let more = if more > 0 { format!("\n  and {} more", grouped(more)) } else { String::new() };
        let all = lines(said.not_understood.iter().map(not_understood));
        sections.push(format!("Read, not understood\n{all}{more}"));
    }
    if !said.unexamined.is_empty() {
        let line = |it: &crate::fact::Unexamined| format!("  {}: {}", it.what, it.detail);
        sections.push(format!("Not read\n{}", lines(said.unexamined.iter().map(line))));
    }
    sections.join("\n\n")
}

fn counted_times(times: u64) -> String {
    if times == 1 { "once".to_owned() } else { format!("{} times", grouped(times)) }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// The answer in words: what is said of parents and of the model's making.
fn answer(said: &SelfDescription) -> String {
    let name = shown(&said.model.name);
    if said.documents.is_empty() {
        return format!("{name}: no file that says anything of it was found");
    }
    let public: Vec<&Statement> = said.statements.iter().filter(|it| crate::disclosure::is_public(it)).collect();
    let about = |about: StatedAbout| public.iter().copied().filter(|it| it.about == about).collect::<Vec<_>>();
    let parents = about(StatedAbout::Parent);
    let named = |part: StatedPart| {
        let mut names: Vec<String> =
            parents.iter().filter(|it| it.part == Some(part)).flat_map(|it| &it.values).map(shown).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    };
    const PARTS: &[(StatedPart, &str)] = &[
        (StatedPart::Weights, "weights from"),
        (StatedPart::Unspecified, "based on"),
        (StatedPart::Architecture, "architecture of"),
        (StatedPart::Tokenizer, "tokenizer of"),
        (StatedPart::Data, "data made with"),
        (StatedPart::Code, "code of"),
    ];
    let mut found: Vec<String> = PARTS
        .iter()
        .filter(|(part, _)| parents.iter().any(|it| it.part == Some(*part)))
        .map(|(part, words)| format!("{words} {}", named(*part)))
        .collect();
    if !about(StatedAbout::FromScratch).is_empty() {
        found.push("trained from scratch".into());
    }
    if !about(StatedAbout::OwnWork).is_empty() {
        found.push("own work".into());
    }
    let denied = about(StatedAbout::ParentDenied);
    if !denied.is_empty() {
        let names: Vec<String> = denied.iter().flat_map(|it| &it.values).map(shown).collect();
        found.push(format!("not from {}", names.join(", ")));
    }
    let found = if found.is_empty() { "no statement on where it comes from".to_owned() } else { found.join("; ") };
    let read = counted(said.documents.len(), "file");
    let hidden = said.statements.iter().filter(|it| it.hidden).count();
    let hidden = if hidden == 0 {
        String::new()
    } else {
        format!("\n{} in text that a reader of the page does not see", counted(hidden, "statement"))
    };
    format!("{name} says: {found}\n({read} read; what is said here is not what is so){hidden}")
}

/// One entry for each statement: what it says, and its words.
pub(crate) fn statements(said: &SelfDescription) -> String {
    if said.statements.is_empty() {
        return "  none".to_owned();
    }
    let all = said.statements.iter().map(|it| format!("  {}\n    {}", head(it), shown_quote(&it.quote)));
    lines(all)
}

fn head(it: &Statement) -> String {
    let hidden = if it.hidden { "hidden: " } else { "" };
    let part = it.part.map(|it| format!(" ({})", word(&it))).unwrap_or_default();
    let relation = it.relation.as_ref().map(|it| format!(", {}", shown_plain(it))).unwrap_or_default();
    let values: Vec<String> = it.values.iter().take(8).map(shown).collect();
    let more = it.values.len().saturating_sub(8);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let values = if values.is_empty() { String::new() } else { format!(": {}{more}", values.join(", ")) };
    let line = it.line.map(|it| format!(":{it}")).unwrap_or_default();
    format!("{hidden}{}{part}{relation}{values} [{}{line}]", word(&it.about), shown_plain(&it.file))
}

/// A word of a closed list as its JSON has it.
fn word<T: serde::Serialize>(value: &T) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().replace('_', " ")
}

fn shown_plain(text: &str) -> String {
    shown(text).trim_matches('`').to_owned()
}

/// The words in quotation marks, without anything that could steer a terminal.
fn shown_quote(quote: &str) -> String {
    let clean: String = quote.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    let clean: String = clean.chars().filter(|it| !crate::bytes::is_unprintable(&it.to_string())).take(240).collect();
    format!("\"{clean}\"")
}

fn not_understood(it: &NotUnderstood) -> String {
    let hidden = if it.hidden { "hidden, " } else { "" };
    format!(
        "  [{}:{}] {hidden}{}: {}",
        shown_plain(&it.file),
        it.line,
        it.why.replace('_', " "),
        shown_quote(&it.quote)
    )
}

fn license(it: &LicenseFacts) -> String {
    let head = format!("  {} ({}, as {} in {})", it.name, it.id, it.found_as, shown_plain(&it.file));
    let duty = |it: &crate::fact::DutyFacts| {
        format!("    {} (section {}): {}; {}", it.asks, it.section, it.state.replace('_', " "), it.because)
    };
    std::iter::once(head).chain(it.duties.iter().map(duty)).collect::<Vec<_>>().join("\n")
}
