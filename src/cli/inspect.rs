//! Describes a model from its headers.

use std::path::Path;
use std::process::ExitCode;

use comfy_table::{CellAlignment, Table};

use crate::bytes::{grouped, shown};
use crate::catalog::Catalog;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, disclose, reach};
use crate::fact::{Finding, Inspection, Origin, Unexamined};
use crate::lineage;
use crate::lineage::Model;
use crate::remote::Reach;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder or file, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…`, or `catalog:ORG/NAME`
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
    let inspection = lineage::inspect(&open(&arguments.model, &reach)?);
    if arguments.json {
        terminal.print_json(&inspection);
    } else {
        terminal.print(&page(&inspection));
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

/// Opens a model as a command names it: a path is taken from the folder the command was given in.
pub(crate) fn open(location: &str, reach: &Reach) -> Result<Model, Failure> {
    Model::open(location, Path::new(""), Catalog::builtin(), reach).map_err(Failure::from)
}

impl From<lineage::Error> for Failure {
    fn from(error: lineage::Error) -> Self {
        let failure = Self::new(&error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn page(inspection: &Inspection) -> String {
    let mut sections = vec![answer(inspection)];
    let source = if inspection.parameters.is_some() {
        ""
    } else {
        ", as the configuration states them; layers and experts by name"
    };
    sections.push(format!("Dimensions{source}\n{}", dimensions(inspection).trim_fmt()));
    sections.push(format!("Tensors, with layer {{i}} and expert {{j}}\n{}", templates(inspection).trim_fmt()));
    if !inspection.dtypes.is_empty() {
        sections.push(format!("Element types\n{}", dtypes(inspection).trim_fmt()));
    }
    if inspection.findings.is_empty() {
        sections.push("Findings: none.".to_owned());
    } else {
        sections.push(format!("Findings\n{}", findings(&inspection.findings)));
    }
    if let Some(said) = inspection.disclosure.as_ref().filter(|it| !it.documents.is_empty()) {
        sections.push(format!("What its files say of it\n{}", disclose::statements(said)));
    }
    sections.push(format!("Not examined\n{}", unexamined(&inspection.unexamined)));
    sections.join("\n\n")
}

/// The answer in words.
fn answer(inspection: &Inspection) -> String {
    let name = shown(&inspection.model.name);
    let tensors = grouped(inspection.tensors);
    let counts = match inspection.parameters {
        Some(parameters) => format!("{} parameters in {tensors} tensors", grouped(parameters)),
        None => format!("{tensors} tensors by name; how many parameters is not known"),
    };
    let source = match inspection.model.origin {
        Origin::Catalog => "a catalogue blueprint, without files and without weights".to_owned(),
        Origin::Fingerprint => "a fingerprint: a blueprint with some of its weights".to_owned(),
        Origin::Checkpoint if inspection.parameters.is_none() => {
            let size = inspection.stated_bytes.map_or_else(
                || "no size of the data stated".to_owned(),
                |it| format!("{} bytes of data by the index's own word", grouped(it)),
            );
            format!("an index without weights, {size}; {} bytes read", grouped(inspection.cost.bytes_read))
        }
        Origin::Checkpoint => {
            let format = inspection.format.as_deref().unwrap_or("files");
            let files = inspection.files.iter().filter(|it| !it.name.ends_with(".json")).count();
            let bytes = inspection.data_bytes.map_or(String::new(), |it| format!(", {} bytes of data", grouped(it)));
            let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
            format!("{format}, {files}{bytes}; {} bytes read", grouped(inspection.cost.bytes_read))
        }
    };
    let attention = match inspection.findings.len() {
        0 => String::new(),
        1 => "\n1 finding below needs attention.".to_owned(),
        count => format!("\n{count} findings below need attention."),
    };
    format!("{name}: {counts}\n({source}){attention}")
}

fn dimensions(inspection: &Inspection) -> Table {
    let mut output = table(["Dimension", "Size"]);
    align_right(&mut output, 1);
    for dimension in &inspection.dimensions {
        output.add_row([dimension.name.clone(), grouped(dimension.size)]);
    }
    output
}

fn templates(inspection: &Inspection) -> Table {
    let mut output = table(["Template", "Role", "Shape", "In dimensions", "Type", "Tensors"]);
    align_right(&mut output, 5);
    for it in &inspection.templates {
        output.add_row([
            shown_name(&it.template),
            it.role.clone(),
            it.shape.as_deref().map_or_else(|| "not known".to_owned(), sizes),
            it.algebra.join(" x "),
            it.dtype.clone().unwrap_or_else(|| "-".to_owned()),
            grouped(it.count),
        ]);
    }
    output
}

fn sizes(shape: &[u64]) -> String {
    if shape.is_empty() {
        return "one number".to_owned();
    }
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ")
}

fn dtypes(inspection: &Inspection) -> Table {
    let mut output = table(["Type", "Tensors", "Elements"]);
    align_right(&mut output, 1);
    align_right(&mut output, 2);
    for it in &inspection.dtypes {
        output.add_row([it.dtype.clone(), grouped(it.tensors), grouped(it.elements)]);
    }
    output
}

/// One line a finding: what it is, what it is about, what was found.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let line = |it: &Finding| {
        let about: Vec<String> = it.file.iter().chain(&it.item).map(shown).collect();
        let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
        format!("  {}{about}: {}", it.code, it.detail)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One line for each thing that was not looked at.
pub(crate) fn unexamined(unexamined: &[Unexamined]) -> String {
    let lines = unexamined.iter().map(|it| format!("  {}: {}", it.what, it.detail));
    lines.collect::<Vec<_>>().join("\n")
}

/// A name from a file without anything that could steer a terminal; plain names stay bare.
pub(crate) fn shown_name(name: &str) -> String {
    if name.chars().any(char::is_control) { shown(name) } else { name.to_owned() }
}

pub(crate) fn align_right(output: &mut Table, column: usize) {
    if let Some(column) = output.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
