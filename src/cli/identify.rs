//! Looks a model up in the catalogue.

use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;

use crate::catalog::{Catalog, SCHEME};
use crate::cli::inspect::{align_right, shown_name};
use crate::cli::library::Library;
use crate::cli::progress::Progress;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, inspect, reach, weights};
use crate::fact::{CatalogReach, Closeness, FingerprintMatch, Identification, Match, NameOrigin, RuleId, ScorePart};
use crate::lineage::{Look, ask_origins, identify, look_up};
use crate::weights::Effort;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder or file, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…`, or `catalog:ORG/NAME`
    model: String,
    /// List at most this many entries
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: usize,
    /// Hold the weights of a model behind an address against fingerprints too; it is read whole
    #[arg(long)]
    weights: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let catalog = Catalog::builtin();
    let reach = arguments.reach.reach()?;
    let model = inspect::open(&arguments.model, &reach)?;
    let mut answer = identify(&model, catalog, arguments.limit);
    ask_origins(&mut answer, &model, catalog);
    let (library, unusable) = arguments.library.models()?;
    for error in &unusable {
        terminal.say(&format!("warning: {error}"));
    }
    if !model.is_far() || arguments.weights {
        let progress = Progress::new(terminal);
        let looked = look_up(
            &mut answer,
            &model,
            &library,
            &Look { effort: Some(Effort::Standard), references: 1, watch: &progress },
        );
        progress.finish();
        for error in &looked.map_err(Failure::from)? {
            terminal.say(&format!("warning: {error}"));
        }
    }
    if arguments.json {
        terminal.print_json(&answer);
    } else {
        terminal.print(&page(&answer));
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

fn page(answer: &Identification) -> String {
    let mut parts = vec![format!("{}\n{}", answer.model.location, sentence(answer))];
    if !answer.matches.is_empty() {
        parts.push(matches(&answer.matches));
        parts.extend(answer.matches.first().map(best));
    }
    let shown = answer.matches.len() as u64;
    if shown < answer.matched {
        parts.push(format!("{shown} of {} matches are shown; `--limit {}` shows all.", answer.matched, answer.matched));
    }
    parts.extend(origins(answer));
    parts.push(limits(answer));
    parts.push(fingerprints(&answer.fingerprints));
    if !answer.fingerprints.is_empty() {
        parts.push(format!("Not examined\n{}", inspect::unexamined(&answer.unexamined)));
    }
    parts.join("\n\n")
}

/// What the hub says of where the model comes from.
fn origins(answer: &Identification) -> Option<String> {
    let line = |it: &NameOrigin| {
        let entry = if it.entry.is_some() { ", an entry of the catalogue" } else { "" };
        format!("  {} ({} of {}{entry})", shown_name(&it.name), it.how, shown_name(&it.said_of))
    };
    let lines: Vec<String> = answer.origins.iter().map(line).collect();
    let head = "Named by the hub as where it comes from; whoever keeps a repository writes that";
    (!lines.is_empty()).then(|| format!("{head}\n{}", lines.join("\n")))
}

/// What weights say against the library.
fn fingerprints(found: &[FingerprintMatch]) -> String {
    if found.is_empty() {
        return "Weights: not compared with anything. `unshell catalog add MODEL` keeps a fingerprint of a reference; \
                `identify` tests the weights of a model on this machine, or with `--weights` any model's, against all \
                of them."
            .to_owned();
    }
    let mut output = table(["Fingerprint", "Weights", "log10 p", "Rule"]);
    align_right(&mut output, 2);
    for it in found {
        output.add_row([
            shown_name(&it.reference.name),
            weights::relation_word(it.relation).to_owned(),
            it.log10_p.map_or_else(|| "-".to_owned(), weights::power_of_ten),
            it.rule.map_or("-", RuleId::word).to_owned(),
        ]);
    }
    let paid = if found.len() > 1 {
        format!("\n\nEach p-value has paid for {} fingerprints being tried.", found.len())
    } else {
        String::new()
    };
    format!("Weights, against the fingerprints at hand\n{}{paid}", output.trim_fmt())
}

/// The outcome in words.
fn sentence(answer: &Identification) -> String {
    let Some(first) = answer.matches.first() else {
        if answer.outcome == "undetermined" {
            return "Undetermined: only names are known of this model, and nobody knows what some of them mean."
                .to_owned();
        }
        return "No catalogue entry is built like this model.".to_owned();
    };
    let but = match first.closeness {
        Closeness::SameShapes => "tensor for tensor",
        Closeness::PaddedVocabulary => "tensor for tensor, but for a few rows of the vocabulary",
        Closeness::OtherVocabulary => "tensor for tensor, but for the size of the vocabulary",
        Closeness::Additions => "tensor for tensor, with others besides",
        Closeness::OtherDepth => "layer for layer, but for their number",
        Closeness::Stated => "by all names and every size that is stated; no shape was there to be seen",
        Closeness::StatedOtherVocabulary => {
            "by all names and every size that is stated but for the vocabulary; no shape was there to be seen"
        }
        Closeness::StatedOtherConfiguration => {
            "by all names and sizes that are stated, but for other fields of the configuration; no shape was there to be seen"
        }
        Closeness::OtherDimensions => {
            return format!(
                "No catalogue entry has all the sizes of this model. All that is known speaks for {}; likeliest first:",
                count(answer.matched, "entry as its relative", "entries as its relatives")
            );
        }
    };
    match first.tied_with.len() {
        0 => format!("Built like one catalogue entry, {but}: {}.", name(&first.reference)),
        others => format!("Built like {} catalogue entries, {but}; what is known cannot tell these apart.", others + 1),
    }
}

fn matches(matches: &[Match]) -> String {
    let mut output = table(["Rank", "Model", "Bits", "Shapes", "Present", "Added", "Released"]);
    for column in [2, 4, 5] {
        align_right(&mut output, column);
    }
    for it in matches {
        output.add_row([
            if it.tied_with.is_empty() { it.rank.to_string() } else { format!("{} =", it.rank) },
            name(&it.reference).to_owned(),
            it.score.as_ref().map_or_else(|| "-".to_owned(), |it| format!("{:.0}", it.bits)),
            closeness(it.closeness).to_owned(),
            it.present.map_or_else(|| "-".to_owned(), |it| share(it.values.unwrap_or(it.tensors))),
            it.additions.len().to_string(),
            it.release_date.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let ties = matches.iter().any(|it| !it.tied_with.is_empty());
    let legend = if ties {
        "\n\n= shares its rank: less than a bit apart, so that nothing known tells these entries apart."
    } else {
        ""
    };
    format!("{}{legend}\n\n{LEGEND}", output.trim_fmt())
}

const LEGEND: &str = "Bits: how much more likely all that is known is under \"built like this entry or \
     derived from it\" than under a design without regard to it, as a power of two. Present: how much of the entry is \
     there, by form. Added: kinds of tensors beside it.";

/// A share in per cent, and never 100 % where something is missing.
fn share(share: f64) -> String {
    if share >= 1.0 { "100 %".to_owned() } else { format!("{:.1} %", (share * 1000.0).floor() / 10.0) }
}

/// What the score of the best entry is made of, by group, and what was put beside it.
fn best(first: &Match) -> String {
    let mut lines = vec![format!("What speaks for {}, in bits", name(&first.reference))];
    let parts = first.score.iter().flat_map(|it| &it.parts);
    let mut groups: Vec<(&str, f64, Vec<String>)> = Vec::new();
    for part in parts {
        if groups.last().is_none_or(|it| it.0 != part.group) {
            groups.push((&part.group, 0.0, Vec::new()));
        }
        let Some(group) = groups.last_mut() else { continue };
        group.1 += part.bits;
        group.2.push(summand(part));
    }
    for (group, bits, items) in groups {
        lines.push(format!("  {group:<18} {bits:>+6.1}   {}", items.join(", ")));
    }
    for (words, list) in [("Beside it", &first.additions), ("Not there", &first.missing)] {
        if !list.is_empty() {
            lines.push(format!("{words}: {}", some(list)));
        }
    }
    lines.join("\n")
}

fn summand(part: &ScorePart) -> String {
    let shown = match (&part.subject, &part.reference) {
        (Some(ours), Some(theirs)) if ours != theirs => {
            format!("{} {} for {}", part.item, shown_name(ours), shown_name(theirs))
        }
        _ => shown_name(&part.item),
    };
    let bits = if part.bits.abs() < 0.05 { 0.0 } else { part.bits }; // Never -0.0.
    format!("{shown} {bits:+.1}")
}

/// The first few of a list.
fn some(list: &[String]) -> String {
    const MOST: usize = 6;
    let shown: Vec<String> = list.iter().take(MOST).map(|it| shown_name(it)).collect();
    let more = list.len().saturating_sub(MOST);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// What the answer cannot know.
fn limits(answer: &Identification) -> String {
    let CatalogReach { size, newest, newest_date, .. } = &answer.catalog;
    format!(
        "Compared with {size} entries. The catalogue ends with {} ({newest_date}): a later model, or one it never had, \
         has no entry to match.\nThis is about names, shapes and configuration, which say nothing about weights: \
         models trained independently share a form, and a copy can change it.",
        name(newest)
    )
}

fn closeness(closeness: Closeness) -> &'static str {
    match closeness {
        Closeness::SameShapes => "same",
        Closeness::PaddedVocabulary => "same but vocabulary padding",
        Closeness::OtherVocabulary => "same but vocabulary",
        Closeness::Additions => "same with additions",
        Closeness::OtherDepth => "same but depth",
        Closeness::Stated => "same as stated",
        Closeness::StatedOtherVocabulary => "same as stated but vocabulary",
        Closeness::StatedOtherConfiguration => "stated sizes, other configuration",
        Closeness::OtherDimensions => "other",
    }
}

fn name(reference: &str) -> &str {
    reference.strip_prefix(SCHEME).unwrap_or(reference)
}

fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
