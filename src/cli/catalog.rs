//! Lists or shows the released models that are known.

use std::process::ExitCode;

use clap::Subcommand;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use serde_json::Value;

use crate::bytes::{grouped, shown};
use crate::catalog::{Catalog, Design, Entry, Indices, Parentage, SCHEME, Tokenizer};
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, library};
use crate::fact::CatalogReach;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the models
    List(ListArguments),
    /// Show one model: every fact with its source, and what it is built like
    Show(ShowArguments),
    /// Keep a fingerprint of a model, so that others can be compared with its weights without its files
    Add(library::AddArguments),
    /// List the fingerprints that are kept
    Fingerprints(library::FingerprintsArguments),
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    /// Only models of this family, e.g. `llama-2`
    #[arg(long)]
    family: Option<String>,
    /// Only models of organisations whose name holds this text
    #[arg(long, alias = "organization")]
    organisation: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArguments {
    /// The model's name: `ORG/NAME`, with or without `catalog:` before it
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The JSON of `catalog list`.
#[derive(Serialize)]
struct Listing<'a> {
    schema: &'static str,
    entries: Vec<Row<'a>>,
    catalog: CatalogReach,
}

#[derive(Serialize)]
struct Row<'a> {
    reference: String,
    family: &'a str,
    organisation: &'a str,
    release_date: Option<&'a str>,
    parameters: Option<u64>,
    layers: Option<u64>,
    hidden_size: Option<u64>,
    licence: Option<&'a str>,
    has_blueprint: bool,
}

/// The JSON of `catalog show`.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    reference: String,
    #[serde(flatten)]
    entry: &'a Entry,
    same_shapes: Vec<&'a str>,
    same_up_to_vocabulary: Vec<&'a str>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let catalog = Catalog::builtin();
    match &arguments.command {
        Command::List(arguments) => list(arguments, catalog, terminal),
        Command::Show(arguments) => show(arguments, catalog, terminal),
        Command::Add(arguments) => library::add(arguments, terminal),
        Command::Fingerprints(arguments) => library::list(arguments, terminal),
    }
}

fn list(arguments: &ListArguments, catalog: &Catalog, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let rows: Vec<_> = catalog.entries().iter().filter(|it| arguments.wants(it)).map(Row::new).collect();
    if rows.is_empty() {
        return Err(arguments.found_nothing(catalog));
    }
    if arguments.json {
        terminal.print_json(&Listing { schema: "unshell/catalog-list/1", entries: rows, catalog: catalog.reach() });
        return Ok(ExitCode::SUCCESS);
    }
    let mut output = table(["Model", "Organisation", "Released", "Parameters", "Layers x hidden", "Licence"]);
    for column in [3, 4] {
        align_right(&mut output, column);
    }
    for row in &rows {
        output.add_row([
            row.reference.trim_start_matches(SCHEME).to_owned(),
            row.organisation.to_owned(),
            row.release_date.unwrap_or("-").to_owned(),
            row.parameters.map_or_else(|| "-".to_owned(), short_count),
            shape(row.layers, row.hidden_size),
            row.licence.unwrap_or("-").to_owned(),
        ]);
    }
    terminal.print(&format!("{}\n\n{}", output.trim_fmt(), reach_words(rows.len(), &catalog.reach())));
    Ok(ExitCode::SUCCESS)
}

impl ListArguments {
    fn wants(&self, entry: &Entry) -> bool {
        let organisation = self.organisation.as_deref().map(str::to_lowercase);
        let is_of = |name: &String| {
            entry.organisation().to_lowercase().contains(name) || entry.id().to_lowercase().starts_with(name)
        };
        self.family.as_deref().is_none_or(|it| it == entry.family()) && organisation.as_ref().is_none_or(is_of)
    }

    fn found_nothing(&self, catalog: &Catalog) -> Failure {
        let failure = Failure::new("no catalogue entry is of that family and organisation");
        let Some(family) = &self.family else {
            return failure.hint("`unshell catalog list` names every organisation");
        };
        let families = catalog.entries().iter().map(Entry::family);
        match families
            .max_by(|left, right| strsim::jaro_winkler(family, left).total_cmp(&strsim::jaro_winkler(family, right)))
        {
            Some(likely) if likely != family => failure.hint(format!("did you mean `--family {likely}`?")),
            _ => failure,
        }
    }
}

