//! Lists or shows the released models that are known.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::Datelike as _;
use clap::Subcommand;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use serde_json::Value;

use crate::bytes::{self, grouped, limits, shown};
use crate::catalog::{
    About, AccessState, Basis, Catalog, Design, Entry, FamilyAsWritten, Indices, Parentage, SCHEME, Tokenizer, Twins,
    draft,
};
use crate::checkpoint;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, inspect, library};
use crate::fact::CatalogReach;
use crate::remote::Reach;
use crate::yaml::{self, Problems};

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
    /// Check the catalogue, or a family file before it goes into it: sources, sums, and fields against shapes
    Check(CheckArguments),
    /// Write a record from a model's own files; what they do not say is null, for you to fill in
    Draft(DraftArguments),
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
    /// Only models that may have been published in this year
    #[arg(long)]
    year: Option<i32>,
    /// Only models whose license terms hold this text, e.g. `apache`
    #[arg(long, alias = "licence")]
    license: Option<String>,
    /// Only models whose files can be had so; `unknown` where no source says it
    #[arg(long, value_parser = ["open", "gated", "withdrawn", "none", "unknown"])]
    access: Option<String>,
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

#[derive(Debug, clap::Args)]
struct CheckArguments {
    /// Family files; the catalogue inside the program where none is named
    files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct DraftArguments {
    /// A `config.json`, or a folder with one; with weights beside it, their headers give the list of tensors
    model: PathBuf,
    /// Where the file was read: its address, with a commit where there is one
    #[arg(long)]
    source: String,
    /// The model's name as on the hub, `ORG/NAME`
    #[arg(long)]
    id: String,
    /// Who released it; the ORG of the id where left out
    #[arg(long, alias = "organization")]
    organisation: Option<String>,
    /// The family, which is the file's name; from the id where left out
    #[arg(long)]
    family: Option<String>,
    /// Whose design it is, as rarity counts houses; from the id where left out
    #[arg(long)]
    lineage: Option<String>,
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
    owner: &'a str,
    release_date: Option<&'a str>,
    access: Option<AccessState>,
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
        Command::Check(arguments) => check(arguments, catalog, terminal),
        Command::Draft(arguments) => write_draft(arguments, terminal),
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
    let mut output = table(["Model", "Organisation", "Released", "Parameters", "Layers x hidden", "Access", "License"]);
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
            row.access.as_ref().map_or_else(|| "-".to_owned(), word),
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
        self.family.as_deref().is_none_or(|it| it == entry.family())
            && organisation.as_ref().is_none_or(is_of)
            && self.year.is_none_or(|year| is_of_year(entry, year))
            && self.license.as_deref().is_none_or(|text| has_terms(entry, text))
            && self.access.as_deref().is_none_or(|it| it == access_word(entry))
    }

