//! Holds a model against a reference.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use comfy_table::Table;

use crate::catalog::{Catalog, TELLING_BITS};
use crate::cli::inspect::{align_right, open, shown_name, unexamined};
use crate::cli::progress::Progress;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, reach, weights};
use crate::fact::{
    CatalogReach, Comparison, Comparisons, ConfigAgreement, Dimensions, Form, FormRelation, Origin, SharedValue,
    WeightsRelation,
};
use crate::lineage;
use crate::lineage::{Look, Model};
use crate::weights::Effort;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model under examination: as `inspect` takes it
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// The reference: as `inspect` takes it. With several, p-values are Bonferroni-corrected, and the
    /// subject is taken apart into those that it is related to: how a merge was made
    #[arg(value_name = "REFERENCE", required = true)]
    references: Vec<String>,
    /// How much of the weights to look at: what stands in its place (some megabytes; goes on to standard where that
    /// does not decide, unless more than 2 GB are behind an address), some layers and units of both models aligned, or
    /// all of them [default: standard, and quick where a model is behind an address]
    #[arg(long, value_enum, hide_possible_values = false)]
    effort: Option<EffortChoice>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: reach::Arguments,
}

/// The efforts, as the command line has them.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EffortChoice {
    Quick,
    Standard,
    Deep,
}