impl<'a> Row<'a> {
    fn new(entry: &'a Entry) -> Self {
        let number = |field: &str| entry.config_fields().get(field).and_then(Value::as_u64);
        Self {
            reference: format!("{SCHEME}{}", entry.id()),
            family: entry.family(),
            organisation: entry.organisation(),
            release_date: entry.released().map(|it| it.date.as_str()),
            parameters: entry.design().map(|it| it.parameters),
            layers: number("num_hidden_layers"),
            hidden_size: number("hidden_size"),
            licence: entry.licence().map(|it| it.terms.as_str()),
            has_blueprint: entry.design().is_some(),
        }
    }
}

fn show(arguments: &ShowArguments, catalog: &Catalog, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let entry = catalog.find(&arguments.name).ok_or_else(|| unknown(&arguments.name, catalog))?;
    let (same_shapes, same_up_to_vocabulary) = catalog.twins(entry.id());
    if arguments.json {
        terminal.print_json(&Record {
            schema: "unshell/catalog-entry/1",
            reference: format!("{SCHEME}{}", entry.id()),
            entry,
            same_shapes,
            same_up_to_vocabulary,
        });
    } else {
        terminal.print(&page(entry, &same_shapes, &same_up_to_vocabulary));
    }
    Ok(ExitCode::SUCCESS)
}

/// There is no such entry; says which ones have a name like it.
pub(crate) fn unknown(name: &str, catalog: &Catalog) -> Failure {
    let name = name.strip_prefix(SCHEME).unwrap_or(name);
    let failure = Failure::new(format!("the catalogue has no entry {}", shown(name)));
    let likely: Vec<_> = catalog.suggest(name).into_iter().map(|it| format!("`{it}`")).collect();
    match likely.as_slice() {
        [] => failure.hint("`unshell catalog list` lists all of them"),
        _ => failure.hint(format!("did you mean {}?", likely.join(" or "))),
    }
}

/// Everything that is known of an entry.
fn page(entry: &Entry, same: &[&str], padded: &[&str]) -> String {
    let mut parts = vec![format!("{SCHEME}{}", entry.id()), facts(entry), config(entry).trim_fmt()];
    parts.push(config_remarks(entry));
    if let Some(design) = entry.design() {
        parts.push(format!("{}\n\n{}", templates(design).trim_fmt(), design_remarks(entry, design)));
    }
    if let Some(reason) = entry.no_blueprint() {
        parts.push(format!("No blueprint, so nothing can be compared with this entry: {reason}."));
    }
    if !same.is_empty() {
        parts.push(format!("Same in every shape: {}.", same.join(", ")));
    }
    if !padded.is_empty() {
        parts.push(format!("Same in every shape but the vocabulary's: {}.", padded.join(", ")));
    }
    parts.extend(entry.notes().map(|it| format!("Note: {it}")));
    parts.join("\n\n")
}

/// The facts, each with its source below it: sources are long, and a table of them would not fit any terminal.
fn facts(entry: &Entry) -> String {
    let mut lines = Vec::new();
    let mut add = |fact: &str, known: Option<(String, &str)>| match known {
        Some((value, "")) => lines.push(format!("{fact:<21} {value}")),
        Some((value, source)) => lines.push(format!("{fact:<21} {value}\n{:<21}   source: {source}", "")),
        None => lines.push(format!("{fact:<21} not sourced")),
    };
    add("organisation", Some((entry.organisation().to_owned(), "")));
    add("family", Some((format!("{}, lineage {}", entry.family(), entry.lineage()), "")));
    if let Some(variant) = entry.variant() {
        add("variant", Some((variant.to_owned(), "")));
    }
    add("released", entry.released().map(|it| (it.date.clone(), it.source.as_str())));
    add("licence", entry.licence().map(|it| (it.terms.clone(), it.source.as_str())));
    add("training tokens", entry.training_tokens().map(|it| (it.amount.clone(), it.source.as_str())));
    add("stated parentage", entry.parentage().map(|it| (parentage(it), it.source.as_str())));
    add("tokenizer", entry.tokenizer().map(|it| (tokenizer(it), it.source.as_str())));
    let published = entry.published_parameters();
    add(
        "published parameters",
        published.map(|it| (format!("{} ({})", grouped(it.value), word(&it.precision)), it.source.as_str())),
    );
    lines.join("\n")
}

fn parentage(stated: &Parentage) -> String {
    let of = stated.of.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
    format!("{}{of}: {}", stated.kind, stated.statement)
}