    fn found_nothing(&self, catalog: &Catalog) -> Failure {
        let failure = Failure::new("no catalogue entry is all of that");
        let Some(family) = &self.family else {
            return failure.hint("`unshell catalog list` shows what every entry is; leave out one of the filters");
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

/// Whether a model may have been published in a year.
fn is_of_year(entry: &Entry, year: i32) -> bool {
    entry.published().is_some_and(|it| it.first.year() <= year && year <= it.last.year())
}

fn has_terms(entry: &Entry, text: &str) -> bool {
    entry.licence().is_some_and(|it| it.terms.to_lowercase().contains(&text.to_lowercase()))
}

fn access_word(entry: &Entry) -> String {
    entry.access().map_or_else(|| "unknown".to_owned(), |it| word(&it.state))
}

impl<'a> Row<'a> {
    fn new(entry: &'a Entry) -> Self {
        let number = |field: &str| entry.config_fields().get(field).and_then(Value::as_u64);
        Self {
            reference: format!("{SCHEME}{}", entry.id()),
            family: entry.family(),
            organisation: entry.organisation(),
            owner: entry.owner(),
            access: entry.access().map(|it| it.state),
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

fn check(arguments: &CheckArguments, catalog: &Catalog, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if arguments.files.is_empty() {
        terminal.print(&summary(catalog));
        return Ok(ExitCode::SUCCESS);
    }
    let mut problems = Problems::new();
    let mut wrong: Vec<String> = Vec::new();
    let mut pages = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        let bytes = bytes::read_whole(path, limits::WRITTEN_BY_HAND)
            .map_err(|it| Failure::new(it).hint("name a family file, such as `catalog/models/llama-2.yaml`"))?;
        match yaml::read::<FamilyAsWritten>(&name, &bytes) {
            Err(found) => problems.extend(found),
            Ok(family) => match checked(family, catalog) {
                Ok(page) => pages.push(format!("{name}: {page}")),
                Err(found) => wrong.extend(found.into_iter().map(|it| format!("{name}: {it}"))),
            },
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if wrong.is_empty() {
        terminal.print(&pages.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(wrong.join("\nerror: "))
        .hint("`catalog/README.md` says what every field means and what must hold"))
}

/// One family compared with all rules, and its ids against those of the catalogue.
fn checked(family: FamilyAsWritten, builtin: &Catalog) -> Result<String, Vec<String>> {
    let name = family.family.clone();
    let catalog = Catalog::new(vec![family], Twins::default())
        .map_err(|it| it.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let is_another = |it: &&Entry| builtin.find(it.id()).is_some_and(|known| known.family() != name);
    let taken: Vec<String> =
        catalog.entries().iter().filter(is_another).map(|it| format!("`{}` is in another family", it.id())).collect();
    if taken.is_empty() { Ok(summary(&catalog)) } else { Err(taken) }
}

/// How much of a catalogue is sourced.
fn summary(catalog: &Catalog) -> String {
    let entries = catalog.entries();
    let count = |has: &dyn Fn(&Entry) -> bool| entries.iter().filter(|it| has(it)).count();
    let facts = [
        ("release date", count(&|it| it.released().is_some())),
        ("license", count(&|it| it.licence().is_some())),
        ("training tokens", count(&|it| it.training_tokens().is_some())),
        ("stated parentage", count(&|it| it.parentage().is_some())),
        ("tokenizer", count(&|it| it.tokenizer().is_some())),
        ("access", count(&|it| it.access().is_some())),
        ("configuration", count(&|it| it.config_basis() != Basis::NotSourced)),
        ("blueprint", count(&|it| it.design().is_some())),
    ];
    let facts: Vec<String> = facts.iter().map(|(fact, sourced)| format!("{fact} {sourced}")).collect();
    format!(
        "{} records hold together: every fact has a source or is null, all sums are right, and no configuration \
         contradicts its blueprint.\nSourced: {}.",
        entries.len(),
        facts.join(", ")
    )
}

fn write_draft(arguments: &DraftArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let is_file = arguments.model.is_file();
    let path = if is_file { arguments.model.clone() } else { arguments.model.join("config.json") };
    let no_config = "name a `config.json`, or a folder that holds one";
    let bytes = bytes::read_whole(&path, limits::CONFIG).map_err(|it| Failure::new(it).hint(no_config))?;
    let document = checkpoint::read_json(&bytes, limits::CONFIG_VALUES)
        .map_err(|it| Failure::new(format!("{}: {it}", path.display())).hint(no_config))?;
    let config = document
        .value
        .as_object()
        .ok_or_else(|| Failure::new(format!("{}: expected an object of fields", path.display())).hint(no_config))?;
    let model = match is_file {
        true => None,
        false => Some(inspect::open(&arguments.model.display().to_string(), &Reach::local())?),
    };
    let written = draft(&arguments.about()?, config, model.as_ref().map(|it| &it.blueprint));
    terminal.print(written.trim_end());
    Ok(ExitCode::SUCCESS)
}

impl DraftArguments {
    fn about(&self) -> Result<About, Failure> {
        let parts = self.id.split_once('/').filter(|(owner, name)| !owner.is_empty() && !name.is_empty());
        let (owner, name) = parts.ok_or_else(|| {
            Failure::new(format!("`--id {}` must read ORG/NAME", shown(&self.id)))
                .hint("e.g. `--id meta-llama/Llama-2-7b-hf`")
        })?;
        let plain = |text: &str| -> String {
            let letter = |it: char| if it.is_ascii_alphanumeric() || it == '.' { it.to_ascii_lowercase() } else { '-' };
            text.chars().map(letter).collect()
        };
        let or = |given: &Option<String>, text: &str| given.clone().unwrap_or_else(|| plain(text));
        Ok(About {
            id: self.id.clone(),
            family: or(&self.family, name),
            lineage: or(&self.lineage, owner),
            organisation: self.organisation.clone().unwrap_or_else(|| owner.to_owned()),
            source: self.source.clone(),
        })
    }
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
    add("owner on the hub", Some((entry.owner().to_owned(), "")));
    add("access", entry.access().map(|it| (word(&it.state), it.source.as_str())));
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
    if let Some(layers) = entry.prediction_layers() {
        lines.push(format!(
            "Released files hold {} more parameters in {} tensors that predict further tokens.\n  {}",
            grouped(layers.parameters),
            grouped(layers.tensors),
            layers.source
        ));
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