impl EffortChoice {
    fn effort(self) -> Effort {
        match self {
            Self::Quick => Effort::Quick,
            Self::Standard => Effort::Standard,
            Self::Deep => Effort::Deep,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let reach = arguments.reach.reach()?;
    let subject = open(&arguments.subject, &reach)?;
    let references: Vec<Model> = arguments.references.iter().map(|it| open(it, &reach)).collect::<Result<_, _>>()?;
    let progress = Progress::new(terminal);
    let effort = arguments.effort.map(EffortChoice::effort);
    let look = Look { effort, references: references.len(), watch: &progress };
    let seconds = || Some((start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0);
    if let [reference] = &references[..] {
        let compared = lineage::compare_with_weights(&subject, reference, Catalog::builtin(), &look);
        progress.finish();
        let mut comparison = compared.map_err(lineage::Error::from)?;
        comparison.cost.seconds = seconds();
        if arguments.json {
            terminal.print_json(&comparison);
        } else {
            terminal.print(&page(&comparison));
        }
    } else {
        let compared = lineage::compare_with_all(&subject, &references, Catalog::builtin(), &look);
        progress.finish();
        let mut all = compared.map_err(lineage::Error::from)?;
        if let Some(last) = all.comparisons.last_mut() {
            last.cost.seconds = seconds();
        }
        if arguments.json {
            terminal.print_json(&all);
        } else {
            terminal.print(&pages_of(&all));
        }
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

fn page(comparison: &Comparison) -> String {
    let form = &comparison.form;
    let mut sections = vec![answer(comparison)];
    sections.extend(weights::sections(&comparison.weights));
    sections.extend(comparison.tokenizer.as_ref().map(weights::tokenizer_section));
    let mut section = |title: &str, rows: &Table, is_empty: bool| {
        if !is_empty {
            sections.push(format!("{title}\n{}", rows.trim_fmt()));
        }
    };
    section("The same tensor under another name", &renames(form), form.renames.is_empty());
    section("Projections fused on one side", &projections(form), form.projections.is_empty());
    section("Dimensions", &dimensions(form), form.dimensions.is_empty());
    section("Differences", &differences(form), form.differences.is_empty());
    section("Normalized before comparison", &normalised(form), form.normalised.is_empty());
    sections.push(config(&comparison.config));
    sections.push(format!("Not examined\n{}", unexamined(&comparison.unexamined)));
    sections.push(reach(&comparison.catalog));
    sections.extend(weights::cost(&comparison.cost));
    sections.join("\n\n")
}

/// The answers of all references, and the merge.
fn pages_of(all: &Comparisons) -> String {
    let mut sections: Vec<String> = all.comparisons.iter().map(answer).collect();
    sections.push(match (&all.merge, &all.no_merge) {
        (Some(merge), _) => weights::merge(merge),
        (None, why) => format!("No merge was looked for: {}.", why.as_deref().unwrap_or("nothing to look at")),
    });
    let count = all.comparisons.len();
    sections.push(format!(
        "Every p-value is corrected for {count} references (Bonferroni). `unshell compare` with one of them, or `--json`, has its details."
    ));
    sections.join("\n\n")
}

/// The answer in words.
fn answer(comparison: &Comparison) -> String {
    let names = format!("{} against {}", shown_name(&comparison.subject.name), shown_name(&comparison.reference.name));
    let mut lines = vec![format!("Weights: {}", weights_answer(comparison))];
    lines.extend(comparison.tokenizer.as_ref().map(|it| format!("Tokenizer: {}", weights::tokenizer(it))));
    let form = format!("Form: {}", relation(&comparison.form));
    // What decides stands first: weights where they were read, form where there was nothing else.
    let at = if comparison.weights.relation == WeightsRelation::Unexamined { 0 } else { lines.len() };
    lines.insert(at, form);
    format!("{names}\n\n{}", lines.join("\n"))
}

fn weights_answer(comparison: &Comparison) -> String {
    let is_entry = [&comparison.subject, &comparison.reference].iter().any(|it| it.origin == Origin::Catalog);
    match comparison.weights.relation {
        WeightsRelation::Unexamined if is_entry => {
            "not examined (a catalogue blueprint has none). Form says nothing about weights.".to_owned()
        }
        WeightsRelation::Unexamined => "not examined. Form says nothing about weights.".to_owned(),
        _ => weights::answer(&comparison.weights),
    }
}

/// The relation by form in words, with the numbers.
fn relation(form: &Form) -> String {
    let sizes = match form.dimensions() {
        Dimensions::Same => "the same dimensions",
        Dimensions::Unseen => "the same dimensions as far as they are stated (no shape was there to be seen)",
        Dimensions::Other => "other dimensions",
    };
    let renamed = match form.renames.len() {
        0 => String::new(),
        1 => ", 1 tensor name differs".to_owned(),
        count => format!(", {count} tensor names differ"),
    };
    match form.relation {
        FormRelation::Identical => identical(form),
        FormRelation::SameUpToRenaming => {
            format!("same up to renaming, {sizes}. All tensors match one to one{renamed}.")
        }
        FormRelation::FusedOrSplit => {
            format!(
                "fused or split projections, {sizes}. All tensors match once {} split or fused{renamed}.",
                plural(form.projections.len(), "projection is", "projections are")
            )
        }
        FormRelation::SameFamily => {
            let left = form.differences.iter().filter(|it| it.kind.starts_with("only-in-")).count();
            let left = match left {
                0 => "all tensors match".to_owned(),
                _ => format!("all matrices match, {} not", plural(left, "vector or head does", "vectors or heads do")),
            };
            format!("same family, {sizes}: {left}{renamed}.")
        }
        FormRelation::Undetermined => {
            "undetermined. Only names are known of one side, and nobody knows what some of them mean.".to_owned()
        }
        FormRelation::Different => {
            let left = form.differences.iter().filter(|it| it.kind.starts_with("only-in-")).count();
            format!("different. {} no answer on the other side.", plural(left, "tensor name has", "tensor names have"))
        }
    }
}

/// Names and shapes are the same as they stand, or once something was evened out, which is named.
fn identical(form: &Form) -> String {
    let kinds: BTreeSet<String> = form.normalised.iter().map(|it| it.kind.replace('-', " ")).collect();
    if kinds.is_empty() {
        return "identical. Every tensor has the same name and the same shape.".to_owned();
    }
    let kinds: Vec<String> = kinds.into_iter().collect();
    format!(
        "identical once this was evened out: {}. Every other tensor has the same name and the same shape.",
        kinds.join(", ")
    )
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn renames(form: &Form) -> Table {
    let mut output = table(["Subject", "Reference", "Matched by"]);
    for it in &form.renames {
        let by = match it.by.as_str() {
            "role" => "role: both names are known",
            "shape" => "shape: nothing else fits",
            "order" => "order only: others have this shape",
            other => other,
        };
        output.add_row([shown_name(&it.subject), shown_name(&it.reference), by.to_owned()]);
    }
    output
}

fn projections(form: &Form) -> Table {
    let mut output = table(["Subject", "Reference", ""]);
    let lines = |names: &[String]| names.iter().map(|it| shown_name(it)).collect::<Vec<_>>().join("\n");
    for it in &form.projections {
        output.add_row([lines(&it.subject), lines(&it.reference), it.kind.clone()]);
    }
    output
}

fn dimensions(form: &Form) -> Table {
    let mut output = table(["Dimension", "Subject", "Reference", ""]);
    align_right(&mut output, 1);
    align_right(&mut output, 2);
    for it in &form.dimensions {
        let size = |size: Option<u64>| size.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let verdict = match (it.subject, it.reference) {
            (Some(one), Some(other)) if one == other => "same",
            (Some(_), Some(_)) => "differs",
            _ => "not on both sides",
        };
        output.add_row([it.name.clone(), size(it.subject), size(it.reference), verdict.to_owned()]);
    }
    output
}

fn differences(form: &Form) -> Table {
    let mut output = table(["Kind", "What", "Subject", "Reference"]);
    for it in &form.differences {
        let value = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), shown_name);
        output.add_row([it.kind.clone(), shown_name(&it.item), value(&it.subject), value(&it.reference)]);
    }
    output
}

fn normalised(form: &Form) -> Table {
    let mut output = table(["Side", "Kind", "What"]);
    for it in &form.normalised {
        output.add_row([it.side.clone(), it.kind.clone(), shown_name(&it.item)]);
    }
    output
}

/// What the configurations share, telling values first.
fn config(agreement: &ConfigAgreement) -> String {
    let mut parts = Vec::new();
    let (telling, usual): (Vec<_>, Vec<_>) =
        agreement.combination.iter().chain(&agreement.telling).partition(|it| it.bits >= TELLING_BITS);
    if telling.is_empty() {
        parts.push("Configuration: no shared value is telling.".to_owned());
    } else {
        parts.push(format!("Configuration\n{}", shared(&telling).trim_fmt()));
    }
    parts.extend(usual.into_iter().map(together));
    let (common, unknown): (Vec<_>, Vec<_>) = agreement.common.iter().partition(|it| it.can_be_told());
    for (what, values) in [("Shared but common", common), ("Shared, and how common is not known", unknown)] {
        let values: Vec<String> = values.iter().map(|it| format!("{} = {}", it.field, it.value)).collect();
        if !values.is_empty() {
            parts.push(format!("{what}: {}.", values.join(", ")));
        }
    }
    if !agreement.different.is_empty() {
        let mut output = table(["Differs", "Subject", "Reference"]);
        for it in &agreement.different {
            let value = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), shown_name);
            output.add_row([it.item.clone(), value(&it.subject), value(&it.reference)]);
        }
        parts.push(output.trim_fmt());
    }
    parts.join("\n\n")
}

/// All shared sizes as one, where that is not telling: common, or stated by so few that nothing can be said.
fn together(it: &SharedValue) -> String {
    let so = match it.can_be_told() {
        true => format!("{} of {} families have all of it, so it is common", it.holders, it.population),
        false => format!("{} other families state all of it, too few to tell how rare it is", it.population),
    };
    format!("Together {} = {}: {so}.", it.field, it.value)
}

fn shared(values: &[&SharedValue]) -> Table {
    let mut output = table(["Shared, distinctive values", "Value", "Families that have it", "Bits"]);
    align_right(&mut output, 2);
    align_right(&mut output, 3);
    for it in values {
        let holders = format!("{} of {}", it.holders, it.population);
        output.add_row([it.field.clone(), it.value.clone(), holders, format!("{:.1}", it.bits)]);
    }
    output
}

/// How far the catalogue behind the rarity figures reaches.
fn reach(reach: &CatalogReach) -> String {
    format!(
        "Rarity is counted over a catalogue of {} models; its newest is {} of {}. Nothing newer or outside it is known here.",
        reach.entries, reach.newest, reach.newest_date
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page with trailing blanks taken off, as a table pads its last column.
    fn pages(subject: &str, reference: &str) -> String {
        let reach = crate::remote::Reach::local();
        let (subject, reference) = (open(subject, &reach).unwrap(), open(reference, &reach).unwrap());
        let page = page(&lineage::compare(&subject, &reference, Catalog::builtin()));
        page.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn yi_against_llama_reads_well() {
        insta::assert_snapshot!(pages("catalog:01-ai/Yi-34B@2023-11", "catalog:meta-llama/Llama-2-70b-hf"));
    }

    #[test]
    fn a_different_model_reads_well() {
        insta::assert_snapshot!(pages("catalog:THUDM/chatglm2-6b", "catalog:openai-community/gpt2"));
    }
}