fn tokenizer(known: &Tokenizer) -> String {
    let origin = known.origin.as_ref().map(|origin| format!(", {origin}")).unwrap_or_default();
    let kind = known.kind.as_ref().map(|kind| format!("{kind}, ")).unwrap_or_default();
    format!("{kind}{} pieces{origin}", grouped(known.vocabulary))
}

fn config(entry: &Entry) -> Table {
    let mut output = table(["Configuration", "Value"]);
    for (field, value) in entry.config_fields() {
        output.add_row([field.clone(), value.to_string()]);
    }
    output
}

fn config_remarks(entry: &Entry) -> String {
    let mut lines = vec![format!("Configuration from a {}:", word(&entry.config_basis()))];
    lines.extend(entry.config_sources().iter().map(|it| format!("  {it}")));
    if !entry.unsourced().is_empty() {
        lines.push(format!("Not sourced: {}.", entry.unsourced().join(", ")));
    }
    lines.join("\n")
}

fn templates(design: &Design) -> Table {
    let mut output = table(["Tensors", "Shape", "Layers", "Experts", "Role"]);
    let written = |indices: &Option<Indices>| indices.as_ref().map(Indices::to_string).unwrap_or_default();
    for it in &design.templates {
        let shape: Vec<_> = it.shape.iter().map(u64::to_string).collect();
        output.add_row([
            it.name.clone(),
            shape.join(" x "),
            written(&it.layers),
            written(&it.experts),
            it.role.clone(),
        ]);
    }
    output
}

fn design_remarks(entry: &Entry, design: &Design) -> String {
    let mut lines = vec![format!(
        "{} parameters in {} tensors, {} layers; the count against the published one: {}. List of tensors {}.",
        grouped(design.parameters),
        grouped(design.tensors),
        design.layers,
        word(&design.check),
        match word(&design.made_from).as_str() {
            "transformers" => "from the model class in transformers, built without weights".to_owned(),
            other => other.to_owned(),
        }
    )];
    if let Some(list) = entry.file_list() {
        let about = list.about.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let bytes = list.residue.as_ref().map(|it| format!(", bytes: {it}")).unwrap_or_default();
        lines.push(format!("Against a list of released files: names {}{bytes}{about}.", word(&list.names)));
        lines.push(format!("  {}", list.source));
    }
    let traps: Vec<_> = entry.traps().iter().map(word).collect();
    if !traps.is_empty() {
        let prefix = entry.prefix().map(|it| format!(" ({it})")).unwrap_or_default();
        lines.push(format!("Released files differ from this list by: {}{prefix}.", traps.join(", ")));
    }
    lines.join("\n")
}

/// The word a closed list has for a value, as the data spell it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// What the catalogue holds and where it ends.
pub(crate) fn reach_words(shown: usize, reach: &CatalogReach) -> String {
    format!(
        "{shown} of {} entries. The catalogue ends with {} ({}); later models are not in it.",
        reach.entries,
        reach.newest.trim_start_matches(SCHEME),
        reach.newest_date
    )
}

fn align_right(output: &mut Table, column: usize) {
    if let Some(column) = output.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn shape(layers: Option<u64>, hidden: Option<u64>) -> String {
    let written = |number: Option<u64>| number.map_or("-".to_owned(), |it| it.to_string());
    format!("{} x {}", written(layers), written(hidden))
}

/// `34.4B`, `671B`, `135M`.
fn short_count(count: u64) -> String {
    let (unit, word) = match count {
        0..1_000_000_000 => (1e6, "M"),
        1_000_000_000..1_000_000_000_000 => (1e9, "B"),
        _ => (1e12, "T"),
    };
    let scaled = count as f64 / unit;
    if scaled >= 100.0 { format!("{scaled:.0}{word}") } else { format!("{scaled:.1}{word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        assert_eq!(short_count(134_515_008), "135M");
        assert_eq!(short_count(34_388_917_248), "34.4B");
        assert_eq!(short_count(1_026_000_000_000), "1.0T");
    }

    #[test]
    fn a_page_says_all_there_is() {
        let catalog = Catalog::builtin();
        let entry = catalog.find("01-ai/Yi-34B@2023-11").unwrap();
        let (same, padded) = catalog.twins(entry.id());
        insta::assert_snapshot!(page(entry, &same, &padded));
    }
}
