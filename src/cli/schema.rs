//! Prints or writes the JSON Schemas of every file that is read or written.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};

use crate::bytes;
use crate::case::{AnswersAsWritten, CaseAsWritten, LedgerAsWritten};
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal};
use crate::evidence::Evidence;
use crate::fact::{Comparison, Comparisons, Identification, Inspection, SelfDescription};
use crate::rubric::RubricAsWritten;
use crate::scoring::Scorecard;
use crate::yaml::{did_you_mean, list_of_names};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which schema to print; all are listed where left out
    name: Option<String>,
    /// Write all schemas, or the one named, as files into this folder
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// List the schemas as JSON
    #[arg(long)]
    json: bool,
}

/// One published file format.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    about: &'static str,
    schema: fn(SchemaGenerator) -> schemars::Schema,
    is_read: bool,
}

/// Every published file format: first those that people write, then those that the program writes.
pub(crate) const FORMATS: &[Format] = &[
    read::<RubricAsWritten>("rubric", "a rubric"),
    read::<CaseAsWritten>("case", "case.yaml"),
    read::<AnswersAsWritten>("answers", "answers/<analyst>.yaml"),
    read::<LedgerAsWritten>("ledger", "evidence.yaml"),
    written::<Inspection>("inspect", "what `inspect --json` prints"),
    written::<SelfDescription>("disclose", "what `disclose --json` prints"),
    written::<Comparison>("compare", "what `compare --json` prints"),
    written::<Comparisons>("comparisons", "what `compare --json` prints for several references"),
    written::<Identification>("identify", "what `identify --json` prints"),
    written::<Evidence>("evidence", "out/evidence.json"),
    written::<Scorecard>("scorecard", "out/scorecard.json"),
];

const fn read<T: JsonSchema>(name: &'static str, about: &'static str) -> Format {
    Format { name, about, schema: SchemaGenerator::into_root_schema_for::<T>, is_read: true }
}

const fn written<T: JsonSchema>(name: &'static str, about: &'static str) -> Format {
    Format { name, about, schema: SchemaGenerator::into_root_schema_for::<T>, is_read: false }
}

impl Format {
    /// Name of the schema's file.
    pub(crate) fn file(&self) -> String {
        format!("{}.schema.json", self.name)
    }

    /// The schema as the text of its file.
    pub(crate) fn text(&self) -> String {
        let settings = SchemaSettings::draft2020_12();
        let settings = if self.is_read { settings.for_deserialize() } else { settings.for_serialize() };
        let schema = (self.schema)(settings.into_generator());
        let text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
        format!("{text}\n")
    }

    /// Whether such files stand in a case folder, so that an editor there needs the schema.
    pub(crate) fn is_in_case(&self) -> bool {
        matches!(self.name, "case" | "answers" | "ledger")
    }
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let formats = match &arguments.name {
        Some(name) => vec![find(name)?],
        None => FORMATS.iter().collect(),
    };
    match (&arguments.write, &arguments.name) {
        (Some(folder), _) => write(&formats, folder, terminal)?,
        (None, Some(_)) => formats.iter().for_each(|it| terminal.print(&it.text())),
        (None, None) if arguments.json => {
            let listed: Vec<_> = formats
                .iter()
                .map(|it| serde_json::json!({"name": it.name, "of": it.about, "file": it.file()}))
                .collect();
            terminal.print_json(&listed);
        }
        (None, None) => {
            let mut rows = table(["name", "schema of"]);
            for format in formats {
                rows.add_row([format.name, format.about]);
            }
            terminal.print(&rows.to_string());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(name: &str) -> Result<&'static Format, Failure> {
    let names = || FORMATS.iter().map(|it| it.name);
    FORMATS.iter().find(|it| it.name == name).ok_or_else(|| {
        let hint = match did_you_mean(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", list_of_names(names())),
        };
        Failure::new(format!("there is no schema `{name}`")).hint(hint)
    })
}

fn write(formats: &[&Format], folder: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(&error).hint("name a folder that may be written to"))?;
    for format in formats {
        let path = folder.join(format.file());
        bytes::replace(&path, format.text().as_bytes()).map_err(|error| failed(&error))?;
        terminal.say(&format!("wrote {}", path.display()));
    }
    Ok(())
}
